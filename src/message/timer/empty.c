/*
 * empty.c
 *		Emptying the buckets whose time is over, by TRUNCATE.
 *
 * The lock is taken only if it is free, so that no one queues behind us. While it is held, no
 * other transaction that has written here is still open: a last check finds what committed after
 * the last batch. It does not find what we have written ourselves (armed, or moved from
 * timers_far), so we leave such a bucket to the next transaction. A bucket that could not be
 * emptied in its period (a dump was reading it) eventually holds rows of a later period; it is
 * then used as it is, which the rules allow, and emptied the next time.
 */
#include "compat.h"

#include "access/table.h"
#include "storage/bufmgr.h"
#include "storage/lmgr.h"
#include "utils/snapmgr.h"

#include "core/clock.h"
#include "message/timer/empty.h"
#include "message/timer/queue.h"
#include "message/timer/record.h"

/*
 * How long its rows are kept when its time is over, so that the fate of void timers can be seen.
 * Its table gets new rows two minutes after its end.
 */
#define KEPT_FOR (60 * USECS_PER_SEC)

/* How long to wait after a failed attempt. */
#define RETRY_AFTER (10 * USECS_PER_SEC)

static void
empty_bucket(TimerQueue *queue, int b, Relation rel)
{
	QueueBucket *bucket = &queue->buckets[b];
	bool		keep;

	PushActiveSnapshot(GetLatestSnapshot());
	timer_queue_catch_up(queue, b, rel);
	PopActiveSnapshot();
	table_close(rel, NoLock);
	keep = bucket->queued > 0;
	if (!keep && bucket->holds_later)
	{
		timer_queue_unload(queue, b);
		keep = true;
	}
	if (keep)
		return;
	timer_bucket_truncate(b);
	timer_progress_restart(queue, b);
	timer_firings_note(queue);
}

bool
timer_empty_one_bucket(TimerQueue *queue, TimestampTz now, TimestampTz *next_try)
{
	int			b;

	for (b = 0; b < TIMER_BUCKETS; b++)
	{
		QueueBucket *bucket = &queue->buckets[b];
		TimestampTz from = bucket->due_limit + KEPT_FOR;
		Oid			relation;
		Relation	rel;
		BlockNumber blocks;
		bool		written_by_us;

		if (bucket->loaded_to == NULL || bucket->queued > 0)
			continue;
		relation = timer_bucket_relation(b);
		rel = table_open(relation, AccessShareLock);
		blocks = RelationGetNumberOfBlocks(rel);
		written_by_us = CheckRelationLockedByMe(rel, RowExclusiveLock, true);
		table_close(rel, AccessShareLock);
		if (blocks == 0)
			continue;
		if (now < from || !clock_pause_is_over(bucket->empty_at, RETRY_AFTER, now))
		{
			*next_try = Min(*next_try, Max(from, bucket->empty_at));
			continue;
		}
		if (written_by_us)
		{
			*next_try = Min(*next_try, now);
			continue;
		}
		bucket->empty_at = now + RETRY_AFTER;
		if (!ConditionalLockRelationOid(relation, AccessExclusiveLock))
		{
			*next_try = Min(*next_try, bucket->empty_at);
			continue;
		}
		empty_bucket(queue, b, table_open(relation, NoLock));
		return true;
	}
	return false;
}
