/*
 * stock_level.c
 *		How many units of a product there are; see stock_level.h.
 *
 * What must hold, and why it does, is in docs/stock.md. Short: a fold is true whoever reads it,
 * even if the transaction that wrote it has not committed or never will, since all rows that it
 * adds up are those of ended transactions. To count, newest fold and later rows are therefore
 * read as they are, committed or not (SnapshotDirty). Levels are read under a snapshot, with the
 * newest fold that it sees.
 */
#include "compat.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "common/int.h"
#include "storage/bufmgr.h"
#include "storage/lockdefs.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/xid8.h"

#include "core/append.h"
#include "core/internal.h"
#include "core/locks.h"
#include "core/snapshots.h"
#include "machine/stock_level.h"
#include "machine/stock_own.h"

/* A fold is made once there are more rows of ended transactions that none covers. */
#define FOLD_AFTER 16

/* If there are more than so many, they are folded before the product is locked. */
#define COUNTED_AT_ONCE 1000

/* Of rows that are covered as many are read before the index is searched for the next. */
#define COVERED_IN_A_ROW 8

/*
 * A fold removes those among as many before it that it replaces. Others, of transactions that
 * stayed open meanwhile, are left to maintain(): while somebody holds an old snapshot, removed
 * ones are still there, and there is no end to them.
 */
#define FOLDS_LOOKED_AT 16

/* Columns of stock_ledger; that of xid has another number in a database that was updated. */
enum
{
	LEDGER_PRODUCT_ID = 2,
	LEDGER_AVAILABLE = 4,
	LEDGER_RESERVED,
	LEDGER_CONSUMED
};

/* Columns of stock_folds. */
enum
{
	FOLD_PRODUCT_ID = 1,
	FOLD_ID,
	FOLD_AVAILABLE,
	FOLD_RESERVED,
	FOLD_CONSUMED,
	FOLD_COVERED,
	FOLD_COLUMNS = FOLD_COVERED
};

struct StockReader
{
	Relation	ledger;
	Relation	ledger_index;	/* product_id, xid */
	Relation	folds;
	Relation	folds_index;	/* product_id, fold_id */
	AttrNumber	xid_column;
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

static uint64
own_xid(void)
{
	return U64FromFullTransactionId(GetTopFullTransactionIdIfAny());
}

static int64
column_int64(HeapTuple tuple, AttrNumber column, TupleDesc desc)
{
	bool		isnull;

	return DatumGetInt64(heap_getattr(tuple, column, desc, &isnull));
}

static void
add_level(StockLevel *sum, const StockLevel *level)
{
	sum->available += level->available;
	sum->reserved += level->reserved;
	sum->consumed += level->consumed;
}

static int64
units_of(const StockLevel *level)
{
	return level->available + level->reserved + level->consumed;
}

/* Of what open transactions take and give, in any order, the sum may be out of range. */
static int64
add_up_to_limit(int64 a, int64 b)
{
	int64		sum;

	if (pg_add_s64_overflow(a, b, &sum))
		return a < 0 ? PG_INT64_MIN : PG_INT64_MAX;
	return sum;
}

/* ---- the newest fold ---- */

typedef struct StockFold
{
	int64		fold_id;		/* 0: there is none */
	LogSnapshot *covered;		/* the transactions whose rows are in it; NULL: none */
	StockLevel	level;
} StockFold;

static SysScanDesc
begin_folds(StockReader *reader, int64 product_id, int64 from_id, Snapshot snapshot)
{
	ScanKeyData keys[2];

	ScanKeyInit(&keys[0], FOLD_PRODUCT_ID, BTEqualStrategyNumber, F_INT8EQ,
				Int64GetDatum(product_id));
	ScanKeyInit(&keys[1], FOLD_ID, BTGreaterEqualStrategyNumber, F_INT8GE,
				Int64GetDatum(from_id));
	return systable_beginscan_ordered(reader->folds, reader->folds_index, snapshot,
									  lengthof(keys), keys);
}

/* The newest fold that the snapshot sees, in *fold. */
static void
read_newest_fold(StockReader *reader, int64 product_id, Snapshot snapshot, StockFold *fold)
{
	SysScanDesc scan = begin_folds(reader, product_id, 0, snapshot);
	HeapTuple	tuple = systable_getnext_ordered(scan, BackwardScanDirection);
	TupleDesc	desc = RelationGetDescr(reader->folds);
	bool		isnull;

	memset(fold, 0, sizeof(StockFold));
	if (tuple != NULL)
	{
		fold->fold_id = column_int64(tuple, FOLD_ID, desc);
		fold->level.available = column_int64(tuple, FOLD_AVAILABLE, desc);
		fold->level.reserved = column_int64(tuple, FOLD_RESERVED, desc);
		fold->level.consumed = column_int64(tuple, FOLD_CONSUMED, desc);
		fold->covered = snapshot_from_datum(heap_getattr(tuple, FOLD_COVERED, desc, &isnull));
	}
	systable_endscan_ordered(scan);
}

/* ---- the rows that it does not cover ---- */

typedef struct LedgerScan
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
} LedgerScan;

/* The first transaction id, from the given one on, whose rows are wanted. */
static uint64
next_wanted(const LedgerScan *ledger, uint64 xid)
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
search_from(LedgerScan *ledger, uint64 xid)
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

static void
begin_ledger(LedgerScan *ledger, StockReader *reader, int64 product_id,
			 const LogSnapshot *covered, uint64 left_out, Snapshot snapshot)
{
	ledger->reader = reader;
	ledger->product_id = product_id;
	ledger->covered = covered;
	ledger->left_out = left_out;
	ledger->snapshot = snapshot;
	search_from(ledger, next_wanted(ledger, 0));
}

static void
end_ledger(LedgerScan *ledger)
{
	systable_endscan_ordered(ledger->scan);
}

/*
 * The next row that is wanted; ends the scan after the last one. Between those of a transaction
 * that has long been open and the newest ones, there may be any number that are not: they are
 * passed over in the index.
 */
static bool
next_row(LedgerScan *ledger)
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
	end_ledger(ledger);
	return false;
}

/* The level from a fold on, under a snapshot, which sees it; without the rows of left_out. */
static StockLevel
level_from(StockReader *reader, int64 product_id, const StockFold *fold, uint64 left_out,
		   Snapshot snapshot)
{
	StockLevel	level = fold->level;
	LedgerScan	ledger;

	begin_ledger(&ledger, reader, product_id, fold->covered, left_out, snapshot);
	while (next_row(&ledger))
		add_level(&level, &ledger.delta);
	return level;
}

/* ---- folding ---- */

/*
 * Remove committed folds, from from_id on, that a newer committed one replaces. Those whose removal
 * has begun are left to that.
 */
static void
remove_replaced(StockReader *reader, int64 product_id, int64 from_id)
{
	SnapshotData dirty;
	SysScanDesc scan;
	HeapTuple	tuple;
	bool		replaced = false;

	InitDirtySnapshot(dirty);
	scan = begin_folds(reader, product_id, from_id, &dirty);
	while ((tuple = systable_getnext_ordered(scan, BackwardScanDirection)) != NULL)
	{
		TM_FailureData failure;

		if (TransactionIdIsValid(dirty.xmin) || TransactionIdIsValid(dirty.xmax) ||
			TransactionIdIsCurrentTransactionId(HeapTupleHeaderGetXmin(tuple->t_data)))
			continue;
		if (replaced)
			(void) table_tuple_delete(reader->folds, &tuple->t_self, GetCurrentCommandId(true),
									  GetActiveSnapshot(), InvalidSnapshot, false, &failure,
									  false);
		replaced = true;
	}
	systable_endscan_ordered(scan);
}

static void
append_fold(int64 product_id, int64 fold_id, const StockLevel *level,
			const LogSnapshot *covered)
{
	Appender   *folds = append_open("stock_folds");
	Datum		values[FOLD_COLUMNS];

	values[FOLD_PRODUCT_ID - 1] = Int64GetDatum(product_id);
	values[FOLD_ID - 1] = Int64GetDatum(fold_id);
	values[FOLD_AVAILABLE - 1] = Int64GetDatum(level->available);
	values[FOLD_RESERVED - 1] = Int64GetDatum(level->reserved);
	values[FOLD_CONSUMED - 1] = Int64GetDatum(level->consumed);
	values[FOLD_COVERED - 1] = snapshot_to_datum(covered);
	append_row(folds, values, NULL);
	append_close(folds);
}

/* One at a time, so that each knows the last one. */
void
stock_fold(StockReader *reader, int64 product_id, bool wait)
{
	SnapshotData dirty;
	StockFold	base;
	StockLevel	level;

	if (!lock_for_now(LOCK_FOLD, product_id, wait))
		return;
	InitDirtySnapshot(dirty);
	read_newest_fold(reader, product_id, &dirty, &base);
	/* taken later, this snapshot sees whatever that fold covers */
	PushActiveSnapshot(GetLatestSnapshot());
	level = level_from(reader, product_id, &base, own_xid(), GetActiveSnapshot());
	/* a ledger that somebody has tampered with is left to verify() */
	if (Min(Min(level.available, level.reserved), level.consumed) >= 0)
	{
		append_fold(product_id, base.fold_id + 1, &level, snapshot_active());
		remove_replaced(reader, product_id, base.fold_id - FOLDS_LOOKED_AT);
	}
	PopActiveSnapshot();
	lock_give_back(LOCK_FOLD, product_id);
}

/* ---- counting ---- */

/* False, and *count is not filled in, if there are more than limit rows of ended transactions. */
static bool
count_rows(StockReader *reader, int64 product_id, StockCount *count, int limit)
{
	const StockOwn *known = stock_own_known(product_id);
	uint64		own = own_xid();
	StockOwn	own_rows = {0, 0};
	StockLevel	ended = {0, 0, 0};
	int64		taken = 0;		/* by open transactions */
	int64		given = 0;		/* units they add */
	int			n_own = 0;
	int			n_ended = 0;
	SnapshotData dirty;
	StockFold	newest;
	LedgerScan	ledger;

	InitDirtySnapshot(dirty);
	read_newest_fold(reader, product_id, &dirty, &newest);
	begin_ledger(&ledger, reader, product_id, newest.covered, known ? own : 0, &dirty);
	while (n_ended <= limit && next_row(&ledger))
	{
		/* while the scan is at a row, xmin is the transaction that inserts it, if it is open */
		if (ledger.xid == own)
		{
			own_rows.available += ledger.delta.available;
			own_rows.units += units_of(&ledger.delta);
			n_own++;
		}
		else if (TransactionIdIsValid(dirty.xmin))
		{
			taken = add_up_to_limit(taken, Min(ledger.delta.available, 0));
			given = add_up_to_limit(given, Max(units_of(&ledger.delta), 0));
		}
		else
		{
			add_level(&ended, &ledger.delta);
			n_ended++;
		}
	}
	if (n_ended > limit)
	{
		end_ledger(&ledger);
		return false;
	}
	if (known != NULL)
		own_rows = *known;
	else
		stock_own_remember(product_id, &own_rows, n_own);
	add_level(&ended, &newest.level);
	count->available = add_up_to_limit(taken, ended.available + own_rows.available);
	count->units = add_up_to_limit(given, units_of(&ended) + own_rows.units);
	count->fold_due = n_ended > FOLD_AFTER;
	return true;
}

void
stock_count(StockReader *reader, int64 product_id, StockCount *count)
{
	(void) count_rows(reader, product_id, count, PG_INT32_MAX);
}

void
stock_count_begin(StockReader *reader, int64 product_id, StockCount *count)
{
	lock_moment_begin(LOCK_STOCK, product_id);
	if (count_rows(reader, product_id, count, COUNTED_AT_ONCE))
		return;
	lock_moment_end(LOCK_STOCK, product_id);
	stock_fold(reader, product_id, true);
	lock_moment_begin(LOCK_STOCK, product_id);
	stock_count(reader, product_id, count);
}

void
stock_count_end(int64 product_id)
{
	lock_moment_end(LOCK_STOCK, product_id);
}

void
stock_fold_if_due(StockReader *reader, int64 product_id, const StockCount *count)
{
	if (count->fold_due)
		stock_fold(reader, product_id, false);
}

/* ---- levels ---- */


StockLevel
stock_level(int64 product_id)
{
	StockReader *reader = stock_reader_open(false);
	Snapshot	snapshot = GetLatestSnapshot();
	StockLevel	level;
	StockFold	fold;

	PushActiveSnapshot(snapshot);
	read_newest_fold(reader, product_id, GetActiveSnapshot(), &fold);
	level = level_from(reader, product_id, &fold, 0, GetActiveSnapshot());
	PopActiveSnapshot();
	stock_reader_close(reader);
	return level;
}

/* ---- upkeep ---- */

void
stock_tend(StockReader *reader, int64 product_id)
{
	StockCount	count;

	stock_count(reader, product_id, &count);
	stock_fold_if_due(reader, product_id, &count);
	remove_replaced(reader, product_id, 0);
}
