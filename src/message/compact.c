/*
 * compact.c
 *		Small tables whose rows come and go; see rotate.h.
 *
 * Their live rows are few, their dead ones stay for as long as somebody holds an old
 * snapshot. So a table that has grown is written anew: what lives is read, the table
 * truncated, and the rows put back. That takes a lock that is taken only if it is free.
 * A transaction with an older snapshot then finds the table empty; those who must not be
 * misled by that read these tables under a newer one.
 */
#include "compat.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "storage/lmgr.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "core/append.h"
#include "core/locks.h"
#include "core/spi_util.h"
#include "message/limits.h"
#include "message/rotate.h"

/* Rows that are put back, at most: else the table is not small and dead rows are no harm. */
#define MOST_ROWS 2000

/* How often the lock is tried, and the pause between. */
#define TRIES 20
#define TRY_PAUSE_US 2000

/* Keys of LOCK_ROTATION beyond those of the rings. */
#define ROTATION_COMPACT 100

typedef struct SmallTable
{
	const char *name;
	BlockNumber from_blocks;	/* worthwhile from here */
	uint64		most_rows;
	SavedPlan	keep;			/* the rows to keep, all columns in order; most_rows + 1 at most */
	SavedPlan	truncate;
	BlockNumber left_blocks;	/* after the last time, in this process */
} SmallTable;

#define KEEP_ALL(table) \
	SAVED_PLAN_NO_ARGS("SELECT * FROM order_ext_internal." table " LIMIT 2001")
#define TRUNCATE(table) SAVED_PLAN_NO_ARGS("TRUNCATE order_ext_internal." table)
#define WHOLE(table) {table, 256, MOST_ROWS, KEEP_ALL(table), TRUNCATE(table), 0}

static SmallTable small_tables[] = {
	WHOLE("timer_cancels"),
	WHOLE("retries"),
	WHOLE("parked_messages"),
	WHOLE("inline_ranges"),
	WHOLE("parked_messages"),
	WHOLE("leases"),
	WHOLE("lease_receipts"),
	{"timer_firings", 256, MOST_ROWS, SAVED_PLAN_NO_ARGS(
		"SELECT * FROM order_ext_internal.timer_firings ORDER BY seq DESC LIMIT 4"),
	TRUNCATE("timer_firings"), 0},
	{"timer_progress", 256, MOST_ROWS, SAVED_PLAN_NO_ARGS(
		"SELECT p.* FROM generate_series(0, 31) AS b (bucket) CROSS JOIN LATERAL ("
		" SELECT * FROM order_ext_internal.timer_progress p"
		" WHERE p.bucket = b.bucket::smallint ORDER BY p.seq DESC LIMIT 4) p"),
	TRUNCATE("timer_progress"), 0},
	{"group_progress", 2048, 200000, SAVED_PLAN_NO_ARGS(
		"SELECT p.* FROM (SELECT DISTINCT group_id, part"
		"  FROM order_ext_internal.group_progress) g CROSS JOIN LATERAL ("
		" SELECT * FROM order_ext_internal.group_progress p"
		" WHERE p.group_id = g.group_id AND p.part = g.part"
		" ORDER BY p.seq DESC LIMIT 500) p"),
	TRUNCATE("group_progress"), 0}
};

static BlockNumber
table_blocks(Oid relation)
{
	Relation	rel = table_open(relation, AccessShareLock);
	BlockNumber blocks = RelationGetNumberOfBlocks(rel);

	table_close(rel, AccessShareLock);
	return blocks;
}

static uint64
rows_to_keep(SmallTable *table)
{
	uint64		n;

	PushActiveSnapshot(GetLatestSnapshot());
	n = plan_query_in_snapshot(&table->keep, NULL, NULL, 0);
	PopActiveSnapshot();
	return n;
}

/* Whoever is at work on it now is so for milliseconds; nobody queues behind us. */
static bool
lock_soon(Oid relation)
{
	int			i;

	for (i = 0; i < TRIES; i++)
	{
		if (ConditionalLockRelationOid(relation, AccessExclusiveLock))
			return true;
		CHECK_FOR_INTERRUPTS();
		pg_usleep(TRY_PAUSE_US);
	}
	return false;
}

/* The rows as values that do not depend on the table's TOAST. */
static void
write_anew(SmallTable *table, SPITupleTable *rows, uint64 n)
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
	appender = append_open(table->name);
	for (row = 0; row < n; row++)
		append_row(appender, &values[row * natts], &nulls[row * natts]);
	append_close(appender);
}

bool
compact_table(int i)
{
	SmallTable *table;
	MemoryContext context;
	MemoryContext old;
	Oid			relation;
	uint64		n;

	if (i >= (int) lengthof(small_tables))
		return false;
	table = &small_tables[i];
	relation = internal_relation(table->name);
	if (table_blocks(relation) < Max(table->from_blocks, 4 * table->left_blocks) ||
		rows_to_keep(table) > table->most_rows ||
		!lock_try(LOCK_ROTATION, ROTATION_COMPACT + i) ||
		!lock_soon(relation))
		return true;

	context = AllocSetContextCreate(CurrentMemoryContext, "order_ext compaction",
									ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(context);
	n = rows_to_keep(table);
	if (n <= table->most_rows)
	{
		write_anew(table, SPI_tuptable, n);
		table->left_blocks = table_blocks(relation);
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	return true;
}
