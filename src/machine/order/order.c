/*
 * order.c
 *		The order machine: reads and moves rows of the table orders.
 */
#include "compat.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

#include "core/error_facts.h"
#include "core/errors.h"
#include "core/ids.h"
#include "core/row.h"
#include "core/spi_util.h"
#include "machine/archive/dropped.h"
#include "machine/archive/recall.h"
#include "machine/order/order.h"

/* Columns of orders_table. */
enum
{
	ORDERS_ID,
	ORDERS_USER_ID,
	ORDERS_ORIGIN_AMOUNT,
	ORDERS_DISCOUNT_AMOUNT,
	ORDERS_FREIGHT_AMOUNT,
	ORDERS_PAY_AMOUNT,
	ORDERS_COUPON_ID,
	ORDERS_CREATED_AT,
	ORDERS_EXPIRE_AT,
	ORDERS_PAID_AT,
	ORDERS_CANCELED_AT,
	ORDERS_REMOVED_AT,
	ORDERS_VERSION,
	ORDERS_STATUS,
	ORDERS_CANCEL_TYPE,
	ORDERS_REFUND_HOLD,
	ORDERS_ADDRESS_CHANGES,
	ORDERS_CURRENCY,
	ORDERS_EXTERNAL_ID,
	ORDERS_OPTIONS
};

static RowTable orders_table = ROW_TABLE(
	"orders", "orders_pkey",
	"order_id", "user_id", "origin_amount", "discount_amount", "freight_amount", "pay_amount",
	"coupon_id", "created_at", "expire_at", "paid_at", "canceled_at", "removed_at", "version",
	"status", "cancel_type", "refund_hold", "address_changes", "currency", "external_id",
	"options");

/* In REPEATABLE READ, a row that is newer than the snapshot raises 40001 here. */
static SavedPlan lock_current = SAVED_PLAN(
	"SELECT FROM order_ext_internal.orders WHERE order_id = $1 FOR NO KEY UPDATE",
	INT8OID);

static void
conflict(void)
{
	error_conflict("an order was changed by another transaction");
}

static void
order_from_row(Order *order, const Row *row)
{
	order->order_id = row_get_int64(row, ORDERS_ID);
	order->user_id = row_get_int64(row, ORDERS_USER_ID);
	order->origin_amount = row_get_int64(row, ORDERS_ORIGIN_AMOUNT);
	order->discount_amount = row_get_int64(row, ORDERS_DISCOUNT_AMOUNT);
	order->freight_amount = row_get_int64(row, ORDERS_FREIGHT_AMOUNT);
	order->pay_amount = row_get_int64(row, ORDERS_PAY_AMOUNT);
	order->coupon_id = row_get_int64_or(row, ORDERS_COUPON_ID, 0);
	order->expire_at = row_get_timestamptz(row, ORDERS_EXPIRE_AT);
	order->version = row_get_int32(row, ORDERS_VERSION);
	order->status = row_get_int16(row, ORDERS_STATUS);
	order->currency = row_get_text(row, ORDERS_CURRENCY);
	order->address_changes = row_get_int16(row, ORDERS_ADDRESS_CHANGES);
	order->removed = !row->nulls[ORDERS_REMOVED_AT];
	order->paid = !row->nulls[ORDERS_PAID_AT];
	order->external_id = row_get_text(row, ORDERS_EXTERNAL_ID);
	order->options = row->values[ORDERS_OPTIONS];
}

static bool
find_order(Rows *rows, int64 order_id, Row *row)
{
	Datum		key = Int64GetDatum(order_id);

	return rows_find(rows, &key, 1, row);
}

static bool
order_read(int64 order_id, Order *order)
{
	Datum		key = Int64GetDatum(order_id);
	Row			row;

	if (!row_find(&orders_table, &key, 1, &row) &&
		!(recall_order(order_id) && row_find(&orders_table, &key, 1, &row)))
		return false;
	order_from_row(order, &row);
	return true;
}

bool
order_read_current(int64 order_id, Order *order)
{
	Datum		values[1] = {Int64GetDatum(order_id)};

	if (IsolationUsesXactSnapshot())
		(void) plan_query(&lock_current, values, NULL, 1);
	return order_read(order_id, order);
}

void
order_result(CallResult *result, int64 order_id, const Order *order)
{
	DroppedOrder dropped;

	result->id = order_id;
	result->id_is_null = false;
	if (order != NULL)
	{
		result->status = machine_status_name(MACHINE_ORDER, order->status);
		result->version = order->version;
	}
	else if (dropped_read(order_id, &dropped))
	{
		result->status = machine_status_name(MACHINE_ORDER, dropped.status);
		result->version = dropped.version;
	}
	else
	{
		result->id_is_null = true;
		result->status = NULL;
		result->version = 0;
	}
}

void
order_touch(int64 order_id)
{
	Rows	   *rows = rows_open(&orders_table, ROWS_CHANGE);
	Row			row;

	if (find_order(rows, order_id, &row) && !rows_update(rows, &row))
		conflict();
	rows_close(rows);
}

void
order_read_or_fail(int64 order_id, Order *order)
{
	DroppedOrder dropped;

	if (order_read(order_id, order))
		return;
	if (dropped_read(order_id, &dropped))
		ereport(ERROR,
				(errcode(ERRCODE_OE_NOT_FOUND),
				 errmsg("order " INT64_FORMAT " was exported and dropped", order_id),
				 error_facts("It was dropped at {dropped_at}.", FACT_ID("order_id", order_id),
							 FACT_TIME("dropped_at", dropped.dropped_at)),
				 errhint("Its document is where it was exported to; restore_archived brings it "
						 "back.")));
	else
		ereport(ERROR,
				(errcode(ERRCODE_OE_NOT_FOUND),
				 errmsg("order " INT64_FORMAT " does not exist", order_id),
				 error_facts("No order in this database has that ID.",
							 FACT_ID("order_id", order_id)),
				 errhint("Use an ID returned by create_order.")));
}

void
order_check_owner(const Order *order, int64 user_id, const char *hint)
{
	if (order->user_id != user_id)
		ereport(ERROR,
				(errcode(ERRCODE_OE_NOT_OWNER),
				 errmsg("order " INT64_FORMAT " belongs to another user", order->order_id),
				 error_facts("User {user_id} is not its owner.",
							 FACT_ID("order_id", order->order_id), FACT_ID("user_id", user_id)),
				 errhint("%s", hint)));
}

Order *
orders_read_in_status(const int64 *ids, int n, OrderStatus status, int *n_orders)
{
	Rows	   *rows = rows_open(&orders_table, ROWS_READ);
	Order	   *orders = palloc(sizeof(Order) * Max(n, 1));
	int			n_sorted;
	int64	   *sorted = id_sort(ids, n, &n_sorted);
	Row			row;
	int			i;

	*n_orders = 0;
	for (i = 0; i < n_sorted; i++)
	{
		if (find_order(rows, sorted[i], &row) && row_get_int16(&row, ORDERS_STATUS) == status)
			order_from_row(&orders[(*n_orders)++], &row);
	}
	rows_close(rows);
	return orders;
}

/* False if the id is taken. */
static bool
insert_order(const NewOrder *new_order, int16 status)
{
	const Order *order = &new_order->order;
	Rows	   *rows = rows_open(&orders_table, ROWS_CHANGE);
	Datum		key = Int64GetDatum(order->order_id);
	Row			row;
	bool		is_free = !rows_is_taken(rows, &key, 1);

	if (is_free)
	{
		memset(row.nulls, true, sizeof(row.nulls));
		row_set(&row, ORDERS_ID, Int64GetDatum(order->order_id));
		row_set(&row, ORDERS_USER_ID, Int64GetDatum(order->user_id));
		row_set(&row, ORDERS_ORIGIN_AMOUNT, Int64GetDatum(order->origin_amount));
		row_set(&row, ORDERS_DISCOUNT_AMOUNT, Int64GetDatum(order->discount_amount));
		row_set(&row, ORDERS_FREIGHT_AMOUNT, Int64GetDatum(order->freight_amount));
		row_set(&row, ORDERS_PAY_AMOUNT, Int64GetDatum(order->pay_amount));
		if (order->coupon_id != 0)
			row_set(&row, ORDERS_COUPON_ID, Int64GetDatum(order->coupon_id));
		row_set(&row, ORDERS_CREATED_AT, TimestampTzGetDatum(new_order->created_at));
		row_set(&row, ORDERS_EXPIRE_AT, TimestampTzGetDatum(order->expire_at));
		row_set(&row, ORDERS_VERSION, Int32GetDatum(1));
		row_set(&row, ORDERS_STATUS, Int16GetDatum(status));
		row_set(&row, ORDERS_REFUND_HOLD, BoolGetDatum(false));
		row_set(&row, ORDERS_ADDRESS_CHANGES, Int16GetDatum(0));
		row_set(&row, ORDERS_CURRENCY, CStringGetTextDatum(order->currency));
		if (order->external_id != NULL)
			row_set(&row, ORDERS_EXTERNAL_ID, CStringGetTextDatum(order->external_id));
		row_set(&row, ORDERS_OPTIONS, order->options);
		rows_insert(rows, row.values, row.nulls);
	}
	rows_close(rows);
	return is_free;
}

bool
order_create(Journal *journal, NewOrder *new_order, Jsonb *detail)
{
	const Edge *edge = machine_edge(MACHINE_ORDER, STATUS_NONE, EVENT_CREATE);
	Order	   *order = &new_order->order;

	if (!insert_order(new_order, edge->to))
		return false;
	order->status = edge->to;
	order->version = 1;
	journal_transition(journal, MACHINE_ORDER, edge, order->order_id, order->order_id,
					   order->version, ACTOR_BUYER, detail);
	journal_edge_messages(journal, edge, order->order_id, order->user_id, order->version, NULL);
	return true;
}

/* Write the row as the edge and the change make it. */
static void
move_order(Rows *rows, Row *row, const Edge *edge, TimestampTz at, const OrderChange *change)
{
	row_set(row, ORDERS_STATUS, Int16GetDatum(edge->to));
	row_set(row, ORDERS_VERSION, Int32GetDatum(row_get_int32(row, ORDERS_VERSION) + 1));
	if (edge->to == ORDER_PAID)
		row_set(row, ORDERS_PAID_AT, TimestampTzGetDatum(at));
	if (change->cancels)
	{
		row_set(row, ORDERS_CANCELED_AT, TimestampTzGetDatum(at));
		row_set(row, ORDERS_CANCEL_TYPE, Int16GetDatum(change->cancel_type));
		row_set(row, ORDERS_REFUND_HOLD, BoolGetDatum(change->refund_hold));
	}
	if (change->removes)
		row_set(row, ORDERS_REMOVED_AT, TimestampTzGetDatum(at));
	if (change->address != NULL)
	{
		JsonbBuilder *options = jsonb_object_begin();

		jsonb_add_jsonb(options, "address", change->address);
		row_set(row, ORDERS_ADDRESS_CHANGES,
				Int16GetDatum(row_get_int16(row, ORDERS_ADDRESS_CHANGES) + 1));
		row_set(row, ORDERS_OPTIONS,
				DirectFunctionCall2(jsonb_concat, row->values[ORDERS_OPTIONS],
									JsonbPGetDatum(jsonb_object_end(options))));
	}
	if (change->expire_at != 0)
		row_set(row, ORDERS_EXPIRE_AT, TimestampTzGetDatum(change->expire_at));
	if (!rows_update(rows, row))
		conflict();
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
		journal_edge_messages(journal, edge, order->order_id, order->user_id, order->version,
							  change->payloads != NULL ? change->payloads[i] : NULL);
	}
}

void
orders_fire(Journal *journal, Order *orders, int n, Event event, char actor,
			const OrderChange *change, Jsonb *detail)
{
	const Edge *edge;
	Rows	   *rows;
	Row			row;
	int			i;

	if (n == 0)
		return;
	if (change == NULL)
		change = &no_change;
	edge = machine_edge(MACHINE_ORDER, orders[0].status, event);
	rows = rows_open(&orders_table, ROWS_CHANGE);
	for (i = 0; i < n; i++)
	{
		if (!find_order(rows, orders[i].order_id, &row) ||
			row_get_int16(&row, ORDERS_STATUS) != edge->from)
			conflict();
		move_order(rows, &row, edge, journal_time(journal), change);
		orders[i].status = edge->to;
		orders[i].version++;
	}
	rows_close(rows);
	journal_moves(journal, edge, orders, n, actor, change, detail);
}

Order *
orders_expire(Journal *journal, const int64 *ids, int n, Jsonb *detail,
			  OrderPayloads payloads, int *n_orders)
{
	const Edge *edge = machine_edge(MACHINE_ORDER, ORDER_CREATED, EVENT_EXPIRE);
	OrderChange change = {.cancels = true, .cancel_type = CANCEL_BY_TIMEOUT};
	TimestampTz now = journal_time(journal);
	Order	   *orders = palloc(sizeof(Order) * Max(n, 1));
	int			n_sorted;
	int64	   *sorted = id_sort(ids, n, &n_sorted);
	Rows	   *rows = rows_open(&orders_table, ROWS_CHANGE);
	Row			row;
	int			i;

	*n_orders = 0;
	for (i = 0; i < n_sorted; i++)
	{
		if (!find_order(rows, sorted[i], &row) ||
			row_get_int16(&row, ORDERS_STATUS) != edge->from ||
			row_get_timestamptz(&row, ORDERS_EXPIRE_AT) > now)
			continue;
		move_order(rows, &row, edge, now, &change);
		order_from_row(&orders[(*n_orders)++], &row);
	}
	rows_close(rows);
	change.payloads = payloads(orders, *n_orders);
	journal_moves(journal, edge, orders, *n_orders, ACTOR_SYSTEM, &change, detail);
	return orders;
}

void
order_statuses_source(const int64 *keys, const TimestampTz *due_at, int n, int16 *statuses)
{
	Rows	   *rows = rows_open(&orders_table, ROWS_READ);
	Row			row;
	int			i;

	for (i = 0; i < n; i++)
	{
		statuses[i] = -1;
		if (!find_order(rows, keys[i], &row))
			continue;
		if (row_get_int16(&row, ORDERS_STATUS) != ORDER_CREATED ||
			row_get_timestamptz(&row, ORDERS_EXPIRE_AT) <= due_at[i])
			statuses[i] = row_get_int16(&row, ORDERS_STATUS);
	}
	rows_close(rows);
}
