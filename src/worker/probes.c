/*
 * probes.c
 *		Which databases there are for the launcher to look into; see probes.h.
 */
#include "compat.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_database.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "worker/probes.h"
#include "worker/shmem.h"

/* Databases of which it is not known yet whether they want workers, looked into at once. */
#define MAX_PROBES 3

/* Databases still to be probed, in a memory context of their own. */
static MemoryContext probe_context = NULL;
static List *to_probe = NIL;

/* Oids of the databases that workers may connect to (one of them, if wanted is given). */
static List *
read_databases(Oid wanted, MemoryContext context)
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
probes_of_all(void)
{
	if (probe_context == NULL)
		probe_context = AllocSetContextCreate(TopMemoryContext, "order_ext probes",
											  ALLOCSET_SMALL_SIZES);
	to_probe = NIL;
	MemoryContextReset(probe_context);
	to_probe = read_databases(InvalidOid, probe_context);
}

void
probes_begin(void)
{
	int			probing = 0;
	int			d;

	if (to_probe == NIL)
		return;
	LWLockAcquire(worker_shared->lock, LW_EXCLUSIVE);
	for (d = 0; d < MAX_DATABASES; d++)
	{
		DatabaseSlot *db = &worker_shared->databases[d];

		if (OidIsValid(db->database) && db->verdict == VERDICT_UNKNOWN)
			probing++;
	}
	while (to_probe != NIL && probing < MAX_PROBES)
	{
		if (database_slot(linitial_oid(to_probe), true) == NULL)
			break;
		to_probe = list_delete_first(to_probe);
		probing++;
	}
	LWLockRelease(worker_shared->lock);
}

bool
probes_database_exists(Oid database)
{
	return read_databases(database, CurrentMemoryContext) != NIL;
}
