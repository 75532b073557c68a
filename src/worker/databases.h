/*
 * databases.h
 *		Which databases workers may connect to.
 */
#ifndef ORDER_EXT_DATABASES_H
#define ORDER_EXT_DATABASES_H

#include "postgres.h"

#include "nodes/pg_list.h"

/*
 * Oids of the databases that workers may connect to (one of them, if wanted is given), in
 * the context. In a transaction of its own.
 */
extern List *databases_read(Oid wanted, MemoryContext context);

#endif							/* ORDER_EXT_DATABASES_H */
