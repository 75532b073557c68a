-- The kinds of role, as data; the only place that names functions for privileges.

-- grants(): what each kind of role may call (functions of schema order_ext, by name) and see
-- (views; if columns are given, only those).
CREATE FUNCTION order_ext_internal.grants()
	RETURNS TABLE (kind text, object text, columns text)
	LANGUAGE sql IMMUTABLE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT kind, object, NULL
	FROM (VALUES
		('app', ARRAY['quote_order', 'create_order', 'pre_pay_order', 'cancel_order',
			'confirm_receipt', 'change_address', 'remove_order',
			'calculate_refund', 'apply_after_sale', 'revoke_after_sale',
			'get_order', 'order_timeline', 'allowed_actions', 'stock_level', 'list_orders',
			'find_order', 'list_coupons', 'list_products', 'publish',
			'cancel_message', 'reschedule_message', 'grant_topic', 'revoke_topic']),
		('callback', ARRAY['pay_callback', 'payment_closed', 'refund_callback', 'claim_refunds',
			'record_refund', 'payment_disputed',
			'shipment_event', 'fulfilment_cancel_result', 'report_shortage',
			'return_shipment', 'return_receipt']),
		('operator', ARRAY['put_product', 'put_products', 'retire_product', 'put_price',
			'put_freight', 'remove_freight',
			'adjust_stock', 'set_stock', 'stock_level',
			'issue_coupon', 'set_risk_check', 'set_price', 'set_channel', 'cancel_order',
			'expire_orders', 'extend_deadline', 'import_orders',
			'review_after_sale', 'close_after_sale', 'reopen_after_sale', 'resolve_damaged',
			'calculate_refund',
			'resolve_held_payment', 'resolve_fact', 'assign_payment', 'refund_order',
			'withdraw_refund', 'settle_refund', 'retry_refund', 'set_pay_type', 'set_gateway',
			'sandbox_set',
			'create_topic', 'alter_topic', 'drop_topic', 'grant_topic', 'revoke_topic',
			'cancel_message', 'reschedule_message', 'subscribe', 'unsubscribe', 'register_asset',
			'unregister_asset', 'pause', 'resume', 'redrive', 'discard', 'replay', 'dispatch',
			'schedule_jobs', 'unschedule_jobs', 'maintain', 'erase_buyer', 'archived_orders',
			'export_archived', 'drop_archived', 'restore_archived',
			'get_order', 'order_timeline', 'allowed_actions', 'message_trace', 'list_orders',
			'search_orders', 'find_order', 'list_coupons', 'list_products', 'products_view',
			'verify', 'metrics', 'state_graph', 'state_diagram',
			'orders_view', 'order_items_view', 'payments_view', 'refunds_view',
			'after_sales_view', 'after_sale_items_view', 'after_sale_events_view', 'sandbox_ledger',
			'pay_types_view', 'disputes_view', 'fulfilments_view', 'shipment_events_view',
			'held_facts',
			'coupons_view', 'prices_view', 'freight_view', 'stock_ledger_view', 'money_report',
			'topics_view',
			'subscriptions_view', 'dead_letters', 'attempt_log', 'parked_keys', 'consumer_stats',
			'timer_stats', 'worker_stats']),
		('observer', ARRAY['order_timeline', 'allowed_actions', 'stock_level', 'list_orders',
			'search_orders', 'find_order', 'list_coupons', 'list_products', 'products_view',
			'message_trace', 'verify', 'metrics', 'state_graph', 'state_diagram',
			'orders_view', 'payments_view', 'after_sale_items_view',
			'after_sale_events_view', 'sandbox_ledger',
			'pay_types_view', 'disputes_view', 'fulfilments_view', 'shipment_events_view',
			'coupons_view', 'prices_view', 'freight_view', 'stock_ledger_view', 'money_report',
			'archived_orders',
			'topics_view',
			'subscriptions_view', 'parked_keys', 'consumer_stats', 'timer_stats', 'worker_stats']),
		('worker', ARRAY['publish', 'cancel_message', 'reschedule_message', 'grant_topic',
			'revoke_topic', 'receive', 'ack', 'nack', 'extend_lease', 'wait_for_messages'])
	) AS allowed (kind, objects), unnest(allowed.objects) AS object
	UNION ALL
	SELECT kind, object, NULL
	FROM unnest(ARRAY['app', 'callback', 'operator', 'observer', 'worker']) AS kind,
		unnest(ARRAY['status_code', 'currency_exponent', 'version']) AS object
	UNION ALL
	-- neither payloads, what handlers and gateways say of them, nor what a buyer wrote
	VALUES ('observer', 'held_facts',
			'fact_id, kind, at, order_id, entity_id, reason, resolved_at, resolved_by, operator'),
		('observer', 'dead_letters',
			'message_id, consumer_group, topic, key, attempts, last_sqlstate, died_at'),
		('observer', 'attempt_log',
			'message_id, consumer_group, topic, attempt, state, sqlstate, worker, started_at, '
			'duration'),
		('observer', 'after_sales_view',
			'after_sale_id, order_id, user_id, type, status, amount, applied_at, freight, '
			'detail_type, source, reason_kind, review_reason, origin, return_status, carrier, '
			'tracking_no, reviewed_at, return_by, goods_sent_at, goods_received_at, settled_at, '
			'version, extra, paid_outside'),
		('observer', 'order_items_view',
			'order_id, sku, quantity, price, discount, pay, reservation, line'),
		('observer', 'refunds_view',
			'refund_id, order_id, payment_id, cause, amount, currency, status, attempt, '
			'requested_at, settled_at, after_sale_id, held, version, gateway_refund_no, '
			'claimed_by, lease_until, claim_after, asked, kept')
$$;
COMMENT ON FUNCTION order_ext_internal.grants() IS 'Which kind of role may call and see what.';
