/*
 * scheduler.c
 *		The process that fires the timers of a database; one per database. It is also the first
 *		process to check a database, so its start is the launcher's probe.
 */
#include "compat.h"

#include "utils/guc.h"

#include "message/delivery/hand_on.h"
#include "message/timer/turn.h"
#include "message/upkeep/enable.h"
#include "message/upkeep/rotate_turn.h"
#include "worker/attach.h"
#include "worker/checks.h"
#include "worker/launcher.h"
#include "worker/loop.h"
#include "worker/relief.h"
#include "worker/scheduler.h"
#include "worker/shmem.h"

/* When the last turn asked to be woken up. */
static TimestampTz next_due = DT_NOEND;

static bool
something_armed(void)
{
	return (TimestampTz) pg_atomic_read_u64(&worker_my_slot->earliest) < next_due;
}

static void
before_sleep(TimestampTz until)
{
	next_due = until;
	pg_atomic_write_u64(&worker_my_slot->sleep_until, (uint64) until);
	pg_memory_barrier();
}

static bool
turn(bool everything, TimestampTz *next_wakeup)
{
	int64		fired = 0;
	int64		batches = 0;
	bool		more;

	/* Wake us for any timer from here on; this turn sees those armed before. */
	pg_atomic_write_u64(&worker_my_slot->sleep_until, (uint64) DT_NOEND);
	(void) pg_atomic_exchange_u64(&worker_my_slot->earliest, (uint64) DT_NOEND);

	more = timers_turn(next_wakeup, &fired, &batches);
	if (batches > 0)
		worker_count(batches, fired);
	if (!more)
		rotate_turn(everything, next_wakeup);
	return more;
}

/* One that stands in for another exits when that one answers. */
static void
check_exit(void)
{
	bool		silent;

	worker_check_exit();
	launcher_replace_if_silent();
	if (!worker_my_slot->relief)
		return;
	LWLockAcquire(worker_shared->lock, LW_SHARED);
	silent = relief_is_silent(&worker_my_database->workers[SCHEDULER_SLOT], GetCurrentTimestamp());
	LWLockRelease(worker_shared->lock);
	if (!silent)
		worker_leave(VERDICT_UNKNOWN);
}

/*
 * Timers that fire are handed on to their built-in consumers here; what these publish is left to
 * the dispatchers, so that both work on a mass of timers that are due at once.
 */
static bool
hand_on_fired(void)
{
	return hand_on_once() > 0;
}

static const TimerFollower to_consumers = {
	.begins = hand_on_begin,
	.takes = hand_on_takes,
	.fired = hand_on_fired
};

/* If handing on is what has failed, only the timers will be next. */
static void
forget(void)
{
	hand_on_pause();
	timers_forget();
	rotate_forget();
}

void
order_ext_scheduler_main(Datum main_arg)
{
	static const WorkerLoop loop = {
		.activity = "firing timers",
		.idle = "OrderExtSchedulerIdle",
		.wanted = something_armed,
		.turn = turn,
		.forget = forget,
		.sleeping = before_sleep,
		.gate = check_gate,
		.check_exit = check_exit,
	};

	worker_start(main_arg);
	enable_bind_stamp();
	/* No handlers of applications run here. */
	SetConfigOption("search_path", "pg_catalog, pg_temp", PGC_SUSET, PGC_S_OVERRIDE);

	/*
	 * A timer whose firing is lost in a crash fires again, and anything that a handler did about
	 * it is later in the WAL: no one can have seen it, so there is no need to wait for the disk.
	 * What is handed on here is committed as it would be elsewhere.
	 */
	SetConfigOption("synchronous_commit", "off", PGC_SUSET, PGC_S_SESSION);
	timers_follow(&to_consumers);
	worker_loop(&loop);
}
