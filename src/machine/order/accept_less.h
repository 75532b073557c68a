/*
 * accept_less.h
 *		An order that is paid with less than it costs: the rest is a discount.
 */
#ifndef ORDER_EXT_MACHINE_ORDER_ACCEPT_LESS_H
#define ORDER_EXT_MACHINE_ORDER_ACCEPT_LESS_H

#include "machine/order/order.h"

/*
 * Lower what an unpaid order costs to an amount: the rest is spread over its lines as a coupon's
 * discount is, what exceeds them comes off the freight. Its locks are held; the given row is
 * updated.
 */
extern void accept_less(Order *order, int64 amount);

#endif							/* ORDER_EXT_MACHINE_ORDER_ACCEPT_LESS_H */
