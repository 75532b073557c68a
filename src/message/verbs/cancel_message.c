/*
 * cancel_message.c
 *		cancel_message(): SECURITY INVOKER, since topics know who may cancel their messages.
 *
 * A timer of the ring cannot be deleted (its bucket is insert-only), so its id is noted in
 * timer_cancels. That note may be uncommitted when a firer comes along, and firing may be
 * uncommitted when a canceler does. Each therefore first does its own part and then checks the
 * other's: the canceler writes the note and then waits for the firing in progress; the firer
 * takes the timers lock and then looks for notes, including uncommitted ones
 * (message/timer/cancel.c). So a canceler that returns true is right no matter which commits
 * first, and does not delay the firing of other timers: a timer whose canceler is undecided goes
 * to timers_far for a moment.
 */
#include "compat.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/snapmgr.h"

#include "core/args.h"
#include "core/call.h"
#include "core/internal.h"
#include "core/locks.h"
#include "core/spi_util.h"
#include "message/base/catalog.h"
#include "message/base/engine.h"
#include "message/base/topic_rights.h"

/* A timer that has not fired; far: in timers_far. Each bucket is asked by its index. */
static SavedPlan find_timer = SAVED_PLAN(
	"SELECT r.topic_id, false AS far"
	" FROM order_ext_internal.timer_ring r"
	" LEFT JOIN LATERAL (SELECT p.fired_until, p.seen"
	"  FROM order_ext_internal.timer_progress p"
	"  WHERE p.bucket = r.bucket ORDER BY p.seq DESC LIMIT 1) p ON true"
	" WHERE r.message_id = $1"
	"  AND (p.seen IS NULL OR r.due_at > p.fired_until"
	"   OR NOT pg_visible_in_snapshot(r.xid, p.seen))"
	"  AND NOT EXISTS (SELECT FROM order_ext_internal.timer_ahead a"
	"   WHERE a.bucket = r.bucket AND r.message_id = ANY (a.message_ids))"
	" UNION ALL"
	" SELECT topic_id, true FROM order_ext_internal.timers_far WHERE message_id = $1",
	INT8OID);

static SavedPlan is_canceled = SAVED_PLAN(
	"SELECT FROM order_ext_internal.timer_cancels WHERE message_id = $1", INT8OID);

static SavedPlan delete_far = SAVED_PLAN(
	"DELETE FROM order_ext_internal.timers_far WHERE message_id = $1", INT8OID);

static SavedPlan insert_cancel = SAVED_PLAN(
	"INSERT INTO order_ext_internal.timer_cancels (message_id, canceled_at)"
	" VALUES ($1, clock_timestamp()) ON CONFLICT DO NOTHING", INT8OID);

static SavedPlan delete_cancel = SAVED_PLAN(
	"DELETE FROM order_ext_internal.timer_cancels WHERE message_id = $1", INT8OID);

/* Whether the timer is waiting, by what is committed now and our own changes. */
static bool
timer_waits(Datum message_id, int32 *topic_id, bool *far)
{
	bool		found;

	PushActiveSnapshot(GetLatestSnapshot());
	found = plan_query_in_snapshot(&find_timer, &message_id, NULL, 1) > 0;
	if (found)
	{
		*topic_id = row_int32(0, 1);
		*far = row_bool(0, 2);
	}
	PopActiveSnapshot();
	return found;
}

static bool
was_canceled_before(Datum message_id)
{
	bool		found;

	PushActiveSnapshot(GetLatestSnapshot());
	found = plan_query_in_snapshot(&is_canceled, &message_id, NULL, 1) > 0;
	PopActiveSnapshot();
	return found;
}

/*
 * False if the topic has been dropped, and its timers with it; raises if it is built in, or if the
 * caller may not cancel its messages.
 */
static bool
topic_takes_back(int32 topic_id, Oid caller)
{
	const Topic *topic = catalog_topic_by_id(topic_id);

	if (topic == NULL)
		return false;
	if (topic->builtin)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("cannot cancel messages of built-in topic \"%s\"", topic->name),
				 errhint("A timer of an order has no effect once the order has moved on.")));
	topic_require(topic, caller, TOPIC_CANCEL);
	return true;
}

static bool
cancel_timer(Datum message_id, Oid caller)
{
	int32		topic_id;
	bool		far;

	/* kept, so that they are not rewritten between the snapshot and the check (compact.c) */
	LockRelationOid(internal_relation("timer_progress"), AccessShareLock);
	LockRelationOid(internal_relation("timer_ahead"), AccessShareLock);
	LockRelationOid(internal_relation("timer_cancels"), AccessShareLock);
	if (!timer_waits(message_id, &topic_id, &far) || !topic_takes_back(topic_id, caller))
		return false;
	if (was_canceled_before(message_id))
		return false;
	if (far && plan_write(&delete_far, &message_id, NULL, 0) > 0)
		return true;
	if (plan_write(&insert_cancel, &message_id, NULL, 0) == 0)
		return false;			/* another transaction was faster */

	lock_pass(LOCK_TIMERS, 0);
	if (timer_waits(message_id, &topic_id, &far))
		return true;
	plan_write(&delete_cancel, &message_id, NULL, 0);
	return false;
}

static Datum
cancel_message_body(FunctionCallInfo fcinfo)
{
	EngineScope scope;
	Oid			caller = engine_take_over(&scope);
	Datum		message_id = Int64GetDatum(arg_id(fcinfo, 0, "message_id"));
	bool		canceled;

	PreventCommandIfReadOnly("cancel_message()");
	canceled = cancel_timer(message_id, caller);
	engine_give_back(&scope);
	return BoolGetDatum(canceled);
}

PG_FUNCTION_INFO_V1(order_ext_cancel_message);
Datum
order_ext_cancel_message(PG_FUNCTION_ARGS)
{
	return api_call(fcinfo, cancel_message_body);
}
