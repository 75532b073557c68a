/*
 * after_sale_cancel.h
 *		The after-sales that pay back what was paid for canceled orders.
 */
#ifndef ORDER_EXT_MACHINE_AFTER_SALE_CANCEL_H
#define ORDER_EXT_MACHINE_AFTER_SALE_CANCEL_H

#include "machine/journal.h"

/*
 * Open the after-sales of canceled orders whose applied capture is not refunded: whole
 * orders, origin 'cancel'. The orders' refund locks are held. A second time nothing.
 */
extern void after_sales_open_for_canceled(Journal *journal, const int64 *order_ids, int n);

/*
 * Open the after-sales of refunds of cancellations that have none, and tie them; nobody
 * else is at work on orders. Returns how many.
 */
extern int	after_sales_open_for_refunds(Journal *journal);

#endif							/* ORDER_EXT_MACHINE_AFTER_SALE_CANCEL_H */
