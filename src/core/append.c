/*
 * append.c
 *		Plain inserts into our own tables without the planner; see append.h.
 *
 * The executor's own insert routine is used (as logical replication does), so
 * constraints, indexes, TOAST and WAL are handled as for any INSERT. The tables
 * have no row triggers and no foreign keys.
 */
#include "compat.h"

#include "access/table.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "executor/executor.h"
#include "nodes/makefuncs.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "core/append.h"

struct Appender
{
	Relation	rel;
	EState	   *estate;
	ResultRelInfo *result_rel;
	TupleTableSlot *slot;
};

Oid
internal_relation(const char *table)
{
	Oid			namespace_oid = get_namespace_oid("order_ext_internal", true);
	Oid			relation = InvalidOid;

	if (OidIsValid(namespace_oid))
		relation = get_relname_relid(table, namespace_oid);
	if (!OidIsValid(relation))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table \"order_ext_internal.%s\" does not exist", table),
				 errhint("Run CREATE EXTENSION order_ext in this database.")));
	return relation;
}

static void
refuse_if_read_only(void)
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

	refuse_if_read_only();
	appender->rel = table_open(internal_relation(table), RowExclusiveLock);
	estate = CreateExecutorState();
	estate->es_output_cid = GetCurrentCommandId(true);
	appender->estate = estate;
	appender->result_rel = makeNode(ResultRelInfo);
	InitResultRelInfo(appender->result_rel, appender->rel, 0, NULL, 0);
	ExecOpenIndices(appender->result_rel, false);
	appender->slot = MakeSingleTupleTableSlot(RelationGetDescr(appender->rel), &TTSOpsVirtual);
	return appender;
}

void
append_row(Appender *appender, const Datum *values, const bool *nulls)
{
	TupleTableSlot *slot = appender->slot;
	int			natts = slot->tts_tupleDescriptor->natts;

	ExecClearTuple(slot);
	memcpy(slot->tts_values, values, sizeof(Datum) * natts);
	if (nulls != NULL)
		memcpy(slot->tts_isnull, nulls, sizeof(bool) * natts);
	else
		memset(slot->tts_isnull, false, sizeof(bool) * natts);
	ExecStoreVirtualTuple(slot);
	ExecSimpleRelationInsert(appender->result_rel, appender->estate, slot);
	ResetPerTupleExprContext(appender->estate);
}

void
append_close(Appender *appender)
{
	ExecDropSingleTupleTableSlot(appender->slot);
	ExecCloseIndices(appender->result_rel);
	table_close(appender->rel, NoLock);
	FreeExecutorState(appender->estate);
	pfree(appender);
	CommandCounterIncrement();
}
