/*
 * describe.h
 *		What messages about an after-sale say of it.
 */
#ifndef ORDER_EXT_MACHINE_AFTER_SALE_DESCRIBE_H
#define ORDER_EXT_MACHINE_AFTER_SALE_DESCRIBE_H

#include "core/jsonb_build.h"

/* Add what is on record about an after-sale and its lines, and the order's external_id. */
extern void after_sale_describe(JsonbBuilder *payload, int64 after_sale_id, int64 order_id);

#endif							/* ORDER_EXT_MACHINE_AFTER_SALE_DESCRIBE_H */
