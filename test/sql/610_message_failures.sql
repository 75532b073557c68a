-- Handlers that fail, wait, hang, or are not there.
CREATE SCHEMA mf;
CREATE TABLE mf.seen (key bigint, attempt integer);
-- does what the payload says
CREATE FUNCTION mf.act(m order_ext.message) RETURNS void LANGUAGE plpgsql
	AS $$ BEGIN
		INSERT INTO mf.seen VALUES (m.key, m.attempt);
		IF m.attempt <= coalesce((m.payload->>'times')::integer, 1000) THEN
			IF m.payload ? 'state' THEN
				RAISE EXCEPTION USING ERRCODE = m.payload->>'state', MESSAGE = coalesce(m.payload->>'text', 'as asked'),
					DETAIL = coalesce(m.payload->>'detail', '');
			ELSIF m.payload ? 'sleep' THEN
				PERFORM pg_sleep((m.payload->>'sleep')::float);
			END IF;
		END IF;
	END $$;
CREATE FUNCTION mf.act_all(m order_ext.message[]) RETURNS void LANGUAGE sql
	AS $$ SELECT mf.act(x) FROM unnest(m) AS x $$;
-- what handlers left behind: a failed attempt leaves nothing
CREATE FUNCTION mf.take() RETURNS text LANGUAGE sql
	AS $$ WITH gone AS (DELETE FROM mf.seen RETURNING *)
		SELECT string_agg(key || '#' || attempt, ' ' ORDER BY key, attempt) FROM gone $$;
CREATE FUNCTION mf.trace(key bigint) RETURNS SETOF text LANGUAGE sql
	AS $$ SELECT concat_ws(' ', consumer_group, state, attempt,
			CASE WHEN finished_at >= published_at THEN 'finished' END, '(' || error || ')')
		FROM order_ext.message_trace($1) WHERE topic LIKE 'mf.%' ORDER BY consumer_group, attempt $$;
-- until the group is through with its retries, those that are due before long
CREATE PROCEDURE mf.drain() LANGUAGE plpgsql
	AS $$ BEGIN
		FOR i IN 1..3000 LOOP
			PERFORM t.dispatch();
			COMMIT;
			EXIT WHEN NOT EXISTS (SELECT FROM order_ext_internal.retries JOIN order_ext_internal.consumer_groups USING (group_id)
				WHERE name LIKE 'mf.%' AND due_at < now() + interval '5 minutes');
			PERFORM pg_sleep(0.01);
		END LOOP;
	END $$;

SELECT t.drain();
CALL t.pause_others();
SELECT order_ext.create_topic('mf.t');
SELECT t.subscribe('mf.g', 'mf.t', 'mf.act(order_ext.message)', '{"max_attempts": 2}');

-- one of many fails: the others are done, it is retried, and then dead
SELECT count(order_ext.publish('mf.t', k, CASE k WHEN 3 THEN '{"state": "XX999", "text": "no way"}' ELSE '{}' END::jsonb)) FROM generate_series(1, 5) AS k;
-- (so many and no more: the retry may be due at once)
SELECT t.dispatch(5) AS handled;
SELECT mf.take();
SELECT lag, retrying, dead, consumed FROM order_ext.consumer_stats WHERE consumer_group = 'mf.g';
SELECT mf.trace(3);
SELECT mf.trace(4);
-- with a random part of a second as delay
SELECT attempts, last_error, last_sqlstate, due_at >= finished_at AND due_at <= finished_at + interval '2 seconds' AS within_a_second
FROM order_ext_internal.retries JOIN order_ext_internal.attempts USING (message_id, group_id) WHERE key = 3;
CALL mf.drain();
SELECT mf.take();
SELECT mf.trace(3);
SELECT lag, retrying, dead, consumed FROM order_ext.consumer_stats WHERE consumer_group = 'mf.g';
SELECT consumer_group, topic, key, payload, attempts, last_error, last_sqlstate, died_at IS NOT NULL AS died FROM order_ext.dead_letters WHERE consumer_group LIKE 'mf.%';
-- the operators were alerted
SELECT payload - 'message_id' AS alert FROM order_ext_internal.message_log WHERE topic_id = t.code('topic', 'ops.alert') AND key = 3;

-- it fails once and then works
SELECT order_ext.publish('mf.t', 10, '{"state": "XX999", "times": 1}') > 0 AS published;
CALL mf.drain();
SELECT mf.take();
SELECT mf.trace(10);

-- the handler asks: a delay, to discard, for the dead letters
SELECT order_ext.publish('mf.t', 20, '{"state": "OE801", "detail": "3 hours"}') > 0 AS published;
SELECT order_ext.publish('mf.t', 21, '{"state": "OE802"}') > 0 AS published;
SELECT order_ext.publish('mf.t', 22, '{"state": "OE803"}') > 0 AS published;
SELECT order_ext.publish('mf.t', 23, '{"state": "OE801", "detail": "0 s", "times": 1}') > 0 AS published;
-- nonsense instead of an interval is an ordinary failure, a negative one is no delay, and no delay is endless
SELECT order_ext.publish('mf.t', 24, '{"state": "OE801", "detail": "soon", "times": 1}') > 0 AS published;
SELECT order_ext.publish('mf.t', 25, '{"state": "OE801", "detail": "-1 day", "times": 1}') > 0 AS published;
SELECT order_ext.publish('mf.t', 26, '{"state": "OE801", "detail": "170000 years"}') > 0 AS published;
CALL mf.drain();
SELECT mf.take();
SELECT key, attempts, last_sqlstate, due_at - finished_at >= interval '3 hours' AND due_at - finished_at < interval '3 hours 1 minute' AS three_hours
FROM order_ext_internal.retries JOIN order_ext_internal.attempts USING (message_id, group_id) WHERE key BETWEEN 20 AND 25 ORDER BY 1;
SELECT due_at - clock_timestamp() < interval '4000 days' AS not_for_ever FROM order_ext_internal.retries WHERE key = 26;
SELECT k, mf.trace(k) FROM generate_series(20, 25) AS k;

-- a deadlock or a serialization failure does not count, and is given up for a while
SELECT order_ext.publish('mf.t', 30, '{"state": "40P01"}') > 0 AS published;
SELECT t.dispatch(1) AS handled;
SELECT attempts, busy FROM order_ext_internal.retries WHERE key = 30;
SELECT mf.trace(30);
SELECT count(*) FROM order_ext_internal.attempts a JOIN order_ext_internal.retries r USING (message_id) WHERE r.key = 30;
-- in a transaction that cannot see anything new, it is the caller's
SELECT order_ext.publish('mf.t', 31, '{"state": "40001"}') > 0 AS published;
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT t.go('t.dispatch()') IN ('40001', '40P01') AS conflict;
COMMIT;

-- it hangs (and is not due again before we have looked)
SELECT t.subscribe('mf.g', 'mf.t', 'mf.act(order_ext.message)', '{"max_attempts": 2, "backoff": "rocketmq"}');
SET order_ext.handler_timeout = 500;
SELECT order_ext.publish('mf.t', 40, '{"sleep": 3600}') > 0 AS published;
SELECT order_ext.publish('mf.t', 41) > 0 AS published;
SELECT t.dispatch() > 0 AS handled;
RESET order_ext.handler_timeout;
SELECT mf.take();
SELECT mf.trace(40);
SELECT order_ext.unsubscribe('mf.g');
-- a group's own limit, shorter and longer than the setting, and none
SELECT t.subscribe('mf.short', 'mf.t', 'mf.act(order_ext.message)', '{"max_attempts": 1, "handler_timeout": "200 ms"}');
SELECT order_ext.publish('mf.t', 45, '{"sleep": 3600}') > 0 AS published;
SELECT t.dispatch() > 0 AS handled;
SELECT last_error FROM order_ext.dead_letters WHERE consumer_group = 'mf.short';
SELECT order_ext.unsubscribe('mf.short');
SET order_ext.handler_timeout = 50;
SELECT t.subscribe('mf.long', 'mf.t', 'mf.act(order_ext.message)', '{"max_attempts": 1, "handler_timeout": "1 hour"}'), t.subscribe('mf.none', 'mf.t', 'mf.act(order_ext.message)', '{"max_attempts": 1, "handler_timeout": "0"}');
SELECT order_ext.publish('mf.t', 46, '{"sleep": 0.2}') > 0 AS published;
SELECT t.dispatch() > 0 AS handled;
SELECT consumer_group, handler_timeout, (SELECT count(*) FROM order_ext.dead_letters d WHERE d.consumer_group = s.consumer_group) AS dead FROM order_ext.subscriptions_view s WHERE consumer_group LIKE 'mf.%' ORDER BY 1;
-- without the option, as the setting says again
SELECT t.subscribe('mf.none', 'mf.t', 'mf.act(order_ext.message)', '{"max_attempts": 1}');
SELECT order_ext.publish('mf.t', 47, '{"sleep": 3600}') > 0 AS published;
SELECT order_ext.unsubscribe('mf.long');
SELECT t.dispatch() > 0 AS handled;
SELECT last_error FROM order_ext.dead_letters WHERE consumer_group = 'mf.none';
RESET order_ext.handler_timeout;
SELECT mf.take();
SELECT order_ext.unsubscribe('mf.none');

-- a handler of sets: the one that fails is found
SELECT t.subscribe('mf.all', 'mf.t', 'mf.act_all(order_ext.message[])', '{"max_attempts": 1}');
SELECT count(order_ext.publish('mf.t', k, CASE k WHEN 53 THEN '{"state": "XX999"}' ELSE '{}' END::jsonb)) FROM generate_series(50, 55) AS k;
SELECT t.dispatch() AS handled;
SELECT mf.take();
SELECT key, attempts, last_sqlstate FROM order_ext.dead_letters WHERE consumer_group LIKE 'mf.%';
SELECT order_ext.unsubscribe('mf.all');

-- what a failed attempt published and wrote is not there; a handler cannot dispatch or commit
CREATE FUNCTION mf.publish_and_fail(m order_ext.message) RETURNS void LANGUAGE plpgsql
	AS $$ BEGIN
		PERFORM order_ext.publish('mf.t', m.key + 1000);
		INSERT INTO mf.seen VALUES (m.key, m.attempt);
		CASE m.key WHEN 60 THEN RAISE 'after all'; WHEN 61 THEN PERFORM order_ext.dispatch();
			WHEN 62 THEN COMMIT; ELSE NULL; END CASE;
	END $$;
SELECT order_ext.create_topic('mf.u');
SELECT t.subscribe('mf.u', 'mf.u', 'mf.publish_and_fail(order_ext.message)', '{"max_attempts": 1}');
SELECT count(order_ext.publish('mf.u', k)) FROM generate_series(60, 63) AS k;
SELECT t.dispatch() AS handled;
SELECT mf.take();
SELECT key, last_sqlstate, last_error FROM order_ext.dead_letters WHERE consumer_group LIKE 'mf.%' ORDER BY 1;
SELECT key FROM order_ext_internal.message_log JOIN order_ext_internal.topics USING (topic_id) WHERE key BETWEEN 1000 AND 2000 AND name LIKE 'mf.%';

-- the handler goes away: dead at once, and the other groups go on
SELECT order_ext.publish('mf.u', 64) > 0 AS published;
DROP FUNCTION mf.publish_and_fail(order_ext.message);
SELECT t.dispatch() AS handled;
SELECT key, attempts, last_sqlstate, last_error FROM order_ext.dead_letters WHERE key = 64;
-- and comes back, with another owner
CREATE ROLE regress_mf_nobody;
CREATE FUNCTION mf.publish_and_fail(m order_ext.message) RETURNS void LANGUAGE sql AS '';
ALTER FUNCTION mf.publish_and_fail OWNER TO regress_mf_nobody;
SELECT order_ext.publish('mf.u', 65) > 0 AS published;
SELECT t.dispatch() AS handled;
SELECT key, attempts, last_sqlstate FROM order_ext.dead_letters WHERE key = 65;
-- a long error is cut
SELECT t.subscribe('mf.u', 'mf.u', 'mf.act(order_ext.message)', '{"max_attempts": 1}');
SELECT order_ext.publish('mf.u', 66, jsonb_build_object('state', 'XX999', 'text', repeat('ä', 5000))) > 0 AS published;
SELECT t.dispatch() AS handled;
SELECT octet_length(last_error) FROM order_ext.dead_letters WHERE key = 66;

SELECT order_ext.unsubscribe('mf.u');
SELECT order_ext.drop_topic('mf.t'), order_ext.drop_topic('mf.u');
SET client_min_messages = warning;
DROP SCHEMA mf CASCADE;
RESET client_min_messages;
DROP ROLE regress_mf_nobody;
CALL t.resume_others();
SELECT t.drain();
SELECT * FROM order_ext.verify() WHERE severity = 'error';
