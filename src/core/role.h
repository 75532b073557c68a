/*
 * role.h
 *		Switching to another role temporarily.
 */
#ifndef ORDER_EXT_ROLE_H
#define ORDER_EXT_ROLE_H

#include "postgres.h"

typedef struct RoleScope
{
	Oid			user;
	int			security_context;
	int			guc_level;
} RoleScope;

/*
 * Switch to the role: code that runs until role_leave() cannot change to another one (SET and
 * RESET ROLE and SET SESSION AUTHORIZATION are rejected), and role_leave() undoes its changes of
 * settings. order_ext.operator is empty: it is about what the session itself calls. Entered as
 * restricted, the code cannot defer anything past that point either (temporary objects, cursors
 * WITH HOLD, deferred triggers). An error in between needs no special handling: the end of the
 * (sub)transaction undoes everything.
 */
extern void role_enter(RoleScope *scope, Oid role);
extern void role_enter_restricted(RoleScope *scope, Oid role);
extern void role_leave(const RoleScope *scope);

/*
 * The search_path that functions of applications run with, whatever is set for the database, the
 * role or the session; a function's own SET clause applies. Temporary objects come last, so that
 * those of the session cannot take the place of tables that a function of another role refers to.
 */
#define ROLE_SEARCH_PATH "\"$user\", public, pg_temp"

/* Set it until role_leave(). */
extern void role_use_search_path(void);

/* The role order_ext_owner, which owns the extension's tables; raises 42704 if it is missing. */
extern Oid	role_of_owner(void);

#endif							/* ORDER_EXT_ROLE_H */
