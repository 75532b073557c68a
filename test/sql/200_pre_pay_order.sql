-- pre_pay_order: an open attempt, several of them, the order of errors, replays.
\set VERBOSITY sqlstate
SELECT order_ext.put_product('PRE-1', 'A', 100);
SELECT available FROM order_ext.adjust_stock('PRE-1', 100);
SELECT t.new('pre', 'PRE-1:1', user_id => 7200);

SELECT t.show(order_ext.pre_pay_order(t.id('pre'), 'wechat', 100));
SELECT t.show(r), (r).id = t.id('pre') AS the_order, jsonb_typeof((r).detail->'payment_id') AS payment_id,
	   jsonb_typeof((r).detail->'out_trade_no') AS out_trade_no
FROM (SELECT order_ext.pre_pay_order(order_id => t.id('pre'), pay_type => 'alipay', pay_amount => 100, request_id => 'pre-1') AS r OFFSET 0) AS s;
-- the same attempt again, with its key
SELECT t.show(r), p.pay_type, p.status, p.amount, p.currency, p.purpose, p.captured_at FROM (
	SELECT order_ext.pre_pay_order(t.id('pre'), 'alipay', 100, 'pre-1') AS r OFFSET 0) AS s
	JOIN order_ext.payments_view p ON p.payment_id = ((r).detail->>'payment_id')::bigint AND p.out_trade_no = (r).detail->>'out_trade_no';
SELECT t.go($$order_ext.pre_pay_order(t.id('pre'), 'wechat', 100, 'pre-1')$$);
-- the same pay_type again without a key: one more open attempt
SELECT t.show(order_ext.pre_pay_order(t.id('pre'), 'wechat', 100));
SELECT t.payments('pre');
SELECT t.order('pre'), t.messages('pre');
SELECT count(DISTINCT out_trade_no) FROM order_ext.payments_view WHERE order_id = t.id('pre');
SELECT from_status, to_status, actor FROM order_ext.order_timeline(t.id('pre'));

-- errors in the order of the contract: OE001, OE101, OE301, OE302
SELECT t.go($$order_ext.pre_pay_order(1, 'wechat', 99)$$);
SELECT t.new('pre_paid', 'PRE-1:1', user_id => 7200), t.new('pre_canceled', 'PRE-1:1', pay_timeout => '1 millisecond', user_id => 7200),
	   t.new('pre_late', 'PRE-1:1', pay_timeout => '1 millisecond', user_id => 7200);
SELECT t.wait_due('pre_late'), t.wait_due('pre_canceled');
SELECT t.show(order_ext.pay_callback(t.id('pre_paid'), 'T-PRE-1', 'wechat', 100));
SELECT t.show(order_ext.cancel_order(t.id('pre_canceled')));
SELECT name, amount, outcome, changed FROM (VALUES ('pre_paid', 100), ('pre_paid', 99), ('pre_canceled', 100), ('pre_canceled', 99),
	('pre_late', 99), ('pre_late', 100), ('pre', 99), ('pre', 101), ('pre', 0)) AS v(name, amount),
	LATERAL t.effect(format('order_ext.pre_pay_order(t.id(%L), ''wechat'', %s)', name, amount));
-- OE601 comes before them all, a replay needs none of them
SELECT t.go($$order_ext.pre_pay_order(1, 'alipay', 100, 'pre-1')$$);
SELECT t.show(order_ext.cancel_order(t.id('pre')));
SELECT t.go($$order_ext.pre_pay_order(t.id('pre'), 'alipay', 100, 'pre-1')$$);
-- G14: the open attempts are asked to close
SELECT topic, count(*) FROM order_ext.message_trace(t.id('pre')) WHERE topic = 'payment.close' GROUP BY topic;

-- pay types: any text of 1 to 32 characters
SELECT t.new('pre_types', 'PRE-1:1', user_id => 7200);
SELECT length(p), t.go(format('order_ext.pre_pay_order(t.id(''pre_types''), %L, 100)', p))
FROM unnest(ARRAY[repeat('x', 32), repeat('x', 33), '', 'é', repeat('é', 32)]) AS p;

SELECT * FROM order_ext.verify() WHERE severity = 'error';
