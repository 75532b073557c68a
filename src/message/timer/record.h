/*
 * record.h
 *		Records of handled timers: timer_progress, timer_ahead, timer_firings. Private to the
 *		timer files.
 *
 * Timers do not fire strictly in the order of their due times (see heaps.c), and some come late.
 * So the progress of a bucket (timers due until fired_until and visible in seen are handled)
 * advances as far as nothing is left before it, and timers handled beyond that are listed by id
 * in timer_ahead until the progress reaches them.
 */
#ifndef ORDER_EXT_TIMER_RECORD_H
#define ORDER_EXT_TIMER_RECORD_H

#include "postgres.h"

#include "message/timer/memory.h"

/* Read the newest row of timer_firings; all 0 if there is none. */
extern void timer_firings_read(TimerQueue *into);

/* Read the progress of all buckets into a new queue. */
extern void timer_progress_read(TimerQueue *queue);

/* The ids of a bucket's timer_ahead, sorted, in context; NULL if there are none. */
extern int64 *timer_ahead_read(int bucket, MemoryContext context, int64 *n);

/*
 * Record that timers taken out of the queue have been handled in this transaction. They are
 * sorted by bucket.
 */
extern void timer_progress_note(TimerQueue *queue, const QueuedTimer *handled, int n,
								TimestampTz now);

/* A bucket is now empty: restart its progress. */
extern void timer_progress_restart(TimerQueue *queue, int bucket);

/* Record in timer_firings that something was done; adds the queue's lateness and fired. */
extern void timer_firings_note(TimerQueue *queue);

#endif							/* ORDER_EXT_TIMER_RECORD_H */
