/*
 * refund.c
 *		The refund machine: reading and moving refunds; see refund.h. Refunds are created in
 *		request.c.
 */
#include "compat.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"

#include "core/error_facts.h"
#include "core/errors.h"
#include "core/jsonb_build.h"
#include "core/spelling.h"
#include "core/spi_util.h"
#include "machine/archive/recall.h"
#include "machine/refund/refund.h"

static SavedPlan read_refund = SAVED_PLAN(
	"SELECT" REFUND_COLUMNS FROM_REFUNDS " WHERE r.refund_id = $1",
	INT8OID);

static SavedPlan read_submitted = SAVED_PLAN(
	"SELECT" REFUND_COLUMNS FROM_REFUNDS
	" WHERE r.refund_id = ANY ($1) AND r.status = " CODE(REFUND_SUBMITTED) " ORDER BY r.refund_id",
	INT8ARRAYOID);

static SavedPlan read_of_after_sale = SAVED_PLAN(
	"SELECT" REFUND_COLUMNS FROM_REFUNDS
	" JOIN order_ext_internal.after_sales a ON a.order_id = r.order_id"
	" WHERE a.after_sale_id = $1 AND r.after_sale_id = $1 ORDER BY r.refund_id",
	INT8OID);

static SavedPlan first_refund = SAVED_PLAN(
	"SELECT refund_id FROM order_ext_internal.refunds WHERE payment_id = $1"
	" ORDER BY requested_at, refund_id LIMIT 1",
	INT8OID);

static SavedPlan move_refund = SAVED_PLAN(
	"UPDATE order_ext_internal.refunds"
	" SET status = $3, version = version + 1,"
	"     settled_at = CASE WHEN $3 = " CODE(REFUND_SUCCEEDED) " THEN $4 END,"
	"     lease_until = NULL, held = false, kept = false, claim_after = NULL,"
	"     last_outcome = coalesce($5, last_outcome),"
	"     gateway_refund_no = coalesce($6, gateway_refund_no), raw = coalesce($7, raw)"
	" WHERE refund_id = $1 AND status = $2",
	INT8OID, INT2OID, INT2OID, TIMESTAMPTZOID, TEXTOID, TEXTOID, JSONBOID);

static SavedPlan note_words = SAVED_PLAN(
	"UPDATE order_ext_internal.refunds"
	" SET last_outcome = coalesce($2, last_outcome),"
	"     gateway_refund_no = coalesce($3, gateway_refund_no), raw = coalesce($4, raw)"
	" WHERE refund_id = $1 AND (last_outcome, gateway_refund_no, raw) IS DISTINCT FROM"
	"  (coalesce($2, last_outcome), coalesce($3, gateway_refund_no), coalesce($4, raw))",
	INT8OID, TEXTOID, TEXTOID, JSONBOID);

/* The previous status is needed for the log; the lock keeps it from changing. */
static SavedPlan claim_refunds = SAVED_PLAN(
	"WITH claimed AS ("
	"  UPDATE order_ext_internal.refunds r"
	"  SET status = " CODE(REFUND_SUBMITTED) ", version = r.version + 1,"
	"   attempt = r.attempt + 1, claimed_by = $2,"
	"   claim_xid = pg_catalog.pg_current_xact_id(),"
	"   lease_until = $3 + $4 * CASE WHEN $5 THEN power(2, least(r.attempt, 6)) ELSE 1 END"
	"    * interval '1 microsecond'"
	"  FROM order_ext_internal.refunds was"
	"  JOIN order_ext_internal.payments p ON p.payment_id = was.payment_id"
	"  WHERE r.refund_id = ANY ($1) AND was.refund_id = r.refund_id"
	"   AND ((r.status = " CODE(REFUND_REQUESTED) " AND NOT r.held)"
	"    OR (r.status = " CODE(REFUND_SUBMITTED) " AND r.lease_until <= $3))"
	"   AND $6 = EXISTS (SELECT FROM order_ext_internal.gateways g WHERE g.pay_type = p.pay_type)"
	"   AND ($7 IS NULL OR " SPELLING_CODE_SQL("p.pay_type") " = ANY ($7))"
	"   AND NOT " REFUND_WAITS("$3")
	"   AND NOT EXISTS (SELECT FROM order_ext_internal.after_sales a"
	"    WHERE a.after_sale_id = r.after_sale_id"
	"     AND " AFTER_SALE_BARS_REFUND ")"
	"  RETURNING r.*, was.status AS was_status)"
	" SELECT" REFUND_COLUMNS ", r.was_status"
	" FROM claimed r"
	" JOIN order_ext_internal.payments p ON p.payment_id = r.payment_id"
	" LEFT JOIN order_ext_internal.orders o ON o.order_id = r.order_id"
	" ORDER BY r.refund_id",
	INT8ARRAYOID, TEXTOID, TIMESTAMPTZOID, INT8OID, BOOLOID, BOOLOID, TEXTARRAYOID);

/* Waiting refunds that are read and published together. */
#define WAITING_A_BATCH 1000

static SavedPlan find_waiting = SAVED_PLAN(
	"SELECT" REFUND_COLUMNS FROM_REFUNDS
	" WHERE " REFUND_IS_OPEN " AND NOT r.held AND ($1 IS NULL OR p.pay_type = $1)"
	" ORDER BY r.refund_id",
	TEXTOID);

static SavedPlan find_of_payment = SAVED_PLAN(
	"SELECT" REFUND_COLUMNS FROM_REFUNDS
	" WHERE r.payment_id = $1 AND r.status IN (" REFUNDS_OPEN ") AND NOT r.held"
	" ORDER BY r.refund_id",
	INT8OID);

/* Refunds that were claimed for an external gateway and now have one in the database. */
static SavedPlan find_claimed_outside = SAVED_PLAN(
	"SELECT" REFUND_COLUMNS FROM_REFUNDS
	" JOIN order_ext_internal.gateways g ON g.pay_type = p.pay_type"
	" WHERE r.refund_id = ANY ($1) AND r.status = " CODE(REFUND_SUBMITTED) " AND r.lease_until > $2"
	"  AND r.claimed_by IS DISTINCT FROM '" REFUND_WORKER_NAME "'"
	" ORDER BY r.refund_id",
	INT8ARRAYOID, TIMESTAMPTZOID);

/* ---- reading ---- */

static void
read_row(Refund *refund, uint64 row)
{
	bool		isnull;

	refund->refund_id = row_int64(row, 1);
	refund->order_id = row_int64(row, 2);
	refund->payment_id = row_int64(row, 3);
	refund->after_sale_id = row_int64(row, 4);
	refund->user_id = row_int64_or(row, 5, 0);
	refund->amount = row_int64(row, 6);
	refund->lease_until = row_is_null(row, 7) ? DT_NOBEGIN : row_timestamptz(row, 7);
	refund->claim_xid = DatumGetUInt64(row_datum(row, 8, &isnull));
	refund->order_version = row_is_null(row, 9) ? 0 : row_int32(row, 9);
	refund->version = row_int32(row, 10);
	refund->attempt = row_int32(row, 11);
	refund->status = row_int16(row, 12);
	refund->held = row_bool(row, 13);
	refund->currency = row_text(row, 14);
	refund->pay_type = row_text(row, 15);
	refund->out_trade_no = row_text(row, 16);
	refund->gateway_refund_no = row_text(row, 17);
	refund->kept = row_bool(row, 18);
	refund->cause = row_int16(row, 19);
	refund->claim_after = row_is_null(row, 20) ? DT_NOBEGIN : row_timestamptz(row, 20);
	refund->payment_amount = row_int64(row, 21);
	refund->reason = row_text(row, 22);
	refund->external_id = row_text(row, 23);
	refund->asked = row_int64(row, 24);
}

Refund *
refund_rows(int n)
{
	Refund	   *refunds = palloc(sizeof(Refund) * Max(n, 1));
	int			i;

	for (i = 0; i < n; i++)
		read_row(&refunds[i], i);
	return refunds;
}

bool
refund_read(int64 refund_id, Refund *refund)
{
	Datum		values[1] = {Int64GetDatum(refund_id)};

	if (plan_query(&read_refund, values, NULL, 1) == 0 &&
		!(recall_by_id("refund", refund_id) && plan_query(&read_refund, values, NULL, 1) > 0))
		return false;
	read_row(refund, 0);
	return true;
}

void
refund_read_or_fail(int64 refund_id, Refund *refund)
{
	if (!refund_read(refund_id, refund))
		ereport(ERROR,
				(errcode(ERRCODE_OE_NOT_FOUND),
				 errmsg("refund " INT64_FORMAT " does not exist", refund_id),
				 error_facts("No refund has that ID.",
							 FACT_ID("refund_id", refund_id)),
				 errhint("get_order shows the refunds of an order, refunds_view all of them.")));
}

Refund *
refunds_read_submitted(const int64 *refund_ids, int n, int *n_refunds)
{
	Datum		values[1] = {int64_array(refund_ids, n)};

	*n_refunds = (int) plan_query(&read_submitted, values, NULL, 0);
	return refund_rows(*n_refunds);
}

Refund *
refunds_read_claimed_outside(const int64 *refund_ids, int n, TimestampTz now, int *n_refunds)
{
	Datum		values[2] = {int64_array(refund_ids, n), TimestampTzGetDatum(now)};

	*n_refunds = (int) plan_query(&find_claimed_outside, values, NULL, 0);
	return refund_rows(*n_refunds);
}

int64
refund_of_payment(int64 payment_id)
{
	Datum		values[1] = {Int64GetDatum(payment_id)};

	return plan_query(&first_refund, values, NULL, 1) > 0 ? row_int64(0, 1) : 0;
}

/* ---- moving ---- */

static JsonbBuilder *
refund_payload(const Refund *refund)
{
	JsonbBuilder *payload = journal_payload(refund->order_id, refund->user_id,
											refund->order_version);

	if (refund->external_id != NULL)
		jsonb_add_text(payload, "external_id", refund->external_id);
	jsonb_add_id(payload, "refund_id", refund->refund_id);
	jsonb_add_id(payload, "payment_id", refund->payment_id);
	if (refund->after_sale_id != 0)
		jsonb_add_id(payload, "after_sale_id", refund->after_sale_id);
	jsonb_add_text(payload, "cause", code_name(CODES_REFUND_CAUSE, refund->cause));
	jsonb_add_text(payload, "pay_type", refund->pay_type);
	jsonb_add_text(payload, "out_trade_no", refund->out_trade_no);
	jsonb_add_int(payload, "amount", refund->amount);
	jsonb_add_text(payload, "currency", refund->currency);
	return payload;
}

Jsonb *
refund_execute_payload(const Refund *refund, const char *phase)
{
	JsonbBuilder *payload = refund_payload(refund);

	if (phase != NULL)
		jsonb_add_text(payload, "phase", phase);
	return jsonb_object_end(payload);
}

void
refund_publish_execute(Journal *journal, const Refund *refund)
{
	if (refund->claim_after > journal_time(journal))
		(void) timer_arm(TOPIC_REFUND_EXECUTE, refund->order_id, refund->claim_after,
						 TIMER_UNBOUND, refund_execute_payload(refund, NULL));
	else
		journal_message(journal, TOPIC_REFUND_EXECUTE, refund->order_id,
						refund_execute_payload(refund, NULL));
}

void
refunds_publish_of_payment(Journal *journal, int64 payment_id)
{
	Datum		values[1] = {Int64GetDatum(payment_id)};
	int			n = (int) plan_query(&find_of_payment, values, NULL, 0);
	Refund	   *refunds = refund_rows(n);
	int			i;

	for (i = 0; i < n; i++)
		refund_publish_execute(journal, &refunds[i]);
}

void
refunds_publish_waiting(const char *pay_type)
{
	Datum		values[1] = {pay_type != NULL ? CStringGetTextDatum(pay_type) : (Datum) 0};
	Portal		waiting = plan_open(&find_waiting, values, pay_type != NULL ? " " : "n");
	int			n;

	do
	{
		Journal    *journal;
		Refund	   *refunds;
		int			i;

		plan_batch_begin();
		journal = journal_begin(GetCurrentTimestamp());
		n = (int) plan_fetch(waiting, WAITING_A_BATCH);
		refunds = refund_rows(n);
		for (i = 0; i < n; i++)
			refund_publish_execute(journal, &refunds[i]);
		journal_write(journal);
		plan_batch_end();
	} while (n == WAITING_A_BATCH);
	plan_close(waiting);
}

/* Writes the log row and messages of a refund that has moved. */
void
refund_journal_move(Journal *journal, const Edge *edge, const Refund *refund, char actor)
{
	JsonbBuilder *detail = jsonb_object_begin();

	jsonb_add_id(detail, "payment_id", refund->payment_id);
	jsonb_add_int(detail, "amount", refund->amount);
	if (refund->attempt > 0)
		jsonb_add_int(detail, "attempt", refund->attempt);
	if (refund->gateway_refund_no != NULL)
		jsonb_add_text(detail, "gateway_refund_no", refund->gateway_refund_no);
	refund_journal(journal, edge, refund, actor, jsonb_object_end(detail));
}

void
refund_journal(Journal *journal, const Edge *edge, const Refund *refund, char actor,
			   Jsonb *detail)
{
	int			i;

	journal_transition(journal, MACHINE_REFUND, edge, refund->refund_id, refund->order_id,
					   refund->version, actor, detail);
	for (i = 0; i < MAX_EDGE_MESSAGES && edge->messages[i] != 0; i++)
	{
		JsonbBuilder *payload = refund_payload(refund);

		if (refund->gateway_refund_no != NULL)
			jsonb_add_text(payload, "gateway_refund_no", refund->gateway_refund_no);
		journal_message(journal, edge->messages[i], refund->order_id, jsonb_object_end(payload));
	}
}

static void
words_datums(const RefundWords *words, Datum *values, char *nulls)
{
	bool		no_outcome = words == NULL || words->outcome == NULL;
	bool		no_number = words == NULL || words->gateway_refund_no == NULL;
	bool		no_raw = words == NULL || words->raw == NULL;

	values[0] = no_outcome ? (Datum) 0 : CStringGetTextDatum(words->outcome);
	values[1] = no_number ? (Datum) 0 : CStringGetTextDatum(words->gateway_refund_no);
	values[2] = no_raw ? (Datum) 0 : PointerGetDatum(words->raw);
	nulls[0] = no_outcome ? 'n' : ' ';
	nulls[1] = no_number ? 'n' : ' ';
	nulls[2] = no_raw ? 'n' : ' ';
}

void
refund_fire(Journal *journal, Refund *refund, Event event, char actor, const RefundWords *words)
{
	const Edge *edge = machine_edge(MACHINE_REFUND, refund->status, event);
	Datum		values[7];
	char		nulls[7] = {' ', ' ', ' ', ' ', ' ', ' ', ' '};

	values[0] = Int64GetDatum(refund->refund_id);
	values[1] = Int16GetDatum(edge->from);
	values[2] = Int16GetDatum(edge->to);
	values[3] = TimestampTzGetDatum(journal_time(journal));
	words_datums(words, &values[4], &nulls[4]);
	if (plan_write(&move_refund, values, nulls, 0) != 1)
		error_conflict("refund " INT64_FORMAT " was changed by another transaction",
					   refund->refund_id);
	refund->status = edge->to;
	refund->version++;
	refund->held = false;
	refund->kept = false;
	refund->claim_after = DT_NOBEGIN;
	if (words != NULL && words->gateway_refund_no != NULL)
		refund->gateway_refund_no = unconstify(char *, words->gateway_refund_no);
	refund_journal_move(journal, edge, refund, actor);
	if (edge->to == REFUND_REQUESTED)
		refund_publish_execute(journal, refund);
}

void
refund_note(int64 refund_id, const RefundWords *words)
{
	Datum		values[4] = {Int64GetDatum(refund_id)};
	char		nulls[4] = {' ', ' ', ' ', ' '};

	words_datums(words, &values[1], &nulls[1]);
	(void) plan_write(&note_words, values, nulls, 0);
}

Refund *
refunds_claim(Journal *journal, const int64 *refund_ids, int n,
			  const RefundClaim *claim, int *n_claimed)
{
	Datum		values[7];
	char		nulls[7] = {' ', ' ', ' ', ' ', ' ', ' ', claim->pay_types == NULL ? 'n' : ' '};
	Refund	   *refunds;
	int16	   *was;
	int			i;

	values[0] = int64_array(refund_ids, n);
	values[1] = CStringGetTextDatum(claim->worker);
	values[2] = TimestampTzGetDatum(journal_time(journal));
	values[3] = Int64GetDatum(claim->lease);
	values[4] = BoolGetDatum(claim->backoff);
	values[5] = BoolGetDatum(claim->in_database);
	values[6] = claim->pay_types == NULL ? (Datum) 0 :
		text_array(claim->pay_types, claim->n_pay_types);
	*n_claimed = (int) plan_write(&claim_refunds, values, nulls, 0);
	refunds = refund_rows(*n_claimed);
	was = palloc(sizeof(int16) * Max(*n_claimed, 1));
	for (i = 0; i < *n_claimed; i++)
		was[i] = row_int16(i, N_REFUND_COLUMNS + 1);

	for (i = 0; i < *n_claimed; i++)
	{
		Event		event = was[i] == REFUND_SUBMITTED ? EVENT_REFUND_RECLAIM : EVENT_REFUND_CLAIM;

		refund_journal_move(journal, machine_edge(MACHINE_REFUND, was[i], event), &refunds[i],
							ACTOR_SYSTEM);
	}
	return refunds;
}

static Refund *
refunds_of_after_sale(int64 after_sale_id, int *n)
{
	Datum		values[1] = {Int64GetDatum(after_sale_id)};

	*n = (int) plan_query(&read_of_after_sale, values, NULL, 0);
	return refund_rows(*n);
}

bool
refunds_withdraw(Journal *journal, int64 after_sale_id, char actor)
{
	int			n;
	Refund	   *refunds = refunds_of_after_sale(after_sale_id, &n);
	int			i;

	for (i = 0; i < n; i++)
	{
		if (refunds[i].attempt > 0 ||
			(refunds[i].status != REFUND_REQUESTED && refunds[i].status != REFUND_WITHDRAWN))
			return false;
	}
	for (i = 0; i < n; i++)
	{
		if (refunds[i].status == REFUND_REQUESTED)
			refund_fire(journal, &refunds[i], EVENT_REFUND_WITHDRAW, actor, NULL);
	}
	return true;
}
