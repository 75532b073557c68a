/*
 * backlog.h
 *		Groups that have stopped consuming.
 */
#ifndef ORDER_EXT_BACKLOG_H
#define ORDER_EXT_BACKLOG_H

#include "postgres.h"

#include "utils/timestamp.h"

/*
 * Alert operators to groups whose backlog is old, or that hold back a large log. Returns when the
 * next check is worthwhile, DT_NOEND if unknown.
 */
extern TimestampTz backlog_check(TimestampTz now);

#endif							/* ORDER_EXT_BACKLOG_H */
