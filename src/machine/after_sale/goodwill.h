/*
 * goodwill.h
 *		Refunds that staff decides without an application: after-sales of type goodwill.
 */
#ifndef ORDER_EXT_MACHINE_AFTER_SALE_GOODWILL_H
#define ORDER_EXT_MACHINE_AFTER_SALE_GOODWILL_H

#include "machine/after_sale/entitlement.h"
#include "machine/order/order.h"

/*
 * Refund goods, which are priced, and extra, an amount for neither goods nor freight, from what is
 * left of the order's payment, which covers both. The goods count as gone back; nothing comes back
 * to stock. Returns the refund. The order's refund lock is held.
 */
extern int64 goodwill_refund(Journal *journal, const Order *order, const GoodsBack *goods,
							 int64 extra, const char *reason, AfterSale *after_sale);

#endif							/* ORDER_EXT_MACHINE_AFTER_SALE_GOODWILL_H */
