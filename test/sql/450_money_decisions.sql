-- Captures that need a decision: the surplus of a pay type held or delayed (set_pay_type), one
-- capture told twice (duplicate), less than the order costs (accept_less), a wrong order number
-- (assign_payment); and how pay types and numbers are spelled.
SELECT order_ext.put_product('MD-1', 'A', 1000), order_ext.put_product('MD-2', 'B', 333);
SELECT count(order_ext.adjust_stock(sku, 1000)) FROM unnest(ARRAY['MD-1', 'MD-2']) AS sku;
SELECT order_ext.put_freight('MD', 60);
CREATE FUNCTION t.md_paid(name text, trade_no text, pay_type text DEFAULT 'md', amount bigint DEFAULT NULL, currency text DEFAULT NULL) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	r order_ext.result := order_ext.pay_callback(t.id(name), trade_no, pay_type, coalesce(amount, t.due(name)), currency);
BEGIN
	RETURN concat_ws(' ', r.disposition, r.detail->>'purpose');
END
$$;
CREATE FUNCTION t.decided(name text) RETURNS SETOF text LANGUAGE sql STABLE
BEGIN ATOMIC
	SELECT concat_ws(' ', p.pay_type, p.out_trade_no, p.purpose, p.amount, p.currency, CASE WHEN p.duplicate_of IS NOT NULL THEN 'of ' || d.out_trade_no END,
		(SELECT string_agg(concat_ws(' ', '|', r.cause, r.status, r.amount, CASE WHEN r.held THEN 'held' END, CASE WHEN r.kept THEN 'kept' END,
			CASE WHEN r.claim_after > clock_timestamp() THEN 'later' END), ' ' ORDER BY r.refund_id)
		 FROM order_ext.refunds_view r WHERE r.payment_id = p.payment_id))
	FROM order_ext.payments_view p LEFT JOIN order_ext.payments_view d ON d.payment_id = p.duplicate_of
	WHERE p.order_id = t.id($1) ORDER BY p.payment_id;
END;
CREATE FUNCTION t.md_claim(name text, pay_types text[] DEFAULT NULL) RETURNS bigint LANGUAGE sql AS $$
	SELECT count(*) FROM order_ext.claim_refunds(1000, 'md', '1 hour', pay_types) WHERE order_id = t.id($1)
$$;

-- ---- set_pay_type ----
SELECT call, e.* FROM (VALUES
	($$NULL, '{}'$$), ($$'', '{}'$$), ($$'md', NULL$$), ($$'md', '[]'$$), ($$'md', '{"Surplus": "hold"}'$$), ($$'md', '{"surplus": "keep"}'$$), ($$'md', '{"surplus": 1}'$$),
	($$'md', '{"surplus_delay": "soon"}'$$), ($$'md', '{"surplus_delay": "-1 hour"}'$$), ($$'md', '{"surplus_delay": "2 years"}'$$), ($$repeat('m', 33), '{}'$$)) AS v(call),
	LATERAL t.effect('order_ext.set_pay_type(' || call || ')') AS e;
SELECT order_ext.set_pay_type(' MD ', '{"surplus": "hold"}');
TABLE order_ext.pay_types_view;
SELECT order_ext.set_pay_type('md', '{"surplus_delay": "1 hour"}');
TABLE order_ext.pay_types_view;
SELECT order_ext.set_pay_type('md', '{"surplus_delay": "0"}');
-- surplus is held; a late capture where the order has another one, too
SELECT t.new('hold', 'MD-1:1'), t.new('hold late', 'MD-1:1'), t.new('late only', 'MD-1:1');
SELECT t.md_paid('hold', 'T-md-1'), t.md_paid('hold', 'T-md-2', ' Md '), t.md_paid('hold', ' T-md-2 ', 'MD') AS repeated;
SELECT t.decided('hold');
SELECT t.md_claim('hold') AS held;
SELECT refund_id AS r FROM order_ext.refunds_view WHERE order_id = t.id('hold') \gset
SELECT t.show(order_ext.retry_refund(:r));
SELECT t.md_claim('hold', '{other}') AS not_theirs, t.md_claim('hold', '{}') AS nobodys;
SELECT t.md_claim('hold', '{other, MD}') AS theirs;
SELECT t.go($$order_ext.claim_refunds(1, 'md', '1 hour', '{NULL}')$$);
SELECT t.md_paid('hold late', 'T-md-3'), t.show(order_ext.cancel_order(t.id('hold late')));
SELECT t.md_paid('hold late', 'T-md-4');
SELECT t.show(order_ext.cancel_order(t.id('late only')));
SELECT t.md_paid('late only', 'T-md-5');
SELECT t.decided('hold late') UNION ALL SELECT t.decided('late only');
-- and may wait before it is claimed
SELECT order_ext.set_pay_type('md', '{"surplus": "refund", "surplus_delay": "00:00:00.3"}'), order_ext.set_pay_type('sandbox', '{"surplus_delay": "0.3 seconds"}');
SELECT t.new('delay', 'MD-1:1'), t.new('delay sandbox', 'MD-1:1');
SELECT t.md_paid('delay', 'T-md-6'), t.md_paid('delay', 'T-md-7'), t.md_paid('delay sandbox', 'T-md-8', 'sandbox'), t.md_paid('delay sandbox', 'T-md-9', 'sandbox');
CREATE PROCEDURE t.md_wait(name text) LANGUAGE plpgsql AS $$
BEGIN
	LOOP
		PERFORM t.dispatch();
		COMMIT;
		EXIT WHEN EXISTS (SELECT FROM order_ext.refunds_view WHERE order_id = t.id(name) AND status <> 'requested');
		IF t.md_claim(name) > 0 THEN
			IF EXISTS (SELECT FROM order_ext.refunds_view WHERE order_id = t.id(name) AND claim_after > clock_timestamp()) THEN
				RAISE EXCEPTION 'claimed too early';
			END IF;
		END IF;
		COMMIT;
		PERFORM pg_sleep(0.01);
	END LOOP;
END
$$;
CALL t.md_wait('delay');
CALL t.md_wait('delay sandbox');
SELECT bool_and(claim_after > requested_at) AS later, count(*) FROM order_ext.refunds_view WHERE order_id IN (t.id('delay'), t.id('delay sandbox'));
SELECT order_ext.set_pay_type('md', '{"surplus_delay": "0"}'), order_ext.set_pay_type('sandbox', '{"surplus_delay": "0"}');

-- ---- duplicate ----
SELECT t.new('dup', 'MD-1:1');
SELECT t.md_paid('dup', 'T-dup-charge'), t.md_paid('dup', 'T-dup-intent'), t.md_paid('dup', 'T-dup-other', 'md', 999);
SELECT call, e.* FROM (VALUES
	($$t.payment('T-dup-charge'), 'duplicate'$$), ($$t.payment('T-dup-other'), 'duplicate'$$), ($$t.payment('T-dup-intent'), 'duplicate'$$),
	($$t.payment('T-dup-intent'), 'duplicate'$$), ($$t.payment('T-dup-intent'), 'accept'$$), ($$999999999, 'duplicate'$$), ($$t.payment('T-dup-intent'), 'double'$$),
	($$t.payment('T-dup-intent'), 'refund', NULL$$)) AS v(call),
	LATERAL t.effect('order_ext.resolve_held_payment(' || call || ')') AS e;
SELECT code, regexp_replace(detail, '\d{9,}', '#') AS detail, hint FROM t.error($$order_ext.resolve_held_payment(t.payment('T-dup-other'), 'duplicate')$$);
SELECT t.decided('dup');
SELECT t.md_paid('dup', 'T-dup-intent') AS repeated;
-- a refund of the money under either number is one of the capture
SELECT (order_ext.record_refund(t.id('dup'), 'T-dup-intent', 'md', 'DUP-1', 100)).disposition;
SELECT t.decided('dup');
-- undone
SELECT t.show(order_ext.resolve_held_payment(t.payment('T-dup-intent'), 'refund')), t.show(order_ext.resolve_held_payment(t.payment('T-dup-intent'), 'refund')) AS again;
SELECT t.decided('dup');
SELECT t.md_claim('dup'), t.go($$order_ext.resolve_held_payment(t.payment('T-dup-intent'), 'duplicate')$$) AS claimed;
SELECT event, actor FROM order_ext.order_timeline(t.id('dup')) WHERE event ~ 'duplicate';
-- held money, and duplicates of duplicates
SELECT t.new('dup held', 'MD-1:1');
SELECT t.md_paid('dup held', 'T-dh-1', 'md', 500), t.md_paid('dup held', 'T-dh-2', 'md', 500), t.md_paid('dup held', 'T-dh-3', 'md', 500);
SELECT t.go($$order_ext.resolve_held_payment(t.payment('T-dh-3'), 'duplicate')$$), t.go($$order_ext.resolve_held_payment(t.payment('T-dh-1'), 'duplicate')$$), t.go($$order_ext.resolve_held_payment(t.payment('T-dh-2'), 'duplicate')$$) AS nothing_left_to_tell;
SELECT t.decided('dup held');
SELECT t.show(order_ext.cancel_order(t.id('dup held')));
SELECT t.drain();
SELECT t.decided('dup held');
-- in dispute
SELECT t.new('dup dispute', 'MD-1:1');
SELECT t.md_paid('dup dispute', 'T-dd-1'), t.md_paid('dup dispute', 'T-dd-2'), (order_ext.payment_disputed(t.id('dup dispute'), 'T-dd-2', 'md', 'DD-1', 'opened')).disposition;
SELECT t.go($$order_ext.resolve_held_payment(t.payment('T-dd-2'), 'duplicate')$$), hint FROM t.error($$order_ext.resolve_held_payment(t.payment('T-dd-2'), 'duplicate')$$);
SELECT (order_ext.payment_disputed(t.id('dup dispute'), 'T-dd-2', 'md', 'DD-1', 'won')).disposition, t.show(order_ext.resolve_held_payment(t.payment('T-dd-2'), 'duplicate'));
-- the surplus of an accepted payment can be withdrawn and requested again
SELECT t.new('excess', 'MD-1:1');
SELECT t.md_paid('excess', 'T-ex', 'md', 1200);
SELECT t.show(order_ext.resolve_held_payment(t.payment('T-ex'), 'accept'));
SELECT refund_id AS r FROM order_ext.refunds_view WHERE order_id = t.id('excess') \gset
SELECT t.show(order_ext.withdraw_refund(:r, 'a tip'));
SELECT t.decided('excess');
SELECT t.show(order_ext.resolve_held_payment(t.payment('T-ex'), 'refund'));
SELECT t.decided('excess');

-- ---- the rest of a capture that did not pay its order, where the gateway paid less than was asked ----
CREATE FUNCTION t.md_settle(trade_no text, amount bigint) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(t.go(format('order_ext.settle_refund(%s, %s, ''a fee'')', refund_id, $2)), ', ' ORDER BY refund_id)
	FROM order_ext.refunds_view WHERE payment_id = t.payment($1) AND status IN ('requested', 'submitted')
$$;
CREATE FUNCTION t.md_refund(trade_no text) RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', disposition, CASE WHEN detail ? 'refund_id' THEN 'with a refund' END)
	FROM order_ext.resolve_held_payment(t.payment($1), 'refund') r
$$;
CREATE FUNCTION t.md_actions(name text) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(a, ', ') FROM order_ext.allowed_actions(t.id($1)) a WHERE a IN ('refund_order', 'resolve_held_payment')
$$;
SELECT t.new('rest surplus', 'MD-1:1'), t.new('rest late', 'MD-1:1'), t.new('rest held', 'MD-1:1');
SELECT t.md_paid('rest surplus', 'T-rest'), t.md_paid('rest surplus', 'T-rest-surplus'), t.show(order_ext.cancel_order(t.id('rest late'))), t.md_paid('rest late', 'T-rest-late'), t.md_paid('rest held', 'T-rest-held', 'md', 900),
	(order_ext.pay_callback(777001, 'T-rest-unmatched', 'md', 900)).disposition;
SELECT t.md_actions('rest surplus') AS surplus, t.md_actions('rest late') AS late, t.md_actions('rest held') AS held;
SELECT t.md_refund('T-rest-surplus') AS surplus, t.md_refund('T-rest-late') AS late, t.md_refund('T-rest-held') AS held, t.md_refund('T-rest-unmatched') AS unmatched;
SELECT t.md_actions('rest surplus') AS surplus, t.md_actions('rest late') AS late, t.md_actions('rest held') AS held;
SELECT n, t.md_settle(n, 600) FROM unnest('{T-rest-surplus,T-rest-late,T-rest-held,T-rest-unmatched}'::text[]) AS n;
SELECT t.md_actions('rest surplus') AS surplus, t.md_actions('rest late') AS late, t.md_actions('rest held') AS held;
-- what refuses says so
SELECT regexp_replace(call, '\d+, ', '#, ') AS call, e.code, e.hint FROM (VALUES ($$order_ext.refund_order(t.id('rest late'))$$), ($$order_ext.refund_order(t.id('rest held'), 1)$$), ($$order_ext.resolve_held_payment(t.payment('T-rest-held'), 'accept')$$),
	($$order_ext.resolve_held_payment(t.payment('T-rest-surplus'), 'duplicate')$$), ($$order_ext.assign_payment(t.payment('T-rest-unmatched'), t.id('rest held'))$$), ($$order_ext.apply_after_sale(t.id('rest late'), 7001, 'refund_only', t.items('MD-1:1'))$$),
	(format($$order_ext.settle_refund(%s, 601, 'more')$$, (SELECT refund_id FROM order_ext.refunds_view WHERE payment_id = t.payment('T-rest-late'))))) AS v(call), LATERAL t.error(call) AS e ORDER BY 1;
SELECT n, t.md_refund(n), t.md_refund(n) AS again FROM unnest('{T-rest-surplus,T-rest-late,T-rest-held,T-rest-unmatched}'::text[]) AS n;
SELECT e.code, e.hint FROM t.error($$order_ext.refund_order(t.id('rest late'))$$) AS e;
-- a worker claims it; the gateway pays less once more, and staff keeps a part, and asks for it after all
SELECT count(*), sum(amount) FROM order_ext.claim_refunds(1000, 'md', '1 hour') c WHERE c.out_trade_no LIKE 'T-rest-%';
SELECT n, t.md_settle(n, 50), t.md_refund(n) FROM unnest('{T-rest-surplus,T-rest-late,T-rest-held,T-rest-unmatched}'::text[]) AS n;
SELECT t.go(format('order_ext.withdraw_refund(%s, ''kept'')', refund_id)) FROM order_ext.refunds_view WHERE payment_id = t.payment('T-rest-late') AND status = 'requested';
SELECT t.md_refund('T-rest-late') AS revived, t.md_settle('T-rest-late', 349) AS settled, t.md_refund('T-rest-late') AS again, t.md_refund('T-rest-late') AS nothing_left;
SELECT t.show(order_ext.cancel_order(t.id('rest held')));
SELECT t.drain();
SELECT t.decided('rest surplus') UNION ALL SELECT t.decided('rest late') UNION ALL SELECT t.decided('rest held');
SELECT (order_ext.record_refund(t.id('rest late'), 'T-rest-late', 'md', 'REST-1', 1)).disposition AS the_last_one_gives_way, (order_ext.record_refund(t.id('rest late'), 'T-rest-late', 'md', 'REST-2', 1)).disposition AS nothing_left;
SELECT t.decided('rest late');
-- the capture that paid an order is refund_order's
SELECT t.md_refund('T-rest') AS applied, t.show(order_ext.refund_order(t.id('rest surplus')));

-- ---- accept_less ----
SELECT order_ext.issue_coupon(7001, 100) AS coupon \gset
SELECT t.new('less', 'MD-1:2,MD-2:1', :coupon, options => '{"region": "MD"}'), t.new('least', 'MD-2:1', options => '{"region": "MD"}'), t.new('zero', 'MD-1:1'), t.new('foreign', 'MD-1:1');
SELECT t.md_paid('less', 'T-less', 'md', 2200), t.md_paid('least', 'T-least', 'md', 45), t.md_paid('zero', 'T-zero', 'md', 0), t.md_paid('foreign', 'T-foreign', 'md', 900, 'EUR');
SELECT call, e.* FROM (VALUES
	($$t.payment('T-less'), 'accept'$$), ($$t.payment('T-less'), 'accept', false$$), ($$t.payment('T-less'), 'accept', NULL$$), ($$t.payment('T-zero'), 'accept', true$$),
	($$t.payment('T-foreign'), 'accept', true$$), ($$t.payment('T-less'), 'accept', accept_less => true$$), ($$t.payment('T-less'), 'accept', true$$), ($$t.payment('T-least'), 'accept', true$$)) AS v(call),
	LATERAL t.effect('order_ext.resolve_held_payment(' || call || ')') AS e;
SELECT t.order('less'), t.order('least'), t.coupon(:coupon);
SELECT sku, quantity, price, discount, pay FROM order_ext.order_items_view WHERE order_id IN (t.id('less'), t.id('least')) ORDER BY order_id = t.id('least'), sku;
SELECT origin_amount, discount_amount, freight_amount, pay_amount FROM order_ext.orders_view WHERE order_id IN (t.id('less'), t.id('least')) ORDER BY order_id = t.id('least');
SELECT order_ext.calculate_refund(t.id('less'), t.items('MD-1:2,MD-2:1'));
SELECT t.show(order_ext.cancel_order(t.id('less')));
SELECT t.drain();
SELECT t.decided('less');

-- ---- assign_payment ----
SELECT t.new('right', 'MD-1:1'), t.new('wrong', 'MD-2:1'), t.new('over', 'MD-1:1'), t.new('euro', 'MD-1:1'), t.new('had', 'MD-1:1');
SELECT t.show(order_ext.cancel_order(t.id('over'))), t.md_paid('had', 'T-had');
SELECT (order_ext.pay_callback(777000, 'T-as-1', 'md', 1000)).disposition AS unknown, t.md_paid('wrong', 'T-as-2', 'md', 1000), (order_ext.pay_callback(777000, 'T-as-3', 'md', 1000, 'EUR')).disposition AS unknown,
	(order_ext.pay_callback(777000, 'T-as-4', 'md', 1000)).disposition AS unknown, (order_ext.pay_callback(777000, 'T-as-5', 'md', 1000)).disposition AS unknown;
SELECT call, e.* FROM (VALUES
	($$NULL, t.id('right')$$), ($$t.payment('T-as-1'), NULL$$), ($$t.payment('T-as-1'), 0$$), ($$999999999, t.id('right')$$), ($$t.payment('T-as-1'), 999999999$$), ($$t.payment('T-had'), t.id('right')$$),
	($$t.payment('T-as-1'), t.id('right'), 'as-1'$$), ($$t.payment('T-as-1'), t.id('right'), 'as-1'$$), ($$t.payment('T-as-1'), t.id('over'), 'as-1'$$), ($$t.payment('T-as-1'), t.id('right')$$),
	($$t.payment('T-as-2'), t.id('right')$$), ($$t.payment('T-as-3'), t.id('euro')$$), ($$t.payment('T-as-4'), t.id('over')$$), ($$t.payment('T-as-3'), t.id('over')$$)) AS v(call),
	LATERAL t.effect('order_ext.assign_payment(' || call || ')') AS e;
SELECT t.decided('right') UNION ALL SELECT t.decided('over') UNION ALL SELECT t.decided('euro');
-- the original callback is repeated, and one for the right order
SELECT t.show(order_ext.pay_callback(777000, 'T-as-1', 'md', 1000)), t.show(order_ext.pay_callback(t.id('right'), 'T-as-1', 'md', 1000)), t.md_paid('wrong', 'T-as-2', 'md', 1000),
	t.show(order_ext.pay_callback(777000, 'T-as-1', 'md', 1001)) AS another_amount, t.show(order_ext.pay_callback(t.id('wrong'), 'T-as-1', 'md', 1000)) AS another_order;
-- a refund decides otherwise
SELECT t.show(order_ext.resolve_held_payment(t.payment('T-as-5'), 'refund')), t.go($$order_ext.assign_payment(t.payment('T-as-5'), t.id('right'))$$);
-- what a gateway does with it then
SELECT (order_ext.record_refund(777000, 'T-as-1', 'md', 'AS-1', 10)).detail->>'amount' AS by_the_told_order, (order_ext.payment_disputed(t.id('right'), 'T-as-1', 'md', 'AS-2', 'opened')).status AS by_the_right_one;
SELECT told_order_id FROM order_ext.payments_view WHERE out_trade_no = 'T-as-1';
SELECT t.way('right');

-- ---- spelling ----
SELECT t.new('spell', 'MD-1:1');
SELECT (order_ext.pre_pay_order(t.id('spell'), ' WeChat ', 1000)).detail->>'pay_type' AS pay_type, (order_ext.payment_closed(t.id('spell'), ' T-x ', 'WECHAT', 'closed')).disposition;
SELECT t.show(order_ext.pay_callback(t.id('spell'), ' T-sp-1', 'Wechat', 1000)), t.show(order_ext.pay_callback(t.id('spell'), 'T-sp-1 ', 'wechat', 1000, NULL, NULL));
SELECT t.decided('spell');
SELECT t.go($$order_ext.pay_callback(t.id('spell'), ' ', 'wechat', 1000)$$), t.go($$order_ext.pay_callback(t.id('spell'), 'T', E'\t', 1000)$$);

-- ---- the report adds up, and everything is in order ----
SELECT pay_type, currency, sum(captured) AS captured, sum(applied + late + surplus + held + unmatched) AS by_purpose, sum(refunded + disputed + refund_open + kept) AS gone_or_kept
FROM order_ext.money_report GROUP BY pay_type, currency
HAVING sum(captured) <> sum(applied + late + surplus + held + unmatched) OR sum(captured) <> sum(refunded + disputed + refund_open + kept);
SELECT invariant, severity, entity, expected, actual FROM order_ext.verify() WHERE severity = 'error';
