-- Groups without handler: receive, ack, nack, extend_lease, wait_for_messages.
CREATE SCHEMA mc;
-- what a consumer got last, with its tokens
CREATE TABLE mc.got (n serial, message_id bigint, key bigint, attempt integer, token bigint);
CREATE FUNCTION mc.receive(max_messages integer, lease interval DEFAULT '30 seconds', consumer_group text DEFAULT 'mc.g') RETURNS text LANGUAGE sql
	AS $$ DELETE FROM mc.got;
		INSERT INTO mc.got (message_id, key, attempt, token) SELECT message_id, key, attempt, token FROM order_ext.receive(consumer_group, max_messages, lease);
		SELECT string_agg(key || '#' || attempt, ' ' ORDER BY n) FROM mc.got $$;
CREATE FUNCTION mc.tokens(VARIADIC keys bigint[]) RETURNS bigint[] LANGUAGE sql
	AS $$ SELECT array_agg(token ORDER BY n) FROM mc.got WHERE key = ANY (keys) $$;
CREATE FUNCTION mc.trace(key bigint) RETURNS SETOF text LANGUAGE sql
	AS $$ SELECT concat_ws(' ', consumer_group, state, attempt,
			CASE WHEN finished_at >= published_at THEN 'finished' END, '(' || error || ')')
		FROM order_ext.message_trace($1) WHERE topic LIKE 'mc.%' ORDER BY consumer_group, attempt $$;
CREATE FUNCTION mc.stats() RETURNS text LANGUAGE sql
	AS $$ SELECT format('lag %s, retrying %s, dead %s, consumed %s', lag, retrying, dead, consumed)
		FROM order_ext.consumer_stats WHERE consumer_group = 'mc.g' $$;
-- until all leases of the group have run out by the clock
CREATE FUNCTION mc.wait_ended() RETURNS void LANGUAGE plpgsql
	AS $$ BEGIN
		WHILE EXISTS (SELECT FROM order_ext_internal.lease_receipts WHERE lease_until >= clock_timestamp() AND lease_until < clock_timestamp() + interval '10 seconds') LOOP
			PERFORM pg_sleep(0.002);
		END LOOP;
	END $$;
SELECT t.drain();
CALL t.pause_others();
SELECT order_ext.create_topic('mc.t');
SELECT order_ext.subscribe('mc.g', 'mc.t', options => '{"max_attempts": 3}');
SELECT consumer_group, topic, handler, max_attempts FROM order_ext.subscriptions_view WHERE consumer_group = 'mc.g';

-- in order, each message once; dispatch() leaves them alone
SELECT mc.receive(10);
SELECT count(order_ext.publish('mc.t', k, jsonb_build_object('k', k))) FROM generate_series(1, 7) AS k;
SELECT order_ext.dispatch();
SELECT mc.stats();
SELECT mc.trace(1);
SELECT message_id > 0 AS message_id, topic, key, payload, attempt, token > 0 AS token, published_at <= now() AS published_at FROM order_ext.receive('mc.g', 2);
SELECT mc.receive(3);
SELECT mc.stats();
SELECT mc.trace(3);
SELECT order_ext.ack('mc.g', mc.tokens(3, 5));
SELECT mc.trace(3);
SELECT mc.trace(4);
SELECT mc.stats();

-- an answer is given once, by whoever has the lease, and all of a call or nothing
SELECT * FROM t.error($$order_ext.ack('mc.g', ARRAY[1])$$);
SELECT detail FROM t.error($$order_ext.ack('mc.g', (SELECT array_agg(n::bigint) FROM generate_series(1, 8) AS n))$$);
SELECT t.go($$order_ext.ack('mc.g', mc.tokens(3, 4))$$);
SELECT t.go($$order_ext.nack('mc.g', mc.tokens(4) || 7::bigint)$$);
SELECT t.go($$order_ext.extend_lease('mc.g', mc.tokens(4) || 7::bigint, '1 second')$$);
SELECT mc.trace(4);
SELECT order_ext.ack('mc.g', mc.tokens(4) || mc.tokens(4)) AS each_once;
SELECT order_ext.ack('mc.g', '{}'), order_ext.nack('mc.g', '{}'), order_ext.extend_lease('mc.g', '{}', '1 second');
SELECT order_ext.subscribe('mc.other', 'mc.t', options => '{"start": "earliest"}');
SELECT mc.receive(1, '30 seconds', 'mc.other');
SELECT t.go($$order_ext.ack('mc.g', mc.tokens(1))$$) AS another_groups;
SELECT order_ext.ack('mc.other', mc.tokens(1));
SELECT order_ext.unsubscribe('mc.other');

-- nack: again after a while, with what went wrong
SELECT mc.receive(10);
SELECT order_ext.nack('mc.g', mc.tokens(6), '0 seconds', 'no luck');
SELECT order_ext.nack('mc.g', mc.tokens(7));
SELECT mc.stats();
SELECT mc.trace(6);
SELECT key, attempts, last_error, last_sqlstate, due_at <= now() + interval '2 seconds' AS soon FROM order_ext_internal.retries JOIN order_ext_internal.consumer_groups USING (group_id) WHERE name = 'mc.g' ORDER BY key;
SELECT mc.receive(1);
SELECT mc.trace(6);
SELECT order_ext.ack('mc.g', mc.tokens(6));
SELECT mc.trace(6);
-- until max_attempts, then it is dead
DO $$
BEGIN
	FOR i IN 1..2000 LOOP
		IF mc.receive(10, '1 hour') IS NOT NULL THEN
			PERFORM order_ext.nack('mc.g', mc.tokens(7), '1 millisecond', 'still not');
		END IF;
		EXIT WHEN EXISTS (SELECT FROM order_ext.dead_letters WHERE consumer_group = 'mc.g');
		PERFORM pg_sleep(0.005);
	END LOOP;
END
$$;
SELECT mc.trace(7);
SELECT key, payload, attempts, last_error, last_sqlstate FROM order_ext.dead_letters WHERE consumer_group = 'mc.g';
SELECT payload - 'message_id' AS alert FROM order_ext_internal.message_log WHERE topic_id = t.code('topic', 'ops.alert') AND key = 7 AND payload->>'consumer_group' = 'mc.g';

-- a lease that runs out: delivered again, under a new and greater token; the old one is stale
SELECT mc.stats();
SELECT order_ext.publish('mc.t', 20) > 0, order_ext.publish('mc.t', 21) > 0;
SELECT order_ext.ack('mc.g', (SELECT array_agg(token) FROM order_ext_internal.leases JOIN order_ext_internal.consumer_groups USING (group_id) WHERE name = 'mc.g')) AS first_two;
SELECT mc.receive(10, '1 millisecond');
SELECT order_ext.extend_lease('mc.g', mc.tokens(21), '1 hour') AS extended;
SELECT mc.wait_ended();
CREATE TABLE mc.before AS TABLE mc.got;
SELECT mc.receive(10);
SELECT bool_and(g.token > b.token) AS greater FROM mc.got g JOIN mc.before b USING (message_id);
SELECT t.go('order_ext.ack(''mc.g'', ' || quote_literal(array_agg(token)) || ')') FROM mc.before WHERE key = 20;
SELECT t.go('order_ext.extend_lease(''mc.g'', ' || quote_literal(array_agg(token)) || ', ''1 hour'')') FROM mc.before WHERE key = 20;
SELECT order_ext.ack('mc.g', mc.tokens(20));
SELECT mc.trace(20);
-- what was extended is still held, and can be shortened
SELECT order_ext.extend_lease('mc.g', array_agg(token), '1 millisecond') FROM mc.before WHERE key = 21;
SELECT mc.wait_ended();
-- a late answer is fine as long as nobody else got it
SELECT order_ext.ack('mc.g', array_agg(token)) FROM mc.before WHERE key = 21;
SELECT mc.receive(10);
-- three leases that run out make it dead
SELECT order_ext.publish('mc.t', 22) > 0;
SELECT mc.receive(10, '1 millisecond');
SELECT mc.wait_ended();
SELECT mc.receive(10, '1 millisecond');
SELECT mc.wait_ended();
SELECT mc.receive(10, '1 millisecond');
SELECT mc.wait_ended();
SELECT mc.receive(10);
SELECT mc.trace(22);
SELECT mc.stats();
-- nothing is left of what is answered
SELECT count(*) AS leases FROM order_ext_internal.leases;
SELECT count(*) AS receipts FROM order_ext_internal.lease_receipts;

-- receipts follow savepoints; a rolled back receive() hands nothing out
SELECT order_ext.publish('mc.t', 30) > 0, order_ext.publish('mc.t', 31) > 0;
BEGIN;
SAVEPOINT a;
SELECT mc.receive(1);
ROLLBACK TO a;
SAVEPOINT b;
SELECT mc.receive(1);
RELEASE b;
COMMIT;
SELECT count(*) AS leases, count(DISTINCT until_receipt) AS receipts, bool_and(lease_until > now()) AS held
FROM order_ext_internal.leases JOIN order_ext_internal.lease_receipts ON receipt = until_receipt;
SELECT order_ext.ack('mc.g', mc.tokens(30));
-- in one transaction, and before its commit
BEGIN;
SELECT order_ext.publish('mc.t', 32) > 0;
SELECT mc.receive(10);
SELECT order_ext.ack('mc.g', mc.tokens(31));
COMMIT;
SELECT mc.receive(10);
SELECT order_ext.ack('mc.g', mc.tokens(32));

-- batches: at most 10000, or 16 MB of payload
SELECT count(order_ext.publish('mc.t', 500000 + k)) FROM generate_series(1, 10100) AS k;
SELECT count(*), count(DISTINCT token) FROM order_ext.receive('mc.g', 1000000);
SELECT order_ext.ack('mc.g', (SELECT array_agg(token) FROM order_ext_internal.leases));
SELECT order_ext.ack('mc.g', (SELECT array_agg(token) FROM order_ext.receive('mc.g', 1000)));
SELECT count(order_ext.publish('mc.t', 520000 + k, jsonb_build_object('x', repeat('x', 250000)))) FROM generate_series(1, 80) AS k;
SELECT count(*) BETWEEN 60 AND 70 AS about_16_mb FROM order_ext.receive('mc.g', 10000);
SELECT count(*) BETWEEN 10 AND 20 AS the_rest FROM order_ext.receive('mc.g', 10000);
SELECT order_ext.ack('mc.g', (SELECT array_agg(token) FROM order_ext_internal.leases));

-- waiting
CALL order_ext.wait_for_messages('mc.g', '0 seconds');
CALL order_ext.wait_for_messages('mc.g', '10 milliseconds');
SELECT order_ext.publish('mc.t', 40) > 0;
CALL order_ext.wait_for_messages('mc.g', '1 minute');
SELECT mc.receive(10, '50 milliseconds');
-- until the lease runs out
CALL order_ext.wait_for_messages('mc.g', '1 minute');
SELECT mc.receive(10);
SELECT order_ext.nack('mc.g', mc.tokens(40), '50 milliseconds');
-- until the retry is due
CALL order_ext.wait_for_messages('mc.g', '1 minute');
SELECT mc.receive(10);
SELECT order_ext.ack('mc.g', mc.tokens(40));
SELECT t.go($$order_ext.publish('mc.t', 41) > 0$$);
BEGIN;
CALL order_ext.wait_for_messages('mc.g', '0 seconds');
ROLLBACK;
CREATE PROCEDURE mc.wait(OUT ready boolean) LANGUAGE plpgsql AS $$ BEGIN CALL order_ext.wait_for_messages('mc.g', '0 seconds', ready); END $$;
CALL mc.wait(NULL);

-- a group gets a handler: what is held outside becomes due when its lease ends; and back
SELECT mc.receive(10);
CREATE FUNCTION mc.handler(m order_ext.message) RETURNS void LANGUAGE sql AS '';
SELECT t.subscribe('mc.g', 'mc.t', 'mc.handler(order_ext.message)');
SELECT mc.stats();
SELECT t.go($$order_ext.ack('mc.g', mc.tokens(41))$$);
SELECT order_ext.subscribe('mc.g', 'mc.t');
SELECT t.go($$order_ext.ack('mc.g', mc.tokens(41))$$);
SELECT mc.stats();

-- input
SELECT t.go($$(SELECT count(*) FROM order_ext.receive(NULL))$$), t.go($$(SELECT count(*) FROM order_ext.receive('mc.none'))$$), t.go($$(SELECT count(*) FROM order_ext.receive('stock.release'))$$);
SELECT t.go($$(SELECT count(*) FROM order_ext.receive('mc.g', NULL))$$), t.go($$(SELECT count(*) FROM order_ext.receive('mc.g', 0))$$), t.go($$(SELECT count(*) FROM order_ext.receive('mc.g', -1))$$);
SELECT t.go($$(SELECT count(*) FROM order_ext.receive('mc.g', 1, NULL))$$), t.go($$(SELECT count(*) FROM order_ext.receive('mc.g', 1, '0'))$$), t.go($$(SELECT count(*) FROM order_ext.receive('mc.g', 1, '-1 second'))$$), t.go($$(SELECT count(*) FROM order_ext.receive('mc.g', 1, '200000 years'))$$);
SELECT t.go($$order_ext.ack('mc.g', NULL)$$), t.go($$order_ext.ack('mc.g', '{1,NULL}')$$), t.go($$order_ext.ack('mc.none', '{1}')$$), t.go($$order_ext.ack(NULL, '{1}')$$), t.go($$order_ext.ack('mc.g', '{-9223372036854775808,9223372036854775807}')$$);
SELECT t.go($$order_ext.nack('mc.g', NULL)$$), t.go($$order_ext.nack('mc.g', '{1}', '-1 second')$$), t.go($$order_ext.nack('mc.g', '{1}', '200000 years')$$), t.go($$order_ext.nack('mc.none', '{1}')$$);
SELECT t.go($$order_ext.extend_lease('mc.g', NULL, '1 second')$$), t.go($$order_ext.extend_lease('mc.g', '{1}', NULL)$$), t.go($$order_ext.extend_lease('mc.g', '{1}', '0')$$), t.go($$order_ext.extend_lease('mc.g', '{1}', '200000 years')$$);
CALL order_ext.wait_for_messages(NULL);
CALL order_ext.wait_for_messages('mc.none');
CALL order_ext.wait_for_messages('mc.g', NULL);
CALL order_ext.wait_for_messages('mc.g', '-1 second');
BEGIN READ ONLY;
SELECT * FROM order_ext.receive('mc.g');
ROLLBACK;

-- who may: members of the role that subscribed it
CREATE ROLE mc_operator LOGIN;
CREATE ROLE mc_worker LOGIN;
SELECT order_ext.grant_to('mc_operator', 'operator'), order_ext.grant_to('mc_operator', 'worker'), order_ext.grant_to('mc_worker', 'worker');
GRANT mc_operator TO mc_worker;
SELECT order_ext.grant_topic('mc.t', 'mc_operator', 'subscribe');
SET ROLE mc_operator;
SELECT order_ext.subscribe('mc.theirs', 'mc.t');
RESET ROLE;
SELECT run_as FROM order_ext.subscriptions_view WHERE consumer_group = 'mc.theirs';
SELECT order_ext.publish('mc.t', 50) > 0;
SET ROLE mc_worker;
SELECT key, attempt FROM order_ext.receive('mc.theirs');
CALL order_ext.wait_for_messages('mc.theirs', '0 seconds');
SELECT * FROM order_ext.receive('mc.g');
SELECT order_ext.ack('mc.g', '{1}');
CALL order_ext.wait_for_messages('mc.g', '0 seconds');
RESET ROLE;
REVOKE mc_operator FROM mc_worker;
-- an operator subscribes for a role that it is a member of
GRANT mc_worker TO mc_operator;
SET ROLE mc_operator;
SELECT order_ext.subscribe('mc.lent', 'mc.t', options => '{"run_as": "mc_worker"}');
SELECT order_ext.subscribe('mc.stolen', 'mc.t', options => '{"run_as": "postgres"}');
RESET ROLE;
SELECT order_ext.publish('mc.t', 52) > 0;
SET ROLE mc_worker;
SELECT key, attempt FROM order_ext.receive('mc.lent');
SELECT * FROM order_ext.receive('mc.theirs');
RESET ROLE;
REVOKE mc_worker FROM mc_operator;
SELECT order_ext.unsubscribe('mc.lent');
SET ROLE mc_worker;
SELECT * FROM order_ext.receive('mc.theirs');
SELECT order_ext.ack('mc.theirs', '{1}');
SELECT order_ext.subscribe('mc.mine', 'mc.t');
SELECT * FROM order_ext_internal.leases;
RESET ROLE;

-- verify() reports leases that have ended, and finds those that cannot
SELECT order_ext.ack('mc.theirs', (SELECT array_agg(token) FROM order_ext_internal.leases));
SELECT mc.receive(10, '1 hour', 'mc.theirs');
SELECT order_ext.ack('mc.theirs', mc.tokens(52));
SELECT order_ext.publish('mc.t', 51) > 0;
SELECT mc.receive(10, '1 millisecond', 'mc.theirs');
SELECT mc.wait_ended();
SELECT invariant, severity, entity, expected, regexp_replace(actual, '@ .* ago', '@ # ago') AS actual FROM order_ext.verify() WHERE entity LIKE '%mc.theirs%';
SELECT * FROM order_ext.verify() WHERE severity = 'error';
BEGIN;
SET LOCAL session_replication_role = replica;
DELETE FROM order_ext_internal.lease_receipts;
SELECT invariant, severity, regexp_replace(entity, '[0-9]+', '#', 'g') AS entity, actual FROM order_ext.verify() WHERE severity = 'error';
ROLLBACK;
SELECT order_ext.unsubscribe('mc.g'), order_ext.unsubscribe('mc.theirs');
SELECT count(*) AS leases FROM order_ext_internal.leases;
SELECT count(*) AS receipts FROM order_ext_internal.lease_receipts;
DROP OWNED BY mc_operator, mc_worker;
DROP ROLE mc_operator, mc_worker;
DROP SCHEMA mc CASCADE;
CALL t.resume_others();
SELECT t.drain();
