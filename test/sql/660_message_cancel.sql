-- cancel_message: a timer is delivered or canceled, never both; with the caller's transaction.
SELECT t.drain();
CALL t.pause_others();
CREATE SCHEMA mx;
CREATE TABLE mx.seen (id bigint, key bigint, at timestamptz DEFAULT clock_timestamp());
CREATE FUNCTION mx.note(m order_ext.message) RETURNS void LANGUAGE sql AS 'INSERT INTO mx.seen VALUES (m.id, m.key)';
SELECT order_ext.create_topic('mx.t'), t.subscribe('mx.g', 'mx.t', 'mx.note(order_ext.message)');
-- Deliver until so many were seen.
CREATE FUNCTION mx.dispatch_until(n integer) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	FOR i IN 1..2000 LOOP
		PERFORM t.dispatch();
		IF (SELECT count(*) FROM mx.seen) >= n THEN RETURN true; END IF;
		PERFORM pg_sleep(0.005);
	END LOOP;
	RETURN false;
END $$;

CREATE FUNCTION mx.pending() RETURNS bigint LANGUAGE sql AS
	$$ SELECT count(*) FROM order_ext_internal.pending_timers WHERE topic_id = (SELECT topic_id FROM order_ext_internal.topics WHERE name = 'mx.t') $$;

-- near (in the ring) and far
SELECT order_ext.publish('mx.t', 1, '{}', clock_timestamp() + interval '2 s') AS near \gset
SELECT order_ext.publish('mx.t', 2, '{}', clock_timestamp() + interval '2 s') AS kept \gset
SELECT order_ext.publish('mx.t', 3, '{}', clock_timestamp() + interval '1 year') AS far \gset
SELECT order_ext.publish('mx.t', 4) AS now \gset
SELECT order_ext.cancel_message(:near) AS near, order_ext.cancel_message(:near) AS again,
	order_ext.cancel_message(:far) AS far, order_ext.cancel_message(:far) AS again,
	order_ext.cancel_message(:now) AS no_timer, order_ext.cancel_message(9223372036854775807) AS unknown;
SELECT state FROM order_ext.message_trace(1) WHERE topic = 'mx.t' UNION ALL SELECT state FROM order_ext.message_trace(2) WHERE topic = 'mx.t';
SELECT mx.pending(), next_due IS NOT NULL AS next FROM order_ext.timer_stats;
SELECT mx.dispatch_until(2);
SELECT key FROM mx.seen ORDER BY key;
SELECT mx.pending();
SELECT order_ext.cancel_message(:kept) AS fired;

-- with the transaction: rolled back, wholly or in part, it has not happened
SELECT order_ext.publish('mx.t', 5, '{}', clock_timestamp() + interval '2 s') AS a \gset
SELECT order_ext.publish('mx.t', 6, '{}', clock_timestamp() + interval '2 s') AS b \gset
BEGIN;
SELECT order_ext.cancel_message(:a);
ROLLBACK;
BEGIN;
SAVEPOINT s;
SELECT order_ext.cancel_message(:a);
ROLLBACK TO s;
SELECT order_ext.cancel_message(:b);
SELECT order_ext.cancel_message(:b);
COMMIT;
SELECT mx.dispatch_until(3);
SELECT key FROM mx.seen ORDER BY key;

-- in the transaction that published it, and beside what that delivers itself
BEGIN;
SELECT order_ext.publish('mx.t', 7, '{}', clock_timestamp() + interval '50 ms') AS a \gset
SELECT order_ext.publish('mx.t', 8, '{}', clock_timestamp() + interval '2 d') AS b \gset
SELECT order_ext.cancel_message(:a), order_ext.cancel_message(:b);
SELECT t.dispatch() AS handled;
COMMIT;
SELECT order_ext.publish('mx.t', 9, '{}', clock_timestamp() + interval '20 ms') AS a \gset
SELECT pg_sleep(0.03);
BEGIN;
SELECT order_ext.cancel_message(:a);
SELECT t.dispatch() AS handled;
COMMIT;
SELECT t.dispatch() AS handled;
SELECT pg_sleep(0.05);
SELECT t.dispatch() AS handled;
SELECT key FROM mx.seen ORDER BY key;
SELECT count(*) AS notes_left FROM order_ext_internal.timer_cancels WHERE message_id >= :near;
SELECT mx.pending();

-- in the other isolation levels
SELECT order_ext.publish('mx.t', 10, '{}', clock_timestamp() + interval '1 h') AS a \gset
SELECT order_ext.publish('mx.t', 11, '{}', clock_timestamp() + interval '1 min') AS b \gset
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT order_ext.cancel_message(:a), order_ext.cancel_message(:b);
COMMIT;
SELECT mx.pending();

-- bad input, and what is not the caller's to cancel
SELECT t.go('order_ext.cancel_message(NULL)'), t.go('order_ext.cancel_message(0)'), t.go('order_ext.cancel_message(-1)');
SELECT order_ext.put_product('MX-1', 'A', 100);
SELECT available FROM order_ext.adjust_stock('MX-1', 10);
SELECT id AS order_id FROM order_ext.create_order(1, '[{"sku": "MX-1", "quantity": 1}]', 100) \gset
SELECT code, message FROM order_ext.message_trace(:order_id) m, t.error(format('order_ext.cancel_message(%s)', m.message_id)) WHERE m.state = 'timer';
SELECT order_ext.cancel_order(:order_id) IS NOT NULL AS canceled;
SELECT order_ext.publish('mx.t', 12, '{}', clock_timestamp() + interval '1 min') AS c \gset
BEGIN READ ONLY;
SELECT t.go(format('order_ext.cancel_message(%s)', :c));
COMMIT;

-- the timers of a topic go with it
SELECT count(order_ext.publish('mx.t', 20, '{}', clock_timestamp() + n * interval '20 ms')) FROM generate_series(1, 5) AS n;
SELECT count(order_ext.publish('mx.t', 21, '{}', clock_timestamp() + n * interval '1 d')) FROM generate_series(1, 5) AS n;
SELECT order_ext.unsubscribe('mx.g'), order_ext.drop_topic('mx.t');
SELECT count(*) FROM order_ext_internal.pending_timers WHERE key IN (20, 21);
SELECT pg_sleep(0.1);
SELECT t.drain();
SELECT count(*) FROM order_ext_internal.message_log JOIN order_ext_internal.topics USING (topic_id) WHERE name = 'mx.t' AND key IN (20, 21);
SELECT count(*) FROM mx.seen WHERE key >= 20;
SET client_min_messages = warning;
DROP SCHEMA mx CASCADE;
RESET client_min_messages;
CALL t.resume_others();
SELECT t.drain();
SELECT * FROM order_ext.verify() WHERE severity = 'error';
