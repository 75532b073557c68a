-- Refunds that staff decides: refund_order; and what becomes of refunds that should not go out, or
-- went out in another amount: withdraw_refund, settle_refund.
SELECT order_ext.put_product('GW-1', 'A', 1000), order_ext.put_product('GW-2', 'B', 333), order_ext.put_product('GW-V', 'C', 500, 'virtual');
SELECT count(order_ext.adjust_stock(sku, 1000)) FROM unnest(ARRAY['GW-1', 'GW-2', 'GW-V']) AS sku;
SELECT order_ext.put_freight('GW', 60);

-- An order of 2 x GW-1 and 1 x GW-2 with freight: 2393.
CREATE PROCEDURE t.goodwill(name text, status text DEFAULT 'signed', items text DEFAULT 'GW-1:2,GW-2:1', coupon bigint DEFAULT NULL) LANGUAGE plpgsql AS $$
DECLARE
	step text;
	o bigint;
BEGIN
	PERFORM t.new(name, items, coupon, options => '{"region": "GW"}');
	o := t.id(name);
	IF status <> 'created' THEN
		PERFORM order_ext.pay_callback(o, 'T-gw-' || o, 'card', t.due(name));
	END IF;
	COMMIT;
	IF status NOT IN ('created', 'paid') THEN
		PERFORM t.dispatch();
		COMMIT;
	END IF;
	FOREACH step IN ARRAY CASE status WHEN 'out_stock' THEN '{out_stock}' WHEN 'delivering' THEN '{out_stock,delivering}'
		WHEN 'signed' THEN '{out_stock,delivering,signed}' WHEN 'refused' THEN '{out_stock,delivering,refused}' ELSE '{}' END::text[] LOOP
		PERFORM order_ext.shipment_event(o, step, step);
	END LOOP;
END
$$;
-- What is left, in the words of OE501.
CREATE FUNCTION t.left_of(name text) RETURNS text LANGUAGE sql AS $$
	SELECT coalesce(substring(detail FROM '^(\d+) \w+ is left'), detail) FROM t.error(format('order_ext.refund_order(%s, 999999999)', t.id(name)))
$$;
CREATE FUNCTION t.went_back(name text) RETURNS SETOF text LANGUAGE sql STABLE
BEGIN ATOMIC
	SELECT concat_ws(' ', r.cause, r.status, r.amount, CASE WHEN r.asked IS NOT NULL THEN 'asked ' || r.asked END, CASE WHEN r.kept THEN 'kept' END, '|',
		a.type, a.status, a.amount, 'freight', a.freight, 'extra', a.extra, 'outside', a.paid_outside,
		(SELECT string_agg(format('%sx%s=%s', i.quantity, i.sku, i.amount), ',' ORDER BY i.sku COLLATE "C") FROM order_ext.after_sale_items_view i WHERE i.after_sale_id = a.after_sale_id))
	FROM order_ext.refunds_view r LEFT JOIN order_ext.after_sales_view a USING (after_sale_id)
	WHERE r.order_id = t.id($1) ORDER BY r.refund_id;
END;
-- Every refund of the order that can be claimed is claimed and succeeds.
CREATE FUNCTION t.pay_out(name text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	r bigint;
	n bigint := 0;
BEGIN
	FOR r IN SELECT refund_id FROM order_ext.claim_refunds(1000, 'pay_out', '1 hour', ARRAY[' Card ']) WHERE order_id = t.id(name) LOOP
		PERFORM order_ext.refund_callback(r, 'succeeded', 'GW-' || r);
		n := n + 1;
	END LOOP;
	RETURN n;
END
$$;
-- The identity of the report, per pay type and currency.
CREATE FUNCTION t.report_adds_up() RETURNS SETOF text LANGUAGE sql
BEGIN ATOMIC
	SELECT format('%s %s: %s captured, %s by purpose, %s gone or kept', pay_type, currency, sum(captured),
		sum(applied + late + surplus + held + unmatched), sum(refunded + disputed + refund_open + kept))
	FROM order_ext.money_report GROUP BY pay_type, currency
	HAVING sum(captured) <> sum(applied + late + surplus + held + unmatched) OR sum(captured) <> sum(refunded + disputed + refund_open + kept);
END;

-- ---- arguments ----
CALL t.goodwill('args');
SELECT call, e.* FROM (VALUES
	($$NULL$$), ($$0$$), ($$999999999$$), ($$t.id('args'), 0$$), ($$t.id('args'), -5$$), ($$t.id('args'), lines => '{}'$$), ($$t.id('args'), lines => '[]'$$),
	($$t.id('args'), lines => '[{"sku": "GW-1", "quantity": 1, "amount": 3}]'$$), ($$t.id('args'), freight => NULL$$),
	($$t.id('args'), 5, '[{"sku": "GW-1", "quantity": 1}]'$$), ($$t.id('args'), 5, freight => true$$), ($$t.id('args'), 5, reason => ''$$), ($$t.id('args'), 5, reason => repeat('x', 1001)$$),
	($$t.id('args'), lines => '[{"sku": "GW-1", "quantity": 3}]'$$), ($$t.id('args'), lines => '[{"sku": "NO", "quantity": 1}]'$$), ($$t.id('args'), 2394$$),
	($$t.id('args'), 9223372036854775807$$)) AS v(call), LATERAL t.effect('order_ext.refund_order(' || call || ')') AS e;
SELECT code, regexp_replace(message, '\d{9,}', '#') AS message, detail, hint FROM t.error($$order_ext.refund_order(t.id('args'), 2394)$$);

-- ---- goodwill, lines, freight, all that is left ----
CALL t.goodwill('some');
SELECT id AS refund, status, version, disposition, detail - '{refund_id,payment_id,after_sale_id,order_id}'::text[] AS detail,
	detail->>'refund_id' = id::text AS the_refund
FROM order_ext.refund_order(t.id('some'), 100, reason => 'sorry', request_id => 'gw-some') \gset
SELECT :'status' AS status, :version AS version, :'disposition' AS disposition, :'detail' AS detail, :'the_refund' AS the_refund,
	EXISTS (SELECT FROM order_ext.refunds_view WHERE refund_id = :refund AND order_id = t.id('some') AND cause = 'after_sale') AS in_view;
SELECT t.show(order_ext.refund_order(t.id('some'), 100, reason => 'sorry', request_id => 'gw-some')), t.go($$order_ext.refund_order(t.id('some'), 101, request_id => 'gw-some')$$);
SELECT (order_ext.refund_order(t.id('some'), freight => true)).detail->'amount' AS freight;
SELECT (order_ext.refund_order(t.id('some'), lines => '[{"sku": "GW-2", "quantity": 1}]')).detail->'amount' AS line;
SELECT t.go($$order_ext.refund_order(t.id('some'), freight => true)$$) AS no_more_freight, t.go($$order_ext.refund_order(t.id('some'), lines => '[{"sku": "GW-2", "quantity": 1}]')$$) AS no_more_pieces;
SELECT order_ext.calculate_refund(t.id('some'), '[{"sku": "GW-1", "quantity": 1}]') AS one, order_ext.calculate_refund(t.id('some'), '[{"sku": "GW-1", "quantity": 2}]') AS rest, t.left_of('some');
SELECT t.went_back('some');
SELECT t.stock('GW-2') AS nothing_comes_back;
SELECT (order_ext.refund_order(t.id('some'))).detail->'amount' AS all_that_is_left;
SELECT t.go($$order_ext.refund_order(t.id('some'))$$), t.go($$order_ext.refund_order(t.id('some'), 1)$$), order_ext.calculate_refund(t.id('some'), '[{"sku": "GW-1", "quantity": 2}]');
SELECT t.pay_out('some');
SELECT t.went_back('some');
-- goods come back for nothing: it is settled at once
SELECT (order_ext.apply_after_sale(t.id('some'), 7001, 'refund_only', '[{"sku": "GW-1", "quantity": 2}]')).id AS after_sale \gset
SELECT t.show(order_ext.review_after_sale(:after_sale, true));
SELECT status, amount FROM order_ext.after_sales_view WHERE after_sale_id = :after_sale;

-- ---- from every status ----
CREATE TABLE t.gw_matrix (status text, outcome text, changed boolean);
DO $$
DECLARE
	s text;
BEGIN
	FOREACH s IN ARRAY ARRAY['created', 'paid', 'fulfilling', 'out_stock', 'delivering', 'signed', 'refused'] LOOP
		CALL t.goodwill('gw-' || s, s);
		INSERT INTO t.gw_matrix SELECT s, e.* FROM t.effect(format('order_ext.refund_order(%s, 7)', t.id('gw-' || s))) e;
	END LOOP;
END
$$;
CALL t.goodwill('gw-unpaid', 'created');
SELECT t.show(order_ext.cancel_order(t.id('gw-unpaid')));
CALL t.goodwill('gw-canceled', 'paid');
SELECT t.show(order_ext.cancel_order(t.id('gw-canceled')));
INSERT INTO t.gw_matrix SELECT 'canceled, not prepared yet', e.* FROM t.effect(format('order_ext.refund_order(%s, 7)', t.id('gw-canceled'))) e;
SELECT t.drain();
INSERT INTO t.gw_matrix SELECT 'canceled', e.* FROM t.effect(format('order_ext.refund_order(%s, 7)', t.id('gw-canceled'))) e;
INSERT INTO t.gw_matrix SELECT 'canceled unpaid', e.* FROM t.effect(format('order_ext.refund_order(%s, 7)', t.id('gw-unpaid'))) e;
SELECT * FROM t.gw_matrix;
SELECT name, code, hint FROM unnest(ARRAY['gw-created', 'gw-unpaid']) AS name, LATERAL t.error(format('order_ext.refund_order(t.id(%L), 7)', name));
SELECT t.went_back('gw-canceled');
-- virtual goods
CALL t.goodwill('virtual', 'signed', 'GW-V:2');
SELECT (order_ext.refund_order(t.id('virtual'), lines => '[{"sku": "GW-V", "quantity": 1}]')).detail->'amount' AS virtual, t.left_of('virtual');

-- ---- what comes later gets what is left: first the freight is cut, then from the last line up ----
CALL t.goodwill('cut');
SELECT (order_ext.refund_order(t.id('cut'), 400)).detail->'left' AS left;
SELECT order_ext.calculate_refund(t.id('cut'), '[{"sku": "GW-1", "quantity": 2}, {"sku": "GW-2", "quantity": 1}]');
-- an application that waits counts
SELECT (order_ext.apply_after_sale(t.id('cut'), 7001, 'refund_only', '[{"sku": "GW-1", "quantity": 1}]')).id AS waits \gset
SELECT order_ext.calculate_refund(t.id('cut'), '[{"sku": "GW-1", "quantity": 1}, {"sku": "GW-2", "quantity": 1}]');
-- and gets less if more has gone meanwhile
SELECT (order_ext.refund_order(t.id('cut'), 1500)).detail->'left' AS left;
SELECT t.show(order_ext.review_after_sale(:waits, true)), t.go($$order_ext.refund_order(t.id('cut'))$$);
SELECT t.went_back('cut');
-- a cancellation, a shortage and a refused parcel, too
CALL t.goodwill('cut cancel', 'paid');
SELECT (order_ext.refund_order(t.id('cut cancel'), 1000)).detail->'left', (order_ext.refund_order(t.id('cut cancel'), lines => '[{"sku": "GW-1", "quantity": 1}]')).detail->'left' AS left;
SELECT t.show(order_ext.cancel_order(t.id('cut cancel'), reason => 'changed my mind'));
SELECT t.drain();
SELECT t.went_back('cut cancel');
SELECT amount, payment_amount, payment_currency, reason FROM order_ext.claim_refunds(1000, 'reasons', '1 second', '{card}') WHERE order_id = t.id('cut cancel') ORDER BY refund_id;
CALL t.goodwill('cut short', 'out_stock');
SELECT (order_ext.refund_order(t.id('cut short'), 2000)).detail->'left' AS left;
SELECT (order_ext.report_shortage(t.id('cut short'), '[{"sku": "GW-1", "quantity": 1}]')).detail->'amount' AS short, t.left_of('cut short');
CALL t.goodwill('cut refused', 'delivering');
SELECT (order_ext.refund_order(t.id('cut refused'), 2200)).detail->'left' AS left;
SELECT t.show(order_ext.shipment_event(t.id('cut refused'), 'gw-refused', 'refused'));
SELECT amount, freight FROM order_ext.after_sales_view WHERE order_id = t.id('cut refused') AND origin = 'refused';
-- more is left than lines and freight are worth: a canceled order keeps nothing
CALL t.goodwill('more', 'paid');
SELECT t.pay_out('more'), (order_ext.refund_order(t.id('more'), lines => '[{"sku": "GW-1", "quantity": 2}, {"sku": "GW-2", "quantity": 1}]')).detail->'amount' AS lines;
SELECT refund_id AS r FROM order_ext.claim_refunds(1000, 'w', '1 hour') WHERE order_id = t.id('more') \gset
SELECT t.show(order_ext.settle_refund(:r, 2000, 'less a fee'));
SELECT t.show(order_ext.cancel_order(t.id('more')));
SELECT t.drain();
SELECT t.went_back('more'), t.left_of('more');

-- ---- the coupon comes back with the last piece ----
SELECT order_ext.issue_coupon(7001, 100) AS coupon \gset
CALL t.goodwill('coupon', 'signed', 'GW-1:1', :coupon);
SELECT t.coupon(:coupon), (order_ext.refund_order(t.id('coupon'), lines => '[{"sku": "GW-1", "quantity": 1}]')).detail->'amount' AS amount;
SELECT t.pay_out('coupon');
SELECT t.coupon(:coupon);

-- ---- a goodwill refund is staff's ----
CALL t.goodwill('staff');
SELECT (order_ext.refund_order(t.id('staff'), 50)).detail->>'after_sale_id' AS a \gset
SELECT t.go(format('order_ext.revoke_after_sale(%s, 7001)', :a)) AS revoke, t.show(order_ext.close_after_sale(:a, 'no')) AS close, t.left_of('staff');
SELECT t.go(format('order_ext.review_after_sale(%s, true)', :a)) AS review, t.go(format('order_ext.reopen_after_sale(%s)', :a)) AS reopen;

-- ---- withdraw_refund ----
CALL t.goodwill('back');
SELECT (order_ext.refund_order(t.id('back'), lines => '[{"sku": "GW-1", "quantity": 1}]')).id AS r \gset
SELECT t.remember('r-back', :r);
SELECT call, e.* FROM (VALUES ($$NULL, 'x'$$), ($$0, 'x'$$), ($$999999999, 'x'$$), ($$t.id('r-back'), NULL$$), ($$t.id('r-back'), ''$$),
	($$t.id('r-back'), 'a mistake', 'wd-1'$$), ($$t.id('r-back'), 'a mistake', 'wd-1'$$), ($$t.id('r-back'), 'another', 'wd-1'$$), ($$t.id('r-back'), 'a mistake'$$)) AS v(call),
	LATERAL t.effect('order_ext.withdraw_refund(' || call || ')') AS e;
SELECT t.went_back('back'), t.left_of('back');
SELECT reason FROM order_ext.refunds_view WHERE refund_id = :r;
-- revived
SELECT payment_id AS p FROM order_ext.payments_view WHERE order_id = t.id('back') \gset
SELECT t.show(order_ext.resolve_held_payment(:p, 'refund')), t.show(order_ext.resolve_held_payment(:p, 'refund'));
SELECT t.went_back('back'), t.left_of('back');
-- not if its pieces have gone back otherwise
SELECT t.show(order_ext.withdraw_refund(:r, 'again')), (order_ext.refund_order(t.id('back'), lines => '[{"sku": "GW-1", "quantity": 2}]')).detail->'amount' AS all_pieces;
SELECT t.show(order_ext.resolve_held_payment(:p, 'refund'));
SELECT t.went_back('back');
-- status by status: whether it can be withdrawn, settled
CREATE TABLE t.wd_matrix (status text, withdraw text, hint text, settle text);
DO $$
DECLARE
	s text;
	r bigint;
	hint text;
	code text;
	what text;
BEGIN
	FOREACH s IN ARRAY ARRAY['requested', 'held', 'submitted', 'failed', 'failed unclaimed', 'retried', 'succeeded', 'withdrawn'] LOOP
		FOREACH what IN ARRAY ARRAY['w', 's'] LOOP
			CALL t.goodwill('wd-' || what || s);
			r := (order_ext.refund_order(t.id('wd-' || what || s), 100)).id;
			IF s IN ('submitted', 'failed', 'retried', 'succeeded') THEN
				PERFORM order_ext.claim_refunds(1000, 'wd', '1 hour');
			END IF;
			IF s ~ 'failed|retried' THEN PERFORM order_ext.refund_callback(r, 'failed'); END IF;
			IF s = 'retried' THEN PERFORM order_ext.retry_refund(r); END IF;
			IF s = 'succeeded' THEN PERFORM order_ext.refund_callback(r, 'succeeded'); END IF;
			IF s = 'withdrawn' THEN PERFORM order_ext.withdraw_refund(r, 'x'); END IF;
			IF s = 'held' THEN
				PERFORM order_ext.withdraw_refund(r, 'x');
				CALL t.goodwill('wd-held' || what, 'paid');
				PERFORM order_ext.cancel_order(t.id('wd-held' || what), refund_policy => 'hold');
				COMMIT;
				PERFORM t.dispatch();
				r := (SELECT refund_id FROM order_ext.refunds_view WHERE order_id = t.id('wd-held' || what));
			END IF;
			IF what = 'w' THEN
				INSERT INTO t.wd_matrix SELECT s, t.go(format('order_ext.withdraw_refund(%s, ''why'')', r)), NULL, NULL;
				IF (SELECT withdraw = 'OE101' FROM t.wd_matrix WHERE status = s) THEN
					UPDATE t.wd_matrix m SET hint = (SELECT e.hint FROM t.error(format('order_ext.withdraw_refund(%s, ''why'')', r)) e) WHERE m.status = s;
				END IF;
			ELSE
				UPDATE t.wd_matrix m SET settle = t.go(format('order_ext.settle_refund(%s, 90, ''fee'')', r)) WHERE m.status = s;
			END IF;
		END LOOP;
	END LOOP;
END
$$;
SELECT * FROM t.wd_matrix;
SELECT t.went_back('wd-swithdrawn'), t.went_back('wd-sfailed'), t.left_of('wd-sfailed');

-- ---- settle_refund ----
CALL t.goodwill('fee');
SELECT (order_ext.refund_order(t.id('fee'), 1000)).id AS r \gset
SELECT t.remember('r-fee', :r);
SELECT count(*) FROM order_ext.claim_refunds(1000, 'fee', '1 hour') WHERE order_id = t.id('fee');
SELECT t.show(order_ext.refund_callback(:r, 'succeeded', 'FEE-1', 970)) AS another_amount;
SELECT t.verdict('fee');
SELECT call, e.* FROM (VALUES ($$NULL, 1, 'x'$$), ($$999999999, 1, 'x'$$), ($$t.id('r-fee'), NULL, 'x'$$), ($$t.id('r-fee'), 0, 'x'$$), ($$t.id('r-fee'), 970, NULL$$),
	($$t.id('r-fee'), 2394, 'x'$$), ($$t.id('r-fee'), 970, 'the gateway kept a fee'$$), ($$t.id('r-fee'), 970, 'again'$$), ($$t.id('r-fee'), 971, 'x'$$)) AS v(call),
	LATERAL t.effect('order_ext.settle_refund(' || call || ')') AS e;
SELECT t.went_back('fee'), t.left_of('fee'), t.verdict('fee');
-- more than asked for, if it is left
CALL t.goodwill('above');
SELECT (order_ext.refund_order(t.id('above'), 1000)).id AS r \gset
SELECT t.show(order_ext.settle_refund(:r, 1001, 'rounded up'));
SELECT t.went_back('above'), t.left_of('above');

SELECT t.report_adds_up();
SELECT invariant, severity, entity, expected, actual FROM order_ext.verify() WHERE severity = 'error';
