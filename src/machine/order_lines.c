/*
 * order_lines.c
 *		The lines of an order; see order_lines.h.
 */
#include "compat.h"

#include "utils/builtins.h"

#include "core/append.h"
#include "machine/codes.h"
#include "machine/order_lines.h"

void
order_lines_create(int64 order_id, const OrderLine *lines, int n)
{
	Appender   *items = append_open("order_items");
	int			i;

	for (i = 0; i < n; i++)
	{
		const OrderLine *line = &lines[i];
		Datum		values[9];

		values[0] = Int64GetDatum(order_id);
		values[1] = Int64GetDatum(line->product_id);
		values[2] = Int64GetDatum(line->price);
		values[3] = Int64GetDatum(line->discount);
		values[4] = Int64GetDatum(line->pay);
		values[5] = Int32GetDatum(line->quantity);
		values[6] = Int16GetDatum(line->kind);
		values[7] = Int16GetDatum(RESERVATION_OPEN);
		values[8] = CStringGetTextDatum(line->sku);
		append_row(items, values, NULL);
	}
	append_close(items);
}

static int
compare_demands(const void *a, const void *b)
{
	int64		left = ((const StockDemand *) a)->product_id;
	int64		right = ((const StockDemand *) b)->product_id;

	return (left > right) - (left < right);
}

StockDemand *
order_lines_demands(const OrderLine *lines, int n, int *n_demands)
{
	StockDemand *demands = palloc(sizeof(StockDemand) * n);
	int			last = 0;
	int			i;

	for (i = 0; i < n; i++)
	{
		demands[i].product_id = lines[i].product_id;
		demands[i].quantity = lines[i].quantity;
		demands[i].sku = lines[i].sku;
	}
	qsort(demands, n, sizeof(StockDemand), compare_demands);
	for (i = 1; i < n; i++)
	{
		if (demands[i].product_id == demands[last].product_id)
			demands[last].quantity += demands[i].quantity;
		else
			demands[++last] = demands[i];
	}
	*n_demands = last + 1;
	return demands;
}
