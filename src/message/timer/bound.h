/*
 * bound.h
 *		Timers that are bound to a status of their key, and void if it has another one.
 */
#ifndef ORDER_EXT_TIMER_BOUND_H
#define ORDER_EXT_TIMER_BOUND_H

#include "postgres.h"

/*
 * A callback of the owner of the keys of bound timers: fill statuses[i] with the status of
 * keys[i], or -1 if it does not exist. Runs with SPI connected.
 */
typedef void (*TimerBindSource) (const int64 *keys, int n, int16 *statuses);
extern void timer_bind_source(TimerBindSource source);

/* The statuses of the keys, as above; false if no callback is registered. */
extern bool timer_bound_statuses(const int64 *keys, int n, int16 *statuses);

#endif							/* ORDER_EXT_TIMER_BOUND_H */
