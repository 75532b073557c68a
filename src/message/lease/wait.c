/*
 * wait.c
 *		wait_for_messages(): a procedure, so that it can end its transaction before it
 *		waits; see leases.h.
 *
 * It checks in one transaction, commits that, and sleeps in the next one, which has neither a
 * snapshot nor a lock nor an id, so that vacuum and other sessions are not affected. A commit
 * that publishes sets its latch. Anything without such a commit is found by a slow poll, and only
 * if transactions have ended since the last one.
 */
#include "compat.h"

#include "access/htup_details.h"
#include "access/transam.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "core/args.h"
#include "core/clock.h"
#include "core/spi_util.h"
#include "message/base/engine.h"
#include "message/base/limits.h"
#include "message/base/wake.h"
#include "message/delivery/pass.h"
#include "message/delivery/retries.h"
#include "message/lease/key_order.h"
#include "message/lease/leases.h"
#include "message/lease/receipts.h"
#include "message/log/floors.h"
#include "message/upkeep/enable.h"

/* How often to check whether transactions have ended: if commits wake us, and if not. */
#define SAFETY_POLL_MS 1000
#define SLOW_POLL_MS 50

/* How long to wait for a receiver that holds the group's cursor; between checks of deadlines. */
#define LOCKED_POLL_MS 20

static SavedPlan find_ended_lease = SAVED_PLAN(
	"SELECT FROM order_ext_internal.lease_receipts r"
	" WHERE r.group_id = $1 AND r.lease_until <= $2 AND r.lease_until >= $3"
	" AND (EXISTS (SELECT FROM order_ext_internal.leases l"
	"   WHERE " OF_RECEIPT("r.receipt")
	"   AND l.until_receipt = r.receipt)"
	"  OR EXISTS (SELECT FROM order_ext_internal.leases l"
	"   WHERE l.token = ANY (r.tokens) AND l.until_receipt = r.receipt))"
	" ORDER BY r.lease_until LIMIT 1",
	INT4OID, TIMESTAMPTZOID, TIMESTAMPTZOID);

static SavedPlan find_next_end = SAVED_PLAN(
	"SELECT lease_until FROM order_ext_internal.lease_receipts"
	" WHERE group_id = $1 AND lease_until > $2"
	" ORDER BY lease_until LIMIT 1",
	INT4OID, TIMESTAMPTZOID);

/* The result of a check. */
typedef struct Look
{
	bool		ready;
	bool		locked;			/* there is more, but another receiver is working on it */
	TimestampTz next;			/* when something becomes due; DT_NOEND */
} Look;

typedef struct Waiting
{
	const char *name;
	TimestampTz deadline;
	int64		timeout;
	bool		woken;			/* commits wake us */
	uint64		completed;		/* transactions completed at the last check */
	int32		topic_id;
} Waiting;

/* Check whether receive() would find something, in our own transaction. */
static void
look(Waiting *waiting, Look *found)
{
	ConsumerGroup *group = leases_open_group(waiting->name);
	TimestampTz now = GetCurrentTimestamp();
	EngineScope scope;
	Datum		values[3];

	found->ready = false;
	found->locked = false;
	found->next = DT_NOEND;
	waiting->topic_id = group->topic_id;
	enable_check_stamp();
	if (group->paused)
		return;
	PushActiveSnapshot(GetTransactionSnapshot());
	engine_enter(&scope);
	values[0] = Int32GetDatum(group->id);
	values[1] = TimestampTzGetDatum(now);
	values[2] = TimestampTzGetDatum(floor_of(FLOOR_RECEIPTS, group->id, &log_all_parts, now));
	found->ready = pass_has_messages(group, &found->locked);
	found->next = retries_next_due(group, &log_all_parts);
	if (found->next <= now || plan_query(&find_ended_lease, values, NULL, 1) > 0)
		found->ready = true;
	else if (group->ordered && key_order_has_free(group))
		found->ready = true;
	else if (plan_query(&find_next_end, values, NULL, 1) > 0)
		found->next = Min(found->next, row_timestamptz(0, 1));
	engine_leave(&scope);
	PopActiveSnapshot();
}

/* Sleep until another check is worthwhile, or the time is over. */
static void
sleep_until_worth_it(Waiting *waiting, const Look *last)
{
	TimestampTz until = Min(waiting->deadline, last->next);
	TimestampTz since = GetCurrentTimestamp();
	uint32		wait_event = wait_event_named("OrderExtWaitForMessages");

	if (last->locked)
		until = Min(until, TimestampTzPlusMilliseconds(GetCurrentTimestamp(), LOCKED_POLL_MS));
	for (;;)
	{
		long		left = TimestampDifferenceMilliseconds(GetCurrentTimestamp(), until) + 1;
		int			events;

		left = Min(left, waiting->woken ? SAFETY_POLL_MS : SLOW_POLL_MS);
		events = WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, left,
						   wait_event);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
		if (((events & WL_LATCH_SET) && waiting->woken) ||
			completed_transactions() != waiting->completed)
			return;
		if (GetCurrentTimestamp() >= until || GetCurrentTimestamp() < since)
			return;				/* or the clock was set back */
	}
}

static bool
wait_until_ready(Waiting *waiting)
{
	MemoryContext outer = CurrentMemoryContext;
	MemoryContext each = AllocSetContextCreate(outer, "order_ext look", ALLOCSET_SMALL_SIZES);
	Look		found;

	for (;;)
	{
		waiting->completed = completed_transactions();
		MemoryContextSwitchTo(each);
		look(waiting, &found);
		MemoryContextSwitchTo(outer);
		MemoryContextReset(each);
		SPI_commit();
		if (found.ready ||
			clock_pause_is_over(waiting->deadline, waiting->timeout, GetCurrentTimestamp()))
			return found.ready;
		if (!waiting->woken)
		{
			/* register and check once more: something may have arrived in between */
			waiting->woken = wake_begin_waiting(WAKE_TOPIC_BIT(waiting->topic_id));
			if (waiting->woken)
				continue;
		}
		sleep_until_worth_it(waiting, &found);
	}
}

static void
end_waiting(int code, Datum arg)
{
	wake_end_waiting();
}

static void
refuse_in_transaction(FunctionCallInfo fcinfo)
{
	if (fcinfo->context == NULL || !IsA(fcinfo->context, CallContext) ||
		castNode(CallContext, fcinfo->context)->atomic)
		ereport(ERROR,
				(errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
				 errmsg("wait_for_messages() cannot run inside a transaction block or a function"),
				 errhint("Call it in a statement of its own, because it must not hold a snapshot "
						 "while it waits.")));
}

PG_FUNCTION_INFO_V1(order_ext_wait_for_messages);
Datum
order_ext_wait_for_messages(PG_FUNCTION_ARGS)
{
	MemoryContext context = CurrentMemoryContext;
	Waiting		waiting = {0};
	TupleDesc	tupdesc;
	Datum		value;
	bool		isnull = false;
	bool		ready = false;

	refuse_in_transaction(fcinfo);
	waiting.name = arg_text(fcinfo, 0, "consumer_group", MAX_NAME_CHARS);
	waiting.timeout = arg_duration(fcinfo, 1, "timeout", 0);
	waiting.deadline = GetCurrentTimestamp() + waiting.timeout;

	if (SPI_connect_ext(SPI_OPT_NONATOMIC) != SPI_OK_CONNECT)
		elog(ERROR, "could not connect to SPI");
	PG_ENSURE_ERROR_CLEANUP(end_waiting, (Datum) 0);
	{
		ready = wait_until_ready(&waiting);
	}
	PG_END_ENSURE_ERROR_CLEANUP(end_waiting, (Datum) 0);
	end_waiting(0, (Datum) 0);
	SPI_finish();

	MemoryContextSwitchTo(context);
	if (get_call_result_type(fcinfo, NULL, &tupdesc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "result type of wait_for_messages is not composite");
	value = BoolGetDatum(ready);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(tupdesc), &value, &isnull)));
}
