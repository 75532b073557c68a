/*
 * list_orders.c
 *		list_orders, search_orders and find_order: pages of orders, and an order by the
 *		application's own number.
 *
 * A page is a constant number of statements: which orders, what they allow, and what they are.
 * Neither addresses nor what a buyer wrote are in it, so that everybody who may see orders may see
 * it.
 */
#include "compat.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

#include "api/allowed_actions.h"
#include "api/cart.h"
#include "api/order_filter.h"
#include "api/order_page.h"
#include "core/args.h"
#include "core/call.h"
#include "core/error_facts.h"
#include "core/errors.h"
#include "core/jsonb_build.h"
#include "core/settings.h"
#include "core/spi_util.h"
#include "machine/base/codes.h"

/* Everything of an order that all who may see it may see; in the order of the ids. */
static SavedPlan read_orders = SAVED_PLAN(
	"SELECT q.shown FROM (SELECT k.n, jsonb_build_object('order_id', o.order_id::text,"
	"   'user_id', o.user_id::text,"
	"  'status', o.status, 'version', o.version, 'origin', o.origin_amount,"
	"  'discount', o.discount_amount, 'freight', o.freight_amount, 'pay_amount', o.pay_amount,"
	"  'currency', o.currency, 'coupon_id', o.coupon_id::text, 'external_id', o.external_id,"
	"  'created_at', o.created_at, 'expire_at', o.expire_at, 'paid_at', o.paid_at,"
	"  'canceled_at', o.canceled_at, 'cancel_type', o.cancel_type, 'removed_at', o.removed_at,"
	"  'items', (SELECT coalesce(jsonb_agg(jsonb_build_object('line', i.line, 'sku', i.sku,"
	"    'name', (SELECT p.name FROM order_ext_internal.products p WHERE p.sku = i.sku),"
	"    'quantity', i.quantity, 'price', i.price, 'discount', i.discount, 'pay', i.pay,"
	"    'reservation', i.reservation) ORDER BY i.line), '[]')"
	"   FROM order_ext.order_items_view i WHERE i.order_id = o.order_id),"
	"  'after_sales', (SELECT coalesce(jsonb_agg(jsonb_build_object("
	"    'after_sale_id', a.after_sale_id::text, 'type', a.type, 'status', a.status,"
	"    'amount', a.amount, 'return_status', a.return_status, 'applied_at', a.applied_at,"
	"    'return_by', a.return_by,"
	"    'items', (SELECT coalesce(jsonb_agg(jsonb_build_object('line', s.line, 'sku', s.sku,"
	"      'quantity', s.quantity) ORDER BY s.line), '[]')"
	"     FROM order_ext.after_sale_items_view s WHERE s.after_sale_id = a.after_sale_id))"
	"    ORDER BY a.applied_at, a.after_sale_id), '[]')"
	"   FROM order_ext.after_sales_view a WHERE a.order_id = o.order_id"
	"    AND a.status NOT IN ('rejected', 'refunded', 'closed', 'revoked'))) AS shown"
	" FROM unnest($1) WITH ORDINALITY AS k (order_id, n)"
	" CROSS JOIN LATERAL (SELECT * FROM order_ext.orders_view v"
	"  WHERE v.order_id = k.order_id OFFSET 0) AS o"
	" UNION ALL "
	"SELECT k.n, (a.shown - '{options,payments,refunds,coupon,shipment}'::text[])"
	"  || jsonb_build_object('after_sales', '[]'::jsonb, 'coupon_id', a.coupon_id::text, 'items',"
	"   (SELECT jsonb_agg((i.item - 'attributes') || jsonb_build_object('name',"
	"     (SELECT p.name FROM order_ext_internal.products p WHERE p.sku = i.item ->> 'sku'))"
	"    ORDER BY i.n) FROM jsonb_array_elements(a.shown -> 'items') WITH ORDINALITY i (item, n)))"
	" FROM unnest($1) WITH ORDINALITY AS k (order_id, n)"
	" CROSS JOIN LATERAL (SELECT r.coupon_id, r.document -> 'shown' AS shown"
	"  FROM order_ext_archive.orders r WHERE r.order_id = k.order_id OFFSET 0) AS a) q"
	" ORDER BY q.n",
	INT8ARRAYOID);

static SavedPlan find_external_id = SAVED_PLAN(
	"SELECT order_id FROM order_ext_internal.orders WHERE external_id = $1"
	" UNION ALL SELECT order_id FROM order_ext_archive.known WHERE external_id = $1",
	TEXTOID);

/* ---- pages ---- */

/* The order with what it allows. */
static Jsonb *
with_actions(Jsonb *order, Jsonb *actions)
{
	JsonbBuilder *allowed = jsonb_object_begin();

	jsonb_add_jsonb(allowed, "allowed_actions", actions);
	return DatumGetJsonbP(DirectFunctionCall2(jsonb_concat, JsonbPGetDatum(order),
											  JsonbPGetDatum(jsonb_object_end(allowed))));
}

/* The orders of a page, which all exist: they were found under the same snapshot. */
static void
put_orders(FunctionCallInfo fcinfo, const OrderPage *page)
{
	Jsonb	  **actions = allowed_actions_of(page->order_ids, page->n);
	Datum		values[1] = {int64_array(page->order_ids, page->n)};
	int			n = (int) plan_query_in_snapshot(&read_orders, values, NULL, 0);
	int			i;

	Assert(n == page->n);
	for (i = 0; i < n; i++)
		call_put_jsonb(fcinfo, with_actions(row_jsonb(i, 1), actions[i]));
}

static void
put_page(FunctionCallInfo fcinfo, const OrderFilter *filter, int max_orders)
{
	OrderPage	page;

	order_page_read(filter, max_orders, &page);
	if (page.n > 0)
		put_orders(fcinfo, &page);
	if (page.next_before != 0)
	{
		JsonbBuilder *next = jsonb_object_begin();

		jsonb_add_id(next, "next_before", page.next_before);
		call_put_jsonb(fcinfo, jsonb_object_end(next));
	}
}

/* ---- the calls ---- */

static void
read_statuses(FunctionCallInfo fcinfo, int n, OrderFilter *filter)
{
	ArrayType  *array;
	Datum	   *names;
	int			n_names;
	int			i;

	if (PG_ARGISNULL(n))
		return;
	array = PG_GETARG_ARRAYTYPE_P(n);
	arg_no_null_elements(array, "statuses", "Pass names of statuses.");
	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &names, NULL, &n_names);
	if (n_names == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"statuses\" must not be empty"),
				 error_facts(NULL, FACT_TEXT("argument", "statuses")),
				 errhint("Pass NULL for orders of every status.")));
	for (i = 0; i < n_names; i++)
		order_filter_add_status(filter, TextDatumGetCString(names[i]), "statuses",
								"argument \"statuses\"");
}

static Datum
list_orders_body(FunctionCallInfo fcinfo)
{
	OrderFilter filter = {.visible = true};
	int			max_orders = arg_count(fcinfo, 3, "max_orders", ORDER_PAGE_MAX);

	filter.user_id = arg_id(fcinfo, 0, "user_id");
	read_statuses(fcinfo, 1, &filter);
	filter.before = PG_ARGISNULL(2) ? 0 : arg_id(fcinfo, 2, "before");
	put_page(fcinfo, &filter, max_orders);
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(order_ext_list_orders);
Datum
order_ext_list_orders(PG_FUNCTION_ARGS)
{
	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	return api_read(fcinfo, list_orders_body);
}

static Datum
search_orders_body(FunctionCallInfo fcinfo)
{
	OrderFilter filter = {0};
	int			max_orders = arg_count(fcinfo, 2, "max_orders", ORDER_PAGE_MAX);

	order_filter_parse(arg_jsonb(fcinfo, 0, "filter", setting_max_payload), &filter);
	filter.before = PG_ARGISNULL(1) ? 0 : arg_id(fcinfo, 1, "before");
	put_page(fcinfo, &filter, max_orders);
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(order_ext_search_orders);
Datum
order_ext_search_orders(PG_FUNCTION_ARGS)
{
	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	return api_read(fcinfo, search_orders_body);
}

static Datum
find_order_body(FunctionCallInfo fcinfo)
{
	char	   *external_id = arg_text(fcinfo, 0, "external_id", MAX_WORD_CHARS);
	Datum		values[1] = {CStringGetTextDatum(external_id)};

	if (plan_query(&find_external_id, values, NULL, 1) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_OE_NOT_FOUND),
				 errmsg("order with external_id \"%s\" does not exist", external_id),
				 error_facts("No order in this database was created with it.",
							 FACT_TEXT("external_id", external_id)),
				 errhint("Use an external_id that was given to create_order, exactly as it was "
						 "written there.")));
	PG_RETURN_INT64(row_int64(0, 1));
}

PG_FUNCTION_INFO_V1(order_ext_find_order);
Datum
order_ext_find_order(PG_FUNCTION_ARGS)
{
	return api_read(fcinfo, find_order_body);
}
