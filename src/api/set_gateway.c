/*
 * set_gateway.c
 *		set_gateway: the function that executes refunds of a pay type.
 *
 * A gateway is a consumer group of refund.execute (machine/gateway/gateways.h) with all its
 * features: a cursor, workers of its role, pause() and redrive().
 */
#include "compat.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"

#include "core/arg_codes.h"
#include "core/call.h"
#include "core/error_facts.h"
#include "core/spelling.h"
#include "core/spi_util.h"
#include "machine/gateway/gateways.h"
#include "machine/payment/payment.h"
#include "message/base/engine.h"
#include "message/base/rights.h"
#include "message/verbs/subscribe.h"

static SavedPlan find_builtin = SAVED_PLAN(
	"SELECT FROM order_ext_internal.gateways WHERE pay_type = $1 AND builtin",
	TEXTOID);

static SavedPlan write_gateway = SAVED_PLAN(
	"INSERT INTO order_ext_internal.gateways (pay_type, handler, run_as, run_as_oid)"
	" VALUES ($1, $2, $3, $4)"
	" ON CONFLICT (pay_type) DO UPDATE SET handler = excluded.handler, run_as = excluded.run_as,"
	"  run_as_oid = excluded.run_as_oid, set_at = excluded.set_at",
	TEXTOID, TEXTOID, TEXTOID, OIDOID);

/*
 * The one of this spelling; until 0.5 there were others, which the update has kept where two
 * differed in nothing else.
 */
static SavedPlan delete_gateway = SAVED_PLAN(
	"DELETE FROM order_ext_internal.gateways WHERE NOT builtin AND pay_type = ("
	" SELECT g.pay_type FROM order_ext_internal.gateways g"
	" WHERE " SPELLING_CODE_SQL("g.pay_type") " = $2"
	" ORDER BY g.pay_type = $1 DESC, g.pay_type = $2 DESC, g.pay_type LIMIT 1)"
	" RETURNING pay_type",
	TEXTOID, TEXTOID);

static void
check_function(const char *pay_type, Oid function, Oid role)
{
	char	   *example_role;

	rights_check_exists(function,
						"Specify it as 'schema.function(order_ext.refund_request)'.");
	if (!gateway_signature_fits(function))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"handler\" is not a valid gateway function"),
				 error_facts("The function is {function}.",
							 FACT_TEXT("argument", "handler"),
							 FACT_TEXT("function", rights_function_signature(function))),
				 errhint("A gateway function takes one argument of type order_ext.refund_request "
						 "and returns text.")));
	example_role = rights_example_role(GetUserId());
	rights_check_to_run("gateway", function, role, example_role,
						psprintf("SELECT order_ext.set_gateway(%s, %s, %s);",
								 quote_literal_cstr(pay_type),
								 quote_literal_cstr(rights_function_signature(function)),
								 quote_literal_cstr(quote_identifier(example_role))));
}

static void
check_not_builtin(const char *pay_type)
{
	Datum		values[1] = {CStringGetTextDatum(pay_type)};

	if (plan_query(&find_builtin, values, NULL, 1) > 0)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("the gateway for pay type \"%s\" is built in", pay_type),
				 errhint("Choose another pay type.")));
}

/*
 * Publishes the waiting refunds again, since the group has not read their messages. The row in
 * gateways keeps external workers from claiming them.
 */
static void
set_gateway(const char *pay_type, AdaptedGroup *group)
{
	Datum		values[4];

	values[0] = CStringGetTextDatum(pay_type);
	values[1] = CStringGetTextDatum(rights_function_signature(group->function));
	values[2] = CStringGetTextDatum(GetUserNameFromId(group->run_as, false));
	values[3] = ObjectIdGetDatum(group->run_as);
	(void) plan_write(&write_gateway, values, NULL, 0);
	subscribe_adapted(group);
	refunds_publish_waiting(pay_type);
}

static void
remove_gateway(Datum told, const char *pay_type)
{
	Datum		values[2] = {told, CStringGetTextDatum(pay_type)};

	if (plan_write(&delete_gateway, values, NULL, 0) > 0)
		subscribe_adapted_no_more(gateway_group_name(row_text(0, 1)));
}

static Datum
set_gateway_body(FunctionCallInfo fcinfo)
{
	char	   *pay_type = arg_codes_lower(fcinfo, 0, "pay_type", MAX_PAY_TYPE_CHARS);
	AdaptedGroup group = {.name = gateway_group_name(pay_type), .topic_id = TOPIC_REFUND_EXECUTE};
	EngineScope scope;

	if (!PG_ARGISNULL(1))
	{
		group.function = PG_GETARG_OID(1);
		group.run_as = rights_arg_run_as(fcinfo, 2);
		rights_check_login(group.run_as);
		group.registrar = GetUserId();
		check_function(pay_type, group.function, group.run_as);
	}
	engine_enter(&scope);
	check_not_builtin(pay_type);
	if (PG_ARGISNULL(1))
		remove_gateway(PG_GETARG_DATUM(0), pay_type);
	else
		set_gateway(pay_type, &group);
	engine_leave(&scope);
	PG_RETURN_VOID();
}

PG_FUNCTION_INFO_V1(order_ext_set_gateway);
Datum
order_ext_set_gateway(PG_FUNCTION_ARGS)
{
	return api_call(fcinfo, set_gateway_body);
}
