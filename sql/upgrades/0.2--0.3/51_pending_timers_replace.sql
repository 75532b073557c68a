-- pending_timers: timers that have neither fired nor been found void, nor canceled. A row of a
-- bucket is behind if it is visible in the bucket's newest progress and due until its
-- fired_until, or listed in timer_ahead.
CREATE VIEW order_ext_internal.pending_timers AS
	SELECT t.message_id, t.key, t.due_at, t.published_at, t.topic_id, t.bound, t.payload
	FROM order_ext_internal.timer_ring t
	LEFT JOIN (
		SELECT DISTINCT ON (bucket) bucket, fired_until, seen
		FROM order_ext_internal.timer_progress
		ORDER BY bucket, seq DESC) p ON p.bucket = t.bucket
	WHERE (p.bucket IS NULL
			OR t.due_at > p.fired_until
			OR NOT pg_catalog.pg_visible_in_snapshot(t.xid, p.seen))
		AND NOT EXISTS (SELECT FROM order_ext_internal.timer_ahead a,
				pg_catalog.unnest(a.message_ids) AS ahead (message_id)
			WHERE a.bucket = t.bucket AND ahead.message_id = t.message_id)
		AND NOT EXISTS (SELECT FROM order_ext_internal.timer_cancels c
			WHERE c.message_id = t.message_id)
		AND EXISTS (SELECT FROM order_ext_internal.topics k WHERE k.topic_id = t.topic_id)
	UNION ALL
	SELECT f.message_id, f.key, f.due_at, f.published_at, f.topic_id, f.bound, f.payload
	FROM order_ext_internal.timers_far f
	WHERE NOT EXISTS (SELECT FROM order_ext_internal.timer_cancels c
		WHERE c.message_id = f.message_id);
