/*
 * rows.c
 *		The ledger of a product and its folds; see rows.h.
 */
#include "compat.h"

#include "access/htup_details.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "storage/lockdefs.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/xid8.h"

#include "core/internal.h"
#include "machine/stock/rows.h"

/* Of rows that are covered as many are read before the index is searched for the next. */
#define COVERED_IN_A_ROW 8

/* Columns of stock_ledger; that of xid has another number in a database that was updated. */
enum
{
	LEDGER_PRODUCT_ID = 2,
	LEDGER_AVAILABLE = 4,
	LEDGER_RESERVED,
	LEDGER_CONSUMED
};

StockReader *
stock_reader_open(bool counting)
{
	StockReader *reader = palloc(sizeof(StockReader));
	LOCKMODE	mode = counting ? RowExclusiveLock : AccessShareLock;

	reader->ledger = table_open(internal_relation("stock_ledger"), mode);
	reader->ledger_index = index_open(internal_relation("stock_ledger_product_id"),
									  AccessShareLock);
	reader->folds = table_open(internal_relation("stock_folds"), mode);
	reader->folds_index = index_open(internal_relation("stock_folds_pkey"), AccessShareLock);
	reader->xid_column = get_attnum(RelationGetRelid(reader->ledger), "xid");
	return reader;
}

void
stock_reader_close(StockReader *reader)
{
	index_close(reader->folds_index, NoLock);
	table_close(reader->folds, NoLock);
	index_close(reader->ledger_index, NoLock);
	table_close(reader->ledger, NoLock);
	pfree(reader);
}

static int64
column_int64(HeapTuple tuple, AttrNumber column, TupleDesc desc)
{
	bool		isnull;

	return DatumGetInt64(heap_getattr(tuple, column, desc, &isnull));
}

/* ---- folds ---- */

SysScanDesc
stock_folds_begin(StockReader *reader, int64 product_id, int64 from_id, Snapshot snapshot)
{
	ScanKeyData keys[2];

	ScanKeyInit(&keys[0], FOLDS_PRODUCT_ID, BTEqualStrategyNumber, F_INT8EQ,
				Int64GetDatum(product_id));
	ScanKeyInit(&keys[1], FOLDS_ID, BTGreaterEqualStrategyNumber, F_INT8GE,
				Int64GetDatum(from_id));
	return systable_beginscan_ordered(reader->folds, reader->folds_index, snapshot,
									  lengthof(keys), keys);
}

void
stock_fold_newest(StockReader *reader, int64 product_id, Snapshot snapshot, StockFold *fold)
{
	SysScanDesc scan = stock_folds_begin(reader, product_id, 0, snapshot);
	HeapTuple	tuple = systable_getnext_ordered(scan, BackwardScanDirection);
	TupleDesc	desc = RelationGetDescr(reader->folds);
	bool		isnull;

	memset(fold, 0, sizeof(StockFold));
	if (tuple != NULL)
	{
		fold->fold_id = column_int64(tuple, FOLDS_ID, desc);
		fold->level.available = column_int64(tuple, FOLDS_AVAILABLE, desc);
		fold->level.reserved = column_int64(tuple, FOLDS_RESERVED, desc);
		fold->level.consumed = column_int64(tuple, FOLDS_CONSUMED, desc);
		fold->covered = snapshot_from_datum(heap_getattr(tuple, FOLDS_COVERED, desc, &isnull));
	}
	systable_endscan_ordered(scan);
}

/* ---- rows that no fold covers ---- */

/* The first transaction id, from the given one on, whose rows are wanted. */
static uint64
next_wanted(const StockRows *ledger, uint64 xid)
{
	const LogSnapshot *covered = ledger->covered;

	if (covered != NULL && snapshot_sees(covered, xid))
	{
		int			i = 0;

		while (i < covered->nxip && covered->xip[i] < xid)
			i++;
		xid = i < covered->nxip ? covered->xip[i] : covered->xmax;
	}
	if (xid == ledger->left_out && xid != 0)
		return next_wanted(ledger, xid + 1);
	return xid;
}

static void
search_from(StockRows *ledger, uint64 xid)
{
	StockReader *reader = ledger->reader;
	ScanKeyData keys[2];

	/* the scan translates the columns of the table into those of the index */
	ScanKeyInit(&keys[0], LEDGER_PRODUCT_ID, BTEqualStrategyNumber, F_INT8EQ,
				Int64GetDatum(ledger->product_id));
	ScanKeyInit(&keys[1], reader->xid_column, BTGreaterEqualStrategyNumber, F_XID8GE,
				FullTransactionIdGetDatum(FullTransactionIdFromU64(xid)));
	ledger->scan = systable_beginscan_ordered(reader->ledger, reader->ledger_index,
											  ledger->snapshot, lengthof(keys), keys);
	ledger->covered_in_a_row = 0;
}

void
stock_rows_begin(StockRows *ledger, StockReader *reader, int64 product_id,
				 const LogSnapshot *covered, uint64 left_out, Snapshot snapshot)
{
	ledger->reader = reader;
	ledger->product_id = product_id;
	ledger->covered = covered;
	ledger->left_out = left_out;
	ledger->snapshot = snapshot;
	search_from(ledger, next_wanted(ledger, 0));
}

void
stock_rows_end(StockRows *ledger)
{
	systable_endscan_ordered(ledger->scan);
}

/*
 * Between the rows of a transaction that has long been open and the newest ones, there may be any
 * number that are not wanted: they are passed over in the index.
 */
bool
stock_rows_next(StockRows *ledger)
{
	TupleDesc	desc = RelationGetDescr(ledger->reader->ledger);
	HeapTuple	tuple;

	while ((tuple = systable_getnext_ordered(ledger->scan, ForwardScanDirection)) != NULL)
	{
		uint64		wanted;

		ledger->xid = (uint64) column_int64(tuple, ledger->reader->xid_column, desc);
		wanted = next_wanted(ledger, ledger->xid);
		if (wanted == ledger->xid)
		{
			ledger->delta.available = column_int64(tuple, LEDGER_AVAILABLE, desc);
			ledger->delta.reserved = column_int64(tuple, LEDGER_RESERVED, desc);
			ledger->delta.consumed = column_int64(tuple, LEDGER_CONSUMED, desc);
			ledger->covered_in_a_row = 0;
			return true;
		}
		if (++ledger->covered_in_a_row == COVERED_IN_A_ROW)
		{
			systable_endscan_ordered(ledger->scan);
			search_from(ledger, wanted);
		}
	}
	stock_rows_end(ledger);
	return false;
}
