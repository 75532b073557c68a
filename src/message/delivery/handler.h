/*
 * handler.h
 *		Calling the handler of a consumer group, built in or the application's.
 */
#ifndef ORDER_EXT_HANDLER_H
#define ORDER_EXT_HANDLER_H

#include "postgres.h"

#include "access/tupdesc.h"
#include "fmgr.h"

#include "message/base/catalog.h"
#include "message/delivery/builtin.h"
#include "message/delivery/retries.h"

/* A handler made ready for the calls of one batch. */
typedef struct Handler
{
	const ConsumerGroup *group;
	BuiltinHandler builtin;		/* NULL: a function of the database */
	AdaptedHandler adapted;		/* ... which this one calls; or NULL */
	bool		in_dispatch;	/* runs in somebody's transaction, not in a worker's own */
	bool		called;			/* a worker's handler_call() was made */
	bool		batch;			/* it takes an array */
	Oid			run_as;
	FmgrInfo	function;
	Oid			message_type;
	TupleDesc	message_desc;
	Datum		topic_name;
	MemoryContext call_context; /* for the arguments; reset after each call */
} Handler;

/*
 * Make the group's handler ready; the group must live as long. False, with the reason, where
 * it cannot be called: it is gone, or its role may not execute it.
 */
extern bool handler_open(const ConsumerGroup *group, bool in_dispatch, Handler *handler,
						 Failure *why);

/*
 * Call the handler for the messages: all at once if it takes batches, else one by one; then a
 * worker stops after BATCH_MS. Returns how many were handled. Every call is bounded by
 * order_ext.handler_timeout; a worker whose handler catches even that is ended after as long
 * again (time_limit.h). What the handler raises comes out of here; built-in handlers set the
 * messages' outcome.
 */
extern int	handler_run(Handler *handler, Message *messages, int n);

/*
 * At the end of a worker's transaction, which had n messages from this one on: have deferred
 * triggers of the handler's doing run now, as its role and within the time limit.
 */
extern void handler_settle(const Handler *handler, const Message *messages, int n);

/*
 * The group whose handler is running in this process, 0 if none is: what would change a
 * group, or deliver messages, refuses to do so in the middle of its own delivery.
 */
extern int32 handler_running_group(void);
extern void handler_refuse_change(int32 group_id);

/*
 * For adapted handlers: call a function for the message as a handler of the group is called,
 * as its role, with the search path of its session, within order_ext.handler_timeout; of a
 * worker's own transaction it is the last thing that runs but for the bookkeeping, deferred
 * triggers included. Raises 42501 where it must not run as the role (rights.h), and whatever
 * it raises: call it in a subtransaction. The result is in CurrentMemoryContext.
 */
extern Datum handler_call(Handler *handler, Oid function, const Message *message,
						  Datum argument, bool *isnull);

/* Whether the function is one that order_ext.message (or an array of it) can be given to. */
extern bool handler_signature_fits(Oid function, bool *batch);

#endif							/* ORDER_EXT_HANDLER_H */
