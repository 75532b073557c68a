/*
 * args.h
 *		Arguments of calls: each function raises 22004, 22023 or 54000, naming the argument.
 */
#ifndef ORDER_EXT_ARGS_H
#define ORDER_EXT_ARGS_H

#include "postgres.h"

#include "fmgr.h"
#include "utils/array.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"

/* Raise 55000 if argument n does not exist. */
extern void arg_exists(FunctionCallInfo fcinfo, int n, const char *name);

/* Raise 22004 if argument n is NULL, 55000 if it does not exist. */
extern void arg_not_null(FunctionCallInfo fcinfo, int n, const char *name);

/* Raise 22004 with this hint if an element of the array is NULL. */
extern void arg_no_null_elements(const ArrayType *array, const char *name, const char *hint);

/*
 * An integer that must not be null, and must be nonnegative (amounts) or positive (ids, counts).
 * A count greater than max is reduced to max.
 */
extern int64 arg_amount(FunctionCallInfo fcinfo, int n, const char *name);
extern int64 arg_id(FunctionCallInfo fcinfo, int n, const char *name);
extern int32 arg_count(FunctionCallInfo fcinfo, int n, const char *name, int32 max);

/* What a person says about a call. */
#define MAX_REASON_CHARS 1000

/* A text of 1 to max_chars characters (54000 above); arg_text_or_null: NULL if NULL. */
extern char *arg_text(FunctionCallInfo fcinfo, int n, const char *name, int max_chars);
extern char *arg_text_or_null(FunctionCallInfo fcinfo, int n, const char *name, int max_chars);

/* The same without its surrounding blanks, which do not count; empty if it has nothing else. */
extern char *arg_text_trimmed(FunctionCallInfo fcinfo, int n, const char *name, int max_chars);

/* A jsonb of at most max_bytes (54000 above) that is not NULL. */
extern Jsonb *arg_jsonb(FunctionCallInfo fcinfo, int n, const char *name, int max_bytes);

/*
 * A jsonb or NULL that is evidence of a fact: if it is larger than order_ext.max_payload, it is
 * truncated rather than rejected, and *cut is set.
 */
extern Jsonb *arg_evidence(FunctionCallInfo fcinfo, int n, const char *name, bool *cut);

/* A finite timestamp that must not be null (22023 for infinity). */
extern TimestampTz arg_timestamptz(FunctionCallInfo fcinfo, int n, const char *name);

/*
 * An interval that must not be null, in microseconds: at least min (22023) and at most 366 days
 * (22003), so that arithmetic on it is safe.
 */
extern int64 arg_duration(FunctionCallInfo fcinfo, int n, const char *name, int64 min);

/* One of the words of a NULL-terminated list; returns its index, raises 22023 otherwise. */
extern int	arg_word(FunctionCallInfo fcinfo, int n, const char *name, const char *const *words);

#endif							/* ORDER_EXT_ARGS_H */
