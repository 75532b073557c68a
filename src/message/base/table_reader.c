/*
 * table_reader.c
 *		Reading small tables as a whole; see table_reader.h.
 */
#include "compat.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "utils/builtins.h"
#include "utils/rel.h"

#include "message/base/table_reader.h"

/* The tables read have fewer columns than this. */
#define MAX_COLUMNS 24

void
table_reader_open(TableReader *reader, Oid relation)
{
	int			natts;

	reader->rel = table_open(relation, AccessShareLock);
	/* tables of an older version have fewer columns: the rest reads as NULL */
	natts = Max(RelationGetDescr(reader->rel)->natts, MAX_COLUMNS) + 1;
	reader->scan = systable_beginscan(reader->rel, InvalidOid, false, NULL, 0, NULL);
	reader->values = palloc0(sizeof(Datum) * natts);
	reader->nulls = palloc(sizeof(bool) * natts);
	memset(reader->nulls, true, natts);
}

bool
table_reader_next(TableReader *reader)
{
	HeapTuple	tuple = systable_getnext(reader->scan);

	if (!HeapTupleIsValid(tuple))
		return false;
	heap_deform_tuple(tuple, RelationGetDescr(reader->rel), reader->values + 1, reader->nulls + 1);
	return true;
}

void
table_reader_close(TableReader *reader)
{
	systable_endscan(reader->scan);
	table_close(reader->rel, AccessShareLock);
}

char *
table_reader_text(const TableReader *reader, int column)
{
	return reader->nulls[column] ? NULL : TextDatumGetCString(reader->values[column]);
}
