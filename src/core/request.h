/*
 * request.h
 *		Idempotency by request_id.
 *
 *		RequestHash hash; request_hash_begin(&hash); request_hash_*(&hash, ...);
 *		if (request_replay(function, request_id, &hash, &result)) return it;
 *		... do the work ...
 *		request_remember(function, request_id, &hash, &result);
 */
#ifndef ORDER_EXT_REQUEST_H
#define ORDER_EXT_REQUEST_H

#include "postgres.h"

#include "core/call.h"

#define MAX_REQUEST_ID_CHARS 128
#define REQUEST_HASH_BYTES 16

/* A running hash of a call's arguments; each argument goes in as its type compares. */
typedef struct RequestHash
{
	uint64		state[2];
} RequestHash;

/* Hash all arguments of the call but the one with the request_id itself. */
extern RequestHash request_hash_arguments(FunctionCallInfo fcinfo, int request_id_arg);

/*
 * With a request_id: wait for another transaction that uses the same key, then look
 * it up. True: it was used for the same request, *result is what it answered, with
 * disposition "replayed". Raises OE601 if it was used for another one. With a NULL
 * request_id: false.
 */
extern bool request_replay(const char *function, const char *request_id,
						   const RequestHash *hash, CallResult *result);

typedef enum RequestUse
{
	REQUEST_NEW,				/* or no request_id */
	REQUEST_SAME,				/* *result is what it answered */
	REQUEST_OTHER				/* the key was used for another request */
} RequestUse;

/* The same, without raising: for facts, which are never refused. */
extern RequestUse request_find(const char *function, const char *request_id,
							   const RequestHash *hash, CallResult *result);

/* Remember the result of a request that was worked off; no-op without a request_id. */
extern void request_remember(const char *function, const char *request_id,
							 const RequestHash *hash, const CallResult *result);

#endif							/* ORDER_EXT_REQUEST_H */
