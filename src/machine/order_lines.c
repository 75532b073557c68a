/*
 * order_lines.c
 *		The lines of an order; see order_lines.h.
 */
#include "compat.h"

#include "catalog/pg_collation.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/varlena.h"

#include "core/append.h"
#include "core/error_facts.h"
#include "core/errors.h"
#include "core/internal.h"
#include "core/jsonb_build.h"
#include "core/row.h"
#include "machine/codes.h"
#include "machine/order_lines.h"

/* Columns of order_items. */
enum
{
	ITEMS_SKU,
	ITEMS_QUANTITY,
	ITEMS_KIND,
	ITEMS_LINE,
	ITEMS_ATTRIBUTES
};

static RowTable order_items = ROW_TABLE(
	"order_items", "order_items_pkey",
	"sku", "quantity", "kind", "line", "attributes");

/* With SQL objects from before 0.6: in updates, and until an update is run. */
static RowTable unnumbered_items = ROW_TABLE(
	"order_items", "order_items_pkey",
	"sku", "quantity", "kind");

/* Whether lines have numbers: not before the SQL objects are those of 0.6. */
static bool
lines_are_numbered(void)
{
	return get_attnum(internal_relation("order_items"), "line") != InvalidAttrNumber;
}

void
order_lines_create(int64 order_id, const OrderLine *lines, int n)
{
	Appender   *items = append_open("order_items");
	int			i;

	for (i = 0; i < n; i++)
	{
		const OrderLine *line = &lines[i];
		Datum		values[11];
		bool		nulls[11] = {false};

		values[0] = Int64GetDatum(order_id);
		values[1] = Int64GetDatum(line->product_id);
		values[2] = Int64GetDatum(line->price);
		values[3] = Int64GetDatum(line->discount);
		values[4] = Int64GetDatum(line->pay);
		values[5] = Int32GetDatum(line->quantity);
		values[6] = Int16GetDatum(line->kind);
		values[7] = Int16GetDatum(RESERVATION_OPEN);
		values[8] = CStringGetTextDatum(line->sku);
		values[9] = Int32GetDatum(line->line);
		values[10] = JsonbPGetDatum(line->attributes);
		nulls[10] = line->attributes == NULL;
		append_row(items, values, nulls);
	}
	append_close(items);
}

static int
compare_demands(const void *a, const void *b)
{
	int64		left = ((const StockDemand *) a)->product_id;
	int64		right = ((const StockDemand *) b)->product_id;

	return (left > right) - (left < right);
}

StockDemand *
order_lines_demands(const OrderLine *lines, int n, int *n_demands)
{
	StockDemand *demands = palloc(sizeof(StockDemand) * n);
	int			last = 0;
	int			i;

	for (i = 0; i < n; i++)
	{
		demands[i].product_id = lines[i].product_id;
		demands[i].quantity = lines[i].quantity;
		demands[i].sku = lines[i].sku;
	}
	qsort(demands, n, sizeof(StockDemand), compare_demands);
	for (i = 1; i < n; i++)
	{
		if (demands[i].product_id == demands[last].product_id)
			demands[last].quantity += demands[i].quantity;
		else
			demands[++last] = demands[i];
	}
	*n_demands = last + 1;
	return demands;
}

/* ---- what an order consists of ---- */

typedef struct Good
{
	int32		line;			/* 0: lines have no numbers */
	int32		quantity;
	const char *sku;
	Jsonb	   *attributes;		/* or NULL */
} Good;

static int
compare_skus(const void *a, const void *b)
{
	const char *left = ((const Good *) a)->sku;
	const char *right = ((const Good *) b)->sku;

	return varstr_cmp(left, strlen(left), right, strlen(right), DEFAULT_COLLATION_OID);
}

static Jsonb *
goods_as_jsonb(Good *goods, int n)
{
	JsonbParseState *state = NULL;
	int			i;

	(void) pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	for (i = 0; i < n; i++)
	{
		JsonbBuilder *item = jsonb_object_begin();
		JsonbValue	value;

		if (goods[i].line > 0)
			jsonb_add_int(item, "line", goods[i].line);
		jsonb_add_text(item, "sku", goods[i].sku);
		jsonb_add_int(item, "quantity", goods[i].quantity);
		if (goods[i].attributes != NULL)
			jsonb_add_jsonb(item, "attributes", goods[i].attributes);
		JsonbToJsonbValue(jsonb_object_end(item), &value);
		(void) pushJsonbValue(&state, WJB_ELEM, &value);
	}
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_ARRAY, NULL));
}

static OrderGoods
goods_of(Rows *rows, bool numbered, int64 order_id)
{
	OrderGoods	result = {true, NULL};
	Datum		key = Int64GetDatum(order_id);
	int			max = 8;
	Good	   *goods = palloc(sizeof(Good) * max);
	int			n = 0;
	bool		found;
	Row			row;

	for (found = rows_find(rows, &key, 1, &row); found; found = rows_next(rows, &row))
	{
		if (n == max)
			goods = repalloc(goods, sizeof(Good) * (max *= 2));
		goods[n].line = numbered ? row_get_int32(&row, ITEMS_LINE) : 0;
		goods[n].attributes = numbered ? row_get_jsonb(&row, ITEMS_ATTRIBUTES) : NULL;
		goods[n].sku = row_get_text(&row, ITEMS_SKU);
		goods[n++].quantity = row_get_int32(&row, ITEMS_QUANTITY);
		result.all_virtual &= row_get_int16(&row, ITEMS_KIND) == KIND_VIRTUAL;
	}
	if (n == 0)
		ereport(ERROR,
				(errcode(ERRCODE_OE_INVARIANT),
				 errmsg("order " INT64_FORMAT " has no items", order_id),
				 error_facts(NULL, FACT_ID("order_id", order_id))));
	/* the index returns lines by their numbers */
	if (!numbered)
		qsort(goods, n, sizeof(Good), compare_skus);
	result.items = goods_as_jsonb(goods, n);
	return result;
}

OrderGoods *
order_lines_goods(const int64 *order_ids, int n)
{
	OrderGoods *goods = palloc(sizeof(OrderGoods) * Max(n, 1));
	bool		numbered = lines_are_numbered();
	Rows	   *rows = rows_open(numbered ? &order_items : &unnumbered_items, ROWS_READ);
	int			i;

	for (i = 0; i < n; i++)
		goods[i] = goods_of(rows, numbered, order_ids[i]);
	rows_close(rows);
	return goods;
}
