/*
 * payment.c
 *		The payment machine: attempts and captures of money.
 */
#include "compat.h"

#include "catalog/pg_type.h"
#include "common/int.h"
#include "utils/builtins.h"

#include "core/error_facts.h"
#include "core/errors.h"
#include "core/ids.h"
#include "core/jsonb_build.h"
#include "core/locks.h"
#include "core/request.h"
#include "core/row.h"
#include "core/spi_util.h"
#include "machine/archive/recall.h"
#include "machine/payment/money_left.h"
#include "machine/payment/payment.h"

/* Columns of the tables below. */
enum
{
	PAYMENTS_ID,
	PAYMENTS_ORDER_ID,
	PAYMENTS_AMOUNT,
	PAYMENTS_CREATED_AT,
	PAYMENTS_CAPTURED_AT,
	PAYMENTS_PAID_AT,
	PAYMENTS_VERSION,
	PAYMENTS_STATUS,
	PAYMENTS_PURPOSE,
	PAYMENTS_PAY_TYPE,
	PAYMENTS_OUT_TRADE_NO,
	PAYMENTS_CURRENCY,
	PAYMENTS_RAW,
	PAYMENTS_PURPOSE_WAS,
	PAYMENTS_TOLD_ORDER_ID,
	PAYMENTS_CURRENCY_TOLD
};

#define PAYMENTS_COLUMNS \
	"payment_id", "order_id", "amount", "created_at", "captured_at", "paid_at", "version", \
	"status", "purpose", "pay_type", "out_trade_no", "currency", "raw", "purpose_was", \
	"told_order_id", "currency_told"

static RowTable by_id = ROW_TABLE("payments", "payments_pkey", PAYMENTS_COLUMNS);
static RowTable by_order = ROW_TABLE("payments", "payments_order_id", PAYMENTS_COLUMNS);
static RowTable by_trade = ROW_TABLE("payments", "payments_trade", PAYMENTS_COLUMNS);

/* Of refunds, only whether a payment has any. */
static RowTable refunds_by_payment = ROW_TABLE(
	"refunds", "refunds_once",
	"payment_id");

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

static SavedPlan insert_notice = SAVED_PLAN(
	"INSERT INTO order_ext_internal.payment_notices"
	" (order_id, payment_id, recorded_at, pay_type, out_trade_no, outcome, raw)"
	" VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
	INT8OID, INT8OID, TIMESTAMPTZOID, TEXTOID, TEXTOID, TEXTOID, JSONBOID);

void
payment_lock_trade(const char *pay_type, const char *out_trade_no)
{
	lock_wait(LOCK_REQUEST, request_lock_key(psprintf("trade %s", pay_type), out_trade_no));
}

static void
payment_from_row(Payment *payment, const Row *row)
{
	payment->payment_id = row_get_int64(row, PAYMENTS_ID);
	payment->order_id = row_get_int64(row, PAYMENTS_ORDER_ID);
	payment->amount = row_get_int64(row, PAYMENTS_AMOUNT);
	payment->version = row_get_int32(row, PAYMENTS_VERSION);
	payment->status = row_get_int16(row, PAYMENTS_STATUS);
	payment->purpose = row_get_int16_or(row, PAYMENTS_PURPOSE, 0);
	payment->pay_type = row_get_text(row, PAYMENTS_PAY_TYPE);
	payment->out_trade_no = row_get_text(row, PAYMENTS_OUT_TRADE_NO);
	payment->currency = row_get_text(row, PAYMENTS_CURRENCY);
	payment->purpose_was = row_get_int16_or(row, PAYMENTS_PURPOSE_WAS, 0);
	payment->assigned = !row->nulls[PAYMENTS_TOLD_ORDER_ID];
	payment->told_order_id = row_get_int64_or(row, PAYMENTS_TOLD_ORDER_ID, 0);
	payment->currency_told = row_get_bool(row, PAYMENTS_CURRENCY_TOLD);
}

bool
payment_by_trade_no(const char *pay_type, const char *out_trade_no, Payment *payment)
{
	Datum		keys[2] = {CStringGetTextDatum(out_trade_no), CStringGetTextDatum(pay_type)};
	Row			row;

	if (!row_find(&by_trade, keys, lengthof(keys), &row) &&
		!(recall_by_number("trade", out_trade_no) &&
		  row_find(&by_trade, keys, lengthof(keys), &row)))
	{
		recall_newer(&by_trade, keys, lengthof(keys));
		return false;
	}
	payment_from_row(payment, &row);
	return true;
}

bool
payment_read(int64 payment_id, Payment *payment)
{
	Datum		key = Int64GetDatum(payment_id);
	Row			row;

	if (!row_find(&by_id, &key, 1, &row) &&
		!(recall_by_id("payment", payment_id) && row_find(&by_id, &key, 1, &row)))
		return false;
	payment_from_row(payment, &row);
	return true;
}

void
payment_read_or_fail(int64 payment_id, Payment *payment)
{
	if (!payment_read(payment_id, payment))
		ereport(ERROR,
				(errcode(ERRCODE_OE_NOT_FOUND),
				 errmsg("payment " INT64_FORMAT " does not exist", payment_id),
				 error_facts("No payment has that ID.",
							 FACT_ID("payment_id", payment_id)),
				 errhint("get_order shows the payments of an order, payments_view all of them.")));
}

/* The number of open attempts of the order with this pay type; *oldest becomes the first one. */
static int
open_attempts(int64 order_id, const char *pay_type, Payment *oldest)
{
	Rows	   *rows = rows_open(&by_order, ROWS_READ);
	Datum		key = Int64GetDatum(order_id);
	TimestampTz oldest_at = 0;
	int			n = 0;
	bool		found;
	Row			row;

	for (found = rows_find(rows, &key, 1, &row); found; found = rows_next(rows, &row))
	{
		TimestampTz at = row_get_timestamptz(&row, PAYMENTS_CREATED_AT);

		if (row_get_int16(&row, PAYMENTS_STATUS) != PAYMENT_INITIATED ||
			strcmp(row_get_text(&row, PAYMENTS_PAY_TYPE), pay_type) != 0)
			continue;
		if (n++ > 0 && (at > oldest_at || (at == oldest_at && row_get_int64(&row, PAYMENTS_ID) >
										   oldest->payment_id)))
			continue;
		oldest_at = at;
		payment_from_row(oldest, &row);
	}
	rows_close(rows);
	return n;
}

bool
payment_open_attempt(int64 order_id, const char *pay_type, Payment *payment)
{
	return open_attempts(order_id, pay_type, payment) > 0;
}

bool
payment_only_open_attempt(int64 order_id, const char *pay_type, Payment *payment)
{
	return open_attempts(order_id, pay_type, payment) == 1;
}

/* Insert a row at the first status of an edge; capture is NULL for a new attempt. */
static void
insert(Journal *journal, const Edge *edge, const Payment *payment, const Capture *capture)
{
	Datum		at = TimestampTzGetDatum(journal_time(journal));
	Row			row;

	memset(row.nulls, true, sizeof(row.nulls));
	row_set(&row, PAYMENTS_ID, Int64GetDatum(payment->payment_id));
	row_set(&row, PAYMENTS_ORDER_ID, Int64GetDatum(payment->order_id));
	row_set(&row, PAYMENTS_AMOUNT, Int64GetDatum(payment->amount));
	row_set(&row, PAYMENTS_CREATED_AT, at);
	row_set(&row, PAYMENTS_VERSION, Int32GetDatum(1));
	row_set(&row, PAYMENTS_STATUS, Int16GetDatum(edge->to));
	row_set(&row, PAYMENTS_PAY_TYPE, CStringGetTextDatum(payment->pay_type));
	row_set(&row, PAYMENTS_OUT_TRADE_NO, CStringGetTextDatum(payment->out_trade_no));
	row_set(&row, PAYMENTS_CURRENCY, CStringGetTextDatum(payment->currency));
	row_set(&row, PAYMENTS_CURRENCY_TOLD, BoolGetDatum(capture == NULL || capture->currency_told));
	if (capture != NULL)
	{
		row_set(&row, PAYMENTS_CAPTURED_AT, at);
		row_set(&row, PAYMENTS_PAID_AT, TimestampTzGetDatum(capture->paid_at));
		row_set(&row, PAYMENTS_PURPOSE, Int16GetDatum(payment->purpose));
		if (capture->raw != NULL)
			row_set(&row, PAYMENTS_RAW, JsonbPGetDatum(capture->raw));
	}
	row_insert(&by_id, row.values, row.nulls);
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

static void
conflict(const Payment *payment)
{
	error_conflict("payment " INT64_FORMAT " was changed by another transaction",
				   payment->payment_id);
}

/* Begin to change the payment; 40001 if another transaction was faster. */
static Rows *
begin_change(const Payment *payment, const Edge *edge, Row *row)
{
	Rows	   *rows = rows_open(&by_id, ROWS_CHANGE);
	Datum		key = Int64GetDatum(payment->payment_id);

	if (!rows_find(rows, &key, 1, row) || row_get_int16(row, PAYMENTS_STATUS) != edge->from)
		conflict(payment);
	row_set(row, PAYMENTS_STATUS, Int16GetDatum(edge->to));
	row_set(row, PAYMENTS_VERSION, Int32GetDatum(row_get_int32(row, PAYMENTS_VERSION) + 1));
	return rows;
}

static void
end_change(const Payment *payment, Rows *rows, Row *row)
{
	if (!rows_update(rows, row))
		conflict(payment);
	rows_close(rows);
}

static void
update_attempt(Journal *journal, const Edge *edge, const Payment *attempt,
			   const Capture *capture, PaymentPurpose purpose)
{
	Row			row;
	Rows	   *rows = begin_change(attempt, edge, &row);

	row_set(&row, PAYMENTS_AMOUNT, Int64GetDatum(capture->amount));
	row_set(&row, PAYMENTS_CAPTURED_AT, TimestampTzGetDatum(journal_time(journal)));
	row_set(&row, PAYMENTS_PAID_AT, TimestampTzGetDatum(capture->paid_at));
	row_set(&row, PAYMENTS_PURPOSE, Int16GetDatum(purpose));
	row_set(&row, PAYMENTS_OUT_TRADE_NO, CStringGetTextDatum(capture->out_trade_no));
	row_set(&row, PAYMENTS_CURRENCY, CStringGetTextDatum(capture->currency));
	row_set(&row, PAYMENTS_CURRENCY_TOLD, BoolGetDatum(capture->currency_told));
	if (capture->raw != NULL)
		row_set(&row, PAYMENTS_RAW, JsonbPGetDatum(capture->raw));
	else
		row_set_null(&row, PAYMENTS_RAW);
	end_change(attempt, rows, &row);
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
	Row			row;
	Rows	   *rows = begin_change(payment, edge, &row);

	row_set(&row, PAYMENTS_OUT_TRADE_NO, CStringGetTextDatum(out_trade_no));
	end_change(payment, rows, &row);
	payment->status = edge->to;
	payment->version++;
	journal_transition(journal, MACHINE_PAYMENT, edge, payment->payment_id, payment->order_id,
					   payment->version, actor, NULL);
}

void
payment_accept(Journal *journal, Payment *payment)
{
	const Edge *edge = machine_edge(MACHINE_PAYMENT, payment->status, EVENT_ACCEPT);
	JsonbBuilder *detail = jsonb_object_begin();
	Row			row;
	Rows	   *rows = begin_change(payment, edge, &row);

	if (row_get_int16_or(&row, PAYMENTS_PURPOSE, 0) != PURPOSE_HELD)
		conflict(payment);
	row_set(&row, PAYMENTS_PURPOSE, Int16GetDatum(PURPOSE_APPLIED));
	end_change(payment, rows, &row);
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

static void
ask_close(Journal *journal, const Order *order, const Row *row)
{
	JsonbBuilder *payload = journal_payload(order->order_id, order->user_id, order->version);

	jsonb_add_id(payload, "payment_id", row_get_int64(row, PAYMENTS_ID));
	jsonb_add_text(payload, "pay_type", row_get_text(row, PAYMENTS_PAY_TYPE));
	jsonb_add_text(payload, "out_trade_no", row_get_text(row, PAYMENTS_OUT_TRADE_NO));
	journal_message(journal, TOPIC_PAYMENT_CLOSE, order->order_id, jsonb_object_end(payload));
}

void
payments_ask_close(Journal *journal, const Order *orders, int n)
{
	Rows	   *rows = rows_open(&by_order, ROWS_READ);
	int			i;

	for (i = 0; i < n; i++)
	{
		Datum		key = Int64GetDatum(orders[i].order_id);
		bool		found;
		Row			row;

		for (found = rows_find(rows, &key, 1, &row); found; found = rows_next(rows, &row))
		{
			if (row_get_int16(&row, PAYMENTS_STATUS) == PAYMENT_INITIATED)
				ask_close(journal, &orders[i], &row);
		}
	}
	rows_close(rows);
}

/* Whether it is captured, and of PURPOSES_OF_ORDER. */
static bool
belongs_to_order(const Row *row)
{
	int16		purpose = row_get_int16_or(row, PAYMENTS_PURPOSE, 0);

	return row_get_int16(row, PAYMENTS_STATUS) == PAYMENT_CAPTURED &&
		(purpose == PURPOSE_APPLIED || purpose == PURPOSE_HELD);
}

void
payments_find_captured(const Order *orders, int n, bool *captured)
{
	Rows	   *rows = rows_open(&by_order, ROWS_READ);
	int			i;

	for (i = 0; i < n; i++)
	{
		Datum		key = Int64GetDatum(orders[i].order_id);
		bool		found;
		Row			row;

		captured[i] = false;
		for (found = rows_find(rows, &key, 1, &row); found; found = rows_next(rows, &row))
			captured[i] |= belongs_to_order(&row) && row_get_int64(&row, PAYMENTS_AMOUNT) > 0;
	}
	rows_close(rows);
}

/* Of most orders, nothing has been refunded yet: then it is the sum of a payment or two. */
int64
payments_refundable(const Order *order)
{
	Datum		key = Int64GetDatum(order->order_id);
	Rows	   *rows = rows_open(&by_order, ROWS_READ);
	int64		sum = 0;
	bool		any_refund = false;
	bool		found;
	Row			row;
	Row			refund;

	for (found = rows_find(rows, &key, 1, &row); found; found = rows_next(rows, &row))
	{
		if (!belongs_to_order(&row) ||
			strcmp(row_get_text(&row, PAYMENTS_CURRENCY), order->currency) != 0)
			continue;
		any_refund |= row_find(&refunds_by_payment, &row.values[PAYMENTS_ID], 1, &refund);
		if (pg_add_s64_overflow(sum, row_get_int64(&row, PAYMENTS_AMOUNT), &sum))
			sum = PG_INT64_MAX;
	}
	rows_close(rows);
	if (!any_refund)
		return sum;
	(void) plan_query(&sum_refundable, &key, NULL, 1);
	return row_int64(0, 1);
}
