/*
 * ids.h
 *		Order ids; and ids in general.
 *
 * An order id has 19 digits that fit a bigint: yyMMdd (UTC), the second of that day (5), a number
 * permuted within that second (5), and the last three digits of the user id. Ids
 * sort by time of creation, tell the user's shard, and cannot be guessed from their
 * neighbours. Uniqueness rests on a sequence (no lock is held), and last on the
 * primary key: a caller whose id is taken asks for another.
 */
#ifndef ORDER_EXT_IDS_H
#define ORDER_EXT_IDS_H

#include "postgres.h"

#include "utils/timestamp.h"

/* The next order id of the user, created at the given time. SPI must be connected. */
extern int64 id_next_order(int64 user_id, TimestampTz created_at);

/* The next value of a sequence of order_ext_internal. */
extern int64 id_next(const char *sequence);

/* The order of ids, keys, tokens and the like, int64 all of them: for qsort() and bsearch(). */
extern int	id_compare(const void *a, const void *b);

#endif							/* ORDER_EXT_IDS_H */
