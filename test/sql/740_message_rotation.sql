-- Rotation: the log continues in its next segment, and what all groups have passed is truncated;
-- what a group still needs is not, however long that takes. maintain() does here what the
-- scheduler does elsewhere.
SELECT t.drain();
CREATE SCHEMA mr;
CREATE TABLE mr.seen (id bigint, key bigint, attempt integer);
CREATE TABLE mr.switch (fail boolean);
INSERT INTO mr.switch VALUES (true);
CREATE FUNCTION mr.note(m order_ext.message) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	IF m.key >= 50000 AND (SELECT fail FROM mr.switch) THEN
		RAISE EXCEPTION 'not yet' USING ERRCODE = CASE m.key % 10 WHEN 0 THEN 'OE801' ELSE 'OE803' END, DETAIL = '0 s';
	END IF;
	INSERT INTO mr.seen VALUES (m.id, m.key, m.attempt);
END $$;
CREATE FUNCTION mr.rows() RETURNS bigint LANGUAGE sql AS
	$$ SELECT count(*) FROM order_ext_internal.message_log WHERE topic_id = (SELECT topic_id FROM order_ext_internal.topics WHERE name = 'mr.t') $$;
CREATE FUNCTION mr.segment() RETURNS integer LANGUAGE sql AS
	$$ SELECT coalesce((SELECT segment FROM order_ext_internal.ring_moves WHERE ring = 'log' ORDER BY seq DESC LIMIT 1), 0) $$;
-- Maintain once the ring may move again; how many segments it has moved.
CREATE FUNCTION mr.move() RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
	before integer := mr.segment();
BEGIN
	WHILE clock_timestamp() <= (SELECT max(moved_at) + interval '1 second' FROM order_ext_internal.ring_moves WHERE ring = 'log') LOOP
		PERFORM pg_sleep(0.01);
	END LOOP;
	PERFORM order_ext.maintain();
	RETURN (mr.segment() - before + 4) % 4;
END $$;

-- Until only the current segment holds anything. Messages that timers publish meanwhile keep theirs
-- until they have been read.
CREATE PROCEDURE mr.settle(INOUT settled boolean DEFAULT true) LANGUAGE plpgsql AS $$
DECLARE
	n bigint;
BEGIN
	FOR i IN 1..10 LOOP
		CALL t.drain_all();
		PERFORM mr.move();
		COMMIT;
		PERFORM order_ext.maintain();
		COMMIT;
		SELECT sum(pg_relation_size(oid)) INTO n FROM pg_class
		WHERE relnamespace = 'order_ext_internal'::regnamespace AND relname ~ ('^(message_log|attempts)_[^' || mr.segment() || ']$');
		IF n = 0 THEN RETURN; END IF;
	END LOOP;
	settled := false;
END $$;

SELECT order_ext.create_topic('mr.t'), t.subscribe('mr.g', 'mr.t', 'mr.note(order_ext.message)');
SET order_ext.log_retention = 0;
-- the log moves on from where it began
SELECT order_ext.create_topic('mr.first');
SELECT order_ext.publish('mr.first', 1) > 0 AS published;
CALL mr.settle();
CALL t.pause_others('^mr\.');
SELECT count(order_ext.publish('mr.t', n)) FROM generate_series(1, 3) AS n;
SELECT t.dispatch(2) AS handled;
SELECT mr.move();
SELECT count(order_ext.publish('mr.t', n)) FROM generate_series(4, 6) AS n;
SELECT mr.rows();
-- round and round as far as the segment that is needed
SELECT mr.move();
SELECT count(order_ext.publish('mr.t', n)) FROM generate_series(7, 9) AS n;
SELECT mr.move();
SELECT count(order_ext.publish('mr.t', n)) FROM generate_series(10, 12) AS n;
SELECT mr.move();
SELECT count(order_ext.publish('mr.t', n)) FROM generate_series(13, 15) AS n;
SELECT mr.move();
SELECT mr.rows();
-- within a transaction nothing is truncated: the lock would be held until its end
SELECT t.dispatch() AS handled;
CALL t.resume_others();
CALL t.drain_all();
BEGIN;
SELECT order_ext.maintain() >= 0 AS maintained;
SELECT mr.rows();
COMMIT;
-- all behind: what is left is in the current segment
SELECT order_ext.maintain() >= 0 AS maintained;
SELECT mr.rows();
CALL mr.settle();
SELECT mr.rows();
SELECT array_agg(key ORDER BY id) FROM mr.seen;
SELECT lag, consumed FROM order_ext.consumer_stats WHERE consumer_group = 'mr.g';

-- a group that reads from the beginning needs what is left, and keeps it
SELECT count(order_ext.publish('mr.t', n)) FROM generate_series(20, 22) AS n;
SELECT t.drain();
SELECT t.subscribe('mr.late', 'mr.t', 'mr.note(order_ext.message)', '{"start": "earliest"}');
DO $$ BEGIN FOR i IN 1..3 LOOP PERFORM order_ext.publish('mr.t', 22 + i); PERFORM mr.move(); END LOOP; END $$;
SELECT mr.rows();
TRUNCATE mr.seen;
SELECT t.drain();
SELECT key, count(*) FROM mr.seen GROUP BY key ORDER BY key;
SELECT order_ext.unsubscribe('mr.late');

-- failed messages are copies: they outlive their segment
SELECT t.subscribe('mr.g', 'mr.t', 'mr.note(order_ext.message)', '{"max_attempts": 3}');
UPDATE mr.switch SET fail = true;
CALL t.pause_others('^mr\.');
SELECT order_ext.publish('mr.t', 50001) AS dead \gset
SELECT t.dispatch() AS handled;
CALL t.resume_others();
CALL t.drain_all();
CALL mr.settle();
SELECT count(*) FROM order_ext_internal.message_log WHERE message_id = :dead;
SELECT count(*) FROM order_ext_internal.attempts WHERE message_id = :dead;
SELECT message_id = :dead AS it, consumer_group, key, attempts, last_sqlstate FROM order_ext.dead_letters WHERE consumer_group = 'mr.g';
SELECT message_id = :dead AS it, topic, consumer_group, state, attempt FROM order_ext.message_trace(50001);

-- a size, too, makes the log go on
CALL mr.settle();
SET order_ext.log_retention = '1d';
SET order_ext.log_segment_size = '64kB';
SELECT mr.segment() AS segment \gset
SELECT count(order_ext.publish('mr.t', n, jsonb_build_object('x', repeat('x', 200)))) FROM generate_series(100, 399) AS n;
SELECT order_ext.maintain() >= 0 AS maintained;
SELECT (mr.segment() - :segment + 4) % 4 AS moved;
SELECT order_ext.maintain() >= 0 AS maintained;
SELECT (mr.segment() - :segment + 4) % 4 AS moved;
RESET order_ext.log_segment_size;
SELECT t.drain();

-- a group that has stopped: the log is kept for it, and operators are alerted, once
CALL t.pause_others('^mr\.');
SET order_ext.log_retention = 0;
SELECT order_ext.publish('mr.t', 50) > 0 AS published;
CREATE FUNCTION mr.alerts() RETURNS TABLE (consumer_group text, topic text, keys text) LANGUAGE sql AS $$
	SELECT payload->>'consumer_group', payload->>'topic', (SELECT string_agg(k, ' ' ORDER BY k) FROM jsonb_object_keys(payload) AS k)
	FROM order_ext_internal.message_log WHERE topic_id = t.code('topic', 'ops.alert') AND payload->>'kind' = 'backlog' AND payload->>'consumer_group' = 'mr.g' AND published_at > now() - interval '1 h'
$$;
SELECT order_ext.maintain() >= 0 AS maintained;
SELECT * FROM mr.alerts();
SELECT pg_sleep(1.1);
SET order_ext.backlog_alert_age = '1s';
SELECT order_ext.maintain() >= 0 AS maintained, order_ext.maintain() >= 0 AS maintained;
SELECT * FROM mr.alerts();
SELECT invariant, severity, entity, expected FROM order_ext.verify() WHERE entity = 'group mr.g';
SELECT t.dispatch() AS handled;
SELECT order_ext.maintain() >= 0 AS maintained;
SELECT count(*) AS alerts FROM order_ext_internal.backlog_alerts JOIN order_ext_internal.consumer_groups USING (group_id) WHERE name = 'mr.g';
SELECT invariant, severity, entity, expected FROM order_ext.verify() WHERE entity = 'group mr.g';
SET order_ext.backlog_alert_age = 0;
SELECT order_ext.publish('mr.t', 51) > 0 AS published;
SELECT order_ext.maintain() >= 0 AS maintained;
SELECT count(*) AS alerts FROM order_ext_internal.backlog_alerts JOIN order_ext_internal.consumer_groups USING (group_id) WHERE name = 'mr.g';
RESET order_ext.backlog_alert_age;
SELECT t.drain();

-- tables whose rows come and go are rewritten when they have grown
SELECT t.subscribe('mr.g', 'mr.t', 'mr.note(order_ext.message)', '{"max_attempts": 1000}');
SELECT count(order_ext.publish('mr.t', 52000 + 10 * n, jsonb_build_object('x', (SELECT string_agg(md5(n * i || ''), '') FROM generate_series(1, 55) AS i)))) FROM generate_series(1, 4) AS n;
SELECT t.dispatch(3500) AS handled;
SELECT pg_relation_size('order_ext_internal.retries') > 2 * 1024 * 1024 AS grown;
SELECT count(*) AS waiting, md5(string_agg(payload::text, '' ORDER BY message_id)) AS payloads FROM order_ext_internal.retries WHERE key > 52000 \gset
SELECT order_ext.maintain() >= 0 AS maintained;
SELECT pg_relation_size('order_ext_internal.retries') < 256 * 1024 AS small;
SELECT count(*) = :waiting AS all_there, md5(string_agg(payload::text, '' ORDER BY message_id)) = :'payloads' AS payloads FROM order_ext_internal.retries WHERE key > 52000;
UPDATE mr.switch SET fail = false;
SELECT t.dispatch() AS handled;
SELECT key, count(*) FROM mr.seen WHERE key > 52000 GROUP BY key ORDER BY key;

-- the end of a group leaves nothing of it
SELECT order_ext.publish('mr.t', 50003) > 0 AS published;
UPDATE mr.switch SET fail = true;
SELECT t.dispatch() AS handled;
SELECT group_id FROM order_ext_internal.consumer_groups WHERE name = 'mr.g' \gset
CALL t.resume_others();
CALL t.drain_all();
-- (the tests after this one look into the first segment)
DO $$ BEGIN WHILE mr.segment() <> 0 LOOP PERFORM order_ext.publish('mr.t', 1); PERFORM mr.move(); END LOOP; END $$;
SELECT order_ext.unsubscribe('mr.g'), order_ext.drop_topic('mr.t');
CREATE FUNCTION mr.named(id integer) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	tab regclass;
	n bigint;
BEGIN
	FOR tab IN SELECT attrelid FROM pg_attribute JOIN pg_class c ON c.oid = attrelid
		WHERE relnamespace = 'order_ext_internal'::regnamespace AND relkind = 'r' AND attname = 'group_id' LOOP
		EXECUTE format('SELECT count(*) FROM %s WHERE group_id = %s', tab, id) INTO n;
		IF n > 0 THEN RETURN NEXT tab || ': ' || n; END IF;
	END LOOP;
END $$;
SELECT * FROM mr.named(:group_id);
RESET order_ext.log_retention;
SET client_min_messages = warning;
DROP SCHEMA mr CASCADE;
RESET client_min_messages;
SELECT * FROM order_ext.verify() WHERE severity = 'error';
