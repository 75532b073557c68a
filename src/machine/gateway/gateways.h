/*
 * gateways.h
 *		Gateways in the database: functions of the application, and the built-in sandbox.
 *
 * Each function has a consumer group of topic refund.execute, named after its pay type, that the
 * workers of its role read. The built-in group serves the sandbox.
 */
#ifndef ORDER_EXT_MACHINE_GATEWAY_GATEWAYS_H
#define ORDER_EXT_MACHINE_GATEWAY_GATEWAYS_H

#include "machine/refund/refund.h"

/* The pay type of the sandbox. */
#define SANDBOX_PAY_TYPE "sandbox"

/* The group of a pay type's gateway; and the pay type of such a group. */
extern char *gateway_group_name(const char *pay_type);
extern const char *gateway_pay_type(const char *group_name);

/* Whether the function has the signature of a gateway. */
extern bool gateway_signature_fits(Oid function);

/* The argument of a gateway: an order_ext.refund_request. */
extern Datum gateway_request(const Refund *refund);

#endif							/* ORDER_EXT_MACHINE_GATEWAY_GATEWAYS_H */
