/*
 * attach.c
 *		How a worker takes its slot in shared memory, and leaves it; see attach.h.
 */
#include "compat.h"

#include "miscadmin.h"
#include "postmaster/bgworker.h"
#include "storage/ipc.h"
#include "storage/proc.h"

#include "worker/attach.h"
#include "worker/away.h"
#include "worker/crash_marks.h"
#include "worker/database_slots.h"
#include "worker/role_entries.h"

/* Set by worker_leave(): this exit is not a failure. */
static bool leaving = false;

/* A role that cannot log in must not delay the workers of others. */
static void
note_failure(const WorkerSlot *worker)
{
	RoleEntry  *entry = role_entry(worker_my_database, worker->role);
	int		   *failures = entry != NULL ? &entry->failures : &worker_my_database->failures;

	if (worker->relief)
	{
		role_relief_failed(worker_my_database, worker->role);
		return;
	}
	/* A failure after a long run does not count as consecutive. */
	if (GetCurrentTimestamp() - worker->since > MAX_BACKOFF_SECONDS * USECS_PER_SEC)
		*failures = 0;
	if (entry != NULL)
		role_failed(entry);
	else
		database_failed(worker_my_database);
}

/*
 * Release the slot. Registered before connecting, so that it runs after the transaction was
 * aborted; does nothing the second time.
 */
static void
detach(int code, Datum arg)
{
	WorkerSlot *worker = worker_my_slot;
	bool		message_to_blame;

	(void) code;
	(void) arg;
	if (worker == NULL)
		return;
	worker_my_slot = NULL;
	LWLockAcquire(worker_shared->lock, LW_EXCLUSIVE);
	message_to_blame = crash_marks_clear();
	if (!leaving && !worker->leave && worker_my_database->holds == 0 && !message_to_blame)
		note_failure(worker);
	away_begins(worker_my_database, worker);
	worker->state = WORKER_FREE;
	worker->pid = 0;
	worker->procno = -1;
	LWLockRelease(worker_shared->lock);
	worker_wake_launcher();
}

bool
worker_attach(Datum main_arg)
{
	uint32		index = DatumGetUInt32(main_arg);
	DatabaseSlot *db = &worker_shared->databases[index / MAX_DATABASE_WORKERS];
	WorkerSlot *worker = &db->workers[index % MAX_DATABASE_WORKERS];
	uint32		launch;
	bool		ours;

	memcpy(&launch, MyBgworkerEntry->bgw_extra, sizeof(launch));
	LWLockAcquire(worker_shared->lock, LW_EXCLUSIVE);
	ours = (worker->state == WORKER_STARTING && worker->launch == launch);
	if (ours)
	{
		worker->state = WORKER_IDLE;
		worker->pid = MyProcPid;
		worker->procno = OE_MY_PROCNO;
		worker->since = GetCurrentTimestamp();
		pg_atomic_write_u64(&worker->topics, ~UINT64CONST(0));
		pg_atomic_write_u64(&worker->interest, ~UINT64CONST(0));
		pg_atomic_write_u64(&worker->other_topics, 0);
		pg_atomic_write_u64(&worker->others_due, (uint64) DT_NOEND);
		pg_atomic_write_u64(&worker->work_due, (uint64) DT_NOBEGIN);
		pg_atomic_write_u64(&worker->earliest, (uint64) DT_NOEND);
		pg_atomic_write_u64(&worker->sleep_until, (uint64) DT_NOEND);
		pg_atomic_write_u64(&worker->batches, 0);
		pg_atomic_write_u64(&worker->messages, 0);
		pg_atomic_write_u64(&worker->last_active, (uint64) worker->since);
		pg_atomic_write_u64(&worker->alive_at, (uint64) worker->since);
	}
	LWLockRelease(worker_shared->lock);
	if (!ours)
		return false;
	worker_my_database = db;
	worker_my_slot = worker;
	before_shmem_exit(detach, (Datum) 0);
	return true;
}

bool
worker_must_leave(void)
{
	return worker_my_slot->leave || worker_my_database->holds > 0 ||
		worker_my_slot->announced != worker_my_database->announced;
}

void
worker_leave(Verdict verdict)
{
	RoleEntry  *entry;

	LWLockAcquire(worker_shared->lock, LW_EXCLUSIVE);
	leaving = true;
	entry = role_entry(worker_my_database, worker_my_slot->role);
	if (verdict == VERDICT_DISABLED && entry != NULL)
		role_failed(entry);		/* for that role only */
	else if (worker_my_slot->announced == worker_my_database->announced &&
			 verdict != VERDICT_UNKNOWN)
		worker_my_database->verdict = verdict;
	LWLockRelease(worker_shared->lock);
	proc_exit(0);
}
