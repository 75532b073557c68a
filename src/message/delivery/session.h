/*
 * session.h
 *		Running functions of the database as a role, and what they leave behind in the
 *		session of a worker.
 */
#ifndef ORDER_EXT_SESSION_H
#define ORDER_EXT_SESSION_H

#include "postgres.h"

/*
 * Around code of somebody else's that runs as the role: it can neither get back to another
 * role (SET and RESET ROLE, SET SESSION AUTHORIZATION are refused) nor leave settings
 * behind. In a session that is not the role's own, or a superuser's for a role that is
 * none, what it could postpone until after role_leave() is refused, too (temporary
 * objects, cursors WITH HOLD, deferred triggers). An error in between needs no care: the
 * end of the (sub)transaction undoes it.
 */
typedef struct RoleScope
{
	Oid			user;
	int			security_context;
	int			guc_level;
} RoleScope;

extern void role_enter(RoleScope *scope, Oid role);
extern void role_leave(RoleScope *scope);

/*
 * Within role_enter(), at the end of a worker's transaction: run now, as the role, what
 * would otherwise run at commit: deferred triggers. Cursors are closed.
 */
extern void role_settle(void);

/*
 * Between two transactions of a worker: after code of somebody else's ran in the session,
 * undo what it left behind: settings, temporary objects, session-level advisory locks,
 * prepared statements, a role. Does nothing if none ran.
 */
extern void session_clean(void);

#endif							/* ORDER_EXT_SESSION_H */
