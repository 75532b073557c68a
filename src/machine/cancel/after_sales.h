/*
 * after_sales.h
 *		The after-sales that refund canceled orders.
 */
#ifndef ORDER_EXT_MACHINE_CANCEL_AFTER_SALES_H
#define ORDER_EXT_MACHINE_CANCEL_AFTER_SALES_H

#include "machine/base/journal.h"

/*
 * Open the after-sales of canceled orders whose applied capture is not refunded: whole orders,
 * origin AFTER_SALE_ORIGIN_CANCEL. The orders' refund locks are held. A second call does nothing.
 */
extern void after_sales_open_for_canceled(Journal *journal, const int64 *order_ids, int n);

/*
 * Open after-sales for those refunds of cancellations that have none, and link them, in batches;
 * no other transaction works on orders. Returns their number.
 */
extern int	after_sales_open_for_refunds(void);

#endif							/* ORDER_EXT_MACHINE_CANCEL_AFTER_SALES_H */
