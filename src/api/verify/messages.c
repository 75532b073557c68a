/*
 * messages.c
 *		The checks of verify() about the message log; see queries.c.
 *
 * Comparisons with transaction ids of this cluster are omitted while the database has a foreign
 * stamp: until enable_dispatch(), they have no meaning here.
 */
#include "compat.h"

#include "api/verify/messages.h"
#include "message/timer/buckets.h"

#define OWN_STAMP \
	"(SELECT count(*) = 1 FROM order_ext_internal.database_stamp)"

/* The position of each group. */
#define NEWEST_PROGRESS \
	"newest AS MATERIALIZED (" \
	" SELECT p.* FROM (SELECT group_id, part, max(seq) AS seq" \
	"  FROM order_ext_internal.group_progress GROUP BY group_id, part) AS last" \
	" JOIN order_ext_internal.group_progress p USING (group_id, part, seq))"

#define GROUP_NAME(id) \
	"format('group %s', coalesce((SELECT name FROM order_ext_internal.consumer_groups g" \
	"  WHERE g.group_id = " id "), " id "::text))"

/* ---- I9: cursors ---- */

/* A cursor ahead of the present would skip messages that are yet to be published. */
const char	verify_cursors_ahead[] =
	"WITH " NEWEST_PROGRESS
	"SELECT 'error', " GROUP_NAME("n.group_id") ","
	" format('a cursor before transaction %s', pg_snapshot_xmax(pg_current_snapshot())),"
	" format('done %s, reading %s, position %s', n.done, n.reading, n.pos_xid)"
	" FROM newest n"
	" WHERE " OWN_STAMP
	"  AND (pg_snapshot_xmax(n.done) > pg_snapshot_xmax(pg_current_snapshot())"
	"   OR pg_snapshot_xmax(n.reading) > pg_snapshot_xmax(pg_current_snapshot())"
	"   OR NOT pg_visible_in_snapshot(n.pos_xid, n.reading)"
	"   OR (n.pos_xid IS NULL) <> (n.pos_id IS NULL))";

/* A cursor that moves backward delivers messages again. */
const char	verify_cursors_forward[] =
	"WITH step AS ("
	" SELECT p.*, lag(done) OVER w AS done_before, lag(consumed) OVER w AS consumed_before,"
	"  lag(seq) OVER w AS seq_before"
	" FROM order_ext_internal.group_progress p"
	" WINDOW w AS (PARTITION BY group_id, part ORDER BY seq))"
	"SELECT 'error', " GROUP_NAME("s.group_id") ","
	" format('a cursor that moves on from %s at %s', s.done_before, s.consumed_before),"
	" format('number %s after %s: %s at %s', s.seq, s.seq_before, s.done, s.consumed)"
	" FROM step s"
	" WHERE s.seq_before IS NOT NULL"
	"  AND (s.seq <> s.seq_before + 1 OR s.consumed < s.consumed_before"
	"   OR pg_snapshot_xmax(s.done) < pg_snapshot_xmax(s.done_before)"
	"   OR EXISTS (SELECT FROM pg_snapshot_xip(s.done) AS x (xid)"
	"    WHERE pg_visible_in_snapshot(x.xid, s.done_before)))";

/* ---- I9: what is kept outside of the log ---- */

#define KEPT \
	"kept AS MATERIALIZED (" \
	" SELECT 'retry' AS kind, group_id, message_id, key, published_at" \
	"  FROM order_ext_internal.retries" \
	" UNION ALL SELECT 'dead letter', group_id, message_id, key, published_at" \
	"  FROM order_ext_internal.dead_messages" \
	" UNION ALL SELECT 'parked', group_id, message_id, key, published_at" \
	"  FROM order_ext_internal.parked_messages" \
	" UNION ALL SELECT 'lease', group_id, message_id, key, published_at" \
	"  FROM order_ext_internal.leases)"

const char	verify_kept_groups[] =
	"WITH " KEPT ", named AS ("
	" SELECT kind, group_id FROM kept"
	" UNION ALL SELECT 'progress', group_id FROM order_ext_internal.group_progress"
	" UNION ALL SELECT 'delivered range', group_id FROM order_ext_internal.inline_ranges"
	" UNION ALL SELECT 'lease receipt', group_id FROM order_ext_internal.lease_receipts"
	" UNION ALL SELECT 'crash suspect', group_id FROM order_ext_internal.crash_suspects"
	" UNION ALL SELECT 'topic', group_id FROM order_ext_internal.consumer_groups g"
	"  WHERE NOT EXISTS (SELECT FROM order_ext_internal.topics t WHERE t.topic_id = g.topic_id))"
	"SELECT 'error', " GROUP_NAME("n.group_id") ","
	" CASE n.kind WHEN 'topic' THEN 'a topic' ELSE 'a consumer group' END,"
	" CASE n.kind WHEN 'topic' THEN 'no such topic'"
	"  ELSE format('%s row(s) of kind %s', count(*), n.kind) END"
	" FROM named n LEFT JOIN order_ext_internal.consumer_groups g ON g.group_id = n.group_id"
	" WHERE g.group_id IS NULL OR n.kind = 'topic' GROUP BY n.group_id, n.kind";

/* A message is copied from the log when the cursor passes it. */
const char	verify_kept_once[] =
	"WITH " KEPT ", " NEWEST_PROGRESS
	"SELECT 'error', format('message %s of %s', k.message_id, " GROUP_NAME("k.group_id") "),"
	" 'one of waiting, retry, parked, lease and dead letter',"
	" string_agg(k.kind, ' and ' ORDER BY k.kind)"
	" FROM (SELECT kind, group_id, message_id FROM kept"
	"  UNION ALL"
	"  SELECT 'waiting', k.group_id, k.message_id FROM kept k"
	"  JOIN order_ext_internal.message_log m ON m.key = k.key AND m.message_id = k.message_id"
	"  JOIN order_ext_internal.consumer_groups g"
	"   ON g.group_id = k.group_id AND g.topic_id = m.topic_id"
	"  WHERE EXISTS (SELECT FROM order_ext_internal.pending_messages p"
	"   WHERE p.state = 'waiting' AND p.group_id = k.group_id"
	"    AND p.topic_id = m.topic_id AND p.key = k.key AND p.message_id = k.message_id)) k"
	" GROUP BY k.group_id, k.message_id HAVING count(*) > 1";

/* It would never be delivered; for external consumers, each receive() checks this. */
const char	verify_parked[] =
	"SELECT 'error', format('key %s of %s', p.key, " GROUP_NAME("p.group_id") "),"
	" 'a retry or a dead letter that it waits for', format('%s parked message(s)', count(*))"
	" FROM order_ext_internal.parked_messages p"
	" JOIN order_ext_internal.consumer_groups g ON g.group_id = p.group_id"
	"  AND g.handler IS NOT NULL"
	" WHERE NOT EXISTS (SELECT FROM order_ext_internal.retries r"
	"   WHERE r.group_id = p.group_id AND r.key = p.key)"
	"  AND NOT EXISTS (SELECT FROM order_ext_internal.dead_messages d"
	"   WHERE d.group_id = p.group_id AND d.key = p.key)"
	" GROUP BY p.group_id, p.key";

/* A failed or held message is a copy of a row of the log. */
const char	verify_kept_logged[] =
	"WITH " HORIZON ", " KEPT
	"SELECT 'error', format('message %s of %s', k.message_id, " GROUP_NAME("k.group_id") "),"
	" 'a message of the log', format('a row of kind %s', k.kind)"
	" FROM kept k"
	" WHERE k.published_at > (SELECT at FROM horizon)"
	"  AND NOT EXISTS (SELECT FROM order_ext_internal.message_log m"
	"   WHERE m.key = k.key AND m.message_id = k.message_id)";

/* ---- I9: what groups have consumed ---- */

/*
 * Between an older row of its progress and the newest, a part has consumed as many messages as
 * the log contains between the two. The older one is a window's end (base) such that
 * - nothing has been truncated since: it sees the truncation;
 * - messages that dispatch() delivered in the publishing transaction are visible in it, or were
 * delivered later: there was no such delivery while its window was open; - the group had as many
 * parts as it has now: it is after the first such row of part 0.
 */
#define CONSUMED_STEPS(progress) \
	"step AS (" \
	" SELECT p.*, p.done_text <> lag(p.done_text) OVER w AS is_end," \
	"  p.reading IS NOT NULL AND p.consumed > lag(p.consumed) OVER w" \
	"   AND p.done_text = lag(p.done_text) OVER w" \
	"   AND (p.pos_xid, p.pos_id) IS NOT DISTINCT FROM" \
	"    (lag(p.pos_xid) OVER w, lag(p.pos_id) OVER w)" \
	"   AS is_inline" \
	" FROM (SELECT *, done::text AS done_text FROM " progress ") p" \
	" WINDOW w AS (PARTITION BY p.group_id, p.part ORDER BY p.seq))," \
	" window_of AS (" \
	" SELECT s.*, count(*) FILTER (WHERE is_end) OVER w AS number" \
	" FROM step s WINDOW w AS (PARTITION BY s.group_id, s.part ORDER BY s.seq" \
	"  ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING))," \
	" judged AS (" \
	" SELECT w.*, coalesce(bool_or(is_inline)" \
	"  OVER (PARTITION BY w.group_id, w.part, w.number), false) AS has_inline" \
	" FROM window_of w)"

/* progress: the rows to choose from; order: which of them is the base. */
#define CONSUMED(progress, order) \
	NEWEST_PROGRESS ", " CONSUMED_STEPS(progress) "," \
	" era AS MATERIALIZED (" \
	" SELECT g.group_id, (SELECT p.done FROM order_ext_internal.group_progress p" \
	"  WHERE p.group_id = g.group_id AND p.part = 0 AND p.seq > coalesce((SELECT max(q.seq)" \
	"   FROM order_ext_internal.group_progress q" \
	"   WHERE q.group_id = g.group_id AND q.part = 0 AND q.parts <> g.parts), 0)" \
	"  ORDER BY p.seq LIMIT 1) AS began" \
	" FROM order_ext_internal.consumer_groups g)," \
	" truncation AS MATERIALIZED (" \
	" SELECT xid FROM order_ext_internal.ring_moves WHERE ring = 'log_gone' ORDER BY seq DESC" \
	"  LIMIT 1)," \
	" base AS MATERIALIZED (" \
	" SELECT DISTINCT ON (j.group_id, j.part) j.group_id, j.part, j.done, j.consumed" \
	" FROM judged j JOIN era e ON e.group_id = j.group_id" \
	" WHERE j.is_end AND j.reading IS NULL AND NOT j.has_inline" \
	"  AND pg_snapshot_xmax(j.done) > pg_snapshot_xmax(e.began)" \
	"  AND NOT EXISTS (SELECT FROM truncation t WHERE NOT pg_visible_in_snapshot(t.xid, j.done))" \
	" ORDER BY j.group_id, j.part, " order ")," \
	" counted AS (" \
	" SELECT n.group_id, n.part, n.consumed - b.consumed AS consumed," \
	"  (SELECT count(*) FROM order_ext_internal.message_log m" \
	"   WHERE m.topic_id = g.topic_id AND m.xid >= pg_snapshot_xmin(b.done)" \
	"    AND NOT pg_visible_in_snapshot(m.xid, b.done)" \
	"    AND m.shard % g.parts = n.part" \
	"    AND (pg_visible_in_snapshot(m.xid, n.done)" \
	"     OR (pg_visible_in_snapshot(m.xid, n.reading)" \
	"      AND (m.xid, m.message_id) <= (n.pos_xid, n.pos_id))" \
	"     OR EXISTS (SELECT FROM order_ext_internal.inline_ranges r" \
	"      WHERE r.group_id = n.group_id AND r.xid = m.xid" \
	"       AND m.message_id BETWEEN r.first_id AND r.last_id))) AS logged" \
	" FROM base b JOIN newest n ON n.group_id = b.group_id AND n.part = b.part" \
	" JOIN order_ext_internal.consumer_groups g ON g.group_id = n.group_id AND n.part < g.parts" \
	" WHERE " OWN_STAMP ")" \
	"SELECT 'error', " GROUP_NAME("c.group_id") " ||" \
	" CASE WHEN c.part > 0 THEN format(' part %s', c.part) ELSE '' END," \
	" format('%s message(s) consumed, as many as the log holds', c.logged)," \
	" format('%s consumed: %s', c.consumed, CASE WHEN c.logged > c.consumed" \
	"  THEN 'the cursor has passed some' ELSE 'some are missing from the log' END)" \
	" FROM counted c WHERE c.logged <> c.consumed"

const char	verify_consumed[] =
	"WITH " CONSUMED("order_ext_internal.group_progress", "j.seq");

/* The newest base that is not after the mark. Where there is none, the first one after it. */
const char	verify_consumed_recent[] =
	"WITH lately AS MATERIALIZED ("
	" SELECT group_id, part, coalesce(max(seq) FILTER (WHERE at <= $1), 0) - 64 AS seq"
	" FROM order_ext_internal.group_progress GROUP BY group_id, part),"
	" late AS (SELECT p.* FROM order_ext_internal.group_progress p"
	"  JOIN lately l ON l.group_id = p.group_id AND l.part = p.part AND p.seq >= l.seq),"
	CONSUMED("late", "j.at > $1, CASE WHEN j.at > $1 THEN j.seq ELSE - j.seq END");

/* ---- I9: segments ---- */

const char	verify_segments[] =
	"WITH step AS ("
	" SELECT ring, seq, segment, lag(segment) OVER w AS before, lag(seq) OVER w AS seq_before"
	" FROM order_ext_internal.ring_moves WHERE ring IN ('log', 'dedup')"
	" WINDOW w AS (PARTITION BY ring ORDER BY seq))"
	"SELECT 'error', format('move %s of ring %s', seq, ring),"
	" format('segment %s, move %s', (before + 1) % 4, seq_before + 1),"
	" format('segment %s, move %s', segment, seq)"
	" FROM step WHERE segment <> (before + 1) % 4 OR segment NOT BETWEEN 0 AND 3"
	"  OR seq <> seq_before + 1";

const char	verify_log_rows[] =
	"SELECT 'error', format('message %s', m.message_id),"
	" format('a transaction before %s', pg_snapshot_xmax(pg_current_snapshot())),"
	" format('transaction %s', m.xid)"
	" FROM order_ext_internal.topics t"
	" JOIN order_ext_internal.message_log m ON m.topic_id = t.topic_id"
	"  AND m.xid >= pg_snapshot_xmax(pg_current_snapshot())"
	"  AND m.xid IS DISTINCT FROM pg_current_xact_id_if_assigned()"
	" WHERE " OWN_STAMP;

const char	verify_dedup[] =
	"SELECT 'error',"
	" format('topic %s dedup_key %s', coalesce(t.name, d.topic_id::text), d.dedup_key),"
	" 'one message within the window', format('%s messages', count(*))"
	" FROM order_ext_internal.dedup d"
	" JOIN order_ext_internal.topics t ON t.topic_id = d.topic_id"
	" GROUP BY t.name, t.dedup_window, d.topic_id, d.dedup_key"
	" HAVING count(*) > 1 AND max(d.published_at) - min(d.published_at)"
	"  < t.dedup_window * interval '1 second'";

/* ---- I10: timers ---- */

StaticAssertDecl(TIMER_BUCKETS == 32 && TIMER_PERIOD == 120 * USECS_PER_SEC,
				 "a timer's bucket is computed in SQL, too");

/*
 * A timer in a bucket other than its own fires late; one that exists twice, or whose message is
 * already in the log, fires twice. Only the ring is read, and the log only for timers that should
 * have fired: timers_far may contain millions.
 */
const char	verify_timers[] =
	"WITH ahead AS MATERIALIZED ("
	" SELECT unnest(message_ids) AS message_id FROM order_ext_internal.timer_ahead),"
	" waiting AS MATERIALIZED ("
	" SELECT t.bucket, t.message_id, t.key, t.due_at"
	" FROM order_ext_internal.timer_ring t"
	" LEFT JOIN (SELECT DISTINCT ON (bucket) bucket, fired_until, seen"
	"  FROM order_ext_internal.timer_progress ORDER BY bucket, seq DESC) p ON p.bucket = t.bucket"
	" WHERE (p.bucket IS NULL OR t.due_at > p.fired_until"
	"  OR NOT pg_visible_in_snapshot(t.xid, p.seen))"
	"  AND NOT EXISTS (SELECT FROM ahead a WHERE a.message_id = t.message_id)"
	"  AND NOT EXISTS (SELECT FROM order_ext_internal.timer_cancels c"
	"   WHERE c.message_id = t.message_id)),"
	" misplaced AS ("
	" SELECT message_id,"
	"  floor(date_part('epoch', due_at - timestamptz '2000-01-01 00:00+00') / 120)::bigint % 32"
	"   AS bucket, bucket AS found"
	" FROM waiting WHERE isfinite(due_at))"
	"SELECT 'error', format('timer %s', message_id), format('bucket %s', bucket),"
	" format('bucket %s', found)"
	" FROM misplaced WHERE found <> bucket"
	" UNION ALL "
	"SELECT 'error', format('timer %s', message_id), 'it waits once',"
	" format('it waits %s times', count(*))"
	" FROM (SELECT message_id FROM waiting UNION ALL SELECT f.message_id"
	"  FROM waiting w JOIN order_ext_internal.timers_far f ON f.message_id = w.message_id"
	" UNION ALL SELECT m.message_id"
	"  FROM waiting w JOIN order_ext_internal.timers_moved m ON m.message_id = w.message_id) t"
	" GROUP BY message_id HAVING count(*) > 1"
	" UNION ALL "
	"SELECT 'error', format('timer %s', w.message_id), 'fired once',"
	" 'its message is in the log, and it waits'"
	" FROM waiting w"
	" WHERE w.due_at <= (SELECT clock_timestamp())"
	"  AND EXISTS (SELECT FROM order_ext_internal.message_log m"
	"   WHERE m.key = w.key AND m.message_id = w.message_id)";

/* ---- I15: groups that have stopped ---- */

const char	verify_backlog[] =
	"SELECT 'warning', 'group ' || g.name,"
	" format('its oldest message is younger than %s',"
	"  current_setting('order_ext.backlog_alert_age')),"
	" format('waiting for %s: the log is kept for it%s', " AGE("w.published_at") ","
	"  CASE WHEN g.paused THEN ' (paused)' ELSE '' END)"
	" FROM order_ext_internal.consumer_groups g"
	" CROSS JOIN LATERAL (SELECT b.oldest AS published_at"
	"  FROM order_ext_internal.group_backlog(g.group_id, 1) b) w"
	" WHERE current_setting('order_ext.backlog_alert_age')::interval > interval '0'"
	"  AND w.published_at < clock_timestamp() -"
	"   current_setting('order_ext.backlog_alert_age')::interval";

const char	verify_late_retries[] =
	"SELECT 'warning', 'group ' || g.name,"
	" format('its retries are run within %s', current_setting('order_ext.backlog_alert_age')),"
	" format('one is overdue for %s%s', " AGE("r.due_at") ","
	"  CASE WHEN g.paused THEN ' (paused)' ELSE '' END)"
	" FROM order_ext_internal.consumer_groups g"
	" CROSS JOIN LATERAL (SELECT r.due_at FROM order_ext_internal.retries r"
	"  WHERE r.group_id = g.group_id ORDER BY r.due_at LIMIT 1) r"
	" WHERE current_setting('order_ext.backlog_alert_age')::interval > interval '0'"
	"  AND r.due_at < clock_timestamp() - current_setting('order_ext.backlog_alert_age')::interval";

const char	verify_log_size[] =
	"SELECT 'warning', 'message log',"
	" format('less than %s', current_setting('order_ext.backlog_alert_size')),"
	" pg_size_pretty(s.bytes)"
	" FROM (SELECT sum(pg_relation_size(c.oid)) AS bytes FROM pg_class c"
	"  WHERE c.relnamespace = 'order_ext_internal'::regnamespace"
	"   AND c.relname ~ '^message_log_[0-9]$' AND c.relkind = 'r') s"
	" WHERE pg_size_bytes(current_setting('order_ext.backlog_alert_size')) > 0"
	"  AND s.bytes > pg_size_bytes(current_setting('order_ext.backlog_alert_size'))";

/* The owner's privileges suffice: pg_roles and has_database_privilege() are open to everyone. */
const char	verify_dispatch_enabled[] =
	"SELECT 'warning', format('database %I', current_database()),"
	" 'workers, as order_ext.enable_dispatch() lets them come', reason"
	" FROM order_ext_internal.dispatch_absence() AS reason"
	" WHERE reason IS NOT NULL";

/* Stopped, or stuck. The launcher serves all databases. */
const char	verify_workers_answer[] =
	"SELECT 'warning', format('%s, process %s', w.kind, w.pid), 'a process that responds',"
	" 'not answering'"
	" FROM order_ext_internal.worker_list() w"
	" WHERE w.state = 'not answering'"
	"  AND (w.kind = 'launcher'"
	"   OR w.database = (SELECT oid FROM pg_database WHERE datname = current_database()))";

const char	verify_versions[] =
	"SELECT 'warning', 'extension order_ext', 'version " ORDER_EXT_VERSION ", as its library',"
	" format('version %s: run ALTER EXTENSION order_ext UPDATE, or install the matching library;"
	" until then no workers run here, and checks are left out', e.extversion)"
	" FROM pg_extension e"
	" WHERE e.extname = 'order_ext' AND e.extversion <> '" ORDER_EXT_VERSION "'";
