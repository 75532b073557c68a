-- dedup_key: within the topic's window the first message with a key is the only one.
SELECT t.drain();
CALL t.pause_others();
CREATE SCHEMA md;
CREATE TABLE md.seen (id bigint, key bigint);
CREATE FUNCTION md.note(m order_ext.message) RETURNS void LANGUAGE sql AS 'INSERT INTO md.seen VALUES (m.id, m.key)';
-- As if hours had gone by between the calls.
CREATE FUNCTION md.age(hours integer) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	SET LOCAL session_replication_role = replica;
	UPDATE order_ext_internal.ring_moves SET moved_at = moved_at - hours * interval '1 hour' WHERE ring = 'dedup';
	FOR n IN 0..3 LOOP
		EXECUTE format('UPDATE order_ext_internal.dedup_%s SET published_at = published_at - $1 * interval ''1 hour''', n) USING hours;
	END LOOP;
END $$;
SELECT order_ext.create_topic('md.t'), t.subscribe('md.g', 'md.t', 'md.note(order_ext.message)');
SELECT order_ext.create_topic('md.short', '{"dedup_window": "1 hour"}'), t.subscribe('md.short', 'md.short', 'md.note(order_ext.message)');
SELECT dedup_window FROM order_ext_internal.topics WHERE name LIKE 'md.%' ORDER BY name;

SELECT order_ext.publish('md.t', 1, '{}', NULL, 'once') AS first \gset
SELECT order_ext.publish('md.t', 2, '{"other": true}', NULL, 'once') = :first AS first_id,
	order_ext.publish('md.t', 3, '{}', clock_timestamp() + interval '1 h', 'once') = :first AS first_id_too,
	order_ext.publish('md.t', 4, '{}', NULL, 'twice') <> :first AS another_key,
	order_ext.publish('md.t', 5, '{}', NULL, 'Once') <> :first AS bytes_count,
	order_ext.publish('md.short', 6, '{}', NULL, 'once') <> :first AS another_topic;
SELECT t.dispatch() AS handled;
SELECT key FROM md.seen ORDER BY key;
-- also after it was delivered
SELECT order_ext.publish('md.t', 7, '{}', NULL, 'once') = :first AS first_id;

-- with the transaction
BEGIN;
SELECT order_ext.publish('md.t', 10, '{}', NULL, 'x') AS gone \gset
SELECT order_ext.publish('md.t', 11, '{}', NULL, 'x') = :gone AS own;
ROLLBACK;
BEGIN;
SAVEPOINT s;
SELECT order_ext.publish('md.t', 12, '{}', NULL, 'x') = :gone AS own;
ROLLBACK TO s;
SELECT order_ext.publish('md.t', 13, '{}', NULL, 'x') AS kept \gset
COMMIT;
SELECT order_ext.publish('md.t', 14, '{}', NULL, 'x') = :kept AS kept;
-- in REPEATABLE READ, a first message that the snapshot does not show
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT order_ext.publish('md.t', 15, '{}', NULL, 'x') = :kept AS kept;
COMMIT;
-- a timer has its id at once, and a canceled one frees its key
SELECT order_ext.publish('md.t', 16, '{}', clock_timestamp() + interval '1 h', 'timer') AS timer \gset
SELECT order_ext.publish('md.t', 17, '{}', NULL, 'timer') = :timer AS timer;
SELECT order_ext.cancel_message(:timer);
SELECT order_ext.publish('md.t', 17, '{}', NULL, 'timer') AS second \gset
SELECT :second <> :timer AS another, order_ext.publish('md.t', 18, '{}', NULL, 'timer') = :second AS second_id;
-- a canceled one that is canceled with its transaction is not
SELECT order_ext.publish('md.t', 19, '{}', clock_timestamp() + interval '1 h', 'timer2') AS timer \gset
BEGIN;
SELECT order_ext.cancel_message(:timer);
SELECT order_ext.publish('md.t', 19, '{}', NULL, 'timer2') <> :timer AS another;
ROLLBACK;
SELECT order_ext.publish('md.t', 19, '{}', NULL, 'timer2') = :timer AS timer;
SELECT t.dispatch() AS handled;
SELECT key FROM md.seen WHERE key >= 10 ORDER BY key;

-- in bulk
SELECT count(DISTINCT order_ext.publish('md.t', 70000, '{}', NULL, 'bulk ' || n % 1000)) FROM generate_series(1, 3000) AS n;

-- the window ends, also while the key's segment is the current one
SELECT order_ext.publish('md.short', 20, '{}', NULL, 'k') AS first \gset
SELECT order_ext.publish('md.short', 21, '{}', NULL, 'k') = :first AS first_id;
SELECT md.age(2);
SELECT order_ext.publish('md.short', 22, '{}', NULL, 'k') AS second \gset
SELECT :second <> :first AS again, order_ext.publish('md.short', 23, '{}', NULL, 'k') = :second AS second_id;

-- the ring moves on: keys are still known, and go with their segment
CREATE FUNCTION md.segments() RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', (SELECT count(*) FROM order_ext_internal.dedup_0 WHERE topic_id = t.topic_id), (SELECT count(*) FROM order_ext_internal.dedup_1 WHERE topic_id = t.topic_id),
		(SELECT count(*) FROM order_ext_internal.dedup_2 WHERE topic_id = t.topic_id), (SELECT count(*) FROM order_ext_internal.dedup_3 WHERE topic_id = t.topic_id))
	FROM order_ext_internal.topics t WHERE name = 'md.r'
$$;
SELECT order_ext.create_topic('md.r');
SELECT order_ext.publish('md.r', 30, '{}', NULL, 'r') AS first \gset
SELECT order_ext.maintain() >= 0 AS maintained;
SELECT md.age(13);
\c -
SELECT order_ext.maintain() >= 0 AS maintained;
SELECT order_ext.publish('md.r', 31, '{}', NULL, 'r') = :first AS first_id, order_ext.publish('md.r', 32, '{}', NULL, 's') > 0 AS another;
SELECT array_agg(n ORDER BY n) FROM regexp_split_to_table(md.segments(), ' ') AS n;
SELECT md.age(13);
\c -
SELECT order_ext.maintain() >= 0 AS maintained;
SELECT order_ext.publish('md.r', 33, '{}', NULL, 'r') <> :first AS again;
SELECT md.age(13);
\c -
SELECT order_ext.maintain() >= 0 AS maintained;
SELECT md.age(13);
\c -
SELECT order_ext.maintain() >= 0 AS maintained;
SELECT order_ext.maintain() >= 0 AS maintained;
SELECT array_agg(n ORDER BY n) FROM regexp_split_to_table(md.segments(), ' ') AS n;

-- what every group has given up frees its key: dead letters, and what handlers discard
CREATE FUNCTION md.give_up(m order_ext.message) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	IF m.payload->>'do' = 'die' THEN
		RAISE 'no' USING ERRCODE = 'OE803';
	ELSIF m.payload->>'do' = 'discard' THEN
		RAISE 'no' USING ERRCODE = 'OE802';
	END IF;
	INSERT INTO md.seen VALUES (m.id, m.key);
END $$;
SELECT order_ext.create_topic('md.d'), t.subscribe('md.d1', 'md.d', 'md.give_up(order_ext.message)'), t.subscribe('md.d2', 'md.d', 'md.give_up(order_ext.message)', '{"max_attempts": 1}');
SELECT order_ext.publish('md.d', 100, '{"do": "die"}', NULL, 'dead') AS dead, order_ext.publish('md.d', 101, '{"do": "discard"}', NULL, 'discarded') AS discarded,
	order_ext.publish('md.d', 102, '{}', NULL, 'done') AS done \gset
SELECT t.dispatch() > 0 AS handled;
SELECT order_ext.publish('md.d', 103, '{}', NULL, 'dead') AS dead2, order_ext.publish('md.d', 104, '{}', NULL, 'discarded') AS discarded2 \gset
SELECT :dead2 <> :dead AS dead_is_free, :discarded2 <> :discarded AS discarded_is_free, order_ext.publish('md.d', 105, '{}', NULL, 'done') = :done AS done_is_not,
	order_ext.publish('md.d', 106, '{}', NULL, 'dead') = :dead2 AS taken_again;
-- one whose key was taken does not come back
SELECT order_ext.redrive('md.d1', dry_run => true) AS counted, order_ext.redrive('md.d1') AS redriven, order_ext.replay('md.d1', '-infinity', message_ids => ARRAY[:discarded]) AS replayed,
	(SELECT count(*) FROM order_ext.dead_letters WHERE consumer_group = 'md.d1') AS still_dead;
SELECT order_ext.discard('md.d1') AS discarded;
SELECT t.dispatch() > 0 AS handled;
SELECT key, count(*) FROM md.seen WHERE key BETWEEN 100 AND 110 GROUP BY key ORDER BY key;
-- as long as one group may still get it the key is taken; and again when it is redriven
SELECT order_ext.pause('md.d2');
SELECT order_ext.publish('md.d', 110, '{"do": "die"}', NULL, 'half') AS half \gset
SELECT t.dispatch() > 0 AS handled;
SELECT order_ext.publish('md.d', 111, '{}', NULL, 'half') = :half AS half_is_not_free;
SELECT order_ext.resume('md.d2');
SELECT t.dispatch() > 0 AS handled;
SELECT order_ext.redrive('md.d1') AS redriven;
SELECT order_ext.publish('md.d', 112, '{}', NULL, 'half') = :half AS redriven_is_not_free;
SELECT t.dispatch() > 0 AS handled;
SELECT order_ext.publish('md.d', 113, '{}', NULL, 'half') <> :half AS free_again;
-- a segment later, the free row is in another table
SELECT order_ext.publish('md.d', 120, '{"do": "discard"}', NULL, 'old') AS old \gset
SELECT t.dispatch() > 0 AS handled;
SELECT md.age(13);
\c -
SELECT order_ext.maintain() >= 0 AS maintained;
\c -
SELECT order_ext.publish('md.d', 121, '{}', NULL, 'old') AS old2 \gset
SELECT :old2 <> :old AS another, order_ext.publish('md.d', 122, '{}', NULL, 'old') = :old2 AS second_id;
SELECT entity, actual FROM order_ext.verify() WHERE invariant = 'I9' AND severity = 'error';
SELECT t.drain();
SELECT order_ext.unsubscribe('md.d1'), order_ext.unsubscribe('md.d2'), order_ext.drop_topic('md.d');

-- bad input stores nothing
CREATE TABLE md.calls (line serial, expression text);
INSERT INTO md.calls (expression) VALUES
	($$order_ext.publish('md.t', 1, '{}', NULL, '')$$),
	($$order_ext.publish('md.t', 1, '{}', NULL, repeat('x', 257))$$),
	($$order_ext.publish('md.none', 1, '{}', NULL, 'x')$$),
	($$order_ext.publish('order.paid', 1, '{}', NULL, 'x')$$),
	($$order_ext.create_topic('md.u', '{"dedup_window": "0"}')$$),
	($$order_ext.create_topic('md.u', '{"dedup_window": "-1 day"}')$$),
	($$order_ext.create_topic('md.u', '{"dedup_window": "2 years"}')$$),
	($$order_ext.create_topic('md.u', '{"dedup_window": "soon"}')$$),
	($$order_ext.create_topic('md.u', '{"dedup_window": 60}')$$),
	($$order_ext.create_topic('md.u', '{"max_depth": 0}')$$),
	($$order_ext.create_topic('md.u', '{"max_depth": 1.5}')$$),
	($$order_ext.create_topic('md.u', '{"max_depth": "1"}')$$);
SELECT expression, outcome, changed FROM md.calls, t.effect(expression) ORDER BY line;

SELECT t.drain();
SELECT order_ext.unsubscribe('md.g'), order_ext.unsubscribe('md.short');
SELECT order_ext.drop_topic('md.t'), order_ext.drop_topic('md.short'), order_ext.drop_topic('md.r');
SET client_min_messages = warning;
DROP SCHEMA md CASCADE;
RESET client_min_messages;
CALL t.resume_others();
SELECT t.drain();
SELECT * FROM order_ext.verify() WHERE severity = 'error';
