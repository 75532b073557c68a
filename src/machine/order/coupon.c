/*
 * coupon.c
 *		The coupon machine. A coupon names the order that holds it; only that order frees it, when
 *		it is canceled or all of it has been returned.
 */
#include "compat.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"

#include "core/error_facts.h"
#include "core/errors.h"
#include "core/ids.h"
#include "core/locks.h"
#include "core/row.h"
#include "core/settings.h"
#include "core/spi_util.h"
#include "machine/order/coupon.h"
#include "machine/order/order.h"

static SavedPlan insert_coupon = SAVED_PLAN(
	"INSERT INTO order_ext_internal.coupons"
	" (user_id, amount, threshold, valid_from, valid_until, status, currency)"
	" VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING coupon_id",
	INT8OID, INT8OID, INT8OID, TIMESTAMPTZOID, TIMESTAMPTZOID, INT2OID, TEXTOID);

/* Columns of coupons_table. */
enum
{
	COUPONS_ID,
	COUPONS_USER_ID,
	COUPONS_AMOUNT,
	COUPONS_THRESHOLD,
	COUPONS_VALID_FROM,
	COUPONS_VALID_UNTIL,
	COUPONS_ORDER_ID,
	COUPONS_VERSION,
	COUPONS_STATUS,
	COUPONS_CURRENCY
};

static RowTable coupons_table = ROW_TABLE(
	"coupons", "coupons_pkey",
	"coupon_id", "user_id", "amount", "threshold", "valid_from", "valid_until", "order_id",
	"version", "status", "currency");

static SavedPlan used_coupons = SAVED_PLAN(
	"SELECT c.coupon_id, o.order_id"
	" FROM order_ext_internal.orders o"
	" JOIN order_ext_internal.coupons c ON c.coupon_id = o.coupon_id AND c.order_id = o.order_id"
	" WHERE o.order_id = ANY ($1) AND c.status = " CODE(COUPON_USED)
	" ORDER BY c.coupon_id",
	INT8ARRAYOID);

/*
 * Writes a new version of the payments, so that of two transactions that settle after-sales of an
 * order, each sees the other's or fails with 40001.
 */
static SavedPlan touch_payments = SAVED_PLAN(
	"UPDATE order_ext_internal.payments p SET version = p.version"
	" FROM order_ext_internal.coupons c"
	" JOIN order_ext_internal.orders o ON o.coupon_id = c.coupon_id AND o.order_id = c.order_id"
	" WHERE o.order_id = ANY ($1) AND o.status <> " CODE(ORDER_CANCELED)
	"  AND c.status = " CODE(COUPON_USED)
	"  AND p.order_id = o.order_id AND p.status = " CODE(PAYMENT_CAPTURED)
	"   AND p.purpose = " CODE(PURPOSE_APPLIED),
	INT8ARRAYOID);

static SavedPlan coupons_of_returned = SAVED_PLAN(
	"SELECT c.coupon_id, o.order_id"
	" FROM order_ext_internal.orders o"
	" JOIN order_ext_internal.coupons c ON c.coupon_id = o.coupon_id AND c.order_id = o.order_id"
	" WHERE o.order_id = ANY ($1) AND o.status <> " CODE(ORDER_CANCELED)
	"  AND c.status = " CODE(COUPON_USED)
	"  AND NOT EXISTS (SELECT FROM order_ext_internal.order_items i"
	"   WHERE i.order_id = o.order_id AND i.quantity >"
	"    (SELECT coalesce(sum(s.quantity), 0) FROM order_ext_internal.after_sale_items s"
	"     JOIN order_ext_internal.after_sales a ON a.after_sale_id = s.after_sale_id"
	"     WHERE s.order_id = i.order_id AND s.line = i.line"
	"      AND a.status = " CODE(AFTER_SALE_REFUNDED) "))"
	" ORDER BY c.coupon_id",
	INT8ARRAYOID);

static SavedPlan return_coupon = SAVED_PLAN(
	"UPDATE order_ext_internal.coupons SET order_id = NULL, version = version + 1,"
	"  status = CASE WHEN valid_until > $3 OR $4 THEN " CODE(COUPON_UNUSED)
	"   ELSE " CODE(COUPON_EXPIRED) " END,"
	"  valid_until = CASE WHEN valid_until <= $3 AND $4 THEN $5 ELSE valid_until END"
	" WHERE coupon_id = $1 AND order_id = $2 AND status = " CODE(COUPON_USED)
	" RETURNING version, status",
	INT8OID, INT8OID, TIMESTAMPTZOID, BOOLOID, TIMESTAMPTZOID);

void
coupon_issue(Journal *journal, Coupon *coupon)
{
	const Edge *edge = machine_edge(MACHINE_COUPON, STATUS_NONE, EVENT_ISSUE);
	Datum		values[7];

	values[0] = Int64GetDatum(coupon->user_id);
	values[1] = Int64GetDatum(coupon->amount);
	values[2] = Int64GetDatum(coupon->threshold);
	values[3] = TimestampTzGetDatum(coupon->valid_from);
	values[4] = TimestampTzGetDatum(coupon->valid_until);
	values[5] = Int16GetDatum(edge->to);
	values[6] = CStringGetTextDatum(coupon->currency);
	(void) plan_write(&insert_coupon, values, NULL, 0);
	coupon->coupon_id = row_int64(0, 1);
	coupon->status = edge->to;
	journal_transition(journal, MACHINE_COUPON, edge, coupon->coupon_id, 0, 1, ACTOR_STAFF, NULL);
}

static bool
find_coupon(Rows *rows, int64 coupon_id, Row *row)
{
	Datum		key = Int64GetDatum(coupon_id);

	return rows_find(rows, &key, 1, row);
}

bool
coupon_read(int64 coupon_id, Coupon *coupon)
{
	Rows	   *rows = rows_open(&coupons_table, ROWS_READ);
	Row			row;
	bool		found = find_coupon(rows, coupon_id, &row);

	rows_close(rows);
	if (!found)
		return false;
	coupon->coupon_id = row_get_int64(&row, COUPONS_ID);
	coupon->user_id = row_get_int64(&row, COUPONS_USER_ID);
	coupon->amount = row_get_int64(&row, COUPONS_AMOUNT);
	coupon->threshold = row_get_int64(&row, COUPONS_THRESHOLD);
	coupon->valid_from = row_get_timestamptz(&row, COUPONS_VALID_FROM);
	coupon->valid_until = row_get_timestamptz(&row, COUPONS_VALID_UNTIL);
	coupon->status = row_get_int16(&row, COUPONS_STATUS);
	coupon->currency = row_get_text(&row, COUPONS_CURRENCY);
	return true;
}

/* Move a coupon that was found along an edge; order_id is that of its new status, 0: of none. */
static bool
move_coupon(Journal *journal, Rows *rows, Row *row, const Edge *edge, int64 order_id,
			int64 logged_order_id, char actor)
{
	int32		version = row_get_int32(row, COUPONS_VERSION) + 1;

	row_set(row, COUPONS_STATUS, Int16GetDatum(edge->to));
	row_set(row, COUPONS_VERSION, Int32GetDatum(version));
	if (order_id != 0)
		row_set(row, COUPONS_ORDER_ID, Int64GetDatum(order_id));
	else
		row_set_null(row, COUPONS_ORDER_ID);
	if (!rows_update(rows, row))
		return false;
	journal_transition(journal, MACHINE_COUPON, edge, row_get_int64(row, COUPONS_ID),
					   logged_order_id, version, actor, NULL);
	return true;
}

void
coupon_lock(Journal *journal, int64 coupon_id, int64 order_id)
{
	Rows	   *rows;
	Row			row;
	bool		locked;

	lock_wait(LOCK_COUPON, coupon_id);
	rows = rows_open(&coupons_table, ROWS_CHANGE);
	locked = find_coupon(rows, coupon_id, &row) &&
		row_get_int16(&row, COUPONS_STATUS) == COUPON_UNUSED &&
		move_coupon(journal, rows, &row,
					machine_edge(MACHINE_COUPON, COUPON_UNUSED, EVENT_LOCK), order_id, order_id,
					ACTOR_BUYER);
	rows_close(rows);
	if (!locked)
		ereport(ERROR,
				(errcode(ERRCODE_OE_COUPON_TAKEN),
				 errmsg("coupon " INT64_FORMAT " is already in use", coupon_id),
				 error_facts("It is locked or used by another order.",
							 FACT_ID("coupon_id", coupon_id)),
				 errhint("Use another coupon or none.")));
}

void
coupon_use(Journal *journal, int64 coupon_id, int64 order_id, char actor)
{
	Rows	   *rows = rows_open(&coupons_table, ROWS_CHANGE);
	Row			row;
	bool		used;

	used = find_coupon(rows, coupon_id, &row) &&
		row_get_int16(&row, COUPONS_STATUS) == COUPON_LOCKED &&
		row_get_int64_or(&row, COUPONS_ORDER_ID, 0) == order_id &&
		move_coupon(journal, rows, &row,
					machine_edge(MACHINE_COUPON, COUPON_LOCKED, EVENT_USE), order_id, order_id,
					actor);
	rows_close(rows);
	if (!used)
		ereport(ERROR,
				(errcode(ERRCODE_OE_INVARIANT),
				 errmsg("coupon " INT64_FORMAT " is not locked by its order", coupon_id),
				 error_facts("The order is {order_id}.",
							 FACT_ID("coupon_id", coupon_id), FACT_ID("order_id", order_id)),
				 errhint("This is a bug in order_ext; nothing was changed.")));
}

static void
mark_busy(const int64 *order_ids, int n, bool *busy, int64 order_id)
{
	int			i;

	for (i = 0; i < n; i++)
	{
		if (order_ids[i] == order_id)
			busy[i] = true;
	}
}

/* A coupon, and the order that it names. */
typedef struct HeldCoupon
{
	int64		coupon_id;
	int64		order_id;
} HeldCoupon;

static int
compare_held(const void *a, const void *b)
{
	return id_compare(&((const HeldCoupon *) a)->coupon_id, &((const HeldCoupon *) b)->coupon_id);
}

/* Keep those whose locks are free; returns how many. */
static int
lock_held(HeldCoupon *held, int found, const int64 *order_ids, int n, bool *busy)
{
	int64	   *coupons = palloc(sizeof(int64) * Max(found, 1));
	bool	   *not_taken = palloc(sizeof(bool) * Max(found, 1));
	int			locked = 0;
	int			i;

	qsort(held, found, sizeof(HeldCoupon), compare_held);
	for (i = 0; i < found; i++)
		coupons[i] = held[i].coupon_id;
	(void) lock_try_all(LOCK_COUPON, coupons, found, not_taken);
	for (i = 0; i < found; i++)
	{
		if (not_taken[i])
			mark_busy(order_ids, n, busy, held[i].order_id);
		else
			held[locked++] = held[i];
	}
	return locked;
}

/* Whether the coupon is locked or used by the order. */
static bool
is_held(Rows *rows, const HeldCoupon *held, Row *row)
{
	int16		status;

	if (!find_coupon(rows, held->coupon_id, row) ||
		row_get_int64_or(row, COUPONS_ORDER_ID, 0) != held->order_id)
		return false;
	status = row_get_int16(row, COUPONS_STATUS);
	return status == COUPON_LOCKED || status == COUPON_USED;
}

/* The coupons that canceled ones among the orders hold. */
static HeldCoupon *
coupons_of_canceled(const int64 *order_ids, int n, int *found)
{
	int			n_orders;
	Order	   *orders = orders_read_in_status(order_ids, n, ORDER_CANCELED, &n_orders);
	HeldCoupon *held = palloc(sizeof(HeldCoupon) * Max(n_orders, 1));
	Rows	   *rows = rows_open(&coupons_table, ROWS_READ);
	Row			row;
	int			i;

	*found = 0;
	for (i = 0; i < n_orders; i++)
	{
		HeldCoupon *next = &held[*found];

		next->coupon_id = orders[i].coupon_id;
		next->order_id = orders[i].order_id;
		if (next->coupon_id != 0 && is_held(rows, next, &row))
			(*found)++;
	}
	rows_close(rows);
	return held;
}

static void
release_one(Journal *journal, Rows *rows, const HeldCoupon *held)
{
	Row			row;
	Event		event;
	const Edge *edge;

	if (!is_held(rows, held, &row))
		return;
	event = row_get_timestamptz(&row, COUPONS_VALID_UNTIL) > journal_time(journal) ?
		EVENT_RELEASE : EVENT_LAPSE;
	edge = machine_edge(MACHINE_COUPON, row_get_int16(&row, COUPONS_STATUS), event);
	if (!move_coupon(journal, rows, &row, edge, 0, held->order_id, ACTOR_SYSTEM))
		error_conflict("coupon " INT64_FORMAT " was changed by another transaction",
					   held->coupon_id);
}

void
coupons_release(Journal *journal, const int64 *order_ids, int n, bool *busy)
{
	int			found;
	HeldCoupon *held = coupons_of_canceled(order_ids, n, &found);
	int			locked = lock_held(held, found, order_ids, n, busy);
	Rows	   *rows;
	int			i;

	if (locked == 0)
		return;
	rows = rows_open(&coupons_table, ROWS_CHANGE);
	for (i = 0; i < locked; i++)
		release_one(journal, rows, &held[i]);
	rows_close(rows);
}

/* ---- the order has been returned ---- */

void
coupons_lock_used(const int64 *order_ids, int n, bool *busy)
{
	Datum		values[1] = {int64_array(order_ids, n)};
	int			found = (int) plan_query(&used_coupons, values, NULL, 0);
	HeldCoupon *used = palloc(sizeof(HeldCoupon) * Max(found, 1));
	int			i;

	for (i = 0; i < found; i++)
	{
		used[i].coupon_id = row_int64(i, 1);
		used[i].order_id = row_int64(i, 2);
	}
	(void) lock_held(used, found, order_ids, n, busy);
}

static void
return_one(Journal *journal, int64 coupon_id, int64 order_id)
{
	TimestampTz now = journal_time(journal);
	Datum		values[5];
	Event		event;

	lock_wait(LOCK_COUPON, coupon_id);
	values[0] = Int64GetDatum(coupon_id);
	values[1] = Int64GetDatum(order_id);
	values[2] = TimestampTzGetDatum(now);
	values[3] = BoolGetDatum(setting_coupon_return == COUPON_RETURN_EXTEND);
	values[4] = TimestampTzGetDatum(now + setting_coupon_extension * USECS_PER_SEC);
	if (plan_write(&return_coupon, values, NULL, 0) == 0)
		return;
	event = row_int16(0, 2) == COUPON_UNUSED ? EVENT_RELEASE : EVENT_LAPSE;
	journal_transition(journal, MACHINE_COUPON, machine_edge(MACHINE_COUPON, COUPON_USED, event),
					   coupon_id, order_id, row_int32(0, 1), ACTOR_SYSTEM, NULL);
}

void
coupons_return(Journal *journal, const int64 *order_ids, int n)
{
	Datum		values[1] = {int64_array(order_ids, n)};
	int64	   *coupons;
	int64	   *orders;
	int			found;
	int			i;

	if (plan_write(&touch_payments, values, NULL, 0) == 0)
		return;
	found = (int) plan_query(&coupons_of_returned, values, NULL, 0);
	coupons = palloc(sizeof(int64) * Max(found, 1));
	orders = palloc(sizeof(int64) * Max(found, 1));
	for (i = 0; i < found; i++)
	{
		coupons[i] = row_int64(i, 1);
		orders[i] = row_int64(i, 2);
	}
	for (i = 0; i < found; i++)
		return_one(journal, coupons[i], orders[i]);
}
