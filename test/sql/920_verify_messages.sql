-- verify() knows the tables of messaging: each line breaks one thing behind the engine's back,
-- shows what verify() adds to its report, and takes it back.
CREATE SCHEMA vm;
CREATE FUNCTION vm.handle(m order_ext.message) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	IF m.key = 7200 THEN RAISE EXCEPTION 'not yet' USING ERRCODE = 'OE801', DETAIL = '1 day'; END IF;
	IF m.key = 7300 THEN RAISE EXCEPTION 'never' USING ERRCODE = 'OE803'; END IF;
END $$;
-- One message handled in a transaction of its own, so many times.
CREATE PROCEDURE vm.pass(times integer) LANGUAGE plpgsql AS $$
BEGIN
	FOR i IN 1..times LOOP
		PERFORM order_ext.publish('vm.t', i), order_ext.publish('vm.x', i);
		COMMIT;
		PERFORM t.dispatch();
		COMMIT;
	END LOOP;
END $$;
-- Ids that the lines below use, as text.
CREATE FUNCTION vm.g(name text) RETURNS integer LANGUAGE sql STABLE RETURN
	(SELECT group_id FROM order_ext_internal.consumer_groups WHERE consumer_groups.name = $1);
CREATE FUNCTION vm.topic() RETURNS integer LANGUAGE sql STABLE RETURN
	(SELECT topic_id FROM order_ext_internal.topics WHERE name = 'vm.t');
-- Of a statement with %s for the segment: the same for all segments.
CREATE PROCEDURE vm.in_log(statement text) LANGUAGE plpgsql AS $$
BEGIN
	FOR n IN 0..3 LOOP EXECUTE format(statement, n); END LOOP;
END $$;
CREATE PROCEDURE vm.in_ring(statement text) LANGUAGE plpgsql AS $$
BEGIN
	FOR n IN 0..31 LOOP EXECUTE format(statement, n); END LOOP;
END $$;

SELECT t.drain();
SELECT order_ext.create_topic('vm.t'), order_ext.create_topic('vm.x');
SELECT t.subscribe('vm.g', 'vm.t', 'vm.handle(order_ext.message)', '{"ordered": true}');
SELECT t.subscribe('vm.x', 'vm.x');
CALL vm.pass(4);
-- a retry with a parked message behind it, a dead letter, a lease, a timer
SELECT count(order_ext.publish('vm.t', key)) FROM unnest('{7200,7200,7300,1}'::bigint[]) AS key;
SELECT t.dispatch() > 0 AS handled;
SELECT count(*) FROM order_ext.receive('vm.x', 3, '1 h');
SELECT t.remember('vm timer', order_ext.publish('vm.t', 1, deliver_at => now() + interval '20 minutes'));
SELECT t.remember('vm far', order_ext.publish('vm.t', 1, deliver_at => now() + interval '20 days'));
SELECT count(*) FROM order_ext.verify() WHERE severity = 'error';

SET search_path = order_ext_internal, vm, public;

-- what has been consumed
SELECT t.detects('CALL vm.in_log(''DELETE FROM message_log_%s WHERE topic_id = vm.topic() AND key = 4'')');
SELECT t.detects('CALL vm.in_log(''INSERT INTO message_log_%s SELECT message_id + 1, xid, key, published_at, topic_id, shard, payload FROM message_log_%1$s WHERE topic_id = vm.topic() AND key = 4'')');
SELECT t.detects('INSERT INTO group_progress SELECT seq + 1, group_id, part, NULL, NULL, consumed + 1, now(), done, NULL, parts FROM group_progress WHERE group_id = vm.g(''vm.g'') ORDER BY seq DESC LIMIT 1');
-- a cursor that was moved on past a message, and one that passed its place
SELECT order_ext.publish('vm.t', 5) > 0 AS published;
SELECT t.detects('INSERT INTO group_progress SELECT seq + 1, group_id, part, NULL, NULL, consumed, now(), pg_current_snapshot(), NULL, parts FROM group_progress WHERE group_id = vm.g(''vm.g'') ORDER BY seq DESC LIMIT 1');
SELECT t.detects('INSERT INTO group_progress SELECT p.seq + 1, p.group_id, p.part, m.message_id, m.xid, p.consumed, now(), p.done, pg_current_snapshot(), p.parts FROM group_progress p, message_log m WHERE p.group_id = vm.g(''vm.g'') AND m.topic_id = vm.topic() AND m.key = 5 ORDER BY p.seq DESC LIMIT 1');
SELECT t.drain();
-- its rows
SELECT t.detects('DELETE FROM group_progress WHERE group_id = vm.g(''vm.g'') AND seq = (SELECT max(seq) - 1 FROM group_progress WHERE group_id = vm.g(''vm.g''))');
SELECT t.detects('UPDATE group_progress SET consumed = consumed - 2 WHERE group_id = vm.g(''vm.g'') AND seq = (SELECT max(seq) FROM group_progress WHERE group_id = vm.g(''vm.g''))');
SELECT t.detects('UPDATE group_progress SET done = ''900000000000000:900000000000000:'' WHERE group_id = vm.g(''vm.g'') AND seq = (SELECT max(seq) FROM group_progress WHERE group_id = vm.g(''vm.g''))');

-- what is kept outside of the log
SELECT t.detects('UPDATE retries SET message_id = message_id + 1000000 WHERE group_id = vm.g(''vm.g'')');
SELECT t.detects('UPDATE leases SET message_id = 1, key = 3 WHERE group_id = vm.g(''vm.x'') AND key = 3');
SELECT t.detects('INSERT INTO retries (message_id, group_id, topic_id, key, published_at, due_at, attempts, busy, payload) SELECT message_id, group_id, topic_id, key, published_at, now(), 1, 0, payload FROM leases WHERE group_id = vm.g(''vm.x'') AND key = 3');
SELECT t.detects('INSERT INTO dead_messages (message_id, group_id, topic_id, key, published_at, died_at, attempts, payload) SELECT message_id, group_id, topic_id, key, published_at, now(), 1, payload FROM retries WHERE group_id = vm.g(''vm.g'')');
SELECT t.detects('DELETE FROM retries WHERE group_id = vm.g(''vm.g'')');
SELECT t.detects('UPDATE parked_messages SET key = 3 WHERE group_id = vm.g(''vm.g'')');
SELECT t.detects('UPDATE retries SET due_at = now() - interval ''2 days'' WHERE group_id = vm.g(''vm.g'')');
SELECT t.detects('DELETE FROM lease_receipts WHERE group_id = vm.g(''vm.x'')');
SELECT t.detects('UPDATE lease_receipts SET lease_until = now() - interval ''1 day'' WHERE group_id = vm.g(''vm.x'')');
SELECT t.detects('UPDATE consumer_groups SET handler = ''vm.handle(order_ext.message)'' WHERE name = ''vm.x''');
SELECT t.detects('DELETE FROM leases WHERE group_id = vm.g(''vm.x'')');

-- rows of groups and topics that are not there
SELECT t.detects('UPDATE dead_messages SET group_id = 999999 WHERE group_id = vm.g(''vm.g'')');
SELECT t.detects('UPDATE lease_receipts SET group_id = 999999 WHERE group_id = vm.g(''vm.x'')');
SELECT t.detects('INSERT INTO crash_suspects VALUES (999999, 1, 1, 1, now())');
SELECT t.detects('INSERT INTO inline_ranges VALUES (999999, ''3'', 1, 2, now())');
SELECT t.detects('DELETE FROM consumer_groups WHERE name = ''vm.g''');
SELECT t.detects('DELETE FROM topics WHERE name = ''vm.x''');

-- the rings
SELECT order_ext.publish('vm.t', 6, dedup_key => 'vm') > 0 AS published;
SELECT t.detects('INSERT INTO dedup_1 SELECT message_id + 1, topic_id, published_at, dedup_key FROM dedup WHERE dedup_key = ''vm''; INSERT INTO dedup_2 SELECT message_id + 1, topic_id, published_at, dedup_key FROM dedup_1 WHERE dedup_key = ''vm''');
SELECT t.detects('DELETE FROM ring_moves WHERE ring = ''dedup''; INSERT INTO ring_moves SELECT n, ''dedup'', n % 4, now(), pg_current_xact_id() FROM unnest(''{1,2,4}''::bigint[]) AS n');
SELECT t.detects('DELETE FROM ring_moves WHERE ring = ''dedup''; INSERT INTO ring_moves SELECT n, ''dedup'', 0, now(), pg_current_xact_id() FROM unnest(''{1,2}''::bigint[]) AS n');

-- timers: in another bucket, twice, twice in different tables, and fired already
SELECT t.detects('CALL vm.in_ring(''UPDATE timer_bucket_%s SET due_at = due_at + interval ''''4 minutes'''' WHERE message_id = t.id(''''vm timer'''')'')');
SELECT t.detects('CALL vm.in_ring(''INSERT INTO timer_bucket_%s SELECT message_id, ''''3'''', key, due_at, published_at, topic_id, bound, payload FROM timer_bucket_%1$s WHERE message_id = t.id(''''vm timer'''')'')');
SELECT t.detects('INSERT INTO timers_far SELECT message_id, xid, key, due_at, published_at, topic_id, bound, payload FROM timer_ring WHERE message_id = t.id(''vm timer'')');
SELECT t.detects('CALL vm.in_ring(''UPDATE timer_bucket_%s SET due_at = due_at - interval ''''64 minutes'''' WHERE message_id = t.id(''''vm timer'''')''); INSERT INTO message_log_0 SELECT message_id, pg_current_xact_id(), key, published_at, topic_id, 0, payload FROM timer_ring WHERE message_id = t.id(''vm timer'')');

RESET search_path;

-- Nothing of this stayed, and nothing of the group will.
SELECT count(*) FROM order_ext.verify() WHERE severity = 'error';
SELECT order_ext.cancel_message(t.id('vm far'));
SELECT order_ext.unsubscribe('vm.g'), order_ext.unsubscribe('vm.x'), order_ext.drop_topic('vm.t'), order_ext.drop_topic('vm.x');
SET client_min_messages = warning;
DROP SCHEMA vm CASCADE;
RESET client_min_messages;
