/*
 * stats.c
 *		The function behind the view worker_stats.
 */
#include "compat.h"

#include "access/htup_details.h"
#include "catalog/pg_authid.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/syscache.h"

#include "worker/shmem.h"

/*
 * A sleeping process wakes up every two seconds, and a process that calls a handler ends it, or
 * is ended, when its time is over. A process that has shown no sign of life for this long is
 * stopped or stuck.
 */
#define IDLE_SILENCE (15 * USECS_PER_SEC)
#define BUSY_SILENCE (60 * USECS_PER_SEC)	/* in addition to the handler's time limit */

/* A row: a running worker, or the reason why one is missing. */
typedef struct StatsRow
{
	int			pid;			/* 0 = NULL */
	Oid			database;		/* InvalidOid = NULL */
	Oid			role;
	const char *kind;
	const char *state;
	int64		batches;
	int64		messages;
	TimestampTz last_active;
} StatsRow;

typedef struct StatsRows
{
	int			n;
	StatsRow   *rows;
} StatsRows;

static const char *
worker_state_name(WorkerState state)
{
	switch (state)
	{
		case WORKER_FREE:
			return "free";
		case WORKER_STARTING:
			return "starting";
		case WORKER_IDLE:
			return "idle";
		case WORKER_BUSY:
			return "busy";
		case WORKER_FAILING:
			return "failing";
	}
	return "unknown";
}

/* What to show about a running process. */
static const char *
shown_state(WorkerState state, uint64 alive_at, int handler_timeout)
{
	int64		silence = GetCurrentTimestamp() - (TimestampTz) alive_at;
	int64		bearable = IDLE_SILENCE;

	if (state == WORKER_BUSY && handler_timeout == 0)
		return worker_state_name(state);	/* it may take forever */
	if (state == WORKER_BUSY)
		bearable = BUSY_SILENCE + handler_timeout * INT64CONST(1000);
	if (state != WORKER_STARTING && silence > bearable)
		return "not answering";
	return worker_state_name(state);
}

/* Why a database has no workers, or no dispatcher. */
static const char *
absence_reason(const DatabaseSlot *db)
{
	if (db->holds > 0)
		return "sent away";
	switch (db->verdict)
	{
		case VERDICT_UNKNOWN:
		case VERDICT_RUN:
			if (db->no_slot)
				return "no worker slot";
			break;
		case VERDICT_DISABLED:
			return "disabled";
		case VERDICT_FOREIGN:
			return "not enabled";
		case VERDICT_VERSION:
			return "other version";
		default:
			break;
	}
	return db->failures > 0 ? "backing off" : "starting";
}

/* A row for a missing worker. */
static StatsRow *
add_absence(StatsRows *into, const DatabaseSlot *db, const char *kind)
{
	StatsRow   *row = &into->rows[into->n++];

	memset(row, 0, sizeof(*row));
	row->database = db->database;
	row->kind = kind;
	row->state = absence_reason(db);
	return row;
}

/* Rows for roles without a dispatcher. */
static void
add_absent_roles(StatsRows *into, const DatabaseSlot *db)
{
	int			i;
	int			w;

	for (i = 0; i < db->n_roles; i++)
	{
		const RoleEntry *entry = &db->roles[i];
		StatsRow   *row;

		for (w = DISPATCHER_SLOTS; w < MAX_DATABASE_WORKERS; w++)
		{
			if (db->workers[w].state != WORKER_FREE && db->workers[w].role == entry->role)
				break;
		}
		if (w < MAX_DATABASE_WORKERS)
			continue;
		row = add_absence(into, db, "dispatcher");
		row->role = entry->role;
		if (db->holds == 0 && entry->failures > 0)
			row->state = entry->no_slot ? "no worker slot" : "backing off";
	}
}

static void
add_database(StatsRows *into, const DatabaseSlot *db)
{
	bool		any = false;
	bool		dispatcher = false;
	int			w;

	for (w = 0; w < MAX_DATABASE_WORKERS; w++)
	{
		/* A copy of the pointer: counters are read with atomics, which are not const. */
		WorkerSlot *worker = unconstify(WorkerSlot *, &db->workers[w]);
		StatsRow   *row;

		if (worker->state == WORKER_FREE)
			continue;
		any = true;
		dispatcher |= worker->kind == WORKER_DISPATCHER;
		row = &into->rows[into->n++];
		row->pid = worker->pid;
		row->database = db->database;
		row->role = worker->role;
		row->kind = worker->kind == WORKER_SCHEDULER ? "scheduler" : "dispatcher";
		row->state = shown_state(worker->state, pg_atomic_read_u64(&worker->alive_at),
								 worker->handler_timeout);
		row->batches = (int64) pg_atomic_read_u64(&worker->batches);
		row->messages = (int64) pg_atomic_read_u64(&worker->messages);
		row->last_active = (TimestampTz) pg_atomic_read_u64(&worker->last_active);
	}
	if (!any && db->verdict != VERDICT_ABSENT)
		add_absence(into, db, "scheduler");
	else if (!dispatcher && db->verdict == VERDICT_RUN)
		add_absence(into, db, "dispatcher");
	if (any && db->verdict == VERDICT_RUN)
		add_absent_roles(into, db);
}

static StatsRows *
collect(void)
{
	StatsRows  *into = palloc0(sizeof(StatsRows));
	int			d;

	if (worker_shared == NULL)
		return into;
	into->rows = palloc0(sizeof(StatsRow) *
						 (MAX_DATABASES * (MAX_DATABASE_WORKERS + MAX_DATABASE_ROLES) + 1));
	LWLockAcquire(worker_shared->lock, LW_SHARED);
	into->rows[0].pid = worker_shared->launcher_pid;
	into->rows[0].kind = "launcher";
	into->rows[0].state = worker_shared->launcher_pid == 0 ? "starting"
		: shown_state(WORKER_IDLE, pg_atomic_read_u64(&worker_shared->launcher_alive_at), 0);
	into->n = 1;
	for (d = 0; d < MAX_DATABASES; d++)
	{
		if (OidIsValid(worker_shared->databases[d].database))
			add_database(into, &worker_shared->databases[d]);
	}
	LWLockRelease(worker_shared->lock);
	return into;
}

static HeapTuple
form_row(TupleDesc tupdesc, const StatsRow *row)
{
	Datum		values[8] = {0};
	bool		nulls[8] = {false};

	values[0] = Int32GetDatum(row->pid);
	nulls[0] = (row->pid == 0);
	values[1] = ObjectIdGetDatum(row->database);
	nulls[1] = !OidIsValid(row->database);
	values[2] = ObjectIdGetDatum(row->role);
	nulls[2] = !OidIsValid(row->role);
	values[3] = CStringGetTextDatum(row->kind);
	values[4] = CStringGetTextDatum(row->state);
	values[5] = Int64GetDatum(row->batches);
	values[6] = Int64GetDatum(row->messages);
	values[7] = TimestampTzGetDatum(row->last_active);
	nulls[7] = (row->last_active == 0);
	return heap_form_tuple(tupdesc, values, nulls);
}

/* worker_list(): one row per background process of order_ext, of all databases. */
PG_FUNCTION_INFO_V1(order_ext_worker_list);
Datum
order_ext_worker_list(PG_FUNCTION_ARGS)
{
	FuncCallContext *funcctx;
	StatsRows  *rows;

	if (SRF_IS_FIRSTCALL())
	{
		MemoryContext old;

		funcctx = SRF_FIRSTCALL_INIT();
		old = MemoryContextSwitchTo(funcctx->multi_call_memory_ctx);
		if (get_call_result_type(fcinfo, NULL, &funcctx->tuple_desc) != TYPEFUNC_COMPOSITE)
			elog(ERROR, "result type of worker_list() is not composite");
		funcctx->tuple_desc = BlessTupleDesc(funcctx->tuple_desc);
		funcctx->user_fctx = collect();
		MemoryContextSwitchTo(old);
	}
	funcctx = SRF_PERCALL_SETUP();
	rows = funcctx->user_fctx;
	if (funcctx->call_cntr < (uint64) rows->n)
	{
		HeapTuple	tuple = form_row(funcctx->tuple_desc, &rows->rows[funcctx->call_cntr]);

		SRF_RETURN_NEXT(funcctx, HeapTupleGetDatum(tuple));
	}
	SRF_RETURN_DONE(funcctx);
}

static bool
role_may_log_in(Oid role)
{
	HeapTuple	tuple = SearchSysCache1(AUTHOID, ObjectIdGetDatum(role));
	bool		may = HeapTupleIsValid(tuple) && ((Form_pg_authid) GETSTRUCT(tuple))->rolcanlogin;

	if (HeapTupleIsValid(tuple))
		ReleaseSysCache(tuple);
	return may;
}

/* role_absence(role): see sql/parts/540_workers_views.sql. */
PG_FUNCTION_INFO_V1(order_ext_role_absence);
Datum
order_ext_role_absence(PG_FUNCTION_ARGS)
{
	Oid			role = get_role_oid(text_to_cstring(PG_GETARG_TEXT_PP(0)), true);
	const char *reason = NULL;

	if (!OidIsValid(role))
		reason = "role is gone";
	else if (superuser_arg(role))
		reason = "role is a superuser";
	else if (!role_may_log_in(role))
		reason = "role may not log in";
	else if (!may_connect_to(MyDatabaseId, role))
		reason = "role may not connect";
	if (reason == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(reason));
}
