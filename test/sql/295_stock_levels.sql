-- Levels are what the ledger adds up to, whatever is folded: random movements against a model.
SET order_ext.pay_timeout = '1 d';
SELECT count(order_ext.put_product('LV-' || n, 'level ' || n, 100)) FROM generate_series(1, 4) AS n;
SELECT * FROM order_ext.stock_level('LV-1');
SELECT * FROM order_ext.stock_level('LV-none');

CREATE TABLE t.levels (sku text PRIMARY KEY, available bigint, reserved bigint, consumed bigint);
INSERT INTO t.levels SELECT 'LV-' || n, 0, 0, 0 FROM generate_series(1, 4) AS n;
CREATE TABLE t.held (order_id bigint, sku text, quantity bigint);

-- What differs: the model, stock_level(), the view, and the sum of all of the ledger.
CREATE FUNCTION t.levels_differ() RETURNS bigint LANGUAGE sql AS $$
	SELECT count(*) FROM t.levels m
	JOIN order_ext_internal.products p USING (sku)
	CROSS JOIN LATERAL order_ext.stock_level(sku) l
	LEFT JOIN order_ext_internal.stock v USING (product_id)
	LEFT JOIN (SELECT product_id, sum(available_delta) AS a, sum(reserved_delta) AS r, sum(consumed_delta) AS c
			   FROM order_ext_internal.stock_ledger GROUP BY 1) s USING (product_id)
	WHERE (m.available, m.reserved, m.consumed) IS DISTINCT FROM (l.available, l.reserved, l.consumed)
		OR (m.available, m.reserved, m.consumed) IS DISTINCT FROM (v.available, v.reserved, v.consumed)
		OR (m.available, m.reserved, m.consumed) IS DISTINCT FROM (coalesce(s.a, 0), coalesce(s.r, 0), coalesce(s.c, 0))
$$;

-- A movement; what is refused changes nothing, and is refused if and only if the model says so.
CREATE FUNCTION t.move(n integer) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	what text := (ARRAY['adjust', 'buy', 'buy', 'buy', 'release', 'ship'])[1 + floor(random() * 6)];
	product text := 'LV-' || 1 + floor(random() * 4);
	q bigint := 1 + floor(random() * 5);
	there bigint := (SELECT available FROM t.levels WHERE sku = product);
	o t.held;
	expected boolean := true;
BEGIN
	IF what IN ('release', 'ship') THEN
		SELECT * INTO o FROM t.held ORDER BY random() LIMIT 1;
		IF NOT FOUND THEN RETURN 'nothing'; END IF;
		DELETE FROM t.held WHERE order_id = o.order_id;
	END IF;
	CASE what
		WHEN 'adjust' THEN
			q := q * (CASE WHEN random() < 0.4 THEN -3 ELSE 4 END);
			expected := there + q >= 0;
			PERFORM order_ext.adjust_stock(product, q);
			UPDATE t.levels SET available = available + q WHERE sku = product;
		WHEN 'buy' THEN
			expected := there >= q;
			INSERT INTO t.held SELECT (order_ext.create_order(7295, t.items(product || ':' || q), 100 * q)).id, product, q;
			UPDATE t.levels SET available = available - q, reserved = reserved + q WHERE sku = product;
		WHEN 'release' THEN
			PERFORM order_ext.cancel_order(o.order_id);
			UPDATE t.levels SET available = available + o.quantity, reserved = reserved - o.quantity WHERE sku = o.sku;
		WHEN 'ship' THEN
			PERFORM order_ext.pay_callback(o.order_id, 'LV-' || o.order_id, 'wechat', 100 * o.quantity);
			PERFORM order_ext.shipment_event(o.order_id, 'LV-' || o.order_id, 'out_stock');
			UPDATE t.levels SET consumed = consumed + o.quantity, reserved = reserved - o.quantity WHERE sku = o.sku;
	END CASE;
	IF NOT expected THEN RAISE EXCEPTION 'not refused: % % of %', what, q, there; END IF;
	RETURN what;
EXCEPTION WHEN SQLSTATE 'OE201' THEN
	IF expected THEN RAISE EXCEPTION 'refused: % % of %', what, q, there; END IF;
	RETURN 'refused';
END
$$;

-- Each in a transaction of its own, with what its messages ask for; now and then a rollback.
CREATE PROCEDURE t.movements(n integer) LANGUAGE plpgsql AS $$
BEGIN
	FOR i IN 1 .. n LOOP
		IF t.move(i) IN ('adjust', 'buy', 'refused') THEN
			PERFORM t.move(i);
		END IF;
		IF random() < 0.1 THEN ROLLBACK; ELSE COMMIT; END IF;
		PERFORM t.drain();
		COMMIT;
		IF t.levels_differ() > 0 THEN
			RAISE EXCEPTION 'after movement %', i;
		END IF;
	END LOOP;
END
$$;
SELECT setseed(0.295);
CALL t.movements(250);
SELECT t.levels_differ();
SELECT count(*) > 80 AS sold, bool_or(status = 'canceled') AS released, bool_or(status = 'out_stock') AS shipped
FROM order_ext.orders_view WHERE user_id = 7295;

-- They are folded on the way, and what a newer fold replaces goes.
SELECT min(n) > 0 AS folded, max(n) < 4 AS few, max(newest) > 3 AS many_times FROM (
	SELECT count(*) AS n, max(fold_id) AS newest FROM order_ext_internal.stock_folds
	JOIN order_ext_internal.products USING (product_id) WHERE sku LIKE 'LV-%' GROUP BY product_id) AS f;
-- Without folds the levels are the same, and after maintain() they are there again.
BEGIN;
SET LOCAL session_replication_role = replica;
DELETE FROM order_ext_internal.stock_folds;
COMMIT;
SELECT t.levels_differ();
SELECT order_ext.maintain() >= 0 AS maintained;
SELECT t.levels_differ(), count(*) AS folds FROM order_ext_internal.stock_folds
JOIN order_ext_internal.products USING (product_id) WHERE sku LIKE 'LV-%';

-- Rows that come from elsewhere get this transaction's id; folds do not come.
BEGIN;
INSERT INTO order_ext_internal.stock_ledger (order_id, product_id, ref, available_delta, reserved_delta, consumed_delta, at, kind, xid)
SELECT 0, product_id, 1000000000, 5, 0, 0, now(), t.code('ledger_kind', 'adjust'), '7' FROM order_ext_internal.products WHERE sku = 'LV-1'
RETURNING xid = pg_current_xact_id();
INSERT INTO order_ext_internal.stock_folds SELECT product_id, 1000000000, 1, 1, 1, '3:3:' FROM order_ext_internal.products WHERE sku = 'LV-1';
SET LOCAL session_replication_role = replica;
INSERT INTO order_ext_internal.stock_folds SELECT product_id, 1000000000, 1, 1, 1, '3:3:' FROM order_ext_internal.products WHERE sku = 'LV-1';
INSERT INTO order_ext_internal.stock_ledger (order_id, product_id, ref, available_delta, reserved_delta, consumed_delta, at, kind, xid)
SELECT 0, product_id, 1000000001, 5, 0, 0, now(), t.code('ledger_kind', 'adjust'), '7' FROM order_ext_internal.products WHERE sku = 'LV-1'
RETURNING xid = pg_current_xact_id();
UPDATE t.levels SET available = available + 10 WHERE sku = 'LV-1';
SELECT t.levels_differ();
ROLLBACK;

-- In one transaction: what it moves counts for it at once, as far as it is not rolled back; and an
-- order reads a constant, however many were before it.
CREATE FUNCTION t.ledger_reads() RETURNS bigint LANGUAGE sql AS $$
	SELECT pg_stat_get_xact_tuples_returned('order_ext_internal.stock_ledger_product_id'::regclass)
$$;
SELECT order_ext.put_product('LV-many', 'many', 100);
SELECT available FROM order_ext.adjust_stock('LV-many', 250);
BEGIN;
SELECT count(order_ext.create_order(7296, t.items('LV-many:1'), 100)) FROM generate_series(1, 200);
SELECT t.ledger_reads() AS before \gset
SELECT count(order_ext.create_order(7296, t.items('LV-many:1'), 100)) FROM generate_series(1, 5);
SELECT t.ledger_reads() - :before < 50 AS constant;
SAVEPOINT s;
SELECT available FROM order_ext.adjust_stock('LV-many', 30);
SELECT count(order_ext.create_order(7296, t.items('LV-many:25'), 2500)) FROM generate_series(1, 3);
SELECT t.go($$order_ext.create_order(7296, t.items('LV-many:1'), 100)$$);
ROLLBACK TO s;
SELECT * FROM order_ext.stock_level('LV-many');
SELECT t.go($$order_ext.create_order(7296, t.items('LV-many:46'), 4600)$$);
SELECT t.go($$order_ext.create_order(7296, t.items('LV-many:45'), 4500)$$);
SELECT t.go($$order_ext.create_order(7296, t.items('LV-many:1'), 100)$$);
SELECT * FROM order_ext.stock_level('LV-many');
COMMIT;
SELECT * FROM order_ext.stock_level('LV-many');

-- All lines that are short are listed, with what is there.
SELECT available FROM order_ext.adjust_stock('LV-many', 1);
SELECT order_ext.put_product('LV-few', 'few', 100), order_ext.put_product('LV-none', 'none', 100), (order_ext.adjust_stock('LV-few', 2)).available;
SELECT order_ext.create_order(7296, t.items('LV-none:1,LV-few:2,LV-many:2'), 500);
SELECT order_ext.create_order(7296, t.items('LV-few:3,LV-many:1'), 400);
SELECT * FROM order_ext.stock_level('LV-few');

-- As many units as fit a bigint, and no more, and none less than none.
SELECT available FROM order_ext.adjust_stock('LV-few', 9223372036854775805);
SELECT order_ext.adjust_stock('LV-few', 1);
SELECT order_ext.adjust_stock('LV-few', -9223372036854775808);
SELECT available FROM order_ext.adjust_stock('LV-few', -9223372036854775807);
SELECT order_ext.adjust_stock('LV-few', -9223372036854775808);
SELECT order_ext.adjust_stock('LV-few', -1);
SELECT * FROM order_ext.stock_level('LV-few');
SELECT * FROM order_ext.verify() WHERE severity = 'error';
