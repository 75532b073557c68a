/*
 * rotate.h
 *		The rings of tables: moving on, and truncating what all groups are past.
 */
#ifndef ORDER_EXT_ROTATE_H
#define ORDER_EXT_ROTATE_H

#include "postgres.h"

#include "utils/timestamp.h"

#include "message/base/catalog.h"

/* Move the ring on if it is time. Returns when it will be, DT_NOEND if unknown. */
extern TimestampTz rotate_advance(Ring ring, TimestampTz now);

/*
 * Truncate a closed segment that all groups are past: ROTATE_TRUNCATED if there was one, otherwise
 * when to try again.
 */
#define ROTATE_TRUNCATED DT_NOBEGIN
extern TimestampTz rotate_truncate(Ring ring, TimestampTz now);

/* Bytes of the log's segments, not including their indexes and TOAST tables. */
extern int64 rotate_log_bytes(void);

#endif							/* ORDER_EXT_ROTATE_H */
