/*
 * order.c
 *		The order machine: reads and moves rows of the table orders.
 */
#include "compat.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"

#include "core/errors.h"
#include "core/spi_util.h"
#include "machine/order.h"

#define ORDER_COLUMNS \
	"order_id, user_id, pay_amount, coupon_id, expire_at, version, status, currency," \
	" address_changes, removed_at IS NOT NULL"

static SavedPlan read_order = SAVED_PLAN(
	"SELECT " ORDER_COLUMNS " FROM order_ext_internal.orders WHERE order_id = $1",
	INT8OID);

static SavedPlan read_current = SAVED_PLAN(
	"SELECT " ORDER_COLUMNS " FROM order_ext_internal.orders WHERE order_id = $1"
	" FOR NO KEY UPDATE",
	INT8OID);

static SavedPlan touch_order = SAVED_PLAN(
	"UPDATE order_ext_internal.orders SET version = version WHERE order_id = $1",
	INT8OID);

static SavedPlan read_in_status = SAVED_PLAN(
	"SELECT " ORDER_COLUMNS " FROM order_ext_internal.orders"
	" WHERE order_id = ANY ($1) AND status = $2 ORDER BY order_id",
	INT8ARRAYOID, INT2OID);

static SavedPlan read_statuses = SAVED_PLAN(
	"SELECT order_id, status FROM order_ext_internal.orders"
	" WHERE order_id = ANY ($1) ORDER BY order_id",
	INT8ARRAYOID);

static SavedPlan insert_order = SAVED_PLAN(
	"INSERT INTO order_ext_internal.orders"
	" (order_id, user_id, origin_amount, discount_amount, freight_amount, pay_amount,"
	"  coupon_id, created_at, expire_at, version, status, currency, external_id, options)"
	" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 1, $10, $11, $12, $13)"
	" ON CONFLICT (order_id) DO NOTHING",
	INT8OID, INT8OID, INT8OID, INT8OID, INT8OID, INT8OID,
	INT8OID, TIMESTAMPTZOID, TIMESTAMPTZOID, INT2OID, TEXTOID, TEXTOID, JSONBOID);

static SavedPlan move_orders = SAVED_PLAN(
	"UPDATE order_ext_internal.orders"
	" SET status = $3, version = version + 1,"
	"     paid_at = CASE WHEN $3 = " CODE(ORDER_PAID) " THEN $4 ELSE paid_at END"
	" WHERE order_id = ANY ($1) AND status = $2",
	INT8ARRAYOID, INT2OID, INT2OID, TIMESTAMPTZOID);

static SavedPlan cancel_orders = SAVED_PLAN(
	"UPDATE order_ext_internal.orders"
	" SET status = $3, version = version + 1,"
	"     canceled_at = $4, cancel_type = $5, refund_hold = $6"
	" WHERE order_id = ANY ($1) AND status = $2",
	INT8ARRAYOID, INT2OID, INT2OID, TIMESTAMPTZOID, INT2OID, BOOLOID);

static SavedPlan change_address = SAVED_PLAN(
	"UPDATE order_ext_internal.orders"
	" SET status = $3, version = version + 1, address_changes = address_changes + 1,"
	"     options = options || pg_catalog.jsonb_build_object('address', $4)"
	" WHERE order_id = ANY ($1) AND status = $2",
	INT8ARRAYOID, INT2OID, INT2OID, JSONBOID);

static SavedPlan remove_orders = SAVED_PLAN(
	"UPDATE order_ext_internal.orders"
	" SET status = $3, version = version + 1, removed_at = $4"
	" WHERE order_id = ANY ($1) AND status = $2",
	INT8ARRAYOID, INT2OID, INT2OID, TIMESTAMPTZOID);

static SavedPlan expire_orders = SAVED_PLAN(
	"UPDATE order_ext_internal.orders"
	" SET status = $3, version = version + 1, canceled_at = $4, cancel_type = $5"
	" WHERE order_id = ANY ($1) AND status = $2 AND expire_at <= $4"
	" RETURNING " ORDER_COLUMNS,
	INT8ARRAYOID, INT2OID, INT2OID, TIMESTAMPTZOID, INT2OID);

static void
order_from_row(Order *order, uint64 row)
{
	order->order_id = row_int64(row, 1);
	order->user_id = row_int64(row, 2);
	order->pay_amount = row_int64(row, 3);
	order->coupon_id = row_int64_or(row, 4, 0);
	order->expire_at = row_timestamptz(row, 5);
	order->version = row_int32(row, 6);
	order->status = row_int16(row, 7);
	order->currency = row_text(row, 8);
	order->address_changes = row_int16(row, 9);
	order->removed = row_bool(row, 10);
}

static bool
read_by(SavedPlan *plan, int64 order_id, Order *order)
{
	Datum		values[1] = {Int64GetDatum(order_id)};

	if (plan_query(plan, values, NULL, 1) == 0)
		return false;
	order_from_row(order, 0);
	return true;
}

bool
order_read_current(int64 order_id, Order *order)
{
	return read_by(IsolationUsesXactSnapshot() ? &read_current : &read_order, order_id, order);
}

void
order_result(CallResult *result, int64 order_id, const Order *order)
{
	result->id = order_id;
	result->id_is_null = (order == NULL);
	result->status = order != NULL ? machine_status_name(MACHINE_ORDER, order->status) : NULL;
	result->version = order != NULL ? order->version : 0;
}

void
order_touch(int64 order_id)
{
	Datum		values[1] = {Int64GetDatum(order_id)};

	(void) plan_write(&touch_order, values, NULL, 0);
}

void
order_read_or_fail(int64 order_id, Order *order)
{
	if (!read_by(&read_order, order_id, order))
		ereport(ERROR,
				(errcode(ERRCODE_OE_NOT_FOUND),
				 errmsg("order " INT64_FORMAT " does not exist", order_id),
				 errdetail("No order in this database has that ID."),
				 errhint("Use an ID returned by create_order.")));
}

Order *
orders_read_in_status(const int64 *ids, int n, OrderStatus status, int *n_orders)
{
	Datum		values[2] = {int64_array(ids, n), Int16GetDatum(status)};
	Order	   *orders;
	int			i;

	*n_orders = (int) plan_query(&read_in_status, values, NULL, 0);
	orders = palloc(sizeof(Order) * Max(*n_orders, 1));
	for (i = 0; i < *n_orders; i++)
		order_from_row(&orders[i], i);
	return orders;
}

bool
order_create(Journal *journal, NewOrder *new_order, Jsonb *detail)
{
	const Edge *edge = machine_edge(MACHINE_ORDER, STATUS_NONE, EVENT_CREATE);
	Order	   *order = &new_order->order;
	Datum		values[13];
	char		nulls[13];

	memset(nulls, ' ', sizeof(nulls));
	values[0] = Int64GetDatum(order->order_id);
	values[1] = Int64GetDatum(order->user_id);
	values[2] = Int64GetDatum(new_order->origin_amount);
	values[3] = Int64GetDatum(new_order->discount_amount);
	values[4] = Int64GetDatum(new_order->freight_amount);
	values[5] = Int64GetDatum(order->pay_amount);
	values[6] = Int64GetDatum(order->coupon_id);
	nulls[6] = order->coupon_id == 0 ? 'n' : ' ';
	values[7] = TimestampTzGetDatum(new_order->created_at);
	values[8] = TimestampTzGetDatum(order->expire_at);
	values[9] = Int16GetDatum(edge->to);
	values[10] = CStringGetTextDatum(order->currency);
	values[11] = new_order->external_id ? CStringGetTextDatum(new_order->external_id) : (Datum) 0;
	nulls[11] = new_order->external_id ? ' ' : 'n';
	values[12] = PointerGetDatum(new_order->options);
	if (plan_write(&insert_order, values, nulls, 0) == 0)
		return false;

	order->status = edge->to;
	order->version = 1;
	journal_transition(journal, MACHINE_ORDER, edge, order->order_id, order->order_id,
					   order->version, ACTOR_BUYER, detail);
	journal_edge_messages(journal, edge, order->order_id, order->user_id, order->version);
	return true;
}

static uint64
update_orders(const int64 *ids, int n, const Edge *edge, TimestampTz at, const OrderChange *change)
{
	Datum		values[6];

	values[0] = int64_array(ids, n);
	values[1] = Int16GetDatum(edge->from);
	values[2] = Int16GetDatum(edge->to);
	values[3] = TimestampTzGetDatum(at);
	if (change->removes)
		return plan_write(&remove_orders, values, NULL, 0);
	if (change->address != NULL)
	{
		values[3] = JsonbPGetDatum(change->address);
		return plan_write(&change_address, values, NULL, 0);
	}
	if (!change->cancels)
		return plan_write(&move_orders, values, NULL, 0);
	values[4] = Int16GetDatum(change->cancel_type);
	values[5] = BoolGetDatum(change->refund_hold);
	return plan_write(&cancel_orders, values, NULL, 0);
}

/* Status and version only. */
static const OrderChange no_change = {0};

/* Writes the log rows and messages of orders that have moved along an edge. */
static void
journal_moves(Journal *journal, const Edge *edge, const Order *orders, int n, char actor,
			  const OrderChange *change, Jsonb *detail)
{
	int			i;

	for (i = 0; i < n; i++)
	{
		const Order *order = &orders[i];

		journal_transition(journal, MACHINE_ORDER, edge, order->order_id, order->order_id,
						   order->version, actor, detail);
		if (change->payloads != NULL)
			journal_edge_payload(journal, edge, order->order_id, change->payloads[i]);
		else
			journal_edge_messages(journal, edge, order->order_id, order->user_id, order->version);
	}
}

void
orders_fire(Journal *journal, Order *orders, int n, Event event, char actor,
			const OrderChange *change, Jsonb *detail)
{
	const Edge *edge;
	int64	   *ids;
	int			i;

	if (n == 0)
		return;
	if (change == NULL)
		change = &no_change;
	edge = machine_edge(MACHINE_ORDER, orders[0].status, event);
	ids = palloc(sizeof(int64) * n);
	for (i = 0; i < n; i++)
		ids[i] = orders[i].order_id;
	if (update_orders(ids, n, edge, journal_time(journal), change) != (uint64) n)
		error_conflict("an order was changed by another transaction");

	for (i = 0; i < n; i++)
	{
		orders[i].status = edge->to;
		orders[i].version++;
	}
	journal_moves(journal, edge, orders, n, actor, change, detail);
}

Order *
orders_expire(Journal *journal, const int64 *ids, int n, Jsonb *detail, int *n_orders)
{
	const Edge *edge = machine_edge(MACHINE_ORDER, ORDER_CREATED, EVENT_EXPIRE);
	Datum		values[5];
	Order	   *orders;
	int			i;

	values[0] = int64_array(ids, n);
	values[1] = Int16GetDatum(edge->from);
	values[2] = Int16GetDatum(edge->to);
	values[3] = TimestampTzGetDatum(journal_time(journal));
	values[4] = Int16GetDatum(CANCEL_BY_TIMEOUT);
	*n_orders = (int) plan_write(&expire_orders, values, NULL, 0);
	orders = palloc(sizeof(Order) * Max(*n_orders, 1));
	for (i = 0; i < *n_orders; i++)
		order_from_row(&orders[i], i);
	journal_moves(journal, edge, orders, *n_orders, ACTOR_SYSTEM, &no_change, detail);
	return orders;
}

void
order_statuses_source(const int64 *keys, int n, int16 *statuses)
{
	Datum		values[1] = {int64_array(keys, n)};
	int64	   *found_ids;
	int16	   *found;
	int			n_found = (int) plan_query(&read_statuses, values, NULL, 0);
	int			i;

	found_ids = palloc(sizeof(int64) * Max(n_found, 1));
	found = palloc(sizeof(int16) * Max(n_found, 1));
	for (i = 0; i < n_found; i++)
	{
		found_ids[i] = row_int64(i, 1);
		found[i] = row_int16(i, 2);
	}
	for (i = 0; i < n; i++)
	{
		int			low = 0;
		int			high = n_found;

		while (low < high)
		{
			int			middle = (low + high) / 2;

			if (found_ids[middle] < keys[i])
				low = middle + 1;
			else
				high = middle;
		}
		statuses[i] = (low < n_found && found_ids[low] == keys[i]) ? found[low] : -1;
	}
}
