/*
 * away.c
 *		Roles without a dispatcher; see away.h.
 *
 * If worker slots are short, dispatchers make room for each other (room.c). What they leave behind
 * does not get lost, but nobody would tell them of new messages either. So a role's entry in
 * shared memory says which topics its groups read and when it next has something to do (a retry),
 * and publishers and the launcher watch these in its place.
 *
 * A publisher leaves its topics first and then looks whether anybody is away; who goes away first
 * says so and then looks which topics were left with it. In whichever order the two run, one of
 * them sees the other.
 */
#include "compat.h"

#include "worker/away.h"
#include "worker/role_entries.h"

/* Whether the role has a worker besides this one. Lock held. */
static bool
has_other(const DatabaseSlot *db, Oid role, const WorkerSlot *than)
{
	int			w;

	for (w = DISPATCHER_SLOTS; w < db->n_workers; w++)
	{
		if (&db->workers[w] != than && db->workers[w].state != WORKER_FREE &&
			db->workers[w].role == role)
			return true;
	}
	return false;
}

void
away_begins(DatabaseSlot *db, WorkerSlot *worker)
{
	RoleEntry  *entry = role_entry(db, worker->role);

	if (worker->kind != WORKER_DISPATCHER || entry == NULL || has_other(db, worker->role, worker))
		return;
	entry->work_due = (TimestampTz) pg_atomic_read_u64(&worker->work_due);
	entry->waits_since = 0;
	pg_atomic_fetch_or_u64(&db->away_interest, entry->interest);
	if ((pg_atomic_read_u64(&worker->topics) & entry->interest) != 0)
		entry->work_due = DT_NOBEGIN;
}

void
away_note_topics(DatabaseSlot *db, uint64 topic_bits)
{
	uint64		interest = pg_atomic_read_u64(&db->away_interest);
	uint64		before;

	if (interest == 0)
		return;
	before = pg_atomic_fetch_or_u64(&db->away_topics, topic_bits);
	if ((topic_bits & ~before & interest) != 0)
		worker_wake_launcher();
}

/* Returns the topics of the roles that are away and have nothing to do. Lock held exclusively. */
static uint64
look_at_roles(DatabaseSlot *db, uint64 topics, TimestampTz now, TimestampTz *next_wakeup)
{
	uint64		interest = 0;
	int			i;

	for (i = 0; i < db->n_roles; i++)
	{
		RoleEntry  *entry = &db->roles[i];

		if (has_other(db, entry->role, NULL))
			entry->waits_since = 0;
		else if (entry->waits_since != 0)
			continue;
		else if ((entry->interest & topics) != 0 || entry->work_due <= now)
			entry->waits_since = now + i;	/* no two are equal */
		else
		{
			interest |= entry->interest;
			*next_wakeup = Min(*next_wakeup, entry->work_due);
		}
	}
	return interest;
}

void
away_look(DatabaseSlot *db, TimestampTz *next_wakeup)
{
	TimestampTz now = GetCurrentTimestamp();
	uint64		interest = 0;
	uint64		topics;

	LWLockAcquire(worker_shared->lock, LW_EXCLUSIVE);
	do
	{
		topics = pg_atomic_exchange_u64(&db->away_topics, 0);
		interest = look_at_roles(db, topics, now, next_wakeup);
		(void) pg_atomic_exchange_u64(&db->away_interest, interest);
	} while ((pg_atomic_read_u64(&db->away_topics) & interest) != 0);
	LWLockRelease(worker_shared->lock);
}

DatabaseSlot *
away_longest(TimestampTz *since, RoleEntry *entry)
{
	uint32		used = pg_atomic_read_u32(&worker_shared->databases_used);
	TimestampTz after = *since;
	DatabaseSlot *longest = NULL;
	uint32		d;
	int			i;

	LWLockAcquire(worker_shared->lock, LW_SHARED);
	for (d = 0; d < used; d++)
	{
		DatabaseSlot *db = &worker_shared->databases[d];

		if (!OidIsValid(db->database) || db->verdict != VERDICT_RUN)
			continue;
		for (i = 0; i < db->n_roles; i++)
		{
			if (db->roles[i].waits_since <= after ||
				(longest != NULL && db->roles[i].waits_since >= *since))
				continue;
			longest = db;
			*entry = db->roles[i];
			*since = entry->waits_since;
		}
	}
	LWLockRelease(worker_shared->lock);
	return longest;
}
