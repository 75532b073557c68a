/*
 * cart.c
 *		Parsing and pricing a cart; see cart.h.
 */
#include "compat.h"

#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"

#include "api/cart.h"
#include "api/member.h"
#include "core/currency.h"
#include "core/errors.h"
#include "core/money.h"
#include "core/settings.h"
#include "core/spi_util.h"

static SavedPlan read_products = SAVED_PLAN(
	"SELECT p.sku, p.product_id, p.price, p.kind FROM order_ext_internal.products p"
	" WHERE p.sku = ANY ($1)",
	TEXTARRAYOID);

static SavedPlan read_freight = SAVED_PLAN(
	"SELECT fee, free_from FROM order_ext_internal.freight_templates WHERE region = $1",
	TEXTOID);

/* ---- reading ---- */

static int
compare_lines_by_sku(const void *a, const void *b)
{
	return strcmp(((const OrderLine *) a)->sku, ((const OrderLine *) b)->sku);
}

static void
parse_items(Cart *cart, Jsonb *items)
{
	Lines	   *lines = lines_parse(items, "items", false);
	int			i;

	cart->n = lines->n;
	cart->lines = palloc0(sizeof(OrderLine) * cart->n);
	for (i = 0; i < cart->n; i++)
	{
		cart->lines[i].sku = lines->lines[i].sku;
		cart->lines[i].quantity = lines->lines[i].quantity;
	}
}

/* The options that the engine reads; others are kept as they are. */
static const char *const option_keys[] = {
	"region", "currency", "channel", "external_id", "address", "remark", NULL
};

/* A currency; the setting's if none is given. */
static const char *
currency_option(JsonbContainer *options)
{
	char	   *given = member_text(options, "currency", "options", MAX_CURRENCY_CHARS);
	const char *code;

	if (given == NULL)
		return pstrdup(setting_currency);
	code = currency_code(given);
	if (code == NULL)
		member_raise_malformed("options",
							   psprintf("\"currency\" is not a currency: \"%s\"", given));
	return code;
}

static void
parse_options(Cart *cart, Jsonb *options)
{
	JsonbContainer *root = &options->root;

	if (!JB_ROOT_IS_OBJECT(options))
		member_raise_malformed("options", "it is not an object");
	member_refuse_lookalikes(root, option_keys, "options");
	cart->options.region = member_text(root, "region", "options", MAX_WORD_CHARS);
	cart->options.currency = currency_option(root);
	cart->options.external_id = member_text(root, "external_id", "options", MAX_WORD_CHARS);
	(void) member_text(root, "channel", "options", MAX_WORD_CHARS);
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
			 errmsg("one or more products do not exist"),
			 errdetail("Unknown SKU: %s.", list.data),
			 errhint("Add products with put_product.")));
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
							  psprintf("It requires goods worth at least " INT64_FORMAT
									   "; these are worth " INT64_FORMAT ".",
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
