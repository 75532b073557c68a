/*
 * clock.h
 *		Pauses measured by a clock that may be set.
 */
#ifndef ORDER_EXT_CLOCK_H
#define ORDER_EXT_CLOCK_H

#include "postgres.h"

#include "utils/timestamp.h"

/*
 * Whether a pause until the given time, meant to last at most longest_us, is over. If the clock
 * was set back, it is, so that a pause of seconds does not become one of hours.
 */
static inline bool
clock_pause_is_over(TimestampTz until, int64 longest_us, TimestampTz now)
{
	return now >= until || until - now > longest_us;
}

#endif							/* ORDER_EXT_CLOCK_H */
