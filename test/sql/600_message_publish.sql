-- Topics, publishing, subscribing and dispatch(), with handlers that succeed.
CREATE SCHEMA mp;
CREATE TABLE mp.seen (who text, key bigint, attempt integer, payload jsonb, call integer);
CREATE SEQUENCE mp.calls;
CREATE FUNCTION mp.one(m order_ext.message) RETURNS void LANGUAGE sql
	AS $$ INSERT INTO mp.seen VALUES ('one', m.key, m.attempt, m.payload, nextval('mp.calls')) $$;
CREATE FUNCTION mp.set(m order_ext.message[]) RETURNS void LANGUAGE plpgsql
	AS $$ DECLARE n integer := nextval('mp.calls'); BEGIN
		INSERT INTO mp.seen SELECT 'set', x.key, x.attempt, x.payload, n FROM unnest(m) AS x; END $$;
-- publishes the next of a chain until the payload's count is used up
CREATE FUNCTION mp.chain(m order_ext.message) RETURNS void LANGUAGE plpgsql
	AS $$ BEGIN
		INSERT INTO mp.seen VALUES ('chain', m.key, m.attempt, m.payload, 0);
		IF (m.payload->>'left')::integer > 0 THEN
			PERFORM order_ext.publish(m.topic, m.key + 1,
									  jsonb_build_object('left', (m.payload->>'left')::integer - 1));
		END IF; END $$;
-- dispatch(), counting our own: how many messages handlers of this file were given and kept
CREATE FUNCTION mp.dispatch() RETURNS bigint LANGUAGE plpgsql
	AS $$ DECLARE before bigint := (SELECT count(*) FROM mp.seen); BEGIN
		PERFORM t.dispatch();
		RETURN (SELECT count(*) FROM mp.seen) - before; END $$;
-- who saw which keys, and in how many calls
CREATE FUNCTION mp.take() RETURNS TABLE (who text, keys text, calls bigint) LANGUAGE sql
	AS $$ WITH gone AS (DELETE FROM mp.seen RETURNING *)
		SELECT who, string_agg(key || CASE WHEN attempt > 1 THEN '#' || attempt ELSE '' END, ' ' ORDER BY key, attempt),
			count(DISTINCT call)
		FROM gone GROUP BY who ORDER BY who $$;

SELECT t.drain();
CALL t.pause_others();
SELECT order_ext.create_topic('mp.t');
SELECT topic, builtin, consumer_groups, max_depth, dedup_window, owner = current_user AS own, grants FROM order_ext.topics_view WHERE topic = 'mp.t';
-- before there is a group; 'now' does not see it, 'earliest' does
SELECT order_ext.publish('mp.t', 1, '{"a": 1}') > 0 AS published;
SELECT t.subscribe('mp.one', 'mp.t', 'mp.one(order_ext.message)');
SELECT t.subscribe('mp.set', 'mp.t', 'mp.set(order_ext.message[])', '{"start": "earliest"}');
SELECT consumer_group, topic, handler, run_as, batch, max_attempts, backoff
FROM order_ext.subscriptions_view WHERE topic = 'mp.t' ORDER BY 1;
SELECT mp.dispatch() AS delivered;
SELECT * FROM mp.take();

-- one by one, and as a set; payload and key arrive as they were
SELECT count(order_ext.publish('mp.t', k, jsonb_build_object('k', k))) FROM generate_series(10, 14) AS k;
SELECT consumer_group, lag, retrying, dead, consumed FROM order_ext.consumer_stats WHERE topic = 'mp.t' ORDER BY 1;
SELECT mp.dispatch() AS delivered;
SELECT count(*) FROM mp.seen WHERE payload = jsonb_build_object('k', key);
SELECT * FROM mp.take();
SELECT consumer_group, lag, retrying, dead, consumed FROM order_ext.consumer_stats WHERE topic = 'mp.t' ORDER BY 1;
SELECT mp.dispatch() AS delivered;

-- a limit leaves the rest for the next call, also in the middle of a batch
SELECT count(order_ext.publish('mp.t', k)) FROM generate_series(20, 24) AS k;
SELECT t.dispatch(3) AS handled;
SELECT t.dispatch(3) AS handled;
SELECT t.dispatch(100) AS handled;
SELECT who, keys FROM mp.take();
SET order_ext.batch_size = 2;
SELECT count(order_ext.publish('mp.t', k)) FROM generate_series(25, 29) AS k;
SELECT mp.dispatch() AS delivered;
SELECT * FROM mp.take();
RESET order_ext.batch_size;

-- nothing is delivered of what was rolled back, with or without a subtransaction
BEGIN;
SELECT order_ext.publish('mp.t', 30) > 0 AS published;
SAVEPOINT s;
SELECT order_ext.publish('mp.t', 31) > 0 AS published;
ROLLBACK TO s;
SAVEPOINT s2;
SELECT order_ext.publish('mp.t', 32) > 0 AS published;
RELEASE s2;
-- what the caller published waits for the commit
SELECT mp.dispatch() AS delivered;
COMMIT;
BEGIN;
SELECT order_ext.publish('mp.t', 33) > 0 AS published;
ROLLBACK;
SELECT mp.dispatch() AS delivered;
SELECT who, keys FROM mp.take();
-- and a dispatch() that is rolled back has not happened
SELECT order_ext.publish('mp.t', 34) > 0 AS published;
BEGIN;
SELECT mp.dispatch() AS delivered;
ROLLBACK;
BEGIN;
SAVEPOINT s;
SELECT mp.dispatch() AS delivered;
ROLLBACK TO s;
SELECT mp.dispatch() AS delivered;
COMMIT;
SELECT mp.dispatch() AS delivered;
SELECT who, keys FROM mp.take();

-- what handlers publish is delivered by the same call, once
SELECT order_ext.create_topic('mp.chain');
SELECT t.subscribe('mp.chain', 'mp.chain', 'mp.chain(order_ext.message)');
SELECT order_ext.publish('mp.chain', 100, '{"left": 5}') > 0 AS published;
SELECT mp.dispatch() AS delivered;
SELECT mp.dispatch() AS delivered;
SELECT who, keys FROM mp.take();
-- stopped by a limit in the middle of the chain, and continued
SELECT order_ext.publish('mp.chain', 200, '{"left": 5}') > 0 AS published;
SELECT t.dispatch(2) AS handled;
SELECT mp.dispatch() AS delivered;
SELECT who, keys FROM mp.take();
-- beside messages that the caller published itself and that wait
BEGIN;
SELECT order_ext.publish('mp.chain', 300, '{"left": 1}') > 0 AS published;
SELECT mp.dispatch() AS delivered;
COMMIT;
BEGIN;
SELECT order_ext.publish('mp.chain', 310, '{"left": 0}') > 0 AS published;
SELECT mp.dispatch() AS delivered;
SELECT order_ext.publish('mp.chain', 320, '{"left": 0}') > 0 AS published;
SELECT mp.dispatch() AS delivered;
COMMIT;
SELECT mp.dispatch() AS delivered;
SELECT who, keys FROM mp.take();
SELECT count(*) AS ranges_left FROM order_ext_internal.inline_ranges
	JOIN order_ext_internal.consumer_groups USING (group_id) WHERE name LIKE 'mp.%';

-- in the other isolation levels
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT order_ext.publish('mp.chain', 400, '{"left": 0}') > 0 AS published;
COMMIT;
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT mp.dispatch() AS delivered;
COMMIT;
SELECT order_ext.publish('mp.chain', 410, '{"left": 2}') > 0 AS published;
BEGIN ISOLATION LEVEL SERIALIZABLE;
SELECT mp.dispatch() AS delivered;
COMMIT;
SELECT mp.dispatch() AS delivered;
SELECT who, keys FROM mp.take();

-- later: a timer, with the same id all the way
SELECT order_ext.publish('mp.t', 500, '{}', clock_timestamp() + interval '1 hour') AS id \gset
SELECT mp.dispatch() AS delivered;
SELECT message_id = :id AS same_id, topic, consumer_group, state, attempt FROM order_ext.message_trace(500);
SELECT order_ext.reschedule_message(:id, clock_timestamp() + interval '1 ms');
DO $$ BEGIN
	FOR i IN 1..1000 LOOP
		PERFORM t.dispatch();
		EXIT WHEN EXISTS (SELECT FROM mp.seen WHERE key = 500);
		PERFORM pg_sleep(0.01);
	END LOOP;
END $$;
SELECT who, keys FROM mp.take();
SELECT message_id = :id AS same_id, topic, consumer_group, state, attempt FROM order_ext.message_trace(500) ORDER BY 3;
-- a time that is over is now
SELECT order_ext.publish('mp.t', 501, '{}', now() - interval '1 year') > 0 AS published;
SELECT mp.dispatch() AS delivered;
SELECT who, keys FROM mp.take();

-- any topic, built-in ones too
CALL t.resume_others();
SELECT t.subscribe('mp.created', 'order.created', 'mp.one(order_ext.message)');
SELECT order_ext.put_product('MP-1', 'A', 100);
SELECT available FROM order_ext.adjust_stock('MP-1', 10);
SELECT id AS order_id FROM order_ext.create_order(1, '[{"sku": "MP-1", "quantity": 1}]', 100) \gset
SELECT mp.dispatch() AS delivered;
SELECT who, key = :order_id AS the_order, payload->>'order_id' = :'order_id' AS id_as_string FROM mp.seen;
DELETE FROM mp.seen;
SELECT order_ext.cancel_order(:order_id) IS NOT NULL AS canceled;
SELECT mp.dispatch() AS delivered;
SELECT topic, consumer_group, state FROM order_ext.message_trace(:order_id) WHERE consumer_group IS NOT NULL ORDER BY 1, 2;

-- the same call again changes the group, which keeps its place
SELECT order_ext.publish('mp.t', 600) > 0 AS published;
SELECT t.subscribe('mp.one', 'mp.t', 'mp.set(order_ext.message[])', '{"max_attempts": 3, "backoff": "rocketmq", "start": "earliest"}');
SELECT handler, batch, max_attempts, backoff FROM order_ext.subscriptions_view WHERE consumer_group = 'mp.one';
SELECT mp.dispatch() AS delivered;
SELECT who, keys FROM mp.take();

-- the end of a group, and of a topic
SELECT t.go($$order_ext.drop_topic('mp.t')$$);
SELECT order_ext.unsubscribe('mp.one'), order_ext.unsubscribe('mp.set'), order_ext.unsubscribe('mp.chain'), order_ext.unsubscribe('mp.created');
SELECT order_ext.drop_topic('mp.t'), order_ext.drop_topic('mp.chain');
SELECT t.go($$order_ext.publish('mp.t', 1)$$);
SELECT mp.dispatch() AS delivered;
SELECT count(*) FROM order_ext_internal.group_progress WHERE group_id NOT IN (SELECT group_id FROM order_ext_internal.consumer_groups);
SET client_min_messages = warning;
DROP SCHEMA mp CASCADE;
RESET client_min_messages;
SELECT * FROM order_ext.verify() WHERE severity = 'error';
