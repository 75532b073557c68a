/*
 * relief.c
 *		Extra dispatchers while others are held up; see relief.h.
 *
 * A dispatcher works on one group at a time, and a handler can take as long as
 * order_ext.handler_timeout. Other groups of its role must not wait for that. So a dispatcher
 * sets a timer when it starts on a group. If it is still there when the timer goes off, it is
 * held up, and if all dispatchers of its role are while something waits, the launcher starts one
 * more, the relief. This is a dispatcher like the others, but it is not responsible for any part
 * of a group: it handles those on which no other dispatcher is working. It exits when it has
 * nothing left to do.
 *
 * A process that is stopped (SIGSTOP, a debugger) sets no timer. It is told by its silence, and
 * counts as held up, whatever waits; its relief stays until it answers.
 */
#include "compat.h"

#include "catalog/pg_authid.h"
#include "utils/timeout.h"

#include "core/clock.h"
#include "core/settings.h"
#include "message/delivery/dispatcher_turn.h"
#include "worker/attach.h"
#include "worker/relief.h"
#include "worker/role_entries.h"

/* A dispatcher that works on a group for longer than this is held up. */
#define SLICE_MS 300

/* How long a relief stays without having anything to do. */
#define RELIEF_IDLE (5 * USECS_PER_SEC)

/*
 * A dispatcher that is not held up gives a sign of life every two seconds when idle, and otherwise
 * more often. One of which nothing was heard for this long is stopped; or the machine is so busy
 * that a relief more does no harm.
 */
#define SILENCE (6 * USECS_PER_SEC)

static TimeoutId slice_timeout;
static bool watched = false;

bool
relief_is_silent(WorkerSlot *worker, TimestampTz now)
{
	return worker->state != WORKER_FREE && worker->state != WORKER_STARTING && !worker->held_up &&
		now - (TimestampTz) pg_atomic_read_u64(&worker->alive_at) > SILENCE;
}

/*
 * Whether something waits for a worker that works on a group; otherwise *next_wakeup is when to
 * check again.
 */
static bool
lets_wait(WorkerSlot *worker, TimestampTz now, TimestampTz *next_wakeup)
{
	uint64		topics = pg_atomic_read_u64(&worker->topics);
	TimestampTz due = (TimestampTz) pg_atomic_read_u64(&worker->others_due);

	if ((topics & pg_atomic_read_u64(&worker->other_topics)) != 0 || due <= now)
		return true;
	*next_wakeup = Min(*next_wakeup, due);
	return false;
}

/* ---- a dispatcher ---- */

/* Runs in the signal handler. */
static void
on_slice_over(void)
{
	if (worker_my_slot == NULL)
		return;
	worker_my_slot->held_up = true;
	worker_wake_launcher();
}

static void
group_begins(uint64 other_topics, TimestampTz others_due, int handler_timeout)
{
	worker_my_slot->handler_timeout = handler_timeout;
	pg_atomic_write_u64(&worker_my_slot->other_topics, other_topics);
	pg_atomic_write_u64(&worker_my_slot->others_due, (uint64) others_due);
	enable_timeout_after(slice_timeout, SLICE_MS);
}

static void
group_ends(void)
{
	disable_timeout(slice_timeout, false);
	worker_my_slot->held_up = false;
}

static bool
group_lets_wait(void)
{
	TimestampTz ignored = DT_NOEND;

	return worker_my_slot->leave || lets_wait(worker_my_slot, GetCurrentTimestamp(), &ignored);
}

void
relief_watch_me(void)
{
	static const DispatcherWatch watch = {group_begins, group_ends, group_lets_wait};

	slice_timeout = RegisterTimeout(USER_TIMEOUT, on_slice_over);
	watched = true;
	dispatcher_watch(&watch);
}

void
relief_forget(void)
{
	if (watched)
		group_ends();
}

/* Whether another dispatcher of this process's role does not answer. */
static bool
stands_in(TimestampTz now)
{
	bool		found = false;
	int			w;

	LWLockAcquire(worker_shared->lock, LW_SHARED);
	for (w = DISPATCHER_SLOTS; w < worker_my_database->n_workers; w++)
	{
		WorkerSlot *worker = &worker_my_database->workers[w];

		found |= worker != worker_my_slot && worker->role == worker_my_slot->role &&
			relief_is_silent(worker, now);
	}
	LWLockRelease(worker_shared->lock);
	return found;
}

void
relief_check_exit(void)
{
	TimestampTz last_active = (TimestampTz) pg_atomic_read_u64(&worker_my_slot->last_active);
	TimestampTz now = GetCurrentTimestamp();

	if (worker_my_slot->relief && worker_my_slot->ordinal >= setting_workers &&
		clock_pause_is_over(last_active + RELIEF_IDLE, RELIEF_IDLE, now) && !stands_in(now))
		worker_leave(VERDICT_UNKNOWN);
}

/* ---- publishers ---- */

void
relief_note_topics(WorkerSlot *worker, uint64 topic_bits)
{
	if (worker->held_up && (topic_bits & pg_atomic_read_u64(&worker->other_topics)) != 0)
		worker_wake_launcher();
}

/* ---- the launcher ---- */

/* Lock held. */
static bool
all_are_held_up(DatabaseSlot *db, Oid role, int count, int *ordinal, TimestampTz now,
				TimestampTz *next_wakeup)
{
	bool		taken[MAX_DATABASE_WORKERS + MAX_RELIEF] = {false};
	bool		waiting = false;
	int			present = 0;
	int			w;

	for (w = DISPATCHER_SLOTS; w < db->n_workers; w++)
	{
		WorkerSlot *worker = &db->workers[w];

		if (worker->state == WORKER_FREE || worker->role != role || worker->leave)
			continue;
		if (relief_is_silent(worker, now))
			waiting = true;
		else if (worker->held_up)
			waiting |= lets_wait(worker, now, next_wakeup);
		else
			return false;
		taken[worker->ordinal] = true;
		present++;
	}
	for (*ordinal = count; taken[*ordinal]; (*ordinal)++)
		;
	return waiting && present >= count && *ordinal < count + MAX_RELIEF;
}

bool
relief_needed(DatabaseSlot *db, Oid role, int count, int *ordinal, TimestampTz *next_wakeup)
{
	TimestampTz now = GetCurrentTimestamp();
	TimestampTz due = *role_relief_at(db, role);
	TimestampTz next = DT_NOEND;
	bool		needed;

	LWLockAcquire(worker_shared->lock, LW_SHARED);
	needed = all_are_held_up(db, role, count, ordinal, now, &next);
	LWLockRelease(worker_shared->lock);
	if (needed && !clock_pause_is_over(due, RELIEF_PAUSE, now))
	{
		next = due;
		needed = false;
	}
	*next_wakeup = Min(*next_wakeup, next);
	return needed;
}
