/*
 * coupon.h
 *		The coupon machine.
 */
#ifndef ORDER_EXT_MACHINE_ORDER_COUPON_H
#define ORDER_EXT_MACHINE_ORDER_COUPON_H

#include "machine/base/journal.h"

typedef struct Coupon
{
	int64		coupon_id;
	int64		user_id;
	int64		amount;
	int64		threshold;
	TimestampTz valid_from;
	TimestampTz valid_until;
	int16		status;
	const char *currency;		/* NULL: any, of coupons from before 0.6 */
} Coupon;

/* Issue a coupon (coupon_id and status are filled in). */
extern void coupon_issue(Journal *journal, Coupon *coupon);

/* Read a coupon; false if it does not exist. */
extern bool coupon_read(int64 coupon_id, Coupon *coupon);

/* Lock an unused coupon for an order; OE203 if another order was faster. */
extern void coupon_lock(Journal *journal, int64 coupon_id, int64 order_id);

/* The coupon that the order locked becomes used: its order was paid. */
extern void coupon_use(Journal *journal, int64 coupon_id, int64 order_id, char actor);

/*
 * Free the coupons of canceled orders that still name the order: unused again, or expired if
 * their validity has ended. A second call does nothing. busy[i] is set if another transaction is
 * working on the coupon of order i, which is left alone.
 */
extern void coupons_release(Journal *journal, const int64 *order_ids, int n, bool *busy);

/*
 * For callers that must not wait in coupons_return(): take the locks of the orders' coupons
 * beforehand. busy[i] is set if another transaction is working on the coupon of order i.
 */
extern void coupons_lock_used(const int64 *order_ids, int n, bool *busy);

/*
 * Return the coupons of those orders that have been returned completely and refunded: they become
 * unused again; if their validity has ended, order_ext.coupon_return decides. The orders' refund
 * locks are held; call it when an after-sale of theirs is refunded.
 */
extern void coupons_return(Journal *journal, const int64 *order_ids, int n);

#endif							/* ORDER_EXT_MACHINE_ORDER_COUPON_H */
