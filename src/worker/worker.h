/*
 * worker.h
 *		Initialization of the background workers.
 */
#ifndef ORDER_EXT_WORKER_H
#define ORDER_EXT_WORKER_H

#include "postgres.h"

/*
 * Request shared memory, register the launcher and install the hooks; called once from _PG_init.
 * Does nothing unless the library is being preloaded.
 */
extern void worker_init(void);

#endif							/* ORDER_EXT_WORKER_H */
