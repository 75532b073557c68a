/*
 * own.h
 *		What this transaction has moved of a product, where that is many rows of the ledger: so that
 *		a transaction of ten thousand orders of one product does not read them all for each.
 */
#ifndef ORDER_EXT_MACHINE_STOCK_OWN_H
#define ORDER_EXT_MACHINE_STOCK_OWN_H

#include "postgres.h"

typedef struct StockOwn
{
	int64		available;
	int64		units;			/* available, reserved and consumed */
} StockOwn;

/* The sum of this transaction's rows of the product; NULL if it is not kept: they must be read. */
extern const StockOwn *stock_own_known(int64 product_id);

/* Keep the sum of its rows from now on, if they are many. */
extern void stock_own_remember(int64 product_id, const StockOwn *sum, int rows);

/* To be told of every row that this transaction adds. */
extern void stock_own_add(int64 product_id, int64 available, int64 units);

#endif							/* ORDER_EXT_MACHINE_STOCK_OWN_H */
