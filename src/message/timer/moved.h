/*
 * moved.h
 *		timers_moved: timers that reschedule_message() has given another time.
 */
#ifndef ORDER_EXT_TIMER_MOVED_H
#define ORDER_EXT_TIMER_MOVED_H

#include "postgres.h"

#include "utils/timestamp.h"

#include "message/timer/buckets.h"
#include "message/timer/memory.h"

/* What was taken out of timers_moved, to be fired. */
typedef struct MovedTimers
{
	DueTimer   *due;
	int			n;
	bool		more;			/* more is due already */
} MovedTimers;

/* Take the first timers that are due, at most limit. */
extern MovedTimers timer_moved_take(TimerQueue *queue, int limit, TimestampTz now);

/* When timer_moved_take() will next have something to do, DT_NOEND if never. */
extern TimestampTz timer_moved_next(TimerQueue *queue, TimestampTz now);

/* Have a timer wait there until due_at. */
extern void timer_moved_put(const DueTimer *timer, TimestampTz due_at);

#endif							/* ORDER_EXT_TIMER_MOVED_H */
