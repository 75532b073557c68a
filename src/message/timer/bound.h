/*
 * bound.h
 *		Timers that are bound to a status of their key, and void if it has another one.
 */
#ifndef ORDER_EXT_TIMER_BOUND_H
#define ORDER_EXT_TIMER_BOUND_H

#include "postgres.h"

#include "utils/timestamp.h"

/*
 * A callback of the owner of the keys of bound timers: fill statuses[i] with the status of
 * keys[i], or -1 if it does not exist, or no longer waits for a timer that is due at due_at[i].
 * Runs with SPI connected.
 */
typedef void (*TimerBindSource) (const int64 *keys, const TimestampTz *due_at, int n,
								 int16 *statuses);
extern void timer_bind_source(TimerBindSource source);

/* The statuses of the keys, as above; false if no callback is registered. */
extern bool timer_bound_statuses(const int64 *keys, const TimestampTz *due_at, int n,
								 int16 *statuses);

#endif							/* ORDER_EXT_TIMER_BOUND_H */
