/*
 * queue.h
 *		The timers of the present in memory: for each topic a heap by due time, kept up to
 *		date from the bucket tables. Private to the timer files.
 *
 * It is never half true: whoever cannot finish what he began forgets it.
 */
#ifndef ORDER_EXT_TIMER_QUEUE_H
#define ORDER_EXT_TIMER_QUEUE_H

#include "postgres.h"

#include "utils/rel.h"
#include "utils/timestamp.h"

#include "message/timer/memory.h"

/* How long before its period begins a bucket is loaded, in slices of so many blocks. */
#define TIMER_LOAD_AHEAD (10 * USECS_PER_SEC)
#define TIMER_LOAD_BLOCKS 256

/*
 * The queue of this process, true to what is committed: forgotten if another process has
 * fired meanwhile. With the timers lock held, an active snapshot taken after it, and SPI.
 */
extern TimerQueue *timer_queue_current(TimestampTz now);

/* The use of it has ended well; one that does not, spoils it. */
extern void timer_queue_done(TimerQueue *queue);

/* Forget it. */
extern void timer_queue_forget(void);

/* Bring a loaded bucket up to the active snapshot. */
extern void timer_queue_catch_up(TimerQueue *queue, int bucket, Relation rel);

/* Let go of a bucket until its period comes. */
extern void timer_queue_unload(TimerQueue *queue, int bucket);

/* When the next bucket with rows in it has to be loaded. */
extern TimestampTz timer_queue_next_load(TimerQueue *queue, TimestampTz now);

#endif							/* ORDER_EXT_TIMER_QUEUE_H */
