\echo Use "ALTER EXTENSION order_ext UPDATE" to load this file. \quit

-- From 0.2 to 0.3. Files that are links are the parts of a fresh installation that 0.2 did
-- not have, or (*_replace.sql) parts whose functions and views changed; the others change
-- what it had.
-- Who owns the handlers, and the risk check; for those that are gone it is not known.
ALTER TABLE order_ext_internal.consumer_groups ADD COLUMN handler_owner text;
ALTER TABLE order_ext_internal.consumer_groups DISABLE TRIGGER guard_rows;
UPDATE order_ext_internal.consumer_groups g SET handler_owner = pg_catalog.pg_get_userbyid(p.proowner)
FROM pg_catalog.pg_proc p
WHERE p.oid OPERATOR(pg_catalog.=) pg_catalog.to_regprocedure(g.handler)::pg_catalog.oid;
ALTER TABLE order_ext_internal.consumer_groups ENABLE TRIGGER guard_rows;

ALTER TABLE order_ext_internal.instance ADD COLUMN risk_owner text;
ALTER TABLE order_ext_internal.instance DISABLE TRIGGER guard_rows;
UPDATE order_ext_internal.instance i SET risk_owner = pg_catalog.pg_get_userbyid(p.proowner)
FROM pg_catalog.pg_proc p
WHERE p.oid OPERATOR(pg_catalog.=) pg_catalog.to_regprocedure(i.risk_handler)::pg_catalog.oid;
ALTER TABLE order_ext_internal.instance ENABLE TRIGGER guard_rows;
-- timer_ahead: timers of a bucket that have fired (or were void) though its timer_progress is
-- not there yet; append-only. A bucket's rows go when it is; due_until: the latest of them.
CREATE TABLE order_ext_internal.timer_ahead (
	seq bigint NOT NULL,
	bucket smallint NOT NULL,
	due_until timestamptz NOT NULL,
	message_ids bigint[] NOT NULL,
	PRIMARY KEY (bucket, seq)
);
-- A gateway is a consumer group.
ALTER TABLE order_ext_internal.consumer_groups
	ADD COLUMN adapted boolean NOT NULL DEFAULT false;
-- Moves of rings name their transactions; those of before count as this one's.
ALTER TABLE order_ext_internal.ring_moves
	ADD COLUMN xid xid8 NOT NULL DEFAULT pg_catalog.pg_current_xact_id();
ALTER TABLE order_ext_internal.ring_moves ALTER COLUMN xid DROP DEFAULT;
-- The life of messages, by key.

-- is_behind(p, xid, message_id): whether a message lies behind a row of group_progress.
CREATE OR REPLACE FUNCTION order_ext_internal.is_behind(p order_ext_internal.group_progress, xid xid8, message_id bigint)
	RETURNS boolean
	LANGUAGE sql STABLE
AS $$
	SELECT pg_catalog.pg_visible_in_snapshot($2, ($1).done)
		OR (pg_catalog.pg_visible_in_snapshot($2, ($1).reading)
			AND ($2, $3) <= (($1).pos_xid, ($1).pos_id)) IS TRUE
$$;
COMMENT ON FUNCTION order_ext_internal.is_behind(order_ext_internal.group_progress, xid8, bigint) IS 'Whether a message lies behind a group''s progress.';

-- finished_at(group_id, xid, message_id, shard): when the group got past a message of the log;
-- NULL if it has not, or too long ago for the progress that is kept.
CREATE OR REPLACE FUNCTION order_ext_internal.finished_at(group_id integer, xid xid8, message_id bigint, shard smallint)
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
COMMENT ON FUNCTION order_ext_internal.finished_at(integer, xid8, bigint, smallint) IS 'When a group got past a message.';

-- message_trace(key): what became of the key's messages, oldest first: one row per
-- (message, group, attempt), one per message that has no group (done: nobody waits for it)
-- and one per timer that has not fired.
--   state  timer, void (its order has moved on, or it was canceled; such a timer is seen for
--          a minute or more after it was due), waiting,
--          leased (an external consumer has it), retry (failed, will be run again),
--          parked (waits for an earlier message of its key), done, dead, discarded
-- Raises 22004.
CREATE OR REPLACE FUNCTION order_ext.message_trace(key bigint)
	RETURNS TABLE (message_id bigint, topic text, consumer_group text, state text,
		attempt integer, published_at timestamptz, finished_at timestamptz, error text)
	LANGUAGE plpgsql STABLE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	SET jit = off
AS $$
#variable_conflict use_column
BEGIN
	IF message_trace.key IS NULL THEN
		RAISE EXCEPTION 'argument "key" must not be NULL' USING ERRCODE = '22004';
	END IF;
	RETURN QUERY
	WITH timers AS (
		SELECT t.message_id, t.topic_id, t.published_at, t.bound,
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
		UNION ALL
		SELECT t.message_id, t.topic_id, t.published_at, t.bound, false
		FROM order_ext_internal.timers_far t
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
		SELECT DISTINCT p.message_id, p.topic_id, p.published_at, NULL::xid8, NULL::smallint FROM pending p
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
			a.finished_at, a.error, a.started_at
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
		SELECT k.message_id, k.topic_id, NULL, 'done', NULL, k.published_at, k.published_at, NULL, NULL
		FROM known k
		WHERE k.message_id NOT IN (SELECT r.message_id FROM reader r)
		UNION ALL
		SELECT t.message_id, t.topic_id, NULL,
			CASE WHEN t.handled OR (t.bound IS NOT NULL AND NOT EXISTS (
					SELECT FROM order_ext_internal.orders o
					WHERE o.order_id = message_trace.key AND o.status = t.bound))
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
COMMENT ON FUNCTION order_ext.message_trace(bigint) IS 'The life of every message with this key.';
-- More for operators: options of topics, dead letters that nobody wants, messages once more.

-- alter_topic(topic, options: as of create_topic(); those that are not named stay, null is
-- the default again): from the next transactions on. A longer dedup_window knows the keys
-- that are still there. Raises 22004, 22023 unknown or unfit option, OE701, 42501 built in,
-- OE110. src/message/topics.c
CREATE FUNCTION order_ext.alter_topic(topic text, options jsonb)
	RETURNS void
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_alter_topic';
COMMENT ON FUNCTION order_ext.alter_topic(text, jsonb) IS 'Changes options of a topic.';

-- discard(consumer_group, max_messages: NULL = all, message_ids: only these, dry_run): these
-- dead letters, the oldest first, are done with: nobody delivers them any more. In an ordered
-- group what waits behind them goes on. How many; dry_run only counts.
-- Raises 22004, 22023, 54000, OE701, OE110, 40001. src/message/replay.c
CREATE FUNCTION order_ext.discard(consumer_group text, max_messages integer DEFAULT NULL, message_ids bigint[] DEFAULT NULL, dry_run boolean DEFAULT false)
	RETURNS integer
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_discard';
COMMENT ON FUNCTION order_ext.discard(text, integer, bigint[], boolean) IS 'Gives up dead letters.';

-- replay(consumer_group, published_since, published_until: before this, NULL = no end,
-- message_ids: only these, dry_run): what the group has finished, or has never had because
-- it began later, is delivered to it once more, in the old order, under the same message ids
-- and from attempt 1; as far as the log still has it (order_ext.log_retention). What was
-- discarded counts as finished; what the group has not finished is left alone. A timer counts
-- by when it was published. How many; each is a copy. dry_run only counts. Raises 22004, 22023, 54000, OE701, 42501 a built-in group,
-- OE110, 40001. src/message/replay.c
CREATE FUNCTION order_ext.replay(consumer_group text, published_since timestamptz, published_until timestamptz DEFAULT NULL, message_ids bigint[] DEFAULT NULL, dry_run boolean DEFAULT false)
	RETURNS integer
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_replay';
COMMENT ON FUNCTION order_ext.replay(text, timestamptz, timestamptz, bigint[], boolean) IS 'Delivers messages once more that a group has finished.';
-- What operators see of topics and groups.

CREATE OR REPLACE VIEW order_ext.topics_view AS
	SELECT t.name AS topic, t.builtin,
		(SELECT count(*) FROM order_ext_internal.consumer_groups g
		 WHERE g.topic_id = t.topic_id) AS consumer_groups,
		t.max_depth, CASE WHEN NOT t.builtin THEN t.dedup_window * interval '1 second' END AS dedup_window
	FROM order_ext_internal.topics t;
COMMENT ON VIEW order_ext.topics_view IS 'The topics, how many groups read each, and their options.';

CREATE OR REPLACE VIEW order_ext.subscriptions_view AS
	SELECT g.name AS consumer_group, t.name AS topic, g.handler, g.run_as, g.batch,
		g.max_attempts,
		CASE g.backoff WHEN 1 THEN 'exponential' ELSE 'rocketmq' END AS backoff,
		g.builtin, g.created_at, g.ordered, g.paused, g.subscriber
	FROM order_ext_internal.consumer_groups g
	JOIN order_ext_internal.topics t USING (topic_id);
COMMENT ON VIEW order_ext.subscriptions_view IS 'The consumer groups with their handlers and options.';

CREATE OR REPLACE VIEW order_ext.dead_letters AS
	SELECT d.message_id, g.name AS consumer_group, t.name AS topic, d.key, d.payload,
		d.attempts, d.last_error, d.last_sqlstate, d.died_at
	FROM order_ext_internal.dead_messages d
	JOIN order_ext_internal.consumer_groups g USING (group_id)
	LEFT JOIN order_ext_internal.topics t ON t.topic_id = d.topic_id;
COMMENT ON VIEW order_ext.dead_letters IS 'Messages that a group gave up on, with the error of the last attempt.';

-- lag counts what lies behind the cursor by reading it: exact, and as slow as the backlog
-- is long.
CREATE OR REPLACE VIEW order_ext.consumer_stats AS
	SELECT g.name AS consumer_group, t.name AS topic,
		coalesce(p.lag, 0) AS lag,
		coalesce(p.retrying, 0) AS retrying,
		coalesce(p.dead, 0) AS dead,
		greatest(pg_catalog.clock_timestamp() - p.oldest, '0'::interval) AS oldest_age,
		-- of parts that the group no longer has, too
		coalesce((SELECT sum(newest.consumed)::bigint
				  FROM pg_catalog.unnest(pg_catalog.array_fill(0, ARRAY[greatest(g.parts, 64)]))
					WITH ORDINALITY AS s (nothing, i),
					LATERAL (SELECT gp.consumed FROM order_ext_internal.group_progress gp
							 WHERE gp.group_id = g.group_id AND gp.part = (s.i - 1)::smallint
							 ORDER BY gp.seq DESC LIMIT 1) newest), 0) AS consumed,
		coalesce(p.parked, 0) AS parked
	FROM order_ext_internal.consumer_groups g
	JOIN order_ext_internal.topics t USING (topic_id)
	LEFT JOIN (
		SELECT group_id,
			count(*) FILTER (WHERE state IN ('waiting', 'leased')) AS lag,
			count(*) FILTER (WHERE state = 'retry') AS retrying,
			count(*) FILTER (WHERE state = 'dead') AS dead,
			count(*) FILTER (WHERE state = 'parked') AS parked,
			min(published_at) FILTER (WHERE state <> 'dead') AS oldest
		FROM order_ext_internal.pending_messages
		GROUP BY group_id) p USING (group_id);
COMMENT ON VIEW order_ext.consumer_stats IS 'How far each group is: waiting (leased ones too), retrying, dead and parked messages, age of the oldest.';
-- Background workers and timers: what they tell, and what they are told.

-- announce(): called in a transaction after whose commit the workers of this database are
-- started, or start anew: by this script, by enable_dispatch(), and by every update
-- script. Without shared_preload_libraries it does nothing. Source: src/worker/hooks.c
CREATE OR REPLACE FUNCTION order_ext_internal.announce() RETURNS void
	LANGUAGE C VOLATILE STRICT AS 'MODULE_PATHNAME', 'order_ext_announce';
COMMENT ON FUNCTION order_ext_internal.announce() IS 'Tells the launcher at commit to look at this database again.';

-- worker_list(): one row for each background process of order_ext in the server, and one
-- without pid for each database that wants workers and lacks them. No rows without preload.
-- Source: src/worker/stats.c
CREATE OR REPLACE FUNCTION order_ext_internal.worker_list(
		OUT pid integer, OUT database oid, OUT role oid, OUT kind text, OUT state text,
		OUT batches bigint, OUT messages bigint, OUT last_active timestamptz)
	RETURNS SETOF record
	LANGUAGE C VOLATILE STRICT ROWS 10 AS 'MODULE_PATHNAME', 'order_ext_worker_list';
COMMENT ON FUNCTION order_ext_internal.worker_list() IS 'The background processes of order_ext; see order_ext.worker_stats.';

-- role_absence(role): why workers cannot be sessions of the role, NULL if they can. A role of
-- that name is asked for; it need not exist. Raises nothing.
CREATE OR REPLACE FUNCTION order_ext_internal.role_absence(role text) RETURNS text
	LANGUAGE sql STABLE STRICT
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT CASE WHEN r.oid IS NULL THEN 'role is gone'
		WHEN NOT r.rolcanlogin THEN 'role may not log in'
		WHEN NOT has_database_privilege(r.oid, current_database(), 'CONNECT') THEN 'role may not connect' END
	FROM (VALUES (role)) AS wanted (name)
	LEFT JOIN pg_roles r ON r.rolname = wanted.name
$$;
COMMENT ON FUNCTION order_ext_internal.role_absence(text) IS 'Why workers cannot run as a role.';

-- worker_stats: the background processes of all databases of the server.
--   kind   launcher (one per server), scheduler (timers), dispatcher (handlers)
--   state  starting, idle, busy, failing (waiting after an error); without pid the reason
--          why a database has none, or no dispatcher: disabled, not enabled (foreign stamp: see
--          enable_dispatch), other version, no worker slot, backing off, sent away; or why
--          there is none of a role that functions of this database run as: role is gone, role
--          may not log in, role may not connect
--   batches, messages  since the process started; a scheduler's messages are timers fired
CREATE OR REPLACE VIEW order_ext.worker_stats AS
	WITH process AS MATERIALIZED (
		SELECT w.pid, d.datname AS database, r.rolname AS role, w.kind, w.state,
			w.batches, w.messages, w.last_active
		FROM order_ext_internal.worker_list() w
		LEFT JOIN pg_catalog.pg_database d ON d.oid = w.database
		LEFT JOIN pg_catalog.pg_roles r ON r.oid = w.role
	)
	SELECT * FROM process
	UNION ALL
	SELECT NULL, pg_catalog.current_database(), run_as.name::name, 'dispatcher', absence.reason, 0, 0, NULL
	FROM (SELECT DISTINCT g.run_as FROM order_ext_internal.consumer_groups g
		  WHERE g.handler IS NOT NULL) AS run_as (name),
		order_ext_internal.role_absence(run_as.name) AS absence (reason)
	WHERE absence.reason IS NOT NULL AND EXISTS (SELECT FROM process p
		WHERE p.database = pg_catalog.current_database() AND p.kind = 'dispatcher' AND p.pid IS NOT NULL);
COMMENT ON VIEW order_ext.worker_stats IS 'Background processes of order_ext, and databases that wait for theirs.';

-- pending_timers: timers that have neither fired nor been found void, nor canceled. A row of a
-- bucket is behind if it is visible in the bucket's newest progress and due until its
-- fired_until, or listed in timer_ahead.
CREATE OR REPLACE VIEW order_ext_internal.pending_timers AS
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
COMMENT ON VIEW order_ext_internal.pending_timers IS 'Timers that have not fired.';

-- timer_stats: one row. pending counts timers that have become void, too, and reads all
-- pending timers; lateness is that of all fired ones, to within a factor of 1.42.
CREATE OR REPLACE VIEW order_ext.timer_stats AS
	WITH newest AS (
		SELECT fired, lateness FROM order_ext_internal.timer_firings ORDER BY seq DESC LIMIT 1
	), histogram AS (
		SELECT h.position, pg_catalog.sum(h.timers) OVER (ORDER BY h.position) AS until_here,
			pg_catalog.sum(h.timers) OVER () AS total
		FROM newest, pg_catalog.unnest(newest.lateness) WITH ORDINALITY AS h (timers, position)
	), late AS (
		-- element n (from 1) counts lateness below 2^(n/2) microseconds
		SELECT pg_catalog.min(position) FILTER (WHERE until_here >= total * 0.50) AS p50,
			pg_catalog.min(position) FILTER (WHERE until_here >= total * 0.99) AS p99
		FROM histogram
		WHERE total > 0
	)
	SELECT pending.timers AS pending, pending.next_due,
		coalesce((SELECT fired FROM newest), 0) AS fired,
		pg_catalog.power(2::double precision, late.p50 / 2.0::double precision)
			* interval '1 microsecond' AS late_p50,
		pg_catalog.power(2::double precision, late.p99 / 2.0::double precision)
			* interval '1 microsecond' AS late_p99
	FROM (SELECT pg_catalog.count(*) AS timers, pg_catalog.min(due_at) AS next_due
		  FROM order_ext_internal.pending_timers) pending, late;
COMMENT ON VIEW order_ext.timer_stats IS 'Timers: how many wait, when the next is due, how many fired and how late.';

DO $$
BEGIN
	PERFORM order_ext_internal.announce();
END
$$;
-- What a monitoring system reads.

-- group_backlog(group_id, most): how many messages wait for a group, counted up to `most`,
-- and when the oldest was published (NULL if none waits); own uncommitted ones count, too.
-- src/message/backlog.c
CREATE OR REPLACE FUNCTION order_ext_internal.group_backlog(group_id integer, most integer, OUT waiting bigint, OUT oldest timestamptz)
	RETURNS record
	LANGUAGE C VOLATILE STRICT AS 'MODULE_PATHNAME', 'order_ext_group_backlog';
COMMENT ON FUNCTION order_ext_internal.group_backlog(integer, integer) IS 'How many messages wait for a group, up to a number, and since when.';

-- metric_line(name, labels as name and value by turns, value): one sample.
CREATE OR REPLACE FUNCTION order_ext_internal.metric_line(name text, labels text[], value anyelement)
	RETURNS text
	LANGUAGE sql IMMUTABLE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT name || coalesce('{' || string_agg(format('%s="%s"', labels[i],
			replace(replace(replace(labels[i + 1], '\', '\\'), '"', '\"'), chr(10), '\n')), ',' ORDER BY i)
		|| '}', '') || ' ' || coalesce(value::text, 'NaN') || chr(10)
	FROM generate_series(1, coalesce(array_length(labels, 1), 0), 2) AS i
$$;
COMMENT ON FUNCTION order_ext_internal.metric_line(text, text[], anyelement) IS 'A sample in the Prometheus text format.';

-- metrics(): gauges and counters of the messages and workers of this database, in the
-- Prometheus text format. Cheap whatever the backlog: waiting messages are counted up to
-- 100000 a group. Reads only. Raises nothing of its own.
CREATE OR REPLACE FUNCTION order_ext.metrics()
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
			(SELECT count(*) FROM order_ext_internal.retries r WHERE r.group_id = g.group_id) AS retrying,
			(SELECT count(*) FROM order_ext_internal.leases l WHERE l.group_id = g.group_id) AS leased,
			(SELECT count(*) FROM order_ext_internal.dead_messages d WHERE d.group_id = g.group_id) AS dead,
			(SELECT count(*) FROM order_ext_internal.parked_messages p WHERE p.group_id = g.group_id) AS parked,
			greatest(0, (SELECT extract(epoch FROM clock_timestamp() - min(r.due_at))
				FROM order_ext_internal.retries r WHERE r.group_id = g.group_id)) AS overdue,
			(SELECT count(*) FROM order_ext_internal.backlog_alerts a WHERE a.group_id = g.group_id) AS holds_back
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
			AND c.relname IN ('retries', 'dead_messages', 'parked_messages', 'leases', 'lease_receipts',
				'group_progress', 'inline_ranges', 'timers_far', 'timer_progress', 'timer_cancels')
	), segment AS MATERIALIZED (
		SELECT ARRAY['segment', right(c.relname, 1)] AS labels, pg_table_size(c.oid) AS bytes
		FROM pg_class c
		WHERE c.relnamespace = 'order_ext_internal'::regnamespace
			AND c.relname ~ '^message_log_[0-9]$' AND c.relkind = 'r'
	), metric (rank, name, kind, help) AS (VALUES
		(1, 'order_ext_info', 'gauge', 'Version of the extension.'),
		(2, 'order_ext_message_ids_total', 'counter', 'Message ids given out, to within what sessions keep in reserve.'),
		(3, 'order_ext_consumed_total', 'counter', 'Messages that a group has finished or moved to its retries.'),
		(4, 'order_ext_waiting', 'gauge', 'Messages in the log that wait for a group, counted up to 100000.'),
		(5, 'order_ext_oldest_waiting_seconds', 'gauge', 'Age of the oldest of them.'),
		(6, 'order_ext_retrying', 'gauge', 'Messages that failed and will be run again.'),
		(7, 'order_ext_leased', 'gauge', 'Messages that external consumers hold.'),
		(8, 'order_ext_dead', 'gauge', 'Dead letters.'),
		(9, 'order_ext_paused', 'gauge', '1 if the group is paused.'),
		(10, 'order_ext_timer_lateness_seconds', 'histogram', 'How late timers fired.'),
		(11, 'order_ext_log_bytes', 'gauge', 'Size of the segments of the message log.'),
		(12, 'order_ext_log_moves_total', 'counter', 'How often the log went on to its next segment.'),
		(13, 'order_ext_worker_batches_total', 'counter', 'Batches of a background worker since it started.'),
		(14, 'order_ext_worker_messages_total', 'counter', 'Messages, or timers, of a background worker since it started.'),
		(15, 'order_ext_parked', 'gauge', 'Messages of ordered groups that wait for an earlier one of their key.'),
		(16, 'order_ext_retry_overdue_seconds', 'gauge', 'How long the first retry that is due has been so.'),
		(17, 'order_ext_holds_back_log', 'gauge', '1 if the log is kept for the group and operators were told.'),
		(18, 'order_ext_workers', 'gauge', 'Background workers of this database that are running.'),
		(19, 'order_ext_log_truncations_total', 'counter', 'How often a segment of the log was truncated.'),
		(20, 'order_ext_table_bytes', 'gauge', 'Size of tables whose rows come and go, indexes included.'),
		(21, 'order_ext_refunds_open', 'gauge', 'Refunds that are requested or submitted.')
	), sample (rank, place, line) AS (
		SELECT 1, 0::bigint, order_ext_internal.metric_line('order_ext_info', ARRAY['version', order_ext.version()], 1)
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
		SELECT 10, position, order_ext_internal.metric_line('order_ext_timer_lateness_seconds_bucket',
			ARRAY['le', (power(2, position / 2.0) / 1000000)::numeric(20, 6)::text], until_here)
		FROM bucket WHERE position % 4 = 0 AND position <= 80
		UNION ALL
		SELECT 10, 1000, order_ext_internal.metric_line('order_ext_timer_lateness_seconds_bucket',
			ARRAY['le', '+Inf'], fired)
			|| order_ext_internal.metric_line('order_ext_timer_lateness_seconds_count', NULL, fired)
		FROM firing
		UNION ALL
		SELECT 11, row_number() OVER (ORDER BY labels), order_ext_internal.metric_line('order_ext_log_bytes', labels, bytes)
		FROM segment
		UNION ALL
		SELECT 12, 0, order_ext_internal.metric_line('order_ext_log_moves_total', NULL, coalesce(max(seq), 0))
		FROM order_ext_internal.ring_moves WHERE ring = 'log'
		UNION ALL
		SELECT 13, row_number() OVER (ORDER BY labels), order_ext_internal.metric_line('order_ext_worker_batches_total', labels, batches)
		FROM worker
		UNION ALL
		SELECT 14, row_number() OVER (ORDER BY labels), order_ext_internal.metric_line('order_ext_worker_messages_total', labels, messages)
		FROM worker
		UNION ALL
		SELECT 18, row_number() OVER (ORDER BY k.kind), order_ext_internal.metric_line('order_ext_workers', ARRAY['kind', k.kind],
			(SELECT count(w.pid) FROM order_ext.worker_stats w WHERE w.database = current_database() AND w.kind = k.kind))
		FROM (VALUES ('dispatcher'), ('scheduler')) AS k (kind)
		UNION ALL
		SELECT 19, 0, order_ext_internal.metric_line('order_ext_log_truncations_total', NULL, coalesce(max(seq), 0))
		FROM order_ext_internal.ring_moves WHERE ring = 'log_gone'
		UNION ALL
		SELECT 20, row_number() OVER (ORDER BY labels), order_ext_internal.metric_line('order_ext_table_bytes', labels, bytes)
		FROM small
		UNION ALL
		SELECT 21, 0, order_ext_internal.metric_line('order_ext_refunds_open', NULL, count(*))
		FROM order_ext_internal.refunds WHERE status IN (10, 15)
	)
	SELECT string_agg(CASE WHEN s.first THEN format(E'# HELP %s %s\n# TYPE %s %s\n', m.name, m.help, m.name, m.kind)
			ELSE '' END || s.line, '' ORDER BY s.rank, s.place)
	FROM (SELECT rank, place, line, row_number() OVER (PARTITION BY rank ORDER BY place) = 1 AS first
		  FROM sample) s
	JOIN metric m USING (rank)
$$;
COMMENT ON FUNCTION order_ext.metrics() IS 'Messages and workers in the Prometheus text format.';
-- What operators see of failed deliveries.

-- attempt_log: every attempt that did not simply succeed the first time, within the log's
-- retention. state: done, retry, dead, discarded; worker: the process that ran it; after
-- redrive() a message's attempts start over.
CREATE VIEW order_ext.attempt_log AS
	SELECT a.message_id, g.name AS consumer_group, t.name AS topic, a.attempt, a.state, a.error,
		a.sqlstate, a.worker, a.started_at, a.finished_at - a.started_at AS duration
	FROM order_ext_internal.attempts a
	JOIN order_ext_internal.consumer_groups g USING (group_id)
	JOIN order_ext_internal.topics t USING (topic_id);
COMMENT ON VIEW order_ext.attempt_log IS 'Attempts to deliver a message, with error, process and duration of each.';
-- A group of the application that has the name of a gateway's goes on under another one.
DO $$
DECLARE
	taken text;
BEGIN
	ALTER TABLE order_ext_internal.consumer_groups DISABLE TRIGGER guard_rows;
	FOR taken IN
		UPDATE order_ext_internal.consumer_groups c SET name = c.name || ' (0.2)'
		FROM order_ext_internal.gateways g
		WHERE NOT g.builtin AND c.name = 'refund.execute:' || g.pay_type
		RETURNING 'refund.execute:' || g.pay_type
	LOOP
		RAISE WARNING 'consumer group "%" is named "% (0.2)" from now on', taken, taken
			USING DETAIL = 'That is the name of the gateway''s own group.';
	END LOOP;
	ALTER TABLE order_ext_internal.consumer_groups ENABLE TRIGGER guard_rows;
END
$$;

-- Gateways of the application get the consumer groups that set_gateway() would make. What the
-- built-in group has not worked off for them, they find again. Who set a gateway had to be a
-- member of its role.
INSERT INTO order_ext_internal.consumer_groups
	(group_id, topic_id, batch, name, handler, run_as, start_at, subscriber, ordered,
	 handler_owner, adapted)
SELECT pg_catalog.nextval('order_ext_internal.group_id_seq'), 14, true,
	'refund.execute:' || pay_type, handler, run_as, pg_catalog.pg_current_snapshot(), run_as, true,
	(SELECT pg_catalog.pg_get_userbyid(p.proowner) FROM pg_catalog.pg_proc p
	 WHERE p.oid OPERATOR(pg_catalog.=) pg_catalog.to_regprocedure(handler)::pg_catalog.oid), true
FROM order_ext_internal.gateways
WHERE NOT builtin;

DO $$
BEGIN
	IF EXISTS (SELECT FROM order_ext_internal.consumer_groups WHERE adapted) THEN
		PERFORM order_ext_internal.adopt_refunds();
	END IF;
END
$$;
-- The guards of every table that has none yet; also at the end of an update.

DO $$
DECLARE
	guarded regclass;
BEGIN
	FOR guarded IN
		SELECT c.oid FROM pg_catalog.pg_class c
		WHERE c.relnamespace = 'order_ext_internal'::pg_catalog.regnamespace AND c.relkind = 'r'
			AND NOT EXISTS (SELECT FROM pg_catalog.pg_trigger t
							WHERE t.tgrelid = c.oid AND t.tgname = 'guard_rows')
		ORDER BY c.relname
	LOOP
		EXECUTE pg_catalog.format(
			'CREATE TRIGGER guard_rows BEFORE UPDATE OR DELETE ON %s FOR EACH STATEMENT
			 EXECUTE FUNCTION order_ext_internal.guard()', guarded);
		EXECUTE pg_catalog.format(
			'CREATE TRIGGER guard_truncate BEFORE TRUNCATE ON %s FOR EACH STATEMENT
			 EXECUTE FUNCTION order_ext_internal.guard()', guarded);
	END LOOP;
END
$$;
-- What the internal tables and views are for, for those who look with \d+. The columns are
-- explained where the tables are made. All segments of a ring share a comment.

DO $$
DECLARE
	said record;
BEGIN
	FOR said IN
		SELECT c.relname, c.relkind, s.what
		FROM pg_catalog.pg_class c
		JOIN (VALUES
			('products', 'What can be ordered, at which price in minor units.'),
			('freight_templates', 'The freight of a region.'),
			('stock', 'Pieces available, reserved and consumed, per product and stripe.'),
			('stock_ledger', 'Every movement of stock; append-only.'),
			('coupons', 'Coupons of users, and the order that holds them.'),
			('orders', 'One row per order: where it is now.'),
			('order_items', 'The lines of the orders.'),
			('transition_log', 'Every transition of every entity of the machines; append-only.'),
			('sweep_progress', 'How far the sweep has come: no unpaid order before it; newest row wins.'),
			('requests', 'Idempotency keys and the results that are replayed.'),
			('payments', 'Payment attempts and captures.'),
			('payment_events', 'Facts from gateways that contradict what is on record; kept for staff.'),
			('payment_notices', 'Notices of closed or failed attempts that fit none; kept for staff.'),
			('refunds', 'Money to be paid back, and how far that is.'),
			('refund_events', 'Facts about refunds that could not be taken as they are; kept for staff.'),
			('channels', 'Who ships the orders of a channel.'),
			('fulfilments', 'What becomes of the goods of paid orders; a tombstone for canceled ones.'),
			('fulfilment_documents', 'Delivery orders of warehouses and logistic orders of carriers.'),
			('shipment_events', 'What warehouses and carriers told, those too that fit nothing.'),
			('after_sales', 'Applications for refunds and returns.'),
			('after_sale_items', 'What of an order''s lines goes back.'),
			('after_sale_events', 'What was told about goods on their way back.'),
			('gateways', 'Pay types whose refunds the workers execute, and their handlers.'),
			('sandbox_refunds', 'The books of the sandbox gateway.'),
			('sandbox_switch', 'How the sandbox gateway answers the next calls.'),
			('topics', 'Topics; those with ids below 1000 are built in.'),
			('consumer_groups', 'Readers of topics: options, handler and role, number of parts.'),
			('message_log', 'The messages; insert-only segments that are truncated by turns.'),
			('group_progress', 'How far each part of each group has read; append-only, newest row wins.'),
			('inline_ranges', 'Messages that dispatch() delivered in the transaction that published them.'),
			('retries', 'Failed messages that wait for their next attempt; copies.'),
			('dead_messages', 'Messages that were given up, until they are redriven or discarded; copies.'),
			('parked_messages', 'Messages that wait for an earlier one of their key, of ordered groups; copies.'),
			('crash_suspects', 'Messages whose handler was running when its worker process crashed or had to be ended.'),
			('attempts', 'Attempts that did not simply succeed the first time; segments move with the log''s.'),
			('leases', 'Messages that external consumers hold; copies.'),
			('lease_receipts', 'When leases end, counted from the commit of their receive() or extend_lease().'),
			('timers_far', 'Timers that are due later than the ring of buckets reaches.'),
			('timer_bucket', 'Timers by due time, two minutes each; insert-only segments.'),
			('timer_ring', 'All timer buckets.'),
			('timer_progress', 'How far each bucket has fired; append-only, newest row wins.'),
			('timer_ahead', 'Timers that have fired though the progress of their bucket does not say so yet.'),
			('timer_firings', 'Running totals of fired timers and their lateness; append-only, newest row wins.'),
			('timer_cancels', 'Timers that must not fire.'),
			('dedup', 'dedup_keys and the messages that claimed them; segments are truncated by turns.'),
			('ring_moves', 'Which segment of a ring is written to; append-only, newest row wins.'),
			('backlog_alerts', 'Groups that operators were told of because they hold back the log.'),
			('assets', 'Kinds of assets that the release of a canceled order is published for.'),
			('database_stamp', 'The database that dispatch is enabled in.'),
			('instance', 'The secret that order ids are permuted with, and the risk check.')
		) AS s (name, what) ON s.name = pg_catalog.regexp_replace(c.relname, '_[0-9]+$', '')
		WHERE c.relnamespace = 'order_ext_internal'::pg_catalog.regnamespace AND c.relkind IN ('r', 'v')
	LOOP
		EXECUTE pg_catalog.format('COMMENT ON %s order_ext_internal.%I IS %L',
			CASE said.relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END, said.relname, said.what);
	END LOOP;
END
$$;
-- The kinds know the new functions.
DROP FUNCTION order_ext_internal.grants();
-- The kinds of role, as data; the only place that names functions for rights.

-- grants(): what each kind of role may call (functions of schema order_ext, by name) and
-- see (views, where columns are given: only those).
CREATE FUNCTION order_ext_internal.grants()
	RETURNS TABLE (kind text, object text, columns text)
	LANGUAGE sql IMMUTABLE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT kind, object, NULL
	FROM (VALUES
		('app', ARRAY['quote_order', 'create_order', 'pre_pay_order', 'cancel_order',
			'confirm_receipt', 'change_address', 'remove_order',
			'calculate_refund', 'apply_after_sale', 'revoke_after_sale',
			'get_order', 'order_timeline', 'allowed_actions', 'stock_level', 'publish', 'cancel_message']),
		('callback', ARRAY['pay_callback', 'payment_closed', 'refund_callback', 'claim_refunds',
			'shipment_event', 'fulfilment_cancel_result', 'report_shortage',
			'return_shipment', 'return_receipt']),
		('operator', ARRAY['put_product', 'put_freight', 'adjust_stock', 'stock_level',
			'issue_coupon', 'set_risk_check', 'set_channel', 'cancel_order', 'expire_orders',
			'review_after_sale', 'close_after_sale', 'reopen_after_sale', 'calculate_refund',
			'resolve_held_payment', 'retry_refund', 'set_gateway', 'sandbox_set',
			'create_topic', 'alter_topic', 'drop_topic', 'cancel_message', 'subscribe', 'unsubscribe', 'register_asset',
			'unregister_asset', 'pause', 'resume', 'redrive', 'discard', 'replay', 'dispatch', 'schedule_jobs',
			'unschedule_jobs', 'maintain',
			'get_order', 'order_timeline', 'allowed_actions', 'message_trace',
			'verify', 'metrics', 'state_graph', 'state_diagram',
			'orders_view', 'order_items_view', 'payments_view', 'refunds_view',
			'after_sales_view', 'after_sale_items_view', 'after_sale_events_view', 'sandbox_ledger',
			'fulfilments_view', 'shipment_events_view',
			'coupons_view', 'stock_ledger_view', 'money_report', 'topics_view',
			'subscriptions_view', 'dead_letters', 'attempt_log', 'parked_keys', 'consumer_stats',
			'timer_stats', 'worker_stats']),
		('observer', ARRAY['order_timeline', 'allowed_actions', 'stock_level',
			'message_trace', 'verify', 'metrics', 'state_graph', 'state_diagram',
			'orders_view', 'order_items_view', 'payments_view', 'refunds_view',
			'after_sales_view', 'after_sale_items_view', 'after_sale_events_view', 'sandbox_ledger',
			'fulfilments_view', 'shipment_events_view',
			'coupons_view', 'stock_ledger_view', 'money_report', 'topics_view',
			'subscriptions_view', 'attempt_log', 'parked_keys', 'consumer_stats', 'timer_stats',
			'worker_stats']),
		('worker', ARRAY['publish', 'cancel_message', 'receive', 'ack', 'nack', 'extend_lease',
			'wait_for_messages'])
	) AS allowed (kind, objects), unnest(allowed.objects) AS object
	UNION ALL
	SELECT kind, object, NULL
	FROM unnest(ARRAY['app', 'callback', 'operator', 'observer', 'worker']) AS kind,
		unnest(ARRAY['status_code', 'version']) AS object
	UNION ALL
	-- all but the payload
	SELECT 'observer', 'dead_letters',
		'message_id, consumer_group, topic, key, attempts, last_error, last_sqlstate, died_at'
$$;
COMMENT ON FUNCTION order_ext_internal.grants() IS 'Which kind of role may call and see what.';
-- Who owns what, who may do what with it, and what pg_dump takes along: over all members of
-- the extension, so that nothing can be forgotten. Runs at the end of CREATE EXTENSION and
-- again at the end of every update, where it leaves alone what is the owner's already, and
-- with it what grant_to() gave away.

-- What is new belongs to the owner, and nobody else has rights on it: neither PUBLIC nor
-- whom ALTER DEFAULT PRIVILEGES of the installing role named.
DO $$
DECLARE
	member record;
	statement text;
BEGIN
	FOR statement IN
		SELECT DISTINCT pg_catalog.format('REVOKE ALL ON %s %s FROM %s', o.kind, o.identity,
			CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END)
		FROM (
			SELECT 'SCHEMA' AS kind, n.oid::regnamespace::text AS identity,
				coalesce(n.nspacl, pg_catalog.acldefault('n', n.nspowner)) AS acl, n.nspowner AS owner
			FROM pg_catalog.pg_namespace n
			WHERE n.nspname IN ('order_ext', 'order_ext_internal')
				AND n.nspowner <> 'order_ext_owner'::regrole
			UNION ALL
			SELECT CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, c.oid::regclass::text,
				coalesce(c.relacl, pg_catalog.acldefault('r', c.relowner)), c.relowner
			FROM pg_catalog.pg_class c
			WHERE c.relnamespace IN ('order_ext'::regnamespace, 'order_ext_internal'::regnamespace)
				AND c.relkind IN ('r', 'v', 'S') AND c.relowner <> 'order_ext_owner'::regrole
			UNION ALL
			SELECT 'ROUTINE', p.oid::regprocedure::text,
				coalesce(p.proacl, pg_catalog.acldefault('f', p.proowner)), p.proowner
			FROM pg_catalog.pg_proc p
			WHERE p.pronamespace IN ('order_ext'::regnamespace, 'order_ext_internal'::regnamespace)
				AND p.proowner <> 'order_ext_owner'::regrole
			UNION ALL
			SELECT 'TYPE', t.oid::regtype::text,
				coalesce(t.typacl, pg_catalog.acldefault('T', t.typowner)), t.typowner
			-- not the row types of tables and views: pg_dump does not know rights of those
			FROM pg_catalog.pg_type t
			JOIN pg_catalog.pg_class c ON c.oid = t.typrelid AND c.relkind = 'c'
			WHERE t.typnamespace IN ('order_ext'::regnamespace, 'order_ext_internal'::regnamespace)) o,
			pg_catalog.aclexplode(o.acl) a
		WHERE a.grantee <> o.owner
	LOOP
		EXECUTE statement;
	END LOOP;

	FOR member IN
		SELECT d.classid, d.objid,
			CASE d.classid
				WHEN 'pg_namespace'::regclass THEN 'SCHEMA'
				WHEN 'pg_proc'::regclass THEN 'ROUTINE'
				WHEN 'pg_type'::regclass THEN 'TYPE'
				WHEN 'pg_class'::regclass THEN
					CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END
			END AS kind,
			i.identity
		FROM pg_catalog.pg_depend d
		JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid AND e.extname = 'order_ext'
		LEFT JOIN pg_catalog.pg_class c ON d.classid = 'pg_class'::regclass AND c.oid = d.objid
		LEFT JOIN pg_catalog.pg_type t ON d.classid = 'pg_type'::regclass AND t.oid = d.objid
		LEFT JOIN pg_catalog.pg_class r ON r.oid = t.typrelid
		CROSS JOIN LATERAL pg_catalog.pg_identify_object(d.classid, d.objid, 0) i
		WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
			-- the sequence of an identity column goes with its table
			AND NOT (coalesce(c.relkind = 'S', false) AND EXISTS (
				SELECT FROM pg_catalog.pg_depend own
				WHERE own.classid = 'pg_class'::regclass AND own.objid = d.objid
					AND own.deptype = 'i'))
			-- nor, members themselves since 17, array types and the row types of relations
			AND coalesce(t.typcategory <> 'A', true) AND coalesce(r.relkind = 'c', true)
		ORDER BY d.classid = 'pg_namespace'::regclass DESC, d.objid
	LOOP
		EXECUTE pg_catalog.format('ALTER %s %s OWNER TO order_ext_owner', member.kind, member.identity);
	END LOOP;
END
$$;

-- What a dump takes along: the rows of every table and the state of every sequence. Rows
-- that CREATE EXTENSION makes itself are left out.
DO $$
DECLARE
	relation pg_catalog.regclass;
BEGIN
	FOR relation IN
		SELECT c.oid FROM pg_catalog.pg_class c
		WHERE c.relnamespace = 'order_ext_internal'::regnamespace AND c.relkind IN ('r', 'S')
		ORDER BY c.relname
	LOOP
		PERFORM pg_catalog.pg_extension_config_dump(relation,
			CASE WHEN EXISTS (
				SELECT FROM pg_catalog.pg_attribute a
				WHERE a.attrelid = relation AND a.attname = 'builtin')
			THEN 'WHERE NOT builtin' ELSE '' END);
	END LOOP;
END
$$;
