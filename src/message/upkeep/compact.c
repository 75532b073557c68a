/*
 * compact.c
 *		Small tables with short-lived rows; see compact.h.
 *
 * They have few live rows, but dead ones remain as long as any transaction holds an old snapshot.
 * So a table that has grown is rewritten: the live rows are read, the table is truncated, and the
 * rows are put back. That takes a lock for which the scheduler waits a moment, since busy
 * dispatchers never leave a gap; maintain() takes it only if it is free. For the consequences for
 * readers, see base/small_tables.c.
 */
#include "compat.h"

#include "access/detoast.h"
#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

#include "core/append.h"
#include "core/internal.h"
#include "core/locks.h"
#include "core/spi_util.h"
#include "message/base/small_tables.h"
#include "message/upkeep/compact.h"

/* Dead rows are harmless up to this size. */
#define FROM_BLOCKS 64

/* The maximum size of the rows put back, during which all other processes wait. */
#define MOST_ROWS 50000
#define MOST_BYTES (64 * 1024 * 1024)

/*
 * How long a table is left alone after its lock could not be obtained: others had to wait behind
 * us.
 */
#define AFTER_FAILURE (10 * USECS_PER_SEC)

/* How often the lock is tried when not waiting for it, and the pause in between. */
#define TRIES 20
#define TRY_PAUSE_US 2000

/* Keys of LOCK_ROTATION beyond those of the rings. */
#define ROTATION_COMPACT 100

typedef struct Compaction
{
	BlockNumber from_blocks;	/* rewriting is worthwhile from this size */
	uint64		most_rows;
	SavedPlan	keep;			/* the rows to keep, all columns in order; most_rows + 1 at most */
	SavedPlan	truncate;
	bool		of_timers;		/* read under the timers lock */
	BlockNumber left_blocks;	/* after the last time in this process */
	TimestampTz not_before;		/* its lock could not be obtained */
} Compaction;

#define KEEP_ALL(table) \
	SAVED_PLAN_NO_ARGS("SELECT * FROM order_ext_internal." table " LIMIT 50001")
#define TRUNCATE(table) SAVED_PLAN_NO_ARGS("TRUNCATE order_ext_internal." table)
#define WHOLE(table, of_timers) \
	{FROM_BLOCKS, MOST_ROWS, KEEP_ALL(table), TRUNCATE(table), of_timers, 0, 0}

static Compaction compactions[SMALL_TABLES] = {
	[SMALL_TIMER_CANCELS] = WHOLE("timer_cancels", true),
	[SMALL_TIMER_AHEAD] = WHOLE("timer_ahead", true),
	[SMALL_RETRIES] = WHOLE("retries", false),
	[SMALL_PARKED_MESSAGES] = WHOLE("parked_messages", false),
	[SMALL_INLINE_RANGES] = WHOLE("inline_ranges", false),
	[SMALL_LEASES] = WHOLE("leases", false),
	[SMALL_LEASE_RECEIPTS] = WHOLE("lease_receipts", false),
	[SMALL_TIMER_FIRINGS] = {256, MOST_ROWS, SAVED_PLAN_NO_ARGS(
		"SELECT * FROM order_ext_internal.timer_firings ORDER BY seq DESC LIMIT 4"),
	TRUNCATE("timer_firings"), true, 0, 0},
	[SMALL_TIMER_PROGRESS] = {256, MOST_ROWS, SAVED_PLAN_NO_ARGS(
		"SELECT p.* FROM generate_series(0, 31) AS b (bucket) CROSS JOIN LATERAL ("
		" SELECT * FROM order_ext_internal.timer_progress p"
		" WHERE p.bucket = b.bucket::smallint ORDER BY p.seq DESC LIMIT 4) p"),
	TRUNCATE("timer_progress"), true, 0, 0},
	[SMALL_GROUP_PROGRESS] = {2048, 200000, SAVED_PLAN_NO_ARGS(
		"SELECT p.* FROM (SELECT DISTINCT group_id, part"
		"  FROM order_ext_internal.group_progress) g CROSS JOIN LATERAL ("
		" SELECT * FROM order_ext_internal.group_progress p"
		" WHERE p.group_id = g.group_id AND p.part = g.part"
		" ORDER BY p.seq DESC LIMIT 500) p"),
	TRUNCATE("group_progress"), false, 0, 0}
};

/*
 * A transaction working on it usually takes only milliseconds. If we wait, for at most the lock
 * timeout, others queue behind us.
 */
static bool
lock_soon(Oid relation, bool may_wait)
{
	int			i;

	if (may_wait)
	{
		LockRelationOid(relation, AccessExclusiveLock);
		return true;
	}
	for (i = 0; i < TRIES; i++)
	{
		if (ConditionalLockRelationOid(relation, AccessExclusiveLock))
			return true;
		CHECK_FOR_INTERRUPTS();
		pg_usleep(TRY_PAUSE_US);
	}
	return false;
}

/* Their size in memory. */
static Size
rows_size(SPITupleTable *rows, uint64 n)
{
	Size		size = 0;
	uint64		row;
	int			i;

	for (row = 0; row < n; row++)
	{
		size += rows->vals[row]->t_len;
		for (i = 1; i <= rows->tupdesc->natts; i++)
		{
			bool		isnull;
			Datum		value;

			if (TupleDescAttr(rows->tupdesc, i - 1)->attlen != -1)
				continue;
			value = heap_getattr(rows->vals[row], i, rows->tupdesc, &isnull);
			if (!isnull)
				size += toast_raw_datum_size(value);
		}
	}
	return size;
}

/* Read the rows to keep into SPI_tuptable; false if the table is not small. */
static bool
rows_to_keep(Compaction *table, uint64 *n)
{
	PushActiveSnapshot(GetLatestSnapshot());
	*n = plan_query_in_snapshot(&table->keep, NULL, NULL, 0);
	PopActiveSnapshot();
	return *n <= table->most_rows && rows_size(SPI_tuptable, *n) <= MOST_BYTES;
}

/* The rows as values that do not depend on the table's TOAST data. */
static void
write_anew(const char *name, Compaction *table, SPITupleTable *rows, uint64 n)
{
	TupleDesc	desc = rows->tupdesc;
	int			natts = desc->natts;
	Datum	   *values = palloc_extended(sizeof(Datum) * natts * Max(n, 1), MCXT_ALLOC_HUGE);
	bool	   *nulls = palloc_extended(sizeof(bool) * natts * Max(n, 1), MCXT_ALLOC_HUGE);
	Appender   *appender;
	uint64		row;
	int			i;

	for (row = 0; row < n; row++)
	{
		heap_deform_tuple(rows->vals[row], desc, &values[row * natts], &nulls[row * natts]);
		for (i = 0; i < natts; i++)
		{
			if (!nulls[row * natts + i] && TupleDescAttr(desc, i)->attlen == -1)
				values[row * natts + i] =
					PointerGetDatum(PG_DETOAST_DATUM(values[row * natts + i]));
		}
	}
	plan_write(&table->truncate, NULL, NULL, 0);
	appender = append_open(name);
	for (row = 0; row < n; row++)
		append_row(appender, &values[row * natts], &nulls[row * natts]);
	append_close(appender);
}

/* Whether the table has grown since the last time, but is still small. */
static bool
is_worthwhile(Compaction *table, Oid relation, TimestampTz now)
{
	uint64		n;

	if (now < table->not_before && now >= table->not_before - AFTER_FAILURE)
		return false;
	table->not_before = 0;
	return internal_relation_blocks(relation) >= Max(table->from_blocks, 4 * table->left_blocks) &&
		rows_to_keep(table, &n);
}

static bool
compact(int i, bool may_wait)
{
	Compaction *table;
	MemoryContext context;
	MemoryContext old;
	TimestampTz now = GetCurrentTimestamp();
	Oid			relation;
	uint64		n;

	if (i >= SMALL_TABLES)
		return false;
	table = &compactions[i];
	relation = internal_relation(small_table_names[i]);
	if (!is_worthwhile(table, relation, now))
		return true;
	table->not_before = now + AFTER_FAILURE;
	if (!lock_try(LOCK_ROTATION, ROTATION_COMPACT + i) ||
		(table->of_timers && !lock_try(LOCK_TIMERS, 0)) ||
		!lock_soon(relation, may_wait))
		return true;

	context = AllocSetContextCreate(CurrentMemoryContext, "order_ext compaction",
									ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(context);
	if (rows_to_keep(table, &n))
	{
		write_anew(small_table_names[i], table, SPI_tuptable, n);
		table->left_blocks = internal_relation_blocks(relation);
		table->not_before = 0;
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	return true;
}

bool
compact_table(int i)
{
	return compact(i, true);
}

bool
compact_table_if_free(int i)
{
	return compact(i, false);
}

TimestampTz
compact_postponed(void)
{
	TimestampTz next = DT_NOEND;
	int			i;

	for (i = 0; i < SMALL_TABLES; i++)
	{
		if (compactions[i].not_before != 0)
			next = Min(next, compactions[i].not_before);
	}
	return next;
}
