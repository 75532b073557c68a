/*
 * waiters.h
 *		Client processes that wait for messages: a commit that publishes one sets their latches,
 *		like those of the workers.
 */
#ifndef ORDER_EXT_WAITERS_H
#define ORDER_EXT_WAITERS_H

#include "postgres.h"

/* Register this process as waiting for topics of its database; false if there is no room. */
extern bool waiter_begin(uint64 topic_bits);

/* Unregister it; does nothing if it is not registered. */
extern void waiter_end(void);

/* Wake processes that wait for one of the topics; safe at commit. */
extern void waiters_wake(uint64 topic_bits);

#endif							/* ORDER_EXT_WAITERS_H */
