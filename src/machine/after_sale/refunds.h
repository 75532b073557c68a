/*
 * refunds.h
 *		What refunds make of their after-sales, and these of them. Everything here runs under the
 *		refund lock of the order.
 */
#ifndef ORDER_EXT_MACHINE_AFTER_SALE_REFUNDS_H
#define ORDER_EXT_MACHINE_AFTER_SALE_REFUNDS_H

#include "machine/after_sale/after_sale.h"
#include "machine/refund/refund.h"

/*
 * Bring after-sales in line with their refunds: approved -> refunding -> refunded or failed, and
 * back if a refund is retried or reversed. Rejected, closed and revoked ones are left alone.
 */
extern void after_sales_follow(Journal *journal, const int64 *after_sale_ids, int n, char actor);

/* The same for those of these refunds, if they have any: to be called after they have moved. */
extern void after_sales_follow_refunds(Journal *journal, const Refund *refunds, int n, char actor);

/*
 * Whether staff may have a refund tried again, or let one that was held back go: a failed one whose
 * after-sale was settled in another way is left alone.
 */
extern bool after_sale_permits_retry(const Refund *refund);

#endif							/* ORDER_EXT_MACHINE_AFTER_SALE_REFUNDS_H */
