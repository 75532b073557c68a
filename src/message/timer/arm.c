/*
 * arm.c
 *		Arming timers, and putting them right after a restore; see turn.h.
 */
#include "compat.h"

#include "access/transam.h"
#include "access/xact.h"
#include "storage/lmgr.h"
#include "utils/xid8.h"

#include "core/append.h"
#include "core/locks.h"
#include "core/spi_util.h"
#include "message/log/log.h"
#include "message/message.h"
#include "message/timer/buckets.h"
#include "message/timer/fire.h"
#include "message/timer/queue.h"
#include "message/timer/turn.h"
#include "message/base/wake.h"

char *
timer_bucket_table(int bucket)
{
	return psprintf("timer_bucket_%d", bucket);
}

Oid
timer_bucket_relation(int bucket)
{
	return internal_relation(timer_bucket_table(bucket));
}

int64
timer_arm(int32 topic_id, int64 key, TimestampTz due_at, int16 bound, Jsonb *payload)
{
	int64		message_id = log_next_message_id();

	timer_arm_with_id(message_id, topic_id, key, due_at, bound, payload);
	return message_id;
}

void
timer_append(Appender *appender, const DueTimer *timer, uint64 xid)
{
	Datum		values[TIMER_COLUMNS];
	bool		nulls[TIMER_COLUMNS] = {false};

	values[TIMER_MESSAGE_ID - 1] = Int64GetDatum(timer->entry.message_id);
	values[TIMER_XID - 1] = FullTransactionIdGetDatum(FullTransactionIdFromU64(xid));
	values[TIMER_KEY - 1] = Int64GetDatum(timer->entry.key);
	values[TIMER_DUE_AT - 1] = TimestampTzGetDatum(timer->due_at);
	values[TIMER_PUBLISHED_AT - 1] = TimestampTzGetDatum(timer->entry.published_at);
	values[TIMER_TOPIC_ID - 1] = Int32GetDatum(timer->entry.topic_id);
	values[TIMER_BOUND - 1] = Int16GetDatum(timer->bound);
	nulls[TIMER_BOUND - 1] = (timer->bound < 0);
	values[TIMER_PAYLOAD - 1] = JsonbPGetDatum(timer->entry.payload);
	append_row(appender, values, nulls);
}

void
timer_arm_with_id(int64 message_id, int32 topic_id, int64 key, TimestampTz due_at, int16 bound,
				  Jsonb *payload)
{
	TimestampTz now = GetCurrentTimestamp();
	int64		period = timer_period(Max(due_at, now));
	bool		in_ring = period - timer_period(now) <= TIMER_RING_AHEAD;
	DueTimer	timer = {.due_at = due_at, .bound = bound};
	Appender   *appender;

	timer.entry.message_id = message_id;
	timer.entry.topic_id = topic_id;
	timer.entry.key = key;
	timer.entry.payload = payload;
	timer.entry.published_at = now;
	appender = append_open(in_ring ? timer_bucket_table(timer_bucket(period)) : "timers_far");
	timer_append(appender, &timer, U64FromFullTransactionId(GetTopFullTransactionId()));
	append_close(appender);
	wake_note_timer(due_at);
}

/*
 * Numbers are compared with numbers here, never with this cluster's transactions: the
 * rule holds wherever the rows come from.
 */
static SavedPlan move_to_far = SAVED_PLAN_NO_ARGS(
	"INSERT INTO order_ext_internal.timers_far"
	" SELECT r.message_id, r.xid, r.key, r.due_at, r.published_at, r.topic_id, r.bound, r.payload"
	" FROM order_ext_internal.timer_ring r"
	" LEFT JOIN (SELECT DISTINCT ON (bucket) bucket, fired_until, seen"
	"  FROM order_ext_internal.timer_progress ORDER BY bucket, seq DESC) p USING (bucket)"
	" WHERE (p.bucket IS NULL OR r.due_at > p.fired_until"
	"   OR NOT pg_visible_in_snapshot(r.xid, p.seen))"
	"  AND NOT EXISTS (SELECT FROM order_ext_internal.timer_ahead a, unnest(a.message_ids) AS id"
	"   WHERE id = r.message_id)");

static SavedPlan forget_progress = SAVED_PLAN_NO_ARGS(
	"DELETE FROM order_ext_internal.timer_progress");

static SavedPlan forget_ahead = SAVED_PLAN_NO_ARGS(
	"DELETE FROM order_ext_internal.timer_ahead");

/* Its totals go on; what matters is that every queue in memory is forgotten. */
static SavedPlan note_reset = SAVED_PLAN_NO_ARGS(
	"INSERT INTO order_ext_internal.timer_firings"
	" SELECT seq + 1, clock_timestamp(), fired, lateness"
	" FROM order_ext_internal.timer_firings ORDER BY seq DESC LIMIT 1");

void
timers_reset_after_restore(void)
{
	int			bucket;

	if (!lock_try(LOCK_TIMERS, 0))
		ereport(ERROR,
				(errcode(ERRCODE_LOCK_NOT_AVAILABLE),
				 errmsg("timers are being fired by another process"),
				 errhint("Try again.")));
	timer_queue_forget();
	/* Whoever is just arming timers commits before we look, or comes after we are done. */
	for (bucket = 0; bucket < TIMER_BUCKETS; bucket++)
		LockRelationOid(timer_bucket_relation(bucket), AccessExclusiveLock);
	(void) plan_write(&move_to_far, NULL, NULL, 0);
	for (bucket = 0; bucket < TIMER_BUCKETS; bucket++)
		timer_bucket_truncate(bucket);
	(void) plan_write(&forget_progress, NULL, NULL, 0);
	(void) plan_write(&forget_ahead, NULL, NULL, 0);
	(void) plan_write(&note_reset, NULL, NULL, 0);
	wake_note_timer(0);
}
