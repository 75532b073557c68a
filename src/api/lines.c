/*
 * lines.c
 *		Lines as given by callers; see lines.h.
 */
#include "compat.h"

#include "common/int.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"

#include "api/lines.h"
#include "api/member.h"
#include "core/error_facts.h"
#include "core/errors.h"
#include "core/money.h"

/* A positive whole number. */
static int32
positive(const JsonbValue *value, const char *key, const char *argument)
{
	Datum		number;
	Datum		whole;

	if (value == NULL || value->type != jbvNumeric)
		member_raise_malformed(argument, psprintf("\"%s\" is not a number", key));
	number = NumericGetDatum(value->val.numeric);
	whole = DirectFunctionCall2(numeric_trunc, number, Int32GetDatum(0));
	if (!DatumGetBool(DirectFunctionCall2(numeric_eq, number, whole)))
		member_raise_malformed(argument, psprintf("\"%s\" is not a whole number", key));
	if (DatumGetBool(DirectFunctionCall2(numeric_gt, number,
										 NumericGetDatum(int64_to_numeric(PG_INT32_MAX)))))
		money_overflow(argument);
	if (DatumGetBool(DirectFunctionCall2(numeric_lt, number, NumericGetDatum(int64_to_numeric(1)))))
		member_raise_malformed(argument, psprintf("\"%s\" is not positive", key));
	return (int32) DatumGetInt64(DirectFunctionCall1(numeric_int8, number));
}

static int32
member_quantity(JsonbContainer *object, const char *argument)
{
	JsonbValue	buffer;

	return positive(getKeyJsonValueFromContainer(object, "quantity", strlen("quantity"), &buffer),
					"quantity", argument);
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

/* The number of a line of an order; 0 if there is none. */
static int32
member_line(JsonbContainer *object, const char *argument)
{
	JsonbValue	buffer;
	JsonbValue *value = getKeyJsonValueFromContainer(object, "line", strlen("line"), &buffer);

	return value != NULL && value->type != jbvNull ? positive(value, "line", argument) : 0;
}

/* An object; NULL if there is none, or if it is empty. */
static Jsonb *
member_attributes(JsonbContainer *object, const char *argument)
{
	JsonbValue	buffer;
	JsonbValue *value = getKeyJsonValueFromContainer(object, "attributes",
													 strlen("attributes"), &buffer);

	if (value == NULL || value->type == jbvNull)
		return NULL;
	if (value->type != jbvBinary || !JsonContainerIsObject(value->val.binary.data))
		member_raise_malformed(argument, "\"attributes\" is not an object");
	return JsonContainerSize(value->val.binary.data) > 0 ? JsonbValueToJsonb(value) : NULL;
}

/* ---- reading ---- */

static const char *const keys[][5] = {
	[LINES_ITEMS] = {"sku", "quantity", "attributes", NULL},
	[LINES_OF_ORDER] = {"sku", "line", "quantity", NULL},
	[LINES_RECEIVED] = {"sku", "line", "quantity", "condition", NULL}
};

static void
parse_line(JsonbValue *value, const char *argument, LinesKind kind, Line *line)
{
	JsonbContainer *object;

	if (value->type != jbvBinary || !JsonContainerIsObject(value->val.binary.data))
		member_raise_malformed(argument, "a line is not an object");
	object = value->val.binary.data;
	member_check_keys(object, keys[kind], argument);
	line->sku = member_text(object, "sku", argument, MAX_SKU_CHARS);
	if (kind == LINES_ITEMS)
		line->attributes = member_attributes(object, argument);
	else
		line->line = member_line(object, argument);
	if (line->sku == NULL && line->line == 0)
		member_raise_malformed(argument, kind == LINES_ITEMS ? "a line has no \"sku\"" :
							   "a line has neither \"sku\" nor \"line\"");
	if (line->sku != NULL && line->line != 0)
		member_raise_malformed(argument, "a line has both \"sku\" and \"line\"");
	line->quantity = member_quantity(object, argument);
	if (kind == LINES_RECEIVED && member_damaged(object, argument))
		line->damaged = line->quantity;
}

/* Which element an error is about. */
typedef struct Element
{
	const char *argument;
	int			number;			/* from 1 */
} Element;

static void
add_element(void *arg)
{
	const Element *element = arg;

	errcontext("element %d of argument \"%s\"", element->number, element->argument);
}

static void
parse_all(Jsonb *jsonb, const char *argument, LinesKind kind, Lines *lines)
{
	Element		element = {argument, 0};
	ErrorContextCallback callback = {error_context_stack, add_element, &element};
	int			i;

	error_context_stack = &callback;
	for (i = 0; i < lines->n; i++)
	{
		element.number = i + 1;
		parse_line(getIthJsonbValueFromContainer(&jsonb->root, i), argument, kind,
				   &lines->lines[i]);
	}
	error_context_stack = callback.previous;
}

/* By number, or by sku and attributes; those without come first. */
static int
compare_lines(const Line *left, const Line *right)
{
	int			order;

	if (left->line != right->line)
		return left->line < right->line ? -1 : 1;
	if (left->sku == NULL)
		return 0;
	order = strcmp(left->sku, right->sku);
	if (order != 0 || left->attributes == right->attributes)
		return order;
	if (left->attributes == NULL || right->attributes == NULL)
		return left->attributes == NULL ? -1 : 1;
	return compareJsonbContainers(&left->attributes->root, &right->attributes->root);
}

/* The same line is added up at its first place, which decides between equals. */
static int
compare_places(const void *a, const void *b)
{
	const Line *const *left = a;
	const Line *const *right = b;
	int			order = compare_lines(*left, *right);

	return order != 0 ? order : (*left > *right) - (*left < *right);
}

static void
add_quantity(int32 *sum, int32 quantity, const char *argument)
{
	if (pg_add_s32_overflow(*sum, quantity, sum))
		money_overflow(argument);
}

/* The pieces of a sku in all lines must be countable, too; the lines are sorted by sku. */
static void
check_sums(Line **sorted, int n, const char *argument)
{
	int32		sum = 0;
	int			i;

	for (i = 0; i < n; i++)
	{
		if (i == 0 || sorted[i]->sku == NULL || sorted[i - 1]->sku == NULL ||
			strcmp(sorted[i]->sku, sorted[i - 1]->sku) != 0)
			sum = 0;
		add_quantity(&sum, sorted[i]->quantity, argument);
	}
}

/* Add up the same lines where the first one stands. */
static void
merge_lines(Lines *lines, const char *argument)
{
	Line	  **sorted = palloc(sizeof(Line *) * lines->n);
	int			first = 0;
	int			kept = 0;
	int			i;

	for (i = 0; i < lines->n; i++)
		sorted[i] = &lines->lines[i];
	qsort(sorted, lines->n, sizeof(Line *), compare_places);
	check_sums(sorted, lines->n, argument);
	for (i = 1; i < lines->n; i++)
	{
		if (compare_lines(sorted[i], sorted[first]) != 0)
		{
			first = i;
			continue;
		}
		add_quantity(&sorted[first]->quantity, sorted[i]->quantity, argument);
		sorted[first]->damaged += sorted[i]->damaged;
		sorted[i]->quantity = 0;
	}
	for (i = 0; i < lines->n; i++)
	{
		if (lines->lines[i].quantity > 0)
			lines->lines[kept++] = lines->lines[i];
	}
	lines->n = kept;
}

Lines *
lines_parse(Jsonb *jsonb, const char *argument, LinesKind kind)
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
				 error_facts("At most {max} are allowed.",
							 FACT_TEXT("argument", argument), FACT_INT("max", MAX_LINES)),
				 errhint("Pass fewer lines.")));
	lines->lines = palloc0(sizeof(Line) * lines->n);
	parse_all(jsonb, argument, kind, lines);
	merge_lines(lines, argument);
	for (i = 0; kind == LINES_ITEMS && i < lines->n; i++)
		lines->lines[i].line = i + 1;
	return lines;
}

/* ---- lines of an order ---- */

/*
 * The line in the order; NULL if the order does not contain it. Sets *ambiguous if it is given by a
 * SKU that several lines have.
 */
static const EntitledLine *
find_line(const Entitlement *entitlement, const Line *line, bool *ambiguous)
{
	const EntitledLine *found;

	*ambiguous = false;
	if (line->sku == NULL)
		return entitlement_of(entitlement, line->line);
	found = entitlement_by_sku(entitlement, line->sku);
	*ambiguous = found != NULL && found->lines_of_sku > 1;
	return found;
}

static void
raise_not_in_order(const Line *line, int64 order_id)
{
	ereport(ERROR,
			(errcode(ERRCODE_OE_QUANTITY_EXCEEDS),
			 errmsg("request exceeds what is left of order " INT64_FORMAT, order_id),
			 line->sku != NULL
			 ? error_facts("The order contains no \"{sku}\".",
						   FACT_ID("order_id", order_id), FACT_TEXT("sku", line->sku),
						   FACT_INT("wanted", line->quantity), FACT_INT("left", 0))
			 : error_facts("The order has no line {line}.",
						   FACT_ID("order_id", order_id), FACT_INT("line", line->line),
						   FACT_INT("wanted", line->quantity), FACT_INT("left", 0)),
			 errhint("get_order shows its lines.")));
}

static void
raise_ambiguous(const Line *line, const Entitlement *entitlement)
{
	ErrorFactList numbers = {0};
	int			i;

	for (i = 0; i < entitlement->n; i++)
	{
		if (strcmp(entitlement->lines[i].sku, line->sku) == 0)
			error_facts_add(&numbers, ", ", "{}", FACT_INT("", entitlement->lines[i].line));
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("argument \"lines\" does not say which line of \"%s\" is meant", line->sku),
			 error_facts("It is on lines {lines} of order {order_id}.",
						 FACT_TEXT("argument", "lines"), FACT_TEXT("sku", line->sku),
						 FACT_LIST("lines", &numbers), FACT_ID("order_id", entitlement->order_id)),
			 errhint("Name the line by its number: {\"line\": ..., \"quantity\": %d}.",
					 line->quantity)));
}

GoodsBack *
lines_to_goods(const Lines *lines, const Entitlement *entitlement)
{
	GoodsBack  *goods = palloc0(sizeof(GoodsBack));
	int			i,
				j;

	goods->items = palloc0(sizeof(AfterSaleItem) * lines->n);
	for (i = 0; i < lines->n; i++)
	{
		bool		ambiguous;
		const EntitledLine *line = find_line(entitlement, &lines->lines[i], &ambiguous);

		if (line == NULL)
			raise_not_in_order(&lines->lines[i], entitlement->order_id);
		if (ambiguous)
			raise_ambiguous(&lines->lines[i], entitlement);
		/* it may have been named by sku and by number */
		for (j = 0; j < goods->n && goods->items[j].line != line->line; j++)
			 /* look further */ ;
		if (j == goods->n)
		{
			goods->items[j].product_id = line->product_id;
			goods->items[j].line = line->line;
			goods->n++;
		}
		add_quantity(&goods->items[j].quantity, lines->lines[i].quantity, "lines");
	}
	entitlement_sort(goods);
	return goods;
}
