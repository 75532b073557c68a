/*
 * refund_execute.h
 *		Claiming refunds and calling their gateways.
 *
 * Prefixes: handle_
 */
#ifndef ORDER_EXT_REFUND_EXECUTE_H
#define ORDER_EXT_REFUND_EXECUTE_H

#include "message/message.h"

/*
 * refund.execute: claim refunds, and in a later transaction call their gateway: the sandbox, or
 * the one that the group belongs to.
 */
extern void handle_refund_execute(Message *messages, int n);
extern void handle_refund_gateway(struct Handler *gateway, Message *messages, int n);

#endif							/* ORDER_EXT_REFUND_EXECUTE_H */
