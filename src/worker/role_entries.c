/*
 * role_entries.c
 *		The roles in shared memory; see role_entries.h.
 */
#include "compat.h"

#include "worker/role_entries.h"

RoleEntry *
role_entry(DatabaseSlot *db, Oid role)
{
	int			i;

	for (i = 0; i < db->n_roles; i++)
	{
		if (db->roles[i].role == role)
			return &db->roles[i];
	}
	return NULL;
}

void
role_failed(RoleEntry *entry)
{
	worker_back_off(&entry->failures, &entry->retry_at);
	entry->no_slot = false;
}

static bool
roles_are_news(const RoleEntry *roles, int n, int main_count)
{
	int			i;

	if (n != worker_my_database->n_roles || main_count != worker_my_database->n_main)
		return true;
	for (i = 0; i < n; i++)
	{
		const RoleEntry *known = role_entry(worker_my_database, roles[i].role);

		if (known == NULL || known->count != roles[i].count ||
			known->interest != roles[i].interest)
			return true;
	}
	return false;
}

TimestampTz *
role_relief_at(DatabaseSlot *db, Oid role)
{
	RoleEntry  *entry = role_entry(db, role);

	return entry != NULL ? &entry->relief_at : &db->relief_at;
}

void
role_relief_failed(DatabaseSlot *db, Oid role)
{
	*role_relief_at(db, role) = GetCurrentTimestamp() + RELIEF_PAUSE;
}

void
roles_announce(const RoleEntry *roles, int n, int main_count)
{
	RoleEntry	merged[MAX_DATABASE_ROLES];
	bool		news;
	int			i;

	LWLockAcquire(worker_shared->lock, LW_EXCLUSIVE);
	news = roles_are_news(roles, n, main_count);
	if (news)
	{
		for (i = 0; i < n; i++)
		{
			const RoleEntry *known = role_entry(worker_my_database, roles[i].role);

			merged[i] = known != NULL ? *known : roles[i];
			merged[i].count = roles[i].count;
			merged[i].interest = roles[i].interest;
			/* What waits of the new topics is not known. */
			if (known == NULL || known->interest != roles[i].interest)
				merged[i].work_due = DT_NOBEGIN;
		}
		memcpy(worker_my_database->roles, merged, sizeof(RoleEntry) * n);
		worker_my_database->n_roles = n;
		worker_my_database->n_main = main_count;
	}
	LWLockRelease(worker_shared->lock);
	if (news)
		worker_wake_launcher();
}
