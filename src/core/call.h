/*
 * call.h
 *		The frame in which every writing API call runs, and its result.
 *
 * Prefixes: api_, call_
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
 * Run body with SPI connected and every lock wait bounded by order_ext.lock_timeout, which is
 * reported as OE110. The body returns its Datum through call_return_* so that it outlives SPI. On
 * a standby, a call that may write raises 25006 even if it would write nothing; api_read() is for
 * calls that never write.
 */
extern Datum api_call(FunctionCallInfo fcinfo, CallBody body);
extern Datum api_read(FunctionCallInfo fcinfo, CallBody body);

/* The error that a function of the application is raising must not be translated by api_call(). */
extern void call_keep_error(void);

/* Build a Datum that survives the end of the call. */
extern Datum call_return_result(FunctionCallInfo fcinfo, const CallResult *result);
extern Datum call_return_jsonb(Jsonb *value);
extern Datum call_return_row(FunctionCallInfo fcinfo, Datum *values, bool *nulls);

/* Add a row to a result that is a set of jsonb (InitMaterializedSRF). */
extern void call_put_jsonb(FunctionCallInfo fcinfo, Jsonb *value);

/* The role that calls the API, even within SECURITY DEFINER; for the logs. */
extern Oid	call_role(void);

/*
 * Who makes the calls of this session, as the application states with order_ext.operator: a name
 * for the records, no right. NULL if nothing is stated.
 */
extern const char *call_operator(void);

/* The same, but the name of the role if nothing is stated. */
extern const char *call_operator_or_role(void);

#endif							/* ORDER_EXT_CALL_H */
