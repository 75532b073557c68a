/*
 * worker.h
 *		Initialization of the background workers.
 */
#ifndef ORDER_EXT_WORKER_H
#define ORDER_EXT_WORKER_H

#include "postgres.h"

/*
 * Install the hooks, request shared memory and register the launcher; called once from _PG_init.
 * Unless the library is being preloaded by the postmaster, only the hooks, of which only that of
 * LOCK TABLE does anything then.
 */
extern void worker_init(void);

#endif							/* ORDER_EXT_WORKER_H */
