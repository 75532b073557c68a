-- set_price: a function of the application prices the lines; what it answers is checked, and whatever
-- it does, the order is created at its prices or refused with OE007, and nothing of it stays.
SELECT order_ext.put_product('PRC-1', 'Tea', 1000), order_ext.put_product('PRC-2', 'Cup', 333), order_ext.put_product('PRC-X', 'no price', 5, currency => 'JPY');
SELECT available FROM order_ext.adjust_stock('PRC-1', 100) UNION ALL SELECT available FROM order_ext.adjust_stock('PRC-2', 100) UNION ALL SELECT available FROM order_ext.adjust_stock('PRC-X', 10);
\set VERBOSITY sqlstate

-- answers by the remark of the order; asked: what it was asked
CREATE TABLE t.price_asked (n bigint GENERATED ALWAYS AS IDENTITY, request jsonb);
CREATE TABLE t.price_answers (remark text PRIMARY KEY, answer jsonb);
CREATE FUNCTION t.price(request jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO t.price_asked (request) VALUES (request);
	IF EXISTS (SELECT FROM t.price_answers a WHERE a.remark = request->'options'->>'remark') THEN
		RETURN (SELECT answer FROM t.price_answers a WHERE a.remark = request->'options'->>'remark');
	END IF;
	RETURN jsonb_build_object('lines', (
		SELECT jsonb_agg(jsonb_build_object('line', l.line, 'price', l.price - 1, 'discount', 10 * l.line))
		FROM jsonb_to_recordset(request->'lines') AS l (line integer, price bigint)));
END
$$;
SELECT order_ext.set_price('t.price(jsonb)', 'regress_handlers');

-- a price and a discount per line in a quote, in the order, and in what is read of it
SELECT order_ext.quote_order(7132, t.items('PRC-1:2,PRC-2:3:red'));
SELECT jsonb_pretty(request) FROM t.price_asked;
SELECT t.new('prc', 'PRC-1:2,PRC-2:3:red', user_id => 7132, request_id => 'prc-1');
SELECT line, sku, quantity, price, discount, pay FROM order_ext.order_items_view WHERE order_id = t.id('prc') ORDER BY line;
SELECT origin_amount, discount_amount, freight_amount, pay_amount FROM order_ext.orders_view WHERE order_id = t.id('prc');
SELECT detail - 'request_id' AS detail FROM order_ext.order_timeline(t.id('prc')) WHERE event = 'create';
-- a repetition is not asked about again, whatever the function would say now
SELECT count(*) FROM t.price_asked;
SELECT t.go($$order_ext.create_order(7132, t.items('PRC-1:2,PRC-2:3:red'), 2964, request_id => 'prc-1')$$);
SELECT count(*) FROM t.price_asked;

-- the amount is compared with its price; a coupon comes after it, its threshold counts what is left
SELECT code, detail FROM t.error($$order_ext.create_order(7132, t.items('PRC-1:1'), 1000)$$);
SELECT order_ext.issue_coupon(7132, 100, 989) AS coupon \gset
SELECT order_ext.issue_coupon(7132, 100, 990) AS dear \gset
SELECT order_ext.issue_coupon(7132, 5000) AS large \gset
SELECT order_ext.quote_order(7132, t.items('PRC-1:1'), :coupon) - 'currency';
SELECT code, detail FROM t.error(format($$order_ext.quote_order(7132, t.items('PRC-1:1'), %s)$$, :dear));
SELECT t.new('prc free', 'PRC-1:1,PRC-2:1', :large, user_id => 7132);
SELECT price, discount, pay FROM order_ext.order_items_view WHERE order_id = t.id('prc free') ORDER BY line;
SELECT t.new('prc coupon', 'PRC-1:3,PRC-2:1', :coupon, user_id => 7132);
SELECT price, discount, pay FROM order_ext.order_items_view WHERE order_id = t.id('prc coupon') ORDER BY line;
-- what is paid back goes by what is stored
SELECT t.show(order_ext.pay_callback(t.id('prc coupon'), 'T-prc', 'prc', t.due('prc coupon')));
SELECT t.drain();
SELECT t.show(order_ext.shipment_event(t.id('prc coupon'), 'e1', 'out_stock')), t.show(order_ext.shipment_event(t.id('prc coupon'), 'e2', 'delivering')), t.show(order_ext.confirm_receipt(t.id('prc coupon'), 7132));
SELECT order_ext.calculate_refund(t.id('prc coupon'), t.items('#1:1')), order_ext.calculate_refund(t.id('prc coupon'), t.items('#1:3,#2:1'));

-- ---- the order of checks: unknown sku, no price in the currency, then the hook, then the coupon ----
INSERT INTO t.price_answers VALUES ('null', NULL), ('zero', '{"lines": [{"line": 1, "price": 0, "discount": 0}]}');
SELECT t.go($$order_ext.create_order(7132, t.items('PRC-none:1'), 1, options => '{"remark": "null"}')$$) AS unknown_sku,
	t.go($$order_ext.create_order(7132, t.items('PRC-X:1'), 1, options => '{"remark": "null"}')$$) AS no_price,
	t.go($$order_ext.create_order(7132, t.items('PRC-1:1'), 1, 424242, options => '{"remark": "null"}')$$) AS before_coupon,
	t.go($$order_ext.create_order(7132, t.items('PRC-1:1'), 1, 424242)$$) AS coupon,
	t.go($$order_ext.create_order(7132, t.items('PRC-1:1'), 1)$$) AS amount,
	t.go($$order_ext.create_order(7132, t.items('PRC-1:1000'), 1, options => '{"remark": "zero"}')$$) AS zero_differs,
	t.go($$order_ext.create_order(7132, t.items('PRC-1:1000'), 0, options => '{"remark": "zero"}')$$) AS stock;
-- nothing to pay: paid at once
SELECT t.new('prc gift', 'PRC-1:1', user_id => 7132, options => '{"remark": "zero"}');
SELECT t.order('prc gift');

-- ---- answers that are none ----
INSERT INTO t.price_answers VALUES
	('scalar', '1'), ('array', '[]'), ('empty', '{}'), ('no array', '{"lines": {}}'), ('no lines', '{"lines": []}'),
	('null lines', '{"lines": null}'),
	('unknown key', '{"lines": [], "total": 1}'),
	('unknown key of a line', '{"lines": [{"line": 1, "price": 1, "discount": 0, "Price": 2}, {"line": 2, "price": 1}]}'),
	('no object', '{"lines": [1, 2]}'),
	('no line', '{"lines": [{"price": 1, "discount": 0}, {"line": 2, "price": 1}]}'),
	('missing line', '{"lines": [{"line": 2, "price": 1, "discount": 0}]}'),
	('twice', '{"lines": [{"line": 1, "price": 1}, {"line": 1, "price": 1}]}'),
	('line 3', '{"lines": [{"line": 1, "price": 1}, {"line": 2, "price": 1}, {"line": 3, "price": 1}]}'),
	('line 0', '{"lines": [{"line": 0, "price": 1}]}'),
	('line as text', '{"lines": [{"line": "1", "price": 1}]}'),
	('no price', '{"lines": [{"line": 1, "discount": 0}]}'),
	('null price', '{"lines": [{"line": 1, "price": null}]}'),
	('text', '{"lines": [{"line": 1, "price": "1"}]}'),
	('fraction', '{"lines": [{"line": 1, "price": 1.5}]}'),
	('negative', '{"lines": [{"line": 1, "price": -1}]}'),
	('negative discount', '{"lines": [{"line": 1, "price": 1, "discount": -1}]}'),
	('null discount', '{"lines": [{"line": 1, "price": 1, "discount": null}]}'),
	('half a discount', '{"lines": [{"line": 1, "price": 1, "discount": 0.5}]}'),
	('too much off', '{"lines": [{"line": 1, "price": 1, "discount": 3}]}'),
	('more than 63 bits', '{"lines": [{"line": 1, "price": 9223372036854775808}]}'),
	('product', '{"lines": [{"line": 1, "price": 9223372036854775807}]}'),
	('sum', '{"lines": [{"line": 1, "price": 4611686018427387903}, {"line": 2, "price": 9223372036854775807}]}'),
	('large exponent', '{"lines": [{"line": 1, "price": 1e400}]}');
SELECT t.digest() AS before \gset
SELECT a.remark, e.code, e.detail
FROM t.price_answers a, t.error(format($$order_ext.create_order(7132, t.items('PRC-1:2,PRC-2:1'), 2, options => jsonb_build_object('remark', %L::text))$$, a.remark)) e
WHERE a.remark <> 'zero' ORDER BY a.remark COLLATE "C";
SELECT t.changed_since(:'before') AS changed;
SELECT message, hint FROM t.error($$order_ext.quote_order(7132, t.items('PRC-1:2'), options => '{"remark": "empty"}')$$);
-- whole numbers may be written with zeros behind the point; no discount is 0
INSERT INTO t.price_answers VALUES ('zeros', '{"lines": [{"line": 2, "price": 7}, {"line": 1.0, "price": 12.00, "discount": 24.0}]}');
SELECT order_ext.quote_order(7132, t.items('PRC-1:2,PRC-2:1'), options => '{"remark": "zeros"}')->'items';

-- ---- what it does to the session ----
CREATE FUNCTION t.price_does(request jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE request->'options'->>'do';
	RETURN '{"lines": [{"line": 1, "price": 50, "discount": 0}]}';
END
$$;
SELECT order_ext.set_price('t.price_does(jsonb)', 'regress_handlers');
CREATE FUNCTION t.price_go(statement text, OUT code text, OUT detail text) LANGUAGE sql AS $$
	SELECT e.code, e.detail FROM t.error(format(
		$s$order_ext.create_order(7132, t.items('PRC-1:1'), 50, options => jsonb_build_object('do', %L::text))$s$, statement)) e;
$$;
CREATE TEMP TABLE price_temp (a integer);
INSERT INTO price_temp VALUES (1);
PREPARE price_own AS SELECT 1;
SELECT pg_advisory_lock(7133);
SELECT statement, g.* FROM unnest(ARRAY[
	$$DO 'BEGIN RAISE EXCEPTION ''not for you'' USING DETAIL = ''you know why''; END'$$,
	$$DO 'BEGIN RAISE EXCEPTION ''busy'' USING ERRCODE = ''55P03''; END'$$,
	$$DO 'BEGIN RAISE EXCEPTION ''mine'' USING ERRCODE = ''OE002''; END'$$,
	'RESET ROLE', 'SET ROLE order_ext_owner', 'SET SESSION AUTHORIZATION DEFAULT', 'SET ROLE regress_handlers',
	'CREATE TEMP TABLE price_left (a integer)', 'DROP TABLE price_temp',
	'DECLARE price_cursor CURSOR WITH HOLD FOR SELECT 1', 'LISTEN price_channel', 'DISCARD ALL',
	'PREPARE price_left AS SELECT 1', 'DEALLOCATE ALL', 'DEALLOCATE price_own',
	'SELECT pg_advisory_lock(7134)', 'SELECT pg_advisory_unlock_all()', 'SELECT pg_advisory_unlock(7133)',
	'COMMIT', 'SAVEPOINT a', 'UPDATE order_ext_internal.orders SET pay_amount = 0', 'SELECT id_secret FROM order_ext_internal.instance',
	$$SELECT order_ext.create_order(7132, '[{"sku": "PRC-1", "quantity": 1}]', 50, options => '{"do": "SELECT 1"}')$$,
	$$SELECT order_ext.quote_order(7132, '[{"sku": "PRC-1", "quantity": 1}]')$$,
	$$DO 'BEGIN PERFORM 1 / 0; EXCEPTION WHEN division_by_zero THEN NULL; END'$$,
	$$SELECT set_config('order_ext.lock_timeout', '77ms', false), set_config('search_path', 't', false), set_config('application_name', 'price', false)$$,
	'SET SESSION statement_timeout = 1', 'SELECT pg_advisory_xact_lock(7135)']) WITH ORDINALITY AS s (statement, n),
	t.price_go(statement) g ORDER BY n;
SHOW order_ext.lock_timeout;
SHOW search_path;
SHOW statement_timeout;
SELECT current_setting('application_name') = 'price' AS left_behind, current_user = session_user AS same_role;
SELECT name FROM pg_prepared_statements ORDER BY name;
SELECT objid FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid() AND objsubid = 1;
SELECT relname FROM pg_class WHERE relname LIKE 'price\_%' AND relpersistence = 't';
SELECT * FROM price_temp;
DEALLOCATE price_own;
SELECT pg_advisory_unlock(7133);

-- ---- its time ----
SET order_ext.handler_timeout = '50ms';
SELECT * FROM t.price_go('SELECT pg_sleep(60)');
-- caught, and answered all the same: too late
SELECT * FROM t.price_go($$DO 'BEGIN PERFORM pg_sleep(60); EXCEPTION WHEN query_canceled THEN NULL; END'$$);
RESET order_ext.handler_timeout;
-- a cancel by the caller is one, and is no reason of the hook's
SET statement_timeout = '50ms';
SELECT order_ext.create_order(7132, t.items('PRC-1:1'), 50, options => '{"do": "SELECT pg_sleep(60)"}');
RESET statement_timeout;
-- what the caller can try again passes through
SELECT t.go($$order_ext.create_order(7132, t.items('PRC-1:1'), 50, options => jsonb_build_object('do', 'DO ''BEGIN RAISE serialization_failure; END'''))$$),
	t.go($$order_ext.create_order(7132, t.items('PRC-1:1'), 50, options => jsonb_build_object('do', 'DO ''BEGIN RAISE deadlock_detected; END'''))$$);
BEGIN READ ONLY;
SELECT order_ext.quote_order(7132, t.items('PRC-1:1'), options => '{"do": "DELETE FROM t.price_asked"}');
ROLLBACK;
BEGIN READ ONLY;
SELECT order_ext.quote_order(7132, t.items('PRC-1:1'), options => '{"do": "SELECT 1"}')->'pay_amount' AS reads_only;
ROLLBACK;
-- a risk check may ask for a quote; then both run
CREATE FUNCTION t.price_risk(request jsonb) RETURNS text LANGUAGE sql AS $$
	SELECT 'costs ' || (order_ext.quote_order((request->>'user_id')::bigint, request->'items', options => request->'options')->>'pay_amount') $$;
SELECT order_ext.set_risk_check('t.price_risk(jsonb)', 'regress_handlers');
SELECT * FROM t.price_go('SELECT 1');
SELECT * FROM t.price_go('SELECT pg_advisory_lock(7136)');
CREATE OR REPLACE FUNCTION t.price_risk(request jsonb) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM order_ext.quote_order((request->>'user_id')::bigint, request->'items', options => '{"do": "SELECT 1"}');
	PERFORM pg_advisory_lock(7137);
	RETURN NULL;
END
$$;
SELECT code, message FROM t.error($$order_ext.create_order(7132, t.items('PRC-1:1'), 50, options => '{"do": "SELECT 1"}')$$);
-- nor does the risk check call itself
CREATE OR REPLACE FUNCTION t.price_risk(request jsonb) RETURNS text LANGUAGE sql AS $$
	SELECT (order_ext.create_order(7132, request->'items', 50, options => request->'options')).status $$;
SELECT code, message FROM t.error($$order_ext.create_order(7132, t.items('PRC-1:1'), 50, options => '{"do": "SELECT 1"}')$$);
SELECT order_ext.set_risk_check(NULL);

-- ---- who may be one, and who may set it ----
CREATE FUNCTION t.price_text(request jsonb) RETURNS text LANGUAGE sql AS 'SELECT NULL';
CREATE FUNCTION t.price_set(request jsonb) RETURNS SETOF jsonb LANGUAGE sql AS 'SELECT $1';
SELECT code, message, detail FROM t.error($$order_ext.set_price('t.price_text(jsonb)', 'regress_handlers')$$);
SELECT t.go($$order_ext.set_price('t.price_set(jsonb)', 'regress_handlers')$$), t.go($$order_ext.set_price('t.no_such(jsonb)')$$), t.go($$order_ext.set_price(424242, 'regress_handlers')$$),
	t.go($$order_ext.set_price('t.price(jsonb)', 'pg_monitor')$$), t.go($$order_ext.set_price('t.price(jsonb)', 'order_ext_owner')$$);
SELECT code, replace(message, quote_ident(current_user), '(me)') AS message, hint FROM t.error($$order_ext.set_price('t.price(jsonb)')$$);
CREATE ROLE regress_pricer;
SET ROLE regress_pricer;
SELECT order_ext.set_price(NULL);
RESET ROLE;
-- a role that becomes a superuser, or is dropped, prices nothing; no order passes
GRANT USAGE ON SCHEMA t TO regress_pricer;
SELECT order_ext.set_price('t.price_does(jsonb)', 'regress_pricer');
SELECT * FROM t.price_go('SELECT 1');
ALTER ROLE regress_pricer SUPERUSER;
SELECT * FROM t.price_go('SELECT 1');
SELECT severity, entity, expected, actual FROM order_ext.verify('I15') WHERE entity LIKE 'price hook%';
ALTER ROLE regress_pricer NOSUPERUSER;
ALTER ROLE regress_pricer RENAME TO regress_pricer_new;
SELECT * FROM t.price_go('SELECT 1');
SELECT order_ext.maintain() IS NOT NULL AS maintained;
SELECT price_role FROM order_ext_internal.instance;
REVOKE USAGE ON SCHEMA t FROM regress_pricer_new;
DROP ROLE regress_pricer_new;
CREATE ROLE regress_pricer;
SELECT * FROM t.price_go('SELECT 1');
SELECT severity, entity, expected, actual FROM order_ext.verify('I15') WHERE entity LIKE 'price hook%';
DROP ROLE regress_pricer;
-- a function that is dropped is not a price of the catalog
SELECT order_ext.set_price('t.price_does(jsonb)', 'regress_handlers');
DROP FUNCTION t.price_does(jsonb);
SELECT * FROM t.price_go('SELECT 1');

-- NULL removes it
SELECT order_ext.set_price(NULL);
SELECT order_ext.quote_order(7132, t.items('PRC-1:1'))->'pay_amount' AS catalog;
SELECT * FROM order_ext.verify() WHERE severity = 'error';
DROP TABLE t.price_asked, t.price_answers;
DROP FUNCTION t.price(jsonb), t.price_go, t.price_risk(jsonb), t.price_text(jsonb), t.price_set(jsonb);
