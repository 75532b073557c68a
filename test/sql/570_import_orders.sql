-- import_orders(): open orders of another system go on here.
SELECT order_ext.put_product('IM-A', 'a', 1000), order_ext.put_product('IM-B', 'b', 500), order_ext.put_product('IM-V', 'v', 100, 'virtual');
SELECT order_ext.set_stock('IM-A', 30), order_ext.set_stock('IM-B', 30), order_ext.set_stock('IM-V', 30);
SELECT order_ext.set_channel('im-outside', true);

-- An order of user 7700 with two lines of 2 x 1000 - 100 and 500, and freight of 50.
CREATE FUNCTION t.im(external_id text, status text, more jsonb DEFAULT '{}') RETURNS jsonb LANGUAGE sql
	RETURN jsonb_build_object('external_id', external_id, 'user_id', 7700, 'status', status,
		'items', '[{"sku": "IM-A", "quantity": 2, "price": 1000, "discount": 100, "attributes": {"color": "red"}},
				   {"sku": "IM-B", "quantity": 1, "price": 500}]'::jsonb,
		'freight', 50, 'pay_amount', 2450, 'created_at', '2025-01-05T10:00:00Z',
		'options', '{"region": " East ", "remark": "ring twice", "address": {"street": "Long Lane"}}'::jsonb)
		|| CASE status WHEN 'created' THEN '{"expire_at": "2100-01-01T00:00:00Z"}'::jsonb
			ELSE jsonb_build_object('payments', jsonb_build_array(jsonb_build_object('pay_type', ' WeChat ',
				'out_trade_no', 'T-' || external_id, 'paid_at', '2025-01-05T10:05:00Z'))) END || more;
CREATE FUNCTION t.import(VARIADIC orders jsonb[]) RETURNS TABLE (external_id text, disposition text) LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY SELECT i.external_id, i.disposition FROM order_ext.import_orders(to_jsonb(orders)) AS i,
		t.remember(i.external_id, i.order_id);
END
$$;

SELECT t.remember('IM coupon', order_ext.issue_coupon(7700, 100)), t.remember('IM coupon 2', order_ext.issue_coupon(7700, 100));
SELECT * FROM t.import(
	t.im('IM-created', 'created', jsonb_build_object('coupon_id', t.id('IM coupon'), 'payments', '[{"pay_type": "card"}, {"pay_type": "alipay", "out_trade_no": "IM-open"}]'::jsonb)),
	t.im('IM-paid', 'paid', jsonb_build_object('coupon_id', t.id('IM coupon 2')::text)),
	t.im('IM-fulfilling', 'fulfilling'),
	t.im('IM-labelled', 'fulfilling', '{"shipment": {"stage": "labelled"}, "options": {"channel": "IM-Outside"}}'),
	t.im('IM-out', 'out_stock', '{"shipment": {"carrier": "SF", "tracking_no": "123", "out_at": "2025-01-06T10:00:00Z"}}'),
	t.im('IM-delivering', 'delivering'),
	t.im('IM-signed', 'signed', '{"shipment": {"signed_at": "2100-01-01T00:00:00Z"}}'),
	t.im('IM-old', 'signed', '{"shipment": {"signed_at": "2025-01-01T00:00:00Z"}}'),
	t.im('IM-virtual', 'signed', '{"items": [{"sku": "IM-V", "quantity": 1, "price": 0}], "freight": 0, "pay_amount": 0, "payments": []}'),
	t.im('IM-late', 'created', '{"expire_at": "2025-01-05T10:30:00Z"}'));
SELECT external_id, t.order(external_id), created_at, paid_at FROM order_ext.orders_view WHERE user_id = 7700 ORDER BY external_id COLLATE "C";
SELECT external_id, t.payments(external_id) FROM order_ext.orders_view WHERE user_id = 7700 ORDER BY external_id COLLATE "C", 2;
SELECT external_id, i.line, i.sku, i.quantity, i.price, i.discount, i.pay, i.reservation, i.attributes
FROM order_ext.orders_view JOIN order_ext.order_items_view i USING (order_id) WHERE external_id IN ('IM-paid', 'IM-out') ORDER BY 1, 2;
SELECT external_id, f.status, f.external, f.delivery_order IS NOT NULL AS delivery, f.logistic_order IS NOT NULL AS logistic, f.out_at
FROM order_ext.orders_view JOIN order_ext.fulfilments_view f USING (order_id) WHERE user_id = 7700 ORDER BY external_id COLLATE "C";
-- What had left was not on the shelf: 30 are left but for 5 x 2 reserved ones.
SELECT sku, t.stock(sku) FROM unnest('{IM-A,IM-B,IM-V}'::text[]) AS sku;
SELECT t.coupon(t.id('IM coupon')), t.coupon(t.id('IM coupon 2'));
SELECT name, t.messages(name) FROM unnest('{IM-created,IM-paid,IM-fulfilling,IM-delivering,IM-late}'::text[]) AS name;
SELECT order_ext.get_order(t.id('IM-paid')) -> 'options' AS options;
SELECT from_status, to_status, event, actor, detail - '{content,signed_at}'::text[] AS detail FROM order_ext.order_timeline(t.id('IM-signed'));
SELECT count(*) FROM order_ext.verify('full') WHERE severity = 'error';

-- They live on.
SELECT t.drain();
SELECT name, t.order(name) FROM unnest('{IM-paid,IM-late}'::text[]) AS name;
SELECT t.show(order_ext.pay_callback(t.id('IM-created'), 'IM-open', 'Alipay', 2450));
SELECT t.coupon(t.id('IM coupon'));
SELECT t.show(order_ext.pay_callback(t.id('IM-paid'), 'T-IM-paid', 'wechat', 2450)) AS repeated,
	t.show(order_ext.pay_callback(t.id('IM-paid'), 'T-IM-paid-2', 'wechat', 2450)) AS another;
SELECT t.show(order_ext.cancel_order(t.id('IM-fulfilling'), 7700)) AS own, t.show(order_ext.cancel_order(t.id('IM-labelled'), 7700)) AS outside;
SELECT t.show(order_ext.fulfilment_cancel_result(t.id('IM-labelled'), true, 'IM-answer'));
SELECT t.show(order_ext.shipment_event(t.id('IM-paid'), 'IM-1', 'out_stock')), t.show(order_ext.shipment_event(t.id('IM-out'), 'IM-2', 'out_stock')),
	t.show(order_ext.shipment_event(t.id('IM-out'), 'IM-3', 'delivering')), t.show(order_ext.shipment_event(t.id('IM-delivering'), 'IM-4', 'signed'));
SELECT t.show(order_ext.report_shortage(t.id('IM-paid'), '[{"sku": "IM-B", "quantity": 1}]'));
SELECT t.go($$order_ext.apply_after_sale(t.id('IM-signed'), 7700, 'refund_only', '[{"line": 1, "quantity": 1}]')$$),
	t.go($$order_ext.apply_after_sale(t.id('IM-old'), 7700, 'refund_only', '[{"line": 1, "quantity": 1}]')$$) AS too_late;
SELECT t.show(order_ext.record_refund(t.id('IM-old'), 'T-IM-old', 'wechat', 'IM-back', 1000));
SELECT t.drain();
SELECT name, t.refunds(name) FROM unnest('{IM-paid,IM-fulfilling,IM-labelled,IM-old}'::text[]) AS name ORDER BY 1, 2;
SELECT count(*) FROM order_ext.verify('full') WHERE severity = 'error';

-- The same order again is a repetition, whatever has become of it; another one under its number is not.
SELECT * FROM t.import(t.im('IM-fulfilling', 'fulfilling'), t.im('IM-new', 'paid'));
SELECT code, message, detail ~ '^Order \d+ has this external_id\.$' AS detail, hint
FROM t.error($$t.import(t.im('IM-new 2', 'paid'), t.im('IM-fulfilling', 'paid'))$$);
SELECT t.new('IM own', 'IM-A:1', options => '{"external_id": "IM own"}');
SELECT code, message FROM t.error($$t.import(t.im('IM own', 'paid'))$$);

-- One bad order: it is named, and none is stored.
CREATE FUNCTION t.im_error(bad jsonb) RETURNS TABLE (error text, changed boolean) LANGUAGE plpgsql AS $$
DECLARE
	before jsonb := t.digest();
	e record;
BEGIN
	e := t.error(format('t.import(t.im(%L, %L), %L::jsonb)', 'IM-good', 'paid', bad));
	RETURN QUERY SELECT regexp_replace(concat_ws(' | ', e.code, e.message, nullif(e.detail, 'Nothing of the call was stored.'),
			nullif(e.hint, 'Correct this order, and repeat the whole call.')), '(payment|coupon) \d+', '\1 #'), t.changed_since(before) IS NOT NULL;
END
$$;
SELECT e.* FROM unnest(ARRAY[
	'7'::jsonb,
	'{}'::jsonb,
	t.im('', 'paid'),
	t.im(repeat('x', 129), 'paid'),
	t.im('IM-bad', 'paid') - 'status',
	t.im('IM-bad', 'canceled'),
	t.im('IM-bad', 'paid', '{"colour": 1}'),
	t.im('IM-bad', 'paid', '{"user_id": "me"}'),
	t.im('IM-bad', 'paid', '{"user_id": 99999999999999999999}'),
	t.im('IM-bad', 'paid', '{"pay_amount": 2451}'),
	t.im('IM-bad', 'paid', '{"pay_amount": 24.5}'),
	t.im('IM-bad', 'paid', '{"currency": "XYZ"}'),
	t.im('IM-bad', 'paid', '{"created_at": "yesterday evening"}'),
	t.im('IM-bad', 'paid', '{"created_at": "infinity"}'),
	t.im('IM-bad', 'paid', '{"items": []}'),
	t.im('IM-bad', 'paid', '{"items": [{"sku": "IM-none", "quantity": 1, "price": 1}]}'),
	t.im('IM-bad', 'paid', '{"items": [{"sku": "IM-A", "quantity": 0, "price": 1}]}'),
	t.im('IM-bad', 'paid', '{"items": [{"sku": "IM-A", "quantity": 1, "price": 1, "discount": 2}]}'),
	t.im('IM-bad', 'paid', '{"items": [{"sku": "IM-A", "quantity": 1, "prize": 1}]}'),
	t.im('IM-bad', 'created', '{"expire_at": null}'),
	t.im('IM-bad', 'created', '{"payments": [{"pay_type": "card", "status": "captured", "out_trade_no": "x"}]}'),
	t.im('IM-bad', 'paid', '{"payments": []}'),
	t.im('IM-bad', 'paid', '{"payments": [{"pay_type": "card", "out_trade_no": "x", "amount": 2400}]}'),
	t.im('IM-bad', 'paid', '{"payments": [{"pay_type": "card"}]}'),
	t.im('IM-bad', 'paid', '{"payments": [{"pay_type": "wechat", "out_trade_no": "T-IM-out"}]}'),
	t.im('IM-bad', 'paid', '{"payments": [{"pay_type": "WECHAT", "out_trade_no": "T-IM-good"}]}'),
	t.im('IM-good', 'paid'),
	t.im('IM-bad', 'paid', '{"shipment": {"stage": "labelled"}}'),
	t.im('IM-bad', 'delivering', '{"items": [{"sku": "IM-V", "quantity": 1, "price": 100}], "freight": 0, "pay_amount": 100}'),
	t.im('IM-bad', 'paid', '{"options": []}'),
	t.im('IM-bad', 'paid', '{"options": {"currency": "USD"}}'),
	t.im('IM-bad', 'paid', jsonb_build_object('coupon_id', t.id('IM coupon'))),
	t.im('IM-bad', 'paid', '{"coupon_id": 999999999999}')]) AS bad, t.im_error(bad) AS e;
SELECT code, message, hint FROM t.error($$t.import(NULL)$$);
SELECT code, message FROM t.error($$order_ext.import_orders('{}')$$);
SELECT count(*) FROM order_ext.import_orders('[]');

-- Too little stock: the first order that finds too little is named, with the product.
SELECT order_ext.set_stock('IM-B', 2);
SELECT e.* FROM t.error($$t.import(t.im('IM-1', 'paid'), t.im('IM-2', 'delivering'), t.im('IM-3', 'created'), t.im('IM-4', 'fulfilling'))$$) AS e;
SELECT t.stock('IM-B'), count(*) FROM order_ext.orders_view WHERE external_id ~ '^IM-\d$';

SELECT order_ext.set_channel('im-outside', false);
