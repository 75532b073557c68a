/*
 * holds.h
 *		Commands that need a database without workers.
 */
#ifndef ORDER_EXT_HOLDS_H
#define ORDER_EXT_HOLDS_H

#include "postgres.h"

#include "nodes/nodes.h"

/*
 * The command is about to run; in_block: in a transaction block or a function. If it needs a
 * database without other sessions, and they are all that prevents its execution, the database's
 * workers are stopped and not restarted until holds_release().
 */
extern void holds_before(Node *command, bool in_block);

/* The transaction has ended. Raises no error. */
extern void holds_release(void);

#endif							/* ORDER_EXT_HOLDS_H */
