/*
 * cancel_message.c
 *		cancel_message(), reschedule_message(): SECURITY INVOKER, since topics know who may cancel
 *		their messages. How they and the firing of timers pass each other: timer/take_back.c.
 */
#include "compat.h"

#include "fmgr.h"
#include "miscadmin.h"

#include "core/args.h"
#include "core/call.h"
#include "message/base/catalog.h"
#include "message/base/engine.h"
#include "message/base/topic_rights.h"
#include "message/log/append.h"
#include "message/log/dedup_free.h"
#include "message/timer/moved.h"
#include "message/timer/take_back.h"

/*
 * False if the topic has been dropped, and its timers with it; raises if it is built in, or if the
 * caller may not cancel its messages. deed: what is to be done with them.
 */
static bool
topic_lets_go(int32 topic_id, Oid caller, const char *deed)
{
	const Topic *topic = catalog_topic_by_id(topic_id);

	if (topic == NULL)
		return false;
	if (topic->builtin)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("cannot %s messages of built-in topic \"%s\"", deed, topic->name),
				 errhint("A timer of an order has no effect once the order has moved on.")));
	topic_require(topic, caller, TOPIC_CANCEL);
	return true;
}

static bool
take_back(int64 message_id, Oid caller, const char *deed, DueTimer *timer)
{
	return timer_find(message_id, timer) &&
		topic_lets_go(timer->entry.topic_id, caller, deed) &&
		timer_take_back(timer);
}

static Datum
cancel_message_body(FunctionCallInfo fcinfo)
{
	EngineScope scope;
	Oid			caller = engine_take_over(&scope);
	int64		message_id = arg_id(fcinfo, 0, "message_id");
	DueTimer	timer;
	bool		canceled;

	PreventCommandIfReadOnly("cancel_message()");
	canceled = take_back(message_id, caller, "cancel", &timer);
	if (canceled)
		dedup_free_canceled(message_id);
	engine_give_back(&scope);
	return BoolGetDatum(canceled);
}

PG_FUNCTION_INFO_V1(order_ext_cancel_message);
Datum
order_ext_cancel_message(PG_FUNCTION_ARGS)
{
	return api_call(fcinfo, cancel_message_body);
}

/* A past time means now: no timer, but a message. */
static void
put_again(const DueTimer *timer, TimestampTz due_at)
{
	if (due_at > GetCurrentTimestamp())
		timer_moved_put(timer, due_at);
	else
		log_append_with_ids(&timer->entry, 1);
}

static Datum
reschedule_message_body(FunctionCallInfo fcinfo)
{
	EngineScope scope;
	Oid			caller = engine_take_over(&scope);
	int64		message_id = arg_id(fcinfo, 0, "message_id");
	TimestampTz due_at = arg_timestamptz(fcinfo, 1, "deliver_at");
	DueTimer	timer;
	bool		moved;

	PreventCommandIfReadOnly("reschedule_message()");
	moved = take_back(message_id, caller, "reschedule", &timer);
	if (moved)
		put_again(&timer, due_at);
	engine_give_back(&scope);
	return BoolGetDatum(moved);
}

PG_FUNCTION_INFO_V1(order_ext_reschedule_message);
Datum
order_ext_reschedule_message(PG_FUNCTION_ARGS)
{
	return api_call(fcinfo, reschedule_message_body);
}
