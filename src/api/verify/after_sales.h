/*
 * after_sales.h
 *		The checks of verify() about after-sales.
 */
#ifndef ORDER_EXT_VERIFY_AFTER_SALES_H
#define ORDER_EXT_VERIFY_AFTER_SALES_H

#include "api/verify/check.h"

extern const char verify_lines_back[];
extern const char verify_freight_back[];
extern const char verify_stock_back[];
extern const char verify_coupons_back[];
extern const char verify_returns[];
extern const char verify_approved[];
extern const char verify_waiting_after_sales[];

#endif							/* ORDER_EXT_VERIFY_AFTER_SALES_H */
