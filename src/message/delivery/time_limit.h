/*
 * time_limit.h
 *		The time limit of a handler's call: order_ext.handler_timeout.
 */
#ifndef ORDER_EXT_TIME_LIMIT_H
#define ORDER_EXT_TIME_LIMIT_H

#include "postgres.h"

/*
 * Called around a handler. A worker's process whose handler catches the cancel is ended after the
 * same time again (running.h). If begun again, the limit counts from there.
 */
extern void time_limit_begin(void);
extern void time_limit_end(void);

/* The call ended by an error, which has been caught. */
extern void time_limit_end_failed(void);

/* Whether the last error was the time limit rather than a cancel. */
extern bool time_limit_passed(void);

/* Before a call: no limit has been exceeded. */
extern void time_limit_forget(void);

#endif							/* ORDER_EXT_TIME_LIMIT_H */
