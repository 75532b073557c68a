/*
 * pay.h
 *		What happens to an order when it is paid, however that comes about.
 */
#ifndef ORDER_EXT_MACHINE_ORDER_PAY_H
#define ORDER_EXT_MACHINE_ORDER_PAY_H

#include "machine/order/message.h"

/*
 * The order is paid by that payment: publishes order.paid, and uses its coupon. Its locks are
 * held, and its status allows it.
 */
extern void order_pay(Journal *journal, Order *order, const OrderPaidBy *paid_by, char actor,
					  Jsonb *detail);

#endif							/* ORDER_EXT_MACHINE_ORDER_PAY_H */
