/*
 * heaps.h
 *		The order in which queued timers fire. Private to the timer files.
 */
#ifndef ORDER_EXT_TIMER_HEAPS_H
#define ORDER_EXT_TIMER_HEAPS_H

#include "postgres.h"

#include "utils/timestamp.h"

#include "message/timer/memory.h"

/* Create the heaps of a new queue, in the current memory context; add a copy of a timer. */
extern void timer_heaps_make(TimerQueue *queue);
extern void timer_heaps_add(TimerQueue *queue, int32 topic_id, const QueuedTimer *timer);

/* When the earliest timer is due, DT_NOEND if there is none. */
extern TimestampTz timer_heaps_first_due(TimerQueue *queue);

/* Its topic; 0 if there is none. */
extern int32 timer_heaps_first_topic(TimerQueue *queue);

/* Take out due timers, at most limit, from each topic in turn; returns how many. */
extern int	timer_heaps_take(TimerQueue *queue, int limit, TimestampTz now, QueuedTimer *taken);

#endif							/* ORDER_EXT_TIMER_HEAPS_H */
