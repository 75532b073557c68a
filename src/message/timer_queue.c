/*
 * timer_queue.c
 *		The timers of the present in memory; see timer_queue.h.
 *
 * A bucket is read whole once, when its period comes near, and from then on only what
 * transactions added that the last look did not see: those with later ids, and those
 * that were still running. Nothing is ever read again because it was slow to commit.
 */
#include "compat.h"

#include "access/genam.h"
#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/transam.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "nodes/pg_list.h"
#include "storage/bufmgr.h"
#include "utils/array.h"
#include "utils/fmgroids.h"
#include "utils/memutils.h"
#include "utils/xid8.h"
#include "utils/snapmgr.h"

#include "core/spi_util.h"
#include "message/timer_queue.h"

static TimerQueue *queue_in_memory = NULL;

static SavedPlan newest_firing = SAVED_PLAN_NO_ARGS(
	"SELECT seq, at, fired, lateness FROM order_ext_internal.timer_firings"
	" ORDER BY seq DESC LIMIT 1");

static SavedPlan newest_progress = SAVED_PLAN(
	"SELECT seq, fired_until, seen FROM order_ext_internal.timer_progress"
	" WHERE bucket = $1 ORDER BY seq DESC LIMIT 1", INT2OID);

/* ---- the heap ---- */

static int
compare_timers(const pairingheap_node *a, const pairingheap_node *b, void *arg)
{
	const QueuedTimer *left = pairingheap_const_container(QueuedTimer, node, a);
	const QueuedTimer *right = pairingheap_const_container(QueuedTimer, node, b);

	(void) arg;
	/* The heap has its greatest element on top; ours is the earliest. */
	if (left->due_at != right->due_at)
		return left->due_at < right->due_at ? 1 : -1;
	if (left->message_id != right->message_id)
		return left->message_id < right->message_id ? 1 : -1;
	return 0;
}

QueuedTimer *
timer_queue_first(TimerQueue *queue)
{
	if (pairingheap_is_empty(queue->heap))
		return NULL;
	return pairingheap_container(QueuedTimer, node, pairingheap_first(queue->heap));
}

QueuedTimer *
timer_queue_pop(TimerQueue *queue)
{
	QueuedTimer *timer = pairingheap_container(QueuedTimer, node,
											   pairingheap_remove_first(queue->heap));

	queue->buckets[timer->bucket].queued--;
	return timer;
}

void
timer_queue_free(TimerQueue *queue, QueuedTimer *timer)
{
	(void) queue;
	pfree(timer);
}

/* ---- rows ---- */

bool
timer_is_handled(const QueueBucket *bucket, uint64 xid, TimestampTz due_at)
{
	return bucket->seen != NULL && due_at <= bucket->fired_until &&
		log_snapshot_sees(bucket->seen, xid);
}

/*
 * Queue a row that has not been handled. One that was due in a past that the clock has
 * been set back from would count as handled as soon as its transaction is: it goes to
 * timers_far instead.
 */
static void
enqueue(TimerQueue *queue, int b, TimestampTz due_at, int64 message_id,
		const ItemPointerData *tid, TimestampTz now)
{
	QueueBucket *bucket = &queue->buckets[b];
	MemoryContext old = MemoryContextSwitchTo(queue->timers);
	QueuedTimer *timer = palloc(sizeof(QueuedTimer));

	timer->due_at = due_at;
	timer->message_id = message_id;
	timer->tid = *tid;
	timer->bucket = b;
	if (bucket->seen != NULL && due_at <= bucket->fired_until && due_at > now)
	{
		MemoryContextSwitchTo(queue->context);
		queue->postponed = lappend(queue->postponed, timer);
	}
	else
	{
		pairingheap_add(queue->heap, &timer->node);
		bucket->queued++;
	}
	MemoryContextSwitchTo(old);
}

static LogSnapshot *
copy_snapshot(const TimerQueue *queue, const LogSnapshot *snapshot)
{
	MemoryContext old = MemoryContextSwitchTo(queue->context);
	LogSnapshot *copy = palloc(sizeof(LogSnapshot));

	*copy = *snapshot;
	copy->xip = palloc(sizeof(uint64) * (snapshot->nxip + 1));
	memcpy(copy->xip, snapshot->xip, sizeof(uint64) * snapshot->nxip);
	MemoryContextSwitchTo(old);
	return copy;
}

static void
free_snapshot(LogSnapshot *snapshot)
{
	if (snapshot == NULL)
		return;
	pfree(snapshot->xip);
	pfree(snapshot);
}

static void
set_loaded_to(TimerQueue *queue, QueueBucket *bucket, const LogSnapshot *snapshot)
{
	LogSnapshot *copy = copy_snapshot(queue, snapshot);

	free_snapshot(bucket->loaded_to);
	bucket->loaded_to = copy;
}

/*
 * Read the whole bucket: queue what is due before due_limit, is not handled, and is not
 * queued already.
 */
static void
load_whole(TimerQueue *queue, int b, Relation rel, const LogSnapshot *upto,
		   TimestampTz due_limit, TimestampTz now)
{
	QueueBucket *bucket = &queue->buckets[b];
	TableScanDesc scan = table_beginscan(rel, GetActiveSnapshot(), 0, NULL);
	TupleTableSlot *slot = table_slot_create(rel, NULL);

	while (table_scan_getnextslot(scan, ForwardScanDirection, slot))
	{
		uint64		xid;
		TimestampTz due_at;

		CHECK_FOR_INTERRUPTS();
		slot_getsomeattrs(slot, TIMER_DUE_AT);
		due_at = DatumGetTimestampTz(slot->tts_values[TIMER_DUE_AT - 1]);
		if (due_at >= due_limit)
			continue;
		xid = U64FromFullTransactionId(DatumGetFullTransactionId(slot->tts_values[TIMER_XID - 1]));
		/* Our own rows are visible to us, but not yet anybody's business. */
		if (!log_snapshot_sees(upto, xid) || timer_is_handled(bucket, xid, due_at))
			continue;
		if (bucket->loaded_to != NULL && due_at < bucket->due_limit &&
			log_snapshot_sees(bucket->loaded_to, xid))
			continue;
		enqueue(queue, b, due_at, DatumGetInt64(slot->tts_values[TIMER_MESSAGE_ID - 1]),
				&slot->tts_tid, now);
	}
	ExecDropSingleTupleTableSlot(slot);
	table_endscan(scan);
	set_loaded_to(queue, bucket, upto);
	bucket->due_limit = due_limit;
}

/* Queue the rows of transactions from first (to before end, or just that one if 0). */
static int64
load_transactions(TimerQueue *queue, int b, Relation rel, uint64 first, uint64 end,
				  const LogSnapshot *upto, TimestampTz now)
{
	QueueBucket *bucket = &queue->buckets[b];
	ScanKeyData keys[2];
	SysScanDesc scan;
	HeapTuple	tuple;
	Oid			index;
	int64		found = 0;

	list_free(RelationGetIndexList(rel));
	index = rel->rd_pkindex;
	ScanKeyInit(&keys[0], TIMER_XID,
				end == 0 ? BTEqualStrategyNumber : BTGreaterEqualStrategyNumber,
				end == 0 ? F_XID8EQ : F_XID8GE,
				FullTransactionIdGetDatum(FullTransactionIdFromU64(first)));
	ScanKeyInit(&keys[1], TIMER_XID, BTLessStrategyNumber, F_XID8LT,
				FullTransactionIdGetDatum(FullTransactionIdFromU64(end)));
	scan = systable_beginscan(rel, index, true, GetActiveSnapshot(), end == 0 ? 1 : 2, keys);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		TupleDesc	desc = RelationGetDescr(rel);
		bool		isnull;
		uint64		xid;
		TimestampTz due_at;

		CHECK_FOR_INTERRUPTS();
		xid = U64FromFullTransactionId(DatumGetFullTransactionId(heap_getattr(tuple, TIMER_XID, desc, &isnull)));
		due_at = DatumGetTimestampTz(heap_getattr(tuple, TIMER_DUE_AT, desc, &isnull));
		if (due_at >= bucket->due_limit || !log_snapshot_sees(upto, xid) ||
			timer_is_handled(bucket, xid, due_at))
			continue;
		enqueue(queue, b, due_at,
				DatumGetInt64(heap_getattr(tuple, TIMER_MESSAGE_ID, desc, &isnull)),
				&tuple->t_self, now);
		found++;
	}
	systable_endscan(scan);
	return found;
}

/* As the interface says; the snapshot is the active one. */
static int64
catch_up_to(TimerQueue *queue, int b, Relation rel, const LogSnapshot *upto, TimestampTz now)
{
	QueueBucket *bucket = &queue->buckets[b];
	const LogSnapshot *from = bucket->loaded_to;
	int64		found = 0;
	int			i;

	if (upto->xmax == from->xmax && from->nxip == 0)
		return 0;
	for (i = 0; i < from->nxip; i++)
	{
		if (log_snapshot_sees(upto, from->xip[i]))
			found += load_transactions(queue, b, rel, from->xip[i], 0, upto, now);
	}
	if (upto->xmax > from->xmax)
		found += load_transactions(queue, b, rel, from->xmax, upto->xmax, upto, now);
	set_loaded_to(queue, bucket, upto);
	return found;
}

int64
timer_queue_catch_up(TimerQueue *queue, int b, Relation rel, TimestampTz now)
{
	return catch_up_to(queue, b, rel, log_snapshot_active(), now);
}

void
timer_queue_mark_seen(TimerQueue *queue, int b)
{
	QueueBucket *bucket = &queue->buckets[b];

	free_snapshot(bucket->seen);
	bucket->seen = copy_snapshot(queue, bucket->loaded_to);
}

/* ---- the queue ---- */

void
timer_queue_forget(void)
{
	if (queue_in_memory != NULL)
		MemoryContextDelete(queue_in_memory->context);
	queue_in_memory = NULL;
}

/* The newest row of timer_firings is what tells whether the queue is still true. */
static void
read_firings(TimerQueue *into)
{
	Datum	   *counts;
	int			n;
	int			i;
	bool		isnull;

	into->firings_seq = 0;
	into->firings_at = 0;
	if (plan_query_in_snapshot(&newest_firing, NULL, NULL, 1) == 0)
		return;
	into->firings_seq = row_int64(0, 1);
	into->firings_at = row_timestamptz(0, 2);
	into->fired = row_int64(0, 3);
	deconstruct_array(DatumGetArrayTypeP(row_datum(0, 4, &isnull)), INT8OID, 8,
					  FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &counts, NULL, &n);
	for (i = 0; i < n && i < (int) lengthof(into->lateness); i++)
		into->lateness[i] = DatumGetInt64(counts[i]);
}

static void
read_progress(TimerQueue *queue)
{
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
		bucket->seen = copy_snapshot(queue, log_snapshot_from_datum(row_datum(0, 3, &isnull)));
	}
}

static TimerQueue *
make_queue(const TimerQueue *firings)
{
	MemoryContext context = AllocSetContextCreate(TopMemoryContext, "order_ext timers",
												  ALLOCSET_DEFAULT_SIZES);
	TimerQueue *queue = MemoryContextAllocZero(context, sizeof(TimerQueue));
	MemoryContext old = MemoryContextSwitchTo(context);
	int			b;

	*queue = *firings;
	queue->context = context;
	queue->timers = SlabContextCreate(context, "order_ext queued timers",
									  SLAB_DEFAULT_BLOCK_SIZE * 8, sizeof(QueuedTimer));
	queue->heap = pairingheap_allocate(compare_timers, NULL);
	queue->far_floor = DT_NOBEGIN;
	for (b = 0; b < TIMER_BUCKETS; b++)
		queue->buckets[b].due_limit = DT_NOBEGIN;
	MemoryContextSwitchTo(old);
	queue->busy = true;
	queue_in_memory = queue;
	read_progress(queue);
	return queue;
}

void
timer_queue_unload(TimerQueue *queue, int b)
{
	QueueBucket *bucket = &queue->buckets[b];

	free_snapshot(bucket->loaded_to);
	bucket->loaded_to = NULL;
	bucket->due_limit = DT_NOBEGIN;
}

/*
 * Load one of the buckets of the present, or follow one that is loaded. At first every
 * other bucket with rows is looked into as well, because of what a stopped server has
 * left behind; those without such are let go of until their period comes.
 */
static void
bring_bucket_up_to_date(TimerQueue *queue, int b, TimestampTz due_limit,
						const LogSnapshot *upto, TimestampTz now)
{
	QueueBucket *bucket = &queue->buckets[b];
	bool		is_present = (due_limit != DT_NOBEGIN);
	Relation	rel = table_open(timer_bucket_relation(b), AccessShareLock);
	BlockNumber blocks = RelationGetNumberOfBlocks(rel);

	if (is_present && bucket->due_limit < due_limit)
		load_whole(queue, b, rel, upto, due_limit, now);
	else if (bucket->loaded_to != NULL)
		(void) catch_up_to(queue, b, rel, upto, now);
	else if (blocks > 0)
	{
		load_whole(queue, b, rel, upto, timer_period_start(timer_period(now) + 1), now);
		if (bucket->queued == 0)
			timer_queue_unload(queue, b);
	}
	/* Nothing in it, and its time is over. */
	if (!is_present && bucket->loaded_to != NULL && blocks == 0 && bucket->queued == 0)
		timer_queue_unload(queue, b);
	table_close(rel, AccessShareLock);
}

/* The buckets of the present are the running period's, the last one's (for those who
 * commit late), and the coming one's shortly before it begins. */
static void
bring_up_to_date(TimerQueue *queue, TimestampTz now, bool is_new)
{
	const LogSnapshot *upto = log_snapshot_active();
	int64		first = timer_period(now) - 1;
	int64		last = timer_period(now + TIMER_LOAD_AHEAD);
	TimestampTz due_limits[TIMER_BUCKETS];
	int64		period;
	int			b;

	for (b = 0; b < TIMER_BUCKETS; b++)
		due_limits[b] = DT_NOBEGIN;
	for (period = first; period <= last; period++)
		due_limits[timer_bucket(period)] = timer_period_start(period + 1);
	for (b = 0; b < TIMER_BUCKETS; b++)
	{
		if (is_new || due_limits[b] != DT_NOBEGIN || queue->buckets[b].loaded_to != NULL)
			bring_bucket_up_to_date(queue, b, due_limits[b], upto, now);
	}
}

TimerQueue *
timer_queue_current(TimestampTz now)
{
	TimerQueue	firings = {0};
	bool		is_new = false;

	read_firings(&firings);
	if (queue_in_memory != NULL &&
		(queue_in_memory->busy ||
		 queue_in_memory->firings_seq != firings.firings_seq ||
		 queue_in_memory->firings_at != firings.firings_at))
		timer_queue_forget();
	if (queue_in_memory == NULL)
	{
		(void) make_queue(&firings);
		is_new = true;
	}
	queue_in_memory->busy = true;
	bring_up_to_date(queue_in_memory, now, is_new);
	return queue_in_memory;
}

void
timer_queue_done(TimerQueue *queue)
{
	queue->busy = false;
}

TimestampTz
timer_queue_next_load(TimerQueue *queue, TimestampTz now)
{
	int64		present = timer_period(now);
	int			ahead;

	for (ahead = 1; ahead < TIMER_BUCKETS; ahead++)
	{
		int			b = timer_bucket(present + ahead);
		TimestampTz start = timer_period_start(present + ahead);
		Relation	rel;
		BlockNumber blocks;

		if (queue->buckets[b].due_limit > start)
			continue;			/* loaded already */
		rel = table_open(timer_bucket_relation(b), AccessShareLock);
		blocks = RelationGetNumberOfBlocks(rel);
		table_close(rel, AccessShareLock);
		if (blocks > 0)
			return Max(start - TIMER_LOAD_AHEAD, now);
	}
	return DT_NOEND;
}
