/*
 * sums.h
 *		Sums over large tables, made in one pass over each: what the fingerprints of checks compare.
 *
 * Each is a table of a row for each status, kind and the like, with what hash_sum() and chain_sum()
 * make of the rows (sql/parts/575_verify_sums.sql).
 *
 * Prefixes: sums_
 */
#ifndef ORDER_EXT_VERIFY_SUMS_H
#define ORDER_EXT_VERIFY_SUMS_H

#include "postgres.h"

#include "api/verify/store.h"

/* SQL: the sum of sums in a table of this header, of some of its rows. */
#define SUM_OF(sum, table, condition) \
	"(SELECT order_ext_internal.hash_sum(" sum ") FROM " table " WHERE " condition ")"

/* SQL: the sum of counts in such a table. */
#define COUNT_OF(count, table, condition) \
	"(SELECT coalesce(sum(" count "), 0) FROM " table " WHERE " condition ")"

#define SUMS_TABLES 12

/* Those that have been made; begins with zeros. */
typedef struct SumsTables
{
	Store	   *stores[SUMS_TABLES];
} SumsTables;

/* Whether a query names one of the tables. */
extern bool sums_named(const char *sql);

/*
 * Make the tables that a query names and that are not there yet. SPI must be connected, and a
 * snapshot active.
 */
extern void sums_make(SumsTables *tables, const char *sql);

extern void sums_end(SumsTables *tables);

#endif							/* ORDER_EXT_VERIFY_SUMS_H */
