/*
 * level.c
 *		How many units of a product there are; see level.h.
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
#include "access/tableam.h"
#include "access/xact.h"
#include "common/int.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/xid8.h"

#include "core/append.h"
#include "core/locks.h"
#include "core/snapshots.h"
#include "machine/stock/level.h"
#include "machine/stock/own.h"

/* A fold is made once there are more rows of ended transactions that none covers. */
#define FOLD_AFTER 16

/* If there are more than so many, they are folded before the product is locked. */
#define COUNTED_AT_ONCE 1000

/*
 * A fold removes those among as many before it that it replaces. Others, of transactions that
 * stayed open meanwhile, are left to maintain(): while somebody holds an old snapshot, removed
 * ones are still there, and there is no end to them.
 */
#define FOLDS_LOOKED_AT 16

static uint64
own_xid(void)
{
	return U64FromFullTransactionId(GetTopFullTransactionIdIfAny());
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

/*
 * The level from a fold on, under a snapshot, which sees it; without the rows of left_out. *n_rows
 * is how many were read.
 */
static StockLevel
level_from(StockReader *reader, int64 product_id, const StockFold *fold, uint64 left_out,
		   Snapshot snapshot, int64 *n_rows)
{
	StockLevel	level = fold->level;
	StockRows	ledger;

	*n_rows = 0;
	stock_rows_begin(&ledger, reader, product_id, fold->covered, left_out, snapshot);
	while (stock_rows_next(&ledger))
	{
		add_level(&level, &ledger.delta);
		(*n_rows)++;
	}
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
	scan = stock_folds_begin(reader, product_id, from_id, &dirty);
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
	Datum		values[FOLDS_COLUMNS];

	values[FOLDS_PRODUCT_ID - 1] = Int64GetDatum(product_id);
	values[FOLDS_ID - 1] = Int64GetDatum(fold_id);
	values[FOLDS_AVAILABLE - 1] = Int64GetDatum(level->available);
	values[FOLDS_RESERVED - 1] = Int64GetDatum(level->reserved);
	values[FOLDS_CONSUMED - 1] = Int64GetDatum(level->consumed);
	values[FOLDS_COVERED - 1] = snapshot_to_datum(covered);
	append_row(folds, values, NULL);
	append_close(folds);
}

/* A fold, if there are more than so many rows. One at a time, so that each knows the last one. */
static void
fold_rows(StockReader *reader, int64 product_id, bool wait, int64 more_than)
{
	SnapshotData dirty;
	StockFold	base;
	StockLevel	level;
	int64		n_rows;

	if (!lock_for_now(LOCK_FOLD, product_id, wait))
		return;
	InitDirtySnapshot(dirty);
	stock_fold_newest(reader, product_id, &dirty, &base);
	/* taken later, this snapshot sees whatever that fold covers */
	PushActiveSnapshot(GetLatestSnapshot());
	level = level_from(reader, product_id, &base, own_xid(), GetActiveSnapshot(), &n_rows);
	/* a ledger that somebody has tampered with is left to verify() */
	if (n_rows > more_than && Min(Min(level.available, level.reserved), level.consumed) >= 0)
	{
		append_fold(product_id, base.fold_id + 1, &level, snapshot_active());
		remove_replaced(reader, product_id, base.fold_id - FOLDS_LOOKED_AT);
	}
	PopActiveSnapshot();
	lock_give_back(LOCK_FOLD, product_id);
}

void
stock_fold(StockReader *reader, int64 product_id, bool wait)
{
	fold_rows(reader, product_id, wait, -1);
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
	StockRows	ledger;

	InitDirtySnapshot(dirty);
	stock_fold_newest(reader, product_id, &dirty, &newest);
	stock_rows_begin(&ledger, reader, product_id, newest.covered, known ? own : 0, &dirty);
	while (n_ended <= limit && stock_rows_next(&ledger))
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
		stock_rows_end(&ledger);
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

/* In SERIALIZABLE what a fold reads conflicts with other movements, but counting does not. */
void
stock_fold_when_due(StockReader *reader, int64 product_id)
{
	StockCount	count;

	if (IsolationIsSerializable() && count_rows(reader, product_id, &count, FOLD_AFTER))
		return;
	fold_rows(reader, product_id, false, FOLD_AFTER);
}

/* ---- levels ---- */

StockLevel
stock_level(int64 product_id)
{
	StockReader *reader = stock_reader_open(false);
	Snapshot	snapshot = GetLatestSnapshot();
	StockLevel	level;
	StockFold	fold;
	int64		n_rows;

	PushActiveSnapshot(snapshot);
	stock_fold_newest(reader, product_id, GetActiveSnapshot(), &fold);
	level = level_from(reader, product_id, &fold, 0, GetActiveSnapshot(), &n_rows);
	PopActiveSnapshot();
	stock_reader_close(reader);
	return level;
}

/* ---- upkeep ---- */

void
stock_tend(StockReader *reader, int64 product_id)
{
	stock_fold_when_due(reader, product_id);
	remove_replaced(reader, product_id, 0);
}
