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

#include "core/moments.h"
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
	moments_request();
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
	pg_atomic_init_u64(&worker->work_due, (uint64) DT_NOBEGIN);
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
			pg_atomic_init_u64(&worker_shared->databases[d].away_interest, 0);
			pg_atomic_init_u64(&worker_shared->databases[d].away_topics, 0);
			for (w = 0; w < MAX_DATABASE_WORKERS; w++)
				init_worker_slot(&worker_shared->databases[d].workers[w]);
		}
	}
	if (!found)
		memory_is_new();
	moments_attach();
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

void
worker_send_away(WorkerSlot *worker)
{
	worker->leave = true;
	worker_wake(worker);
}

void
worker_terminate(WorkerSlot *worker)
{
	worker_send_away(worker);
	/* The pid belongs to that worker as long as we hold the lock. */
	if (worker->pid != 0)
		kill(worker->pid, SIGTERM);
}

/* ---- state and counters of this worker ---- */

void
worker_back_off(int *failures, TimestampTz *retry_at)
{
	int			seconds = MAX_BACKOFF_SECONDS;

	if (*failures < 6)
		seconds = Min(1 << *failures, MAX_BACKOFF_SECONDS);
	(*failures)++;
	*retry_at = GetCurrentTimestamp() + seconds * USECS_PER_SEC;
}

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
