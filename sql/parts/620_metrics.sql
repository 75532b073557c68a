-- What a monitoring system reads.

-- group_backlog(group_id, most): how many messages wait for a group, counted up to `most`, and
-- when the oldest was published (NULL if none waits); the caller's uncommitted ones count, too.
-- src/message/upkeep/backlog.c
CREATE FUNCTION order_ext_internal.group_backlog(group_id integer, most integer, OUT waiting bigint,
		OUT oldest timestamptz)
	RETURNS record
	LANGUAGE C VOLATILE STRICT AS 'MODULE_PATHNAME', 'order_ext_group_backlog';
COMMENT ON FUNCTION order_ext_internal.group_backlog(integer, integer) IS
	'How many messages wait for a group, up to a number, and since when.';

-- metric_line(name, alternating names and values of labels, value): one sample.
CREATE FUNCTION order_ext_internal.metric_line(name text, labels text[], value anyelement)
	RETURNS text
	LANGUAGE sql IMMUTABLE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT name || coalesce('{' || string_agg(format('%s="%s"', labels[i],
			replace(replace(replace(labels[i + 1], E'\\', E'\\\\'), '"', E'\\"'), chr(10), E'\\n')),
			',' ORDER BY i)
		|| '}', '') || ' ' || coalesce(value::text, 'NaN') || chr(10)
	FROM generate_series(1, coalesce(array_length(labels, 1), 0), 2) AS i
$$;
COMMENT ON FUNCTION order_ext_internal.metric_line(text, text[], anyelement) IS
	'A sample in the Prometheus text format.';

CREATE FUNCTION order_ext.metrics()
	RETURNS text
	LANGUAGE sql VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	SET jit = off
AS $$
	WITH consumer AS MATERIALIZED (
		SELECT g.group_id, ARRAY['consumer_group', g.name, 'topic', t.name] AS labels, g.paused,
			b.waiting, coalesce(extract(epoch FROM clock_timestamp() - b.oldest), 0) AS age,
			coalesce((SELECT sum(p.consumed) FROM (
				SELECT DISTINCT ON (part) consumed FROM order_ext_internal.group_progress
				WHERE group_id = g.group_id ORDER BY part, seq DESC) p), 0) AS consumed,
			(SELECT count(*) FROM order_ext_internal.retries r
				WHERE r.group_id = g.group_id) AS retrying,
			(SELECT count(*) FROM order_ext_internal.leases l
				WHERE l.group_id = g.group_id) AS leased,
			(SELECT count(*) FROM order_ext_internal.dead_messages d
				WHERE d.group_id = g.group_id) AS dead,
			(SELECT count(*) FROM order_ext_internal.parked_messages p
				WHERE p.group_id = g.group_id) AS parked,
			greatest(0, (SELECT extract(epoch FROM clock_timestamp() - min(r.due_at))
				FROM order_ext_internal.retries r WHERE r.group_id = g.group_id)) AS overdue,
			(SELECT count(*) FROM order_ext_internal.backlog_alerts a
				WHERE a.group_id = g.group_id) AS holds_back
		FROM order_ext_internal.consumer_groups g
		JOIN order_ext_internal.topics t USING (topic_id)
		CROSS JOIN LATERAL order_ext_internal.group_backlog(g.group_id, 100000) b
	), firing AS MATERIALIZED (
		SELECT fired, lateness FROM order_ext_internal.timer_firings ORDER BY seq DESC LIMIT 1
	), bucket AS (
		-- element n (from 1) counts lateness below 2^(n/2) microseconds; every 4th will do
		SELECT h.position, sum(h.timers) OVER (ORDER BY h.position) AS until_here
		FROM firing, unnest(firing.lateness) WITH ORDINALITY AS h (timers, position)
	), worker AS MATERIALIZED (
		SELECT ARRAY['kind', w.kind, 'role', coalesce(w.role, ''),
				'pid', coalesce(w.pid::text, '')] AS labels,
			w.batches, w.messages
		FROM order_ext.worker_stats w
		WHERE w.database = current_database()
	), small AS MATERIALIZED (
		SELECT ARRAY['table', c.relname::text] AS labels, pg_total_relation_size(c.oid) AS bytes
		FROM pg_class c
		WHERE c.relnamespace = 'order_ext_internal'::regnamespace AND c.relkind = 'r'
			AND c.relname IN ('retries', 'dead_messages', 'parked_messages', 'leases',
				'lease_receipts', 'group_progress', 'inline_ranges', 'timers_far', 'timers_moved',
				'timer_progress', 'timer_cancels')
	), segment AS MATERIALIZED (
		SELECT ARRAY['segment', right(c.relname, 1)] AS labels, pg_table_size(c.oid) AS bytes
		FROM pg_class c
		WHERE c.relnamespace = 'order_ext_internal'::regnamespace
			AND c.relname ~ '^message_log_[0-9]$' AND c.relkind = 'r'
	), metric (rank, name, kind, help) AS (VALUES
		(1, 'order_ext_info', 'gauge', 'Version of the extension.'),
		(2, 'order_ext_message_ids_total', 'counter',
			'Message ids given out, to within what sessions keep in reserve.'),
		(3, 'order_ext_consumed_total', 'counter',
			'Messages that a group has finished or moved to its retries.'),
		(4, 'order_ext_waiting', 'gauge',
			'Messages in the log that wait for a group, counted up to 100000.'),
		(5, 'order_ext_oldest_waiting_seconds', 'gauge', 'Age of the oldest of them.'),
		(6, 'order_ext_retrying', 'gauge', 'Messages that failed and will be run again.'),
		(7, 'order_ext_leased', 'gauge', 'Messages that external consumers hold.'),
		(8, 'order_ext_dead', 'gauge', 'Dead letters.'),
		(9, 'order_ext_paused', 'gauge', '1 if the group is paused.'),
		(10, 'order_ext_timer_lateness_seconds', 'histogram', 'How late timers fired.'),
		(11, 'order_ext_log_bytes', 'gauge', 'Size of the segments of the message log.'),
		(12, 'order_ext_log_moves_total', 'counter',
			'How often the log went on to its next segment.'),
		(13, 'order_ext_worker_batches_total', 'counter',
			'Batches of a background worker since it started.'),
		(14, 'order_ext_worker_messages_total', 'counter',
			'Messages, or timers, of a background worker since it started.'),
		(15, 'order_ext_parked', 'gauge',
			'Messages of ordered groups that wait for an earlier one of their key.'),
		(16, 'order_ext_retry_overdue_seconds', 'gauge',
			'How long the first retry that is due has been so.'),
		(17, 'order_ext_holds_back_log', 'gauge',
			'1 if the log is kept for the group and operators were alerted.'),
		(18, 'order_ext_workers', 'gauge', 'Background workers of this database that are running.'),
		(19, 'order_ext_log_truncations_total', 'counter',
			'How often a segment of the log was truncated.'),
		(20, 'order_ext_table_bytes', 'gauge',
			'Size of tables whose rows come and go, indexes included.'),
		(21, 'order_ext_refunds_open', 'gauge', 'Refunds that are requested or submitted.')
	), sample (rank, place, line) AS (
		SELECT 1, 0::bigint, order_ext_internal.metric_line('order_ext_info',
			ARRAY['version', order_ext.version()], 1)
		UNION ALL
		SELECT 2, 0, order_ext_internal.metric_line('order_ext_message_ids_total', NULL, last_value)
		FROM order_ext_internal.message_id_seq
		UNION ALL
		SELECT v.rank, c.group_id, order_ext_internal.metric_line(m.name, c.labels, v.value)
		FROM consumer c
		CROSS JOIN LATERAL (VALUES (3, c.consumed), (4, c.waiting), (5, c.age), (6, c.retrying),
			(7, c.leased), (8, c.dead), (9, c.paused::integer), (15, c.parked), (16, c.overdue),
			(17, c.holds_back)) AS v (rank, value)
		JOIN metric m ON m.rank = v.rank
		UNION ALL
		SELECT 10, position,
			order_ext_internal.metric_line('order_ext_timer_lateness_seconds_bucket',
			ARRAY['le', (power(2, position / 2.0) / 1000000)::numeric(20, 6)::text], until_here)
		FROM bucket WHERE position % 4 = 0 AND position <= 80
		UNION ALL
		SELECT 10, 1000, order_ext_internal.metric_line('order_ext_timer_lateness_seconds_bucket',
			ARRAY['le', '+Inf'], fired)
			|| order_ext_internal.metric_line('order_ext_timer_lateness_seconds_count', NULL, fired)
		FROM firing
		UNION ALL
		SELECT 11, row_number() OVER (ORDER BY labels),
			order_ext_internal.metric_line('order_ext_log_bytes', labels, bytes)
		FROM segment
		UNION ALL
		SELECT 12, 0, order_ext_internal.metric_line('order_ext_log_moves_total', NULL,
			coalesce(max(seq), 0))
		FROM order_ext_internal.ring_moves WHERE ring = 'log'
		UNION ALL
		SELECT 13, row_number() OVER (ORDER BY labels),
			order_ext_internal.metric_line('order_ext_worker_batches_total', labels, batches)
		FROM worker
		UNION ALL
		SELECT 14, row_number() OVER (ORDER BY labels),
			order_ext_internal.metric_line('order_ext_worker_messages_total', labels, messages)
		FROM worker
		UNION ALL
		SELECT 18, row_number() OVER (ORDER BY k.kind),
			order_ext_internal.metric_line('order_ext_workers', ARRAY['kind', k.kind],
			(SELECT count(w.pid) FROM order_ext.worker_stats w
				WHERE w.database = current_database() AND w.kind = k.kind))
		FROM (VALUES ('dispatcher'), ('scheduler')) AS k (kind)
		UNION ALL
		SELECT 19, 0, order_ext_internal.metric_line('order_ext_log_truncations_total', NULL,
			coalesce(max(seq), 0))
		FROM order_ext_internal.ring_moves WHERE ring = 'log_gone'
		UNION ALL
		SELECT 20, row_number() OVER (ORDER BY labels),
			order_ext_internal.metric_line('order_ext_table_bytes', labels, bytes)
		FROM small
		UNION ALL
		SELECT 21, 0, order_ext_internal.metric_line('order_ext_refunds_open', NULL, count(*))
		FROM order_ext_internal.refunds
		WHERE status IN (order_ext.status_code('refund', 'requested'),
			order_ext.status_code('refund', 'submitted'))
	)
	SELECT string_agg(CASE WHEN s.first
			THEN format(E'# HELP %1$s %2$s\n# TYPE %1$s %3$s\n', m.name, m.help, m.kind)
			ELSE '' END || s.line, '' ORDER BY s.rank, s.place)
	FROM (SELECT rank, place, line,
			row_number() OVER (PARTITION BY rank ORDER BY place) = 1 AS first
		  FROM sample) s
	JOIN metric m USING (rank)
$$;
