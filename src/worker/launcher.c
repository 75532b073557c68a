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

#include "miscadmin.h"
#include "postmaster/bgworker.h"
#include "storage/ipc.h"
#include "storage/proc.h"
#include "utils/memutils.h"

#include "core/clock.h"
#include "core/error_facts.h"
#include "core/node.h"
#include "worker/care.h"
#include "worker/database_slots.h"
#include "worker/databases.h"
#include "worker/launch.h"
#include "worker/launcher.h"
#include "worker/loop.h"
#include "worker/room.h"
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
		if (database_slot_create(linitial_oid(to_probe)) == NULL)
			break;
		to_probe = list_delete_first(to_probe);
		probing++;
	}
	LWLockRelease(worker_shared->lock);
}

/* ---- a turn ---- */

static void
warn_of_failures(DatabaseSlot *db, TimestampTz *next_wakeup)
{
	(void) next_wakeup;
	if (db->failures >= 2 && !db->no_slot && !database_has_workers(db) && launch_may_warn())
		ereport(WARNING,
				(errmsg("order_ext's workers of database %u have failed %d times in a row",
						db->database, db->failures),
				 error_facts("The next start is at {retry_at}.",
							 FACT_INT("database", db->database),
							 FACT_TIME("retry_at", db->retry_at)),
				 errhint("See the server log for details.")));
}

/* Take a step with each database. */
static void
for_each_database(void (*step) (DatabaseSlot *db, TimestampTz *next_wakeup),
				  TimestampTz *next_wakeup)
{
	uint32		used = pg_atomic_read_u32(&worker_shared->databases_used);
	uint32		i;

	for (i = 0; i < used; i++)
	{
		if (OidIsValid(worker_shared->databases[i].database))
			step(&worker_shared->databases[i], next_wakeup);
	}
}

static bool
turn(bool everything, TimestampTz *next_wakeup)
{
	int			i;

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
	room_begin_turn();
	for_each_database(warn_of_failures, next_wakeup);
	for_each_database(care_take_stock, next_wakeup);
	for_each_database(care_for_database, next_wakeup);
	care_for_waiting(next_wakeup);
	for_each_database(care_for_roles, next_wakeup);
	return false;
}

/* ---- the process ---- */

/*
 * A launcher that is stopped (SIGSTOP) cannot start anything. Workers, which look every two
 * seconds, start another one if nothing has been heard of it for this long; and then not again for
 * a while, in which it may have to wait for its turn to start.
 */
#define LAUNCHER_SILENCE (8 * USECS_PER_SEC)
#define LAUNCHER_PATIENCE (20 * USECS_PER_SEC)

/* Whether this is the other one. */
static bool stands_in = false;

void
launcher_replace_if_silent(void)
{
	TimestampTz now = GetCurrentTimestamp();
	TimestampTz alive_at = (TimestampTz) pg_atomic_read_u64(&worker_shared->launcher_alive_at);
	BackgroundWorker worker;
	bool		replace;

	if (!clock_pause_is_over(alive_at + LAUNCHER_SILENCE, LAUNCHER_SILENCE, now))
		return;
	LWLockAcquire(worker_shared->lock, LW_EXCLUSIVE);
	/* Without one, the postmaster is about to start it. */
	replace = worker_shared->launcher_pid != 0 &&
		clock_pause_is_over(worker_shared->launcher_replaced + LAUNCHER_PATIENCE,
							LAUNCHER_PATIENCE, now);
	if (replace)
		worker_shared->launcher_replaced = now;
	LWLockRelease(worker_shared->lock);
	if (!replace)
		return;
	launch_fill_in(&worker, "launcher");
	worker.bgw_main_arg = BoolGetDatum(true);
	(void) RegisterDynamicBackgroundWorker(&worker, NULL);
}

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

/* Another launcher that gave a sign of life not long ago. */
static bool
another_is_alive(void)
{
	TimestampTz alive_at = (TimestampTz) pg_atomic_read_u64(&worker_shared->launcher_alive_at);
	bool		alive;

	LWLockAcquire(worker_shared->lock, LW_SHARED);
	alive = worker_shared->launcher_pid != 0 && worker_shared->launcher_pid != MyProcPid &&
		!clock_pause_is_over(alive_at + LAUNCHER_SILENCE, LAUNCHER_SILENCE, GetCurrentTimestamp());
	LWLockRelease(worker_shared->lock);
	return alive;
}

static void
take_over(void)
{
	LWLockAcquire(worker_shared->lock, LW_EXCLUSIVE);
	worker_shared->launcher_pid = MyProcPid;
	worker_shared->launcher_procno = OE_MY_PROCNO;
	worker_alive(GetCurrentTimestamp());
	LWLockRelease(worker_shared->lock);
}

/* The one that the postmaster has started takes over again when it goes on; a stand-in exits. */
static void
check_exit(void)
{
	/* Not 0, which would mean never to be restarted. */
	if (ProcDiePending)
		proc_exit(1);
	if (worker_shared->launcher_pid == MyProcPid)
		return;
	if (stands_in)
		proc_exit(0);
	take_over();
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

	stands_in = DatumGetBool(main_arg);
	worker_signals();
	if (stands_in && another_is_alive())
		proc_exit(0);
	before_shmem_exit(launcher_detach, (Datum) 0);
	BackgroundWorkerInitializeConnection(NULL, NULL, 0);
	take_over();
	node_create();
	probe_everything();
	worker_loop(&loop);
}
