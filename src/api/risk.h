/*
 * risk.h
 *		The risk check: a function of the application that may reject an order.
 */
#ifndef ORDER_EXT_RISK_H
#define ORDER_EXT_RISK_H

#include "postgres.h"

#include "utils/jsonb.h"

#include "api/guest_function.h"

extern const GuestKind risk_kind;

/* Call the risk check, if one is set, for an order about to be created; OE004 if it rejects it. */
extern void risk_check(const GuestFunction *check, int64 user_id, Jsonb *items, int64 pay_amount,
					   int64 coupon_id, Jsonb *options);

#endif							/* ORDER_EXT_RISK_H */
