/*
 * rights.c
 *		Which function may run as which role; see rights.h.
 */
#include "compat.h"

#include "access/htup_details.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_proc.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/syscache.h"

#include "message/handler.h"
#include "message/rights.h"

bool
role_can_login(Oid role)
{
	HeapTuple	tuple = SearchSysCache1(AUTHOID, ObjectIdGetDatum(role));
	bool		can = false;

	if (HeapTupleIsValid(tuple))
	{
		can = ((Form_pg_authid) GETSTRUCT(tuple))->rolcanlogin;
		ReleaseSysCache(tuple);
	}
	return can;
}

bool
subscriber_is_superuser(const char *name)
{
	Oid			role;

	if (name == NULL)
		return true;
	role = get_role_oid(name, true);
	return OidIsValid(role) && superuser_arg(role);
}

Oid
role_to_run_as(const char *name, Oid caller, bool must_login)
{
	Oid			role = name != NULL ? get_role_oid(name, true) : caller;

	if (!OidIsValid(role))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("role \"%s\" does not exist", name),
				 errdetail("Option \"run_as\" names it."),
				 errhint("Name a role that may log in and that you are a member of.")));
	if (!may_become_role(caller, role))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("you are not a member of role \"%s\"", name),
				 errdetail("You are role \"%s\".", GetUserNameFromId(caller, false)),
				 errhint("Whoever subscribes must be able to SET ROLE to the role that the handler runs as.")));
	if (must_login && !role_can_login(role))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("role \"%s\" may not log in", GetUserNameFromId(role, false)),
				 errhint("Handlers run in sessions of their role: give it LOGIN, or name another one in option \"run_as\".")));
	return role;
}

static Oid
function_owner(Oid function)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	Oid			owner = InvalidOid;

	if (HeapTupleIsValid(tuple))
	{
		owner = ((Form_pg_proc) GETSTRUCT(tuple))->proowner;
		ReleaseSysCache(tuple);
	}
	return owner;
}

char *
function_owner_name(Oid function)
{
	char	   *name = GetUserNameFromId(function_owner(function), true);

	return name != NULL ? name : pstrdup("");
}

char *
refusal_of_owner(Oid function, const char *owner, Oid role)
{
	Oid			owner_now = function_owner(function);

	if (owner == NULL || owner_now == role || superuser_arg(owner_now) ||
		owner_now == get_role_oid(owner, true))
		return NULL;
	return psprintf("it belongs to role \"%s\" now, and belonged to role \"%s\" when it was registered",
					function_owner_name(function), owner);
}

char *
refusal_to_run(Oid function, Oid role, bool registered_by_superuser)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	bool		owner_is_superuser;
	bool		security_definer;

	if (!HeapTupleIsValid(tuple))
		return "it does not exist";
	owner_is_superuser = superuser_arg(((Form_pg_proc) GETSTRUCT(tuple))->proowner);
	security_definer = ((Form_pg_proc) GETSTRUCT(tuple))->prosecdef;
	ReleaseSysCache(tuple);

	if (superuser_arg(role) && !owner_is_superuser)
		return "it would run as a superuser and does not belong to one";
	if (superuser_arg(role) && !registered_by_superuser)
		return "it would run as a superuser and was not registered by one";
	if (security_definer && owner_is_superuser && !registered_by_superuser)
		return "it is a superuser's SECURITY DEFINER function and was not registered by a superuser";
	if (!may_execute(function, role))
		return psprintf("role \"%s\" may not execute it", GetUserNameFromId(role, false));
	return NULL;
}
