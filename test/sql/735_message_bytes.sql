-- What is taken at once is limited by bytes, too: of messages of 250 kB, 68 reach the 16 MB.
CREATE SCHEMA mb;
GRANT USAGE ON SCHEMA mb TO regress_handlers;
CREATE FUNCTION mb.payload() RETURNS jsonb LANGUAGE sql
RETURN jsonb_build_object('x', repeat('x', 250000));

-- ---- an external consumer ----
CREATE TABLE mb.tokens (token bigint);
-- one receive() leases some, but no more than that
CREATE FUNCTION mb.take_once(p_group text, p_lease interval DEFAULT '1 hour', OUT several boolean, OUT within_bytes boolean) LANGUAGE sql
BEGIN ATOMIC
	WITH taken AS (INSERT INTO mb.tokens SELECT token FROM order_ext.receive(p_group, 1000, p_lease) RETURNING token)
	SELECT count(*) > 1, count(*) <= 68 FROM taken;
END;
-- all that there are, in as many calls as that takes
CREATE FUNCTION mb.take_all(p_group text) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
	LOOP
		INSERT INTO mb.tokens SELECT token FROM order_ext.receive(p_group, 1000, '1 hour');
		IF NOT FOUND THEN
			RETURN (SELECT count(*) FROM mb.tokens);
		END IF;
	END LOOP;
END
$$;
CREATE FUNCTION mb.hand_back() RETURNS bigint[] LANGUAGE sql
BEGIN ATOMIC
	WITH gone AS (DELETE FROM mb.tokens RETURNING token) SELECT array_agg(token) FROM gone;
END;

SELECT order_ext.create_topic('mb.x'), t.subscribe('mb.x', 'mb.x');
SELECT count(order_ext.publish('mb.x', n, mb.payload())) FROM generate_series(1, 120) AS n;
SELECT mb.take_all('mb.x');

-- retries
SELECT order_ext.nack('mb.x', mb.hand_back(), '0 s');
SELECT * FROM mb.take_once('mb.x');
SELECT mb.take_all('mb.x');

-- leases that have ended, all of one extension
SELECT order_ext.extend_lease('mb.x', mb.hand_back(), '1 ms');
SELECT pg_sleep(0.01);
SELECT * FROM mb.take_once('mb.x');
SELECT mb.take_all('mb.x');
SELECT order_ext.ack('mb.x', mb.hand_back());

-- an ordered group: messages whose key is free again
SELECT order_ext.create_topic('mb.o'), t.subscribe('mb.o', 'mb.o', options => '{"ordered": true}');
SELECT count(order_ext.publish('mb.o', n)) FROM generate_series(1, 120) AS n;
SELECT mb.take_all('mb.o');
SELECT count(order_ext.publish('mb.o', n, mb.payload())) FROM generate_series(1, 120) AS n;
SELECT count(*) FROM generate_series(1, 5) AS n, order_ext.receive('mb.o', 1000 + 0 * n);
SELECT order_ext.ack('mb.o', mb.hand_back());
SELECT * FROM mb.take_once('mb.o');
SELECT mb.take_all('mb.o');
SELECT order_ext.ack('mb.o', mb.hand_back());

-- ---- a handler of batches ----
CREATE TABLE mb.batches (size bigint);
GRANT INSERT ON mb.batches TO regress_handlers;
CREATE FUNCTION mb.note(m order_ext.message[]) RETURNS void LANGUAGE sql
BEGIN ATOMIC
	INSERT INTO mb.batches VALUES (cardinality(m));
END;
SELECT order_ext.create_topic('mb.h'), t.subscribe('mb.h', 'mb.h', 'mb.note(order_ext.message[])');
SELECT count(order_ext.publish('mb.h', n, mb.payload())) FROM generate_series(1, 120) AS n;
SELECT t.drain();
SELECT sum(size), max(size) <= 68 AS within_bytes FROM mb.batches;

-- retries
TRUNCATE mb.batches;
SELECT order_ext.replay('mb.h', '-infinity');
SELECT t.drain();
SELECT sum(size), max(size) <= 68 AS within_bytes FROM mb.batches;

-- what a handler of the same dispatch() publishes
TRUNCATE mb.batches;
CREATE FUNCTION mb.fan_out(m order_ext.message) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM order_ext.publish('mb.h', n, jsonb_build_object('x', repeat('x', 250000))) FROM generate_series(1, 120) AS n;
END
$$;
SELECT order_ext.create_topic('mb.f'), t.subscribe('mb.f', 'mb.f', 'mb.fan_out(order_ext.message)');
SELECT order_ext.publish('mb.f', 1) > 0;
SELECT t.drain();
SELECT sum(size), max(size) <= 68 AS within_bytes FROM mb.batches;

-- ---- an ordered group with a handler: 75 MB behind one message ----
CREATE TABLE mb.broken AS SELECT true AS broken;
GRANT SELECT ON mb.broken TO regress_handlers;
CREATE FUNCTION mb.act(m order_ext.message) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	IF (SELECT broken FROM mb.broken) THEN
		RAISE EXCEPTION 'broken';
	END IF;
	INSERT INTO mb.batches VALUES (1);
END
$$;
SELECT order_ext.create_topic('mb.k'), t.subscribe('mb.k', 'mb.k', 'mb.act(order_ext.message)', '{"ordered": true, "max_attempts": 1}');
SELECT count(order_ext.publish('mb.k', 1, mb.payload())) FROM generate_series(1, 300) AS n;
SELECT t.drain();
SELECT count(*) FROM order_ext_internal.parked_messages WHERE topic_id = (SELECT topic_id FROM order_ext_internal.topics WHERE name = 'mb.k');
UPDATE mb.broken SET broken = false;
TRUNCATE mb.batches;
\c -
-- the most memory of this process, kB; 0 where that is not known
CREATE FUNCTION mb.peak() RETURNS bigint LANGUAGE sql
RETURN coalesce(substring(pg_read_file('/proc/self/status', 0, 10000, true) FROM 'VmHWM:\s+(\d+)')::bigint, 0);
SELECT order_ext.redrive('mb.k');
CREATE TABLE mb.peaks AS SELECT mb.peak() AS kb;
SELECT t.drain();
SELECT count(*) FROM mb.batches;
SELECT CASE WHEN mb.peak() - kb < 50000 THEN 'little memory' ELSE (mb.peak() - kb)::text END FROM mb.peaks;

SELECT count(order_ext.unsubscribe(g)) FROM unnest('{mb.x,mb.o,mb.h,mb.f,mb.k}'::text[]) AS g;
SELECT count(order_ext.drop_topic(g)) FROM unnest('{mb.x,mb.o,mb.h,mb.f,mb.k}'::text[]) AS g;
SELECT * FROM order_ext.verify() WHERE severity = 'error';
DROP SCHEMA mb CASCADE;
