-- Bad input: every call with NULL, negative, zero, overflowing, malformed, deeply nested or
-- oversized arguments. Each gives the SQLSTATE of the contract, names the argument, and
-- stores nothing; any line of the last query is a fault.
\set VERBOSITY sqlstate
SELECT order_ext.put_product('BAD-1', 'A', 100), order_ext.put_product('BAD-MAX', 'max', 9223372036854775807);
SELECT available FROM order_ext.adjust_stock('BAD-1', 10);
SELECT available FROM order_ext.adjust_stock('BAD-MAX', 10);
SELECT t.new('bad', 'BAD-1:1', user_id => 7330), t.new('bad_paid', 'BAD-1:1', user_id => 7330);
SELECT t.show(order_ext.pay_callback(t.id('bad_paid'), 'T-bad-1', 'wechat', 100));
-- arrays in arrays, as deep as asked
CREATE FUNCTION t.deep(levels integer) RETURNS jsonb LANGUAGE sql IMMUTABLE
	RETURN (repeat('[', levels) || repeat(']', levels))::jsonb;

CREATE TABLE t.bad (n serial, arg text, expected text, call text);
INSERT INTO t.bad (arg, expected, call) VALUES
	-- ---- put_product ----
	('sku', '22004', $$put_product(NULL, 'x', 1)$$),
	('name', '22004', $$put_product('BAD-2', NULL, 1)$$),
	('price', '22004', $$put_product('BAD-2', 'x', NULL)$$),
	('kind', '22004', $$put_product('BAD-2', 'x', 1, NULL)$$),
	('sku', '22023', $$put_product('', 'x', 1)$$),
	('name', '22023', $$put_product('BAD-2', '', 1)$$),
	('price', '22023', $$put_product('BAD-2', 'x', -1)$$),
	('price', '22023', $$put_product('BAD-2', 'x', -9223372036854775808)$$),
	('kind', '22023', $$put_product('BAD-2', 'x', 1, 'real')$$),
	('kind', '22023', $$put_product('BAD-2', 'x', 1, '')$$),
	('sku', '54000', $$put_product(repeat('x', 1000000), 'x', 1)$$),
	('name', '54000', $$put_product('BAD-2', repeat('x', 10000000), 1)$$),
	-- ---- put_freight ----
	('region', '22004', $$put_freight(NULL, 1)$$),
	('fee', '22004', $$put_freight('bad', NULL)$$),
	('region', '22023', $$put_freight('', 1)$$),
	('fee', '22023', $$put_freight('bad', -1)$$),
	('free_from', '22023', $$put_freight('bad', 1, -1)$$),
	('region', '54000', $$put_freight(repeat('x', 1000000), 1)$$),
	-- ---- adjust_stock, stock_level ----
	('sku', '22004', $$adjust_stock(NULL, 1)$$),
	('delta', '22004', $$adjust_stock('BAD-1', NULL)$$),
	('delta', '22023', $$adjust_stock('BAD-1', 0)$$),
	('sku', '22023', $$adjust_stock('', 1)$$),
	('delta', '22003', $$adjust_stock('BAD-1', 9223372036854775807)$$),
	-- what is reserved must be able to come back
	('delta', '22003', $$adjust_stock('BAD-1', 9223372036854775807 - 8)$$),
	('', 'OE201', $$adjust_stock('BAD-1', -9223372036854775807)$$),
	('', 'OE201', $$adjust_stock('BAD-1', -9223372036854775808)$$),
	('sku', '54000', $$adjust_stock(repeat('x', 1000000), 1)$$),
	('reason', '54000', $$adjust_stock('BAD-1', 1, repeat('x', 1000000))$$),
	('request_id', '54000', $$adjust_stock('BAD-1', 1, NULL, repeat('x', 1000000))$$),
	('request_id', '22023', $$adjust_stock('BAD-1', 1, NULL, '')$$),
	('sku', '22004', $$stock_level(NULL)$$),
	('sku', '22023', $$stock_level('')$$),
	('', 'OE001', $$stock_level('BAD-none')$$),
	-- ---- issue_coupon ----
	('user_id', '22004', $$issue_coupon(NULL, 1)$$),
	('amount', '22004', $$issue_coupon(7330, NULL)$$),
	('threshold', '22004', $$issue_coupon(7330, 1, NULL)$$),
	('valid_from', '22004', $$issue_coupon(7330, 1, 0, NULL)$$),
	('valid_until', '22004', $$issue_coupon(7330, 1, 0, now(), NULL)$$),
	('user_id', '22023', $$issue_coupon(0, 1)$$),
	('user_id', '22023', $$issue_coupon(-1, 1)$$),
	('amount', '22023', $$issue_coupon(7330, 0)$$),
	('amount', '22023', $$issue_coupon(7330, -1)$$),
	('threshold', '22023', $$issue_coupon(7330, 1, -1)$$),
	('valid_until', '22023', $$issue_coupon(7330, 1, 0, '2030-01-01', '2029-01-01')$$),
	('valid_until', '22023', $$issue_coupon(7330, 1, 0, '2030-01-01', '-infinity')$$),
	-- ---- quote_order: arguments ----
	('user_id', '22004', $$quote_order(NULL, t.items('BAD-1:1'))$$),
	('items', '22004', $$quote_order(7330, NULL)$$),
	('options', '22004', $$quote_order(7330, t.items('BAD-1:1'), NULL, NULL)$$),
	('user_id', '22023', $$quote_order(0, t.items('BAD-1:1'))$$),
	('user_id', '22023', $$quote_order(-7330, t.items('BAD-1:1'))$$),
	('options', '22023', $$quote_order(7330, t.items('BAD-1:1'), NULL, '[]')$$),
	('', '22003', $$quote_order(7330, t.items('BAD-MAX:2'))$$),
	('', '22003', $$quote_order(7330, t.items('BAD-MAX:1,BAD-1:1'))$$),
	-- ---- create_order ----
	('user_id', '22004', $$create_order(NULL, t.items('BAD-1:1'), 100)$$),
	('items', '22004', $$create_order(7330, NULL, 100)$$),
	('pay_amount', '22004', $$create_order(7330, t.items('BAD-1:1'), NULL)$$),
	('options', '22004', $$create_order(7330, t.items('BAD-1:1'), 100, NULL, NULL, NULL, NULL)$$),
	('user_id', '22023', $$create_order(0, t.items('BAD-1:1'), 100)$$),
	('user_id', '22023', $$create_order(-1, t.items('BAD-1:1'), 100)$$),
	('pay_amount', '22023', $$create_order(7330, t.items('BAD-1:1'), -1)$$),
	('', 'OE202', $$create_order(7330, t.items('BAD-1:1'), 100, 9223372036854775807)$$),
	('pay_timeout', '22023', $$create_order(7330, t.items('BAD-1:1'), 100, NULL, '0 seconds')$$),
	('pay_timeout', '22023', $$create_order(7330, t.items('BAD-1:1'), 100, NULL, '-1 second')$$),
	('pay_timeout', '22023', $$create_order(7330, t.items('BAD-1:1'), 100, NULL, '1 day -25 hours')$$),
	-- a hundred years are more days than 1200 months of 30
	('pay_timeout', '22023', $$create_order(7330, t.items('BAD-1:1'), 100, NULL, '-1200 months 36001 days')$$),
	('pay_timeout', '22003', $$create_order(7330, t.items('BAD-1:1'), 100, NULL, '10000000 years')$$),
	('pay_timeout', '22003', $$create_order(7330, t.items('BAD-1:1'), 100, NULL, make_interval(days => 2147483647))$$),
	('request_id', '22023', $$create_order(7330, t.items('BAD-1:1'), 100, NULL, NULL, '')$$),
	('request_id', '54000', $$create_order(7330, t.items('BAD-1:1'), 100, NULL, NULL, repeat('x', 1000000))$$),
	('options', '22023', $$create_order(7330, t.items('BAD-1:1'), 100, options => '[]')$$),
	('options', '22023', $$create_order(7330, t.items('BAD-1:1'), 100, options => 'null')$$),
	('options', '22023', $$create_order(7330, t.items('BAD-1:1'), 100, options => '"region"')$$),
	('options', '54000', $$create_order(7330, t.items('BAD-1:1'), 100, options => jsonb_build_object('remark', repeat('x', 50000000)))$$),
	('external_id', '22023', $$create_order(7330, t.items('BAD-1:1'), 100, options => '{"external_id": ""}')$$),
	('external_id', '22023', $$create_order(7330, t.items('BAD-1:1'), 100, options => '{"external_id": 7}')$$),
	('external_id', '22023', $$create_order(7330, t.items('BAD-1:1'), 100, options => '{"external_id": {"a": 1}}')$$),
	('external_id', '54000', $$create_order(7330, t.items('BAD-1:1'), 100, options => jsonb_build_object('external_id', repeat('x', 10000)))$$),
	('currency', '22023', $$create_order(7330, t.items('BAD-1:1'), 100, options => '{"currency": ""}')$$),
	('currency', '22023', $$create_order(7330, t.items('BAD-1:1'), 100, options => '{"currency": 156}')$$),
	('currency', '22023', $$create_order(7330, t.items('BAD-1:1'), 100, options => '{"currency": "C NY"}')$$),
	('region', '22023', $$create_order(7330, t.items('BAD-1:1'), 100, options => '{"region": ["north"]}')$$),
	-- ---- pre_pay_order ----
	('order_id', '22004', $$pre_pay_order(NULL, 'wechat', 100)$$),
	('pay_type', '22004', $$pre_pay_order(t.id('bad'), NULL, 100)$$),
	('pay_amount', '22004', $$pre_pay_order(t.id('bad'), 'wechat', NULL)$$),
	('pay_type', '22023', $$pre_pay_order(t.id('bad'), '', 100)$$),
	('pay_type', '54000', $$pre_pay_order(t.id('bad'), repeat('w', 33), 100)$$),
	('pay_amount', '22023', $$pre_pay_order(t.id('bad'), 'wechat', -100)$$),
	('', 'OE301', $$pre_pay_order(t.id('bad'), 'wechat', 9223372036854775807)$$),
	('', 'OE001', $$pre_pay_order(9223372036854775807, 'wechat', 100)$$),
	('request_id', '22023', $$pre_pay_order(t.id('bad'), 'wechat', 100, '')$$),
	('request_id', '54000', $$pre_pay_order(t.id('bad'), 'wechat', 100, repeat('x', 1000000))$$),
	-- ---- pay_callback ----
	('order_id', '22004', $$pay_callback(NULL, 'T-bad-2', 'wechat', 100)$$),
	('out_trade_no', '22004', $$pay_callback(t.id('bad'), NULL, 'wechat', 100)$$),
	('pay_type', '22004', $$pay_callback(t.id('bad'), 'T-bad-2', NULL, 100)$$),
	('pay_amount', '22004', $$pay_callback(t.id('bad'), 'T-bad-2', 'wechat', NULL)$$),
	('out_trade_no', '22023', $$pay_callback(t.id('bad'), '', 'wechat', 100)$$),
	('out_trade_no', '54000', $$pay_callback(t.id('bad'), repeat('x', 129), 'wechat', 100)$$),
	('pay_type', '22023', $$pay_callback(t.id('bad'), 'T-bad-2', '', 100)$$),
	('pay_type', '54000', $$pay_callback(t.id('bad'), 'T-bad-2', repeat('x', 33), 100)$$),
	('pay_amount', '22023', $$pay_callback(t.id('bad'), 'T-bad-2', 'wechat', -1)$$),
	('currency', '22023', $$pay_callback(t.id('bad'), 'T-bad-2', 'wechat', 100, '')$$),
	-- ---- cancel_order, expire_orders ----
	('order_id', '22004', $$cancel_order(NULL)$$),
	('cancel_type', '22004', $$cancel_order(t.id('bad'), NULL, NULL)$$),
	('cancel_type', '22023', $$cancel_order(t.id('bad'), NULL, 'robot')$$),
	('cancel_type', '22023', $$cancel_order(t.id('bad'), NULL, 'timeout')$$),
	('cancel_type', '22023', $$cancel_order(t.id('bad'), NULL, '')$$),
	('reason', '54000', $$cancel_order(t.id('bad'), reason => repeat('x', 10000000))$$),
	('request_id', '22023', $$cancel_order(t.id('bad'), request_id => '')$$),
	('request_id', '54000', $$cancel_order(t.id('bad'), request_id => repeat('x', 1000000))$$),
	('refund_policy', '22004', $$cancel_order(t.id('bad'), refund_policy => NULL)$$),
	('refund_policy', '22023', $$cancel_order(t.id('bad'), refund_policy => 'half')$$),
	('', 'OE001', $$cancel_order(9223372036854775807)$$),
	('max_orders', '22004', $$expire_orders(NULL)$$),
	('max_orders', '22023', $$expire_orders(0)$$),
	('max_orders', '22023', $$expire_orders(-5)$$),
	-- ---- shipment_event ----
	('order_id', '22004', $$shipment_event(NULL, 'e', 'picked')$$),
	('event_id', '22004', $$shipment_event(t.id('bad'), NULL, 'picked')$$),
	('kind', '22004', $$shipment_event(t.id('bad'), 'e', NULL)$$),
	('order_id', '22023', $$shipment_event(0, 'e', 'picked')$$),
	('order_id', '22023', $$shipment_event(-1, 'e', 'picked')$$),
	('event_id', '22023', $$shipment_event(t.id('bad'), '', 'picked')$$),
	('event_id', '22023', $$shipment_event(t.id('bad'), ' ', 'picked')$$),
	('kind', '22023', $$shipment_event(t.id('bad'), 'e', '')$$),
	('kind', '22023', $$shipment_event(t.id('bad'), 'e', 'OUT_STOCK')$$),
	('kind', '22023', $$shipment_event(t.id('bad'), 'e', 'cancel_accepted')$$),
	('occurred_at', '22023', $$shipment_event(t.id('bad'), 'e', 'picked', 'infinity')$$),
	('occurred_at', '22023', $$shipment_event(t.id('bad'), 'e', 'picked', '-infinity')$$),
	('event_id', '54000', $$shipment_event(t.id('bad'), repeat('x', 129), 'picked')$$),
	('kind', '54000', $$shipment_event(t.id('bad'), 'e', repeat('x', 1000000))$$),
	-- ---- fulfilment_cancel_result ----
	('order_id', '22004', $$fulfilment_cancel_result(NULL, true, 'e')$$),
	('accepted', '22004', $$fulfilment_cancel_result(t.id('bad'), NULL, 'e')$$),
	('event_id', '22004', $$fulfilment_cancel_result(t.id('bad'), true, NULL)$$),
	('order_id', '22023', $$fulfilment_cancel_result(0, true, 'e')$$),
	('event_id', '22023', $$fulfilment_cancel_result(t.id('bad'), true, '')$$),
	('event_id', '22023', $$fulfilment_cancel_result(t.id('bad'), true, E' \t')$$),
	('event_id', '54000', $$fulfilment_cancel_result(t.id('bad'), true, repeat('x', 129))$$),
	-- ---- confirm_receipt, change_address, remove_order, set_channel ----
	('order_id', '22004', $$confirm_receipt(NULL, 7330)$$),
	('user_id', '22004', $$confirm_receipt(t.id('bad'), NULL)$$),
	('user_id', '22023', $$confirm_receipt(t.id('bad'), 0)$$),
	('request_id', '22023', $$confirm_receipt(t.id('bad'), 7330, '')$$),
	('request_id', '54000', $$confirm_receipt(t.id('bad'), 7330, repeat('x', 1000000))$$),
	('', 'OE001', $$confirm_receipt(9223372036854775807, 7330)$$),
	('order_id', '22004', $$change_address(NULL, 7330, '{}')$$),
	('user_id', '22004', $$change_address(t.id('bad'), NULL, '{}')$$),
	('address', '22004', $$change_address(t.id('bad'), 7330, NULL)$$),
	('address', '22023', $$change_address(t.id('bad'), 7330, 'null')$$),
	('address', '54000', $$change_address(t.id('bad'), 7330, jsonb_build_object('street', repeat('x', 50000000)))$$),
	('request_id', '54000', $$change_address(t.id('bad'), 7330, '{}', repeat('x', 129))$$),
	('', 'OE001', $$change_address(9223372036854775807, 7330, '{}')$$),
	('', 'OE003', $$change_address(t.id('bad'), 7331, '{}')$$),
	('order_id', '22004', $$remove_order(NULL, 7330)$$),
	('user_id', '22004', $$remove_order(t.id('bad'), NULL)$$),
	('', 'OE001', $$remove_order(9223372036854775807, 7330)$$),
	('channel', '22004', $$set_channel(NULL, true)$$),
	('external', '22004', $$set_channel('bad', NULL)$$),
	('channel', '22023', $$set_channel('', true)$$),
	('channel', '54000', $$set_channel(repeat('x', 1000000), true)$$),
	-- ---- reads ----
	('order_id', '22004', $$get_order(NULL)$$),
	('order_id', '22004', $$order_timeline(NULL)$$),
	('order_id', '22004', $$allowed_actions(NULL)$$),
	('', 'OE001', $$get_order(9223372036854775807)$$),
	('', 'OE001', $$order_timeline(9223372036854775807)$$),
	('', 'OE001', $$allowed_actions(9223372036854775807)$$),
	('key', '22004', $$message_trace(NULL)$$),
	('machine', '22004', $$status_code(NULL, 'paid')$$),
	('name', '22004', $$status_code('order', NULL)$$),
	('machine', '22004', $$state_graph(NULL)$$),
	('machine', '22023', $$state_graph('')$$),
	('machine', '22004', $$state_diagram(NULL)$$),
	('machine', '22023', $$state_diagram('nothing')$$),
	-- ---- messages, as far as orders need them ----
	('topic', '22004', $$create_topic(NULL)$$),
	('topic', '22023', $$create_topic('')$$),
	('topic', '22004', $$publish(NULL, 1)$$),
	('key', '22004', $$publish('bad.topic', NULL)$$),
	('', 'OE701', $$publish('bad.none', 1)$$),
	('', '42501', $$publish('stock.release', 1)$$),
	('', '42501', $$publish('order.pay_timeout', 1)$$),
	('', '42501', $$drop_topic('order.paid')$$),
	('kind', '22004', $$register_asset(NULL, 'order.paid')$$),
	('topic', '22004', $$register_asset('bad', NULL)$$);

-- malformed items give the same in a quote and in an order
INSERT INTO t.bad (arg, expected, call)
SELECT 'items', expected, format(f, items) FROM (VALUES
	('22023', $$'[]'$$), ('22023', $$'{}'$$), ('22023', $$'null'$$), ('22023', $$'1'$$), ('22023', $$'"BAD-1"'$$),
	('22023', $$'[1]'$$), ('22023', $$'[null]'$$), ('22023', $$'[[]]'$$), ('22023', $$'[{}]'$$),
	('22023', $$'{"sku": "BAD-1", "quantity": 1}'$$),
	('22023', $$'[{"sku": "BAD-1"}]'$$), ('22023', $$'[{"quantity": 1}]'$$),
	('22023', $$'[{"sku": null, "quantity": 1}]'$$), ('22023', $$'[{"sku": "", "quantity": 1}]'$$),
	('22023', $$'[{"sku": 1, "quantity": 1}]'$$), ('22023', $$'[{"sku": ["BAD-1"], "quantity": 1}]'$$),
	('22023', $$'[{"sku": "BAD-1", "quantity": 0}]'$$), ('22023', $$'[{"sku": "BAD-1", "quantity": -1}]'$$),
	('22023', $$'[{"sku": "BAD-1", "quantity": 1.5}]'$$), ('22023', $$'[{"sku": "BAD-1", "quantity": "1"}]'$$),
	('22023', $$'[{"sku": "BAD-1", "quantity": null}]'$$), ('22023', $$'[{"sku": "BAD-1", "quantity": true}]'$$),
	('22023', $$'[{"sku": "BAD-1", "quantity": [1]}]'$$), ('22023', $$'[{"sku": "BAD-1", "quantity": {"n": 1}}]'$$),
	('22023', $$'[{"sku": "BAD-1", "quantity": 1}, {"sku": "BAD-1", "quantity": -1}]'$$),
	('22003', $$'[{"sku": "BAD-1", "quantity": 99999999999999999999}]'$$),
	('22003', $$'[{"sku": "BAD-1", "quantity": 1e400}]'$$),
	('22003', $$'[{"sku": "BAD-1", "quantity": 2147483648}]'$$),
	('22003', $$'[{"sku": "BAD-1", "quantity": 2147483647}, {"sku": "BAD-1", "quantity": 1}]'$$),
	('54000', $$jsonb_build_array(jsonb_build_object('sku', repeat('x', 100000), 'quantity', 1))$$),
	('54000', $$(SELECT jsonb_agg(jsonb_build_object('sku', 'BAD-' || n, 'quantity', 1)) FROM generate_series(1, 100000) AS n)$$),
	('22023', 't.deep(1000)'),
	('22023', $$jsonb_build_array(jsonb_build_object('sku', 'BAD-1', 'quantity', t.deep(1000)))$$)) AS v(expected, items),
	(VALUES ($$quote_order(7330, %s)$$), ($$create_order(7330, %s, 100)$$)) AS c(f);

CREATE TABLE t.bad_seen AS
	SELECT b.*, e.code AS got, arg = '' OR e.message ~ ('\m' || arg || '\M') OR e.detail ~ ('\m' || arg || '\M') AS named,
		   e.message !~ E'\n' AND length(e.message) < 500 AS short_message
	FROM t.bad b, LATERAL t.error(CASE WHEN b.call ~ '^(order_timeline|allowed_actions|message_trace|state_graph|stock_level|adjust_stock)\('
									   THEN '(SELECT count(*) FROM order_ext.' || b.call || ')' ELSE 'order_ext.' || b.call END) AS e
	LIMIT 0;
CREATE TABLE t.bad_changes (n integer, changed text);
DO $$
DECLARE
	b t.bad;
	before jsonb := t.digest();
	wrote bigint := t.writes();
	changed text;
BEGIN
	FOR b IN SELECT * FROM t.bad ORDER BY n LOOP
		INSERT INTO t.bad_seen
		SELECT b.*, e.code, b.arg = '' OR e.message ~ ('\m' || b.arg || '\M') OR e.detail ~ ('\m' || b.arg || '\M'),
			   e.message !~ E'\n' AND length(e.message) < 500
		FROM t.error(CASE WHEN b.call ~ '^(order_timeline|allowed_actions|message_trace|state_graph|stock_level|adjust_stock)\('
						  THEN '(SELECT count(*) FROM order_ext.' || b.call || ')' ELSE 'order_ext.' || b.call END) AS e;
		CONTINUE WHEN t.writes() = wrote;
		wrote := t.writes();
		changed := t.changed_since(before);
		IF changed IS NOT NULL THEN
			INSERT INTO t.bad_changes VALUES (b.n, changed);
			before := t.digest();
		END IF;
	END LOOP;
END
$$;
-- programs get an object, about an argument always
SET order_ext.error_detail = json;
SELECT b.call, e.code, e.detail
FROM t.bad b, LATERAL t.error(CASE WHEN b.call ~ '^(order_timeline|allowed_actions|message_trace|state_graph|stock_level|adjust_stock)\('
								   THEN '(SELECT count(*) FROM order_ext.' || b.call || ')' ELSE 'order_ext.' || b.call END) AS e
WHERE e.detail <> '' AND NOT t.is_object(e.detail) OR (e.code LIKE 'OE%' OR e.code IN ('22004', '22023')) AND e.detail = '';
RESET order_ext.error_detail;
SELECT call, got, CASE WHEN NOT named THEN 'argument not named' END AS "named?" FROM t.bad_seen ORDER BY n;
-- the faults
SELECT s.call, s.expected, s.got, s.named, s.short_message, c.changed FROM t.bad_seen s LEFT JOIN t.bad_changes c USING (n)
WHERE s.got <> s.expected OR s.named IS NOT TRUE OR s.short_message IS NOT TRUE OR c.changed IS NOT NULL ORDER BY n;

-- ---- every refusal: one sentence, its facts, the next step ----
CREATE FUNCTION t.refuse(request jsonb) RETURNS text LANGUAGE sql RETURN 'no';
CREATE TABLE t.refusals (n serial, call text);
SELECT order_ext.issue_coupon(7330, 10) AS c, order_ext.issue_coupon(7331, 10) AS calien \gset
SELECT t.remember('bad_coupon', :c), t.remember('bad_alien', :calien);
SELECT t.new('bad_taker', 'BAD-1:1', t.id('bad_coupon'), user_id => 7330, request_id => 'bad-key');
SELECT t.new('bad_canceled', 'BAD-1:1', user_id => 7330, options => '{"external_id": "bad-ext"}'), t.new('bad_due', 'BAD-1:1', pay_timeout => '1 millisecond', user_id => 7330);
SELECT t.show(order_ext.cancel_order(t.id('bad_canceled')));
SELECT t.wait_due('bad_due');
INSERT INTO t.refusals (call) VALUES
	($$cancel_order(1)$$), ($$get_order(1)$$), ($$cancel_order(t.id('bad_taker'), 1)$$),
	($$pre_pay_order(t.id('bad_canceled'), 'wechat', 100)$$), ($$pre_pay_order(t.id('bad_taker'), 'wechat', 1)$$),
	($$pre_pay_order(t.id('bad_due'), 'wechat', 100)$$), ($$stock_level('BAD-none')$$),
	($$create_order(7330, t.items('BAD-none:1'), 1)$$), ($$create_order(7330, t.items('BAD-1:1'), 99)$$),
	($$create_order(7330, t.items('BAD-1:1'), 90, t.id('bad_alien'))$$), ($$create_order(7330, t.items('BAD-1:1'), 90, t.id('bad_coupon'))$$),
	($$create_order(7330, t.items('BAD-1:99'), 9900)$$), ($$create_order(7330, t.items('BAD-1:2'), 200, request_id => 'bad-key')$$),
	($$create_order(7330, t.items('BAD-1:1'), 100, options => '{"external_id": "bad-ext"}')$$),
	($$confirm_receipt(t.id('bad_paid'), 1)$$), ($$apply_after_sale(t.id('bad_paid'), 1, 'refund_only', t.items('BAD-1:1'))$$),
	($$review_after_sale(999999999, true)$$), ($$resolve_held_payment(999999999, 'refund')$$), ($$retry_refund(999999999)$$),
	($$resolve_fact(999999999, 'x')$$), ($$unregister_asset('bad-none')$$);
SELECT call, code, message ~ '^[a-z"].*[^.]$' AND message !~ E'\n' AS one_sentence, detail ~ '\.$' AS facts, hint ~ '\.$' AS next_step
FROM t.refusals, LATERAL t.error('order_ext.' || call) ORDER BY n;
-- a bad argument: one sentence, and what to pass
SELECT n, call, code, hint FROM t.bad, LATERAL t.error('order_ext.' || call)
WHERE code ~ '^(22004|22023|22003|54000)' AND (message ~ E'\n' OR hint !~ '\.$' OR hint IS NULL) ORDER BY n;
SELECT order_ext.set_risk_check('t.refuse(jsonb)', 'regress_handlers');
SELECT code, message ~ '^[a-z"].*[^.]$' AS one_sentence, detail, hint ~ '\.$' AS next_step
FROM t.error($$order_ext.create_order(7330, t.items('BAD-1:1'), 100)$$);
SELECT order_ext.set_risk_check(NULL);

-- ---- what is unusual, but not bad ----
SELECT t.go(call) FROM (VALUES
	($$order_ext.create_order(9223372036854775807, t.items('BAD-1:1'), 100)$$),
	($$order_ext.create_order(7330, '[{"sku": "BAD-1", "quantity": 1.0}]', 100)$$),
	($$order_ext.create_order(7330, t.items('BAD-1:1'), 100, request_id => repeat('k', 128))$$),
	($$order_ext.create_order(7330, t.items('BAD-1:1'), 100, options => jsonb_build_object('deep', t.deep(500)))$$),
	($$order_ext.create_order(7330, t.items('BAD-1:1'), 100, pay_timeout => '100 years')$$),
	($$order_ext.put_product(E'BAD-\n''; DROP', E'\t', 0)$$),
	($$order_ext.create_order(7330, jsonb_build_array(jsonb_build_object('sku', E'BAD-\n''; DROP', 'quantity', 1)), 0)$$)) AS v(call);
-- deep beyond the parser's stack: the parser's word stands, and the server with it
SELECT t.go($$order_ext.create_order(7330, repeat('[', 1000000)::jsonb, 100)$$);
-- wrong types do not get that far
SELECT t.go($$order_ext.create_order(7330, 'x', 100)$$), t.go($$order_ext.create_order(9223372036854775808, t.items('BAD-1:1'), 100)$$);
-- a NULL where NULL is the default is no argument
SELECT t.go($$order_ext.create_order(7330, t.items('BAD-1:1'), 100, NULL, NULL, NULL, '{}')$$),
	   t.go($$order_ext.pre_pay_order(t.id('bad'), 'wechat', 100, NULL)$$),
	   t.go($$order_ext.pay_callback(t.id('bad'), 'T-bad-3', 'wechat', 100, NULL, now(), NULL)$$),
	   t.go($$order_ext.cancel_order(t.id('bad'), NULL, 'user', NULL, NULL, 'full')$$);
SELECT * FROM order_ext.adjust_stock('BAD-1', 1, NULL, NULL);
SELECT t.drain();

SELECT * FROM order_ext.verify() WHERE severity = 'error';
