/*
 * waiters.h
 *		Client processes that wait for messages: the commit that publishes one sets their
 *		latches, as it does with the workers'.
 */
#ifndef ORDER_EXT_WAITERS_H
#define ORDER_EXT_WAITERS_H

#include "postgres.h"

/* Enter this process as waiting for topics of its database; false if there is no room. */
extern bool waiter_begin(uint64 topic_bits);

/* Take it out again; does nothing if it is not in. */
extern void waiter_end(void);

/* Wake those that wait for one of the topics; safe at commit. */
extern void waiters_wake(uint64 topic_bits);

#endif							/* ORDER_EXT_WAITERS_H */
