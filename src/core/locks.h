/*
 * locks.h
 *		Advisory locks in classes of our own.
 *
 * All are transaction-level, and all but consumers are exclusive. The lock tag's field4 (objsubid
 * in pg_locks) is the class and the whole 64-bit key is the id (classid = high half, objid = low
 * half), so locks of applications cannot collide with ours, nor those of two orders.
 *
 * Order of acquisition, in every call and in every batch of a handler:
 *		request -> order_pay -> order_cancel -> refund -> coupon.
 * Several keys of one class are taken in ascending order. "coupon" means the lock of that class
 * and the rows of table coupons: any lock that precedes them and may be needed is taken before
 * the first row is written. A transaction that finds an order archived takes archive then,
 * whatever else it holds; if it only has a number of that order, all locks of the order before.
 *
 * consumers and group come before all of these. Readers take them only if they are free; changing
 * or dropping a group, and enable_dispatch(), wait for readers, and take no lock of an order.
 * Table maintenance takes rotation -> timers and no lock of an order; timers, sweep and rotation
 * are only taken if they are free. Taking back a timer waits for timers being fired (lock_pass),
 * which wait for nothing; dispatch(), however, has its locks until its caller's transaction ends.
 *
 * All are held to commit but stock and fold, which are in no order with the others: stock is held
 * for a moment (lock_moment), one key at a time, and while it is, nothing is waited for; fold is
 * given back before anything else is waited for (lock_for_now).
 */
#ifndef ORDER_EXT_LOCKS_H
#define ORDER_EXT_LOCKS_H

#include "postgres.h"

typedef enum LockClass
{
	LOCK_REQUEST = 200,			/* hash of (function, request_id): a collision only delays */
	LOCK_ORDER_PAY = 201,		/* order id: pre_pay, callback */
	LOCK_ORDER_CANCEL = 202,	/* order id: pre_pay, callback, every cancel */
	LOCK_REFUND = 203,			/* order id: creation and change of refunds */
	LOCK_STOCK = 204,			/* product id: taking units of it */
	LOCK_COUPON = 205,			/* coupon id */
	LOCK_GROUP = 206,			/* consumer group << 16 | part: one reader at a time */
	LOCK_TIMERS = 207,			/* 0: one process fires timers at a time */
	LOCK_SWEEP = 208,			/* 0: one sweep moves sweep_progress at a time */
	LOCK_ROTATION = 209,		/* a ring, or ROTATION_COMPACT: one at a time */
	LOCK_CONSUMERS = 210,		/* consumer group: shared by its consumers, exclusive to drop it */
	LOCK_VERIFY = 211,			/* 0: one process moves the mark of verify() */
	LOCK_FOLD = 212,			/* product id: folding its ledger */
	LOCK_ARCHIVE = 213			/* 0: moving orders in or out; order id: bringing it back */
} LockClass;

/* The key of LOCK_GROUP. */
#define GROUP_LOCK_KEY(group_id, part) (((int64) (group_id) << 16) | (part))

/*
 * Take the lock if it is free; false if another transaction holds it. Never waits. Also returns
 * false if this transaction has filled half of the server's lock table this way: a transaction
 * that works on set after set must leave room for others (what is locked one at a time, from groups
 * on, does not count).
 */
extern bool lock_try(LockClass lock_class, int64 key);

/*
 * Take those locks of a set that are free, as lock_try() does, but no more than lock_try_limit();
 * busy[i] is set if keys[i] was not taken. Returns the number taken.
 */
extern int	lock_try_all(LockClass lock_class, const int64 *keys, int n, bool *busy);

/* The maximum number of locks that lock_try_all() takes: a tenth of the server's lock table. */
extern int	lock_try_limit(void);

/* Share the lock unless another transaction holds it exclusively or is waiting to. Never waits. */
extern bool lock_try_share(LockClass lock_class, int64 key);

/* Whether lock_try() now fails for that reason, until the end of this transaction. */
extern bool lock_tries_used_up(void);

/* Whether another transaction currently holds the lock. */
extern bool lock_is_held(LockClass lock_class, int64 key);

/*
 * Take the lock, waiting up to order_ext.lock_timeout; raises OE110 after that. For use inside
 * api_call() or in a transaction with another limit. Elsewhere, that is, in a handler, it does
 * not wait at all; handlers use lock_try() before they change anything.
 */
extern void lock_wait(LockClass lock_class, int64 key);

/*
 * From here to the end no lock is waited for, neither these nor those on rows and tables, for
 * longer than a moment: the wait ends in 55P03. For built-in handlers in workers: whoever holds
 * a transaction open must not hold up other messages. To be called in error paths, too;
 * a second call does nothing.
 */
extern void locks_brief_begin(void);
extern void locks_brief_end(void);

/*
 * Take a lock that is held for a moment, and give it back. Its holder waits for no other lock
 * and no transaction, so the wait is short whatever order_ext.lock_timeout says, and in
 * handlers, too. An error gives it back. Inside api_call(). It is in shared memory, if order_ext
 * is preloaded, and then its class is not looked at.
 */
extern void lock_moment_begin(LockClass lock_class, int64 key);
extern void lock_moment_end(LockClass lock_class, int64 key);

/*
 * Take a lock that is given back before the end of the transaction, by lock_give_back() or an
 * error. False if it is not free, unless that is waited for.
 */
extern bool lock_for_now(LockClass lock_class, int64 key, bool wait);
extern void lock_give_back(LockClass lock_class, int64 key);

/* Whether this transaction holds the lock exclusively. */
extern bool lock_is_mine(LockClass lock_class, int64 key);

/* Share the lock, waiting as lock_wait() does. */
extern void lock_wait_share(LockClass lock_class, int64 key);

/*
 * Wait until the transactions that currently hold the lock have ended, without taking it and
 * without blocking later ones. Otherwise like lock_wait().
 */
extern void lock_pass(LockClass lock_class, int64 key);

#endif							/* ORDER_EXT_LOCKS_H */
