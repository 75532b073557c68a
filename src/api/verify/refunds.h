/*
 * refunds.h
 *		The checks of verify() about refunds and after-sales.
 */
#ifndef ORDER_EXT_VERIFY_REFUNDS_H
#define ORDER_EXT_VERIFY_REFUNDS_H

#include "api/verify/check.h"

/* SQL: whether a refund r contradicts itself, its payment p or its after-sale a. */
#define REFUND_IS_UNFIT \
	"((r.order_id, r.currency, r.pay_type) IS DISTINCT FROM" \
	"  (p.order_id, p.currency, p.pay_type)" \
	" OR (r.after_sale_id <> 0 AND r.order_id IS DISTINCT FROM a.order_id)" \
	" OR (r.after_sale_id = 0) <> (r.cause NOT IN (" CODES(CAUSE_CANCEL, CAUSE_AFTER_SALE) "))" \
	" OR (r.cause IN (" CAUSES_OUTSIDE ") AND (r.status <> " CODE(REFUND_SUCCEEDED) \
	"  OR r.fact_id = 0))" \
	" OR (r.status = " CODE(REFUND_SUCCEEDED) ") <> (r.settled_at IS NOT NULL)" \
	" OR (r.status = " CODE(REFUND_SUBMITTED) ") <> (r.lease_until IS NOT NULL)" \
	" OR (r.status = " CODE(REFUND_SUBMITTED) " AND (r.attempt = 0 OR r.claim_xid IS NULL)))"

/* SQL: sums show that all refunds fit, and are within the captures that they are of. */
#define REFUNDS_FIT "NOT EXISTS (SELECT FROM refunds_sums WHERE unfit > 0)"

extern const char verify_refunds_within_capture[];
extern const char verify_gone_back[];
extern const char verify_refund_facts[];
extern const char verify_refunds_print[];
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
