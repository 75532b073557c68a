-- Ten thousand orders in one call of import_orders(); last, since verify() then has them to look at.
SELECT order_ext.put_product('IN-A', 'a', 1000), order_ext.put_product('IN-B', 'b', 500);
SELECT order_ext.set_stock('IN-A', 100000), order_ext.set_stock('IN-B', 100000);
CREATE FUNCTION t.im_many(external_id text, status text) RETURNS jsonb LANGUAGE sql
	RETURN jsonb_build_object('external_id', external_id, 'user_id', 7790, 'status', status,
		'items', '[{"sku": "IN-A", "quantity": 2, "price": 1000, "discount": 100}, {"sku": "IN-B", "quantity": 1, "price": 500}]'::jsonb,
		'freight', 50, 'pay_amount', 2450, 'created_at', '2025-01-05T10:00:00Z')
		|| CASE status WHEN 'created' THEN '{"expire_at": "2100-01-01T00:00:00Z"}'::jsonb
			ELSE jsonb_build_object('payments', jsonb_build_array(jsonb_build_object('pay_type', 'wechat',
				'out_trade_no', 'T-' || external_id, 'paid_at', '2025-01-05T10:05:00Z'))) END;
SELECT disposition, count(*) FROM order_ext.import_orders((
	SELECT jsonb_agg(t.im_many('IN-many-' || n, (ARRAY['created', 'paid', 'fulfilling', 'out_stock', 'delivering', 'signed'])[n % 6 + 1]))
	FROM generate_series(1, 10000) AS n)) GROUP BY 1;
SELECT status, count(*) FROM order_ext.orders_view WHERE external_id LIKE 'IN-many-%' GROUP BY status ORDER BY min(status COLLATE "C");
SELECT t.drain();
SELECT status, count(*) FROM order_ext.orders_view WHERE external_id LIKE 'IN-many-%' GROUP BY status ORDER BY min(status COLLATE "C");
SELECT count(*) FROM order_ext.verify('full') WHERE severity = 'error';
