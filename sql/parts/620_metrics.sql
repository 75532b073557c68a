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

-- metric_label(value): the value of a label. Its body is bound when it is created, and inlined.
CREATE FUNCTION order_ext_internal.metric_label(value text) RETURNS text
	LANGUAGE sql IMMUTABLE
	RETURN '"' || replace(replace(replace(value, E'\\', E'\\\\'), '"', E'\\"'), E'\n', E'\\n')
		|| '"';
COMMENT ON FUNCTION order_ext_internal.metric_label(text) IS
	'The value of a label in the Prometheus text format.';

-- metrics(): numbers that grow with what is waiting are counted up to 1000 and estimated beyond
-- that, see group_load(). plpgsql keeps the plan, which takes longer to make than to run.
CREATE FUNCTION order_ext.metrics()
	RETURNS text
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	SET jit = off
AS $$
BEGIN
	RETURN (
	WITH consumer AS MATERIALIZED (
		SELECT g.group_id, g.paused, l.*,
			format('{consumer_group=%s,topic=%s}', order_ext_internal.metric_label(g.name),
				order_ext_internal.metric_label(t.name)) AS labels,
			EXISTS (SELECT FROM order_ext_internal.backlog_alerts a
				WHERE a.group_id = g.group_id) AS holds_back
		FROM order_ext_internal.consumer_groups g
		JOIN order_ext_internal.topics t USING (topic_id)
		CROSS JOIN LATERAL order_ext_internal.group_load(g.group_id, 1000) l
	), firing AS MATERIALIZED (
		SELECT fired, lateness FROM order_ext_internal.timer_firings ORDER BY seq DESC LIMIT 1
	), bucket AS (
		-- element n (from 1) counts lateness below 2^(n/2) microseconds; every 4th will do
		SELECT h.position, sum(h.timers) OVER (ORDER BY h.position) AS until_here
		FROM firing, unnest(firing.lateness) WITH ORDINALITY AS h (timers, position)
	), worker AS MATERIALIZED (
		SELECT format('{kind="%s",role=%s,pid="%s"}', w.kind,
				order_ext_internal.metric_label(coalesce(w.role, '')), w.pid) AS labels,
			w.kind, w.pid, w.batches, w.messages
		FROM order_ext.worker_stats w
		WHERE w.database = current_database()
	), small AS MATERIALIZED (
		SELECT '{table="' || t.name || '"}' AS labels,
			order_ext_internal.table_bytes(('order_ext_internal.' || t.name)::regclass)
				AS bytes
		FROM unnest('{retries,dead_messages,parked_messages,leases,lease_receipts,group_progress,
			inline_ranges,timers_far,timers_moved,timer_progress,timer_cancels}'::text[])
			AS t (name)
	), segment AS MATERIALIZED (
		SELECT '{segment="' || n || '"}' AS labels,
			pg_table_size(('order_ext_internal.message_log_' || n)::regclass) AS bytes
		FROM generate_series(0, 3) AS n
	), metric (rank, name, kind, help) AS (VALUES
		(1, 'order_ext_info', 'gauge', 'Version of the extension.'),
		(2, 'order_ext_message_ids_total', 'counter',
			'Message ids given out, to within what sessions keep in reserve.'),
		(3, 'order_ext_consumed_total', 'counter',
			'Messages that a group has finished or moved to its retries.'),
		(4, 'order_ext_waiting', 'gauge',
			'Messages in the log that wait for a group, estimated beyond 1000.'),
		(5, 'order_ext_oldest_waiting_seconds', 'gauge', 'Age of the oldest of them.'),
		(6, 'order_ext_retrying', 'gauge',
			'Messages that failed and will be run again, estimated beyond 1000.'),
		(7, 'order_ext_leased', 'gauge',
			'Messages that external consumers hold, estimated beyond 1000.'),
		(8, 'order_ext_dead', 'gauge', 'Dead letters, estimated beyond 1000.'),
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
			'Messages of ordered groups that wait for an earlier one of their key, estimated '
			'beyond 1000.'),
		(16, 'order_ext_retry_overdue_seconds', 'gauge',
			'How long the first retry that is due has been so.'),
		(17, 'order_ext_holds_back_log', 'gauge',
			'1 if the log is kept for the group and operators were alerted.'),
		(18, 'order_ext_workers', 'gauge', 'Background workers of this database that are running.'),
		(19, 'order_ext_log_truncations_total', 'counter',
			'How often a segment of the log was truncated.'),
		(20, 'order_ext_table_bytes', 'gauge',
			'Size of tables whose rows come and go, indexes included.'),
		(21, 'order_ext_refunds_open', 'gauge',
			'Refunds that are requested or submitted, estimated beyond 1000.')
	), sample (rank, place, labels, value) AS (
		SELECT 1, 0::bigint, '{version="' || e.extversion || '"}', 1::text
		FROM pg_extension e WHERE e.extname = 'order_ext'
		UNION ALL
		SELECT 2, 0, '', last_value::text
		FROM order_ext_internal.message_id_seq
		UNION ALL
		SELECT v.rank, c.group_id, c.labels, v.value::text
		FROM consumer c
		CROSS JOIN LATERAL (VALUES (3, c.consumed::numeric), (4, c.waiting),
			(5, coalesce(extract(epoch FROM clock_timestamp() - c.oldest), 0)), (6, c.retrying),
			(7, c.leased), (8, c.dead), (9, c.paused::integer), (15, c.parked),
			(16, greatest(0, extract(epoch FROM clock_timestamp() - c.retry_at))),
			(17, c.holds_back::integer)) AS v (rank, value)
		UNION ALL
		SELECT 10, position, format('_bucket{le="%s"}',
			(power(2, position / 2.0) / 1000000)::numeric(20, 6)), until_here::text
		FROM bucket WHERE position % 4 = 0 AND position <= 80
		UNION ALL
		SELECT 10, v.place, v.labels, fired::text
		FROM firing, (VALUES (1000, '_bucket{le="+Inf"}'), (1001, '_count')) AS v (place, labels)
		UNION ALL
		SELECT 11, row_number() OVER (ORDER BY labels), labels, bytes::text
		FROM segment
		UNION ALL
		SELECT 12, 0, '', coalesce(max(seq), 0)::text
		FROM order_ext_internal.ring_moves WHERE ring = 'log'
		UNION ALL
		SELECT 13, row_number() OVER (ORDER BY labels), labels, batches::text
		FROM worker
		UNION ALL
		SELECT 14, row_number() OVER (ORDER BY labels), labels, messages::text
		FROM worker
		UNION ALL
		SELECT 18, row_number() OVER (ORDER BY k.kind), format('{kind="%s"}', k.kind),
			(SELECT count(w.pid) FROM worker w WHERE w.kind = k.kind)::text
		FROM (VALUES ('dispatcher'), ('scheduler')) AS k (kind)
		UNION ALL
		SELECT 19, 0, '', coalesce(max(seq), 0)::text
		FROM order_ext_internal.ring_moves WHERE ring = 'log_gone'
		UNION ALL
		SELECT 20, row_number() OVER (ORDER BY labels), labels, bytes::text
		FROM small
		UNION ALL
		SELECT 21, 0, '', order_ext_internal.index_count('order_ext_internal.refunds_open',
			1000)::text
	)
	SELECT string_agg(CASE WHEN s.first
			THEN format(E'# HELP %1$s %2$s\n# TYPE %1$s %3$s\n', m.name, m.help, m.kind)
			ELSE '' END || m.name || s.labels || ' ' || s.value || chr(10), ''
		ORDER BY s.rank, s.place)
	FROM (SELECT rank, place, labels, value,
			row_number() OVER (PARTITION BY rank ORDER BY place) = 1 AS first
		  FROM sample) s
	JOIN metric m USING (rank));
END
$$;
