/*
 * quarantine.c
 *		Messages that crash the worker; see quarantine.h.
 */
#include "compat.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"

#include "core/error_facts.h"
#include "core/spi_util.h"
#include "message/base/catalog.h"
#include "message/base/engine.h"
#include "message/base/limits.h"
#include "message/delivery/quarantine.h"
#include "message/delivery/retries.h"

/* Suspects whose messages were finished otherwise long ago are of no use. */
static SavedPlan forget_old = SAVED_PLAN_NO_ARGS(
	"DELETE FROM order_ext_internal.crash_suspects"
	" WHERE noted_at < clock_timestamp() - interval '30 days'");

static SavedPlan add_suspect = SAVED_PLAN(
	"INSERT INTO order_ext_internal.crash_suspects AS s"
	"  (group_id, message_id, crashes, messages, noted_at)"
	" SELECT $1, $2, 1, $3, clock_timestamp()"
	" WHERE EXISTS (SELECT FROM order_ext_internal.consumer_groups WHERE group_id = $1)"
	" ON CONFLICT (group_id, message_id) DO UPDATE"
	"  SET crashes = s.crashes + (excluded.messages = 1 AND s.messages = 1)::integer,"
	"   messages = excluded.messages, noted_at = excluded.noted_at"
	" RETURNING crashes",
	INT4OID, INT8OID, INT4OID);

static SavedPlan list_suspects = SAVED_PLAN(
	"SELECT message_id, crashes, messages FROM order_ext_internal.crash_suspects"
	" WHERE group_id = $1",
	INT4OID);

static SavedPlan forget_suspect = SAVED_PLAN(
	"DELETE FROM order_ext_internal.crash_suspects WHERE group_id = $1 AND message_id = $2",
	INT4OID, INT8OID);

/* The messages of the batch that crashed have been run one by one. */
static SavedPlan count_down = SAVED_PLAN(
	"WITH gone AS (DELETE FROM order_ext_internal.crash_suspects"
	"  WHERE group_id = $1 AND messages > 1 AND messages - $2 <= 1)"
	" UPDATE order_ext_internal.crash_suspects SET messages = messages - $2"
	" WHERE group_id = $1 AND messages - $2 > 1",
	INT4OID, INT4OID);

/* ---- after a crash ---- */

static const char *
mark_reason(const RunningMark *mark)
{
	return mark->overran ? "the handler continued to run after order_ext.handler_timeout had "
		"canceled it"
		: "the worker process crashed while the handler was running";
}

static void
record(const RunningMark *mark)
{
	Datum		values[3];
	ConsumerGroup group = {.id = mark->group_id};
	Delivery	delivery = {0};
	int			crashes;

	values[0] = Int32GetDatum(mark->group_id);
	values[1] = Int64GetDatum(mark->message_id);
	values[2] = Int32GetDatum(mark->messages);
	if (plan_write(&add_suspect, values, NULL, 0) == 0)
		return;
	catalog_changed("consumer_groups");
	if (mark->messages != 1)
		return;
	delivery.message.id = mark->message_id;
	delivery.message.attempt = mark->attempt;
	crashes = row_int32(0, 1);
	delivery.started_at = mark->started_at;
	delivery.worker = mark->pid;
	delivery_record_attempts(&group, &delivery, 1, crashes >= MAX_CRASHES ? "dead" : "retry",
							 mark_reason(mark), unpack_sql_state(ERRCODE_CRASH_SHUTDOWN));
}

void
quarantine_record(const RunningMark *marks, int n)
{
	EngineScope scope;
	int			i;

	if (n == 0)
		return;
	engine_begin_transaction();
	engine_enter(&scope);
	plan_write(&forget_old, NULL, NULL, 0);
	for (i = 0; i < n; i++)
	{
		record(&marks[i]);
		ereport(LOG,
				(errmsg("worker process %d ended while running message " INT64_FORMAT
						" of consumer group %d",
						marks[i].pid, marks[i].message_id, marks[i].group_id),
				 error_facts("The reason is that {reason}.",
							 FACT_INT("pid", marks[i].pid),
							 FACT_ID("message_id", marks[i].message_id),
							 FACT_TEXT("reason", mark_reason(&marks[i]))),
				 errhint("A message that causes this twice becomes a dead letter.")));
	}
	engine_leave(&scope);
	engine_commit_transaction();
}

Failure *
quarantine_failure(void)
{
	Failure    *failure = palloc0(sizeof(Failure));

	failure->sqlstate = ERRCODE_CRASH_SHUTDOWN;
	failure->message = pstrdup("the worker process crashed or had to be terminated while the "
							   "handler was running");
	return failure;
}

/* ---- running ---- */

int
quarantine_sift(Pass *pass, const ConsumerGroup *group, Delivery *deliveries, int n)
{
	EngineScope scope;
	int			may_run = n;
	Datum		group_id = Int32GetDatum(group->id);
	uint64		suspects;
	uint64		s;
	int			i;

	if (!group->suspects)
		return n;
	engine_enter(&scope);
	suspects = plan_query(&list_suspects, &group_id, NULL, 0);
	for (s = 0; s < suspects; s++)
	{
		if (row_int32(s, 3) > 1)
		{
			/* alone in its transaction, since deferred work of the message may be what crashes */
			may_run = Min(may_run, 1);
			if (pass->mode == PASS_SET)
				pass->mode = PASS_ISOLATED;
		}
		for (i = 0; i < n && row_int32(s, 3) == 1; i++)
		{
			if (deliveries[i].message.id != row_int64(s, 1))
				continue;
			deliveries[i].suspect = true;
			deliveries[i].message.attempt += row_int32(s, 2);
			if (row_int32(s, 2) >= MAX_CRASHES && deliveries[i].fate == FATE_RUN)
			{
				deliveries[i].fate = FATE_BURY;
				deliveries[i].message.attempt--;
			}
		}
	}
	engine_leave(&scope);
	return may_run;
}

void
quarantine_finished(const ConsumerGroup *group, const Delivery *deliveries, int n)
{
	EngineScope scope;
	Datum		values[2];
	int			i;

	if (!group->suspects)
		return;
	values[0] = Int32GetDatum(group->id);
	engine_enter(&scope);
	for (i = 0; i < n; i++)
	{
		values[1] = Int64GetDatum(deliveries[i].message.id);
		if (deliveries[i].suspect && deliveries[i].fate != FATE_PARK)
			plan_write(&forget_suspect, values, NULL, 0);
	}
	values[1] = Int32GetDatum(n);
	plan_write(&count_down, values, NULL, 0);
	/* after the last one has been removed, no further check is needed */
	if (plan_query(&list_suspects, values, NULL, 1) == 0)
		catalog_changed("consumer_groups");
	engine_leave(&scope);
}
