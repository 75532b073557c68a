/*
 * grant_topic.c
 *		grant_topic, revoke_topic: who may do what with a topic.
 */
#include "compat.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "core/args.h"
#include "core/call.h"
#include "core/error_facts.h"
#include "core/spi_util.h"
#include "message/base/catalog.h"
#include "message/base/engine.h"
#include "message/base/limits.h"
#include "message/base/topic_rights.h"
#include "message/verbs/topics.h"

/* Both take topic, privilege, and the role by name and OID. */
static SavedPlan insert_grant = SAVED_PLAN(
	"INSERT INTO order_ext_internal.topic_grants (topic_id, privilege, role, role_oid)"
	" VALUES ($1, $2, $3, $4)"
	" ON CONFLICT DO NOTHING",
	INT4OID, TEXTOID, TEXTOID, OIDOID);

static SavedPlan delete_grant = SAVED_PLAN(
	"DELETE FROM order_ext_internal.topic_grants"
	" WHERE topic_id = $1 AND privilege = $2 AND role_oid = $4",
	INT4OID, TEXTOID, TEXTOID, OIDOID);

/* What both calls are about. */
typedef struct GrantCall
{
	Datum		topic_id;
	Datum		privilege;
	Oid			role;
	char	   *role_name;
} GrantCall;

/* The arguments, checked, and the caller's right to the call. */
static GrantCall
read_call(FunctionCallInfo fcinfo, Oid caller)
{
	static const char *const words[] = {"publish", "subscribe", "cancel", NULL};
	char	   *name = arg_text(fcinfo, 0, "topic", MAX_NAME_CHARS);
	GrantCall	call;
	int32		topic_id;
	bool		builtin;

	arg_not_null(fcinfo, 1, "role");
	call.privilege = CStringGetTextDatum(words[arg_word(fcinfo, 2, "privilege", words)]);
	call.role = PG_GETARG_OID(1);
	call.role_name = GetUserNameFromId(call.role, true);
	if (call.role_name == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("role with OID %u does not exist", call.role),
				 error_facts("It is specified by argument \"role\".",
							 FACT_TEXT("argument", "role"), FACT_INT("oid", call.role)),
				 errhint("Specify a role of this server; pg_roles lists them.")));
	topic_id = topic_hold(name, &builtin);
	if (builtin)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("cannot change privileges on built-in topic \"%s\"", name),
				 error_facts("Only order_ext publishes to it, and roles that may call "
							 "order_ext.subscribe() may subscribe to it.",
							 FACT_TEXT("topic", name)),
				 errhint("Only topics created with order_ext.create_topic() have privileges.")));
	topic_require_control(topic_held(topic_id, name), caller);
	call.topic_id = Int32GetDatum(topic_id);
	return call;
}

static Datum
change_grants(FunctionCallInfo fcinfo, SavedPlan *change)
{
	EngineScope scope;
	GrantCall	call = read_call(fcinfo, engine_take_over(&scope));
	Datum		values[4] = {call.topic_id, call.privilege};

	values[2] = CStringGetTextDatum(call.role_name);
	values[3] = ObjectIdGetDatum(call.role);
	plan_write(change, values, NULL, 0);
	catalog_changed("topic_grants");
	engine_give_back(&scope);
	return (Datum) 0;
}

static Datum
grant_topic_body(FunctionCallInfo fcinfo)
{
	return change_grants(fcinfo, &insert_grant);
}

PG_FUNCTION_INFO_V1(order_ext_grant_topic);
Datum
order_ext_grant_topic(PG_FUNCTION_ARGS)
{
	api_call(fcinfo, grant_topic_body);
	PG_RETURN_VOID();
}

static Datum
revoke_topic_body(FunctionCallInfo fcinfo)
{
	return change_grants(fcinfo, &delete_grant);
}

PG_FUNCTION_INFO_V1(order_ext_revoke_topic);
Datum
order_ext_revoke_topic(PG_FUNCTION_ARGS)
{
	api_call(fcinfo, revoke_topic_body);
	PG_RETURN_VOID();
}
