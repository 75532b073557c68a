/*
 * checks.h
 *		Whether a database is one to work in.
 */
#ifndef ORDER_EXT_CHECKS_H
#define ORDER_EXT_CHECKS_H

#include "postgres.h"

#include "worker/shmem.h"

/*
 * A worker's gate, the first thing in each of its transactions: takes the lock on the
 * extension that DROP EXTENSION takes first, until the transaction's end, so that DROP
 * EXTENSION waits for at most a transaction and never deadlocks with one. Ends the
 * process if the database is no longer one to work in.
 */
extern void check_gate(void);

#endif							/* ORDER_EXT_CHECKS_H */
