/*
 * append.h
 *		Plain inserts into our own append-mostly tables without the planner.
 *
 * An API call appends a handful of rows to the log tables; going through SPI for each of them
 * would cost several times the insert itself.
 *
 *		Appender *a = append_open("transition_log");
 *		append_row(a, values, nulls);		-- as often as needed
 *		append_close(a);
 */
#ifndef ORDER_EXT_APPEND_H
#define ORDER_EXT_APPEND_H

#include "postgres.h"

typedef struct Appender Appender;

/* Open a table of order_ext_internal for appending (RowExclusiveLock, to commit). */
extern Appender *append_open(const char *table);

/*
 * Have its rows appended in about the order of time: not into free space that vacuum has found in
 * earlier pages.
 */
extern void append_in_order(Appender *appender);

/*
 * The value of a column (from 1 on) as it is to be appended to take less room: compressed by LZ4 if
 * that is worth it, and the server has it. PostgreSQL itself compresses only rows of 2 kB and more.
 */
extern Datum append_compressed(const Appender *appender, int column, Datum value);

/*
 * Append one row: values and nulls in column order, for all columns (no defaults are filled in);
 * they are copied. NOT NULL and CHECK constraints are checked. The row is inserted, and 23505
 * raised, by the time append_flush() or append_close() returns.
 */
extern void append_row(Appender *appender, const Datum *values, const bool *nulls);

/* Insert the rows that are pending, and their index entries, now. */
extern void append_flush(Appender *appender);

/* Insert pending rows and close; the rows become visible to this transaction's next command. */
extern void append_close(Appender *appender);

/* Raise 25006 in a read-only transaction, as every command that writes must. */
extern void append_refuse_if_read_only(void);

#endif							/* ORDER_EXT_APPEND_H */
