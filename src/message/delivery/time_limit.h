/*
 * time_limit.h
 *		The time limit of a handler's call: its group's, or order_ext.handler_timeout.
 */
#ifndef ORDER_EXT_TIME_LIMIT_H
#define ORDER_EXT_TIME_LIMIT_H

#include "postgres.h"

#include "message/base/catalog.h"

/* How long handlers of the group may take, in milliseconds; 0: no limit. */
extern int	time_limit_of(const ConsumerGroup *group);

/*
 * Called around a handler, with its limit in milliseconds, 0 for none. A worker's process whose
 * handler catches the cancel is ended after the same time again (running.h). If begun again, the
 * limit counts from there.
 */
extern void time_limit_begin(int limit);
extern void time_limit_end(void);

/* The call ended by an error, which has been caught. */
extern void time_limit_end_failed(void);

/* Whether the last error was the time limit rather than a cancel. */
extern bool time_limit_passed(void);

/* The limit of that call, and whose it is, for messages. */
extern char *time_limit_text(void);

/* Before a call: no limit has been exceeded. */
extern void time_limit_forget(void);

#endif							/* ORDER_EXT_TIME_LIMIT_H */
