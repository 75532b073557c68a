-- What the source did wrong on the way back: G26 to G34, G36 to G44, G47, G52, G63, as far as
-- money is concerned. Each is named where it is shown not to happen.
SELECT t.refund_products();
SELECT order_ext.put_product('RB-1', 'A', 100);
SELECT available FROM order_ext.adjust_stock('RB-1', 1000);

-- G26: the log says who canceled, how and why; the cancel type is a word of its own
SELECT t.new('g26', 'RB-1:1');
SELECT t.show(order_ext.pay_callback(t.id('g26'), 'T-rb-g26', 'sandbox', 100));
SELECT t.show(order_ext.cancel_order(t.id('g26'), cancel_type => 'customer_service', reason => 'found dead'));
SELECT event, actor, detail FROM order_ext.order_timeline(t.id('g26')) WHERE to_status = 'canceled';
SELECT cancel_type FROM order_ext.orders_view WHERE order_id = t.id('g26');
SELECT t.drain();
SELECT detail_type, source FROM order_ext.after_sales_view WHERE order_id = t.id('g26');

-- G29, G32: a second capture of the same pay type under another trade number is surplus, and
-- its own number and amount are refunded, in a row
SELECT t.new('g29', 'RB-1:1');
SELECT t.show(order_ext.pay_callback(t.id('g29'), 'T-rb-g29-1', 'card', 100)), t.show(order_ext.pay_callback(t.id('g29'), 'T-rb-g29-2', 'card', 250));
SELECT out_trade_no, amount, pay_type FROM order_ext.claim_refunds(1000, 'test', '30 days') WHERE order_id = t.id('g29');

-- G30, G31, G34: late money of any pay type is refunded once, and the gateway gets its answer;
-- repeated callbacks refund nothing again
SELECT t.new('g30', 'RB-1:1');
SELECT t.show(order_ext.pay_callback(t.id('g30'), 'T-rb-g30', 'card', 100)), t.show(order_ext.cancel_order(t.id('g30')));
SELECT t.new('g31', 'RB-1:1');
SELECT t.show(order_ext.cancel_order(t.id('g31')));
SELECT t.show(order_ext.pay_callback(t.id('g30'), 'T-rb-g30-late', 'wechat', 100)), t.show(order_ext.pay_callback(t.id('g31'), 'T-rb-g31', 'card', 100));
SELECT t.show(order_ext.pay_callback(t.id('g30'), 'T-rb-g30-late', 'wechat', 100)), t.show(order_ext.pay_callback(t.id('g31'), 'T-rb-g31', 'card', 100)) FROM generate_series(1, 3);
SELECT t.drain();
SELECT t.refunds('g30');
SELECT t.refunds('g31');

-- G33, G63: an amount that differs, and an unknown order, are recorded and answered
SELECT t.new('g33', 'RB-1:1');
SELECT t.show(order_ext.pay_callback(t.id('g33'), 'T-rb-g33', 'card', 1)), t.show(order_ext.pay_callback(666666666, 'T-rb-g63', 'card', 5));
SELECT purpose, amount FROM order_ext.payments_view WHERE out_trade_no IN ('T-rb-g33', 'T-rb-g63') ORDER BY amount;
SELECT t.show(order_ext.resolve_held_payment(t.payment('T-rb-g33'), 'refund')), (order_ext.resolve_held_payment(t.payment('T-rb-g63'), 'refund')).disposition;
SELECT cause, amount, status FROM order_ext.refunds_view WHERE order_id IN (t.id('g33'), 666666666) ORDER BY amount;

-- G36, G41: there is no check-back: after-sale, log, refund and its message are one transaction
SELECT t.new('g36', 'RB-1:1');
SELECT t.show(order_ext.pay_callback(t.id('g36'), 'T-rb-g36', 'sandbox', 100)), t.show(order_ext.cancel_order(t.id('g36')));
SELECT t.drain();
SELECT count(DISTINCT xid) AS transactions, count(*) FILTER (WHERE machine = t.code('machine', 'after_sale')) AS after_sale, count(*) FILTER (WHERE machine = t.code('machine', 'refund')) AS refund
FROM order_ext_internal.transition_log WHERE order_id = t.id('g36') AND machine IN (t.code('machine', 'after_sale'), t.code('machine', 'refund')) AND version = 1;
SELECT count(DISTINCT l.xid) AS same FROM order_ext_internal.transition_log l JOIN order_ext_internal.message_log m ON m.xid = l.xid AND m.key = l.order_id AND m.topic_id = t.code('topic', 'refund.execute')
WHERE l.order_id = t.id('g36') AND l.machine = t.code('machine', 'refund') AND l.version = 1;

-- G39, G40: prepare and fan-out delivered again and again make one after-sale and one refund
DO $$
BEGIN
	FOR i IN 1..3 LOOP
		INSERT INTO order_ext_internal.retries (message_id, group_id, topic_id, key, published_at, due_at, attempts, busy, payload)
		SELECT message_id, topic_id, topic_id, key, published_at, now(), 0, 0, payload FROM order_ext_internal.message_log
		WHERE key = t.id('g36') AND topic_id IN (t.code('topic', 'order.release_assets'), t.code('topic', 'refund.prepare'), t.code('topic', 'refund.execute'));
		PERFORM order_ext.dispatch();
		COMMIT;
	END LOOP;
END
$$;
SELECT count(*) AS after_sales FROM order_ext.after_sales_view WHERE order_id = t.id('g36');
SELECT cause, status, amount FROM order_ext.refunds_view WHERE order_id = t.id('g36');
SELECT amount, outcome FROM order_ext.sandbox_ledger WHERE refund_id = (SELECT refund_id FROM order_ext.refunds_view WHERE order_id = t.id('g36'));

-- G37: an error in a batch is that message's alone: the others' refunds are prepared
-- (610_message_failures has the machinery; here an unknown order and a stranger's payload)
INSERT INTO order_ext_internal.retries (message_id, group_id, topic_id, key, published_at, due_at, attempts, busy, payload)
SELECT id, t.code('topic', topic), t.code('topic', topic), 5, now(), now(), 0, 0, payload::jsonb
FROM (VALUES (900001, 'refund.prepare', '{}'), (900002, 'refund.execute', '{}'), (900003, 'refund.execute', '{"refund_id": "77777777777"}'),
		(900004, 'refund.execute', '{"refund_id": "77777777777", "phase": "call"}'), (900005, 'refund.execute', '[]'),
		(900006, 'refund.execute', '{"refund_id": 5}')) AS stray (id, topic, payload);
SELECT t.new('g37', 'RB-1:1');
SELECT t.show(order_ext.pay_callback(t.id('g37'), 'T-rb-g37', 'card', 100)), t.show(order_ext.cancel_order(t.id('g37')));
SELECT t.drain();
SELECT t.refunds('g37'), (SELECT count(*) FROM order_ext.dead_letters WHERE message_id BETWEEN 900001 AND 900006) AS dead,
	(SELECT count(*) FROM order_ext_internal.retries WHERE message_id BETWEEN 900001 AND 900006) AS left_over;

-- G42, G43: the gateway is asked under one number, after the status has changed and was
-- committed; a refund that is not in its status is not called
SELECT t.late_refund('g42', pay_type => 'sandbox');
SELECT order_ext.dispatch() > 0 AS claimed;
SELECT t.show(order_ext.refund_callback(t.id('r-g42'), 'succeeded', 'by hand'));
SELECT order_ext.dispatch() > 0 AS worked;
SELECT t.refund('g42'), (SELECT count(*) FROM order_ext.sandbox_ledger WHERE refund_id = t.id('r-g42')) AS calls;

-- G44: one lock for one pot of money: whoever works on a refund of the order holds it
BEGIN;
SELECT t.late_refund('g44');
SELECT count(*) AS refund_lock FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 203 AND (classid::bigint << 32 | objid::bigint) = t.id('g44');
COMMIT;
BEGIN;
SELECT t.claim('g44') IS NOT NULL AS claimed;
SELECT count(*) AS refund_lock FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 203 AND (classid::bigint << 32 | objid::bigint) = t.id('g44');
COMMIT;
BEGIN;
SELECT t.show(order_ext.refund_callback(t.id('r-g44'), 'succeeded'));
SELECT count(*) AS refund_lock FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 203 AND (classid::bigint << 32 | objid::bigint) = t.id('g44');
COMMIT;

-- G47: what is refunded is decided from the money that was captured, not from a status that
-- a message carries: an order canceled unpaid has no refund, one with held money has
SELECT t.new('g47', 'RB-1:1'), t.new('g47h', 'RB-1:1');
SELECT t.show(order_ext.pay_callback(t.id('g47h'), 'T-rb-g47h', 'card', 60));
SELECT t.show(order_ext.cancel_order(t.id('g47'))), t.show(order_ext.cancel_order(t.id('g47h')));
SELECT t.drain();
SELECT count(*) AS refunds FROM order_ext.refunds_view WHERE order_id = t.id('g47');
SELECT t.refunds('g47h'), (SELECT count(*) FROM order_ext.after_sales_view WHERE order_id = t.id('g47h')) AS after_sales;

-- G48: all of the order goes back with a cancel, freight and all lines
CALL t.canceled('g48', items => 'RF-1:2,RF-2:3');
SELECT a.amount = o.pay_amount AS whole, a.freight, (SELECT sum(amount) FROM order_ext.after_sale_items_view i WHERE i.after_sale_id = a.after_sale_id) AS lines
FROM order_ext.after_sales_view a JOIN order_ext.orders_view o USING (order_id) WHERE a.order_id = t.id('g48');

-- G52: a failed refund is retried, under its number
SELECT t.late_refund('g52');
SELECT t.claim('g52'), t.show(order_ext.refund_callback(t.id('r-g52'), 'failed')), t.show(order_ext.retry_refund(t.id('r-g52')));
SELECT t.claim('g52'), t.show(order_ext.refund_callback(t.id('r-g52'), 'succeeded'));

SELECT t.drain();
SELECT * FROM order_ext.verify() WHERE severity = 'error';
