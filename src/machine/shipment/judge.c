/*
 * judge.c
 *		Judging facts of warehouse and carrier; see judge.h.
 */
#include "compat.h"

#include "machine/after_sale/flow.h"
#include "machine/shipment/judge.h"

static const char reason_shipped[] = "shipped_after_cancel_held";
static const char reason_picked[] = "picked_after_cancel_held";
static const char reason_contradiction[] = "contradiction_held";

static ShipmentVerdict
verdict(ShipmentState state)
{
	ShipmentVerdict result = {state, NULL};

	return result;
}

static ShipmentVerdict
held(const char *reason)
{
	ShipmentVerdict result = {SHIPMENT_HELD, reason};

	return result;
}

/*
 * The goods are in the warehouse. A pending cancel stops picking, but not a parcel that has left.
 */
static ShipmentVerdict
judge_in_warehouse(ShipmentKind kind, const Fulfilment *fulfilment)
{
	if (kind > SHIPMENT_OUT_STOCK)
		return verdict(SHIPMENT_PARKED);
	if (kind == SHIPMENT_OUT_STOCK)
		return verdict(SHIPMENT_APPLIED);
	if (fulfilment->status == FULFILMENT_CREATED)
		return verdict(SHIPMENT_APPLIED);
	if (fulfilment->status == FULFILMENT_CANCEL_REQUESTED &&
		fulfilment->prior_status == FULFILMENT_CREATED)
		return verdict(SHIPMENT_PARKED);
	return verdict(SHIPMENT_BEHIND);
}

bool
shipment_ends_undelivered(ShipmentKind kind)
{
	return kind == SHIPMENT_REFUSED || kind == SHIPMENT_LOST || kind == SHIPMENT_RETURNED;
}

/*
 * The order is refused. A refused parcel is on its way back, and may be lost there; a lost one may
 * turn up: then money and goods are not where the first fact left them.
 */
static bool
contradicts_end(ShipmentKind kind, int64 order_id)
{
	bool		lost;

	if (!shipment_ends_undelivered(kind))
		return false;
	lost = after_sale_of_origin(order_id, AFTER_SALE_ORIGIN_LOST) != 0;
	return lost != (kind == SHIPMENT_LOST);
}

ShipmentVerdict
shipment_judge(ShipmentKind kind, const Order *order, const Fulfilment *fulfilment)
{
	switch ((OrderStatus) order->status)
	{
		case ORDER_CREATED:
		case ORDER_PAID:
			return verdict(SHIPMENT_PARKED);
		case ORDER_FULFILLING:
			return judge_in_warehouse(kind, fulfilment);
		case ORDER_OUT_STOCK:
			if (kind == SHIPMENT_SIGNED)
				return verdict(SHIPMENT_PARKED);
			return verdict(kind <= SHIPMENT_OUT_STOCK ? SHIPMENT_BEHIND : SHIPMENT_APPLIED);
		case ORDER_DELIVERING:
			return verdict(kind <= SHIPMENT_DELIVERING ? SHIPMENT_BEHIND : SHIPMENT_APPLIED);
		case ORDER_SIGNED:
			return shipment_ends_undelivered(kind) ? held(reason_contradiction)
				: verdict(SHIPMENT_BEHIND);
		case ORDER_REFUSED:
			return kind == SHIPMENT_SIGNED || contradicts_end(kind, order->order_id)
				? held(reason_contradiction) : verdict(SHIPMENT_BEHIND);
		case ORDER_CANCELED:
			return held(kind == SHIPMENT_PICKED ? reason_picked : reason_shipped);
		case ORDER_INVALID:
			break;
	}
	return held(reason_contradiction);
}
