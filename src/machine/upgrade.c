/*
 * upgrade.c
 *		Steps of updates that continue what an earlier version has left.
 */
#include "compat.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"

#include "core/call.h"
#include "core/locks.h"
#include "core/spi_util.h"
#include "machine/cancel/after_sales.h"
#include "machine/refund/refund.h"
#include "machine/shipment/shipment.h"

/* Orders per batch of the upgrade. */
#define UPGRADE_BATCH 1000

static SavedPlan lock_orders = SAVED_PLAN_NO_ARGS(
	"LOCK TABLE order_ext_internal.orders IN SHARE ROW EXCLUSIVE MODE");

static SavedPlan next_paid = SAVED_PLAN(
	"SELECT order_id FROM order_ext_internal.orders"
	" WHERE order_id > $1 AND status = " CODE(ORDER_PAID) " ORDER BY order_id LIMIT $2",
	INT8OID, INT4OID);

/* Whether the tables are those of this version: an earlier update leaves them as it knew them. */
static SavedPlan tables_are_current = SAVED_PLAN_NO_ARGS(
	"SELECT FROM pg_catalog.pg_attribute"
	" WHERE attrelid = 'order_ext_internal.refunds'::pg_catalog.regclass"
	"  AND attname = 'claim_after' AND NOT attisdropped");

static SavedPlan adopt_later = SAVED_PLAN_NO_ARGS(
	"SELECT pg_catalog.set_config('order_ext_update.adopt_refunds', 'on', true)");

/*
 * The update from 0.1, which requested refunds but had no after-sales or gateways. Returns the
 * number of after-sales opened. If the tables are not those of this version yet, the update that
 * makes them so calls it again.
 */
static Datum
adopt_refunds(FunctionCallInfo fcinfo)
{
	int			opened;

	if (plan_query(&tables_are_current, NULL, NULL, 1) == 0)
	{
		(void) plan_query(&adopt_later, NULL, NULL, 1);
		PG_RETURN_INT32(0);
	}
	opened = after_sales_open_for_refunds();
	refunds_publish_waiting(NULL);
	PG_RETURN_INT32(opened);
}

PG_FUNCTION_INFO_V1(order_ext_adopt_refunds);
Datum
order_ext_adopt_refunds(PG_FUNCTION_ARGS)
{
	return api_call(fcinfo, adopt_refunds);
}

/* The next paid orders after *last; returns their number. */
static int
fulfil_next(int64 *last, int64 *fulfilled)
{
	int64	   *ids = palloc(sizeof(int64) * UPGRADE_BATCH);
	Datum		values[2];
	int64	   *refused;
	int			n_refused;
	int			n;
	int			i;

	values[0] = Int64GetDatum(*last);
	values[1] = Int32GetDatum(UPGRADE_BATCH);
	n = (int) plan_query(&next_paid, values, NULL, 0);
	if (n == 0)
		return 0;
	for (i = 0; i < n; i++)
		ids[i] = *last = row_int64(i, 1);
	refused = shipments_refused_early(ids, n, &n_refused);
	for (i = 0; i < n_refused; i++)
		lock_wait(LOCK_REFUND, refused[i]);
	*fulfilled += shipments_start(ids, n);
	return n;
}

/*
 * For the upgrade from a version that did not consume order.paid: start the fulfillment of all
 * paid orders, from their rows. The table is locked, so single orders need not be. There may be
 * very many, so each batch has its own memory context.
 */
static Datum
fulfil_paid_orders(FunctionCallInfo fcinfo)
{
	int64		last = 0;
	int64		fulfilled = 0;
	int			n;

	(void) plan_query(&lock_orders, NULL, NULL, 0);
	do
	{
		CHECK_FOR_INTERRUPTS();
		plan_batch_begin();
		n = fulfil_next(&last, &fulfilled);
		plan_batch_end();
	} while (n == UPGRADE_BATCH);
	return Int64GetDatum(fulfilled);
}

PG_FUNCTION_INFO_V1(order_ext_fulfil_paid_orders);
Datum
order_ext_fulfil_paid_orders(PG_FUNCTION_ARGS)
{
	return api_call(fcinfo, fulfil_paid_orders);
}
