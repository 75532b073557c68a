/*
 * order_paid.h
 *		Paid orders go on their way.
 */
#ifndef ORDER_EXT_ORDER_PAID_H
#define ORDER_EXT_ORDER_PAID_H

#include "message/message.h"

/* order.paid: put paid orders on their way. */
extern void handle_order_paid(Message *messages, int n);

#endif							/* ORDER_EXT_ORDER_PAID_H */
