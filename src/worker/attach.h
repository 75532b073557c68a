/*
 * attach.h
 *		How a worker takes its slot in shared memory, and leaves it.
 */
#ifndef ORDER_EXT_ATTACH_H
#define ORDER_EXT_ATTACH_H

#include "compat.h"

#include "worker/shmem.h"

/*
 * Take the slot that the launcher assigned to this process (bgw_main_arg); false if it no longer
 * belongs to this process. The slot is released when the process exits.
 */
extern bool worker_attach(Datum main_arg);

/* Whether this worker was asked to exit, or its database must be checked again. */
extern bool worker_must_leave(void);

/* Exit with the reason, which becomes the verdict about the database; not a failure. */
pg_noreturn extern void worker_leave(Verdict verdict);

#endif							/* ORDER_EXT_ATTACH_H */
