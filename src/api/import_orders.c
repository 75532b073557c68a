/*
 * import_orders.c
 *		import_orders(): open orders of another system.
 *
 * The rows of all orders are checked and stored by a few statements on sets, which
 * sql/parts/488_import_read.sql and 490_import_api.sql have; timers, messages and stock follow
 * here. Whatever is wrong with one order is an error that names it, and nothing of the call
 * remains.
 */
#include "compat.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "core/args.h"
#include "core/call.h"
#include "core/error_facts.h"
#include "core/errors.h"
#include "core/row.h"
#include "core/settings.h"
#include "core/spi_util.h"
#include "machine/order/message.h"
#include "machine/order/order.h"
#include "machine/stock/stock.h"

/* An order has a kilobyte or so. */
#define MAX_ORDERS_BYTES (128 * 1024 * 1024)

static SavedPlan store = SAVED_PLAN(
	"SELECT external_id, order_id, disposition, user_id, status, expire_at, delivering_at"
	" FROM order_ext_internal.import_store($1, $2, $3) ORDER BY place",
	JSONBOID, TEXTOID, TIMESTAMPTZOID);

enum
{
	PAYMENTS_ID,
	PAYMENTS_PURPOSE,
	PAYMENTS_PAY_TYPE,
	PAYMENTS_OUT_TRADE_NO
};

static RowTable payments = ROW_TABLE(
	"payments", "payments_order_id",
	"payment_id", "purpose", "pay_type", "out_trade_no");

/* In the order in which the orders were given, for each product. */
static SavedPlan read_goods = SAVED_PLAN(
	"SELECT i.order_id, i.product_id, sum(i.quantity),"
	"  bool_or(i.reservation = " CODE(RESERVATION_CONSUMED) "), min(i.sku), o.place"
	" FROM unnest($1) WITH ORDINALITY AS o (order_id, place)"
	" JOIN order_ext_internal.order_items i ON i.order_id = o.order_id"
	" GROUP BY i.order_id, i.product_id, o.place ORDER BY i.product_id, o.place",
	INT8ARRAYOID);

typedef struct Imported
{
	Order		order;
	char	   *external_id;
	const char *disposition;
	bool		applied;
	TimestampTz delivering_at;
} Imported;

static Imported *
store_rows(Jsonb *orders, TimestampTz at, int *n)
{
	Datum		values[3];
	Imported   *imported;
	int			i;

	values[0] = JsonbPGetDatum(orders);
	values[1] = CStringGetTextDatum(GetUserNameFromId(call_role(), false));
	values[2] = TimestampTzGetDatum(at);
	*n = (int) plan_write(&store, values, NULL, 0);
	imported = palloc0(sizeof(Imported) * Max(*n, 1));
	for (i = 0; i < *n; i++)
	{
		imported[i].external_id = row_text(i, 1);
		imported[i].order.order_id = row_int64(i, 2);
		imported[i].disposition = row_text(i, 3);
		imported[i].applied = strcmp(imported[i].disposition, "applied") == 0;
		imported[i].order.user_id = row_int64(i, 4);
		imported[i].order.status = row_int16(i, 5);
		imported[i].order.expire_at = row_timestamptz(i, 6);
		imported[i].delivering_at = row_is_null(i, 7) ? at : row_timestamptz(i, 7);
		imported[i].order.version = 1;
	}
	return imported;
}

/* ---- stock ---- */

static void
raise_short(const char *sku, int64 order_id, int64 quantity, int64 available,
			const Imported *imported, int n)
{
	ErrorFactList too_few = {0};
	int			i = 0;

	while (i < n && imported[i].order.order_id != order_id)
		i++;
	error_facts_add(&too_few, "", "\"{sku}\": {wanted} requested, {available} available",
					FACT_TEXT("sku", sku), FACT_INT("wanted", quantity),
					FACT_INT("available", Max(available, 0)));
	ereport(ERROR,
			(errcode(ERRCODE_OE_STOCK_SHORT),
			 errmsg("order %d (external_id \"%s\") cannot be imported: insufficient stock",
					i + 1, i < n ? imported[i].external_id : ""),
			 error_facts("{short}.",
						 FACT_INT("order", i + 1),
						 FACT_TEXT("external_id", i < n ? imported[i].external_id : NULL),
						 FACT_LIST("short", &too_few)),
			 errhint("Use set_stock to tell how many units there are, those of unshipped orders "
					 "included, and repeat the whole call.")));
}

static void
take_goods(const Imported *imported, int n, TimestampTz at)
{
	int64	   *ids = palloc(sizeof(int64) * Max(n, 1));
	int			n_ids = 0;
	Datum		values[1];
	StockImport *goods;
	const char **skus;
	int			n_goods;
	int64		available;
	int			lacking;
	int			i;

	for (i = 0; i < n; i++)
	{
		if (imported[i].applied)
			ids[n_ids++] = imported[i].order.order_id;
	}
	values[0] = int64_array(ids, n_ids);
	n_goods = (int) plan_query(&read_goods, values, NULL, 0);
	goods = palloc(sizeof(StockImport) * Max(n_goods, 1));
	skus = palloc(sizeof(char *) * Max(n_goods, 1));
	for (i = 0; i < n_goods; i++)
	{
		goods[i].order_id = row_int64(i, 1);
		goods[i].product_id = row_int64(i, 2);
		goods[i].quantity = row_int64(i, 3);
		goods[i].out = row_bool(i, 4);
		skus[i] = row_text(i, 5);
	}
	lacking = stock_import(goods, n_goods, at, &available);
	if (lacking >= 0)
		raise_short(skus[lacking], goods[lacking].order_id, goods[lacking].quantity, available,
					imported, n);
}

/* ---- what is to come ---- */

/* What order.paid says of an order that was imported as paid. */
static Jsonb *
paid_payload(int64 order_id)
{
	Rows	   *rows = rows_open(&payments, ROWS_READ);
	Datum		key = Int64GetDatum(order_id);
	OrderPaidBy paid_by = {0};
	Order		order;
	bool		found;
	Row			row;

	for (found = rows_find(rows, &key, 1, &row); found; found = rows_next(rows, &row))
	{
		if (row_get_int16_or(&row, PAYMENTS_PURPOSE, 0) != PURPOSE_APPLIED)
			continue;
		paid_by.payment_id = row_get_int64(&row, PAYMENTS_ID);
		paid_by.pay_type = row_get_text(&row, PAYMENTS_PAY_TYPE);
		paid_by.out_trade_no = row_get_text(&row, PAYMENTS_OUT_TRADE_NO);
	}
	rows_close(rows);
	order_read_or_fail(order_id, &order);
	return order_message_paid(&order, order.version, &paid_by);
}

/* The timer of an unpaid order and of a parcel under way, and order.paid of a paid one. */
static void
continue_order(Journal *journal, const Imported *imported)
{
	const Order *order = &imported->order;
	Jsonb	   *payload = jsonb_object_end(journal_payload(order->order_id, order->user_id,
														   order->version));
	TimestampTz sign_at = imported->delivering_at + setting_auto_sign * USECS_PER_SEC;

	if (order->status == ORDER_CREATED)
		(void) timer_arm(TOPIC_ORDER_PAY_TIMEOUT, order->order_id, order->expire_at,
						 ORDER_CREATED, payload);
	else if (order->status == ORDER_PAID)
		journal_message(journal, TOPIC_ORDER_PAID, order->order_id, paid_payload(order->order_id));
	else if (order->status == ORDER_DELIVERING)
		(void) timer_arm(TOPIC_ORDER_AUTO_SIGN, order->order_id,
						 Max(sign_at, journal_time(journal)), ORDER_DELIVERING, payload);
}

static void
put_imported(ReturnSetInfo *rsinfo, const Imported *imported)
{
	Datum		values[3];
	bool		nulls[3] = {false};

	values[0] = CStringGetTextDatum(imported->external_id);
	values[1] = Int64GetDatum(imported->order.order_id);
	values[2] = CStringGetTextDatum(imported->disposition);
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

static Datum
import_orders_body(FunctionCallInfo fcinfo)
{
	Jsonb	   *orders = arg_jsonb(fcinfo, 0, "orders", MAX_ORDERS_BYTES);
	TimestampTz now = GetCurrentTimestamp();
	Journal    *journal = journal_begin(now);
	Imported   *imported;
	int			n;
	int			i;

	if (!JB_ROOT_IS_ARRAY(orders) || JB_ROOT_IS_SCALAR(orders))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"orders\" is not an array"),
				 error_facts("It is an object or a single value.", FACT_TEXT("argument", "orders")),
				 errhint("Pass an array of orders.")));
	imported = store_rows(orders, now, &n);
	take_goods(imported, n, now);
	for (i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (imported[i].applied)
			continue_order(journal, &imported[i]);
	}
	journal_write(journal);
	for (i = 0; i < n; i++)
		put_imported((ReturnSetInfo *) fcinfo->resultinfo, &imported[i]);
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(order_ext_import_orders);
Datum
order_ext_import_orders(PG_FUNCTION_ARGS)
{
	InitMaterializedSRF(fcinfo, 0);
	return api_call(fcinfo, import_orders_body);
}
