/*
 * movement.c
 *		The rows of the stock ledger; see movement.h.
 */
#include "compat.h"

#include "access/transam.h"
#include "access/xact.h"
#include "utils/builtins.h"
#include "utils/xid8.h"

#include "core/call.h"
#include "machine/stock/movement.h"
#include "machine/stock/own.h"
#include "machine/stock/upkeep.h"

void
stock_movement_append(Appender *ledger, const StockMovement *movement, TimestampTz at,
					  LedgerKind kind, const char *reason)
{
	const StockLevel *delta = &movement->delta;
	Datum		values[11];
	bool		nulls[11] = {false};

	values[0] = Int64GetDatum(movement->order_id);
	values[1] = Int64GetDatum(movement->product_id);
	values[2] = Int64GetDatum(movement->ref);
	values[3] = Int64GetDatum(delta->available);
	values[4] = Int64GetDatum(delta->reserved);
	values[5] = Int64GetDatum(delta->consumed);
	values[6] = TimestampTzGetDatum(at);
	values[7] = Int16GetDatum(kind);
	values[8] = reason ? CStringGetTextDatum(reason) : (Datum) 0;
	nulls[8] = reason == NULL;
	values[9] = FullTransactionIdGetDatum(GetTopFullTransactionId());
	/* who moved units of an order is in its log */
	nulls[10] = kind != LEDGER_ADJUST;
	values[10] = nulls[10] ? (Datum) 0 : CStringGetTextDatum(call_operator_or_role());
	append_row(ledger, values, nulls);
}

void
stock_movement_insert(Appender *ledger, const StockMovement *movement)
{
	const StockLevel *delta = &movement->delta;

	append_flush(ledger);
	stock_own_add(movement->product_id, delta->available,
				  delta->available + delta->reserved + delta->consumed);
}

void
stock_movements_append(const StockMovement *movements, int n, TimestampTz at, LedgerKind kind)
{
	Appender   *ledger = append_open("stock_ledger");
	StockReader *reader = stock_reader_open(true);
	int			i;

	for (i = 0; i < n; i++)
		stock_movement_append(ledger, &movements[i], at, kind, NULL);
	for (i = 0; i < n; i++)
		stock_movement_insert(ledger, &movements[i]);
	for (i = 0; i < n; i++)
		stock_upkeep_now_and_then(reader, movements[i].product_id);
	stock_reader_close(reader);
	append_close(ledger);
}

static int
compare_movements(const void *a, const void *b)
{
	const StockMovement *left = a;
	const StockMovement *right = b;

	if (left->product_id != right->product_id)
		return left->product_id < right->product_id ? -1 : 1;
	return (left->order_id > right->order_id) - (left->order_id < right->order_id);
}

int
stock_movements_merge(StockMovement *movements, int n)
{
	int			last = 0;
	int			i;

	qsort(movements, n, sizeof(StockMovement), compare_movements);
	for (i = 1; i < n; i++)
	{
		if (compare_movements(&movements[i], &movements[last]) != 0)
		{
			movements[++last] = movements[i];
			continue;
		}
		movements[last].delta.available += movements[i].delta.available;
		movements[last].delta.reserved += movements[i].delta.reserved;
		movements[last].delta.consumed += movements[i].delta.consumed;
	}
	return last + 1;
}
