/*
 * backlog.h
 *		Groups that have stopped consuming.
 */
#ifndef ORDER_EXT_BACKLOG_H
#define ORDER_EXT_BACKLOG_H

#include "postgres.h"

#include "utils/timestamp.h"

/*
 * Tell operators of groups whose backlog is old, or that hold back a log that is
 * large. Returns when that is worthwhile again, DT_NOEND if it cannot say.
 */
extern TimestampTz backlog_check(TimestampTz now);

#endif							/* ORDER_EXT_BACKLOG_H */
