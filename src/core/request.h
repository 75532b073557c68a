/*
 * request.h
 *		Idempotency by request_id: the frame of calls that take one.
 *
 *		static void
 *		cancel(void *arg, const RequestKey *key, CallResult *result)
 *		{ ... lock, work, fill in the result ... }
 *
 *		static Datum
 *		cancel_order_body(FunctionCallInfo fcinfo)
 *		{
 *			... read and validate the arguments ...
 *			return request_call(fcinfo, "cancel_order", 4, cancel, &request);
 *		}
 */
#ifndef ORDER_EXT_REQUEST_H
#define ORDER_EXT_REQUEST_H

#include "postgres.h"

#include "core/call.h"

#define MAX_REQUEST_ID_CHARS 128
#define REQUEST_HASH_BYTES 16

/* The key of a lock of class request for a word, in a space of words of its own. */
extern int64 request_lock_key(const char *space, const char *word);

/* The key that a call came with. */
typedef struct RequestKey
{
	const char *request_id;		/* NULL: none */
	bool		reused;			/* by a fact, after another request used it */
} RequestKey;

/*
 * The work of a call whose request is not known yet: carry it out and fill in *result, which is
 * zeroed.
 */
typedef void (*RequestWork) (void *request, const RequestKey *key, CallResult *result);

/*
 * Carry out a request once. Its request_id is argument n of the call, from 0; function is the
 * name of the call, which is part of the key. Waits for another transaction that uses the same
 * key. If the key was used before with the same arguments, returns the earlier result with
 * disposition "replayed"; with different arguments, raises OE601. Otherwise the work is done and
 * its result is stored under the key; raises 40001 if another transaction has done so but is
 * hidden by this transaction's snapshot. Without a request_id the work is done each time. SPI
 * must be connected.
 */
extern void request_run(FunctionCallInfo fcinfo, const char *function, int n, RequestWork work,
						void *request, CallResult *result);

/* The same, as the body of a call that returns order_ext.call_result. */
extern Datum request_call(FunctionCallInfo fcinfo, const char *function, int n, RequestWork work,
						  void *request);

/*
 * The same for facts, which are never rejected: where request_call() raises OE601, the work is
 * done with key->reused set, and its result is not stored.
 */
extern Datum request_fact(FunctionCallInfo fcinfo, const char *function, int n, RequestWork work,
						  void *fact);

#endif							/* ORDER_EXT_REQUEST_H */
