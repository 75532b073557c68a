/*
 * compact.h
 *		Rewriting small tables that are full of dead rows.
 */
#ifndef ORDER_EXT_COMPACT_H
#define ORDER_EXT_COMPACT_H

#include "postgres.h"

#include "utils/timestamp.h"

/*
 * Rewrite small table i, counting from 0, if it is full of dead rows; false if there is no such
 * table. Its lock is waited for up to the lock timeout (55P03), or only taken if it is free.
 */
extern bool compact_table(int i);
extern bool compact_table_if_free(int i);

/* When to retry a table whose lock could not be obtained; DT_NOEND if there is none. */
extern TimestampTz compact_postponed(void);

#endif							/* ORDER_EXT_COMPACT_H */
