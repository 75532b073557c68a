/*
 * stock.c
 *		Stock, reservations and the stock ledger; see stock.h.
 */
#include "compat.h"

#include "catalog/pg_type.h"
#include "common/int.h"
#include "utils/builtins.h"

#include "core/append.h"
#include "core/error_facts.h"
#include "core/errors.h"
#include "core/ids.h"
#include "core/money.h"
#include "core/row.h"
#include "core/spi_util.h"
#include "machine/stock/movement.h"
#include "machine/stock/own.h"
#include "machine/stock/stock.h"

/* Columns of orders, and of order_items. */
enum
{
	ORDERS_STATUS
};

static RowTable orders = ROW_TABLE("orders", "orders_pkey", "status");

enum
{
	ITEMS_PRODUCT_ID,
	ITEMS_QUANTITY,
	ITEMS_RESERVATION
};

static RowTable order_items = ROW_TABLE(
	"order_items", "order_items_pkey",
	"product_id", "quantity", "reservation");

static SavedPlan still_consumed = SAVED_PLAN(
	"SELECT i.product_id, least(g.quantity, i.quantity + coalesce("
	"  (SELECT sum(l.consumed_delta) FROM order_ext_internal.stock_ledger l"
	"   WHERE l.order_id = $1 AND l.product_id = i.product_id"
	"    AND l.kind IN (" LEDGER_BACK ")), 0))::int, g.n::int"
	" FROM unnest($2, $3) WITH ORDINALITY AS g (product_id, quantity, n)"
	" JOIN (SELECT product_id, sum(quantity) AS quantity"
	"   FROM order_ext_internal.order_items"
	"   WHERE order_id = $1 AND reservation = " CODE(RESERVATION_CONSUMED)
	"   GROUP BY product_id) i ON i.product_id = g.product_id"
	" ORDER BY i.product_id",
	INT8OID, INT8ARRAYOID, INT4ARRAYOID);

/* ---- reserve ---- */

/*
 * A demand found too little stock, as counted: report it, and all others after it that would. Those
 * before it were met.
 */
static void
raise_stock_short(StockReader *reader, StockCount count, const StockDemand *demands, int n,
				  int first)
{
	ErrorFactList too_few = {0};
	int			i;

	for (i = first; i < n; i++)
	{
		if (i > first)
			stock_count(reader, demands[i].product_id, &count);
		if (count.available < demands[i].quantity)
			error_facts_add(&too_few, "; ", "\"{sku}\": {wanted} requested, {available} available",
							FACT_TEXT("sku", demands[i].sku),
							FACT_INT("wanted", demands[i].quantity),
							FACT_INT("available", Max(count.available, 0)));
	}
	ereport(ERROR,
			(errcode(ERRCODE_OE_STOCK_SHORT),
			 errmsg("insufficient stock"),
			 error_facts("{short}.", FACT_LIST("short", &too_few)),
			 errhint("Order less, or try again after stock has been added.")));
}

void
stock_reserve(int64 order_id, const StockDemand *demands, int n, TimestampTz at)
{
	Appender   *ledger = append_open("stock_ledger");
	StockReader *reader = stock_reader_open(true);
	int			i;

	for (i = 0; i < n; i++)
	{
		int64		product_id = demands[i].product_id;
		int64		quantity = demands[i].quantity;
		StockMovement movement = {order_id, product_id, 0, {-quantity, quantity, 0}};
		StockCount	count;

		stock_movement_append(ledger, &movement, at, LEDGER_RESERVE, NULL);
		stock_count_begin(reader, product_id, &count);
		if (count.available < quantity)
		{
			stock_count_end(product_id);
			raise_stock_short(reader, count, demands, n, i);
		}
		stock_movement_insert(ledger, &movement);
		stock_count_end(product_id);
		stock_fold_if_due(reader, product_id, &count);
	}
	stock_reader_close(reader);
	append_close(ledger);
}

/* ---- orders of another system ---- */

/* Append a row of an import; the caller flushes. */
static void
import_movement(Appender *ledger, int64 order_id, int64 product_id, StockLevel delta,
				TimestampTz at, LedgerKind kind)
{
	StockMovement movement = {order_id, product_id, 0, delta};
	const char *reason = NULL;

	if (kind == LEDGER_ADJUST)
	{
		movement.ref = id_next("stock_adjustment_seq");
		reason = "imported with orders that have left";
	}
	stock_movement_append(ledger, &movement, at, kind, reason);
	stock_own_add(product_id, delta.available,
				  delta.available + delta.reserved + delta.consumed);
}

/* The rows of a product. They take units before these are counted, so that others count them. */
static void
import_product(Appender *ledger, const StockImport *imports, int n, TimestampTz at)
{
	int64		product_id = imports[0].product_id;
	StockLevel	out = {0, 0, 0};
	int			i;

	for (i = 0; i < n; i++)
		out.available += imports[i].out ? imports[i].quantity : 0;
	if (out.available > 0)
		import_movement(ledger, 0, product_id, out, at, LEDGER_ADJUST);
	for (i = 0; i < n; i++)
	{
		int64		quantity = imports[i].quantity;
		StockLevel	reserve = {-quantity, quantity, 0};
		StockLevel	consume = {0, -quantity, quantity};

		import_movement(ledger, imports[i].order_id, product_id, reserve, at, LEDGER_RESERVE);
		if (imports[i].out)
			import_movement(ledger, imports[i].order_id, product_id, consume, at, LEDGER_CONSUME);
	}
	append_flush(ledger);
}

/* The first of a product's imports for which less was available; available is what is left. */
static int
first_short(const StockImport *imports, int n, int64 *available)
{
	int			i;

	for (i = 0; i < n; i++)
		*available += imports[i].out ? 0 : imports[i].quantity;
	for (i = 0; i < n; i++)
	{
		if (imports[i].out)
			continue;
		if (imports[i].quantity > *available)
			return i;
		*available -= imports[i].quantity;
	}
	return -1;
}

int
stock_import(const StockImport *imports, int n, TimestampTz at, int64 *available)
{
	Appender   *ledger = append_open("stock_ledger");
	StockReader *reader = stock_reader_open(true);
	int			result = -1;
	int			first;
	int			end;

	for (first = 0; first < n && result < 0; first = end)
	{
		int64		product_id = imports[first].product_id;
		StockCount	count;

		for (end = first; end < n && imports[end].product_id == product_id; end++)
			continue;
		import_product(ledger, &imports[first], end - first, at);
		stock_count(reader, product_id, &count);
		*available = count.available;
		if (count.available < 0)
			result = first + first_short(&imports[first], end - first, available);
		stock_fold_if_due(reader, product_id, &count);
	}
	stock_reader_close(reader);
	append_close(ledger);
	return result;
}

/* ---- release and consume ---- */

/* Leave those of the orders that are canceled; returns how many. */
static int
leave_canceled(int64 *order_ids, int n)
{
	Rows	   *rows = rows_open(&orders, ROWS_READ);
	int			n_canceled = 0;
	Row			row;
	int			i;

	for (i = 0; i < n; i++)
	{
		Datum		key = Int64GetDatum(order_ids[i]);

		if (rows_find(rows, &key, 1, &row) && row_get_int16(&row, ORDERS_STATUS) == ORDER_CANCELED)
			order_ids[n_canceled++] = order_ids[i];
	}
	rows_close(rows);
	return n_canceled;
}

/*
 * End the reservation of a line, unless another transaction has just done so; *movement is what
 * becomes of its units.
 */
static bool
end_reservation(Rows *items, Row *item, LedgerKind kind, StockMovement *movement)
{
	int64		quantity = row_get_int32(item, ITEMS_QUANTITY);

	if (row_get_int16(item, ITEMS_RESERVATION) != RESERVATION_OPEN)
		return false;
	row_set(item, ITEMS_RESERVATION, Int16GetDatum(kind == LEDGER_RELEASE ? RESERVATION_RELEASED
												   : RESERVATION_CONSUMED));
	if (!rows_update(items, item))
		return false;
	memset(movement, 0, sizeof(StockMovement));
	movement->product_id = row_get_int64(item, ITEMS_PRODUCT_ID);
	movement->delta.available = kind == LEDGER_RELEASE ? quantity : 0;
	movement->delta.reserved = -quantity;
	movement->delta.consumed = kind == LEDGER_CONSUME ? quantity : 0;
	return true;
}

/* End the open reservations of n > 0 distinct orders, and move what they held. */
static void
end_reservations(const int64 *order_ids, int n, TimestampTz at, LedgerKind kind)
{
	Rows	   *items = rows_open(&order_items, ROWS_CHANGE);
	int			max = 4 * n;
	StockMovement *movements = palloc(sizeof(StockMovement) * max);
	int			n_movements = 0;
	int			i;

	for (i = 0; i < n; i++)
	{
		Datum		key = Int64GetDatum(order_ids[i]);
		bool		found;
		Row			row;

		for (found = rows_find(items, &key, 1, &row); found; found = rows_next(items, &row))
		{
			if (n_movements == max)
				movements = repalloc(movements, sizeof(StockMovement) * (max *= 2));
			if (end_reservation(items, &row, kind, &movements[n_movements]))
				movements[n_movements++].order_id = order_ids[i];
			row_free(&row);
		}
	}
	rows_close(items);
	if (n_movements > 0)
		stock_movements_append(movements, stock_movements_merge(movements, n_movements), at, kind);
}

void
stock_release(const int64 *order_ids, int n, TimestampTz at)
{
	int			n_sorted;
	int64	   *sorted = id_sort(order_ids, n, &n_sorted);
	int			n_canceled = leave_canceled(sorted, n_sorted);

	if (n_canceled > 0)
		end_reservations(sorted, n_canceled, at, LEDGER_RELEASE);
}

void
stock_consume(const int64 *order_ids, int n, TimestampTz at)
{
	int			n_sorted;
	int64	   *sorted = id_sort(order_ids, n, &n_sorted);

	if (n_sorted > 0)
		end_reservations(sorted, n_sorted, at, LEDGER_CONSUME);
}

/* ---- take back ---- */

void
stock_take_back(int64 order_id, int64 ref, const int64 *products,
				const int32 *quantities, int n, LedgerKind kind, TimestampTz at, int32 *moved)
{
	Datum		values[3] = {Int64GetDatum(order_id), int64_array(products, n),
	int32_array(quantities, n)};
	StockMovement *movements = palloc0(sizeof(StockMovement) * n);
	int			n_movements = 0;
	int			found = (int) plan_query(&still_consumed, values, NULL, 0);
	int			i;

	for (i = 0; i < found; i++)
	{
		int32		quantity = row_int32(i, 2);
		StockMovement *movement = &movements[n_movements];

		if (quantity <= 0)
			continue;
		movement->order_id = order_id;
		movement->product_id = row_int64(i, 1);
		movement->ref = ref;
		movement->delta.available = kind == LEDGER_RETURN ? quantity : 0;
		movement->delta.consumed = -quantity;
		n_movements++;
		if (moved != NULL)
			moved[row_int32(i, 3) - 1] = quantity;
	}
	if (n_movements > 0)
		stock_movements_append(movements, n_movements, at, kind);
}

/* ---- adjust ---- */

static void
raise_negative(const char *sku, int64 available, int64 delta)
{
	ErrorFactList too_few = {0};

	error_facts_add(&too_few, "", "{available} are available; the change is {delta}",
					FACT_TEXT("sku", sku), FACT_INT("wanted", -Max(delta, -PG_INT64_MAX)),
					FACT_INT("available", Max(available, 0)), FACT_INT("delta", delta));
	ereport(ERROR,
			(errcode(ERRCODE_OE_STOCK_SHORT),
			 errmsg("stock of \"%s\" would become negative", sku),
			 error_facts("{short}.", FACT_LIST("short", &too_few)),
			 errhint("Reserved units become available again when their orders are canceled.")));
}

/* sku is NULL if available is what the stock is to be, and not what is added to it. */
static StockLevel
change_available(int64 product_id, const char *sku, int64 available, const char *reason,
				 TimestampTz at)
{
	StockMovement movement = {0, product_id, id_next("stock_adjustment_seq"), {available, 0, 0}};
	Appender   *ledger = append_open("stock_ledger");
	StockReader *reader = stock_reader_open(true);
	StockCount	count;
	bool		too_many;
	bool		too_few;

	stock_count_begin(reader, product_id, &count);
	too_many = sku == NULL &&
		pg_sub_s64_overflow(available, count.available, &movement.delta.available);
	/* all units together fit a bigint, so that everything reserved can be returned */
	too_many |= movement.delta.available > 0 &&
		movement.delta.available > PG_INT64_MAX - count.units;
	too_few = sku != NULL && available < 0 &&
		(count.available < 0 || count.available + available < 0);
	if (movement.delta.available != 0 && !too_many && !too_few)
	{
		stock_movement_append(ledger, &movement, at, LEDGER_ADJUST, reason);
		stock_movement_insert(ledger, &movement);
	}
	stock_count_end(product_id);
	if (too_many)
		money_overflow(sku == NULL ? "available" : "delta");
	if (too_few)
		raise_negative(sku, count.available, available);
	stock_fold_if_due(reader, product_id, &count);
	stock_reader_close(reader);
	append_close(ledger);
	return stock_level(product_id);
}

StockLevel
stock_adjust(int64 product_id, const char *sku, int64 delta, const char *reason, TimestampTz at)
{
	return change_available(product_id, sku, delta, reason, at);
}

StockLevel
stock_set(int64 product_id, int64 available, const char *reason, TimestampTz at)
{
	return change_available(product_id, NULL, available, reason, at);
}
