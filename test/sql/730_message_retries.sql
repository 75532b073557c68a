-- Retries to the letter: what the attempt log keeps, how long each ladder waits, what handlers
-- ask for, what counts as an attempt, which dead letters redrive() takes.
SELECT t.drain();
CALL t.pause_others();
CREATE SCHEMA mt;
-- Calls of the handler by key: a sequence each, since what a failed attempt writes is undone.
CREATE FUNCTION mt.calls(key bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	n bigint;
BEGIN
	EXECUTE format('SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM mt.calls_%s', key - 870000) INTO n;
	RETURN n;
END $$;
-- Does what the payload says in its first `times` attempts (calls, where there is a sequence).
CREATE FUNCTION mt.act(m order_ext.message) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	nth bigint := m.attempt;
BEGIN
	IF to_regclass('mt.calls_' || (m.key - 870000)) IS NOT NULL THEN
		nth := nextval('mt.calls_' || (m.key - 870000));
	END IF;
	PERFORM pg_sleep((m.payload->>'sleep')::float);
	IF nth <= coalesce((m.payload->>'times')::bigint, 1000000) AND m.payload ? 'state' THEN
		IF m.payload ? 'detail' THEN
			RAISE EXCEPTION USING ERRCODE = m.payload->>'state', MESSAGE = 'attempt ' || m.attempt, DETAIL = m.payload->>'detail';
		END IF;
		RAISE EXCEPTION USING ERRCODE = m.payload->>'state', MESSAGE = 'attempt ' || m.attempt;
	END IF;
END $$;
CREATE FUNCTION mt.act_all(m order_ext.message[]) RETURNS void LANGUAGE sql AS $$ SELECT mt.act(x) FROM unnest(m) AS x $$;
-- Publish, with the number of calls counted.
CREATE FUNCTION mt.say(key bigint, payload jsonb, topic text DEFAULT 'mt.t') RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('CREATE SEQUENCE IF NOT EXISTS mt.calls_%s', key);
	RETURN order_ext.publish(topic, 870000 + key, payload) > 0;
END $$;
-- What becomes of our messages: attempts so far, outcome, and the delay as the group would say it.
CREATE FUNCTION mt.retries(consumer_group text DEFAULT 'mt.g') RETURNS TABLE (key bigint, attempts integer, last_error text, last_sqlstate text, delay text) LANGUAGE sql AS $$
	SELECT r.key - 870000, r.attempts, r.last_error, r.last_sqlstate, date_trunc('second', r.due_at - a.finished_at)::text
	FROM order_ext_internal.retries r JOIN order_ext_internal.consumer_groups g USING (group_id),
		LATERAL (SELECT max(finished_at) AS finished_at FROM order_ext_internal.attempts WHERE message_id = r.message_id AND group_id = r.group_id) a
	WHERE g.name = consumer_group AND r.attempts > 0 ORDER BY r.key $$;
CREATE FUNCTION mt.trace(key bigint) RETURNS SETOF text LANGUAGE sql AS $$
	SELECT concat_ws(' ', state, attempt, '(' || error || ')') FROM order_ext.message_trace(870000 + $1) WHERE topic LIKE 'mt.%' ORDER BY attempt $$;
CREATE FUNCTION mt.stats() RETURNS text LANGUAGE sql AS $$
	SELECT format('lag %s, retrying %s, dead %s, parked %s', lag, retrying, dead, parked) FROM order_ext.consumer_stats WHERE consumer_group = 'mt.g' $$;
-- As if the time of all retries had come.
CREATE FUNCTION mt.skip_delays() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM pg_current_xact_id();
	SET LOCAL session_replication_role = replica;
	UPDATE order_ext_internal.retries SET due_at = clock_timestamp() WHERE key BETWEEN 870000 AND 879999;
END $$;
SELECT order_ext.create_topic('mt.t');
SELECT t.subscribe('mt.g', 'mt.t', 'mt.act(order_ext.message)', '{"max_attempts": 3}');

-- ---- the attempt log: text, SQLSTATE, process, duration of every attempt ----
SELECT mt.say(1, '{"state": "XX001", "times": 2, "sleep": 0.05}'), mt.say(2, '{}'), mt.say(3, '{"state": "XX002"}');
SELECT t.dispatch() AS handled;
SELECT mt.skip_delays();
SELECT t.dispatch() AS handled;
SELECT mt.skip_delays();
SELECT t.dispatch() AS handled;
SELECT m.key - 870000 AS key, l.attempt, l.state, l.error, l.sqlstate, l.worker = pg_backend_pid() AS by_me,
	l.duration >= CASE m.key WHEN 870001 THEN interval '50 ms' ELSE '0' END AS duration,
	l.started_at >= m.published_at AND l.started_at <= clock_timestamp() AS started,
	l.started_at >= lag(l.started_at + l.duration, 1, m.published_at) OVER (PARTITION BY m.key ORDER BY l.attempt) AS in_turn
FROM order_ext.attempt_log l JOIN order_ext_internal.message_log m USING (message_id) WHERE l.consumer_group = 'mt.g' ORDER BY 1, 2;
SELECT mt.stats();
-- of a batch, too
SELECT t.subscribe('mt.g', 'mt.t', 'mt.act_all(order_ext.message[])', '{"max_attempts": 3}');
SELECT mt.say(4, '{"sleep": 0.05}'), mt.say(5, '{"state": "XX003", "times": 2, "sleep": 0.05}');
SELECT t.dispatch() AS handled;
SELECT m.key - 870000 AS key, l.attempt, l.state, l.error, l.sqlstate, l.worker = pg_backend_pid() AS by_me, l.duration >= interval '50 ms' AS duration
FROM order_ext.attempt_log l JOIN order_ext_internal.message_log m USING (message_id) WHERE l.consumer_group = 'mt.g' AND m.key > 870003 ORDER BY 1, 2;
SELECT mt.skip_delays();
SELECT t.dispatch() AS handled;
SELECT mt.trace(5);

-- ---- the ladders ----
-- rocketmq: the same for everybody, and its last step again and again
SELECT order_ext.create_topic('mt.rocket'), t.subscribe('mt.rocket', 'mt.rocket', 'mt.act(order_ext.message)', '{"max_attempts": 1000, "backoff": "rocketmq"}');
SELECT order_ext.publish('mt.rocket', 870100, '{"state": "XX999"}') > 0 AS published;
CREATE TABLE mt.delays (n integer, delay text);
DO $$ BEGIN
	FOR n IN 1..19 LOOP
		PERFORM t.dispatch();
		INSERT INTO mt.delays SELECT attempts, delay FROM mt.retries('mt.rocket');
		PERFORM mt.skip_delays();
	END LOOP;
END $$;
SELECT * FROM mt.delays ORDER BY n;
SELECT order_ext.unsubscribe('mt.rocket');
-- exponential: anywhere below 1 s, 2 s, 4 s ... 2 h. Of 100 messages hardly all are below half of
-- that, or above; and each of them waits another time.
SELECT t.subscribe('mt.exp', 'mt.rocket', 'mt.act(order_ext.message)', '{"max_attempts": 1000}');
SELECT count(order_ext.publish('mt.rocket', 870200 + n, '{"state": "XX999"}')) FROM generate_series(1, 100) AS n;
CREATE TABLE mt.jitter (n integer, delay float);
-- (the limit keeps those that are due before the call ends for the next one)
DO $$ BEGIN
	FOR n IN 1..17 LOOP
		PERFORM t.dispatch(100);
		INSERT INTO mt.jitter SELECT r.attempts, extract(epoch FROM r.due_at - a.finished_at)
		FROM order_ext_internal.retries r JOIN order_ext_internal.attempts a ON a.message_id = r.message_id AND a.group_id = r.group_id AND a.attempt = r.attempts
		WHERE r.key BETWEEN 870201 AND 870300;
		PERFORM mt.skip_delays();
	END LOOP;
END $$;
-- (due_at is computed a moment after finished_at)
SELECT n, longest, count(*), bool_and(delay >= 0 AND delay <= longest * 1.05 + 1) AS within, max(delay) > longest / 2 AS long_ones, min(delay) < longest / 2 AS short_ones, count(DISTINCT delay) > 90 AS spread
FROM mt.jitter, LATERAL (SELECT least(7200, 2 ^ (n - 1)) AS longest) l GROUP BY n, longest ORDER BY n;
SELECT order_ext.unsubscribe('mt.exp'), order_ext.drop_topic('mt.rocket');

-- ---- OE801 with all kinds of DETAIL ----
SELECT t.subscribe('mt.g', 'mt.t', 'mt.act(order_ext.message)', '{"max_attempts": 3, "backoff": "rocketmq"}');
SELECT count(mt.say(20 + n::integer, jsonb_build_object('state', 'OE801', 'detail', detail)))
FROM unnest(ARRAY['00:00:05', '1 day 2 hours', '2 mons', '-3 days 75:00:00', 'P1DT1S', '2 years', '11 years', '178000000 years',
	'0', '-1 microsecond', '-178000000 years', 'soon', '', ' ', '1 day; drop table x', '1e300 seconds', '99999999999999999999 days', repeat('1 day ', 10000)]) WITH ORDINALITY AS d (detail, n);
SELECT mt.say(40, '{"state": "OE801"}');
SELECT t.dispatch() > 0 AS handled;
SELECT r.key, left(m.payload->>'detail', 30) AS detail, r.attempts, r.last_sqlstate, r.delay FROM mt.retries() r JOIN order_ext_internal.message_log m ON m.key = 870000 + r.key ORDER BY 1;
-- what asked for no delay had its attempts at once
SELECT key - 870000 AS key, payload->>'detail' AS detail, attempts, last_sqlstate FROM order_ext.dead_letters WHERE consumer_group = 'mt.g' AND key > 870020 ORDER BY 1;
-- it counts: the last attempt is dead, whatever it asks for
SELECT mt.skip_delays();
SELECT t.dispatch() > 0 AS handled;
SELECT mt.skip_delays();
SELECT t.dispatch() > 0 AS handled;
SELECT mt.stats();
SELECT mt.trace(21);

-- ---- OE802 and OE803: at once, also on a later attempt, and of a set only the one ----
SELECT mt.say(50, '{"state": "OE802"}'), mt.say(51, '{"state": "OE803"}');
SELECT t.dispatch() AS handled;
SELECT mt.trace(50), mt.trace(51), mt.calls(870050) AS calls_50, mt.calls(870051) AS calls_51;
SELECT mt.say(52, '{"state": "XX999"}'), mt.say(53, '{"state": "XX999"}');
SELECT t.dispatch() AS handled;
CREATE OR REPLACE FUNCTION mt.act(m order_ext.message) RETURNS void LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION USING ERRCODE = CASE m.key WHEN 870052 THEN 'OE802' ELSE 'OE803' END, MESSAGE = 'enough'; END $$;
SELECT mt.skip_delays();
SELECT t.dispatch() AS handled;
SELECT mt.trace(52);
SELECT mt.trace(53);
SELECT key - 870000 AS key, attempts, last_error, last_sqlstate FROM order_ext.dead_letters WHERE consumer_group = 'mt.g' AND key > 870050 ORDER BY 1;
CREATE OR REPLACE FUNCTION mt.act(m order_ext.message) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM nextval('mt.calls_' || (m.key - 870000));
	IF mt.calls(m.key) <= coalesce((m.payload->>'times')::bigint, 1000000) AND m.payload ? 'state' THEN
		RAISE EXCEPTION USING ERRCODE = m.payload->>'state', MESSAGE = 'attempt ' || m.attempt;
	END IF;
END $$;
SELECT t.subscribe('mt.g', 'mt.t', 'mt.act_all(order_ext.message[])', '{"max_attempts": 3}');
SELECT mt.say(54, '{}'), mt.say(55, '{"state": "OE802"}'), mt.say(56, '{"state": "OE803"}'), mt.say(57, '{}');
SELECT t.dispatch() AS handled;
SELECT n, mt.trace(n) FROM generate_series(54, 57) AS n;

-- ---- conflicts: at once, uncounted, ten times, then in a second ----
SELECT t.subscribe('mt.g', 'mt.t', 'mt.act(order_ext.message)', '{"max_attempts": 1}');
-- one call in the batch, which ends with it; ten on its own
SELECT mt.say(60, '{"state": "40P01", "times": 10}'), mt.say(61, '{"state": "40001", "times": 9}'), mt.say(62, '{}');
SELECT t.dispatch() AS handled;
SELECT mt.calls(870060) AS calls_60, mt.calls(870061) AS calls_61, mt.stats();
SELECT mt.trace(60), mt.trace(61);
SELECT mt.say(63, '{"state": "40P01", "times": 100}'), mt.say(64, '{}');
SELECT t.dispatch() AS handled;
SELECT mt.calls(870063) AS calls, mt.stats();
SELECT attempts, busy, due_at > clock_timestamp() - interval '1 minute' AND due_at < clock_timestamp() + interval '1 minute' AS soon FROM order_ext_internal.retries WHERE key = 870063;
-- nothing of that is an attempt, and the message works on its first one
SELECT count(*) AS attempts FROM order_ext.attempt_log l JOIN order_ext_internal.message_log m USING (message_id) WHERE m.key IN (870060, 870061, 870063);
ALTER SEQUENCE mt.calls_63 RESTART 1000;
SELECT mt.skip_delays();
SELECT t.dispatch() AS handled;
SELECT mt.trace(63), mt.stats();
-- a real failure after a conflict counts as the first
SELECT t.subscribe('mt.g', 'mt.t', 'mt.act(order_ext.message)', '{"max_attempts": 2, "backoff": "rocketmq"}');
CREATE OR REPLACE FUNCTION mt.act(m order_ext.message) RETURNS void LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION USING ERRCODE = CASE nextval('mt.calls_' || (m.key - 870000)) % 2 WHEN 1 THEN '40001' ELSE 'XX999' END, MESSAGE = 'attempt ' || m.attempt; END $$;
SELECT mt.say(65, '{}');
SELECT t.dispatch() AS handled;
SELECT key, attempts, last_error, last_sqlstate, delay FROM mt.retries() WHERE key = 65;
SELECT mt.skip_delays();
SELECT t.dispatch() AS handled;
SELECT mt.trace(65);

-- ---- redrive: which ones, in which order, how often ----
SELECT order_ext.redrive('mt.g') > 0 AS earlier_ones;
SELECT mt.skip_delays();
CREATE TABLE mt.seen (n serial, key bigint, attempt integer);
CREATE OR REPLACE FUNCTION mt.act(m order_ext.message) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	IF m.payload ? 'state' AND NOT EXISTS (SELECT FROM pg_class WHERE relname = 'mt_cured') THEN
		RAISE EXCEPTION USING ERRCODE = m.payload->>'state', MESSAGE = 'attempt ' || m.attempt;
	END IF;
	INSERT INTO mt.seen (key, attempt) VALUES (m.key - 870000, m.attempt);
END $$;
CREATE TABLE mt_cured ();
SELECT t.dispatch() > 0 AS earlier_ones;
SELECT mt.stats();
DROP TABLE mt_cured;
TRUNCATE mt.seen;
SELECT t.subscribe('mt.g', 'mt.t', 'mt.act(order_ext.message)', '{"max_attempts": 1}');
CREATE TABLE mt.ids AS SELECT n AS key, order_ext.publish('mt.t', 870000 + n, '{"state": "XX999"}') AS id FROM unnest(ARRAY[75, 71, 73, 72, 74]) AS n;
CREATE FUNCTION mt.these(VARIADIC keys bigint[]) RETURNS bigint[] LANGUAGE sql AS $$ SELECT array_agg(id) FROM mt.ids WHERE key = ANY (keys) $$;
SELECT t.dispatch() AS handled;
SELECT t.subscribe('mt.other', 'mt.t', 'mt.act(order_ext.message)', '{"max_attempts": 1}');
SELECT mt.say(79, '{"state": "XX999"}');
SELECT t.dispatch() AS handled;
INSERT INTO mt.ids SELECT 79, message_id FROM order_ext.dead_letters WHERE consumer_group = 'mt.other';
-- a dry run changes nothing, and counts what the same call would do
SELECT order_ext.redrive('mt.g', dry_run => true) AS all_of_them, order_ext.redrive('mt.g', 2, dry_run => true) AS two,
	order_ext.redrive('mt.g', NULL, mt.these(71, 72), true) AS these, order_ext.redrive('mt.g', 1, mt.these(71, 72), true) AS one_of_these,
	order_ext.redrive('mt.other', dry_run => true) AS others;
SELECT outcome, changed FROM t.effect($$order_ext.redrive('mt.g', dry_run => true)$$);
BEGIN READ ONLY;
SELECT order_ext.redrive('mt.g', dry_run => true) AS in_a_read_only_transaction;
SELECT t.go($$order_ext.redrive('mt.g')$$);
COMMIT;
-- unknown ids, another group's, twice the same, none
SELECT order_ext.redrive('mt.g', NULL, '{1,2,9223372036854775807}') AS unknown, order_ext.redrive('mt.g', NULL, '{}') AS none,
	order_ext.redrive('mt.other', NULL, mt.these(71, 72)) AS of_another_group, order_ext.redrive('mt.g', NULL, mt.these(72) || mt.these(72) || 5::bigint) AS one;
SELECT mt.stats();
SELECT t.go($$order_ext.redrive('mt.g', NULL, (SELECT array_agg(n::bigint) FROM generate_series(1, 100001) AS n))$$) AS too_many;
-- the oldest ones first; a limit of more than there are is no error
CREATE TABLE mt_cured ();
SELECT order_ext.redrive('mt.g', 2) AS the_oldest_two;
SELECT order_ext.redrive('mt.g', 1000) AS the_rest;
SELECT order_ext.redrive('mt.g') AS nothing_left;
SELECT t.dispatch() AS handled;
SELECT string_agg(key || '#' || attempt, ' ' ORDER BY n) AS in_the_order_of_death FROM mt.seen;
DROP TABLE mt_cured;
-- a paused group's wait for resume(); the attempts start over, under the options of today
SELECT order_ext.pause('mt.other');
SELECT order_ext.redrive('mt.other') AS redriven;
SELECT order_ext.redrive('mt.other') AS again;
SELECT t.dispatch() AS handled;
SELECT t.subscribe('mt.other', 'mt.t', 'mt.act(order_ext.message)', '{"max_attempts": 2, "backoff": "rocketmq"}');
SELECT order_ext.resume('mt.other');
SELECT t.dispatch() AS handled;
SELECT * FROM mt.retries('mt.other');
SELECT mt.skip_delays();
SELECT t.dispatch() AS handled;
SELECT attempts, last_error FROM order_ext.dead_letters WHERE consumer_group = 'mt.other';
-- both lives are in the log
SELECT attempt, state FROM order_ext.attempt_log WHERE consumer_group = 'mt.other' ORDER BY started_at;

-- ---- dead letters are reported, alerts that become dead letters themselves are not ----
CREATE FUNCTION mt.deaf(m order_ext.message) RETURNS void LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$;
SELECT t.subscribe('mt.alerts', 'ops.alert', 'mt.deaf(order_ext.message)', '{"max_attempts": 1}');
SELECT mt.say(80, '{"state": "OE803"}');
SELECT t.dispatch() > 0 AS handled;
SELECT count(*) AS alerts_died FROM order_ext.dead_letters WHERE consumer_group = 'mt.alerts' AND payload->>'consumer_group' IN ('mt.g', 'mt.other') AND key = 870080;
SELECT count(*) AS alerts_about_alerts FROM order_ext_internal.message_log WHERE payload->>'consumer_group' = 'mt.alerts';
SELECT order_ext.unsubscribe('mt.alerts');

SELECT order_ext.unsubscribe('mt.g'), order_ext.unsubscribe('mt.other'), order_ext.drop_topic('mt.t');
SET client_min_messages = warning;
DROP SCHEMA mt CASCADE;
RESET client_min_messages;
CALL t.resume_others();
SELECT t.drain();
SELECT * FROM order_ext.verify() WHERE severity = 'error';
