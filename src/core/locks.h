/*
 * locks.h
 *		Advisory locks of our own classes.
 *
 * All are transaction-level; all but consumers are exclusive. The lock tag's field4 (objsubid in
 * pg_locks) is the class and the whole 64-bit key is the id (classid = high half,
 * objid = low half), so nothing is hashed and no application's lock can collide.
 *
 * Order of acquisition, in every transaction:
 *		request -> order_pay -> order_cancel -> refund -> stock -> coupon -> group.
 * Several keys of one class are taken in ascending order. stock is the lock of that class
 * and the rows of table stock, coupon the same of coupons: what comes before them is taken
 * before the first row is written, where it may be needed at all.
 * The upkeep of tables holds none of these, and takes rotation -> timers; timers, sweep and
 * rotation are only ever tried.
 */
#ifndef ORDER_EXT_LOCKS_H
#define ORDER_EXT_LOCKS_H

#include "postgres.h"

typedef enum LockClass
{
	LOCK_REQUEST = 200,			/* hash of (function, request_id): may only delay */
	LOCK_ORDER_PAY = 201,		/* order id: pre_pay, callback */
	LOCK_ORDER_CANCEL = 202,	/* order id: pre_pay, callback, every cancel */
	LOCK_REFUND = 203,			/* order id: creation and change of refunds */
	LOCK_STOCK = 204,			/* product id: adjust_stock, restriping */
	LOCK_COUPON = 205,			/* coupon id */
	LOCK_GROUP = 206,			/* consumer group << 16 | part: one reader at a time */
	LOCK_TIMERS = 207,			/* 0: one process fires timers at a time */
	LOCK_SWEEP = 208,			/* 0: one sweep moves sweep_progress at a time */
	LOCK_ROTATION = 209,		/* a ring, or ROTATION_COMPACT: one at a time */
	LOCK_CONSUMERS = 210		/* consumer group: shared by its consumers, against its end */
} LockClass;

/* The key of LOCK_GROUP. */
#define GROUP_LOCK_KEY(group_id, part) (((int64) (group_id) << 16) | (part))

/*
 * Take the lock if it is free; false if another transaction holds it. Never waits. False,
 * too, if this transaction has filled half of the server's lock table this way: whoever
 * works on set after set must leave room for others (groups, timers, sweep do not count).
 */
extern bool lock_try(LockClass lock_class, int64 key);

/*
 * Take what is free of a set of locks, as lock_try() does, but no more than lock_try_limit()
 * of them; busy[i] says that keys[i] was not taken. Returns how many were.
 */
extern int	lock_try_all(LockClass lock_class, const int64 *keys, int n, bool *busy);

/* The largest set that lock_try_all() takes: a tenth of the server's lock table. */
extern int	lock_try_limit(void);

/* Share the lock unless somebody has it exclusively or waits for that. Never waits. */
extern bool lock_try_share(LockClass lock_class, int64 key);

/* Whether lock_try() refuses for that reason, until the end of this transaction. */
extern bool lock_tries_used_up(void);

/* Whether another transaction holds the lock at this moment. */
extern bool lock_is_held(LockClass lock_class, int64 key);

/*
 * Take the lock, waiting up to order_ext.lock_timeout; raises OE110 after that. For what runs
 * inside api_call(), or in a transaction with another bound. Elsewhere, that is in a
 * handler, it does not wait at all: those use lock_try(), before they change anything.
 */
extern void lock_wait(LockClass lock_class, int64 key);

/* Whether this transaction holds the lock exclusively. */
extern bool lock_is_mine(LockClass lock_class, int64 key);

/* Share the lock, waiting as lock_wait() does. */
extern void lock_wait_share(LockClass lock_class, int64 key);

/*
 * Wait until the transactions that hold the lock now are over, without taking it and
 * without being in the way of the next ones. As lock_wait() otherwise.
 */
extern void lock_pass(LockClass lock_class, int64 key);

#endif							/* ORDER_EXT_LOCKS_H */
