/*
 * ids.h
 *		Order ids; and ids in general.
 *
 * An order id has 19 digits that fit a bigint: yyMMdd (UTC), the second of that day (5), a number
 * permuted within that second (5), and the last three digits of the user id. Ids sort by creation
 * time, identify the user's shard, and cannot be guessed from neighboring ids. Uniqueness rests
 * on a sequence (no lock is held), and ultimately on the primary key: a caller whose id is taken
 * requests another.
 */
#ifndef ORDER_EXT_IDS_H
#define ORDER_EXT_IDS_H

#include "postgres.h"

#include "utils/timestamp.h"

/* The next id for an order of the user created at the given time. SPI must be connected. */
extern int64 id_next_order(int64 user_id, TimestampTz created_at);

/*
 * No order created in this second or later has a lower id; those created before it have. Beyond
 * the dates that ids can tell, 0 or the greatest number.
 */
extern int64 id_first_order(TimestampTz at);

/* The next value of a sequence in order_ext_internal. */
extern int64 id_next(const char *sequence);

/* Compares ids, keys, tokens and other int64 values, for qsort() and bsearch(). */
extern int	id_compare(const void *a, const void *b);

/* The distinct ones of n ids, in ascending order. */
extern int64 *id_sort(const int64 *ids, int n, int *n_sorted);

#endif							/* ORDER_EXT_IDS_H */
