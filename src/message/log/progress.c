/*
 * progress.c
 *		Where a consumer group stands in the log; see progress.h.
 *
 * group_progress is append-only and the newest row counts: a handful of rows updated hundreds of
 * times a second would bloat without limit while some session holds an old snapshot. Old rows are
 * deleted from time to time, but never read again.
 */
#include "compat.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/xid8.h"

#include "core/append.h"
#include "core/errors.h"
#include "core/internal.h"
#include "core/spi_util.h"
#include "message/base/engine.h"
#include "message/base/limits.h"
#include "message/log/progress.h"

/* Columns of group_progress. */
enum
{
	PROGRESS_SEQ = 1,
	PROGRESS_GROUP_ID,
	PROGRESS_PART,
	PROGRESS_POS_ID,
	PROGRESS_POS_XID,
	PROGRESS_CONSUMED,
	PROGRESS_AT,
	PROGRESS_DONE,
	PROGRESS_READING,
	PROGRESS_PARTS,
	PROGRESS_COLUMNS = PROGRESS_PARTS
};

/* Columns of inline_ranges. */
enum
{
	RANGE_GROUP_ID = 1,
	RANGE_XID,
	RANGE_FIRST_ID,
	RANGE_LAST_ID,
	RANGE_AT,
	RANGE_COLUMNS = RANGE_AT
};

static SavedPlan drop_old_progress = SAVED_PLAN(
	"DELETE FROM order_ext_internal.group_progress"
	" WHERE group_id = $1 AND part = $4 AND seq <= $2 AND seq > $3",
	INT4OID, INT8OID, INT8OID, INT2OID);

static SavedPlan find_newest_seq = SAVED_PLAN(
	"SELECT seq FROM order_ext_internal.group_progress"
	" WHERE group_id = $1 AND part = $2 ORDER BY seq DESC LIMIT 1",
	INT4OID, INT2OID);

static SavedPlan forget_ranges = SAVED_PLAN(
	"DELETE FROM order_ext_internal.inline_ranges"
	" WHERE group_id = $1 AND pg_catalog.pg_visible_in_snapshot(xid, $2)",
	INT4OID, PG_SNAPSHOTOID);

static SavedPlan forget_ranges_of_parts = SAVED_PLAN(
	"DELETE FROM order_ext_internal.inline_ranges r"
	" WHERE r.group_id = $1 AND pg_catalog.pg_visible_in_snapshot(r.xid, $2)"
	"  AND NOT EXISTS ("
	"	SELECT FROM order_ext_internal.group_cursors c"
	"	WHERE c.group_id = $1 AND NOT pg_catalog.pg_visible_in_snapshot(r.xid, c.done))",
	INT4OID, PG_SNAPSHOTOID);

static void
progress_from_row(Progress *progress, const Datum *values, const bool *nulls)
{
	progress->seq = DatumGetInt64(values[PROGRESS_SEQ - 1]);
	progress->consumed = DatumGetInt64(values[PROGRESS_CONSUMED - 1]);
	progress->done = snapshot_from_datum(values[PROGRESS_DONE - 1]);
	if (!nulls[PROGRESS_READING - 1])
		progress->reading = snapshot_from_datum(values[PROGRESS_READING - 1]);
	if (!nulls[PROGRESS_POS_XID - 1])
	{
		progress->has_pos = true;
		progress->pos.xid = DatumGetUInt64(values[PROGRESS_POS_XID - 1]);
		progress->pos.message_id = DatumGetInt64(values[PROGRESS_POS_ID - 1]);
	}
}

/*
 * The newest committed row: in REPEATABLE READ, our snapshot may show an older one or, after the
 * table has been rewritten, none at all.
 */
static int64
newest_seq(int32 group_id, int16 part)
{
	int64		seq = 0;
	Datum		values[2];
	EngineScope scope;

	values[0] = Int32GetDatum(group_id);
	values[1] = Int16GetDatum(part);
	PushActiveSnapshot(GetLatestSnapshot());
	engine_enter(&scope);
	if (plan_query_in_snapshot(&find_newest_seq, values, NULL, 1) > 0)
		seq = row_int64(0, 1);
	engine_leave(&scope);
	PopActiveSnapshot();
	return seq;
}

static bool
load_newest(Progress *progress, Relation rel, Relation index, const ScanKeyData *keys)
{
	ScanKeyData copy[2];
	SysScanDesc scan;
	HeapTuple	tuple;

	/* the scan replaces the column numbers by those of the index */
	memcpy(copy, keys, sizeof(copy));
	scan = systable_beginscan_ordered(rel, index, GetActiveSnapshot(), lengthof(copy), copy);
	tuple = systable_getnext_ordered(scan, BackwardScanDirection);
	if (tuple != NULL)
	{
		Datum		values[PROGRESS_COLUMNS];
		bool		nulls[PROGRESS_COLUMNS];

		heap_deform_tuple(tuple, RelationGetDescr(rel), values, nulls);
		progress_from_row(progress, values, nulls);
	}
	systable_endscan_ordered(scan);
	return tuple != NULL;
}

void
progress_look(const ConsumerGroup *group, int16 part, Progress *progress)
{
	Relation	rel = table_open(internal_relation("group_progress"), AccessShareLock);
	Relation	index = index_open(internal_relation("group_progress_pkey"), AccessShareLock);
	ScanKeyData keys[2];

	memset(progress, 0, sizeof(Progress));
	progress->group_id = group->id;
	progress->part.part = part;
	progress->part.parts = group->parts;

	ScanKeyInit(&keys[0], PROGRESS_GROUP_ID, BTEqualStrategyNumber, F_INT4EQ,
				Int32GetDatum(group->id));
	ScanKeyInit(&keys[1], PROGRESS_PART, BTEqualStrategyNumber, F_INT2EQ, Int16GetDatum(part));
	if (!load_newest(progress, rel, index, keys))
		progress->done = snapshot_from_text(group->start_at);
	/* not kept, or the table could never be rewritten */
	index_close(index, AccessShareLock);
	table_close(rel, AccessShareLock);
}

void
progress_load(const ConsumerGroup *group, int16 part, Progress *progress)
{
	progress_look(group, part, progress);
	if (progress->seq == 0 && !IsolationUsesXactSnapshot())
	{
		/* the table may have been rewritten since the snapshot was taken (upkeep/compact.c) */
		PushActiveSnapshot(GetLatestSnapshot());
		progress_look(group, part, progress);
		PopActiveSnapshot();
	}
	if (IsolationUsesXactSnapshot() && progress->seq != newest_seq(group->id, part))
		error_conflict("the consumer group was read by another transaction");
}

/* The newest row of each part, from the highest part down: a lookup each. */
int64
progress_consumed(int32 group_id)
{
	Relation	rel = table_open(internal_relation("group_progress"), AccessShareLock);
	Relation	index = index_open(internal_relation("group_progress_pkey"), AccessShareLock);
	int64		consumed = 0;
	int16		below = PG_INT16_MAX;
	HeapTuple	tuple;

	do
	{
		ScanKeyData keys[2];
		SysScanDesc scan;
		bool		isnull;

		ScanKeyInit(&keys[0], PROGRESS_GROUP_ID, BTEqualStrategyNumber, F_INT4EQ,
					Int32GetDatum(group_id));
		ScanKeyInit(&keys[1], PROGRESS_PART, BTLessStrategyNumber, F_INT2LT,
					Int16GetDatum(below));
		scan = systable_beginscan_ordered(rel, index, GetActiveSnapshot(), lengthof(keys), keys);
		tuple = systable_getnext_ordered(scan, BackwardScanDirection);
		if (tuple != NULL)
		{
			below = DatumGetInt16(heap_getattr(tuple, PROGRESS_PART, RelationGetDescr(rel),
											   &isnull));
			consumed += DatumGetInt64(heap_getattr(tuple, PROGRESS_CONSUMED,
												   RelationGetDescr(rel), &isnull));
		}
		systable_endscan_ordered(scan);
	} while (tuple != NULL);
	index_close(index, AccessShareLock);
	table_close(rel, AccessShareLock);
	return consumed;
}

void
progress_window(const ConsumerGroup *group, const Progress *progress, LogWindow *window)
{
	memset(window, 0, sizeof(LogWindow));
	window->topic_id = group->topic_id;
	window->part = progress->part;
	window->done = progress->done;
	window->reading = progress->reading;
	window->after = progress->has_pos ? &progress->pos : NULL;
}

/* Delete rows that are far behind; only those that became so since the last time. */
static void
prune(const Progress *progress)
{
	int64		upto = progress->seq - PROGRESS_KEPT;
	EngineScope scope;
	Datum		values[4];

	if (progress->seq % PROGRESS_PRUNE_EVERY != 0 || upto <= 0)
		return;
	values[0] = Int32GetDatum(progress->group_id);
	values[1] = Int64GetDatum(upto);
	values[2] = Int64GetDatum(upto - 2 * PROGRESS_PRUNE_EVERY);
	values[3] = Int16GetDatum(progress->part.part);
	engine_enter(&scope);
	plan_write(&drop_old_progress, values, NULL, 0);
	engine_leave(&scope);
}

static void
append_progress_row(const Progress *progress)
{
	Appender   *appender = append_open("group_progress");
	Datum		values[PROGRESS_COLUMNS] = {0};
	bool		nulls[PROGRESS_COLUMNS] = {false};

	values[PROGRESS_SEQ - 1] = Int64GetDatum(progress->seq);
	values[PROGRESS_GROUP_ID - 1] = Int32GetDatum(progress->group_id);
	values[PROGRESS_PART - 1] = Int16GetDatum(progress->part.part);
	values[PROGRESS_PARTS - 1] = Int16GetDatum(progress->part.parts);
	nulls[PROGRESS_POS_ID - 1] = nulls[PROGRESS_POS_XID - 1] = !progress->has_pos;
	values[PROGRESS_POS_ID - 1] = Int64GetDatum(progress->pos.message_id);
	values[PROGRESS_POS_XID - 1] = UInt64GetDatum(progress->pos.xid);
	values[PROGRESS_CONSUMED - 1] = Int64GetDatum(progress->consumed);
	values[PROGRESS_AT - 1] = TimestampTzGetDatum(GetCurrentTimestamp());
	values[PROGRESS_DONE - 1] = snapshot_to_datum(progress->done);
	nulls[PROGRESS_READING - 1] = (progress->reading == NULL);
	if (progress->reading != NULL)
		values[PROGRESS_READING - 1] = snapshot_to_datum(progress->reading);
	append_row(appender, values, nulls);
	append_close(appender);
}

void
progress_append(Progress *progress)
{
	MemoryContext context = CurrentMemoryContext;

	progress->seq++;
	PG_TRY();
	{
		append_progress_row(progress);
	}
	PG_CATCH();
	{
		if (geterrcode() != ERRCODE_UNIQUE_VIOLATION)
			PG_RE_THROW();
		MemoryContextSwitchTo(context);
		FlushErrorState();
		error_conflict("the consumer group was read by another transaction");
	}
	PG_END_TRY();
	prune(progress);
}

void
progress_close_window(Progress *progress)
{
	progress->done = progress->reading;
	progress->reading = NULL;
	progress->has_pos = false;
	memset(&progress->pos, 0, sizeof(progress->pos));
}

/* ---- ranges delivered by dispatch() in the publishing transaction ---- */

/* The last range of the group that begins at or before the position (all: anywhere). */
static bool
find_range(Relation rel, Relation index, int32 group_id, const LogPosition *at, int64 *last_id)
{
	ScanKeyData keys[3];
	SysScanDesc scan;
	HeapTuple	tuple;
	bool		isnull;

	ScanKeyInit(&keys[0], RANGE_GROUP_ID, BTEqualStrategyNumber, F_INT4EQ, Int32GetDatum(group_id));
	if (at != NULL)
	{
		ScanKeyInit(&keys[1], RANGE_XID, BTEqualStrategyNumber, F_XID8EQ, UInt64GetDatum(at->xid));
		ScanKeyInit(&keys[2], RANGE_FIRST_ID, BTLessEqualStrategyNumber, F_INT8LE,
					Int64GetDatum(at->message_id));
	}
	scan = systable_beginscan_ordered(rel, index, GetActiveSnapshot(), at != NULL ? 3 : 1, keys);
	tuple = systable_getnext_ordered(scan, BackwardScanDirection);
	if (tuple != NULL)
		*last_id = DatumGetInt64(heap_getattr(tuple, RANGE_LAST_ID,
											  RelationGetDescr(rel), &isnull));
	systable_endscan_ordered(scan);
	return tuple != NULL;
}

void
progress_inline_open(InlineRanges *ranges, int32 group_id)
{
	int64		last_id;

	ranges->group_id = group_id;
	ranges->rel = table_open(internal_relation("inline_ranges"), AccessShareLock);
	ranges->index = index_open(internal_relation("inline_ranges_pkey"), AccessShareLock);
	ranges->any = find_range(ranges->rel, ranges->index, group_id, NULL, &last_id);
}

void
progress_inline_close(InlineRanges *ranges)
{
	index_close(ranges->index, NoLock);
	table_close(ranges->rel, NoLock);
}

/*
 * One lookup for each row, since one transaction can have left a hundred thousand ranges, of
 * which a batch needs a few hundred. Most groups have none, which takes a single lookup.
 */
bool
progress_inline_holds(const InlineRanges *ranges, const LogPosition *at)
{
	int64		last_id;

	return ranges->any &&
		find_range(ranges->rel, ranges->index, ranges->group_id, at, &last_id) &&
		last_id >= at->message_id;
}

bool
progress_mark_inline(int32 group_id, const LogRow *rows, int n, bool *delivered)
{
	InlineRanges ranges;
	int			i;

	/* a snapshot of after the table's lock (upkeep/compact.c); the group's lock keeps the rows */
	LockRelationOid(internal_relation("inline_ranges"), AccessShareLock);
	PushActiveSnapshot(GetLatestSnapshot());
	progress_inline_open(&ranges, group_id);
	for (i = 0; i < n; i++)
		delivered[i] = progress_inline_holds(&ranges, &rows[i].at);
	progress_inline_close(&ranges);
	PopActiveSnapshot();
	return ranges.any;
}

void
progress_append_inline(int32 group_id, const LogRow *rows, int n)
{
	Appender   *appender;
	Datum		values[RANGE_COLUMNS];
	int			i = 0;

	if (n == 0)
		return;
	appender = append_open("inline_ranges");
	values[RANGE_GROUP_ID - 1] = Int32GetDatum(group_id);
	values[RANGE_AT - 1] = TimestampTzGetDatum(GetCurrentTimestamp());
	while (i < n)
	{
		int			first = i;

		/* only ids without a gap: a message in a gap may not be delivered yet */
		while (i + 1 < n && rows[i + 1].message.id == rows[i].message.id + 1)
			i++;
		values[RANGE_XID - 1] = UInt64GetDatum(rows[first].at.xid);
		values[RANGE_FIRST_ID - 1] = Int64GetDatum(rows[first].message.id);
		values[RANGE_LAST_ID - 1] = Int64GetDatum(rows[i].message.id);
		append_row(appender, values, NULL);
		i++;
	}
	append_close(appender);
}

void
progress_forget_inline(const Progress *progress)
{
	EngineScope scope;
	Datum		values[2];

	values[0] = Int32GetDatum(progress->group_id);
	values[1] = snapshot_to_datum(progress->done);
	engine_enter(&scope);
	plan_write(progress->part.parts > 1 ? &forget_ranges_of_parts : &forget_ranges,
			   values, NULL, 0);
	engine_leave(&scope);
}
