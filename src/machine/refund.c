/*
 * refund.c
 *		The refund machine.
 *
 * A refund row is unique per (payment, cause, after-sale) and never exceeds what is
 * left of its payment, so whoever asks twice finds it done.
 */
#include "compat.h"

#include "catalog/pg_type.h"

#include "core/call.h"
#include "core/spi_util.h"
#include "machine/refund.h"

#define INSERT_REFUNDS \
	"INSERT INTO order_ext_internal.refunds" \
	" (refund_id, order_id, payment_id, amount, requested_at, version, status, cause, held, currency)"
#define LEFT_OF_PAYMENT \
	" CROSS JOIN LATERAL (SELECT p.amount - coalesce(sum(r.amount), 0)::bigint AS amount" \
	"   FROM order_ext_internal.refunds r" \
	"   WHERE r.payment_id = p.payment_id AND r.status IN (10, 15, 20)) AS rest"
#define UNLESS_REQUESTED \
	" ON CONFLICT (payment_id, cause, after_sale_id) DO NOTHING" \
	" RETURNING refund_id, order_id, payment_id, amount"

static SavedPlan insert_refund = SAVED_PLAN(
	INSERT_REFUNDS
	" SELECT pg_catalog.nextval('order_ext_internal.refund_id_seq'), p.order_id, p.payment_id,"
	"        rest.amount, $3, 1, $4, $2, false, p.currency"
	" FROM order_ext_internal.payments p" LEFT_OF_PAYMENT
	" WHERE p.payment_id = $1 AND p.status = 20 AND rest.amount > 0"
	UNLESS_REQUESTED,
	INT8OID, INT2OID, TIMESTAMPTZOID, INT2OID);

static SavedPlan insert_for_canceled = SAVED_PLAN(
	INSERT_REFUNDS
	" SELECT pg_catalog.nextval('order_ext_internal.refund_id_seq'), p.order_id, p.payment_id,"
	"        rest.amount, $2, 1, $3,"
	"        CASE p.purpose WHEN 1 THEN 1 ELSE 4 END, o.refund_hold, p.currency"
	" FROM order_ext_internal.orders o"
	" JOIN order_ext_internal.payments p ON p.order_id = o.order_id" LEFT_OF_PAYMENT
	" WHERE o.order_id = ANY ($1) AND o.status = 70"
	"   AND p.status = 20 AND p.purpose IN (1, 4) AND rest.amount > 0"
	UNLESS_REQUESTED,
	INT8ARRAYOID, TIMESTAMPTZOID, INT2OID);

static SavedPlan first_refund = SAVED_PLAN(
	"SELECT refund_id FROM order_ext_internal.refunds WHERE payment_id = $1"
	" ORDER BY requested_at, refund_id LIMIT 1",
	INT8OID);

/* Note the rows that the last statement returned; gives the id of the last one, or 0. */
static int64
journal_returned(Journal *journal, const Edge *edge, uint64 n, char actor)
{
	int64		refund_id = 0;
	uint64		i;

	for (i = 0; i < n; i++)
	{
		JsonbBuilder *detail = jsonb_object_begin();

		refund_id = row_int64(i, 1);
		jsonb_add_id(detail, "payment_id", row_int64(i, 3));
		jsonb_add_int(detail, "amount", row_int64(i, 4));
		journal_transition(journal, MACHINE_REFUND, edge, refund_id, row_int64(i, 2),
						   1, actor, jsonb_object_end(detail));
	}
	return refund_id;
}

int64
refund_request(Journal *journal, int64 payment_id, RefundCause cause, char actor)
{
	const Edge *edge = machine_edge(MACHINE_REFUND, STATUS_NONE, EVENT_REQUEST);
	Datum		values[4];

	values[0] = Int64GetDatum(payment_id);
	values[1] = Int16GetDatum(cause);
	values[2] = TimestampTzGetDatum(journal_time(journal));
	values[3] = Int16GetDatum(edge->to);
	return journal_returned(journal, edge, plan_write(&insert_refund, values, NULL, 0), actor);
}

void
refunds_request_for_canceled(Journal *journal, const int64 *order_ids, int n)
{
	const Edge *edge = machine_edge(MACHINE_REFUND, STATUS_NONE, EVENT_REQUEST);
	Datum		values[3];

	values[0] = int64_array(order_ids, n);
	values[1] = TimestampTzGetDatum(journal_time(journal));
	values[2] = Int16GetDatum(edge->to);
	(void) journal_returned(journal, edge,
							plan_write(&insert_for_canceled, values, NULL, 0), ACTOR_SYSTEM);
}

int64
refund_of_payment(int64 payment_id)
{
	Datum		values[1] = {Int64GetDatum(payment_id)};

	return plan_query(&first_refund, values, NULL, 1) > 0 ? row_int64(0, 1) : 0;
}
