/*
 * row.c
 *		Single rows of our own tables; see row.h.
 *
 * What a table and an index are called in this database, and how the index compares, is looked up
 * once and kept until one of them changes (struct RowPlace).
 */
#include "compat.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/skey.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "executor/executor.h"
#include "nodes/makefuncs.h"
#include "utils/datum.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "core/append.h"
#include "core/constraints.h"
#include "core/internal.h"
#include "core/row.h"

#define MAX_KEYS 4

/* Where a RowTable is in this database. */
typedef struct RowPlace
{
	bool		valid;
	Oid			table;
	Oid			index;
	AttrNumber	columns[ROW_MAX_COLUMNS];
	int			n_keys;
	ScanKeyData keys[MAX_KEYS];
	struct RowPlace *next;
} RowPlace;

struct Rows
{
	RowTable   *table;
	RowsMode	mode;
	Relation	rel;
	Relation	index;
	IndexScanDesc scan;			/* NULL: none yet */
	TupleTableSlot *found;
	/* for changes, made when needed */
	TupleTableSlot *written;
	EState	   *estate;
	ResultRelInfo *result_rel;	/* with its indexes open */
};

/* ---- where tables are ---- */

static RowPlace *places = NULL;
static uint64 invalidations = 0;

static void
on_invalidation(Datum arg, Oid relation)
{
	RowPlace   *place;

	invalidations++;
	for (place = places; place != NULL; place = place->next)
	{
		if (!OidIsValid(relation) || relation == place->table || relation == place->index)
			place->valid = false;
	}
}

static RowPlace *
place_make(void)
{
	RowPlace   *place = MemoryContextAllocZero(TopMemoryContext, sizeof(RowPlace));

	if (places == NULL)
		CacheRegisterRelcacheCallback(on_invalidation, (Datum) 0);
	place->next = places;
	places = place;
	return place;
}

/*
 * A table of an older version lacks columns: these read as NULL, and are written only where that
 * says no more than old rows do: as NULL, false or 0.
 */
static void
locate_columns(RowPlace *place, const RowTable *table)
{
	int			i;

	Assert(table->n_columns <= ROW_MAX_COLUMNS);
	for (i = 0; i < table->n_columns; i++)
		place->columns[i] = get_attnum(place->table, table->columns[i]);
}

static void
refuse_missing_column(const RowTable *table, int column)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("table \"order_ext_internal.%s\" has no column \"%s\"",
					table->table, table->columns[column]),
			 errhint("Run ALTER EXTENSION order_ext UPDATE, or install the matching library.")));
}

/* The comparisons "column = value" of the index's columns. */
static void
prepare_keys(RowPlace *place)
{
	Relation	index = index_open(place->index, AccessShareLock);
	int			i;

	place->n_keys = Min(IndexRelationGetNumberOfKeyAttributes(index), MAX_KEYS);
	for (i = 0; i < place->n_keys; i++)
	{
		Oid			type = index->rd_opcintype[i];
		Oid			equal = get_opfamily_member(index->rd_opfamily[i], type, type,
												BTEqualStrategyNumber);
		FmgrInfo	function;

		fmgr_info_cxt(get_opcode(equal), &function, TopMemoryContext);
		ScanKeyEntryInitializeWithInfo(&place->keys[i], 0, i + 1, BTEqualStrategyNumber,
									   InvalidOid, index->rd_indcollation[i], &function,
									   (Datum) 0);
	}
	index_close(index, AccessShareLock);
}

/*
 * Open a table, and find out where the rest is. What the lock waits for, as an update of the
 * extension, may have changed that.
 */
static Relation
open_table(RowTable *table, LOCKMODE lock)
{
	RowPlace   *place = table->place;
	bool		known = place != NULL && place->valid;
	Relation	rel = table_open(known ? place->table : internal_relation(table->table), lock);
	uint64		before;

	if (known && place->valid)
		return rel;
	if (place == NULL)
		place = table->place = place_make();
	before = invalidations;
	place->table = RelationGetRelid(rel);
	place->index = internal_relation(table->index);
	locate_columns(place, table);
	prepare_keys(place);
	place->valid = (before == invalidations);
	return rel;
}

/* ---- scans ---- */

static void
begin_scan(Rows *rows, Snapshot snapshot, int n_keys)
{
	rows->index = index_open(rows->table->place->index, AccessShareLock);
	rows->found = table_slot_create(rows->rel, NULL);
	rows->scan = begin_index_scan(rows->rel, rows->index, snapshot, n_keys);
}

static void
end_scan(Rows *rows)
{
	index_endscan(rows->scan);
	index_close(rows->index, NoLock);
	ExecDropSingleTupleTableSlot(rows->found);
	rows->scan = NULL;
}

static void
rescan(Rows *rows, const Datum *keys, int n_keys)
{
	const RowPlace *place = rows->table->place;
	ScanKeyData scan_keys[MAX_KEYS];
	int			i;

	Assert(n_keys <= place->n_keys);
	memcpy(scan_keys, place->keys, sizeof(ScanKeyData) * n_keys);
	for (i = 0; i < n_keys; i++)
		scan_keys[i].sk_argument = keys[i];
	index_rescan(rows->scan, scan_keys, n_keys, NULL, 0);
}

/* ---- opening and closing ---- */

Rows *
rows_open(RowTable *table, RowsMode mode)
{
	LOCKMODE	lock = mode == ROWS_READ ? AccessShareLock : RowExclusiveLock;
	Rows	   *rows = palloc0(sizeof(Rows));

	if (mode == ROWS_CHANGE)
		append_refuse_if_read_only();
	rows->table = table;
	rows->mode = mode;
	rows->rel = open_table(table, lock);
	CommandCounterIncrement();
	PushActiveSnapshot(GetTransactionSnapshot());
	return rows;
}

void
rows_close(Rows *rows)
{
	if (rows->scan != NULL)
		end_scan(rows);
	if (rows->written != NULL)
		ExecDropSingleTupleTableSlot(rows->written);
	if (rows->result_rel != NULL)
		ExecCloseIndices(rows->result_rel);
	if (rows->estate != NULL)
		FreeExecutorState(rows->estate);
	table_close(rows->rel, NoLock);
	PopActiveSnapshot();
	if (rows->mode == ROWS_CHANGE)
		CommandCounterIncrement();
	pfree(rows);
}

bool
rows_have_column(const Rows *rows, int column)
{
	return rows->table->place->columns[column] != InvalidAttrNumber;
}

/* ---- reading ---- */

static void
take_row(const Rows *rows, HeapTuple tuple, Row *row)
{
	const RowTable *table = rows->table;
	TupleDesc	desc = RelationGetDescr(rows->rel);
	Datum	   *values = palloc(sizeof(Datum) * desc->natts);
	bool	   *nulls = palloc(sizeof(bool) * desc->natts);
	int			i;

	heap_deform_tuple(tuple, desc, values, nulls);
	for (i = 0; i < table->n_columns; i++)
	{
		AttrNumber	column = table->place->columns[i];

		row->nulls[i] = column == InvalidAttrNumber || nulls[column - 1];
		row->values[i] = row->nulls[i] ? (Datum) 0 : values[column - 1];
	}
	row->tuple = tuple;
	pfree(values);
	pfree(nulls);
}

bool
rows_find(Rows *rows, const Datum *keys, int n_keys, Row *row)
{
	if (rows->scan == NULL)
		begin_scan(rows, GetActiveSnapshot(), n_keys);
	rescan(rows, keys, n_keys);
	return rows_next(rows, row);
}

bool
rows_next(Rows *rows, Row *row)
{
	if (!index_getnext_slot(rows->scan, ForwardScanDirection, rows->found))
		return false;
	take_row(rows, ExecCopySlotHeapTuple(rows->found), row);
	return true;
}

void
row_free(Row *row)
{
	heap_freetuple(row->tuple);
	row->tuple = NULL;
}

bool
rows_is_taken(Rows *rows, const Datum *keys, int n_keys)
{
	SnapshotData dirty;
	bool		taken;

	Assert(rows->scan == NULL);
	InitDirtySnapshot(dirty);
	begin_scan(rows, &dirty, n_keys);
	rescan(rows, keys, n_keys);
	taken = index_getnext_slot(rows->scan, ForwardScanDirection, rows->found);
	end_scan(rows);
	return taken;
}

/* ---- changing ---- */

/* The slot for what is written, and the executor's view of the table. */
static TupleTableSlot *
slot_to_write(Rows *rows)
{
	Assert(rows->mode == ROWS_CHANGE);
	if (rows->written == NULL)
		rows->written = MakeSingleTupleTableSlot(RelationGetDescr(rows->rel), &TTSOpsHeapTuple);
	return rows->written;
}

static void
insert_index_entries(Rows *rows, TupleTableSlot *slot, bool is_update, UpdatedIndexes which)
{
	if (rows->result_rel == NULL)
	{
		rows->estate = CreateExecutorState();
		rows->result_rel = makeNode(ResultRelInfo);
		InitResultRelInfo(rows->result_rel, rows->rel, 0, NULL, 0);
		ExecOpenIndices(rows->result_rel, false);
	}
	if (rows->result_rel->ri_NumIndices == 0)
		return;
	if (is_update)
		(void) update_index_tuples(rows->result_rel, slot, rows->estate, which);
	else
		(void) insert_index_tuples(rows->result_rel, slot, rows->estate);
	ResetPerTupleExprContext(rows->estate);
}

/* Spread the values of the RowTable's columns over all columns of the table. */
static void
spread(const Rows *rows, const Datum *from, const bool *from_nulls, Datum *values, bool *nulls)
{
	const RowTable *table = rows->table;
	int			i;

	for (i = 0; i < table->n_columns; i++)
	{
		AttrNumber	column = table->place->columns[i];
		bool		null = from_nulls != NULL && from_nulls[i];

		if (column != InvalidAttrNumber)
		{
			values[column - 1] = from[i];
			nulls[column - 1] = null;
		}
		else if (!null && from[i] != (Datum) 0)
			refuse_missing_column(table, i);
	}
}

static HeapTuple
changed_tuple(const Rows *rows, const Row *row)
{
	TupleDesc	desc = RelationGetDescr(rows->rel);
	Datum	   *values = palloc(sizeof(Datum) * desc->natts);
	bool	   *nulls = palloc(sizeof(bool) * desc->natts);
	HeapTuple	changed;

	heap_deform_tuple(row->tuple, desc, values, nulls);
	spread(rows, row->values, row->nulls, values, nulls);
	changed = heap_form_tuple(desc, values, nulls);
	changed->t_tableOid = row->tuple->t_tableOid;
	pfree(values);
	pfree(nulls);
	return changed;
}

static bool
is_same_value(TupleDesc desc, AttrNumber column, HeapTuple found, HeapTuple now)
{
	Form_pg_attribute attribute = TupleDescAttr(desc, column - 1);
	bool		found_null;
	bool		now_null;
	Datum		found_value = heap_getattr(found, column, desc, &found_null);
	Datum		now_value = heap_getattr(now, column, desc, &now_null);

	if (found_null || now_null)
		return found_null == now_null;
	return datumIsEqual(found_value, now_value, attribute->attbyval, attribute->attlen);
}

/* Whether both versions of a row have the same values in the RowTable's columns. */
static bool
is_as_found(const Rows *rows, HeapTuple found, HeapTuple now)
{
	TupleDesc	desc = RelationGetDescr(rows->rel);
	int			i;

	for (i = 0; i < rows->table->n_columns; i++)
	{
		AttrNumber	column = rows->table->place->columns[i];

		if (column != InvalidAttrNumber && !is_same_value(desc, column, found, now))
			return false;
	}
	return true;
}

static void
refuse_newer_row(void)
{
	if (IsolationUsesXactSnapshot())
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("could not serialize access due to concurrent update")));
}

/*
 * Another transaction has changed the row since it was found. That is all right if it changed
 * nothing that its finder has seen: then the newest version is what will be updated.
 */
static bool
take_newest(Rows *rows, Row *row)
{
	ItemPointerData tid = row->tuple->t_self;
	TM_FailureData failure;
	HeapTuple	newest;

	refuse_newer_row();
	if (table_tuple_lock(rows->rel, &tid, GetActiveSnapshot(), rows->found,
						 GetCurrentCommandId(true), LockTupleNoKeyExclusive, LockWaitBlock,
						 TUPLE_LOCK_FLAG_FIND_LAST_VERSION, &failure) != TM_Ok)
		return false;
	newest = ExecCopySlotHeapTuple(rows->found);
	if (!is_as_found(rows, row->tuple, newest))
		return false;
	row->tuple = newest;
	return true;
}

bool
rows_update(Rows *rows, Row *row)
{
	TupleTableSlot *slot = slot_to_write(rows);
	TM_FailureData failure;
	LockTupleMode lock;
	UpdatedIndexes which;
	TM_Result	result;

	do
	{
		ExecStoreHeapTuple(changed_tuple(rows, row), slot, true);
		constraints_check(rows->rel, slot);
		result = table_tuple_update(rows->rel, &row->tuple->t_self, slot,
									GetCurrentCommandId(true), GetActiveSnapshot(),
									InvalidSnapshot, true, &failure, &lock, &which);
	} while (result == TM_Updated && take_newest(rows, row));
	if (result == TM_Deleted)
		refuse_newer_row();
	if (result == TM_Updated || result == TM_Deleted)
		return false;
	if (result != TM_Ok)
		elog(ERROR, "could not update a row of \"%s\": %d", rows->table->table, (int) result);
	if (updated_indexes(which))
		insert_index_entries(rows, slot, true, which);
	return true;
}

void
rows_insert(Rows *rows, const Datum *values, const bool *nulls)
{
	TupleDesc	desc = RelationGetDescr(rows->rel);
	TupleTableSlot *slot = slot_to_write(rows);
	Datum	   *all_values = palloc0(sizeof(Datum) * desc->natts);
	bool	   *all_nulls = palloc(sizeof(bool) * desc->natts);

	memset(all_nulls, true, desc->natts);
	spread(rows, values, nulls, all_values, all_nulls);
	ExecStoreHeapTuple(heap_form_tuple(desc, all_values, all_nulls), slot, true);
	constraints_check(rows->rel, slot);
	table_tuple_insert(rows->rel, slot, GetCurrentCommandId(true), 0, NULL);
	insert_index_entries(rows, slot, false, (UpdatedIndexes) 0);
	pfree(all_values);
	pfree(all_nulls);
}

/* ---- one row ---- */

bool
row_find(RowTable *table, const Datum *keys, int n_keys, Row *row)
{
	Rows	   *rows = rows_open(table, ROWS_READ);
	bool		found = rows_find(rows, keys, n_keys, row);

	rows_close(rows);
	return found;
}

void
row_insert(RowTable *table, const Datum *values, const bool *nulls)
{
	Rows	   *rows = rows_open(table, ROWS_CHANGE);

	rows_insert(rows, values, nulls);
	rows_close(rows);
}
