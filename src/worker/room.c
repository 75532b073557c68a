/*
 * room.c
 *		Turns for roles that are short of worker slots; see room.h.
 *
 * A role's dispatcher runs as long as its role has handlers, even if it has nothing to do, which
 * makes it fast. If slots are short, the last roles would wait forever. So a dispatcher that has
 * run for a while and is idle makes room for a waiting one, and then waits itself, as after a
 * failure: longer each time, up to a minute. Schedulers and the dispatchers that run the built-in
 * handlers are not stopped.
 */
#include "compat.h"

#include "catalog/pg_authid.h"

#include "worker/role_entries.h"
#include "worker/room.h"

/* The minimum time that a dispatcher runs, and has been idle. */
#define MIN_STAY (5 * USECS_PER_SEC)
#define MIN_IDLE (1 * USECS_PER_SEC)

typedef struct Candidate
{
	DatabaseSlot *db;
	WorkerSlot *worker;
	TimestampTz last_active;
} Candidate;

/* Make the worker the candidate if it has been idle for longer. */
static void
consider(Candidate *idlest, DatabaseSlot *db, WorkerSlot *worker, TimestampTz now)
{
	TimestampTz last_active = (TimestampTz) pg_atomic_read_u64(&worker->last_active);

	if (worker->kind != WORKER_DISPATCHER || worker->state != WORKER_IDLE)
		return;
	if (worker->relief)
		last_active = 0;		/* the first to exit */
	else if (worker->role == BOOTSTRAP_SUPERUSERID || now - worker->since < MIN_STAY ||
			 now - last_active < MIN_IDLE)
		return;
	if (idlest->worker != NULL && idlest->last_active <= last_active)
		return;
	idlest->db = db;
	idlest->worker = worker;
	idlest->last_active = last_active;
}

static void
send_to_wait(const Candidate *idlest)
{
	RoleEntry  *entry = role_entry(idlest->db, idlest->worker->role);

	worker_send_away(idlest->worker, false);
	if (entry == NULL || idlest->worker->relief)
		return;
	role_failed(entry);
	entry->no_slot = true;
}

bool
room_make(void)
{
	Candidate	idlest = {0};
	TimestampTz now = GetCurrentTimestamp();
	bool		leaving = false;
	int			d;
	int			w;

	LWLockAcquire(worker_shared->lock, LW_EXCLUSIVE);
	for (d = 0; d < MAX_DATABASES; d++)
	{
		DatabaseSlot *db = &worker_shared->databases[d];

		for (w = 0; OidIsValid(db->database) && w < MAX_DATABASE_WORKERS; w++)
		{
			if (db->workers[w].state == WORKER_FREE)
				continue;
			leaving |= db->workers[w].leave && db->workers[w].state != WORKER_BUSY;
			consider(&idlest, db, &db->workers[w], now);
		}
	}
	if (!leaving && idlest.worker != NULL)
		send_to_wait(&idlest);
	LWLockRelease(worker_shared->lock);
	return leaving || idlest.worker != NULL;
}
