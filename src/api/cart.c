/*
 * cart.c
 *		Reading and pricing of what a buyer wants; see cart.h.
 */
#include "compat.h"

#include "catalog/pg_type.h"
#include "common/int.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"

#include "api/cart.h"
#include "core/errors.h"
#include "core/money.h"
#include "core/settings.h"
#include "core/spi_util.h"
#include "machine/payment.h"

static SavedPlan read_products = SAVED_PLAN(
	"SELECT p.sku, p.product_id, p.price, p.kind FROM order_ext_internal.products p"
	" WHERE p.sku = ANY ($1)",
	TEXTARRAYOID);

static SavedPlan read_freight = SAVED_PLAN(
	"SELECT fee, free_from FROM order_ext_internal.freight_templates WHERE region = $1",
	TEXTOID);

/* ---- reading ---- */

static void
raise_malformed(const char *argument, const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("argument \"%s\" is malformed: %s", argument, what),
			 strcmp(argument, "items") == 0 ?
			 errhint("It is written [{\"sku\": \"A-1\", \"quantity\": 2}, ...].") : 0));
}

/* A string member of a jsonb object as C text; NULL where it is absent or null. */
static char *
member_text(JsonbContainer *object, const char *key, const char *argument, int max_chars)
{
	JsonbValue	buffer;
	JsonbValue *value = getKeyJsonValueFromContainer(object, key, strlen(key), &buffer);
	char	   *text;

	if (value == NULL || value->type == jbvNull)
		return NULL;
	if (value->type != jbvString)
		raise_malformed(argument, psprintf("\"%s\" is not a string", key));
	if (value->val.string.len == 0)
		raise_malformed(argument, psprintf("\"%s\" is empty", key));
	text = pnstrdup(value->val.string.val, value->val.string.len);
	if (pg_mbstrlen(text) > max_chars)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("argument \"%s\" has a \"%s\" that is too long", argument, key),
				 errdetail("At most %d characters are allowed.", max_chars)));
	return text;
}

static int32
member_quantity(JsonbContainer *object)
{
	JsonbValue	buffer;
	JsonbValue *value = getKeyJsonValueFromContainer(object, "quantity", strlen("quantity"), &buffer);
	Datum		number;
	Datum		whole;
	int64		quantity;

	if (value == NULL || value->type != jbvNumeric)
		raise_malformed("items", "\"quantity\" is not a number");
	number = NumericGetDatum(value->val.numeric);
	whole = DirectFunctionCall2(numeric_trunc, number, Int32GetDatum(0));
	if (!DatumGetBool(DirectFunctionCall2(numeric_eq, number, whole)))
		raise_malformed("items", "\"quantity\" is not a whole number");
	if (DatumGetBool(DirectFunctionCall2(numeric_gt, number,
										 NumericGetDatum(int64_to_numeric(PG_INT32_MAX)))))
		money_overflow("items");
	if (DatumGetBool(DirectFunctionCall2(numeric_lt, number, NumericGetDatum(int64_to_numeric(1)))))
		raise_malformed("items", "\"quantity\" is not positive");
	quantity = DatumGetInt64(DirectFunctionCall1(numeric_int8, number));
	return (int32) quantity;
}

static int
compare_lines_by_sku(const void *a, const void *b)
{
	return strcmp(((const OrderLine *) a)->sku, ((const OrderLine *) b)->sku);
}

/* Sort by sku and sum the lines of the same sku. */
static void
merge_lines(Cart *cart)
{
	int			kept = 0;
	int			i;

	qsort(cart->lines, cart->n, sizeof(OrderLine), compare_lines_by_sku);
	for (i = 1; i < cart->n; i++)
	{
		OrderLine  *line = &cart->lines[kept];

		if (strcmp(line->sku, cart->lines[i].sku) != 0)
			cart->lines[++kept] = cart->lines[i];
		else if (pg_add_s32_overflow(line->quantity, cart->lines[i].quantity, &line->quantity))
			money_overflow("items");
	}
	cart->n = kept + 1;
}

static void
parse_items(Cart *cart, Jsonb *items)
{
	int			i;

	if (!JB_ROOT_IS_ARRAY(items) || JB_ROOT_IS_SCALAR(items))
		raise_malformed("items", "it is not an array");
	cart->n = JB_ROOT_COUNT(items);
	if (cart->n == 0)
		raise_malformed("items", "it is empty");
	if (cart->n > MAX_CART_LINES)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("argument \"items\" has too many lines"),
				 errdetail("At most %d are allowed.", MAX_CART_LINES)));
	cart->lines = palloc0(sizeof(OrderLine) * cart->n);
	for (i = 0; i < cart->n; i++)
	{
		JsonbValue *item = getIthJsonbValueFromContainer(&items->root, i);

		if (item->type != jbvBinary || !JsonContainerIsObject(item->val.binary.data))
			raise_malformed("items", "a line is not an object");
		cart->lines[i].sku = member_text(item->val.binary.data, "sku", "items", MAX_SKU_CHARS);
		if (cart->lines[i].sku == NULL)
			raise_malformed("items", "a line has no \"sku\"");
		cart->lines[i].quantity = member_quantity(item->val.binary.data);
	}
	merge_lines(cart);
}

static void
parse_options(Cart *cart, Jsonb *options)
{
	JsonbContainer *root = &options->root;

	if (!JB_ROOT_IS_OBJECT(options))
		raise_malformed("options", "it is not an object");
	cart->options.region = member_text(root, "region", "options", MAX_WORD_CHARS);
	cart->options.currency = member_text(root, "currency", "options", MAX_CURRENCY_CHARS);
	if (cart->options.currency != NULL && !currency_is_valid(cart->options.currency))
		raise_malformed("options", "\"currency\" is no currency code");
	cart->options.external_id = member_text(root, "external_id", "options", MAX_WORD_CHARS);
	(void) member_text(root, "channel", "options", MAX_WORD_CHARS);
	if (cart->options.currency == NULL)
		cart->options.currency = pstrdup(setting_currency);
}

Cart *
cart_parse(Jsonb *items, Jsonb *options)
{
	Cart	   *cart = palloc0(sizeof(Cart));

	parse_items(cart, items);
	parse_options(cart, options);
	return cart;
}

/* ---- pricing ---- */

static void
raise_unknown_skus(const Cart *cart)
{
	StringInfoData list;
	int			i;

	initStringInfo(&list);
	for (i = 0; i < cart->n; i++)
	{
		if (cart->lines[i].product_id == 0)
			appendStringInfo(&list, "%s\"%s\"", list.len > 0 ? ", " : "", cart->lines[i].sku);
	}
	ereport(ERROR,
			(errcode(ERRCODE_OE_NOT_FOUND),
			 errmsg("a product does not exist"),
			 errdetail("Unknown sku: %s.", list.data),
			 errhint("Add it with put_product.")));
}

static int
compare_lines_by_product(const void *a, const void *b)
{
	const OrderLine *left = a;
	const OrderLine *right = b;

	return left->product_id < right->product_id ? -1 : left->product_id > right->product_id;
}

static void
load_products(Cart *cart)
{
	const char **skus = palloc(sizeof(char *) * cart->n);
	Datum		values[1];
	int			found;
	int			i;

	for (i = 0; i < cart->n; i++)
		skus[i] = cart->lines[i].sku;
	values[0] = text_array(skus, cart->n);
	found = (int) plan_query(&read_products, values, NULL, 0);
	for (i = 0; i < found; i++)
	{
		OrderLine	key = {.sku = row_text(i, 1)};
		OrderLine  *line = bsearch(&key, cart->lines, cart->n, sizeof(OrderLine),
								   compare_lines_by_sku);

		line->product_id = row_int64(i, 2);
		line->price = row_int64(i, 3);
		line->kind = row_int16(i, 4);
	}
	if (found < cart->n)
		raise_unknown_skus(cart);
	qsort(cart->lines, cart->n, sizeof(OrderLine), compare_lines_by_product);
}

static void
load_freight(Cart *cart)
{
	Datum		values[1];

	cart->freight = 0;
	if (cart->options.region == NULL)
		return;
	values[0] = CStringGetTextDatum(cart->options.region);
	if (plan_query(&read_freight, values, NULL, 1) == 0)
		return;
	if (row_is_null(0, 2) || cart->origin < row_int64(0, 2))
		cart->freight = row_int64(0, 1);
}

void
cart_price(Cart *cart)
{
	int			i;

	load_products(cart);
	cart->origin = 0;
	for (i = 0; i < cart->n; i++)
	{
		OrderLine  *line = &cart->lines[i];

		line->discount = 0;
		line->pay = money_multiply(line->price, line->quantity, "items");
		cart->origin = money_add(cart->origin, line->pay, "items");
	}
	load_freight(cart);
	cart->discount = 0;
	cart->pay_amount = money_add(cart->origin, cart->freight, "items");
}

/* ---- coupon ---- */

static void
raise_coupon_unusable(int64 coupon_id, const char *why)
{
	ereport(ERROR,
			(errcode(ERRCODE_OE_COUPON_UNUSABLE),
			 errmsg("coupon " INT64_FORMAT " cannot be used", coupon_id),
			 errdetail("%s", why),
			 errhint("Use another coupon or none.")));
}

void
cart_apply_coupon(Cart *cart, int64 coupon_id, int64 user_id, TimestampTz now, Coupon *coupon)
{
	int64	   *totals = palloc(sizeof(int64) * cart->n);
	int64	   *shares = palloc(sizeof(int64) * cart->n);
	int			i;

	if (!coupon_read(coupon_id, coupon))
		raise_coupon_unusable(coupon_id, "It does not exist.");
	if (coupon->user_id != user_id)
		raise_coupon_unusable(coupon_id, "It belongs to another user.");
	if (coupon->status == COUPON_EXPIRED || now >= coupon->valid_until)
		raise_coupon_unusable(coupon_id, "It has expired.");
	if (now < coupon->valid_from)
		raise_coupon_unusable(coupon_id, "It is not valid yet.");
	if (cart->origin < coupon->threshold)
		raise_coupon_unusable(coupon_id,
							  psprintf("It needs goods for " INT64_FORMAT ", these are " INT64_FORMAT ".",
									   coupon->threshold, cart->origin));

	cart->discount = Min(coupon->amount, cart->origin);
	cart->pay_amount -= cart->discount;
	for (i = 0; i < cart->n; i++)
		totals[i] = cart->lines[i].pay;
	money_apportion(cart->discount, totals, cart->n, cart->origin, shares);
	for (i = 0; i < cart->n; i++)
	{
		cart->lines[i].discount = shares[i];
		cart->lines[i].pay -= shares[i];
	}
}
