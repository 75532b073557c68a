/*
 * internal.c
 *		The tables of order_ext_internal, by name; see internal.h.
 */
#include "compat.h"

#include "access/table.h"
#include "catalog/namespace.h"
#include "storage/bufmgr.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "core/internal.h"

/* What was looked up before, until a change of the relation. */
typedef struct Known
{
	char		name[NAMEDATALEN];	/* the key */
	Oid			oid;			/* InvalidOid: look it up */
} Known;

static HTAB *known = NULL;
static uint64 invalidations = 0;

static void
on_invalidation(Datum arg, Oid relation)
{
	HASH_SEQ_STATUS all;
	Known	   *entry;

	invalidations++;
	hash_seq_init(&all, known);
	while ((entry = hash_seq_search(&all)) != NULL)
	{
		if (!OidIsValid(relation) || entry->oid == relation)
			entry->oid = InvalidOid;
	}
}

static Known *
known_entry(const char *table)
{
	char		key[NAMEDATALEN];
	Known	   *entry;
	bool		found;

	if (known == NULL)
	{
		HASHCTL		control = {.keysize = NAMEDATALEN, .entrysize = sizeof(Known)};

		known = hash_create("order_ext relations", 64, &control, HASH_ELEM | HASH_STRINGS);
		CacheRegisterRelcacheCallback(on_invalidation, (Datum) 0);
	}
	strlcpy(key, table, sizeof(key));
	entry = hash_search(known, key, HASH_ENTER, &found);
	if (!found)
		entry->oid = InvalidOid;
	return entry;
}

Oid
internal_relation_or_none(const char *table)
{
	Known	   *entry = known_entry(table);
	uint64		before = invalidations;
	Oid			namespace_oid;
	Oid			relation;

	if (OidIsValid(entry->oid))
		return entry->oid;
	namespace_oid = get_namespace_oid("order_ext_internal", true);
	if (!OidIsValid(namespace_oid))
		return InvalidOid;
	relation = get_relname_relid(table, namespace_oid);
	if (before == invalidations)
		entry->oid = relation;
	return relation;
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
