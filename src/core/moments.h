/*
 * moments.h
 *		Mutual exclusion for moments, in shared memory.
 *
 * A lock of locks.h is handed to the process that has waited longest. If there is always one
 * waiting, as for a product that everybody buys, each turn takes as long as it takes to get that
 * process running. These are taken by whoever comes by and finds them free. Their holder cannot
 * be canceled, and no deadlock is found: they may be held for a few rows, and no lock of a
 * transaction may be waited for.
 */
#ifndef ORDER_EXT_MOMENTS_H
#define ORDER_EXT_MOMENTS_H

#include "postgres.h"

/* While shared memory is being requested, and when it is there. */
extern void moments_request(void);
extern void moments_attach(void);

/*
 * Enter and leave the moment of a key in this database; other keys may share it. Errors leave it.
 * False, and nothing is done, on a server that does not preload order_ext.
 */
extern bool moment_begin(uint64 key);
extern bool moment_end(uint64 key);

#endif							/* ORDER_EXT_MOMENTS_H */
