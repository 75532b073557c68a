/*
 * backlog.c
 *		Groups that have stopped consuming; see backlog.h.
 *
 * Messages that a group has not read remain in the log, however long that takes: its segments are
 * not truncated, and the log grows. Messages are never dropped; instead, operators are alerted
 * once each time that a group falls behind.
 */
#include "compat.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/snapmgr.h"

#include "core/alert.h"
#include "core/jsonb_build.h"
#include "core/settings.h"
#include "core/spi_util.h"
#include "message/log/append.h"
#include "message/log/depth.h"
#include "message/log/log.h"
#include "message/log/progress.h"
#include "message/upkeep/backlog.h"
#include "message/upkeep/rotate.h"

static SavedPlan note_alert = SAVED_PLAN(
	"INSERT INTO order_ext_internal.backlog_alerts (group_id, alerted_at)"
	" VALUES ($1, clock_timestamp()) ON CONFLICT DO NOTHING", INT4OID);

static SavedPlan forget_alert = SAVED_PLAN(
	"DELETE FROM order_ext_internal.backlog_alerts WHERE group_id = $1", INT4OID);

static SavedPlan list_alerts = SAVED_PLAN_NO_ARGS(
	"SELECT group_id FROM order_ext_internal.backlog_alerts ORDER BY group_id");

/* When the oldest message waiting for the group was published; DT_NOEND if there is none. */
static TimestampTz
oldest_waiting(const ConsumerGroup *group)
{
	TimestampTz oldest = DT_NOEND;
	int16		part;

	for (part = 0; part < group->parts; part++)
	{
		Progress	progress;
		LogWindow	window;
		LogRow		row;

		progress_load(group, part, &progress);
		progress_window(group, &progress, &window);
		if (window.reading == NULL)
			window.reading = snapshot_active();
		if (log_read_window(&window, 1, &row) > 0)
			oldest = Min(oldest, row.message.published_at);
	}
	return oldest;
}

static void
publish_alert(const ConsumerGroup *group, TimestampTz oldest, int64 bytes)
{
	const Topic *topic = catalog_topic_by_id(group->topic_id);
	MessageDraft alert = {.topic_id = ALERT_TOPIC_ID, .key = group->id};
	JsonbBuilder *payload = jsonb_object_begin();

	jsonb_add_text(payload, "consumer_group", group->name);
	jsonb_add_text(payload, "topic", topic != NULL ? topic->name : NULL);
	jsonb_add_timestamptz(payload, "oldest_at", oldest);
	jsonb_add_int(payload, "log_bytes", bytes);
	alert.payload = alert_end(payload, ALERT_BACKLOG);
	message_publish(&alert, 1);
	ereport(LOG,
			(errmsg("consumer group \"%s\" is holding back the message log", group->name),
			 errhint("Check its handler, or remove the group with order_ext.unsubscribe().")));
}

static bool
is_alerted(const int32 *alerted, int n, int32 group_id)
{
	int			i;

	for (i = 0; i < n && alerted[i] != group_id; i++)
		;
	return i < n;
}

TimestampTz
backlog_check(TimestampTz now)
{
	const ConsumerGroup *groups;
	int64		age_limit = setting_backlog_alert_age * USECS_PER_SEC;
	int64		bytes = rotate_log_bytes();
	bool		is_large = setting_backlog_alert_size > 0 &&
	bytes / 1024 > setting_backlog_alert_size;
	TimestampTz next = DT_NOEND;
	int			n_alerted = (int) plan_query(&list_alerts, NULL, NULL, 0);
	int32	   *alerted = palloc(sizeof(int32) * (n_alerted + 1));
	int			n = catalog_groups(&groups);
	int			i;

	for (i = 0; i < n_alerted; i++)
		alerted[i] = row_int32(i, 1);
	for (i = 0; i < n; i++)
	{
		Datum		group_id = Int32GetDatum(groups[i].id);
		bool		told = is_alerted(alerted, n_alerted, groups[i].id);
		TimestampTz oldest;
		bool		is_late;

		PushActiveSnapshot(GetLatestSnapshot());
		oldest = oldest_waiting(&groups[i]);
		PopActiveSnapshot();
		is_late = oldest != DT_NOEND &&
			((age_limit > 0 && now - oldest > age_limit) ||
			 (is_large && now - oldest > setting_log_retention * USECS_PER_SEC));
		if (is_late && !told && plan_write(&note_alert, &group_id, NULL, 0) > 0)
			publish_alert(&groups[i], oldest, bytes);
		else if (!is_late && told)
			plan_write(&forget_alert, &group_id, NULL, 0);
		if (oldest != DT_NOEND && !is_late && age_limit > 0)
			next = Min(next, oldest + age_limit + 1);
	}
	return next;
}

/* group_backlog(group_id, most): see sql/parts/620_metrics.sql. */
PG_FUNCTION_INFO_V1(order_ext_group_backlog);
Datum
order_ext_group_backlog(PG_FUNCTION_ARGS)
{
	const ConsumerGroup *group = catalog_group_by_id(PG_GETARG_INT32(0));
	Datum		values[2] = {0};
	bool		nulls[2] = {true, true};
	TupleDesc	desc;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "group_backlog() must return a row");
	if (group != NULL)
	{
		TimestampTz oldest;

		PushActiveSnapshot(GetLatestSnapshot());
		values[0] = Int64GetDatum(depth_of_group(group, PG_GETARG_INT32(1)));
		oldest = oldest_waiting(group);
		PopActiveSnapshot();
		values[1] = TimestampTzGetDatum(oldest);
		nulls[0] = false;
		nulls[1] = oldest == DT_NOEND;
	}
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}
