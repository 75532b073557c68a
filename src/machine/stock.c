/*
 * stock.c
 *		Stock, reservations and the stock ledger; see stock.h.
 */
#include "compat.h"

#include "access/transam.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "common/int.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/xid8.h"

#include "core/append.h"
#include "core/call.h"
#include "core/error_facts.h"
#include "core/errors.h"
#include "core/ids.h"
#include "core/money.h"
#include "core/spi_util.h"
#include "machine/stock.h"
#include "machine/stock_own.h"
#include "machine/stock_upkeep.h"

static SavedPlan close_reservations = SAVED_PLAN(
	"UPDATE order_ext_internal.order_items i SET reservation = " CODE(RESERVATION_RELEASED)
	" FROM order_ext_internal.orders o"
	" WHERE o.order_id = ANY ($1) AND o.status = " CODE(ORDER_CANCELED)
	"   AND i.order_id = o.order_id AND i.reservation = " CODE(RESERVATION_OPEN)
	" RETURNING i.product_id, i.quantity, i.order_id",
	INT8ARRAYOID);

static SavedPlan consume_reservations = SAVED_PLAN(
	"UPDATE order_ext_internal.order_items SET reservation = " CODE(RESERVATION_CONSUMED)
	" WHERE order_id = ANY ($1) AND reservation = " CODE(RESERVATION_OPEN)
	" RETURNING product_id, quantity, order_id",
	INT8ARRAYOID);

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

/* A row of the ledger, but for what all rows of a call share. */
typedef struct Movement
{
	int64		order_id;		/* 0: none */
	int64		product_id;
	int64		ref;
	StockLevel	delta;
} Movement;

static void
append_movement(Appender *ledger, const Movement *movement, TimestampTz at, LedgerKind kind,
				const char *reason)
{
	const StockLevel *delta = &movement->delta;
	Datum		values[11];
	bool		nulls[11] = {false};

	values[0] = Int64GetDatum(movement->order_id);
	values[1] = Int64GetDatum(movement->product_id);
	values[2] = Int64GetDatum(movement->ref);
	values[3] = Int64GetDatum(delta->available);
	values[4] = Int64GetDatum(delta->reserved);
	values[5] = Int64GetDatum(delta->consumed);
	values[6] = TimestampTzGetDatum(at);
	values[7] = Int16GetDatum(kind);
	values[8] = reason ? CStringGetTextDatum(reason) : (Datum) 0;
	nulls[8] = reason == NULL;
	values[9] = FullTransactionIdGetDatum(GetTopFullTransactionId());
	/* who moved units of an order is in its log */
	nulls[10] = kind != LEDGER_ADJUST;
	values[10] = nulls[10] ? (Datum) 0 : CStringGetTextDatum(call_operator_or_role());
	append_row(ledger, values, nulls);
}

/* Insert the row that was appended last. */
static void
insert_movement(Appender *ledger, const Movement *movement)
{
	const StockLevel *delta = &movement->delta;

	append_flush(ledger);
	stock_own_add(movement->product_id, delta->available,
				  delta->available + delta->reserved + delta->consumed);
}

/* All of the same kind, of which none takes what is available. */
static void
append_movements(const Movement *movements, int n, TimestampTz at, LedgerKind kind)
{
	Appender   *ledger = append_open("stock_ledger");
	StockReader *reader = stock_reader_open(true);
	int			i;

	for (i = 0; i < n; i++)
		append_movement(ledger, &movements[i], at, kind, NULL);
	for (i = 0; i < n; i++)
		insert_movement(ledger, &movements[i]);
	for (i = 0; i < n; i++)
		stock_upkeep_now_and_then(reader, movements[i].product_id);
	stock_reader_close(reader);
	append_close(ledger);
}

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
		Movement	movement = {order_id, product_id, 0, {-quantity, quantity, 0}};
		StockCount	count;

		append_movement(ledger, &movement, at, LEDGER_RESERVE, NULL);
		stock_count_begin(reader, product_id, &count);
		if (count.available < quantity)
		{
			stock_count_end(product_id);
			raise_stock_short(reader, count, demands, n, i);
		}
		insert_movement(ledger, &movement);
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
	Movement	movement = {order_id, product_id, 0, delta};
	const char *reason = NULL;

	if (kind == LEDGER_ADJUST)
	{
		movement.ref = id_next("stock_adjustment_seq");
		reason = "imported with orders that have left";
	}
	append_movement(ledger, &movement, at, kind, reason);
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

static int
compare_movements(const void *a, const void *b)
{
	const Movement *left = a;
	const Movement *right = b;

	if (left->product_id != right->product_id)
		return left->product_id < right->product_id ? -1 : 1;
	return (left->order_id > right->order_id) - (left->order_id < right->order_id);
}

/*
 * Sort by product and order, and add up lines of the same product of an order, which the ledger
 * shows as one; returns how many are left.
 */
static int
merge_movements(Movement *movements, int n)
{
	int			last = 0;
	int			i;

	qsort(movements, n, sizeof(Movement), compare_movements);
	for (i = 1; i < n; i++)
	{
		if (compare_movements(&movements[i], &movements[last]) != 0)
		{
			movements[++last] = movements[i];
			continue;
		}
		movements[last].delta.available += movements[i].delta.available;
		movements[last].delta.reserved += movements[i].delta.reserved;
		movements[last].delta.consumed += movements[i].delta.consumed;
	}
	return last + 1;
}

/* End the open reservations found by a plan, and move what they held. */
static void
end_reservations(SavedPlan *end, const int64 *order_ids, int n, TimestampTz at, LedgerKind kind)
{
	Datum		values[1] = {int64_array(order_ids, n)};
	int			ended = (int) plan_write(end, values, NULL, 0);
	Movement   *movements;
	int			i;

	if (ended == 0)
		return;
	movements = palloc0(sizeof(Movement) * ended);
	for (i = 0; i < ended; i++)
	{
		int64		quantity = row_int32(i, 2);

		movements[i].product_id = row_int64(i, 1);
		movements[i].order_id = row_int64(i, 3);
		movements[i].delta.available = kind == LEDGER_RELEASE ? quantity : 0;
		movements[i].delta.reserved = -quantity;
		movements[i].delta.consumed = kind == LEDGER_CONSUME ? quantity : 0;
	}
	append_movements(movements, merge_movements(movements, ended), at, kind);
}

void
stock_release(const int64 *order_ids, int n, TimestampTz at)
{
	end_reservations(&close_reservations, order_ids, n, at, LEDGER_RELEASE);
}

void
stock_consume(const int64 *order_ids, int n, TimestampTz at)
{
	end_reservations(&consume_reservations, order_ids, n, at, LEDGER_CONSUME);
}

/* ---- take back ---- */

void
stock_take_back(int64 order_id, int64 after_sale_id, const int64 *products,
				const int32 *quantities, int n, LedgerKind kind, TimestampTz at, int32 *moved)
{
	Datum		values[3] = {Int64GetDatum(order_id), int64_array(products, n),
	int32_array(quantities, n)};
	Movement   *movements = palloc0(sizeof(Movement) * n);
	int			n_movements = 0;
	int			found = (int) plan_query(&still_consumed, values, NULL, 0);
	int			i;

	for (i = 0; i < found; i++)
	{
		int32		quantity = row_int32(i, 2);
		Movement   *movement = &movements[n_movements];

		if (quantity <= 0)
			continue;
		movement->order_id = order_id;
		movement->product_id = row_int64(i, 1);
		movement->ref = after_sale_id;
		movement->delta.available = kind == LEDGER_RETURN ? quantity : 0;
		movement->delta.consumed = -quantity;
		n_movements++;
		if (moved != NULL)
			moved[row_int32(i, 3) - 1] = quantity;
	}
	if (n_movements > 0)
		append_movements(movements, n_movements, at, kind);
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
	Movement	movement = {0, product_id, id_next("stock_adjustment_seq"), {available, 0, 0}};
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
		append_movement(ledger, &movement, at, LEDGER_ADJUST, reason);
		insert_movement(ledger, &movement);
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
