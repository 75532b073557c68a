/*
 * launch.c
 *		Starting a worker in a slot; see launch.h.
 */
#include "compat.h"

#include "miscadmin.h"
#include "postmaster/bgworker.h"
#include "utils/memutils.h"

#include "core/error_facts.h"
#include "core/settings.h"
#include "worker/database_slots.h"
#include "worker/launch.h"
#include "worker/role_entries.h"
#include "worker/room.h"

/* A slot is about to become free. */
#define ROOM_PATIENCE (USECS_PER_SEC / 10)

#define WARNING_INTERVAL (60 * USECS_PER_SEC)

/* Launches of this process that have not attached yet. */
typedef struct Launch
{
	BackgroundWorkerHandle *handle;
	uint32		number;
} Launch;

static Launch launches[MAX_DATABASES][MAX_DATABASE_WORKERS];

static TimestampTz next_warning = 0;

bool
launch_may_warn(void)
{
	TimestampTz now = GetCurrentTimestamp();

	if (now < next_warning && next_warning - now <= WARNING_INTERVAL)
		return false;
	next_warning = now + WARNING_INTERVAL;
	return true;
}

void
launch_fill_in(BackgroundWorker *worker, const char *kind)
{
	memset(worker, 0, sizeof(*worker));
	worker->bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
	worker->bgw_start_time = BgWorkerStart_RecoveryFinished;
	worker->bgw_restart_time = BGW_NEVER_RESTART;
	snprintf(worker->bgw_type, BGW_MAXLEN, "order_ext %s", kind);
	snprintf(worker->bgw_name, BGW_MAXLEN, "order_ext %s", kind);
	snprintf(worker->bgw_library_name, BGW_MAXLEN, "order_ext");
	snprintf(worker->bgw_function_name, BGW_MAXLEN, "order_ext_%s_main", kind);
}

/* Reserve the slot under the lock; false if the database must not get workers now. */
static bool
reserve(DatabaseSlot *db, int w, Oid role, int ordinal, bool relief, uint32 *number)
{
	WorkerSlot *worker = &db->workers[w];
	bool		free;

	LWLockAcquire(worker_shared->lock, LW_EXCLUSIVE);
	free = OidIsValid(db->database) && db->holds == 0 && worker->state == WORKER_FREE;
	if (free)
	{
		worker->state = WORKER_STARTING;
		worker->kind = (w == SCHEDULER_SLOT) ? WORKER_SCHEDULER : WORKER_DISPATCHER;
		worker->role = role;
		worker->ordinal = ordinal;
		worker->relief = relief;
		db->n_workers = Max(db->n_workers, w + 1);
		worker->launch = *number = ++worker_shared->launches;
		worker->announced = db->announced;
		worker->pid = 0;
		worker->procno = -1;
		worker->leave = false;
		worker->outdated = false;
		worker->held_up = false;
		worker->handler_timeout = setting_handler_timeout;
		worker->since = GetCurrentTimestamp();
	}
	LWLockRelease(worker_shared->lock);
	return free;
}

/* The process of the reserved slot was not started, or died before it could attach. */
static void
launch_failed(DatabaseSlot *db, int w, uint32 number, bool no_slot)
{
	WorkerSlot *worker = &db->workers[w];
	bool		soon = no_slot && !worker->relief && room_make();
	RoleEntry  *entry;

	LWLockAcquire(worker_shared->lock, LW_EXCLUSIVE);
	if (worker->state == WORKER_STARTING && worker->launch == number)
	{
		worker->state = WORKER_FREE;
		entry = role_entry(db, worker->role);
		if (worker->relief)
			role_relief_failed(db, worker->role);
		else if (entry != NULL)
		{
			role_failed(entry);
			entry->no_slot = no_slot;
			if (soon)
				entry->retry_at = GetCurrentTimestamp() + ROOM_PATIENCE;
		}
		else
		{
			database_failed(db);
			if (soon)
				db->retry_at = GetCurrentTimestamp() + ROOM_PATIENCE;
		}
		db->no_slot = no_slot && !worker->relief;
	}
	LWLockRelease(worker_shared->lock);
}

void
launch_worker(DatabaseSlot *db, int w, Oid role, int ordinal, bool relief)
{
	int			d = db - worker_shared->databases;
	Launch	   *launch = &launches[d][w];
	BackgroundWorker worker;
	MemoryContext old;
	uint32		number;
	bool		registered;

	if (!reserve(db, w, role, ordinal, relief, &number))
		return;
	launch_fill_in(&worker, w == SCHEDULER_SLOT ? "scheduler" : "dispatcher");
	worker.bgw_main_arg = UInt32GetDatum(d * MAX_DATABASE_WORKERS + w);
	worker.bgw_notify_pid = MyProcPid;
	memcpy(worker.bgw_extra, &number, sizeof(number));

	if (launch->handle != NULL)
		pfree(launch->handle);
	launch->handle = NULL;
	launch->number = number;
	old = MemoryContextSwitchTo(TopMemoryContext);
	registered = RegisterDynamicBackgroundWorker(&worker, &launch->handle);
	MemoryContextSwitchTo(old);
	if (registered)
	{
		db->no_slot = false;
		return;
	}
	launch_failed(db, w, number, true);
	if (launch_may_warn())
		ereport(WARNING,
				(errcode(ERRCODE_INSUFFICIENT_RESOURCES),
				 errmsg("order_ext found no free background worker slot"),
				 error_facts("Database {database} is waiting for a worker; the next attempt is "
							 "within a minute.",
							 FACT_INT("database", db->database)),
				 errhint("Increase max_worker_processes.")));
}

void
launch_check(DatabaseSlot *db)
{
	int			d = db - worker_shared->databases;
	TimestampTz now = GetCurrentTimestamp();
	int			w;

	for (w = 0; w < MAX_DATABASE_WORKERS; w++)
	{
		WorkerSlot *worker = &db->workers[w];
		Launch	   *launch = &launches[d][w];
		pid_t		pid;

		if (worker->state != WORKER_STARTING)
			continue;
		if (launch->handle != NULL && launch->number == worker->launch)
		{
			if (GetBackgroundWorkerPid(launch->handle, &pid) == BGWH_STOPPED)
				launch_failed(db, w, launch->number, false);
		}
		else if (now - worker->since > START_PATIENCE)
			launch_failed(db, w, worker->launch, false);
	}
}
