/*
 * append.c
 *		Plain inserts into our own tables without the planner; see append.h.
 *
 * This does what the executor does for an INSERT, so constraints, indexes, TOAST and WAL are
 * handled as usual; rows are inserted a page at a time, as in COPY. The tables have no row
 * triggers and no foreign keys.
 */
#include "compat.h"

#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "executor/executor.h"
#include "nodes/makefuncs.h"
#include "utils/rel.h"

#include "core/append.h"
#include "core/constraints.h"
#include "core/internal.h"

/* Rows waiting to be inserted together. */
#define APPEND_BATCH 64

struct Appender
{
	Relation	rel;
	EState	   *estate;
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

Appender *
append_open(const char *table)
{
	Appender   *appender = palloc(sizeof(Appender));
	EState	   *estate;

	append_refuse_if_read_only();
	appender->rel = table_open(internal_relation(table), RowExclusiveLock);
	estate = CreateExecutorState();
	estate->es_output_cid = GetCurrentCommandId(true);
	appender->estate = estate;
	appender->result_rel = makeNode(ResultRelInfo);
	InitResultRelInfo(appender->result_rel, appender->rel, 0, NULL, 0);
	ExecOpenIndices(appender->result_rel, false);
	appender->n = appender->n_slots = 0;
	return appender;
}

static void
insert_waiting(Appender *appender)
{
	EState	   *estate = appender->estate;
	MemoryContext old;
	int			i;

	if (appender->n == 0)
		return;
	old = MemoryContextSwitchTo(GetPerTupleMemoryContext(estate));
	if (appender->n == 1)
		table_tuple_insert(appender->rel, appender->slots[0], estate->es_output_cid, 0, NULL);
	else
		table_multi_insert(appender->rel, appender->slots, appender->n, estate->es_output_cid,
						   0, NULL);
	MemoryContextSwitchTo(old);
	ResetPerTupleExprContext(estate);
	for (i = 0; i < appender->n; i++)
	{
		if (appender->result_rel->ri_NumIndices > 0)
			(void) insert_index_tuples(appender->result_rel, appender->slots[i], estate);
		ResetPerTupleExprContext(estate);
	}
	appender->n = 0;
}

void
append_row(Appender *appender, const Datum *values, const bool *nulls)
{
	TupleDesc	desc = RelationGetDescr(appender->rel);
	TupleTableSlot *slot;

	if (appender->n == APPEND_BATCH)
		insert_waiting(appender);
	if (appender->n == appender->n_slots)
		appender->slots[appender->n_slots++] = MakeSingleTupleTableSlot(desc, &TTSOpsVirtual);
	slot = appender->slots[appender->n];
	ExecClearTuple(slot);
	memcpy(slot->tts_values, values, sizeof(Datum) * desc->natts);
	if (nulls != NULL)
		memcpy(slot->tts_isnull, nulls, sizeof(bool) * desc->natts);
	else
		memset(slot->tts_isnull, false, sizeof(bool) * desc->natts);
	ExecStoreVirtualTuple(slot);
	constraints_check(appender->rel, slot);
	ExecMaterializeSlot(slot);
	appender->n++;
}

void
append_close(Appender *appender)
{
	int			i;

	insert_waiting(appender);
	for (i = 0; i < appender->n_slots; i++)
		ExecDropSingleTupleTableSlot(appender->slots[i]);
	ExecCloseIndices(appender->result_rel);
	table_close(appender->rel, NoLock);
	FreeExecutorState(appender->estate);
	pfree(appender);
	CommandCounterIncrement();
}
