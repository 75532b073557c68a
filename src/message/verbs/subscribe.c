/*
 * subscribe.c
 *		subscribe and unsubscribe, and the groups of subscribe.h.
 */
#include "compat.h"

#include "catalog/pg_type.h"
#include "commands/sequence.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/snapmgr.h"

#include "core/args.h"
#include "core/call.h"
#include "core/error_facts.h"
#include "core/errors.h"
#include "core/internal.h"
#include "core/jsonb_build.h"
#include "core/locks.h"
#include "core/spi_util.h"
#include "message/base/catalog.h"
#include "message/base/engine.h"
#include "message/base/limits.h"
#include "message/base/options.h"
#include "message/base/rights.h"
#include "message/base/topic_rights.h"
#include "message/delivery/handler.h"
#include "message/delivery/parked.h"
#include "message/delivery/parts.h"
#include "message/lease/leases.h"
#include "message/log/floors.h"
#include "message/log/segments.h"
#include "message/verbs/group_rights.h"
#include "message/verbs/subscribe.h"
#include "message/verbs/topics.h"

#define MAX_OPTIONS_BYTES 65536
#define DEFAULT_MAX_ATTEMPTS 16

/* The snapshot in which nothing is visible: for a group that reads from the beginning. */
#define START_EARLIEST "1:1:"

static SavedPlan insert_group = SAVED_PLAN(
	"INSERT INTO order_ext_internal.consumer_groups"
	" (group_id, topic_id, max_attempts, backoff, batch, name, handler, run_as, start_at,"
	"  subscriber, ordered, handler_owner, adapted, run_as_oid, subscriber_oid,"
	"  handler_owner_oid, handler_timeout)"
	" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)"
	" ON CONFLICT (name) DO NOTHING",
	INT4OID, INT4OID, INT4OID, INT2OID, BOOLOID, TEXTOID, TEXTOID, TEXTOID, PG_SNAPSHOTOID,
	TEXTOID, BOOLOID, TEXTOID, BOOLOID, OIDOID, OIDOID, OIDOID, INT4OID);

static SavedPlan find_group = SAVED_PLAN(
	"SELECT group_id, topic_id, builtin, parts, ordered, adapted"
	" FROM order_ext_internal.consumer_groups"
	" WHERE name = $1 FOR UPDATE",
	TEXTOID);

static SavedPlan update_group = SAVED_PLAN(
	"UPDATE order_ext_internal.consumer_groups"
	" SET max_attempts = $2, backoff = $3, batch = $4, handler = $5, run_as = $6,"
	"  subscriber = $7, ordered = $8, handler_owner = $9, run_as_oid = $10,"
	"  subscriber_oid = $11, handler_owner_oid = $12, handler_timeout = $13"
	" WHERE group_id = $1",
	INT4OID, INT4OID, INT2OID, BOOLOID, TEXTOID, TEXTOID, TEXTOID, BOOLOID, TEXTOID, OIDOID,
	OIDOID, OIDOID, INT4OID);

static SavedPlan delete_group[] = {
	SAVED_PLAN("DELETE FROM order_ext_internal.consumer_groups WHERE group_id = $1", INT4OID),
	SAVED_PLAN("DELETE FROM order_ext_internal.group_progress WHERE group_id = $1", INT4OID),
	SAVED_PLAN("DELETE FROM order_ext_internal.inline_ranges WHERE group_id = $1", INT4OID),
	SAVED_PLAN("DELETE FROM order_ext_internal.retries WHERE group_id = $1", INT4OID),
	SAVED_PLAN("DELETE FROM order_ext_internal.dead_messages WHERE group_id = $1", INT4OID),
	SAVED_PLAN("DELETE FROM order_ext_internal.parked_messages WHERE group_id = $1", INT4OID),
	SAVED_PLAN("DELETE FROM order_ext_internal.crash_suspects WHERE group_id = $1", INT4OID),
	SAVED_PLAN("DELETE FROM order_ext_internal.leases WHERE group_id = $1", INT4OID),
	SAVED_PLAN("DELETE FROM order_ext_internal.lease_receipts WHERE group_id = $1", INT4OID),
	SAVED_PLAN("DELETE FROM order_ext_internal.backlog_alerts WHERE group_id = $1", INT4OID),
	SAVED_PLAN("DELETE FROM order_ext_internal.attempts_0 WHERE group_id = $1", INT4OID),
	SAVED_PLAN("DELETE FROM order_ext_internal.attempts_1 WHERE group_id = $1", INT4OID),
	SAVED_PLAN("DELETE FROM order_ext_internal.attempts_2 WHERE group_id = $1", INT4OID),
	SAVED_PLAN("DELETE FROM order_ext_internal.attempts_3 WHERE group_id = $1", INT4OID),
};

/* What a call of subscribe requests. */
typedef struct Subscription
{
	char	   *name;
	char	   *topic;
	char	   *handler;
	Oid			handler_owner;	/* if there is a handler */
	char	   *run_as_option;	/* a name, or NULL */
	Oid			run_as;
	Oid			subscriber;
	int32		max_attempts;
	int32		handler_timeout;	/* milliseconds, or GROUP_TIMEOUT_OF_SETTING */
	int16		backoff;
	bool		batch;
	bool		earliest;
	bool		ordered;
	bool		adapted;
} Subscription;

/* ---- subscribe ---- */

static void
read_options(Jsonb *options, Subscription *want)
{
	static const char *const known[] = {
		"max_attempts", "backoff", "ordered", "start", "run_as", "handler_timeout", NULL
	};
	static const char *const backoffs[] = {"exponential", "rocketmq", NULL};
	static const char *const starts[] = {"now", "earliest", NULL};

	options_check_keys(options, known);
	want->max_attempts = option_int(options, "max_attempts", DEFAULT_MAX_ATTEMPTS, 1,
									MAX_MAX_ATTEMPTS);
	want->backoff = option_word(options, "backoff", 0, backoffs) + BACKOFF_EXPONENTIAL;
	want->earliest = option_word(options, "start", 0, starts) == 1;
	want->ordered = option_bool(options, "ordered", false);
	want->handler_timeout = option_milliseconds(options, "handler_timeout",
												GROUP_TIMEOUT_OF_SETTING);
	want->run_as_option = option_text(options, "run_as");
}

/* A group without a handler also has a role: its members may receive. */
static void
check_run_as(Subscription *want, bool has_handler)
{
	Oid			caller = GetUserId();

	want->run_as = rights_role_to_run_as(want->run_as_option, caller);
	if (has_handler)
		rights_check_login(want->run_as);
	want->subscriber = caller;
}

/* The call that subscribes the same with another role. */
static char *
call_with_role(Oid function, const Subscription *want, Jsonb *options, const char *role)
{
	JsonbBuilder *run_as = jsonb_object_begin();
	Datum		merged;
	char	   *text;

	jsonb_add_text(run_as, "run_as", role);
	merged = DirectFunctionCall2(jsonb_concat, JsonbPGetDatum(options),
								 JsonbPGetDatum(jsonb_object_end(run_as)));
	text = JsonbToCString(NULL, &DatumGetJsonbP(merged)->root, -1);
	return psprintf("SELECT order_ext.subscribe(%s, %s, %s, %s);",
					quote_literal_cstr(want->name), quote_literal_cstr(want->topic),
					quote_literal_cstr(rights_function_signature(function)),
					quote_literal_cstr(text));
}

static void
check_handler(Oid function, Jsonb *options, Subscription *want)
{
	char	   *example_role;

	rights_check_exists(function, "Specify it as 'schema.function(order_ext.message)'.");
	if (!handler_signature_fits(function, &want->batch))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"handler\" is not a valid handler function"),
				 error_facts("The function is {function}.",
							 FACT_TEXT("argument", "handler"),
							 FACT_TEXT("function", rights_function_signature(function))),
				 errhint("A handler takes one argument of type order_ext.message or "
						 "order_ext.message[] and returns void.")));
	if (!may_execute(function, GetUserId()))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied for handler %s", rights_function_signature(function)),
				 error_facts("Role \"{caller}\" has no EXECUTE privilege on it.",
							 FACT_TEXT("function", rights_function_signature(function)),
							 FACT_TEXT("caller", GetUserNameFromId(GetUserId(), false))),
				 errhint("Ask its owner to grant EXECUTE.")));
	example_role = rights_example_role(GetUserId());
	rights_check_to_run("handler", function, want->run_as, example_role,
						call_with_role(function, want, options, example_role));
	want->handler = rights_function_signature(function);
	want->handler_owner = rights_function_owner(function);
}

/*
 * Where a new group begins. An adapted one begins after what the transaction sees, so that its
 * creator can take care of everything before that.
 */
static Datum
start_snapshot(const Subscription *want)
{
	LogSnapshot *start;

	/* nothing that it will read is truncated before others know of the group */
	log_hold_segments();
	if (want->earliest)
		return snapshot_to_datum(snapshot_from_text(START_EARLIEST));
	PushActiveSnapshot(want->adapted ? GetTransactionSnapshot() : GetLatestSnapshot());
	start = snapshot_active();
	PopActiveSnapshot();
	return snapshot_to_datum(start);
}

static Datum
optional_text(const char *text, char *null)
{
	*null = (text == NULL) ? 'n' : ' ';
	return text != NULL ? CStringGetTextDatum(text) : (Datum) 0;
}

static Datum
role_name(Oid role)
{
	return CStringGetTextDatum(GetUserNameFromId(role, false));
}

static Datum
handler_timeout(const Subscription *want, char *null)
{
	*null = want->handler_timeout == GROUP_TIMEOUT_OF_SETTING ? 'n' : ' ';
	return Int32GetDatum(want->handler_timeout);
}

/* NULL if there is no handler. */
static Datum
handler_owner_name(const Subscription *want, char *null)
{
	*null = (want->handler == NULL) ? 'n' : ' ';
	return want->handler != NULL ? role_name(want->handler_owner) : (Datum) 0;
}

static bool
insert_new_group(const Subscription *want, int32 topic_id)
{
	int64		group_id = nextval_internal(internal_relation("group_id_seq"), false);
	Datum		values[17];
	char		nulls[] = "                 ";

	if (group_id > PG_INT32_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many consumer groups"),
				 error_facts("{max} have been created in this database.",
							 FACT_INT("max", PG_INT32_MAX))));
	values[0] = Int32GetDatum((int32) group_id);
	values[1] = Int32GetDatum(topic_id);
	values[2] = Int32GetDatum(want->max_attempts);
	values[3] = Int16GetDatum(want->backoff);
	values[4] = BoolGetDatum(want->batch);
	values[5] = CStringGetTextDatum(want->name);
	values[6] = optional_text(want->handler, &nulls[6]);
	values[7] = role_name(want->run_as);
	values[8] = start_snapshot(want);
	values[9] = role_name(want->subscriber);
	values[10] = BoolGetDatum(want->ordered);
	values[11] = handler_owner_name(want, &nulls[11]);
	values[12] = BoolGetDatum(want->adapted);
	values[13] = ObjectIdGetDatum(want->run_as);
	values[14] = ObjectIdGetDatum(want->subscriber);
	values[15] = ObjectIdGetDatum(want->handler_owner);
	nulls[15] = nulls[11];
	values[16] = handler_timeout(want, &nulls[16]);
	return plan_write(&insert_group, values, nulls, 0) > 0;
}

static const char *
topic_name(int32 topic_id)
{
	const Topic *topic = catalog_topic_by_id(topic_id);

	return topic != NULL ? topic->name : "";
}

static void
change_group(const Subscription *want, int32 topic_id)
{
	Datum		name = CStringGetTextDatum(want->name);
	Datum		values[13];
	char		nulls[] = "             ";
	bool		was_ordered;
	int16		parts;

	if (plan_query(&find_group, &name, NULL, 0) == 0)
		error_conflict("consumer group \"%s\" was changed by another transaction", want->name);
	if (row_bool(0, 6) != want->adapted)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("consumer group \"%s\" already exists and %s", want->name,
						want->adapted ? "does not belong to a gateway" : "belongs to a gateway"),
				 errhint("A gateway needs its own consumer group, so choose an unused name.")));
	if (row_int32(0, 2) != topic_id)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("consumer group \"%s\" already reads another topic", want->name),
				 error_facts("It reads topic \"{topic}\", not \"{wanted}\".",
							 FACT_TEXT("consumer_group", want->name),
							 FACT_TEXT("topic", topic_name(row_int32(0, 2))),
							 FACT_TEXT("wanted", want->topic)),
				 errhint("Use another name, or call order_ext.unsubscribe() first.")));
	values[0] = Int32GetDatum(row_int32(0, 1));
	was_ordered = row_bool(0, 5) && !want->adapted; /* which are always ordered */
	parts = row_int16(0, 4);
	handler_refuse_change(DatumGetInt32(values[0]));
	if (!want->adapted)
		group_rights_require(want->subscriber, DatumGetInt32(values[0]), want->name);
	values[1] = Int32GetDatum(want->max_attempts);
	values[2] = Int16GetDatum(want->backoff);
	values[3] = BoolGetDatum(want->batch);
	values[4] = optional_text(want->handler, &nulls[4]);
	values[5] = role_name(want->run_as);
	values[6] = role_name(want->subscriber);
	values[7] = BoolGetDatum(want->ordered);
	values[8] = handler_owner_name(want, &nulls[8]);
	values[9] = ObjectIdGetDatum(want->run_as);
	values[10] = ObjectIdGetDatum(want->subscriber);
	values[11] = ObjectIdGetDatum(want->handler_owner);
	nulls[11] = nulls[8];
	values[12] = handler_timeout(want, &nulls[12]);
	if (was_ordered)
		parts_lock(DatumGetInt32(values[0]), parts);
	plan_write(&update_group, values, nulls, 0);
	if (want->handler != NULL)
		leases_to_retries(DatumGetInt32(values[0]));
	if (was_ordered && !want->ordered)
		parked_release_all(DatumGetInt32(values[0]));
	else if (was_ordered && want->handler != NULL)
		parked_release_free(DatumGetInt32(values[0]));
	floors_lower();
}

/* Built-in topics are for everybody who may call subscribe(). */
static void
require_subscribe(const Subscription *want, int32 topic_id, Oid caller)
{
	const Topic *topic = topic_held(topic_id, want->topic);

	if (!topic->builtin)
		topic_require(topic, caller, TOPIC_SUBSCRIBE);
}

static Datum
subscribe_body(FunctionCallInfo fcinfo)
{
	Subscription want = {0};
	Oid			caller = GetUserId();
	EngineScope scope;
	Jsonb	   *options;
	int32		topic_id;
	bool		builtin;

	want.name = arg_text(fcinfo, 0, "consumer_group", MAX_NAME_CHARS);
	want.topic = arg_text(fcinfo, 1, "topic", MAX_NAME_CHARS);
	options = arg_jsonb(fcinfo, 3, "options", MAX_OPTIONS_BYTES);
	read_options(options, &want);
	check_run_as(&want, !PG_ARGISNULL(2));
	group_rights_refuse_builtin(want.name);
	if (catalog_topic_by_name(want.topic) == NULL)
		catalog_refuse_unknown_topic(want.topic);
	if (!PG_ARGISNULL(2))
		check_handler(PG_GETARG_OID(2), options, &want);

	engine_enter(&scope);
	topic_id = topic_hold(want.topic, &builtin);
	require_subscribe(&want, topic_id, caller);
	if (!insert_new_group(&want, topic_id))
		change_group(&want, topic_id);
	catalog_changed("consumer_groups");
	engine_leave(&scope);
	return (Datum) 0;
}

/* SECURITY INVOKER: the caller becomes the role that the handler runs as. */
PG_FUNCTION_INFO_V1(order_ext_subscribe);
Datum
order_ext_subscribe(PG_FUNCTION_ARGS)
{
	api_call(fcinfo, subscribe_body);
	PG_RETURN_VOID();
}

/* ---- unsubscribe ---- */

/* False if it does not exist. */
static bool
drop_group(const char *name)
{
	Datum		value = CStringGetTextDatum(name);
	Datum		group_id;
	int			i;

	if (plan_query(&find_group, &value, NULL, 0) == 0)
		return false;
	handler_refuse_change(row_int32(0, 1));
	group_id = Int32GetDatum(row_int32(0, 1));
	lock_wait(LOCK_CONSUMERS, DatumGetInt32(group_id));
	parts_lock(row_int32(0, 1), row_int16(0, 4));
	for (i = 0; i < (int) lengthof(delete_group); i++)
		plan_write(&delete_group[i], &group_id, NULL, 0);
	catalog_changed("consumer_groups");
	return true;
}

static Datum
unsubscribe_body(FunctionCallInfo fcinfo)
{
	char	   *name = arg_text(fcinfo, 0, "consumer_group", MAX_NAME_CHARS);

	group_rights_refuse_builtin(name);
	if (!drop_group(name))
		catalog_refuse_unknown_group(name);
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(order_ext_unsubscribe);
Datum
order_ext_unsubscribe(PG_FUNCTION_ARGS)
{
	api_call(fcinfo, unsubscribe_body);
	PG_RETURN_VOID();
}

/* ---- groups of functions that are not handlers ---- */

void
subscribe_adapted(const AdaptedGroup *group)
{
	Subscription want = {
		.name = unconstify(char *, group->name),
		.handler = rights_function_signature(group->function),
		.handler_owner = rights_function_owner(group->function),
		.run_as = group->run_as,
		.subscriber = group->registrar,
		.max_attempts = DEFAULT_MAX_ATTEMPTS,
		.handler_timeout = GROUP_TIMEOUT_OF_SETTING,
		.backoff = BACKOFF_EXPONENTIAL,
		.batch = true,
		.ordered = true,
		.adapted = true
	};

	if (!insert_new_group(&want, group->topic_id))
		change_group(&want, group->topic_id);
	catalog_changed("consumer_groups");
}

void
subscribe_adapted_no_more(const char *name)
{
	(void) drop_group(name);
}
