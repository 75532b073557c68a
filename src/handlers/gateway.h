/*
 * gateway.h
 *		Calling gateways in the database.
 */
#ifndef ORDER_EXT_GATEWAY_H
#define ORDER_EXT_GATEWAY_H

#include "machine/refund.h"
#include "message/delivery/handler.h"

/*
 * Ask the gateway (NULL: the sandbox) to refund, for the message: its answer as it came, or
 * NULL where it gave none. What a function raises is no answer either, nor is the end of
 * handler_timeout: *error says what it was, and nothing of it remains. Cancel and shutdown,
 * deadlock and serialization failure come out of here.
 */
extern char *gateway_call(Handler *gateway, const Message *message, const Refund *refund,
						  char **error);

#endif							/* ORDER_EXT_GATEWAY_H */
