/*
 * store.h
 *		Queries of verify() whose rows go into tuplestores, and tuplestores as tables of queries.
 *		Nothing is kept in memory beyond work_mem, and nothing is written.
 *
 * Prefixes: store_
 */
#ifndef ORDER_EXT_VERIFY_STORE_H
#define ORDER_EXT_VERIFY_STORE_H

#include "postgres.h"

#include "access/tupdesc.h"
#include "utils/tuplestore.h"

/* Up to so many arguments. */
#define STORE_ARGS 4

/* The arguments of a query: $1 and so on. A NULL is a value of 0 with is_null. */
typedef struct StoreArgs
{
	int			n;
	Oid			types[STORE_ARGS];
	Datum		values[STORE_ARGS];
	bool		nulls[STORE_ARGS];
} StoreArgs;

/* Rows, and what they look like. */
typedef struct Store
{
	Tuplestorestate *rows;
	TupleDesc	desc;			/* NULL = taken from the first query */
	double		n;
} Store;

/*
 * Run a SELECT under the active snapshot and add its rows to the store. args may be NULL. SPI
 * must be connected.
 */
extern void store_query(const char *sql, const StoreArgs *args, Store *into);

/* Make the rows of a store those of findings: (invariant, severity, entity, expected, actual). */
extern void store_columns(Store *store);

/* Make a store a table of that name for the following queries. */
extern void store_register(const char *name, Store *store);

/* Make a new store of a query's rows, and a table of that name for the following queries. */
extern Store *store_table(const char *name, const char *sql, const StoreArgs *args);

/* Free what store_table() has made. */
extern void store_end(Store *store);

#endif							/* ORDER_EXT_VERIFY_STORE_H */
