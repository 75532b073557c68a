/*
 * small_tables.c
 *		Reading tables that are rewritten from time to time; see small_tables.h.
 *
 * TRUNCATE is not MVCC-safe: a transaction with an older snapshot finds such a table empty. So
 * readers take their snapshot after locking the table, or check again if they find nothing; a
 * transaction with a single snapshot gets an error. For the timers' tables, only the holder of
 * the timers lock must be right.
 */
#include "compat.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "storage/lmgr.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

#include "core/errors.h"
#include "core/internal.h"
#include "message/base/small_tables.h"

const char *const small_table_names[SMALL_TABLES] = {
	[SMALL_TIMER_CANCELS] = "timer_cancels",
	[SMALL_TIMER_AHEAD] = "timer_ahead",
	[SMALL_RETRIES] = "retries",
	[SMALL_PARKED_MESSAGES] = "parked_messages",
	[SMALL_INLINE_RANGES] = "inline_ranges",
	[SMALL_LEASES] = "leases",
	[SMALL_LEASE_RECEIPTS] = "lease_receipts",
	[SMALL_TIMER_FIRINGS] = "timer_firings",
	[SMALL_TIMER_PROGRESS] = "timer_progress",
	[SMALL_GROUP_PROGRESS] = "group_progress"
};

void
small_tables_hold(void)
{
	int			i;

	for (i = 0; i < SMALL_TABLES; i++)
		LockRelationOid(internal_relation(small_table_names[i]), AccessShareLock);
}

/* TRUNCATE changes the table's row of pg_class. */
static bool
changed_since(Oid relation, Snapshot snapshot)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relation));
	TransactionId xmin;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for relation %u", relation);
	xmin = HeapTupleHeaderGetXmin(tuple->t_data);
	ReleaseSysCache(tuple);
	return TransactionIdIsNormal(xmin) && !TransactionIdIsCurrentTransactionId(xmin) &&
		XidInMVCCSnapshot(xmin, snapshot);
}

void
small_tables_check_snapshot(void)
{
	int			i;

	if (!IsolationUsesXactSnapshot())
		return;
	small_tables_hold();
	for (i = 0; i < SMALL_TABLES; i++)
	{
		if (changed_since(internal_relation(small_table_names[i]), GetTransactionSnapshot()))
			error_conflict("table \"%s\" was rewritten", small_table_names[i]);
	}
}
