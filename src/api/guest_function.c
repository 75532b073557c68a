/*
 * guest_function.c
 *		Functions of the application that the engine asks while it creates an order; see
 *		guest_function.h.
 */
#include "compat.h"

#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/syscache.h"

#include "api/guest_function.h"
#include "core/error_facts.h"
#include "core/internal.h"
#include "core/role.h"
#include "core/settings.h"
#include "message/base/engine.h"
#include "message/base/rights.h"
#include "message/base/table_reader.h"
#include "message/delivery/guest.h"

/* ---- calling it ---- */

static void
read_function(TableReader *reader, GuestFunction *function)
{
	int			role = function->kind->role_column;

	function->handler = table_reader_text(reader, function->kind->handler_column);
	function->role = bound_role_read(reader, role, role + 2);
	function->owner = bound_role_read(reader, role + 1, role + 3);
}

/* The table has one row. */
void
guest_functions_read(GuestFunction *functions, int n)
{
	TableReader reader;
	int			i;

	table_reader_open(&reader, internal_relation("instance"));
	while (table_reader_next(&reader))
	{
		for (i = 0; i < n; i++)
			read_function(&reader, &functions[i]);
	}
	table_reader_close(&reader);
}

static Oid
check_role(const GuestFunction *function)
{
	Oid			role = bound_role(&function->role);

	if (!OidIsValid(role))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("the role of the %s no longer exists", function->kind->what),
				 error_facts("The reason is that {reason}.",
							 FACT_TEXT("reason", bound_role_absence(&function->role))),
				 errhint("Set it again with %s.", function->kind->setter)));
	return role;
}

/* Check again what may have changed since it was set: the role's rights and the owner. */
static Oid
resolve(const GuestFunction *function, Oid role)
{
	Oid			oid;
	char	   *reason;

	oid = rights_function_by_signature(function->handler);
	if (!OidIsValid(oid))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FUNCTION),
				 errmsg("%s %s no longer exists", function->kind->what, function->handler),
				 errhint("Set it again with %s.", function->kind->setter)));
	reason = rights_refusal_to_run(oid, role);
	if (reason == NULL)
		reason = rights_refusal_of_owner(oid, &function->owner, role);
	if (reason != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("cannot run the %s", function->kind->what),
				 error_facts("Function {function}: {reason}.",
							 FACT_TEXT("function", function->handler),
							 FACT_TEXT("reason", reason)),
				 errhint("Set it again with %s.", function->kind->setter)));
	return oid;
}

/* What it answers is read while its role's rights apply; false if it is NULL. */
static bool
invoke(Oid oid, Jsonb *request, Datum *answer)
{
	LOCAL_FCINFO(call, 1);
	FmgrInfo	flinfo;
	Datum		value;

	fmgr_info(oid, &flinfo);
	InitFunctionCallInfoData(*call, &flinfo, 1, InvalidOid, NULL, NULL);
	call->args[0].value = JsonbPGetDatum(request);
	call->args[0].isnull = false;
	value = FunctionCallInvoke(call);
	if (call->isnull)
		return false;
	*answer = PointerGetDatum(PG_DETOAST_DATUM_COPY(value));
	return true;
}

pg_noreturn static void
raise_timeout(const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_QUERY_CANCELED),
			 errmsg("canceling the %s due to order_ext.handler_timeout", what),
			 error_facts("It ran for more than {handler_timeout} ms.",
						 FACT_INT("handler_timeout", setting_handler_timeout))));
}

bool
guest_function_call(const GuestFunction *function, Jsonb *request, Datum *answer,
					bool *took_too_long)
{
	const char *what = function->kind->what;
	Oid			role = check_role(function);
	RoleScope	scope;
	GuestScope	guest;
	Oid			oid;
	bool		answered = false;

	*took_too_long = false;

	/*
	 * Settings that it changes are undone: the session belongs to another role, and a search_path
	 * left behind would lead it to functions of this role.
	 */
	role_enter_restricted(&scope, role);
	role_use_search_path();
	oid = resolve(function, role);
	guest_begin(&guest, what);
	PG_TRY();
	{
		answered = invoke(oid, request, answer);
	}
	PG_CATCH();
	{
		*took_too_long = guest_failed(&guest);
		if (*took_too_long)
		{
			FlushErrorState();
			raise_timeout(what);
		}
		PG_RE_THROW();
	}
	PG_END_TRY();
	*took_too_long = guest_end(&guest);
	role_leave(&scope);
	return answered;
}

/* ---- setting it ---- */

static void
check_signature(const GuestKind *kind, Oid oid)
{
	HeapTuple	tuple;
	Form_pg_proc proc;

	rights_check_exists(oid, "Specify it as 'schema.function(jsonb)'.");
	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(oid));
	proc = (Form_pg_proc) GETSTRUCT(tuple);
	if (proc->prokind != PROKIND_FUNCTION || proc->proretset ||
		proc->prorettype != kind->answer_type ||
		proc->pronargs != 1 || proc->proargtypes.values[0] != JSONBOID)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"handler\" is not a valid %s function", kind->what),
				 error_facts(psprintf("It must take one argument of type jsonb and return %s.",
									  kind->answer),
							 FACT_TEXT("argument", "handler"),
							 FACT_TEXT("function", rights_function_signature(oid))),
				 errhint("Pass a function of that signature, or NULL to remove the present one.")));
	ReleaseSysCache(tuple);
}

static void
check_rights(const GuestKind *kind, Oid oid, Oid role)
{
	char	   *example_role = rights_example_role(GetUserId());

	rights_check_to_run(kind->what, oid, role, example_role,
						psprintf("SELECT order_ext.%s(%s, %s);", kind->setter,
								 quote_literal_cstr(rights_function_signature(oid)),
								 quote_literal_cstr(quote_identifier(example_role))));
}

Datum
guest_function_set(FunctionCallInfo fcinfo, const GuestKind *kind)
{
	Datum		values[5] = {0};
	char		nulls[] = "nnnnn";
	EngineScope scope;

	if (!PG_ARGISNULL(0))
	{
		Oid			oid = PG_GETARG_OID(0);
		Oid			role = rights_arg_run_as(fcinfo, 1);
		Oid			owner = rights_function_owner(oid);

		check_signature(kind, oid);
		check_rights(kind, oid, role);
		values[0] = CStringGetTextDatum(rights_function_signature(oid));
		values[1] = CStringGetTextDatum(GetUserNameFromId(role, false));
		values[2] = CStringGetTextDatum(GetUserNameFromId(owner, false));
		values[3] = ObjectIdGetDatum(role);
		values[4] = ObjectIdGetDatum(owner);
		memset(nulls, ' ', lengthof(values));
	}
	engine_enter(&scope);
	(void) plan_write(kind->write, values, nulls, 0);
	engine_leave(&scope);
	PG_RETURN_VOID();
}
