/*
 * guest.c
 *		A function that runs as a guest in the session of an application; see guest.h.
 *
 * That session would keep the advisory locks that it takes until it ends, and waits for it as
 * long as it runs.
 */
#include "compat.h"

#include "catalog/objectaccess.h"
#include "catalog/pg_proc.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"

#include "core/error_facts.h"
#include "core/settings.h"
#include "message/delivery/callers_cancel.h"
#include "message/delivery/guest.h"
#include "message/delivery/handler.h"
#include "message/delivery/time_limit.h"

static object_access_hook_type next_hook = NULL;

/* The function is running; in_handler: within a handler, whose time limit is armed. */
static bool running = false;
static bool in_handler = false;

/* They have consecutive OIDs; those for locks of transactions are others. */
StaticAssertDecl(F_PG_ADVISORY_UNLOCK_ALL - F_PG_ADVISORY_LOCK_INT8 == 12,
				 "OIDs of the functions for advisory locks of sessions");

static void
on_object_access(ObjectAccessType access, Oid class_id, Oid object_id, int sub_id, void *arg)
{
	if (next_hook != NULL)
		next_hook(access, class_id, object_id, sub_id, arg);
	if (running && access == OAT_FUNCTION_EXECUTE &&
		object_id >= F_PG_ADVISORY_LOCK_INT8 && object_id <= F_PG_ADVISORY_UNLOCK_ALL)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("the risk check cannot use advisory locks of the session"),
				 error_facts("The caller of create_order would keep them.",
							 FACT_TEXT("function", get_func_name(object_id))),
				 errhint("Use pg_advisory_xact_lock() instead.")));
}

void
guest_init(void)
{
	next_hook = object_access_hook;
	object_access_hook = on_object_access;
}

void
guest_begin(void)
{
	in_handler = handler_running_group() != 0;
	if (!in_handler)
	{
		callers_cancel_watch();
		time_limit_begin(setting_handler_timeout);
	}
	running = true;
}

void
guest_end(void)
{
	running = false;
	if (in_handler)
		return;
	time_limit_end();
	callers_cancel_unwatch();
}

void
guest_failed(void)
{
	bool		took_too_long;

	running = false;
	if (in_handler)
		return;
	took_too_long = time_limit_passed() && !callers_cancel_seen();
	time_limit_end_failed();
	time_limit_forget();
	callers_cancel_unwatch();
	if (!took_too_long || geterrcode() != ERRCODE_QUERY_CANCELED)
		return;
	FlushErrorState();
	ereport(ERROR,
			(errcode(ERRCODE_QUERY_CANCELED),
			 errmsg("canceling the risk check due to order_ext.handler_timeout"),
			 error_facts("It ran for more than {handler_timeout} ms.",
						 FACT_INT("handler_timeout", setting_handler_timeout))));
}
