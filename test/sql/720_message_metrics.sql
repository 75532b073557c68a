-- metrics(): valid text exposition, whatever the names, and the figures of the views.
CREATE SCHEMA mt;
-- Its lines, taken apart: family is the metric that HELP and TYPE are about.
CREATE TABLE mt.line AS SELECT 0::bigint AS n, '' AS line, '' AS kind, '' AS name, '' AS family, '' AS labels, 0::numeric AS value WHERE false;
CREATE FUNCTION mt.read() RETURNS bigint LANGUAGE sql AS $$
	TRUNCATE mt.line;
	INSERT INTO mt.line
	SELECT n, line, kind, name,
		CASE kind WHEN 'sample' THEN regexp_replace(name, '_(bucket|count|sum)$', '') ELSE name END, labels,
		CASE kind WHEN 'sample' THEN (regexp_match(line, ' (\S+)$'))[1]::numeric END
	FROM (SELECT n, line,
			CASE WHEN line ~ '^# HELP ' THEN 'help' WHEN line ~ '^# TYPE ' THEN 'type' ELSE 'sample' END AS kind,
			(regexp_match(line, '^(?:# (?:HELP|TYPE) )?([a-zA-Z_:][a-zA-Z0-9_:]*)'))[1] AS name,
			(regexp_match(line, '^[a-z_]+\{(.*)\} \S+$'))[1] AS labels
		FROM regexp_split_to_table(rtrim(order_ext.metrics(), E'\n'), E'\n') WITH ORDINALITY AS l (line, n)) AS l;
	SELECT count(*) FROM mt.line;
$$;
-- A sample of a group, found by its name as it stands, not as it is escaped.
CREATE FUNCTION mt.of(metric text, consumer_group text) RETURNS numeric LANGUAGE sql AS $$
	SELECT value FROM mt.line, LATERAL (SELECT (regexp_match(labels, 'consumer_group="((?:\\.|[^"\\])*)"'))[1] AS escaped) AS e
	WHERE kind = 'sample' AND name = metric
		AND replace(replace(replace(replace(escaped, '\\', chr(1)), '\"', '"'), '\n', E'\n'), chr(1), '\') = consumer_group
$$;
CREATE FUNCTION mt.handle(m order_ext.message) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	IF m.key = 1 THEN RAISE EXCEPTION 'later' USING ERRCODE = 'OE801', DETAIL = '1 day'; END IF;
	IF m.key = 2 THEN RAISE EXCEPTION 'never' USING ERRCODE = 'OE803'; END IF;
END $$;
CREATE TABLE mt.groups (name text);
INSERT INTO mt.groups VALUES ('mt.plain'), ('mt "quoted"'), ('mt back\slash\n'), (E'mt two\nlines'), ('mt {a="b"} 1'), ('mt.x');

SELECT t.drain();
CALL t.pause_others();
SELECT order_ext.create_topic('mt."t"\');
SELECT count(t.subscribe(name, 'mt."t"\', CASE name WHEN 'mt.x' THEN NULL ELSE 'mt.handle(order_ext.message)' END::regprocedure, '{"ordered": true}')) FROM mt.groups;
SELECT count(order_ext.publish('mt."t"\', key)) FROM unnest('{1,1,2,3,4,5}'::bigint[]) AS key;
SELECT order_ext.publish('mt."t"\', 3, deliver_at => clock_timestamp() + interval '1 ms') > 0 AS timer, pg_sleep(0.002);
SELECT t.dispatch() > 0 AS handled;
-- (what dispatch() itself has published counts as waiting until the next batch)
SELECT t.dispatch() AS handled;
SELECT count(*) FROM order_ext.receive('mt.x', 2);
SELECT order_ext.pause('mt.plain');
SELECT count(order_ext.publish('mt."t"\', key)) FROM unnest('{6,7}'::bigint[]) AS key;

-- every line is one of the format
SELECT mt.read() > 50 AS lines;
SELECT line FROM mt.line
WHERE line !~ CASE kind
	WHEN 'help' THEN '^# HELP [a-z_]+ [^\\]+$'
	WHEN 'type' THEN '^# TYPE [a-z_]+ (counter|gauge|histogram)$'
	ELSE '^[a-z_]+(\{[a-z_]+="(\\[\\"n]|[^"\\])*"(,[a-z_]+="(\\[\\"n]|[^"\\])*")*\})? ([0-9]+(\.[0-9]+)?)$' END;
SELECT right(order_ext.metrics(), 1) = E'\n' AS ends_with_a_newline;
-- HELP and TYPE once for each, in this order, before its samples, which stand together
SELECT family, string_agg(kind, ' ' ORDER BY n) FROM mt.line GROUP BY family
HAVING string_agg(kind, ' ' ORDER BY n) !~ '^help type( sample)+$' OR max(n) - min(n) + 1 <> count(*);
-- no series twice; counters are named so; a histogram's buckets only grow, up to its count
SELECT regexp_replace(line, ' \S+$', ''), count(*) FROM mt.line WHERE kind = 'sample' GROUP BY 1 HAVING count(*) > 1;
SELECT name FROM mt.line WHERE kind = 'type' AND (line ~ ' counter$') <> (name ~ '_total$');
SELECT count(*) > 0 AS buckets, bool_and(value >= before) AS grow, bool_and(value <= all_of_them) AS up_to_count
FROM (SELECT value, lag(value, 1, 0::numeric) OVER (ORDER BY n) AS before,
		(SELECT value FROM mt.line WHERE kind = 'sample' AND name = 'order_ext_timer_lateness_seconds_count') AS all_of_them
	FROM mt.line WHERE kind = 'sample' AND name = 'order_ext_timer_lateness_seconds_bucket') AS b;

-- the figures of the views, under each name
SELECT g.name, s.lag = mt.of('order_ext_waiting', g.name) + mt.of('order_ext_leased', g.name) AS lag,
	s.retrying = mt.of('order_ext_retrying', g.name) AS retrying, s.dead = mt.of('order_ext_dead', g.name) AS dead,
	s.parked = mt.of('order_ext_parked', g.name) AS parked, s.consumed = mt.of('order_ext_consumed_total', g.name) AS consumed
FROM mt.groups g JOIN order_ext.consumer_stats s ON s.consumer_group = g.name ORDER BY g.name COLLATE "C";
SELECT mt.of('order_ext_waiting', name) AS waiting, mt.of('order_ext_leased', name) AS leased, mt.of('order_ext_retrying', name) AS retrying,
	mt.of('order_ext_dead', name) AS dead, mt.of('order_ext_parked', name) AS parked, mt.of('order_ext_paused', name) AS paused,
	mt.of('order_ext_retry_overdue_seconds', name) AS overdue, mt.of('order_ext_holds_back_log', name) AS holds_back,
	mt.of('order_ext_oldest_waiting_seconds', name) BETWEEN 0 AND 600 AS young
FROM unnest('{mt.plain,mt.x}'::text[]) AS name;
SELECT value = (SELECT sum(pg_table_size(format('order_ext_internal.message_log_%s', n)::regclass)) FROM generate_series(0, 3) AS n) AS log_bytes
FROM (SELECT sum(value) AS value FROM mt.line WHERE name = 'order_ext_log_bytes') AS l;
SELECT value = (SELECT count(*) FROM order_ext.refunds_view WHERE status IN ('requested', 'submitted')) AS refunds
FROM mt.line WHERE kind = 'sample' AND name = 'order_ext_refunds_open';
SELECT labels FROM mt.line WHERE kind = 'sample' AND name = 'order_ext_table_bytes' ORDER BY n;
SELECT count(*) = 2 AS kinds, bool_and(value = (SELECT count(pid) FROM order_ext.worker_stats WHERE database = current_database() AND kind = (regexp_match(labels, '"(.*)"'))[1])) AS workers
FROM mt.line WHERE kind = 'sample' AND name = 'order_ext_workers';
-- a retry that nobody runs, and a group that operators have been alerted to
SELECT set_config('session_replication_role', 'replica', false);
UPDATE order_ext_internal.retries SET due_at = clock_timestamp() - interval '2 hours'
WHERE group_id = (SELECT group_id FROM order_ext_internal.consumer_groups WHERE name = 'mt.plain');
RESET session_replication_role;
INSERT INTO order_ext_internal.backlog_alerts SELECT group_id, now() FROM order_ext_internal.consumer_groups WHERE name = 'mt.plain';
SELECT mt.read() > 50 AS lines;
SELECT round(mt.of('order_ext_retry_overdue_seconds', 'mt.plain') / 3600) AS hours, mt.of('order_ext_holds_back_log', 'mt.plain') AS holds_back;

SELECT count(order_ext.unsubscribe(name)) FROM mt.groups;
SELECT order_ext.drop_topic('mt."t"\');
SET client_min_messages = warning;
DROP SCHEMA mt CASCADE;
RESET client_min_messages;
CALL t.resume_others();
SELECT t.drain();
