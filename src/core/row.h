/*
 * row.h
 *		Single rows of our own tables, read and written through an index without the planner.
 *
 * A statement that reads or changes one row by its key spends nearly all of its time on being
 * started. Here it is an index scan and a heap_update(), under the rules that a statement has: a
 * snapshot of its own (READ COMMITTED), everything that this transaction did before is visible,
 * constraints are checked, and updates are HOT where they can be.
 *
 *		enum {COUPON_ID, COUPON_STATUS};
 *		static RowTable coupons = ROW_TABLE("coupons", "coupons_pkey", "coupon_id", "status");
 *
 *		Rows	   *rows = rows_open(&coupons, ROWS_CHANGE);
 *		Row			row;
 *		bool		changed = false;
 *
 *		if (rows_find(rows, &key, 1, &row) && row_get_int16(&row, COUPON_STATUS) == from)
 *		{
 *			row_set(&row, COUPON_STATUS, Int16GetDatum(to));
 *			changed = rows_update(rows, &row);
 *		}
 *		rows_close(rows);
 */
#ifndef ORDER_EXT_ROW_H
#define ORDER_EXT_ROW_H

#include "postgres.h"

#include "access/htup.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"

#define ROW_MAX_COLUMNS 24

/* A table as one source file knows it: the index it finds rows by, and the columns it uses. */
typedef struct RowTable
{
	const char *table;
	const char *index;
	const char *const *columns;
	int			n_columns;
	struct RowPlace *place;		/* set at first use */
} RowTable;

#define ROW_TABLE(table, index, ...) \
	{(table), (index), (const char *const[]) {__VA_ARGS__}, \
	(int) lengthof(((const char *const[]) {__VA_ARGS__})), NULL}

/*
 * A row that was found: values and nulls of the table's columns, in the order of its RowTable.
 * They are in CurrentMemoryContext and may be overwritten. A column that SQL objects of an older
 * version do not have is NULL, and raises 55000 if it is to be more than NULL, false or 0.
 */
typedef struct Row
{
	Datum		values[ROW_MAX_COLUMNS];
	bool		nulls[ROW_MAX_COLUMNS];
	HeapTuple	tuple;			/* as it was found */
} Row;

typedef enum RowsMode
{
	ROWS_READ,
	ROWS_CHANGE
} RowsMode;

typedef struct Rows Rows;

/*
 * Begin with a table, under a new snapshot; raises 25006 if a change is not allowed. What was
 * opened last is closed first.
 */
extern Rows *rows_open(RowTable *table, RowsMode mode);

/* Whether the table has the column: one of an older version may not. */
extern bool rows_have_column(const Rows *rows, int column);

/* The row with these values of the index's first columns; the first one if there are several. */
extern bool rows_find(Rows *rows, const Datum *keys, int n_keys, Row *row);

/* The next row that rows_find() would have found; false after the last one. */
extern bool rows_next(Rows *rows, Row *row);

/* Give back a row's memory: of one of many; its values are invalid unless passed by value. */
extern void row_free(Row *row);

/*
 * Whether a row with these values of the index's first columns exists that this transaction's
 * snapshot may not show, or another transaction is inserting one. Reads nothing in the sense of
 * SERIALIZABLE.
 */
extern bool rows_is_taken(Rows *rows, const Datum *keys, int n_keys);

/*
 * Write the row as it is now in *row. False, and nothing is written, if another transaction has
 * deleted it since it was found, or changed one of the columns in the RowTable; 40001 in
 * REPEATABLE READ. Waits for a transaction that is changing it, as an UPDATE does.
 */
extern bool rows_update(Rows *rows, Row *row);

/*
 * Insert a row with these values of the RowTable's columns; the others are NULL. Constraints are
 * checked, 23505 is raised at once.
 */
extern void rows_insert(Rows *rows, const Datum *values, const bool *nulls);

/* Changes become visible to this transaction's next command. */
extern void rows_close(Rows *rows);

/* The same for one row. */
extern bool row_find(RowTable *table, const Datum *keys, int n_keys, Row *row);
extern void row_insert(RowTable *table, const Datum *values, const bool *nulls);

/* Columns of a row that are not NULL, except where NULL has a value here. */
static inline int64
row_get_int64(const Row *row, int column)
{
	Assert(!row->nulls[column]);
	return DatumGetInt64(row->values[column]);
}

static inline int64
row_get_int64_or(const Row *row, int column, int64 if_null)
{
	return row->nulls[column] ? if_null : DatumGetInt64(row->values[column]);
}

static inline int32
row_get_int32(const Row *row, int column)
{
	Assert(!row->nulls[column]);
	return DatumGetInt32(row->values[column]);
}

static inline int16
row_get_int16(const Row *row, int column)
{
	Assert(!row->nulls[column]);
	return DatumGetInt16(row->values[column]);
}

static inline int16
row_get_int16_or(const Row *row, int column, int16 if_null)
{
	return row->nulls[column] ? if_null : DatumGetInt16(row->values[column]);
}

static inline bool
row_get_bool(const Row *row, int column)
{
	Assert(!row->nulls[column]);
	return DatumGetBool(row->values[column]);
}

static inline TimestampTz
row_get_timestamptz(const Row *row, int column)
{
	Assert(!row->nulls[column]);
	return DatumGetTimestampTz(row->values[column]);
}

/* NULL if NULL */
static inline char *
row_get_text(const Row *row, int column)
{
	return row->nulls[column] ? NULL : TextDatumGetCString(row->values[column]);
}

static inline Jsonb *
row_get_jsonb(const Row *row, int column)
{
	return row->nulls[column] ? NULL : DatumGetJsonbP(row->values[column]);
}

/* Set a column, or set it to NULL. */
static inline void
row_set(Row *row, int column, Datum value)
{
	row->values[column] = value;
	row->nulls[column] = false;
}

static inline void
row_set_null(Row *row, int column)
{
	row->values[column] = (Datum) 0;
	row->nulls[column] = true;
}

#endif							/* ORDER_EXT_ROW_H */
