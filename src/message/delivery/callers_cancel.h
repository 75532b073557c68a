/*
 * callers_cancel.h
 *		Distinguishing a cancel of dispatch() itself from errors of its handlers and the end of
 *		their time limit: all look the same to an error handler, and a handler can catch them.
 */
#ifndef ORDER_EXT_CALLERS_CANCEL_H
#define ORDER_EXT_CALLERS_CANCEL_H

#include "postgres.h"

/*
 * From here on until callers_cancel_unwatch(), cancels of this backend's statement are noted. An
 * earlier one is raised.
 */
extern void callers_cancel_watch(void);
extern void callers_cancel_unwatch(void);

/* Whether there was one. */
extern bool callers_cancel_seen(void);

/* If there was one, make the next CHECK_FOR_INTERRUPTS() raise it, again if necessary. */
extern void callers_cancel_repeat(void);

#endif							/* ORDER_EXT_CALLERS_CANCEL_H */
