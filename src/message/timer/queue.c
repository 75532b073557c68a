/*
 * queue.c
 *		The current timers in memory; see queue.h.
 *
 * A bucket is read completely once, when its period approaches, and from then on only the rows of
 * transactions that the last read did not see: those with later ids, and those that were still
 * running. Nothing is ever reread because of a slow commit.
 */
#include "compat.h"

#include "access/genam.h"
#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/transam.h"
#include "miscadmin.h"
#include "nodes/pg_list.h"
#include "storage/bufmgr.h"
#include "utils/fmgroids.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/xid8.h"

#include "core/ids.h"
#include "core/internal.h"
#include "message/timer/heaps.h"
#include "message/timer/queue.h"
#include "message/timer/record.h"

static TimerQueue *queue_in_memory = NULL;

/* ---- rows ---- */

static void
enqueue(TimerQueue *queue, int bucket, TimestampTz due_at, int64 message_id, int32 topic_id,
		const ItemPointerData *tid)
{
	QueuedTimer timer = {
		.due_at = due_at, .message_id = message_id, .tid = *tid, .bucket = bucket
	};

	timer_heaps_add(queue, topic_id, &timer);
}

/* Whether a row of the bucket has been handled, according to timer_progress. */
static bool
is_handled(const QueueBucket *bucket, uint64 xid, TimestampTz due_at)
{
	return bucket->seen != NULL && due_at <= bucket->fired_until &&
		snapshot_sees(bucket->seen, xid);
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
	LogSnapshot *copy = timer_memory_copy_snapshot(queue, snapshot);

	free_snapshot(bucket->loaded_to);
	bucket->loaded_to = copy;
}

/* ---- loading ---- */

/*
 * Begin to read a bucket: rows that are due before due_limit, visible in upto, not handled, and
 * not yet queued.
 */
static void
begin_load(TimerQueue *queue, int b, const LogSnapshot *upto, TimestampTz due_limit)
{
	QueueBucket *bucket = &queue->buckets[b];

	bucket->load.upto = timer_memory_copy_snapshot(queue, upto);
	bucket->load.due_limit = due_limit;
	bucket->load.next_block = 0;
	bucket->load.ahead = NULL;
	bucket->load.n_ahead = 0;
	bucket->holds_later = false;
	if (bucket->ahead_until != DT_NOBEGIN)
		bucket->load.ahead = timer_ahead_read(b, queue->context, &bucket->load.n_ahead);
}

static void
end_load(QueueBucket *bucket)
{
	free_snapshot(bucket->loaded_to);
	bucket->loaded_to = bucket->load.upto;
	bucket->due_limit = bucket->load.due_limit;
	bucket->load.upto = NULL;
	if (bucket->load.ahead != NULL)
		pfree(bucket->load.ahead);
	bucket->load.ahead = NULL;
}

static bool
is_wanted(QueueBucket *bucket, uint64 xid, TimestampTz due_at, int64 message_id)
{
	const BucketLoad *load = &bucket->load;

	/* Our own rows are visible to us, but must not be fired yet. */
	if (!snapshot_sees(load->upto, xid) || is_handled(bucket, xid, due_at))
		return false;
	if (bucket->loaded_to != NULL && due_at < bucket->due_limit &&
		snapshot_sees(bucket->loaded_to, xid))
		return false;
	if (load->n_ahead > 0 && bsearch(&message_id, load->ahead, load->n_ahead, sizeof(int64),
									 id_compare) != NULL)
		return false;
	if (due_at >= load->due_limit)
		bucket->holds_later = true;
	return due_at < load->due_limit;
}

/*
 * Continue reading, at most the given number of blocks. A bucket is insert-only, so nothing
 * moves.
 */
static void
load_slice(TimerQueue *queue, int b, Relation rel, BlockNumber blocks)
{
	QueueBucket *bucket = &queue->buckets[b];
	BlockNumber end = RelationGetNumberOfBlocks(rel);
	BlockNumber next = bucket->load.next_block;

	if (next < end)
	{
		TupleTableSlot *slot = table_slot_create(rel, NULL);
		ItemPointerData from;
		ItemPointerData to;
		TableScanDesc scan;

		blocks = Min(blocks, end - next);
		ItemPointerSet(&from, next, FirstOffsetNumber);
		ItemPointerSet(&to, next + blocks - 1, MaxOffsetNumber);
		scan = table_beginscan_tidrange(rel, GetActiveSnapshot(), &from, &to);
		while (table_scan_getnextslot_tidrange(scan, ForwardScanDirection, slot))
		{
			Datum	   *values = slot->tts_values;
			TimestampTz due_at;
			int64		message_id;

			CHECK_FOR_INTERRUPTS();
			slot_getsomeattrs(slot, TIMER_TOPIC_ID);
			due_at = DatumGetTimestampTz(values[TIMER_DUE_AT - 1]);
			message_id = DatumGetInt64(values[TIMER_MESSAGE_ID - 1]);
			if (is_wanted(bucket, DatumGetUInt64(values[TIMER_XID - 1]), due_at, message_id))
				enqueue(queue, b, due_at, message_id, DatumGetInt32(values[TIMER_TOPIC_ID - 1]),
						&slot->tts_tid);
		}
		ExecDropSingleTupleTableSlot(slot);
		table_endscan(scan);
		bucket->load.next_block = next = next + blocks;
	}
	if (next >= end)
		end_load(bucket);
}

/* Read all rows of a bucket due before due_limit at once. */
static void
load_upto(TimerQueue *queue, int b, Relation rel, TimestampTz due_limit, const LogSnapshot *upto)
{
	QueueBucket *bucket = &queue->buckets[b];

	while (bucket->due_limit < due_limit)
	{
		if (bucket->load.upto == NULL)
			begin_load(queue, b, upto, due_limit);
		load_slice(queue, b, rel, MaxBlockNumber);
	}
}

/* Queue the rows of transactions from first (to before end, or just that one if 0). */
static void
load_transactions(TimerQueue *queue, int b, Relation rel, uint64 first, uint64 end,
				  const LogSnapshot *upto)
{
	QueueBucket *bucket = &queue->buckets[b];
	ScanKeyData keys[2];
	SysScanDesc scan;
	HeapTuple	tuple;
	Oid			index;

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
		xid = DatumGetUInt64(heap_getattr(tuple, TIMER_XID, desc, &isnull));
		due_at = DatumGetTimestampTz(heap_getattr(tuple, TIMER_DUE_AT, desc, &isnull));
		if (!snapshot_sees(upto, xid))
			continue;
		if (due_at >= bucket->due_limit)
		{
			bucket->holds_later = true;
			continue;
		}
		enqueue(queue, b, due_at,
				DatumGetInt64(heap_getattr(tuple, TIMER_MESSAGE_ID, desc, &isnull)),
				DatumGetInt32(heap_getattr(tuple, TIMER_TOPIC_ID, desc, &isnull)),
				&tuple->t_self);
	}
	systable_endscan(scan);
}

/*
 * New rows of a loaded bucket cannot have been handled: if another process fires, the queue is
 * discarded.
 */
static void
catch_up_to(TimerQueue *queue, int b, Relation rel, const LogSnapshot *upto)
{
	const LogSnapshot *from = queue->buckets[b].loaded_to;
	int			i;

	if (upto->xmax == from->xmax && from->nxip == 0)
		return;
	for (i = 0; i < from->nxip; i++)
	{
		if (snapshot_sees(upto, from->xip[i]))
			load_transactions(queue, b, rel, from->xip[i], 0, upto);
	}
	if (upto->xmax > from->xmax)
		load_transactions(queue, b, rel, from->xmax, upto->xmax, upto);
	set_loaded_to(queue, &queue->buckets[b], upto);
}

void
timer_queue_catch_up(TimerQueue *queue, int b, Relation rel)
{
	catch_up_to(queue, b, rel, snapshot_active());
}

/* ---- the queue ---- */

void
timer_queue_forget(void)
{
	if (queue_in_memory != NULL)
		MemoryContextDelete(queue_in_memory->context);
	queue_in_memory = NULL;
}

static TimerQueue *
make_queue(const TimerQueue *firings, TimestampTz now)
{
	MemoryContext context = AllocSetContextCreate(TopMemoryContext, "order_ext timers",
												  ALLOCSET_DEFAULT_SIZES);
	TimerQueue *queue = MemoryContextAllocZero(context, sizeof(TimerQueue));
	MemoryContext old = MemoryContextSwitchTo(context);
	int			b;

	*queue = *firings;
	queue->context = context;
	timer_heaps_make(queue);
	queue->period = timer_period(now);
	queue->far_floor = DT_NOBEGIN;
	for (b = 0; b < TIMER_BUCKETS; b++)
		queue->buckets[b].due_limit = queue->buckets[b].ahead_until = DT_NOBEGIN;
	MemoryContextSwitchTo(old);
	queue->busy = true;
	queue_in_memory = queue;
	timer_progress_read(queue);
	return queue;
}

void
timer_queue_unload(TimerQueue *queue, int b)
{
	QueueBucket *bucket = &queue->buckets[b];

	free_snapshot(bucket->loaded_to);
	bucket->loaded_to = NULL;
	bucket->due_limit = DT_NOBEGIN;
	bucket->look_until = 0;
}

/*
 * Load a current bucket: in slices as long as its time has not come, so that timers due in the
 * running one need not wait for it.
 */
static void
load_present(TimerQueue *queue, int b, Relation rel, TimestampTz due_limit,
			 const LogSnapshot *upto, TimestampTz now)
{
	QueueBucket *bucket = &queue->buckets[b];

	if (now >= due_limit - TIMER_PERIOD || bucket->loaded_to != NULL)
	{
		load_upto(queue, b, rel, due_limit, upto);
		return;
	}
	if (bucket->load.upto == NULL)
		begin_load(queue, b, upto, due_limit);
	load_slice(queue, b, rel, TIMER_LOAD_BLOCKS);
}

/*
 * Whether a bucket has nothing for us until its period comes: it is empty, or it was checked for
 * rows left behind, and transactions that could still commit some (a prepared one) have ended,
 * too. A bucket without later rows is left to be emptied.
 */
static bool
may_unload(const QueueBucket *bucket, BlockNumber blocks, const LogSnapshot *upto)
{
	if (blocks == 0)
		return true;
	return bucket->look_until != 0 && bucket->holds_later && upto->xmin >= bucket->look_until;
}

/* Update a loaded bucket; load what is due before due_limit. */
static void
bring_bucket_up_to_date(TimerQueue *queue, int b, TimestampTz due_limit, bool is_present,
						const LogSnapshot *upto, TimestampTz now)
{
	QueueBucket *bucket = &queue->buckets[b];
	Relation	rel = table_open(timer_bucket_relation(b), AccessShareLock);
	BlockNumber blocks = RelationGetNumberOfBlocks(rel);

	if (bucket->loaded_to != NULL)
		catch_up_to(queue, b, rel, upto);
	if (is_present && bucket->due_limit < due_limit)
		load_present(queue, b, rel, due_limit, upto, now);
	else if (bucket->due_limit < due_limit && blocks > 0)
	{
		load_upto(queue, b, rel, due_limit, upto);
		bucket->look_until = upto->xmax;
	}
	if (!is_present && bucket->loaded_to != NULL && bucket->queued == 0 &&
		may_unload(bucket, blocks, upto))
		timer_queue_unload(queue, b);
	table_close(rel, AccessShareLock);
}

/*
 * The current buckets are the running period's, the previous one's (for late commits), and the
 * next one's shortly before it begins. Earlier ones are checked at first, for timers that a
 * stopped server left behind, and when the clock has jumped over their periods.
 */
static void
bring_up_to_date(TimerQueue *queue, TimestampTz now, bool is_new)
{
	const LogSnapshot *upto = snapshot_active();
	int64		present = timer_period(now);
	int64		oldest = present - TIMER_BUCKETS + 1;
	TimestampTz due_limits[TIMER_BUCKETS];
	bool		is_present[TIMER_BUCKETS];
	int64		period;
	int			b;

	for (b = 0; b < TIMER_BUCKETS; b++)
	{
		due_limits[b] = DT_NOBEGIN;
		is_present[b] = false;
	}
	for (period = is_new ? oldest : Max(queue->period, oldest); period < present - 1; period++)
		due_limits[timer_bucket(period)] = timer_period_start(period + 1);
	for (period = present - 1; period <= timer_period(now + TIMER_LOAD_AHEAD); period++)
	{
		due_limits[timer_bucket(period)] = timer_period_start(period + 1);
		is_present[timer_bucket(period)] = true;
	}
	for (b = 0; b < TIMER_BUCKETS; b++)
	{
		if (due_limits[b] != DT_NOBEGIN || queue->buckets[b].loaded_to != NULL)
			bring_bucket_up_to_date(queue, b, due_limits[b], is_present[b], upto, now);
	}
	queue->period = present;
}

TimerQueue *
timer_queue_current(TimestampTz now)
{
	TimerQueue	firings = {0};
	bool		is_new = false;

	timer_firings_read(&firings);
	if (queue_in_memory != NULL &&
		(queue_in_memory->busy ||
		 queue_in_memory->firings_seq != firings.firings_seq ||
		 queue_in_memory->firings_at != firings.firings_at))
		timer_queue_forget();
	if (queue_in_memory == NULL)
	{
		(void) make_queue(&firings, now);
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

		if (queue->buckets[b].due_limit > start)
			continue;			/* loaded already */
		if (internal_relation_blocks(timer_bucket_relation(b)) > 0)
			return Max(start - TIMER_LOAD_AHEAD, now);
	}
	return DT_NOEND;
}
