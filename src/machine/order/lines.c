/*
 * lines.c
 *		The lines of an order; see lines.h.
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
#include "machine/base/codes.h"
#include "machine/order/lines.h"

/* Columns of order_items. */
enum
{
	ITEMS_PRODUCT_ID,
	ITEMS_SKU,
	ITEMS_QUANTITY,
	ITEMS_PRICE,
	ITEMS_DISCOUNT,
	ITEMS_PAY,
	ITEMS_KIND,
	ITEMS_LINE,
	ITEMS_ATTRIBUTES
};

static RowTable order_items = ROW_TABLE(
	"order_items", "order_items_pkey",
	"product_id", "sku", "quantity", "price", "discount", "pay", "kind", "line", "attributes");

/* With SQL objects from before 0.6: in updates, and until an update is run. */
static RowTable unnumbered_items = ROW_TABLE(
	"order_items", "order_items_pkey",
	"product_id", "sku", "quantity", "price", "discount", "pay", "kind");

enum
{
	PRODUCTS_SKU,
	PRODUCTS_NAME
};

static RowTable products = ROW_TABLE(
	"products", "products_pkey",
	"sku", "name");

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

/* ---- what products are called ---- */

void
order_lines_names_open(ProductNames *names)
{
	memset(names, 0, sizeof(*names));
	names->rows = rows_open(&products, ROWS_READ);
}

void
order_lines_names_find(ProductNames *names, int64 product_id)
{
	Datum		key = Int64GetDatum(product_id);
	Row			row;

	/* when everybody wants the same */
	if (names->product_id == product_id)
		return;
	names->product_id = product_id;
	names->sku = names->title = NULL;
	if (rows_find(names->rows, &key, 1, &row))
	{
		names->sku = row_get_text(&row, PRODUCTS_SKU);
		names->title = row_get_text(&row, PRODUCTS_NAME);
	}
}

void
order_lines_names_close(ProductNames *names)
{
	rows_close(names->rows);
}

/* ---- what an order consists of ---- */

typedef struct Good
{
	int64		product_id;
	int64		price;
	int64		discount;
	int64		pay;
	int32		line;			/* 0: lines have no numbers */
	int32		quantity;
	int16		kind;
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

/* Begin the object of a line, as its next element. */
static JsonbBuilder *
begin_line(const Good *good)
{
	JsonbBuilder *line = jsonb_object_begin();

	if (good->line > 0)
		jsonb_add_int(line, "line", good->line);
	jsonb_add_text(line, "sku", good->sku);
	jsonb_add_int(line, "quantity", good->quantity);
	return line;
}

static Jsonb *
goods_as_lines(const Good *goods, int n, bool to_ship, ProductNames *names)
{
	JsonbBuilder *lines = jsonb_array_begin();
	int			i;

	for (i = 0; i < n; i++)
	{
		JsonbBuilder *line = begin_line(&goods[i]);

		order_lines_names_find(names, goods[i].product_id);
		jsonb_add_text(line, "title", names->title);
		jsonb_add_text(line, "kind", code_name(CODES_PRODUCT_KIND, goods[i].kind));
		jsonb_add_int(line, "price", goods[i].price);
		jsonb_add_int(line, "discount", goods[i].discount);
		jsonb_add_int(line, "pay", goods[i].pay);
		if (to_ship && goods[i].attributes != NULL)
			jsonb_add_jsonb(line, "attributes", goods[i].attributes);
		jsonb_array_add(lines, line);
	}
	return jsonb_array_end(lines);
}

static Jsonb *
goods_as_items(const Good *goods, int n)
{
	JsonbBuilder *items = jsonb_array_begin();
	int			i;

	for (i = 0; i < n; i++)
	{
		JsonbBuilder *item = begin_line(&goods[i]);

		if (goods[i].attributes != NULL)
			jsonb_add_jsonb(item, "attributes", goods[i].attributes);
		jsonb_array_add(items, item);
	}
	return jsonb_array_end(items);
}

static Good *
read_goods(Rows *rows, bool numbered, int64 order_id, int *n)
{
	Datum		key = Int64GetDatum(order_id);
	int			max = 8;
	Good	   *goods = palloc(sizeof(Good) * max);
	bool		found;
	Row			row;

	*n = 0;
	for (found = rows_find(rows, &key, 1, &row); found; found = rows_next(rows, &row))
	{
		Good	   *good;

		if (*n == max)
			goods = repalloc(goods, sizeof(Good) * (max *= 2));
		good = &goods[(*n)++];
		good->product_id = row_get_int64(&row, ITEMS_PRODUCT_ID);
		good->price = row_get_int64(&row, ITEMS_PRICE);
		good->discount = row_get_int64(&row, ITEMS_DISCOUNT);
		good->pay = row_get_int64(&row, ITEMS_PAY);
		good->line = numbered ? row_get_int32(&row, ITEMS_LINE) : 0;
		good->attributes = numbered ? row_get_jsonb(&row, ITEMS_ATTRIBUTES) : NULL;
		good->sku = row_get_text(&row, ITEMS_SKU);
		good->quantity = row_get_int32(&row, ITEMS_QUANTITY);
		good->kind = row_get_int16(&row, ITEMS_KIND);
	}
	if (*n == 0)
		ereport(ERROR,
				(errcode(ERRCODE_OE_INVARIANT),
				 errmsg("order " INT64_FORMAT " has no items", order_id),
				 error_facts("Every order has at least one.", FACT_ID("order_id", order_id)),
				 errhint("This is a bug in order_ext; nothing was changed.")));
	/* the index returns lines by their numbers */
	if (!numbered)
		qsort(goods, *n, sizeof(Good), compare_skus);
	return goods;
}

static OrderGoods *
read_goods_of(const int64 *order_ids, int n, bool to_ship)
{
	OrderGoods *result = palloc0(sizeof(OrderGoods) * Max(n, 1));
	bool		numbered = lines_are_numbered();
	Rows	   *rows = rows_open(numbered ? &order_items : &unnumbered_items, ROWS_READ);
	ProductNames names;
	int			i,
				j;

	order_lines_names_open(&names);
	for (i = 0; i < n; i++)
	{
		int			n_goods;
		Good	   *goods = read_goods(rows, numbered, order_ids[i], &n_goods);

		result[i].all_virtual = true;
		for (j = 0; j < n_goods; j++)
			result[i].all_virtual &= goods[j].kind == KIND_VIRTUAL;
		result[i].lines = goods_as_lines(goods, n_goods, to_ship, &names);
		if (to_ship)
			result[i].items = goods_as_items(goods, n_goods);
	}
	order_lines_names_close(&names);
	rows_close(rows);
	return result;
}

OrderGoods *
order_lines_goods(const int64 *order_ids, int n)
{
	return read_goods_of(order_ids, n, false);
}

OrderGoods *
order_lines_goods_to_ship(const int64 *order_ids, int n)
{
	return read_goods_of(order_ids, n, true);
}
