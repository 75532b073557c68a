-- What is still on its way to a consumer group; one definition for all who ask.

-- pending_messages: one row per (group, message) that the group has not finished.
--   state       waiting = in the log and not yet behind the group's cursor,
--               retry = failed before and due again at since, dead = gave up at since,
--               leased = an external consumer has it since
--   attempts    how often a handler was given it so far
-- The cursor is the newest row of group_progress: everything visible in done is behind
-- the group and, within an open window (done, reading], everything up to its position;
-- a group without progress starts at start_at. Messages of inline_ranges are behind
-- it too. The bound on xid repeats what visibility in done implies, so that only the
-- tail of the log is read, through its key.
CREATE VIEW order_ext_internal.pending_messages AS
	SELECT g.group_id, m.topic_id, m.key, m.message_id, 'waiting'::text AS state,
		m.published_at, m.published_at AS since, 0 AS attempts
	FROM order_ext_internal.consumer_groups g
	LEFT JOIN LATERAL (
		SELECT p.done, p.reading, p.pos_xid, p.pos_id
		FROM order_ext_internal.group_progress p
		WHERE p.group_id = g.group_id AND p.part = 0
		ORDER BY p.seq DESC
		LIMIT 1) p ON true
	CROSS JOIN LATERAL (SELECT coalesce(p.done, g.start_at) AS done) c
	JOIN order_ext_internal.message_log m
		ON m.topic_id = g.topic_id
		AND m.xid >= pg_catalog.pg_snapshot_xmin(c.done)
		AND NOT pg_catalog.pg_visible_in_snapshot(m.xid, c.done)
	WHERE (p.reading IS NULL
			OR p.pos_xid IS NULL
			OR NOT pg_catalog.pg_visible_in_snapshot(m.xid, p.reading)
			OR (m.xid, m.message_id) > (p.pos_xid, p.pos_id))
		AND NOT EXISTS (
			SELECT FROM order_ext_internal.inline_ranges r
			WHERE r.group_id = g.group_id AND r.xid = m.xid
				AND m.message_id BETWEEN r.first_id AND r.last_id)
	UNION ALL
	SELECT group_id, topic_id, key, message_id, 'retry', published_at, due_at, attempts
	FROM order_ext_internal.retries
	UNION ALL
	SELECT group_id, topic_id, key, message_id, 'dead', published_at, died_at, attempts
	FROM order_ext_internal.dead_messages
	UNION ALL
	SELECT group_id, topic_id, key, message_id, 'leased', published_at, leased_at, attempt
	FROM order_ext_internal.leases;
COMMENT ON VIEW order_ext_internal.pending_messages IS 'Messages that a group has not finished: waiting, leased, retry or dead.';
