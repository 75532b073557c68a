/*
 * list_catalog.c
 *		list_products and list_coupons: pages of what there is to buy, and of a buyer's coupons.
 *
 * What decides about a row may be found by no index: a part of a name, or the time. So a page looks
 * at EXAMINED rows at most, in the order of its key, and says where to go on.
 */
#include "compat.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "utils/builtins.h"

#include "api/lines.h"
#include "core/args.h"
#include "core/call.h"
#include "core/jsonb_build.h"
#include "core/spi_util.h"
#include "machine/base/codes.h"

#define EXAMINED			10000
#define MAX_ROWS			1000
#define MAX_SEARCH_CHARS	1000

/*
 * Rows (object, key, number): the object of a row that fits; NULL for the last one that was looked
 * at, if it is the last that may be. Objects are built for rows that are returned, and for no
 * others. $2: how many.
 */
#define PAGE_OF(examined, key, fits, object) \
	"SELECT CASE WHEN e.fits THEN " object " END, e." key "::text, e.n::int" \
	" FROM (SELECT x.*, row_number() OVER () AS n, (" fits ") AS fits" \
	"  FROM (" examined " LIMIT " CODE(EXAMINED) ") AS x) AS e" \
	" WHERE e.fits OR e.n = " CODE(EXAMINED) " LIMIT $2"

/* $1: the last sku before; $3: a part of the sku or the name. */
static SavedPlan page_of_products = SAVED_PLAN(
	PAGE_OF("SELECT * FROM order_ext_internal.products WHERE sku > $1 ORDER BY sku",
	"sku",
	"x.retired_at IS NULL AND ($3 IS NULL OR strpos(lower(x.sku), lower($3)) > 0"
	" OR strpos(lower(x.name), lower($3)) > 0)",
	"jsonb_build_object('sku', e.sku, 'name', e.name,"
	" 'kind', CASE e.kind WHEN " CODE(KIND_VIRTUAL) " THEN 'virtual' ELSE 'normal' END,"
	" 'prices', (SELECT coalesce(jsonb_object_agg(v.currency, v.price), '{}')"
	"  FROM order_ext_internal.product_prices v WHERE v.product_id = e.product_id),"
	" 'available', (SELECT s.available FROM order_ext_internal.stock s"
	"  WHERE s.product_id = e.product_id))"),
	TEXTOID, INT8OID, TEXTOID);

/* $1: the user; $3: only ids below; $4: usable ones, or others. Rows, as in order_page.c. */
static SavedPlan page_of_coupons = SAVED_PLAN(
	PAGE_OF("SELECT c.*, c.status = " CODE(COUPON_UNUSED)
	"  AND clock_timestamp() >= c.valid_from AND clock_timestamp() < c.valid_until AS usable"
	" FROM order_ext_internal.coupons c"
	" WHERE (user_id, coupon_id) < ($1, $3) AND (user_id, coupon_id) > ($1, 0)"
	" ORDER BY user_id DESC, coupon_id DESC",
	"coupon_id",
	"$4 IS NULL OR x.usable = $4",
	"jsonb_build_object('coupon_id', e.coupon_id::text, 'user_id', e.user_id::text,"
	" 'status', order_ext_internal.status_name('coupon', e.status), 'usable', e.usable,"
	" 'amount', e.amount, 'threshold', e.threshold, 'currency', e.currency,"
	" 'valid_from', e.valid_from, 'valid_until', e.valid_until,"
	" 'order_id', e.order_id::text)"),
	INT8OID, INT8OID, INT8OID, BOOLOID);

/* Return a page, and where to go on if not all rows could be looked at. */
static void
put_page(FunctionCallInfo fcinfo, SavedPlan *plan, const Datum *values, const char *nulls,
		 int max_rows, const char *next_key)
{
	int			n = (int) plan_query_in_snapshot(plan, values, nulls, 0);
	int			i;

	for (i = 0; i < n; i++)
	{
		bool		fits = !row_is_null(i, 1);

		if (fits)
			call_put_jsonb(fcinfo, row_jsonb(i, 1));
		if (row_int32(i, 3) == EXAMINED && (!fits || n < max_rows))
		{
			JsonbBuilder *next = jsonb_object_begin();

			jsonb_add_text(next, next_key, row_text(i, 2));
			call_put_jsonb(fcinfo, jsonb_object_end(next));
		}
	}
}

static Datum
list_products_body(FunctionCallInfo fcinfo)
{
	char	   *after = arg_text_or_null(fcinfo, 0, "after", MAX_SKU_CHARS);
	int			max_products = arg_count(fcinfo, 1, "max_products", MAX_ROWS);
	char	   *search = arg_text_or_null(fcinfo, 2, "search", MAX_SEARCH_CHARS);
	Datum		values[3] = {0};
	char		nulls[3] = {' ', ' ', search != NULL ? ' ' : 'n'};

	values[0] = CStringGetTextDatum(after != NULL ? after : "");
	values[1] = Int64GetDatum(max_products);
	if (search != NULL)
		values[2] = CStringGetTextDatum(search);
	put_page(fcinfo, &page_of_products, values, nulls, max_products, "next_after");
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(order_ext_list_products);
Datum
order_ext_list_products(PG_FUNCTION_ARGS)
{
	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	return api_read(fcinfo, list_products_body);
}

static Datum
list_coupons_body(FunctionCallInfo fcinfo)
{
	int64		user_id = arg_id(fcinfo, 0, "user_id");
	int64		before = PG_ARGISNULL(2) ? PG_INT64_MAX : arg_id(fcinfo, 2, "before");
	int			max_coupons = arg_count(fcinfo, 3, "max_coupons", MAX_ROWS);
	Datum		values[4] = {0};
	char		nulls[4] = {' ', ' ', ' ', PG_ARGISNULL(1) ? 'n' : ' '};

	values[0] = Int64GetDatum(user_id);
	values[1] = Int64GetDatum(max_coupons);
	values[2] = Int64GetDatum(before);
	if (!PG_ARGISNULL(1))
		values[3] = BoolGetDatum(PG_GETARG_BOOL(1));
	put_page(fcinfo, &page_of_coupons, values, nulls, max_coupons, "next_before");
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(order_ext_list_coupons);
Datum
order_ext_list_coupons(PG_FUNCTION_ARGS)
{
	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	return api_read(fcinfo, list_coupons_body);
}
