-- cancel_order: every disposition, what it publishes, what is released, held refunds.
\set VERBOSITY sqlstate
SELECT order_ext.put_product('CAN-1', 'A', 100), order_ext.put_product('CAN-2', 'B', 50);
SELECT available FROM order_ext.adjust_stock('CAN-1', 50);
SELECT available FROM order_ext.adjust_stock('CAN-2', 50);
SELECT order_ext.issue_coupon(7220, 30) AS c1, order_ext.issue_coupon(7220, 30) AS c2 \gset

-- unpaid, by its buyer: stock and coupon come back by the messages
SELECT t.new('unpaid', 'CAN-1:2,CAN-2:1', :c1, user_id => 7220);
SELECT t.show(r), (r).id = t.id('unpaid') AS the_order FROM (
	SELECT order_ext.cancel_order(order_id => t.id('unpaid'), user_id => 7220, cancel_type => 'user', reason => 'too dear', request_id => 'can-1', refund_policy => 'full') AS r OFFSET 0) AS s;
SELECT t.order('unpaid'), t.messages('unpaid');
SELECT t.stock('CAN-1'), t.coupon(:c1);
SELECT t.drain();
SELECT t.stock('CAN-1'), t.stock('CAN-2'), t.coupon(:c1), t.messages('unpaid');
SELECT sku, kind, delta FROM order_ext.stock_ledger_view WHERE order_id = t.id('unpaid') ORDER BY at, sku;
SELECT from_status, to_status, event, actor, detail::text LIKE '%too dear%' AS reason FROM order_ext.order_timeline(t.id('unpaid'));
SELECT t.refunds('unpaid');
-- its key replays, another request with it does not pass
SELECT outcome, changed FROM t.effect($$order_ext.cancel_order(t.id('unpaid'), 7220, 'user', 'too dear', 'can-1', 'full')$$);
SELECT t.go($$order_ext.cancel_order(t.id('unpaid'), 7220, 'user', 'too late', 'can-1', 'full')$$),
	   t.go($$order_ext.cancel_order(1, 7220, 'user', 'too dear', 'can-1', 'full')$$);
-- G13: once more is no error, and does nothing
SELECT outcome, changed FROM t.effect($$order_ext.cancel_order(t.id('unpaid'))$$);
SELECT outcome, changed FROM t.effect($$order_ext.cancel_order(t.id('unpaid'), cancel_type => 'customer_service', refund_policy => 'hold')$$);
SELECT t.show(order_ext.cancel_order(t.id('unpaid'), request_id => 'can-noop'));
SELECT t.show(order_ext.cancel_order(t.id('unpaid'), request_id => 'can-noop'));

-- errors: OE001, OE003 (G25); an owner who is not named is not checked
SELECT t.new('owned', 'CAN-1:1', user_id => 7221);
SELECT call, outcome, changed FROM (VALUES
	($$1$$), ($$1, 7221$$), ($$t.id('owned'), 7220$$), ($$t.id('owned'), 7220, 'customer_service'$$),
	($$t.id('unpaid'), 7221$$), ($$t.id('owned'), 0$$), ($$t.id('owned'), -7221$$)) AS v(call),
	LATERAL t.effect('order_ext.cancel_order(' || call || ')');
SELECT t.show(order_ext.cancel_order(t.id('owned'), cancel_type => 'customer_service', reason => 'asked by phone'));
SELECT t.order('owned');
SELECT from_status, to_status, event, actor FROM order_ext.order_timeline(t.id('owned'));

-- paid: everything captured goes back, once
SELECT t.new('paid', 'CAN-1:1,CAN-2:2', :c1, user_id => 7220);
SELECT t.show(order_ext.pre_pay_order(t.id('paid'), 'alipay', t.due('paid')));
SELECT t.show(order_ext.pay_callback(t.id('paid'), 'T-can-held', 'wechat', 1));
SELECT t.show(order_ext.pay_callback(t.id('paid'), 'T-can-paid', 'wechat', t.due('paid')));
SELECT t.show(order_ext.pay_callback(t.id('paid'), 'T-can-surplus', 'wechat', 5));
SELECT t.coupon(:c1), t.stock('CAN-1');
SELECT t.show(order_ext.cancel_order(t.id('paid'), 7220));
SELECT t.order('paid'), t.messages('paid');
SELECT t.refunds('paid');
SELECT t.drain();
SELECT t.refunds('paid');
SELECT t.payments('paid');
SELECT t.coupon(:c1), t.stock('CAN-1'), t.stock('CAN-2'), t.messages('paid');
SELECT t.order('paid');
SELECT t.drain();
SELECT count(*) AS refunds FROM order_ext.refunds_view WHERE order_id = t.id('paid');

-- refund_policy hold: the rows are there and count, but wait
SELECT t.new('hold', 'CAN-1:1', user_id => 7220);
SELECT t.show(order_ext.pay_callback(t.id('hold'), 'T-can-hold', 'wechat', 100));
SELECT t.show(order_ext.cancel_order(t.id('hold'), refund_policy => 'hold', request_id => 'can-hold'));
SELECT t.go($$order_ext.cancel_order(t.id('hold'), refund_policy => 'full', request_id => 'can-hold')$$);
SELECT t.drain();
SELECT t.refunds('hold');
SELECT held FROM order_ext_internal.refunds WHERE order_id = t.id('hold');
SELECT held FROM order_ext_internal.refunds WHERE order_id = t.id('paid') AND cause <> t.code('refund_cause', 'surplus');

-- a coupon past its window does not come back to life
SELECT order_ext.issue_coupon(7222, 30, 0, now() - interval '1 day', now() + interval '1 hour') AS cend \gset
SELECT t.new('expiring', 'CAN-1:1', :cend, user_id => 7222);
SELECT t.end_coupon(:cend);
SELECT t.show(order_ext.cancel_order(t.id('expiring')));
SELECT t.drain();
SELECT t.coupon(:cend);

-- a key first used for a cancel that was refused is free again
SELECT t.new('key', 'CAN-1:1', user_id => 7223);
SELECT t.go($$order_ext.cancel_order(t.id('key'), 7220, request_id => 'can-key')$$), t.go($$order_ext.cancel_order(t.id('key'), 7223, request_id => 'can-key')$$);

-- unknown words
SELECT call, outcome, changed FROM (VALUES
	($$cancel_type => 'timeout'$$), ($$cancel_type => 'USER'$$), ($$cancel_type => ''$$), ($$cancel_type => NULL$$),
	($$refund_policy => 'none'$$), ($$refund_policy => NULL$$), ($$refund_policy => ''$$)) AS v(call),
	LATERAL t.effect($$order_ext.cancel_order(t.id('hold'), $$ || call || ')');

-- one transaction may do it all to one order: its locks do not bite itself (G10)
BEGIN;
SELECT t.new('self', 'CAN-1:1', user_id => 7224);
SELECT t.show(order_ext.pre_pay_order(t.id('self'), 'wechat', 100));
SELECT t.show(order_ext.pay_callback(t.id('self'), 'T-can-self', 'wechat', 100));
SELECT t.show(order_ext.cancel_order(t.id('self')));
SELECT t.show(order_ext.pay_callback(t.id('self'), 'T-can-self2', 'wechat', 100));
COMMIT;
SELECT t.drain();
SELECT t.order('self');
SELECT t.refunds('self');

-- held notices may name any sum and any currency: together more than a bigint, and never in
-- the way of the cancel
SELECT t.new('huge', 'CAN-1:1', user_id => 7225);
SELECT t.show(order_ext.pay_callback(t.id('huge'), 'T-can-huge1', 'wechat', 9223372036854775807));
SELECT t.show(order_ext.pay_callback(t.id('huge'), 'T-can-huge2', 'wechat', 9223372036854775807));
SELECT disposition, status, detail FROM order_ext.cancel_order(t.id('huge'));
SELECT t.new('foreign', 'CAN-1:1', user_id => 7226);
SELECT t.show(order_ext.pay_callback(t.id('foreign'), 'T-can-foreign', 'wechat', 14, 'USD'));
SELECT t.show(order_ext.pay_callback(t.id('foreign'), 'T-can-home', 'wechat', 100));
SELECT disposition, status, detail FROM order_ext.cancel_order(t.id('foreign'));
SELECT t.drain();
SELECT t.refunds('huge');
SELECT t.refunds('foreign');

SELECT * FROM order_ext.verify() WHERE severity = 'error';
