-- Operating consumer groups: order within a key, pause and resume, dead letters again, parts.
CALL t.pause_others();
CREATE SCHEMA mg;
CREATE TABLE mg.seen (n serial, key bigint, word text, attempt integer);
CREATE TABLE mg.bad (word text PRIMARY KEY);
-- fails for words that are in mg.bad; the keys are written without their 770000
CREATE FUNCTION mg.note(m order_ext.message) RETURNS void LANGUAGE plpgsql
	AS $$ BEGIN
		IF EXISTS (SELECT FROM mg.bad WHERE word = m.payload->>'w') THEN
			RAISE EXCEPTION 'bad %', m.payload->>'w' USING ERRCODE = coalesce(m.payload->>'state', 'XX999'), DETAIL = '0 s';
		END IF;
		INSERT INTO mg.seen (key, word, attempt) VALUES (m.key - 770000, m.payload->>'w', m.attempt);
	END $$;
CREATE FUNCTION mg.note_all(m order_ext.message[]) RETURNS void LANGUAGE sql
	AS $$ SELECT mg.note(x) FROM unnest(m) AS x $$;
CREATE FUNCTION mg.say(key bigint, words text, state text DEFAULT NULL) RETURNS bigint LANGUAGE sql
	AS $$ SELECT count(order_ext.publish('mg.t', 770000 + key, jsonb_strip_nulls(jsonb_build_object('w', w, 'state', state)))) FROM string_to_table(words, ' ') AS w $$;
CREATE FUNCTION mg.take() RETURNS text LANGUAGE sql
	AS $$ WITH gone AS (DELETE FROM mg.seen RETURNING *)
		SELECT string_agg(line, '; ' ORDER BY key) FROM (
			SELECT key, key || ': ' || string_agg(word || CASE WHEN attempt > 1 THEN '#' || attempt ELSE '' END, ' ' ORDER BY n) AS line FROM gone GROUP BY key) AS l $$;
CREATE FUNCTION mg.stats() RETURNS text LANGUAGE sql
	AS $$ SELECT concat_ws(' ', 'lag', lag, 'retrying', retrying, 'dead', dead, 'parked', parked, 'consumed', consumed) FROM order_ext.consumer_stats WHERE consumer_group = 'mg.g' $$;
CREATE FUNCTION mg.trace(key bigint) RETURNS SETOF text LANGUAGE sql
	AS $$ SELECT concat_ws(' ', state, attempt, '(' || error || ')') FROM order_ext.message_trace(770000 + $1) WHERE consumer_group = 'mg.g' ORDER BY message_id, finished_at $$;

SELECT t.drain();
SELECT order_ext.create_topic('mg.t');
SELECT t.subscribe('mg.g', 'mg.t', 'mg.note(order_ext.message)', '{"ordered": true, "max_attempts": 1}');
SELECT ordered, paused FROM order_ext.subscriptions_view WHERE consumer_group = 'mg.g';

-- ---- order within a key ----
INSERT INTO mg.bad VALUES ('b');
SELECT mg.say(1, 'a b c d'), mg.say(2, 'a c'), mg.say(3, 'x b');
SELECT t.dispatch() AS handled;
-- the key of the dead letter waits, the others have gone on
SELECT mg.take();
SELECT mg.stats();
SELECT consumer_group, key - 770000 AS key, waiting, since > now() - interval '1 minute' AS since FROM order_ext.parked_keys ORDER BY key;
SELECT key - 770000 AS key, payload->>'w' AS w, attempts, last_error FROM order_ext.dead_letters WHERE consumer_group = 'mg.g' ORDER BY key;
-- what comes later waits, too
SELECT mg.say(1, 'e'), mg.say(2, 'd'), mg.say(3, 'y');
SELECT t.dispatch() AS handled;
SELECT mg.take();
SELECT mg.stats();
SELECT mg.trace(1);
-- again in vain: it stays as it is
SELECT order_ext.redrive('mg.g', dry_run => true), order_ext.redrive('mg.g', 1, dry_run => true), order_ext.redrive('mg.g', message_ids => '{}');
SELECT order_ext.redrive('mg.g');
SELECT mg.stats();
SELECT t.dispatch() AS handled;
SELECT mg.take();
SELECT mg.stats();
-- and then well: in order, behind it
DELETE FROM mg.bad;
SELECT order_ext.redrive('mg.g', message_ids => (SELECT array_agg(message_id) FROM order_ext.dead_letters WHERE consumer_group = 'mg.g' AND key = 770001));
SELECT t.dispatch() AS handled;
SELECT mg.take();
SELECT mg.stats();
SELECT mg.trace(1);
SELECT order_ext.redrive('mg.g', 1) AS redriven;
SELECT order_ext.redrive('mg.g', 1) AS redriven;
SELECT t.dispatch() AS handled;
SELECT mg.take();
SELECT mg.stats();

-- one of those behind it fails: the rest waits for that one
INSERT INTO mg.bad VALUES ('b'), ('d');
SELECT mg.say(4, 'a b c d e f');
SELECT t.dispatch() AS handled;
DELETE FROM mg.bad WHERE word = 'b';
SELECT order_ext.redrive('mg.g') AS redriven;
SELECT t.dispatch() AS handled;
SELECT mg.take();
SELECT key - 770000 AS key, waiting FROM order_ext.parked_keys;
-- discarded is done with: the handler says so
DELETE FROM mg.bad;
CREATE OR REPLACE FUNCTION mg.note(m order_ext.message) RETURNS void LANGUAGE plpgsql
	AS $$ BEGIN
		IF m.payload->>'w' = 'd' AND m.key = 770004 THEN RAISE EXCEPTION 'never mind' USING ERRCODE = 'OE802'; END IF;
		IF EXISTS (SELECT FROM mg.bad WHERE word = m.payload->>'w') THEN
			RAISE EXCEPTION 'bad %', m.payload->>'w' USING ERRCODE = coalesce(m.payload->>'state', 'XX999'), DETAIL = '0 s';
		END IF;
		INSERT INTO mg.seen (key, word, attempt) VALUES (m.key - 770000, m.payload->>'w', m.attempt);
	END $$;
SELECT order_ext.redrive('mg.g') AS redriven;
SELECT t.dispatch() AS handled;
SELECT mg.take();
SELECT mg.stats();

-- retries keep the order as well: OE801 asks for no delay, until the third attempt
SELECT t.subscribe('mg.g', 'mg.t', 'mg.note(order_ext.message)', '{"ordered": true, "max_attempts": 9}');
INSERT INTO mg.bad VALUES ('b');
SELECT mg.say(5, 'a'), mg.say(5, 'b', 'OE801'), mg.say(5, 'c'), mg.say(6, 'z');
SELECT t.dispatch(5) AS handled;
SELECT mg.take();
SELECT key - 770000 AS key, waiting FROM order_ext.parked_keys;
DELETE FROM mg.bad;
SELECT t.drain();
SELECT regexp_replace(mg.take(), '#\d+', '#n') AS took;
SELECT mg.stats() ~ 'parked 0' AS nothing_parked;

-- a handler of sets parks and releases the same way
SELECT t.subscribe('mg.g', 'mg.t', 'mg.note_all(order_ext.message[])', '{"ordered": true, "max_attempts": 1}');
INSERT INTO mg.bad VALUES ('b');
SELECT mg.say(7, 'a b c'), mg.say(8, 'a');
SELECT t.dispatch() AS handled;
SELECT mg.say(7, 'd'), mg.say(8, 'b');
SELECT t.dispatch() AS handled;
SELECT mg.take();
DELETE FROM mg.bad;
SELECT order_ext.redrive('mg.g') AS redriven;
SELECT t.dispatch() AS handled;
SELECT mg.take();

-- thousands behind one
INSERT INTO mg.bad VALUES ('first');
SELECT mg.say(9, 'first');
SELECT count(order_ext.publish('mg.t', 770009, jsonb_build_object('w', n))) FROM generate_series(1, 2000) AS n;
SELECT t.dispatch() AS handled;
SELECT key - 770000 AS key, waiting FROM order_ext.parked_keys;
DELETE FROM mg.bad;
SELECT order_ext.redrive('mg.g') AS redriven;
SELECT t.drain();
SELECT count(*), bool_and(n = place) AS in_order FROM (SELECT word::integer AS n, row_number() OVER (ORDER BY seen.n) AS place FROM mg.seen WHERE word <> 'first') AS w;
DELETE FROM mg.seen;

-- not ordered any more: nothing waits
INSERT INTO mg.bad VALUES ('b');
SELECT mg.say(10, 'b c d');
SELECT t.dispatch() AS handled;
SELECT key - 770000 AS key, waiting FROM order_ext.parked_keys;
SELECT t.subscribe('mg.g', 'mg.t', 'mg.note(order_ext.message)', '{"max_attempts": 1}');
SELECT mg.stats();
SELECT t.dispatch() AS handled;
SELECT mg.take();
SELECT mg.stats();
-- what is published and delivered in one transaction keeps the order, too
SELECT t.subscribe('mg.g', 'mg.t', 'mg.note(order_ext.message)', '{"ordered": true, "max_attempts": 1}');
DELETE FROM mg.bad;
SELECT order_ext.redrive('mg.g') AS redriven;
SELECT t.dispatch() AS handled;
SELECT mg.take();

-- ---- pause and resume ----
SELECT order_ext.pause('mg.g');
SELECT order_ext.pause('mg.g');
SELECT mg.say(20, 'a b');
SELECT t.dispatch() AS handled;
SELECT mg.take(), mg.stats();
SELECT paused FROM order_ext.subscriptions_view WHERE consumer_group = 'mg.g';
-- subscribed again it stays paused
SELECT t.subscribe('mg.g', 'mg.t', 'mg.note(order_ext.message)', '{"ordered": true, "max_attempts": 1}');
SELECT t.dispatch() AS handled;
BEGIN;
SELECT order_ext.resume('mg.g');
ROLLBACK;
SELECT t.dispatch() AS handled;
SELECT order_ext.resume('mg.g');
SELECT t.dispatch() AS handled;
SELECT mg.take();
-- built-in groups may be paused, not unsubscribed
BEGIN;
SELECT order_ext.pause('stock.release'), order_ext.resume('stock.release');
ROLLBACK;

-- ---- parts: what one cursor read, several read on, and one again ----
SELECT mg.say(k, 'one') FROM generate_series(30, 34) AS k;
SELECT t.dispatch(2) AS handled;
-- what a dispatcher does when order_ext.workers changes
CREATE FUNCTION mg.aim(n integer) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM pg_current_xact_id();
	SET LOCAL session_replication_role = replica;
	UPDATE order_ext_internal.consumer_groups SET barrier = (pg_snapshot_xmin(s) || ':' || pg_snapshot_xmax(s) || ':'
		|| coalesce((SELECT string_agg(x::text, ',') FROM pg_snapshot_xip(s) AS x), ''))::pg_snapshot
	FROM pg_current_snapshot() AS s WHERE name = 'mg.g';
	EXECUTE 'ALTER DATABASE ' || quote_ident(current_database()) || ' SET order_ext.workers = ' || n;
END $$;
SELECT mg.aim(4);
\c -
SELECT mg.say(k, 'two') FROM generate_series(30, 40) AS k;
SELECT t.dispatch() AS handled;
SELECT parts, barrier FROM order_ext_internal.consumer_groups WHERE name = 'mg.g';
SELECT mg.take();
SELECT mg.stats();
SELECT count(*) AS cursors FROM order_ext_internal.group_cursors WHERE group_id = (SELECT group_id FROM order_ext_internal.consumer_groups WHERE name = 'mg.g');
-- an ordered group's failures in several parts
INSERT INTO mg.bad VALUES ('b');
SELECT mg.say(k, 'a b c') FROM generate_series(30, 40) AS k;
SELECT t.dispatch() AS handled;
SELECT mg.stats();
DELETE FROM mg.bad;
SELECT order_ext.redrive('mg.g') AS redriven;
SELECT mg.say(k, 'd') FROM generate_series(30, 40) AS k;
SELECT t.drain();
SELECT mg.take();
SELECT state, finished_at IS NOT NULL AS finished, count(*) FROM order_ext.message_trace(770035) WHERE consumer_group = 'mg.g' GROUP BY 1, 2 ORDER BY 1, 2;
SELECT mg.aim(1);
\c -
SELECT mg.say(k, 'three') FROM generate_series(30, 40) AS k;
SELECT t.dispatch() AS handled;
SELECT parts, barrier FROM order_ext_internal.consumer_groups WHERE name = 'mg.g';
SELECT mg.take();
SELECT mg.stats();
DO $$ BEGIN EXECUTE 'ALTER DATABASE ' || quote_ident(current_database()) || ' RESET order_ext.workers'; END $$;

SELECT order_ext.unsubscribe('mg.g'), order_ext.drop_topic('mg.t');
SELECT count(*) FROM order_ext_internal.parked_messages WHERE key BETWEEN 770000 AND 779999;
SET client_min_messages = warning;
DROP SCHEMA mg CASCADE;
RESET client_min_messages;
CALL t.resume_others();
SELECT t.drain();
SELECT * FROM order_ext.verify() WHERE severity = 'error';
