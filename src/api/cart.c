/*
 * cart.c
 *		Parsing and pricing a cart; see cart.h.
 */
#include "compat.h"

#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

#include "api/cart.h"
#include "api/freight.h"
#include "api/member.h"
#include "core/currency.h"
#include "core/error_facts.h"
#include "core/errors.h"
#include "core/jsonb_build.h"
#include "core/money.h"
#include "core/row.h"
#include "core/settings.h"
#include "core/spelling.h"

/* Columns of products. */
enum
{
	PRODUCTS_ID,
	PRODUCTS_KIND,
	PRODUCTS_RETIRED_AT
};

static RowTable products = ROW_TABLE(
	"products", "products_sku_key",
	"product_id", "kind", "retired_at");

/* Columns of product_prices. */
enum
{
	PRICES_PRICE
};

static RowTable product_prices = ROW_TABLE(
	"product_prices", "product_prices_pkey",
	"price");

/* ---- reading ---- */

static void
parse_items(Cart *cart, Jsonb *items)
{
	Lines	   *lines = lines_parse(items, "items", LINES_ITEMS);
	int			i;

	cart->n = lines->n;
	cart->lines = palloc0(sizeof(OrderLine) * cart->n);
	for (i = 0; i < cart->n; i++)
	{
		cart->lines[i].line = lines->lines[i].line;
		cart->lines[i].sku = lines->lines[i].sku;
		cart->lines[i].quantity = lines->lines[i].quantity;
		cart->lines[i].attributes = lines->lines[i].attributes;
	}
}

/* The options that the engine reads; others are kept as they are. */
static const char *const option_keys[] = {
	"region", "currency", "channel", "external_id", "address", "remark", NULL
};

/* A currency; the setting's if none is given. */
static const char *
currency_option(const char *given)
{
	const char *code = given != NULL ? currency_code(given) : pstrdup(setting_currency);

	if (code == NULL)
		member_raise_malformed("options",
							   psprintf("\"currency\" is not a currency: \"%s\"", given));
	return code;
}

/* A code of the options is stored as such, however it was written; it may be NULL. */
static void
store_code(CartOptions *options, const char *key, const char *given, const char *code)
{
	JsonbBuilder *replaced;

	if (given == NULL || strcmp(given, code) == 0)
		return;
	if (*code == '\0')
		member_raise_malformed("options", psprintf("\"%s\" is blank", key));
	replaced = jsonb_object_begin();
	jsonb_add_text(replaced, key, code);
	options->all = DatumGetJsonbP(DirectFunctionCall2(jsonb_concat, JsonbPGetDatum(options->all),
													  JsonbPGetDatum(jsonb_object_end(replaced))));
}

static void
parse_options(CartOptions *parsed, Jsonb *options)
{
	JsonbContainer *root = &options->root;
	char	   *currency;
	char	   *channel;

	if (!JB_ROOT_IS_OBJECT(options))
		member_raise_malformed("options", "it is not an object");
	member_refuse_lookalikes(root, option_keys, "options");
	parsed->region = member_text(root, "region", "options", MAX_REGION_CHARS);
	currency = member_text(root, "currency", "options", MAX_CURRENCY_CHARS);
	parsed->currency = currency_option(currency);
	parsed->external_id = member_text(root, "external_id", "options", MAX_WORD_CHARS);
	channel = member_text(root, "channel", "options", MAX_WORD_CHARS);

	parsed->all = options;
	store_code(parsed, "currency", currency, parsed->currency);
	if (parsed->region != NULL)
		store_code(parsed, "region", parsed->region, spelling_code(parsed->region));
	if (channel != NULL)
		store_code(parsed, "channel", channel, spelling_code(channel));
}

Cart *
cart_parse(Jsonb *items, Jsonb *options)
{
	Cart	   *cart = palloc0(sizeof(Cart));

	parse_items(cart, items);
	parse_options(&cart->options, options);
	return cart;
}

/* ---- pricing ---- */

/* Whether an earlier line has the same sku. */
static bool
stands_before(const Cart *cart, int n)
{
	int			i;

	for (i = 0; i < n; i++)
	{
		if (strcmp(cart->lines[i].sku, cart->lines[n].sku) == 0)
			return true;
	}
	return false;
}

/* What a line may lack. */
typedef enum Lack
{
	LACKS_NOTHING,
	LACKS_PRODUCT,
	LACKS_SALE,					/* it is retired */
	LACKS_PRICE
} Lack;

/* The skus of the lines that lack it. */
static ErrorFactList *
skus_lacking(const Cart *cart, const Lack *lacks, Lack what)
{
	ErrorFactList *list = palloc0(sizeof(ErrorFactList));
	int			i;

	for (i = 0; i < cart->n; i++)
	{
		const OrderLine *line = &cart->lines[i];

		if (lacks[i] == what && !stands_before(cart, i))
			error_facts_add(list, ", ", "\"{}\"", FACT_TEXT("", line->sku));
	}
	return list;
}

static void
raise_unknown_skus(const Cart *cart, const Lack *lacks)
{
	ereport(ERROR,
			(errcode(ERRCODE_OE_NOT_FOUND),
			 errmsg("one or more products do not exist"),
			 error_facts("Unknown SKU: {skus}.",
						 FACT_LIST("skus", skus_lacking(cart, lacks, LACKS_PRODUCT))),
			 errhint("Add products with put_product.")));
}

static void
raise_retired(const Cart *cart, const Lack *lacks)
{
	ereport(ERROR,
			(errcode(ERRCODE_OE_NOT_FOUND),
			 errmsg("one or more products are no longer for sale"),
			 error_facts("Retired: {skus}.",
						 FACT_TEXT("reason", "retired"),
						 FACT_LIST("skus", skus_lacking(cart, lacks, LACKS_SALE))),
			 errhint("Leave them out, or put them on sale again with "
					 "retire_product(sku, false).")));
}

static void
raise_no_prices(const Cart *cart, const Lack *lacks)
{
	ereport(ERROR,
			(errcode(ERRCODE_OE_NO_PRICE),
			 errmsg("one or more products have no price in %s", cart->options.currency),
			 error_facts("No price: {skus}.",
						 FACT_TEXT("currency", cart->options.currency),
						 FACT_LIST("skus", skus_lacking(cart, lacks, LACKS_PRICE))),
			 errhint("Add prices with put_price, or order in another currency "
					 "(options.currency).")));
}

/* Fill in what the line is about. */
static Lack
load_product(OrderLine *line, Rows *rows, Rows *prices, Datum *price_key)
{
	Datum		key = CStringGetTextDatum(line->sku);
	Row			row;

	if (!rows_find(rows, &key, 1, &row))
		return LACKS_PRODUCT;
	line->product_id = row_get_int64(&row, PRODUCTS_ID);
	line->kind = row_get_int16(&row, PRODUCTS_KIND);
	if (!row.nulls[PRODUCTS_RETIRED_AT])
		return LACKS_SALE;
	price_key[0] = Int64GetDatum(line->product_id);
	if (!rows_find(prices, price_key, 2, &row))
		return LACKS_PRICE;
	line->price = row_get_int64(&row, PRICES_PRICE);
	return LACKS_NOTHING;
}

static void
load_products(Cart *cart)
{
	Rows	   *rows = rows_open(&products, ROWS_READ);
	Rows	   *prices = rows_open(&product_prices, ROWS_READ);
	Lack	   *lacks = palloc(sizeof(Lack) * cart->n);
	int			count[LACKS_PRICE + 1] = {0};
	Datum		price_key[2];
	int			i;

	price_key[1] = CStringGetTextDatum(cart->options.currency);
	for (i = 0; i < cart->n; i++)
	{
		lacks[i] = load_product(&cart->lines[i], rows, prices, price_key);
		count[lacks[i]]++;
	}
	rows_close(prices);
	rows_close(rows);
	if (count[LACKS_PRODUCT] > 0)
		raise_unknown_skus(cart, lacks);
	if (count[LACKS_SALE] > 0)
		raise_retired(cart, lacks);
	if (count[LACKS_PRICE] > 0)
		raise_no_prices(cart, lacks);
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
	cart->discount = 0;
}

/* ---- coupon ---- */

/* reason is for programs. */
static void
raise_coupon_unusable(int64 coupon_id, const char *reason, const char *sentence)
{
	ereport(ERROR,
			(errcode(ERRCODE_OE_COUPON_UNUSABLE),
			 errmsg("coupon " INT64_FORMAT " cannot be used", coupon_id),
			 error_facts(sentence, FACT_TEXT("reason", reason), FACT_ID("coupon_id", coupon_id)),
			 errhint("Use another coupon or none.")));
}

static void
check_coupon_fits(const Cart *cart, const Coupon *coupon)
{
	int64		goods = cart->origin - cart->discount;

	if (coupon->currency != NULL && strcmp(coupon->currency, cart->options.currency) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_OE_COUPON_UNUSABLE),
				 errmsg("coupon " INT64_FORMAT " cannot be used", coupon->coupon_id),
				 error_facts("It is in {coupon_currency}; the order is in {currency}.",
							 FACT_TEXT("reason", "currency"),
							 FACT_ID("coupon_id", coupon->coupon_id),
							 FACT_TEXT("coupon_currency", coupon->currency),
							 FACT_TEXT("currency", cart->options.currency)),
				 errhint("Use another coupon or none.")));
	if (goods < coupon->threshold)
		ereport(ERROR,
				(errcode(ERRCODE_OE_COUPON_UNUSABLE),
				 errmsg("coupon " INT64_FORMAT " cannot be used", coupon->coupon_id),
				 error_facts("It requires goods worth at least {threshold}; these are worth "
							 "{origin}.",
							 FACT_TEXT("reason", "threshold"),
							 FACT_ID("coupon_id", coupon->coupon_id),
							 FACT_INT("threshold", coupon->threshold),
							 FACT_INT("origin", goods),
							 FACT_TEXT("currency", cart->options.currency)),
				 errhint("Use another coupon or none.")));
}

void
cart_apply_coupon(Cart *cart, int64 coupon_id, int64 user_id, TimestampTz now, Coupon *coupon)
{
	int64	   *totals = palloc(sizeof(int64) * cart->n);
	int64	   *shares = palloc(sizeof(int64) * cart->n);
	int64		goods = cart->origin - cart->discount;
	int64		discount;
	int			i;

	if (!coupon_read(coupon_id, coupon))
		raise_coupon_unusable(coupon_id, "not_found", "It does not exist.");
	if (coupon->user_id != user_id)
		raise_coupon_unusable(coupon_id, "owner", "It belongs to another user.");
	if (coupon->status == COUPON_EXPIRED || now >= coupon->valid_until)
		raise_coupon_unusable(coupon_id, "expired", "It has expired.");
	if (now < coupon->valid_from)
		raise_coupon_unusable(coupon_id, "not_yet_valid", "It is not valid yet.");
	check_coupon_fits(cart, coupon);

	discount = Min(coupon->amount, goods);
	for (i = 0; i < cart->n; i++)
		totals[i] = cart->lines[i].pay;
	money_apportion(discount, totals, cart->n, goods, shares);
	for (i = 0; i < cart->n; i++)
	{
		cart->lines[i].discount += shares[i];
		cart->lines[i].pay -= shares[i];
	}
	cart->discount += discount;
}

void
cart_add_freight(Cart *cart)
{
	cart->freight = freight_of(cart->options.region, cart->options.currency, cart->origin);
	cart->pay_amount = money_add(cart->origin - cart->discount, cart->freight, "items");
}
