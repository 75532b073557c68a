-- Timers: armed in the past, now and later; fired by dispatch(), never early, each once.

CREATE TABLE fired (id bigint, key bigint, at timestamptz DEFAULT clock_timestamp());
CREATE FUNCTION note_timer(m order_ext.message) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO public.fired (id, key) VALUES (m.id, m.key);
END
$$;
SELECT order_ext.create_topic('timers.test');
SELECT t.subscribe('timers.test', 'timers.test', 'public.note_timer(order_ext.message)');
CREATE TEMP TABLE armed (id bigint, key bigint, due_at timestamptz);
CREATE TABLE start AS SELECT fired FROM order_ext.timer_stats;
-- Other files have timers, too: only ours count.
CREATE VIEW waiting AS
	SELECT count(*) AS timers, min(due_at) AS first
	FROM order_ext_internal.pending_timers JOIN order_ext_internal.topics USING (topic_id)
	WHERE name = 'timers.test';

-- dispatch_ours(): dispatches, and returns how many of our timers came through.
CREATE FUNCTION dispatch_ours() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	before bigint := (SELECT count(*) FROM public.fired);
BEGIN
	PERFORM t.dispatch();
	RETURN (SELECT count(*) FROM public.fired) - before;
END
$$;
-- dispatch_until(): dispatches until the condition is true (at most 10 s); whether it is.
CREATE FUNCTION dispatch_until(condition text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
	holds boolean := false;
BEGIN
	FOR round IN 1..200 LOOP
		PERFORM t.dispatch();
		EXECUTE 'SELECT ' || condition INTO holds;
		EXIT WHEN holds;
		PERFORM pg_sleep(0.05);
	END LOOP;
	RETURN holds;
END
$$;

-- Refused: no time at all, and none that ever comes.
SELECT order_ext.publish('timers.test', 1, deliver_at => 'infinity');
SELECT order_ext.publish('timers.test', 1, deliver_at => '-infinity');

-- A past time is now: a message, not a timer.
SELECT order_ext.publish('timers.test', 1, deliver_at => '2001-01-01') > 0 AS published;
SELECT order_ext.publish('timers.test', 2, deliver_at => now()) > 0 AS published;
SELECT timers FROM waiting;
SELECT dispatch_ours() AS delivered;
SELECT key FROM fired ORDER BY key;

-- Later: not before its time, whatever asks for it.
INSERT INTO armed
SELECT order_ext.publish('timers.test', key, deliver_at => due), key, due
FROM (SELECT 10 + n AS key, clock_timestamp() + n * interval '30 ms' AS due
	  FROM generate_series(1, 20) AS n) AS later;
SELECT timers, first = (SELECT min(due_at) FROM armed) AS first_is_known,
	pending >= timers AS counted, next_due <= first AS next_due_is_known
FROM order_ext.timer_stats, waiting;
SELECT dispatch_until('(SELECT count(*) FROM fired WHERE key > 10) = 20');
SELECT count(*) AS early FROM fired JOIN armed USING (id) WHERE at < due_at;
SELECT count(*) AS fired, count(DISTINCT id) AS different FROM fired JOIN armed USING (id, key);
SELECT timers, stats.fired - start.fired >= 20 AS fired,
	late_p50 > '0' AS late_p50, late_p99 >= late_p50 AS late_p99
FROM order_ext.timer_stats stats, start, waiting;

-- A message id stays the same from publish to handler; published_at, too.
SELECT count(*) AS same FROM armed JOIN order_ext_internal.message_log l ON l.message_id = armed.id
WHERE l.published_at < armed.due_at;

-- A transaction that is rolled back arms nothing, in whole or in part.
BEGIN;
SELECT order_ext.publish('timers.test', 50, deliver_at => clock_timestamp() + interval '10 ms') > 0 AS published;
ROLLBACK;
BEGIN;
SELECT order_ext.publish('timers.test', 51, deliver_at => clock_timestamp() + interval '10 ms') > 0 AS published;
SAVEPOINT s;
SELECT order_ext.publish('timers.test', 52, deliver_at => clock_timestamp() + interval '10 ms') > 0 AS published;
ROLLBACK TO s;
COMMIT;
SELECT dispatch_until('EXISTS (SELECT FROM fired WHERE key = 51)');
SELECT key FROM fired WHERE key BETWEEN 50 AND 59;

-- What this transaction armed waits for its commit, due or not.
BEGIN;
SELECT order_ext.publish('timers.test', 60, deliver_at => clock_timestamp() + interval '1 ms') > 0 AS published;
SELECT pg_sleep(0.01);
SELECT dispatch_ours() AS delivered;
COMMIT;
SELECT dispatch_until('EXISTS (SELECT FROM fired WHERE key = 60)');

-- dispatch() that is rolled back has fired nothing; the next one does, in one piece with
-- what was armed meanwhile.
SELECT order_ext.publish('timers.test', 70, deliver_at => clock_timestamp() + interval '1 ms') > 0 AS published;
SELECT pg_sleep(0.01);
BEGIN;
SELECT dispatch_ours() AS delivered;
SELECT key FROM fired WHERE key = 70;
ROLLBACK;
SELECT key FROM fired WHERE key = 70;
BEGIN;
SAVEPOINT s;
SELECT dispatch_ours() AS delivered;
ROLLBACK TO s;
SELECT dispatch_ours() AS delivered;
COMMIT;
SELECT key FROM fired WHERE key = 70;

-- At every isolation level.
SELECT order_ext.publish('timers.test', 80, deliver_at => clock_timestamp() + interval '1 ms') > 0 AS published;
SELECT pg_sleep(0.01);
BEGIN ISOLATION LEVEL SERIALIZABLE;
SELECT dispatch_ours() AS delivered;
COMMIT;
SELECT dispatch_until('EXISTS (SELECT FROM fired WHERE key = 80)');

-- Far away: beyond the ring of an hour, up to many years.
INSERT INTO armed
SELECT order_ext.publish('timers.test', key, deliver_at => due), key, due
FROM (VALUES (100, clock_timestamp() + interval '59 min'), (101, clock_timestamp() + interval '63 min'),
		(102, clock_timestamp() + interval '1 day'), (103, '9999-12-31')) AS far (key, due);
SELECT count(*) AS beyond_the_ring FROM order_ext_internal.timers_far
WHERE message_id IN (SELECT id FROM armed);
SELECT timers FROM waiting;
SELECT dispatch_ours() AS delivered;
SELECT timers FROM waiting;

-- One of them falls due (as if its time had come: the engine's tables take inserts).
INSERT INTO order_ext_internal.timers_far (message_id, xid, key, due_at, published_at, topic_id, payload)
SELECT nextval('order_ext_internal.message_id_seq'), pg_current_xact_id(), 110 + n,
	clock_timestamp() - n * interval '1 s', clock_timestamp() - interval '2 h', topic_id, '{}'
FROM order_ext_internal.topics, generate_series(0, 2) AS n WHERE name = 'timers.test';
-- A new session looks everywhere at first.
\c -
SELECT dispatch_ours() AS delivered;
SELECT key FROM fired WHERE key BETWEEN 110 AND 119 ORDER BY key;
SELECT count(*) AS left_in_far FROM order_ext_internal.timers_far WHERE key BETWEEN 110 AND 119;

-- A stopped server leaves timers of any period behind: they all fire, once.
CREATE FUNCTION leave_behind(first integer) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	FOR n IN 0..31 LOOP
		EXECUTE format('INSERT INTO order_ext_internal.timer_bucket_%s
			(message_id, xid, key, due_at, published_at, topic_id, payload)
			SELECT nextval(''order_ext_internal.message_id_seq''), pg_current_xact_id(), %s,
				now() - interval ''3 h'' - random() * interval ''1 h'', now() - interval ''5 h'', topic_id, ''{}''
			FROM order_ext_internal.topics WHERE name = ''timers.test''', n, first + n);
	END LOOP;
END
$$;
SELECT leave_behind(200);
\c -
SELECT dispatch_ours() AS delivered;
SELECT count(*), count(DISTINCT key) FROM fired WHERE key BETWEEN 200 AND 231;
SELECT dispatch_ours() AS delivered;
SELECT count(*) FROM fired WHERE key BETWEEN 200 AND 231;

-- Many at the very same time need not go together, and those of another topic do not wait
-- for them, be they due later.
SELECT order_ext.create_topic('timers.few');
SELECT t.subscribe('timers.few', 'timers.few', 'public.note_timer(order_ext.message)');
CALL t.pause_others('^timers\.');
CREATE TEMP TABLE at AS SELECT clock_timestamp() + interval '3 s' AS due;
SELECT count(order_ext.publish('timers.test', 1000 + n, deliver_at => due)) FROM generate_series(1, 2500) AS n, at;
SELECT count(order_ext.publish('timers.few', 900 + n, deliver_at => due + interval '50 ms')) FROM generate_series(1, 5) AS n, at;
SELECT pg_sleep(extract(epoch FROM due + interval '60 ms' - clock_timestamp())) FROM at;
SELECT t.dispatch(20) <= 20 AS limited;
SELECT count(*) FILTER (WHERE key > 1000) BETWEEN 1 AND 20 AS limited, count(*) FILTER (WHERE key < 1000) AS of_few
FROM fired WHERE key > 900;
-- Whoever continues, in a new session, knows which of them are done.
\c -
SELECT t.dispatch(700) <= 700 AS limited;
\c -
SELECT count(*) > 0 AS on_record FROM order_ext_internal.timer_ahead;
SELECT count(*) > 1000 AS waiting FROM waiting, generate_series(1, timers);
SELECT dispatch_ours() > 0 AS delivered;
SELECT count(*) AS handled, count(DISTINCT key) AS different FROM fired WHERE key > 900;

-- Each topic's timers fire in the order of their due times.
CREATE TEMP TABLE at AS SELECT clock_timestamp() + interval '2 s' AS due;
SELECT count(order_ext.publish('timers.few', 4000 + n, deliver_at => due - n * interval '100 us')) FROM generate_series(1, 500) AS n, at;
SELECT pg_sleep(extract(epoch FROM due - clock_timestamp())) FROM at;
SELECT t.dispatch(100) <= 100 AS limited;
\c -
SELECT t.dispatch(100) <= 100 AS limited;
SELECT count(*) > 0 AS some, min(key) > 4500 - count(*) AS the_first_ones FROM fired WHERE key > 4000;
SELECT dispatch_ours() > 0 AS delivered;
SELECT count(*) AS handled, count(DISTINCT key) AS different FROM fired WHERE key > 4000;
SELECT order_ext.unsubscribe('timers.few');
SELECT order_ext.drop_topic('timers.few');

-- Late ones, due in a time that has been handled: so many of them are no single batch either.
DO $$
DECLARE
	newest record;
BEGIN
	SELECT bucket, fired_until INTO newest FROM order_ext_internal.timer_progress ORDER BY fired_until DESC LIMIT 1;
	EXECUTE format('INSERT INTO order_ext_internal.timer_bucket_%s
		(message_id, xid, key, due_at, published_at, topic_id, payload)
		SELECT nextval(''order_ext_internal.message_id_seq''), pg_current_xact_id(), 5000 + n,
			$1 - n * interval ''1 us'', now() - interval ''1 h'', topic_id, ''{}''
		FROM order_ext_internal.topics, generate_series(1, 2500) AS n WHERE name = ''timers.test''', newest.bucket)
	USING newest.fired_until;
END
$$;
\c -
SELECT t.dispatch(300) <= 300 AS limited;
\c -
SELECT dispatch_ours() > 0 AS delivered;
SELECT count(*) AS handled, count(DISTINCT key) AS different FROM fired WHERE key > 5000;
CALL t.resume_others();

-- Beyond the ring they come into it before their time, here those of the period that comes;
-- its bucket may hold what is left from an hour ago.
SELECT leave_behind(8000);
SELECT order_ext.publish('timers.test', 5, deliver_at => clock_timestamp() + interval '2 h') > 0 AS published;
INSERT INTO order_ext_internal.timers_far (message_id, xid, key, due_at, published_at, topic_id, payload)
SELECT nextval('order_ext_internal.message_id_seq'), pg_current_xact_id(), far.key, far.due,
	clock_timestamp() - interval '2 h', topic_id, '{}'
FROM order_ext_internal.topics,
	(VALUES (121, clock_timestamp()), (122, date_bin('2 min', clock_timestamp(), '2000-01-01 0:00Z') + interval '3 min')) AS far (key, due)
WHERE name = 'timers.test';
\c -
DO $$
BEGIN
	FOR n IN 1..40 LOOP
		PERFORM t.dispatch();
	END LOOP;
END
$$;
SELECT key FROM fired WHERE key BETWEEN 120 AND 129;
SELECT count(*) AS in_ring FROM order_ext_internal.timer_ring WHERE key = 122;
SELECT count(*) AS in_far FROM order_ext_internal.timers_far WHERE key IN (5, 122);
SELECT count(*) AS of_the_past FROM fired WHERE key BETWEEN 8000 AND 8031;

-- Nor is a bucket emptied that the same transaction has just armed timers in.
SELECT leave_behind(8100);
\c -
DO $$
BEGIN
	PERFORM order_ext.publish('timers.test', 8200 + n, deliver_at => clock_timestamp() + n * interval '2 min')
	FROM generate_series(1, 29) AS n;
	FOR n IN 1..40 LOOP
		PERFORM t.dispatch();
	END LOOP;
END
$$;
SELECT count(*) AS of_the_past FROM fired WHERE key BETWEEN 8100 AND 8131;
SELECT count(*) AS armed FROM order_ext_internal.timer_ring WHERE key BETWEEN 8201 AND 8229;

-- A timer bound to a status of its key is void once the key has moved on; that costs no
-- message. Orders are what binds timers.
SELECT order_ext.put_product('timer-sku', 'a thing', 100);
SELECT available FROM order_ext.adjust_stock('timer-sku', 10);
CREATE TEMP TABLE orders AS
SELECT n, (order_ext.create_order(n, '[{"sku": "timer-sku", "quantity": 1}]', 100,
		pay_timeout => interval '1 s')).id
FROM generate_series(1, 3) AS n;
SELECT disposition FROM orders, order_ext.cancel_order(id) WHERE n = 1;
SELECT disposition FROM orders, order_ext.pay_callback(id, 'timer-1', 'test', 100) WHERE n = 2;
SELECT n, status FROM orders JOIN order_ext.orders_view ON order_id = id ORDER BY n;
SELECT dispatch_until($$EXISTS (SELECT FROM orders JOIN order_ext.orders_view ON order_id = id
	WHERE n = 3 AND status = 'canceled')$$);
SELECT n, status, cancel_type FROM orders JOIN order_ext.orders_view ON order_id = id ORDER BY n;
SELECT n, count(*) AS messages FROM orders JOIN order_ext_internal.message_log ON key = id
WHERE topic_id = t.code('topic', 'order.pay_timeout') GROUP BY n ORDER BY n;
SELECT reserved, available FROM order_ext.stock_level('timer-sku');

-- Workers: none in this database.
SELECT count(*) FROM order_ext.worker_stats WHERE database = current_database() AND pid IS NOT NULL;

SELECT order_ext.unsubscribe('timers.test');
SELECT order_ext.drop_topic('timers.test');
DROP VIEW waiting;
DROP TABLE fired, start;
DROP FUNCTION dispatch_until(text);
DROP FUNCTION dispatch_ours();
DROP FUNCTION leave_behind(integer);
DROP FUNCTION note_timer(order_ext.message);
SELECT * FROM order_ext.verify() WHERE severity = 'error';
