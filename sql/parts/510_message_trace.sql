-- The life of messages, by key.

-- is_behind(p, xid, message_id): whether a message lies behind a row of group_progress.
CREATE FUNCTION order_ext_internal.is_behind(p order_ext_internal.group_progress, xid xid8,
		message_id bigint)
	RETURNS boolean
	LANGUAGE sql STABLE
	RETURN pg_catalog.pg_visible_in_snapshot($2, ($1).done)
		OR (pg_catalog.pg_visible_in_snapshot($2, ($1).reading)
			AND ($2, $3) <= (($1).pos_xid, ($1).pos_id)) IS TRUE;
COMMENT ON FUNCTION order_ext_internal.is_behind(order_ext_internal.group_progress, xid8, bigint) IS
	'Whether a message lies behind a group''s progress.';

-- finished_at(group_id, xid, message_id, shard): when the group got past a message of the log;
-- NULL if it has not, or too long ago for the progress that is kept.
CREATE FUNCTION order_ext_internal.finished_at(group_id integer, xid xid8, message_id bigint,
		shard smallint)
	RETURNS timestamptz
	LANGUAGE sql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT coalesce(
		(SELECT r.at FROM order_ext_internal.inline_ranges r
		 WHERE r.group_id = $1 AND r.xid = $2 AND $3 BETWEEN r.first_id AND r.last_id),
		(SELECT CASE WHEN p.seq = 1 OR EXISTS (
				SELECT FROM order_ext_internal.group_progress q
				WHERE q.group_id = $1 AND q.part = p.part AND q.seq < p.seq) THEN p.at END
		 FROM order_ext_internal.group_progress p
		 WHERE p.group_id = $1 AND p.part = $4 % p.parts AND order_ext_internal.is_behind(p, $2, $3)
		 ORDER BY p.at, p.seq LIMIT 1))
$$;
COMMENT ON FUNCTION order_ext_internal.finished_at(integer, xid8, bigint, smallint) IS
	'When a group got past a message.';

CREATE FUNCTION order_ext.message_trace(key bigint)
	RETURNS TABLE (message_id bigint, topic text, consumer_group text, state text,
		attempt integer, published_at timestamptz, finished_at timestamptz, error text)
	LANGUAGE plpgsql STABLE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	SET jit = off
	-- the planner does not know how few pages a bloom filter of the log leaves
	SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
	-- the owner here is not who called: that is the role of SET ROLE, else the session's
	caller name := coalesce(nullif(current_setting('role'), 'none'), session_user);
	sees_errors boolean := has_column_privilege(caller, 'order_ext.attempt_log', 'error', 'SELECT');
BEGIN
	IF message_trace.key IS NULL THEN
		RAISE EXCEPTION 'argument "key" must not be null'
			USING ERRCODE = '22004', DETAIL = order_ext_internal.error_facts('The value is null.',
				jsonb_build_object('argument', 'key')),
			HINT = 'Pass a value, or omit the argument if it has a default.';
	END IF;
	RETURN QUERY
	WITH timers AS (
		SELECT t.message_id, t.topic_id, t.published_at, t.bound, t.due_at,
			(p.bucket IS NOT NULL AND t.due_at <= p.fired_until
				AND pg_visible_in_snapshot(t.xid, p.seen))
			OR EXISTS (SELECT FROM order_ext_internal.timer_ahead a
				WHERE a.bucket = t.bucket AND t.message_id = ANY (a.message_ids))
			OR EXISTS (SELECT FROM order_ext_internal.timer_cancels c
				WHERE c.message_id = t.message_id) AS handled
		FROM order_ext_internal.timer_ring t
		LEFT JOIN LATERAL (
			SELECT * FROM order_ext_internal.timer_progress p
			WHERE p.bucket = t.bucket ORDER BY p.seq DESC LIMIT 1) p ON true
		WHERE t.key = message_trace.key
			AND NOT EXISTS (SELECT FROM order_ext_internal.timers_moved m
				WHERE m.message_id = t.message_id)
		UNION ALL
		SELECT t.message_id, t.topic_id, t.published_at, t.bound, t.due_at,
			EXISTS (SELECT FROM order_ext_internal.timer_cancels c
				WHERE c.message_id = t.message_id)
		FROM order_ext_internal.timers_far t
		WHERE t.key = message_trace.key
			AND NOT EXISTS (SELECT FROM order_ext_internal.timers_moved m
				WHERE m.message_id = t.message_id)
		UNION ALL
		SELECT t.message_id, t.topic_id, t.published_at, NULL::smallint, t.due_at, false
		FROM order_ext_internal.timers_moved t
		WHERE t.key = message_trace.key
	), log AS MATERIALIZED (
		SELECT m.message_id, m.topic_id, m.xid, m.published_at, m.shard
		FROM order_ext_internal.message_log m
		WHERE m.key = message_trace.key
	), pending AS MATERIALIZED (
		SELECT p.* FROM order_ext_internal.pending_messages p
		WHERE p.key = message_trace.key
	), known AS (
		-- beyond the log's retention, what is still pending is known from its copy
		SELECT l.message_id, l.topic_id, l.published_at, l.xid, l.shard FROM log l
		UNION ALL
		SELECT DISTINCT p.message_id, p.topic_id, p.published_at, NULL::xid8, NULL::smallint
		FROM pending p
		WHERE p.message_id NOT IN (SELECT l.message_id FROM log l)
	), reader AS (
		-- each message with the groups that it is for
		SELECT k.*, g.group_id, g.name
		FROM known k
		JOIN order_ext_internal.consumer_groups g ON g.topic_id = k.topic_id
		WHERE NOT coalesce(pg_visible_in_snapshot(k.xid, g.start_at), false)
			OR EXISTS (SELECT FROM order_ext_internal.attempts a
				WHERE a.message_id = k.message_id AND a.group_id = g.group_id)
			OR EXISTS (SELECT FROM pending p
				WHERE p.message_id = k.message_id AND p.group_id = g.group_id)
	), life AS (
		SELECT r.message_id, r.topic_id, r.name, a.state, a.attempt, r.published_at,
			a.finished_at, CASE WHEN sees_errors THEN a.error ELSE a.sqlstate END AS error,
			a.started_at
		FROM reader r
		JOIN order_ext_internal.attempts a USING (message_id, group_id)
		UNION ALL
		SELECT r.message_id, r.topic_id, r.name,
			coalesce(p.state, 'done'),
			greatest(p.attempts, 1), r.published_at,
			CASE WHEN p.message_id IS NULL
				THEN order_ext_internal.finished_at(r.group_id, r.xid, r.message_id, r.shard) END,
			NULL, NULL
		FROM reader r
		LEFT JOIN pending p USING (message_id, group_id)
		WHERE NOT EXISTS (SELECT FROM order_ext_internal.attempts a
			WHERE a.message_id = r.message_id AND a.group_id = r.group_id)
		UNION ALL
		SELECT r.message_id, r.topic_id, r.name, p.state, p.attempts, r.published_at, NULL, NULL,
			p.since
		FROM reader r
		JOIN pending p USING (message_id, group_id)
		WHERE p.state = 'leased' AND EXISTS (SELECT FROM order_ext_internal.attempts a
			WHERE a.message_id = r.message_id AND a.group_id = r.group_id)
		UNION ALL
		SELECT k.message_id, k.topic_id, NULL, 'done', NULL, k.published_at, k.published_at,
			NULL, NULL
		FROM known k
		WHERE k.message_id NOT IN (SELECT r.message_id FROM reader r)
		UNION ALL
		SELECT t.message_id, t.topic_id, NULL,
			-- an unpaid order's deadline may have been made later
			CASE WHEN t.handled OR (t.bound IS NOT NULL AND NOT EXISTS (
					SELECT FROM order_ext_internal.orders o
					WHERE o.order_id = message_trace.key AND o.status = t.bound
						AND (o.status <> 10 OR o.expire_at <= t.due_at)))	-- 10: created
				THEN 'void' ELSE 'timer' END,
			NULL, t.published_at, NULL, NULL, NULL
		FROM timers t
		WHERE t.message_id NOT IN (SELECT k.message_id FROM known k)
	)
	SELECT l.message_id, t.name, l.name, l.state, l.attempt, l.published_at, l.finished_at, l.error
	FROM life l
	LEFT JOIN order_ext_internal.topics t USING (topic_id)
	ORDER BY l.message_id, l.name, l.started_at, l.attempt;
END
$$;
