/*
 * publish.c
 *		Publishing: message_publish() for the library, publish() for applications.
 */
#include "compat.h"

#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "core/call.h"
#include "core/errors.h"
#include "core/settings.h"
#include "message/catalog.h"
#include "message/limits.h"
#include "message/log.h"
#include "message/message.h"

void
message_publish(MessageDraft *drafts, int n)
{
	LogEntry   *entries = palloc(sizeof(LogEntry) * Max(n, 1));
	TimestampTz now = GetCurrentTimestamp();
	int			i;

	for (i = 0; i < n; i++)
	{
		drafts[i].message_id = log_next_message_id();
		entries[i].message_id = drafts[i].message_id;
		entries[i].topic_id = drafts[i].topic_id;
		entries[i].key = drafts[i].key;
		entries[i].payload = drafts[i].payload;
		entries[i].published_at = now;
	}
	log_append_with_ids(entries, n);
	pfree(entries);
}

/* The topic that an application may publish to. */
static const Topic *
topic_to_publish_to(const char *name)
{
	const Topic *topic = topic_by_name(name);

	if (topic == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OE_UNKNOWN_TOPIC),
				 errmsg("topic \"%s\" does not exist", name),
				 errhint("Create it with order_ext.create_topic().")));
	if (topic->builtin)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("topic \"%s\" is published to by order_ext only", name),
				 errhint("Create a topic of your own with order_ext.create_topic().")));
	return topic;
}

static Datum
publish_body(FunctionCallInfo fcinfo)
{
	char	   *name = arg_text(fcinfo, 0, "topic", MAX_NAME_CHARS);
	MessageDraft draft = {0};
	TimestampTz due_at = 0;

	arg_not_null(fcinfo, 1, "key");
	draft.key = PG_GETARG_INT64(1);
	draft.payload = arg_jsonb(fcinfo, 2, "payload", setting_max_payload);
	if (!PG_ARGISNULL(3))
		due_at = arg_timestamptz(fcinfo, 3, "deliver_at");
	if (!PG_ARGISNULL(4))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("argument \"dedup_key\" is not supported yet"),
				 errhint("Leave it out.")));

	draft.topic_id = topic_to_publish_to(name)->id;
	if (!PG_ARGISNULL(3) && due_at > GetCurrentTimestamp())
		return Int64GetDatum(timer_arm(draft.topic_id, draft.key, due_at, -1, draft.payload));
	message_publish(&draft, 1);
	return Int64GetDatum(draft.message_id);
}

PG_FUNCTION_INFO_V1(order_ext_publish);
Datum
order_ext_publish(PG_FUNCTION_ARGS)
{
	return api_call(fcinfo, publish_body);
}
