/*
 * order_pay.c
 *		Orders that are paid; see order_pay.h.
 */
#include "compat.h"

#include "machine/coupon.h"
#include "machine/order_pay.h"

void
order_pay(Journal *journal, Order *order, const OrderPaidBy *paid_by, char actor, Jsonb *detail)
{
	Jsonb	   *payload = order_message_paid(order, order->version + 1, paid_by);
	const OrderChange change = {.payloads = &payload};

	orders_fire(journal, order, 1, EVENT_PAY, actor, &change, detail);
	if (order->coupon_id != 0)
		coupon_use(journal, order->coupon_id, order->order_id, actor);
}
