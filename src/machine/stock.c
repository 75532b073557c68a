/*
 * stock.c
 *		Stock, reservations and the stock ledger; see stock.h.
 */
#include "compat.h"

#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "storage/proc.h"
#include "utils/builtins.h"

#include "core/append.h"
#include "core/errors.h"
#include "core/ids.h"
#include "core/locks.h"
#include "core/money.h"
#include "core/spi_util.h"
#include "machine/stock.h"

static SavedPlan reserve_one = SAVED_PLAN(
	"UPDATE order_ext_internal.stock"
	" SET available = available - $3, reserved = reserved + $3"
	" WHERE product_id = $1 AND stripe = $2 AND available >= $3",
	INT8OID, INT2OID, INT8OID);

static SavedPlan read_levels = SAVED_PLAN(
	"SELECT product_id, sum(available)::bigint, sum(reserved)::bigint, sum(consumed)::bigint"
	" FROM order_ext_internal.stock WHERE product_id = ANY ($1)"
	" GROUP BY product_id ORDER BY product_id",
	INT8ARRAYOID);

static SavedPlan close_reservations = SAVED_PLAN(
	"UPDATE order_ext_internal.order_items i SET reservation = " CODE(RESERVATION_RELEASED)
	" FROM order_ext_internal.orders o"
	" WHERE o.order_id = ANY ($1) AND o.status = " CODE(ORDER_CANCELED)
	"   AND i.order_id = o.order_id AND i.reservation = " CODE(RESERVATION_OPEN)
	" RETURNING i.product_id, i.stripe, i.quantity, i.order_id",
	INT8ARRAYOID);

static SavedPlan consume_reservations = SAVED_PLAN(
	"UPDATE order_ext_internal.order_items SET reservation = " CODE(RESERVATION_CONSUMED)
	" WHERE order_id = ANY ($1) AND reservation = " CODE(RESERVATION_OPEN)
	" RETURNING product_id, stripe, quantity, order_id",
	INT8ARRAYOID);

/* The rows given are sorted, and a nested loop keeps their order: it is the lock order. */
static SavedPlan consume_many = SAVED_PLAN(
	"UPDATE order_ext_internal.stock s"
	" SET reserved = s.reserved - g.quantity, consumed = s.consumed + g.quantity"
	" FROM unnest($1, $2, $3) AS g (product_id, stripe, quantity)"
	" WHERE s.product_id = g.product_id AND s.stripe = g.stripe",
	INT8ARRAYOID, INT2ARRAYOID, INT8ARRAYOID);

/* The stock rows of these orders' open reservations. */
#define RESERVED_ROWS \
	"SELECT s.product_id, s.stripe FROM order_ext_internal.stock s" \
	" JOIN (SELECT DISTINCT i.product_id, i.stripe" \
	"       FROM order_ext_internal.order_items i" \
	"       WHERE i.order_id = ANY ($1) AND i.reservation = " CODE(RESERVATION_OPEN) ") AS wanted" \
	"   ON wanted.product_id = s.product_id AND wanted.stripe = s.stripe" \
	" ORDER BY s.product_id, s.stripe FOR UPDATE OF s"

static SavedPlan lock_rows = SAVED_PLAN(RESERVED_ROWS, INT8ARRAYOID);

/* Only those that no other transaction has locked. */
static SavedPlan lock_free_rows = SAVED_PLAN(RESERVED_ROWS " SKIP LOCKED", INT8ARRAYOID);

static SavedPlan lock_row = SAVED_PLAN(
	"SELECT FROM order_ext_internal.stock s WHERE s.product_id = $2 AND s.stripe = $3"
	" AND EXISTS (SELECT FROM order_ext_internal.order_items i"
	"  WHERE i.order_id = ANY ($1) AND i.reservation = " CODE(RESERVATION_OPEN)
	"   AND i.product_id = $2 AND i.stripe = $3)"
	" FOR UPDATE OF s",
	INT8ARRAYOID, INT8OID, INT2OID);

/* What open reservations of the orders hold of other rows than those that were free. */
#define HELD_OF_OTHER_ROWS \
	" FROM order_ext_internal.order_items i" \
	" WHERE i.order_id = ANY ($1) AND i.reservation = " CODE(RESERVATION_OPEN) \
	"   AND NOT EXISTS (SELECT FROM unnest($2, $3) AS free (product_id, stripe)" \
	"     WHERE free.product_id = i.product_id AND free.stripe = i.stripe)"

static SavedPlan find_busy = SAVED_PLAN(
	"SELECT DISTINCT i.order_id" HELD_OF_OTHER_ROWS,
	INT8ARRAYOID, INT8ARRAYOID, INT2ARRAYOID);

/* Any one of them. */
static SavedPlan find_taken = SAVED_PLAN(
	"SELECT i.product_id, i.stripe" HELD_OF_OTHER_ROWS " ORDER BY pg_catalog.random() LIMIT 1",
	INT8ARRAYOID, INT8ARRAYOID, INT2ARRAYOID);

/* The rows given are sorted, and a nested loop keeps their order: it is the lock order. */
static SavedPlan release_many = SAVED_PLAN(
	"UPDATE order_ext_internal.stock s"
	" SET available = s.available + g.quantity, reserved = s.reserved - g.quantity"
	" FROM unnest($1, $2, $3) AS g (product_id, stripe, quantity)"
	" WHERE s.product_id = g.product_id AND s.stripe = g.stripe",
	INT8ARRAYOID, INT2ARRAYOID, INT8ARRAYOID);

static SavedPlan return_many = SAVED_PLAN(
	"UPDATE order_ext_internal.stock s"
	" SET available = s.available + g.quantity, consumed = s.consumed - g.quantity"
	" FROM unnest($1, $2, $3) AS g (product_id, stripe, quantity)"
	" WHERE s.product_id = g.product_id AND s.stripe = g.stripe",
	INT8ARRAYOID, INT2ARRAYOID, INT8ARRAYOID);

static SavedPlan write_off_many = SAVED_PLAN(
	"UPDATE order_ext_internal.stock s"
	" SET consumed = s.consumed - g.quantity"
	" FROM unnest($1, $2, $3) AS g (product_id, stripe, quantity)"
	" WHERE s.product_id = g.product_id AND s.stripe = g.stripe",
	INT8ARRAYOID, INT2ARRAYOID, INT8ARRAYOID);

static SavedPlan still_consumed = SAVED_PLAN(
	"SELECT i.product_id, i.stripe, least(g.quantity, i.quantity + coalesce("
	"  (SELECT sum(l.consumed_delta) FROM order_ext_internal.stock_ledger l"
	"   WHERE l.order_id = $1 AND l.product_id = i.product_id"
	"    AND l.kind IN (" LEDGER_BACK ")), 0))::int, g.n::int"
	" FROM unnest($2, $3) WITH ORDINALITY AS g (product_id, quantity, n)"
	" JOIN (SELECT product_id, min(stripe) AS stripe, sum(quantity) AS quantity"
	"   FROM order_ext_internal.order_items"
	"   WHERE order_id = $1 AND reservation = " CODE(RESERVATION_CONSUMED)
	"   GROUP BY product_id) i ON i.product_id = g.product_id"
	" ORDER BY i.product_id",
	INT8OID, INT8ARRAYOID, INT4ARRAYOID);

/* All units of a stripe together fit a bigint, so that everything reserved can be returned. */
static SavedPlan adjust_one = SAVED_PLAN(
	"UPDATE order_ext_internal.stock SET available = available + $3"
	" WHERE product_id = $1 AND stripe = $2"
	"   AND CASE WHEN $3 < 0 THEN available + $3 >= 0"
	"       ELSE $3 <= 9223372036854775807 - available - reserved - consumed END",
	INT8OID, INT2OID, INT8OID);

/* What was released from one stock row, or moved in the ledger. */
typedef struct Movement
{
	int64		product_id;
	int64		order_id;
	int64		quantity;
	int16		stripe;
} Movement;

/* A row that this process has found locked; product_id 0: none. */
static Movement taken;

static LocalTransactionId waits_no_more = InvalidLocalTransactionId;

void
stock_wait_no_more(void)
{
	waits_no_more = MyLocalTransactionId;
}

static bool
may_not_wait(void)
{
	return waits_no_more == MyLocalTransactionId || locks_are_brief();
}

static void
append_ledger(Appender *ledger, int64 order_id, int64 product_id, int64 ref, int64 available,
			  int64 reserved, int64 consumed, TimestampTz at, LedgerKind kind, int16 stripe,
			  const char *reason)
{
	Datum		values[10];
	bool		nulls[10] = {false};

	values[0] = Int64GetDatum(order_id);
	values[1] = Int64GetDatum(product_id);
	values[2] = Int64GetDatum(ref);
	values[3] = Int64GetDatum(available);
	values[4] = Int64GetDatum(reserved);
	values[5] = Int64GetDatum(consumed);
	values[6] = TimestampTzGetDatum(at);
	values[7] = Int16GetDatum(kind);
	values[8] = Int16GetDatum(stripe);
	values[9] = reason ? CStringGetTextDatum(reason) : (Datum) 0;
	nulls[9] = reason == NULL;
	append_row(ledger, values, nulls);
}

/* ---- reserve ---- */

/*
 * Some demand found too little stock: report all such demands. The first n_reserved ones were
 * met and are no longer counted as available.
 */
static void
raise_stock_short(const StockDemand *demands, int n, int n_reserved)
{
	int64	   *products = palloc(sizeof(int64) * n);
	Datum		values[1];
	StringInfoData detail;
	int			found,
				i,
				j;

	for (i = 0; i < n; i++)
		products[i] = demands[i].product_id;
	values[0] = int64_array(products, n);
	found = (int) plan_query(&read_levels, values, NULL, 0);

	initStringInfo(&detail);
	for (i = 0; i < n; i++)
	{
		int64		available = 0;

		for (j = 0; j < found; j++)
		{
			if (row_int64(j, 1) == demands[i].product_id)
				available = row_int64(j, 2);
		}
		if (i >= n_reserved && available < demands[i].quantity)
			appendStringInfo(&detail, "%s\"%s\": " INT64_FORMAT " requested, " INT64_FORMAT
							 " available",
							 detail.len > 0 ? "; " : "", demands[i].sku,
							 demands[i].quantity, available);
	}
	ereport(ERROR,
			(errcode(ERRCODE_OE_STOCK_SHORT),
			 errmsg("insufficient stock"),
			 detail.len > 0 ? errdetail("%s.", detail.data) : 0,
			 errhint("Order less, or try again after stock has been added.")));
}

void
stock_reserve(int64 order_id, const StockDemand *demands, int n, TimestampTz at)
{
	Appender   *ledger;
	Datum		values[3];
	int			i;

	/* In product order, by which the demands are sorted, so that two buyers never deadlock. */
	for (i = 0; i < n; i++)
	{
		values[0] = Int64GetDatum(demands[i].product_id);
		values[1] = Int16GetDatum(FIRST_STRIPE);
		values[2] = Int64GetDatum(demands[i].quantity);
		if (plan_write(&reserve_one, values, NULL, 0) != 1)
			raise_stock_short(demands, n, i);
	}
	stock_wait_no_more();
	ledger = append_open("stock_ledger");
	for (i = 0; i < n; i++)
		append_ledger(ledger, order_id, demands[i].product_id, 0, -demands[i].quantity,
					  demands[i].quantity, 0, at, LEDGER_RESERVE, FIRST_STRIPE, NULL);
	append_close(ledger);
}

/* ---- release and consume ---- */

static int
compare_movements(const void *a, const void *b)
{
	const Movement *left = a;
	const Movement *right = b;

	if (left->product_id != right->product_id)
		return left->product_id < right->product_id ? -1 : 1;
	if (left->stripe != right->stripe)
		return (int) left->stripe - (int) right->stripe;
	return (left->order_id > right->order_id) - (left->order_id < right->order_id);
}

/*
 * Sort what lines of orders held by stock row and order, and add up lines of the same product of
 * an order, which the ledger shows as one; returns how many are left.
 */
static int
merge_movements(Movement *movements, int n)
{
	int			last = 0;
	int			i;

	qsort(movements, n, sizeof(Movement), compare_movements);
	for (i = 1; i < n; i++)
	{
		if (compare_movements(&movements[i], &movements[last]) == 0)
			movements[last].quantity += movements[i].quantity;
		else
			movements[++last] = movements[i];
	}
	return last + 1;
}

/*
 * One UPDATE for the whole batch of merged movements: a popular product is written once, not once
 * per order.
 */
static void
update_stock(SavedPlan *plan, const Movement *movements, int n)
{
	int64	   *products = palloc(sizeof(int64) * n);
	int16	   *stripes = palloc(sizeof(int16) * n);
	int64	   *quantities = palloc(sizeof(int64) * n);
	Datum		values[3];
	int			rows = 0;
	int			i;

	for (i = 0; i < n; i++)
	{
		if (rows == 0 || products[rows - 1] != movements[i].product_id ||
			stripes[rows - 1] != movements[i].stripe)
		{
			products[rows] = movements[i].product_id;
			stripes[rows] = movements[i].stripe;
			quantities[rows++] = 0;
		}
		quantities[rows - 1] += movements[i].quantity;
	}
	values[0] = int64_array(products, rows);
	values[1] = int16_array(stripes, rows);
	values[2] = int64_array(quantities, rows);
	if (plan_write(plan, values, NULL, 0) != (uint64) rows)
		ereport(ERROR,
				(errcode(ERRCODE_OE_INVARIANT),
				 errmsg("a stock row of a reservation is missing")));
}

/*
 * A product that is ordered all the time is never free, but whoever waits for it gets his turn.
 * So one of the rows that were not free the last time is waited for, if it is needed again; any
 * one, as another may be held for long, and before any other is locked, so that nobody waits
 * in a circle. It is locked then, or not.
 */
static void
wait_for_taken_row(Datum order_ids)
{
	Datum		values[3] = {order_ids, Int64GetDatum(taken.product_id),
	Int16GetDatum(taken.stripe)};

	if (taken.product_id != 0 && waits_no_more != MyLocalTransactionId)
		(void) plan_query_unless_busy(&lock_row, values, NULL);
	taken.product_id = 0;
}

/* After the others were locked: one to wait for the next time. */
static void
remember_taken_row(const Datum *values)
{
	if (plan_query(&find_taken, values, NULL, 0) == 0)
		return;
	taken.product_id = row_int64(0, 1);
	taken.stripe = row_int16(0, 2);
}

/* Lock the stock rows that are free, and mark the orders that need another one. */
static void
mark_busy_orders(const int64 *order_ids, int n, bool *busy)
{
	Datum		values[3] = {int64_array(order_ids, n)};
	int64	   *products;
	int16	   *stripes;
	int			locked;
	int			found;
	int			i,
				j;

	if (locks_are_brief())
		wait_for_taken_row(values[0]);
	locked = (int) plan_query(&lock_free_rows, values, NULL, 0);
	if (locked > 0)
		stock_wait_no_more();
	products = palloc(sizeof(int64) * Max(locked, 1));
	stripes = palloc(sizeof(int16) * Max(locked, 1));
	for (i = 0; i < locked; i++)
	{
		products[i] = row_int64(i, 1);
		stripes[i] = row_int16(i, 2);
	}
	values[1] = int64_array(products, locked);
	values[2] = int16_array(stripes, locked);
	found = (int) plan_query(&find_busy, values, NULL, 0);
	for (i = 0; i < found; i++)
	{
		for (j = 0; j < n; j++)
			busy[j] |= order_ids[j] == row_int64(i, 1);
	}
	if (found > 0 && locks_are_brief())
		remember_taken_row(values);
}

/* End the open reservations found by a plan, and move what they held. */
static void
end_reservations(SavedPlan *end, SavedPlan *move, const int64 *order_ids, int n,
				 TimestampTz at, LedgerKind kind)
{
	Datum		values[1] = {int64_array(order_ids, n)};
	int			ended = (int) plan_write(end, values, NULL, 0);
	Movement   *movements;
	Appender   *ledger;
	int			i;

	if (ended == 0)
		return;
	stock_wait_no_more();
	movements = palloc(sizeof(Movement) * ended);
	for (i = 0; i < ended; i++)
	{
		movements[i].product_id = row_int64(i, 1);
		movements[i].stripe = row_int16(i, 2);
		movements[i].quantity = row_int32(i, 3);
		movements[i].order_id = row_int64(i, 4);
	}
	ended = merge_movements(movements, ended);
	update_stock(move, movements, ended);

	ledger = append_open("stock_ledger");
	for (i = 0; i < ended; i++)
		append_ledger(ledger, movements[i].order_id, movements[i].product_id, 0,
					  kind == LEDGER_RELEASE ? movements[i].quantity : 0,
					  -movements[i].quantity,
					  kind == LEDGER_CONSUME ? movements[i].quantity : 0,
					  at, kind, movements[i].stripe, NULL);
	append_close(ledger);
}

void
stock_release(const int64 *order_ids, int n, TimestampTz at, bool *busy)
{
	int64	   *free_ids = palloc(sizeof(int64) * Max(n, 1));
	int			n_free = 0;
	int			i;

	if (may_not_wait())
		mark_busy_orders(order_ids, n, busy);
	for (i = 0; i < n; i++)
	{
		if (!busy[i])
			free_ids[n_free++] = order_ids[i];
	}
	end_reservations(&close_reservations, &release_many, free_ids, n_free, at, LEDGER_RELEASE);
}

void
stock_lock(const int64 *order_ids, int n, bool *busy)
{
	Datum		values[1] = {int64_array(order_ids, n)};

	if (may_not_wait())
		mark_busy_orders(order_ids, n, busy);
	else if (plan_query(&lock_rows, values, NULL, 0) > 0)
		stock_wait_no_more();
}

void
stock_consume(const int64 *order_ids, int n, TimestampTz at)
{
	end_reservations(&consume_reservations, &consume_many, order_ids, n, at, LEDGER_CONSUME);
}

/* ---- take back ---- */

void
stock_take_back(int64 order_id, int64 after_sale_id, const int64 *products,
				const int32 *quantities, int n, LedgerKind kind, TimestampTz at, int32 *moved)
{
	Datum		values[3] = {Int64GetDatum(order_id), int64_array(products, n),
	int32_array(quantities, n)};
	Movement   *movements = palloc(sizeof(Movement) * n);
	int			n_movements = 0;
	int			found = (int) plan_query(&still_consumed, values, NULL, 0);
	Appender   *ledger;
	int			i;

	for (i = 0; i < found; i++)
	{
		int32		quantity = row_int32(i, 3);

		if (quantity <= 0)
			continue;
		movements[n_movements].product_id = row_int64(i, 1);
		movements[n_movements].stripe = row_int16(i, 2);
		movements[n_movements].order_id = order_id;
		movements[n_movements++].quantity = quantity;
		if (moved != NULL)
			moved[row_int32(i, 4) - 1] = quantity;
	}
	if (n_movements == 0)
		return;
	update_stock(kind == LEDGER_RETURN ? &return_many : &write_off_many, movements, n_movements);
	ledger = append_open("stock_ledger");
	for (i = 0; i < n_movements; i++)
		append_ledger(ledger, order_id, movements[i].product_id, after_sale_id,
					  kind == LEDGER_RETURN ? movements[i].quantity : 0, 0,
					  -movements[i].quantity, at, kind, movements[i].stripe, NULL);
	append_close(ledger);
}

/* ---- adjust and read ---- */

StockLevel
stock_level(int64 product_id)
{
	Datum		values[1] = {int64_array(&product_id, 1)};
	StockLevel	level = {0, 0, 0};

	if (plan_query(&read_levels, values, NULL, 1) > 0)
	{
		level.available = row_int64(0, 2);
		level.reserved = row_int64(0, 3);
		level.consumed = row_int64(0, 4);
	}
	return level;
}

StockLevel
stock_adjust(int64 product_id, const char *sku, int64 delta, const char *reason, TimestampTz at)
{
	Datum		values[3];
	Appender   *ledger;

	values[0] = Int64GetDatum(product_id);
	values[1] = Int16GetDatum(FIRST_STRIPE);
	values[2] = Int64GetDatum(delta);
	if (plan_write(&adjust_one, values, NULL, 0) == 0)
	{
		if (delta > 0)
			money_overflow("delta");
		ereport(ERROR,
				(errcode(ERRCODE_OE_STOCK_SHORT),
				 errmsg("stock of \"%s\" would become negative", sku),
				 errdetail(INT64_FORMAT " are available; the change is " INT64_FORMAT ".",
						   stock_level(product_id).available, delta),
				 errhint("Reserved units become available again when their orders are canceled.")));
	}
	ledger = append_open("stock_ledger");
	append_ledger(ledger, 0, product_id, id_next("stock_adjustment_seq"), delta, 0, 0,
				  at, LEDGER_ADJUST, FIRST_STRIPE, reason);
	append_close(ledger);
	return stock_level(product_id);
}
