/*
 * subscribe.h
 *		Consumer groups for functions of the application that are not handlers: they have another
 *		signature, and a C function of the library calls them (delivery/builtin.h).
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
	Oid			registrar;		/* who registered it: base/rights.h */
} AdaptedGroup;

/*
 * Create the group, or give it another function or role. It is ordered: a message that crashes
 * the worker repeatedly holds back those that would run it again. A new group reads what the
 * transaction does not see yet and what it publishes. Raises 42710 if an ordinary group has the
 * name. Within engine_enter().
 */
extern void subscribe_adapted(const AdaptedGroup *group);

/*
 * Drop the group, if it exists; waits for its batch in progress (OE110 after lock_timeout).
 * Within engine_enter().
 */
extern void subscribe_adapted_no_more(const char *name);

#endif							/* ORDER_EXT_SUBSCRIBE_H */
