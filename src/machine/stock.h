/*
 * stock.h
 *		Stock, reservations and the stock ledger.
 *
 * All transactions lock stock rows in (product_id, stripe) order. A reservation is held by the
 * order's item rows; only what they hold can be released.
 */
#ifndef ORDER_EXT_MACHINE_STOCK_H
#define ORDER_EXT_MACHINE_STOCK_H

#include "machine/journal.h"

typedef struct StockLevel
{
	int64		available;
	int64		reserved;
	int64		consumed;
} StockLevel;

/* Decides which stripe of a product an order reserves from; a product starts with one. */
#define FIRST_STRIPE 0

/* What an order takes of a product, in all of its lines. */
typedef struct StockDemand
{
	int64		product_id;
	int64		quantity;
	const char *sku;
} StockDemand;

/*
 * Reserve the demands (distinct products, in product_id order) of an order, whose items hold the
 * reservations. Raises OE201 listing every short sku.
 */
extern void stock_reserve(int64 order_id, const StockDemand *demands, int n, TimestampTz at);

/*
 * Release what the open reservations of canceled orders hold; a second call does nothing. If the
 * transaction must not wait, or only for a moment (locks.h), busy[i] is set for the orders that
 * would have made it wait, and they are left alone.
 */
extern void stock_release(const int64 *order_ids, int n, TimestampTz at, bool *busy);

/*
 * From now on, this transaction does not wait for stock rows. Must be called before taking locks
 * that come after them in the global order if more stock may be released later: dispatch()
 * handles many batches in one transaction.
 */
extern void stock_wait_no_more(void);

/*
 * Lock the stock rows of these orders' open reservations, all at once and in order, before
 * consuming them order by order. busy[i] as for stock_release.
 */
extern void stock_lock(const int64 *order_ids, int n, bool *busy);

/*
 * Consume what the open reservations of orders hold: the goods leave. The orders' locks are held,
 * and their status changes accordingly in the same transaction.
 */
extern void stock_consume(const int64 *order_ids, int n, TimestampTz at);

/*
 * Take back pieces that an order has consumed: available again (LEDGER_RETURN) or written off
 * (LEDGER_WRITE_OFF), on behalf of an after-sale, which moves a product once. Products are in
 * ascending order. Never more than the order still has consumed; moved[i], unless NULL, is the
 * number.
 */
extern void stock_take_back(int64 order_id, int64 after_sale_id, const int64 *products,
							const int32 *quantities, int n, LedgerKind kind, TimestampTz at,
							int32 *moved);

/* Add delta to a product's available stock; OE201 if it would become negative. */
extern StockLevel stock_adjust(int64 product_id, const char *sku, int64 delta,
							   const char *reason, TimestampTz at);

/* The level of a product, summed over its stripes. */
extern StockLevel stock_level(int64 product_id);

#endif							/* ORDER_EXT_MACHINE_STOCK_H */
