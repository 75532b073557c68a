/*
 * timer_fire.c
 *		Firing timers: from the queue, and from timers_far.
 *
 * A batch is one transaction's work: the due timers leave the queue in the order of
 * their due times, those bound to a status that their key no longer has are void, the
 * others are published under their own ids, and timer_progress says up to where each
 * bucket is handled. That can say "everything until this time" only, so a batch that
 * has reached its limit goes on for as long as timers are due at the very same time, or
 * came late, in a time that was handled before.
 */
#include "compat.h"

#include <math.h>

#include "access/table.h"
#include "access/tableam.h"
#include "access/transam.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/xid8.h"

#include "core/append.h"
#include "core/spi_util.h"
#include "message/catalog.h"
#include "message/message.h"
#include "message/timer_cancel.h"
#include "message/timer_fire.h"

/* Rows in memory at once; the messages of a batch are appended in chunks of this. */
#define CHUNK 1000

/* Newest rows of the append-only tables that are kept, and how often the rest goes. */
#define ROWS_KEPT 64
#define PRUNE_EVERY 256

/* How long a timer waits whose canceler has not yet decided, or that somebody has locked. */
#define UNDECIDED_PAUSE (50 * INT64CONST(1000))

/* A timer's row, read. */
typedef struct DueTimer
{
	LogEntry	entry;
	TimestampTz due_at;
	int16		bound;			/* -1 = not bound */
} DueTimer;

static TimerBindSource bind_source = NULL;

void
timer_bind_source(TimerBindSource source)
{
	bind_source = source;
}

/* ---- publishing ---- */

/* Put a timer into timers_far, due at due_at there. */
static void
put_far(Appender *far, const DueTimer *timer, TimestampTz due_at)
{
	Datum		values[TIMER_COLUMNS];
	bool		nulls[TIMER_COLUMNS] = {false};

	values[TIMER_MESSAGE_ID - 1] = Int64GetDatum(timer->entry.message_id);
	values[TIMER_XID - 1] = FullTransactionIdGetDatum(GetTopFullTransactionId());
	values[TIMER_KEY - 1] = Int64GetDatum(timer->entry.key);
	values[TIMER_DUE_AT - 1] = TimestampTzGetDatum(due_at);
	values[TIMER_PUBLISHED_AT - 1] = TimestampTzGetDatum(timer->entry.published_at);
	values[TIMER_TOPIC_ID - 1] = Int32GetDatum(timer->entry.topic_id);
	values[TIMER_BOUND - 1] = Int16GetDatum(timer->bound);
	nulls[TIMER_BOUND - 1] = (timer->bound < 0);
	values[TIMER_PAYLOAD - 1] = JsonbPGetDatum(timer->entry.payload);
	append_row(far, values, nulls);
}

/*
 * Drop the timers that were canceled. What becomes of one whose canceler is still open is
 * seen a little later; meanwhile it waits in timers_far.
 */
static int
drop_canceled(TimerQueue *queue, DueTimer *timers, int n)
{
	TimerCancels *cancels = timer_cancels_open();
	Appender   *far = NULL;
	TimestampTz later = GetCurrentTimestamp() + UNDECIDED_PAUSE;
	int			kept = 0;
	int			i;

	if (cancels == NULL)
		return n;
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
				if (far == NULL)
					far = append_open("timers_far");
				put_far(far, &timers[i], later);
				break;
		}
	}
	timer_cancels_close(cancels);
	if (far != NULL)
	{
		append_close(far);
		queue->far_floor = DT_NOBEGIN;
	}
	return kept;
}

/* Drop the timers whose topic is gone. */
static int
drop_orphans(DueTimer *timers, int n)
{
	int			kept = 0;
	int			i;

	for (i = 0; i < n; i++)
	{
		if (topic_by_id(timers[i].entry.topic_id) != NULL)
			timers[kept++] = timers[i];
	}
	return kept;
}

/* Keep the timers that are not bound, or whose keys still have the status. */
static int
drop_void(DueTimer *timers, int n)
{
	int64	   *keys = palloc(sizeof(int64) * (n + 1));
	int16	   *statuses = palloc(sizeof(int16) * (n + 1));
	int			bound = 0;
	int			kept = 0;
	int			at = 0;
	int			i;

	if (n == 0)
		return 0;
	for (i = 0; i < n; i++)
	{
		if (timers[i].bound >= 0)
			keys[bound++] = timers[i].entry.key;
	}
	if (bound == 0 || bind_source == NULL)
		return n;
	bind_source(keys, bound, statuses);
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
		/* What was armed for a time already past is late since it was armed. */
		TimestampTz since = Max(timers[i].due_at, timers[i].entry.published_at);
		int64		late = Max(now - since, 1);
		int			index = (int) floor(2 * log2((double) late));

		queue->lateness[Min(index, (int) lengthof(queue->lateness) - 1)]++;
	}
	queue->fired += n;
}

/* Publish a chunk of timers; returns how many were not void. */
static int
publish_chunk(TimerQueue *queue, DueTimer *timers, int n)
{
	LogEntry   *entries = palloc(sizeof(LogEntry) * Max(n, 1));
	int			i;

	if (n == 0)
		return 0;
	n = drop_orphans(timers, drop_canceled(queue, timers, n));
	n = drop_void(timers, n);
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

/*
 * The rows behind timers of the queue, in their order. Neighbours are mostly of one
 * bucket, whose table stays open meanwhile.
 */
static void
fetch_rows(QueuedTimer **queued, int n, DueTimer *rows)
{
	Relation	rel = NULL;
	TupleTableSlot *slot = NULL;
	int			open_bucket = -1;
	int			i;

	for (i = 0; i < n; i++)
	{
		if (queued[i]->bucket != open_bucket)
		{
			if (rel != NULL)
			{
				ExecDropSingleTupleTableSlot(slot);
				table_close(rel, NoLock);
			}
			open_bucket = queued[i]->bucket;
			rel = table_open(timer_bucket_relation(open_bucket), AccessShareLock);
			slot = table_slot_create(rel, NULL);
		}
		if (!table_tuple_fetch_row_version(rel, &queued[i]->tid, GetActiveSnapshot(), slot))
			elog(ERROR, "timer " INT64_FORMAT " is not where it was", queued[i]->message_id);
		read_due_timer(slot, &rows[i]);
	}
	if (rel != NULL)
	{
		ExecDropSingleTupleTableSlot(slot);
		table_close(rel, NoLock);
	}
}

/* The time until which all timers, of whatever bucket, were handled before. */
static TimestampTz
handled_until(const TimerQueue *queue)
{
	TimestampTz until = DT_NOBEGIN;
	int			b;

	for (b = 0; b < TIMER_BUCKETS; b++)
	{
		if (queue->buckets[b].seen != NULL)
			until = Max(until, queue->buckets[b].fired_until);
	}
	return until;
}

/* Fire from the queue; touched tells of which buckets. */
static FiringResult
fire_queued(TimerQueue *queue, int64 limit, TimestampTz now, bool *touched)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "order_ext firing",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	TimestampTz until = handled_until(queue);
	TimestampTz last_due = DT_NOBEGIN;
	FiringResult result = {0};
	bool		done = false;

	while (!done)
	{
		QueuedTimer *queued[CHUNK];
		DueTimer   *rows;
		int			n = 0;
		int			i;

		CHECK_FOR_INTERRUPTS();
		while (n < CHUNK)
		{
			QueuedTimer *first = timer_queue_first(queue);

			done = (first == NULL || first->due_at > now);
			if (!done && result.handled + n >= limit &&
				first->due_at > last_due && first->due_at > until)
				done = result.more = true;
			if (done)
				break;
			queued[n++] = timer_queue_pop(queue);
			last_due = first->due_at;
		}
		rows = palloc(sizeof(DueTimer) * Max(n, 1));
		fetch_rows(queued, n, rows);
		result.published += publish_chunk(queue, rows, n);
		result.handled += n;
		for (i = 0; i < n; i++)
		{
			QueueBucket *bucket = &queue->buckets[queued[i]->bucket];

			/* Read by progress_of(), when seen is moved as well. */
			if (bucket->seen == NULL && !touched[queued[i]->bucket])
				bucket->fired_until = queued[i]->due_at;
			bucket->fired_until = Max(bucket->fired_until, queued[i]->due_at);
			touched[queued[i]->bucket] = true;
			timer_queue_free(queue, queued[i]);
		}
		MemoryContextReset(context);
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	return result;
}

/* ---- timers_far ---- */

static SavedPlan take_far = SAVED_PLAN(
	"DELETE FROM order_ext_internal.timers_far WHERE message_id IN ("
	" SELECT message_id FROM order_ext_internal.timers_far"
	" WHERE due_at >= $1 AND due_at <= $2 ORDER BY due_at LIMIT $3 FOR UPDATE SKIP LOCKED)"
	" RETURNING message_id, key, due_at, published_at, topic_id, bound, payload",
	TIMESTAMPTZOID, TIMESTAMPTZOID, INT8OID);

static SavedPlan first_far = SAVED_PLAN(
	"SELECT due_at FROM order_ext_internal.timers_far WHERE due_at >= $1"
	" ORDER BY due_at LIMIT 1", TIMESTAMPTZOID);

/*
 * What has fired stays in the index until vacuum may remove it, which can take as long
 * as the oldest snapshot lives. So the search begins where the last one found its first
 * row, except once a minute: a timer may have been armed below (by a slow transaction,
 * or when the clock is set back).
 */
#define FAR_FLOOR_LIFETIME (60 * USECS_PER_SEC)

TimestampTz
timer_far_first(TimerQueue *queue, TimestampTz now)
{
	Datum		args[1];
	TimestampTz first = DT_NOEND;

	if (now >= queue->far_floor_until || queue->far_floor_until - now > FAR_FLOOR_LIFETIME)
	{
		queue->far_floor = DT_NOBEGIN;
		queue->far_floor_until = now + FAR_FLOOR_LIFETIME;
	}
	args[0] = TimestampTzGetDatum(queue->far_floor);
	if (plan_query_in_snapshot(&first_far, args, NULL, 1) > 0)
		first = row_timestamptz(0, 1);
	queue->far_floor = Min(first, now);
	return first <= now ? Max(first, Min(queue->far_pause_until, now + UNDECIDED_PAUSE)) : first;
}

static FiringResult
fire_far(TimerQueue *queue, int64 limit, TimestampTz now)
{
	Datum		args[3];
	FiringResult result = {0};
	DueTimer   *rows;
	int64		chunk = Min(limit, CHUNK);
	uint64		n;
	uint64		i;

	if (chunk <= 0 || timer_far_first(queue, now) > now)
		return result;
	args[0] = TimestampTzGetDatum(queue->far_floor);
	args[1] = TimestampTzGetDatum(now);
	args[2] = Int64GetDatum(chunk);
	n = plan_write(&take_far, args, NULL, 0);
	rows = palloc(sizeof(DueTimer) * (n + 1));
	for (i = 0; i < n; i++)
	{
		rows[i].entry.message_id = row_int64(i, 1);
		rows[i].entry.key = row_int64(i, 2);
		rows[i].due_at = row_timestamptz(i, 3);
		rows[i].entry.published_at = row_timestamptz(i, 4);
		rows[i].entry.topic_id = row_int32(i, 5);
		rows[i].bound = row_is_null(i, 6) ? -1 : row_int16(i, 6);
		rows[i].entry.payload = row_jsonb(i, 7);
	}
	result.handled = (int64) n;
	result.more = (result.handled == chunk);
	/* What is left is being canceled: not again at once. */
	queue->far_pause_until = n == 0 ? now + UNDECIDED_PAUSE : 0;
	result.published = publish_chunk(queue, rows, (int) n);
	return result;
}

/* Armed in a time that the clock has been set back from: move to timers_far. */
static int64
move_postponed(TimerQueue *queue, bool *touched)
{
	Appender   *appender;
	ListCell   *cell;
	int64		moved = 0;

	if (queue->postponed == NIL)
		return 0;
	appender = append_open("timers_far");
	foreach(cell, queue->postponed)
	{
		QueuedTimer *timer = lfirst(cell);
		Relation	rel = table_open(timer_bucket_relation(timer->bucket), AccessShareLock);
		TupleTableSlot *slot = table_slot_create(rel, NULL);

		if (!table_tuple_fetch_row_version(rel, &timer->tid, GetActiveSnapshot(), slot))
			elog(ERROR, "timer " INT64_FORMAT " is not where it was", timer->message_id);
		slot_getallattrs(slot);
		append_row(appender, slot->tts_values, slot->tts_isnull);
		ExecDropSingleTupleTableSlot(slot);
		table_close(rel, NoLock);
		touched[timer->bucket] = true;
		timer_queue_free(queue, timer);
		moved++;
	}
	append_close(appender);
	list_free(queue->postponed);
	queue->postponed = NIL;
	queue->far_floor = DT_NOBEGIN;
	return moved;
}

/* ---- what was done ---- */

static SavedPlan prune_progress = SAVED_PLAN(
	"DELETE FROM order_ext_internal.timer_progress WHERE bucket = $1 AND seq < $2",
	INT2OID, INT8OID);

static SavedPlan prune_firings = SAVED_PLAN(
	"DELETE FROM order_ext_internal.timer_firings WHERE seq < $1", INT8OID);

static void
append_progress(TimerQueue *queue, const bool *touched)
{
	Appender   *appender = append_open("timer_progress");
	int			b;

	for (b = 0; b < TIMER_BUCKETS; b++)
	{
		QueueBucket *bucket = &queue->buckets[b];
		Datum		values[4];

		if (!touched[b])
			continue;
		bucket->seq++;
		values[0] = Int64GetDatum(bucket->seq);
		values[1] = Int16GetDatum(b);
		values[2] = TimestampTzGetDatum(bucket->fired_until);
		values[3] = log_snapshot_to_datum(bucket->loaded_to);
		append_row(appender, values, NULL);
		timer_queue_mark_seen(queue, b);
	}
	append_close(appender);
	for (b = 0; b < TIMER_BUCKETS; b++)
	{
		QueueBucket *bucket = &queue->buckets[b];
		Datum		args[2] = {Int16GetDatum(b), Int64GetDatum(bucket->seq - ROWS_KEPT)};

		if (touched[b] && bucket->seq % PRUNE_EVERY == 0)
			(void) plan_write(&prune_progress, args, NULL, 0);
	}
}

void
timer_note_firing(TimerQueue *queue)
{
	Appender   *appender = append_open("timer_firings");
	Datum		counts[lengthof(queue->lateness)];
	Datum		values[4];
	int			i;

	for (i = 0; i < (int) lengthof(counts); i++)
		counts[i] = Int64GetDatum(queue->lateness[i]);
	queue->firings_seq++;
	queue->firings_at = GetCurrentTimestamp();
	values[0] = Int64GetDatum(queue->firings_seq);
	values[1] = TimestampTzGetDatum(queue->firings_at);
	values[2] = Int64GetDatum(queue->fired);
	values[3] = PointerGetDatum(construct_array(counts, lengthof(counts), INT8OID, 8,
												FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
	append_row(appender, values, NULL);
	append_close(appender);
	if (queue->firings_seq % PRUNE_EVERY == 0)
	{
		Datum		args[1] = {Int64GetDatum(queue->firings_seq - ROWS_KEPT)};

		(void) plan_write(&prune_firings, args, NULL, 0);
	}
}

FiringResult
timer_fire_batch(TimerQueue *queue, int64 limit, TimestampTz now)
{
	bool		touched[TIMER_BUCKETS] = {false};
	FiringResult result;
	FiringResult far;
	int64		postponed = move_postponed(queue, touched);
	int64		in_ring;

	result = fire_queued(queue, limit, now, touched);
	in_ring = result.handled + postponed;
	far = fire_far(queue, limit - result.handled, now);
	result.published += far.published;
	result.handled = in_ring + far.handled;
	result.more = result.more || far.more;
	if (in_ring > 0)
		append_progress(queue, touched);
	if (result.handled > 0)
		timer_note_firing(queue);
	return result;
}
