/*
 * turn.c
 *		The processes that fire timers: the scheduler, in its own transactions, and dispatch(), in
 *		its caller's; see turn.h.
 */
#include "compat.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "utils/snapmgr.h"

#include "core/locks.h"
#include "message/base/engine.h"
#include "message/timer/empty.h"
#include "message/timer/far.h"
#include "message/timer/fire.h"
#include "message/timer/heaps.h"
#include "message/timer/moved.h"
#include "message/timer/queue.h"
#include "message/timer/turn.h"

/*
 * Timers of a batch that begins with what the follower does something about: so many that other
 * timers do not wait for long, and that whoever goes on from there can soon begin.
 */
#define FOLLOWED_BATCH 250

/* Another process is firing timers: try again then. */
#define BUSY_PAUSE (50 * INT64CONST(1000))

typedef struct TurnResult
{
	bool		busy;
	FiringResult firing;
	bool		followed;		/* the follower has done something */
	bool		emptied;
	TimestampTz next_wakeup;
} TurnResult;

static const TimerFollower *follower = NULL;

void
timers_follow(const TimerFollower *timer_follower)
{
	follower = timer_follower;
}

static TimestampTz
next_deadline(TimerQueue *queue, TimestampTz now)
{
	TimestampTz next = Min(timer_queue_next_load(queue, now), timer_heaps_first_due(queue));

	return Min(next, Min(timer_far_next(queue, now), timer_moved_next(queue, now)));
}

static int64
batch_limit(TimerQueue *queue, const TimerFollower *followed_by, int64 limit)
{
	if (followed_by == NULL || !followed_by->takes(timer_heaps_first_topic(queue)))
		return limit;
	return Min(limit, FOLLOWED_BATCH);
}

/*
 * The work of one transaction: a batch, what follows it and, if that was all and it is requested,
 * emptying a bucket.
 */
static TurnResult
work(int64 limit, const TimerFollower *followed_by, bool may_empty)
{
	TurnResult	result = {.next_wakeup = DT_NOEND};
	TimestampTz now = GetCurrentTimestamp();
	TimerQueue *queue;

	if (!lock_try(LOCK_TIMERS, 0))
	{
		result.busy = true;
		result.next_wakeup = now + BUSY_PAUSE;
		return result;
	}
	/* Newer than the lock, at any isolation level: no batch of another process may be missed. */
	PushActiveSnapshot(GetLatestSnapshot());
	queue = timer_queue_current(now);
	result.firing = timer_fire_batch(queue, batch_limit(queue, followed_by, limit), now);
	PopActiveSnapshot();
	if (followed_by != NULL && result.firing.published > 0)
		result.followed = followed_by->fired();

	if (!result.firing.more && may_empty)
		result.emptied = timer_empty_one_bucket(queue, now, &result.next_wakeup);
	PushActiveSnapshot(GetLatestSnapshot());
	result.next_wakeup = Min(result.next_wakeup, next_deadline(queue, now));
	PopActiveSnapshot();
	timer_queue_done(queue);
	return result;
}

bool
timers_turn(TimestampTz *next_wakeup, int64 *fired, int64 *batches)
{
	EngineScope scope;
	TurnResult	result;

	engine_begin_transaction();
	if (follower != NULL)
		follower->begins();
	engine_enter(&scope);
	result = work(TIMER_BATCH, follower, true);
	engine_leave(&scope);
	if (result.followed)
		engine_commit_as_configured();
	engine_commit_transaction();

	*next_wakeup = result.next_wakeup;
	*fired += result.firing.published;
	*batches += (result.firing.handled > 0);
	return result.firing.more || result.firing.moved || result.emptied;
}

void
timers_forget(void)
{
	timer_queue_forget();
}

int64
timers_fire_due(int64 limit)
{
	/* Emptying a bucket locks it until commit, so not inside a longer transaction. */
	bool		may_empty = !IsTransactionBlock() && !IsSubTransaction();
	int64		handled = 0;

	for (;;)
	{
		TurnResult	result = work(limit == 0 ? TIMER_BATCH : limit - handled, NULL, may_empty);

		handled += result.firing.handled;
		if (!result.firing.more || (limit != 0 && handled >= limit))
			return handled;
	}
}
