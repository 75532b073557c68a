/*
 * enable.c
 *		Creating and changing the database stamp, and enable_dispatch() for a database that was
 *		restored, copied or upgraded.
 *
 * In a restored database, the transaction ids in the log are meaningless: they come from another
 * cluster. So the rows get valid ids: messages that every group was past get an id before all
 * others, the rest that of enable_dispatch()'s own transaction, as if they had been published
 * now. Messages that only some groups were past are recorded for those in inline_ranges.
 *
 * Rows published after the restore are distinguished from restored ones by their time, which is
 * later than that of our own stamp (created by CREATE EXTENSION during the restore). In a copy or
 * an upgrade, which has no stamp of its own, all ids are still valid.
 *
 * In a copy of the whole data directory, nothing has to be renewed, since everything in it
 * belongs to this cluster. There the stamp is another node's (core/node.h), and becomes this
 * one's. A server that has never had workers is not a node and binds no stamp; once it has, the
 * scheduler does.
 */
#include "compat.h"

#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rls.h"
#include "utils/snapmgr.h"

#include "core/call.h"
#include "core/error_facts.h"
#include "core/internal.h"
#include "core/locks.h"
#include "core/node.h"
#include "core/spi_util.h"
#include "message/base/catalog.h"
#include "message/base/engine.h"
#include "message/base/wake.h"
#include "message/log/log.h"
#include "message/timer/restore.h"
#include "message/upkeep/enable.h"
#include "message/upkeep/sequences.h"

/* The transaction id of rows that all groups are past: before all real ones. */
#define XID_BEHIND_ALL "2"

static SavedPlan add_stamp = SAVED_PLAN(
	"INSERT INTO order_ext_internal.database_stamp (system_identifier, database)"
	" VALUES ($1, $2) ON CONFLICT DO NOTHING",
	INT8OID, OIDOID);

/* Older rows were renumbered and no longer share their transition's transaction id. */
static SavedPlan date_stamp = SAVED_PLAN(
	"UPDATE order_ext_internal.database_stamp SET stamped_at = clock_timestamp(), node = $3"
	" WHERE (system_identifier, database) = ($1, $2)",
	INT8OID, OIDOID, INT8OID);

static SavedPlan change_node = SAVED_PLAN(
	"UPDATE order_ext_internal.database_stamp SET node = $4"
	" WHERE (system_identifier, database) = ($1, $2) AND node = $3",
	INT8OID, OIDOID, INT8OID, INT8OID);

static SavedPlan take_stamp = SAVED_PLAN(
	"UPDATE order_ext_internal.database_stamp SET node = $3"
	" WHERE (system_identifier, database) = ($1, $2)",
	INT8OID, OIDOID, INT8OID);

static SavedPlan remove_foreign_stamps = SAVED_PLAN(
	"DELETE FROM order_ext_internal.database_stamp"
	" WHERE (system_identifier, database) IS DISTINCT FROM ($1, $2)",
	INT8OID, OIDOID);

/* Newer rows have transaction ids of this cluster. */
static SavedPlan find_cut = SAVED_PLAN(
	"SELECT coalesce("
	"	(SELECT stamped_at FROM order_ext_internal.database_stamp"
	"	 WHERE (system_identifier, database) = ($1, $2)),"
	"	CASE WHEN (SELECT count(*) FROM order_ext_internal.database_stamp) > 1"
	"	 THEN 'infinity'::timestamptz ELSE '-infinity' END)",
	INT8OID, OIDOID);

static SavedPlan list_group_ids = SAVED_PLAN_NO_ARGS(
	"SELECT group_id, parts FROM order_ext_internal.consumer_groups ORDER BY group_id");

/* $1 = the cut. The messages in the log that each group has not finished, by its old position. */
#define UNCONSUMED \
	"SELECT p.group_id, m.message_id" \
	" FROM order_ext_internal.group_cursors p" \
	" JOIN order_ext_internal.message_log m" \
	"	ON m.topic_id = p.topic_id AND m.shard % p.parts = p.part" \
	" WHERE CASE" \
	"	WHEN m.published_at > $1 AND p.at <= $1 THEN true" \
	"	WHEN m.published_at <= $1 AND p.at > $1" \
	"		THEN p.seq IS NULL AND p.done::text = '1:1:'" \
	"	ELSE NOT pg_visible_in_snapshot(m.xid, p.done)" \
	"		AND (p.reading IS NULL OR p.pos_xid IS NULL" \
	"			OR NOT pg_visible_in_snapshot(m.xid, p.reading)" \
	"			OR (m.xid, m.message_id) > (p.pos_xid, p.pos_id))" \
	"		AND NOT EXISTS (" \
	"			SELECT FROM order_ext_internal.inline_ranges r" \
	"			WHERE r.group_id = p.group_id AND r.xid = m.xid" \
	"				AND m.message_id BETWEEN r.first_id AND r.last_id)" \
	"	END"

/*
 * The new xid of every row is decided before any row is changed, from a single read; the
 * modifying parts of one statement all see the tables as they were before it.
 */
#define RENEW_SEGMENT(n) \
	" s" n " AS (UPDATE order_ext_internal.message_log_" n " l" \
	"	SET xid = CASE WHEN l.message_id IN (SELECT message_id FROM pending)" \
	"		THEN pg_current_xact_id() ELSE '" XID_BEHIND_ALL "'::xid8 END)"

static SavedPlan republish = SAVED_PLAN(
	"WITH unconsumed AS MATERIALIZED (" UNCONSUMED "),"
	" pending AS MATERIALIZED (SELECT DISTINCT message_id FROM unconsumed),"
	" past AS (DELETE FROM order_ext_internal.inline_ranges),"
	RENEW_SEGMENT("0") ","
	RENEW_SEGMENT("1") ","
	RENEW_SEGMENT("2") ","
	RENEW_SEGMENT("3")
	" SELECT g.group_id, m.message_id"
	" FROM pending JOIN order_ext_internal.message_log m USING (message_id)"
	" JOIN order_ext_internal.consumer_groups g USING (topic_id)"
	" WHERE NOT EXISTS (SELECT FROM unconsumed u"
	"	WHERE u.group_id = g.group_id AND u.message_id = m.message_id)"
	" ORDER BY 1, 2",
	TIMESTAMPTZOID);

static SavedPlan note_consumed = SAVED_PLAN(
	"INSERT INTO order_ext_internal.inline_ranges (group_id, xid, first_id, last_id, at)"
	" SELECT g, pg_current_xact_id(), m, m, clock_timestamp()"
	" FROM ROWS FROM (unnest($1), unnest($2)) AS pairs (g, m)",
	INT4ARRAYOID, INT8ARRAYOID);

/*
 * $1 = the snapshot that all groups continue from; they keep their totals, also those of
 * parts that they no longer have.
 */
static SavedPlan restart_groups = SAVED_PLAN(
	"INSERT INTO order_ext_internal.group_progress"
	"	(seq, group_id, part, consumed, at, done, parts)"
	" SELECT coalesce(max(p.seq), 0) + 1, c.group_id, c.part,"
	"	coalesce((array_agg(p.consumed ORDER BY p.seq DESC))[1], 0), clock_timestamp(), $1, c.parts"
	" FROM (SELECT group_id, part, parts FROM order_ext_internal.group_cursors"
	"	UNION SELECT p.group_id, p.part, g.parts FROM order_ext_internal.group_progress p"
	"	JOIN order_ext_internal.consumer_groups g USING (group_id)) c"
	" LEFT JOIN order_ext_internal.group_progress p USING (group_id, part)"
	" GROUP BY c.group_id, c.part, c.parts",
	PG_SNAPSHOTOID);

static SavedPlan forget_old_progress = SAVED_PLAN_NO_ARGS(
	"DELETE FROM order_ext_internal.group_progress p"
	" WHERE NOT EXISTS (SELECT FROM order_ext_internal.consumer_groups g"
	"		WHERE g.group_id = p.group_id)"
	"	OR EXISTS (SELECT FROM order_ext_internal.group_progress q"
	"		WHERE q.group_id = p.group_id AND q.part = p.part AND q.seq > p.seq)");

static SavedPlan forget_old_starts = SAVED_PLAN_NO_ARGS(
	"UPDATE order_ext_internal.consumer_groups SET start_at = '1:1:', barrier = NULL");

/* The contents of our own stamp; three values. */
static void
own_stamp(Datum *values)
{
	values[0] = Int64GetDatum((int64) GetSystemIdentifier());
	values[1] = ObjectIdGetDatum(MyDatabaseId);
	values[2] = Int64GetDatum(node_id());
}

/* ---- nodes ---- */

static void
set_node(int64 from, int64 to)
{
	Datum		values[4];

	own_stamp(values);
	values[2] = Int64GetDatum(from);
	values[3] = Int64GetDatum(to);
	(void) plan_write(&change_node, values, NULL, 0);
}

void
enable_bind_stamp(void)
{
	EngineScope scope;

	if (node_id() == NODE_ANY)
		return;
	engine_begin_transaction();
	engine_enter(&scope);
	set_node(NODE_ANY, node_id());
	engine_leave(&scope);
	engine_commit_transaction();
}

void
enable_disown_stamp(int64 node)
{
	EngineScope scope;

	PushActiveSnapshot(GetTransactionSnapshot());
	engine_enter(&scope);
	set_node(node, NODE_NONE);
	engine_leave(&scope);
	PopActiveSnapshot();
}

/* ---- CREATE EXTENSION ---- */

/*
 * A dump that is being restored brings a foreign stamp, but the rows of groups come before it,
 * and in a parallel restore those of the log, too. Workers starting in between would deliver from
 * an incomplete log, and write progress where that of the dump belongs. Dumps turn row_security
 * off: in that case, an anonymous foreign stamp is written at once, which enable_dispatch()
 * removes like any other.
 */
static Datum
stamp_database_body(FunctionCallInfo fcinfo)
{
	Datum		values[3];
	Datum		nobody[2] = {Int64GetDatum(0), ObjectIdGetDatum(InvalidOid)};

	own_stamp(values);
	plan_write(&add_stamp, values, NULL, 0);
	if (!row_security)
		plan_write(&add_stamp, nobody, NULL, 0);
	/* An older version, installed before an update, does not have this column. */
	if (get_attnum(internal_relation("database_stamp"), "node") != InvalidAttrNumber)
		set_node(NODE_ANY, node_id());
	catalog_changed("database_stamp");
	wake_note_database();
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(order_ext_stamp_database);
Datum
order_ext_stamp_database(PG_FUNCTION_ARGS)
{
	api_call(fcinfo, stamp_database_body);
	PG_RETURN_VOID();
}

/* ---- enable_dispatch ---- */

/* No process may read while the log is renumbered. */
static void
lock_all_groups(void)
{
	uint64		n = plan_query(&list_group_ids, NULL, NULL, 0);
	uint64		i;
	int			part;

	/* lock_wait() runs no query, so the rows remain valid */
	for (i = 0; i < n; i++)
	{
		for (part = 0; part < row_int16(i, 2); part++)
			lock_wait(LOCK_GROUP, GROUP_LOCK_KEY(row_int32(i, 1), part));
	}
}

static void
renew_log(TimestampTz cut)
{
	Datum		values[2];
	uint64		n;
	uint64		i;
	int32	   *groups;
	int64	   *messages;

	values[0] = TimestampTzGetDatum(cut);
	n = plan_write(&republish, values, NULL, 0);
	groups = palloc_extended(sizeof(int32) * (n + 1), MCXT_ALLOC_HUGE);
	messages = palloc_extended(sizeof(int64) * (n + 1), MCXT_ALLOC_HUGE);
	for (i = 0; i < n; i++)
	{
		groups[i] = row_int32(i, 1);
		messages[i] = row_int64(i, 2);
	}
	if (n == 0)
		return;
	values[0] = int32_array(groups, n);
	values[1] = int64_array(messages, n);
	plan_write(&note_consumed, values, NULL, 0);
}

static void
restart_all_groups(void)
{
	const ConsumerGroup *groups;
	Datum		start;
	int			n;
	int			i;

	PushActiveSnapshot(GetLatestSnapshot());
	start = snapshot_to_datum(snapshot_active());
	PopActiveSnapshot();
	plan_write(&restart_groups, &start, NULL, 0);
	plan_write(&forget_old_progress, NULL, NULL, 0);
	plan_write(&forget_old_starts, NULL, NULL, 0);
	catalog_changed("consumer_groups");

	n = catalog_groups(&groups);
	for (i = 0; i < n; i++)
		wake_note_topic(groups[i].topic_id);
}

static Datum
enable_dispatch_body(FunctionCallInfo fcinfo)
{
	EngineScope scope;
	Datum		values[3];
	TimestampTz cut;

	if (catalog_stamp_is_own())
		return (Datum) 0;
	own_stamp(values);
	if (catalog_stamp_state() == STAMP_COPIED)
	{
		(void) plan_write(&take_stamp, values, NULL, 0);
		catalog_changed("database_stamp");
		wake_note_database();
		return (Datum) 0;
	}
	(void) GetTopFullTransactionId();	/* republished rows will have it */
	lock_all_groups();
	plan_query(&find_cut, values, NULL, 0);
	cut = row_timestamptz(0, 1);

	renew_log(cut);
	restart_all_groups();
	engine_enter(&scope);
	timers_reset_after_restore();
	sequences_raise_all();
	engine_leave(&scope);

	plan_write(&remove_foreign_stamps, values, NULL, 0);
	plan_write(&add_stamp, values, NULL, 0);
	plan_write(&date_stamp, values, NULL, 0);
	catalog_changed("database_stamp");
	wake_note_database();
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(order_ext_enable_dispatch);
Datum
order_ext_enable_dispatch(PG_FUNCTION_ARGS)
{
	api_call(fcinfo, enable_dispatch_body);
	PG_RETURN_VOID();
}

/* dispatch_absence(): why dispatch is not enabled here, as a sentence; NULL if it is. */
PG_FUNCTION_INFO_V1(order_ext_dispatch_absence);
Datum
order_ext_dispatch_absence(PG_FUNCTION_ARGS)
{
	const char *reason = stamp_reason(catalog_stamp_state());

	if (reason == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(reason));
}

void
enable_check_stamp(void)
{
	if (!catalog_stamp_is_own())
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("dispatch is not enabled in this database"),
				 error_facts("{reason}", FACT_TEXT("reason", stamp_reason(catalog_stamp_state()))),
				 errhint("Run order_ext.enable_dispatch() if this copy should deliver messages on "
						 "its own.")));
}
