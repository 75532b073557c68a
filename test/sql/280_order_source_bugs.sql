-- The bugs of the source system, by the numbers of docs/source-bugs.md, as far as no other file
-- has them.
\set VERBOSITY sqlstate
SELECT order_ext.put_product('BUG-1', 'A', 100), order_ext.put_product('BUG-V', 'V', 100, 'virtual');
SELECT available FROM order_ext.adjust_stock('BUG-1', 500);
SELECT available FROM order_ext.adjust_stock('BUG-V', 500);
CREATE FUNCTION t.expiring(name text, sku text DEFAULT 'BUG-1', options jsonb DEFAULT '{}', coupon_id bigint DEFAULT NULL) RETURNS text LANGUAGE sql
	RETURN t.new($1, $2 || ':1', $4, '1 millisecond', 7340, $3);

-- G1: the cancel type comes from who cancels, not from the kind of order
SELECT t.expiring('g1_normal'), t.expiring('g1_virtual', 'BUG-V'), t.new('g1_user', 'BUG-1:1', user_id => 7340), t.new('g1_staff', 'BUG-V:1', user_id => 7340);
SELECT t.wait_due('g1_virtual');
SELECT t.drain();
SELECT t.show(order_ext.cancel_order(t.id('g1_user'), 7340)), t.show(order_ext.cancel_order(t.id('g1_staff'), cancel_type => 'customer_service'));
SELECT name, cancel_type, status FROM unnest('{g1_normal,g1_virtual,g1_user,g1_staff}'::text[]) AS name, order_ext.orders_view WHERE order_id = t.id(name);

-- G2, G6, G35: stale timeouts within a batch cost the others nothing, and do nothing to their own orders
SELECT t.expiring('g2_' || n) FROM generate_series(1, 9) AS n;
SELECT t.wait_due('g2_9');
SELECT t.show(order_ext.pay_callback(t.id('g2_1'), 'T-g2', 'wechat', 100));
SELECT t.show(order_ext.cancel_order(t.id('g2_5'), 7340));
SELECT t.drain();
SELECT n, t.order('g2_' || n) FROM generate_series(1, 9) AS n;

-- G3: one message fails, the rest of its batch is handled once, and the failing one again only by itself
SELECT order_ext.create_topic('bug.three');
CREATE TABLE t.g3 (key bigint, attempt integer);
CREATE FUNCTION t.g3(m order_ext.message) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO t.g3 VALUES (m.key, m.attempt);
	IF m.key = 3 AND m.attempt = 1 THEN
		RAISE EXCEPTION 'once';
	END IF;
END
$$;
SELECT t.subscribe('bug.three', 'bug.three', 't.g3(order_ext.message)');
SELECT count(order_ext.publish('bug.three', n)) FROM generate_series(1, 5) AS n;
DO $$
BEGIN
	FOR i IN 1..3000 LOOP
		PERFORM t.dispatch();
		COMMIT;
		EXIT WHEN (SELECT count(*) FROM t.g3) = 5;
		PERFORM pg_sleep(0.01);
	END LOOP;
END
$$;
SELECT * FROM t.g3 ORDER BY key;
SELECT order_ext.unsubscribe('bug.three');
SELECT order_ext.drop_topic('bug.three');

-- G4: each order has its own deadline, and its timer waits for it
SELECT t.new('g4_later', 'BUG-1:1', pay_timeout => '40 days', user_id => 7340), t.expiring('g4_now');
SELECT t.wait_due('g4_now');
SELECT t.drain();
SELECT name, t.order(name), topic, state FROM unnest('{g4_now,g4_later}'::text[]) AS name, LATERAL order_ext.message_trace(t.id(name)) WHERE topic = 'order.pay_timeout';

-- G5: a message for an order that does not exist cannot be sent, and would poison nothing
SELECT t.go($$order_ext.publish('order.pay_timeout', 1)$$), t.go($$order_ext.publish('order.release_assets', 1)$$);
INSERT INTO order_ext_internal.message_log_0
SELECT nextval('order_ext_internal.message_id_seq'), pg_current_xact_id(), 1, now(), topic_id, 0, '{"order_id": "1"}'
FROM order_ext_internal.topics WHERE name IN ('order.pay_timeout', 'order.release_assets', 'stock.release', 'coupon.release', 'refund.prepare');
SELECT t.drain();
SELECT sum(lag) AS lag, sum(retrying) AS retrying, sum(dead) AS dead FROM order_ext.consumer_stats
WHERE topic IN ('order.pay_timeout', 'order.release_assets', 'stock.release', 'coupon.release', 'refund.prepare');
BEGIN;
SET LOCAL session_replication_role = replica;
DELETE FROM order_ext_internal.message_log_0 WHERE key = 1;
COMMIT;
SELECT t.forget_consumed();

-- G7: due is due: the sweep takes an order at its deadline, not a timeout later
SELECT t.expiring('g7');
SELECT t.wait_due('g7');
SELECT order_ext.expire_orders();
SELECT status, canceled_at - expire_at < interval '1 minute' AS at_once FROM order_ext.orders_view WHERE order_id = t.id('g7');
-- G12: and an unpaid order gives its stock and coupon back
SELECT order_ext.issue_coupon(7340, 10) AS c \gset
SELECT t.expiring('g12', coupon_id => :c);
SELECT t.wait_due('g12');
SELECT t.drain();
SELECT t.coupon(:c);
SELECT kind, delta FROM order_ext.stock_ledger_view WHERE order_id = t.id('g12') ORDER BY at;

-- G11: a create that fails late (the coupon is taken) leaves no timer, no message, no reservation
SELECT t.new('g11', 'BUG-1:1', :c, user_id => 7340);
SELECT outcome, changed FROM t.effect(format($$order_ext.create_order(7340, t.items('BUG-1:1'), 90, %s)$$, :c));

-- G14: money that comes in spite of the cancel goes back, attempts are asked to close
SELECT t.new('g14', 'BUG-1:1', user_id => 7340);
SELECT t.show(order_ext.pre_pay_order(t.id('g14'), 'wechat', 100)), t.show(order_ext.pre_pay_order(t.id('g14'), 'alipay', 100));
SELECT t.show(order_ext.cancel_order(t.id('g14')));
SELECT t.messages('g14');
SELECT t.show(order_ext.pay_callback(t.id('g14'), 'T-g14', 'alipay', 100));
SELECT t.refunds('g14');

-- G21, G22, G61: a cancel that rolls back leaves no trace: status, log, stock, messages
SELECT t.new('g21', 'BUG-1:1', user_id => 7340);
SELECT t.show(order_ext.pay_callback(t.id('g21'), 'T-g21', 'wechat', 100));
SELECT t.drain();
CREATE TABLE t.g21 AS SELECT t.digest();
BEGIN;
SELECT t.show(order_ext.cancel_order(t.id('g21')));
SELECT t.messages('g21');
ROLLBACK;
SELECT t.changed_since(digest) FROM t.g21;
SELECT t.order('g21'), t.messages('g21');
-- G62: nor does the failed attempt add to the fan-out of the one that succeeds
SELECT t.show(order_ext.cancel_order(t.id('g21')));
SELECT t.drain();
SELECT t.messages('g21');
SELECT t.refunds('g21');

-- G24: each refusal has its own SQLSTATE, from wherever it is called
CREATE FUNCTION t.g24() RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM order_ext.cancel_order(t.id('g21'), 1);
	RETURN 'passed';
EXCEPTION WHEN SQLSTATE 'OE003' THEN
	RETURN 'caught by its SQLSTATE';
END
$$;
SELECT t.g24();

-- G26: the log names the true event, actor and reason, the type is a word
SELECT t.new('g26', 'BUG-1:1', user_id => 7340), t.new('g26_staff', 'BUG-1:1', user_id => 7340), t.expiring('g26_due');
SELECT t.show(order_ext.cancel_order(t.id('g26'), 7340, reason => 'mine')), t.show(order_ext.cancel_order(t.id('g26_staff'), NULL, 'customer_service', 'theirs'));
SELECT t.wait_due('g26_due');
SELECT order_ext.expire_orders();
SELECT name, from_status, to_status, event, actor, detail->>'reason' AS reason, cancel_type
FROM unnest('{g26,g26_staff,g26_due}'::text[]) AS name, LATERAL order_ext.order_timeline(t.id(name)), order_ext.orders_view
WHERE order_id = t.id(name) AND to_status = 'canceled';

-- and who answered, where an external warehouse was asked
SELECT order_ext.set_channel('bug', true);
SELECT t.new('g26_yes', 'BUG-1:1', user_id => 7340, options => '{"channel": "bug"}'), t.new('g26_no', 'BUG-1:1', user_id => 7340, options => '{"channel": "bug"}');
SELECT count(order_ext.pay_callback(t.id(name), 'T-' || name, 'wechat', 100)) FROM unnest('{g26_yes,g26_no}'::text[]) AS name;
SELECT t.drain();
SELECT t.show(order_ext.cancel_order(t.id('g26_yes'), 7340, reason => 'mine')), t.show(order_ext.cancel_order(t.id('g26_no'), NULL, 'customer_service', 'theirs'));
SELECT t.show(order_ext.fulfilment_cancel_result(t.id('g26_yes'), true, 'answer')), t.show(order_ext.fulfilment_cancel_result(t.id('g26_no'), false, 'answer'));
SELECT name, from_status, to_status, event, actor, detail, cancel_type
FROM unnest('{g26_yes,g26_no}'::text[]) AS name, LATERAL order_ext.order_timeline(t.id(name)), order_ext.orders_view
WHERE order_id = t.id(name) AND from_status = 'fulfilling';

-- G27: a cancel can be refused, and then nothing changes; what is canceled is kept, documents too;
-- and all of it moves together, or nothing (G21)
SELECT t.new('g27', 'BUG-1:1', user_id => 7340), t.new('g27_out', 'BUG-1:1', user_id => 7340);
SELECT count(order_ext.pay_callback(t.id(name), 'T-' || name, 'wechat', 100)) FROM unnest('{g27,g27_out}'::text[]) AS name;
SELECT t.drain();
SELECT t.show(order_ext.shipment_event(t.id('g27'), 'p', 'picked')), t.show(order_ext.shipment_event(t.id('g27_out'), 'o', 'out_stock'));
SELECT outcome, changed FROM t.effect($$order_ext.cancel_order(t.id('g27_out'))$$);
SELECT outcome, changed FROM t.effect($$order_ext.cancel_order(t.id('g26_no'))$$);
CREATE TABLE t.g27 AS SELECT t.digest();
BEGIN;
SELECT t.show(order_ext.cancel_order(t.id('g27')));
ROLLBACK;
SELECT t.changed_since(digest) FROM t.g27;
SELECT t.fulfilment('g27');
SELECT t.show(order_ext.cancel_order(t.id('g27')));
SELECT t.fulfilment('g27'), t.order('g27');

-- G28: canceled while order.paid is in flight: it never ships
SELECT t.new('g28', 'BUG-1:1', user_id => 7340);
SELECT t.show(order_ext.pay_callback(t.id('g28'), 'T-g28', 'wechat', 100)), t.show(order_ext.cancel_order(t.id('g28')));
SELECT topic, consumer_group, state FROM order_ext.message_trace(t.id('g28')) WHERE topic = 'order.paid';
SELECT t.drain();
SELECT t.order('g28'), t.fulfilment('g28'), t.messages('g28');
SELECT t.show(order_ext.shipment_event(t.id('g28'), 'o', 'out_stock'));
SELECT kind, reserved_delta, consumed_delta FROM order_ext.stock_ledger_view WHERE order_id = t.id('g28') ORDER BY at;

-- G29: two payments of one type are two payments
SELECT t.new('g29', 'BUG-1:1', user_id => 7340);
SELECT t.show(order_ext.pay_callback(t.id('g29'), 'T-g29-a', 'wechat', 100)), t.show(order_ext.pay_callback(t.id('g29'), 'T-g29-b', 'wechat', 100));
SELECT t.refunds('g29');
-- G30, G31, G34: canceled, any type: refunded, recorded as captured, and once however often it is reported
SELECT t.new('g30', 'BUG-1:1', user_id => 7340);
SELECT t.show(order_ext.pay_callback(t.id('g30'), 'T-g30-a', 'wechat', 100)), t.show(order_ext.cancel_order(t.id('g30')));
SELECT t.drain();
SELECT n, t.show(order_ext.pay_callback(t.id('g30'), 'T-g30-b', 'alipay', 100)) FROM generate_series(1, 3) AS n;
SELECT t.payments('g30');
SELECT t.refunds('g30');
-- G32: what is refunded is what came in, with its own number and amount
SELECT t.new('g32', 'BUG-1:1', user_id => 7340);
SELECT t.show(order_ext.pre_pay_order(t.id('g32'), 'wechat', 100)), t.show(order_ext.cancel_order(t.id('g32')));
SELECT t.show(order_ext.pay_callback(t.id('g32'), 'T-g32', 'wechat', 63));
SELECT t.refunds('g32');
-- G33, G63: a wrong amount, an unknown order: recorded, answered, and the gateway's repeat replays
SELECT t.new('g33', 'BUG-1:1', user_id => 7340), t.remember('g63', 7340);
SELECT n, t.show(order_ext.pay_callback(t.id('g33'), 'T-g33', 'wechat', 1)), t.show(order_ext.pay_callback(t.id('g63'), 'T-g63', 'wechat', 1)) FROM generate_series(1, 2) AS n;
SELECT t.payments('g33');
SELECT t.payments('g63');
-- G35: the log says what the status was before
SELECT from_status, to_status FROM order_ext.order_timeline(t.id('g30')) WHERE to_status IS NOT NULL;
-- G36, G41: paid and canceled: every message of it is there, and its refund arrives
SELECT t.messages('g30');
-- and an order that is further on by the time its message is handled lost nothing
SELECT t.new('g36', 'BUG-1:1', user_id => 7340);
SELECT t.show(order_ext.pay_callback(t.id('g36'), 'T-g36', 'wechat', 100)), t.show(order_ext.shipment_event(t.id('g36'), 'o', 'out_stock'));
SELECT t.drain();
SELECT t.order('g36'), t.messages('g36');
-- G38: a capture after the deadline, before the cancel
SELECT t.expiring('g38');
SELECT t.wait_due('g38');
SELECT t.show(order_ext.pay_callback(t.id('g38'), 'T-g38', 'wechat', 100));
SELECT order_ext.expire_orders();
SELECT t.drain();
SELECT t.order('g38');
-- G39, G40: a cancel that is asked for again and again has one refund
SELECT t.show(order_ext.cancel_order(t.id('g38'))), t.show(order_ext.cancel_order(t.id('g38')));
SELECT t.drain();
SELECT t.show(order_ext.cancel_order(t.id('g38')));
SELECT t.drain();
SELECT t.refunds('g38');
SELECT t.messages('g38');

SELECT * FROM order_ext.verify() WHERE severity = 'error';
