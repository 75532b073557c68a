-- The same orders as in peer/load.sql, put into the internal tables by a superuser with
-- triggers off. The messages get an old xid, so that they are behind every group.
SET search_path = order_ext_internal;
SET session_replication_role = replica;
SET synchronous_commit = off;

-- Ids as next_order_id makes them: they scatter within a second only.
CREATE UNLOGGED TABLE public.gen AS
SELECT g.*, ((to_char(created_at AT TIME ZONE 'UTC', 'YYMMDD')::bigint * 100000
	+ extract(epoch FROM created_at)::bigint % 86400) * 100000
	+ n * 7919 % 100000) * 1000 + user_id % 1000 AS order_id
FROM (SELECT n, 1 + n * 7919 % 100000 AS user_id, n % 10 < 7 AS paid,
		date_trunc('day', now()) - interval '30 days' + n * (interval '30 days' / x.total) AS created_at,
		1 + n * 31 % 500 AS a, 501 + n * 37 % 500 AS b
	  FROM (SELECT current_setting('bench.load')::bigint AS total) AS x,
		generate_series(1, x.total) AS n) AS g;
ANALYZE public.gen;

INSERT INTO orders (order_id, user_id, origin_amount, discount_amount, freight_amount, pay_amount,
					created_at, expire_at, paid_at, canceled_at, version, status, cancel_type,
					currency, options)
SELECT order_id, user_id, 2000 + 10 * (a + b), 0, 0, 2000 + 10 * (a + b),
	created_at, created_at + interval '30 minutes',
	CASE WHEN paid THEN created_at + interval '1 minute' END,
	CASE WHEN NOT paid THEN created_at + interval '30 minutes' END,
	CASE WHEN paid THEN 4 ELSE 2 END, CASE WHEN paid THEN 30 ELSE 70 END,
	CASE WHEN NOT paid THEN 1 END, 'CNY', '{}'
FROM public.gen ORDER BY n;

INSERT INTO order_items (order_id, product_id, price, discount, pay, quantity, kind,
						 reservation, sku, line)
SELECT order_id, product_id, price, 0, price, 1, kind, CASE WHEN paid THEN 1 ELSE 3 END, sku, line
FROM public.gen, LATERAL (VALUES (a, 1), (b, 2)) AS i (nth, line)
	JOIN (products JOIN product_prices USING (product_id)) ON sku = 'S-' || nth AND currency = 'CNY'
ORDER BY n, line;

INSERT INTO stock_ledger (order_id, product_id, available_delta, reserved_delta, consumed_delta,
						  at, kind)
SELECT order_id, product_id, CASE k.kind WHEN 1 THEN -1 ELSE 1 END,
	CASE k.kind WHEN 1 THEN 1 ELSE -1 END, 0, created_at, k.kind
FROM public.gen, LATERAL (VALUES (a), (b)) AS i (nth) JOIN products ON sku = 'S-' || nth,
	LATERAL (VALUES (1), (2)) AS k (kind)
WHERE k.kind = 1 OR NOT paid ORDER BY n;

INSERT INTO transition_log (entity_id, order_id, at, xid, version, machine, from_status,
							to_status, event, actor, operator)
SELECT order_id, order_id, created_at, '3', t.version, 1, t.from_status, t.to_status, t.event,
	t.actor::"char", 'shop'
FROM public.gen,
	LATERAL (VALUES (1, -1, 10, 10, 'B', true), (2, 10, 10, 11, 'B', paid),
					(3, 10, 20, 40, 'G', paid), (4, 20, 30, 50, 'X', paid),
					(2, 10, 70, 30, 'X', NOT paid))
		AS t (version, from_status, to_status, event, actor, applies)
WHERE t.applies ORDER BY n;

INSERT INTO payments (payment_id, order_id, amount, created_at, captured_at, paid_at, version,
					  status, purpose, pay_type, out_trade_no, currency)
SELECT -n, order_id, 2000 + 10 * (a + b), created_at, created_at,
	created_at, 2, 20, 1, 'wechat', 'L' || n, 'CNY'
FROM public.gen WHERE paid ORDER BY n DESC;

INSERT INTO transition_log (entity_id, order_id, at, xid, version, machine, from_status,
							to_status, event, actor, operator)
SELECT -n, order_id, created_at, '3', t.version, 2, t.from_status, t.to_status, t.event,
	t.actor::"char", 'shop'
FROM public.gen,
	LATERAL (VALUES (1, -1, 10, 510, 'B'), (2, 10, 20, 520, 'G'))
		AS t (version, from_status, to_status, event, actor)
WHERE paid ORDER BY n DESC;

INSERT INTO fulfilments (order_id, created_at, version, status, external)
SELECT order_id, created_at, 1, 10, false FROM public.gen WHERE paid ORDER BY n;

INSERT INTO fulfilment_documents (order_id, document_id, created_at, kind, status)
SELECT order_id, -n, created_at, 1, 10 FROM public.gen WHERE paid ORDER BY n DESC;

INSERT INTO transition_log (entity_id, order_id, at, xid, version, machine, from_status,
							to_status, event, actor, operator, detail)
SELECT order_id, order_id, created_at, '3', 1, 7, -1, 10, 810, 'X', 'shop',
	jsonb_build_object('delivery_order', (-n)::text)
FROM public.gen WHERE paid ORDER BY n;

INSERT INTO message_log_0 (message_id, xid, key, published_at, topic_id, shard, payload)
SELECT nextval('message_id_seq'), '3', order_id, created_at, t.topic_id, n % 256,
	jsonb_build_object('order_id', order_id::text, 'user_id', user_id::text, 'version', m.version)
FROM public.gen,
	LATERAL (VALUES ('order.created', 1, true), ('order.paid', 3, paid),
					('fulfilment.requested', 4, paid),
					('order.canceled', 2, NOT paid), ('order.release_assets', 2, NOT paid),
					('stock.release', 2, NOT paid)) AS m (topic, version, applies)
	JOIN topics AS t ON t.name = m.topic
WHERE m.applies ORDER BY n;

DROP TABLE public.gen;
VACUUM (ANALYZE);
-- The ledger is folded as it would have been on the way.
RESET session_replication_role;
SELECT order_ext.maintain();
