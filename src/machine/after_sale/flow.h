/*
 * flow.h
 *		The paths of an after-sale through its machine, for calls, shipments and timers alike.
 *		Everything here runs under the refund lock of the order.
 */
#ifndef ORDER_EXT_MACHINE_AFTER_SALE_FLOW_H
#define ORDER_EXT_MACHINE_AFTER_SALE_FLOW_H

#include "machine/after_sale/entitlement.h"
#include "machine/after_sale/goods_return.h"
#include "machine/order/order.h"

/* Lock the order of an after-sale and read it; OE001 if there is none. */
extern void after_sale_lock(int64 after_sale_id, AfterSale *after_sale);

/* Whether an after-sale can still be applied for on a signed or refused order. */
extern bool after_sale_in_time(int64 order_id);

/* An application by the buyer, with its review timer; goods are priced. */
extern void after_sale_apply(Journal *journal, const Order *order, AfterSaleType type,
							 const GoodsBack *goods, const char *reason, AfterSale *after_sale);

/* Approval: the money is paid back, or the goods may be sent back, within their window. */
extern void after_sale_approve(Journal *journal, AfterSale *after_sale, const char *reason);

/*
 * A rejected one is reopened and priced again as of now. OE501 if its pieces have been applied
 * for since.
 */
extern void after_sale_reopen(Journal *journal, AfterSale *after_sale);

/*
 * A closed one is live again, since its withdrawn refund is to be paid after all, or was. Returns
 * false without doing anything if its pieces, or its freight, have gone back otherwise.
 * after_sale_revive() prices it as of now; what it has to pay back then is its amount less
 * paid_outside, which is something, or it returns false.
 */
extern bool after_sale_revive(Journal *journal, AfterSale *after_sale);
extern bool after_sale_revive_paid(Journal *journal, AfterSale *after_sale);

/*
 * End it by EVENT_AFTER_SALE_REJECT, _REVOKE or _CLOSE and withdraw its refunds. Returns false
 * without doing anything if one of an approved one has been claimed. Of a failed one, only what was
 * paid goes back.
 */
extern bool after_sale_give_up(Journal *journal, AfterSale *after_sale, Event event, char actor,
							   const char *reason);

/* Whether goods of it, or a decision about damaged ones, are waited for. */
extern bool after_sale_awaits_goods(const AfterSale *after_sale);

/* Whether it is being paid back, or was, so that a refund of it can be requested again. */
extern bool after_sale_is_open(const AfterSale *after_sale);

/* Whether it has a refund that is not withdrawn. */
extern bool after_sale_has_refunds(const AfterSale *after_sale);

/*
 * After one of its refunds was withdrawn or requested, or its goods have come back: it follows its
 * refunds; if it has none that counts and waits for no goods, it is settled or, with the reason,
 * closed. The given row is updated.
 */
extern void after_sale_conclude(Journal *journal, AfterSale *after_sale, char actor,
								const char *reason);

/* The timer at the end of its return window. */
extern void after_sale_arm_close(const AfterSale *after_sale, TimestampTz due_at);

/* Pieces are missing from the parcel: they are paid back at once and written off. */
extern void after_sale_shortage(Journal *journal, const Order *order, GoodsBack *goods,
								AfterSale *after_sale);

/*
 * The receiver refused the parcel: what is left of the order is returned, and paid back once it
 * has arrived. Takes the refund lock; a second call does nothing.
 */
extern void after_sale_refused(Journal *journal, const Order *order);

/*
 * The same for a parcel that was lost: the money goes back at once, the goods do not.
 */
extern void after_sale_lost(Journal *journal, const Order *order);

#endif							/* ORDER_EXT_MACHINE_AFTER_SALE_FLOW_H */
