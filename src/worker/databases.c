/*
 * databases.c
 *		Which databases workers may connect to; see databases.h.
 */
#include "compat.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_database.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "worker/databases.h"

List *
databases_read(Oid wanted, MemoryContext context)
{
	MemoryContext caller_context = CurrentMemoryContext;
	List	   *found = NIL;
	Relation	rel;
	SysScanDesc scan;
	HeapTuple	tuple;

	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	(void) GetTransactionSnapshot();
	rel = table_open(DatabaseRelationId, AccessShareLock);
	scan = systable_beginscan(rel, InvalidOid, false, NULL, 0, NULL);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_database database = (Form_pg_database) GETSTRUCT(tuple);
		MemoryContext old;

		/* A connection limit below -1 marks a database whose DROP was interrupted. */
		if (!database->datallowconn || database->datistemplate || database->datconnlimit < -1)
			continue;
		if (OidIsValid(wanted) && database->oid != wanted)
			continue;
		old = MemoryContextSwitchTo(context);
		found = lappend_oid(found, database->oid);
		MemoryContextSwitchTo(old);
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	CommitTransactionCommand();
	MemoryContextSwitchTo(caller_context);
	return found;
}

void
databases_add(DatabaseList *list, Oid database)
{
	int			i;

	for (i = 0; i < list->n; i++)
	{
		if (list->oids[i] == database)
			return;
	}
	if (list->n < MAX_NOTED)
		list->oids[list->n++] = database;
}
