/*
 * checks.h
 *		Whether a database is one to work in.
 */
#ifndef ORDER_EXT_CHECKS_H
#define ORDER_EXT_CHECKS_H

#include "postgres.h"

#include "worker/shmem.h"

/*
 * Look at the extension, its version, the stamp and order_ext.enabled. Needs a
 * transaction. *extension becomes the extension's oid unless it is absent.
 */
extern Verdict check_database(Oid *extension);

/*
 * A worker's gate: enter before a turn's work, leave after it. In between, the
 * extension cannot be dropped: a session-level lock on it, the lock that DROP EXTENSION
 * takes first, is held, so that DROP EXTENSION waits for at most a turn and never
 * deadlocks with one. Entering ends the process if the database is no longer one to
 * work in. inside (may be NULL) runs in the gate's own short transaction.
 */
extern void gate_enter(void (*inside) (void));
extern void gate_leave(void);

#endif							/* ORDER_EXT_CHECKS_H */
