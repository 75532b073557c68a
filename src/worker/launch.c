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
reserve(DatabaseSlot *db, int w, Oid role, int ordinal, RoomFor wanted, uint32 *number)
{
	WorkerSlot *worker = &db->workers[w];
	RoleEntry  *entry;
	bool		free;

	LWLockAcquire(worker_shared->lock, LW_EXCLUSIVE);
	free = OidIsValid(db->database) && db->holds == 0 && worker->state == WORKER_FREE;
	if (free)
	{
		worker->state = WORKER_STARTING;
		worker->kind = (w < DISPATCHER_SLOTS) ? WORKER_SCHEDULER : WORKER_DISPATCHER;
		worker->role = role;
		worker->ordinal = ordinal;
		worker->relief = wanted >= ROOM_FOR_STAND_IN;
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
		/* If it fails, nobody knows what there is to do. */
		if ((entry = role_entry(db, role)) != NULL)
			entry->work_due = DT_NOBEGIN;
	}
	LWLockRelease(worker_shared->lock);
	return free;
}

/* The process of the reserved slot died before it could attach. */
static void
launch_failed(DatabaseSlot *db, int w, uint32 number)
{
	WorkerSlot *worker = &db->workers[w];
	RoleEntry  *entry;

	LWLockAcquire(worker_shared->lock, LW_EXCLUSIVE);
	if (worker->state == WORKER_STARTING && worker->launch == number)
	{
		worker->state = WORKER_FREE;
		entry = role_entry(db, worker->role);
		if (worker->relief)
			role_relief_failed(db, worker->role);
		else if (entry != NULL)
			role_failed(entry);
		else
			database_failed(db);
		db->no_slot = false;
	}
	LWLockRelease(worker_shared->lock);
}

static void
wait_for_room(int *failures, TimestampTz *retry_at, bool soon)
{
	if (!soon)
	{
		worker_back_off(failures, retry_at);
		return;
	}
	*failures = Max(*failures, 1);
	*retry_at = GetCurrentTimestamp() + ROOM_PATIENCE;
}

/* It was not started; soon: a slot is about to become free. */
static void
no_room(DatabaseSlot *db, int w, uint32 number, bool soon)
{
	WorkerSlot *worker = &db->workers[w];
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
			wait_for_room(&entry->failures, &entry->retry_at, soon);
			entry->no_slot = true;
		}
		else
		{
			wait_for_room(&db->failures, &db->retry_at, soon);
			db->no_slot = true;
		}
	}
	LWLockRelease(worker_shared->lock);
}

void
launch_worker(DatabaseSlot *db, int w, Oid role, int ordinal, RoomFor wanted)
{
	int			d = db - worker_shared->databases;
	Launch	   *launch = &launches[d][w];
	BackgroundWorker worker;
	MemoryContext old;
	uint32		number;
	bool		registered;

	if (!reserve(db, w, role, ordinal, wanted, &number))
		return;
	launch_fill_in(&worker, w < DISPATCHER_SLOTS ? "scheduler" : "dispatcher");
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
		room_taken(wanted);
		if (wanted == ROOM_FOR_DATABASE)
			db->no_slot = false;
		return;
	}
	no_room(db, w, number, room_make(wanted));
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
				launch_failed(db, w, launch->number);
		}
		else if (now - worker->since > START_PATIENCE)
			launch_failed(db, w, worker->launch);
	}
}
