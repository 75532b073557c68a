-- max_depth: a topic with so many messages waiting for its slowest group takes no more.
SELECT t.drain();
CALL t.pause_others();
CREATE SCHEMA mq;
CREATE FUNCTION mq.note(m order_ext.message) RETURNS void LANGUAGE sql AS '';
SELECT order_ext.create_topic('mq.t', '{"max_depth": 5}');
-- nobody waits: no limit
SELECT count(order_ext.publish('mq.t', n)) FROM generate_series(1, 10) AS n;
SELECT t.subscribe('mq.a', 'mq.t', 'mq.note(order_ext.message)');
SELECT count(order_ext.publish('mq.t', n)) FROM generate_series(1, 5) AS n;
SELECT * FROM t.error($$order_ext.publish('mq.t', 6)$$);
SELECT * FROM t.effect($$order_ext.publish('mq.t', 6, '{}', NULL, 'key')$$);
SELECT t.go($$order_ext.publish('mq.t', 6, '{}', now() + interval '1 h')$$);
-- each message that is handled makes room for one
SELECT t.dispatch(2) AS handled;
SELECT order_ext.publish('mq.t', 6) > 0 AS published, order_ext.publish('mq.t', 7) > 0 AS published, t.go($$order_ext.publish('mq.t', 8)$$);
SELECT t.dispatch(1) AS handled;
SELECT t.dispatch(1) AS handled;
SELECT count(order_ext.publish('mq.t', n)) FROM generate_series(1, 2) AS n;
SELECT t.go($$order_ext.publish('mq.t', 8)$$);
SELECT t.drain();
-- what the transaction itself has published counts, what it took back does not
BEGIN;
SELECT count(order_ext.publish('mq.t', n)) FROM generate_series(1, 4) AS n;
SAVEPOINT s;
SELECT count(order_ext.publish('mq.t', n)) FROM generate_series(1, 1) AS n;
SELECT t.go($$order_ext.publish('mq.t', 6)$$);
ROLLBACK TO s;
SELECT order_ext.publish('mq.t', 6) > 0 AS published, t.go($$order_ext.publish('mq.t', 7)$$);
ROLLBACK;
SELECT count(order_ext.publish('mq.t', n)) FROM generate_series(1, 5) AS n;
SELECT t.go($$order_ext.publish('mq.t', 6)$$);
-- the slowest group decides
SELECT t.subscribe('mq.b', 'mq.t', 'mq.note(order_ext.message)', '{"start": "earliest"}');
SELECT t.drain();
SELECT order_ext.publish('mq.t', 1) > 0 AS published;
SELECT order_ext.unsubscribe('mq.a');
SELECT t.subscribe('mq.a', 'mq.t', 'mq.note(order_ext.message)', '{"start": "earliest"}');
SELECT (t.error($$order_ext.publish('mq.t', 2)$$)).detail;
SELECT order_ext.unsubscribe('mq.a');
SELECT order_ext.publish('mq.t', 2) > 0 AS published;
-- a deep one, where the count may be some percent old
SELECT order_ext.create_topic('mq.deep', '{"max_depth": 5000}'), t.subscribe('mq.deep', 'mq.deep', 'mq.note(order_ext.message)');
CREATE PROCEDURE mq.fill() LANGUAGE plpgsql AS $$
BEGIN
	FOR n IN 1..6000 LOOP
		BEGIN
			PERFORM order_ext.publish('mq.deep', 70001);
		EXCEPTION WHEN SQLSTATE 'OE703' THEN
			EXIT;
		END;
	END LOOP;
END $$;
CALL mq.fill();
SELECT lag BETWEEN 5000 AND 5100 AS full FROM order_ext.consumer_stats WHERE consumer_group = 'mq.deep';
SELECT t.go($$order_ext.publish('mq.deep', 70001)$$);
SELECT t.drain();
DO $$
BEGIN
	FOR n IN 1..1000 LOOP
		BEGIN
			PERFORM order_ext.publish('mq.deep', 70001);
			EXIT;
		EXCEPTION WHEN SQLSTATE 'OE703' THEN
			PERFORM pg_sleep(0.01);
		END;
	END LOOP;
END $$;
SELECT lag FROM order_ext.consumer_stats WHERE consumer_group = 'mq.deep';
SELECT t.drain();

-- the group is reported by its whole name, however long and of whatever characters
SELECT order_ext.create_topic('mq.long', '{"max_depth": 1}'), t.subscribe(repeat('é', 128), 'mq.long');
SELECT order_ext.publish('mq.long', 1) > 0 AS published;
SELECT code, detail = 'At least 1 messages are waiting for consumer group "' || repeat('é', 128) || '"; max_depth is 1.' AS whole_name FROM t.error($$order_ext.publish('mq.long', 1)$$);
SELECT order_ext.unsubscribe(repeat('é', 128)), order_ext.drop_topic('mq.long');
SELECT order_ext.unsubscribe('mq.b'), order_ext.unsubscribe('mq.deep'), order_ext.drop_topic('mq.t'), order_ext.drop_topic('mq.deep');
SET client_min_messages = warning;
DROP SCHEMA mq CASCADE;
RESET client_min_messages;
CALL t.resume_others();
SELECT t.drain();
SELECT * FROM order_ext.verify() WHERE severity = 'error';
