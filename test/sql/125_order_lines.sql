-- Lines of orders: attributes, numbers, and how other calls name them.
SELECT order_ext.put_product('LIN-1', 'Cup', 100), order_ext.put_product('LIN-2', 'Tea', 30), order_ext.put_product('LIN-V', 'Code', 50, 'virtual');
SELECT available FROM unnest(ARRAY['LIN-1', 'LIN-2', 'LIN-V']) AS sku, order_ext.adjust_stock(sku, 1000);
CREATE FUNCTION t.lines(name text) RETURNS SETOF text LANGUAGE sql STABLE
BEGIN ATOMIC
	SELECT concat_ws(' ', line, sku, 'x' || quantity, price, '-' || discount, pay, reservation, attributes)
	FROM order_ext.order_items_view WHERE order_id = t.id($1) ORDER BY line;
END;
-- An order as far as a status; its refunds are executed by an external worker.
CREATE PROCEDURE t.line_order(name text, items text, status text DEFAULT 'signed', coupon_id bigint DEFAULT NULL) LANGUAGE plpgsql AS $$
DECLARE
	step text;
BEGIN
	PERFORM t.new(name, items, coupon_id, user_id => 7125);
	PERFORM order_ext.pay_callback(t.id(name), 'T-' || t.id(name), 'card', t.due(name));
	COMMIT;
	PERFORM t.dispatch();
	COMMIT;
	FOREACH step IN ARRAY CASE status WHEN 'out_stock' THEN '{out_stock}' WHEN 'signed' THEN '{out_stock,delivering,signed}' ELSE '{}' END::text[] LOOP
		PERFORM order_ext.shipment_event(t.id(name), step, step);
		COMMIT;
	END LOOP;
END
$$;

-- ---- items: one line per sku and attributes, numbered in the order given ----
SELECT jsonb_pretty(order_ext.quote_order(7125, '[{"sku": "LIN-2", "quantity": 1}, {"sku": "LIN-1", "quantity": 2, "attributes": {"color": "red", "size": 4}},
	{"sku": "LIN-1", "quantity": 1, "attributes": {"color": "blue"}}, {"sku": "LIN-1", "quantity": 1},
	{"sku": "LIN-1", "quantity": 3, "attributes": {"size": 4.0, "color": "red"}}, {"sku": "LIN-1", "quantity": 1, "attributes": {}},
	{"sku": "LIN-2", "quantity": 4, "attributes": null}]')->'items');
SELECT order_ext.issue_coupon(7125, 101) AS c \gset
SELECT t.new('lin', 'LIN-2:1,LIN-1:2:red,LIN-1:1:blue,LIN-1:1,LIN-1:3:red', :c, user_id => 7125, request_id => 'lin');
SELECT t.lines('lin');
SELECT jsonb_agg(i - 'reservation') FROM jsonb_array_elements(order_ext.get_order(t.id('lin'))->'items') AS i;
-- the ledger stays per product
SELECT sku, kind, delta, reserved_delta FROM order_ext.stock_ledger_view WHERE order_id = t.id('lin') ORDER BY sku;
-- the same request is the same, another one is not
SELECT t.show(order_ext.create_order(7125, t.items('LIN-2:1,LIN-1:2:red,LIN-1:1:blue,LIN-1:1,LIN-1:3:red'), t.due('lin'), :c, request_id => 'lin'));
SELECT t.remember('lin_coupon', :c);
SELECT t.go($$order_ext.create_order(7125, t.items('LIN-2:1,LIN-1:2:red,LIN-1:1:green,LIN-1:1,LIN-1:3:red'), t.due('lin'), t.id('lin_coupon'), request_id => 'lin')$$);
-- short of a product in all its lines
SELECT e.code, e.detail FROM t.error($$order_ext.create_order(7125, t.items('LIN-1:600:red,LIN-2:1,LIN-1:600:blue'), 120030)$$) AS e;
SELECT e.code, e.detail FROM t.error($$order_ext.quote_order(7125, t.items('LIN-x:1:red,LIN-1:1,LIN-x:1'))$$) AS e;
-- bad attributes, and keys of other lines
SELECT items, e.code, e.message FROM unnest(ARRAY[
	'[{"sku": "LIN-1", "quantity": 1, "attributes": "red"}]', '[{"sku": "LIN-1", "quantity": 1, "attributes": [1]}]', '[{"sku": "LIN-1", "quantity": 1, "attributes": 7}]',
	'[{"line": 1, "quantity": 1}]', '[{"sku": "LIN-1", "quantity": 1, "attribute": {}}]', '[{"sku": "LIN-1", "quantity": 2147483647}, {"sku": "LIN-1", "quantity": 1, "attributes": {"a": 1}}]']) AS items,
	t.error(format('order_ext.quote_order(7125, %L)', items)) AS e;

-- the context says which element it is, also where a limit is exceeded
\set SHOW_CONTEXT always
SELECT order_ext.quote_order(7125, '[{"sku": "LIN-1", "quantity": 1}, {"sku": "LIN-2", "quantity": 0}, {"sku": "LIN-2"}]');
SELECT order_ext.create_order(7125, jsonb_build_array('{"sku": "LIN-1", "quantity": 1}'::jsonb, jsonb_build_object('sku', repeat('x', 1000), 'quantity', 1)), 100);
\set SHOW_CONTEXT errors
SELECT t.show(order_ext.cancel_order(t.id('lin')));
SELECT t.drain();
SELECT t.lines('lin'), t.stock('LIN-1'), t.stock('LIN-2');
SELECT sku, kind, delta, reserved_delta FROM order_ext.stock_ledger_view WHERE order_id = t.id('lin') ORDER BY sku, kind;

-- ---- the warehouse is told ----
SELECT t.subscribe('lin', 'fulfilment.requested');
SELECT order_ext.issue_coupon(7125, 101) AS c \gset
CALL t.line_order('linw', 'LIN-1:2:red,LIN-2:1,LIN-1:3:blue', 'out_stock', :c);
SELECT payload->'items' AS items FROM order_ext.receive('lin') WHERE key = t.id('linw');
SELECT order_ext.unsubscribe('lin');

-- ---- shortages: by number where the sku is not enough ----
SELECT e.code, e.message, regexp_replace(e.detail, '\d{9,}', '#') AS detail, e.hint FROM t.error($$order_ext.report_shortage(t.id('linw'), t.items('LIN-1:1'))$$) AS e;
SELECT t.show(order_ext.report_shortage(t.id('linw'), t.items('#3:2,LIN-2:1')));
SELECT e.code, regexp_replace(e.detail, '\d{9,}', '#') AS detail, e.hint FROM t.error($$order_ext.report_shortage(t.id('linw'), t.items('#3:2'))$$) AS e;
SELECT e.code, regexp_replace(e.detail, '\d{9,}', '#') AS detail, e.hint FROM t.error($$order_ext.report_shortage(t.id('linw'), t.items('#4:1'))$$) AS e;
SELECT line, sku, quantity, amount, discount FROM order_ext.after_sale_items_view WHERE order_id = t.id('linw') ORDER BY line;
SELECT t.lines('linw');
SELECT order_ext.calculate_refund(t.id('linw'), t.items('#1:1,#3:1'));
SELECT order_ext.calculate_refund(t.id('linw'), t.items('#1:2,#3:1'));
SELECT lines, e.code, e.message, e.hint FROM unnest(ARRAY['[{"line": 0, "quantity": 1}]', '[{"line": 1.5, "quantity": 1}]', '[{"line": "1", "quantity": 1}]',
	'[{"line": 99999999999, "quantity": 1}]', '[{"quantity": 1}]', '[{"sku": "LIN-2", "line": 2, "quantity": 1}]', '[{"line": 1, "quantity": 1, "attributes": {}}]',
	'[{"sku": "LIN-1", "quantity": 1}]', '[{"Line": 1, "quantity": 1}]']) AS lines,
	t.error(format('order_ext.calculate_refund(t.id(''linw''), %L)', lines)) AS e;

-- ---- after-sales, and goods that come back ----
CALL t.line_order('lina', 'LIN-1:2:red,LIN-2:3,LIN-1:3:blue,LIN-V:1', 'signed');
SELECT order_ext.allowed_actions(t.id('lina')) LIKE '%after_sale' AS applies;
SELECT t.go($$order_ext.apply_after_sale(t.id('lina'), 7125, 'return_refund', t.items('LIN-1:1'))$$), t.go($$order_ext.apply_after_sale(t.id('lina'), 7125, 'return_refund', t.items('#4:1'))$$),
	t.go($$order_ext.apply_after_sale(t.id('lina'), 7125, 'return_refund', t.items('#1:3'))$$), t.go($$order_ext.apply_after_sale(t.id('lina'), 7125, 'return_refund', t.items('#2:2,LIN-2:2'))$$);
-- a line named by sku and by number is one
SELECT t.remember('lin1', a.id), t.show(a) FROM order_ext.apply_after_sale(t.id('lina'), 7125, 'return_refund', t.items('#1:1,LIN-2:1,#3:2,#2:1,#1:1')) AS a;
SELECT line, sku, quantity, amount FROM order_ext.after_sale_items_view WHERE after_sale_id = t.id('lin1') ORDER BY line;
SELECT t.show(order_ext.review_after_sale(t.id('lin1'), true));
-- a fact from outside is held where the sku is not enough
SELECT t.show(r), r.detail->>'reason' AS reason FROM order_ext.return_receipt(t.id('lin1'), t.items('LIN-1:4,LIN-2:2'), true) AS r;
SELECT t.show(r), r.detail->>'reason' AS reason FROM order_ext.return_receipt(t.id('lin1'), t.items('#1:2,#3:3,LIN-2:2'), true) AS r;
SELECT t.show(r), r.detail->>'reason' AS reason FROM order_ext.return_receipt(t.id('lin1'), t.items('#1:2,#9:2,LIN-2:2'), true) AS r;
SELECT t.show(order_ext.return_receipt(t.id('lin1'), t.items('#3:2,#2:2,#1:2'), true));
-- the same again, however it is written
SELECT t.show(order_ext.return_receipt(t.id('lin1'), t.items('LIN-2:1,#1:2,LIN-2:1,#3:2'), true));
SELECT line, sku, quantity, received, restocked FROM order_ext.after_sale_items_view WHERE after_sale_id = t.id('lin1') ORDER BY line;
SELECT sku, kind, delta FROM order_ext.stock_ledger_view WHERE order_id = t.id('lina') AND kind = 'return' ORDER BY sku;
-- an after-sale of one of the lines: the sku is still not enough
SELECT t.remember('lin2', a.id), t.show(a) FROM order_ext.apply_after_sale(t.id('lina'), 7125, 'return_refund', t.items('#3:1')) AS a;
SELECT t.show(order_ext.review_after_sale(t.id('lin2'), true));
SELECT t.show(r), r.detail->>'reason' AS reason FROM order_ext.return_receipt(t.id('lin2'), t.items('LIN-1:1'), true) AS r;
SELECT t.show(order_ext.return_receipt(t.id('lin2'), '[{"line": 3, "quantity": 1, "condition": "damaged"}]', true));
-- reopened: by line
SELECT t.show(order_ext.close_after_sale(t.id('lin2'), 'sent back'));
SELECT t.remember('lin3', a.id), t.show(a) FROM order_ext.apply_after_sale(t.id('lina'), 7125, 'refund_only', t.items('#3:1,LIN-2:1')) AS a;
SELECT t.show(order_ext.review_after_sale(t.id('lin3'), false)), t.show(order_ext.reopen_after_sale(t.id('lin3')));
SELECT jsonb_path_query_array(order_ext.get_order(t.id('lina')), '$.after_sales[*].items[*].line') AS lines;

-- ---- refund_order and less money than asked for: by line, too ----
CALL t.line_order('linf', 'LIN-1:2:red,LIN-2:1,LIN-1:3:blue,LIN-V:1', 'signed');
SELECT t.go($$order_ext.refund_order(t.id('linf'), lines => t.items('LIN-1:1'))$$), t.go($$order_ext.refund_order(t.id('linf'), lines => t.items('#5:1'))$$);
SELECT t.go($$order_ext.refund_order(t.id('linf'), lines => '[{"line": 3, "quantity": 1, "amount": 5}]')$$);
SELECT t.show(r), r.detail->'lines' AS lines FROM order_ext.refund_order(t.id('linf'), lines => t.items('#3:2,#4:1')) AS r;
SELECT line, quantity, amount FROM order_ext.after_sale_items_view WHERE order_id = t.id('linf') ORDER BY line;
SELECT t.new('linl', 'LIN-1:2:red,LIN-2:1,LIN-1:3:blue', user_id => 7125);
SELECT t.show(order_ext.pay_callback(t.id('linl'), 'T-linl', 'card', 430));
SELECT t.show(order_ext.resolve_held_payment((SELECT payment_id FROM order_ext.payments_view WHERE out_trade_no = 'T-linl'), 'accept', true));
SELECT t.lines('linl');
SELECT t.show(order_ext.cancel_order(t.id('linl')));
SELECT t.drain();
SELECT line, quantity, amount, discount FROM order_ext.after_sale_items_view WHERE order_id = t.id('linl') ORDER BY line;

-- ---- carriers: trimmed, kept as given, compared without regard to case ----
CALL t.line_order('linc', 'LIN-1:1:red,LIN-1:1:blue', 'signed');
SELECT t.remember('linc', t.id('linc')), t.remember('lin4', a.id) FROM order_ext.apply_after_sale(t.id('linc'), 7125, 'return_refund', t.items('#2:1')) AS a;
SELECT t.show(order_ext.review_after_sale(t.id('lin4'), true));
SELECT t.show(order_ext.return_shipment(t.id('lin4'), ' SF Express ', ' 123 ')), t.show(order_ext.return_shipment(t.id('lin4'), 'sf express', '123')),
	t.show(order_ext.return_shipment(t.id('lin4'), 'SF', '123')), t.go($$order_ext.return_shipment(t.id('lin4'), ' ', '123')$$);
SELECT carrier, tracking_no, return_status FROM order_ext.after_sales_view WHERE after_sale_id = t.id('lin4');

-- ---- a refused parcel, a canceled order: every line ----
CALL t.line_order('linr', 'LIN-1:1:red,LIN-1:2:blue,LIN-1:3', 'out_stock');
SELECT t.show(order_ext.shipment_event(t.id('linr'), 'no', 'refused'));
CALL t.line_order('link', 'LIN-1:1:red,LIN-1:2:blue,LIN-1:3', 'paid');
SELECT t.show(order_ext.cancel_order(t.id('link')));
SELECT t.drain();
SELECT a.origin, i.line, i.quantity, i.amount FROM order_ext.after_sale_items_view i JOIN order_ext.after_sales_view a USING (after_sale_id)
WHERE i.order_id IN (t.id('linr'), t.id('link')) ORDER BY 1, 2;
SELECT sku, kind, delta FROM order_ext.stock_ledger_view WHERE order_id IN (t.id('linr'), t.id('link')) ORDER BY kind, delta;
SELECT * FROM order_ext.verify() WHERE severity = 'error';
