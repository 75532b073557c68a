/*
 * jsonb_build.c
 *		Jsonb objects built piece by piece; see jsonb_build.h.
 *
 * Ids become strings, since a 19-digit number loses digits in JavaScript.
 */
#include "compat.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"
#include "utils/numeric.h"

#include "core/jsonb_build.h"

struct JsonbBuilder
{
	JsonbParseState *state;
};

static void
push_key(JsonbBuilder *builder, const char *key)
{
	JsonbValue	value;

	value.type = jbvString;
	value.val.string.val = unconstify(char *, key);
	value.val.string.len = strlen(key);
	(void) pushJsonbValue(&builder->state, WJB_KEY, &value);
}

static void
push_string(JsonbBuilder *builder, const char *text)
{
	JsonbValue	value;

	value.type = jbvString;
	value.val.string.val = unconstify(char *, text);
	value.val.string.len = strlen(text);
	(void) pushJsonbValue(&builder->state, WJB_VALUE, &value);
}

JsonbBuilder *
jsonb_object_begin(void)
{
	JsonbBuilder *builder = palloc0(sizeof(JsonbBuilder));

	(void) pushJsonbValue(&builder->state, WJB_BEGIN_OBJECT, NULL);
	return builder;
}

void
jsonb_add_id(JsonbBuilder *builder, const char *key, int64 id)
{
	char	   *digits = palloc(MAXINT8LEN + 1);

	pg_lltoa(id, digits);
	push_key(builder, key);
	push_string(builder, digits);
}

void
jsonb_add_int(JsonbBuilder *builder, const char *key, int64 number)
{
	JsonbValue	value;

	push_key(builder, key);
	value.type = jbvNumeric;
	value.val.numeric = int64_to_numeric(number);
	(void) pushJsonbValue(&builder->state, WJB_VALUE, &value);
}

void
jsonb_add_text(JsonbBuilder *builder, const char *key, const char *text)
{
	JsonbValue	value;

	push_key(builder, key);
	if (text != NULL)
	{
		push_string(builder, text);
		return;
	}
	value.type = jbvNull;
	(void) pushJsonbValue(&builder->state, WJB_VALUE, &value);
}

void
jsonb_add_bool(JsonbBuilder *builder, const char *key, bool boolean)
{
	JsonbValue	value;

	push_key(builder, key);
	value.type = jbvBool;
	value.val.boolean = boolean;
	(void) pushJsonbValue(&builder->state, WJB_VALUE, &value);
}

void
jsonb_add_timestamptz(JsonbBuilder *builder, const char *key, TimestampTz at)
{
	char	   *text = palloc(MAXDATELEN + 1);

	JsonEncodeDateTime(text, TimestampTzGetDatum(at), TIMESTAMPTZOID, NULL);
	push_key(builder, key);
	push_string(builder, text);
}

void
jsonb_add_jsonb(JsonbBuilder *builder, const char *key, Jsonb *jsonb)
{
	JsonbIterator *it;
	JsonbValue	value;
	JsonbIteratorToken token;
	bool		scalar = JB_ROOT_IS_SCALAR(jsonb);

	push_key(builder, key);
	if (scalar)
	{
		if (!JsonbExtractScalar(&jsonb->root, &value))
			elog(ERROR, "could not read a scalar jsonb");
		(void) pushJsonbValue(&builder->state, WJB_VALUE, &value);
		return;
	}
	it = JsonbIteratorInit(&jsonb->root);
	while ((token = JsonbIteratorNext(&it, &value, false)) != WJB_DONE)
		(void) pushJsonbValue(&builder->state, token,
							  token < WJB_BEGIN_ARRAY ? &value : NULL);
}

Jsonb *
jsonb_object_end(JsonbBuilder *builder)
{
	return JsonbValueToJsonb(pushJsonbValue(&builder->state, WJB_END_OBJECT, NULL));
}

JsonbBuilder *
jsonb_array_begin(void)
{
	JsonbBuilder *array = palloc0(sizeof(JsonbBuilder));

	(void) pushJsonbValue(&array->state, WJB_BEGIN_ARRAY, NULL);
	return array;
}

void
jsonb_array_add(JsonbBuilder *array, JsonbBuilder *object)
{
	JsonbValue	value;

	JsonbToJsonbValue(jsonb_object_end(object), &value);
	(void) pushJsonbValue(&array->state, WJB_ELEM, &value);
}

Jsonb *
jsonb_array_end(JsonbBuilder *array)
{
	return JsonbValueToJsonb(pushJsonbValue(&array->state, WJB_END_ARRAY, NULL));
}

int64
jsonb_get_int(Jsonb *object, const char *key)
{
	JsonbValue	buffer;
	JsonbValue *value = getKeyJsonValueFromContainer(&object->root, key, strlen(key), &buffer);

	if (value == NULL || value->type != jbvNumeric)
		elog(ERROR, "jsonb has no number \"%s\"", key);
	return DatumGetInt64(DirectFunctionCall1(numeric_int8, NumericGetDatum(value->val.numeric)));
}

char *
jsonb_get_text(Jsonb *object, const char *key)
{
	JsonbValue	buffer;
	JsonbValue *value = getKeyJsonValueFromContainer(&object->root, key, strlen(key), &buffer);

	if (value == NULL || value->type != jbvString)
		return NULL;
	return pnstrdup(value->val.string.val, value->val.string.len);
}

int64
jsonb_get_id(Jsonb *object, const char *key)
{
	char	   *digits = jsonb_get_text(object, key);

	return digits == NULL ? 0 : strtoll(digits, NULL, 10);
}
