/*
 * empty.h
 *		Emptying buckets whose time is over. Private to the timer files.
 */
#ifndef ORDER_EXT_TIMER_EMPTY_H
#define ORDER_EXT_TIMER_EMPTY_H

#include "postgres.h"

#include "utils/timestamp.h"

#include "message/timer/memory.h"

/*
 * Empty one past bucket, if there is one and its lock is free; in the current transaction, with
 * the timers lock and an active snapshot. *next_try is lowered to when another attempt is
 * worthwhile.
 */
extern bool timer_empty_one_bucket(TimerQueue *queue, TimestampTz now, TimestampTz *next_try);

#endif							/* ORDER_EXT_TIMER_EMPTY_H */
