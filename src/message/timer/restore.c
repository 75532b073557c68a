/*
 * restore.c
 *		Timers of a database that was restored or copied; see restore.h.
 */
#include "compat.h"

#include "storage/lmgr.h"

#include "core/locks.h"
#include "core/spi_util.h"
#include "message/base/wake.h"
#include "message/timer/buckets.h"
#include "message/timer/queue.h"
#include "message/timer/restore.h"

/*
 * Ids are compared with each other here, never with this cluster's transactions: the rule holds
 * no matter where the rows come from.
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

/* Its totals continue; what matters is that every queue in memory is discarded. */
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

	/*
	 * Transactions that are arming timers either commit before we look or wait until we are done.
	 */
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
