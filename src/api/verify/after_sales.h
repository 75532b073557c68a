/*
 * after_sales.h
 *		The checks of verify() about after-sales.
 */
#ifndef ORDER_EXT_VERIFY_AFTER_SALES_H
#define ORDER_EXT_VERIFY_AFTER_SALES_H

#include "api/verify/check.h"

/* SQL: sums show that coupons are held by live orders that name them, and the other way round. */
#define COUPONS_AGREE \
	SUM_OF("coupons", "orders_sums", "status = " CODE(ORDER_CREATED)) \
	" = " SUM_OF("orders", "coupons_sums", "status = " CODE(COUPON_LOCKED)) \
	" AND " SUM_OF("coupons", "orders_sums", "status IN (" ORDERS_PAID ")") \
	" = " SUM_OF("orders", "coupons_sums", "status = " CODE(COUPON_USED))

extern const char verify_lines_back[];
extern const char verify_freight_back[];
extern const char verify_stock_back[];
extern const char verify_coupons_back[];
extern const char verify_coupons_back_print[];
extern const char verify_returns[];
extern const char verify_approved[];
extern const char verify_waiting_after_sales[];

#endif							/* ORDER_EXT_VERIFY_AFTER_SALES_H */
