/*
 * after_sale_flow.h
 *		The ways of an after-sale through its machine, for calls, shipments and timers
 *		alike. Everything here runs under the refund lock of the order.
 */
#ifndef ORDER_EXT_MACHINE_AFTER_SALE_FLOW_H
#define ORDER_EXT_MACHINE_AFTER_SALE_FLOW_H

#include "machine/entitlement.h"
#include "machine/goods_return.h"
#include "machine/order.h"

/* Lock the order of an after-sale and read it; OE001 if there is none. */
extern void after_sale_lock(int64 after_sale_id, AfterSale *after_sale);

/* Whether a signed or refused order can still be applied for. */
extern bool after_sale_in_time(int64 order_id);

/* An application of the buyer, with the timer of its review; goods are priced. */
extern void after_sale_apply(Journal *journal, const Order *order, AfterSaleType type,
							 const GoodsBack *goods, const char *reason, AfterSale *after_sale);

/* It is approved: the money goes back, or the goods may be sent, within their window. */
extern void after_sale_approve(Journal *journal, AfterSale *after_sale, const char *reason);

/*
 * A rejected one is looked at again: priced anew, as things are now. OE501 if its pieces
 * were taken meanwhile.
 */
extern void after_sale_reopen(Journal *journal, AfterSale *after_sale);

/*
 * End it by EVENT_AFTER_SALE_REVOKE or _CLOSE and withdraw its refund. False, and nothing
 * done, if that was claimed before.
 */
extern bool after_sale_give_up(Journal *journal, AfterSale *after_sale, Event event, char actor,
							   const char *reason);

/*
 * Its amount goes back, as far as it is not on its way already. With nothing to pay back
 * it is settled at once. False, with an alert, where other refunds have used up the
 * payment.
 */
extern bool after_sale_pay_back(Journal *journal, AfterSale *after_sale, char actor);

/*
 * A parcel was received: received, damaged and, with restock, available again. Where a
 * piece is damaged the return ends there and staff is alerted, else the money goes back.
 */
extern void after_sale_goods_received(Journal *journal, AfterSale *after_sale,
									  const ReturnedLine *lines, int n, bool restock);

/* Pieces are missing in the parcel: their money goes back at once, they are written off. */
extern void after_sale_shortage(Journal *journal, const Order *order, GoodsBack *goods,
								AfterSale *after_sale);

/*
 * The receiver refused the parcel: what is left of the order comes back, and the money
 * when it has arrived. Takes the refund lock; a second time nothing.
 */
extern void after_sale_refused(Journal *journal, const Order *order);

#endif							/* ORDER_EXT_MACHINE_AFTER_SALE_FLOW_H */
