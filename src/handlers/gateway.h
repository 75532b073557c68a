/*
 * gateway.h
 *		Calling gateways in the database.
 */
#ifndef ORDER_EXT_GATEWAY_H
#define ORDER_EXT_GATEWAY_H

#include "machine/refund/refund.h"
#include "message/delivery/handler.h"

/*
 * Ask the gateway (NULL: the sandbox) for the refund of the message. Returns its answer
 * unchanged, or NULL if it gave none. An error of the function or the end of handler_timeout is
 * no answer either: *error describes it, and its effects are rolled back. Cancel and shutdown,
 * deadlock and serialization failure are rethrown.
 */
extern char *gateway_call(Handler *gateway, const Message *message, const Refund *refund,
						  char **error);

#endif							/* ORDER_EXT_GATEWAY_H */
