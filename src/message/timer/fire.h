/*
 * fire.h
 *		Firing a batch of timers. Private to the timer files.
 */
#ifndef ORDER_EXT_TIMER_FIRE_H
#define ORDER_EXT_TIMER_FIRE_H

#include "postgres.h"

#include "message/timer/memory.h"

/* Timers per transaction; few, so that handlers can begin with the first of many at once. */
#define TIMER_BATCH 1000

/* What a batch has done. */
typedef struct FiringResult
{
	int64		published;
	int64		handled;		/* published, or void */
	bool		moved;			/* timers_far has brought some into the ring, perhaps not all */
	bool		more;			/* more is due already */
} FiringResult;

/* Fire what is due, at most limit and TIMER_BATCH. */
extern FiringResult timer_fire_batch(TimerQueue *queue, int64 limit, TimestampTz now);

#endif							/* ORDER_EXT_TIMER_FIRE_H */
