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

/* How long a timer waits whose canceler is undecided, or that is locked. */
#define UNDECIDED_PAUSE (50 * INT64CONST(1000))

/* What was taken out of timers_far. */
typedef struct FarTimers
{
	DueTimer   *due;			/* to be fired */
	int			n;
	bool		moved;			/* some have come into the ring, perhaps not all */
	bool		more;			/* more is due already */
} FarTimers;

/*
 * Take the first timers: those that are due, at most limit, are fired by the caller; those due
 * soon move into the ring.
 */
extern FarTimers timer_far_take(TimerQueue *queue, int limit, TimestampTz now);

/* When timer_far_take() will next have something to do, DT_NOEND if never. */
extern TimestampTz timer_far_next(TimerQueue *queue, TimestampTz now);

/* Put undecided timers there, due at due_at. */
extern void timer_far_put(TimerQueue *queue, const DueTimer *timers, int n, TimestampTz due_at);

#endif							/* ORDER_EXT_TIMER_FAR_H */
