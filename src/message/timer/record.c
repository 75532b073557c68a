/*
 * record.c
 *		Records of handled timers; see record.h.
 *
 * All three tables are append-only in the path of firing. Readers: queue.c, the
 * views pending_timers and message_trace(), cancel_message(), timers_reset_after_restore().
 */
#include "compat.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "core/append.h"
#include "core/ids.h"
#include "core/internal.h"
#include "core/spi_util.h"
#include "message/timer/heaps.h"
#include "message/timer/record.h"

/*
 * The number of newest rows of timer_progress and timer_firings that are kept, and how often the
 * others are deleted.
 */
#define ROWS_KEPT 64
#define PRUNE_EVERY 256

/* seq, at, fired, lateness. */
#define FIRING_COLUMNS 4

static SavedPlan newest_progress = SAVED_PLAN(
	"SELECT seq, fired_until, seen FROM order_ext_internal.timer_progress"
	" WHERE bucket = $1 ORDER BY seq DESC LIMIT 1", INT2OID);

static SavedPlan all_ahead = SAVED_PLAN_NO_ARGS(
	"SELECT bucket, max(seq), max(due_until) FROM order_ext_internal.timer_ahead GROUP BY bucket");

static SavedPlan read_ahead = SAVED_PLAN(
	"SELECT message_ids FROM order_ext_internal.timer_ahead WHERE bucket = $1", INT2OID);

static SavedPlan forget_ahead = SAVED_PLAN(
	"DELETE FROM order_ext_internal.timer_ahead WHERE bucket = $1", INT2OID);

static SavedPlan prune_progress = SAVED_PLAN(
	"DELETE FROM order_ext_internal.timer_progress WHERE bucket = $1 AND seq < $2",
	INT2OID, INT8OID);

static SavedPlan prune_firings = SAVED_PLAN(
	"DELETE FROM order_ext_internal.timer_firings WHERE seq < $1", INT8OID);

/* ---- reading ---- */

static void
firings_from_row(TimerQueue *into, const Datum *values)
{
	Datum	   *counts;
	int			n;
	int			i;

	into->firings_seq = DatumGetInt64(values[0]);
	into->firings_at = DatumGetTimestampTz(values[1]);
	into->fired = DatumGetInt64(values[2]);
	deconstruct_array(DatumGetArrayTypeP(values[3]), INT8OID, 8, FLOAT8PASSBYVAL,
					  TYPALIGN_DOUBLE, &counts, NULL, &n);
	for (i = 0; i < n && i < (int) lengthof(into->lateness); i++)
		into->lateness[i] = DatumGetInt64(counts[i]);
}

/*
 * The newest row shows whether a queue in memory is still valid; so it is read in every turn, from
 * its index.
 */
void
timer_firings_read(TimerQueue *into)
{
	Relation	rel = table_open(internal_relation("timer_firings"), AccessShareLock);
	Relation	index = index_open(internal_relation("timer_firings_pkey"), AccessShareLock);
	SysScanDesc scan = systable_beginscan_ordered(rel, index, GetActiveSnapshot(), 0, NULL);
	HeapTuple	tuple = systable_getnext_ordered(scan, BackwardScanDirection);

	into->firings_seq = 0;
	into->firings_at = 0;
	if (tuple != NULL)
	{
		Datum		values[FIRING_COLUMNS];
		bool		nulls[FIRING_COLUMNS];

		heap_deform_tuple(tuple, RelationGetDescr(rel), values, nulls);
		firings_from_row(into, values);
	}
	systable_endscan_ordered(scan);
	index_close(index, NoLock);
	table_close(rel, NoLock);
}

void
timer_progress_read(TimerQueue *queue)
{
	uint64		n;
	uint64		i;
	int			b;

	for (b = 0; b < TIMER_BUCKETS; b++)
	{
		QueueBucket *bucket = &queue->buckets[b];
		Datum		args[1] = {Int16GetDatum(b)};
		bool		isnull;

		if (plan_query_in_snapshot(&newest_progress, args, NULL, 1) == 0)
			continue;
		bucket->seq = row_int64(0, 1);
		bucket->fired_until = row_timestamptz(0, 2);
		bucket->seen = timer_memory_copy_snapshot(queue,
												  snapshot_from_datum(row_datum(0, 3,
																				&isnull)));
	}
	n = plan_query_in_snapshot(&all_ahead, NULL, NULL, 0);
	for (i = 0; i < n; i++)
	{
		QueueBucket *bucket = &queue->buckets[row_int16(i, 1)];

		bucket->ahead_seq = row_int64(i, 2);
		bucket->ahead_until = row_timestamptz(i, 3);
	}
}

int64 *
timer_ahead_read(int bucket, MemoryContext context, int64 *n)
{
	Datum		args[1] = {Int16GetDatum(bucket)};
	uint64		rows = plan_query_in_snapshot(&read_ahead, args, NULL, 0);
	int64	   *ids = NULL;
	int64		room = 0;
	uint64		row;

	*n = 0;
	for (row = 0; row < rows; row++)
	{
		bool		isnull;
		ArrayType  *array = DatumGetArrayTypeP(row_datum(row, 1, &isnull));
		int			items = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));

		if (*n + items > room)
		{
			Size		bytes = sizeof(int64) * (room = 2 * (*n + items));

			ids = ids == NULL ? MemoryContextAllocHuge(context, bytes) : repalloc_huge(ids, bytes);
		}
		memcpy(&ids[*n], ARR_DATA_PTR(array), sizeof(int64) * items);
		*n += items;
	}
	if (*n > 0)
		qsort(ids, *n, sizeof(int64), id_compare);
	return ids;
}

/* ---- writing ---- */

static void
append_progress(QueueBucket *bucket, int b)
{
	Appender   *appender = append_open("timer_progress");
	Datum		values[4];

	bucket->seq++;
	values[0] = Int64GetDatum(bucket->seq);
	values[1] = Int16GetDatum(b);
	values[2] = TimestampTzGetDatum(bucket->fired_until);
	values[3] = snapshot_to_datum(bucket->seen);
	append_row(appender, values, NULL);
	append_close(appender);
	if (bucket->seq % PRUNE_EVERY == 0)
	{
		Datum		args[2] = {Int16GetDatum(b), Int64GetDatum(bucket->seq - ROWS_KEPT)};

		(void) plan_write(&prune_progress, args, NULL, 0);
	}
}

static void
append_ahead(QueueBucket *bucket, int b, TimestampTz due_until, const int64 *ids, int n)
{
	Appender   *appender = append_open("timer_ahead");
	Datum		values[4];

	bucket->ahead_seq++;
	bucket->ahead_until = Max(bucket->ahead_until, due_until);
	values[0] = Int64GetDatum(bucket->ahead_seq);
	values[1] = Int16GetDatum(b);
	values[2] = TimestampTzGetDatum(due_until);
	values[3] = int64_array(ids, n);
	append_row(appender, values, NULL);
	append_close(appender);
}

static void
drop_ahead(QueueBucket *bucket, int b)
{
	Datum		args[1] = {Int16GetDatum(b)};

	if (bucket->ahead_until == DT_NOBEGIN)
		return;
	(void) plan_write(&forget_ahead, args, NULL, 0);
	bucket->ahead_until = DT_NOBEGIN;
}

static void
set_progress(TimerQueue *queue, int b, TimestampTz fired_until, const LogSnapshot *seen)
{
	QueueBucket *bucket = &queue->buckets[b];
	LogSnapshot *copy = timer_memory_copy_snapshot(queue, seen);

	if (bucket->seen != NULL)
	{
		pfree(bucket->seen->xip);
		pfree(bucket->seen);
	}
	bucket->seen = copy;
	bucket->fired_until = fired_until;
	append_progress(bucket, b);
}

/*
 * A bucket's timers were handled. Nothing in the queue is due before `until`: its progress can
 * advance to there, unless it already has, as with late timers or when the clock was set back.
 */
static void
note_bucket(TimerQueue *queue, int b, const QueuedTimer *handled, int n, TimestampTz until)
{
	QueueBucket *bucket = &queue->buckets[b];
	int64	   *ids = palloc(sizeof(int64) * n);
	TimestampTz due_until = DT_NOBEGIN;
	int			beyond = 0;
	bool		moves;
	int			i;

	until = Min(until, bucket->due_limit - 1);
	moves = bucket->loaded_to != NULL && (bucket->seen == NULL || until >= bucket->fired_until);
	for (i = 0; i < n; i++)
	{
		if (moves && handled[i].due_at <= until)
			continue;
		ids[beyond++] = handled[i].message_id;
		due_until = Max(due_until, handled[i].due_at);
	}
	if (beyond > 0)
		append_ahead(bucket, b, due_until, ids, beyond);
	if (moves)
	{
		set_progress(queue, b, until, bucket->loaded_to);
		if (bucket->ahead_until <= until)
			drop_ahead(bucket, b);
	}
	pfree(ids);
}

void
timer_progress_note(TimerQueue *queue, const QueuedTimer *handled, int n, TimestampTz now)
{
	TimestampTz until = Min(now, timer_heaps_first_due(queue) - 1);
	int			first;
	int			next;

	for (first = 0; first < n; first = next)
	{
		int			b = handled[first].bucket;

		for (next = first; next < n && handled[next].bucket == b; next++)
			;
		note_bucket(queue, b, &handled[first], next - first, until);
	}
}

void
timer_progress_restart(TimerQueue *queue, int bucket)
{
	set_progress(queue, bucket, DT_NOBEGIN, queue->buckets[bucket].loaded_to);
	drop_ahead(&queue->buckets[bucket], bucket);
}

void
timer_firings_note(TimerQueue *queue)
{
	Appender   *appender = append_open("timer_firings");
	Datum		values[FIRING_COLUMNS];

	queue->firings_seq++;
	queue->firings_at = GetCurrentTimestamp();
	values[0] = Int64GetDatum(queue->firings_seq);
	values[1] = TimestampTzGetDatum(queue->firings_at);
	values[2] = Int64GetDatum(queue->fired);
	values[3] = int64_array(queue->lateness, lengthof(queue->lateness));
	append_row(appender, values, NULL);
	append_close(appender);
	if (queue->firings_seq % PRUNE_EVERY == 0)
	{
		Datum		args[1] = {Int64GetDatum(queue->firings_seq - ROWS_KEPT)};

		(void) plan_write(&prune_firings, args, NULL, 0);
	}
}
