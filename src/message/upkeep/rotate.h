/*
 * rotate.h
 *		The rings of tables: moving on, and truncating what is behind everybody.
 */
#ifndef ORDER_EXT_ROTATE_H
#define ORDER_EXT_ROTATE_H

#include "postgres.h"

#include "utils/timestamp.h"

#include "message/base/catalog.h"

/* Move the ring on if it is time. Returns when it will be, DT_NOEND if it cannot say. */
extern TimestampTz ring_advance(Ring ring, TimestampTz now);

/*
 * Truncate a segment that is over and behind everybody: RING_TRUNCATED if there was one,
 * else when to try again.
 */
#define RING_TRUNCATED DT_NOBEGIN
extern TimestampTz ring_truncate(Ring ring, TimestampTz now);

/* Bytes of the log's segments, their indexes and TOAST not counted. */
extern int64 ring_log_bytes(void);

#endif							/* ORDER_EXT_ROTATE_H */
