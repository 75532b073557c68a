/*
 * refund_execute.h
 *		Refunds are claimed, and their gateways called.
 */
#ifndef ORDER_EXT_REFUND_EXECUTE_H
#define ORDER_EXT_REFUND_EXECUTE_H

#include "message/message.h"

/*
 * refund.execute: claim refunds, and in a later transaction call their gateway: the sandbox,
 * or the one whose group it is.
 */
extern void handle_refund_execute(Message *messages, int n);
extern void handle_refund_gateway(struct Handler *gateway, Message *messages, int n);

#endif							/* ORDER_EXT_REFUND_EXECUTE_H */
