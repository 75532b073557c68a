/*
 * engine.h
 *		The frame in which the message layer runs its own SQL, wherever it is called from: as the
 *		owner of the tables, with a fixed search path.
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
 * Switch to the owner, fix the search path and connect SPI; and undo that. An error in between
 * needs no special handling: the end of the (sub)transaction undoes all three.
 */
extern void engine_enter(EngineScope *scope);
extern void engine_leave(EngineScope *scope);

/*
 * The same within api_call(), which has connected SPI. engine_take_over() returns the role
 * that was the current user: the caller, where the function is SECURITY INVOKER.
 */
extern Oid	engine_take_over(EngineScope *scope);
extern void engine_give_back(EngineScope *scope);

/*
 * Begin a transaction of a background worker, with a snapshot; and commit it. The gate, set by
 * the workers' part of the library, runs first in each: it takes the lock that keeps the
 * extension from being dropped, and ends the process if the extension has been dropped.
 */
extern void engine_begin_transaction(void);
extern void engine_commit_transaction(void);
extern void engine_set_gate(void (*gate) (void));

/*
 * Have the transaction commit by the configured synchronous_commit, whatever the process has set
 * for its session.
 */
extern void engine_commit_as_configured(void);

/*
 * Run the work in its own transaction, as the owner; returns its result. If a lock cannot be
 * obtained within the timeout, the transaction is rolled back and the result is if_locked. For
 * background workers, outside of any transaction.
 */
extern bool engine_try_transaction(bool (*work) (int32 arg), int32 arg, int lock_timeout_ms,
								   bool if_locked);

#endif							/* ORDER_EXT_ENGINE_H */
