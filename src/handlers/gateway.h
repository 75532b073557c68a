/*
 * gateway.h
 *		Gateways in the database: functions of the application, and the built-in sandbox.
 */
#ifndef ORDER_EXT_GATEWAY_H
#define ORDER_EXT_GATEWAY_H

#include "machine/refund.h"

/* A function that refunds of one pay type are given to. */
typedef struct Gateway
{
	char	   *pay_type;
	char	   *handler;		/* its signature; NULL: the sandbox */
	char	   *run_as;
} Gateway;

/* All gateways, in CurrentMemoryContext. */
extern Gateway *gateways_load(int *n);

/*
 * Ask the gateway to refund: its answer as it came, or NULL where it gave none. What a
 * function raises is no answer either: *error says what it was, and nothing of it remains.
 * Cancel and shutdown, deadlock and serialization failure come out of here.
 */
extern char *gateway_call(const Gateway *gateway, const Refund *refund, char **error);

/* The sandbox's answer; NULL where it is told to let it vanish. */
extern char *sandbox_call(const Refund *refund);

/* Whether the function has the form of a gateway. */
extern bool gateway_signature_fits(Oid function);

#endif							/* ORDER_EXT_GATEWAY_H */
