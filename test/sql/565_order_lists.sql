-- Pages of orders: list_orders, search_orders, find_order; and list_coupons.
\set VERBOSITY sqlstate
SELECT order_ext.put_product('LIST-1', 'Lamp', 1000), order_ext.put_product('LIST-2', 'Bulb', 50),
	order_ext.put_product('LIST-3', 'Manual', 0, 'virtual');
SELECT available FROM order_ext.set_stock('LIST-1', 100);
SELECT available FROM order_ext.set_stock('LIST-2', 100);
SELECT available FROM order_ext.set_stock('LIST-3', 100);

-- What the rows of a page are, by the application's numbers; ids differ from run to run.
CREATE FUNCTION t.page(rows jsonb[]) RETURNS text LANGUAGE sql
	RETURN (SELECT string_agg(r->>'external_id', ' ' ORDER BY r->>'external_id' COLLATE "C") FROM unnest(rows) AS r);
CREATE FUNCTION t.found(filter jsonb, before bigint DEFAULT NULL, max_orders integer DEFAULT 50) RETURNS text LANGUAGE sql
	RETURN (SELECT t.page(array_agg(r)) FROM order_ext.search_orders($1, $2, $3) AS r);
CREATE FUNCTION t.listed(user_id bigint, statuses text[] DEFAULT NULL) RETURNS text LANGUAGE sql
	RETURN (SELECT t.page(array_agg(r)) FROM order_ext.list_orders($1, $2) AS r);

-- a life each, with what a buyer wrote
SELECT t.remember('LIST coupon', order_ext.issue_coupon(7565, 30));
SELECT t.new('list-1', 'LIST-1:1,LIST-2:2:secret', t.id('LIST coupon'), user_id => 7565,
	options => '{"external_id": "list-1", "address": {"street": "secret"}, "remark": "secret"}');
SELECT t.new('list-2', 'LIST-2:4', user_id => 7565, options => '{"external_id": "list-2"}');
SELECT t.new('list-3', 'LIST-1:2,LIST-3:1', user_id => 7565, options => '{"external_id": "list-3", "channel": "list-none"}');
SELECT t.new('list-4', 'LIST-1:1', user_id => 7566, options => '{"external_id": "list-4"}');
SELECT t.new('list-5', 'LIST-2:1', user_id => 7565, options => '{"external_id": "list-5"}');
SELECT (order_ext.pay_callback(t.id('list-3'), 'T-list-3', 'list-pay', t.due('list-3'))).disposition;
SELECT t.drain();
SELECT t.show(order_ext.shipment_event(t.id('list-3'), kind, kind)) FROM unnest(ARRAY['out_stock', 'delivering', 'signed']) AS kind;
SELECT t.remember('list-3 after-sale', (order_ext.apply_after_sale(t.id('list-3'), 7565, 'return_refund',
	'[{"sku": "LIST-1", "quantity": 1}]', 'secret')).id);
SELECT t.show(order_ext.cancel_order(t.id('list-5'), 7565));

-- ---- list_orders ----

-- all of a buyer, newest first
SELECT t.listed(7565), t.listed(7566), t.listed(7567) IS NULL AS none;
SELECT array_agg((r->>'order_id')::bigint ORDER BY n) = (SELECT array_agg(order_id ORDER BY order_id DESC)
	FROM order_ext.orders_view WHERE user_id = 7565) AS newest_first
FROM order_ext.list_orders(7565) WITH ORDINALITY AS l (r, n);

-- what a row is
SELECT string_agg(key, ' ' ORDER BY key COLLATE "C")
FROM order_ext.list_orders(7565) AS r, jsonb_object_keys(r) AS key WHERE r->>'external_id' = 'list-1';
SELECT r - 'order_id' - 'coupon_id' - 'created_at' - 'expire_at' - 'items' - 'allowed_actions' AS list_1,
	r->>'order_id' = t.id('list-1')::text AS id, r->>'coupon_id' = t.id('LIST coupon')::text AS coupon
FROM order_ext.list_orders(7565) AS r WHERE r->>'external_id' = 'list-1';
SELECT item FROM order_ext.list_orders(7565) AS r, jsonb_array_elements(r->'items') AS item WHERE r->>'external_id' = 'list-1';
-- the same as of get_order, where that has it
SELECT r->>'external_id' AS "order", key
FROM order_ext.list_orders(7565) AS r, order_ext.get_order((r->>'order_id')::bigint) AS o, jsonb_each(r) AS e (key, value)
WHERE key NOT IN ('items', 'after_sales', 'coupon_id', 'allowed_actions') AND value IS DISTINCT FROM o->key;
-- nothing that a buyer wrote
SELECT count(*) FILTER (WHERE r::text ~ 'secret|attributes|options') AS leaks, count(*) FROM order_ext.list_orders(7565) AS r;
SELECT count(*) FILTER (WHERE r::text ~ 'secret|attributes|options') AS leaks, count(*) FROM order_ext.search_orders('{"user_id": 7565}') AS r;
-- after-sales that are open
SELECT r->>'external_id' AS "order", a - 'after_sale_id' - 'applied_at', a->>'after_sale_id' = t.id('list-3 after-sale')::text AS id
FROM order_ext.list_orders(7565) AS r, jsonb_array_elements(r->'after_sales') AS a;
-- what allowed_actions says, of whatever other tests have left, too
SELECT r->>'external_id' AS "order", r->>'status' AS status, r->'allowed_actions' AS allowed
FROM order_ext.list_orders(7565) AS r ORDER BY 1;
SELECT count(*) > 3 AS many, count(*) FILTER (WHERE r->'allowed_actions' IS DISTINCT FROM
	(SELECT coalesce(jsonb_agg(a.action ORDER BY a.n), '[]') FROM order_ext.allowed_actions((r->>'order_id')::bigint) WITH ORDINALITY AS a (action, n))) AS different
FROM order_ext.search_orders('{}', max_orders => 1000) AS r;
SELECT t.show(order_ext.review_after_sale(t.id('list-3 after-sale'), false));
SELECT count(*) AS open FROM order_ext.list_orders(7565) AS r, jsonb_array_elements(r->'after_sales') AS a;

-- statuses
SELECT t.listed(7565, '{created}'), t.listed(7565, '{signed,canceled}'), t.listed(7565, '{paid}') IS NULL AS none;
-- without what the buyer removed; staff finds it
SELECT t.show(order_ext.remove_order(t.id('list-5'), 7565));
SELECT t.listed(7565), t.listed(7565, '{canceled}') IS NULL AS none, t.found('{"user_id": 7565}');
SELECT r->>'removed_at' IS NOT NULL AS removed FROM order_ext.search_orders('{"external_id": "list-5"}') AS r;

-- pages: each order once
WITH RECURSIVE page (before, ids) AS (
	SELECT NULL::bigint, '{}'::bigint[]
	UNION ALL
	SELECT next.ids[cardinality(next.ids)], next.ids
	FROM page, LATERAL (SELECT array_agg((r->>'order_id')::bigint ORDER BY n) AS ids
		FROM order_ext.list_orders(7565, before => page.before, max_orders => 2) WITH ORDINALITY AS l (r, n)) AS next
	WHERE next.ids IS NOT NULL)
SELECT count(DISTINCT before) AS pages, array_agg(id ORDER BY id DESC) FILTER (WHERE id IS NOT NULL) = (SELECT array_agg(order_id ORDER BY order_id DESC)
	FROM order_ext.orders_view WHERE user_id = 7565 AND removed_at IS NULL) AS all_of_them
FROM page LEFT JOIN LATERAL unnest(ids) AS id ON true;
SELECT count(*) FROM order_ext.list_orders(7565, NULL, NULL, 1);

-- ---- search_orders ----
SELECT t.found('{"user_id": 7565, "status": "created"}'), t.found('{"user_id": "7565", "status": ["created", "signed"]}');
SELECT t.found('{"external_id": "list-4"}'), t.found('{"external_id": "list-4", "user_id": 7565}') IS NULL AS another_users;
SELECT t.found('{"sku": "LIST-1"}'), t.found('{"sku": "LIST-2"}'), t.found('{"sku": "LIST-2", "user_id": 7565, "status": "canceled"}'),
	t.found('{"sku": "LIST-none"}') IS NULL AS unknown;
SELECT t.found('{"out_trade_no": " T-list-3 "}'), t.found('{"out_trade_no": "T-list-none"}') IS NULL AS unknown;
SELECT t.found('{"out_trade_no": "T-list-3", "external_id": "list-1"}') IS NULL AS not_both;
SELECT t.found(jsonb_build_object('id', t.id('list-2')::text)), t.found(jsonb_build_object('id', t.id('list-2'))),
	t.found(jsonb_build_object('id', t.id('list-3 after-sale')::text, 'user_id', 7565)),
	t.found(jsonb_build_object('id', p.payment_id::text, 'user_id', 7565)),
	t.found(jsonb_build_object('id', f.delivery_order::text, 'user_id', 7565))
FROM order_ext.payments_view p, order_ext.fulfilments_view f
WHERE p.out_trade_no = 'T-list-3' AND f.order_id = t.id('list-3');
SELECT t.found('{"text": "list-2"}'), t.found('{"text": "T-list-3"}'), t.found(jsonb_build_object('text', t.id('list-4')::text));
-- by the time of creation, whose bounds are included
SELECT created_at AS at FROM order_ext.orders_view WHERE order_id = t.id('list-2') \gset
SELECT t.found(jsonb_build_object('created_from', :'at', 'created_to', :'at')), t.found(jsonb_build_object('created_between', jsonb_build_array(:'at', :'at')));
SELECT t.found(jsonb_build_object('created_from', :'at', 'user_id', 7565)), t.found(jsonb_build_object('created_to', :'at', 'user_id', 7565)),
	t.found(jsonb_build_object('created_between', jsonb_build_array(NULL, :'at'), 'user_id', 7565)),
	t.found(jsonb_build_object('created_to', (:'at'::timestamptz - interval '1 microsecond'), 'user_id', 7565)),
	t.found(jsonb_build_object('created_from', (:'at'::timestamptz + interval '1 microsecond'), 'user_id', 7565));
SELECT t.found('{"created_from": "infinity"}') IS NULL AS never, t.found('{"created_to": "1999-12-31"}') IS NULL AS never,
	t.found('{"created_to": "2100-01-01", "created_from": "-infinity", "user_id": 7566}');
SELECT t.found('{"status": null, "user_id": 7566}'), count(*) FROM order_ext.search_orders('{}', max_orders => 2);
SELECT count(*) FROM order_ext.search_orders('{"sku": "LIST-2"}', NULL, 1);
-- a refund's number: several orders can have it
SELECT t.new('list-6', 'LIST-2:3', user_id => 7568, options => '{"external_id": "list-6"}'),
	t.new('list-7', 'LIST-2:3', user_id => 7568, options => '{"external_id": "list-7"}');
SELECT (order_ext.pay_callback(t.id(o), 'T-' || o, 'list-pay', t.due(o))).disposition FROM unnest(ARRAY['list-6', 'list-7']) AS o;
SELECT t.show(order_ext.cancel_order(t.id(o))) FROM unnest(ARRAY['list-6', 'list-7']) AS o;
SELECT t.drain();
SELECT (order_ext.refund_callback(refund_id, 'succeeded', 'G-list')).disposition
FROM order_ext.refunds_view WHERE order_id IN (t.id('list-6'), t.id('list-7'));
SELECT t.found('{"gateway_refund_no": "G-list"}'), t.found('{"gateway_refund_no": "G-list", "external_id": "list-6"}'),
	t.found('{"gateway_refund_no": "G-list", "user_id": 7565}') IS NULL AS another_users, t.found('{"text": "G-list", "status": "canceled"}');
SELECT count(*) FROM order_ext.search_orders('{"gateway_refund_no": "G-list"}', before => greatest(t.id('list-6'), t.id('list-7')));

-- ---- find_order ----
SELECT order_ext.find_order('list-2') = t.id('list-2') AS found;
SELECT order_ext.find_order('list-none');
SELECT order_ext.find_order(NULL);
SELECT order_ext.find_order('');

-- ---- list_coupons ----
SELECT t.remember('LIST later', order_ext.issue_coupon(7565, 40, valid_from => now() + interval '1 day'));
SELECT t.remember('LIST free', order_ext.issue_coupon(7565, 50, 100));
SELECT t.remember('LIST other', order_ext.issue_coupon(7566, 60));
SELECT c - 'coupon_id' - 'valid_from' - 'valid_until' - 'order_id' AS coupon, c->>'order_id' = t.id('list-1')::text AS by_list_1
FROM order_ext.list_coupons(7565) AS c;
SELECT string_agg(c->>'amount', ' ') AS usable FROM order_ext.list_coupons(7565, true) AS c;
SELECT string_agg(c->>'amount', ' ') AS others FROM order_ext.list_coupons(7565, false) AS c;
SELECT string_agg(c->>'amount', ' ') AS page FROM order_ext.list_coupons(7565, before => t.id('LIST free'), max_coupons => 1) AS c;
SELECT count(*) FROM order_ext.list_coupons(7567);
-- the view finds coupons by their order, and shows each once
SELECT amount, status FROM order_ext.coupons_view WHERE order_id = t.id('list-1');
SELECT string_agg(amount || ' ' || status, ', ' ORDER BY amount) FROM order_ext.coupons_view WHERE user_id = 7565;

-- ---- bad input names the argument ----
\set VERBOSITY default
SELECT code, message, hint FROM unnest(ARRAY[
	$$order_ext.list_orders(NULL)$$, $$order_ext.list_orders(0)$$, $$order_ext.list_orders(1, '{}')$$,
	$$order_ext.list_orders(1, '{new}')$$, $$order_ext.list_orders(1, ARRAY[NULL])$$, $$order_ext.list_orders(1, before => 0)$$,
	$$order_ext.list_orders(1, max_orders => 0)$$, $$order_ext.list_orders(1, max_orders => NULL)$$,
	$$order_ext.search_orders(NULL)$$, $$order_ext.search_orders('[]')$$, $$order_ext.search_orders('{"State": "paid"}')$$,
	$$order_ext.search_orders('{"userId": 1}')$$, $$order_ext.search_orders('{"status": "new"}')$$, $$order_ext.search_orders('{"status": []}')$$,
	$$order_ext.search_orders('{"status": 10}')$$, $$order_ext.search_orders('{"status": [null]}')$$,
	$$order_ext.search_orders('{"user_id": "x"}')$$, $$order_ext.search_orders('{"user_id": 1.5}')$$, $$order_ext.search_orders('{"user_id": -1}')$$,
	$$order_ext.search_orders('{"user_id": {}}')$$, $$order_ext.search_orders('{"id": 99999999999999999999}')$$, $$order_ext.search_orders('{"id": "9999999999999999999"}')$$,
	$$order_ext.search_orders('{"id": 0}')$$, $$order_ext.search_orders('{"created_from": "then"}')$$, $$order_ext.search_orders('{"created_to": 5}')$$,
	$$order_ext.search_orders('{"created_between": ["today"]}')$$, $$order_ext.search_orders('{"created_between": "today"}')$$,
	$$order_ext.search_orders('{"created_between": ["today", "x"]}')$$, $$order_ext.search_orders('{"created_between": ["today", null], "created_to": "today"}')$$,
	$$order_ext.search_orders('{"sku": ""}')$$, $$order_ext.search_orders('{"sku": 5}')$$, $$order_ext.search_orders('{"text": " "}')$$,
	format($$order_ext.search_orders('{"text": "%s"}')$$, repeat('x', 129)),
	$$order_ext.search_orders('{}', 0)$$, $$order_ext.search_orders('{}', max_orders => 0)$$,
	$$order_ext.list_coupons(NULL)$$, $$order_ext.list_coupons(-1)$$, $$order_ext.list_coupons(1, before => 0)$$, $$order_ext.list_coupons(1, max_coupons => 0)$$
]) WITH ORDINALITY AS calls (call, n), t.error(call) ORDER BY n;
SELECT string_agg(invariant, ', ') FROM order_ext.verify() WHERE severity = 'error';
