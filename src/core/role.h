/*
 * role.h
 *		Becoming another role for a while, and going back.
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
 * Become the role: nothing that runs meanwhile gets to another one (SET and RESET ROLE, SET
 * SESSION AUTHORIZATION are refused), and what it sets is undone by role_leave(). Restricted,
 * it cannot postpone anything until after that either (temporary objects, cursors WITH HOLD,
 * deferred triggers). An error in between needs no care: the end of the (sub)transaction
 * undoes all of it.
 */
extern void role_enter(RoleScope *scope, Oid role, bool restricted);
extern void role_leave(const RoleScope *scope);

/* The role order_ext_owner, which owns the extension's tables; raises 42704 if it is missing. */
extern Oid	role_of_owner(void);

#endif							/* ORDER_EXT_ROLE_H */
