/*
 * after_sale_result.h
 *		The results of calls about after-sales.
 */
#ifndef ORDER_EXT_AFTER_SALE_RESULT_H
#define ORDER_EXT_AFTER_SALE_RESULT_H

#include "core/call.h"
#include "core/jsonb_build.h"
#include "machine/after_sale/flow.h"

/* Begins {after_sale_id, order_id, type, amount, freight, return_status}. */
extern JsonbBuilder *after_sale_detail(const AfterSale *after_sale);

/* Fill in the result of a call about an after-sale; detail NULL: the standard one. */
extern void after_sale_result(CallResult *result, const AfterSale *after_sale,
							  const char *disposition, Jsonb *detail);

#endif							/* ORDER_EXT_AFTER_SALE_RESULT_H */
