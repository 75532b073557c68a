/*
 * session.h
 *		Running SQL-callable functions as a role, and cleaning up what they leave behind in the
 *		session of a worker.
 */
#ifndef ORDER_EXT_SESSION_H
#define ORDER_EXT_SESSION_H

#include "core/role.h"

/*
 * Switch to the role, until role_leave(), to run foreign code, with ROLE_SEARCH_PATH. Restricted
 * (core/role.h) if the session is not the role's own; that of a superuser after SET ROLE is not,
 * since what is deferred there would run as the superuser.
 */
extern void session_enter(RoleScope *scope, Oid role);

/*
 * Within session_enter(), at the end of a worker's transaction: run deferred triggers, which
 * would otherwise run at commit, now and as the role. Cursors are closed.
 */
extern void session_settle(void);

/*
 * Between two transactions of a worker: if foreign code ran in the session, undo what it left
 * behind: settings, temporary objects, session-level advisory locks, prepared statements, a role.
 * Otherwise does nothing.
 */
extern void session_clean(void);

#endif							/* ORDER_EXT_SESSION_H */
