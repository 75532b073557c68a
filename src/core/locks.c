/*
 * locks.c
 *		Advisory locks in classes of our own; see locks.h.
 */
#include "compat.h"

#include "access/twophase.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "storage/lock.h"
#include "storage/proc.h"

#include "core/error_facts.h"
#include "core/errors.h"
#include "core/locks.h"
#include "core/moments.h"
#include "core/settings.h"

static const char *
lock_class_name(LockClass lock_class)
{
	switch (lock_class)
	{
		case LOCK_REQUEST:
			return "request";
		case LOCK_ORDER_PAY:
			return "order_pay";
		case LOCK_ORDER_CANCEL:
			return "order_cancel";
		case LOCK_REFUND:
			return "refund";
		case LOCK_STOCK:
			return "stock";
		case LOCK_FOLD:
			return "fold";
		case LOCK_ARCHIVE:
			return "archive";
		case LOCK_COUPON:
			return "coupon";
		case LOCK_GROUP:
			return "group";
		case LOCK_TIMERS:
			return "timers";
		case LOCK_SWEEP:
			return "sweep";
		case LOCK_ROTATION:
			return "rotation";
		case LOCK_CONSUMERS:
			return "consumers";
		case LOCK_VERIFY:
			return "verify";
	}
	return "unknown";
}

static void
set_tag(LOCKTAG *tag, LockClass lock_class, int64 key)
{
	SET_LOCKTAG_ADVISORY(*tag, MyDatabaseId,
						 (uint32) ((uint64) key >> 32), (uint32) key,
						 (uint16) lock_class);
}

/* Locks that lock_try() took in the transaction with this local id. */
static int	tries_taken = 0;
static LocalTransactionId tries_taken_in = InvalidLocalTransactionId;

/* The given fraction of the server's lock table entries, and at least one. */
static int
part_of_lock_table(int part)
{
	return Max(max_locks_per_xact * (MaxBackends + max_prepared_xacts) / part, 1);
}

int
lock_try_limit(void)
{
	return part_of_lock_table(10);
}

bool
lock_tries_used_up(void)
{
	return tries_taken_in == MyLocalTransactionId && tries_taken >= part_of_lock_table(2);
}

bool
lock_try(LockClass lock_class, int64 key)
{
	bool		counts = lock_class < LOCK_GROUP;
	LOCKTAG		tag;

	if (tries_taken_in != MyLocalTransactionId)
	{
		tries_taken_in = MyLocalTransactionId;
		tries_taken = 0;
	}
	if (counts && lock_tries_used_up())
		return false;
	set_tag(&tag, lock_class, key);
	if (LockAcquire(&tag, ExclusiveLock, false, true) == LOCKACQUIRE_NOT_AVAIL)
		return false;
	if (counts)
		tries_taken++;
	return true;
}

int
lock_try_all(LockClass lock_class, const int64 *keys, int n, bool *busy)
{
	int			limit = lock_try_limit();
	int			taken = 0;
	int			i;

	for (i = 0; i < n; i++)
	{
		busy[i] = taken >= limit || !lock_try(lock_class, keys[i]);
		if (!busy[i])
			taken++;
	}
	return taken;
}

bool
lock_try_share(LockClass lock_class, int64 key)
{
	LOCKTAG		tag;

	set_tag(&tag, lock_class, key);
	return LockAcquire(&tag, ShareLock, false, true) != LOCKACQUIRE_NOT_AVAIL;
}

bool
lock_is_held(LockClass lock_class, int64 key)
{
	LOCKTAG		tag;
	int			holders;

	set_tag(&tag, lock_class, key);
	(void) GetLockConflicts(&tag, ExclusiveLock, &holders);
	return holders > 0;
}

/* The longest that built-in handlers wait in workers. */
#define BRIEF_WAIT_MS 50

static bool brief = false;
static int	lock_timeout_before;

void
locks_brief_begin(void)
{
	if (brief)
		return;
	brief = true;
	lock_timeout_before = LockTimeout;
	LockTimeout = BRIEF_WAIT_MS;
}

void
locks_brief_end(void)
{
	if (!brief)
		return;
	brief = false;
	LockTimeout = lock_timeout_before;
}

static void
lock_wait_in_mode(LockClass lock_class, int64 key, LOCKMODE mode)
{
	LOCKTAG		tag;

	set_tag(&tag, lock_class, key);
	/* LockTimeout is 0 if no limit was set */
	if (setting_lock_timeout > 0 && LockTimeout > 0 && !brief)
	{
		(void) LockAcquire(&tag, mode, false, false);
		return;
	}
	if (LockAcquire(&tag, mode, false, true) == LOCKACQUIRE_NOT_AVAIL)
		ereport(ERROR,
				(errcode(ERRCODE_OE_BUSY),
				 errmsg("could not obtain a lock because another transaction is working on the "
						"same object"),
				 error_facts("Lock \"{lock}\" of key {key} is held, and waiting for it is not "
							 "allowed here.",
							 FACT_TEXT("lock", lock_class_name(lock_class)), FACT_ID("key", key)),
				 errhint("Try again.")));
}

void
lock_wait(LockClass lock_class, int64 key)
{
	lock_wait_in_mode(lock_class, key, ExclusiveLock);
}

/*
 * A process that holds such a lock may be kept from its processor for a while; this is the least
 * that is waited for it, and for what is waited for while it is held: room in a table.
 */
#define MOMENT_MS 1000

static int	lock_timeout_before_moment;

void
lock_moment_begin(LockClass lock_class, int64 key)
{
	LOCKTAG		tag;

	lock_timeout_before_moment = LockTimeout;
	/* 0 is no limit; after an error, api_call() restores it */
	if (LockTimeout > 0)
		LockTimeout = Max(LockTimeout, MOMENT_MS);
	if (moment_begin((uint64) key))
		return;
	set_tag(&tag, lock_class, key);
	(void) LockAcquire(&tag, ExclusiveLock, false, false);
}

void
lock_moment_end(LockClass lock_class, int64 key)
{
	if (!moment_end((uint64) key))
		lock_give_back(lock_class, key);
	LockTimeout = lock_timeout_before_moment;
}

bool
lock_for_now(LockClass lock_class, int64 key, bool wait)
{
	LOCKTAG		tag;

	set_tag(&tag, lock_class, key);
	return LockAcquire(&tag, ExclusiveLock, false, !wait) != LOCKACQUIRE_NOT_AVAIL;
}

void
lock_give_back(LockClass lock_class, int64 key)
{
	LOCKTAG		tag;

	set_tag(&tag, lock_class, key);
	(void) LockRelease(&tag, ExclusiveLock, false);
}

bool
lock_is_mine(LockClass lock_class, int64 key)
{
	LOCKTAG		tag;

	set_tag(&tag, lock_class, key);
	return lock_held_by_me(&tag, ExclusiveLock);
}

void
lock_wait_share(LockClass lock_class, int64 key)
{
	lock_wait_in_mode(lock_class, key, ShareLock);
}

void
lock_pass(LockClass lock_class, int64 key)
{
	LOCKTAG		tag;

	set_tag(&tag, lock_class, key);
	WaitForLockers(tag, ExclusiveLock, false);
}
