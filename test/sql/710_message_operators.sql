-- What operators do with topics and single messages: alter_topic, discard, replay.
CREATE SCHEMA mo;
CREATE TABLE mo.seen (n serial, key bigint, word text, attempt integer);
CREATE TABLE mo.bad (word text PRIMARY KEY);
CREATE FUNCTION mo.note(m order_ext.message) RETURNS void LANGUAGE plpgsql
	AS $$ BEGIN
		IF EXISTS (SELECT FROM mo.bad WHERE word = m.payload->>'w') THEN
			RAISE EXCEPTION 'bad %', m.payload->>'w' USING ERRCODE = 'XX999';
		END IF;
		INSERT INTO mo.seen (key, word, attempt) VALUES (m.key - 870000, m.payload->>'w', m.attempt);
	END $$;
CREATE FUNCTION mo.say(key bigint, words text) RETURNS bigint LANGUAGE sql
	AS $$ SELECT count(order_ext.publish('mo.t', 870000 + key, jsonb_build_object('w', w))) FROM string_to_table(words, ' ') AS w $$;
CREATE FUNCTION mo.take() RETURNS text LANGUAGE sql
	AS $$ WITH gone AS (DELETE FROM mo.seen RETURNING *)
		SELECT string_agg(line, '; ' ORDER BY key) FROM (
			SELECT key, key || ': ' || string_agg(word || CASE WHEN attempt > 1 THEN '#' || attempt ELSE '' END, ' ' ORDER BY n) AS line FROM gone GROUP BY key) AS l $$;
CREATE FUNCTION mo.stats(consumer_group text) RETURNS text LANGUAGE sql
	AS $$ SELECT concat_ws(' ', 'lag', lag, 'retrying', retrying, 'dead', dead, 'parked', parked) FROM order_ext.consumer_stats s WHERE s.consumer_group = $1 $$;
CREATE FUNCTION mo.dead(w text) RETURNS bigint[] LANGUAGE sql
	AS $$ SELECT array_agg(message_id) FROM order_ext.dead_letters WHERE consumer_group = 'mo.g' AND payload->>'w' = w $$;
-- receive, and answer at once
CREATE FUNCTION mo.receive() RETURNS text LANGUAGE plpgsql
	AS $$ DECLARE taken text; tokens bigint[]; BEGIN
		SELECT string_agg(r.key - 870000 || ' ' || (r.payload->>'w') || CASE WHEN r.attempt > 1 THEN '#' || r.attempt ELSE '' END, '; ' ORDER BY token), array_agg(token)
		INTO taken, tokens FROM order_ext.receive('mo.x', 100, '1 h') AS r;
		PERFORM order_ext.ack('mo.x', tokens) WHERE tokens IS NOT NULL;
		RETURN taken;
	END $$;
SELECT t.drain();

-- ---- options of a topic change, others stay ----
SELECT order_ext.create_topic('mo.t', '{"max_depth": 2}');
SELECT max_depth, dedup_window FROM order_ext.topics_view WHERE topic = 'mo.t';
SELECT t.subscribe('mo.g', 'mo.t', 'mo.note(order_ext.message)', '{"max_attempts": 1}');
SELECT mo.say(1, 'a b');
SELECT t.go($$mo.say(1, 'c')$$);
SELECT order_ext.alter_topic('mo.t', '{"max_depth": 3}');
SELECT mo.say(1, 'c');
SELECT t.go($$mo.say(1, 'd')$$);
SELECT order_ext.alter_topic('mo.t', '{"dedup_window": "2 days"}');
SELECT max_depth, dedup_window FROM order_ext.topics_view WHERE topic = 'mo.t';
SELECT order_ext.alter_topic('mo.t', '{"max_depth": null}');
SELECT mo.say(1, 'd e f');
SELECT order_ext.alter_topic('mo.t', '{}'), order_ext.alter_topic('mo.t', '{"dedup_window": null}');
SELECT max_depth, dedup_window FROM order_ext.topics_view WHERE topic = 'mo.t';
SELECT * FROM t.error($$order_ext.alter_topic('mo.none', '{}')$$);
SELECT * FROM t.error($$order_ext.alter_topic('order.paid', '{"max_depth": 1}')$$);
SELECT t.go($$order_ext.alter_topic('mo.t', '{"depth": 1}')$$), t.go($$order_ext.alter_topic('mo.t', '[]')$$), t.go($$order_ext.alter_topic('mo.t', NULL)$$), t.go($$order_ext.alter_topic('mo.t', '{"dedup_window": "0 s"}')$$);
SELECT t.drain();
SELECT mo.take();

-- the window is the new one
SELECT order_ext.publish('mo.t', 870002, '{"w": "once"}', dedup_key => 'k') = order_ext.publish('mo.t', 870002, '{"w": "twice"}', dedup_key => 'k') AS same;
SELECT t.drain();
SELECT mo.take();

-- ---- dead letters that nobody wants ----
INSERT INTO mo.bad VALUES ('x'), ('y'), ('z');
SELECT mo.say(3, 'x y a z');
SELECT t.drain();
SELECT mo.take(), mo.stats('mo.g');
SELECT order_ext.discard('mo.g', dry_run => true) AS would, order_ext.discard('mo.g', 2, dry_run => true) AS would, order_ext.discard('mo.g', message_ids => '{}') AS none, order_ext.discard('mo.g', message_ids => '{1}') AS none;
BEGIN;
SELECT order_ext.discard('mo.g');
ROLLBACK;
SELECT order_ext.discard('mo.g', message_ids => mo.dead('y')) AS discarded;
SELECT payload->>'w' AS w FROM order_ext.dead_letters WHERE consumer_group = 'mo.g' ORDER BY 1;
SELECT order_ext.discard('mo.g', 1) AS discarded;
SELECT payload->>'w' AS w FROM order_ext.dead_letters WHERE consumer_group = 'mo.g' ORDER BY 1;
-- what became of them is on record
SELECT state, attempt, error FROM order_ext.message_trace(870003) WHERE consumer_group = 'mo.g' ORDER BY message_id, finished_at;
SELECT order_ext.redrive('mo.g') AS redriven;
DELETE FROM mo.bad;
SELECT t.drain();
SELECT mo.take(), mo.stats('mo.g');
SELECT * FROM t.error($$order_ext.discard('mo.none')$$);
SELECT t.go($$order_ext.discard(NULL)$$), t.go($$order_ext.discard('mo.g', 0)$$), t.go($$order_ext.discard('mo.g', message_ids => '{NULL}')$$), t.go($$order_ext.discard('mo.g', dry_run => NULL)$$);

-- in an ordered group the key continues as far as the next failure
SELECT t.subscribe('mo.g', 'mo.t', 'mo.note(order_ext.message)', '{"ordered": true, "max_attempts": 1}');
INSERT INTO mo.bad VALUES ('x'), ('y');
SELECT mo.say(4, 'x a b y c'), mo.say(5, 'x'), mo.say(6, 'd');
SELECT t.drain();
SELECT mo.take(), mo.stats('mo.g');
SELECT order_ext.discard('mo.g', message_ids => mo.dead('x')) AS discarded;
SELECT t.drain();
SELECT mo.take(), mo.stats('mo.g');
SELECT key - 870000 AS key, waiting FROM order_ext.parked_keys WHERE consumer_group = 'mo.g';
SELECT order_ext.discard('mo.g') AS discarded;
SELECT t.drain();
SELECT mo.take(), mo.stats('mo.g');
DELETE FROM mo.bad;

-- ---- messages once more ----
SELECT t.subscribe('mo.g', 'mo.t', 'mo.note(order_ext.message)', '{"max_attempts": 1}');
SELECT set_config('mo.since', clock_timestamp()::text, false) <> '' AS noted;
SELECT mo.say(10, 'a b c'), mo.say(11, 'a b');
SELECT set_config('mo.until', clock_timestamp()::text, false) <> '' AS noted;
SELECT mo.say(12, 'later');
-- not finished: nothing to be done once more
SELECT order_ext.replay('mo.g', current_setting('mo.since')::timestamptz) AS replayed;
SELECT t.drain();
SELECT mo.take();
SELECT order_ext.replay('mo.g', current_setting('mo.since')::timestamptz, dry_run => true) AS would;
BEGIN;
SELECT order_ext.replay('mo.g', current_setting('mo.since')::timestamptz) AS replayed;
ROLLBACK;
SELECT order_ext.replay('mo.g', current_setting('mo.since')::timestamptz, current_setting('mo.until')::timestamptz) AS replayed;
-- they wait now, so that the same again adds nothing to them
SELECT order_ext.replay('mo.g', current_setting('mo.since')::timestamptz, current_setting('mo.until')::timestamptz) AS replayed;
SELECT mo.stats('mo.g');
SELECT t.drain();
SELECT mo.take(), mo.stats('mo.g');
SELECT state, attempt FROM order_ext.message_trace(870011) WHERE consumer_group = 'mo.g' ORDER BY message_id;
-- some of them, by their ids
SELECT order_ext.replay('mo.g', '-infinity', message_ids => (SELECT array_agg(message_id) FROM order_ext.message_trace(870012))) AS replayed;
SELECT t.drain();
SELECT mo.take();
SELECT order_ext.replay('mo.g', 'infinity') AS none, order_ext.replay('mo.g', current_setting('mo.until')::timestamptz, current_setting('mo.since')::timestamptz) AS none, order_ext.replay('mo.g', '-infinity', message_ids => '{}') AS none;
-- dead letters are not finished
INSERT INTO mo.bad VALUES ('a');
SELECT order_ext.replay('mo.g', current_setting('mo.since')::timestamptz, current_setting('mo.until')::timestamptz) AS replayed;
SELECT t.drain();
SELECT mo.take(), mo.stats('mo.g');
SELECT order_ext.replay('mo.g', current_setting('mo.since')::timestamptz, current_setting('mo.until')::timestamptz, dry_run => true) AS would;
DELETE FROM mo.bad;
SELECT order_ext.redrive('mo.g') AS redriven;
SELECT t.drain();
SELECT mo.take();
SELECT * FROM t.error($$order_ext.replay('mo.none', now())$$);
SELECT * FROM t.error($$order_ext.replay('order.paid', now())$$);
SELECT t.go($$order_ext.replay('mo.g', NULL)$$), t.go($$order_ext.replay(NULL, now())$$), t.go($$order_ext.replay('mo.g', now(), message_ids => '{NULL}')$$), t.go($$order_ext.replay('mo.g', now(), dry_run => NULL)$$);
-- in an ordered group each key's in their order, behind what waits
SELECT t.subscribe('mo.g', 'mo.t', 'mo.note(order_ext.message)', '{"ordered": true, "max_attempts": 1}');
INSERT INTO mo.bad VALUES ('stop');
SELECT mo.say(11, 'stop c');
SELECT t.drain();
SELECT order_ext.replay('mo.g', current_setting('mo.since')::timestamptz) AS replayed;
SELECT mo.say(10, 'd'), mo.say(11, 'd');
SELECT t.drain();
SELECT mo.take(), mo.stats('mo.g');
DELETE FROM mo.bad;
SELECT order_ext.redrive('mo.g') AS redriven;
SELECT t.drain();
SELECT mo.take(), mo.stats('mo.g');
-- in several parts
CREATE FUNCTION mo.parts(n integer) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM pg_current_xact_id();
	SET LOCAL session_replication_role = replica;
	UPDATE order_ext_internal.consumer_groups SET barrier = (pg_snapshot_xmin(s) || ':' || pg_snapshot_xmax(s) || ':'
		|| coalesce((SELECT string_agg(x::text, ',') FROM pg_snapshot_xip(s) AS x), ''))::pg_snapshot
	FROM pg_current_snapshot() AS s WHERE name = 'mo.g';
	EXECUTE 'ALTER DATABASE ' || quote_ident(current_database()) || ' SET order_ext.workers = ' || n;
END $$;
SELECT current_setting('mo.since') AS since, current_setting('mo.until') AS until \gset mo_
SELECT mo.parts(3);
\c -
SELECT t.drain();
SELECT parts FROM order_ext_internal.consumer_groups WHERE name = 'mo.g';
SELECT order_ext.replay('mo.g', :'mo_since'::timestamptz, :'mo_until'::timestamptz) AS replayed;
SELECT t.drain();
SELECT mo.take(), mo.stats('mo.g');
SELECT mo.parts(1);
\c -
SELECT t.drain();
SELECT parts FROM order_ext_internal.consumer_groups WHERE name = 'mo.g';

-- external consumers, and a group that began later
SELECT t.subscribe('mo.x', 'mo.t');
SELECT mo.receive();
SELECT order_ext.replay('mo.x', :'mo_since'::timestamptz, :'mo_until'::timestamptz) AS replayed;
SELECT mo.receive();
SELECT t.subscribe('mo.x', 'mo.t', options => '{"ordered": true}');
SELECT order_ext.replay('mo.x', :'mo_since'::timestamptz, :'mo_until'::timestamptz) AS replayed;
SELECT mo.receive(), mo.receive(), mo.receive(), mo.receive();
SELECT mo.stats('mo.x');

-- ---- what external consumers say of a failure is never refused ----
SELECT t.subscribe('mo.x', 'mo.t', options => '{"max_attempts": 1}');
SELECT mo.say(20, 'p q r');
SELECT order_ext.nack('mo.x', ARRAY[r.token], error => CASE r.payload->>'w' WHEN 'p' THEN '' WHEN 'q' THEN repeat('é', 2000000) ELSE 'why' END)
FROM order_ext.receive('mo.x') AS r;
SELECT payload->>'w' AS w, last_error = repeat('é', 512) AS cut, CASE WHEN length(last_error) < 10 THEN last_error END AS error
FROM order_ext.dead_letters WHERE consumer_group = 'mo.x' ORDER BY 1;
SELECT order_ext.discard('mo.x') AS discarded;

-- ---- a timer of a dropped topic is gone, and a read-only transaction takes nothing back ----
SELECT order_ext.create_topic('mo.gone');
SELECT order_ext.publish('mo.gone', 870030, deliver_at => clock_timestamp() + interval '10 min') AS timer \gset
BEGIN READ ONLY;
SELECT * FROM t.error(format('order_ext.cancel_message(%s)', :timer));
ROLLBACK;
SELECT order_ext.drop_topic('mo.gone');
SELECT order_ext.cancel_message(:timer);

SELECT * FROM order_ext.verify() WHERE severity = 'error';
SELECT order_ext.unsubscribe('mo.g'), order_ext.unsubscribe('mo.x'), order_ext.drop_topic('mo.t');
SET client_min_messages = warning;
DROP SCHEMA mo CASCADE;
RESET client_min_messages;
SELECT * FROM order_ext.verify() WHERE severity = 'error';
