/*
 * order_page.c
 *		A page of orders, newest first; see order_page.h.
 *
 * Statuses change, so no index has them: orders are read by an index of something that does not
 * change, and their statuses are looked at, of at most ORDER_PAGE_EXAMINED. Each index has the
 * order id as its last column, and is read from there downwards. Comparing rows instead of
 * columns leaves the planner no other index to take, whatever it believes of the tables.
 */
#include "compat.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "api/order_page.h"
#include "core/ids.h"
#include "core/spi_util.h"

/* Parameters of the statements below. */
enum
{
	LOW,						/* $1: ids from */
	HIGH,						/* $2: to */
	MAX_ORDERS,					/* $3 */
	STATUSES,					/* $4: NULL: any; so are the following */
	USER_ID,					/* $5 */
	CREATED_FROM,				/* $6 */
	CREATED_TO,					/* $7 */
	PRODUCT_ID,					/* $8 */
	REFUND_NO,					/* $9 */
	VISIBLE,					/* $10: not those removed */
	ORDER_IDS,					/* $11 */
	N_PARAMETERS
};

#define PARAMETERS \
	INT8OID, INT8OID, INT8OID, INT2ARRAYOID, INT8OID, TIMESTAMPTZOID, TIMESTAMPTZOID, INT8OID, \
	TEXTOID, BOOLOID, INT8ARRAYOID

/* Subqueries that cannot become joins: each order that is looked at costs two lookups at most. */
#define FITS \
	"(($4 IS NULL OR o.status = ANY ($4)) AND ($5 IS NULL OR o.user_id = $5)" \
	" AND ($6 IS NULL OR o.created_at >= $6) AND ($7 IS NULL OR o.created_at <= $7)" \
	" AND NOT ($10 AND o.removed_at IS NOT NULL)" \
	" AND ($8 IS NULL OR (SELECT true FROM order_ext_internal.order_items i" \
	"  WHERE i.order_id = o.order_id AND i.product_id = $8 LIMIT 1) IS NOT NULL)" \
	" AND ($9 IS NULL OR (SELECT true FROM order_ext_internal.refunds r" \
	"  WHERE r.order_id = o.order_id AND r.gateway_refund_no = $9 LIMIT 1) IS NOT NULL))"

/* Live and archived ones; of both, pages are read in the order of an index. */
#define COLUMNS "order_id, user_id, status, created_at, removed_at"
#define ALL_ORDERS \
	"(SELECT " COLUMNS " FROM order_ext_internal.orders" \
	" UNION ALL SELECT " COLUMNS " FROM order_ext_archive.orders) AS b"

#define LIMIT_EXAMINED " LIMIT " CODE(ORDER_PAGE_EXAMINED)

/*
 * Of what is looked at, newest first: those that fit, and the last one, if it is the last that may
 * be looked at. Nothing is read beyond the last row that is returned.
 */
#define PAGE_OF(examined) \
	"SELECT e.order_id, e.n::int, e.fits FROM (" \
	" SELECT o.order_id, row_number() OVER () AS n, " FITS " AS fits" \
	" FROM (" examined LIMIT_EXAMINED ") AS o) AS e" \
	" WHERE e.fits OR e.n = " CODE(ORDER_PAGE_EXAMINED) " LIMIT $3"

/*
 * The orders whose ids are in the column order_id of the given rows, in their order, which the
 * planner knows: they are not sorted, but read one by one.
 */
#define ORDERS_OF(ids, group) \
	"SELECT r.* FROM (" ids " ORDER BY " group "order_id DESC" LIMIT_EXAMINED ") AS k" \
	" CROSS JOIN LATERAL (SELECT * FROM " ALL_ORDERS \
	"  WHERE b.order_id = k.order_id OFFSET 0) AS r ORDER BY " group "k.order_id DESC"

static SavedPlan page_of_all = SAVED_PLAN(
	PAGE_OF("SELECT * FROM " ALL_ORDERS
	" WHERE order_id >= $1 AND order_id <= $2 ORDER BY order_id DESC"),
	PARAMETERS);

static SavedPlan page_of_user = SAVED_PLAN(
	PAGE_OF("SELECT * FROM " ALL_ORDERS
	" WHERE (user_id, order_id) >= ($5, $1) AND (user_id, order_id) <= ($5, $2)"
	" ORDER BY user_id DESC, order_id DESC"),
	PARAMETERS);

static SavedPlan page_of_product = SAVED_PLAN(
	PAGE_OF(ORDERS_OF("SELECT DISTINCT product_id, order_id FROM order_ext_internal.order_items"
	" WHERE (product_id, order_id) >= ($8, $1)"
	"  AND (product_id, order_id) <= ($8, $2)",
	"product_id DESC, ")),
	PARAMETERS);

static SavedPlan page_of_refund_no = SAVED_PLAN(
	PAGE_OF(ORDERS_OF("SELECT DISTINCT gateway_refund_no, order_id"
	" FROM order_ext_internal.refunds"
	" WHERE (gateway_refund_no, order_id) >= ($9, $1)"
	"  AND (gateway_refund_no, order_id) <= ($9, $2)"
	"  AND gateway_refund_no IS NOT NULL",
	"gateway_refund_no DESC, ")),
	PARAMETERS);

static SavedPlan page_of_ids = SAVED_PLAN(
	PAGE_OF(ORDERS_OF("SELECT DISTINCT u.order_id FROM unnest($11) AS u (order_id)"
	" WHERE u.order_id >= $1 AND u.order_id <= $2",
	"")),
	PARAMETERS);

/* ---- ids and numbers that few orders have ---- */

static SavedPlan find_product = SAVED_PLAN(
	"SELECT product_id FROM order_ext_internal.products WHERE sku = $1",
	TEXTOID);

static SavedPlan by_external_id = SAVED_PLAN(
	"SELECT order_id FROM order_ext_internal.orders WHERE external_id = $1"
	" UNION ALL SELECT order_id FROM order_ext_archive.orders WHERE external_id = $1",
	TEXTOID);

/* Of archived orders: numbers of refunds and disputes. */
static SavedPlan by_archived_number = SAVED_PLAN(
	"SELECT order_id FROM order_ext_archive.keys"
	" WHERE key = order_ext_internal.archive_key('number', $1)" LIMIT_EXAMINED,
	TEXTOID);

static SavedPlan by_out_trade_no = SAVED_PLAN(
	"SELECT order_id FROM order_ext_internal.payments WHERE out_trade_no = $1"
	" UNION ALL SELECT order_id FROM order_ext_archive.keys"
	" WHERE key = order_ext_internal.archive_key('trade', $1)" LIMIT_EXAMINED,
	TEXTOID);

static SavedPlan by_refund_no = SAVED_PLAN(
	"SELECT order_id FROM order_ext_internal.refunds"
	" WHERE (gateway_refund_no, order_id) >= ($1, 0)"
	"  AND (gateway_refund_no, order_id) <= ($1, 9223372036854775807)"
	"  AND gateway_refund_no IS NOT NULL"
	" ORDER BY gateway_refund_no DESC, order_id DESC" LIMIT_EXAMINED,
	TEXTOID);

static SavedPlan by_id = SAVED_PLAN(
	"SELECT $1 UNION ALL"
	" SELECT order_id FROM order_ext_internal.payments WHERE payment_id = $1 UNION ALL"
	" SELECT order_id FROM order_ext_internal.refunds WHERE refund_id = $1 UNION ALL"
	" SELECT order_id FROM order_ext_internal.after_sales WHERE after_sale_id = $1 UNION ALL"
	" SELECT order_id FROM order_ext_internal.fulfilment_documents WHERE document_id = $1 UNION ALL"
	" SELECT k.order_id FROM unnest('{payment,refund,after_sale}'::text[]) AS kind"
	" CROSS JOIN LATERAL (SELECT * FROM order_ext_archive.keys"
	"  WHERE key = order_ext_internal.archive_key(kind, $1::text) OFFSET 0) k",
	INT8OID);

/* Order ids; n = -1: all orders. */
typedef struct OrderIds
{
	int64	   *ids;
	int			n;
} OrderIds;

static void
add_found(OrderIds *found, SavedPlan *plan, Datum what)
{
	int			n = (int) plan_query_in_snapshot(plan, &what, NULL, 0);
	int			i;

	found->ids = found->ids == NULL ? palloc(sizeof(int64) * Max(n, 1)) :
		repalloc(found->ids, sizeof(int64) * (found->n + n + 1));
	for (i = 0; i < n; i++)
		found->ids[found->n++] = row_int64(i, 1);
}

/* The number that a text of digits is; 0 if it is none. */
static int64
number_of(const char *text)
{
	return strlen(text) <= 19 && strspn(text, "0123456789") == strlen(text) ?
		strtoll(text, NULL, 10) : 0;
}

/* Leave only those that were found by another condition, too. */
static void
keep_found(OrderIds *ids, OrderIds *found)
{
	int			kept = 0;
	int			i;

	if (found->n > 0)
		qsort(found->ids, found->n, sizeof(int64), id_compare);
	if (ids->n < 0)
	{
		*ids = *found;
		return;
	}
	for (i = 0; i < ids->n; i++)
	{
		if (found->n > 0 &&
			bsearch(&ids->ids[i], found->ids, found->n, sizeof(int64), id_compare) != NULL)
			ids->ids[kept++] = ids->ids[i];
	}
	ids->n = kept;
}

static void
keep_found_by(OrderIds *ids, SavedPlan *plan, Datum what)
{
	OrderIds	found = {0};

	add_found(&found, plan, what);
	keep_found(ids, &found);
}

static void
keep_found_by_text(OrderIds *ids, const char *text)
{
	Datum		what = CStringGetTextDatum(text);
	int64		number = number_of(text);
	OrderIds	found = {0};

	add_found(&found, &by_external_id, what);
	add_found(&found, &by_out_trade_no, what);
	add_found(&found, &by_refund_no, what);
	add_found(&found, &by_archived_number, what);
	if (number > 0)
		add_found(&found, &by_id, Int64GetDatum(number));
	keep_found(ids, &found);
}

/* The orders that conditions name which few orders can meet. */
static OrderIds
named_orders(const OrderFilter *filter)
{
	OrderIds	ids = {NULL, -1};

	if (filter->id != 0)
		keep_found_by(&ids, &by_id, Int64GetDatum(filter->id));
	if (filter->external_id != NULL)
		keep_found_by(&ids, &by_external_id, CStringGetTextDatum(filter->external_id));
	if (filter->out_trade_no != NULL)
		keep_found_by(&ids, &by_out_trade_no, CStringGetTextDatum(filter->out_trade_no));
	if (filter->text != NULL)
		keep_found_by_text(&ids, filter->text);
	return ids;
}

/* ---- the page ---- */

static void
set_parameter(Datum *values, char *nulls, int n, Datum value)
{
	values[n] = value;
	nulls[n] = ' ';
}

static Datum
statuses_array(const OrderFilter *filter)
{
	Datum	   *elements = palloc(sizeof(Datum) * filter->n_statuses);
	int			i;

	for (i = 0; i < filter->n_statuses; i++)
		elements[i] = Int16GetDatum(filter->statuses[i]);
	return PointerGetDatum(construct_array(elements, filter->n_statuses, INT2OID,
										   sizeof(int16), true, TYPALIGN_SHORT));
}

/* Everything but the product and the ids. */
static void
set_parameters(const OrderFilter *filter, int max_orders, Datum *values, char *nulls)
{
	int64		low = filter->has_from ? id_first_order(filter->from) : 0;
	int64		high = filter->before != 0 ? filter->before - 1 : PG_INT64_MAX;

	if (filter->has_to && filter->to < PG_INT64_MAX - USECS_PER_SEC)
	{
		int64		later = id_first_order(filter->to + USECS_PER_SEC);

		if (later < PG_INT64_MAX)
			high = Min(high, later - 1);
	}
	memset(nulls, 'n', N_PARAMETERS);
	set_parameter(values, nulls, LOW, Int64GetDatum(low));
	set_parameter(values, nulls, HIGH, Int64GetDatum(high));
	set_parameter(values, nulls, MAX_ORDERS, Int64GetDatum(max_orders));
	set_parameter(values, nulls, VISIBLE, BoolGetDatum(filter->visible));
	if (filter->statuses != NULL)
		set_parameter(values, nulls, STATUSES, statuses_array(filter));
	if (filter->user_id != 0)
		set_parameter(values, nulls, USER_ID, Int64GetDatum(filter->user_id));
	if (filter->has_from)
		set_parameter(values, nulls, CREATED_FROM, TimestampTzGetDatum(filter->from));
	if (filter->has_to)
		set_parameter(values, nulls, CREATED_TO, TimestampTzGetDatum(filter->to));
	if (filter->gateway_refund_no != NULL)
		set_parameter(values, nulls, REFUND_NO, CStringGetTextDatum(filter->gateway_refund_no));
}

/* False if no order can meet the filter. */
static bool
choose_page(const OrderFilter *filter, Datum *values, char *nulls, SavedPlan **plan)
{
	OrderIds	named = named_orders(filter);

	if (named.n == 0)
		return false;
	if (named.n > 0)
		set_parameter(values, nulls, ORDER_IDS, int64_array(named.ids, named.n));
	if (filter->sku != NULL)
	{
		Datum		sku = CStringGetTextDatum(filter->sku);

		if (plan_query_in_snapshot(&find_product, &sku, NULL, 1) == 0)
			return false;
		set_parameter(values, nulls, PRODUCT_ID, Int64GetDatum(row_int64(0, 1)));
	}
	if (named.n > 0)
		*plan = &page_of_ids;
	else if (filter->gateway_refund_no != NULL)
		*plan = &page_of_refund_no;
	else if (filter->user_id != 0)
		*plan = &page_of_user;
	else if (filter->sku != NULL)
		*plan = &page_of_product;
	else
		*plan = &page_of_all;
	return true;
}

void
order_page_read(const OrderFilter *filter, int max_orders, OrderPage *page)
{
	Datum		values[N_PARAMETERS] = {0};
	char		nulls[N_PARAMETERS];
	SavedPlan  *plan;
	int			n;
	int			i;

	memset(page, 0, sizeof(OrderPage));
	set_parameters(filter, max_orders, values, nulls);
	if (!choose_page(filter, values, nulls, &plan))
		return;
	n = (int) plan_query_in_snapshot(plan, values, nulls, 0);
	page->order_ids = palloc(sizeof(int64) * Max(n, 1));
	for (i = 0; i < n; i++)
	{
		bool		fits = row_bool(i, 3);

		if (fits)
			page->order_ids[page->n++] = row_int64(i, 1);
		if (row_int32(i, 2) == ORDER_PAGE_EXAMINED && (!fits || n < max_orders))
			page->next_before = row_int64(i, 1);
	}
}
