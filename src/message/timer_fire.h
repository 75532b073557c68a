/*
 * timer_fire.h
 *		Firing a batch of timers and emptying buckets. Private to the timer files.
 */
#ifndef ORDER_EXT_TIMER_FIRE_H
#define ORDER_EXT_TIMER_FIRE_H

#include "postgres.h"

#include "message/message.h"
#include "message/timer_queue.h"

/* What a batch has done. */
typedef struct FiringResult
{
	int64		published;
	int64		handled;		/* published, void, or postponed */
	bool		more;			/* more is due already */
} FiringResult;

/* Fire what is due, as timers_fire_due() says. */
extern FiringResult timer_fire_batch(TimerQueue *queue, int64 limit, TimestampTz now);

/* The earliest due time in timers_far, DT_NOEND if it is empty. */
extern TimestampTz timer_far_first(TimerQueue *queue, TimestampTz now);

/* Record in timer_firings that something was done; adds lateness and fired of the queue. */
extern void timer_note_firing(TimerQueue *queue);

/* TRUNCATE a bucket's table. */
extern void timer_bucket_truncate(int bucket);

/*
 * Empty one bucket that is behind, if there is one and nobody is in the way; in the
 * current transaction, with the timers lock and an active snapshot. *next_try is
 * lowered to when another attempt is worthwhile.
 */
extern bool timer_empty_one_bucket(TimerQueue *queue, TimestampTz now, TimestampTz *next_try);

#endif							/* ORDER_EXT_TIMER_FIRE_H */
