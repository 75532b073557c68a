/*
 * session.h
 *		Running functions of the database as a role, and what they leave behind in the
 *		session of a worker.
 */
#ifndef ORDER_EXT_SESSION_H
#define ORDER_EXT_SESSION_H

#include "core/role.h"

/*
 * Become the role, until role_leave(), for code of somebody else's. In a session that is not
 * the role's own, or a superuser's for a role that is none, it is restricted (core/role.h).
 */
extern void session_enter(RoleScope *scope, Oid role);

/*
 * Within session_enter(), at the end of a worker's transaction: run now, as the role, what
 * would otherwise run at commit: deferred triggers. Cursors are closed.
 */
extern void session_settle(void);

/*
 * Between two transactions of a worker: after code of somebody else's ran in the session,
 * undo what it left behind: settings, temporary objects, session-level advisory locks,
 * prepared statements, a role. Does nothing if none ran.
 */
extern void session_clean(void);

#endif							/* ORDER_EXT_SESSION_H */
