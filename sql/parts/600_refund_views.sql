-- Views of after-sales and of the sandbox gateway's books. Amounts are in minor units.

-- after_sales_view: one row per after-sale.
--   type           refund_only, or return_refund (goods come back first)
--   amount         paid back, freight included
--   detail_type    all, timeout, user_cancel, customer_service_cancel, part or shortage
--   source         user_refund, system, customer_service, user_return or fulfilment
--   origin         what a system-made one stems from; NULL for applications
--   return_status  of the goods of a return_refund
--   settled_at     when it came to its end
CREATE VIEW order_ext.after_sales_view AS
	SELECT a.after_sale_id, a.order_id, a.user_id,
		CASE a.type WHEN 1 THEN 'refund_only' WHEN 2 THEN 'return_refund' END AS type,
		order_ext_internal.status_name('after_sale', a.status) AS status,
		a.amount, a.applied_at, a.freight,
		CASE a.detail_type
			WHEN 1 THEN 'all'
			WHEN 2 THEN 'timeout'
			WHEN 3 THEN 'user_cancel'
			WHEN 4 THEN 'customer_service_cancel'
			WHEN 5 THEN 'part'
			WHEN 6 THEN 'shortage'
		END AS detail_type,
		CASE a.source
			WHEN 10 THEN 'user_refund'
			WHEN 20 THEN 'system'
			WHEN 30 THEN 'customer_service'
			WHEN 40 THEN 'user_return'
			WHEN 50 THEN 'fulfilment'
		END AS source,
		CASE a.reason_code
			WHEN 10 THEN 'number'
			WHEN 20 THEN 'quality'
			WHEN 30 THEN 'package'
			WHEN 40 THEN 'logistics'
			WHEN 50 THEN 'courier'
			WHEN 60 THEN 'user'
			WHEN 70 THEN 'price'
			WHEN 80 THEN 'canceled'
			WHEN 90 THEN 'forced'
			WHEN 100 THEN 'refused'
			WHEN 200 THEN 'other'
		END AS reason_kind,
		a.reason, a.review_reason, a.origin,
		order_ext_internal.status_name('return', a.return_status) AS return_status,
		a.carrier, a.tracking_no,
		a.reviewed_at, a.return_by, a.goods_sent_at, a.goods_received_at, a.settled_at, a.version
	FROM order_ext_internal.after_sales a;
COMMENT ON VIEW order_ext.after_sales_view IS 'After-sales: what of an order goes back, why, and how far it is.';

-- after_sale_items_view: one row per after-sale and sku.
--   amount    paid back for the pieces; discount: their part of the line's coupon share
--   received, damaged, restocked: pieces of a return
CREATE VIEW order_ext.after_sale_items_view AS
	SELECT i.after_sale_id, i.order_id, o.sku, i.quantity, i.amount, i.discount,
		i.received, i.damaged, i.restocked
	FROM order_ext_internal.after_sale_items i
	JOIN order_ext_internal.order_items o
		ON o.order_id = i.order_id AND o.product_id = i.product_id;
COMMENT ON VIEW order_ext.after_sale_items_view IS 'Lines of after-sales.';

-- after_sale_events_view: what warehouse and carrier told about goods on their way back.
--   kind         return_shipment or return_receipt
--   disposition  applied, or held for staff; reason says why
CREATE VIEW order_ext.after_sale_events_view AS
	SELECT e.after_sale_id,
		CASE e.kind WHEN 1 THEN 'return_shipment' WHEN 2 THEN 'return_receipt' END AS kind,
		e.disposition, e.reason, e.recorded_at
	FROM order_ext_internal.after_sale_events e;
COMMENT ON VIEW order_ext.after_sale_events_view IS 'What was told about returned goods.';

-- sandbox_ledger: the books of the pay type sandbox, kept as a gateway of the outside world
-- would: one row per refund id, however often it was asked for.
--   calls    how often it was asked
--   outcome  succeeded (the money has moved, once), failed or pending
CREATE VIEW order_ext.sandbox_ledger AS
	SELECT s.refund_id, s.amount, s.calls, s.outcome, s.at
	FROM order_ext_internal.sandbox_refunds s;
COMMENT ON VIEW order_ext.sandbox_ledger IS 'What the sandbox gateway was asked for and did.';

INSERT INTO order_ext_internal.gateways (pay_type, builtin) VALUES ('sandbox', true);
