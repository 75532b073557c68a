/*
 * way_back.c
 *		What can be called, now, so that money goes back; see way_back.h.
 */
#include "compat.h"

#include "catalog/pg_type.h"

#include "api/allowed_actions.h"
#include "api/way_back.h"
#include "core/spi_util.h"
#include "machine/refund/refund.h"

/*
 * Of an order ($1) or one payment ($2): a refund that failed, and one that is on its way; and
 * whether anything was captured for the order at all.
 */
static SavedPlan read_refunds = SAVED_PLAN(
	"SELECT coalesce(bool_or(r.status = " CODE(REFUND_FAILED) "), false),"
	" coalesce(bool_or(r.status IN (" REFUNDS_OPEN ")), false),"
	" EXISTS (SELECT FROM order_ext_internal.payments p"
	"  WHERE p.order_id = $1 AND p.status = " CODE(PAYMENT_CAPTURED) ")"
	" FROM order_ext_internal.refunds r"
	" LEFT JOIN order_ext_internal.after_sales a ON a.after_sale_id = r.after_sale_id"
	" WHERE r.order_id = $1 AND ($2 = 0 OR r.payment_id = $2)"
	"  AND (a.status IS NULL OR a.status NOT IN (" AFTER_SALES_GIVEN_UP "))",
	INT8OID, INT8OID);

/* Of an order, and one payment ($2) or after-sale ($3) of it, but not this refund ($4). */
static SavedPlan read_unclaimed = SAVED_PLAN(
	"SELECT FROM order_ext_internal.refunds r WHERE r.order_id = $1"
	"  AND ($2 = 0 OR r.payment_id = $2) AND ($3 = 0 OR r.after_sale_id = $3)"
	"  AND r.refund_id <> $4"
	"  AND r.status = " CODE(REFUND_REQUESTED) " AND r.attempt = 0 LIMIT 1",
	INT8OID, INT8OID, INT8OID, INT8OID);

static bool
has_unclaimed(int64 order_id, int64 payment_id, int64 after_sale_id, int64 without)
{
	Datum		values[4] = {Int64GetDatum(order_id), Int64GetDatum(payment_id),
	Int64GetDatum(after_sale_id), Int64GetDatum(without)};

	return plan_query(&read_unclaimed, values, NULL, 1) > 0;
}

/* Where nothing is left to be refunded. */
static const char *
way_of_refunds(int64 order_id, int64 payment_id)
{
	Datum		values[2] = {Int64GetDatum(order_id), Int64GetDatum(payment_id)};

	(void) plan_query(&read_refunds, values, NULL, 1);
	if (row_bool(0, 1))
		return "Use retry_refund for the refund that failed: refunds_view shows it.";
	if (row_bool(0, 2))
		return "Its money is on its way back: refunds_view shows the refunds.";
	if (!row_bool(0, 3))
		return allowed_actions_include(order_id, "cancel_order") ?
			"Nothing has been paid of it: cancel_order ends it." :
			"Nothing was paid of it: order_timeline shows what happened.";
	return "No money of it is left: refunds_view shows what has gone back.";
}

const char *
way_back_of_order(int64 order_id)
{
	if (!allowed_actions_include(order_id, "apply_after_sale"))
		return way_back_of_money(order_id);
	return allowed_actions_include(order_id, "refund_order") ?
		"Use apply_after_sale; for virtual goods, refund_order." : "Use apply_after_sale.";
}

const char *
way_back_of_money(int64 order_id)
{
	if (allowed_actions_include(order_id, "refund_order"))
		return "Use refund_order for money that is left of it.";
	if (allowed_actions_include(order_id, "resolve_held_payment"))
		return "Use resolve_held_payment, with decision 'refund', for a capture that did not pay "
			"it: payments_view shows them.";
	return way_of_refunds(order_id, 0);
}

const char *
way_back_of_less(int64 order_id, int64 payment_id, int64 refund_id)
{
	if (has_unclaimed(order_id, payment_id, 0, refund_id))
		return "refunds_view shows where the rest went; withdraw_refund takes back a refund that "
			"nobody has claimed.";
	if (refund_id != 0 || money_left_of_payment(payment_id) > 0)
		return "Pay back no more than that; refunds_view shows where the rest went.";
	return way_back_of_money(order_id);
}

const char *
way_back_of_refunds(const AfterSale *after_sale)
{
	if (has_unclaimed(after_sale->order_id, 0, after_sale->after_sale_id, 0))
		return "Nobody has claimed its refund yet: withdraw_refund takes it back; see "
			"refunds_view.";
	return "Its refund, see refunds_view, is ended by the gateway's answer (refund_callback), or "
		"by settle_refund if another amount was paid.";
}

const char *
way_back_instead_of_cancel(const Order *order)
{
	bool		money = allowed_actions_include(order->order_id, "refund_order");

	switch ((OrderStatus) order->status)
	{
		case ORDER_FULFILLING:
			return money ? "Use refund_order, or apply_after_sale after it has arrived." :
				"Use apply_after_sale after it has arrived.";
		case ORDER_OUT_STOCK:
		case ORDER_DELIVERING:
			return money ? "Report with shipment_event that the parcel is refused, lost or "
				"returned, or pay money back with refund_order." :
				"Report with shipment_event that the parcel is refused, lost or returned.";
		case ORDER_REFUSED:
			if (money)
				return "Its after-sale pays it back; refund_order pays back what is left.";
			break;
		default:
			break;
	}
	return way_back_of_order(order->order_id);
}

const char *
way_back_instead_of_return(const Order *order)
{
	bool		money = allowed_actions_include(order->order_id, "refund_order");

	switch ((OrderStatus) order->status)
	{
		case ORDER_CREATED:
		case ORDER_PAID:
			return "Use cancel_order.";
		case ORDER_FULFILLING:
			if (allowed_actions_include(order->order_id, "cancel_order"))
				return "Use cancel_order.";
			return money ? "Pay money back with refund_order, or report with shipment_event that "
				"it has left the warehouse." :
				"Report with shipment_event that it has left the warehouse.";
		case ORDER_OUT_STOCK:
			return money ? "Report with shipment_event that it is delivering, and later that it is "
				"signed, or pay money back with refund_order." :
				"Report with shipment_event that it is delivering, and later that it is signed.";
		case ORDER_DELIVERING:
			return money ? "Report with shipment_event that it is signed, or pay money back with "
				"refund_order." : "Report with shipment_event that it is signed.";
		default:
			return way_back_of_order(order->order_id);
	}
}

const char *
way_back_of_capture(const Payment *payment)
{
	if (payment->status != PAYMENT_CAPTURED)
		return "It was not captured: pay_callback tells of a capture.";
	if (payment->purpose == PURPOSE_APPLIED)
		return money_left_of_payment(payment->payment_id) > 0 ?
			"Use refund_order for money that is left of it." :
			way_of_refunds(payment->order_id, payment->payment_id);
	if (payment->purpose == PURPOSE_DUPLICATE)
		return "It is a duplicate: resolve_held_payment, with decision 'refund', undoes that.";
	if (money_left_of_payment(payment->payment_id) > 0)
		return "Use resolve_held_payment with decision 'refund'.";
	return way_of_refunds(payment->order_id, payment->payment_id);
}
