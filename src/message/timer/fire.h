/*
 * fire.h
 *		Firing a batch of timers and emptying buckets. Private to the timer files.
 */
#ifndef ORDER_EXT_TIMER_FIRE_H
#define ORDER_EXT_TIMER_FIRE_H

#include "postgres.h"

#include "core/append.h"
#include "message/log/log.h"
#include "message/message.h"
#include "message/timer/queue.h"

/* Timers of one transaction; few, so that the handlers begin with the first of many at once. */
#define TIMER_BATCH 1000

/* How long a timer waits whose canceler has not yet decided, or that somebody has locked. */
#define UNDECIDED_PAUSE (50 * INT64CONST(1000))

/* A timer's row, read. */
typedef struct DueTimer
{
	LogEntry	entry;
	TimestampTz due_at;
	int16		bound;			/* -1 = not bound */
} DueTimer;

/* Append a timer's row to a bucket or to timers_far. */
extern void timer_append(Appender *appender, const DueTimer *timer, uint64 xid);

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

/*
 * Publish the timers that are neither void nor canceled; returns how many. The array is
 * used up.
 */
extern int64 timers_publish(TimerQueue *queue, DueTimer *timers, int n);

/* ---- timers_far ---- */

/*
 * The first timers of timers_far: fire those that are due, at most limit, and move those
 * that will soon be into the ring.
 */
extern FiringResult timer_far_batch(TimerQueue *queue, int limit, TimestampTz now);

/* When timer_far_batch() will have something to do, DT_NOEND if it never will. */
extern TimestampTz timer_far_next(TimerQueue *queue, TimestampTz now);

/* Timers that nobody can decide on yet: put them there, due at due_at. */
extern void timer_far_put(TimerQueue *queue, const DueTimer *timers, int n, TimestampTz due_at);

/* ---- buckets ---- */

/* TRUNCATE a bucket's table. */
extern void timer_bucket_truncate(int bucket);

/*
 * Empty one bucket that is behind, if there is one and nobody is in the way; in the
 * current transaction, with the timers lock and an active snapshot. *next_try is
 * lowered to when another attempt is worthwhile.
 */
extern bool timer_empty_one_bucket(TimerQueue *queue, TimestampTz now, TimestampTz *next_try);

#endif							/* ORDER_EXT_TIMER_FIRE_H */
