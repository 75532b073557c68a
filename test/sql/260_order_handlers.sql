-- The built-in handlers end to end, through dispatch(): timer → cancel → release fan-out →
-- stock, coupon, refund. A second delivery of any message does nothing.
\set VERBOSITY sqlstate
SELECT order_ext.put_product('HND-1', 'A', 100), order_ext.put_product('HND-2', 'B', 50);
SELECT available FROM order_ext.adjust_stock('HND-1', 500);
SELECT available FROM order_ext.adjust_stock('HND-2', 500);
SELECT order_ext.issue_coupon(7320, 30) AS c1, order_ext.issue_coupon(7320, 30) AS c2 \gset
CALL t.postpone_others();
SELECT t.drain();

-- topic, group, state of an order's messages
CREATE FUNCTION t.trace(name text) RETURNS SETOF text LANGUAGE sql
BEGIN ATOMIC
	SELECT concat_ws(' ', topic, state, attempt, CASE WHEN finished_at >= published_at THEN 'finished' END)
	FROM order_ext.message_trace(t.id($1)) ORDER BY topic COLLATE "C", message_id, attempt;
END;

-- a step at a time: dispatch() stops at its limit
SELECT t.new('hnd', 'HND-1:2,HND-2:1', :c1, user_id => 7320);
SELECT t.show(order_ext.pay_callback(t.id('hnd'), 'T-hnd-1', 'wechat', t.due('hnd')));
SELECT t.dispatch() AS handled;
SELECT t.show(order_ext.cancel_order(t.id('hnd')));
SELECT t.trace('hnd');
SELECT t.dispatch(1) AS handled;
SELECT t.trace('hnd');
SELECT t.stock('HND-1'), t.coupon(:c1);
SELECT t.dispatch(3) AS handled;
SELECT t.trace('hnd');
SELECT t.stock('HND-1'), t.stock('HND-2'), t.coupon(:c1);
SELECT t.refunds('hnd');
SELECT t.dispatch() AS handled;
-- key and payload: ids as strings
SELECT DISTINCT topic, key = t.id('hnd') AS key, payload->>'order_id' = t.id('hnd')::text AS order_id, payload->>'user_id' AS user_id,
	   jsonb_typeof(payload->'order_id') || ' ' || jsonb_typeof(payload->'user_id') AS types, payload ? 'version' AS version
FROM (SELECT name COLLATE "C" AS topic, m.key, m.payload FROM order_ext_internal.message_log m JOIN order_ext_internal.topics USING (topic_id)) AS m
WHERE m.key = t.id('hnd') ORDER BY topic;

-- what does not apply is not sent: no coupon, no money
SELECT t.new('hnd_plain', 'HND-1:1', user_id => 7320);
SELECT t.show(order_ext.cancel_order(t.id('hnd_plain')));
SELECT t.drain();
SELECT t.messages('hnd_plain');

-- by its timer: one dispatch() fires, cancels, fans out and releases
SELECT t.new('hnd_due', 'HND-1:1', :c2, '1 millisecond', 7320);
SELECT t.wait_due('hnd_due');
SELECT t.dispatch() AS handled;
SELECT t.order('hnd_due'), t.coupon(:c2), t.stock('HND-1');
SELECT t.trace('hnd_due');
-- not before its time
SELECT t.new('hnd_early', 'HND-1:1', user_id => 7320);
SELECT t.dispatch() AS handled;
SELECT t.order('hnd_early');
-- what the caller itself published waits for the commit
BEGIN;
SELECT t.show(order_ext.cancel_order(t.id('hnd_early')));
SELECT t.dispatch() AS handled;
SELECT t.messages('hnd_early');
COMMIT;
SELECT t.dispatch() AS handled;
SELECT t.messages('hnd_early');
-- rolled back, the work is done again, once
SELECT t.new('hnd_back', 'HND-1:1', user_id => 7320);
SELECT t.show(order_ext.cancel_order(t.id('hnd_back')));
BEGIN;
SELECT t.dispatch() AS handled;
ROLLBACK;
SELECT t.stock('HND-1');
SELECT t.dispatch() AS handled;
SELECT t.stock('HND-1');

-- a hundred at once, of one sku and another: one pass
SELECT count(*) FROM generate_series(1, 100) AS n, LATERAL t.new('hnd' || n, CASE WHEN n % 2 = 0 THEN 'HND-1:1,HND-2:2' ELSE 'HND-2:1' END,
	NULL, '1 millisecond', 7321);
SELECT t.wait_due('hnd' || n) FROM generate_series(99, 100) AS n;
SELECT t.dispatch() AS handled;
SELECT status, cancel_type, count(*) FROM order_ext.orders_view WHERE user_id = 7321 GROUP BY 1, 2;
SELECT t.stock('HND-1'), t.stock('HND-2');

-- ---- a second delivery: the same messages, put in the log once more ----
CREATE FUNCTION t.deliver_again(name text) RETURNS bigint LANGUAGE sql AS $$
	WITH again AS (
		INSERT INTO order_ext_internal.message_log_0
		SELECT nextval('order_ext_internal.message_id_seq'), pg_current_xact_id(), m.key, m.published_at, m.topic_id, m.shard, m.payload
		FROM order_ext_internal.message_log m JOIN order_ext_internal.topics t USING (topic_id)
		WHERE m.key = t.id($1) AND t.name IN ('order.pay_timeout', 'order.paid', 'order.release_assets', 'stock.release', 'coupon.release', 'refund.prepare')
		RETURNING 1)
	SELECT count(*) FROM again
$$;
-- and away with the forgeries, which verify() would rightly find
CREATE FUNCTION t.forget_again() RETURNS void LANGUAGE sql SET session_replication_role = replica AS $$
	DELETE FROM order_ext_internal.message_log_0 a USING order_ext_internal.message_log_0 b
	WHERE a.topic_id = b.topic_id AND a.key = b.key AND a.xid > b.xid AND a.payload = b.payload
	  AND a.topic_id IN (SELECT topic_id FROM order_ext_internal.topics WHERE name IN
		('order.pay_timeout', 'order.paid', 'order.release_assets', 'stock.release', 'coupon.release', 'refund.prepare'));
	SELECT t.forget_consumed();
$$;
CREATE TABLE t.before AS SELECT t.digest() AS digest, t.stock('HND-1') AS s1, t.stock('HND-2') AS s2;
SELECT name, t.deliver_again(name) FROM unnest('{hnd,hnd_due,hnd_plain,hnd100}'::text[]) AS name;
SELECT t.dispatch() AS handled;
SELECT t.forget_again();
-- what it changed: nothing but the messages' own tables
SELECT unnest(string_to_array(t.changed_since(digest), ', ')) AS changed FROM t.before
EXCEPT SELECT unnest('{message_log_0,group_progress,inline_ranges,timer_progress,timer_firings}'::text[]) ORDER BY 1;
SELECT t.stock('HND-1') = s1, t.stock('HND-2') = s2 FROM t.before;
SELECT t.refunds('hnd');
-- G45, G64: a coupon that another order holds by now stays there
SELECT t.new('hnd_reuse', 'HND-1:1', :c1, user_id => 7320);
SELECT t.deliver_again('hnd');
SELECT t.dispatch() AS handled;
SELECT t.forget_again();
SELECT t.coupon(:c1), t.stock('HND-1');
-- and a timeout that comes to an order paid meanwhile leaves it alone
SELECT t.new('hnd_paid', 'HND-1:1', NULL, '1 millisecond', 7320);
SELECT t.wait_due('hnd_paid');
SELECT t.show(order_ext.pay_callback(t.id('hnd_paid'), 'T-hnd-2', 'wechat', 100));
SELECT t.dispatch() AS handled;
SELECT t.order('hnd_paid'), t.messages('hnd_paid');
-- nor is a paid order put on its way twice
SELECT t.deliver_again('hnd_paid');
SELECT t.dispatch() AS handled;
SELECT t.forget_again();
SELECT t.order('hnd_paid'), t.fulfilment('hnd_paid'), t.messages('hnd_paid');
-- nor is stock released twice by one batch that has the message twice
SELECT t.new('hnd_batch', 'HND-1:1,HND-2:2', user_id => 7320);
CREATE TABLE t.reserved AS SELECT t.stock('HND-1') AS s1, t.stock('HND-2') AS s2;
SELECT order_ext.pause('stock.release');
SELECT t.show(order_ext.cancel_order(t.id('hnd_batch')));
SELECT t.dispatch() AS handled;
SELECT t.deliver_again('hnd_batch');
SELECT t.stock('HND-1') = s1, t.stock('HND-2') = s2 FROM t.reserved;
SELECT order_ext.resume('stock.release');
SELECT t.dispatch() AS handled;
SELECT t.forget_again();
SELECT s1, t.stock('HND-1'), s2, t.stock('HND-2') FROM t.reserved;

-- ---- register_asset adds a kind without a change of the cancel ----
SELECT order_ext.create_topic('points.release');
SELECT order_ext.register_asset('points', 'points.release');
SELECT t.go($$order_ext.register_asset('miles', 'no.such')$$);
CREATE TABLE t.points (key bigint, payload jsonb);
CREATE FUNCTION t.release_points(m order_ext.message) RETURNS void LANGUAGE sql AS
	'INSERT INTO t.points VALUES (m.key, m.payload)';
SELECT t.subscribe('points', 'points.release', 't.release_points(order_ext.message)');
SELECT t.new('hnd_points', 'HND-1:1', user_id => 7320);
SELECT t.show(order_ext.cancel_order(t.id('hnd_points')));
SELECT t.drain();
SELECT key = t.id('hnd_points') AS key, payload->>'order_id' = t.id('hnd_points')::text AS order_id, payload->>'user_id' AS user_id FROM t.points;
SELECT t.messages('hnd_points');
SELECT order_ext.unregister_asset('points');
SELECT t.new('hnd_points2', 'HND-1:1', user_id => 7320);
SELECT t.show(order_ext.cancel_order(t.id('hnd_points2')));
SELECT t.drain();
SELECT count(*) FROM t.points;
SELECT order_ext.unsubscribe('points');
SELECT order_ext.drop_topic('points.release');

-- nothing waits, nothing failed
SELECT consumer_group, lag, retrying, dead FROM order_ext.consumer_stats WHERE lag <> 0 OR retrying <> 0 OR dead <> 0;
SELECT count(*) FROM order_ext.dead_letters;
SELECT * FROM order_ext.verify() WHERE severity = 'error';

-- ---- the step of the update from 0.1: all paid orders, however many, in little memory ----
SELECT t.new('hnd_many', 'HND-1:1', user_id => 7330);
SELECT t.show(order_ext.pay_callback(t.id('hnd_many'), 'T-hnd_many', 'wechat', t.due('hnd_many')));
BEGIN;
SET LOCAL session_replication_role = replica;
DO $$
DECLARE
	copied text;
	columns text;
BEGIN
	FOREACH copied IN ARRAY '{orders,order_items}'::text[] LOOP
		columns := (SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute
			WHERE attrelid = ('order_ext_internal.' || copied)::regclass AND attnum > 0 AND NOT attisdropped AND attname <> 'order_id');
		EXECUTE format('INSERT INTO order_ext_internal.%1$I (order_id, %2$s) SELECT order_id + 5000000000000000000 + n, %2$s'
			' FROM order_ext_internal.%1$I, generate_series(1, 20000) AS n WHERE order_id = %3$s', copied, columns, t.id('hnd_many'));
	END LOOP;
END
$$;
SET LOCAL session_replication_role = origin;
-- the most memory of this process, kB; 0 where that is not known
CREATE FUNCTION t.peak() RETURNS bigint LANGUAGE sql
RETURN coalesce(substring(pg_read_file('/proc/self/status', 0, 10000, true) FROM 'VmHWM:\s+(\d+)')::bigint, 0);
CREATE TABLE t.peaks AS SELECT t.peak() AS kb;
SELECT order_ext_internal.fulfil_paid_orders() >= 20001 AS all_of_them;
SELECT count(*) FROM order_ext_internal.fulfilments WHERE order_id - t.id('hnd_many') BETWEEN 5000000000000000001 AND 5000000000000020000;
SELECT CASE WHEN t.peak() - kb < 60000 THEN 'little memory' ELSE (t.peak() - kb)::text END FROM t.peaks;
ROLLBACK;
SELECT t.drain();
