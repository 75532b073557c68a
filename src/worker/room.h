/*
 * room.h
 *		Turns for roles, where max_worker_processes has not enough room for all of them.
 */
#ifndef ORDER_EXT_ROOM_H
#define ORDER_EXT_ROOM_H

#include "compat.h"

#include "worker/shmem.h"

/*
 * The launcher found no slot for a worker. Have the role's dispatcher leave that has been idle
 * longest, of all databases, and note that it waits in its turn. True if one is leaving, so
 * that it is worth trying again soon.
 */
extern bool room_make(void);

#endif							/* ORDER_EXT_ROOM_H */
