/*
 * table_reader.h
 *		Reading small tables as a whole under the newest catalog snapshot.
 */
#ifndef ORDER_EXT_TABLE_READER_H
#define ORDER_EXT_TABLE_READER_H

#include "postgres.h"

#include "access/genam.h"
#include "utils/relcache.h"

/* The rows of a table, one after the other, as values and nulls; columns count from 1. */
typedef struct TableReader
{
	Relation	rel;
	SysScanDesc scan;
	Datum	   *values;
	bool	   *nulls;
} TableReader;

/* Begin reading a table of at most 24 columns; columns that an older version lacks are NULL. */
extern void table_reader_open(TableReader *reader, Oid relation);

/* The next row; false after the last one. */
extern bool table_reader_next(TableReader *reader);

extern void table_reader_close(TableReader *reader);

/* A text of the row, in CurrentMemoryContext; NULL if NULL. */
extern char *table_reader_text(const TableReader *reader, int column);

#endif							/* ORDER_EXT_TABLE_READER_H */
