/*
 * internal.c
 *		The tables of order_ext_internal, by name; see internal.h.
 */
#include "compat.h"

#include "access/table.h"
#include "catalog/namespace.h"
#include "storage/bufmgr.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "core/internal.h"

Oid
internal_relation_or_none(const char *table)
{
	Oid			namespace_oid = get_namespace_oid("order_ext_internal", true);

	return OidIsValid(namespace_oid) ? get_relname_relid(table, namespace_oid) : InvalidOid;
}

Oid
internal_relation(const char *table)
{
	Oid			relation = internal_relation_or_none(table);

	if (!OidIsValid(relation))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table \"order_ext_internal.%s\" does not exist", table),
				 OidIsValid(get_namespace_oid("order_ext_internal", true)) ?
				 errhint("Run ALTER EXTENSION order_ext UPDATE, or install the matching library.") :
				 errhint("Run CREATE EXTENSION order_ext in this database.")));
	return relation;
}

BlockNumber
internal_relation_blocks(Oid relation)
{
	Relation	rel = table_open(relation, AccessShareLock);
	BlockNumber blocks = RelationGetNumberOfBlocks(rel);

	table_close(rel, AccessShareLock);
	return blocks;
}
