-- pay_callback: the whole decision list, in every status an order can have here.
\set VERBOSITY sqlstate
SELECT order_ext.put_product('CB-1', 'A', 100), order_ext.put_product('CB-0', 'free', 0);
SELECT available FROM order_ext.adjust_stock('CB-1', 1000);
SELECT available FROM order_ext.adjust_stock('CB-0', 1000);

-- order, trade number, amount: what it did
CREATE FUNCTION t.cb(name text, trade_no text, amount bigint DEFAULT 100, currency text DEFAULT NULL, pay_type text DEFAULT 'wechat')
RETURNS text LANGUAGE sql
	RETURN (SELECT t.show(r) || CASE WHEN (r).id IS DISTINCT FROM t.id($1) THEN ' (id ' || coalesce((r).id::text, 'NULL') || ')' ELSE '' END
				   || CASE jsonb_typeof((r).detail->'payment_id') WHEN 'string' THEN '' ELSE ' (no payment_id)' END
			FROM (SELECT order_ext.pay_callback(t.id($1), $2, $5, $3, $4) AS r OFFSET 0) AS s);

-- ---- created: applied ----
SELECT t.new('cb', 'CB-1:1', user_id => 7210);
SELECT t.cb('cb', 'T-1');
SELECT t.order('cb'), t.messages('cb'), t.stock('CB-1');
SELECT t.payments('cb');
SELECT from_status, to_status, event, actor FROM order_ext.order_timeline(t.id('cb'));
-- the timer is void, not gone
SELECT state FROM order_ext.message_trace(t.id('cb')) WHERE topic = 'order.pay_timeout';
-- the same fact again: replayed, with the current version and the first detail; nothing changes
SELECT outcome, changed FROM t.effect($$order_ext.pay_callback(t.id('cb'), 'T-1', 'wechat', 100)$$);
SELECT outcome, changed FROM t.effect($$order_ext.pay_callback(t.id('cb'), 'T-1', 'wechat', 100, 'CNY', now() - interval '1 day', '{"second": "time"}')$$);
SELECT (order_ext.pay_callback(t.id('cb'), 'T-1', 'wechat', 100)).detail->>'payment_id' = payment_id::text AS same_payment
FROM order_ext.payments_view WHERE order_id = t.id('cb');
CREATE TABLE t.first_details (trade_no text, detail jsonb);
CREATE FUNCTION t.first_detail(name text, trade_no text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	r order_ext.result := order_ext.pay_callback(t.id(name), trade_no, 'wechat', 100);
	first_detail jsonb := (SELECT detail FROM t.first_details f WHERE f.trade_no = first_detail.trade_no);
BEGIN
	IF first_detail IS NULL THEN
		INSERT INTO t.first_details VALUES (trade_no, r.detail);
	END IF;
	RETURN concat_ws(' ', r.disposition, CASE WHEN first_detail = r.detail THEN 'with the first detail' END);
END
$$;
SELECT t.new('cb_detail', 'CB-1:1', user_id => 7210);
SELECT t.first_detail('cb_detail', 'T-detail-1');
SELECT t.first_detail('cb_detail', 'T-detail-2');
SELECT t.show(order_ext.cancel_order(t.id('cb_detail')));
SELECT t.drain();
SELECT t.first_detail('cb_detail', 'T-detail-3');
SELECT trade_no, t.first_detail('cb_detail', trade_no) FROM t.first_details ORDER BY trade_no;

-- ---- captured otherwise: an event, held; the capture stays what it is ----
SELECT t.cb('cb', 'T-1', 90);
SELECT t.cb('cb', 'T-1', 100, 'USD');
SELECT t.cb('cb', 'T-1', 0);
-- again: neither stored nor alerted of twice
SELECT t.cb('cb', 'T-1', 90);
SELECT topic, count(*) FROM order_ext.message_trace(t.id('cb')) WHERE topic = 'ops.alert' GROUP BY topic;
SELECT t.payments('cb');
SELECT amount, currency, disposition, count(*) FROM order_ext_internal.payment_events WHERE order_id = t.id('cb') GROUP BY 1, 2, 3 ORDER BY 1, 2;
-- where the order differs: another that exists, and none
SELECT t.new('cb_other', 'CB-1:1', user_id => 7210), t.remember('cb_unknown', 7210);
SELECT t.cb('cb_other', 'T-1');
SELECT t.cb('cb_unknown', 'T-1');
SELECT t.order('cb_other'), t.order('cb');
SELECT t.payments('cb_other');
SELECT t.payments('cb_unknown');
-- another pay_type is another number
SELECT t.cb('cb_other', 'T-1', pay_type => 'alipay');

-- ---- the number of another order's open attempt: an event, and both stay as they are ----
SELECT t.new('cb_open', 'CB-1:1', user_id => 7210), t.new('cb_thief', 'CB-1:1', user_id => 7210);
SELECT (order_ext.pre_pay_order(t.id('cb_open'), 'wechat', 100)).detail->>'out_trade_no' AS own_no \gset
SELECT t.cb('cb_thief', :'own_no');
SELECT t.cb('cb_unknown', :'own_no');
SELECT t.cb('cb_thief', :'own_no', 90);
SELECT t.order('cb_open'), t.order('cb_thief');
SELECT t.payments('cb_open');
SELECT t.payments('cb_thief');
SELECT count(*) FROM order_ext_internal.payment_events WHERE out_trade_no = :'own_no';
-- its own order still captures with it
SELECT t.cb('cb_open', :'own_no');
SELECT t.cb('cb_open', :'own_no');
SELECT t.payments('cb_open');

-- ---- unknown order: kept as unmatched money ----
SELECT t.cb('cb_unknown', 'T-unknown', 55);
SELECT t.cb('cb_unknown', 'T-unknown', 55);
SELECT t.cb('cb_unknown', 'T-unknown', 56);
SELECT t.cb('cb_unknown', 'T-unknown2', 55, 'EUR');
SELECT t.payments('cb_unknown');
-- the same number for an order that exists: captured otherwise, the order differs
SELECT t.cb('cb_thief', 'T-unknown', 55);
SELECT t.order('cb_thief');

-- ---- takeover of open attempts ----
-- by its number
SELECT t.new('take', 'CB-1:1', user_id => 7211);
SELECT t.show(order_ext.pre_pay_order(t.id('take'), 'wechat', 100));
SELECT (order_ext.pre_pay_order(t.id('take'), 'wechat', 100)).detail->>'out_trade_no' AS second_no \gset
SELECT t.cb('take', :'second_no');
SELECT t.payments('take');
-- else the oldest of its pay_type; the number is replaced, the id stays
SELECT t.new('take2', 'CB-1:1', user_id => 7211);
SELECT (order_ext.pre_pay_order(t.id('take2'), 'alipay', 100)).detail->>'payment_id' AS p1 \gset
SELECT (order_ext.pre_pay_order(t.id('take2'), 'wechat', 100)).detail->>'payment_id' AS p2 \gset
SELECT (order_ext.pre_pay_order(t.id('take2'), 'wechat', 100)).detail->>'payment_id' AS p3 \gset
SELECT (order_ext.pay_callback(t.id('take2'), 'T-take2', 'wechat', 100)).detail->>'payment_id' = :'p2' AS the_oldest_of_its_type;
SELECT t.payments('take2');
-- none open of its pay_type: a row of its own
SELECT t.new('take3', 'CB-1:1', user_id => 7211);
SELECT t.show(order_ext.pre_pay_order(t.id('take3'), 'alipay', 100));
SELECT t.cb('take3', 'T-take3');
SELECT t.payments('take3');
-- held, surplus and late captures take attempts over too
SELECT t.new('take4', 'CB-1:1', user_id => 7211);
SELECT t.show(order_ext.pre_pay_order(t.id('take4'), 'wechat', 100)) FROM generate_series(1, 3);
SELECT t.cb('take4', 'T-take4-held', 99);
SELECT t.cb('take4', 'T-take4');
SELECT t.cb('take4', 'T-take4-surplus');
SELECT t.cb('take4', 'T-take4-surplus2');
SELECT t.payments('take4');
SELECT t.new('take5', 'CB-1:1', user_id => 7211);
SELECT t.show(order_ext.pre_pay_order(t.id('take5'), 'wechat', 100));
SELECT t.show(order_ext.cancel_order(t.id('take5')));
SELECT t.cb('take5', 'T-take5-late');
SELECT t.payments('take5');
SELECT t.refunds('take5');

-- ---- canceled: late, whatever the amount; refunded by the call itself ----
SELECT t.new('late', 'CB-1:1', user_id => 7212);
SELECT t.show(order_ext.cancel_order(t.id('late')));
SELECT t.cb('late', 'T-late-1');
SELECT t.cb('late', 'T-late-1');
SELECT t.cb('late', 'T-late-2', 7);
SELECT t.cb('late', 'T-late-3', 100, 'USD');
SELECT t.cb('late', 'T-late-4', 100, NULL, 'alipay');
-- a capture of 0 is recorded, and has nothing to refund
SELECT t.cb('late', 'T-late-5', 0);
SELECT t.cb('late', 'T-late-1', 99);
SELECT t.payments('late');
SELECT t.refunds('late');
-- never revived
SELECT t.order('late'), t.messages('late');

-- ---- paid: surplus, whatever the amount ----
SELECT t.new('surplus', 'CB-1:1', user_id => 7213);
SELECT t.cb('surplus', 'T-sur-1');
SELECT t.cb('surplus', 'T-sur-2');
SELECT t.cb('surplus', 'T-sur-2');
SELECT t.cb('surplus', 'T-sur-3', 250);
SELECT t.cb('surplus', 'T-sur-4', 100, 'EUR');
SELECT t.cb('surplus', 'T-sur-5', 0);
SELECT t.cb('surplus', 'T-sur-6', 100, NULL, 'alipay');
SELECT t.payments('surplus');
SELECT t.refunds('surplus');
SELECT t.order('surplus'), t.messages('surplus');
-- paid with nothing to pay: any capture is a surplus
SELECT t.new('zero_surplus', 'CB-0:1', user_id => 7213);
SELECT t.cb('zero_surplus', 'T-zero-0', 0);
SELECT t.cb('zero_surplus', 'T-zero-1', 5);
SELECT t.payments('zero_surplus');
SELECT t.refunds('zero_surplus');

-- ---- created: amount or currency differs ----
SELECT t.new('held', 'CB-1:1', user_id => 7214);
SELECT t.cb('held', 'T-held-1', 99);
SELECT t.cb('held', 'T-held-1', 99);
SELECT t.cb('held', 'T-held-2', 101);
SELECT t.cb('held', 'T-held-3', 100, 'USD');
SELECT t.cb('held', 'T-held-4', 0);
-- the held one again, now with the right amount: captured otherwise
SELECT t.cb('held', 'T-held-1', 100);
SELECT t.order('held');
SELECT t.payments('held');
SELECT t.refunds('held');
SELECT topic, count(*) FROM order_ext.message_trace(t.id('held')) WHERE topic = 'ops.alert' GROUP BY 1;
SELECT count(*) >= 4 AS warned FROM order_ext.verify() WHERE severity = 'warning';
-- it still can be paid, and canceled: then held money goes back
SELECT t.cb('held', 'T-held-5');
SELECT t.show(order_ext.cancel_order(t.id('held')));
SELECT t.drain();
SELECT t.payments('held');
SELECT t.refunds('held');
SELECT t.cb('held', 'T-held-2', 101);
SELECT t.cb('held', 'T-held-6', 101);
SELECT t.order('held');

-- ---- G38: after the deadline, while still created: applied ----
SELECT t.new('overdue', 'CB-1:1', pay_timeout => '1 millisecond', user_id => 7215);
SELECT t.wait_due('overdue');
SELECT t.cb('overdue', 'T-overdue');
SELECT t.drain();
SELECT order_ext.expire_orders() AS expired;
SELECT t.order('overdue');

-- paid and then canceled: late; the applied capture is refunded by the messages
SELECT t.new('back', 'CB-1:1', user_id => 7216);
SELECT t.cb('back', 'T-back-1');
SELECT t.show(order_ext.cancel_order(t.id('back')));
SELECT t.cb('back', 'T-back-1');
SELECT t.cb('back', 'T-back-2');
SELECT t.refunds('back');
SELECT t.drain();
SELECT t.refunds('back');

-- ---- arguments ----
SELECT t.new('args', 'CB-1:1', user_id => 7217);
SELECT arguments, outcome, changed FROM (VALUES
	($$NULL, 'T-x', 'wechat', 100$$),
	($$t.id('args'), NULL, 'wechat', 100$$),
	($$t.id('args'), 'T-x', NULL, 100$$),
	($$t.id('args'), 'T-x', 'wechat', NULL$$),
	($$t.id('args'), 'T-x', 'wechat', 100, NULL, 'infinity'$$),
	($$t.id('args'), 'T-x', 'wechat', -1$$),
	($$t.id('args'), 'T-x', 'wechat', -9223372036854775808$$),
	($$t.id('args'), '', 'wechat', 100$$),
	($$t.id('args'), 'T-x', '', 100$$),
	($$t.id('args'), 'T-x', repeat('w', 33), 100$$),
	($$t.id('args'), repeat('x', 129), 'wechat', 100$$),
	($$t.id('args'), repeat('x', 1000000), 'wechat', 100$$)) AS v(arguments),
	LATERAL t.effect('order_ext.pay_callback(' || arguments || ')');
-- 128 characters are fine, whatever their bytes
SELECT t.cb('args', repeat('é', 128), 99);
SELECT t.cb('args', 'T-max', 9223372036854775807);
-- raw is kept; an over-long one is cut, and the detail says so; the fact stands
SELECT t.new('raw', 'CB-1:1', user_id => 7217);
SELECT t.show(r), (r).detail::text ~* '(cut|truncated)' AS says_so
FROM (SELECT order_ext.pay_callback(t.id('raw'), 'T-raw-1', 'wechat', 99, raw => jsonb_build_object('x', repeat('raw ', 20000000))) AS r OFFSET 0) AS s;
SELECT t.show(r), (r).detail::text ~* '(cut|truncated)' AS says_so
FROM (SELECT order_ext.pay_callback(t.id('raw'), 'T-raw-2', 'wechat', 100, raw => '{"nested": {"deeply": [1, null]}}') AS r OFFSET 0) AS s;
SELECT out_trade_no, length(raw::text) BETWEEN 10000 AND 300000 AS evidence, CASE WHEN length(raw::text) < 100 THEN raw END AS raw
FROM order_ext_internal.payments WHERE order_id = t.id('raw') ORDER BY out_trade_no;
SELECT t.cb('cb_unknown', 'T-neg', 0);
-- ids that cannot be: recorded as unknown, not raised
SELECT order_id, (r).disposition, (r).id IS NULL AS no_id FROM unnest(ARRAY[9223372036854775807, 1, 0, -1]) AS order_id,
	LATERAL (SELECT order_ext.pay_callback(order_id, 'T-odd-' || order_id, 'wechat', 1) AS r OFFSET 0) AS s;
-- rolled back, it is gone, and comes again
BEGIN;
SELECT t.cb('args', 'T-again');
ROLLBACK;
SELECT t.cb('args', 'T-again');

-- captures of this file equal what payments and refunds say
SELECT purpose, count(*) AS payments, count(r.refund_id) AS refunds, sum(p.amount) FILTER (WHERE p.amount < 1000) AS amount, sum(r.amount) AS refunded
FROM order_ext.payments_view p LEFT JOIN order_ext.refunds_view r USING (payment_id)
WHERE p.status = 'captured' AND (p.out_trade_no LIKE 'T-late%' OR p.out_trade_no LIKE 'T-sur%' OR p.out_trade_no LIKE 'T-held%')
GROUP BY purpose ORDER BY purpose;
SELECT * FROM order_ext.verify() WHERE severity = 'error';
