-- The full matrix: every state an order can be in, in this version, times every call. For
-- each cell the disposition or SQLSTATE, the order's status after it, and 'changed' where a
-- single stored row differs: a refused, replayed or noop call must not have it.
\set VERBOSITY sqlstate
SELECT order_ext.put_product('MTX-1', 'A', 100), order_ext.put_product('MTX-0', 'free', 0);
SELECT available FROM order_ext.adjust_stock('MTX-1', 10000);
SELECT available FROM order_ext.adjust_stock('MTX-0', 10000);
CREATE TABLE t.states (n serial, state text, items text, pay_timeout interval, steps text[]);
INSERT INTO t.states (state, items, pay_timeout, steps) VALUES
	('created', 'MTX-1:1', NULL, '{}'),
	('created, attempt open', 'MTX-1:1', NULL, '{pre}'),
	('created, money held', 'MTX-1:1', NULL, '{held}'),
	('created, due', 'MTX-1:1', '1 millisecond', '{wait}'),
	('paid', 'MTX-1:1', NULL, '{pay}'),
	('paid, attempt open', 'MTX-1:1', NULL, '{pre_other,pay}'),
	('paid, past its deadline', 'MTX-1:1', '1 millisecond', '{wait,pay}'),
	('paid, nothing to pay', 'MTX-0:1', NULL, '{}'),
	('canceled by its buyer', 'MTX-1:1', NULL, '{cancel}'),
	('canceled by its buyer, released', 'MTX-1:1', NULL, '{cancel,dispatch}'),
	('canceled, attempt open', 'MTX-1:1', NULL, '{pre,cancel,dispatch}'),
	('canceled by the sweep', 'MTX-1:1', '1 millisecond', '{wait,sweep,dispatch}'),
	('canceled by its timer', 'MTX-1:1', '1 millisecond', '{wait,dispatch}'),
	('canceled after payment', 'MTX-1:1', NULL, '{pay,cancel}'),
	('canceled after payment, refunds there', 'MTX-1:1', NULL, '{pay,cancel,dispatch}'),
	('canceled, late money', 'MTX-1:1', NULL, '{cancel,pay,dispatch}'),
	('unknown', NULL, NULL, '{}');
CREATE TABLE t.calls (n serial, call text, expression text);
INSERT INTO t.calls (call, expression) VALUES
	('pre-pay', $$order_ext.pre_pay_order(t.id('mtx'), 'wechat', %2$s)$$),
	('pre-pay, other amount', $$order_ext.pre_pay_order(t.id('mtx'), 'wechat', %2$s + 1)$$),
	('callback', $$order_ext.pay_callback(t.id('mtx'), 'T-mtx-%1$s-new', 'wechat', %2$s)$$),
	('callback, number known', $$order_ext.pay_callback(t.id('mtx'), 'T-mtx-%1$s', 'wechat', 100)$$),
	('callback, number known, other amount', $$order_ext.pay_callback(t.id('mtx'), 'T-mtx-%1$s', 'wechat', 98)$$),
	('callback, attempt''s number', $$order_ext.pay_callback(t.id('mtx'), coalesce((SELECT out_trade_no FROM order_ext.payments_view WHERE order_id = t.id('mtx') AND status = 'initiated'), 'T-mtx-%1$s-none'), 'wechat', %2$s)$$),
	('callback, other amount', $$order_ext.pay_callback(t.id('mtx'), 'T-mtx-%1$s-new', 'wechat', %2$s + 1)$$),
	('callback, other currency', $$order_ext.pay_callback(t.id('mtx'), 'T-mtx-%1$s-new', 'wechat', %2$s, 'XTS')$$),
	('callback, amount 0', $$order_ext.pay_callback(t.id('mtx'), 'T-mtx-%1$s-new', 'wechat', 0)$$),
	('callback, negative', $$order_ext.pay_callback(t.id('mtx'), 'T-mtx-%1$s-new', 'wechat', -1)$$),
	('callback, number of another''s', $$order_ext.pay_callback(t.id('mtx'), 'T-mtx-alien', 'wechat', %2$s)$$),
	('cancel, owner', $$order_ext.cancel_order(t.id('mtx'), 7310)$$),
	('cancel, not the owner', $$order_ext.cancel_order(t.id('mtx'), 7311)$$),
	('cancel, staff', $$order_ext.cancel_order(t.id('mtx'), NULL, 'customer_service', 'r')$$),
	('cancel, refund held', $$order_ext.cancel_order(t.id('mtx'), refund_policy => 'hold')$$),
	('sweep', $$order_ext.expire_orders()$$),
	('read', $$(SELECT status FROM order_ext.orders_view WHERE order_id = (order_ext.get_order(t.id('mtx'))->>'order_id')::bigint)$$),
	('actions', $$ARRAY(SELECT order_ext.allowed_actions(t.id('mtx')) ORDER BY 1)$$);
CREATE TABLE t.matrix (state integer, call integer, outcome text, status text, changed boolean);
SELECT t.new('mtx_alien', 'MTX-1:1', user_id => 7311);
SELECT t.show(order_ext.pay_callback(t.id('mtx_alien'), 'T-mtx-alien', 'wechat', 100));

DO $$
DECLARE
	s t.states;
	c t.calls;
	step text;
	cell integer := 0;
	e record;
BEGIN
	FOR s IN SELECT * FROM t.states ORDER BY n LOOP
		FOR c IN SELECT * FROM t.calls ORDER BY n LOOP
			cell := cell + 1;
			PERFORM order_ext.expire_orders();
			IF s.items IS NULL THEN
				PERFORM t.remember('mtx', 7310000 + cell);
			ELSE
				PERFORM t.new('mtx', s.items, NULL, s.pay_timeout, 7310);
			END IF;
			COMMIT;
			FOREACH step IN ARRAY s.steps LOOP
				CASE step
					WHEN 'pre' THEN PERFORM order_ext.pre_pay_order(t.id('mtx'), 'wechat', 100);
					WHEN 'pre_other' THEN PERFORM order_ext.pre_pay_order(t.id('mtx'), 'wechat', 100) FROM generate_series(1, 2);
					WHEN 'held' THEN PERFORM order_ext.pay_callback(t.id('mtx'), 'T-mtx-' || cell, 'wechat', 99);
					WHEN 'pay' THEN PERFORM order_ext.pay_callback(t.id('mtx'), 'T-mtx-' || cell, 'wechat', 100);
					WHEN 'cancel' THEN PERFORM order_ext.cancel_order(t.id('mtx'));
					WHEN 'sweep' THEN PERFORM order_ext.expire_orders();
					WHEN 'dispatch' THEN PERFORM order_ext.dispatch();
					WHEN 'wait' THEN PERFORM t.wait_due('mtx');
				END CASE;
				COMMIT;
			END LOOP;
			e := t.effect(format(c.expression, cell, coalesce(t.due('mtx'), 100)));
			INSERT INTO t.matrix VALUES (s.n, c.n, e.outcome, (SELECT status FROM order_ext.orders_view WHERE order_id = t.id('mtx')), e.changed);
			COMMIT;
		END LOOP;
	END LOOP;
END
$$;
SELECT s.state, c.call, m.outcome, m.status AS "order after", CASE WHEN m.changed THEN 'changed' ELSE '' END AS stored
FROM t.matrix m JOIN t.states s ON s.n = m.state JOIN t.calls c ON c.n = m.call ORDER BY s.n, c.n;

-- the rules behind it, cell by cell: what was refused, replayed or had nothing to do changed nothing
SELECT count(*) AS cells FROM t.matrix;
SELECT s.state, c.call, m.outcome FROM t.matrix m JOIN t.states s ON s.n = m.state JOIN t.calls c ON c.n = m.call
WHERE m.changed AND (m.outcome ~ '^[0-9A-Z]{5}$' OR m.outcome ~ '^(replayed|noop)' OR c.call IN ('read', 'actions'));
-- a canceled order stays canceled, a paid one is only left by a cancel
SELECT s.state, c.call, m.outcome, m.status FROM t.matrix m JOIN t.states s ON s.n = m.state JOIN t.calls c ON c.n = m.call
WHERE (s.state LIKE 'canceled%' AND m.status <> 'canceled')
   OR (s.state LIKE 'paid%' AND m.status <> 'paid' AND NOT (c.call LIKE 'cancel%' AND m.outcome LIKE 'applied canceled%'));
-- facts never raise for a business reason
SELECT s.state, c.call, m.outcome FROM t.matrix m JOIN t.states s ON s.n = m.state JOIN t.calls c ON c.n = m.call
WHERE c.call LIKE 'callback%' AND c.call <> 'callback, negative' AND m.outcome ~ '^[0-9A-Z]{5}$';

SELECT t.drain();
-- after all that: what is not reserved by a living order is available again
SELECT available + reserved + consumed AS all_units,
	   reserved = (SELECT sum(quantity) FROM order_ext.order_items_view i JOIN order_ext.orders_view o USING (order_id)
				   WHERE sku = 'MTX-1' AND status IN ('created', 'paid', 'fulfilling')) AS reserved_by_living_orders
FROM order_ext.stock_level('MTX-1');
SELECT * FROM order_ext.verify() WHERE severity = 'error';
