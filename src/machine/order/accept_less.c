/*
 * accept_less.c
 *		An order that is paid with less than it costs; see accept_less.h.
 */
#include "compat.h"

#include "catalog/pg_type.h"

#include "core/errors.h"
#include "core/money.h"
#include "core/spi_util.h"
#include "machine/order/accept_less.h"

static SavedPlan read_lines = SAVED_PLAN(
	"SELECT i.line, i.pay FROM order_ext_internal.order_items i"
	" WHERE i.order_id = $1 ORDER BY i.line",
	INT8OID);

static SavedPlan lower_lines = SAVED_PLAN(
	"UPDATE order_ext_internal.order_items i"
	" SET discount = i.discount + g.share, pay = i.pay - g.share"
	" FROM unnest($2, $3) AS g (line, share)"
	" WHERE i.order_id = $1 AND i.line = g.line AND g.share > 0",
	INT8OID, INT4ARRAYOID, INT8ARRAYOID);

static SavedPlan lower_order = SAVED_PLAN(
	"UPDATE order_ext_internal.orders SET discount_amount = discount_amount + $3,"
	"  freight_amount = freight_amount - $4, pay_amount = pay_amount - $3 - $4"
	" WHERE order_id = $1 AND status = $2",
	INT8OID, INT2OID, INT8OID, INT8OID);

void
accept_less(Order *order, int64 amount)
{
	Datum		values[4] = {Int64GetDatum(order->order_id)};
	int			n = (int) plan_query(&read_lines, values, NULL, 0);
	int32	   *lines = palloc(sizeof(int32) * Max(n, 1));
	int64	   *pays = palloc(sizeof(int64) * Max(n, 1));
	int64	   *shares = palloc0(sizeof(int64) * Max(n, 1));
	int64		rest = order->pay_amount - amount;
	int64		goods = 0;
	int64		off_goods;
	int			i;

	for (i = 0; i < n; i++)
	{
		lines[i] = row_int32(i, 1);
		pays[i] = row_int64(i, 2);
		goods += pays[i];
	}
	off_goods = Min(rest, goods);
	money_apportion(off_goods, pays, n, goods, shares);
	values[1] = int32_array(lines, n);
	values[2] = int64_array(shares, n);
	(void) plan_write(&lower_lines, values, NULL, 0);
	values[1] = Int16GetDatum(order->status);
	values[2] = Int64GetDatum(off_goods);
	values[3] = Int64GetDatum(rest - off_goods);
	if (plan_write(&lower_order, values, NULL, 0) != 1)
		error_conflict("order " INT64_FORMAT " was changed by another transaction",
					   order->order_id);
	order->discount_amount += off_goods;
	order->freight_amount -= rest - off_goods;
	order->pay_amount = amount;
}
