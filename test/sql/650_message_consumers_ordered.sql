-- Ordered groups without handler: of each key one message at a time, in order, whatever
-- becomes of it; other keys go on.
CREATE SCHEMA co;
CREATE TABLE co.got (n serial, key bigint, attempt integer, payload jsonb, token bigint);
CREATE FUNCTION co.receive(max_messages integer DEFAULT 100, lease interval DEFAULT '30 seconds') RETURNS text LANGUAGE sql
	AS $$ DELETE FROM co.got;
		INSERT INTO co.got (key, attempt, payload, token) SELECT key, attempt, payload, token FROM order_ext.receive('co.g', max_messages, lease);
		SELECT string_agg(key || (payload->>'n') || CASE attempt WHEN 1 THEN '' ELSE '#' || attempt END, ' ' ORDER BY key, n) FROM co.got $$;
CREATE FUNCTION co.tokens(VARIADIC keys bigint[]) RETURNS bigint[] LANGUAGE sql
	AS $$ SELECT array_agg(token) FROM order_ext_internal.leases JOIN order_ext_internal.consumer_groups USING (group_id) WHERE name = 'co.g' AND key = ANY (keys) $$;
CREATE FUNCTION co.publish(VARIADIC messages text[]) RETURNS bigint LANGUAGE sql
	AS $$ SELECT count(order_ext.publish('co.t', substring(m FROM '^\d+')::bigint, jsonb_build_object('n', substring(m FROM '\D+$')))) FROM unnest(messages) AS m $$;
CREATE FUNCTION co.parked() RETURNS SETOF text LANGUAGE sql
	AS $$ SELECT key || ': ' || waiting FROM order_ext.parked_keys WHERE consumer_group = 'co.g' ORDER BY key $$;
CREATE FUNCTION co.wait_ended() RETURNS void LANGUAGE plpgsql
	AS $$ BEGIN
		WHILE EXISTS (SELECT FROM order_ext_internal.lease_receipts WHERE lease_until >= clock_timestamp() AND lease_until < clock_timestamp() + interval '10 seconds') LOOP
			PERFORM pg_sleep(0.002);
		END LOOP;
	END $$;
SELECT t.drain();
SELECT order_ext.create_topic('co.t');
SELECT order_ext.subscribe('co.g', 'co.t', options => '{"ordered": true, "max_attempts": 2}');

-- the first of each key, the rest is parked
SELECT co.publish('1a', '1b', '1c', '2a', '3a', '3b');
SELECT co.receive();
SELECT co.parked();
SELECT co.receive();
SELECT lag, retrying, dead, parked FROM order_ext.consumer_stats WHERE consumer_group = 'co.g';
SELECT consumer_group, state, attempt FROM order_ext.message_trace(1) WHERE topic = 'co.t';
CALL order_ext.wait_for_messages('co.g', '0 seconds');
-- the next of a key once the one before is done
SELECT order_ext.ack('co.g', co.tokens(1));
CALL order_ext.wait_for_messages('co.g', '0 seconds');
SELECT co.receive();
SELECT co.parked();
-- not before a failed one has had its other attempt; what comes later waits behind it
SELECT order_ext.nack('co.g', co.tokens(1), '1 hour', 'later');
SELECT co.publish('1d', '2b', '4a');
CALL order_ext.wait_for_messages('co.g', '0 seconds');
SELECT co.receive();
SELECT order_ext.ack('co.g', co.tokens(4));
SELECT co.parked();
-- nor behind a dead letter, until it is redriven
BEGIN;
SET LOCAL session_replication_role = replica;
UPDATE order_ext_internal.retries SET due_at = now();
COMMIT;
SELECT co.receive();
SELECT order_ext.nack('co.g', co.tokens(1), '0 seconds', 'never');
SELECT order_ext.ack('co.g', co.tokens(2, 3));
SELECT key, payload, attempts, last_error FROM order_ext.dead_letters WHERE consumer_group = 'co.g';
SELECT co.receive();
SELECT co.parked();
SELECT order_ext.redrive('co.g');
SELECT co.receive();
SELECT order_ext.ack('co.g', co.tokens(1));
SELECT order_ext.ack('co.g', co.tokens(2, 3));
-- a lease that runs out keeps its key's order
SELECT co.receive(100, '1 millisecond');
SELECT co.wait_ended();
SELECT co.publish('1e');
SELECT co.receive();
SELECT order_ext.ack('co.g', co.tokens(1));
SELECT co.receive();
SELECT order_ext.ack('co.g', co.tokens(1));
SELECT co.receive();
SELECT order_ext.ack('co.g', co.tokens(1));
SELECT lag, retrying, dead, parked FROM order_ext.consumer_stats WHERE consumer_group = 'co.g';

-- many keys with many messages each: everybody's order is kept, nothing is lost
CREATE TABLE co.done (n serial, key bigint, i integer);
SELECT count(order_ext.publish('co.t', i % 20, jsonb_build_object('i', i))) FROM generate_series(1, 1000) AS i;
DO $$
DECLARE
	m record;
	rounds integer := 0;
BEGIN
	LOOP
		rounds := rounds + 1;
		EXIT WHEN rounds > 2000 OR (SELECT lag + retrying + parked FROM order_ext.consumer_stats WHERE consumer_group = 'co.g') = 0;
		FOR m IN SELECT * FROM order_ext.receive('co.g', 7) LOOP
			IF m.attempt = 1 AND (m.payload->>'i')::integer % 9 = 0 THEN
				PERFORM order_ext.nack('co.g', ARRAY[m.token], '0 seconds');
			ELSE
				INSERT INTO co.done (key, i) VALUES (m.key, (m.payload->>'i')::integer);
				PERFORM order_ext.ack('co.g', ARRAY[m.token]);
			END IF;
		END LOOP;
	END LOOP;
END
$$;
SELECT count(*), count(DISTINCT i) FROM co.done;
SELECT count(*) AS out_of_order FROM (SELECT i < lag(i) OVER (PARTITION BY key ORDER BY n) AS wrong FROM co.done) AS d WHERE wrong;
SELECT lag, retrying, dead, parked FROM order_ext.consumer_stats WHERE consumer_group = 'co.g';
-- a backlog of one key behind a dead letter: a receive() parks a part of it, with few rows of
-- progress and little memory; the next goes on there, and nothing is lost
CREATE FUNCTION co.peak() RETURNS bigint LANGUAGE sql	-- most memory of this process, kB; 0 where that is not known
	AS $$ SELECT coalesce(substring(pg_read_file('/proc/self/status', 0, 10000, true) FROM 'VmHWM:\s+(\d+)')::bigint, 0) $$;
SELECT order_ext.subscribe('co.big', 'co.t', options => '{"ordered": true, "max_attempts": 1}');
SELECT co.publish('90a');
SELECT order_ext.nack('co.big', array_agg(token)) FROM order_ext.receive('co.big');
SELECT count(order_ext.publish('co.t', 90, jsonb_build_object('n', n, 'filler', repeat('x', 4000)))) FROM generate_series(1, 20000) AS n;
SELECT co.publish('91a');
\c
CREATE TABLE co.calls (parked bigint, steps bigint, kb bigint, got text);
CREATE PROCEDURE co.call() LANGUAGE plpgsql AS $$
DECLARE
	parked_before bigint := (SELECT count(*) FROM order_ext_internal.parked_messages);
	steps_before bigint := (SELECT count(*) FROM order_ext_internal.group_progress);
	peak_before bigint := co.peak();
	got_now text := (SELECT string_agg(r.key || (r.payload->>'n'), ' ') FROM order_ext.receive('co.big', 10) AS r);
BEGIN
	INSERT INTO co.calls SELECT count(*) - parked_before, (SELECT count(*) FROM order_ext_internal.group_progress) - steps_before,
		co.peak() - peak_before, got_now FROM order_ext_internal.parked_messages;
END
$$;
CALL co.call();
SELECT parked BETWEEN 1000 AND 6000 AS a_part, steps BETWEEN 1 AND 10 AS few_steps, kb < 30000 AS little_memory, got FROM co.calls;
CALL order_ext.wait_for_messages('co.big', '0 seconds');
SELECT lag + parked AS all_of_them, dead, retrying FROM order_ext.consumer_stats WHERE consumer_group = 'co.big';
DO $$ BEGIN WHILE (SELECT count(got) FROM co.calls) = 0 LOOP CALL co.call(); END LOOP; END $$;
SELECT count(*) BETWEEN 4 AND 20 AS calls, bool_and(steps BETWEEN 1 AND 10) AS few_steps, sum(parked) AS parked, max(got) AS got FROM co.calls;
CALL order_ext.wait_for_messages('co.big', '0 seconds');
SELECT lag, parked, dead FROM order_ext.consumer_stats WHERE consumer_group = 'co.big';
SELECT order_ext.redrive('co.big');
SELECT key, payload FROM order_ext.receive('co.big', 10);
SELECT order_ext.unsubscribe('co.big');

SELECT * FROM order_ext.verify() WHERE severity = 'error';
SELECT order_ext.unsubscribe('co.g');
DROP SCHEMA co CASCADE;
