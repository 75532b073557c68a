-- Money that fits no order: resolve_held_payment, payment_closed, late captures on attempts
-- that were closed, and the way of it all to a settled refund.
SELECT order_ext.put_product('HM-1', 'A', 100);
SELECT available FROM order_ext.adjust_stock('HM-1', 1000);
SELECT order_ext.issue_coupon(7001, 30) AS coupon, order_ext.issue_coupon(7001, 30) AS coupon2 \gset
CREATE FUNCTION t.held(name text, amount bigint, currency text DEFAULT NULL, coupon bigint DEFAULT NULL) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM t.new(name, 'HM-1:1', coupon);
	RETURN (order_ext.pay_callback(t.id(name), 'T-hm-' || name, 'card', amount, currency)).disposition;
END
$$;

-- ---- accept ----
SELECT t.held('exact', 100, 'EUR'), t.held('less', 99), t.held('more', 130), t.held('coupon', 100, coupon => :coupon);
SELECT call, e.* FROM (VALUES
	($$t.payment('T-hm-less'), 'accept'$$), ($$t.payment('T-hm-exact'), 'accept'$$), ($$t.payment('T-hm-more'), 'accept'$$), ($$t.payment('T-hm-more'), 'accept'$$),
	($$t.payment('T-hm-more'), 'refund'$$), ($$t.payment('T-hm-coupon'), 'accept'$$), ($$999999999, 'accept'$$), ($$999999999, 'refund'$$), ($$0, 'refund'$$),
	($$NULL, 'refund'$$), ($$1, NULL$$), ($$1, 'keep'$$)) AS v(call), LATERAL t.effect('order_ext.resolve_held_payment(' || call || ')') AS e;
SELECT code, regexp_replace(message, '\d+', '#') AS message, detail, hint FROM t.error($$order_ext.resolve_held_payment(t.payment('T-hm-less'), 'accept')$$);
SELECT t.order('more'), t.order('coupon'), t.coupon(:coupon), t.order('less');
SELECT t.payments('more');
SELECT t.refunds('more');
SELECT t.refunds('coupon');
SELECT (r).id = t.id('exact') AS the_order, (r).status, (r).disposition, (r).detail->>'purpose' AS purpose, (r).detail ? 'refund_id' AS a_refund
FROM (SELECT order_ext.resolve_held_payment(payment_id => t.payment('T-hm-exact'), decision => 'refund') AS r OFFSET 0) AS s;
SELECT call, e.* FROM (VALUES ($$t.payment('T-hm-exact'), 'refund'$$), ($$t.payment('T-hm-exact'), 'accept'$$), ($$t.payment('T-hm-less'), 'refund'$$)) AS v(call), LATERAL t.effect('order_ext.resolve_held_payment(' || call || ')') AS e;
SELECT t.order('exact'), t.order('less');
SELECT t.refunds('exact') UNION ALL SELECT t.refunds('less');
SELECT t.drain();
SELECT t.order('more'), t.messages('more');
-- what was accepted is refunded like any other; the excess only once
SELECT t.show(order_ext.cancel_order(t.id('more')));
SELECT t.drain();
SELECT t.refunds('more');
-- a held payment of a canceled order gets its refund by the cancellation, not a second one
SELECT t.held('gone', 55);
SELECT t.show(order_ext.cancel_order(t.id('gone')));
SELECT t.go($$order_ext.resolve_held_payment(t.payment('T-hm-gone'), 'accept')$$);
SELECT t.drain();
SELECT t.refunds('gone');
SELECT t.go($$order_ext.resolve_held_payment(t.payment('T-hm-gone'), 'refund')$$), t.go($$order_ext.resolve_held_payment(t.payment('T-hm-gone'), 'accept')$$);
SELECT t.refunds('gone');
-- and the other way round
SELECT t.held('early', 56);
SELECT t.go($$order_ext.resolve_held_payment(t.payment('T-hm-early'), 'refund')$$);
SELECT t.show(order_ext.cancel_order(t.id('early')));
SELECT t.drain();
SELECT t.refunds('early');
-- nothing to refund
SELECT t.held('zero', 0);
SELECT outcome, changed FROM t.effect($$order_ext.resolve_held_payment(t.payment('T-hm-zero'), 'refund')$$);
-- applied, late and surplus money is not held
SELECT t.new('fine', 'HM-1:1');
SELECT t.show(order_ext.pay_callback(t.id('fine'), 'T-hm-fine', 'card', 100)), t.show(order_ext.pay_callback(t.id('fine'), 'T-hm-fine-2', 'card', 100));
SELECT call, e.* FROM (VALUES ($$t.payment('T-hm-fine'), 'refund'$$), ($$t.payment('T-hm-fine'), 'accept'$$), ($$t.payment('T-hm-fine-2'), 'refund'$$)) AS v(call), LATERAL t.effect('order_ext.resolve_held_payment(' || call || ')') AS e;
-- unmatched money
SELECT t.show(order_ext.pay_callback(888888888, 'T-hm-unmatched', 'card', 44)), t.show(order_ext.pay_callback(888888888, 'T-hm-unmatched-2', 'sandbox', 45));
SELECT t.go($$order_ext.resolve_held_payment(t.payment('T-hm-unmatched'), 'accept')$$);
SELECT (r).id, (r).status, (r).disposition, (r).detail->>'purpose' AS purpose FROM (SELECT order_ext.resolve_held_payment(t.payment('T-hm-unmatched'), 'refund') AS r OFFSET 0) AS s;
SELECT t.go($$order_ext.resolve_held_payment(t.payment('T-hm-unmatched-2'), 'refund')$$), t.go($$order_ext.resolve_held_payment(t.payment('T-hm-unmatched-2'), 'refund')$$);
SELECT r.pay_type, r.amount, r.order_id FROM order_ext.claim_refunds(1000, 'test', '30 days') AS r WHERE r.order_id = 888888888;
SELECT t.show(order_ext.refund_callback((SELECT refund_id FROM order_ext.refunds_view WHERE payment_id = t.payment('T-hm-unmatched')), 'succeeded'));
SELECT t.remember('r-unmatched', (SELECT refund_id FROM order_ext.refunds_view WHERE payment_id = t.payment('T-hm-unmatched-2')));
CALL t.drain_until('unmatched', 'succeeded');
SELECT cause, status, amount FROM order_ext.refunds_view WHERE order_id = 888888888 ORDER BY amount;

-- ---- payment_closed ----
-- An attempt and its own number.
CREATE FUNCTION t.attempt(name text, pay_type text) RETURNS text LANGUAGE sql RETURN (order_ext.pre_pay_order(t.id(name), pay_type, t.due(name))).detail->>'out_trade_no';
SELECT t.new('pc', 'HM-1:1');
SELECT t.attempt('pc', 'card') AS n1, t.attempt('pc', 'bank') AS n2, t.attempt('pc', 'two') AS n3, t.attempt('pc', 'two') AS n4 \gset
SELECT t.remember('n3', split_part(:'n3', '-', 2)::bigint);
SELECT call, e.* FROM (VALUES
	(1, format('t.id(''pc''), %L, ''card'', ''closed''', :'n1')), (2, format('t.id(''pc''), %L, ''card'', ''closed''', :'n1')), (3, format('t.id(''pc''), %L, ''card'', ''failed''', :'n1')),
	(4, format('t.id(''pc''), %L, ''card'', ''failed''', :'n1')),
	-- the only open one of its type, under the gateway's number, which stays
	(5, $$t.id('pc'), 'T-hm-gateway', 'bank', 'failed'$$), (6, $$t.id('pc'), 'T-hm-gateway', 'bank', 'failed'$$), (7, format('t.id(''pc''), %L, ''bank'', ''failed''', :'n2')),
	-- two open ones: the number must say which
	(8, $$t.id('pc'), 'T-hm-which', 'two', 'closed'$$), (9, $$t.id('pc'), 'T-hm-which', 'two', 'closed'$$), (10, format('t.id(''pc''), %L, ''two'', ''closed''', :'n3')),
	(11, $$t.id('pc'), 'T-hm-last', 'two', 'closed'$$), (12, $$t.id('pc'), 'T-hm-none', 'two', 'closed'$$),
	-- of another order, or none
	(13, format('t.id(''fine''), %L, ''card'', ''closed''', :'n1')), (14, $$777777777, 'T-hm-unknown', 'card', 'closed'$$), (15, $$777777777, 'T-hm-unknown', 'card', 'closed'$$),
	-- captured
	(16, $$t.id('fine'), 'T-hm-fine', 'card', 'closed'$$), (17, $$t.id('fine'), 'T-hm-fine', 'card', 'failed'$$)) AS v(n, args),
	LATERAL (SELECT n || CASE WHEN n IN (5, 8, 11, 12, 14, 16) THEN ': ' || args ELSE '' END) AS c(call),
	LATERAL t.effect('order_ext.payment_closed(' || args || ')') AS e ORDER BY n;
SELECT t.payments('pc');
SELECT t.order('pc');
SELECT (r).id = t.id('pc') AS the_order, (r).detail->>'payment_id' = t.id('n3')::text AS the_payment, (r).detail->>'payment_status' AS payment_status, (r).detail->>'outcome' AS outcome
FROM (SELECT order_ext.payment_closed(order_id => t.id('pc'), out_trade_no => :'n3', pay_type => 'two', outcome => 'closed', raw => '{}') AS r OFFSET 0) AS s;
SELECT event, actor FROM order_ext.order_timeline(t.id('pc')) WHERE event ~ '^payment' ORDER BY at, event;
SELECT call, e.* FROM (VALUES
	('NULL, ''x'', ''y'', ''closed'''), ('0, ''x'', ''y'', ''closed'''), ('1, NULL, ''y'', ''closed'''), ('1, '''', ''y'', ''closed'''), ('1, repeat(''x'', 129), ''y'', ''closed'''),
	('1, ''x'', NULL, ''closed'''), ('1, ''x'', repeat(''y'', 33), ''closed'''), ('1, ''x'', ''y'', NULL'), ('1, ''x'', ''y'', ''gone''')) AS v(call), LATERAL t.effect('order_ext.payment_closed(' || call || ')') AS e;
-- money comes all the same: a closed attempt is captured, the same payment
SELECT t.go(format('order_ext.pay_callback(t.id(''pc''), %L, ''card'', 100)', :'n1')), t.order('pc');
SELECT t.go($$order_ext.pay_callback(t.id('pc'), 'T-hm-gateway', 'bank', 100)$$);
SELECT t.payments('pc');
SELECT t.refunds('pc') ~ 'surplus requested 100 CNY of bank T-gateway' AS surplus;
-- a cancel asks open attempts to close; a capture after that is late, once
SELECT t.new('pcl', 'HM-1:1');
SELECT t.attempt('pcl', 'card') AS n1 \gset
SELECT t.show(order_ext.cancel_order(t.id('pcl')));
SELECT t.messages('pcl');
SELECT t.go(format('order_ext.payment_closed(t.id(''pcl''), %L, ''card'', ''closed'')', :'n1'));
SELECT t.go(format('order_ext.pay_callback(t.id(''pcl''), %L, ''card'', 100)', :'n1')), t.go(format('order_ext.pay_callback(t.id(''pcl''), %L, ''card'', 100)', :'n1')),
	t.go(format('order_ext.payment_closed(t.id(''pcl''), %L, ''card'', ''closed'')', :'n1'));
SELECT status, purpose, amount FROM order_ext.payments_view WHERE order_id = t.id('pcl');
SELECT cause, status, amount FROM order_ext.refunds_view WHERE order_id = t.id('pcl');
SELECT t.order('pcl');

-- ---- money_report adds up ----
CREATE VIEW t.books AS
	SELECT pay_type, sum(captured) AS captured, sum(applied) AS applied, sum(late) AS late, sum(surplus) AS surplus, sum(held) AS held, sum(unmatched) AS unmatched,
		sum(refunded) AS refunded, sum(refund_open) AS refund_open FROM order_ext.money_report GROUP BY pay_type;
SELECT bool_and(captured = applied + late + surplus + held + unmatched) AS adds_up FROM order_ext.money_report;
SELECT (SELECT sum(captured) FROM t.books) = (SELECT sum(amount) FROM order_ext.payments_view WHERE status = 'captured') AS captures,
	(SELECT sum(refunded) FROM t.books) = (SELECT sum(amount) FROM order_ext.refunds_view WHERE status = 'succeeded') AS refunds,
	(SELECT sum(refund_open) FROM t.books) = (SELECT sum(amount) FROM order_ext.refunds_view WHERE status IN ('requested', 'submitted', 'failed')) AS open_refunds,
	(SELECT refunded FROM t.books WHERE pay_type = 'sandbox') = (SELECT sum(amount) FROM order_ext.sandbox_ledger WHERE outcome = 'succeeded') AS sandbox_to_the_cent;
SELECT * FROM order_ext.verify() WHERE severity = 'error';
