/*
 * session.c
 *		Running functions as a role, and cleaning up after them; see session.h.
 */
#include "compat.h"

#include "access/xact.h"
#include "catalog/namespace.h"
#include "commands/async.h"
#include "commands/prepare.h"
#include "commands/trigger.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/parsenodes.h"
#include "storage/ipc.h"
#include "storage/lock.h"
#include "utils/guc.h"
#include "utils/portal.h"

#include "message/base/engine.h"
#include "message/delivery/session.h"

/* Foreign code has run in this process since the last session_clean(). */
static bool session_used = false;

void
session_enter(RoleScope *scope, Oid role)
{
	Oid			session_user = GetSessionUserId();
	bool		own = session_user == role;

	if (GetOuterUserId() == role && !superuser_arg(session_user))
		own = true;				/* after SET ROLE */

	session_used = true;
	if (own)
		role_enter(scope, role);
	else
		role_enter_restricted(scope, role);
	role_use_search_path();
}

void
session_settle(void)
{
	ConstraintsSetStmt *all_immediate = makeNode(ConstraintsSetStmt);

	all_immediate->constraints = NIL;
	all_immediate->deferred = false;
	AfterTriggerSetState(all_immediate);
	PortalHashTableDeleteAll();
}

/* A trigger that deferred itself once more may have changed the role at commit. */
static void
reset_role(void)
{
	static Oid	session_user = InvalidOid;

	if (!OidIsValid(session_user))
		session_user = GetAuthenticatedUserId();
	if (GetSessionUserId() != session_user)
	{
		ereport(LOG,
				(errmsg("restarting worker because a handler changed the session authorization")));
		proc_exit(1);
	}
	if (OidIsValid(GetCurrentRoleId()))
		SetConfigOption("role", "none", PGC_SUSET, PGC_S_SESSION);
}

void
session_clean(void)
{
	Oid			temp_namespace;
	Oid			temp_toast_namespace;

	if (!session_used)
		return;
	session_used = false;
	reset_role();
	ResetAllOptions();
	DropAllPreparedStatements();
	LockReleaseAll(USER_LOCKMETHOD, true);
	GetTempNamespaceState(&temp_namespace, &temp_toast_namespace);
	if (OidIsValid(temp_namespace))
	{
		engine_begin_transaction();
		PortalHashTableDeleteAll();
		Async_UnlistenAll();
		ResetTempTableNamespace();
		engine_commit_transaction();
	}
}
