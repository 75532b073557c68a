-- Background workers and timers: their views, and notifying them.

-- announce(): makes the workers of this database start, or restart, when the transaction commits:
-- called by this script, by enable_dispatch(), and by every update script. Without
-- shared_preload_libraries it does nothing. Source: src/worker/hooks.c
CREATE FUNCTION order_ext_internal.announce() RETURNS void
	LANGUAGE C VOLATILE STRICT AS 'MODULE_PATHNAME', 'order_ext_announce';
COMMENT ON FUNCTION order_ext_internal.announce() IS
	'Tells the launcher at commit to look at this database again.';

-- worker_list(): one row for each background process of order_ext in the server, and one
-- without pid for each database that wants workers and lacks them. No rows without preload.
-- Source: src/worker/stats.c
CREATE FUNCTION order_ext_internal.worker_list(
		OUT pid integer, OUT database oid, OUT role oid, OUT kind text, OUT state text,
		OUT batches bigint, OUT messages bigint, OUT last_active timestamptz)
	RETURNS SETOF record
	LANGUAGE C VOLATILE STRICT ROWS 10 AS 'MODULE_PATHNAME', 'order_ext_worker_list';
COMMENT ON FUNCTION order_ext_internal.worker_list() IS
	'The background processes of order_ext; see order_ext.worker_stats.';

-- role_absence(role): why workers cannot be sessions of the role, NULL if they can. The role is
-- given by name and need not exist. Raises no error. Source: src/worker/stats.c
CREATE FUNCTION order_ext_internal.role_absence(role text) RETURNS text
	LANGUAGE C STABLE STRICT AS 'MODULE_PATHNAME', 'order_ext_role_absence';
COMMENT ON FUNCTION order_ext_internal.role_absence(text) IS 'Why workers cannot run as a role.';

CREATE VIEW order_ext.worker_stats AS
	WITH process AS MATERIALIZED (
		SELECT w.pid, d.datname AS database, r.rolname AS role, w.kind, w.state,
			w.batches, w.messages, w.last_active
		FROM order_ext_internal.worker_list() w
		LEFT JOIN pg_catalog.pg_database d ON d.oid = w.database
		LEFT JOIN pg_catalog.pg_roles r ON r.oid = w.role
	)
	SELECT * FROM process
	UNION ALL
	SELECT NULL, pg_catalog.current_database(), run_as.name::name, 'dispatcher', absence.reason,
		0, 0, NULL
	FROM (SELECT DISTINCT coalesce(r.rolname::text COLLATE "default", g.run_as),
			r.oid IS NULL
		  FROM order_ext_internal.consumer_groups g
		  LEFT JOIN pg_catalog.pg_roles r ON r.oid = g.run_as_oid
		  WHERE g.handler IS NOT NULL) AS run_as (name, is_gone),
		LATERAL (SELECT coalesce(CASE WHEN run_as.is_gone THEN 'role is gone'
				ELSE order_ext_internal.role_absence(run_as.name) END,
			CASE WHEN NOT EXISTS (SELECT FROM process p
					WHERE p.database = pg_catalog.current_database() AND p.role = run_as.name)
				AND (SELECT count(DISTINCT p.role) FROM process p
					WHERE p.database = pg_catalog.current_database()
						AND p.kind = 'dispatcher') >= 64
				THEN 'too many roles' END)) AS absence (reason)
	WHERE absence.reason IS NOT NULL AND EXISTS (SELECT FROM process p
		WHERE p.database = pg_catalog.current_database() AND p.kind = 'dispatcher'
			AND p.pid IS NOT NULL);

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
		WHERE c.message_id = f.message_id)
	UNION ALL
	SELECT m.message_id, m.key, m.due_at, m.published_at, m.topic_id, NULL::smallint, m.payload
	FROM order_ext_internal.timers_moved m;
COMMENT ON VIEW order_ext_internal.pending_timers IS 'Timers that have not fired.';

CREATE VIEW order_ext.timer_stats AS
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
	-- a column that is not asked for costs nothing
	SELECT (SELECT pg_catalog.count(*) FROM order_ext_internal.pending_timers) AS pending,
		(SELECT pg_catalog.min(due_at) FROM order_ext_internal.pending_timers) AS next_due,
		coalesce((SELECT fired FROM newest), 0) AS fired,
		pg_catalog.power(2::double precision, late.p50 / 2.0::double precision)
			* interval '1 microsecond' AS late_p50,
		pg_catalog.power(2::double precision, late.p99 / 2.0::double precision)
			* interval '1 microsecond' AS late_p99
	FROM late;

DO $$
BEGIN
	PERFORM order_ext_internal.announce();
END
$$;
