/*
 * lines.c
 *		Lines as given by callers; see lines.h.
 */
#include "compat.h"

#include "common/int.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"

#include "api/lines.h"
#include "core/money.h"

void
lines_raise_malformed(const char *argument, const char *what)
{
	bool		lines = strcmp(argument, "items") == 0 || strcmp(argument, "lines") == 0;

	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("argument \"%s\" is malformed: %s", argument, what),
			 lines ? errhint("The format is [{\"sku\": \"A-1\", \"quantity\": 2}, ...].") : 0));
}

char *
lines_member_text(JsonbContainer *object, const char *key, const char *argument, int max_chars)
{
	JsonbValue	buffer;
	JsonbValue *value = getKeyJsonValueFromContainer(object, key, strlen(key), &buffer);
	char	   *text;

	if (value == NULL || value->type == jbvNull)
		return NULL;
	if (value->type != jbvString)
		lines_raise_malformed(argument, psprintf("\"%s\" is not a string", key));
	if (value->val.string.len == 0)
		lines_raise_malformed(argument, psprintf("\"%s\" is empty", key));
	text = pnstrdup(value->val.string.val, value->val.string.len);
	if (pg_mbstrlen(text) > max_chars)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("argument \"%s\" contains a \"%s\" that is too long", argument, key),
				 errdetail("At most %d characters are allowed.", max_chars)));
	return text;
}

static int32
member_quantity(JsonbContainer *object, const char *argument)
{
	JsonbValue	buffer;
	JsonbValue *value = getKeyJsonValueFromContainer(object, "quantity",
													 strlen("quantity"), &buffer);
	Datum		number;
	Datum		whole;
	int64		quantity;

	if (value == NULL || value->type != jbvNumeric)
		lines_raise_malformed(argument, "\"quantity\" is not a number");
	number = NumericGetDatum(value->val.numeric);
	whole = DirectFunctionCall2(numeric_trunc, number, Int32GetDatum(0));
	if (!DatumGetBool(DirectFunctionCall2(numeric_eq, number, whole)))
		lines_raise_malformed(argument, "\"quantity\" is not a whole number");
	if (DatumGetBool(DirectFunctionCall2(numeric_gt, number,
										 NumericGetDatum(int64_to_numeric(PG_INT32_MAX)))))
		money_overflow(argument);
	if (DatumGetBool(DirectFunctionCall2(numeric_lt, number, NumericGetDatum(int64_to_numeric(1)))))
		lines_raise_malformed(argument, "\"quantity\" is not positive");
	quantity = DatumGetInt64(DirectFunctionCall1(numeric_int8, number));
	return (int32) quantity;
}

/* Whether the pieces of a line are damaged. */
static bool
member_damaged(JsonbContainer *object, const char *argument)
{
	char	   *condition = lines_member_text(object, "condition", argument, 32);

	if (condition == NULL || strcmp(condition, "ok") == 0)
		return false;
	if (strcmp(condition, "damaged") != 0)
		lines_raise_malformed(argument, "\"condition\" is neither \"ok\" nor \"damaged\"");
	return true;
}

static int
compare_lines(const void *a, const void *b)
{
	return strcmp(((const Line *) a)->sku, ((const Line *) b)->sku);
}

/* Sort by SKU and add up lines with the same SKU. */
static void
merge_lines(Lines *lines, const char *argument)
{
	int			kept = 0;
	int			i;

	qsort(lines->lines, lines->n, sizeof(Line), compare_lines);
	for (i = 1; i < lines->n; i++)
	{
		Line	   *line = &lines->lines[kept];
		Line	   *next = &lines->lines[i];

		if (strcmp(line->sku, next->sku) != 0)
			lines->lines[++kept] = *next;
		else if (pg_add_s32_overflow(line->quantity, next->quantity, &line->quantity))
			money_overflow(argument);
		else
			line->damaged += next->damaged;
	}
	lines->n = kept + 1;
}

Lines *
lines_parse(Jsonb *jsonb, const char *argument, bool with_condition)
{
	Lines	   *lines = palloc0(sizeof(Lines));
	int			i;

	if (!JB_ROOT_IS_ARRAY(jsonb) || JB_ROOT_IS_SCALAR(jsonb))
		lines_raise_malformed(argument, "it is not an array");
	lines->n = JB_ROOT_COUNT(jsonb);
	if (lines->n == 0)
		lines_raise_malformed(argument, "it is empty");
	if (lines->n > MAX_LINES)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("argument \"%s\" contains too many lines", argument),
				 errdetail("At most %d are allowed.", MAX_LINES)));
	lines->lines = palloc0(sizeof(Line) * lines->n);
	for (i = 0; i < lines->n; i++)
	{
		JsonbValue *value = getIthJsonbValueFromContainer(&jsonb->root, i);
		Line	   *line = &lines->lines[i];

		if (value->type != jbvBinary || !JsonContainerIsObject(value->val.binary.data))
			lines_raise_malformed(argument, "a line is not an object");
		line->sku = lines_member_text(value->val.binary.data, "sku", argument, MAX_SKU_CHARS);
		if (line->sku == NULL)
			lines_raise_malformed(argument, "a line has no \"sku\"");
		line->quantity = member_quantity(value->val.binary.data, argument);
		if (with_condition && member_damaged(value->val.binary.data, argument))
			line->damaged = line->quantity;
	}
	merge_lines(lines, argument);
	return lines;
}

Line *
lines_find(const Lines *lines, const char *sku)
{
	Line		key = {.sku = unconstify(char *, sku)};

	return bsearch(&key, lines->lines, lines->n, sizeof(Line), compare_lines);
}
