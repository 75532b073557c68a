/*
 * launcher.c
 *		The process that starts the workers of all databases; one per server.
 *
 * It is not connected to any database and so does not prevent dropping one. It learns about
 * databases by probing each once at its own start, and by later announcements (CREATE EXTENSION,
 * enable_dispatch(), ALTER DATABASE ... SET). A probe simply starts the database's scheduler,
 * which exits at once, giving its reason, if it has nothing to do.
 */
#include "compat.h"

#include "catalog/pg_authid.h"
#include "miscadmin.h"
#include "postmaster/bgworker.h"
#include "storage/ipc.h"
#include "storage/proc.h"
#include "utils/memutils.h"

#include "core/clock.h"
#include "core/error_facts.h"
#include "core/node.h"
#include "worker/database_slots.h"
#include "worker/databases.h"
#include "worker/launch.h"
#include "worker/launcher.h"
#include "worker/loop.h"
#include "worker/relief.h"
#include "worker/renewal.h"
#include "worker/role_entries.h"
#include "worker/shmem.h"

/* Maximum number of databases that are probed at the same time. */
#define MAX_PROBES 3

/* Databases still to be probed, in the launcher's own memory context. */
static MemoryContext probe_context = NULL;
static List *to_probe = NIL;

/* ---- probes ---- */

static void
probe_everything(void)
{
	if (probe_context == NULL)
		probe_context = AllocSetContextCreate(TopMemoryContext, "order_ext probes",
											  ALLOCSET_SMALL_SIZES);
	to_probe = NIL;
	MemoryContextReset(probe_context);
	to_probe = databases_read(InvalidOid, probe_context);
}

/* Move databases from the list to slots, a few at a time. */
static void
begin_probes(void)
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

/* ---- a database's turn ---- */

/* Release the slot of a database that does not need workers. */
static void
free_if_unused(DatabaseSlot *db, uint32 announced)
{
	LWLockAcquire(worker_shared->lock, LW_EXCLUSIVE);
	if (db->announced == announced && db->holds == 0 && !database_has_workers(db))
		database_slot_free(db);
	LWLockRelease(worker_shared->lock);
}

/* The slot of a role's dispatcher, or a free one for it; -1 if there is neither. */
static int
dispatcher_slot(const DatabaseSlot *db, Oid role, int ordinal)
{
	int			unused = -1;
	int			w;

	for (w = SCHEDULER_SLOT + 1; w < MAX_DATABASE_WORKERS; w++)
	{
		const WorkerSlot *worker = &db->workers[w];

		if (worker->state == WORKER_FREE)
			unused = unused < 0 ? w : unused;
		else if (worker->role == role && worker->ordinal == ordinal && !worker->leave)
			return w;
	}
	return unused;
}

/*
 * Make sure that the worker runs. False if the database no longer exists. After failures, nothing
 * is started before *retry_at.
 */
static bool
ensure_worker(DatabaseSlot *db, int w, Oid role, int ordinal,
			  const int *failures, const TimestampTz *retry_at, TimestampTz *next_wakeup)
{
	TimestampTz now = GetCurrentTimestamp();

	if (w < 0 || db->holds != 0)
		return true;
	if (db->workers[w].state == WORKER_STARTING)
		*next_wakeup = Min(*next_wakeup, now + START_PATIENCE);
	if (db->workers[w].state != WORKER_FREE)
		return true;
	if (*failures > 0 && !clock_pause_is_over(*retry_at, MAX_BACKOFF_SECONDS * USECS_PER_SEC, now))
	{
		*next_wakeup = Min(*next_wakeup, *retry_at);
		return true;
	}
	if (databases_read(db->database, CurrentMemoryContext) == NIL)
		return false;
	launch_worker(db, w, role, ordinal, false);
	if (*failures > 0 && now < *retry_at)
		*next_wakeup = Min(*next_wakeup, *retry_at);
	return true;
}

/* How many dispatchers the role should have here. */
static int
dispatchers_wanted(DatabaseSlot *db, Oid role)
{
	RoleEntry  *entry;

	if (db->verdict != VERDICT_RUN)
		return 0;
	if (role == BOOTSTRAP_SUPERUSERID)
		return db->n_main;
	entry = role_entry(db, role);
	return entry != NULL ? entry->count : 0;
}

/* Stop dispatchers of a role that no longer has handlers, or needs fewer. */
static void
dismiss_surplus(DatabaseSlot *db)
{
	int			w;

	if (db->verdict != VERDICT_RUN)
		return;
	LWLockAcquire(worker_shared->lock, LW_EXCLUSIVE);
	for (w = SCHEDULER_SLOT + 1; w < MAX_DATABASE_WORKERS; w++)
	{
		WorkerSlot *worker = &db->workers[w];

		int			wanted = dispatchers_wanted(db, worker->role);

		if (worker->ordinal < wanted)
			worker->relief = false;
		else if (worker->state != WORKER_FREE && !worker->leave &&
				 (!worker->relief || wanted == 0))
			worker_send_away(worker, false);
	}
	LWLockRelease(worker_shared->lock);
}

/* Start one more dispatcher if all of a role are held up. False as above. */
static bool
ensure_relief(DatabaseSlot *db, Oid role, int count, TimestampTz *next_wakeup)
{
	int			ordinal;
	int			w;

	if (db->holds != 0 || !relief_needed(db, role, count, &ordinal, next_wakeup))
		return true;
	w = dispatcher_slot(db, role, ordinal);
	if (w < 0 || db->workers[w].state != WORKER_FREE)
		return true;
	if (databases_read(db->database, CurrentMemoryContext) == NIL)
		return false;
	launch_worker(db, w, role, ordinal, true);
	return true;
}

static bool
ensure_dispatchers(DatabaseSlot *db, TimestampTz *next_wakeup)
{
	RoleEntry	roles[MAX_DATABASE_ROLES];
	int			n_roles;
	int			n_main;
	int			i;
	int			k;

	LWLockAcquire(worker_shared->lock, LW_SHARED);
	n_roles = db->n_roles;
	n_main = db->n_main;
	memcpy(roles, db->roles, sizeof(RoleEntry) * n_roles);
	LWLockRelease(worker_shared->lock);

	for (k = 0; k < n_main; k++)
	{
		if (!ensure_worker(db, dispatcher_slot(db, BOOTSTRAP_SUPERUSERID, k), BOOTSTRAP_SUPERUSERID,
						   k, &db->failures, &db->retry_at, next_wakeup))
			return false;
	}
	if (!ensure_relief(db, BOOTSTRAP_SUPERUSERID, n_main, next_wakeup))
		return false;
	for (i = 0; i < n_roles; i++)
	{
		for (k = 0; k < roles[i].count; k++)
		{
			if (!ensure_worker(db, dispatcher_slot(db, roles[i].role, k), roles[i].role,
							   k, &roles[i].failures, &roles[i].retry_at, next_wakeup))
				return false;
		}
		if (!ensure_relief(db, roles[i].role, roles[i].count, next_wakeup))
			return false;
	}
	return true;
}

static void
care_for_database(DatabaseSlot *db, TimestampTz *next_wakeup)
{
	uint32		announced = db->announced;
	bool		there = true;

	pg_read_barrier();
	launch_check(db);
	dismiss_surplus(db);
	renewal_care(db, next_wakeup);
	if (db->verdict == VERDICT_ABSENT)
	{
		free_if_unused(db, announced);
		return;
	}
	/* If the database has not been checked yet, the scheduler will do so. */
	if (db->verdict == VERDICT_UNKNOWN || db->verdict == VERDICT_RUN)
		there = ensure_worker(db, SCHEDULER_SLOT, BOOTSTRAP_SUPERUSERID, 0,
							  &db->failures, &db->retry_at, next_wakeup);
	if (there && db->verdict == VERDICT_RUN)
		there = ensure_dispatchers(db, next_wakeup);
	if (!there)
		free_if_unused(db, announced);
}

static void
warn_of_failures(DatabaseSlot *db)
{
	if (db->failures >= 2 && !db->no_slot && !database_has_workers(db) && launch_may_warn())
		ereport(WARNING,
				(errmsg("order_ext's workers of database %u have failed %d times in a row",
						db->database, db->failures),
				 error_facts("The next start is at {retry_at}.",
							 FACT_INT("database", db->database),
							 FACT_TIME("retry_at", db->retry_at)),
				 errhint("See the server log for details.")));
}

static bool
turn(bool everything, TimestampTz *next_wakeup)
{
	uint32		used;
	uint32		i;

	(void) everything;			/* only announcements matter here */
	if (worker_shared->overflow)
	{
		worker_shared->overflow = false;
		probe_everything();
	}
	if (worker_reloaded())
	{
		/* order_ext.enabled may have changed for databases without workers. */
		LWLockAcquire(worker_shared->lock, LW_EXCLUSIVE);
		for (i = 0; i < MAX_DATABASES; i++)
		{
			if (worker_shared->databases[i].verdict == VERDICT_DISABLED)
				worker_shared->databases[i].verdict = VERDICT_UNKNOWN;
		}
		LWLockRelease(worker_shared->lock);
	}
	begin_probes();
	used = pg_atomic_read_u32(&worker_shared->databases_used);
	for (i = 0; i < used; i++)
	{
		DatabaseSlot *db = &worker_shared->databases[i];

		if (!OidIsValid(db->database))
			continue;
		warn_of_failures(db);
		care_for_database(db, next_wakeup);
	}
	return false;
}

/* ---- the process ---- */

void
launcher_register(void)
{
	BackgroundWorker worker;

	launch_fill_in(&worker, "launcher");
	worker.bgw_restart_time = 5;
	RegisterBackgroundWorker(&worker);
}

/*
 * The latch means that something has changed; there are no flags to check. The loop clears it, so
 * this remembers that the loop has slept since the last turn.
 */
static bool slept = false;

static bool
woken(void)
{
	bool		was = slept;

	slept = !was;
	return was;
}

static void
check_exit(void)
{
	/* Not 0, which would mean never to be restarted. */
	if (ProcDiePending)
		proc_exit(1);
}

static void
launcher_detach(int code, Datum arg)
{
	(void) code;
	(void) arg;
	LWLockAcquire(worker_shared->lock, LW_EXCLUSIVE);
	if (worker_shared->launcher_pid == MyProcPid)
	{
		worker_shared->launcher_pid = 0;
		worker_shared->launcher_procno = -1;
	}
	LWLockRelease(worker_shared->lock);
}

void
order_ext_launcher_main(Datum main_arg)
{
	static const WorkerLoop loop = {
		.activity = NULL,
		.idle = "OrderExtLauncherIdle",
		.wanted = woken,
		.turn = turn,
		.check_exit = check_exit,
	};

	(void) main_arg;
	worker_signals();
	before_shmem_exit(launcher_detach, (Datum) 0);
	BackgroundWorkerInitializeConnection(NULL, NULL, 0);
	LWLockAcquire(worker_shared->lock, LW_EXCLUSIVE);
	worker_shared->launcher_pid = MyProcPid;
	worker_shared->launcher_procno = OE_MY_PROCNO;
	worker_alive(GetCurrentTimestamp());
	LWLockRelease(worker_shared->lock);
	node_create();
	probe_everything();
	worker_loop(&loop);
}
