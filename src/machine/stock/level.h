/*
 * level.h
 *		How many units of a product there are: what the rows of its ledger add up to.
 *
 * No row holds the level. A fold is the sum of the ledger rows of those transactions that a
 * snapshot sees; the rows of the others are added to it. docs/stock.md has the design and its
 * proof.
 */
#ifndef ORDER_EXT_MACHINE_STOCK_LEVEL_H
#define ORDER_EXT_MACHINE_STOCK_LEVEL_H

#include "machine/stock/rows.h"

/* What those who take units have to know. */
typedef struct StockCount
{
	int64		available;		/* what is there however open transactions end; may be negative */
	int64		units;			/* all units there may be at most */
	bool		fold_due;
} StockCount;

/*
 * Count a product's units: whatever is committed at this moment, whichever snapshot the transaction
 * has, and its own rows; of other open transactions what they take, and not what they give.
 */
extern void stock_count(StockReader *reader, int64 product_id, StockCount *count);

/*
 * The same under the product's LOCK_STOCK, so that nobody else takes units until stock_count_end().
 * In between, the row that takes them is inserted, into a table that is open, and nothing is
 * waited for.
 */
extern void stock_count_begin(StockReader *reader, int64 product_id, StockCount *count);
extern void stock_count_end(int64 product_id);

/* Fold the ledger of the product if the count says that it is due; not under LOCK_STOCK. */
extern void stock_fold_if_due(StockReader *reader, int64 product_id, const StockCount *count);

/* Add a fold. If another transaction is about to: do not, or wait for it and then do. */
extern void stock_fold(StockReader *reader, int64 product_id, bool wait);

/* For who has not counted: add a fold if that is due, and no other transaction is about to. */
extern void stock_fold_when_due(StockReader *reader, int64 product_id);

/* Fold the ledger if that is due, and remove all folds that newer ones replace. */
extern void stock_tend(StockReader *reader, int64 product_id);

/* The level of a product as of now, with this transaction's own rows; also on a standby. */
extern StockLevel stock_level(int64 product_id);

#endif							/* ORDER_EXT_MACHINE_STOCK_LEVEL_H */
