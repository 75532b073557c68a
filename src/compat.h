/*
 * compat.h
 *		Differences between the PostgreSQL versions 14 to 18, all in one place.
 *
 * Prefixes: InitMaterializedSRF
 */
#ifndef ORDER_EXT_COMPAT_H
#define ORDER_EXT_COMPAT_H

#include "postgres.h"

#if PG_VERSION_NUM < 140000
#error "order_ext needs PostgreSQL 14 or later"
#endif

/* 16 split the varlena and hash headers out; these names exist in all of 14 to 18. */
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/* 18 puts the mark of functions that do not return in front. */
#if PG_VERSION_NUM < 180000
#define pg_noreturn __attribute__((noreturn))
#endif

/* 15 introduced strtou64. */
#if PG_VERSION_NUM < 150000
#define strtou64(string, end, base) ((uint64) strtoull((string), (end), (base)))
#endif

/* 16 lets the caller handle errors in a name. */
#if PG_VERSION_NUM >= 160000
#define qualified_name_list(name) stringToQualifiedNameList((name), NULL)
#else
#define qualified_name_list(name) stringToQualifiedNameList(name)
#endif

/* 15 introduced shmem_request_hook; before that, shared memory is requested in _PG_init. */
#if PG_VERSION_NUM >= 150000
#define ORDER_EXT_HAVE_SHMEM_REQUEST_HOOK 1
#endif

/* 15 introduced InitMaterializedSRF: a set-returning function fills a tuplestore. */
#if PG_VERSION_NUM < 150000
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/tuplestore.h"

#define MAT_SRF_USE_EXPECTED_DESC 0x01

static inline void
InitMaterializedSRF(FunctionCallInfo fcinfo, bits32 flags)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	MemoryContext old;
	TupleDesc	tupdesc;

	if (rsinfo == NULL || !IsA(rsinfo, ReturnSetInfo) ||
		!(rsinfo->allowedModes & SFRM_Materialize))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("set-valued function called in context that cannot accept a set")));
	old = MemoryContextSwitchTo(rsinfo->econtext->ecxt_per_query_memory);
	if (flags & MAT_SRF_USE_EXPECTED_DESC)
		tupdesc = CreateTupleDescCopy(rsinfo->expectedDesc);
	else if (get_call_result_type(fcinfo, NULL, &tupdesc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	rsinfo->returnMode = SFRM_Materialize;
	rsinfo->setResult = tuplestore_begin_heap((rsinfo->allowedModes & SFRM_Materialize_Random) != 0,
											  false, work_mem);
	rsinfo->setDesc = tupdesc;
	MemoryContextSwitchTo(old);
}
#endif

/* 15 introduced MarkGUCPrefixReserved. */
#if PG_VERSION_NUM < 150000
#define MarkGUCPrefixReserved(prefix) EmitWarningsOnPlaceholders(prefix)
#endif

/* A random number in [0, 1); 15 introduced its own generator. */
#if PG_VERSION_NUM >= 150000
#include "common/pg_prng.h"
#define random_fraction() pg_prng_double(&pg_global_prng_state)
#else
#define random_fraction() ((double) random() / ((double) MAX_RANDOM_VALUE + 1))
#endif

/* 16 unified the privilege checks for all kinds of objects. */
#if PG_VERSION_NUM >= 160000
#include "catalog/pg_database.h"
#include "catalog/pg_proc.h"

#define may_execute(function, role) \
	(object_aclcheck(ProcedureRelationId, (function), (role), ACL_EXECUTE) == ACLCHECK_OK)
#else
#define may_execute(function, role) \
	(pg_proc_aclcheck((function), (role), ACL_EXECUTE) == ACLCHECK_OK)
#endif

/* 16 made SET ROLE a separate option of membership. */
#if PG_VERSION_NUM >= 160000
#define may_become_role(member, role) member_can_set_role((member), (role))
#else
#define may_become_role(member, role) is_member_of_role((member), (role))
#endif

/* 17 moved the local transaction id within PGPROC. */
#if PG_VERSION_NUM >= 170000
#define MyLocalTransactionId (MyProc->vxid.lxid)
#else
#define MyLocalTransactionId (MyProc->lxid)
#endif

/* How many transactions that had an id have ended; 17 renamed the variable. */
#if PG_VERSION_NUM >= 170000
#define completed_transactions() (TransamVariables->xactCompletionCount)
#else
#define completed_transactions() (ShmemVariableCache->xactCompletionCount)
#endif

/* The place of this process in ProcGlobal->allProcs. */
#if PG_VERSION_NUM >= 170000
#define OE_MY_PROCNO GetNumberFromPGProc(MyProc)
#else
#define OE_MY_PROCNO (MyProc->pgprocno)
#endif

/* Whether a process is a client's session; 18 turned the mark of the others around. */
#if PG_VERSION_NUM >= 180000
#define OE_IS_CLIENT(proc) ((proc)->isRegularBackend)
#else
#define OE_IS_CLIENT(proc) \
	(!(proc)->isBackgroundWorker && ((proc)->statusFlags & PROC_IS_AUTOVACUUM) == 0)
#endif

#if PG_VERSION_NUM >= 160000
#define OE_OWNS_DATABASE(database, role) object_ownercheck(DatabaseRelationId, (database), (role))
#else
#define OE_OWNS_DATABASE(database, role) pg_database_ownercheck((database), (role))
#endif

#if PG_VERSION_NUM >= 160000
#include "catalog/pg_tablespace.h"

#define may_create_in_tablespace(tablespace, role) \
	(object_aclcheck(TableSpaceRelationId, (tablespace), (role), ACL_CREATE) == ACLCHECK_OK)
#else
#define may_create_in_tablespace(tablespace, role) \
	(pg_tablespace_aclcheck((tablespace), (role), ACL_CREATE) == ACLCHECK_OK)
#endif

#if PG_VERSION_NUM >= 160000
#define may_connect_to(database, role) \
	(object_aclcheck(DatabaseRelationId, (database), (role), ACL_CONNECT) == ACLCHECK_OK)
#else
#define may_connect_to(database, role) \
	(pg_database_aclcheck((database), (role), ACL_CONNECT) == ACLCHECK_OK)
#endif

/* 17 lets an extension name its wait events; before that, each of them is "Extension". */
#if PG_VERSION_NUM >= 170000
#include "utils/wait_event.h"
#define wait_event_named(name) WaitEventExtensionNew(name)
#else
#define wait_event_named(name) PG_WAIT_EXTENSION
#endif

/* 16 renamed the access to the local copy of the backend status array. */
#if PG_VERSION_NUM >= 160000
#define backend_status_by_index(i) pgstat_get_local_beentry_by_index(i)
#else
#define backend_status_by_index(i) pgstat_fetch_stat_local_beentry(i)
#endif

/* 17 added an argument for stronger modes. */
#if PG_VERSION_NUM >= 170000
#define lock_held_by_me(tag, mode) LockHeldByMe((tag), (mode), false)
#else
#define lock_held_by_me(tag, mode) LockHeldByMe((tag), (mode))
#endif

/* 16 added an argument for updates. */
#if PG_VERSION_NUM >= 160000
#define insert_index_tuples(rel, slot, estate) \
	ExecInsertIndexTuples((rel), (slot), (estate), false, false, NULL, NIL, false)
#else
#define insert_index_tuples(rel, slot, estate) \
	ExecInsertIndexTuples((rel), (slot), (estate), false, false, NULL, NIL)
#endif

/* 16 says which indexes an update concerns: all, or only those that summarize. */
#if PG_VERSION_NUM >= 160000
#include "access/tableam.h"

typedef TU_UpdateIndexes UpdatedIndexes;

#define updated_indexes(which) ((which) != TU_None)
#define update_index_tuples(rel, slot, estate, which) \
	ExecInsertIndexTuples((rel), (slot), (estate), true, false, NULL, NIL, \
						  (which) == TU_Summarizing)
#else
typedef bool UpdatedIndexes;

#define updated_indexes(which) (which)
#define update_index_tuples(rel, slot, estate, which) \
	ExecInsertIndexTuples((rel), (slot), (estate), true, false, NULL, NIL)
#endif

/* 18 added an argument for statistics of the scan. */
#if PG_VERSION_NUM >= 180000
#define begin_index_scan(rel, index, snapshot, n_keys) \
	index_beginscan((rel), (index), (snapshot), NULL, (n_keys), 0)
#else
#define begin_index_scan(rel, index, snapshot, n_keys) \
	index_beginscan((rel), (index), (snapshot), (n_keys), 0)
#endif

/* Since 17 an index keeps something between inserts (BRIN). */
#if PG_VERSION_NUM >= 170000
#define index_insert_is_over(index, info) index_insert_cleanup((index), (info))
#else
#define index_insert_is_over(index, info) ((void) (info))
#endif

#endif							/* ORDER_EXT_COMPAT_H */
