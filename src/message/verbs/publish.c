/*
 * publish.c
 *		publish(): publishing for applications.
 */
#include "compat.h"

#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "core/args.h"
#include "core/call.h"
#include "core/settings.h"
#include "message/base/catalog.h"
#include "message/base/engine.h"
#include "message/base/limits.h"
#include "message/base/topic_rights.h"
#include "message/log/append.h"
#include "message/log/dedup.h"
#include "message/log/depth.h"
#include "message/timer/arm.h"

/* Look up a topic that the caller may publish to. */
static const Topic *
topic_to_publish_to(const char *name, Oid caller)
{
	const Topic *topic = catalog_topic_by_name(name);

	if (topic == NULL)
		catalog_refuse_unknown_topic(name);
	if (topic->builtin)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("cannot publish to built-in topic \"%s\"", name),
				 errhint("Create a topic of your own with order_ext.create_topic().")));
	topic_require(topic, caller, TOPIC_PUBLISH);
	return topic;
}

/*
 * As the owner: what needs more than appending a row. Returns the message that already has the
 * key, 0 if there is none.
 */
static int64
claim_key(const Topic *topic, const char *dedup_key, int64 message_id)
{
	EngineScope scope;
	int64		first;

	(void) engine_take_over(&scope);
	first = dedup_claim(topic, dedup_key, message_id);
	engine_give_back(&scope);
	return first;
}

static void
check_depth(const Topic *topic)
{
	EngineScope scope;

	if (topic->max_depth == 0)
		return;
	(void) engine_take_over(&scope);
	depth_check(topic);
	engine_give_back(&scope);
}

static Datum
publish_body(FunctionCallInfo fcinfo)
{
	Oid			caller = GetUserId();
	char	   *name = arg_text(fcinfo, 0, "topic", MAX_NAME_CHARS);
	LogEntry	entry = {0};
	TimestampTz due_at = 0;
	char	   *dedup_key;
	const Topic *topic;

	arg_not_null(fcinfo, 1, "key");
	entry.key = PG_GETARG_INT64(1);
	entry.payload = arg_jsonb(fcinfo, 2, "payload", setting_max_payload);
	if (!PG_ARGISNULL(3))
		due_at = arg_timestamptz(fcinfo, 3, "deliver_at");
	dedup_key = arg_text_or_null(fcinfo, 4, "dedup_key", MAX_DEDUP_KEY_CHARS);

	topic = topic_to_publish_to(name, caller);
	entry.topic_id = topic->id;
	entry.message_id = log_next_message_id();
	if (dedup_key != NULL)
	{
		int64		first = claim_key(topic, dedup_key, entry.message_id);

		if (first != 0)
			return Int64GetDatum(first);
		topic = topic_to_publish_to(name, caller);	/* we may have waited */
		entry.topic_id = topic->id;
	}
	check_depth(topic);

	entry.published_at = GetCurrentTimestamp();
	if (!PG_ARGISNULL(3) && due_at > entry.published_at)
		timer_arm_with_id(entry.message_id, entry.topic_id, entry.key, due_at,
						  TIMER_UNBOUND, entry.payload);
	else
		log_append_with_ids(&entry, 1);
	return Int64GetDatum(entry.message_id);
}

/* SECURITY INVOKER: topics know who may publish to them. */
PG_FUNCTION_INFO_V1(order_ext_publish);
Datum
order_ext_publish(PG_FUNCTION_ARGS)
{
	return api_call(fcinfo, publish_body);
}
