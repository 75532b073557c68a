/*
 * engine.h
 *		The frame in which the message layer runs SQL of its own, wherever it is called
 *		from: as the owner of the tables, with a search path that nobody can steer.
 */
#ifndef ORDER_EXT_ENGINE_H
#define ORDER_EXT_ENGINE_H

#include "postgres.h"

#include "core/role.h"

typedef struct EngineScope
{
	RoleScope	owner;
} EngineScope;

/*
 * Become the owner, fix the search path and connect SPI; and back. An error in between
 * needs no care: the end of the (sub)transaction undoes all three.
 */
extern void engine_enter(EngineScope *scope);
extern void engine_leave(EngineScope *scope);

/*
 * Begin a transaction of a background worker, with a snapshot; and commit it. The gate,
 * set by the workers' part of the library, runs first in each: it takes the lock that
 * keeps the extension from being dropped meanwhile, and ends the process if it is gone.
 */
extern void engine_begin_transaction(void);
extern void engine_commit_transaction(void);
extern void engine_set_gate(void (*gate) (void));

/*
 * Do the work in a transaction of its own, as the owner; its result. If a lock is not to be
 * had within the time, the transaction is undone and the result is if_locked. For a
 * background worker, outside of any transaction.
 */
extern bool engine_try_transaction(bool (*work) (int32 arg), int32 arg, int lock_timeout_ms,
								   bool if_locked);

#endif							/* ORDER_EXT_ENGINE_H */
