/*
 * far.h
 *		timers_far: timers beyond the ring of buckets. Private to the timer files.
 */
#ifndef ORDER_EXT_TIMER_FAR_H
#define ORDER_EXT_TIMER_FAR_H

#include "postgres.h"

#include "utils/timestamp.h"

#include "message/timer/buckets.h"
#include "message/timer/memory.h"

/* How long a timer waits whose canceler has not yet decided, or that somebody has locked. */
#define UNDECIDED_PAUSE (50 * INT64CONST(1000))

/* What was taken out of it. */
typedef struct FarTimers
{
	DueTimer   *due;			/* to be fired */
	int			n;
	bool		moved;			/* some have come into the ring, perhaps not all */
	bool		more;			/* more is due already */
} FarTimers;

/*
 * Take its first timers: those that are due, at most limit, are for the caller to fire; those
 * that will soon be move into the ring.
 */
extern FarTimers timer_far_take(TimerQueue *queue, int limit, TimestampTz now);

/* When timer_far_take() will have something to do, DT_NOEND if it never will. */
extern TimestampTz timer_far_next(TimerQueue *queue, TimestampTz now);

/* Timers that nobody can decide on yet: put them there, due at due_at. */
extern void timer_far_put(TimerQueue *queue, const DueTimer *timers, int n, TimestampTz due_at);

#endif							/* ORDER_EXT_TIMER_FAR_H */
