/*
 * room.c
 *		Turns for those who are short of worker slots; see room.h.
 *
 * A role's dispatcher runs as long as its role has handlers, even if it has nothing to do, which
 * makes it fast. If slots are short, the last roles would wait forever. So dispatchers make room:
 *
 * - for a database that has no scheduler yet, and for a role with work, one that is idle exits at
 *   once, and if there is none, one that has worked for longer than a time slice, between two
 *   batches. If both wait for a slot, they take turns;
 * - for a role that may have work of which nobody was told, one that has been idle for a while.
 *
 * A worker that has made room waits until there is work (away.c), or some seconds, more each
 * time, up to a minute. Schedulers and the dispatchers that run the built-in handlers are not
 * stopped.
 */
#include "compat.h"

#include "catalog/pg_authid.h"

#include "core/clock.h"
#include "worker/relief.h"
#include "worker/role_entries.h"
#include "worker/room.h"

/* The minimum time that a dispatcher runs, and has been idle, before it makes room for a turn. */
#define MIN_STAY (5 * USECS_PER_SEC)
#define MIN_IDLE (1 * USECS_PER_SEC)

/* The minimum time that a dispatcher with work runs while others wait. */
#define TIME_SLICE (USECS_PER_SEC / 4)

typedef struct Candidate
{
	DatabaseSlot *db;
	WorkerSlot *worker;
	bool		idle;			/* goes before others */
	TimestampTz since;			/* then who has been so for longest */
} Candidate;

/* When somebody of each of these last found no slot; 0: has got it since. */
static TimestampTz waits[2] = {0};
static RoomFor next_in_line = ROOM_FOR_DATABASE;

static TimestampTz asked_at = 0;	/* when a dispatcher was last asked to exit, 0 as above */
static bool tried = false;		/* in this turn, and found no slot */

void
room_begin_turn(void)
{
	tried = false;
}

static RoomFor
line_of(RoomFor wanted)
{
	return wanted == ROOM_FOR_STAND_IN ? ROOM_FOR_DATABASE : wanted;
}

/* Who has not asked again since does not wait any longer. */
static bool
line_waits(RoomFor line, TimestampTz now)
{
	return waits[line] != 0 &&
		!clock_pause_is_over(waits[line] + 3 * ROOM_PATIENCE, 3 * ROOM_PATIENCE, now);
}

bool
room_may_take(RoomFor wanted)
{
	TimestampTz now = GetCurrentTimestamp();
	RoomFor		line = line_of(wanted);

	if (tried)
		return false;
	if (line > ROOM_FOR_ROLE)
		return !line_waits(ROOM_FOR_DATABASE, now) && !line_waits(ROOM_FOR_ROLE, now);
	return next_in_line == line ||
		!line_waits(line == ROOM_FOR_ROLE ? ROOM_FOR_DATABASE : ROOM_FOR_ROLE, now);
}

void
room_taken(RoomFor wanted)
{
	RoomFor		line = line_of(wanted);

	asked_at = 0;
	if (line > ROOM_FOR_ROLE)
		return;
	waits[line] = 0;
	next_in_line = line == ROOM_FOR_ROLE ? ROOM_FOR_DATABASE : ROOM_FOR_ROLE;
}

/* ---- who exits ---- */

static bool
is_idle(WorkerSlot *worker, TimestampTz now)
{
	uint64		topics = pg_atomic_read_u64(&worker->topics);

	return worker->state == WORKER_IDLE &&
		(topics & pg_atomic_read_u64(&worker->interest)) == 0 &&
		(TimestampTz) pg_atomic_read_u64(&worker->work_due) > now;
}

/* Whether it could exit for the sake of another. */
static bool
can_exit(WorkerSlot *worker, RoomFor wanted, TimestampTz now)
{
	if (worker->kind != WORKER_DISPATCHER || worker->leave || relief_is_silent(worker, now) ||
		(worker->role == BOOTSTRAP_SUPERUSERID && !worker->relief))
		return false;
	if (worker->relief)
		return is_idle(worker, now);
	if (wanted == ROOM_FOR_TURN)
		return is_idle(worker, now) && now - worker->since >= MIN_STAY &&
			now - (TimestampTz) pg_atomic_read_u64(&worker->last_active) >= MIN_IDLE;
	return is_idle(worker, now) ||
		((worker->state == WORKER_IDLE || worker->state == WORKER_BUSY) && !worker->held_up &&
		 now - worker->since >= TIME_SLICE);
}

static void
consider(Candidate *best, DatabaseSlot *db, WorkerSlot *worker, RoomFor wanted, TimestampTz now)
{
	Candidate	candidate = {db, worker, is_idle(worker, now), worker->since};

	if (!can_exit(worker, wanted, now))
		return;
	if (worker->relief)
		candidate.since = 0;	/* the first to exit */
	else if (candidate.idle)
		candidate.since = (TimestampTz) pg_atomic_read_u64(&worker->last_active);
	if (best->worker == NULL || (candidate.idle && !best->idle) ||
		(candidate.idle == best->idle && candidate.since < best->since))
		*best = candidate;
}

static void
send_to_wait(const Candidate *chosen)
{
	RoleEntry  *entry = role_entry(chosen->db, chosen->worker->role);

	worker_send_away(chosen->worker);
	if (entry == NULL || chosen->worker->relief)
		return;
	role_failed(entry);
	entry->no_slot = true;
}

/* Ask one to exit, unless one is about to. */
static bool
send_one(RoomFor wanted, TimestampTz now)
{
	Candidate	best = {0};
	bool		leaving = false;
	int			d;
	int			w;

	LWLockAcquire(worker_shared->lock, LW_EXCLUSIVE);
	for (d = 0; d < MAX_DATABASES; d++)
	{
		DatabaseSlot *db = &worker_shared->databases[d];

		for (w = 0; OidIsValid(db->database) && w < db->n_workers; w++)
		{
			WorkerSlot *worker = &db->workers[w];

			if (worker->state == WORKER_FREE)
				continue;
			leaving |= worker->leave && !worker->held_up && !relief_is_silent(worker, now);
			consider(&best, db, worker, wanted, now);
		}
	}
	if (!leaving && best.worker != NULL)
		send_to_wait(&best);
	LWLockRelease(worker_shared->lock);
	return leaving || best.worker != NULL;
}

bool
room_make(RoomFor wanted)
{
	TimestampTz now = GetCurrentTimestamp();
	RoomFor		line = line_of(wanted);
	bool		soon;

	tried = true;
	if (line <= ROOM_FOR_ROLE)
		waits[line] = now;
	if (wanted == ROOM_FOR_RELIEF)
		return false;
	/* Its slot of the server becomes free a moment after ours. */
	if (asked_at != 0 && !clock_pause_is_over(asked_at + ROOM_PATIENCE, ROOM_PATIENCE, now))
		return true;
	soon = send_one(wanted, now);
	asked_at = soon ? now : 0;
	return soon;
}
