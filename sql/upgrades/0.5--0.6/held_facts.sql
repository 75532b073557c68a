-- What is held already, in the order in which it was told.
INSERT INTO order_ext_internal.held_facts (at, order_id, entity_id, kind, reason, payload)
SELECT at, order_id, entity_id, kind, reason, payload FROM (
	SELECT e.recorded_at, e.order_id, NULL,
		CASE e.source WHEN 1 THEN 'shipment_event' WHEN 2 THEN 'fulfilment_cancel_result' END,
		v.reason, jsonb_build_object('event_id', e.event_id, 'kind', v.kind,
			'occurred_at', e.occurred_at, 'payload', e.payload)
	FROM order_ext_internal.shipment_events e
	CROSS JOIN LATERAL (
		SELECT e.reason, CASE e.kind
			WHEN 1 THEN 'picked' WHEN 2 THEN 'out_stock' WHEN 3 THEN 'delivering'
			WHEN 4 THEN 'signed' WHEN 5 THEN 'refused'
			WHEN 11 THEN 'cancel_accepted' WHEN 12 THEN 'cancel_rejected' END AS kind
	) AS v
	WHERE e.state = 30	-- held
	UNION ALL
	SELECT e.recorded_at, e.order_id, e.payment_id, 'pay_callback', e.disposition,
		jsonb_build_object('amount', e.amount, 'currency', e.currency, 'pay_type', e.pay_type,
			'out_trade_no', e.out_trade_no, 'paid_at', e.paid_at)
	FROM order_ext_internal.payment_events e
	UNION ALL
	SELECT n.recorded_at, n.order_id, n.payment_id, 'payment_closed', NULL,
		jsonb_build_object('outcome', n.outcome, 'pay_type', n.pay_type,
			'out_trade_no', n.out_trade_no)
	FROM order_ext_internal.payment_notices n
	UNION ALL
	SELECT e.recorded_at, r.order_id, e.refund_id, 'refund_callback', e.reason,
		jsonb_build_object('outcome', e.outcome, 'amount', e.amount,
			'gateway_refund_no', e.gateway_refund_no)
	FROM order_ext_internal.refund_events e
	LEFT JOIN order_ext_internal.refunds r ON r.refund_id = e.refund_id
	UNION ALL
	SELECT e.recorded_at, a.order_id, e.after_sale_id,
		CASE e.kind WHEN 1 THEN 'return_shipment' WHEN 2 THEN 'return_receipt' END,
		e.reason, e.content
	FROM order_ext_internal.after_sale_events e
	LEFT JOIN order_ext_internal.after_sales a ON a.after_sale_id = e.after_sale_id
	WHERE e.disposition = 'held'
) AS held (at, order_id, entity_id, kind, reason, payload)
ORDER BY at, kind;
