/*
 * money.h
 *		The money of canceled orders of which nothing was paid back before.
 */
#ifndef ORDER_EXT_MACHINE_CANCEL_MONEY_H
#define ORDER_EXT_MACHINE_CANCEL_MONEY_H

#include "machine/base/journal.h"

/*
 * Open the after-sale and request the refund of those among the canceled orders that have one
 * capture, of which nothing was refunded, and no after-sale: all of it is paid back. The other
 * orders are written to others, and left to after_sales_open_for_canceled() and
 * refunds_request_for_canceled(); returns how many. The orders' refund locks are held.
 */
extern int	cancel_money_return(Journal *journal, const int64 *order_ids, int n, int64 *others);

#endif							/* ORDER_EXT_MACHINE_CANCEL_MONEY_H */
