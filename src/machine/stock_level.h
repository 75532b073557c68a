/*
 * stock_level.h
 *		How many units of a product there are: what the rows of its ledger add up to.
 *
 * No row holds the level. A fold is the sum of the ledger rows of those transactions that a
 * snapshot sees; the rows of the others are added to it. docs/stock.md has the design and its
 * proof.
 */
#ifndef ORDER_EXT_MACHINE_STOCK_LEVEL_H
#define ORDER_EXT_MACHINE_STOCK_LEVEL_H

#include "postgres.h"

#include "core/snapshots.h"

typedef struct StockLevel
{
	int64		available;
	int64		reserved;
	int64		consumed;
} StockLevel;

/* The fold that a level is read from. */
typedef struct StockFold
{
	int64		fold_id;		/* 0: there is none */
	LogSnapshot *covered;		/* the transactions whose rows are in it; NULL: none */
	StockLevel	level;
} StockFold;

/* The ledger and its folds, opened. */
typedef struct StockReader StockReader;

/* What those who take units have to know. */
typedef struct StockCount
{
	int64		available;		/* what is there however open transactions end; may be negative */
	int64		units;			/* all units there may be at most */
	bool		fold_due;
	StockFold	newest;
} StockCount;

/*
 * Open the tables, to count (locks to commit that permit writing) or only to read levels. To be
 * opened before the first lock of LOCK_STOCK, since that wait for nothing.
 */
extern StockReader *stock_reader_open(bool counting);
extern void stock_reader_close(StockReader *reader);

/*
 * Count a product's units, under its LOCK_STOCK: whatever is committed at this moment, whichever
 * snapshot the transaction has, and its own rows; of other open transactions what they take, and
 * not what they give.
 */
extern void stock_count(StockReader *reader, int64 product_id, StockCount *count);

/* Add a fold if the count says that it is due, still under LOCK_STOCK. */
extern void stock_fold_if_due(StockReader *reader, int64 product_id, const StockCount *count);

/* The level of a product as of now, with this transaction's own rows; also on a standby. */
extern StockLevel stock_level(int64 product_id);

/*
 * For maintain(): fold what is due of a number of products, and remove folds that newer ones
 * replace. The products are next to each other, from anywhere.
 */
extern void stock_fold_some(int products);

#endif							/* ORDER_EXT_MACHINE_STOCK_LEVEL_H */
