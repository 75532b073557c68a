/*
 * table_locks.h
 *		LOCK TABLE on the engine's tables.
 */
#ifndef ORDER_EXT_TABLE_LOCKS_H
#define ORDER_EXT_TABLE_LOCKS_H

#include "postgres.h"

#include "nodes/parsenodes.h"

/*
 * Raises 42501 where the statement would lock a table of the engine, or a view of one, in a mode
 * that keeps others from writing, and the user is no superuser. pg_write_all_data, say, gives
 * the right, and everybody would wait for as long as the transaction stays open.
 */
extern void table_locks_check(const LockStmt *lock);

#endif							/* ORDER_EXT_TABLE_LOCKS_H */
