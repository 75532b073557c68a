/*
 * cancel.h
 *		Canceled timers, as the firer sees them. Private to the timer files.
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

/* Open for looking; NULL if nothing is canceled. With the timers lock held. */
extern TimerCancels *timer_cancels_open(void);

/*
 * What is to become of a timer that is due. TIMER_CANCELED is told once: the note goes
 * with this transaction.
 */
extern TimerFate timer_cancels_look(TimerCancels *cancels, int64 message_id);

extern void timer_cancels_close(TimerCancels *cancels);

#endif							/* ORDER_EXT_TIMER_CANCEL_H */
