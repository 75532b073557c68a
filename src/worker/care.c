/*
 * care.c
 *		Which workers a database should have; see care.h.
 */
#include "compat.h"

#include "catalog/pg_authid.h"

#include "core/clock.h"
#include "worker/away.h"
#include "worker/care.h"
#include "worker/database_slots.h"
#include "worker/databases.h"
#include "worker/launch.h"
#include "worker/relief.h"
#include "worker/renewal.h"
#include "worker/role_entries.h"
#include "worker/room.h"

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

	for (w = DISPATCHER_SLOTS; w < MAX_DATABASE_WORKERS; w++)
	{
		const WorkerSlot *worker = &db->workers[w];

		if (worker->state == WORKER_FREE)
			unused = unused < 0 ? w : unused;
		else if (worker->role == role && worker->ordinal == ordinal && !worker->leave)
			return w;
	}
	return unused;
}

/* A worker that should run, and what is known of earlier attempts to start it. */
typedef struct Post
{
	RoomFor		wanted;
	Oid			role;
	int			ordinal;
	int			failures;
	TimestampTz retry_at;
	bool		no_slot;
} Post;

static Post
post_of_database(const DatabaseSlot *db, int ordinal)
{
	Post		post = {.wanted = ROOM_FOR_DATABASE, .role = BOOTSTRAP_SUPERUSERID};

	post.ordinal = ordinal;
	post.failures = db->failures;
	post.retry_at = db->retry_at;
	post.no_slot = db->no_slot;
	return post;
}

static Post
post_of_role(const RoleEntry *entry, int ordinal)
{
	Post		post = {.wanted = ROOM_FOR_TURN, .role = entry->role, .ordinal = ordinal};

	if (ordinal == 0 && entry->waits_since != 0)
		post.wanted = ROOM_FOR_ROLE;
	post.failures = entry->failures;
	post.retry_at = entry->retry_at;
	post.no_slot = entry->no_slot;
	return post;
}

/* Whether to try and start it now. After failures, not before its time, unless it is urgent. */
static bool
may_start(const Post *post, TimestampTz *next_wakeup)
{
	TimestampTz now = GetCurrentTimestamp();
	bool		urgent = post->no_slot && post->wanted <= ROOM_FOR_ROLE;

	if (post->failures > 0 && !urgent &&
		!clock_pause_is_over(post->retry_at, MAX_BACKOFF_SECONDS * USECS_PER_SEC, now))
	{
		*next_wakeup = Min(*next_wakeup, post->retry_at);
		return false;
	}
	if (!room_may_take(post->wanted))
	{
		*next_wakeup = Min(*next_wakeup, now + ROOM_PATIENCE);
		return false;
	}
	return true;
}

/* Make sure that the worker runs, in slot w. False if the database no longer exists. */
static bool
ensure_worker(DatabaseSlot *db, int w, const Post *post, TimestampTz *next_wakeup)
{
	TimestampTz now = GetCurrentTimestamp();

	if (w < 0 || db->holds != 0)
		return true;
	if (db->workers[w].state == WORKER_STARTING)
		*next_wakeup = Min(*next_wakeup, now + START_PATIENCE);
	if (db->workers[w].state != WORKER_FREE || !may_start(post, next_wakeup))
		return true;
	if (databases_read(db->database, CurrentMemoryContext) == NIL)
		return false;
	launch_worker(db, w, post->role, post->ordinal, post->wanted);
	if (db->workers[w].state == WORKER_FREE)
		*next_wakeup = Min(*next_wakeup, now + ROOM_PATIENCE);
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
	for (w = DISPATCHER_SLOTS; w < MAX_DATABASE_WORKERS; w++)
	{
		WorkerSlot *worker = &db->workers[w];

		int			wanted = dispatchers_wanted(db, worker->role);

		if (worker->ordinal < wanted)
			worker->relief = false;
		else if (worker->state != WORKER_FREE && !worker->leave &&
				 (!worker->relief || wanted == 0))
			worker_send_away(worker);
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
	if (w < 0 || db->workers[w].state != WORKER_FREE || !room_may_take(ROOM_FOR_RELIEF))
		return true;
	if (databases_read(db->database, CurrentMemoryContext) == NIL)
		return false;
	launch_worker(db, w, role, ordinal, ROOM_FOR_RELIEF);
	return true;
}

/* A second scheduler while the first one does not answer. False as above. */
static bool
ensure_stand_in(DatabaseSlot *db, TimestampTz *next_wakeup)
{
	TimestampTz now = GetCurrentTimestamp();
	Post		post = {.wanted = ROOM_FOR_STAND_IN, .role = BOOTSTRAP_SUPERUSERID};
	bool		silent;

	LWLockAcquire(worker_shared->lock, LW_SHARED);
	silent = relief_is_silent(&db->workers[SCHEDULER_SLOT], now);
	LWLockRelease(worker_shared->lock);
	if (!silent || !clock_pause_is_over(db->relief_at, RELIEF_PAUSE, now))
		return true;
	return ensure_worker(db, STAND_IN_SLOT, &post, next_wakeup);
}

/* The scheduler and the dispatchers of the built-in handlers. False as above. */
static bool
ensure_main(DatabaseSlot *db, TimestampTz *next_wakeup)
{
	Post		post = post_of_database(db, 0);
	int			n_main = db->n_main;
	int			k;

	/* If the database has not been checked yet, the scheduler will do so. */
	if (db->verdict != VERDICT_UNKNOWN && db->verdict != VERDICT_RUN)
		return true;
	if (!ensure_worker(db, SCHEDULER_SLOT, &post, next_wakeup) ||
		!ensure_stand_in(db, next_wakeup))
		return false;
	for (k = 0; k < n_main && db->verdict == VERDICT_RUN; k++)
	{
		post = post_of_database(db, k);
		if (!ensure_worker(db, dispatcher_slot(db, BOOTSTRAP_SUPERUSERID, k), &post, next_wakeup))
			return false;
	}
	return true;
}

/* The dispatchers of roles, and reliefs. False as above. */
static bool
ensure_others(DatabaseSlot *db, TimestampTz *next_wakeup)
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

	if (!ensure_relief(db, BOOTSTRAP_SUPERUSERID, n_main, next_wakeup))
		return false;
	for (i = 0; i < n_roles; i++)
	{
		for (k = 0; k < roles[i].count; k++)
		{
			Post		post = post_of_role(&roles[i], k);

			if (!ensure_worker(db, dispatcher_slot(db, roles[i].role, k), &post, next_wakeup))
				return false;
		}
		if (!ensure_relief(db, roles[i].role, roles[i].count, next_wakeup))
			return false;
	}
	return true;
}

void
care_take_stock(DatabaseSlot *db, TimestampTz *next_wakeup)
{
	launch_check(db);
	dismiss_surplus(db);
	renewal_care(db, next_wakeup);
	away_look(db, next_wakeup);
}

void
care_for_database(DatabaseSlot *db, TimestampTz *next_wakeup)
{
	uint32		announced = db->announced;

	pg_read_barrier();
	if (db->verdict == VERDICT_ABSENT || !ensure_main(db, next_wakeup))
		free_if_unused(db, announced);
}

void
care_for_roles(DatabaseSlot *db, TimestampTz *next_wakeup)
{
	uint32		announced = db->announced;

	pg_read_barrier();
	if (db->verdict == VERDICT_RUN && !ensure_others(db, next_wakeup))
		free_if_unused(db, announced);
}

void
care_for_waiting(TimestampTz *next_wakeup)
{
	TimestampTz since = 0;
	DatabaseSlot *db;
	RoleEntry	entry;

	while ((db = away_longest(&since, &entry)) != NULL)
	{
		Post		post = post_of_role(&entry, 0);

		(void) ensure_worker(db, dispatcher_slot(db, entry.role, 0), &post, next_wakeup);
	}
}
