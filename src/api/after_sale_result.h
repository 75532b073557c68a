/*
 * after_sale_result.h
 *		What the calls about after-sales answer.
 */
#ifndef ORDER_EXT_AFTER_SALE_RESULT_H
#define ORDER_EXT_AFTER_SALE_RESULT_H

#include "core/call.h"
#include "core/jsonb_build.h"
#include "machine/after_sale_flow.h"

#define MAX_REASON_CHARS 1000

/* {after_sale_id, order_id, type, amount, freight, return_status}; begun. */
extern JsonbBuilder *after_sale_detail(const AfterSale *after_sale);

/* The result of a call about an after-sale; detail NULL: the standard one. */
extern void after_sale_result(CallResult *result, const AfterSale *after_sale,
							  const char *disposition, Jsonb *detail);

#endif							/* ORDER_EXT_AFTER_SALE_RESULT_H */
