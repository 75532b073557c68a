/*
 * internal.h
 *		The tables of order_ext_internal, by name.
 */
#ifndef ORDER_EXT_INTERNAL_H
#define ORDER_EXT_INTERNAL_H

#include "postgres.h"

#include "storage/block.h"

/* Oid of a table in order_ext_internal; raises 55000 if the extension is not installed. */
extern Oid	internal_relation(const char *table);

/* The same; InvalidOid if it does not exist (SQL objects of an older version). */
extern Oid	internal_relation_or_none(const char *table);

/* The current size of a relation in blocks. Leaves no lock behind. */
extern BlockNumber internal_relation_blocks(Oid relation);

#endif							/* ORDER_EXT_INTERNAL_H */
