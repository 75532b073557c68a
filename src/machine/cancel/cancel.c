/*
 * cancel.c
 *		The cancellation of orders: one path for buyer, staff, timer, sweep and warehouse.
 */
#include "compat.h"

#include "core/ids.h"
#include "core/jsonb_build.h"
#include "core/locks.h"
#include "machine/cancel/cancel.h"
#include "machine/order/message.h"
#include "machine/payment/payment.h"
#include "machine/shipment/shipment.h"

/*
 * What follows once orders are canceled: their open payment attempts are to be closed, and facts
 * that the warehouse reported too early about them are held for staff.
 */
static void
end_canceled(Journal *journal, Order *orders, int n)
{
	payments_ask_close(journal, orders, n);
	shipments_hold_parked(journal, orders, n);
}

/* The transition, with the message that releases what the order holds. */
static void
cancel_one(Journal *journal, Order *order, char actor, const OrderChange *change, Jsonb *detail)
{
	OrderChange told = *change;

	told.payloads = order_messages_canceled(order, 1, change);
	orders_fire(journal, order, 1, EVENT_CANCEL, actor, &told, detail);
	end_canceled(journal, order, 1);
}

/* ---- interception ---- */

/* Stop the parcel, or request that. */
static CancelOutcome
intercept(Journal *journal, Order *order, char actor, const OrderChange *change, Jsonb *detail)
{
	Fulfilment	fulfilment;

	fulfilment_read_or_fail(order->order_id, &fulfilment);
	if (fulfilment.status == FULFILMENT_CANCEL_REQUESTED)
		return CANCEL_PENDING;
	if (!fulfilment.external)
	{
		fulfilment_abandon(journal, &fulfilment, actor);
		return CANCEL_DONE;
	}
	if (fulfilment.intercept_refused)
		return CANCEL_REFUSED;
	fulfilment_request_cancel(journal, &fulfilment, actor, change->cancel_type,
							  change->refund_hold);
	orders_fire(journal, order, 1, EVENT_REQUEST_INTERCEPT, actor, NULL, detail);
	return CANCEL_ASKED;
}

CancelOutcome
cancel_order_locked(Journal *journal, Order *order, char actor, const OrderChange *change,
					Jsonb *detail)
{
	CancelOutcome outcome = CANCEL_DONE;

	if (order->status == ORDER_PAID)
		fulfilment_tombstone(journal, order->order_id, actor);
	else if (order->status == ORDER_FULFILLING)
		outcome = intercept(journal, order, actor, change, detail);
	if (outcome == CANCEL_DONE)
		cancel_one(journal, order, actor, change, detail);
	return outcome;
}

void
cancel_intercepted(Journal *journal, Order *order, Fulfilment *fulfilment, const char *event_id)
{
	OrderChange change = {
		.cancels = true,
		.cancel_type = fulfilment->cancel_type,
		.refund_hold = fulfilment->refund_hold
	};
	JsonbBuilder *detail = jsonb_object_begin();

	jsonb_add_text(detail, "cancel_type", code_name(CODES_CANCEL_TYPE, fulfilment->cancel_type));
	jsonb_add_text(detail, "event_id", event_id);
	fulfilment_accept_cancel(journal, fulfilment);
	cancel_one(journal, order, ACTOR_WAREHOUSE, &change, jsonb_object_end(detail));
}

/* ---- timeout ---- */

int
cancel_expired(const int64 *ids, int n, bool *busy)
{
	Journal    *journal = journal_begin(GetCurrentTimestamp());
	int64	   *locked = palloc(sizeof(int64) * Max(n, 1));
	int			n_locked = lock_try_all(LOCK_ORDER_CANCEL, ids, n, busy);
	int			n_orders;
	Order	   *orders;
	JsonbBuilder *detail;
	int			i,
				j = 0;

	if (n_locked == 0)
		return 0;
	for (i = 0; i < n; i++)
	{
		if (!busy[i])
			locked[j++] = ids[i];
	}
	qsort(locked, n_locked, sizeof(int64), id_compare);

	/* The locks decide who comes first; the status is checked now, under them. */
	detail = jsonb_object_begin();
	jsonb_add_text(detail, "cancel_type", "timeout");
	orders = orders_expire(journal, locked, n_locked, jsonb_object_end(detail),
						   order_messages_expired, &n_orders);
	if (n_orders > 0)
		end_canceled(journal, orders, n_orders);
	journal_write(journal);
	return n_orders;
}
