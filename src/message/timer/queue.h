/*
 * queue.h
 *		The current timers in memory: for each topic a heap by due time, kept up to date from the
 *		bucket tables. Private to the timer files.
 *
 * It is never partly valid: if an operation on it is not completed, it is discarded.
 */
#ifndef ORDER_EXT_TIMER_QUEUE_H
#define ORDER_EXT_TIMER_QUEUE_H

#include "postgres.h"

#include "utils/rel.h"
#include "utils/timestamp.h"

#include "message/timer/memory.h"

/* How long before its period begins a bucket is loaded, and in slices of how many blocks. */
#define TIMER_LOAD_AHEAD (10 * USECS_PER_SEC)
#define TIMER_LOAD_BLOCKS 256

/*
 * The queue of this process, consistent with what is committed: discarded if another process has
 * fired since. With the timers lock held, an active snapshot taken after it, and SPI.
 */
extern TimerQueue *timer_queue_current(TimestampTz now);

/* Its use has been completed; if this is not called, the queue is discarded. */
extern void timer_queue_done(TimerQueue *queue);

/* Forget it. */
extern void timer_queue_forget(void);

/* Update a loaded bucket to the active snapshot. */
extern void timer_queue_catch_up(TimerQueue *queue, int bucket, Relation rel);

/* Release a bucket until its period comes. */
extern void timer_queue_unload(TimerQueue *queue, int bucket);

/* When the next bucket with rows in it has to be loaded. */
extern TimestampTz timer_queue_next_load(TimerQueue *queue, TimestampTz now);

#endif							/* ORDER_EXT_TIMER_QUEUE_H */
