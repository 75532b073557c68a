-- Returns: return_shipment and return_receipt, which are never refused; stock comes back by
-- inspection and flag, a coupon with the last piece; and the matrix of after-sale and return
-- statuses times every call.
SELECT t.after_sale_products('AT');
-- what came of the facts about a return
CREATE FUNCTION t.facts(name text) RETURNS SETOF text LANGUAGE sql VOLATILE
BEGIN ATOMIC
	SELECT concat_ws(' ', kind, disposition, reason) FROM order_ext.after_sale_events_view WHERE after_sale_id = t.id($1) ORDER BY recorded_at, kind, disposition, reason;
END;
CREATE FUNCTION t.alerts(name text) RETURNS text LANGUAGE sql VOLATILE
	RETURN (SELECT string_agg(coalesce(m.payload->>'reason', m.payload->>'kind'), ', ' ORDER BY message_id) FROM order_ext_internal.message_log m JOIN order_ext_internal.topics USING (topic_id)
			WHERE topics.name = 'ops.alert' AND m.payload->>'after_sale_id' = t.id($1)::text);

-- ---- there and back ----
CALL t.to_status('rt', 'AT-1:3,AT-2:2');
SELECT t.apply('rt1', 'rt', 'AT-1:2,AT-2:1', 'return_refund');
SELECT t.show(order_ext.review_after_sale(t.id('rt1'), true)), t.after_sale('rt1');
SELECT return_by - reviewed_at AS window FROM order_ext.after_sales_view WHERE after_sale_id = t.id('rt1');
SELECT t.show(r), r.detail - 'after_sale_id' - 'order_id' AS detail FROM order_ext.return_shipment(after_sale_id => t.id('rt1'), carrier => 'SF', tracking_no => '123', request_id => 'rt-1') AS r;
-- reported again: with its key, without, as another parcel, the key for another parcel
SELECT t.show(order_ext.return_shipment(t.id('rt1'), 'SF', '123', 'rt-1')), t.show(order_ext.return_shipment(t.id('rt1'), 'SF', '123')),
	t.show(order_ext.return_shipment(t.id('rt1'), 'SF', '124')), t.show(order_ext.return_shipment(t.id('rt1'), 'SF', '125', 'rt-1')), t.show(order_ext.return_shipment(t.id('rt1'), 'SF', '124'));
SELECT t.facts('rt1'), t.alerts('rt1');
SELECT carrier, tracking_no, goods_sent_at IS NOT NULL AS sent FROM order_ext.after_sales_view WHERE after_sale_id = t.id('rt1');
-- the goods are on their way: nobody revokes that, staff may close it
SELECT t.go($$order_ext.revoke_after_sale(t.id('rt1'), 7600)$$);
-- more pieces than applied for: held, nothing changes
SELECT t.stock('AT-1'), t.stock('AT-2');
SELECT lines, t.show(order_ext.return_receipt(t.id('rt1'), t.items(lines), true)) FROM unnest('{AT-1:3,"AT-1:2,AT-2:2","AT-1:3,AT-2:1","AT-1:2,AT-2:1,AT-0:1","AT-1:2,AT-0:1"}'::text[]) AS lines;
SELECT t.after_sale('rt1'), t.stock('AT-1'), t.alerts('rt1');
-- the receipt, its lines in any order and summed
SELECT t.show(r), r.detail - 'after_sale_id' - 'order_id' - 'refund_id' AS detail
FROM order_ext.return_receipt(after_sale_id => t.id('rt1'), lines => '[{"sku": "AT-2", "quantity": 1, "condition": "ok"}, {"sku": "AT-1", "quantity": 1}, {"sku": "AT-1", "quantity": 1}]', restock => true, request_id => 'rt-2') AS r;
SELECT t.after_sale('rt1'), t.stock('AT-1'), t.stock('AT-2');
SELECT t.show(order_ext.return_receipt(t.id('rt1'), t.items('AT-1:2,AT-2:1'), true)), t.show(order_ext.return_receipt(t.id('rt1'), t.items('AT-1:2,AT-2:1'), false)), t.show(order_ext.return_receipt(t.id('rt1'), t.items('AT-1:2'), true, 'rt-2'));
SELECT t.stock('AT-1'), t.stock('AT-2');
CALL t.settle();
SELECT t.after_sale('rt1');
SELECT event, actor FROM order_ext.order_timeline(t.id('rt')) WHERE event ~ '^(after_sale|return|refund)';
-- without the flag the pieces are written off; no notice of the shipment is needed
SELECT t.apply('rt2', 'rt', 'AT-2:1', 'return_refund');
SELECT t.show(order_ext.review_after_sale(t.id('rt2'), true)), t.show(order_ext.return_receipt(t.id('rt2'), t.items('AT-2:1'), false)), t.after_sale('rt2'), t.stock('AT-2');
SELECT kind, delta, consumed_delta FROM order_ext.stock_ledger_view WHERE order_id = t.id('rt') AND sku = 'AT-2' ORDER BY at;
-- a damaged piece waits for staff, the money and the stock stay
SELECT t.apply('rt3', 'rt', 'AT-1:1', 'return_refund');
SELECT t.show(order_ext.review_after_sale(t.id('rt3'), true)), t.show(order_ext.return_receipt(t.id('rt3'), '[{"sku": "AT-1", "quantity": 1, "condition": "damaged"}]', true)), t.after_sale('rt3'), t.stock('AT-1'), t.alerts('rt3');
SELECT severity, expected FROM order_ext.verify('I15') WHERE entity = 'after-sale ' || t.id('rt3');
SELECT t.show(order_ext.close_after_sale(t.id('rt3'), 'sent back to the buyer')), t.after_sale('rt3');
SELECT order_ext.calculate_refund(t.id('rt'), t.items('AT-1:1'))->>'amount' AS free_again;

-- ---- what cannot be: arguments, unknown, of the wrong kind ----
SELECT call, e.* FROM (VALUES
	('shipment NULL', $$order_ext.return_shipment(NULL, 'SF', '1')$$), ('carrier NULL', $$order_ext.return_shipment(t.id('rt1'), NULL, '1')$$),
	('tracking empty', $$order_ext.return_shipment(t.id('rt1'), 'SF', '')$$), ('tracking long', $$order_ext.return_shipment(t.id('rt1'), 'SF', repeat('1', 129))$$),
	('receipt NULL', $$order_ext.return_receipt(t.id('rt1'), NULL, true)$$), ('restock NULL', $$order_ext.return_receipt(t.id('rt1'), t.items('AT-1:2'), NULL)$$),
	('no lines', $$order_ext.return_receipt(t.id('rt1'), '[]', true)$$), ('condition', $$order_ext.return_receipt(t.id('rt1'), '[{"sku": "AT-1", "quantity": 2, "condition": "so-so"}]', true)$$),
	('condition no text', $$order_ext.return_receipt(t.id('rt1'), '[{"sku": "AT-1", "quantity": 2, "condition": 1}]', true)$$)) AS v(call, expression), t.effect(expression) AS e;
SELECT t.show(order_ext.return_shipment(999999901, 'SF', '1')), t.show(order_ext.return_receipt(999999901, t.items('AT-1:2'), true)), t.show(order_ext.return_shipment(999999901, 'SF', '1'));
SELECT r.id IS NULL AS no_id, r.detail FROM order_ext.return_shipment(999999901, 'SF', '1') AS r;
SELECT kind, disposition, reason FROM order_ext.after_sale_events_view WHERE after_sale_id = 999999901 ORDER BY kind;
SELECT count(*) AS alerts FROM order_ext_internal.message_log m JOIN order_ext_internal.topics USING (topic_id) WHERE topics.name = 'ops.alert' AND m.payload->>'after_sale_id' = '999999901';

-- ---- the coupon comes back with the last piece of the whole order, when its money is back ----
CREATE PROCEDURE t.all_back(name text) LANGUAGE plpgsql AS $$
DECLARE
	c bigint := order_ext.issue_coupon(7600, 4, 0, now() - interval '1 day', now() + interval '1 hour');
BEGIN
	PERFORM t.remember(name || '-coupon', c);
	CALL t.to_status(name, 'AT-1:2,AT-2:1', coupon_id => c, region => 'AS-R');
	PERFORM t.apply(name || '1', name, 'AT-1:1');
	PERFORM order_ext.review_after_sale(t.id(name || '1'), true);
	PERFORM t.apply(name || '2', name, 'AT-1:1,AT-2:1', 'return_refund');
	PERFORM order_ext.review_after_sale(t.id(name || '2'), true);
	CALL t.settle();
END
$$;
CALL t.all_back('cb');
SELECT t.coupon(t.id('cb-coupon'));
SELECT t.show(order_ext.return_receipt(t.id('cb2'), t.items('AT-1:1,AT-2:1'), true)), t.coupon(t.id('cb-coupon'));
CALL t.settle();
SELECT t.after_sales_of('cb');
SELECT t.coupon(t.id('cb-coupon')), (SELECT sum(amount) FROM order_ext.refunds_view WHERE order_id = t.id('cb') AND status = 'succeeded') = t.due('cb') AS to_the_cent;
-- it may be used again; a reversal of the refund does not take it back
CALL t.to_status('cb-next', 'AT-1:2', coupon_id => t.id('cb-coupon'));
SELECT (order_ext.refund_callback(refund_id, 'failed')).disposition FROM order_ext.refunds_view WHERE after_sale_id = t.id('cb2');
SELECT t.coupon(t.id('cb-coupon')), t.after_sale('cb2');
SELECT (order_ext.refund_callback(refund_id, 'succeeded')).disposition FROM order_ext.refunds_view WHERE after_sale_id = t.id('cb2');
SELECT t.coupon(t.id('cb-coupon'));
-- past its window: expired, or extended where the shop wants that
CALL t.all_back('ce');
CALL t.all_back('cx');
SELECT t.end_coupon(t.id('ce-coupon')), t.end_coupon(t.id('cx-coupon'));
SELECT t.show(order_ext.return_receipt(t.id('ce2'), t.items('AT-1:1,AT-2:1'), true));
CALL t.settle();
SELECT t.show(order_ext.return_receipt(t.id('cx2'), t.items('AT-1:1,AT-2:1'), true));
SET order_ext.coupon_return = 'extend';
SET order_ext.coupon_extension = '3d';
CALL t.settle();
RESET order_ext.coupon_return;
RESET order_ext.coupon_extension;
SELECT t.coupon(t.id('ce-coupon')), t.coupon(t.id('cx-coupon')), (SELECT valid_until > clock_timestamp() + interval '71 hours' FROM order_ext.coupons_view WHERE coupon_id = t.id('cx-coupon')) AS extended;

-- ---- the matrix: where an after-sale and its return can be, times every call ----
CREATE TABLE t.asm_states (n serial, state text, steps text[]);
INSERT INTO t.asm_states (state, steps) VALUES
	('money: applied', '{money}'), ('money: approved', '{money,accept}'), ('money: rejected', '{money,reject}'), ('money: reopened', '{money,reject,reopen}'),
	('money: refunding', '{money,accept,pending}'), ('money: refunded', '{money,accept,settle}'), ('money: failed', '{money,accept,fail}'),
	('money: closed', '{money,close}'), ('money: closed after failure', '{money,accept,fail,close}'), ('money: revoked', '{money,revoke}'), ('money: revoked, refund withdrawn', '{money,accept,revoke}'),
	('goods: applied', '{goods}'), ('goods: rejected', '{goods,reject}'), ('goods: to send', '{goods,accept}'), ('goods: in transit', '{goods,accept,ship}'),
	('goods: inspected', '{goods,accept,ship,receive}'), ('goods: damaged', '{goods,accept,ship,damaged}'), ('goods: refunded', '{goods,accept,receive,settle}'),
	('goods: closed', '{goods,accept,close}'), ('goods: closed in transit', '{goods,accept,ship,close}'), ('goods: revoked', '{goods,accept,revoke}');
CREATE TABLE t.asm_calls (n serial, call text, expression text);
INSERT INTO t.asm_calls (call, expression) VALUES
	('accept', $$order_ext.review_after_sale(t.id('asm'), true)$$), ('reject', $$order_ext.review_after_sale(t.id('asm'), false)$$),
	('revoke', $$order_ext.revoke_after_sale(t.id('asm'), 7600)$$), ('close', $$order_ext.close_after_sale(t.id('asm'), 'x')$$), ('reopen', $$order_ext.reopen_after_sale(t.id('asm'))$$),
	('ship', $$order_ext.return_shipment(t.id('asm'), 'SF', '1')$$), ('receive', $$order_ext.return_receipt(t.id('asm'), t.items('AT-1:1'), true)$$),
	('damaged', $$order_ext.return_receipt(t.id('asm'), '[{"sku": "AT-1", "quantity": 1, "condition": "damaged"}]', true)$$),
	('resolve', $$order_ext.resolve_damaged(t.id('asm'), true)$$),
	('apply', $$order_ext.apply_after_sale(t.id('asm-order'), 7600, 'refund_only', t.items('AT-1:1'))$$),
	('actions', $$ARRAY(SELECT order_ext.allowed_actions(t.id('asm-order')) ORDER BY 1)$$);
CREATE TABLE t.asm (state integer, call integer, outcome text, after text, changed boolean);
DO $$
DECLARE
	s t.asm_states;
	c t.asm_calls;
	step text;
	e record;
BEGIN
	FOR s IN SELECT * FROM t.asm_states ORDER BY n LOOP
		FOR c IN SELECT * FROM t.asm_calls ORDER BY n LOOP
			CALL t.to_status('asm-order', 'AT-1:1');
			FOREACH step IN ARRAY s.steps LOOP
				CASE step
					WHEN 'money' THEN PERFORM t.apply('asm', 'asm-order', 'AT-1:1');
					WHEN 'goods' THEN PERFORM t.apply('asm', 'asm-order', 'AT-1:1', 'return_refund');
					WHEN 'settle' THEN CALL t.settle();
					WHEN 'pending' THEN PERFORM order_ext.claim_refunds(1000, 'test', '1 day');
					WHEN 'fail' THEN PERFORM order_ext.refund_callback(refund_id, 'failed') FROM order_ext.refunds_view WHERE after_sale_id = t.id('asm');
					ELSE EXECUTE 'SELECT ' || (SELECT expression FROM t.asm_calls WHERE call = step);
				END CASE;
				COMMIT;
			END LOOP;
			e := t.effect(c.expression);
			INSERT INTO t.asm VALUES (s.n, c.n, e.outcome, split_part(t.after_sale('asm'), ' | ', 1), e.changed);
			COMMIT;
		END LOOP;
	END LOOP;
END
$$;
SELECT s.state, c.call, m.outcome, regexp_replace(m.after, '^\w+ (\w+) v(\d+) 10 all \w+ other', '\1 v\2') AS after, CASE WHEN m.changed THEN 'changed' ELSE '' END AS stored
FROM t.asm m JOIN t.asm_states s ON s.n = m.state JOIN t.asm_calls c ON c.n = m.call ORDER BY s.n, c.n;
-- the rules behind it: what raised, was replayed or had nothing to do changed nothing
SELECT s.state, c.call, m.outcome FROM t.asm m JOIN t.asm_states s ON s.n = m.state JOIN t.asm_calls c ON c.n = m.call
WHERE m.changed <> (m.outcome ~ '^(applied|held)') AND c.call <> 'actions';
-- facts never raise
SELECT s.state, c.call, m.outcome FROM t.asm m JOIN t.asm_states s ON s.n = m.state JOIN t.asm_calls c ON c.n = m.call
WHERE c.call IN ('ship', 'receive', 'damaged') AND m.outcome !~ '^(applied|replayed|held)';
-- what allowed_actions names passes, and nothing else does
SELECT s.state, c.call, m.outcome, a.outcome AS actions
FROM t.asm m JOIN t.asm_states s ON s.n = m.state JOIN t.asm_calls c ON c.n = m.call
JOIN t.asm a ON a.state = m.state AND a.call = (SELECT n FROM t.asm_calls WHERE call = 'actions')
JOIN (VALUES ('accept', 'review_after_sale'), ('reject', 'review_after_sale'), ('revoke', 'revoke_after_sale'), ('close', 'close_after_sale'), ('reopen', 'reopen_after_sale'),
	('ship', 'return_shipment'), ('receive', 'return_receipt'), ('damaged', 'return_receipt'), ('resolve', 'resolve_damaged'), ('apply', 'apply_after_sale')) AS v(call, name) ON v.call = c.call
WHERE (a.outcome ~ ('\m' || v.name || '\M')) <> (m.outcome ~ '^applied');
CALL t.settle();
SELECT invariant, severity, entity, expected, actual FROM order_ext.verify() WHERE severity = 'error';
