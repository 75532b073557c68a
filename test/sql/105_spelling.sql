-- Codes however they are written, and keys that nobody knows.
\set VERBOSITY terse
SELECT order_ext.put_product('SPE-1', 'A', 100), order_ext.put_product('SPE-2', 'B', 70);
SELECT order_ext.adjust_stock('SPE-1', 1000), order_ext.adjust_stock('SPE-2', 1000);

-- ---- the setting is a code in capitals ----
SET order_ext.currency = ' usd ';
SHOW order_ext.currency;
SET order_ext.currency = 'dollar';
SET order_ext.currency = 'XXX';
SET order_ext.currency = ' ';
SHOW order_ext.currency;
RESET order_ext.currency;

-- ---- a callback may write it as it likes; an unknown code is a fact as well ----
SELECT t.new('spe1', 'SPE-1:1'), t.new('spe2', 'SPE-1:1'), t.new('spe3', 'SPE-1:1');
SELECT t.show(order_ext.pay_callback(t.id('spe1'), 'T-spe-1', 'wechat', 100, ' cny '));
SELECT t.show(order_ext.pay_callback(t.id('spe1'), 'T-spe-1', 'wechat', 100, 'Cny'));
SELECT t.show(order_ext.pay_callback(t.id('spe2'), 'T-spe-2', 'wechat', 100, 'yuan of 2026'));
SELECT t.show(order_ext.pay_callback(t.id('spe2'), 'T-spe-2', 'wechat', 100, 'yuan of 2026'));
SELECT t.show(order_ext.pay_callback(t.id('spe3'), 'T-spe-3', 'wechat', 100, 'usd'));
SELECT t.go($$order_ext.pay_callback(t.id('spe3'), 'T-spe-4', 'wechat', 100, ' ')$$);
SELECT t.payments(name) FROM unnest(ARRAY['spe1', 'spe2', 'spe3']) AS name;
SELECT status, purpose, currency FROM order_ext.payments_view WHERE out_trade_no LIKE 'T-spe-%' ORDER BY out_trade_no;

-- ---- surrounding blanks are no part of a code, a number or an id, and do not count against its limit ----
SELECT t.new('spe-long', 'SPE-1:1');
SELECT t.show(order_ext.pay_callback(t.id('spe-long'), rpad(repeat('9', 128), 200), ' ' || rpad(repeat('w', 32), 64), 100));
SELECT t.show(order_ext.pay_callback(t.id('spe-long'), repeat('9', 128), repeat('W', 32), 100));
SELECT (order_ext.shipment_event(t.id('spe-long'), lpad(repeat('e', 128), 150), 'picked')).detail->>'event_id' = repeat('e', 128) AS trimmed;
SELECT e.code, e.message, e.detail FROM t.error($$order_ext.pay_callback(t.id('spe-long'), ' ' || repeat('9', 129), 'wechat', 100)$$) AS e;
SELECT e.code, e.message, e.detail FROM t.error($$order_ext.pay_callback(t.id('spe-long'), ' ', 'wechat', 100)$$) AS e;

-- ---- unknown keys of lines, in every call that takes lines ----
SELECT call, e.code, e.message, e.hint FROM (VALUES
	('order_ext.quote_order(7105, %s)'), ('order_ext.create_order(7105, %s, 100)'),
	('order_ext.calculate_refund(t.id(''spe1''), %s)'),
	('order_ext.apply_after_sale(t.id(''spe1''), 7001, ''refund_only'', %s)'),
	('order_ext.report_shortage(t.id(''spe1''), %s)'),
	('order_ext.return_receipt(1, %s, true)')) AS c(call),
	t.error(format(call, $$'[{"sku": "SPE-1", "quantity": 1, "amount": 500}]'$$)) AS e;
SELECT items, e.code, e.message, e.hint FROM (VALUES
	('[{"sku": "SPE-1", "quantity": 1}, {"sku": "SPE-2", "quantity": 1, "Quantity": 2}]'),
	('[{"sku": "SPE-1", "quantity": 1, "": null}]'), ('[{"sku": "SPE-1", "quantity": 1, "condition": "ok"}]'),
	('[{"SKU": "SPE-1", "quantity": 1}]')) AS i(items),
	t.error(format('order_ext.quote_order(7105, %L)', items)) AS e;
SELECT e.code, e.message, e.hint
FROM t.error($$order_ext.return_receipt(1, '[{"sku": "SPE-1", "quantity": 1, "Condition": "damaged"}]', true)$$) AS e;

-- ---- options of an order: unknown keys are kept, but not those that were meant to be known ----
SELECT t.new('spe4', 'SPE-1:1', options => '{"currencies": ["CNY"], "gift": true, "remark": "now"}');
SELECT order_ext.get_order(t.id('spe4'))->'options' AS options;
SELECT key, e.code, e.message, e.hint FROM unnest(ARRAY['Region', 'externalId', 'external-id', 'external_ID', ' currency', 'CURRENCY',
		'channel_', 'Address', 're mark']) AS key,
	t.error(format('order_ext.create_order(7105, t.items(''SPE-1:1''), 100, options => jsonb_build_object(%L, ''x''))', key)) AS e;
SELECT e.code FROM t.error($$order_ext.quote_order(7105, t.items('SPE-1:1'), options => '{"Currency": "CNY"}')$$) AS e;

-- ---- options objects of the other calls ----
SELECT call, e.code, e.message, e.hint FROM (VALUES
	($$order_ext.create_topic('spe.topic', '{"Max_depth": 5}')$$),
	($$order_ext.subscribe('spe-group', 'order.created', options => '{"maxAttempts": 5}')$$)) AS c(call), t.error(call) AS e;
