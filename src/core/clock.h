/*
 * clock.h
 *		Pauses by a clock that may be set.
 */
#ifndef ORDER_EXT_CLOCK_H
#define ORDER_EXT_CLOCK_H

#include "postgres.h"

#include "utils/timestamp.h"

/*
 * Whether a pause that was to last so long at most, until a time, is over. When the clock is
 * set back, it is: nobody waits for hours where seconds were meant.
 */
static inline bool
pause_is_over(TimestampTz until, int64 longest_us, TimestampTz now)
{
	return now >= until || until - now > longest_us;
}

#endif							/* ORDER_EXT_CLOCK_H */
