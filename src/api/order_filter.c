/*
 * order_filter.c
 *		Filters of orders as callers give them; see order_filter.h.
 */
#include "compat.h"

#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"

#include "api/lines.h"
#include "api/member.h"
#include "api/order_filter.h"
#include "core/error_facts.h"
#include "core/spelling.h"
#include "machine/base/codes.h"
#include "machine/base/machine.h"

#define FILTER "filter"

/* More than all statuses are not needed. */
#define MAX_STATUSES		100

#define MAX_NUMBER_CHARS	128
#define SHOWN_DIGITS		64
#define MAX_TIME_CHARS		128

static const char *const keys[] = {
	"status", "user_id", "external_id", "created_from", "created_to", "created_between", "sku",
	"out_trade_no", "gateway_refund_no", "id", "text", NULL
};

static JsonbValue *
member(JsonbContainer *object, const char *key, JsonbValue *buffer)
{
	JsonbValue *value = getKeyJsonValueFromContainer(object, key, strlen(key), buffer);

	return value == NULL || value->type == jbvNull ? NULL : value;
}

/* ---- statuses ---- */

void
order_filter_add_status(OrderFilter *filter, const char *name, const char *argument,
						const char *what)
{
	int16		status = machine_status_code(MACHINE_ORDER, name);

	if (status == STATUS_NONE)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid value for %s: \"%s\"", what, name),
				 error_facts("Orders have no such status.",
							 FACT_TEXT("argument", argument), FACT_TEXT("value", name),
							 FACT_TEXT("machine", "order")),
				 errhint("state_graph('order') shows the statuses.")));
	if (filter->n_statuses >= MAX_STATUSES)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("%s has too many statuses", what),
				 error_facts("At most {max} are allowed.",
							 FACT_TEXT("argument", argument), FACT_INT("max", MAX_STATUSES)),
				 errhint("Pass each status once.")));
	if (filter->statuses == NULL)
		filter->statuses = palloc(sizeof(int16) * MAX_STATUSES);
	filter->statuses[filter->n_statuses++] = status;
}

static void
add_status(OrderFilter *filter, const JsonbValue *value)
{
	if (value->type != jbvString)
		member_raise_malformed(FILTER, "\"status\" is neither a status nor an array of statuses");
	order_filter_add_status(filter, pnstrdup(value->val.string.val, value->val.string.len),
							FILTER, "\"status\" of argument \"" FILTER "\"");
}

static void
parse_status(JsonbContainer *object, OrderFilter *filter)
{
	JsonbValue	buffer;
	JsonbValue *value = member(object, "status", &buffer);
	JsonbContainer *list;
	uint32		i;

	if (value == NULL)
		return;
	if (value->type != jbvBinary || !JsonContainerIsArray(value->val.binary.data))
	{
		add_status(filter, value);
		return;
	}
	list = value->val.binary.data;
	if (JsonContainerSize(list) == 0)
		member_raise_malformed(FILTER, "\"status\" is an empty array");
	for (i = 0; i < JsonContainerSize(list); i++)
		add_status(filter, getIthJsonbValueFromContainer(list, i));
}

/* ---- ids ---- */

/* An id, as a string or as a number; 0 if there is none. */
static int64
member_id(JsonbContainer *object, const char *key)
{
	JsonbValue	buffer;
	JsonbValue *value = member(object, key, &buffer);
	char	   *text;
	int64		id;

	if (value == NULL)
		return 0;
	if (value->type == jbvString)
		text = spelling_trim(pnstrdup(value->val.string.val, value->val.string.len));
	else if (value->type == jbvNumeric)
		text = DatumGetCString(DirectFunctionCall1(numeric_out,
												   NumericGetDatum(value->val.numeric)));
	else
		text = pstrdup("");
	if (*text == '\0' || strspn(text, "0123456789") != strlen(text))
		member_raise_malformed(FILTER, psprintf("\"%s\" is not an ID", key));
	errno = 0;
	id = strtoll(text, NULL, 10);
	if (errno == ERANGE)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("\"%s\" of argument \"" FILTER "\" is out of range", key),
				 error_facts("The value is {value}.",
							 FACT_TEXT("argument", FILTER), FACT_TEXT("key", key),
							 FACT_TEXT("value", pnstrdup(text, Min(strlen(text), SHOWN_DIGITS)))),
				 errhint("IDs are below 2^63.")));
	if (id == 0)
		member_raise_malformed(FILTER, psprintf("\"%s\" is not an ID", key));
	return id;
}

/* A text without surrounding blanks; NULL if there is none. */
static char *
member_trimmed(JsonbContainer *object, const char *key)
{
	char	   *text = member_text(object, key, FILTER, MAX_NUMBER_CHARS);

	if (text == NULL)
		return NULL;
	text = spelling_trim(text);
	if (*text == '\0')
		member_raise_malformed(FILTER, psprintf("\"%s\" is blank", key));
	return text;
}

/* ---- times ---- */

/* False if the text is no timestamp. Its input function has no side effects. */
static bool
read_time(char *text, TimestampTz *time)
{
	MemoryContext context = CurrentMemoryContext;
	volatile bool is_time = true;

	PG_TRY();
	{
		*time = DatumGetTimestampTz(DirectFunctionCall3(timestamptz_in, CStringGetDatum(text),
														ObjectIdGetDatum(InvalidOid),
														Int32GetDatum(-1)));
	}
	PG_CATCH();
	{
		int			category = ERRCODE_TO_CATEGORY(geterrcode());

		if (category != ERRCODE_DATA_EXCEPTION)
			PG_RE_THROW();
		MemoryContextSwitchTo(context);
		FlushErrorState();
		is_time = false;
	}
	PG_END_TRY();
	return is_time;
}

/* A time; false if there is none. */
static bool
parse_time(const JsonbValue *value, const char *key, TimestampTz *time)
{
	if (value == NULL || value->type == jbvNull)
		return false;
	if (value->type != jbvString || value->val.string.len > MAX_TIME_CHARS ||
		!read_time(pnstrdup(value->val.string.val, value->val.string.len), time))
		member_raise_malformed(FILTER, psprintf("\"%s\" is not a timestamp", key));
	return true;
}

static void
parse_between(JsonbContainer *object, OrderFilter *filter)
{
	static const char *const key = "created_between";
	JsonbValue	buffer;
	JsonbValue *value = member(object, key, &buffer);
	JsonbContainer *pair;

	if (value == NULL)
		return;
	if (filter->has_from || filter->has_to)
		member_raise_malformed(FILTER, psprintf("\"%s\" is given together with \"%s\"", key,
												filter->has_from ? "created_from" :
												"created_to"));
	pair = value->type == jbvBinary ? value->val.binary.data : NULL;
	if (pair == NULL || !JsonContainerIsArray(pair) || JsonContainerSize(pair) != 2)
		member_raise_malformed(FILTER, psprintf("\"%s\" is not an array of two timestamps", key));
	filter->has_from = parse_time(getIthJsonbValueFromContainer(pair, 0), key, &filter->from);
	filter->has_to = parse_time(getIthJsonbValueFromContainer(pair, 1), key, &filter->to);
}

void
order_filter_parse(Jsonb *object, OrderFilter *filter)
{
	JsonbContainer *root = &object->root;
	JsonbValue	buffer;

	if (!JB_ROOT_IS_OBJECT(object))
		member_raise_malformed(FILTER, "it is not an object");
	member_check_keys(root, keys, FILTER);
	parse_status(root, filter);
	filter->user_id = member_id(root, "user_id");
	filter->id = member_id(root, "id");
	filter->has_from = parse_time(member(root, "created_from", &buffer), "created_from",
								  &filter->from);
	filter->has_to = parse_time(member(root, "created_to", &buffer), "created_to", &filter->to);
	parse_between(root, filter);
	filter->sku = member_text(root, "sku", FILTER, MAX_SKU_CHARS);
	filter->external_id = member_text(root, "external_id", FILTER, MAX_NUMBER_CHARS);
	filter->out_trade_no = member_trimmed(root, "out_trade_no");
	filter->gateway_refund_no = member_trimmed(root, "gateway_refund_no");
	filter->text = member_trimmed(root, "text");
}
