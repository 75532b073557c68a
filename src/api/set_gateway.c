/*
 * set_gateway.c
 *		set_gateway: which function refunds of a pay type are given to.
 */
#include "compat.h"

#include "catalog/pg_authid.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "core/call.h"
#include "core/spi_util.h"
#include "handlers/gateway.h"
#include "machine/payment.h"
#include "message/engine.h"
#include "message/handler.h"

static SavedPlan find_builtin = SAVED_PLAN(
	"SELECT FROM order_ext_internal.gateways WHERE pay_type = $1 AND builtin",
	TEXTOID);

static SavedPlan write_gateway = SAVED_PLAN(
	"INSERT INTO order_ext_internal.gateways (pay_type, handler, run_as) VALUES ($1, $2, $3)"
	" ON CONFLICT (pay_type) DO UPDATE SET handler = excluded.handler, run_as = excluded.run_as,"
	"  set_at = excluded.set_at",
	TEXTOID, TEXTOID, TEXTOID);

static SavedPlan remove_gateway = SAVED_PLAN(
	"DELETE FROM order_ext_internal.gateways WHERE pay_type = $1",
	TEXTOID);

static bool
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

/* The caller's own role, or one that the caller is a member of and that may log in. */
static Oid
arg_run_as(FunctionCallInfo fcinfo, int n)
{
	Oid			role = PG_ARGISNULL(n) ? GetUserId() : PG_GETARG_OID(n);

	if (GetUserNameFromId(role, true) == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"run_as\" is not a role")));
	if (!is_member_of_role(GetUserId(), role))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("you are not a member of role \"%s\"", GetUserNameFromId(role, false))));
	if (!role_can_login(role))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("role \"%s\" may not log in", GetUserNameFromId(role, false)),
				 errhint("A gateway runs as a role with LOGIN.")));
	return role;
}

static void
check_function(Oid function, Oid role)
{
	if (function_signature(function) == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FUNCTION),
				 errmsg("argument \"handler\" is not a function")));
	if (!gateway_signature_fits(function))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"handler\" has not the form of a gateway"),
				 errdetail("It is %s.", function_signature(function)),
				 errhint("Write f(order_ext.refund_request) returning text.")));
	if (superuser_arg(role) && !function_owner_is_superuser(function))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("a gateway that runs as a superuser must be owned by one"),
				 errhint("Let it run as the role that owns the function.")));
	if (!may_execute(function, role))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("role \"%s\" may not execute the function of argument \"handler\"",
						GetUserNameFromId(role, false))));
}

/* Refunds that have been waiting for claim_refunds() become the workers'. */
static void
publish_waiting(const char *pay_type)
{
	Journal    *journal = journal_begin(GetCurrentTimestamp());

	refunds_publish_waiting(journal, pay_type);
	journal_write(journal);
}

static void
check_not_builtin(const char *pay_type)
{
	Datum		values[1] = {CStringGetTextDatum(pay_type)};

	if (plan_query(&find_builtin, values, NULL, 1) > 0)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("the gateway of pay type \"%s\" is built in", pay_type),
				 errhint("Choose another pay type.")));
}

static Datum
set_gateway_body(FunctionCallInfo fcinfo)
{
	char	   *pay_type = arg_text(fcinfo, 0, "pay_type", MAX_PAY_TYPE_CHARS);
	Datum		values[3] = {CStringGetTextDatum(pay_type)};
	EngineScope scope;

	if (!PG_ARGISNULL(1))
	{
		Oid			role = arg_run_as(fcinfo, 2);

		check_function(PG_GETARG_OID(1), role);
		values[1] = CStringGetTextDatum(function_signature(PG_GETARG_OID(1)));
		values[2] = CStringGetTextDatum(GetUserNameFromId(role, false));
	}
	engine_enter(&scope);
	check_not_builtin(pay_type);
	if (PG_ARGISNULL(1))
		(void) plan_write(&remove_gateway, values, NULL, 0);
	else
	{
		(void) plan_write(&write_gateway, values, NULL, 0);
		publish_waiting(pay_type);
	}
	engine_leave(&scope);
	PG_RETURN_VOID();
}

PG_FUNCTION_INFO_V1(order_ext_set_gateway);
Datum
order_ext_set_gateway(PG_FUNCTION_ARGS)
{
	return api_call(fcinfo, set_gateway_body);
}
