/*
 * databases.h
 *		Which databases workers may connect to; and lists of some.
 */
#ifndef ORDER_EXT_DATABASES_H
#define ORDER_EXT_DATABASES_H

#include "postgres.h"

#include "nodes/pg_list.h"

/*
 * Oids of the databases that workers may connect to (only wanted, if it is given), in the
 * context. In its own transaction.
 */
extern List *databases_read(Oid wanted, MemoryContext context);

/* Databases of one transaction; more than this in one transaction are not supported. */
#define MAX_NOTED 16

typedef struct DatabaseList
{
	int			n;
	Oid			oids[MAX_NOTED];
} DatabaseList;

/* Add a database to the list, if it is not there and there is room. */
extern void databases_add(DatabaseList *list, Oid database);

#endif							/* ORDER_EXT_DATABASES_H */
