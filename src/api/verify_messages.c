/*
 * verify_messages.c
 *		The checks of verify() about the message log; see verify_queries.c.
 *
 * What is compared with transaction ids of this cluster is left out while the database
 * has a foreign stamp: until enable_dispatch() they mean nothing here.
 */
#include "compat.h"

#include "api/verify_queries.h"

#define OWN_STAMP \
	"(SELECT count(*) = 1 FROM order_ext_internal.database_stamp)"

/* Where each group stands. */
#define NEWEST_PROGRESS \
	"newest AS MATERIALIZED (" \
	" SELECT DISTINCT ON (group_id, part) *" \
	" FROM order_ext_internal.group_progress ORDER BY group_id, part, seq DESC)"

#define GROUP_NAME(id) \
	"format('group %s', coalesce((SELECT name FROM order_ext_internal.consumer_groups g" \
	"  WHERE g.group_id = " id "), " id "::text))"

/* ---- I9: cursors ---- */

/* A cursor ahead of the present skips messages that are yet to be published. */
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

/* A cursor that goes back delivers again. */
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
	" SELECT 'retry' AS kind, group_id, message_id, key FROM order_ext_internal.retries" \
	" UNION ALL SELECT 'dead letter', group_id, message_id, key" \
	"  FROM order_ext_internal.dead_messages" \
	" UNION ALL SELECT 'parked', group_id, message_id, key" \
	"  FROM order_ext_internal.parked_messages" \
	" UNION ALL SELECT 'lease', group_id, message_id, key FROM order_ext_internal.leases)"

const char	verify_kept_groups[] =
	"WITH " KEPT ", named AS ("
	" SELECT kind, group_id FROM kept"
	" UNION ALL SELECT 'progress', group_id FROM order_ext_internal.group_progress"
	" UNION ALL SELECT 'delivered range', group_id FROM order_ext_internal.inline_ranges)"
	"SELECT 'error', format('group %s', n.group_id), 'a consumer group',"
	" format('%s row(s) of kind %s', count(*), n.kind)"
	" FROM named n LEFT JOIN order_ext_internal.consumer_groups g ON g.group_id = n.group_id"
	" WHERE g.group_id IS NULL GROUP BY n.group_id, n.kind";

/* A copy of a message has been taken from the log when the cursor passed it. */
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

/* Nobody would ever look at it again; consumers outside look at each receive(). */
const char	verify_parked[] =
	"SELECT 'error', format('key %s of %s', p.key, " GROUP_NAME("p.group_id") "),"
	" 'a retry or a dead letter that it waits for', format('%s parked message(s)', count(*))"
	" FROM order_ext_internal.parked_messages p"
	" JOIN order_ext_internal.consumer_groups g ON g.group_id = p.group_id AND g.handler IS NOT NULL"
	" WHERE NOT EXISTS (SELECT FROM order_ext_internal.retries r"
	"   WHERE r.group_id = p.group_id AND r.key = p.key)"
	"  AND NOT EXISTS (SELECT FROM order_ext_internal.dead_messages d"
	"   WHERE d.group_id = p.group_id AND d.key = p.key)"
	" GROUP BY p.group_id, p.key";

/* ---- I9: segments ---- */

const char	verify_segments[] =
	"WITH step AS ("
	" SELECT ring, seq, segment, lag(segment) OVER (PARTITION BY ring ORDER BY seq) AS before"
	" FROM order_ext_internal.ring_moves WHERE ring IN ('log', 'dedup'))"
	"SELECT 'error', format('move %s of ring %s', seq, ring),"
	" format('segment %s', (before + 1) % 4), format('segment %s', segment)"
	" FROM step WHERE segment <> (before + 1) % 4 OR segment NOT BETWEEN 0 AND 3";

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
	"SELECT 'error', format('topic %s dedup_key %s', coalesce(t.name, d.topic_id::text), d.dedup_key),"
	" 'one message within the window', format('%s messages', count(*))"
	" FROM order_ext_internal.dedup d"
	" JOIN order_ext_internal.topics t ON t.topic_id = d.topic_id"
	" GROUP BY t.name, t.dedup_window, d.topic_id, d.dedup_key"
	" HAVING count(*) > 1 AND max(d.published_at) - min(d.published_at)"
	"  < t.dedup_window * interval '1 second'";

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
	"  AND w.published_at < clock_timestamp() - current_setting('order_ext.backlog_alert_age')::interval";

const char	verify_log_size[] =
	"SELECT 'warning', 'message log',"
	" format('less than %s', current_setting('order_ext.backlog_alert_size')),"
	" pg_size_pretty(s.bytes)"
	" FROM (SELECT sum(pg_relation_size(c.oid)) AS bytes FROM pg_class c"
	"  WHERE c.relnamespace = 'order_ext_internal'::regnamespace"
	"   AND c.relname ~ '^message_log_[0-9]$' AND c.relkind = 'r') s"
	" WHERE pg_size_bytes(current_setting('order_ext.backlog_alert_size')) > 0"
	"  AND s.bytes > pg_size_bytes(current_setting('order_ext.backlog_alert_size'))";
