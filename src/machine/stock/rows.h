/*
 * rows.h
 *		The ledger of a product and its folds, as they are read to count and to fold.
 */
#ifndef ORDER_EXT_MACHINE_STOCK_ROWS_H
#define ORDER_EXT_MACHINE_STOCK_ROWS_H

#include "postgres.h"

#include "access/genam.h"
#include "utils/rel.h"
#include "utils/snapshot.h"

#include "core/snapshots.h"

typedef struct StockLevel
{
	int64		available;
	int64		reserved;
	int64		consumed;
} StockLevel;

/* The ledger and its folds, opened. */
typedef struct StockReader
{
	Relation	ledger;
	Relation	ledger_index;	/* product_id, xid */
	Relation	folds;
	Relation	folds_index;	/* product_id, fold_id */
	AttrNumber	xid_column;
} StockReader;

/* Open the tables, to count (with locks to commit that permit writing) or only to read levels. */
extern StockReader *stock_reader_open(bool counting);
extern void stock_reader_close(StockReader *reader);

/* Columns of stock_folds. */
enum
{
	FOLDS_PRODUCT_ID = 1,
	FOLDS_ID,
	FOLDS_AVAILABLE,
	FOLDS_RESERVED,
	FOLDS_CONSUMED,
	FOLDS_COVERED,
	FOLDS_COLUMNS = FOLDS_COVERED
};

typedef struct StockFold
{
	int64		fold_id;		/* 0: there is none */
	LogSnapshot *covered;		/* the transactions whose rows are in it; NULL: none */
	StockLevel	level;
} StockFold;

/* A scan of the product's folds from an id on, by ids; ended with systable_endscan_ordered(). */
extern SysScanDesc stock_folds_begin(StockReader *reader, int64 product_id, int64 from_id,
									 Snapshot snapshot);

/* The newest fold that the snapshot sees, in *fold. */
extern void stock_fold_newest(StockReader *reader, int64 product_id, Snapshot snapshot,
							  StockFold *fold);

/* The rows of a product that a fold does not cover, one after the other. */
typedef struct StockRows
{
	StockReader *reader;
	int64		product_id;
	const LogSnapshot *covered; /* rows of these transactions are not wanted; NULL: all are */
	uint64		left_out;		/* nor are those of this one; 0: none */
	Snapshot	snapshot;
	SysScanDesc scan;
	int			covered_in_a_row;
	uint64		xid;			/* of the current row */
	StockLevel	delta;
} StockRows;

/* Begin with the rows of transactions that are not covered, but for those of left_out. */
extern void stock_rows_begin(StockRows *ledger, StockReader *reader, int64 product_id,
							 const LogSnapshot *covered, uint64 left_out, Snapshot snapshot);

/*
 * The next row that is wanted, in xid and delta; false after the last one, which ends the scan.
 * While it is at a row, a dirty snapshot tells who inserts that.
 */
extern bool stock_rows_next(StockRows *ledger);

/* End a scan before its last row. */
extern void stock_rows_end(StockRows *ledger);

#endif							/* ORDER_EXT_MACHINE_STOCK_ROWS_H */
