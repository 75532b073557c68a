-- Views of after-sales and of the sandbox gateway's books. Amounts are in minor units.

CREATE VIEW order_ext.after_sales_view AS
	SELECT a.after_sale_id, a.order_id, a.user_id,
		CASE a.type
			WHEN 1 THEN 'refund_only'
			WHEN 2 THEN 'return_refund'
			WHEN 3 THEN 'goodwill'
		END AS type,
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
		a.reviewed_at, a.return_by, a.goods_sent_at, a.goods_received_at, a.settled_at, a.version,
		a.extra, a.paid_outside
	FROM order_ext_internal.after_sales a;

CREATE VIEW order_ext.after_sale_items_view AS
	SELECT i.after_sale_id, i.order_id, o.sku, i.quantity, i.amount, i.discount,
		i.received, i.damaged, i.restocked, i.line, i.refunded, i.refused, i.missing
	FROM order_ext_internal.after_sale_items i
	JOIN order_ext_internal.order_items o
		ON o.order_id = i.order_id AND o.line = i.line;

CREATE VIEW order_ext.after_sale_events_view AS
	SELECT e.after_sale_id,
		CASE e.kind
			WHEN 1 THEN 'return_shipment'
			WHEN 2 THEN 'return_receipt'
			WHEN 3 THEN 'resolve_damaged'
		END AS kind,
		e.disposition, e.reason, e.recorded_at
	FROM order_ext_internal.after_sale_events e;

CREATE VIEW order_ext.sandbox_ledger AS
	SELECT s.refund_id, s.amount, s.calls, s.outcome, s.at
	FROM order_ext_internal.sandbox_refunds s;
