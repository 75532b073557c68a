/*
 * spi_util.h
 *		Saved plans and typed access to their rows.
 *
 * A SavedPlan is a static constant text with $n parameters; it is prepared when first used in a
 * backend and then kept. After a plan_* call, its rows can be read with the row_* functions until
 * the next plan_* call; no other code uses SPI's globals.
 *
 * Prefixes: plan_, row_, int64_, int32_, text_array
 */
#ifndef ORDER_EXT_SPI_UTIL_H
#define ORDER_EXT_SPI_UTIL_H

#include "postgres.h"

#include "executor/spi.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"

typedef struct SavedPlan
{
	const char *sql;
	int			nargs;
	const Oid  *argtypes;
	bool		by_bitmap;		/* reads a BRIN index */
	SPIPlanPtr	plan;			/* set at first use */
	bool		outdated;		/* and made for objects of an earlier version */
} SavedPlan;

/* static SavedPlan find = SAVED_PLAN("SELECT ... WHERE order_id = $1", INT8OID); */
#define SAVED_PLAN(sql, ...) \
	{(sql), (int) lengthof(((const Oid[]) {__VA_ARGS__})), (const Oid[]) {__VA_ARGS__}, false, \
	NULL, false}
#define SAVED_PLAN_BY_BITMAP(sql, ...) \
	{(sql), (int) lengthof(((const Oid[]) {__VA_ARGS__})), (const Oid[]) {__VA_ARGS__}, true, \
	NULL, false}
#define SAVED_PLAN_NO_ARGS(sql) {(sql), 0, NULL, false, NULL, false}

/*
 * A code that is a macro, within an SQL text: " WHERE status = " CODE(ORDER_CANCELED), or several
 * of them: " WHERE status IN (" CODES(ORDER_CREATED, ORDER_PAID) ")". This way grep finds the
 * name.
 */
#define CODE(code) CppAsString2(code)
#define CODES(...) CODES_AS_STRING(__VA_ARGS__)
#define CODES_AS_STRING(...) #__VA_ARGS__

/*
 * Run a query with a new snapshot (READ COMMITTED), so that it sees everything committed before
 * it starts, and this transaction's own work. nulls as in SPI ('n' = NULL), or NULL. Returns the
 * number of rows processed or returned; at most max_rows rows if that is not 0. SPI must be
 * connected.
 */
extern uint64 plan_query(SavedPlan *plan, const Datum *values, const char *nulls, long max_rows);

/* The same under the active snapshot, without a new one; read-only queries. */
extern uint64 plan_query_in_snapshot(SavedPlan *plan, const Datum *values, const char *nulls,
									 long max_rows);

/*
 * The same as plan_query for a statement that changes guarded tables: the guard
 * triggers let it pass only while such a statement runs.
 */
extern uint64 plan_write(SavedPlan *plan, const Datum *values, const char *nulls, long max_rows);

/* Whether such a statement runs. */
extern bool plan_is_writing(void);

/*
 * The same as plan_query for more rows than can be held at once, or locked: plan_fetch() gets the
 * next ones, at most max_rows, which row_* then read; fewer if there are no more. Other plans may
 * run in between. Their memory is freed with that of the current batch.
 */
extern Portal plan_open(SavedPlan *plan, const Datum *values, const char *nulls);
extern uint64 plan_fetch(Portal portal, long max_rows);
extern void plan_close(Portal portal);

/*
 * What is allocated in between, rows of queries included, is freed at the end: for a loop over
 * very many. The memory context is that of before again.
 */
extern void plan_batch_begin(void);
extern void plan_batch_end(void);

/* Columns (from 1) of a row (from 0) of the last query; the column must not be NULL
 * except where a default is given. Texts and jsonb are copied to CurrentMemoryContext. */
extern bool row_is_null(uint64 row, int column);
extern int64 row_int64(uint64 row, int column);
extern int64 row_int64_or(uint64 row, int column, int64 if_null);
extern int32 row_int32(uint64 row, int column);
extern int16 row_int16(uint64 row, int column);
extern bool row_bool(uint64 row, int column);
extern TimestampTz row_timestamptz(uint64 row, int column);
extern char *row_text(uint64 row, int column);	/* NULL if NULL */
extern Jsonb *row_jsonb(uint64 row, int column);	/* NULL if NULL */
extern Datum row_datum(uint64 row, int column, bool *isnull);	/* not copied */
extern Datum row_array(uint64 row, int column); /* a copy; must not be NULL */

/* Array parameters. */
extern Datum int64_array(const int64 *values, int n);
extern Datum int32_array(const int32 *values, int n);
extern Datum text_array(const char *const *values, int n);

/* One field of n structs: INT64_FIELDS(items, product_id, n). */
#define INT64_FIELDS(structs, field, n) int64_fields(&(structs)->field, sizeof(*(structs)), (n))
#define INT32_FIELDS(structs, field, n) int32_fields(&(structs)->field, sizeof(*(structs)), (n))
extern int64 *int64_fields(const int64 *first, Size stride, int n);
extern int32 *int32_fields(const int32 *first, Size stride, int n);

#endif							/* ORDER_EXT_SPI_UTIL_H */
