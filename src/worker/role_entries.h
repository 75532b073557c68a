/*
 * role_entries.h
 *		The roles that handlers of a database run as, in shared memory.
 */
#ifndef ORDER_EXT_ROLE_ENTRIES_H
#define ORDER_EXT_ROLE_ENTRIES_H

#include "worker/shmem.h"

/* The entry of a role, NULL if there is none. Lock held. */
extern RoleEntry *role_entry(DatabaseSlot *db, Oid role);

/* Record a failure of its workers: the next start waits. Lock held exclusively. */
extern void role_failed(RoleEntry *entry);

/* When the next relief of the role (relief.h) may be started, and that one has failed. */
extern TimestampTz *role_relief_at(DatabaseSlot *db, Oid role);
extern void role_relief_failed(DatabaseSlot *db, Oid role);

/*
 * Record which roles the database's handlers run as; the launcher is notified if that has
 * changed. main_count: dispatchers of the bootstrap superuser.
 */
extern void roles_announce(const RoleEntry *roles, int n, int main_count);

#endif							/* ORDER_EXT_ROLE_ENTRIES_H */
