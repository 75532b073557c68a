-- What came back decides: receipts of a part, mixed conditions, resolve_damaged, what never comes;
-- each receipt has a refund of its own, and all of them together are worth to the cent what one of
-- everything would be. Then the matrix of where such a return can be, times every call.
SELECT t.after_sale_products('PR');
SELECT order_ext.put_product('PR-7', 'sevenths', 100), order_ext.adjust_stock('PR-7', 1000);
CREATE FUNCTION t.receipt(name text, lines jsonb, restock boolean DEFAULT true, request_id text DEFAULT NULL) RETURNS text LANGUAGE sql VOLATILE
	RETURN (SELECT concat_ws(' ', t.show(r), r.detail->>'return_status', 'refund ' || (r.detail->>'refund_amount'), r.detail->>'reason') FROM order_ext.return_receipt(t.id($1), $2, $3, $4) AS r);
CREATE FUNCTION t.damage(sku text, n integer, n_ok integer DEFAULT 0) RETURNS jsonb LANGUAGE sql IMMUTABLE
	RETURN jsonb_build_array(jsonb_build_object('sku', sku, 'quantity', n, 'condition', 'damaged')) || CASE WHEN n_ok > 0 THEN jsonb_build_array(jsonb_build_object('sku', sku, 'quantity', n_ok)) ELSE '[]' END;
CREATE FUNCTION t.errors() RETURNS text LANGUAGE sql VOLATILE AS $$ SELECT coalesce(string_agg(concat_ws(' ', invariant, entity, expected, actual), '; '), 'none') FROM order_ext.verify('full') WHERE severity = 'error' $$;
-- An order and an approved return of some of it.
CREATE PROCEDURE t.returning(name text, items text, back text, region text DEFAULT NULL, coupon_id bigint DEFAULT NULL) LANGUAGE plpgsql AS $$
BEGIN
	CALL t.to_status(name || '-order', items, coupon_id => coupon_id, region => region);
	PERFORM t.apply(name, name || '-order', back, 'return_refund');
	PERFORM order_ext.review_after_sale(t.id(name), true);
	COMMIT;
END
$$;

-- ---- several receipts ----
-- 7 pieces for 105, freight included: the first k are worth floor(100 * k / 7) in all
SELECT order_ext.issue_coupon(7600, 600) AS c \gset
CALL t.returning('pr', 'PR-7:7', 'PR-7:5', 'AS-R', :c);
SELECT t.due('pr-order'), order_ext.calculate_refund(t.id('pr-order'), '[{"line": 1, "quantity": 2}]')->'amount' AS other_two;
SELECT t.receipt('pr', t.items('PR-7:1')), t.after_sale('pr'), t.stock('PR-7');
-- equal content without a key is the same receipt; with a key of its own it tells of another piece
SELECT t.receipt('pr', t.items('PR-7:1')), t.receipt('pr', t.items('#1:1')), t.receipt('pr', t.items('PR-7:1'), true, 'pr-2'), t.receipt('pr', t.items('PR-7:1'), true, 'pr-2'), t.receipt('pr', t.items('PR-7:1'));
SELECT t.receipt('pr', t.items('PR-7:2'), true, 'pr-2');
-- not restocked: another receipt than with restock
SELECT t.receipt('pr', t.items('PR-7:1'), false), t.stock('PR-7');
-- more than announced, then the rest; after that, nothing is awaited
SELECT t.receipt('pr', t.items('PR-7:3')), t.receipt('pr', t.items('PR-7:2')), t.receipt('pr', t.items('PR-7:1'), true, 'pr-3'), t.receipt('pr', t.items('PR-7:2'));
SELECT t.after_sale('pr'), t.errors();
CALL t.settle();
SELECT t.after_sale('pr');
SELECT kind, delta, consumed_delta FROM order_ext.stock_ledger_view WHERE order_id = t.id('pr-order') AND kind IN ('return', 'write_off') ORDER BY at;
SELECT kind, disposition, reason FROM order_ext.after_sale_events_view WHERE after_sale_id = t.id('pr') ORDER BY recorded_at, reason;
SELECT event, actor FROM order_ext.order_timeline(t.id('pr-order')) WHERE event ~ '^(after_sale|return)';
SELECT t.messages('pr-order');
-- the last two: the freight with the last piece, the coupon when its money is back
SELECT t.apply('pr-b', 'pr-order', 'PR-7:2', 'return_refund');
SELECT t.show(order_ext.review_after_sale(t.id('pr-b'), true)), t.receipt('pr-b', t.items('PR-7:1'), true, 'a');
CALL t.settle();
SELECT t.coupon(:c), t.receipt('pr-b', t.items('PR-7:1'), true, 'b');
CALL t.settle();
SELECT t.coupon(:c), (SELECT sum(amount) FROM order_ext.refunds_view WHERE order_id = t.id('pr-order') AND status = 'succeeded') = t.due('pr-order') AS to_the_cent;

-- ---- mixed conditions ----
CALL t.returning('mx', 'PR-7:4', 'PR-7:4', 'AS-R');
SELECT t.receipt('mx', t.damage('PR-7', 1, 2)), t.after_sale('mx');
SELECT severity, expected FROM order_ext.verify('I15') WHERE entity = 'after-sale ' || t.id('mx');
-- the last piece comes damaged, too, while money of the first ones goes back
CALL t.settle();
SELECT t.receipt('mx', t.damage('PR-7', 1)), t.after_sale('mx'), t.errors();
SELECT t.show(r), r.detail - 'after_sale_id' - 'order_id' - 'refund_id' AS detail FROM order_ext.resolve_damaged(after_sale_id => t.id('mx'), refund => true, request_id => 'mx-1') AS r;
SELECT t.show(order_ext.resolve_damaged(t.id('mx'), true, 'mx-1')), t.go($$order_ext.resolve_damaged(t.id('mx'), false, 'mx-1')$$), t.go($$order_ext.resolve_damaged(t.id('mx'), true)$$);
SELECT (t.error($$order_ext.resolve_damaged(t.id('mx'), true)$$)).code;
CALL t.settle();
SELECT t.after_sale('mx'), t.errors();
-- refused: they leave the after-sale and can be applied for again; the freight stays, too
CALL t.returning('rf', 'PR-7:4', 'PR-7:4', 'AS-R');
SELECT t.receipt('rf', t.damage('PR-7', 1, 2)), t.show(order_ext.resolve_damaged(t.id('rf'), false)), t.after_sale('rf');
SELECT t.receipt('rf', t.items('PR-7:1')), t.after_sale('rf');
CALL t.settle();
SELECT t.after_sale('rf'), order_ext.calculate_refund(t.id('rf-order'), t.items('PR-7:1')) - 'lines' AS free_again, t.errors();
SELECT sku, quantity, refunded, refused, missing FROM order_ext.after_sale_items_view WHERE after_sale_id = t.id('rf');
-- all of it refused: closed
CALL t.returning('ra', 'PR-7:2', 'PR-7:2');
SELECT t.receipt('ra', t.damage('PR-7', 2)), t.show(order_ext.resolve_damaged(t.id('ra'), false)), t.after_sale('ra'), t.errors();
SELECT order_ext.calculate_refund(t.id('ra-order'), t.items('PR-7:2'))->'amount' AS free_again, review_reason FROM order_ext.after_sales_view WHERE after_sale_id = t.id('ra');
-- what cannot be
SELECT call, e.* FROM (VALUES ('NULL', $$order_ext.resolve_damaged(NULL, true)$$), ('refund NULL', $$order_ext.resolve_damaged(t.id('ra'), NULL)$$),
	('unknown', $$order_ext.resolve_damaged(999999901, true)$$), ('closed', $$order_ext.resolve_damaged(t.id('ra'), true)$$)) AS v(call, expression), t.effect(expression) AS e;

-- ---- what never comes ----
SET order_ext.return_window = 0;
CALL t.returning('lp', 'PR-7:3', 'PR-7:3', 'AS-R');
RESET order_ext.return_window;
SELECT t.show(order_ext.return_shipment(t.id('lp'), 'SF', 'lp-1'));
-- the window is over, but the goods are on their way: they may take as long
SELECT t.drain();
SELECT t.after_sale('lp');
-- a part of them comes, late: the rest has as much time again
SET order_ext.return_window = '1h';
SELECT t.receipt('lp', t.items('PR-7:1'));
SELECT return_by - goods_received_at AS window FROM order_ext.after_sales_view WHERE after_sale_id = t.id('lp');
SELECT t.show(order_ext.return_shipment(t.id('lp'), 'SF', 'lp-2')), t.show(order_ext.return_shipment(t.id('lp'), 'sf', 'lp-2')), t.show(order_ext.return_shipment(t.id('lp'), 'SF', 'lp-1'));
SELECT carrier, tracking_no, return_status FROM order_ext.after_sales_view WHERE after_sale_id = t.id('lp');
CALL t.settle();
SELECT t.after_sale('lp');
-- the same, and its time is over at once
SET order_ext.return_window = 0;
CALL t.returning('lq', 'PR-7:3', 'PR-7:3', 'AS-R');
SELECT t.receipt('lq', t.items('PR-7:2'));
RESET order_ext.return_window;
CALL t.settle();
SELECT t.after_sale('lq'), t.errors();
SELECT quantity, refunded, missing FROM order_ext.after_sale_items_view WHERE after_sale_id = t.id('lq');
-- too late: for staff; it can be applied for again, with the freight
SELECT t.receipt('lq', t.items('PR-7:1'), true, 'lq-late'), order_ext.calculate_refund(t.id('lq-order'), t.items('PR-7:1')) - 'lines' AS free_again;
SELECT event, actor, detail - 'return_id' AS detail FROM order_ext.order_timeline(t.id('lq-order')) WHERE event ~ '^return';
-- damaged pieces wait on; a second delivery finds nothing left to do
SET order_ext.return_window = 0;
CALL t.returning('lr', 'PR-7:3', 'PR-7:3');
SELECT t.receipt('lr', t.damage('PR-7', 1));
RESET order_ext.return_window;
SELECT t.drain(), t.drain();
SELECT t.after_sale('lr'), t.go($$order_ext.return_shipment(t.id('lr'), 'SF', '1')$$) AS nothing_is_to_come, t.errors();
SELECT t.show(order_ext.resolve_damaged(t.id('lr'), false)), t.after_sale('lr'), t.errors();
-- a refused parcel comes back in part: its window begins with the receipt
CALL t.to_status('rp', 'PR-7:3', 'refused', region => 'AS-R');
SELECT t.remember('rp-back', after_sale_id) FROM order_ext.after_sales_view WHERE order_id = t.id('rp');
SET order_ext.return_window = 0;
SELECT t.receipt('rp-back', t.items('PR-7:2'));
RESET order_ext.return_window;
CALL t.settle();
SELECT t.after_sale('rp-back'), t.go($$order_ext.apply_after_sale(t.id('rp'), 7600, 'refund_only', t.items('PR-7:1'))$$), t.errors();

-- ---- other ways for the money ----
-- staff has given some of it away: the last pieces get what is left, the freight gives way first
CALL t.returning('us', 'PR-7:3', 'PR-7:3', 'AS-R');
SELECT t.show(order_ext.refund_order(t.id('us-order'), 150)), t.receipt('us', t.items('PR-7:1')), t.receipt('us', t.items('PR-7:2')), t.after_sale('us');
CALL t.settle();
SELECT t.after_sale('us'), (SELECT sum(amount) FROM order_ext.refunds_view WHERE order_id = t.id('us-order') AND status = 'succeeded') = t.due('us-order') AS all_of_it, t.errors();
-- one of its refunds is kept, then requested after all
CALL t.returning('kp', 'PR-7:3', 'PR-7:3');
SELECT t.receipt('kp', t.items('PR-7:1')), t.receipt('kp', t.items('PR-7:2'));
SELECT t.show(order_ext.withdraw_refund(refund_id, 'kept')) FROM order_ext.refunds_view WHERE after_sale_id = t.id('kp') AND amount = 200;
SELECT t.after_sale('kp'), t.errors();
CALL t.settle();
SELECT t.after_sale('kp'), t.errors();
SELECT t.go(format('order_ext.resolve_held_payment(%s, ''refund'')', payment_id)) FROM order_ext.refunds_view WHERE after_sale_id = t.id('kp') AND amount = 100;
SELECT t.after_sale('kp'), t.errors();
CALL t.settle();
SELECT t.after_sale('kp'), t.errors();
-- the only one so far, while others are to come; all of them: closed, and one asks for all again
CALL t.returning('kq', 'PR-7:3', 'PR-7:3', 'AS-R');
SELECT t.receipt('kq', t.items('PR-7:1'));
SELECT t.show(order_ext.withdraw_refund(refund_id, 'kept')) FROM order_ext.refunds_view WHERE after_sale_id = t.id('kq');
SELECT t.after_sale('kq'), t.receipt('kq', t.items('PR-7:2')), t.errors();
SELECT t.show(order_ext.withdraw_refund(refund_id, 'kept')) FROM order_ext.refunds_view WHERE after_sale_id = t.id('kq') AND status = 'requested';
SELECT t.after_sale('kq'), t.errors();
SELECT t.go(format('order_ext.resolve_held_payment(%s, ''refund'')', payment_id)) FROM order_ext.refunds_view WHERE after_sale_id = t.id('kq') LIMIT 1;
CALL t.settle();
SELECT t.after_sale('kq'), t.errors();
-- a refund of it made outside; one that fails, while others are to come, and is settled
CALL t.returning('ou', 'PR-7:3', 'PR-7:3');
SELECT t.receipt('ou', t.items('PR-7:1')), t.show(order_ext.record_refund(t.id('ou-order'), 'T-' || t.id('ou-order'), 'card', 'PR-out-1', 100)), t.after_sale('ou'), t.errors();
SELECT t.receipt('ou', t.items('PR-7:1'), true, 'ou-2');
SELECT count(*) FROM order_ext.claim_refunds(1000, 'test', '1 day') c WHERE c.order_id = t.id('ou-order');
SELECT t.show(order_ext.refund_callback(refund_id, 'failed')) FROM order_ext.refunds_view WHERE after_sale_id = t.id('ou') AND status = 'submitted';
SELECT t.after_sale('ou'), t.errors(), ARRAY(SELECT order_ext.allowed_actions(t.id('ou-order')) ORDER BY 1) AS actions;
SELECT t.receipt('ou', t.items('PR-7:1'), true, 'ou-3'), t.after_sale('ou'), t.errors();
CALL t.settle();
SELECT t.after_sale('ou'), t.errors();
-- closed after a failure: what was paid counts, the rest can be applied for again
SELECT t.show(order_ext.close_after_sale(t.id('ou'), 'no card')), t.after_sale('ou'), t.errors();
SELECT severity, expected, actual FROM order_ext.verify('full') WHERE entity = 'after-sale ' || t.id('ou');
SELECT order_ext.calculate_refund(t.id('ou-order'), t.items('PR-7:3'))->'amount' AS left_of_it, t.go($$order_ext.refund_order(t.id('ou-order'))$$);
-- a lost dispute takes the money of a receipt
CALL t.returning('di', 'PR-7:2', 'PR-7:2');
SELECT t.receipt('di', t.items('PR-7:1')), t.show(order_ext.payment_disputed(t.id('di-order'), 'T-' || t.id('di-order'), 'card', 'PR-d', 'lost', 150)), t.after_sale('di'), t.errors();
SELECT t.receipt('di', t.items('PR-7:1'), true, 'di-2'), t.after_sale('di'), t.errors();
CALL t.settle();
SELECT t.after_sale('di'), t.errors();

-- ---- the matrix ----
CREATE TABLE t.prm_states (n serial, state text, steps text[]);
INSERT INTO t.prm_states (state, steps) VALUES
	('partly', '{part}'), ('partly, refunding', '{part,claim}'), ('partly, refunded', '{part,settle}'), ('partly, failed', '{part,claim,fail}'),
	('partly, refund kept', '{part,keep}'), ('partly, closed', '{part,close}'),
	('damaged, more to come', '{damaged}'), ('damaged, all here', '{part,settle,damaged,damaged2}'),
	('paid for, more to come', '{damaged,resolve}'), ('refused, more to come', '{damaged,refuse}'), ('all here', '{part,part2,part3}'), ('all here, refunding', '{part,claim,part2,part3}'),
	('missing', '{part,lapse}'), ('damaged, missing', '{damaged,lapse}');
-- tried: in every state; the others only lead to one
CREATE TABLE t.prm_calls (n serial, call text, expression text, tried boolean DEFAULT true);
INSERT INTO t.prm_calls (call, expression) VALUES
	('accept', $$order_ext.review_after_sale(t.id('prm'), true)$$), ('revoke', $$order_ext.revoke_after_sale(t.id('prm'), 7600)$$), ('close', $$order_ext.close_after_sale(t.id('prm'), 'x')$$),
	('reopen', $$order_ext.reopen_after_sale(t.id('prm'))$$), ('ship', $$order_ext.return_shipment(t.id('prm'), 'SF', '1')$$),
	('part', $$order_ext.return_receipt(t.id('prm'), t.items('PR-1:1'), true)$$), ('part2', $$order_ext.return_receipt(t.id('prm'), t.items('PR-1:1'), true, 'prm-2-' || t.id('prm'))$$),
	('part3', $$order_ext.return_receipt(t.id('prm'), t.items('PR-1:1'), true, 'prm-3-' || t.id('prm'))$$),
	('too many', $$order_ext.return_receipt(t.id('prm'), t.items('PR-1:4'), true)$$), ('damaged', $$order_ext.return_receipt(t.id('prm'), t.damage('PR-1', 1), true)$$),
	('damaged2', $$order_ext.return_receipt(t.id('prm'), t.damage('PR-1', 1), true, 'prm-d-' || t.id('prm'))$$),
	('resolve', $$order_ext.resolve_damaged(t.id('prm'), true)$$), ('refuse', $$order_ext.resolve_damaged(t.id('prm'), false)$$),
	('retry', $$(SELECT (order_ext.retry_refund(max(refund_id))).disposition FROM order_ext.refunds_view WHERE after_sale_id = t.id('prm'))$$),
	('keep', $$(SELECT (order_ext.withdraw_refund(max(refund_id), 'x')).disposition FROM order_ext.refunds_view WHERE after_sale_id = t.id('prm'))$$),
	('apply', $$order_ext.apply_after_sale(t.id('prm-order'), 7600, 'refund_only', t.items('PR-1:1'))$$), ('refund', $$order_ext.refund_order(t.id('prm-order'), 1)$$),
	('actions', $$ARRAY(SELECT order_ext.allowed_actions(t.id('prm-order')) ORDER BY 1)$$);
UPDATE t.prm_calls SET tried = false WHERE call IN ('accept', 'reopen', 'part', 'part2', 'damaged2', 'retry', 'keep');
CREATE TABLE t.prm (state integer, call integer, outcome text, after text, changed boolean);
DO $$
DECLARE
	s t.prm_states;
	c t.prm_calls;
	step text;
	e record;
BEGIN
	FOR s IN SELECT * FROM t.prm_states ORDER BY n LOOP
		FOR c IN SELECT * FROM t.prm_calls WHERE tried ORDER BY n LOOP
			PERFORM set_config('order_ext.return_window', CASE WHEN 'lapse' = ANY (s.steps) THEN '0' ELSE '7d' END, false);
			CALL t.returning('prm', 'PR-1:3', 'PR-1:3');
			FOREACH step IN ARRAY s.steps LOOP
				CASE step
					WHEN 'settle' THEN CALL t.settle();
					WHEN 'claim' THEN PERFORM order_ext.claim_refunds(1000, 'test', '1 day');
					WHEN 'fail' THEN PERFORM order_ext.refund_callback(refund_id, 'failed') FROM order_ext.refunds_view WHERE after_sale_id = t.id('prm');
					WHEN 'lapse' THEN PERFORM t.drain();
					ELSE EXECUTE 'SELECT ' || (SELECT expression FROM t.prm_calls WHERE call = step);
				END CASE;
				COMMIT;
			END LOOP;
			e := t.effect(c.expression);
			INSERT INTO t.prm VALUES (s.n, c.n, e.outcome, t.after_sale('prm'), e.changed);
			COMMIT;
		END LOOP;
	END LOOP;
END
$$;
RESET order_ext.return_window;
SELECT s.state, c.call, m.outcome, regexp_replace(regexp_replace(m.after, '^\w+ (\w+) v(\d+) (\d+) all \w+ other', '\1 v\2 \3'), '\| PR-1:(\d+) \d+ \(0\)', '| \1') AS after, CASE WHEN m.changed THEN 'changed' ELSE '' END AS stored
FROM t.prm m JOIN t.prm_states s ON s.n = m.state JOIN t.prm_calls c ON c.n = m.call ORDER BY s.n, c.n;
-- the rules behind it: what raised, was replayed or had nothing to do changed nothing; facts never raise
SELECT s.state, c.call, m.outcome FROM t.prm m JOIN t.prm_states s ON s.n = m.state JOIN t.prm_calls c ON c.n = m.call
WHERE (m.changed <> (m.outcome ~ '^(applied|held)') AND c.call <> 'actions') OR (c.call ~ '^(ship|part|too|damaged)' AND m.outcome !~ '^(applied|replayed|held)');
-- what allowed_actions names passes, and nothing else does
SELECT s.state, c.call, m.outcome, a.outcome AS actions
FROM t.prm m JOIN t.prm_states s ON s.n = m.state JOIN t.prm_calls c ON c.n = m.call
JOIN t.prm a ON a.state = m.state AND a.call = (SELECT n FROM t.prm_calls WHERE call = 'actions')
JOIN (VALUES ('accept', 'review_after_sale'), ('revoke', 'revoke_after_sale'), ('close', 'close_after_sale'), ('reopen', 'reopen_after_sale'), ('part3', 'return_receipt'),
	('resolve', 'resolve_damaged'), ('refuse', 'resolve_damaged'), ('apply', 'apply_after_sale'), ('refund', 'refund_order')) AS v(call, name) ON v.call = c.call
WHERE (a.outcome ~ ('\m' || v.name || '\M')) <> (m.outcome ~ '^applied');
CALL t.settle();
SELECT t.errors();
