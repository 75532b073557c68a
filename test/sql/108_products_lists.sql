-- put_products, retire_product, list_products, products_view.
\set VERBOSITY sqlstate

-- many at once: new ones, changed ones, and prices in several currencies
SELECT order_ext.put_product('MANY-2', 'Two, once', 1);
SELECT order_ext.put_products('[{"sku": "MANY-1", "name": "One", "price": 100}, {"sku": "MANY-2", "name": "Two", "price": 200, "kind": "virtual"},
	{"price": 15, "currency": "usd", "name": "One", "sku": "MANY-1"}, {"sku": "MANY-3", "name": "Drei", "price": 0, "kind": null, "currency": null}]');
SELECT p.sku, p.name, p.kind, p.retired_at, string_agg(currency || ' ' || price, ', ' ORDER BY currency) AS prices
FROM order_ext.products_view p LEFT JOIN order_ext.prices_view USING (sku) WHERE sku LIKE 'MANY-%' GROUP BY 1, 2, 3, 4 ORDER BY 1;
SELECT order_ext.put_products('[]');
SELECT order_ext.put_products(jsonb_agg(jsonb_build_object('sku', 'MANY-T-' || n, 'name', 'of thousands', 'price', n))) FROM generate_series(1, 3000) AS n;
SELECT count(*), sum(price) FROM order_ext.prices_view WHERE sku LIKE 'MANY-T-%';
SELECT order_ext.put_products(jsonb_agg(jsonb_build_object('sku', 'MANY-T-' || n, 'name', 'of thousands', 'price', 1))) FROM generate_series(1, 3000) AS n;
SELECT count(*), sum(price) FROM order_ext.prices_view WHERE sku LIKE 'MANY-T-%';

-- one that is bad stores none, and is named by its place
SELECT t.digest() AS before \gset
\set VERBOSITY default
SELECT code, message, hint FROM unnest(ARRAY[
	'null', '{}', '"x"', '[1]', '[{"sku": "MANY-4", "name": "Four", "price": 1}, {"sku": "MANY-5", "name": "Five"}]',
	'[{"sku": "MANY-4", "name": "Four", "price": 1}, {"sku": "MANY-5", "name": "Five", "price": 1, "Price": 2}]',
	'[{"sku": "MANY-4", "name": "Four", "price": 1}, {"sku": "MANY-5", "name": "Five", "price": -1}]',
	'[{"name": "Four", "price": 1}]', '[{"sku": "MANY-4", "price": 1}]', '[{"sku": "", "name": "Four", "price": 1}]', '[{"sku": 4, "name": "Four", "price": 1}]',
	'[{"sku": "MANY-4", "name": "Four", "price": "1"}]', '[{"sku": "MANY-4", "name": "Four", "price": 1.5}]', '[{"sku": "MANY-4", "name": "Four", "price": null}]',
	'[{"sku": "MANY-4", "name": "Four", "price": 9223372036854775808}]', '[{"sku": "MANY-4", "name": "Four", "price": 1, "kind": "food"}]',
	'[{"sku": "MANY-4", "name": "Four", "price": 1, "currency": "XYZ"}]',
	'[{"sku": "MANY-5", "name": "Five", "price": 1}, {"sku": "MANY-4", "name": "Four", "price": 1}, {"sku": "MANY-4", "name": "Four", "price": 2}]',
	'[{"sku": "MANY-4", "name": "Four", "price": 1}, {"sku": "MANY-4", "name": "Vier", "price": 2, "currency": "EUR"}]',
	'[{"sku": "MANY-4", "name": "Four", "price": 1}, {"sku": "MANY-4", "name": "Four", "price": 2, "currency": "EUR", "kind": "virtual"}]',
	format('[{"sku": "%s", "name": "Four", "price": 1}]', repeat('x', 129)), format('[{"sku": "MANY-4", "name": "%s", "price": 1}]', repeat('x', 1001))
]) WITH ORDINALITY AS bad (products, n), t.error(format('order_ext.put_products(%L)', products)) ORDER BY n;
SELECT code, message, detail FROM t.error($$order_ext.put_products((SELECT jsonb_agg('{}'::jsonb) FROM generate_series(1, 10001)))$$);
SELECT code, message FROM t.error($$order_ext.put_products(NULL)$$);
SELECT :'before' = t.digest()::text AS nothing_stored;
\set VERBOSITY sqlstate

-- list_products: by sku, with prices and what is available
SELECT available FROM order_ext.set_stock('MANY-1', 7);
SELECT p FROM order_ext.list_products('MANY-', 3) AS p;
SELECT p->>'sku' AS after_one FROM order_ext.list_products(after => 'MANY-1', max_products => 1) AS p;
-- by a part of the sku or the name, whatever its case; not a pattern
SELECT p->>'sku' AS drei FROM order_ext.list_products(search => 'dREI') AS p;
SELECT p->>'sku' AS by_sku FROM order_ext.list_products(search => 'many-t-299') AS p;
SELECT count(*) AS none FROM order_ext.list_products(search => 'MANY_%') AS p;
SELECT count(*) AS none FROM order_ext.list_products('MANY-3', search => 'drei') AS p;

-- retire_product: not for sale, to be put on sale again, as often as one likes
SELECT t.new('many order', 'MANY-1:2');
SELECT order_ext.retire_product('MANY-1');
SELECT retired_at AS was FROM order_ext.products_view WHERE sku = 'MANY-1' \gset
SELECT order_ext.retire_product('MANY-1');
SELECT retired_at = :'was' AS the_same FROM order_ext.products_view WHERE sku = 'MANY-1';
SELECT count(*) AS listed FROM order_ext.list_products('MANY-', 3) AS p WHERE p->>'sku' = 'MANY-1';
\set VERBOSITY default
SELECT code, message, detail, hint FROM unnest(ARRAY[
	$$order_ext.quote_order(7108, '[{"sku": "MANY-1", "quantity": 1}]')$$,
	$$order_ext.create_order(7108, '[{"sku": "MANY-3", "quantity": 1}, {"sku": "MANY-1", "quantity": 1}, {"sku": "MANY-1", "quantity": 1, "attributes": {"a": 1}}]', 200)$$,
	$$order_ext.create_order(7108, '[{"sku": "MANY-1", "quantity": 1}, {"sku": "MANY-none", "quantity": 1}]', 200)$$,
	$$order_ext.quote_order(7108, '[{"sku": "MANY-1", "quantity": 1}]', options => '{"currency": "JPY"}')$$,
	$$order_ext.retire_product('MANY-none')$$, $$order_ext.retire_product(NULL)$$, $$order_ext.retire_product('')$$, $$order_ext.retire_product('MANY-1', NULL)$$,
	$$order_ext.list_products('')$$, $$order_ext.list_products(max_products => 0)$$, $$order_ext.list_products(max_products => NULL)$$, $$order_ext.list_products(search => '')$$,
	format($$order_ext.list_products(search => '%s')$$, repeat('x', 1001))
]) WITH ORDINALITY AS calls (call, n), t.error(call) ORDER BY n;
\set VERBOSITY sqlstate
-- history stays: the order goes on, and is listed
SELECT (order_ext.pay_callback(t.id('many order'), 'T-many', 'many-pay', t.due('many order'))).disposition;
SELECT r->'items'->0->>'name' AS name FROM order_ext.search_orders(jsonb_build_object('sku', 'MANY-1')) AS r;
SELECT t.show(order_ext.cancel_order(t.id('many order')));
SELECT t.drain();
-- putting it changes it, not whether it is for sale
SELECT order_ext.put_product('MANY-1', 'One, new', 100), order_ext.put_products('[{"sku": "MANY-1", "name": "One, newer", "price": 100}]');
SELECT name, retired_at = :'was' AS retired FROM order_ext.products_view WHERE sku = 'MANY-1';
SELECT order_ext.retire_product('MANY-1', false);
SELECT order_ext.retire_product('MANY-1', retired => false);
SELECT order_ext.quote_order(7108, '[{"sku": "MANY-1", "quantity": 1}]')->'pay_amount' AS pay_amount;
