/*
 * refunds.h
 *		The checks of verify() about refunds and after-sales.
 */
#ifndef ORDER_EXT_VERIFY_REFUNDS_H
#define ORDER_EXT_VERIFY_REFUNDS_H

#include "api/verify/check.h"

extern const char verify_refunds_within_capture[];
extern const char verify_gone_back[];
extern const char verify_refund_facts[];
extern const char verify_excess[];
extern const char verify_failed_refunds[];
extern const char verify_after_sales_and_refunds[];
extern const char verify_after_sale_amounts[];
extern const char verify_returns_before_refunds[];
extern const char verify_expired_leases[];
extern const char verify_waiting_refunds[];
extern const char verify_pay_type_spelling[];
extern const char verify_pay_type_spelling_print[];
extern const char verify_gateways[];

#endif							/* ORDER_EXT_VERIFY_REFUNDS_H */
