/*
 * cancel.h
 *		Canceled timers from the firer's point of view. Private to the timer files.
 */
#ifndef ORDER_EXT_TIMER_CANCEL_H
#define ORDER_EXT_TIMER_CANCEL_H

#include "postgres.h"

typedef enum TimerFate
{
	TIMER_FIRES,
	TIMER_CANCELED,
	TIMER_UNDECIDED				/* a transaction that cancels it is still open */
} TimerFate;

typedef struct TimerCancels TimerCancels;

/* Open for lookups; NULL if nothing is canceled. With the timers lock held. */
extern TimerCancels *timer_cancels_open(void);

/*
 * What to do with a timer that is due. TIMER_CANCELED is returned once: the note is deleted in
 * this transaction.
 */
extern TimerFate timer_cancels_look(TimerCancels *cancels, int64 message_id);

extern void timer_cancels_close(TimerCancels *cancels);

#endif							/* ORDER_EXT_TIMER_CANCEL_H */
