/*
 * coupon.c
 *		The coupon machine. A coupon names the order that holds it; only the cancellation of that
 *		order frees it.
 */
#include "compat.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"

#include "core/errors.h"
#include "core/locks.h"
#include "core/settings.h"
#include "core/spi_util.h"
#include "machine/coupon.h"
#include "machine/stock.h"

static SavedPlan insert_coupon = SAVED_PLAN(
	"INSERT INTO order_ext_internal.coupons"
	" (user_id, amount, threshold, valid_from, valid_until, status, currency)"
	" VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING coupon_id",
	INT8OID, INT8OID, INT8OID, TIMESTAMPTZOID, TIMESTAMPTZOID, INT2OID, TEXTOID);

static SavedPlan read_coupon = SAVED_PLAN(
	"SELECT coupon_id, user_id, amount, threshold, valid_from, valid_until, status, currency"
	" FROM order_ext_internal.coupons WHERE coupon_id = $1",
	INT8OID);

static SavedPlan lock_coupon = SAVED_PLAN(
	"UPDATE order_ext_internal.coupons SET status = $4, order_id = $2, version = version + 1"
	" WHERE coupon_id = $1 AND status = $3 RETURNING version",
	INT8OID, INT8OID, INT2OID, INT2OID);

static SavedPlan use_coupon = SAVED_PLAN(
	"UPDATE order_ext_internal.coupons SET status = $4, version = version + 1"
	" WHERE coupon_id = $1 AND order_id = $2 AND status = $3 RETURNING version",
	INT8OID, INT8OID, INT2OID, INT2OID);

static SavedPlan used_coupons = SAVED_PLAN(
	"SELECT c.coupon_id, o.order_id"
	" FROM order_ext_internal.orders o"
	" JOIN order_ext_internal.coupons c ON c.coupon_id = o.coupon_id AND c.order_id = o.order_id"
	" WHERE o.order_id = ANY ($1) AND c.status = " CODE(COUPON_USED)
	" ORDER BY c.coupon_id",
	INT8ARRAYOID);

static SavedPlan held_coupons = SAVED_PLAN(
	"SELECT c.coupon_id, o.order_id"
	" FROM order_ext_internal.orders o"
	" JOIN order_ext_internal.coupons c ON c.coupon_id = o.coupon_id AND c.order_id = o.order_id"
	" WHERE o.order_id = ANY ($1) AND o.status = " CODE(ORDER_CANCELED)
	"  AND c.status IN (" COUPONS_HELD ")"
	" ORDER BY c.coupon_id",
	INT8ARRAYOID);

/* The old status is needed for the log; it cannot change, since the coupon is locked. */
static SavedPlan release_coupons = SAVED_PLAN(
	"UPDATE order_ext_internal.coupons c"
	" SET status = CASE WHEN c.valid_until > $3 THEN " CODE(COUPON_UNUSED)
	"  ELSE " CODE(COUPON_EXPIRED) " END,"
	"     order_id = NULL, version = c.version + 1"
	" FROM unnest($1, $2) AS held (coupon_id, order_id),"
	"      order_ext_internal.coupons before"
	" WHERE c.coupon_id = held.coupon_id AND c.order_id = held.order_id"
	"   AND c.status IN (" COUPONS_HELD ") AND before.coupon_id = c.coupon_id"
	" RETURNING c.coupon_id, held.order_id, c.version, c.status, before.status",
	INT8ARRAYOID, INT8ARRAYOID, TIMESTAMPTZOID);

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
	"     WHERE s.order_id = i.order_id AND s.product_id = i.product_id"
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

bool
coupon_read(int64 coupon_id, Coupon *coupon)
{
	Datum		values[1] = {Int64GetDatum(coupon_id)};

	if (plan_query(&read_coupon, values, NULL, 1) == 0)
		return false;
	coupon->coupon_id = row_int64(0, 1);
	coupon->user_id = row_int64(0, 2);
	coupon->amount = row_int64(0, 3);
	coupon->threshold = row_int64(0, 4);
	coupon->valid_from = row_timestamptz(0, 5);
	coupon->valid_until = row_timestamptz(0, 6);
	coupon->status = row_int16(0, 7);
	coupon->currency = row_text(0, 8);
	return true;
}

/* Move one coupon along an edge for its order; false if it is in another status. */
static bool
fire(Journal *journal, SavedPlan *plan, int16 from, Event event,
	 int64 coupon_id, int64 order_id, char actor)
{
	const Edge *edge = machine_edge(MACHINE_COUPON, from, event);
	Datum		values[4];

	values[0] = Int64GetDatum(coupon_id);
	values[1] = Int64GetDatum(order_id);
	values[2] = Int16GetDatum(edge->from);
	values[3] = Int16GetDatum(edge->to);
	if (plan_write(plan, values, NULL, 0) == 0)
		return false;
	journal_transition(journal, MACHINE_COUPON, edge, coupon_id, order_id,
					   row_int32(0, 1), actor, NULL);
	return true;
}

void
coupon_lock(Journal *journal, int64 coupon_id, int64 order_id)
{
	lock_wait(LOCK_COUPON, coupon_id);
	if (!fire(journal, &lock_coupon, COUPON_UNUSED, EVENT_LOCK, coupon_id, order_id, ACTOR_BUYER))
		ereport(ERROR,
				(errcode(ERRCODE_OE_COUPON_TAKEN),
				 errmsg("coupon " INT64_FORMAT " is already in use", coupon_id),
				 errdetail("It is locked or used by another order."),
				 errhint("Use another coupon or none.")));
}

void
coupon_use(Journal *journal, int64 coupon_id, int64 order_id, char actor)
{
	if (!fire(journal, &use_coupon, COUPON_LOCKED, EVENT_USE, coupon_id, order_id, actor))
		ereport(ERROR,
				(errcode(ERRCODE_OE_INVARIANT),
				 errmsg("coupon " INT64_FORMAT " is not locked by its order", coupon_id),
				 errdetail("The order is " INT64_FORMAT ".", order_id)));
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

/* The coupons found by the plan whose locks are free, and their orders. */
static int
lock_coupons_of(SavedPlan *plan, const int64 *order_ids, int n, bool *busy, int64 **coupons,
				int64 **orders)
{
	Datum		values[1] = {int64_array(order_ids, n)};
	int			found = (int) plan_query(plan, values, NULL, 0);
	bool	   *not_taken = palloc(sizeof(bool) * Max(found, 1));
	int			locked = 0;
	int			i;

	*coupons = palloc(sizeof(int64) * Max(found, 1));
	*orders = palloc(sizeof(int64) * Max(found, 1));
	for (i = 0; i < found; i++)
	{
		(*coupons)[i] = row_int64(i, 1);
		(*orders)[i] = row_int64(i, 2);
	}
	(void) lock_try_all(LOCK_COUPON, *coupons, found, not_taken);
	for (i = 0; i < found; i++)
	{
		if (not_taken[i])
			mark_busy(order_ids, n, busy, (*orders)[i]);
		else
		{
			(*coupons)[locked] = (*coupons)[i];
			(*orders)[locked++] = (*orders)[i];
		}
	}
	/* a buyer who holds stock locks may wait for these coupons */
	if (locked > 0)
		stock_wait_no_more();
	return locked;
}

void
coupons_release(Journal *journal, const int64 *order_ids, int n, bool *busy)
{
	Datum		values[3];
	int64	   *coupons;
	int64	   *orders;
	int			locked = lock_coupons_of(&held_coupons, order_ids, n, busy, &coupons, &orders);
	int			held;
	int			i;

	if (locked == 0)
		return;
	values[0] = int64_array(coupons, locked);
	values[1] = int64_array(orders, locked);
	values[2] = TimestampTzGetDatum(journal_time(journal));
	held = (int) plan_write(&release_coupons, values, NULL, 0);
	for (i = 0; i < held; i++)
	{
		Event		event = row_int16(i, 4) == COUPON_UNUSED ? EVENT_RELEASE : EVENT_LAPSE;

		journal_transition(journal, MACHINE_COUPON,
						   machine_edge(MACHINE_COUPON, row_int16(i, 5), event),
						   row_int64(i, 1), row_int64(i, 2), row_int32(i, 3), ACTOR_SYSTEM, NULL);
	}
}

/* ---- the order has been returned ---- */

void
coupons_lock_used(const int64 *order_ids, int n, bool *busy)
{
	int64	   *coupons;
	int64	   *orders;

	(void) lock_coupons_of(&used_coupons, order_ids, n, busy, &coupons, &orders);
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
