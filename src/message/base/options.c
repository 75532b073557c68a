/*
 * options.c
 *		Options given as a jsonb object; see options.h.
 */
#include "compat.h"

#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

#include "core/error_facts.h"
#include "core/interval.h"
#include "core/spelling.h"
#include "message/base/options.h"

/* At most this many bytes of a key or a value are shown. */
#define SHOWN_BYTES 64

static void
raise_unrecognized(const char *key, int len, const char *const *known)
{
	const char *shown = pnstrdup(key, pg_mbcliplen(key, len, SHOWN_BYTES));

	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unrecognized option \"%s\"", shown),
			 error_facts(NULL, FACT_TEXT("argument", "options"), FACT_TEXT("key", shown)),
			 errhint("Valid options are %s.", spelling_list(known))));
}

void
options_check_keys(Jsonb *options, const char *const *known)
{
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	value;
	int			depth = 0;

	if (!JB_ROOT_IS_OBJECT(options))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"options\" must be a JSON object"),
				 error_facts("It is an array or a single value.", FACT_TEXT("argument", "options")),
				 errhint("Use {} for no options.")));
	iterator = JsonbIteratorInit(&options->root);
	while ((token = JsonbIteratorNext(&iterator, &value, depth > 0)) != WJB_DONE)
	{
		int			i;

		depth = 1;
		if (token != WJB_KEY)
			continue;
		for (i = 0; known[i] != NULL; i++)
		{
			if ((int) strlen(known[i]) == value.val.string.len &&
				memcmp(known[i], value.val.string.val, value.val.string.len) == 0)
				break;
		}
		if (known[i] == NULL)
			raise_unrecognized(value.val.string.val, value.val.string.len, known);
	}
}

/* The value of the key; NULL if it is missing or null. */
static JsonbValue *
find_option(Jsonb *options, const char *key)
{
	JsonbValue *value = getKeyJsonValueFromContainer(&options->root, key, strlen(key), NULL);

	return value != NULL && value->type != jbvNull ? value : NULL;
}

/* A value for people: strings as they are. */
static char *
shown_value(JsonbValue *value)
{
	char	   *text;

	if (value->type == jbvString)
		text = pnstrdup(value->val.string.val, value->val.string.len);
	else
		text = JsonbToCString(NULL, &JsonbValueToJsonb(value)->root, 0);
	text[pg_mbcliplen(text, strlen(text), SHOWN_BYTES)] = '\0';
	return text;
}

static void
refuse_option(Jsonb *options, const char *key, const char *must_be)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("option \"%s\" must be %s", key, must_be),
			 error_facts("The value is {value}.",
						 FACT_TEXT("argument", "options"), FACT_TEXT("key", key),
						 FACT_TEXT("value", shown_value(find_option(options, key)))),
			 errhint("Omit the option to use its default.")));
}

bool
option_is_named(Jsonb *options, const char *key)
{
	return getKeyJsonValueFromContainer(&options->root, key, strlen(key), NULL) != NULL;
}

int32
option_int(Jsonb *options, const char *key, int32 if_missing, int32 min, int32 max)
{
	JsonbValue *value = find_option(options, key);
	Datum		number;
	Datum		truncated;

	if (value == NULL)
		return if_missing;
	if (value->type != jbvNumeric)
		refuse_option(options, key, "a number");
	number = NumericGetDatum(value->val.numeric);
	truncated = DirectFunctionCall2(numeric_trunc, number, Int32GetDatum(0));
	if (!DatumGetBool(DirectFunctionCall2(numeric_eq, number, truncated)) ||
		DatumGetBool(DirectFunctionCall2(numeric_lt, number,
										 NumericGetDatum(int64_to_numeric(min)))) ||
		DatumGetBool(DirectFunctionCall2(numeric_gt, number,
										 NumericGetDatum(int64_to_numeric(max)))))
		refuse_option(options, key, psprintf("a whole number from %d to %d", min, max));
	return DatumGetInt32(DirectFunctionCall1(numeric_int4, number));
}

bool
option_bool(Jsonb *options, const char *key, bool if_missing)
{
	JsonbValue *value = find_option(options, key);

	if (value == NULL)
		return if_missing;
	if (value->type != jbvBool)
		refuse_option(options, key, "true or false");
	return value->val.boolean;
}

char *
option_text(Jsonb *options, const char *key)
{
	JsonbValue *value = find_option(options, key);

	if (value == NULL)
		return NULL;
	if (value->type != jbvString)
		refuse_option(options, key, "a string");
	return pnstrdup(value->val.string.val, value->val.string.len);
}

int32
option_seconds(Jsonb *options, const char *key, int32 if_missing, int32 max)
{
	char	   *text = option_text(options, key);
	double		usecs;

	if (text == NULL)
		return if_missing;
	if (!interval_read(text, &usecs) ||
		usecs < USECS_PER_SEC || usecs >= (max + 1.0) * USECS_PER_SEC)
		refuse_option(options, key, psprintf("an interval from 1 second to %d seconds", max));
	return (int32) (usecs / USECS_PER_SEC);
}

int32
option_milliseconds(Jsonb *options, const char *key, int32 if_missing)
{
	char	   *text = option_text(options, key);
	double		usecs;

	if (text == NULL)
		return if_missing;
	if (!interval_read(text, &usecs) || usecs < 0 || usecs >= (PG_INT32_MAX + 1.0) * 1000 ||
		(usecs > 0 && usecs < 1000))
		refuse_option(options, key, "an interval from 1 millisecond to 24 days, or 0");
	return (int32) (usecs / 1000);
}

int
option_word(Jsonb *options, const char *key, int if_missing, const char *const *words)
{
	char	   *given = option_text(options, key);
	int			i;

	if (given == NULL)
		return if_missing;
	for (i = 0; words[i] != NULL; i++)
	{
		if (strcmp(given, words[i]) == 0)
			return i;
	}
	refuse_option(options, key, psprintf("\"%s\" or \"%s\"", words[0], words[1]));
	return 0;					/* keep the compiler quiet */
}
