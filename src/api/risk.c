/*
 * risk.c
 *		The risk check: a function of the application that may reject an order.
 *
 * It runs as the role that it was set for, in a security-restricted operation: it cannot switch to
 * another role, queue deferred triggers or leave temporary objects behind.
 */
#include "compat.h"

#include "catalog/pg_authid.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/regproc.h"
#include "utils/syscache.h"

#include "api/risk.h"
#include "core/call.h"
#include "core/error_facts.h"
#include "core/errors.h"
#include "core/jsonb_build.h"
#include "core/internal.h"
#include "core/role.h"
#include "core/spi_util.h"
#include "message/base/engine.h"
#include "message/base/rights.h"
#include "message/base/table_reader.h"
#include "message/delivery/guest.h"

/* Columns of instance. */
enum
{
	INSTANCE_RISK_HANDLER = 3, INSTANCE_RISK_ROLE, INSTANCE_RISK_OWNER, INSTANCE_RISK_ROLE_OID,
	INSTANCE_RISK_OWNER_OID
};

typedef struct RiskCheck
{
	char	   *handler;		/* NULL: none */
	BoundRole	role;			/* it runs as this one */
	BoundRole	owner;			/* of the function when it was set */
} RiskCheck;

static SavedPlan write_check = SAVED_PLAN(
	"UPDATE order_ext_internal.instance SET risk_handler = $1, risk_role = $2,"
	" risk_owner = $3, risk_role_oid = $4, risk_owner_oid = $5",
	TEXTOID, TEXTOID, TEXTOID, OIDOID, OIDOID);

/* The table has one row. */
static RiskCheck
read_check(void)
{
	RiskCheck	check = {0};
	TableReader reader;

	table_reader_open(&reader, internal_relation("instance"));
	while (table_reader_next(&reader))
	{
		check.handler = table_reader_text(&reader, INSTANCE_RISK_HANDLER);
		check.role = bound_role_read(&reader, INSTANCE_RISK_ROLE, INSTANCE_RISK_ROLE_OID);
		check.owner = bound_role_read(&reader, INSTANCE_RISK_OWNER, INSTANCE_RISK_OWNER_OID);
	}
	table_reader_close(&reader);
	return check;
}

/* The request as passed to the check. */
static Jsonb *
risk_request(int64 user_id, Jsonb *items, int64 pay_amount, int64 coupon_id, Jsonb *options)
{
	JsonbBuilder *request = jsonb_object_begin();

	jsonb_add_id(request, "user_id", user_id);
	jsonb_add_jsonb(request, "items", items);
	jsonb_add_int(request, "pay_amount", pay_amount);
	if (coupon_id != 0)
		jsonb_add_id(request, "coupon_id", coupon_id);
	else
		jsonb_add_text(request, "coupon_id", NULL);
	jsonb_add_jsonb(request, "options", options);
	return jsonb_object_end(request);
}

static Oid
check_role(const RiskCheck *check)
{
	Oid			role = bound_role(&check->role);

	if (!OidIsValid(role))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("the role of the risk check no longer exists"),
				 error_facts("The reason is that {reason}.",
							 FACT_TEXT("reason", bound_role_absence(&check->role))),
				 errhint("Set the check again with set_risk_check.")));
	return role;
}

/* Check again what may have changed since it was set: the role's rights and the owner. */
static Oid
resolve_check(const RiskCheck *check, Oid role)
{
	Oid			function;
	char	   *reason;

	function = rights_function_by_signature(check->handler);
	if (!OidIsValid(function))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FUNCTION),
				 errmsg("risk check %s does not exist any more", check->handler),
				 errhint("Set it again with set_risk_check.")));
	reason = rights_refusal_to_run(function, role);
	if (reason == NULL)
		reason = rights_refusal_of_owner(function, &check->owner, role);
	if (reason != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("cannot run the risk check"),
				 error_facts("Function {function}: {reason}.",
							 FACT_TEXT("function", check->handler), FACT_TEXT("reason", reason)),
				 errhint("Set the check again with set_risk_check.")));
	return function;
}

/* Call the function; returns its answer, or NULL. */
static char *
call_check(Oid function, Jsonb *request)
{
	LOCAL_FCINFO(call, 1);
	FmgrInfo	flinfo;
	Datum		answer;

	fmgr_info(function, &flinfo);
	InitFunctionCallInfoData(*call, &flinfo, 1, InvalidOid, NULL, NULL);
	call->args[0].value = PointerGetDatum(request);
	call->args[0].isnull = false;
	answer = FunctionCallInvoke(call);
	return call->isnull ? NULL : TextDatumGetCString(answer);
}

void
risk_check(int64 user_id, Jsonb *items, int64 pay_amount, int64 coupon_id, Jsonb *options)
{
	RoleScope	scope;
	RiskCheck	check = read_check();
	Oid			role;
	Oid			function;
	char	   *reason;

	if (check.handler == NULL)
		return;
	role = check_role(&check);

	/*
	 * Settings that it changes are undone: the session belongs to another role, and a search_path
	 * left behind would lead it to functions of this role.
	 */
	role_enter(&scope, role, true);
	role_use_search_path();
	function = resolve_check(&check, role);
	guest_begin();
	PG_TRY();
	{
		reason = call_check(function,
							risk_request(user_id, items, pay_amount, coupon_id, options));
	}
	PG_CATCH();
	{
		call_keep_error();
		guest_failed();
		PG_RE_THROW();
	}
	PG_END_TRY();
	guest_end();
	role_leave(&scope);

	if (reason != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OE_RISK_REFUSED),
				 errmsg("order was rejected by the risk check"),
				 error_facts("{reason}", FACT_TEXT("reason", reason)),
				 errhint("The function set by set_risk_check makes this decision.")));
}

/* ---- set_risk_check ---- */

static void
check_signature(Oid function)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	Form_pg_proc proc;

	if (!HeapTupleIsValid(tuple))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FUNCTION),
				 errmsg("argument \"handler\" is not an existing function")));
	proc = (Form_pg_proc) GETSTRUCT(tuple);
	if (proc->prokind != PROKIND_FUNCTION || proc->proretset || proc->prorettype != TEXTOID ||
		proc->pronargs != 1 || proc->proargtypes.values[0] != JSONBOID)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"handler\" is not a valid risk check function"),
				 error_facts("It must take one argument of type jsonb and return text.",
							 FACT_TEXT("argument", "handler"),
							 FACT_TEXT("function", rights_function_signature(function)))));
	ReleaseSysCache(tuple);
}

static void
check_rights(Oid function, Oid role)
{
	char	   *example_role = rights_example_role(GetUserId());

	rights_check_to_run("risk check", function, role, example_role,
						psprintf("SELECT order_ext.set_risk_check(%s, %s);",
								 quote_literal_cstr(rights_function_signature(function)),
								 quote_literal_cstr(quote_identifier(example_role))));
}

static Datum
set_risk_check_body(FunctionCallInfo fcinfo)
{
	Datum		values[5] = {0};
	char		nulls[] = "nnnnn";
	EngineScope scope;

	if (!PG_ARGISNULL(0))
	{
		Oid			role = rights_arg_run_as(fcinfo, 1, false);
		Oid			owner = rights_function_owner(PG_GETARG_OID(0));

		check_signature(PG_GETARG_OID(0));
		check_rights(PG_GETARG_OID(0), role);
		values[0] = CStringGetTextDatum(rights_function_signature(PG_GETARG_OID(0)));
		values[1] = CStringGetTextDatum(GetUserNameFromId(role, false));
		values[2] = CStringGetTextDatum(GetUserNameFromId(owner, false));
		values[3] = ObjectIdGetDatum(role);
		values[4] = ObjectIdGetDatum(owner);
		memset(nulls, ' ', lengthof(values));
	}
	engine_enter(&scope);
	(void) plan_write(&write_check, values, nulls, 0);
	engine_leave(&scope);
	PG_RETURN_VOID();
}

PG_FUNCTION_INFO_V1(order_ext_set_risk_check);
Datum
order_ext_set_risk_check(PG_FUNCTION_ARGS)
{
	return api_call(fcinfo, set_risk_check_body);
}
