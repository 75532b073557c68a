/*
 * time_limit.h
 *		The time limit of a handler's call: order_ext.handler_timeout.
 */
#ifndef ORDER_EXT_TIME_LIMIT_H
#define ORDER_EXT_TIME_LIMIT_H

#include "postgres.h"

/*
 * Around the call of a handler. A worker's process whose handler catches even the cancel is
 * ended after as long again (running.h). Began anew, the limit counts from there.
 */
extern void time_limit_begin(void);
extern void time_limit_end(void);

/* The call ended by an error, which has been caught. */
extern void time_limit_end_failed(void);

/* Whether the last error was the end of the limit, and not somebody's cancel. */
extern bool time_limit_passed(void);

/* Before a call: no limit has passed. */
extern void time_limit_forget(void);

#endif							/* ORDER_EXT_TIME_LIMIT_H */
