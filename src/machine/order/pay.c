/*
 * pay.c
 *		Orders that are paid; see pay.h.
 */
#include "compat.h"

#include "machine/order/coupon.h"
#include "machine/order/pay.h"

void
order_pay(Journal *journal, Order *order, const OrderPaidBy *paid_by, char actor, Jsonb *detail)
{
	Jsonb	   *payload = order_message_paid(order, order->version + 1, paid_by);
	const OrderChange change = {.payloads = &payload};

	orders_fire(journal, order, 1, EVENT_PAY, actor, &change, detail);
	if (order->coupon_id != 0)
		coupon_use(journal, order->coupon_id, order->order_id, actor);
}
