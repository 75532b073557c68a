/*
 * callers_cancel.h
 *		A cancel of dispatch() itself, told from what its handlers raise and from the end of
 *		their time: both look the same to an error handler, and a handler can catch either.
 */
#ifndef ORDER_EXT_CALLERS_CANCEL_H
#define ORDER_EXT_CALLERS_CANCEL_H

#include "postgres.h"

/*
 * From here on until callers_cancel_unwatch() cancels of this backend's statement are noted. One
 * that came before is raised.
 */
extern void callers_cancel_watch(void);
extern void callers_cancel_unwatch(void);

/* Whether there was one. */
extern bool callers_cancel_seen(void);

/* If there was one, have it raised, again if need be, by the next CHECK_FOR_INTERRUPTS(). */
extern void callers_cancel_repeat(void);

#endif							/* ORDER_EXT_CALLERS_CANCEL_H */
