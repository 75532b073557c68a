/*
 * refund_result.h
 *		The results of calls about refunds.
 */
#ifndef ORDER_EXT_REFUND_RESULT_H
#define ORDER_EXT_REFUND_RESULT_H

#include "core/call.h"
#include "core/jsonb_build.h"
#include "machine/refund/refund.h"

/* The detail of a result about a refund, unfinished so that a call can add to it. */
extern JsonbBuilder *refund_detail(const Refund *refund);

/* Fill in a result about a refund; detail NULL: the standard one. */
extern void refund_result(CallResult *result, const Refund *refund, const char *disposition,
						  JsonbBuilder *detail);

#endif							/* ORDER_EXT_REFUND_RESULT_H */
