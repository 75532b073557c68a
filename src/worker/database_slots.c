/*
 * database_slots.c
 *		The databases in shared memory; see database_slots.h.
 */
#include "compat.h"

#include "worker/database_slots.h"

DatabaseSlot *
database_slot(Oid database)
{
	uint32		used = pg_atomic_read_u32(&worker_shared->databases_used);
	uint32		i;

	for (i = 0; i < used; i++)
	{
		if (worker_shared->databases[i].database == database)
			return &worker_shared->databases[i];
	}
	return NULL;
}

DatabaseSlot *
database_slot_create(Oid database)
{
	uint32		used = pg_atomic_read_u32(&worker_shared->databases_used);
	DatabaseSlot *known = database_slot(database);
	DatabaseSlot *unused = database_slot(InvalidOid);	/* of a database that is gone */

	if (known != NULL)
		return known;
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
	pg_atomic_write_u64(&unused->away_interest, 0);
	pg_atomic_write_u64(&unused->away_topics, 0);
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

void
database_failed(DatabaseSlot *db)
{
	worker_back_off(&db->failures, &db->retry_at);
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
	db = database_slot_create(database);
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
	known = database_slot(database) != NULL;
	LWLockRelease(worker_shared->lock);
	if (!known)
		database_announce(database);
}
