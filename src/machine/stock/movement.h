/*
 * movement.h
 *		The rows of the stock ledger, as they are written.
 */
#ifndef ORDER_EXT_MACHINE_STOCK_MOVEMENT_H
#define ORDER_EXT_MACHINE_STOCK_MOVEMENT_H

#include "core/append.h"
#include "machine/base/codes.h"
#include "machine/stock/level.h"

/* A row of the ledger, but for what all rows of a call share. */
typedef struct StockMovement
{
	int64		order_id;		/* 0: none */
	int64		product_id;
	int64		ref;
	StockLevel	delta;
} StockMovement;

/* Append a row to stock_ledger; reason may be NULL. */
extern void stock_movement_append(Appender *ledger, const StockMovement *movement, TimestampTz at,
								  LedgerKind kind, const char *reason);

/* Insert the row that was appended last. */
extern void stock_movement_insert(Appender *ledger, const StockMovement *movement);

/*
 * Sort by product and order, and add up lines of the same product of an order, which the ledger
 * shows as one; returns how many are left.
 */
extern int	stock_movements_merge(StockMovement *movements, int n);

/* Write rows of the same kind, of which none takes what is available. */
extern void stock_movements_append(const StockMovement *movements, int n, TimestampTz at,
								   LedgerKind kind);

#endif							/* ORDER_EXT_MACHINE_STOCK_MOVEMENT_H */
