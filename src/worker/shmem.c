/*
 * shmem.c
 *		The shared memory of the workers; see shmem.h.
 */
#include "compat.h"

#include <signal.h>

#include "miscadmin.h"
#include "postmaster/bgworker.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/proc.h"
#include "storage/shmem.h"

#include "worker/shmem.h"

#define TRANCHE_NAME "order_ext"

WorkerShared *worker_shared = NULL;
WorkerSlot *worker_my_slot = NULL;
DatabaseSlot *worker_my_database = NULL;

static shmem_startup_hook_type previous_shmem_startup_hook = NULL;
#ifdef ORDER_EXT_HAVE_SHMEM_REQUEST_HOOK
static shmem_request_hook_type previous_shmem_request_hook = NULL;
#endif

/* Called when the memory has been made anew. */
static void (*memory_is_new) (void);

static void
request_shmem(void)
{
#ifdef ORDER_EXT_HAVE_SHMEM_REQUEST_HOOK
	if (previous_shmem_request_hook)
		previous_shmem_request_hook();
#endif
	RequestAddinShmemSpace(MAXALIGN(sizeof(WorkerShared)));
	RequestNamedLWLockTranche(TRANCHE_NAME, 1);
}

static void
init_worker_slot(WorkerSlot *worker)
{
	worker->state = WORKER_FREE;
	worker->procno = -1;
	pg_atomic_init_u64(&worker->topics, 0);
	pg_atomic_init_u64(&worker->interest, ~UINT64CONST(0));
	pg_atomic_init_u64(&worker->other_topics, 0);
	pg_atomic_init_u64(&worker->others_due, (uint64) DT_NOEND);
	pg_atomic_init_u64(&worker->earliest, (uint64) DT_NOEND);
	pg_atomic_init_u64(&worker->sleep_until, (uint64) DT_NOEND);
	pg_atomic_init_u64(&worker->batches, 0);
	pg_atomic_init_u64(&worker->messages, 0);
	pg_atomic_init_u64(&worker->last_active, 0);
	pg_atomic_init_u64(&worker->alive_at, 0);
}

static void
startup_shmem(void)
{
	bool		found;
	int			d;
	int			w;

	if (previous_shmem_startup_hook)
		previous_shmem_startup_hook();

	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	worker_shared = ShmemInitStruct("order_ext", sizeof(WorkerShared), &found);
	if (!found)
	{
		memset(worker_shared, 0, sizeof(WorkerShared));
		worker_shared->lock = &(GetNamedLWLockTranche(TRANCHE_NAME))->lock;
		worker_shared->launcher_procno = -1;
		pg_atomic_init_u64(&worker_shared->launcher_alive_at, 0);
		pg_atomic_init_u32(&worker_shared->databases_used, 0);
		pg_atomic_init_u32(&worker_shared->waiters_used, 0);
		for (d = 0; d < MAX_DATABASES; d++)
		{
			for (w = 0; w < MAX_DATABASE_WORKERS; w++)
				init_worker_slot(&worker_shared->databases[d].workers[w]);
		}
	}
	if (!found)
		memory_is_new();
	LWLockRelease(AddinShmemInitLock);
}

void
shmem_init(void (*when_new) (void))
{
	memory_is_new = when_new;
#ifdef ORDER_EXT_HAVE_SHMEM_REQUEST_HOOK
	previous_shmem_request_hook = shmem_request_hook;
	shmem_request_hook = request_shmem;
#else
	request_shmem();
#endif
	previous_shmem_startup_hook = shmem_startup_hook;
	shmem_startup_hook = startup_shmem;
}

/* ---- databases ---- */

DatabaseSlot *
database_slot(Oid database, bool create)
{
	uint32		used = pg_atomic_read_u32(&worker_shared->databases_used);
	DatabaseSlot *unused = NULL;
	uint32		i;

	for (i = 0; i < used; i++)
	{
		DatabaseSlot *db = &worker_shared->databases[i];

		if (db->database == database)
			return db;
		if (unused == NULL && !OidIsValid(db->database))
			unused = db;
	}
	if (!create)
		return NULL;
	if (unused == NULL)
	{
		if (used >= MAX_DATABASES)
			return NULL;
		unused = &worker_shared->databases[used];
		pg_atomic_write_u32(&worker_shared->databases_used, used + 1);
	}
	unused->announced++;
	unused->holds = 0;
	unused->verdict = VERDICT_UNKNOWN;
	unused->failures = 0;
	unused->retry_at = 0;
	unused->no_slot = false;
	unused->outdated = false;
	unused->relief_at = 0;
	unused->reconsidered = 0;
	unused->n_roles = 0;
	unused->n_main = 1;
	unused->n_workers = 0;
	unused->database = database;
	return unused;
}

void
database_slot_free(DatabaseSlot *db)
{
	db->database = InvalidOid;
}

bool
database_has_workers(const DatabaseSlot *db)
{
	int			w;

	for (w = 0; w < MAX_DATABASE_WORKERS; w++)
	{
		if (db->workers[w].state != WORKER_FREE)
			return true;
	}
	return false;
}

static void
back_off(int *failures, TimestampTz *retry_at)
{
	int			seconds = MAX_BACKOFF_SECONDS;

	if (*failures < 6)
		seconds = Min(1 << *failures, MAX_BACKOFF_SECONDS);
	(*failures)++;
	*retry_at = GetCurrentTimestamp() + seconds * USECS_PER_SEC;
}

void
database_failed(DatabaseSlot *db)
{
	back_off(&db->failures, &db->retry_at);
}

/* ---- roles ---- */

RoleEntry *
role_entry(DatabaseSlot *db, Oid role)
{
	int			i;

	for (i = 0; i < db->n_roles; i++)
	{
		if (db->roles[i].role == role)
			return &db->roles[i];
	}
	return NULL;
}

void
role_failed(RoleEntry *entry)
{
	back_off(&entry->failures, &entry->retry_at);
	entry->no_slot = false;
}

static bool
roles_are_news(const RoleEntry *roles, int n, int main_count)
{
	int			i;

	if (n != worker_my_database->n_roles || main_count != worker_my_database->n_main)
		return true;
	for (i = 0; i < n; i++)
	{
		const RoleEntry *known = role_entry(worker_my_database, roles[i].role);

		if (known == NULL || known->count != roles[i].count)
			return true;
	}
	return false;
}

TimestampTz *
role_relief_at(DatabaseSlot *db, Oid role)
{
	RoleEntry  *entry = role_entry(db, role);

	return entry != NULL ? &entry->relief_at : &db->relief_at;
}

void
role_relief_failed(DatabaseSlot *db, Oid role)
{
	*role_relief_at(db, role) = GetCurrentTimestamp() + RELIEF_PAUSE;
}

void
roles_announce(const RoleEntry *roles, int n, int main_count)
{
	RoleEntry	merged[MAX_DATABASE_ROLES];
	bool		news;
	int			i;

	LWLockAcquire(worker_shared->lock, LW_EXCLUSIVE);
	news = roles_are_news(roles, n, main_count);
	if (news)
	{
		for (i = 0; i < n; i++)
		{
			const RoleEntry *known = role_entry(worker_my_database, roles[i].role);

			merged[i] = roles[i];
			merged[i].failures = known != NULL ? known->failures : 0;
			merged[i].retry_at = known != NULL ? known->retry_at : 0;
			merged[i].no_slot = known != NULL && known->no_slot;
			merged[i].outdated = known != NULL && known->outdated;
			merged[i].relief_at = known != NULL ? known->relief_at : 0;
		}
		memcpy(worker_my_database->roles, merged, sizeof(RoleEntry) * n);
		worker_my_database->n_roles = n;
		worker_my_database->n_main = main_count;
	}
	LWLockRelease(worker_shared->lock);
	if (news)
		worker_wake_launcher();
}

/*
 * Runs in commit callbacks: an LWLock and plain stores only, nothing that can fail.
 */
void
database_announce(Oid database)
{
	DatabaseSlot *db;
	int			w;

	if (worker_shared == NULL)
		return;
	LWLockAcquire(worker_shared->lock, LW_EXCLUSIVE);
	db = database_slot(database, true);
	if (db == NULL)
		worker_shared->overflow = true;
	else
	{
		db->announced++;
		db->verdict = VERDICT_UNKNOWN;
		db->failures = 0;
		db->retry_at = 0;
		for (w = 0; w < MAX_DATABASE_WORKERS; w++)
			worker_wake(&db->workers[w]);
	}
	LWLockRelease(worker_shared->lock);
	worker_wake_launcher();
}

void
database_discover(Oid database)
{
	bool		known;

	LWLockAcquire(worker_shared->lock, LW_SHARED);
	known = database_slot(database, false) != NULL;
	LWLockRelease(worker_shared->lock);
	if (!known)
		database_announce(database);
}

void
worker_send_away(WorkerSlot *worker, bool force)
{
	worker->leave = true;
	worker_wake(worker);
	/* The pid belongs to that worker as long as we hold the lock. */
	if (force && worker->pid != 0)
		kill(worker->pid, SIGTERM);
}

/* ---- latches ---- */

void
worker_wake_process(int procno)
{
	if (procno >= 0)
		SetLatch(&ProcGlobal->allProcs[procno].procLatch);
}

void
worker_wake_launcher(void)
{
	if (worker_shared != NULL)
		worker_wake_process(worker_shared->launcher_procno);
}

void
worker_wake(const WorkerSlot *worker)
{
	worker_wake_process(worker->procno);
}

/* ---- state and counters of this worker ---- */

void
worker_set_state(WorkerState state)
{
	if (worker_my_slot != NULL)
		worker_my_slot->state = state;
}

void
worker_alive(TimestampTz now)
{
	pg_atomic_write_u64(worker_my_slot != NULL ? &worker_my_slot->alive_at
						: &worker_shared->launcher_alive_at,
						(uint64) now);
}

/* Only this process writes its counters. */
void
worker_count(int64 batches, int64 messages)
{
	if (worker_my_slot == NULL)
		return;
	pg_atomic_fetch_add_u64(&worker_my_slot->batches, batches);
	pg_atomic_fetch_add_u64(&worker_my_slot->messages, messages);
	pg_atomic_write_u64(&worker_my_slot->last_active, (uint64) GetCurrentTimestamp());
}
