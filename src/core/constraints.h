/*
 * constraints.h
 *		NOT NULL and CHECK constraints of our own tables, prepared once in each backend.
 *
 * The executor reads the expressions of a table's CHECK constraints from their text for every
 * statement that writes the table, which can cost more than the statement itself.
 */
#ifndef ORDER_EXT_CONSTRAINTS_H
#define ORDER_EXT_CONSTRAINTS_H

#include "postgres.h"

#include "executor/tuptable.h"
#include "utils/relcache.h"

/* Raise 23502 or 23514, as the executor does, if a new row of the table violates a constraint. */
extern void constraints_check(Relation rel, TupleTableSlot *slot);

#endif							/* ORDER_EXT_CONSTRAINTS_H */
