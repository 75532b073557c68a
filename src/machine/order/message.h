/*
 * message.h
 *		What messages say, so that their consumers need not ask: docs/topics.md.
 *
 * A payload is no larger than order_ext.max_payload (of 16 kB or more), whatever the order is: what
 * does not fit is left out, and the payload says so.
 */
#ifndef ORDER_EXT_MACHINE_ORDER_MESSAGE_H
#define ORDER_EXT_MACHINE_ORDER_MESSAGE_H

#include "machine/order/lines.h"
#include "machine/order/order.h"

/* The payment that an order was paid with. */
typedef struct OrderPaidBy
{
	int64		payment_id;
	const char *pay_type;
	const char *out_trade_no;
} OrderPaidBy;

/* The payload of order.paid, which tells of a version of the order. */
extern Jsonb *order_message_paid(const Order *order, int32 version, const OrderPaidBy *paid_by);

/* Payloads of the next version of the order, for the edge that leads to it. */
extern Jsonb *order_message_requested(const Order *order, const OrderGoods *goods,
									  int64 document_id, bool external);
extern Jsonb *order_message_address(const Order *order, Jsonb *address);

/* The same for orders to be canceled, one each; of orders that have expired, of this version. */
extern Jsonb **order_messages_canceled(const Order *orders, int n, const OrderChange *change);
extern Jsonb **order_messages_expired(const Order *orders, int n);

/* ---- what may be too large ---- */

/* What is left of the largest payload, beside fields of limited size. */
extern int64 order_message_room(void);

/*
 * Add an array of lines, as many as there is room for, which is reduced by it; with
 * "lines_omitted", how many were left out.
 */
extern void order_message_add_lines(JsonbBuilder *payload, Jsonb *lines, int64 *room);

#endif							/* ORDER_EXT_MACHINE_ORDER_MESSAGE_H */
