/*
 * append.h
 *		Plain inserts into our own append-mostly tables without the planner.
 *
 * A call of the API appends a handful of rows to the log tables; going through
 * SPI for each costs several times the insert itself.
 *
 *		Appender *a = append_open("transition_log");
 *		append_row(a, values, nulls);		-- as often as needed
 *		append_close(a);
 */
#ifndef ORDER_EXT_APPEND_H
#define ORDER_EXT_APPEND_H

#include "postgres.h"

#include "storage/block.h"

typedef struct Appender Appender;

/* Open a table of order_ext_internal for appending (RowExclusiveLock, to commit). */
extern Appender *append_open(const char *table);

/*
 * Append one row: values and nulls in column order, for all columns (no defaults
 * are filled in); they are copied. Checks NOT NULL and CHECK. The row is inserted
 * and 23505 raised at append_close() at the latest.
 */
extern void append_row(Appender *appender, const Datum *values, const bool *nulls);

/* Insert what waits and close; the rows become visible to this transaction's next command. */
extern void append_close(Appender *appender);

/* Oid of a table of order_ext_internal; raises 55000 if the extension is not there. */
extern Oid	internal_relation(const char *table);

/* The size of a relation in blocks, now. Leaves no lock. */
extern BlockNumber internal_relation_blocks(Oid relation);

#endif							/* ORDER_EXT_APPEND_H */
