/*
 * stamp.c
 *		Reading the stamp of the database; see stamp.h. How it is changed: upkeep/enable.c.
 */
#include "compat.h"

#include "access/xlog.h"
#include "miscadmin.h"

#include "core/node.h"
#include "message/base/stamp.h"
#include "message/base/table_reader.h"

/* The columns of database_stamp; the node since 0.4. */
enum
{
	STAMP_SYSTEM_IDENTIFIER = 1, STAMP_DATABASE, STAMP_NODE = 4
};

StampState
stamp_read(Oid database_stamp, int64 *node)
{
	TableReader reader;
	bool		own = false;
	bool		foreign = false;

	*node = NODE_ANY;
	table_reader_open(&reader, database_stamp);
	while (table_reader_next(&reader))
	{
		if (DatumGetInt64(reader.values[STAMP_SYSTEM_IDENTIFIER]) !=
			(int64) GetSystemIdentifier() ||
			DatumGetObjectId(reader.values[STAMP_DATABASE]) != MyDatabaseId)
			foreign = true;
		else
		{
			own = true;
			if (!reader.nulls[STAMP_NODE])
				*node = DatumGetInt64(reader.values[STAMP_NODE]);
		}
	}
	table_reader_close(&reader);
	if (foreign)
		return STAMP_FOREIGN;
	if (!own)
		return STAMP_MISSING;
	return node_may_dispatch(*node) ? STAMP_OWN : STAMP_COPIED;
}

const char *
stamp_reason(StampState state)
{
	switch (state)
	{
		case STAMP_OWN:
			return NULL;
		case STAMP_MISSING:
		case STAMP_FOREIGN:
			return "The database was restored, copied or upgraded; "
				"its stamp is missing or belongs to another database.";
		case STAMP_COPIED:
			return "The server runs on a copy of the data directory in which dispatch was enabled.";
	}
	return NULL;
}
