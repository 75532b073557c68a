/*
 * checks.c
 *		Whether workers should run in a database; see checks.h.
 *
 * The complete check is made in every transaction of a worker. It takes three lookups of a
 * microsecond or two each, and it notices everything, including a stamp that pg_restore has just
 * copied.
 */
#include "compat.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/pg_extension.h"
#include "commands/dbcommands.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "core/error_facts.h"
#include "core/node.h"
#include "core/settings.h"
#include "message/base/stamp.h"
#include "message/upkeep/enable.h"
#include "worker/attach.h"
#include "worker/checks.h"

/* ORDER_EXT_VERSION comes from the Makefile, which has it from order_ext.control. */

static Oid	gate_extension = InvalidOid;

/* The oid of the extension and whether its version is this library's. */
static Oid
find_extension(bool *version_matches)
{
	Relation	rel = table_open(ExtensionRelationId, AccessShareLock);
	Oid			extension = InvalidOid;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&key, Anum_pg_extension_extname, BTEqualStrategyNumber, F_NAMEEQ,
				CStringGetDatum("order_ext"));
	scan = systable_beginscan(rel, ExtensionNameIndexId, true, NULL, 1, &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
	{
		bool		isnull;
		Datum		version = heap_getattr(tuple, Anum_pg_extension_extversion,
										   RelationGetDescr(rel), &isnull);

		extension = ((Form_pg_extension) GETSTRUCT(tuple))->oid;
		*version_matches = !isnull &&
			strcmp(TextDatumGetCString(version), ORDER_EXT_VERSION) == 0;
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return extension;
}

/* The state of the stamp; *node as in stamp_read(). */
static StampState
look_at_stamp(int64 *node)
{
	Oid			namespace_oid = get_namespace_oid("order_ext_internal", true);
	Oid			relation = get_relname_relid("database_stamp", namespace_oid);

	return OidIsValid(relation) ? stamp_read(relation, node) : STAMP_MISSING;
}

/* *extension becomes the extension's oid unless it is absent. */
static Verdict
check_database(Oid *extension)
{
	bool		version_matches = false;
	int64		node;

	*extension = find_extension(&version_matches);
	if (!OidIsValid(*extension))
		return VERDICT_ABSENT;
	if (!setting_enabled)
		return VERDICT_DISABLED;
	if (!version_matches)
		return VERDICT_VERSION;
	if (look_at_stamp(&node) != STAMP_OWN)
		return VERDICT_FOREIGN;
	return VERDICT_RUN;
}

/*
 * The scheduler checks first, so it reports that dispatch is not enabled. In a copy of the data
 * directory, it also detaches the stamp from its node: a standby of the copy, once promoted, must
 * not do what the copy did not.
 */
static void
tell_not_enabled(void)
{
	int64		node;
	StampState	stamp = look_at_stamp(&node);

	if (worker_my_slot->kind != WORKER_SCHEDULER || stamp == STAMP_OWN)
		return;
	ereport(LOG,
			(errmsg("order_ext does nothing in database \"%s\" because dispatch is not enabled",
					get_database_name(MyDatabaseId)),
			 error_facts("{reason}", FACT_TEXT("reason", stamp_reason(stamp))),
			 errhint("Run order_ext.enable_dispatch() there if this copy should deliver messages "
					 "on its own.")));
	if (stamp != STAMP_COPIED || node == NODE_NONE)
		return;
	enable_disown_stamp(node);
	CommitTransactionCommand();
}

void
check_gate(void)
{
	Oid			extension;
	Verdict		verdict;

	if (OidIsValid(gate_extension))
		LockDatabaseObject(ExtensionRelationId, gate_extension, 0, AccessShareLock);
	verdict = check_database(&extension);
	if (verdict == VERDICT_RUN && !OidIsValid(gate_extension))
	{
		/* The first time, the oid must be looked up before it can be locked. */
		gate_extension = extension;
		LockDatabaseObject(ExtensionRelationId, gate_extension, 0, AccessShareLock);
		verdict = check_database(&extension);
	}
	/* An extension that was dropped and created again is another one, for the next worker. */
	if (verdict == VERDICT_RUN && extension != gate_extension)
		verdict = VERDICT_UNKNOWN;
	if (verdict == VERDICT_VERSION)
		ereport(WARNING,
				(errmsg("the SQL objects of order_ext in database \"%s\" are not of version %s, "
						"so no workers run there",
						get_database_name(MyDatabaseId), ORDER_EXT_VERSION),
				 errhint("Run ALTER EXTENSION order_ext UPDATE, or install the matching "
						 "library.")));
	if (verdict == VERDICT_FOREIGN)
		tell_not_enabled();
	if (verdict != VERDICT_RUN)
		worker_leave(verdict);
}
