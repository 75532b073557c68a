-- Views of fulfillment. They show neither addresses nor what warehouse and carrier sent.

CREATE VIEW order_ext.fulfilments_view AS
	SELECT f.order_id,
		order_ext_internal.status_name('fulfilment', f.status) AS status,
		f.external, f.intercept_refused, d.document_id AS delivery_order,
		l.document_id AS logistic_order, f.created_at, f.out_at, f.cancel_requested_at,
		f.canceled_at, f.version
	FROM order_ext_internal.fulfilments f
	LEFT JOIN order_ext_internal.fulfilment_documents d
		ON d.order_id = f.order_id AND d.kind = 1	-- delivery order
	LEFT JOIN order_ext_internal.fulfilment_documents l
		ON l.order_id = f.order_id AND l.kind = 2;	-- logistic order

CREATE VIEW order_ext.shipment_events_view AS
	SELECT e.order_id, e.event_id,
		CASE e.kind
			WHEN 1 THEN 'picked'
			WHEN 2 THEN 'out_stock'
			WHEN 3 THEN 'delivering'
			WHEN 4 THEN 'signed'
			WHEN 5 THEN 'refused'
			WHEN 6 THEN 'lost'
			WHEN 7 THEN 'returned'
			WHEN 11 THEN 'cancel_accepted'
			WHEN 12 THEN 'cancel_rejected'
		END AS kind,
		CASE e.state
			WHEN 10 THEN 'applied'
			WHEN 20 THEN 'parked'
			WHEN 30 THEN 'held'
			WHEN 40 THEN 'behind'
			WHEN 50 THEN 'no_effect'
		END AS state,
		e.reason, e.occurred_at, e.recorded_at, e.settled_at
	FROM order_ext_internal.shipment_events e;
