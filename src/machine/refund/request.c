/*
 * request.c
 *		Requesting refunds.
 *
 * A refund row is unique per (payment, cause, after-sale, fact) and never exceeds what is left of
 * its payment, so a repeated request does nothing, unless staff asks for the rest.
 */
#include "compat.h"

#include "catalog/pg_type.h"

#include "core/error_facts.h"
#include "core/errors.h"
#include "core/jsonb_build.h"
#include "core/spi_util.h"
#include "machine/refund/refund.h"
#include "machine/refund/request.h"

#define INSERT_REFUNDS \
	"WITH requested AS (" \
	" INSERT INTO order_ext_internal.refunds" \
	" (refund_id, order_id, payment_id, after_sale_id, amount, requested_at, version, status," \
	"  cause, held, currency, claim_after, fact_id, pay_type)"
#define UNLESS_REQUESTED \
	" ON CONFLICT (payment_id, cause, after_sale_id, fact_id) DO NOTHING" \
	" RETURNING refund_id, order_id, payment_id, after_sale_id, amount, held, claim_after," \
	"  cause, currency)" \
	" SELECT r.refund_id, r.order_id, r.payment_id, r.after_sale_id, r.amount, r.held," \
	"  o.user_id, o.version, p.pay_type, r.claim_after, r.cause, r.currency, p.out_trade_no," \
	"  o.external_id" \
	" FROM requested r" \
	" JOIN order_ext_internal.payments p ON p.payment_id = r.payment_id" \
	" LEFT JOIN order_ext_internal.orders o ON o.order_id = r.order_id" \
	" ORDER BY r.refund_id"

/* $5 is the maximum to refund; NULL: all that is left. */
#define INSERT_REFUND(fact_id) \
	INSERT_REFUNDS \
	" SELECT pg_catalog.nextval('order_ext_internal.refund_id_seq'), p.order_id, p.payment_id, 0," \
	"        least(rest.amount, $5), $3, 1, $4, $2, $6, p.currency, $7, " fact_id \
	", p.pay_type AS its_pay_type" \
	" FROM order_ext_internal.payments p" LEFT_OF_PAYMENT \
	" WHERE p.payment_id = $1 AND p.status = " CODE(PAYMENT_CAPTURED) \
	"  AND least(rest.amount, $5) > 0" \
	UNLESS_REQUESTED

static SavedPlan insert_refund = SAVED_PLAN(
	INSERT_REFUND("0"),
	INT8OID, INT2OID, TIMESTAMPTZOID, INT2OID, INT8OID, BOOLOID, TIMESTAMPTZOID);

/* One more of its cause counts those before it. */
#define NEXT_OF_CAUSE \
	"(SELECT coalesce(max(b.fact_id) + 1, 0) FROM order_ext_internal.refunds b" \
	"  WHERE b.payment_id = p.payment_id AND b.cause = $2 AND b.after_sale_id = 0)"

static SavedPlan insert_rest = SAVED_PLAN(
	INSERT_REFUND(NEXT_OF_CAUSE),
	INT8OID, INT2OID, TIMESTAMPTZOID, INT2OID, INT8OID, BOOLOID, TIMESTAMPTZOID);

static SavedPlan insert_for_canceled = SAVED_PLAN(
	INSERT_REFUNDS
	" SELECT pg_catalog.nextval('order_ext_internal.refund_id_seq'), p.order_id, p.payment_id,"
	"        coalesce(a.after_sale_id, 0), rest.amount, $2, 1, $3,"
	"        CASE p.purpose WHEN " CODE(PURPOSE_APPLIED) " THEN " CODE(CAUSE_CANCEL)
	"         ELSE " CODE(CAUSE_HELD) " END, o.refund_hold,"
	"        p.currency, NULL, 0, p.pay_type AS its_pay_type"
	" FROM order_ext_internal.orders o"
	" JOIN order_ext_internal.payments p ON p.order_id = o.order_id"
	" LEFT JOIN order_ext_internal.after_sales a"
	"   ON a.order_id = o.order_id AND a.origin = '" AFTER_SALE_ORIGIN_CANCEL "'"
	"    AND p.purpose = " CODE(PURPOSE_APPLIED)
	LEFT_OF_PAYMENT
	" WHERE o.order_id = ANY ($1) AND o.status = " CODE(ORDER_CANCELED)
	"   AND p.status = " CODE(PAYMENT_CAPTURED) " AND p.purpose IN (" PURPOSES_OF_ORDER ")"
	"    AND rest.amount > 0"
	" ORDER BY p.payment_id"
	UNLESS_REQUESTED,
	INT8ARRAYOID, TIMESTAMPTZOID, INT2OID);

static SavedPlan insert_for_after_sale = SAVED_PLAN(
	INSERT_REFUNDS
	" SELECT pg_catalog.nextval('order_ext_internal.refund_id_seq'), p.order_id, p.payment_id,"
	"        a.after_sale_id, coalesce($4, a.amount), $2, 1, $3, " CODE(CAUSE_AFTER_SALE) ", false,"
	"        p.currency, NULL, $5, p.pay_type AS its_pay_type"
	" FROM order_ext_internal.after_sales a"
	" JOIN order_ext_internal.payments p ON p.order_id = a.order_id"
	LEFT_OF_PAYMENT
	" WHERE a.after_sale_id = $1 AND p.status = " CODE(PAYMENT_CAPTURED)
	"  AND p.purpose = " CODE(PURPOSE_APPLIED)
	"   AND coalesce($4, a.amount) > 0 AND coalesce($4, a.amount) <= rest.amount"
	UNLESS_REQUESTED,
	INT8OID, TIMESTAMPTZOID, INT2OID, INT8OID, INT8OID);

static SavedPlan has_refund = SAVED_PLAN(
	"SELECT a.amount = 0 OR EXISTS (SELECT FROM order_ext_internal.refunds r"
	"  WHERE r.order_id = a.order_id AND r.after_sale_id = a.after_sale_id AND r.fact_id = $2)"
	" FROM order_ext_internal.after_sales a WHERE a.after_sale_id = $1",
	INT8OID, INT8OID);

void
refund_request_journal(Journal *journal, const Edge *edge, const Refund *refund, char actor)
{
	JsonbBuilder *detail = jsonb_object_begin();

	jsonb_add_id(detail, "payment_id", refund->payment_id);
	jsonb_add_int(detail, "amount", refund->amount);
	if (refund->after_sale_id != 0)
		jsonb_add_id(detail, "after_sale_id", refund->after_sale_id);
	journal_transition(journal, MACHINE_REFUND, edge, refund->refund_id, refund->order_id, 1,
					   actor, jsonb_object_end(detail));
	if (!refund->held)
		refund_publish_execute(journal, refund);
}

/*
 * Record the rows that the last statement returned, and notify the workers of those that are not
 * held back; returns the id of the last one, or 0.
 */
static int64
journal_requested(Journal *journal, const Edge *edge, uint64 n, char actor)
{
	int64		refund_id = 0;
	uint64		i;

	for (i = 0; i < n; i++)
	{
		Refund		refund = {0};

		refund_id = refund.refund_id = row_int64(i, 1);
		refund.order_id = row_int64(i, 2);
		refund.payment_id = row_int64(i, 3);
		refund.after_sale_id = row_int64(i, 4);
		refund.amount = row_int64(i, 5);
		refund.held = row_bool(i, 6);
		refund.user_id = row_int64_or(i, 7, 0);
		refund.order_version = row_is_null(i, 8) ? 0 : row_int32(i, 8);
		refund.pay_type = row_text(i, 9);
		refund.claim_after = row_is_null(i, 10) ? DT_NOBEGIN : row_timestamptz(i, 10);
		refund.cause = row_int16(i, 11);
		refund.currency = row_text(i, 12);
		refund.out_trade_no = row_text(i, 13);
		refund.external_id = row_text(i, 14);
		refund_request_journal(journal, edge, &refund, actor);
	}
	return refund_id;
}

/* All that is left, if the amount is 0; again: even if there is a refund of the cause. */
static int64
request(Journal *journal, int64 payment_id, RefundCause cause, int64 amount, bool again,
		const RefundTerms *terms, char actor)
{
	const Edge *edge = machine_edge(MACHINE_REFUND, STATUS_NONE, EVENT_REQUEST);
	bool		held = terms != NULL && terms->held;
	int64		refund_id;
	TimestampTz claim_after = terms != NULL ? terms->claim_after : 0;
	Datum		values[7];
	char		nulls[7] = {' ', ' ', ' ', ' ', amount == 0 ? 'n' : ' ', ' ',
	claim_after == 0 ? 'n' : ' '};

	values[0] = Int64GetDatum(payment_id);
	values[1] = Int16GetDatum(cause);
	values[2] = TimestampTzGetDatum(journal_time(journal));
	values[3] = Int16GetDatum(edge->to);
	values[4] = Int64GetDatum(amount);
	values[5] = BoolGetDatum(held);
	values[6] = TimestampTzGetDatum(claim_after);
	refund_id = journal_requested(journal, edge,
								  plan_write(again ? &insert_rest : &insert_refund, values, nulls,
											 0), actor);
	if (refund_id != 0)
		money_left_touch_payment(payment_id);
	return refund_id;
}

int64
refund_request_rest(Journal *journal, int64 payment_id, RefundCause cause, char actor)
{
	return request(journal, payment_id, cause, 0, true, NULL, actor);
}

int64
refund_request_on_terms(Journal *journal, int64 payment_id, RefundCause cause,
						const RefundTerms *terms, char actor)
{
	return request(journal, payment_id, cause, 0, false, terms, actor);
}

int64
refund_request_part(Journal *journal, int64 payment_id, RefundCause cause, int64 amount, char actor)
{
	return request(journal, payment_id, cause, amount, false, NULL, actor);
}

void
refunds_request_for_canceled(Journal *journal, const int64 *order_ids, int n)
{
	const Edge *edge = machine_edge(MACHINE_REFUND, STATUS_NONE, EVENT_REQUEST);
	Datum		values[3];

	values[0] = int64_array(order_ids, n);
	values[1] = TimestampTzGetDatum(journal_time(journal));
	values[2] = Int16GetDatum(edge->to);
	if (journal_requested(journal, edge,
						  plan_write(&insert_for_canceled, values, NULL, 0), ACTOR_SYSTEM) != 0)
		money_left_touch_orders(order_ids, n);
}

/* All of the after-sale's amount, if the amount is 0. */
static int64
request_for_after_sale(Journal *journal, int64 after_sale_id, int64 amount, int64 fact_id,
					   char actor)
{
	const Edge *edge = machine_edge(MACHINE_REFUND, STATUS_NONE, EVENT_REQUEST);
	Datum		values[5];
	char		nulls[5] = {' ', ' ', ' ', amount == 0 ? 'n' : ' ', ' '};
	int64		refund_id;

	values[0] = Int64GetDatum(after_sale_id);
	values[1] = TimestampTzGetDatum(journal_time(journal));
	values[2] = Int16GetDatum(edge->to);
	values[3] = Int64GetDatum(amount);
	values[4] = Int64GetDatum(fact_id);
	refund_id = journal_requested(journal, edge,
								  plan_write(&insert_for_after_sale, values, nulls, 0), actor);
	values[1] = Int64GetDatum(fact_id);
	if (refund_id == 0 &&
		(plan_query(&has_refund, values, NULL, 1) != 1 || !row_bool(0, 1)))
		ereport(ERROR,
				(errcode(ERRCODE_OE_INVARIANT),
				 errmsg("after-sale " INT64_FORMAT " exceeds what is left of its payment",
						after_sale_id),
				 error_facts("Its refund cannot be requested.",
							 FACT_ID("after_sale_id", after_sale_id)),
				 errhint("This is a bug in order_ext; nothing was changed.")));
	if (refund_id != 0)
		money_left_touch_after_sale(after_sale_id);
	return refund_id;
}

int64
refund_request_for_after_sale(Journal *journal, int64 after_sale_id, char actor)
{
	return request_for_after_sale(journal, after_sale_id, 0, 0, actor);
}

int64
refund_request_for_fact(Journal *journal, int64 after_sale_id, int64 amount, int64 fact_id,
						char actor)
{
	return request_for_after_sale(journal, after_sale_id, amount, fact_id, actor);
}
