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

#include "core/error_facts.h"
#include "core/role.h"
#include "message/base/rights.h"

/* ---- functions by name ---- */

/* A type by its qualified name, or an array of it, as rights_function_signature() writes it. */
static Oid
type_by_name(const char *name)
{
	const char *point = strchr(name, '.');
	char	   *type_name;
	bool		is_array = false;
	Oid			schema;
	Oid			type;

	if (point == NULL)
		return InvalidOid;
	schema = get_namespace_oid(pnstrdup(name, point - name), true);
	type_name = pstrdup(point + 1);
	if (strlen(type_name) > 2 && strcmp(type_name + strlen(type_name) - 2, "[]") == 0)
	{
		is_array = true;
		type_name[strlen(type_name) - 2] = '\0';
	}
	type = GetSysCacheOid2(TYPENAMENSP, Anum_pg_type_oid, CStringGetDatum(type_name),
						   ObjectIdGetDatum(schema));
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

void
rights_check_exists(Oid function, const char *hint)
{
	if (!SearchSysCacheExists1(PROCOID, ObjectIdGetDatum(function)))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FUNCTION),
				 errmsg("argument \"handler\" is not an existing function"),
				 error_facts("There is no function with OID {oid}.",
							 FACT_TEXT("argument", "handler"), FACT_INT("oid", function)),
				 errhint("%s", hint)));
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

char *
rights_refusal_of_role(Oid role)
{
	if (superuser_arg(role))
		return psprintf("role \"%s\" is a superuser", GetUserNameFromId(role, true));
	if (role == role_of_owner())
		return psprintf("role \"%s\" owns the tables of order_ext", GetUserNameFromId(role, true));
	if (role < FirstNormalObjectId)
		return psprintf("role \"%s\" is a predefined role", GetUserNameFromId(role, true));
	return NULL;
}

bool
rights_runs_as(const BoundRole *run_as, Oid role)
{
	return OidIsValid(role) && bound_role(run_as) == role && rights_refusal_of_role(role) == NULL;
}

Oid
rights_role_to_run_as(const char *name, Oid caller)
{
	Oid			role = name != NULL ? get_role_oid(name, true) : caller;

	if (!OidIsValid(role))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("role \"%s\" does not exist", name),
				 error_facts("It is specified by option \"run_as\".",
							 FACT_TEXT("argument", "options"), FACT_TEXT("key", "run_as"),
							 FACT_TEXT("role", name)),
				 errhint("Specify a role that can log in and that you are a member of.")));
	if (!may_become_role(caller, role))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied to run functions as role \"%s\"", name),
				 error_facts("Role \"{caller}\" is not a member of it.",
							 FACT_TEXT("role", name),
							 FACT_TEXT("caller", GetUserNameFromId(caller, false))),
				 errhint("A role that registers a function must be able to SET ROLE to the role "
						 "that it runs as.")));
	return role;
}

void
rights_check_login(Oid role)
{
	if (!rights_role_can_login(role) && rights_refusal_of_role(role) == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("role \"%s\" is not permitted to log in", GetUserNameFromId(role, false)),
				 errhint("Functions run in sessions of their role: grant it LOGIN, or specify "
						 "another role in \"run_as\".")));
}

Oid
rights_arg_run_as(FunctionCallInfo fcinfo, int n)
{
	bool		is_given = n < PG_NARGS() && !PG_ARGISNULL(n);
	char	   *name = GetUserNameFromId(is_given ? PG_GETARG_OID(n) : GetUserId(), true);

	if (name == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"run_as\" is not an existing role"),
				 error_facts("There is no role with OID {oid}.",
							 FACT_TEXT("argument", "run_as"),
							 FACT_INT("oid", is_given ? PG_GETARG_OID(n) : GetUserId())),
				 errhint("Pass a role, or NULL for the caller.")));
	return rights_role_to_run_as(name, GetUserId());
}

/* ---- which function for which role ---- */

Oid
rights_function_owner(Oid function)
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
rights_refusal_of_owner(Oid function, const BoundRole *owner, Oid role)
{
	Oid			owner_now = rights_function_owner(function);
	char	   *name_now = GetUserNameFromId(owner_now, true);

	if (owner->name == NULL || owner_now == role || superuser_arg(owner_now) ||
		(OidIsValid(owner_now) && owner_now == bound_role(owner)))
		return NULL;
	if (name_now != NULL && strcmp(name_now, owner->name) == 0)
		return psprintf("it belonged to another role \"%s\" when it was registered", owner->name);
	return psprintf("it belongs to role \"%s\" but belonged to role \"%s\" when it was registered",
					name_now != NULL ? name_now : "", owner->name);
}

char *
rights_refusal_to_run(Oid function, Oid role)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	char	   *of_role;
	bool		becomes_superuser;

	if (!HeapTupleIsValid(tuple))
		return "it does not exist";
	becomes_superuser = ((Form_pg_proc) GETSTRUCT(tuple))->prosecdef &&
		superuser_arg(((Form_pg_proc) GETSTRUCT(tuple))->proowner);
	ReleaseSysCache(tuple);

	of_role = rights_refusal_of_role(role);
	if (of_role != NULL)
		return of_role;
	if (becomes_superuser)
		return "it is a superuser's SECURITY DEFINER function";
	if (!may_execute(function, role))
		return psprintf("role \"%s\" has no EXECUTE privilege on it",
						GetUserNameFromId(role, false));
	return NULL;
}

/* ---- registering one ---- */

static bool
role_suits(Oid role)
{
	return rights_role_can_login(role) && rights_refusal_of_role(role) == NULL;
}

char *
rights_example_role(Oid caller)
{
	char	   *name = "order_handlers";
	Oid			role;
	int			i;

	if (role_suits(caller))
		return GetUserNameFromId(caller, false);
	for (i = 2; OidIsValid(role = get_role_oid(name, true)); i++)
	{
		if (role_suits(role) && may_become_role(caller, role))
			break;
		name = psprintf("order_handlers_%d", i);
	}
	return name;
}

/* What to do about it, if the reason is that of rights_refusal_to_run(). */
static char *
advice(Oid function, Oid role, const char *example_role, const char *call)
{
	char	   *signature = rights_function_signature(function);

	if (rights_refusal_of_role(role) == NULL)
		return may_execute(function, role)
			? psprintf("Grant the role what the function needs, and then: "
					   "ALTER FUNCTION %s SECURITY INVOKER;", signature)
			: psprintf("Ask the function's owner to GRANT EXECUTE ON FUNCTION %s TO %s;", signature,
					   quote_identifier(GetUserNameFromId(role, false)));
	return psprintf("Have it run as a role with no more privileges than it needs: %s%s",
					OidIsValid(get_role_oid(example_role, true)) ? ""
					: psprintf("CREATE ROLE %s LOGIN; ", quote_identifier(example_role)),
					call);
}

void
rights_check_to_run(const char *what, Oid function, Oid role,
					const char *example_role, const char *call)
{
	char	   *reason = rights_refusal_to_run(function, role);

	if (reason != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("%s %s cannot run as role \"%s\"", what,
						rights_function_signature(function), GetUserNameFromId(role, false)),
				 error_facts("The reason is that {reason}.",
							 FACT_TEXT("function", rights_function_signature(function)),
							 FACT_TEXT("role", GetUserNameFromId(role, false)),
							 FACT_TEXT("reason", reason)),
				 errhint("%s", advice(function, role, example_role, call))));
}
