-- reschedule_message: a timer that has not fired gets another time, with its id and its dedup_key; it is
-- delivered once, at the last time that was committed.
SELECT t.drain();
CALL t.pause_others();
CREATE SCHEMA mr;
CREATE TABLE mr.seen (n serial, id bigint, key bigint, payload jsonb);
CREATE FUNCTION mr.note(m order_ext.message) RETURNS void LANGUAGE sql AS 'INSERT INTO mr.seen (id, key, payload) VALUES (m.id, m.key, m.payload)';
SELECT order_ext.create_topic('mr.t'), t.subscribe('mr.g', 'mr.t', 'mr.note(order_ext.message)');
-- deliver until so many were seen
CREATE FUNCTION mr.dispatch_until(n integer) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	FOR i IN 1..2000 LOOP
		PERFORM t.dispatch();
		EXIT WHEN (SELECT count(*) FROM mr.seen) >= n;
		PERFORM pg_sleep(0.005);
	END LOOP;
	RETURN (SELECT string_agg(key::text, ' ' ORDER BY s.n) FROM mr.seen s);
END $$;
-- in how many hours it is due
CREATE FUNCTION mr.at(key bigint) RETURNS SETOF integer LANGUAGE sql AS
	$$ SELECT floor(extract(epoch FROM due_at - clock_timestamp() + interval '1 min') / 3600) FROM order_ext_internal.pending_timers p
		JOIN order_ext_internal.topics t USING (topic_id) WHERE t.name = 'mr.t' AND p.key = $1 $$;
CREATE FUNCTION mr.soon(h interval DEFAULT '0') RETURNS timestamptz LANGUAGE sql AS $$ SELECT clock_timestamp() + interval '1 s' + h $$;

-- near (in the ring) and far: later, sooner, and into the past
SELECT order_ext.publish('mr.t', 1, '{"a": 1}', mr.soon()) AS near \gset
SELECT order_ext.publish('mr.t', 2, '{}', mr.soon('1 year')) AS far \gset
SELECT order_ext.publish('mr.t', 3, '{}', mr.soon('30 min')) AS past \gset
SELECT order_ext.publish('mr.t', 4, '{}', mr.soon('2 days')) AS far_past \gset
SELECT order_ext.reschedule_message(:near, mr.soon('5 hours')), order_ext.reschedule_message(:far, mr.soon('720 hours'));
SELECT mr.at(1), mr.at(2);
SELECT state FROM order_ext.message_trace(1) WHERE topic = 'mr.t' UNION ALL SELECT state FROM order_ext.message_trace(2) WHERE topic = 'mr.t';
SELECT order_ext.reschedule_message(:past, clock_timestamp() - interval '1 day'), order_ext.reschedule_message(:far_past, clock_timestamp());
SELECT mr.dispatch_until(2);
SELECT id = :past AS same_id FROM mr.seen WHERE key = 3;
SELECT order_ext.reschedule_message(:past, mr.soon()) AS delivered, order_ext.cancel_message(:past) AS delivered;
-- again and again, and sooner than it was
SELECT order_ext.reschedule_message(:near, mr.soon('10 hours')), order_ext.reschedule_message(:near, mr.soon()), order_ext.reschedule_message(:far, mr.soon());
SELECT mr.dispatch_until(4);
SELECT payload FROM mr.seen WHERE id = :near;
-- what is left of it in the ring, which was due before another timer that has fired, does not fire
SELECT order_ext.publish('mr.t', 13, '{}', clock_timestamp() + interval '1 ms') AS later \gset
SELECT mr.dispatch_until(5);
SELECT count(*) AS pending FROM order_ext_internal.pending_timers JOIN order_ext_internal.topics USING (topic_id) WHERE name = 'mr.t';
SELECT (SELECT count(*) FROM order_ext_internal.timer_cancels WHERE message_id >= :near) AS notes, (SELECT count(*) FROM order_ext_internal.timers_moved) AS moved;
SELECT order_ext.reschedule_message(:near, mr.soon()), order_ext.reschedule_message(:far, mr.soon()), order_ext.reschedule_message(9223372036854775807, mr.soon());

-- moved and canceled; canceled and moved
TRUNCATE mr.seen;
SELECT order_ext.publish('mr.t', 5, '{}', mr.soon()) AS a \gset
SELECT order_ext.publish('mr.t', 6, '{}', mr.soon('1 year')) AS b \gset
SELECT order_ext.publish('mr.t', 7, '{}', mr.soon()) AS c \gset
SELECT order_ext.publish('mr.t', 8, '{}', mr.soon()) AS d \gset
SELECT order_ext.reschedule_message(:a, mr.soon('1 h')), order_ext.cancel_message(:a), order_ext.cancel_message(:a), order_ext.reschedule_message(:a, mr.soon()) AS canceled;
SELECT order_ext.reschedule_message(:b, mr.soon()), order_ext.cancel_message(:b), order_ext.reschedule_message(:b, mr.soon()) AS canceled;
SELECT order_ext.cancel_message(:c), order_ext.reschedule_message(:c, mr.soon()) AS canceled;
SELECT mr.dispatch_until(1);
SELECT count(*) AS pending FROM order_ext_internal.pending_timers JOIN order_ext_internal.topics USING (topic_id) WHERE name = 'mr.t';

-- with the transaction: undone, wholly or in part, it has not happened
TRUNCATE mr.seen;
SELECT order_ext.publish('mr.t', 9, '{}', mr.soon('2 hours')) AS a \gset
BEGIN;
SELECT order_ext.reschedule_message(:a, mr.soon('7 hours'));
SAVEPOINT s;
SELECT order_ext.reschedule_message(:a, mr.soon('9 hours'));
SELECT mr.at(9);
ROLLBACK TO s;
SELECT mr.at(9);
SELECT order_ext.cancel_message(:a);
ROLLBACK;
SELECT mr.at(9);
-- in the transaction that publishes it, and that delivers it
BEGIN;
SELECT order_ext.publish('mr.t', 10, '{}', mr.soon('10 min')) AS b \gset
SELECT order_ext.reschedule_message(:b, clock_timestamp());
SELECT t.dispatch() AS handled;
SELECT order_ext.reschedule_message(:b, mr.soon()) AS no_timer;
COMMIT;
BEGIN;
SELECT order_ext.publish('mr.t', 11, '{}', mr.soon()) AS b \gset
SELECT order_ext.reschedule_message(:b, mr.soon('1 ms'));
SELECT mr.dispatch_until(2);
COMMIT;
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT order_ext.reschedule_message(:a, mr.soon('5 hours')), order_ext.reschedule_message(:a, mr.soon('4 hours'));
COMMIT;
SELECT mr.at(9);

-- the dedup_key stays with it
SELECT order_ext.publish('mr.t', 12, '{}', mr.soon('1 h'), 'key') AS a \gset
SELECT order_ext.reschedule_message(:a, mr.soon('2 h'));
SELECT order_ext.publish('mr.t', 12, '{}', mr.soon(), 'key') = :a AS same, mr.at(12);

-- many at one moment, of two topics: all are delivered, once
TRUNCATE mr.seen;
SELECT order_ext.create_topic('mr.u'), t.subscribe('mr.h', 'mr.u', 'mr.note(order_ext.message)');
CREATE TABLE mr.ids AS SELECT order_ext.publish('mr.t', 100, '{}', mr.soon('1 h')) AS id FROM generate_series(1, 1500)
	UNION ALL SELECT order_ext.publish('mr.u', 101, '{}', mr.soon('1 day')) FROM generate_series(1, 1500);
SELECT count(*) FROM mr.ids WHERE order_ext.reschedule_message(id, mr.soon());
SELECT length(mr.dispatch_until(3000)) > 0 AS dispatched;
SELECT key, count(*), count(DISTINCT id) FROM mr.seen GROUP BY key ORDER BY key;

-- bad input, and what is not the caller's to move
SELECT t.go('order_ext.reschedule_message(NULL, now())'), t.go('order_ext.reschedule_message(1, NULL)'), t.go('order_ext.reschedule_message(0, now())'),
	t.go('order_ext.reschedule_message(-1, now())'), t.go($$order_ext.reschedule_message(1, 'infinity')$$), t.go($$order_ext.reschedule_message(1, '-infinity')$$);
SELECT order_ext.put_product('MRS-1', 'A', 100);
SELECT available FROM order_ext.adjust_stock('MRS-1', 10);
SELECT id AS order_id FROM order_ext.create_order(1, '[{"sku": "MRS-1", "quantity": 1}]', 100) \gset
SELECT code, e.message, hint FROM order_ext.message_trace(:order_id) m, t.error(format('order_ext.reschedule_message(%s, now())', m.message_id)) e WHERE m.state = 'timer';
SELECT order_ext.cancel_order(:order_id) IS NOT NULL AS canceled;
BEGIN READ ONLY;
SELECT t.go(format('order_ext.reschedule_message(%s, now())', :a));
COMMIT;
CREATE ROLE regress_mr;
SELECT order_ext.grant_to('regress_mr', 'app');
GRANT USAGE ON SCHEMA t TO regress_mr;
SET ROLE regress_mr;
SELECT code, message FROM t.error(format('order_ext.reschedule_message(%s, now())', :a));
RESET ROLE;
SELECT order_ext.grant_topic('mr.t', 'regress_mr', 'cancel');
SET ROLE regress_mr;
SELECT t.go(format($$order_ext.reschedule_message(%s, now() + interval '3 h')$$, :a));
RESET ROLE;
DROP OWNED BY regress_mr;
DROP ROLE regress_mr;

-- the timers of a topic go with it
SELECT * FROM order_ext.verify() WHERE severity = 'error';
SELECT order_ext.unsubscribe('mr.g'), order_ext.unsubscribe('mr.h'), order_ext.drop_topic('mr.t'), order_ext.drop_topic('mr.u');
SELECT count(*) AS left_over FROM order_ext_internal.timers_moved;
SELECT order_ext.reschedule_message(:a, now()) AS gone;
SELECT t.drain();
SET client_min_messages = warning;
DROP SCHEMA mr CASCADE;
RESET client_min_messages;
CALL t.resume_others();
SELECT t.drain();
SELECT * FROM order_ext.verify() WHERE severity = 'error';
