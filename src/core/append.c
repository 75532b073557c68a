/*
 * append.c
 *		Plain inserts into our own tables without the planner; see append.h.
 *
 * This does what the executor does for an INSERT, so constraints, indexes, TOAST and WAL are
 * handled as usual; rows are inserted a page at a time, as in COPY. The tables have no foreign
 * keys, and no row triggers but those that are about restored rows only. Most rows are appended one
 * at a time, and cost less than what the executor would set up for them; so it is called only for
 * an index with expressions or a predicate.
 */
#include "compat.h"

#include "access/genam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/toast_internals.h"
#include "access/xact.h"
#include "catalog/index.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "nodes/makefuncs.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "core/append.h"
#include "core/constraints.h"
#include "core/internal.h"

/* Rows waiting to be inserted together. */
#define APPEND_BATCH 256

/* Bytes from which on compressing a value saves enough to be worth its cost. */
#define COMPRESS_FROM 256

#ifdef USE_LZ4
#define HAS_LZ4 true
#else
#define HAS_LZ4 false
#endif

struct Appender
{
	Relation	rel;
	CommandId	command;
	int			options;		/* of table_tuple_insert() */
	MemoryContext context;		/* for more than one row; or NULL */
	int			n_indexes;		/* that are inserted into directly */
	Relation   *indexes;
	IndexInfo **infos;
	EState	   *estate;			/* for the executor to insert into them; or NULL */
	ResultRelInfo *result_rel;
	int			n;				/* rows waiting in the first slots */
	int			n_slots;		/* slots made so far */
	TupleTableSlot *slots[APPEND_BATCH];
};

void
append_refuse_if_read_only(void)
{
	if (XactReadOnly)
		ereport(ERROR,
				(errcode(ERRCODE_READ_ONLY_SQL_TRANSACTION),
				 errmsg("cannot write in a read-only transaction")));
}

/* ---- indexes ---- */

/* Whether an index takes a row's columns as they are, at once. */
static bool
index_is_plain(Relation index, const IndexInfo *info)
{
	return info->ii_Expressions == NIL && info->ii_Predicate == NIL &&
		info->ii_ExclusionOps == NULL && info->ii_ReadyForInserts && index->rd_index->indimmediate;
}

static void
close_indexes(Appender *appender)
{
	int			i;

	for (i = 0; i < appender->n_indexes; i++)
	{
		index_insert_is_over(appender->indexes[i], appender->infos[i]);
		index_close(appender->indexes[i], RowExclusiveLock);
	}
	appender->n_indexes = 0;
	if (appender->estate == NULL)
		return;
	ExecCloseIndices(appender->result_rel);
	FreeExecutorState(appender->estate);
}

/* Unless all of them are plain, they are left to the executor. */
static void
open_indexes(Appender *appender)
{
	List	   *oids = RelationGetIndexList(appender->rel);
	int			room = Max(list_length(oids), 1);
	bool		plain = true;
	ListCell   *cell;

	appender->indexes = palloc(sizeof(Relation) * room);
	appender->infos = palloc(sizeof(IndexInfo *) * room);
	foreach(cell, oids)
	{
		Relation	index = index_open(lfirst_oid(cell), RowExclusiveLock);
		IndexInfo  *info = BuildIndexInfo(index);

		plain = plain && index_is_plain(index, info);
		appender->indexes[appender->n_indexes] = index;
		appender->infos[appender->n_indexes++] = info;
	}
	list_free(oids);
	if (plain)
		return;
	close_indexes(appender);
	appender->estate = CreateExecutorState();
	appender->estate->es_output_cid = appender->command;
	appender->result_rel = makeNode(ResultRelInfo);
	InitResultRelInfo(appender->result_rel, appender->rel, 0, NULL, 0);
	ExecOpenIndices(appender->result_rel, false);
}

static void
insert_into_index(Appender *appender, int i, TupleTableSlot *slot)
{
	Relation	index = appender->indexes[i];
	Datum		values[INDEX_MAX_KEYS];
	bool		nulls[INDEX_MAX_KEYS];

	FormIndexDatum(appender->infos[i], slot, NULL, values, nulls);
	(void) index_insert(index, values, nulls, &slot->tts_tid, appender->rel,
						index->rd_index->indisunique ? UNIQUE_CHECK_YES : UNIQUE_CHECK_NO,
						false, appender->infos[i]);
}

static void
insert_into_indexes(Appender *appender, TupleTableSlot *slot)
{
	int			i;

	if (appender->estate != NULL)
	{
		(void) insert_index_tuples(appender->result_rel, slot, appender->estate);
		ResetPerTupleExprContext(appender->estate);
	}
	for (i = 0; i < appender->n_indexes; i++)
		insert_into_index(appender, i, slot);
}

typedef struct IndexedSlot
{
	int64		key;			/* the index's first column, if it is passed by value */
	int			n;
} IndexedSlot;

static int
compare_indexed(const void *a, const void *b)
{
	const IndexedSlot *left = a;
	const IndexedSlot *right = b;

	if (left->key != right->key)
		return left->key < right->key ? -1 : 1;
	return left->n - right->n;
}

/*
 * Insert all pending rows into one index, about in its order, so that the same page gets one after
 * the other and is in the processor's cache.
 */
static void
insert_all_into_index(Appender *appender, int i)
{
	AttrNumber	column = appender->infos[i]->ii_IndexAttrNumbers[0];
	bool		by_value = TupleDescAttr(RelationGetDescr(appender->rel), column - 1)->attbyval;
	IndexedSlot slots[APPEND_BATCH];
	int			j;

	for (j = 0; j < appender->n; j++)
	{
		slots[j].key = by_value ? (int64) appender->slots[j]->tts_values[column - 1] : 0;
		slots[j].n = j;
	}
	qsort(slots, appender->n, sizeof(IndexedSlot), compare_indexed);
	for (j = 0; j < appender->n; j++)
		insert_into_index(appender, i, appender->slots[slots[j].n]);
}

/* ---- rows ---- */

/*
 * Rows are written by the order of columns, so that a table of an older version, which had others,
 * must not be written at all. A column tells which: one that 0.5 did not have, or had.
 */
static const struct
{
	const char *table;
	const char *column;
	bool		is_new;
}			changed_tables[] =

{
	{"stock_ledger", "xid", true},
	{"order_items", "stripe", false}
};

static void
refuse_old_columns(const char *table, Oid relation)
{
	int			i;

	for (i = 0; i < (int) lengthof(changed_tables); i++)
	{
		if (strcmp(table, changed_tables[i].table) == 0 &&
			(get_attnum(relation, changed_tables[i].column) != InvalidAttrNumber) !=
			changed_tables[i].is_new)
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("table \"order_ext_internal.%s\" is of an older version", table),
					 errhint("Run ALTER EXTENSION order_ext UPDATE.")));
	}
}

Appender *
append_open(const char *table)
{
	Appender   *appender = palloc0(sizeof(Appender));
	Oid			relation = internal_relation(table);

	append_refuse_if_read_only();
	refuse_old_columns(table, relation);
	appender->rel = table_open(relation, RowExclusiveLock);
	appender->command = GetCurrentCommandId(true);
	open_indexes(appender);
	return appender;
}

void
append_in_order(Appender *appender)
{
	appender->options = TABLE_INSERT_SKIP_FSM;
}

/* Not by the method of the column: pglz costs three times as many instructions. */
Datum
append_compressed(const Appender *appender, int column, Datum value)
{
	char		storage = TupleDescAttr(RelationGetDescr(appender->rel), column - 1)->attstorage;
	Datum		compressed;

	if (!HAS_LZ4 || VARATT_IS_EXTENDED(DatumGetPointer(value)) ||
		VARSIZE(DatumGetPointer(value)) < COMPRESS_FROM ||
		(storage != TYPSTORAGE_EXTENDED && storage != TYPSTORAGE_MAIN))
		return value;
	compressed = toast_compress_datum(value, TOAST_LZ4_COMPRESSION);
	return DatumGetPointer(compressed) != NULL ? compressed : value;
}

/* What is inserted at once takes memory that is not needed until the end of the statement. */
static void
insert_many(Appender *appender)
{
	MemoryContext old;
	int			i;

	if (appender->context == NULL)
		appender->context = AllocSetContextCreate(CurrentMemoryContext, "order_ext append",
												  ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(appender->context);
	table_multi_insert(appender->rel, appender->slots, appender->n, appender->command,
					   appender->options, NULL);
	if (appender->estate == NULL)
	{
		for (i = 0; i < appender->n_indexes; i++)
			insert_all_into_index(appender, i);
	}
	else
	{
		for (i = 0; i < appender->n; i++)
			insert_into_indexes(appender, appender->slots[i]);
	}
	MemoryContextSwitchTo(old);
	MemoryContextReset(appender->context);
}

void
append_flush(Appender *appender)
{
	if (appender->n == 1)
	{
		table_tuple_insert(appender->rel, appender->slots[0], appender->command,
						   appender->options, NULL);
		insert_into_indexes(appender, appender->slots[0]);
	}
	else if (appender->n > 1)
		insert_many(appender);
	appender->n = 0;
}

void
append_row(Appender *appender, const Datum *values, const bool *nulls)
{
	TupleDesc	desc = RelationGetDescr(appender->rel);
	TupleTableSlot *slot;
	int			given = 0;
	int			i;

	if (appender->n == APPEND_BATCH)
		append_flush(appender);
	if (appender->n == appender->n_slots)
		appender->slots[appender->n_slots++] = MakeSingleTupleTableSlot(desc, &TTSOpsVirtual);
	slot = appender->slots[appender->n];
	ExecClearTuple(slot);
	for (i = 0; i < desc->natts; i++)
	{
		/* an update may have dropped a column */
		bool		dropped = TupleDescAttr(desc, i)->attisdropped;

		slot->tts_values[i] = dropped ? (Datum) 0 : values[given];
		slot->tts_isnull[i] = dropped || (nulls != NULL && nulls[given]);
		given += dropped ? 0 : 1;
	}
	ExecStoreVirtualTuple(slot);
	constraints_check(appender->rel, slot);
	ExecMaterializeSlot(slot);
	appender->n++;
}

void
append_close(Appender *appender)
{
	int			i;

	append_flush(appender);
	for (i = 0; i < appender->n_slots; i++)
		ExecDropSingleTupleTableSlot(appender->slots[i]);
	close_indexes(appender);
	table_close(appender->rel, NoLock);
	if (appender->context != NULL)
		MemoryContextDelete(appender->context);
	pfree(appender->indexes);
	pfree(appender->infos);
	pfree(appender);
	CommandCounterIncrement();
}
