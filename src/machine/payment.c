/*
 * payment.c
 *		The payment machine: attempts and captures of money.
 */
#include "compat.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"

#include "core/errors.h"
#include "core/ids.h"
#include "core/jsonb_build.h"
#include "core/spi_util.h"
#include "machine/payment.h"
#include "machine/refund.h"

#define PAYMENT_COLUMNS \
	"payment_id, order_id, amount, version, status, purpose, pay_type, out_trade_no, currency"

static SavedPlan by_trade_no = SAVED_PLAN(
	"SELECT " PAYMENT_COLUMNS " FROM order_ext_internal.payments"
	" WHERE pay_type = $1 AND out_trade_no = $2",
	TEXTOID, TEXTOID);

static SavedPlan open_attempt = SAVED_PLAN(
	"SELECT " PAYMENT_COLUMNS " FROM order_ext_internal.payments"
	" WHERE order_id = $1 AND pay_type = $2 AND status = " CODE(PAYMENT_INITIATED)
	" ORDER BY created_at, payment_id LIMIT 1",
	INT8OID, TEXTOID);

static SavedPlan open_attempts = SAVED_PLAN(
	"SELECT p.order_id, o.user_id, o.version, p.payment_id, p.pay_type, p.out_trade_no"
	" FROM order_ext_internal.payments p"
	" JOIN order_ext_internal.orders o ON o.order_id = p.order_id"
	" WHERE p.order_id = ANY ($1) AND p.status = " CODE(PAYMENT_INITIATED)
	" ORDER BY p.payment_id",
	INT8ARRAYOID);

static SavedPlan insert_payment = SAVED_PLAN(
	"INSERT INTO order_ext_internal.payments"
	" (payment_id, order_id, amount, created_at, captured_at, paid_at, version, status,"
	"  purpose, pay_type, out_trade_no, currency, raw)"
	" VALUES ($1, $2, $3, $4, $5, $6, 1, $7, $8, $9, $10, $11, $12)",
	INT8OID, INT8OID, INT8OID, TIMESTAMPTZOID, TIMESTAMPTZOID, TIMESTAMPTZOID, INT2OID,
	INT2OID, TEXTOID, TEXTOID, TEXTOID, JSONBOID);

static SavedPlan capture_attempt = SAVED_PLAN(
	"UPDATE order_ext_internal.payments"
	" SET status = $3, version = version + 1, amount = $4, captured_at = $5, paid_at = $6,"
	"     purpose = $7, out_trade_no = $8, currency = $9, raw = $10"
	" WHERE payment_id = $1 AND status = $2",
	INT8OID, INT2OID, INT2OID, INT8OID, TIMESTAMPTZOID, TIMESTAMPTZOID,
	INT2OID, TEXTOID, TEXTOID, JSONBOID);

static SavedPlan insert_event = SAVED_PLAN(
	"INSERT INTO order_ext_internal.payment_events"
	" (payment_id, order_id, amount, paid_at, recorded_at, pay_type, out_trade_no,"
	"  currency, disposition, raw)"
	" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
	" ON CONFLICT DO NOTHING",
	INT8OID, INT8OID, INT8OID, TIMESTAMPTZOID, TIMESTAMPTZOID, TEXTOID, TEXTOID,
	TEXTOID, TEXTOID, JSONBOID);

/* Held notices may have any amount and currency, so their sum may not fit a bigint. */
static SavedPlan sum_refundable = SAVED_PLAN(
	"SELECT least(coalesce(sum(rest.amount), 0), 9223372036854775807)::bigint"
	" FROM order_ext_internal.orders o"
	" JOIN order_ext_internal.payments p ON p.order_id = o.order_id" LEFT_OF_PAYMENT
	" WHERE o.order_id = $1 AND p.status = " CODE(PAYMENT_CAPTURED)
	"  AND p.purpose IN (" PURPOSES_OF_ORDER ")"
	"   AND p.currency = o.currency",
	INT8OID);

static SavedPlan by_id = SAVED_PLAN(
	"SELECT " PAYMENT_COLUMNS " FROM order_ext_internal.payments WHERE payment_id = $1",
	INT8OID);

static SavedPlan open_of_type = SAVED_PLAN(
	"SELECT " PAYMENT_COLUMNS " FROM order_ext_internal.payments"
	" WHERE order_id = $1 AND pay_type = $2 AND status = " CODE(PAYMENT_INITIATED) " LIMIT 2",
	INT8OID, TEXTOID);

static SavedPlan end_attempt = SAVED_PLAN(
	"UPDATE order_ext_internal.payments"
	" SET status = $3, version = version + 1, out_trade_no = $4"
	" WHERE payment_id = $1 AND status = $2",
	INT8OID, INT2OID, INT2OID, TEXTOID);

static SavedPlan accept_held = SAVED_PLAN(
	"UPDATE order_ext_internal.payments"
	" SET purpose = " CODE(PURPOSE_APPLIED) ", version = version + 1"
	" WHERE payment_id = $1 AND status = $2 AND purpose = " CODE(PURPOSE_HELD),
	INT8OID, INT2OID);

static SavedPlan insert_notice = SAVED_PLAN(
	"INSERT INTO order_ext_internal.payment_notices"
	" (order_id, payment_id, recorded_at, pay_type, out_trade_no, outcome, raw)"
	" VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
	INT8OID, INT8OID, TIMESTAMPTZOID, TEXTOID, TEXTOID, TEXTOID, JSONBOID);

static void
payment_from_row(Payment *payment, uint64 row)
{
	payment->payment_id = row_int64(row, 1);
	payment->order_id = row_int64(row, 2);
	payment->amount = row_int64(row, 3);
	payment->version = row_int32(row, 4);
	payment->status = row_int16(row, 5);
	payment->purpose = row_is_null(row, 6) ? 0 : row_int16(row, 6);
	payment->pay_type = row_text(row, 7);
	payment->out_trade_no = row_text(row, 8);
	payment->currency = row_text(row, 9);
}

bool
payment_by_trade_no(const char *pay_type, const char *out_trade_no, Payment *payment)
{
	Datum		values[2] = {CStringGetTextDatum(pay_type), CStringGetTextDatum(out_trade_no)};

	if (plan_query(&by_trade_no, values, NULL, 1) == 0)
		return false;
	payment_from_row(payment, 0);
	return true;
}

bool
payment_open_attempt(int64 order_id, const char *pay_type, Payment *payment)
{
	Datum		values[2] = {Int64GetDatum(order_id), CStringGetTextDatum(pay_type)};

	if (plan_query(&open_attempt, values, NULL, 1) == 0)
		return false;
	payment_from_row(payment, 0);
	return true;
}

bool
payment_read(int64 payment_id, Payment *payment)
{
	Datum		values[1] = {Int64GetDatum(payment_id)};

	if (plan_query(&by_id, values, NULL, 1) == 0)
		return false;
	payment_from_row(payment, 0);
	return true;
}

bool
payment_only_open_attempt(int64 order_id, const char *pay_type, Payment *payment)
{
	Datum		values[2] = {Int64GetDatum(order_id), CStringGetTextDatum(pay_type)};

	if (plan_query(&open_of_type, values, NULL, 0) != 1)
		return false;
	payment_from_row(payment, 0);
	return true;
}

/* Insert a row at the first status of an edge; capture is NULL for a new attempt. */
static void
insert(Journal *journal, const Edge *edge, const Payment *payment, const Capture *capture)
{
	Datum		at = TimestampTzGetDatum(journal_time(journal));
	Datum		values[12] = {0};
	char		nulls[12];

	memset(nulls, ' ', sizeof(nulls));
	values[0] = Int64GetDatum(payment->payment_id);
	values[1] = Int64GetDatum(payment->order_id);
	values[2] = Int64GetDatum(payment->amount);
	values[3] = at;
	values[6] = Int16GetDatum(edge->to);
	values[7] = Int16GetDatum(payment->purpose);
	values[8] = CStringGetTextDatum(payment->pay_type);
	values[9] = CStringGetTextDatum(payment->out_trade_no);
	values[10] = CStringGetTextDatum(payment->currency);
	if (capture != NULL)
	{
		values[4] = at;
		values[5] = TimestampTzGetDatum(capture->paid_at);
		values[11] = PointerGetDatum(capture->raw);
	}
	nulls[4] = nulls[5] = nulls[7] = capture == NULL ? 'n' : ' ';
	nulls[11] = capture == NULL || capture->raw == NULL ? 'n' : ' ';
	(void) plan_write(&insert_payment, values, nulls, 0);
}

void
payment_initiate(Journal *journal, Payment *payment)
{
	const Edge *edge = machine_edge(MACHINE_PAYMENT, STATUS_NONE, EVENT_INITIATE);

	payment->payment_id = id_next("payment_id_seq");
	payment->out_trade_no = psprintf(INT64_FORMAT "-" INT64_FORMAT,
									 payment->order_id, payment->payment_id);
	payment->purpose = 0;
	payment->version = 1;
	payment->status = edge->to;
	insert(journal, edge, payment, NULL);
	journal_transition(journal, MACHINE_PAYMENT, edge, payment->payment_id, payment->order_id,
					   payment->version, ACTOR_BUYER, NULL);
}

/* Raise 40001 unless the guarded UPDATE changed its one row: another transaction was faster. */
static void
check_changed(const Payment *payment, uint64 n)
{
	if (n != 1)
		error_conflict("payment " INT64_FORMAT " was changed by another transaction",
					   payment->payment_id);
}

static void
update_attempt(Journal *journal, const Edge *edge, const Payment *attempt,
			   const Capture *capture, PaymentPurpose purpose)
{
	Datum		values[10];
	char		nulls[10];

	memset(nulls, ' ', sizeof(nulls));
	values[0] = Int64GetDatum(attempt->payment_id);
	values[1] = Int16GetDatum(edge->from);
	values[2] = Int16GetDatum(edge->to);
	values[3] = Int64GetDatum(capture->amount);
	values[4] = TimestampTzGetDatum(journal_time(journal));
	values[5] = TimestampTzGetDatum(capture->paid_at);
	values[6] = Int16GetDatum(purpose);
	values[7] = CStringGetTextDatum(capture->out_trade_no);
	values[8] = CStringGetTextDatum(capture->currency);
	values[9] = PointerGetDatum(capture->raw);
	nulls[9] = capture->raw == NULL ? 'n' : ' ';
	check_changed(attempt, plan_write(&capture_attempt, values, nulls, 0));
}

int64
payment_capture(Journal *journal, const Payment *attempt, const Capture *capture,
				PaymentPurpose purpose, char actor)
{
	const Edge *edge = machine_edge(MACHINE_PAYMENT,
									attempt ? attempt->status : STATUS_NONE, EVENT_CAPTURE);
	Payment		payment = {0};
	JsonbBuilder *detail = jsonb_object_begin();

	if (attempt != NULL)
	{
		payment = *attempt;
		payment.version++;
		update_attempt(journal, edge, attempt, capture, purpose);
	}
	else
	{
		payment.payment_id = id_next("payment_id_seq");
		payment.order_id = capture->order_id;
		payment.amount = capture->amount;
		payment.purpose = purpose;
		payment.pay_type = unconstify(char *, capture->pay_type);
		payment.out_trade_no = unconstify(char *, capture->out_trade_no);
		payment.currency = unconstify(char *, capture->currency);
		payment.version = 1;
		insert(journal, edge, &payment, capture);
	}
	jsonb_add_text(detail, "purpose", code_name(CODES_PAYMENT_PURPOSE, purpose));
	jsonb_add_int(detail, "amount", capture->amount);
	jsonb_add_text(detail, "out_trade_no", capture->out_trade_no);
	journal_transition(journal, MACHINE_PAYMENT, edge, payment.payment_id, payment.order_id,
					   payment.version, actor, jsonb_object_end(detail));
	return payment.payment_id;
}

bool
payment_event_record(int64 payment_id, const Capture *capture,
					 const char *disposition, TimestampTz at)
{
	Datum		values[10];
	char		nulls[10];

	memset(nulls, ' ', sizeof(nulls));
	values[0] = Int64GetDatum(payment_id);
	values[1] = Int64GetDatum(capture->order_id);
	values[2] = Int64GetDatum(capture->amount);
	values[3] = TimestampTzGetDatum(capture->paid_at);
	values[4] = TimestampTzGetDatum(at);
	values[5] = CStringGetTextDatum(capture->pay_type);
	values[6] = CStringGetTextDatum(capture->out_trade_no);
	values[7] = CStringGetTextDatum(capture->currency);
	values[8] = CStringGetTextDatum(disposition);
	values[9] = PointerGetDatum(capture->raw);
	nulls[9] = capture->raw == NULL ? 'n' : ' ';
	return plan_write(&insert_event, values, nulls, 0) > 0;
}

void
payment_end(Journal *journal, Payment *payment, Event event, const char *out_trade_no, char actor)
{
	const Edge *edge = machine_edge(MACHINE_PAYMENT, payment->status, event);
	Datum		values[4];

	values[0] = Int64GetDatum(payment->payment_id);
	values[1] = Int16GetDatum(edge->from);
	values[2] = Int16GetDatum(edge->to);
	values[3] = CStringGetTextDatum(out_trade_no);
	check_changed(payment, plan_write(&end_attempt, values, NULL, 0));
	payment->status = edge->to;
	payment->version++;
	journal_transition(journal, MACHINE_PAYMENT, edge, payment->payment_id, payment->order_id,
					   payment->version, actor, NULL);
}

void
payment_accept(Journal *journal, Payment *payment)
{
	const Edge *edge = machine_edge(MACHINE_PAYMENT, payment->status, EVENT_ACCEPT);
	Datum		values[2] = {Int64GetDatum(payment->payment_id), Int16GetDatum(edge->from)};
	JsonbBuilder *detail = jsonb_object_begin();

	check_changed(payment, plan_write(&accept_held, values, NULL, 0));
	payment->purpose = PURPOSE_APPLIED;
	payment->version++;
	jsonb_add_text(detail, "purpose", code_name(CODES_PAYMENT_PURPOSE, payment->purpose));
	jsonb_add_int(detail, "amount", payment->amount);
	journal_transition(journal, MACHINE_PAYMENT, edge, payment->payment_id, payment->order_id,
					   payment->version, ACTOR_STAFF, jsonb_object_end(detail));
}

bool
payment_notice_record(const PaymentNotice *notice, int64 payment_id, TimestampTz at)
{
	Datum		values[7];
	char		nulls[7] = {' ', ' ', ' ', ' ', ' ', ' ', ' '};

	values[0] = Int64GetDatum(notice->order_id);
	values[1] = Int64GetDatum(payment_id);
	nulls[1] = payment_id == 0 ? 'n' : ' ';
	values[2] = TimestampTzGetDatum(at);
	values[3] = CStringGetTextDatum(notice->pay_type);
	values[4] = CStringGetTextDatum(notice->out_trade_no);
	values[5] = CStringGetTextDatum(notice->outcome);
	values[6] = PointerGetDatum(notice->raw);
	nulls[6] = notice->raw == NULL ? 'n' : ' ';
	return plan_write(&insert_notice, values, nulls, 0) > 0;
}

void
payments_ask_close(Journal *journal, const int64 *order_ids, int n)
{
	Datum		values[1] = {int64_array(order_ids, n)};
	int			found = (int) plan_query(&open_attempts, values, NULL, 0);
	int			i;

	for (i = 0; i < found; i++)
	{
		JsonbBuilder *payload = journal_payload(row_int64(i, 1), row_int64(i, 2), row_int32(i, 3));

		jsonb_add_id(payload, "payment_id", row_int64(i, 4));
		jsonb_add_text(payload, "pay_type", row_text(i, 5));
		jsonb_add_text(payload, "out_trade_no", row_text(i, 6));
		journal_message(journal, TOPIC_PAYMENT_CLOSE, row_int64(i, 1), jsonb_object_end(payload));
	}
}

int64
payments_refundable(int64 order_id)
{
	Datum		values[1] = {Int64GetDatum(order_id)};

	(void) plan_query(&sum_refundable, values, NULL, 1);
	return row_int64(0, 1);
}
