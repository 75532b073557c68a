/*
 * put_products.c
 *		put_products and retire_product: many products at once, and products that are no longer
 *		for sale.
 *
 * create_order reads a product once, and does not lock it. So a product that is retired meanwhile
 * is still ordered by calls that have read it before that was committed, and by none that begin
 * later.
 */
#include "compat.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"

#include "api/lines.h"
#include "api/member.h"
#include "api/product.h"
#include "core/args.h"
#include "core/call.h"
#include "core/currency.h"
#include "core/error_facts.h"
#include "core/money.h"
#include "core/settings.h"
#include "core/spi_util.h"
#include "machine/base/codes.h"

#define MAX_PRODUCTS		10000
#define MAX_PRODUCTS_BYTES	(64 * 1024 * 1024)
#define MAX_KIND_CHARS		32

static SavedPlan upsert_products = SAVED_PLAN(
	"INSERT INTO order_ext_internal.products AS p (sku, name, kind)"
	" SELECT * FROM unnest($1, $2, $3)"
	" ON CONFLICT (sku) DO UPDATE SET name = excluded.name, kind = excluded.kind,"
	"   updated_at = pg_catalog.clock_timestamp()",
	TEXTARRAYOID, TEXTARRAYOID, INT4ARRAYOID);

static SavedPlan upsert_prices = SAVED_PLAN(
	"INSERT INTO order_ext_internal.product_prices (product_id, currency, price)"
	" SELECT p.product_id, u.currency, u.price"
	" FROM unnest($1, $2, $3) AS u (sku, currency, price)"
	" CROSS JOIN LATERAL (SELECT product_id FROM order_ext_internal.products o"
	"  WHERE o.sku = u.sku OFFSET 0) AS p"
	" ON CONFLICT (product_id, currency) DO UPDATE SET price = excluded.price,"
	"   updated_at = pg_catalog.clock_timestamp()",
	TEXTARRAYOID, TEXTARRAYOID, INT8ARRAYOID);

static SavedPlan retire = SAVED_PLAN(
	"UPDATE order_ext_internal.products"
	" SET retired_at = CASE WHEN $2 THEN pg_catalog.clock_timestamp() END"
	" WHERE sku = $1 AND (retired_at IS NULL) = $2",
	TEXTOID, BOOLOID);

/* A product as it was given. */
typedef struct GivenProduct
{
	int			place;			/* in the array, from 0 */
	char	   *sku;
	char	   *name;
	const char *currency;
	int64		price;
	int32		kind;
} GivenProduct;

/* ---- reading ---- */

static const char *const keys[] = {"sku", "name", "price", "kind", "currency", NULL};

/* How errors name an element. */
static char *
place_name(int place)
{
	return psprintf("products[%d]", place);
}

static char *
required_text(JsonbContainer *object, const char *key, const char *argument, int max_chars)
{
	char	   *text = member_text(object, key, argument, max_chars);

	if (text == NULL)
		member_raise_malformed(argument, psprintf("it has no \"%s\"", key));
	return text;
}

static int64
required_amount(JsonbContainer *object, const char *key, const char *argument)
{
	JsonbValue	buffer;
	JsonbValue *value = getKeyJsonValueFromContainer(object, key, strlen(key), &buffer);
	Datum		number;
	Datum		whole;

	if (value == NULL || value->type == jbvNull)
		member_raise_malformed(argument, psprintf("it has no \"%s\"", key));
	if (value->type != jbvNumeric)
		member_raise_malformed(argument, psprintf("\"%s\" is not a number", key));
	number = NumericGetDatum(value->val.numeric);
	whole = DirectFunctionCall2(numeric_trunc, number, Int32GetDatum(0));
	if (!DatumGetBool(DirectFunctionCall2(numeric_eq, number, whole)))
		member_raise_malformed(argument, psprintf("\"%s\" is not a whole number", key));
	if (DatumGetBool(DirectFunctionCall2(numeric_lt, number,
										 NumericGetDatum(int64_to_numeric(0)))))
		member_raise_malformed(argument, psprintf("\"%s\" is negative", key));
	if (DatumGetBool(DirectFunctionCall2(numeric_gt, number,
										 NumericGetDatum(int64_to_numeric(PG_INT64_MAX)))))
		money_overflow(argument);
	return DatumGetInt64(DirectFunctionCall1(numeric_int8, number));
}

static int32
member_kind(JsonbContainer *object, const char *argument)
{
	char	   *kind = member_text(object, "kind", argument, MAX_KIND_CHARS);

	if (kind == NULL || strcmp(kind, "normal") == 0)
		return KIND_NORMAL;
	if (strcmp(kind, "virtual") != 0)
		member_raise_malformed(argument, "\"kind\" is neither \"normal\" nor \"virtual\"");
	return KIND_VIRTUAL;
}

static const char *
member_currency(JsonbContainer *object, const char *argument)
{
	char	   *given = member_text(object, "currency", argument, MAX_CURRENCY_CHARS);
	const char *code = given != NULL ? currency_code(given) : pstrdup(setting_currency);

	if (code == NULL)
		member_raise_malformed(argument, psprintf("\"currency\" is not a currency: \"%s\"",
												  given));
	return code;
}

static void
parse_product(const JsonbValue *value, int place, GivenProduct *product)
{
	char	   *argument = place_name(place);
	JsonbContainer *object;

	if (value->type != jbvBinary || !JsonContainerIsObject(value->val.binary.data))
		member_raise_malformed(argument, "it is not an object");
	object = value->val.binary.data;
	member_check_keys(object, keys, argument);
	product->place = place;
	product->sku = required_text(object, "sku", argument, MAX_SKU_CHARS);
	product->name = required_text(object, "name", argument, MAX_PRODUCT_NAME_CHARS);
	product->price = required_amount(object, "price", argument);
	product->kind = member_kind(object, argument);
	product->currency = member_currency(object, argument);
}

/* By sku and place. */
static int
compare_products(const void *a, const void *b)
{
	const GivenProduct *left = a;
	const GivenProduct *right = b;
	int			order = strcmp(left->sku, right->sku);

	return order != 0 ? order : (left->place > right->place) - (left->place < right->place);
}

/*
 * Products that stand next to each other with the same sku are prices of one product: it must be
 * the same one, and each currency must be given once.
 */
static void
check_repetition(const GivenProduct *first, const GivenProduct *product)
{
	const GivenProduct *other;

	if (strcmp(first->name, product->name) != 0 || first->kind != product->kind)
		member_raise_malformed(place_name(product->place),
							   psprintf("its name or kind differs from that of %s, which has the "
										"same \"sku\"", place_name(first->place)));
	for (other = first; other < product; other++)
	{
		if (strcmp(other->currency, product->currency) == 0)
			member_raise_malformed(place_name(product->place),
								   psprintf("it repeats %s", place_name(other->place)));
	}
}

static GivenProduct *
parse_products(Jsonb *array, int *n)
{
	GivenProduct *products;
	const GivenProduct *first;
	int			i;

	if (!JB_ROOT_IS_ARRAY(array) || JB_ROOT_IS_SCALAR(array))
		member_raise_malformed("products", "it is not an array");
	if (JB_ROOT_COUNT(array) > MAX_PRODUCTS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("argument \"products\" has too many elements"),
				 error_facts("At most {max} products can be put at once.",
							 FACT_TEXT("argument", "products"), FACT_INT("max", MAX_PRODUCTS)),
				 errhint("Split them over several calls.")));
	*n = JB_ROOT_COUNT(array);
	products = palloc0(sizeof(GivenProduct) * Max(*n, 1));
	for (i = 0; i < *n; i++)
		parse_product(getIthJsonbValueFromContainer(&array->root, i), i, &products[i]);

	/* in the order of skus, so that two calls do not wait for each other */
	qsort(products, *n, sizeof(GivenProduct), compare_products);
	for (first = products, i = 1; i < *n; i++)
	{
		if (strcmp(first->sku, products[i].sku) != 0)
			first = &products[i];
		else
			check_repetition(first, &products[i]);
	}
	return products;
}

/* ---- writing ---- */

static Datum
texts(const GivenProduct *products, Size offset, int n)
{
	const char **values = palloc(sizeof(char *) * n);
	int			i;

	for (i = 0; i < n; i++)
		values[i] = *(char *const *) ((const char *) &products[i] + offset);
	return text_array(values, n);
}

/* Each sku once; its first element has what is the same in all. */
static int
distinct(const GivenProduct *products, int n, GivenProduct *each)
{
	int			n_each = 0;
	int			i;

	for (i = 0; i < n; i++)
	{
		if (n_each == 0 || strcmp(each[n_each - 1].sku, products[i].sku) != 0)
			each[n_each++] = products[i];
	}
	return n_each;
}

static void
store(const GivenProduct *products, int n)
{
	GivenProduct *each = palloc(sizeof(GivenProduct) * n);
	int			n_each = distinct(products, n, each);
	Datum		values[3];

	values[0] = texts(each, offsetof(GivenProduct, sku), n_each);
	values[1] = texts(each, offsetof(GivenProduct, name), n_each);
	values[2] = int32_array(INT32_FIELDS(each, kind, n_each), n_each);
	(void) plan_write(&upsert_products, values, NULL, 0);
	values[0] = texts(products, offsetof(GivenProduct, sku), n);
	values[1] = texts(products, offsetof(GivenProduct, currency), n);
	values[2] = int64_array(INT64_FIELDS(products, price, n), n);
	(void) plan_write(&upsert_prices, values, NULL, 0);
}

static Datum
put_products_body(FunctionCallInfo fcinfo)
{
	int			n;
	GivenProduct *products = parse_products(arg_jsonb(fcinfo, 0, "products", MAX_PRODUCTS_BYTES),
											&n);

	if (n > 0)
		store(products, n);
	PG_RETURN_INT32(n);
}

PG_FUNCTION_INFO_V1(order_ext_put_products);
Datum
order_ext_put_products(PG_FUNCTION_ARGS)
{
	return api_call(fcinfo, put_products_body);
}

static Datum
retire_product_body(FunctionCallInfo fcinfo)
{
	char	   *sku = arg_text(fcinfo, 0, "sku", MAX_SKU_CHARS);
	Datum		values[2] = {CStringGetTextDatum(sku)};

	arg_not_null(fcinfo, 1, "retired");
	values[1] = BoolGetDatum(PG_GETARG_BOOL(1));
	if (plan_write(&retire, values, NULL, 0) == 0)
		(void) product_id_of_sku(sku);
	PG_RETURN_VOID();
}

PG_FUNCTION_INFO_V1(order_ext_retire_product);
Datum
order_ext_retire_product(PG_FUNCTION_ARGS)
{
	return api_call(fcinfo, retire_product_body);
}
