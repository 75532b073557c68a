/*
 * fire.c
 *		Firing a batch of timers.
 *
 * A batch is one transaction's work: due timers leave the queue, those bound to a status that
 * their key no longer has are void, the others are published under their own ids, and what was
 * handled is recorded (record.h).
 */
#include "compat.h"

#include <math.h>

#include "access/table.h"
#include "access/tableam.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "message/base/catalog.h"
#include "message/timer/bound.h"
#include "message/timer/cancel.h"
#include "message/timer/far.h"
#include "message/timer/fire.h"
#include "message/timer/heaps.h"
#include "message/timer/moved.h"
#include "message/timer/record.h"

/* ---- publishing ---- */

/*
 * Drop the timers that were canceled. One whose canceler is still open is decided a little later;
 * meanwhile it waits in timers_far.
 */
static int
drop_canceled(TimerQueue *queue, DueTimer *timers, int n)
{
	TimerCancels *cancels;
	DueTimer   *undecided;
	int			n_undecided = 0;
	int			kept = 0;
	int			i;

	if (n == 0)
		return 0;
	cancels = timer_cancels_open();
	if (cancels == NULL)
		return n;
	undecided = palloc(sizeof(DueTimer) * n);
	for (i = 0; i < n; i++)
	{
		switch (timer_cancels_look(cancels, timers[i].entry.message_id))
		{
			case TIMER_FIRES:
				timers[kept++] = timers[i];
				break;
			case TIMER_CANCELED:
				break;
			case TIMER_UNDECIDED:
				undecided[n_undecided++] = timers[i];
				break;
		}
	}
	timer_cancels_close(cancels);
	timer_far_put(queue, undecided, n_undecided, GetCurrentTimestamp() + UNDECIDED_PAUSE);
	pfree(undecided);
	return kept;
}

/* Drop the timers whose topic has been dropped. */
static int
drop_orphans(DueTimer *timers, int n)
{
	int			kept = 0;
	int			i;

	for (i = 0; i < n; i++)
	{
		if (catalog_topic_by_id(timers[i].entry.topic_id) != NULL)
			timers[kept++] = timers[i];
	}
	return kept;
}

/* Keep the timers that are not bound, and those whose keys still have the status. */
static int
drop_void(DueTimer *timers, int n)
{
	int64	   *keys = palloc(sizeof(int64) * (n + 1));
	TimestampTz *due_at = palloc(sizeof(TimestampTz) * (n + 1));
	int16	   *statuses = palloc(sizeof(int16) * (n + 1));
	int			bound = 0;
	int			kept = 0;
	int			at = 0;
	int			i;

	if (n == 0)
		return 0;
	for (i = 0; i < n; i++)
	{
		if (timers[i].bound < 0)
			continue;
		due_at[bound] = timers[i].due_at;
		keys[bound++] = timers[i].entry.key;
	}
	if (bound == 0 || !timer_bound_statuses(keys, due_at, bound, statuses))
		return n;
	for (i = 0; i < n; i++)
	{
		if (timers[i].bound < 0 || statuses[at++] == timers[i].bound)
			timers[kept++] = timers[i];
	}
	return kept;
}

/* How late each is now, by floor(2 * log2(microseconds)). */
static void
note_lateness(TimerQueue *queue, const DueTimer *timers, int n)
{
	TimestampTz now = GetCurrentTimestamp();
	int			i;

	for (i = 0; i < n; i++)
	{
		/* The lateness of a timer armed for a past time counts from when it was armed. */
		TimestampTz since = Max(timers[i].due_at, timers[i].entry.published_at);
		int64		late = Max(now - since, 1);
		int			index = (int) floor(2 * log2((double) late));

		queue->lateness[Min(index, (int) lengthof(queue->lateness) - 1)]++;
	}
	queue->fired += n;
}

/*
 * Publish the timers that are not void; returns how many. The array is overwritten.
 */
static int64
publish(TimerQueue *queue, DueTimer *timers, int n)
{
	LogEntry   *entries;
	int			i;

	if (n == 0)
		return 0;
	n = drop_void(timers, drop_orphans(timers, n));
	entries = palloc(sizeof(LogEntry) * Max(n, 1));
	for (i = 0; i < n; i++)
		entries[i] = timers[i].entry;
	log_append_with_ids(entries, n);
	note_lateness(queue, timers, n);
	return n;
}

/* ---- from the queue ---- */

static void
read_due_timer(TupleTableSlot *slot, DueTimer *timer)
{
	slot_getallattrs(slot);
	timer->entry.message_id = DatumGetInt64(slot->tts_values[TIMER_MESSAGE_ID - 1]);
	timer->entry.topic_id = DatumGetInt32(slot->tts_values[TIMER_TOPIC_ID - 1]);
	timer->entry.key = DatumGetInt64(slot->tts_values[TIMER_KEY - 1]);
	timer->entry.published_at = DatumGetTimestampTz(slot->tts_values[TIMER_PUBLISHED_AT - 1]);
	timer->entry.payload = DatumGetJsonbPCopy(slot->tts_values[TIMER_PAYLOAD - 1]);
	timer->due_at = DatumGetTimestampTz(slot->tts_values[TIMER_DUE_AT - 1]);
	timer->bound = slot->tts_isnull[TIMER_BOUND - 1] ? -1 :
		DatumGetInt16(slot->tts_values[TIMER_BOUND - 1]);
}

static int
compare_places(const void *a, const void *b)
{
	const QueuedTimer *left = a;
	const QueuedTimer *right = b;

	if (left->bucket != right->bucket)
		return left->bucket - right->bucket;
	return ItemPointerCompare((ItemPointer) &left->tid, (ItemPointer) &right->tid);
}

/* The rows behind timers of the queue, which are in the order of their places. */
static void
fetch_rows(QueuedTimer *queued, int n, DueTimer *rows)
{
	Relation	rel = NULL;
	TupleTableSlot *slot = NULL;
	int			i;

	for (i = 0; i < n; i++)
	{
		if (i == 0 || queued[i].bucket != queued[i - 1].bucket)
		{
			if (rel != NULL)
			{
				ExecDropSingleTupleTableSlot(slot);
				table_close(rel, NoLock);
			}
			rel = table_open(timer_bucket_relation(queued[i].bucket), AccessShareLock);
			slot = table_slot_create(rel, NULL);
		}
		if (!table_tuple_fetch_row_version(rel, &queued[i].tid, GetActiveSnapshot(), slot))
			elog(ERROR, "timer " INT64_FORMAT " is not where it was", queued[i].message_id);
		read_due_timer(slot, &rows[i]);
	}
	if (rel != NULL)
	{
		ExecDropSingleTupleTableSlot(slot);
		table_close(rel, NoLock);
	}
}

static FiringResult
fire_queued(TimerQueue *queue, int limit, TimestampTz now)
{
	QueuedTimer *queued = palloc(sizeof(QueuedTimer) * TIMER_BATCH);
	int			n = timer_heaps_take(queue, limit, now, queued);
	DueTimer   *rows = palloc(sizeof(DueTimer) * Max(n, 1));
	FiringResult result = {.handled = n};

	qsort(queued, n, sizeof(QueuedTimer), compare_places);
	fetch_rows(queued, n, rows);
	result.published = publish(queue, rows, drop_canceled(queue, rows, n));
	timer_progress_note(queue, queued, n, now);
	result.more = timer_heaps_first_due(queue) <= now;
	return result;
}

FiringResult
timer_fire_batch(TimerQueue *queue, int64 limit, TimestampTz now)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "order_ext firing",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	int			most = (int) Min(limit, TIMER_BATCH);
	FarTimers	far = timer_far_take(queue, (most + 1) / 2, now);
	MovedTimers moved = timer_moved_take(queue, (most - far.n + 1) / 2, now);
	int64		published = publish(queue, far.due, drop_canceled(queue, far.due, far.n));
	FiringResult result;

	/* What the ring has of these is noted as canceled: they must not be asked. */
	published += publish(queue, moved.due, moved.n);
	result = fire_queued(queue, most - far.n - moved.n, now);
	result.published += published;
	result.handled += far.n + moved.n;
	result.moved = far.moved;
	result.more = result.more || far.more || moved.more;
	if (result.handled > 0)
		timer_firings_note(queue);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	return result;
}
