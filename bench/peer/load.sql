-- bench.load orders that were there before: over the last 30 days, 2 items each, 70 % paid,
-- 30 % canceled by timeout, with all their rows. See order_ext/load.sql for the other side.
SET search_path = peer;
SET synchronous_commit = off;

CREATE UNLOGGED TABLE public.gen AS
SELECT n, 10000000 + n AS order_id, 1 + n * 7919 % 100000 AS user_id, n % 10 < 7 AS paid,
	date_trunc('day', now()) - interval '30 days' + n * (interval '30 days' / x.total) AS created_at,
	1 + n * 31 % 500 AS a, 501 + n * 37 % 500 AS b
FROM (SELECT current_setting('bench.load')::bigint AS total) AS x,
	generate_series(1, x.total) AS n;
ANALYZE public.gen;

INSERT INTO orders (order_id, user_id, origin_amount, discount_amount, freight_amount, pay_amount,
					created_at, expire_at, paid_at, canceled_at, version, status, cancel_type,
					currency, options)
OVERRIDING SYSTEM VALUE
SELECT order_id, user_id, 2000 + 10 * (a + b), 0, 0, 2000 + 10 * (a + b),
	created_at, created_at + interval '30 minutes',
	CASE WHEN paid THEN created_at + interval '1 minute' END,
	CASE WHEN NOT paid THEN created_at + interval '30 minutes' END,
	CASE WHEN paid THEN 3 ELSE 2 END, CASE WHEN paid THEN 20 ELSE 70 END,
	CASE WHEN NOT paid THEN 1 END, 'CNY', '{}'
FROM public.gen ORDER BY n;
ALTER SEQUENCE orders_order_id_seq RESTART 100000000;

INSERT INTO order_items (order_id, product_id, price, discount, pay, quantity, sku)
SELECT order_id, product_id, 1000 + 10 * product_id, 0, 1000 + 10 * product_id, 1, 'S-' || product_id
FROM public.gen, LATERAL (VALUES (a), (b)) AS i (product_id) ORDER BY n;

INSERT INTO stock_log (order_id, product_id, quantity, at, kind)
SELECT order_id, product_id, 1, created_at, kind
FROM public.gen, LATERAL (VALUES (a), (b)) AS i (product_id), LATERAL (VALUES (1), (2)) AS k (kind)
WHERE kind = 1 OR NOT paid ORDER BY n;

UPDATE stock AS s SET available = available - r.quantity, reserved = reserved + r.quantity
FROM (SELECT product_id, count(*) AS quantity
	  FROM public.gen, LATERAL (VALUES (a), (b)) AS i (product_id) WHERE paid GROUP BY 1) AS r
WHERE s.product_id = r.product_id;

INSERT INTO order_log (order_id, at, version, from_status, to_status, event, actor)
SELECT order_id, created_at, t.version, t.from_status, t.to_status, t.event, t.actor
FROM public.gen,
	LATERAL (VALUES (1, 0, 10, 'create', 'buyer', true), (2, 10, 10, 'pre_pay', 'buyer', paid),
					(3, 10, 20, 'pay', 'gateway', paid), (2, 10, 70, 'timeout', 'system', NOT paid))
		AS t (version, from_status, to_status, event, actor, applies)
WHERE t.applies ORDER BY n;

INSERT INTO payments (order_id, amount, created_at, captured_at, paid_at, status, pay_type,
					  out_trade_no, currency, purpose)
SELECT order_id, 2000 + 10 * (a + b), created_at, created_at, created_at, 20, 'wechat',
	'L' || n, 'CNY', 'applied'
FROM public.gen WHERE paid ORDER BY n;

INSERT INTO outbox (key, created_at, run_at, topic, payload)
SELECT order_id, created_at, created_at, t.topic,
	jsonb_build_object('order_id', order_id::text, 'user_id', user_id::text, 'version', t.version)
FROM public.gen, LATERAL (VALUES ('order.created', 1, true), ('order.paid', 3, paid),
								 ('order.canceled', 2, NOT paid)) AS t (topic, version, applies)
WHERE t.applies ORDER BY n;

DROP TABLE public.gen;
VACUUM (ANALYZE);
