/*
 * room.h
 *		Turns for roles if max_worker_processes is too small for all of them.
 */
#ifndef ORDER_EXT_ROOM_H
#define ORDER_EXT_ROOM_H

#include "compat.h"

#include "worker/shmem.h"

/*
 * The launcher found no slot for a worker. Stop the dispatcher of a role that has been idle
 * longest, in any database, and record that it is now waiting in turn. True if one is exiting, so
 * that it is worthwhile to retry soon.
 */
extern bool room_make(void);

#endif							/* ORDER_EXT_ROOM_H */
