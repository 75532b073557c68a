/*
 * topics.c
 *		create_topic, alter_topic, drop_topic: SECURITY INVOKER, since topics know who may do what
 *		with them.
 */
#include "compat.h"

#include "catalog/pg_type.h"
#include "commands/sequence.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"

#include "core/args.h"
#include "core/call.h"
#include "core/error_facts.h"
#include "core/internal.h"
#include "core/spi_util.h"
#include "message/base/catalog.h"
#include "message/base/engine.h"
#include "message/base/limits.h"
#include "message/base/options.h"
#include "message/base/topic_rights.h"
#include "message/log/dedup.h"
#include "message/verbs/topics.h"

/* Maximum size of the options of a topic, in bytes. */
#define MAX_OPTIONS_BYTES 65536

static SavedPlan insert_topic = SAVED_PLAN(
	"INSERT INTO order_ext_internal.topics (topic_id, name, max_depth, dedup_window)"
	" VALUES ($1, $2, nullif($3, 0), $4) ON CONFLICT (name) DO NOTHING",
	INT4OID, TEXTOID, INT4OID, INT4OID);

static SavedPlan change_topic = SAVED_PLAN(
	"UPDATE order_ext_internal.topics"
	" SET max_depth = CASE WHEN $2 THEN nullif($3, 0) ELSE max_depth END,"
	"  dedup_window = CASE WHEN $4 THEN $5 ELSE dedup_window END"
	" WHERE topic_id = $1",
	INT4OID, BOOLOID, INT4OID, BOOLOID, INT4OID);

static SavedPlan lock_topic = SAVED_PLAN(
	"SELECT topic_id, builtin FROM order_ext_internal.topics WHERE name = $1 FOR KEY SHARE",
	TEXTOID);

static SavedPlan lock_topic_for_drop = SAVED_PLAN(
	"SELECT topic_id, builtin FROM order_ext_internal.topics WHERE name = $1 FOR UPDATE",
	TEXTOID);

static SavedPlan topic_readers = SAVED_PLAN(
	"SELECT 'consumer group ' || pg_catalog.quote_ident(name)"
	" FROM order_ext_internal.consumer_groups WHERE topic_id = $1"
	" ORDER BY 1 LIMIT 1",
	INT4OID);

static SavedPlan insert_owner = SAVED_PLAN(
	"INSERT INTO order_ext_internal.topic_grants (topic_id, privilege, role, role_oid)"
	" VALUES ($1, 'owner', $2, $3)",
	INT4OID, TEXTOID, OIDOID);

static SavedPlan delete_owner = SAVED_PLAN(
	"DELETE FROM order_ext_internal.topic_grants WHERE topic_id = $1 AND privilege = 'owner'",
	INT4OID);

static SavedPlan delete_grants = SAVED_PLAN(
	"DELETE FROM order_ext_internal.topic_grants WHERE topic_id = $1", INT4OID);

static SavedPlan delete_topic = SAVED_PLAN(
	"DELETE FROM order_ext_internal.topics WHERE topic_id = $1", INT4OID);

/* Timers in the ring are dropped when they become due. */
static SavedPlan delete_timers = SAVED_PLAN(
	"WITH gone AS (DELETE FROM order_ext_internal.timers_far WHERE topic_id = $1"
	"  RETURNING message_id)"
	" DELETE FROM order_ext_internal.timer_cancels"
	"  WHERE message_id IN (SELECT message_id FROM gone)",
	INT4OID);

static SavedPlan delete_moved_timers = SAVED_PLAN(
	"DELETE FROM order_ext_internal.timers_moved WHERE topic_id = $1", INT4OID);

static int32
find_topic(SavedPlan *find, const char *name, bool *builtin)
{
	Datum		value = CStringGetTextDatum(name);

	if (plan_query(find, &value, NULL, 0) == 0)
		catalog_refuse_unknown_topic(name);
	*builtin = row_bool(0, 2);
	return row_int32(0, 1);
}

int32
topic_hold(const char *name, bool *builtin)
{
	return find_topic(&lock_topic, name, builtin);
}

const Topic *
topic_held(int32 topic_id, const char *name)
{
	const Topic *topic = catalog_topic_by_id(topic_id);

	if (topic == NULL)
		catalog_refuse_unknown_topic(name);
	return topic;
}

static TopicUser user_above = NULL;

void
topic_set_user(TopicUser user)
{
	user_above = user;
}

/* Something that needs the topic, NULL if there is nothing. */
static char *
user_of_topic(int32 topic_id)
{
	Datum		value = Int32GetDatum(topic_id);
	char	   *user = user_above != NULL ? user_above(topic_id) : NULL;

	if (user == NULL && plan_query(&topic_readers, &value, NULL, 0) > 0)
		user = row_text(0, 1);
	return user;
}

/* The options of a topic, or their defaults. */
static Jsonb *
read_options(FunctionCallInfo fcinfo, int n, const char *const *known, Datum *max_depth,
			 Datum *dedup_window)
{
	Jsonb	   *options = arg_jsonb(fcinfo, n, "options", MAX_OPTIONS_BYTES);

	options_check_keys(options, known);
	*max_depth = Int32GetDatum(option_int(options, "max_depth", 0, 1, PG_INT32_MAX));
	*dedup_window = Int32GetDatum(option_seconds(options, "dedup_window", DEFAULT_DEDUP_WINDOW,
												 MAX_DEDUP_WINDOW));
	return options;
}

/* SQL objects of an older version have no owners. */
static void
make_owner(Datum topic_id, Oid role)
{
	Datum		values[3] = {topic_id};

	values[1] = CStringGetTextDatum(GetUserNameFromId(role, false));
	values[2] = ObjectIdGetDatum(role);
	if (OidIsValid(internal_relation_or_none("topic_grants")))
		plan_write(&insert_owner, values, NULL, 0);
}

static Datum
create_topic_body(FunctionCallInfo fcinfo)
{
	static const char *const known[] = {"max_depth", "dedup_window", NULL};
	EngineScope scope;
	Oid			caller = engine_take_over(&scope);
	char	   *name = arg_text(fcinfo, 0, "topic", MAX_NAME_CHARS);
	int64		topic_id;
	Datum		values[4];

	read_options(fcinfo, 1, known, &values[2], &values[3]);
	topic_id = nextval_internal(internal_relation("topic_id_seq"), false);
	values[0] = Int32GetDatum((int32) topic_id);
	values[1] = CStringGetTextDatum(name);
	if (topic_id > PG_INT32_MAX || plan_write(&insert_topic, values, NULL, 0) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("topic \"%s\" already exists", name),
				 error_facts("Topic names are unique in a database.", FACT_TEXT("topic", name)),
				 errhint("Use it as it is, change it with order_ext.alter_topic(), or choose "
						 "another name.")));
	make_owner(values[0], caller);
	catalog_changed("topics");
	engine_give_back(&scope);
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(order_ext_create_topic);
Datum
order_ext_create_topic(PG_FUNCTION_ARGS)
{
	api_call(fcinfo, create_topic_body);
	PG_RETURN_VOID();
}

/* Option owner: a role that the topic is given to, or NULL. */
static void
give_topic(Datum topic_id, const char *owner)
{
	Oid			role = owner != NULL ? get_role_oid(owner, true) : InvalidOid;

	if (owner == NULL)
		return;
	if (!OidIsValid(role))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("role \"%s\" does not exist", owner),
				 error_facts("It is specified by option \"owner\".",
							 FACT_TEXT("argument", "options"), FACT_TEXT("key", "owner"),
							 FACT_TEXT("role", owner)),
				 errhint("Specify a role of this server; pg_roles lists them.")));
	(void) internal_relation("topic_grants");
	plan_write(&delete_owner, &topic_id, NULL, 0);
	make_owner(topic_id, role);
	catalog_changed("topic_grants");
}

static Datum
alter_topic_body(FunctionCallInfo fcinfo)
{
	static const char *const known[] = {"max_depth", "dedup_window", "owner", NULL};
	EngineScope scope;
	Oid			caller = engine_take_over(&scope);
	char	   *name = arg_text(fcinfo, 0, "topic", MAX_NAME_CHARS);
	Datum		values[5];
	Jsonb	   *options = read_options(fcinfo, 1, known, &values[2], &values[4]);
	bool		builtin;

	values[0] = Int32GetDatum(find_topic(&lock_topic_for_drop, name, &builtin));
	if (builtin)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("topic \"%s\" is built in and has no options", name),
				 errhint("Only topics of applications have options.")));
	topic_require_control(topic_held(DatumGetInt32(values[0]), name), caller);
	values[1] = BoolGetDatum(option_is_named(options, "max_depth"));
	values[3] = BoolGetDatum(option_is_named(options, "dedup_window"));
	give_topic(values[0], option_text(options, "owner"));
	plan_write(&change_topic, values, NULL, 0);
	catalog_changed("topics");
	engine_give_back(&scope);
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(order_ext_alter_topic);
Datum
order_ext_alter_topic(PG_FUNCTION_ARGS)
{
	api_call(fcinfo, alter_topic_body);
	PG_RETURN_VOID();
}

static Datum
drop_topic_body(FunctionCallInfo fcinfo)
{
	EngineScope scope;
	Oid			caller = engine_take_over(&scope);
	char	   *name = arg_text(fcinfo, 0, "topic", MAX_NAME_CHARS);
	bool		builtin;
	Datum		topic_id = Int32GetDatum(find_topic(&lock_topic_for_drop, name, &builtin));
	char	   *user;

	if (builtin)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("cannot drop built-in topic \"%s\"", name),
				 errhint("Only topics created with order_ext.create_topic() can be dropped.")));
	topic_require_control(topic_held(DatumGetInt32(topic_id), name), caller);
	user = user_of_topic(DatumGetInt32(topic_id));
	if (user != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
				 errmsg("cannot drop topic \"%s\" because it is still in use", name),
				 error_facts("It is used by {user}.",
							 FACT_TEXT("topic", name), FACT_TEXT("user", user)),
				 errhint("Use order_ext.unsubscribe() or order_ext.unregister_asset() first.")));
	plan_write(&delete_topic, &topic_id, NULL, 0);
	plan_write(&delete_timers, &topic_id, NULL, 0);
	if (OidIsValid(internal_relation_or_none("timers_moved")))
		plan_write(&delete_moved_timers, &topic_id, NULL, 0);
	if (OidIsValid(internal_relation_or_none("topic_grants")))
		plan_write(&delete_grants, &topic_id, NULL, 0);
	catalog_changed("topics");
	engine_give_back(&scope);
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(order_ext_drop_topic);
Datum
order_ext_drop_topic(PG_FUNCTION_ARGS)
{
	api_call(fcinfo, drop_topic_body);
	PG_RETURN_VOID();
}
