-- create_order: what it stores, idempotency, the order of its errors, apportioning,
-- orders of amount zero, external_id.
\set VERBOSITY sqlstate
SELECT order_ext.put_product('CRE-A', 'A', 10000), order_ext.put_product('CRE-B', 'B', 100),
	   order_ext.put_product('CRE-S', 'short', 5), order_ext.put_product('CRE-T', 'short too', 5),
	   order_ext.put_product('CRE-0', 'free', 0), order_ext.put_product('CRE-V', 'virtual', 700, 'virtual');
SELECT available FROM order_ext.adjust_stock('CRE-A', 100);
SELECT available FROM order_ext.adjust_stock('CRE-B', 100);
SELECT available FROM order_ext.adjust_stock('CRE-S', 2);
SELECT available FROM order_ext.adjust_stock('CRE-0', 10);
SELECT available FROM order_ext.adjust_stock('CRE-V', 10);

-- by name, with everything; the id is the order's, the deadline pay_timeout after creation
SELECT order_ext.issue_coupon(7120, 500) AS c \gset
SELECT (r).id AS id, t.show(r) AS shown, t.remember('full', (r).id) FROM (
	SELECT order_ext.create_order(user_id => 7120, items => '[{"sku": "CRE-A", "quantity": 1}, {"sku": "CRE-B", "quantity": 1}]',
		pay_amount => 9600, coupon_id => :c, pay_timeout => '90 seconds', request_id => 'cre-full',
		options => '{"external_id": "app-1", "channel": "web", "remark": "ring twice", "more": {"kept": [1, 2]}}') AS r OFFSET 0) AS s \gset
\echo :shown
SELECT t.order('full'), coupon_id = :c AS coupon, external_id, expire_at - created_at AS timeout,
	   created_at <= clock_timestamp() AS not_in_the_future
FROM order_ext.orders_view WHERE order_id = :id;
SELECT sku, quantity, price, discount, pay FROM order_ext.order_items_view WHERE order_id = :id ORDER BY sku;
SELECT t.coupon(:c), t.stock('CRE-A'), t.stock('CRE-B');
SELECT sku, kind, delta FROM order_ext.stock_ledger_view WHERE order_id = :id ORDER BY sku;
SELECT t.messages('full');
SELECT topic, consumer_group, state FROM order_ext.message_trace(:id) ORDER BY topic;
SELECT from_status, to_status, event, actor FROM order_ext.order_timeline(:id);
-- what the order says of itself; ids in jsonb are strings
SELECT jsonb_typeof(j->'items') AS items, jsonb_typeof(j->'payments') AS payments, jsonb_typeof(j->'refunds') AS refunds,
	   jsonb_path_exists(j, '$.** ? (@ == $id)', jsonb_build_object('id', :id)) AS id_as_number,
	   j::text LIKE '%"' || :id || '"%' AS id_as_string, j::text LIKE '%ring twice%' AND j::text LIKE '%"kept": [1, 2]%' AS options_kept
FROM order_ext.get_order(:id) AS j;

-- by position, with the defaults
SELECT t.show(order_ext.create_order(7120, '[{"sku": "CRE-B", "quantity": 2}]', 200));
-- the same sku twice is one line
SELECT t.new('twice', 'CRE-B:1,CRE-A:1,CRE-B:2', user_id => 7120);
SELECT sku, quantity, pay FROM order_ext.order_items_view WHERE order_id = t.id('twice') ORDER BY sku;
-- the default timeout is the setting, and 'created' means the clock, not the transaction
BEGIN;
SELECT pg_sleep(0.01);
SELECT t.new('clock', 'CRE-B:1', user_id => 7120);
SELECT expire_at - created_at AS timeout, created_at > now() AS by_the_clock FROM order_ext.orders_view WHERE order_id = t.id('clock');
SELECT t.id('clock') AS clock \gset
ROLLBACK;
-- G11: rolled back, it leaves nothing, no timer either
SELECT t.remember('clock', :clock);
SELECT t.order('clock'), t.messages('clock'), t.go($$order_ext.get_order(t.id('clock'))$$);

-- ---- idempotency ----
SELECT t.show(r), (r).id = :id AS same_id FROM (
	SELECT order_ext.create_order(7120, '[{"quantity": 1, "sku": "CRE-A"}, {"sku": "CRE-B",   "quantity": 1.0}]',
		9600, :c, '90 seconds', 'cre-full',
		'{"more": {"kept": [1, 2]}, "external_id": "app-1", "channel": "web", "remark": "ring twice"}') AS r OFFSET 0) AS s;
-- the first result, detail included, whatever became of the order
SELECT t.show(order_ext.create_order(7121, t.items('CRE-B:1'), 100, request_id => 'cre-2')) AS first_time;
SELECT (r).id AS id2, (r).detail AS detail2, t.remember('replayed', (r).id) FROM (
	SELECT order_ext.create_order(7121, t.items('CRE-B:1'), 100, request_id => 'cre-2') AS r OFFSET 0) AS s \gset
SELECT t.show(order_ext.cancel_order(:id2));
SELECT t.show(r), (r).id = :id2 AS same_id, (r).detail IS NOT DISTINCT FROM nullif(:'detail2', '')::jsonb AS same_detail FROM (
	SELECT order_ext.create_order(7121, t.items('CRE-B:1'), 100, request_id => 'cre-2') AS r OFFSET 0) AS s;
SELECT count(*) FROM order_ext.orders_view WHERE user_id = 7121;
-- the same key, any argument other
SELECT arguments, t.go('order_ext.create_order(' || arguments || ')') FROM (VALUES
	($$7122, t.items('CRE-B:1'), 100, NULL, NULL, 'cre-2', '{}'$$),
	($$7121, t.items('CRE-B:2'), 100, NULL, NULL, 'cre-2', '{}'$$),
	($$7121, t.items('CRE-B:1'), 101, NULL, NULL, 'cre-2', '{}'$$),
	($$7121, t.items('CRE-B:1'), 100, 1, NULL, 'cre-2', '{}'$$),
	($$7121, t.items('CRE-B:1'), 100, NULL, '5 minutes', 'cre-2', '{}'$$),
	($$7121, t.items('CRE-B:1'), 100, NULL, NULL, 'cre-2', '{"remark": ""}'$$)) AS v(arguments);
-- the same key of another function is another key
SELECT t.show(order_ext.cancel_order(t.id('full'), request_id => 'cre-2'));
-- a call that raised leaves no key
SELECT t.go($$order_ext.create_order(7121, t.items('CRE-B:1'), 99, request_id => 'cre-3')$$),
	   t.go($$order_ext.create_order(7121, t.items('CRE-B:1'), 100, request_id => 'cre-3')$$);
-- nor one that rolled back
BEGIN;
SELECT t.new('gone', 'CRE-B:1', user_id => 7121, request_id => 'cre-4');
ROLLBACK;
SELECT t.new('stays', 'CRE-B:1', user_id => 7121, request_id => 'cre-4');
-- without a key every call is a new order
SELECT t.new('nokey1', 'CRE-B:1', user_id => 7121), t.new('nokey2', 'CRE-B:1', user_id => 7121);
SELECT t.id('nokey1') <> t.id('nokey2') AS two_orders;

-- ---- external_id is unique in the database ----
SELECT t.go($$order_ext.create_order(7123, t.items('CRE-B:1'), 100, options => '{"external_id": "app-1"}')$$);
SELECT t.go($$order_ext.create_order(7123, t.items('CRE-B:1'), 100, options => '{"external_id": "app-2"}')$$);
SELECT t.go($$order_ext.create_order(7123, t.items('CRE-B:1'), 100, options => '{"external_id": "app-2"}')$$);
-- checked with request_id: before everything that follows it
SELECT t.go($$order_ext.create_order(7123, t.items('CRE-none:1'), 1, options => '{"external_id": "app-2"}')$$);

-- ---- the order of the errors: each call corrects what the one before was refused for ----
CREATE FUNCTION t.refuse_7124(request jsonb) RETURNS text LANGUAGE sql
	RETURN CASE WHEN request->>'user_id' = '7124' THEN 'known for it' END;
SELECT order_ext.set_risk_check('t.refuse_7124(jsonb)', 'regress_handlers');
SELECT order_ext.issue_coupon(7125, 10) AS ctaken, order_ext.issue_coupon(9999, 10) AS calien \gset
SELECT t.remember('ctaken', :ctaken), t.remember('calien', :calien);
SELECT t.new('taker', 'CRE-B:1', :ctaken, user_id => 7125, request_id => 'cre-taken');
SELECT call, t.go('order_ext.create_order(' || call || ')') FROM (VALUES
	($$7124, '[]', 1, t.id('calien'), NULL, 'cre-taken', '{}'$$),
	($$7124, t.items('CRE-none:1,CRE-S:3'), 1, t.id('calien'), NULL, 'cre-taken', '{}'$$),
	($$7124, t.items('CRE-none:1,CRE-S:3'), 1, t.id('calien'), NULL, 'cre-free', '{}'$$),
	($$7125, t.items('CRE-none:1,CRE-S:3'), 1, t.id('calien'), NULL, 'cre-free', '{}'$$),
	($$7125, t.items('CRE-S:3'), 1, t.id('calien'), NULL, 'cre-free', '{}'$$),
	($$7125, t.items('CRE-S:3'), 1, t.id('ctaken'), NULL, 'cre-free', '{}'$$),
	($$7125, t.items('CRE-S:3'), 5, t.id('ctaken'), NULL, 'cre-free', '{}'$$),
	($$7125, t.items('CRE-S:2'), 0, t.id('ctaken'), NULL, 'cre-free', '{}'$$),
	($$7125, t.items('CRE-S:2'), 10, NULL, NULL, 'cre-free', '{}'$$)) AS v(call);
SELECT order_ext.set_risk_check(NULL);
-- refused calls stored nothing, the last one did
SELECT t.stock('CRE-S'), t.coupon(:ctaken), t.coupon(:calien);
-- OE201 names every short sku and no other
SELECT code, detail LIKE '%CRE-S%' AS s, detail LIKE '%CRE-T%' AS t, detail LIKE '%CRE-B%' AS b, hint IS NOT NULL AS has_hint
FROM t.error($$order_ext.create_order(7125, t.items('CRE-T:1,CRE-B:1,CRE-S:1'), 110)$$);
-- every error has its facts
SELECT code, message ~ '^[a-z"].*[^.]$' AS one_sentence, detail IS NOT NULL AS has_detail, hint IS NOT NULL AS has_hint
FROM (VALUES
	($$order_ext.create_order(7125, t.items('CRE-B:1'), 99)$$),
	($$order_ext.create_order(7125, t.items('CRE-none:1'), 99)$$),
	($$order_ext.create_order(7125, t.items('CRE-B:1'), 100, t.id('calien'))$$),
	($$order_ext.create_order(7125, t.items('CRE-B:1'), 90, t.id('ctaken'))$$),
	($$order_ext.create_order(7125, t.items('CRE-B:1'), 100, NULL, NULL, 'cre-2')$$)) AS v(call), LATERAL t.error(call);

-- ---- amount zero: paid at once, with an applied payment of 0 ----
SELECT t.new('zero', 'CRE-0:2', user_id => 7126);
SELECT t.order('zero');
SELECT t.payments('zero');
SELECT t.messages('zero'), t.stock('CRE-0');
SELECT from_status, to_status, event FROM order_ext.order_timeline(t.id('zero'));
SELECT order_ext.issue_coupon(7126, 5000) AS call_goods \gset
SELECT t.new('zero_by_coupon', 'CRE-B:3', :call_goods, user_id => 7126);
SELECT t.coupon(:call_goods);
SELECT sku, discount, pay FROM order_ext.order_items_view WHERE order_id = t.id('zero_by_coupon');
-- it can be canceled, and has nothing to refund
SELECT t.show(order_ext.cancel_order(t.id('zero')));
SELECT t.drain();
SELECT t.refunds('zero');
SELECT t.order('zero'), t.stock('CRE-0');
-- its timer is not there or void
SELECT count(*) FROM order_ext.message_trace(t.id('zero_by_coupon')) WHERE state = 'timer';

-- virtual goods are bought as any other
SELECT t.new('virtual', 'CRE-V:1', user_id => 7126);
-- many lines
SELECT count(order_ext.put_product('CRE-M' || n, 'many', n)) FROM generate_series(1, 100) AS n;
SELECT sum(available) FROM generate_series(1, 100) AS n, LATERAL order_ext.adjust_stock('CRE-M' || n, 1);
SELECT t.show(order_ext.create_order(7127, (SELECT jsonb_agg(jsonb_build_object('sku', 'CRE-M' || n, 'quantity', 1))
											FROM generate_series(1, 100) AS n), 5050));
SELECT sum(reserved) FROM generate_series(1, 100) AS n, LATERAL order_ext.stock_level('CRE-M' || n);
-- other currencies
SELECT order_ext.put_price('CRE-B', 'EUR', 100), order_ext.put_price('CRE-B', 'USD', 90);
SELECT t.new('euro', 'CRE-B:1', user_id => 7127, options => '{"currency": "EUR"}');
SET order_ext.currency = 'USD';
SELECT t.new('dollar', 'CRE-B:1', user_id => 7127);
RESET order_ext.currency;
SELECT t.order('euro'), t.order('dollar');

-- a pitfall that the README names: one call for each column, unless there is a request_id
SELECT count(*) FROM (SELECT (order_ext.create_order(7128, '[{"sku": "CRE-B", "quantity": 1}]', 100)).* OFFSET 0) AS s;
SELECT count(*) AS orders FROM order_ext.orders_view WHERE user_id = 7128;
SELECT count(*) FROM (SELECT (order_ext.create_order(7129, '[{"sku": "CRE-B", "quantity": 1}]', 100, request_id => 'pitfall')).* OFFSET 0) AS s;
SELECT count(*) AS orders FROM order_ext.orders_view WHERE user_id = 7129;

SELECT * FROM order_ext.verify() WHERE severity = 'error';
