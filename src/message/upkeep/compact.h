/*
 * compact.h
 *		Writing small tables anew that are full of dead rows.
 */
#ifndef ORDER_EXT_COMPACT_H
#define ORDER_EXT_COMPACT_H

#include "postgres.h"

#include "utils/timestamp.h"

/*
 * Write a small table anew that is full of dead rows. i counts from 0; false: no such.
 * may_wait: wait for its lock, up to the lock timeout (55P03).
 */
extern bool compact_table(int i, bool may_wait);

/* When to try again a table whose lock was not to be had; DT_NOEND if there is none. */
extern TimestampTz compaction_postponed(void);

#endif							/* ORDER_EXT_COMPACT_H */
