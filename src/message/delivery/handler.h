/*
 * handler.h
 *		Calling the handler of a consumer group, whether built in or an application's.
 */
#ifndef ORDER_EXT_HANDLER_H
#define ORDER_EXT_HANDLER_H

#include "postgres.h"

#include "access/tupdesc.h"
#include "fmgr.h"

#include "message/base/catalog.h"
#include "message/delivery/builtin.h"
#include "message/delivery/retries.h"

/* A handler prepared for the calls of one batch. */
typedef struct Handler
{
	const ConsumerGroup *group;
	BuiltinHandler builtin;		/* NULL: an SQL-callable function */
	AdaptedHandler adapted;		/* ... called by this C function; or NULL */
	bool		in_dispatch;	/* runs in a caller's transaction rather than a worker's own */
	bool		called;			/* a worker's handler_call() was made */
	bool		batch;			/* it takes an array */
	const Message *first;		/* of its transaction, and how many of earlier batches precede */
	int			n_before;
	Oid			run_as;
	FmgrInfo	function;
	Oid			message_type;
	TupleDesc	message_desc;
	Datum		topic_name;
	MemoryContext call_context; /* for the arguments; reset after each call */
} Handler;

/*
 * Prepare the group's handler; the group must live as long. False, with the reason, if it cannot
 * be called: it does not exist, or its role may not execute it.
 */
extern bool handler_open(const ConsumerGroup *group, bool in_dispatch, Handler *handler,
						 Failure *why);

/*
 * Call the handler for the messages: all at once if it takes batches, otherwise one by one, in
 * which case a worker stops after BATCH_MS. Returns how many were handled. Every call is limited
 * by order_ext.handler_timeout; a worker whose handler catches that error is ended after the same
 * time again (time_limit.h). Errors of the handler are rethrown; built-in handlers set the
 * messages' outcome.
 */
extern int	handler_run(Handler *handler, Message *messages, int n);

/*
 * At the end of a worker's transaction, which had n messages from this one on: run the triggers
 * that the handler deferred, as its role and within the time limit.
 */
extern void handler_settle(const Handler *handler, const Message *messages, int n);

/*
 * The group whose handler is running in this process, 0 if none is: calls that would change a
 * group, or deliver messages, fail in the middle of its own delivery.
 */
extern int32 handler_running_group(void);
extern void handler_refuse_change(int32 group_id);

/*
 * For adapted handlers: call a function for the message in the same way as a handler of the
 * group, as its role and within order_ext.handler_timeout; in a worker's own transaction, only the
 * bookkeeping runs after it and its deferred triggers. Raises 42501 if it must not run as the role
 * (base/rights.h), and any error of the function: call it in a subtransaction. The result is in
 * CurrentMemoryContext.
 */
extern Datum handler_call(Handler *handler, Oid function, const Message *message,
						  Datum argument, bool *isnull);

/* Whether the function takes order_ext.message (or an array of it). */
extern bool handler_signature_fits(Oid function, bool *batch);

#endif							/* ORDER_EXT_HANDLER_H */
