/*
 * order_paid.c
 *		order.paid: a paid order gets its fulfilment, or, where all its goods are virtual,
 *		is signed. What the warehouse told too early is applied then.
 *
 * An order that was canceled meanwhile has a tombstone and another status: nothing is done
 * for it, however late the message comes. Busy orders are left for later.
 */
#include "compat.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"

#include "core/call.h"
#include "core/spi_util.h"
#include "handlers/handlers.h"
#include "machine/shipment.h"
#include "machine/stock.h"

/* Orders per transaction step of the upgrade. */
#define UPGRADE_BATCH 1000

static SavedPlan lock_orders = SAVED_PLAN_NO_ARGS(
	"LOCK TABLE order_ext_internal.orders IN SHARE ROW EXCLUSIVE MODE");

static SavedPlan next_paid = SAVED_PLAN(
	"SELECT order_id FROM order_ext_internal.orders"
	" WHERE order_id > $1 AND status = " CODE(ORDER_PAID) " ORDER BY order_id LIMIT $2",
	INT8OID, INT4OID);

/*
 * Those whose stock is consumed with it: their goods are virtual, or have left before the
 * message came.
 */
static SavedPlan find_consuming = SAVED_PLAN(
	"SELECT o.order_id FROM unnest($1) AS o (order_id)"
	" WHERE NOT EXISTS (SELECT FROM order_ext_internal.order_items i"
	"   WHERE i.order_id = o.order_id AND i.kind <> " CODE(KIND_VIRTUAL) ")"
	"  OR EXISTS (SELECT FROM order_ext_internal.shipment_events e"
	"   WHERE e.order_id = o.order_id AND e.state = " CODE(SHIPMENT_PARKED)
	"    AND e.kind = " CODE(SHIPMENT_OUT_STOCK) ")"
	" ORDER BY o.order_id",
	INT8ARRAYOID);

/* Lock the stock rows that will be needed; takes busy orders out and returns how many stay. */
static int
lock_stock_of(int64 *ids, int n, Message *messages, int n_messages)
{
	Datum		values[1] = {int64_array(ids, n)};
	int			n_consuming = (int) plan_query(&find_consuming, values, NULL, 0);
	int64	   *consuming = palloc(sizeof(int64) * Max(n_consuming, 1));
	bool	   *busy = palloc0(sizeof(bool) * Max(n_consuming, 1));
	int			stay = 0;
	int			i,
				j;

	for (i = 0; i < n_consuming; i++)
		consuming[i] = row_int64(i, 1);
	if (n_consuming > 0)
		stock_lock(consuming, n_consuming, busy);
	for (i = 0; i < n; i++)
	{
		bool		is_busy = false;

		for (j = 0; j < n_consuming; j++)
			is_busy |= busy[j] && consuming[j] == ids[i];
		if (!is_busy)
			ids[stay++] = ids[i];
		for (j = 0; is_busy && j < n_messages; j++)
		{
			if (messages[j].key == ids[i])
				messages[j].outcome = MESSAGE_BUSY;
		}
	}
	return stay;
}

/* The orders' cancel locks are held, or nobody else can write orders. */
static int
fulfil(const int64 *ids, int n)
{
	int			n_orders;
	Order	   *orders = orders_read_in_status(ids, n, ORDER_PAID, &n_orders);
	Journal    *journal;

	if (n_orders == 0)
		return 0;
	journal = journal_begin(GetCurrentTimestamp());
	orders_fulfil(journal, orders, n_orders);
	shipments_settle_among(journal, ids, n);
	journal_write(journal);
	return n_orders;
}

void
handle_order_paid(Message *messages, int n)
{
	int			n_locked;
	int64	   *locked = message_keys_lock(LOCK_ORDER_CANCEL, messages, n, &n_locked);

	if (n_locked > 0)
		n_locked = lock_stock_of(locked, n_locked, messages, n);
	if (n_locked > 0)
		(void) fulfil(locked, n_locked);
}

/*
 * For the upgrade from a version that consumed no order.paid: all paid orders are put on
 * their way, from their rows. The table is locked, so no order needs to be.
 */
static Datum
fulfil_paid_orders(FunctionCallInfo fcinfo)
{
	int64	   *ids = palloc(sizeof(int64) * UPGRADE_BATCH);
	Datum		values[2];
	int64		last = 0;
	int64		fulfilled = 0;
	int			n;

	(void) plan_query(&lock_orders, NULL, NULL, 0);
	do
	{
		int			i;

		CHECK_FOR_INTERRUPTS();
		values[0] = Int64GetDatum(last);
		values[1] = Int32GetDatum(UPGRADE_BATCH);
		n = (int) plan_query(&next_paid, values, NULL, 0);
		for (i = 0; i < n; i++)
			ids[i] = last = row_int64(i, 1);
		if (n > 0)
			fulfilled += fulfil(ids, n);
	} while (n == UPGRADE_BATCH);
	return Int64GetDatum(fulfilled);
}

PG_FUNCTION_INFO_V1(order_ext_fulfil_paid_orders);
Datum
order_ext_fulfil_paid_orders(PG_FUNCTION_ARGS)
{
	return api_call(fcinfo, fulfil_paid_orders);
}
