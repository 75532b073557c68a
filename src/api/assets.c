/*
 * assets.c
 *		register_asset, unregister_asset: SECURITY INVOKER, since topics know who may publish to
 *		them.
 */
#include "compat.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/builtins.h"

#include "core/args.h"
#include "core/call.h"
#include "core/error_facts.h"
#include "core/errors.h"
#include "core/spi_util.h"
#include "message/base/engine.h"
#include "message/base/limits.h"
#include "message/base/topic_rights.h"
#include "message/verbs/topics.h"

static SavedPlan find_asset = SAVED_PLAN(
	"SELECT builtin, topic_id FROM order_ext_internal.assets WHERE kind = $1 FOR UPDATE", TEXTOID);

static SavedPlan put_asset = SAVED_PLAN(
	"INSERT INTO order_ext_internal.assets AS a (kind, topic_id) VALUES ($1, $2)"
	" ON CONFLICT (kind) DO UPDATE SET topic_id = excluded.topic_id WHERE NOT a.builtin",
	TEXTOID, INT4OID);

static SavedPlan delete_asset = SAVED_PLAN(
	"DELETE FROM order_ext_internal.assets WHERE kind = $1 AND NOT builtin", TEXTOID);

/* A kind that is registered already is whose topic it releases to. */
static void
require_asset(const char *kind, Oid caller)
{
	Datum		value = CStringGetTextDatum(kind);

	if (plan_query(&find_asset, &value, NULL, 0) == 0)
		return;
	if (row_bool(0, 1))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("asset kind \"%s\" is built in", kind),
				 errhint("Register a kind of your own.")));
	if (!topic_rights_is_operator(caller))
		topic_require(topic_held(row_int32(0, 2), kind), caller, TOPIC_PUBLISH);
}

static Datum
register_asset_body(FunctionCallInfo fcinfo)
{
	EngineScope scope;
	Oid			caller = engine_take_over(&scope);
	char	   *kind = arg_text(fcinfo, 0, "kind", MAX_NAME_CHARS);
	char	   *name = arg_text(fcinfo, 1, "topic", MAX_NAME_CHARS);
	bool		builtin;
	int32		topic_id;
	Datum		values[2];

	require_asset(kind, caller);
	topic_id = topic_hold(name, &builtin);
	if (builtin)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("cannot register an asset with built-in topic \"%s\"", name),
				 errhint("Create a topic of your own with order_ext.create_topic().")));
	topic_require(topic_held(topic_id, name), caller, TOPIC_PUBLISH);
	values[0] = CStringGetTextDatum(kind);
	values[1] = Int32GetDatum(topic_id);
	plan_write(&put_asset, values, NULL, 0);
	engine_give_back(&scope);
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(order_ext_register_asset);
Datum
order_ext_register_asset(PG_FUNCTION_ARGS)
{
	api_call(fcinfo, register_asset_body);
	PG_RETURN_VOID();
}

static Datum
unregister_asset_body(FunctionCallInfo fcinfo)
{
	EngineScope scope;
	Oid			caller = engine_take_over(&scope);
	char	   *kind = arg_text(fcinfo, 0, "kind", MAX_NAME_CHARS);
	Datum		value = CStringGetTextDatum(kind);

	require_asset(kind, caller);
	if (plan_write(&delete_asset, &value, NULL, 0) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_OE_NOT_FOUND),
				 errmsg("asset kind \"%s\" is not registered", kind),
				 error_facts("No asset has that kind.", FACT_TEXT("kind", kind)),
				 errhint("Register it with order_ext.register_asset().")));
	engine_give_back(&scope);
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(order_ext_unregister_asset);
Datum
order_ext_unregister_asset(PG_FUNCTION_ARGS)
{
	api_call(fcinfo, unregister_asset_body);
	PG_RETURN_VOID();
}
