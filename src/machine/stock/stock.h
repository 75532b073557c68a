/*
 * stock.h
 *		Stock, reservations and the stock ledger.
 *
 * All of it are rows of the ledger. Those that take available units are inserted while nobody else
 * takes any of the product, which is a matter of microseconds; nothing waits for the end of a
 * transaction. A reservation is held by the order's item rows; only what they hold can be released.
 */
#ifndef ORDER_EXT_MACHINE_STOCK_STOCK_H
#define ORDER_EXT_MACHINE_STOCK_STOCK_H

#include "machine/base/journal.h"
#include "machine/stock/level.h"

/* What an order takes of a product, in all of its lines. */
typedef struct StockDemand
{
	int64		product_id;
	int64		quantity;
	const char *sku;
} StockDemand;

/*
 * Reserve the demands (distinct products) of an order, whose items hold the reservations. Raises
 * OE201 listing every short sku.
 */
extern void stock_reserve(int64 order_id, const StockDemand *demands, int n, TimestampTz at);

/* What an order of another system holds of a product, or has taken: then it is out. */
typedef struct StockImport
{
	int64		order_id;
	int64		product_id;
	int64		quantity;
	bool		out;
} StockImport;

/*
 * The same for orders of another system, by ascending products, whose items have their reservations
 * already. What is out was not on the shelf any more: it is added to the stock before. Returns the
 * position of the first one that finds too little stock, with what there is for it in *available,
 * or -1; the transaction must then fail.
 */
extern int	stock_import(const StockImport *imports, int n, TimestampTz at, int64 *available);

/* Release what the open reservations of canceled orders hold; a second call does nothing. */
extern void stock_release(const int64 *order_ids, int n, TimestampTz at);

/*
 * Consume what the open reservations of orders hold: the goods leave. The orders' locks are held,
 * and their status changes accordingly in the same transaction.
 */
extern void stock_consume(const int64 *order_ids, int n, TimestampTz at);

/*
 * Take back pieces that an order has consumed: available again (LEDGER_RETURN) or written off
 * (LEDGER_WRITE_OFF). ref is on whose behalf, an after-sale or the negative number of one of its
 * events, and moves a product once. Products are in ascending order. Never more than the order
 * still has consumed; moved[i], unless NULL, is the number.
 */
extern void stock_take_back(int64 order_id, int64 ref, const int64 *products,
							const int32 *quantities, int n, LedgerKind kind, TimestampTz at,
							int32 *moved);

/* Add delta to a product's available stock, and return its level; OE201 if it would be negative. */
extern StockLevel stock_adjust(int64 product_id, const char *sku, int64 delta,
							   const char *reason, TimestampTz at);

/*
 * The same, by what makes the available stock so much: what open transactions have taken counts as
 * taken. Nothing is recorded if it is that already.
 */
extern StockLevel stock_set(int64 product_id, int64 available, const char *reason,
							TimestampTz at);

#endif							/* ORDER_EXT_MACHINE_STOCK_STOCK_H */
