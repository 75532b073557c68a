/*
 * order_paid.h
 *		Starting the fulfillment of paid orders.
 *
 * Prefixes: handle_
 */
#ifndef ORDER_EXT_ORDER_PAID_H
#define ORDER_EXT_ORDER_PAID_H

#include "message/message.h"

/* order.paid: start the fulfillment of paid orders. */
extern void handle_order_paid(Message *messages, int n);

#endif							/* ORDER_EXT_ORDER_PAID_H */
