/*
 * checks.h
 *		Whether workers should run in a database.
 */
#ifndef ORDER_EXT_CHECKS_H
#define ORDER_EXT_CHECKS_H

#include "postgres.h"

#include "worker/shmem.h"

/*
 * A worker's gate, run first in each of its transactions: takes the lock on the extension that
 * DROP EXTENSION takes first, until the end of the transaction, so that DROP EXTENSION waits for
 * at most one transaction and never deadlocks with one. Ends the process if workers should no
 * longer run in the database.
 */
extern void check_gate(void);

#endif							/* ORDER_EXT_CHECKS_H */
