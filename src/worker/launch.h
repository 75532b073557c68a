/*
 * launch.h
 *		Starting workers, each in a slot of its database. For the launcher only.
 */
#ifndef ORDER_EXT_LAUNCH_H
#define ORDER_EXT_LAUNCH_H

#include "postmaster/bgworker.h"

#include "worker/room.h"
#include "worker/shmem.h"

/* A worker that was registered by a former launcher has never started if this has passed. */
#define START_PATIENCE (15 * USECS_PER_SEC)

/* Fill in what the postmaster must know of a process of this kind. */
extern void launch_fill_in(BackgroundWorker *worker, const char *kind);

/*
 * Start a worker in slot w of the database, unless the slot has been taken or the database must
 * not get workers now. If there is no free worker slot of the server, that counts as a failure.
 */
extern void launch_worker(DatabaseSlot *db, int w, Oid role, int ordinal, RoomFor wanted);

/* Count as failures the workers of the database that were launched and have not attached. */
extern void launch_check(DatabaseSlot *db);

/* Whether to log a WARNING: one a minute at most. */
extern bool launch_may_warn(void);

#endif							/* ORDER_EXT_LAUNCH_H */
