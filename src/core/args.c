/*
 * args.c
 *		Validation of the arguments of API calls: each check has its own message, which names the
 *		argument; see args.h.
 */
#include "compat.h"

#include <limits.h>

#include "access/detoast.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"

#include "core/args.h"
#include "core/error_facts.h"
#include "core/interval.h"
#include "core/jsonb_build.h"
#include "core/settings.h"
#include "core/spelling.h"

#define MAX_DURATION_DAYS 366

/*
 * Whether argument n (from 0) is NULL, or does not exist: the SQL function is of an older version
 * than the library.
 */
static bool
arg_is_null(FunctionCallInfo fcinfo, int n)
{
	return n >= PG_NARGS() || PG_ARGISNULL(n);
}

void
arg_exists(FunctionCallInfo fcinfo, int n, const char *name)
{
	if (n >= PG_NARGS())
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the call has no argument \"%s\" yet", name),
				 error_facts("The SQL objects of order_ext are older than its library.",
							 FACT_TEXT("argument", name)),
				 errhint("Run ALTER EXTENSION order_ext UPDATE.")));
}

void
arg_not_null(FunctionCallInfo fcinfo, int n, const char *name)
{
	arg_exists(fcinfo, n, name);
	if (PG_ARGISNULL(n))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("argument \"%s\" must not be null", name),
				 error_facts("The value is null.", FACT_TEXT("argument", name)),
				 errhint("Pass a value, or omit the argument if it has a default.")));
}

void
arg_no_null_elements(const ArrayType *array, const char *name, const char *hint)
{
	const bits8 *bitmap = ARR_NULLBITMAP(array);
	int			count = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	int			i;

	for (i = 0; bitmap != NULL && i < count; i++)
	{
		if ((bitmap[i / BITS_PER_BYTE] & (1 << (i % BITS_PER_BYTE))) == 0)
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("argument \"%s\" must not contain null values", name),
					 error_facts("Element {element} of {count} is null.",
								 FACT_TEXT("argument", name), FACT_INT("element", i + 1),
								 FACT_INT("count", count)),
					 errhint("%s", hint)));
	}
}

int64
arg_amount(FunctionCallInfo fcinfo, int n, const char *name)
{
	int64		value;

	arg_not_null(fcinfo, n, name);
	value = PG_GETARG_INT64(n);
	if (value < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"%s\" must not be negative", name),
				 error_facts("The value is {value}.",
							 FACT_TEXT("argument", name), FACT_INT("value", value)),
				 errhint("Pass zero or more.")));
	return value;
}

static void
check_positive(int64 value, const char *name)
{
	if (value <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"%s\" must be positive", name),
				 error_facts("The value is {value}.",
							 FACT_TEXT("argument", name), FACT_INT("value", value)),
				 errhint("Pass more than zero.")));
}

int64
arg_id(FunctionCallInfo fcinfo, int n, const char *name)
{
	int64		value;

	arg_not_null(fcinfo, n, name);
	value = PG_GETARG_INT64(n);
	check_positive(value, name);
	return value;
}

int32
arg_count(FunctionCallInfo fcinfo, int n, const char *name, int32 max)
{
	int32		value;

	arg_not_null(fcinfo, n, name);
	value = PG_GETARG_INT32(n);
	check_positive(value, name);
	return Min(value, max);
}

/* A text; trimmed: without surrounding blanks, which may be all of it, and do not count. */
static char *
read_text(FunctionCallInfo fcinfo, int n, const char *name, int max_chars, bool trimmed)
{
	char	   *value;
	int			chars;

	if (arg_is_null(fcinfo, n))
		return NULL;
	/* check the size first, so that a huge value is not even detoasted */
	if (toast_raw_datum_size(PG_GETARG_DATUM(n)) - VARHDRSZ >
		(Size) max_chars * MAX_MULTIBYTE_CHAR_LEN)
		chars = max_chars + 1;
	else
	{
		value = TextDatumGetCString(PG_GETARG_DATUM(n));
		chars = pg_mbstrlen(value);
		if (chars > 0 && trimmed)
		{
			value = spelling_trim(value);
			chars = Max(pg_mbstrlen(value), 1);
		}
		if (chars > 0 && chars <= max_chars)
			return value;
	}
	if (chars == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"%s\" must not be empty", name),
				 error_facts("It must have between 1 and {max_chars} characters.",
							 FACT_TEXT("argument", name), FACT_INT("max_chars", max_chars)),
				 errhint("Pass a value, or omit the argument if it has a default.")));
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("argument \"%s\" is too long", name),
			 error_facts("At most {max_chars} characters are allowed.",
						 FACT_TEXT("argument", name), FACT_INT("max_chars", max_chars)),
			 errhint("Pass a shorter value.")));
	return NULL;				/* keep the compiler quiet */
}

char *
arg_text_or_null(FunctionCallInfo fcinfo, int n, const char *name, int max_chars)
{
	return read_text(fcinfo, n, name, max_chars, false);
}

char *
arg_text(FunctionCallInfo fcinfo, int n, const char *name, int max_chars)
{
	arg_not_null(fcinfo, n, name);
	return read_text(fcinfo, n, name, max_chars, false);
}

char *
arg_text_trimmed(FunctionCallInfo fcinfo, int n, const char *name, int max_chars)
{
	arg_not_null(fcinfo, n, name);
	return read_text(fcinfo, n, name, max_chars, true);
}

static Jsonb *
arg_jsonb_or_null(FunctionCallInfo fcinfo, int n, const char *name, int max_bytes)
{
	if (arg_is_null(fcinfo, n))
		return NULL;
	if (toast_raw_datum_size(PG_GETARG_DATUM(n)) > (Size) max_bytes)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("argument \"%s\" is too large", name),
				 error_facts("At most {max_bytes} bytes are allowed.",
							 FACT_TEXT("argument", name), FACT_INT("max_bytes", max_bytes)),
				 errhint("Store large data elsewhere and pass a reference to it.")));
	return PG_GETARG_JSONB_P(n);
}

Jsonb *
arg_jsonb(FunctionCallInfo fcinfo, int n, const char *name, int max_bytes)
{
	arg_not_null(fcinfo, n, name);
	return arg_jsonb_or_null(fcinfo, n, name, max_bytes);
}

Jsonb *
arg_evidence(FunctionCallInfo fcinfo, int n, const char *name, bool *cut)
{
	Jsonb	   *evidence = arg_jsonb_or_null(fcinfo, n, name, INT_MAX);
	char	   *text;
	JsonbBuilder *rest;

	*cut = evidence != NULL && VARSIZE(evidence) > (Size) setting_max_payload;
	if (!*cut)
		return evidence;
	text = JsonbToCString(NULL, &evidence->root, VARSIZE(evidence));
	text[pg_mbcliplen(text, strlen(text), setting_max_payload / 2)] = '\0';
	rest = jsonb_object_begin();
	jsonb_add_text(rest, "cut", text);
	return jsonb_object_end(rest);
}

TimestampTz
arg_timestamptz(FunctionCallInfo fcinfo, int n, const char *name)
{
	TimestampTz value;

	arg_not_null(fcinfo, n, name);
	value = PG_GETARG_TIMESTAMPTZ(n);
	if (TIMESTAMP_NOT_FINITE(value))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"%s\" must be finite", name),
				 error_facts("The value is {value}.",
							 FACT_TEXT("argument", name),
							 FACT_TEXT("value", TIMESTAMP_IS_NOBEGIN(value) ?
									   "-infinity" : "infinity")),
				 errhint("Pass a finite timestamp.")));
	return value;
}

int64
arg_duration(FunctionCallInfo fcinfo, int n, const char *name, int64 min)
{
	double		usecs;

	arg_not_null(fcinfo, n, name);
	usecs = interval_usecs(PG_GETARG_INTERVAL_P(n));
	if (usecs < min)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"%s\" must %s", name,
						min > 0 ? "be positive" : "not be negative"),
				 error_facts("The value is {value}.",
							 FACT_TEXT("argument", name),
							 FACT_TEXT("value", interval_shown(PG_GETARG_INTERVAL_P(n)))),
				 errhint("Pass a longer interval.")));
	if (usecs > (double) MAX_DURATION_DAYS * USECS_PER_DAY)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("argument \"%s\" is too long", name),
				 error_facts("At most {max_days} days are allowed.",
							 FACT_TEXT("argument", name),
							 FACT_INT("max_days", MAX_DURATION_DAYS)),
				 errhint("Pass a shorter interval.")));
	return (int64) usecs;
}

int
arg_word(FunctionCallInfo fcinfo, int n, const char *name, const char *const *words)
{
	char	   *value = arg_text(fcinfo, n, name, 64);
	StringInfoData list;
	int			i;

	for (i = 0; words[i] != NULL; i++)
	{
		if (strcmp(value, words[i]) == 0)
			return i;
	}
	initStringInfo(&list);
	for (i = 0; words[i] != NULL; i++)
		appendStringInfo(&list, "%s\"%s\"", i > 0 ? ", " : "", words[i]);
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid value for argument \"%s\": \"%s\"", name, value),
			 error_facts(NULL, FACT_TEXT("argument", name), FACT_TEXT("value", value)),
			 errhint("Valid values are %s.", list.data)));
	return -1;					/* keep the compiler quiet */
}
