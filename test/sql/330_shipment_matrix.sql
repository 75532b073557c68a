-- The full matrix of the way out: every state an order with a fulfilment can be in, times
-- every fact and call about it. For each cell what the call gave, where order and
-- fulfilment are then, and 'changed' where a single stored row differs. A fact never raises.
\set VERBOSITY sqlstate
SELECT order_ext.put_product('SMX-1', 'A', 100), order_ext.put_product('SMX-V', 'V', 100, 'virtual');
SELECT available FROM order_ext.adjust_stock('SMX-1', 10000);
SELECT available FROM order_ext.adjust_stock('SMX-V', 10000);
SELECT order_ext.set_channel('smx', true);
CREATE TABLE t.smx_states (n serial, state text, sku text, channel text, steps text[]);
INSERT INTO t.smx_states (state, sku, channel, steps) VALUES
	('created', 'SMX-1', NULL, '{}'),
	('paid', 'SMX-1', NULL, '{pay}'),
	('fulfilling', 'SMX-1', NULL, '{pay,dispatch}'),
	('fulfilling, picked', 'SMX-1', NULL, '{pay,dispatch,picked}'),
	('fulfilling, later facts parked', 'SMX-1', NULL, '{pay,dispatch,delivering,signed}'),
	('fulfilling, external', 'SMX-1', 'smx', '{pay,dispatch}'),
	('fulfilling, cancel asked', 'SMX-1', 'smx', '{pay,dispatch,cancel}'),
	('fulfilling, cancel asked, picked before', 'SMX-1', 'smx', '{pay,dispatch,picked,cancel}'),
	('fulfilling, cancel refused', 'SMX-1', 'smx', '{pay,dispatch,cancel,reject}'),
	('out_stock', 'SMX-1', NULL, '{pay,dispatch,out_stock}'),
	('out_stock, cancel overtaken', 'SMX-1', 'smx', '{pay,dispatch,cancel,out_stock}'),
	('delivering', 'SMX-1', NULL, '{pay,dispatch,out_stock,delivering}'),
	('signed', 'SMX-1', NULL, '{pay,dispatch,out_stock,delivering,signed}'),
	('signed, virtual', 'SMX-V', NULL, '{pay,dispatch}'),
	('refused', 'SMX-1', NULL, '{pay,dispatch,out_stock,refused}'),
	('canceled unpaid', 'SMX-1', NULL, '{cancel}'),
	('canceled, tombstone', 'SMX-1', NULL, '{pay,cancel}'),
	('canceled in our warehouse', 'SMX-1', NULL, '{pay,dispatch,picked,cancel}'),
	('canceled by the warehouse', 'SMX-1', 'smx', '{pay,dispatch,cancel,accept}'),
	('unknown', NULL, NULL, '{}');
CREATE TABLE t.smx_calls (n serial, call text, expression text);
INSERT INTO t.smx_calls (call, expression)
SELECT kind, format('order_ext.shipment_event(t.id(''smx''), ''new'', %L)', kind) FROM unnest('{picked,out_stock,delivering,signed,refused,lost,returned}'::text[]) AS kind;
INSERT INTO t.smx_calls (call, expression) VALUES
	('accepted', $$order_ext.fulfilment_cancel_result(t.id('smx'), true, 'new')$$),
	('rejected', $$order_ext.fulfilment_cancel_result(t.id('smx'), false, 'new')$$),
	('cancel', $$order_ext.cancel_order(t.id('smx'), 7430)$$),
	('confirm', $$order_ext.confirm_receipt(t.id('smx'), 7430)$$),
	('address', $$order_ext.change_address(t.id('smx'), 7430, '"there"')$$),
	('remove', $$order_ext.remove_order(t.id('smx'), 7430)$$),
	('callback', $$order_ext.pay_callback(t.id('smx'), 'T-smx-new-' || t.id('smx'), 'wechat', 100)$$),
	('sweep', 'order_ext.expire_orders()'),
	('actions', $$ARRAY(SELECT order_ext.allowed_actions(t.id('smx')) ORDER BY 1)$$);
CREATE TABLE t.smx (state integer, call integer, outcome text, after text, fulfilment text, changed boolean);

DO $$
DECLARE
	s t.smx_states;
	c t.smx_calls;
	step text;
	cell integer := 0;
	e record;
BEGIN
	FOR s IN SELECT * FROM t.smx_states ORDER BY n LOOP
		FOR c IN SELECT * FROM t.smx_calls ORDER BY n LOOP
			cell := cell + 1;
			IF s.sku IS NULL THEN
				PERFORM t.remember('smx', 7430000 + cell);
			ELSE
				PERFORM t.new('smx', s.sku || ':1', user_id => 7430, options => jsonb_strip_nulls(jsonb_build_object('channel', s.channel)));
			END IF;
			COMMIT;
			FOREACH step IN ARRAY s.steps LOOP
				CASE step
					WHEN 'pay' THEN PERFORM order_ext.pay_callback(t.id('smx'), 'T-smx-' || cell, 'wechat', 100);
					WHEN 'dispatch' THEN PERFORM order_ext.dispatch();
					WHEN 'cancel' THEN PERFORM order_ext.cancel_order(t.id('smx'));
					WHEN 'accept' THEN PERFORM order_ext.fulfilment_cancel_result(t.id('smx'), true, 'accept');
					WHEN 'reject' THEN PERFORM order_ext.fulfilment_cancel_result(t.id('smx'), false, 'reject');
					ELSE PERFORM order_ext.shipment_event(t.id('smx'), step, step);
				END CASE;
				COMMIT;
			END LOOP;
			e := t.effect(c.expression);
			INSERT INTO t.smx VALUES (s.n, c.n, e.outcome, (SELECT status FROM order_ext.orders_view WHERE order_id = t.id('smx')),
				(SELECT status FROM order_ext.fulfilments_view WHERE order_id = t.id('smx')), e.changed);
			COMMIT;
		END LOOP;
	END LOOP;
END
$$;
SELECT s.state, c.call, m.outcome, m.after AS "order after", m.fulfilment, CASE WHEN m.changed THEN 'changed' ELSE '' END AS stored
FROM t.smx m JOIN t.smx_states s ON s.n = m.state JOIN t.smx_calls c ON c.n = m.call ORDER BY s.n, c.n;

-- the rules behind it: what raised or had nothing to do changed nothing
SELECT s.state, c.call, m.outcome FROM t.smx m JOIN t.smx_states s ON s.n = m.state JOIN t.smx_calls c ON c.n = m.call
WHERE m.changed AND (m.outcome ~ '^[0-9A-Z]{5}$' OR c.call IN ('actions', 'sweep') OR (m.outcome ~ '^noop' AND c.call NOT IN ('accepted', 'rejected')));
-- facts never raise, and each is recorded
SELECT s.state, c.call, m.outcome FROM t.smx m JOIN t.smx_states s ON s.n = m.state JOIN t.smx_calls c ON c.n = m.call
WHERE c.n <= 7 AND (m.outcome ~ '^[0-9A-Z]{5}$' OR NOT m.changed);
-- an order that left is never canceled, one that is canceled never leaves
SELECT s.state, c.call, m.outcome, m.after FROM t.smx m JOIN t.smx_states s ON s.n = m.state JOIN t.smx_calls c ON c.n = m.call
WHERE (s.state LIKE 'canceled%' AND (m.after <> 'canceled' OR m.fulfilment <> 'canceled'))
   OR (s.state ~ '^(out_stock|delivering|signed|refused)' AND (m.after = 'canceled' OR m.fulfilment <> 'out'));
-- what allowed_actions names passes, and nothing else of the buyer's does
SELECT s.state, c.call, m.outcome, a.outcome AS actions
FROM t.smx m JOIN t.smx_states s ON s.n = m.state JOIN t.smx_calls c ON c.n = m.call
JOIN t.smx a ON a.state = m.state AND a.call = (SELECT n FROM t.smx_calls WHERE call = 'actions')
JOIN (VALUES ('cancel', 'cancel_order'), ('confirm', 'confirm_receipt'), ('address', 'change_address'), ('remove', 'remove_order')) AS v(call, name) ON v.call = c.call
WHERE s.state <> 'unknown' AND (a.outcome ~ ('\m' || v.name || '\M')) <> (m.outcome ~ '^(applied|intercept_pending)' AND NOT (c.call = 'cancel' AND s.state LIKE '%cancel asked%'));

SELECT t.drain();
-- every unit is where its order says
SELECT reserved = (SELECT count(*) FROM order_ext.orders_view WHERE user_id = 7430 AND status IN ('created', 'paid', 'fulfilling')) AS reserved,
	   consumed = (SELECT count(*) FROM order_ext.orders_view JOIN order_ext.order_items_view USING (order_id) WHERE user_id = 7430 AND sku = 'SMX-1' AND status IN ('out_stock', 'delivering', 'signed', 'refused')) AS consumed,
	   available + reserved + consumed AS all_units
FROM order_ext.stock_level('SMX-1');
SELECT * FROM order_ext.verify() WHERE severity = 'error';
