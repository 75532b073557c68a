/*
 * subscribe.h
 *		Consumer groups for functions of the application that are no handlers: they have a
 *		form of their own, and a C function of the library calls them (builtin.h).
 */
#ifndef ORDER_EXT_SUBSCRIBE_H
#define ORDER_EXT_SUBSCRIBE_H

#include "postgres.h"

typedef struct AdaptedGroup
{
	const char *name;
	int32		topic_id;
	Oid			function;
	Oid			run_as;			/* in whose workers it is called */
	Oid			registrar;		/* who said so: rights.h */
} AdaptedGroup;

/*
 * Make the group, or let it go on with another function or role. It is ordered: a message
 * that crashes the worker again and again keeps back those that would have it run anew. A new
 * one reads what the transaction does not see yet and what it publishes. Raises 42710 where
 * the name is an ordinary group's. Within engine_enter().
 */
extern void subscribe_adapted(const AdaptedGroup *group);

/*
 * Drop the group, if there is one; waits for its batch in flight (OE110 after
 * lock_timeout). Within engine_enter().
 */
extern void subscribe_adapted_no_more(const char *name);

#endif							/* ORDER_EXT_SUBSCRIBE_H */
