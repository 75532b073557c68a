/*
 * rights.c
 *		Which function may run as which role; see rights.h.
 */
#include "compat.h"

#include "access/htup_details.h"
#include "access/transam.h"
#include "catalog/namespace.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/regproc.h"
#include "utils/syscache.h"

#include "core/role.h"
#include "message/base/rights.h"

/* ---- functions by name ---- */

/* A type of schema order_ext, or an array of it, as rights_function_signature() writes it. */
static Oid
type_by_name(const char *name)
{
	static const char schema[] = "order_ext.";
	char	   *type_name;
	bool		is_array = false;
	Oid			type;

	if (strncmp(name, schema, strlen(schema)) != 0)
		return InvalidOid;
	type_name = pstrdup(name + strlen(schema));
	if (strlen(type_name) > 2 && strcmp(type_name + strlen(type_name) - 2, "[]") == 0)
	{
		is_array = true;
		type_name[strlen(type_name) - 2] = '\0';
	}
	type = GetSysCacheOid2(TYPENAMENSP, Anum_pg_type_oid, CStringGetDatum(type_name),
						   ObjectIdGetDatum(get_namespace_oid("order_ext", false)));
	return is_array && OidIsValid(type) ? get_array_type(type) : type;
}

/*
 * Does not use to_regprocedure(), which checks the current user's USAGE on the schemas: a role
 * need not be able to name a function that it may execute.
 */
Oid
rights_function_by_signature(const char *signature)
{
	char	   *name = pstrdup(signature);
	char	   *bracket = strrchr(name, '(');
	Size		length = strlen(name);
	List	   *names;
	Oid			schema;
	Oid			type;

	if (bracket == NULL || name[length - 1] != ')')
		return InvalidOid;
	name[length - 1] = '\0';
	*bracket = '\0';
	type = type_by_name(bracket + 1);
	names = qualified_name_list(name);
	if (!OidIsValid(type) || list_length(names) != 2)
		return InvalidOid;
	schema = get_namespace_oid(strVal(linitial(names)), true);
	if (!OidIsValid(schema))
		return InvalidOid;
	return GetSysCacheOid3(PROCNAMEARGSNSP, Anum_pg_proc_oid,
						   CStringGetDatum(strVal(lsecond(names))),
						   PointerGetDatum(buildoidvector(&type, 1)),
						   ObjectIdGetDatum(schema));
}

/* Quoted only where necessary, regardless of the session's settings, since it is parsed again. */
char *
rights_function_signature(Oid function)
{
	bool		quote_all = quote_all_identifiers;
	char	   *signature;

	quote_all_identifiers = false;
	signature = format_procedure_qualified(function);
	quote_all_identifiers = quote_all;
	return signature;
}

/* ---- roles ---- */

bool
rights_role_can_login(Oid role)
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
rights_is_superuser(const char *name)
{
	Oid			role;

	if (name == NULL)
		return true;
	role = get_role_oid(name, true);
	return OidIsValid(role) && superuser_arg(role);
}

Oid
rights_role_to_run_as(const char *name, Oid caller, bool must_login)
{
	Oid			role = name != NULL ? get_role_oid(name, true) : caller;

	if (!OidIsValid(role))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("role \"%s\" does not exist", name),
				 errdetail("It is specified by option \"run_as\"."),
				 errhint("Specify a role that can log in and that you are a member of.")));
	if (!may_become_role(caller, role))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied to run functions as role \"%s\"", name),
				 errdetail("Role \"%s\" is not a member of it.", GetUserNameFromId(caller, false)),
				 errhint("A role that registers a function must be able to SET ROLE to the role "
						 "that it runs as.")));
	if (must_login && !rights_role_can_login(role))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("role \"%s\" is not permitted to log in", GetUserNameFromId(role, false)),
				 errhint("Functions run in sessions of their role: grant it LOGIN, or specify "
						 "another role in \"run_as\".")));
	return role;
}

/* ---- which function for which role ---- */

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
rights_function_owner(Oid function)
{
	char	   *name = GetUserNameFromId(function_owner(function), true);

	return name != NULL ? name : pstrdup("");
}

char *
rights_refusal_of_owner(Oid function, const char *owner, Oid role)
{
	Oid			owner_now = function_owner(function);

	if (owner == NULL || owner_now == role || superuser_arg(owner_now) ||
		owner_now == get_role_oid(owner, true))
		return NULL;
	return psprintf("it belongs to role \"%s\" but belonged to role \"%s\" when it was registered",
					rights_function_owner(function), owner);
}

/* The predefined roles except the superuser, and our own: no one can log in as one of them. */
static bool
role_is_reserved(Oid role)
{
	return (role < FirstNormalObjectId && role != BOOTSTRAP_SUPERUSERID) ||
		role == role_of_owner();
}

char *
rights_refusal_to_run(Oid function, Oid role, bool registered_by_superuser)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	bool		owner_is_superuser;
	bool		security_definer;

	if (!HeapTupleIsValid(tuple))
		return "it does not exist";
	owner_is_superuser = superuser_arg(((Form_pg_proc) GETSTRUCT(tuple))->proowner);
	security_definer = ((Form_pg_proc) GETSTRUCT(tuple))->prosecdef;
	ReleaseSysCache(tuple);

	if (role_is_reserved(role))
		return psprintf("role \"%s\" may not run functions", GetUserNameFromId(role, false));
	if (superuser_arg(role) && !owner_is_superuser)
		return "it would run as a superuser but does not belong to one";
	if (superuser_arg(role) && !registered_by_superuser)
		return "it would run as a superuser but was not registered by one";
	if (security_definer && owner_is_superuser && !registered_by_superuser)
		return "it is a superuser's SECURITY DEFINER function but was not registered by a "
			"superuser";
	if (!may_execute(function, role))
		return psprintf("role \"%s\" has no EXECUTE privilege on it",
						GetUserNameFromId(role, false));
	return NULL;
}
