/*
 * guest.c
 *		A function that runs as a guest in the session of an application; see guest.h.
 *
 * That session would keep the advisory locks and prepared statements that it leaves until it
 * ends, and waits for it as long as it runs.
 */
#include "compat.h"

#include "catalog/objectaccess.h"
#include "catalog/pg_proc.h"
#include "tcop/utility.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"

#include "core/error_facts.h"
#include "core/settings.h"
#include "message/delivery/callers_cancel.h"
#include "message/delivery/guest.h"
#include "message/delivery/handler.h"
#include "message/delivery/time_limit.h"

static object_access_hook_type next_hook = NULL;
static ProcessUtility_hook_type next_utility = NULL;

/* The innermost guest that is running, or NULL. */
static const GuestScope *running = NULL;

/* They have consecutive OIDs; those for locks of transactions are others. */
StaticAssertDecl(F_PG_ADVISORY_UNLOCK_ALL - F_PG_ADVISORY_LOCK_INT8 == 12,
				 "OIDs of the functions for advisory locks of sessions");

static void
on_object_access(ObjectAccessType access, Oid class_id, Oid object_id, int sub_id, void *arg)
{
	if (next_hook != NULL)
		next_hook(access, class_id, object_id, sub_id, arg);
	if (running != NULL && access == OAT_FUNCTION_EXECUTE &&
		object_id >= F_PG_ADVISORY_LOCK_INT8 && object_id <= F_PG_ADVISORY_UNLOCK_ALL)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("the %s cannot use advisory locks of the session", running->what),
				 error_facts("The session that it runs in would keep them.",
							 FACT_TEXT("function", get_func_name(object_id))),
				 errhint("Use pg_advisory_xact_lock() instead.")));
}

static void
on_utility(PlannedStmt *pstmt, const char *query_string, bool read_only_tree,
		   ProcessUtilityContext context, ParamListInfo params,
		   QueryEnvironment *query_env, DestReceiver *dest, QueryCompletion *qc)
{
	if (running != NULL &&
		(IsA(pstmt->utilityStmt, PrepareStmt) || IsA(pstmt->utilityStmt, DeallocateStmt)))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("the %s cannot use prepared statements of the session", running->what),
				 error_facts("The session that it runs in would keep or lose them.",
							 FACT_TEXT("reason", "prepared_statement"))));
	if (next_utility != NULL)
		next_utility(pstmt, query_string, read_only_tree, context, params, query_env, dest, qc);
	else
		standard_ProcessUtility(pstmt, query_string, read_only_tree, context, params,
								query_env, dest, qc);
}

void
guest_init(void)
{
	next_hook = object_access_hook;
	object_access_hook = on_object_access;
	next_utility = ProcessUtility_hook;
	ProcessUtility_hook = on_utility;
}

static void
refuse_recursion(const char *what)
{
	const GuestScope *scope;

	for (scope = running; scope != NULL; scope = scope->outer)
	{
		if (strcmp(scope->what, what) == 0)
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("the %s calls a function that calls the %s", what, what),
					 errhint("It can neither create nor quote orders that it is asked about.")));
	}
}

void
guest_begin(GuestScope *scope, const char *what)
{
	refuse_recursion(what);
	scope->what = what;
	scope->has_limit = running == NULL && handler_running_group() == 0;
	scope->outer = unconstify(GuestScope *, running);
	if (scope->has_limit)
	{
		callers_cancel_watch();
		time_limit_begin(setting_handler_timeout);
	}
	running = scope;
}

bool
guest_end(const GuestScope *scope)
{
	bool		took_too_long;

	running = scope->outer;
	if (!scope->has_limit)
		return false;
	took_too_long = time_limit_passed();
	time_limit_end();
	callers_cancel_unwatch();
	return took_too_long;
}

bool
guest_failed(const GuestScope *scope)
{
	bool		took_too_long;

	running = scope->outer;
	if (!scope->has_limit)
		return false;
	took_too_long = time_limit_passed() && !callers_cancel_seen();
	time_limit_end_failed();
	time_limit_forget();
	callers_cancel_unwatch();
	return took_too_long && geterrcode() == ERRCODE_QUERY_CANCELED;
}
