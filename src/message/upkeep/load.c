/*
 * load.c
 *		group_load(), index_count(), table_bytes(): how much is waiting, for consumer_stats and
 *		metrics().
 *
 * A monitoring system asks every few seconds, most often when there is much. So nothing is counted
 * beyond a given number; the rest is estimated from a few pages of the index that would have to be
 * counted (core/index_estimate.c). Access paths are fixed: a plan would depend on statistics of
 * tables that are empty in one minute and full in the next.
 */
#include "compat.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "catalog/index.h"
#include "catalog/pg_am_d.h"
#include "fmgr.h"
#include "funcapi.h"
#include "storage/bufmgr.h"
#include "storage/lmgr.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "core/index_estimate.h"
#include "core/internal.h"
#include "message/log/log.h"
#include "message/log/progress.h"
#include "message/log/segments.h"

/* Rows of one kind that a group has. */
typedef struct Counted
{
	int64		n;
	bool		exact;
	TimestampTz oldest;			/* of those counted, when published; DT_NOEND: none */
} Counted;

static bool
is_behind(void *ranges, const LogPosition *at)
{
	return progress_inline_holds(ranges, at);
}

/*
 * The messages in the log that are ahead of the group. At least one row of each part is read, for
 * the age of the oldest.
 */
static void
count_log(const ConsumerGroup *group, int most, Counted *counted)
{
	InlineRanges ranges;
	LogCount	count = {.is_behind = NULL, .oldest = DT_NOEND};
	int64		estimate = 0;
	int16		part;

	memset(counted, 0, sizeof(*counted));
	progress_inline_open(&ranges, group->id);
	if (ranges.any)
	{
		count.is_behind = is_behind;
		count.arg = &ranges;
	}
	for (part = 0; part < group->parts; part++)
	{
		Progress	progress;
		LogWindow	window;
		int			room = (int) Max(most + 1 - counted->n, 1);

		progress_look(group, part, &progress);
		progress_window(group, &progress, &window);
		counted->n += log_count_waiting(&window, room, &count);
		estimate += log_estimate_waiting(&window);
	}
	progress_inline_close(&ranges);
	counted->oldest = count.oldest;
	counted->exact = counted->n <= most;
	if (!counted->exact)
		counted->n = Max(counted->n, estimate);
}

/*
 * The visible rows that an index leads to, of one group (the first column of the index) or all of
 * them. Those with the lowest keys are looked at for the oldest.
 */
static void
count_entries(Relation rel, Relation index, const int32 *group_id, int most, Counted *counted)
{
	AttrNumber	published = get_attnum(RelationGetRelid(rel), "published_at");
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	counted->n = 0;
	counted->oldest = DT_NOEND;
	if (group_id != NULL)
		ScanKeyInit(&key, get_attnum(RelationGetRelid(rel), "group_id"), BTEqualStrategyNumber,
					F_INT4EQ, Int32GetDatum(*group_id));
	scan = systable_beginscan_ordered(rel, index, GetActiveSnapshot(), group_id != NULL ? 1 : 0,
									  &key);
	while (counted->n <= most &&
		   (tuple = systable_getnext_ordered(scan, ForwardScanDirection)) != NULL)
	{
		counted->n++;
		if (published != InvalidAttrNumber)
		{
			bool		isnull;
			Datum		at = heap_getattr(tuple, published, RelationGetDescr(rel), &isnull);

			counted->oldest = Min(counted->oldest, DatumGetTimestampTz(at));
		}
	}
	systable_endscan_ordered(scan);
	counted->exact = counted->n <= most;
	if (!counted->exact)
	{
		IndexRange	range = {.columns = 0};

		if (group_id != NULL)
		{
			range.columns = 1;
			range.first = *group_id;
		}
		counted->n = Max(counted->n, index_estimate(index, &range));
	}
}

/* The rows of a table that belong to a group. */
static void
count_kept(const char *table, const char *index_name, int32 group_id, int most, Counted *counted)
{
	Relation	rel = table_open(internal_relation(table), AccessShareLock);
	Relation	index = index_open(internal_relation(index_name), AccessShareLock);

	count_entries(rel, index, &group_id, most, counted);
	index_close(index, AccessShareLock);
	table_close(rel, AccessShareLock);
}

/* When the first retry of the group is due; DT_NOEND: there is none. */
static TimestampTz
first_retry(int32 group_id)
{
	Relation	rel = table_open(internal_relation("retries"), AccessShareLock);
	Relation	index = index_open(internal_relation("retries_due"), AccessShareLock);
	TimestampTz due = DT_NOEND;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&key, get_attnum(RelationGetRelid(rel), "group_id"), BTEqualStrategyNumber,
				F_INT4EQ, Int32GetDatum(group_id));
	scan = systable_beginscan_ordered(rel, index, GetActiveSnapshot(), 1, &key);
	tuple = systable_getnext_ordered(scan, ForwardScanDirection);
	if (tuple != NULL)
	{
		bool		isnull;

		due = DatumGetTimestampTz(heap_getattr(tuple, get_attnum(RelationGetRelid(rel), "due_at"),
											   RelationGetDescr(rel), &isnull));
	}
	systable_endscan_ordered(scan);
	index_close(index, AccessShareLock);
	table_close(rel, AccessShareLock);
	return due;
}

/*
 * All groups that a query asks for are counted in one snapshot: what the handler of one has
 * published for another is waiting in neither of two, else. It is newer than the query's, in which
 * tables that have been rewritten since (compact.c) would be empty; the query's keeps its rows.
 */
static Snapshot
snapshot_of_query(FmgrInfo *call)
{
	static const char *const rewritten[] = {
		"group_progress", "inline_ranges", "leases", "retries", "parked_messages",
		"dead_messages"
	};
	MemoryContext caller;
	Snapshot	snapshot;
	char	   *copy;
	int			i;

	if (call->fn_extra != NULL)
		return call->fn_extra;
	log_hold_segments();
	for (i = 0; i < (int) lengthof(rewritten); i++)
		LockRelationOid(internal_relation(rewritten[i]), AccessShareLock);
	snapshot = GetLatestSnapshot();
	caller = MemoryContextSwitchTo(call->fn_mcxt);
	copy = palloc(EstimateSnapshotSpace(snapshot));
	SerializeSnapshot(snapshot, copy);
	call->fn_extra = RestoreSnapshot(copy);
	MemoryContextSwitchTo(caller);
	return call->fn_extra;
}

/* group_load(group_id, most): see sql/parts/505_load.sql. */
PG_FUNCTION_INFO_V1(order_ext_group_load);
Datum
order_ext_group_load(PG_FUNCTION_ARGS)
{
	const ConsumerGroup *group = catalog_group_by_id(PG_GETARG_INT32(0));
	int			most = PG_GETARG_INT32(1);
	Datum		values[9] = {0};
	bool		nulls[9];
	TupleDesc	desc;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "group_load() must return a row");
	memset(nulls, true, sizeof(nulls));
	if (group != NULL)
	{
		Counted		waiting;
		Counted		leased;
		Counted		retrying;
		Counted		parked;
		Counted		dead;
		TimestampTz oldest;
		TimestampTz due;

		PushCopiedSnapshot(snapshot_of_query(fcinfo->flinfo));
		count_log(group, most, &waiting);
		count_kept("leases", "leases_key", group->id, most, &leased);
		count_kept("retries", "retries_pkey", group->id, most, &retrying);
		count_kept("parked_messages", "parked_messages_pkey", group->id, most, &parked);
		count_kept("dead_messages", "dead_messages_pkey", group->id, most, &dead);
		oldest = Min(Min(waiting.oldest, leased.oldest), Min(retrying.oldest, parked.oldest));
		values[0] = Int64GetDatum(waiting.n);
		values[1] = Int64GetDatum(leased.n);
		values[2] = BoolGetDatum(waiting.exact && leased.exact);
		values[3] = Int64GetDatum(retrying.n);
		values[4] = Int64GetDatum(parked.n);
		values[5] = Int64GetDatum(dead.n);
		values[6] = TimestampTzGetDatum(oldest);
		values[7] = Int64GetDatum(progress_consumed(group->id));
		due = first_retry(group->id);
		PopActiveSnapshot();
		values[8] = TimestampTzGetDatum(due);
		memset(nulls, false, sizeof(nulls));
		nulls[6] = oldest == DT_NOEND;
		nulls[8] = due == DT_NOEND;
	}
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}

/* index_count(index, most): see sql/parts/505_load.sql. */
PG_FUNCTION_INFO_V1(order_ext_index_count);
Datum
order_ext_index_count(PG_FUNCTION_ARGS)
{
	Oid			table = IndexGetRelation(PG_GETARG_OID(0), false);
	Relation	rel = table_open(table, AccessShareLock);
	Relation	index = index_open(PG_GETARG_OID(0), AccessShareLock);
	Counted		counted;

	if (index->rd_rel->relam != BTREE_AM_OID)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is not a B-tree", RelationGetRelationName(index))));
	/* after the lock: the table may just have been rewritten */
	PushActiveSnapshot(GetLatestSnapshot());
	count_entries(rel, index, NULL, PG_GETARG_INT32(1), &counted);
	PopActiveSnapshot();
	index_close(index, AccessShareLock);
	table_close(rel, AccessShareLock);
	PG_RETURN_INT64(counted.n);
}

static int64
table_blocks(Relation rel)
{
	int64		blocks = RelationGetNumberOfBlocks(rel);
	ListCell   *cell;

	foreach(cell, RelationGetIndexList(rel))
	{
		Relation	index = index_open(lfirst_oid(cell), AccessShareLock);

		blocks += RelationGetNumberOfBlocks(index);
		index_close(index, AccessShareLock);
	}
	if (OidIsValid(rel->rd_rel->reltoastrelid))
	{
		Relation	toast = table_open(rel->rd_rel->reltoastrelid, AccessShareLock);

		blocks += table_blocks(toast);
		table_close(toast, AccessShareLock);
	}
	return blocks;
}

/* table_bytes(relation): see sql/parts/505_load.sql. */
PG_FUNCTION_INFO_V1(order_ext_table_bytes);
Datum
order_ext_table_bytes(PG_FUNCTION_ARGS)
{
	Relation	rel = table_open(PG_GETARG_OID(0), AccessShareLock);
	int64		blocks = table_blocks(rel);

	table_close(rel, AccessShareLock);
	PG_RETURN_INT64(blocks * BLCKSZ);
}
