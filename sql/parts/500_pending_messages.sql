-- What is still on its way to a consumer group; one definition for all uses.

-- group_cursors: the position of each part of each group: one row per (group, part). Everything
-- visible in done is behind the part and, within an open window (done, reading], everything up to
-- its position; a part without progress starts at the group's start_at. It is about the messages
-- of the group's topic with shard % parts = part. OFFSET is for the planner: few rows, found
-- before the log is joined to them.
CREATE VIEW order_ext_internal.group_cursors AS
	SELECT g.group_id, g.topic_id, s.part::smallint AS part, g.parts,
		coalesce(p.done, g.start_at) AS done, p.reading, p.pos_xid, p.pos_id,
		coalesce(p.at, g.created_at) AS at, p.seq
	FROM order_ext_internal.consumer_groups g
	CROSS JOIN LATERAL (
		-- no generate_series(): the planner assumes 1000 rows for it, and JIT compiles for those
		SELECT i - 1 FROM pg_catalog.unnest(pg_catalog.array_fill(0, ARRAY[g.parts]))
			WITH ORDINALITY AS n (nothing, i)) AS s (part)
	LEFT JOIN LATERAL (
		SELECT p.seq, p.at, p.done, p.reading, p.pos_xid, p.pos_id
		FROM order_ext_internal.group_progress p
		WHERE p.group_id = g.group_id AND p.part = s.part::smallint
		ORDER BY p.seq DESC
		LIMIT 1) p ON true
	OFFSET 0;
COMMENT ON VIEW order_ext_internal.group_cursors IS
	'Where each part of each group stands in the log.';

-- pending_messages: one row per (group, message) that the group has not finished.
--   state       waiting = in the log and not yet behind the group's cursor,
--               retry = failed before and due again at since, dead = gave up at since,
--               leased = an external consumer has it since,
--               parked = waits since then for an earlier message of its key
--   attempts    how often a handler was given it so far
-- Messages of inline_ranges are behind the group, too. The bound on xid repeats what
-- visibility in done implies, so that only the tail of the log is read, through its key.
CREATE VIEW order_ext_internal.pending_messages AS
	SELECT c.group_id, m.topic_id, m.key, m.message_id, 'waiting'::text AS state,
		m.published_at, m.published_at AS since, 0 AS attempts
	FROM order_ext_internal.group_cursors c
	JOIN order_ext_internal.message_log m
		ON m.topic_id = c.topic_id
		AND m.xid >= pg_catalog.pg_snapshot_xmin(c.done)
		AND NOT pg_catalog.pg_visible_in_snapshot(m.xid, c.done)
		AND m.shard % c.parts = c.part
	WHERE (c.reading IS NULL
			OR c.pos_xid IS NULL
			OR NOT pg_catalog.pg_visible_in_snapshot(m.xid, c.reading)
			OR (m.xid, m.message_id) > (c.pos_xid, c.pos_id))
		AND NOT EXISTS (
			SELECT FROM order_ext_internal.inline_ranges r
			WHERE r.group_id = c.group_id AND r.xid = m.xid
				AND m.message_id BETWEEN r.first_id AND r.last_id)
	UNION ALL
	SELECT group_id, topic_id, key, message_id, 'retry', published_at, due_at, attempts
	FROM order_ext_internal.retries
	UNION ALL
	SELECT group_id, topic_id, key, message_id, 'dead', published_at, died_at, attempts
	FROM order_ext_internal.dead_messages
	UNION ALL
	SELECT group_id, topic_id, key, message_id, 'leased', published_at, leased_at, attempt
	FROM order_ext_internal.leases
	UNION ALL
	SELECT group_id, topic_id, key, message_id, 'parked', published_at, parked_at, 0
	FROM order_ext_internal.parked_messages;
COMMENT ON VIEW order_ext_internal.pending_messages IS
	'Messages that a group has not finished: waiting, leased, retry, parked or dead.';
