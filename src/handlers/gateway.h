/*
 * gateway.h
 *		Gateways in the database: functions of the application, and the built-in sandbox.
 *
 * Each function has a consumer group of topic refund.execute, named after its pay type, that
 * the workers of its role read. The sandbox is worked by the built-in group.
 */
#ifndef ORDER_EXT_GATEWAY_H
#define ORDER_EXT_GATEWAY_H

#include "machine/refund.h"
#include "message/delivery/handler.h"

/* The pay type of the sandbox. */
#define SANDBOX_PAY_TYPE "sandbox"

/* The group of a pay type's gateway; and the pay type of a group that a handler is of. */
extern char *gateway_group_name(const char *pay_type);
extern const char *gateway_pay_type(const Handler *gateway);

/*
 * Ask the gateway (NULL: the sandbox) to refund, for the message: its answer as it came, or
 * NULL where it gave none. What a function raises is no answer either, nor is the end of
 * handler_timeout: *error says what it was, and nothing of it remains. Cancel and shutdown,
 * deadlock and serialization failure come out of here.
 */
extern char *gateway_call(Handler *gateway, const Message *message, const Refund *refund,
						  char **error);

/* The sandbox's answer; NULL where it is told to let it vanish. */
extern char *sandbox_call(const Refund *refund);

/* Whether the function has the form of a gateway. */
extern bool gateway_signature_fits(Oid function);

#endif							/* ORDER_EXT_GATEWAY_H */
