/*
 * renewal.c
 *		Restarting workers after changes of settings; see renewal.h.
 *
 * A running session does not pick up changed settings of its database and role, so workers are
 * restarted. Any role may change its own settings, even in a loop. So only workers of the role
 * and database concerned are marked; the launcher asks a marked one to exit, which it does
 * between two batches, never in a handler; and only after it has run for some seconds, so that a
 * thousand changes cost no more than one.
 */
#include "compat.h"

#include "catalog/pg_authid.h"

#include "core/clock.h"
#include "worker/renewal.h"

/* The minimum time that a worker runs. */
#define MIN_LIFE (4 * USECS_PER_SEC)

#define MAX_CHANGES 32

typedef struct Change
{
	Oid			database;
	Oid			role;
} Change;

static Change changes[MAX_CHANGES];
static int	n_changes = 0;

void
renewal_note(Oid database, Oid role)
{
	int			i;

	for (i = 0; i < n_changes; i++)
	{
		if (changes[i].database == database && changes[i].role == role)
			return;
	}
	if (n_changes == MAX_CHANGES)
	{
		/* Too many to be recorded individually. */
		n_changes = 0;
		database = role = InvalidOid;
	}
	changes[n_changes].database = database;
	changes[n_changes++].role = role;
}

void
renewal_forget(void)
{
	n_changes = 0;
}

static bool
concerns(const Change *change, Oid role)
{
	return !OidIsValid(change->role) || change->role == role;
}

/* Whether anything was marked that was not. */
static bool
mark(DatabaseSlot *db, const Change *change)
{
	bool		news = false;
	int			i;

	for (i = 0; i < db->n_workers; i++)
	{
		WorkerSlot *worker = &db->workers[i];

		if (worker->state == WORKER_FREE || worker->outdated || !concerns(change, worker->role))
			continue;
		worker->outdated = news = true;
	}
	for (i = 0; i < db->n_roles; i++)
	{
		RoleEntry  *entry = &db->roles[i];

		if (entry->failures == 0 || entry->outdated || !concerns(change, entry->role))
			continue;
		entry->outdated = news = true;
	}
	if ((db->verdict == VERDICT_DISABLED || db->failures > 0) && !db->outdated &&
		concerns(change, BOOTSTRAP_SUPERUSERID))
		db->outdated = news = true;
	return news;
}

void
renewal_commit(void)
{
	bool		news = false;
	int			d;
	int			i;

	if (n_changes == 0 || worker_shared == NULL)
		return;
	LWLockAcquire(worker_shared->lock, LW_EXCLUSIVE);
	for (d = 0; d < MAX_DATABASES; d++)
	{
		DatabaseSlot *db = &worker_shared->databases[d];

		for (i = 0; OidIsValid(db->database) && i < n_changes; i++)
		{
			if (!OidIsValid(changes[i].database) || changes[i].database == db->database)
				news |= mark(db, &changes[i]);
		}
	}
	LWLockRelease(worker_shared->lock);
	if (news)
		worker_wake_launcher();
}

/* ---- the launcher ---- */

/* Databases and roles that were disabled, or failed, may work under the new settings. */
static void
reconsider(DatabaseSlot *db, TimestampTz now, TimestampTz *next_wakeup)
{
	TimestampTz due = db->reconsidered + MIN_LIFE;
	bool		any = db->outdated;
	int			i;

	for (i = 0; i < db->n_roles; i++)
		any |= db->roles[i].outdated;
	if (!any)
		return;
	if (!clock_pause_is_over(due, MIN_LIFE, now))
	{
		*next_wakeup = Min(*next_wakeup, due);
		return;
	}
	db->reconsidered = now;
	if (db->outdated)
	{
		db->outdated = false;
		db->failures = 0;
		if (db->verdict == VERDICT_DISABLED)
			db->verdict = VERDICT_UNKNOWN;
	}
	for (i = 0; i < db->n_roles; i++)
	{
		if (db->roles[i].outdated)
			db->roles[i].failures = 0;
		db->roles[i].outdated = false;
	}
}

void
renewal_care(DatabaseSlot *db, TimestampTz *next_wakeup)
{
	TimestampTz now = GetCurrentTimestamp();
	int			w;

	LWLockAcquire(worker_shared->lock, LW_EXCLUSIVE);
	for (w = 0; w < db->n_workers; w++)
	{
		WorkerSlot *worker = &db->workers[w];
		TimestampTz due = worker->since + MIN_LIFE;

		if (worker->state == WORKER_FREE || !worker->outdated || worker->leave)
			continue;
		if (clock_pause_is_over(due, MIN_LIFE, now))
			worker_send_away(worker);
		else
			*next_wakeup = Min(*next_wakeup, due);
	}
	reconsider(db, now, next_wakeup);
	LWLockRelease(worker_shared->lock);
}
