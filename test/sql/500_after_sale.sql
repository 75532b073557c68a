-- After-sales: calculate_refund, apply, review, revoke, close, reopen, report_shortage and
-- refused parcels; the formula, the windows, the messages, what allowed_actions says.
SELECT t.after_sale_products('AS');

-- ---- calculate_refund: the formula, to the cent ----
SELECT order_ext.issue_coupon(7600, 4) AS c1 \gset
CALL t.to_status('as', 'AS-1:3,AS-2:2', coupon_id => :c1, region => 'AS-R');
SELECT sku, quantity, pay, discount FROM order_ext.order_items_view WHERE order_id = t.id('as') ORDER BY sku;
SELECT order_ext.calculate_refund(t.id('as'), t.items('AS-1:1'));
SELECT order_ext.calculate_refund(order_id => t.id('as'), lines => t.items('AS-2:1,AS-1:2,AS-2:1'));
SELECT order_ext.calculate_refund(t.id('as'), t.items('AS-1:3,AS-2:2'));
SELECT t.go($$order_ext.calculate_refund(t.id('as'), t.items('AS-1:4'))$$), t.go($$order_ext.calculate_refund(t.id('as'), t.items('AS-0:1'))$$),
	t.go($$order_ext.calculate_refund(1, t.items('AS-1:4'))$$), t.go($$order_ext.calculate_refund(NULL, t.items('AS-1:4'))$$), t.go($$order_ext.calculate_refund(t.id('as'), NULL)$$),
	t.go($$order_ext.calculate_refund(t.id('as'), '[]')$$), t.go($$order_ext.calculate_refund(t.id('as'), '{}')$$), t.go($$order_ext.calculate_refund(t.id('as'), '[{"sku": "AS-1"}]')$$),
	t.go($$order_ext.calculate_refund(t.id('as'), t.items('AS-1:0'))$$), t.go($$order_ext.calculate_refund(t.id('as'), '[{"sku": "AS-1", "quantity": 1.5}]')$$),
	t.go($$order_ext.calculate_refund(t.id('as'), '[{"sku": "AS-1", "quantity": 3000000000}]')$$), t.go($$order_ext.calculate_refund(t.id('as'), '[{"sku": "AS-1", "quantity": 2000000000}, {"sku": "AS-1", "quantity": 2000000000}]')$$);
SELECT code, regexp_replace(message, '\d+', '#') AS message, detail, hint FROM t.error($$order_ext.calculate_refund(t.id('as'), t.items('AS-1:4,AS-2:3'))$$);
SELECT code, regexp_replace(message, '\d+', '#') AS message, detail, hint FROM t.error($$order_ext.calculate_refund(t.id('as'), t.items('AS-0:1'))$$);

-- ---- apply_after_sale ----
SELECT t.apply('a1', 'as', 'AS-1:1');
SELECT t.after_sale('a1');
SELECT t.show(r), (r).detail - 'after_sale_id' - 'order_id' AS detail, (r).detail->>'after_sale_id' = (r).id::text AS its_id, (r).detail->>'order_id' = t.id('as')::text AS the_order
FROM (SELECT order_ext.apply_after_sale(order_id => t.id('as'), user_id => 7600, type => 'return_refund', lines => t.items('AS-1:1,AS-2:1'), reason => 'too small', request_id => 'as-1') AS r OFFSET 0) AS s;
SELECT t.remember('a2', (order_ext.apply_after_sale(t.id('as'), 7600, 'return_refund', t.items('AS-1:1,AS-2:1'), 'too small', 'as-1')).id);
SELECT t.after_sale('a2'), (SELECT reason FROM order_ext.after_sales_view WHERE after_sale_id = t.id('a2'));
-- the same key again, and for something else
SELECT t.go($$order_ext.apply_after_sale(t.id('as'), 7600, 'return_refund', t.items('AS-1:1,AS-2:1'), 'too small', 'as-1')$$), t.go($$order_ext.apply_after_sale(t.id('as'), 7600, 'return_refund', t.items('AS-1:1'), 'too small', 'as-1')$$);
-- what refuses it, in this order, and stores nothing
SELECT call, e.* FROM (VALUES
	('NULL', $$order_ext.apply_after_sale(NULL, 7600, 'refund_only', t.items('AS-1:1'))$$),
	('type', $$order_ext.apply_after_sale(t.id('as'), 7600, 'exchange', t.items('AS-1:1'))$$),
	('type NULL', $$order_ext.apply_after_sale(t.id('as'), 7600, NULL, t.items('AS-1:1'))$$),
	('no lines', $$order_ext.apply_after_sale(t.id('as'), 7600, 'refund_only', '[]')$$),
	('reason', $$order_ext.apply_after_sale(t.id('as'), 7600, 'refund_only', t.items('AS-1:1'), repeat('x', 1001))$$),
	('reason empty', $$order_ext.apply_after_sale(t.id('as'), 7600, 'refund_only', t.items('AS-1:1'), '')$$),
	('unknown order', $$order_ext.apply_after_sale(1, 7600, 'refund_only', t.items('AS-1:1'))$$),
	('not the owner', $$order_ext.apply_after_sale(t.id('as'), 7601, 'refund_only', t.items('AS-1:9'))$$),
	('too many', $$order_ext.apply_after_sale(t.id('as'), 7600, 'refund_only', t.items('AS-1:2'))$$),
	('not ordered', $$order_ext.apply_after_sale(t.id('as'), 7600, 'refund_only', t.items('AS-0:1'))$$)) AS v(call, expression), t.effect(expression) AS e;
-- the rest brings the freight, and the last cent
SELECT t.apply('a3', 'as', 'AS-1:1,AS-2:1');
SELECT t.go($$order_ext.calculate_refund(t.id('as'), t.items('AS-1:1'))$$);
SELECT sum(amount) AS applied_for, t.due('as') AS paid FROM order_ext.after_sales_view WHERE order_id = t.id('as');
SELECT t.messages('as');
SELECT ARRAY(SELECT order_ext.allowed_actions(t.id('as')));

-- ---- review ----
SELECT t.show(order_ext.review_after_sale(t.id('a1'), true)), t.after_sale('a1');
SELECT t.show(order_ext.review_after_sale(after_sale_id => t.id('a2'), accept => false, reason => 'worn', request_id => 'as-2')), t.after_sale('a2');
SELECT t.show(order_ext.review_after_sale(t.id('a2'), false, 'worn', 'as-2')), t.go($$order_ext.review_after_sale(t.id('a2'), true, 'worn', 'as-2')$$), t.go($$order_ext.review_after_sale(t.id('a2'), true)$$);
SELECT code, regexp_replace(message, '\d+', '#') AS message, detail, hint FROM t.error($$order_ext.review_after_sale(t.id('a2'), true)$$);
SELECT t.go('order_ext.review_after_sale(1000000000, true)'), t.go('order_ext.review_after_sale(NULL, true)'), t.go($$order_ext.review_after_sale(t.id('a3'), NULL)$$), t.go('order_ext.review_after_sale(-1, true)');
SELECT status, review_reason, reviewed_at IS NOT NULL AS reviewed, settled_at IS NOT NULL AS settled FROM order_ext.after_sales_view WHERE order_id = t.id('as') ORDER BY after_sale_id;
CALL t.settle();
SELECT t.after_sale('a1');
-- what was rejected is free again; reopened, it is priced as things are now
SELECT t.apply('a4', 'as', 'AS-1:1');
SELECT t.go($$order_ext.reopen_after_sale(t.id('a2'))$$);
SELECT code, regexp_replace(message, '\d+', '#') AS message, detail, hint FROM t.error($$order_ext.reopen_after_sale(t.id('a2'))$$);
SELECT t.show(order_ext.revoke_after_sale(t.id('a4'), 7600)), t.show(order_ext.reopen_after_sale(after_sale_id => t.id('a2'), request_id => 'as-3')), t.after_sale('a2');
SELECT t.show(order_ext.reopen_after_sale(t.id('a2'), 'as-3')), t.show(order_ext.reopen_after_sale(t.id('a2')));
SELECT event, actor FROM order_ext.order_timeline(t.id('as')) WHERE event ~ '^(after_sale|return)' AND (detail->>'after_sale_id' = t.id('a2')::text OR detail->>'return_id' = t.id('a2')::text);
SELECT sum(amount) AS live, t.due('as') AS paid FROM order_ext.after_sales_view WHERE order_id = t.id('as') AND status NOT IN ('rejected', 'closed', 'revoked');

-- ---- revoke ----
SELECT call, e.* FROM (VALUES
	('not the owner', $$order_ext.revoke_after_sale(t.id('a3'), 7601)$$),
	('unknown', $$order_ext.revoke_after_sale(1000000000, 7600)$$),
	('refunded', $$order_ext.revoke_after_sale(t.id('a1'), 7600)$$),
	('again', $$order_ext.revoke_after_sale(t.id('a4'), 7600)$$),
	('NULL', $$order_ext.revoke_after_sale(t.id('a3'), NULL)$$)) AS v(call, expression), t.effect(expression) AS e;
SELECT t.show(order_ext.revoke_after_sale(after_sale_id => t.id('a3'), user_id => 7600, request_id => 'as-4')), t.show(order_ext.revoke_after_sale(t.id('a3'), 7600, 'as-4'));
-- approved, its refund not claimed: withdrawn
SELECT t.apply('a5', 'as', 'AS-2:1');
SELECT t.show(order_ext.review_after_sale(t.id('a5'), true)), t.after_sale('a5');
SELECT t.show(order_ext.revoke_after_sale(t.id('a5'), 7600)), t.after_sale('a5');
CALL t.settle();
SELECT t.after_sale('a5');
-- claimed: it stays
SELECT t.apply('a6', 'as', 'AS-2:1');
SELECT t.show(order_ext.review_after_sale(t.id('a6'), true));
SELECT count(*) FROM order_ext.claim_refunds(1000, 'test', '1 day') c JOIN order_ext.refunds_view r USING (refund_id) WHERE r.after_sale_id = t.id('a6');
SELECT t.after_sale('a6'), t.go($$order_ext.revoke_after_sale(t.id('a6'), 7600)$$), t.go($$order_ext.close_after_sale(t.id('a6'), 'x')$$);
SELECT (order_ext.refund_callback((SELECT refund_id FROM order_ext.refunds_view WHERE after_sale_id = t.id('a6')), 'failed')).disposition, t.after_sale('a6');
SELECT t.go($$order_ext.revoke_after_sale(t.id('a6'), 7600)$$);

-- ---- close ----
SELECT t.show(order_ext.close_after_sale(after_sale_id => t.id('a6'), reason => 'paid in cash', request_id => 'as-5')), t.after_sale('a6'), t.show(order_ext.close_after_sale(t.id('a6'), 'paid in cash', 'as-5')), t.show(order_ext.close_after_sale(t.id('a6'), 'again'));
SELECT t.go($$order_ext.close_after_sale(t.id('a1'), 'x')$$), t.go($$order_ext.close_after_sale(t.id('a1'), NULL)$$), t.go($$order_ext.close_after_sale(t.id('a1'), '')$$), t.go($$order_ext.close_after_sale(1000000000, 'x')$$),
	t.go($$order_ext.reopen_after_sale(t.id('a6'))$$), t.go($$order_ext.reopen_after_sale(1000000000)$$), t.go('order_ext.reopen_after_sale(NULL)');
SELECT (order_ext.retry_refund((SELECT refund_id FROM order_ext.refunds_view WHERE after_sale_id = t.id('a6')))).disposition;
SELECT invariant, severity, expected FROM order_ext.verify() WHERE severity = 'error';
-- the money comes all the same: the pieces were paid for, so applying again gives nothing for them
SELECT (order_ext.refund_callback((SELECT refund_id FROM order_ext.refunds_view WHERE after_sale_id = t.id('a6')), 'succeeded')).disposition, t.after_sale('a6');
SELECT order_ext.calculate_refund(t.id('as'), t.items('AS-2:1')), order_ext.calculate_refund(t.id('as'), t.items('AS-1:1,AS-2:1'))->>'amount' AS all_that_is_left;
SELECT sum(amount) AS paid_back FROM order_ext.refunds_view WHERE order_id = t.id('as') AND status = 'succeeded';

-- ---- nothing to pay: settled at once ----
CALL t.to_status('as_free', 'AS-0:2');
SELECT t.apply('f1', 'as_free', 'AS-0:1');
SELECT t.show(order_ext.review_after_sale(t.id('f1'), true)), t.after_sale('f1'), t.messages('as_free');
-- shares of a cent: the first pieces may be worth nothing
SELECT order_ext.issue_coupon(7600, 29) AS c2 \gset
CALL t.to_status('as_cent', 'AS-1:3', coupon_id => :c2);
SELECT t.due('as_cent'), order_ext.calculate_refund(t.id('as_cent'), t.items('AS-1:2'))->>'amount' AS two, order_ext.calculate_refund(t.id('as_cent'), t.items('AS-1:3'))->>'amount' AS three;

-- ---- which orders: signed or refused, not virtual, in time ----
CALL t.to_status('as_created', 'AS-1:1', 'created');
CALL t.to_status('as_out', 'AS-1:2,AS-2:1', 'out_stock', region => 'AS-R');
CALL t.to_status('as_del', 'AS-1:1', 'delivering');
CALL t.to_status('as_virtual', 'AS-V:1', 'fulfilling');
SELECT n, t.go(format('order_ext.apply_after_sale(t.id(%L), 7600, ''refund_only'', t.items(%L))', n, i)) FROM (VALUES ('as_created', 'AS-1:1'), ('as_out', 'AS-1:1'), ('as_del', 'AS-1:1'), ('as_virtual', 'AS-V:1')) AS v(n, i);
SET order_ext.after_sale_window = 0;
SELECT code, regexp_replace(message, '\d+', '#') AS message, detail, hint FROM t.error($$order_ext.apply_after_sale(t.id('as'), 7600, 'refund_only', t.items('AS-1:1'))$$);
SELECT ARRAY(SELECT order_ext.allowed_actions(t.id('as_cent')));
RESET order_ext.after_sale_window;
SELECT ARRAY(SELECT order_ext.allowed_actions(t.id('as_cent')));

-- ---- report_shortage: at out_stock, as often as there are pieces ----
SELECT t.stock('AS-1');
SELECT r.id = t.id('as_out') AS the_order, t.show(r), r.detail - 'after_sale_id' - 'order_id' AS detail
FROM order_ext.report_shortage(order_id => t.id('as_out'), lines => t.items('AS-1:1'), request_id => 'as-6') AS r;
SELECT t.go($$order_ext.report_shortage(t.id('as_out'), t.items('AS-1:1'), 'as-6')$$), t.go($$order_ext.report_shortage(t.id('as_out'), t.items('AS-2:1'), 'as-6')$$), t.go($$order_ext.report_shortage(t.id('as_out'), t.items('AS-1:2'))$$),
	t.go($$order_ext.report_shortage(t.id('as_del'), t.items('AS-1:1'))$$), t.go($$order_ext.report_shortage(1, t.items('AS-1:1'))$$), t.go($$order_ext.report_shortage(t.id('as_out'), NULL)$$);
SELECT t.stock('AS-1');
SELECT ARRAY(SELECT order_ext.allowed_actions(t.id('as_out')));
-- nobody takes that back: the pieces are not there
SELECT t.remember('s1', (SELECT max(after_sale_id) FROM order_ext.after_sales_view WHERE order_id = t.id('as_out')));
SELECT t.go($$order_ext.revoke_after_sale(t.id('s1'), 7600)$$), t.go($$order_ext.close_after_sale(t.id('s1'), 'x')$$);
CALL t.settle();
SELECT t.show(order_ext.report_shortage(t.id('as_out'), t.items('AS-1:1,AS-2:1')));
CALL t.settle();
SELECT t.after_sales_of('as_out');
SELECT sum(amount) = t.due('as_out') AS to_the_cent FROM order_ext.refunds_view WHERE order_id = t.id('as_out') AND status = 'succeeded';
SELECT sku, kind, delta, consumed_delta FROM order_ext.stock_ledger_view WHERE order_id = t.id('as_out') ORDER BY sku, at, kind COLLATE "C";

-- ---- a refused parcel opens its after-sale itself ----
CALL t.to_status('as_ref', 'AS-1:2', 'refused', region => 'AS-R');
SELECT t.after_sales_of('as_ref');
SELECT t.remember('r1', (SELECT after_sale_id FROM order_ext.after_sales_view WHERE order_id = t.id('as_ref')));
SELECT t.go($$order_ext.apply_after_sale(t.id('as_ref'), 7600, 'refund_only', t.items('AS-1:1'))$$), t.go($$order_ext.revoke_after_sale(t.id('r1'), 7600)$$);
SELECT ARRAY(SELECT order_ext.allowed_actions(t.id('as_ref')));
SELECT t.show(order_ext.return_receipt(t.id('r1'), t.items('AS-1:2'), true));
CALL t.settle();
SELECT t.after_sales_of('as_ref');
-- pieces that were short do not come back with it
CALL t.to_status('as_ref2', 'AS-1:2', 'out_stock', region => 'AS-R');
SELECT t.show(order_ext.report_shortage(t.id('as_ref2'), t.items('AS-1:1')));
SELECT t.show(order_ext.shipment_event(t.id('as_ref2'), 'no', 'refused'));
SELECT t.after_sales_of('as_ref2');
-- a canceled order has its own, which stays
CALL t.to_status('as_can', 'AS-1:2', 'fulfilling');
SELECT (order_ext.cancel_order(t.id('as_can'), refund_policy => 'hold')).disposition;
SELECT t.drain();
SELECT t.remember('x1', (SELECT after_sale_id FROM order_ext.after_sales_view WHERE order_id = t.id('as_can')));
SELECT t.after_sale('x1'), t.go($$order_ext.revoke_after_sale(t.id('x1'), 7600)$$), t.go($$order_ext.close_after_sale(t.id('x1'), 'x')$$), t.go($$order_ext.calculate_refund(t.id('as_can'), t.items('AS-1:1'))$$),
	t.go($$order_ext.apply_after_sale(t.id('as_can'), 7600, 'refund_only', t.items('AS-1:1'))$$);

-- ---- get_order shows them with their lines ----
SELECT a->>'status' AS status, a->>'return_status' AS return_status, a->>'amount' AS amount, jsonb_typeof(a->'after_sale_id') AS id, a->'items' AS items
FROM jsonb_array_elements(order_ext.get_order(t.id('as_ref'))->'after_sales') AS a;

SELECT invariant, severity, expected FROM order_ext.verify() WHERE severity = 'error';
