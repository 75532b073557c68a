/*
 * refund_prepare.h
 *		Requesting refunds of canceled orders.
 *
 * Prefixes: handle_
 */
#ifndef ORDER_EXT_REFUND_PREPARE_H
#define ORDER_EXT_REFUND_PREPARE_H

#include "message/message.h"

/* refund.prepare: after-sales and refunds for captured money of canceled orders. */
extern void handle_refund_prepare(Message *messages, int n);

#endif							/* ORDER_EXT_REFUND_PREPARE_H */
