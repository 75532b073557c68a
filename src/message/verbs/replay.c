/*
 * replay.c
 *		discard() and replay(): what operators do with single messages, in addition to redrive().
 *
 * A replayed message is copied from the log, as if it had failed before its first attempt: the
 * cursor cannot go back for single messages. In an ordered group it is parked behind the messages
 * already waiting, and released like them.
 *
 * Both lock out the readers of an ordered group: messages that a batch in progress parks could
 * not be seen yet, and would never be released.
 */
#include "compat.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/builtins.h"

#include "core/args.h"
#include "core/call.h"
#include "core/spi_util.h"
#include "message/base/catalog.h"
#include "message/base/limits.h"
#include "message/base/wake.h"
#include "message/delivery/parked.h"
#include "message/delivery/parts.h"
#include "message/delivery/retries.h"
#include "message/log/dedup_free.h"
#include "message/log/floors.h"
#include "message/verbs/operate.h"

#define FIND_GROUP \
	"SELECT group_id, topic_id, parts, ordered, builtin, handler IS NULL AND NOT builtin" \
	" FROM order_ext_internal.consumer_groups WHERE name = $1"

static SavedPlan look_at_group = SAVED_PLAN(FIND_GROUP, TEXTOID);

/* One call per group at a time, and none while it is being dropped. */
static SavedPlan lock_group = SAVED_PLAN(FIND_GROUP " FOR UPDATE", TEXTOID);

static SavedPlan count_picked = COUNT_PICKED(PICKED_DEAD);

static SavedPlan discard_dead = SAVED_PLAN(
	"WITH picked AS MATERIALIZED (SELECT message_id" PICKED_DEAD " FOR UPDATE)"
	" DELETE FROM order_ext_internal.dead_messages d USING picked"
	" WHERE d.group_id = $1 AND d.message_id = picked.message_id"
	" RETURNING d.message_id, d.attempts, d.last_error, d.last_sqlstate",
	INT4OID, INT4OID, INT8ARRAYOID);

/*
 * $1 group, $2 topic, $3 and $4 published from and until, $5 message ids. Messages that the group
 * has not finished are not replayed, nor are those whose dedup_key another message has now.
 */
#define DONE \
	"WITH pending AS MATERIALIZED (" \
	"  SELECT message_id FROM order_ext_internal.pending_messages WHERE group_id = $1)," \
	" picked AS MATERIALIZED (" \
	"  SELECT m.message_id, m.topic_id, m.key, m.published_at, m.payload," \
	"   row_number() OVER (ORDER BY m.xid, m.message_id) AS n" \
	"  FROM order_ext_internal.message_log m" \
	"  WHERE m.topic_id = $2 AND m.published_at >= $3 AND ($4 IS NULL OR m.published_at < $4)" \
	"   AND ($5::bigint[] IS NULL OR m.message_id = ANY ($5))" \
	"   AND m.message_id NOT IN (SELECT p.message_id FROM pending p)" \
	"   AND NOT " KEY_TAKEN("m.message_id") ")"

#define DONE_TYPES INT4OID, INT4OID, TIMESTAMPTZOID, TIMESTAMPTZOID, INT8ARRAYOID

/* Those that the group had given up, discarded by its handler. */
static SavedPlan given_up = SAVED_PLAN(
	"SELECT array_agg(d.message_id) FROM order_ext_internal.dedup d"
	" WHERE d.topic_id = $2 AND $1 = ANY (d.given_up)"
	"  AND ($5::bigint[] IS NULL OR d.message_id = ANY ($5))"
	"  AND EXISTS (SELECT FROM order_ext_internal.message_log m"
	"   WHERE m.topic_id = $2 AND m.message_id = d.message_id AND m.published_at >= $3"
	"    AND ($4 IS NULL OR m.published_at < $4))",
	DONE_TYPES);

static SavedPlan count_done = SAVED_PLAN(DONE " SELECT count(*) FROM picked", DONE_TYPES);

/* Due times follow their order, since retries are run by due time. */
static SavedPlan retry_done = SAVED_PLAN(
	DONE
	" INSERT INTO order_ext_internal.retries (message_id, group_id, topic_id, key, published_at,"
	"	due_at, attempts, busy, payload)"
	" SELECT message_id, $1, topic_id, key, published_at,"
	"	statement_timestamp() - interval '1 microsecond' * (count(*) OVER () - n), 0, 0, payload"
	" FROM picked ON CONFLICT DO NOTHING",
	DONE_TYPES);

static SavedPlan park_done = SAVED_PLAN(
	DONE
	" INSERT INTO order_ext_internal.parked_messages (n, group_id, topic_id, key, message_id,"
	"	published_at, parked_at, payload)"
	" SELECT pg_catalog.nextval('order_ext_internal.parked_seq'), $1, topic_id, key, message_id,"
	"	published_at, clock_timestamp(), payload"
	" FROM (SELECT * FROM picked ORDER BY n) p",
	DONE_TYPES);

typedef struct GroupRow
{
	int32		id;
	int32		topic_id;
	int16		parts;
	bool		ordered;
	bool		builtin;
	bool		external;
} GroupRow;

static void
find_group(const char *name, bool dry_run, GroupRow *group)
{
	Datum		value = CStringGetTextDatum(name);

	if (plan_query(dry_run ? &look_at_group : &lock_group, &value, NULL, 0) == 0)
		catalog_refuse_unknown_group(name);
	group->id = row_int32(0, 1);
	group->topic_id = row_int32(0, 2);
	group->parts = row_int16(0, 3);
	group->ordered = row_bool(0, 4);
	group->builtin = row_bool(0, 5);
	group->external = row_bool(0, 6);
}

/* Keys may now be free. For external consumers, the next receive() looks for them. */
static void
release_keys(const GroupRow *group)
{
	if (group->ordered && !group->external)
		parked_release_free(group->id);
	floors_lower();
	wake_note_topic(group->topic_id);
}

/* ---- discard ---- */

/* The last query returned dead letters: record that they are finished. */
static void
note_discarded(const GroupRow *group, uint64 n)
{
	ConsumerGroup of_group = {.id = group->id};
	Delivery	discarded = {.started_at = GetCurrentTimestamp()};
	uint64		i;

	for (i = 0; i < n; i++)
	{
		discarded.message.id = row_int64(i, 1);
		discarded.message.attempt = row_int32(i, 2);
		delivery_record_attempts(&of_group, &discarded, 1, "discarded", row_text(i, 3),
								 row_text(i, 4));
	}
}

/* Run the plan, which picks messages and takes them from the group, or gives them to it again. */
static uint64
change_messages(const GroupRow *group, SavedPlan *plan, const Datum *values, const char *nulls)
{
	uint64		n;

	if (group->ordered)
		parts_lock(group->id, group->parts);
	n = plan_write(plan, values, nulls, 0);
	if (plan == &discard_dead)
		note_discarded(group, n);
	if (n > 0)
		release_keys(group);
	return n;
}

static Datum
discard_body(FunctionCallInfo fcinfo)
{
	char	   *name = arg_text(fcinfo, 0, "consumer_group", MAX_NAME_CHARS);
	GroupRow	group;
	Datum		values[3] = {0};
	char		nulls[] = "   ";
	uint64		n;

	values[1] = PG_ARGISNULL(1) ? (Datum) 0 :
		Int32GetDatum(arg_count(fcinfo, 1, "max_messages", PG_INT32_MAX));
	nulls[1] = PG_ARGISNULL(1) ? 'n' : ' ';
	values[2] = operate_arg_message_ids(fcinfo, 2, &nulls[2]);
	arg_not_null(fcinfo, 3, "dry_run");
	find_group(name, PG_GETARG_BOOL(3), &group);
	values[0] = Int32GetDatum(group.id);
	if (PG_GETARG_BOOL(3))
		n = operate_count_picked(&count_picked, values, nulls);
	else
		n = change_messages(&group, &discard_dead, values, nulls);
	return Int32GetDatum((int32) Min(n, PG_INT32_MAX));
}

PG_FUNCTION_INFO_V1(order_ext_discard);
Datum
order_ext_discard(PG_FUNCTION_ARGS)
{
	return api_call(fcinfo, discard_body);
}

/* ---- replay ---- */

static Datum
replay_body(FunctionCallInfo fcinfo)
{
	char	   *name = arg_text(fcinfo, 0, "consumer_group", MAX_NAME_CHARS);
	GroupRow	group;
	Datum		values[5] = {0};
	char		nulls[] = "     ";
	uint64		n;

	arg_not_null(fcinfo, 1, "published_since");
	values[2] = PG_GETARG_DATUM(1);
	values[3] = PG_ARGISNULL(2) ? (Datum) 0 : PG_GETARG_DATUM(2);
	nulls[3] = PG_ARGISNULL(2) ? 'n' : ' ';
	values[4] = operate_arg_message_ids(fcinfo, 3, &nulls[4]);
	arg_not_null(fcinfo, 4, "dry_run");
	find_group(name, PG_GETARG_BOOL(4), &group);
	if (group.builtin)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("cannot replay messages to built-in consumer group \"%s\"", name),
				 errhint("Only consumer groups of applications can replay; use redrive() for dead "
						 "letters.")));
	values[0] = Int32GetDatum(group.id);
	values[1] = Int32GetDatum(group.topic_id);
	if (PG_GETARG_BOOL(4))
	{
		plan_query(&count_done, values, nulls, 0);
		n = (uint64) row_int64(0, 1);
	}
	else
	{
		plan_query(&given_up, values, nulls, 0);
		if (!row_is_null(0, 1))
			dedup_free_no_more(group.id, row_array(0, 1));
		n = change_messages(&group, group.ordered ? &park_done : &retry_done, values, nulls);
	}
	return Int32GetDatum((int32) Min(n, PG_INT32_MAX));
}

PG_FUNCTION_INFO_V1(order_ext_replay);
Datum
order_ext_replay(PG_FUNCTION_ARGS)
{
	return api_call(fcinfo, replay_body);
}
