/*
 * catalog.c
 *		Products and coupons: put_product, put_price, issue_coupon.
 */
#include "compat.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "utils/builtins.h"

#include "api/cart.h"
#include "api/product.h"
#include "core/arg_codes.h"
#include "core/args.h"
#include "core/call.h"
#include "core/error_facts.h"
#include "core/spi_util.h"
#include "machine/order/coupon.h"

static const char *const product_kinds[] = {"normal", "virtual", NULL};

static SavedPlan upsert_product = SAVED_PLAN(
	"INSERT INTO order_ext_internal.products AS p (sku, name, kind)"
	" VALUES ($1, $2, $3)"
	" ON CONFLICT (sku) DO UPDATE SET name = excluded.name, kind = excluded.kind,"
	"   updated_at = pg_catalog.clock_timestamp()"
	" RETURNING product_id",
	TEXTOID, TEXTOID, INT2OID);

static SavedPlan upsert_price = SAVED_PLAN(
	"INSERT INTO order_ext_internal.product_prices (product_id, currency, price)"
	" VALUES ($1, $2, $3)"
	" ON CONFLICT (product_id, currency) DO UPDATE SET price = excluded.price,"
	"   updated_at = pg_catalog.clock_timestamp()",
	INT8OID, TEXTOID, INT8OID);

/* ---- products ---- */

static void
put_price(int64 product_id, const char *currency, int64 price)
{
	Datum		values[3] = {Int64GetDatum(product_id), CStringGetTextDatum(currency),
	Int64GetDatum(price)};

	(void) plan_write(&upsert_price, values, NULL, 0);
}

static Datum
put_product_body(FunctionCallInfo fcinfo)
{
	int64		price = arg_amount(fcinfo, 2, "price");
	const char *currency = arg_codes_currency(fcinfo, 4, "currency");
	Datum		values[3];

	values[0] = CStringGetTextDatum(arg_text(fcinfo, 0, "sku", MAX_SKU_CHARS));
	values[1] = CStringGetTextDatum(arg_text(fcinfo, 1, "name", MAX_PRODUCT_NAME_CHARS));
	values[2] = Int16GetDatum(KIND_NORMAL + arg_word(fcinfo, 3, "kind", product_kinds));
	(void) plan_write(&upsert_product, values, NULL, 0);
	put_price(row_int64(0, 1), currency, price);
	PG_RETURN_VOID();
}

PG_FUNCTION_INFO_V1(order_ext_put_product);
Datum
order_ext_put_product(PG_FUNCTION_ARGS)
{
	return api_call(fcinfo, put_product_body);
}

static Datum
put_price_body(FunctionCallInfo fcinfo)
{
	char	   *sku = arg_text(fcinfo, 0, "sku", MAX_SKU_CHARS);
	const char *currency;
	int64		price = arg_amount(fcinfo, 2, "price");

	arg_not_null(fcinfo, 1, "currency");
	currency = arg_codes_currency(fcinfo, 1, "currency");
	put_price(product_id_of_sku(sku), currency, price);
	PG_RETURN_VOID();
}

PG_FUNCTION_INFO_V1(order_ext_put_price);
Datum
order_ext_put_price(PG_FUNCTION_ARGS)
{
	return api_call(fcinfo, put_price_body);
}

/* ---- coupons ---- */

static Datum
issue_coupon_body(FunctionCallInfo fcinfo)
{
	Coupon		coupon = {0};
	Journal    *journal;

	coupon.user_id = arg_id(fcinfo, 0, "user_id");
	coupon.amount = arg_id(fcinfo, 1, "amount");
	coupon.threshold = arg_amount(fcinfo, 2, "threshold");
	arg_not_null(fcinfo, 3, "valid_from");
	arg_not_null(fcinfo, 4, "valid_until");
	coupon.valid_from = PG_GETARG_TIMESTAMPTZ(3);
	coupon.valid_until = PG_GETARG_TIMESTAMPTZ(4);
	coupon.currency = arg_codes_currency(fcinfo, 5, "currency");
	if (coupon.valid_until <= coupon.valid_from)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"valid_until\" must be later than \"valid_from\""),
				 error_facts("That is {limit}.",
							 FACT_TEXT("argument", "valid_until"),
							 FACT_TIME("limit", coupon.valid_from)),
				 errhint("Pass a later time, or omit it: then the coupon is valid forever.")));
	journal = journal_begin(GetCurrentTimestamp());
	coupon_issue(journal, &coupon);
	journal_write(journal);
	PG_RETURN_INT64(coupon.coupon_id);
}

PG_FUNCTION_INFO_V1(order_ext_issue_coupon);
Datum
order_ext_issue_coupon(PG_FUNCTION_ARGS)
{
	return api_call(fcinfo, issue_coupon_body);
}
