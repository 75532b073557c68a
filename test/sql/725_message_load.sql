-- consumer_stats and metrics() when much is waiting: exact to 10,000 and 1,000, estimates beyond, nothing that grows.
CREATE SCHEMA ml;
CREATE FUNCTION ml.handle(m order_ext.message[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	IF m[1].key = -1 THEN PERFORM order_ext.publish('ml.t', 1) FROM generate_series(1, 3); END IF;
END $$;
CREATE FUNCTION ml.lag(OUT lag bigint, OUT lag_exact boolean) LANGUAGE sql AS $$ SELECT lag, lag_exact FROM order_ext.consumer_stats WHERE consumer_group = 'ml.g' $$;
-- Off by a tenth at most, and not exact.
CREATE FUNCTION ml.about(wanted bigint) RETURNS boolean LANGUAGE sql AS $$ SELECT lag BETWEEN wanted * 0.9 AND wanted * 1.1 AND NOT lag_exact FROM ml.lag() $$;
CREATE FUNCTION ml.metric(name text) RETURNS numeric LANGUAGE sql AS $$
	SELECT (regexp_match(order_ext.metrics(), '\n' || name || '\{consumer_group="ml.g",topic="ml.t"\} (\S+)'))[1]::numeric $$;
-- Entries of indexes and rows of scans that this transaction has read, of all tables.
CREATE FUNCTION ml.reads() RETURNS bigint LANGUAGE sql AS $$
	SELECT coalesce(sum(pg_stat_get_xact_tuples_returned(c.oid)), 0)::bigint FROM pg_class c WHERE c.relnamespace = 'order_ext_internal'::regnamespace AND c.relkind IN ('r', 'i') $$;

SELECT t.drain();
CALL t.pause_others();
SELECT order_ext.create_topic('ml.t');
SELECT t.subscribe('ml.g', 'ml.t', 'ml.handle(order_ext.message[])');
SELECT * FROM ml.lag();
SELECT count(order_ext.publish('ml.t', n)) FROM generate_series(1, 999) AS n;
SELECT ml.metric('order_ext_waiting') AS waiting;
SELECT count(order_ext.publish('ml.t', n)) FROM generate_series(1, 9000) AS n;
SELECT * FROM ml.lag();
SELECT count(order_ext.publish('ml.t', n)) FROM generate_series(1, 1) AS n;
SELECT * FROM ml.lag();
SELECT count(order_ext.publish('ml.t', n)) FROM generate_series(1, 1) AS n;
SELECT lag > 10000 AS more, lag_exact, ml.about(10001) FROM ml.lag();
-- those of one transaction, and of many
SELECT count(order_ext.publish('ml.t', n)) FROM generate_series(1, 50000) AS n;
SELECT ml.about(60001);
DO $$
BEGIN
	FOR i IN 1 .. 20000 LOOP
		PERFORM order_ext.publish('ml.t', i);
		IF i % 10 = 0 THEN
			COMMIT;
		END IF;
	END LOOP;
END
$$;
SELECT ml.about(80001), ml.metric('order_ext_waiting') BETWEEN 72000 AND 88000 AS waiting, ml.metric('order_ext_oldest_waiting_seconds') BETWEEN 0 AND 600 AS young;
-- neither reads more than it counts, whatever waits
BEGIN;
SELECT ml.reads() AS before \gset
SELECT count(*) FROM order_ext.consumer_stats WHERE consumer_group = 'ml.g';
SELECT ml.reads() - :before AS reads \gset
SELECT CASE WHEN :reads BETWEEN 10001 AND 10501 THEN 'bounded' ELSE :'reads' END;
SELECT ml.reads() AS before \gset
SELECT length(order_ext.metrics()) > 0 AS metrics;
SELECT ml.reads() - :before AS reads \gset
SELECT CASE WHEN :reads BETWEEN 1001 AND 2001 THEN 'bounded' ELSE :'reads' END;
COMMIT;
-- in the middle of a window, behind the position
SELECT t.dispatch(2000) AS handled;
SELECT ml.about(78000), (SELECT consumed BETWEEN 1900 AND 2000 FROM order_ext.consumer_stats WHERE consumer_group = 'ml.g') AS consumed;
SELECT t.dispatch() > 0 AS handled;
SELECT * FROM ml.lag();
-- what dispatch() delivered in the publishing transaction is behind the group
SELECT order_ext.grant_topic('ml.t', 'regress_handlers', 'publish');
SELECT order_ext.publish('ml.t', -1) > 0 AS published;
SELECT t.dispatch() AS handled;
SELECT count(*) > 0 AS ranges FROM order_ext_internal.inline_ranges r JOIN order_ext_internal.consumer_groups USING (group_id) WHERE name = 'ml.g';
SELECT *, ml.metric('order_ext_waiting') AS waiting FROM ml.lag();
SELECT count(order_ext.publish('ml.t', n)) FROM generate_series(1, 2) AS n;
SELECT *, ml.metric('order_ext_waiting') AS waiting FROM ml.lag();
SELECT t.dispatch() AS handled;
SELECT *, ml.metric('order_ext_waiting') AS waiting FROM ml.lag();

-- what is kept outside of the log, as a superuser may restore it
SELECT group_id AS g, topic_id AS t FROM order_ext_internal.consumer_groups WHERE name = 'ml.g' \gset
INSERT INTO order_ext_internal.retries (message_id, group_id, topic_id, key, published_at, due_at, attempts, busy, payload)
SELECT n, :g, :t, n, now() - interval '1 hour', now() + interval '1 day', 1, 0, '{}' FROM generate_series(1, 20000) AS n;
INSERT INTO order_ext_internal.dead_messages (message_id, group_id, topic_id, key, published_at, died_at, attempts, payload)
SELECT n, :g, :t, n, now() - interval '2 hours', now(), 1, '{}' FROM generate_series(20001, 50000) AS n;
SELECT lag, lag_exact, retrying BETWEEN 18000 AND 22000 AS retrying, dead BETWEEN 27000 AND 33000 AS dead, parked, date_trunc('hour', oldest_age) AS oldest
FROM order_ext.consumer_stats WHERE consumer_group = 'ml.g';
SELECT ml.metric('order_ext_retrying') BETWEEN 18000 AND 22000 AS retrying, ml.metric('order_ext_dead') BETWEEN 27000 AND 33000 AS dead;
BEGIN;
SELECT ml.reads() AS before \gset
SELECT length(order_ext.metrics()) > 0 AS metrics;
SELECT ml.reads() - :before AS reads \gset
SELECT CASE WHEN :reads BETWEEN 2002 AND 3002 THEN 'bounded' ELSE :'reads' END;
COMMIT;

SELECT order_ext.unsubscribe('ml.g');
SELECT order_ext.drop_topic('ml.t');
SET client_min_messages = warning;
DROP SCHEMA ml CASCADE;
RESET client_min_messages;
CALL t.resume_others();
SELECT t.drain();
