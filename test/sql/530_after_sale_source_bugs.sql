-- The bugs of the source around after-sales, each a case: what it did, and what happens here.
-- G44: one lock for one pot of money: see also the spec after_sale_pairs
SELECT t.after_sale_products('AW');
CALL t.to_status('g44', 'AW-1:2');
BEGIN;
SELECT t.apply('g44a', 'g44', 'AW-1:1');
SELECT count(*) AS refund_locks FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 203 AND pid = pg_backend_pid()
	AND (classid::bigint << 32 | objid::bigint) = t.id('g44');
SELECT t.show(order_ext.review_after_sale(t.id('g44a'), true));
SELECT count(*) AS refund_locks FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 203 AND pid = pg_backend_pid();
COMMIT;

-- G45: the coupon goes back by order: an order B that used it since keeps it
SELECT order_ext.issue_coupon(7600, 3) AS c \gset
CALL t.to_status('g45', 'AW-1:1', coupon_id => :c);
SELECT t.apply('g45a', 'g45', 'AW-1:1');
SELECT t.show(order_ext.review_after_sale(t.id('g45a'), true));
CALL t.settle();
SELECT t.coupon(:c);
CALL t.to_status('g45b', 'AW-1:1', coupon_id => :c);
-- the last success of A comes once more
SELECT (order_ext.refund_callback(refund_id, 'succeeded')).disposition FROM order_ext.refunds_view WHERE after_sale_id = t.id('g45a');
SELECT (order_ext.refund_callback(refund_id, 'failed')).disposition FROM order_ext.refunds_view WHERE after_sale_id = t.id('g45a');
SELECT (order_ext.refund_callback(refund_id, 'succeeded')).disposition FROM order_ext.refunds_view WHERE after_sale_id = t.id('g45a');
SELECT t.coupon(:c);

-- G46: an expired coupon is not restored blindly: see 510_after_sale_returns (ce, cx)
-- G67: no coupon, no coupon message with a null id
CALL t.to_status('g67', 'AW-1:1');
SELECT t.apply('g67a', 'g67', 'AW-1:1');
SELECT t.show(order_ext.review_after_sale(t.id('g67a'), true));
CALL t.settle();
SELECT t.after_sale('g67a'), t.messages('g67') ~ 'coupon' AS coupon_message;

-- G48: rejected, revoked and closed ones do not count as returned; freight and coupon go with
-- the last live piece, in whatever order
SELECT order_ext.issue_coupon(7600, 5) AS c \gset
CALL t.to_status('g48', 'AW-1:2,AW-2:1', coupon_id => :c, region => 'AS-R');
SELECT t.apply('g48a', 'g48', 'AW-1:1,AW-2:1');
SELECT t.apply('g48b', 'g48', 'AW-1:1');
SELECT t.show(order_ext.review_after_sale(t.id('g48a'), false));
SELECT t.show(order_ext.review_after_sale(t.id('g48b'), true));
CALL t.settle();
SELECT t.coupon(:c) AS still_held;
SELECT t.apply('g48c', 'g48', 'AW-2:1');
SELECT t.apply('g48d', 'g48', 'AW-1:1');
SELECT t.show(order_ext.revoke_after_sale(t.id('g48d'), 7600));
SELECT t.show(order_ext.reopen_after_sale(t.id('g48a'))) FROM (SELECT order_ext.revoke_after_sale(t.id('g48c'), 7600) OFFSET 0) AS first;
SELECT t.show(order_ext.review_after_sale(t.id('g48a'), true));
CALL t.settle();
SELECT t.after_sales_of('g48');
SELECT t.coupon(:c), (SELECT sum(amount) FROM order_ext.refunds_view WHERE order_id = t.id('g48') AND status = 'succeeded') = t.due('g48') AS to_the_cent;

-- G53: every line counts, not the first one only
CALL t.to_status('g53', 'AW-1:1,AW-2:1');
SELECT t.apply('g53a', 'g53', 'AW-1:1,AW-2:1', 'return_refund');
SELECT t.show(order_ext.review_after_sale(t.id('g53a'), true)), t.show(order_ext.return_receipt(t.id('g53a'), t.items('AW-1:1,AW-2:1'), true));
SELECT sku, kind, delta FROM order_ext.stock_ledger_view WHERE order_id = t.id('g53') AND kind = 'return' ORDER BY sku;

-- G54: only what the order took can come back, and once: closed after its receipt, applied again
SELECT available AS before FROM order_ext.stock_level('AW-1') \gset
CALL t.to_status('g54', 'AW-1:2');
SELECT t.apply('g54a', 'g54', 'AW-1:2', 'return_refund');
SELECT t.show(order_ext.review_after_sale(t.id('g54a'), true)), t.show(order_ext.return_receipt(t.id('g54a'), t.items('AW-1:2'), true)), t.show(order_ext.close_after_sale(t.id('g54a'), 'settled in the shop'));
SELECT t.apply('g54b', 'g54', 'AW-1:2', 'return_refund');
SELECT t.show(order_ext.review_after_sale(t.id('g54b'), true)), t.show(order_ext.return_receipt(t.id('g54b'), t.items('AW-1:2'), true));
SELECT available - :before AS gained FROM order_ext.stock_level('AW-1');
SELECT kind, delta FROM order_ext.stock_ledger_view WHERE order_id = t.id('g54') ORDER BY at;

-- G55: lines in any order lock stock in one order; no equality check on what is there: see also
-- the spec after_sale_pairs
CALL t.to_status('g55', 'AW-2:1,AW-1:1');
SELECT t.apply('g55a', 'g55', 'AW-2:1,AW-1:1', 'return_refund');
SELECT t.show(order_ext.review_after_sale(t.id('g55a'), true)), t.show(order_ext.return_receipt(t.id('g55a'), t.items('AW-2:1,AW-1:1'), true));

-- G56: no negative share, no overflow, a line that a coupon paid for in full gives nothing
SELECT order_ext.put_product('AS-X', 'dear', 9000000000000000000);
SELECT available FROM order_ext.adjust_stock('AS-X', 10);
CALL t.to_status('g56', 'AS-X:1');
SELECT order_ext.calculate_refund(t.id('g56'), t.items('AS-X:1'))->>'amount' AS amount;
SELECT order_ext.put_product('AS-Y', 'many', 3074457345618258);
SELECT available FROM order_ext.adjust_stock('AS-Y', 3000);
CALL t.to_status('g56y', 'AS-Y:2999');
SELECT order_ext.calculate_refund(t.id('g56y'), t.items('AS-Y:1'))->>'amount' AS one, order_ext.calculate_refund(t.id('g56y'), t.items('AS-Y:2998'))->>'amount' AS many, t.due('g56y') AS paid;
SELECT order_ext.issue_coupon(7600, 1000) AS c \gset
CALL t.to_status('g56c', 'AW-1:2', coupon_id => :c);
SELECT t.due('g56c') AS paid, order_ext.calculate_refund(t.id('g56c'), t.items('AW-1:1'))->>'amount' AS amount;
SELECT t.apply('g56ca', 'g56c', 'AW-1:2');
SELECT t.show(order_ext.review_after_sale(t.id('g56ca'), true));
SELECT t.coupon(:c);
SELECT count(*) AS refunds FROM order_ext.refunds_view WHERE order_id = t.id('g56c');

-- G57, G58: the freight is the server's, stored with the order, and goes back with it
CALL t.to_status('g58', 'AW-1:1,AW-2:1', region => 'AS-R');
SELECT order_ext.put_freight('AS-R', 50);
SELECT order_ext.calculate_refund(t.id('g58'), t.items('AW-1:1'))->'freight' AS first, order_ext.calculate_refund(t.id('g58'), t.items('AW-1:1,AW-2:1'))->'freight' AS whole;
SELECT order_ext.put_freight('AS-R', 5);

-- G59: no unit price loses cents: 7 pieces of 3 less 1, piece by piece
SELECT order_ext.put_product('AS-3', 'C', 3), order_ext.issue_coupon(7600, 1) AS c \gset
SELECT available FROM order_ext.adjust_stock('AS-3', 100);
CALL t.to_status('g59', 'AS-3:7', coupon_id => :c);
DO $$
BEGIN
	FOR i IN 1..7 LOOP
		PERFORM t.apply('g59-' || i, 'g59', 'AS-3:1');
	END LOOP;
END
$$;
SELECT string_agg(amount::text, ' ' ORDER BY after_sale_id) AS pieces, sum(amount) AS all, t.due('g59') AS paid FROM order_ext.after_sales_view WHERE order_id = t.id('g59');

-- G60: only what is signed; the approval brings no goods back
CALL t.to_status('g60', 'AW-1:1', 'delivering');
SELECT t.go($$order_ext.apply_after_sale(t.id('g60'), 7600, 'return_refund', t.items('AW-1:1'))$$);
SELECT t.show(order_ext.confirm_receipt(t.id('g60'), 7600));
SELECT t.apply('g60a', 'g60', 'AW-1:1', 'return_refund');
SELECT available AS before FROM order_ext.stock_level('AW-1') \gset
SELECT t.show(order_ext.review_after_sale(t.id('g60a'), true));
SELECT t.drain();
SELECT available - :before AS restocked FROM order_ext.stock_level('AW-1');

-- row 22: customer service gets its copy by subscribing
CREATE TABLE t.copies (topic text, after_sale_id bigint, status text);
CREATE FUNCTION t.copy(m order_ext.message) RETURNS void LANGUAGE sql AS $$
	INSERT INTO t.copies VALUES ((m).topic, ((m).payload->>'after_sale_id')::bigint, (m).payload->>'status')
$$;
SELECT t.subscribe('as-' || split_part(topic, '.', 2), topic, 't.copy(order_ext.message)') FROM unnest('{after_sale.applied,after_sale.reviewed,after_sale.revoked,after_sale.refunded}'::text[]) AS topic;
CALL t.to_status('row22', 'AW-1:3');
SELECT t.apply('row22a', 'row22', 'AW-1:1');
SELECT t.apply('row22b', 'row22', 'AW-1:1');
SELECT t.apply('row22c', 'row22', 'AW-1:1');
SELECT t.show(order_ext.review_after_sale(t.id('row22a'), true)), t.show(order_ext.review_after_sale(t.id('row22b'), false)), t.show(order_ext.revoke_after_sale(t.id('row22c'), 7600));
CALL t.settle();
SELECT i.name, c.topic, c.status FROM t.copies c JOIN t.ids i ON i.id = c.after_sale_id WHERE i.name LIKE 'row22_' ORDER BY i.name, c.topic COLLATE "C";
SELECT order_ext.unsubscribe('as-' || name) FROM unnest('{applied,reviewed,revoked,refunded}'::text[]) AS name;

CALL t.settle();
SELECT invariant, severity, entity, expected, actual FROM order_ext.verify() WHERE severity = 'error';
