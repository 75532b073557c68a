/*
 * database_slots.h
 *		The databases that the processes of order_ext know of, in shared memory.
 */
#ifndef ORDER_EXT_DATABASE_SLOTS_H
#define ORDER_EXT_DATABASE_SLOTS_H

#include "worker/shmem.h"

/* The slot of a database; NULL if it has none. Lock held. */
extern DatabaseSlot *database_slot(Oid database);

/* The same, but one that it has not is created; NULL if none is free. Lock held exclusively. */
extern DatabaseSlot *database_slot_create(Oid database);

/* Release the slot of a database; it has no workers and no holds. Lock held. */
extern void database_slot_free(DatabaseSlot *db);

/* Whether any worker of the database is alive or starting. Lock held. */
extern bool database_has_workers(const DatabaseSlot *db);

/* Record a failure of its workers: the next start waits. Lock held exclusively. */
extern void database_failed(DatabaseSlot *db);

/* Make the workers of the database check again (restart); safe at commit. */
extern void database_announce(Oid database);

/* If nothing is known about the database, have it checked; safe at commit. */
extern void database_discover(Oid database);

#endif							/* ORDER_EXT_DATABASE_SLOTS_H */
