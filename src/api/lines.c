/*
 * lines.c
 *		Lines as given by callers; see lines.h.
 */
#include "compat.h"

#include "common/int.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"

#include "api/lines.h"
#include "api/member.h"
#include "core/money.h"

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
		member_raise_malformed(argument, "\"quantity\" is not a number");
	number = NumericGetDatum(value->val.numeric);
	whole = DirectFunctionCall2(numeric_trunc, number, Int32GetDatum(0));
	if (!DatumGetBool(DirectFunctionCall2(numeric_eq, number, whole)))
		member_raise_malformed(argument, "\"quantity\" is not a whole number");
	if (DatumGetBool(DirectFunctionCall2(numeric_gt, number,
										 NumericGetDatum(int64_to_numeric(PG_INT32_MAX)))))
		money_overflow(argument);
	if (DatumGetBool(DirectFunctionCall2(numeric_lt, number, NumericGetDatum(int64_to_numeric(1)))))
		member_raise_malformed(argument, "\"quantity\" is not positive");
	quantity = DatumGetInt64(DirectFunctionCall1(numeric_int8, number));
	return (int32) quantity;
}

/* Whether the pieces of a line are damaged. */
static bool
member_damaged(JsonbContainer *object, const char *argument)
{
	char	   *condition = member_text(object, "condition", argument, 32);

	if (condition == NULL || strcmp(condition, "ok") == 0)
		return false;
	if (strcmp(condition, "damaged") != 0)
		member_raise_malformed(argument, "\"condition\" is neither \"ok\" nor \"damaged\"");
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

/* Keys of a line, and of one that may carry a condition. */
static const char *const line_keys[] = {"sku", "quantity", NULL};
static const char *const received_keys[] = {"sku", "quantity", "condition", NULL};

Lines *
lines_parse(Jsonb *jsonb, const char *argument, bool with_condition)
{
	Lines	   *lines = palloc0(sizeof(Lines));
	int			i;

	if (!JB_ROOT_IS_ARRAY(jsonb) || JB_ROOT_IS_SCALAR(jsonb))
		member_raise_malformed(argument, "it is not an array");
	lines->n = JB_ROOT_COUNT(jsonb);
	if (lines->n == 0)
		member_raise_malformed(argument, "it is empty");
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
		JsonbContainer *object;

		if (value->type != jbvBinary || !JsonContainerIsObject(value->val.binary.data))
			member_raise_malformed(argument, "a line is not an object");
		object = value->val.binary.data;
		member_check_keys(object, with_condition ? received_keys : line_keys, argument);
		line->sku = member_text(object, "sku", argument, MAX_SKU_CHARS);
		if (line->sku == NULL)
			member_raise_malformed(argument, "a line has no \"sku\"");
		line->quantity = member_quantity(object, argument);
		if (with_condition && member_damaged(object, argument))
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
