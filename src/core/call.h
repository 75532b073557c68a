/*
 * call.h
 *		The frame that every writing API call runs in, its arguments and its result.
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
 * it outlives SPI.
 */
extern Datum api_call(FunctionCallInfo fcinfo, CallBody body);

/* Build a Datum that survives the end of the call. */
extern Datum call_return_result(FunctionCallInfo fcinfo, const CallResult *result);
extern Datum call_return_copy(Datum value, bool typbyval, int typlen);
extern Datum call_return_jsonb(Jsonb *value);

/* Allocate in the memory context that outlives SPI. */
extern MemoryContext call_result_context(void);

/* ---- arguments: each raises 22004 / 22023 / 54000 naming the argument ---- */

/* Raise 22004 if argument n (from 0) is NULL. */
extern void arg_not_null(FunctionCallInfo fcinfo, int n, const char *name);

/* A bigint that must be there and not negative (amounts) or positive (ids, counts). */
extern int64 arg_amount(FunctionCallInfo fcinfo, int n, const char *name);
extern int64 arg_id(FunctionCallInfo fcinfo, int n, const char *name);
extern int32 arg_count(FunctionCallInfo fcinfo, int n, const char *name, int32 max);

/* A text of 1 to max_chars characters (54000 above); arg_text_or_null: NULL if NULL. */
extern char *arg_text(FunctionCallInfo fcinfo, int n, const char *name, int max_chars);
extern char *arg_text_or_null(FunctionCallInfo fcinfo, int n, const char *name, int max_chars);

/* A jsonb of at most max_bytes (54000 above) that is not NULL; or NULL if NULL. */
extern Jsonb *arg_jsonb(FunctionCallInfo fcinfo, int n, const char *name, int max_bytes);
extern Jsonb *arg_jsonb_or_null(FunctionCallInfo fcinfo, int n, const char *name, int max_bytes);

/*
 * A jsonb or NULL that is evidence of a fact: what is larger than order_ext.max_payload is
 * cut rather than refused, and *cut says so.
 */
extern Jsonb *arg_evidence(FunctionCallInfo fcinfo, int n, const char *name, bool *cut);

/* A finite timestamp that must be there (22023 for infinity). */
extern TimestampTz arg_timestamptz(FunctionCallInfo fcinfo, int n, const char *name);

/*
 * An interval that must be there, in microseconds: at least so many (22023), at most 366
 * days (22003), so that arithmetic on it is safe.
 */
extern int64 arg_duration(FunctionCallInfo fcinfo, int n, const char *name, int64 min);

/* One of the words (a NULL-terminated list): its index; 22023 otherwise. */
extern int	arg_word(FunctionCallInfo fcinfo, int n, const char *name, const char *const *words);

/* ---- jsonb built piece by piece: ids as strings, numbers as numbers ---- */
typedef struct JsonbBuilder JsonbBuilder;

extern JsonbBuilder *jsonb_object_begin(void);
extern void jsonb_add_id(JsonbBuilder *builder, const char *key, int64 id);
extern void jsonb_add_int(JsonbBuilder *builder, const char *key, int64 value);
extern void jsonb_add_text(JsonbBuilder *builder, const char *key, const char *value);	/* NULL -> null */
extern void jsonb_add_bool(JsonbBuilder *builder, const char *key, bool value);
extern void jsonb_add_timestamptz(JsonbBuilder *builder, const char *key, TimestampTz value);
extern void jsonb_add_jsonb(JsonbBuilder *builder, const char *key, Jsonb *value);
extern Jsonb *jsonb_object_end(JsonbBuilder *builder);

/* A number of an object that we wrote ourselves; raises if it is not there. */
extern int64 jsonb_get_int(Jsonb *object, const char *key);

/* An id (a string of digits) or a text of an object; 0 or NULL if it is not there. */
extern int64 jsonb_get_id(Jsonb *object, const char *key);
extern char *jsonb_get_text(Jsonb *object, const char *key);

/* The role that calls the API, also from within SECURITY DEFINER; for the logs. */
extern Oid	caller_role(void);

#endif							/* ORDER_EXT_CALL_H */
