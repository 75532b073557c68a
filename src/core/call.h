/*
 * call.h
 *		The frame that every writing API call runs in, and its result.
 */
#ifndef ORDER_EXT_CALL_H
#define ORDER_EXT_CALL_H

#include "postgres.h"

#include "fmgr.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"

/* The result type of the API, in C. detail may be NULL. */
typedef struct CallResult
{
	int64		id;
	bool		id_is_null;
	const char *status;			/* NULL = NULL */
	int32		version;		/* 0 = NULL */
	const char *disposition;
	Jsonb	   *detail;
} CallResult;

typedef Datum (*CallBody) (FunctionCallInfo fcinfo);

/*
 * Run body with SPI connected and every lock wait bounded by order_ext.lock_timeout,
 * which is reported as OE110. The body returns its Datum through call_return_* so that
 * it outlives SPI. A call that may write is 25006 on a standby, whatever it would do;
 * api_read() is for those that never do.
 */
extern Datum api_call(FunctionCallInfo fcinfo, CallBody body);
extern Datum api_read(FunctionCallInfo fcinfo, CallBody body);

/* What a function of the application is just raising is not for api_call() to translate. */
extern void call_keep_error(void);

/* Build a Datum that survives the end of the call. */
extern Datum call_return_result(FunctionCallInfo fcinfo, const CallResult *result);
extern Datum call_return_jsonb(Jsonb *value);

/* Allocate in the memory context that outlives SPI. */
extern MemoryContext call_result_context(void);

/* The role that calls the API, also from within SECURITY DEFINER; for the logs. */
extern Oid	call_role(void);

#endif							/* ORDER_EXT_CALL_H */
