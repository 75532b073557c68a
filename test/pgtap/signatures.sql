-- Names, arguments in their order, defaults and results are a contract.
BEGIN;
SELECT * FROM no_plan();

-- casts of defaults are left out: DEFAULT NULL::bigint is DEFAULT NULL
CREATE FUNCTION pg_temp.signature(name text) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(format('(%s) -> %s',
		regexp_replace(pg_get_function_arguments(p.oid), '::[a-z ]+(\[\])?', '', 'g'),
		pg_get_function_result(p.oid)), ' and ')
	FROM pg_proc p
	WHERE p.pronamespace = 'order_ext'::regnamespace AND p.proname = $1
$$;

SELECT is(pg_temp.signature(name), expected, name)
FROM (VALUES
	('put_product', '(sku text, name text, price bigint, kind text DEFAULT ''normal'', currency text DEFAULT NULL) -> void'),
	('put_price', '(sku text, currency text, price bigint) -> void'),
	('put_freight', '(region text, fee bigint, free_from bigint DEFAULT NULL, currency text DEFAULT NULL) -> void'),
	('remove_freight', '(region text, currency text DEFAULT NULL) -> boolean'),
	('currency_exponent', '(currency text) -> integer'),
	('adjust_stock', '(sku text, delta bigint, reason text DEFAULT NULL, request_id text DEFAULT NULL, bucket text DEFAULT ''available'', OUT available bigint, OUT reserved bigint, OUT consumed bigint) -> record'),
	('set_stock', '(sku text, available bigint, reason text DEFAULT NULL, request_id text DEFAULT NULL) -> order_ext.stock_units'),
	('stock_level', '(sku text, OUT available bigint, OUT reserved bigint, OUT consumed bigint) -> record'),
	('issue_coupon', '(user_id bigint, amount bigint, threshold bigint DEFAULT 0, valid_from timestamp with time zone DEFAULT now(), valid_until timestamp with time zone DEFAULT ''infinity'', currency text DEFAULT NULL) -> bigint'),
	('quote_order', '(user_id bigint, items jsonb, coupon_id bigint DEFAULT NULL, options jsonb DEFAULT ''{}'') -> jsonb'),
	('create_order', '(user_id bigint, items jsonb, pay_amount bigint, coupon_id bigint DEFAULT NULL, pay_timeout interval DEFAULT NULL, request_id text DEFAULT NULL, options jsonb DEFAULT ''{}'') -> order_ext.result'),
	('pre_pay_order', '(order_id bigint, pay_type text, pay_amount bigint, request_id text DEFAULT NULL) -> order_ext.result'),
	('pay_callback', '(order_id bigint, out_trade_no text, pay_type text, pay_amount bigint, currency text DEFAULT NULL, paid_at timestamp with time zone DEFAULT now(), raw jsonb DEFAULT NULL) -> order_ext.result'),
	('cancel_order', '(order_id bigint, user_id bigint DEFAULT NULL, cancel_type text DEFAULT ''user'', reason text DEFAULT NULL, request_id text DEFAULT NULL, refund_policy text DEFAULT ''full'') -> order_ext.result'),
	('claim_refunds', '(max_refunds integer DEFAULT 10, worker text DEFAULT NULL, lease interval DEFAULT ''00:01:00'', pay_types text[] DEFAULT NULL, OUT refund_id bigint, OUT order_id bigint, OUT payment_id bigint, OUT out_trade_no text, OUT pay_type text, OUT amount bigint, OUT currency text, OUT attempt integer, OUT lease_until timestamp with time zone, OUT payment_amount bigint, OUT payment_currency text, OUT reason text) -> SETOF record'),
	('resolve_held_payment', '(payment_id bigint, decision text, accept_less boolean DEFAULT false) -> order_ext.result'),
	('assign_payment', '(payment_id bigint, order_id bigint, request_id text DEFAULT NULL) -> order_ext.result'),
	('refund_order', '(order_id bigint, amount bigint DEFAULT NULL, lines jsonb DEFAULT NULL, freight boolean DEFAULT false, reason text DEFAULT NULL, request_id text DEFAULT NULL) -> order_ext.result'),
	('withdraw_refund', '(refund_id bigint, reason text, request_id text DEFAULT NULL) -> order_ext.result'),
	('settle_refund', '(refund_id bigint, amount bigint, reason text) -> order_ext.result'),
	('record_refund', '(order_id bigint, out_trade_no text, pay_type text, gateway_refund_no text, amount bigint, refunded_at timestamp with time zone DEFAULT now(), raw jsonb DEFAULT NULL) -> order_ext.result'),
	('payment_disputed', '(order_id bigint, out_trade_no text, pay_type text, dispute_no text, outcome text, amount bigint DEFAULT NULL, raw jsonb DEFAULT NULL) -> order_ext.result'),
	('set_pay_type', '(pay_type text, options jsonb) -> void'),
	('calculate_refund', '(order_id bigint, lines jsonb) -> jsonb'),
	('apply_after_sale', '(order_id bigint, user_id bigint, type text, lines jsonb, reason text DEFAULT NULL, request_id text DEFAULT NULL) -> order_ext.result'),
	('review_after_sale', '(after_sale_id bigint, accept boolean, reason text DEFAULT NULL, request_id text DEFAULT NULL) -> order_ext.result'),
	('revoke_after_sale', '(after_sale_id bigint, user_id bigint, request_id text DEFAULT NULL) -> order_ext.result'),
	('close_after_sale', '(after_sale_id bigint, reason text, request_id text DEFAULT NULL) -> order_ext.result'),
	('reopen_after_sale', '(after_sale_id bigint, request_id text DEFAULT NULL) -> order_ext.result'),
	('return_shipment', '(after_sale_id bigint, carrier text, tracking_no text, request_id text DEFAULT NULL) -> order_ext.result'),
	('resolve_damaged', '(after_sale_id bigint, refund boolean, request_id text DEFAULT NULL) -> order_ext.result'),
	('return_receipt', '(after_sale_id bigint, lines jsonb, restock boolean, request_id text DEFAULT NULL) -> order_ext.result'),
	('report_shortage', '(order_id bigint, lines jsonb, request_id text DEFAULT NULL) -> order_ext.result'),
	('expire_orders', '(max_orders integer DEFAULT 1000) -> integer'),
	('import_orders', '(orders jsonb, OUT external_id text, OUT order_id bigint, OUT disposition text) -> SETOF record'),
	('set_risk_check', '(handler regprocedure, run_as regrole DEFAULT NULL) -> void'),
	('set_price', '(handler regprocedure, run_as regrole DEFAULT NULL) -> void'),
	('extend_deadline', '(order_id bigint, until timestamp with time zone, request_id text DEFAULT NULL) -> order_ext.result'),
	('revoke_from', '(role regrole, kind text) -> void'),
	('get_order', '(order_id bigint) -> jsonb'),
	('order_timeline', '(order_id bigint) -> TABLE(at timestamp with time zone, from_status text, to_status text, event text, actor text, detail jsonb, operator text, role text)'),
	('allowed_actions', '(order_id bigint) -> SETOF text'),
	('status_code', '(machine text, name text) -> integer'),
	('state_graph', '(machine text, OUT from_status text, OUT to_status text, OUT event text, OUT actor text, OUT guard text, OUT messages text[]) -> SETOF record'),
	('state_diagram', '(machine text) -> text'),
	('create_topic', '(topic text, options jsonb DEFAULT ''{}'') -> void'),
	('alter_topic', '(topic text, options jsonb) -> void'),
	('drop_topic', '(topic text) -> void'),
	('grant_topic', '(topic text, role regrole, privilege text) -> void'),
	('revoke_topic', '(topic text, role regrole, privilege text) -> void'),
	('publish', '(topic text, key bigint, payload jsonb DEFAULT ''{}'', deliver_at timestamp with time zone DEFAULT NULL, dedup_key text DEFAULT NULL) -> bigint'),
	('reschedule_message', '(message_id bigint, deliver_at timestamp with time zone) -> boolean'),
	('subscribe', '(consumer_group text, topic text, handler regprocedure DEFAULT NULL, options jsonb DEFAULT ''{}'') -> void'),
	('unsubscribe', '(consumer_group text) -> void'),
	('receive', '(consumer_group text, max_messages integer DEFAULT 10, lease interval DEFAULT ''00:00:30'') -> TABLE(message_id bigint, topic text, key bigint, payload jsonb, attempt integer, token bigint, published_at timestamp with time zone)'),
	('ack', '(consumer_group text, tokens bigint[]) -> integer'),
	('nack', '(consumer_group text, tokens bigint[], retry_after interval DEFAULT NULL, error text DEFAULT NULL) -> integer'),
	('extend_lease', '(consumer_group text, tokens bigint[], lease interval) -> integer'),
	('wait_for_messages', '(IN consumer_group text, IN timeout interval DEFAULT ''00:00:30'', INOUT ready boolean DEFAULT NULL) -> '),
	('discard', '(consumer_group text, max_messages integer DEFAULT NULL, message_ids bigint[] DEFAULT NULL, dry_run boolean DEFAULT false) -> integer'),
	('replay', '(consumer_group text, published_since timestamp with time zone, published_until timestamp with time zone DEFAULT NULL, message_ids bigint[] DEFAULT NULL, dry_run boolean DEFAULT false) -> integer'),
	('register_asset', '(kind text, topic text) -> void'),
	('unregister_asset', '(kind text) -> void'),
	('dispatch', '(max_messages integer DEFAULT NULL) -> bigint'),
	('enable_dispatch', '() -> void'),
	('message_trace', '(key bigint) -> TABLE(message_id bigint, topic text, consumer_group text, state text, attempt integer, published_at timestamp with time zone, finished_at timestamp with time zone, error text)'),
	('verify', '(scope text DEFAULT ''recent'') -> TABLE(invariant text, severity text, entity text, expected text, actual text)'),
	('schedule_jobs', '() -> void'),
	('unschedule_jobs', '() -> void'),
	('maintain', '() -> bigint'),
	('erase_buyer', '(user_id bigint, OUT orders bigint, OUT archived bigint, OUT messages bigint, OUT left_open bigint, OUT dropped bigint) -> record'),
	('export_archived', '(after bigint DEFAULT NULL, max_orders integer DEFAULT 1000) -> TABLE(order_id bigint, digest text, document jsonb)'),
	('drop_archived', '(order_ids bigint[], digests text[]) -> TABLE(order_id bigint, disposition text)'),
	('restore_archived', '(order_id bigint, document jsonb) -> order_ext.result'),
	('grant_to', '(role regrole, kind text) -> void'),
	('list_orders', '(user_id bigint, statuses text[] DEFAULT NULL, before bigint DEFAULT NULL, max_orders integer DEFAULT 20) -> SETOF jsonb'),
	('search_orders', '(filter jsonb, before bigint DEFAULT NULL, max_orders integer DEFAULT 50) -> SETOF jsonb'),
	('find_order', '(external_id text) -> bigint'),
	('list_coupons', '(user_id bigint, usable boolean DEFAULT NULL, before bigint DEFAULT NULL, max_coupons integer DEFAULT 1000) -> SETOF jsonb'),
	('list_products', '(after text DEFAULT NULL, max_products integer DEFAULT 50, search text DEFAULT NULL) -> SETOF jsonb'),
	('put_products', '(products jsonb) -> integer'),
	('retire_product', '(sku text, retired boolean DEFAULT true) -> void'),
	('version', '() -> text')
) AS contract (name, expected);

-- views have these columns, in this order; more may follow
SELECT is(
	(SELECT string_agg(a.attname, ', ' ORDER BY a.attnum)
	 FROM pg_attribute a
	 WHERE a.attrelid = to_regclass('order_ext.' || name)
		AND a.attnum BETWEEN 1 AND array_length(string_to_array(columns, ', '), 1)),
	columns, name)
FROM (VALUES
	('orders_view', 'order_id, user_id, status, pay_amount, currency, coupon_id, external_id, version, created_at, expire_at, paid_at, canceled_at, cancel_type'),
	('order_items_view', 'order_id, sku, quantity, price, discount, pay'),
	('payments_view', 'payment_id, order_id, pay_type, out_trade_no, amount, currency, status, purpose, captured_at'),
	('refunds_view', 'refund_id, order_id, payment_id, cause, amount, currency, status, attempt, requested_at, settled_at'),
	('after_sales_view', 'after_sale_id, order_id, user_id, type, status, amount, applied_at'),
	('coupons_view', 'coupon_id, user_id, status, order_id, amount, threshold, valid_from, valid_until'),
	('products_view', 'sku, name, kind, retired_at, updated_at'),
	('stock_ledger_view', 'sku, at, order_id, kind, delta, reason'),
	('money_report', 'day, pay_type, currency, captured, applied, late, surplus, held, refunded, refund_open'),
	('dead_letters', 'message_id, consumer_group, topic, key, payload, attempts, last_error, last_sqlstate, died_at'),
	('attempt_log', 'message_id, consumer_group, topic, attempt, state, error, sqlstate, worker, started_at, duration'),
	('consumer_stats', 'consumer_group, topic, lag, retrying, dead, oldest_age, consumed, parked, lag_exact'),
	('timer_stats', 'pending, next_due, fired, late_p50, late_p99'),
	('worker_stats', 'pid, database, role, kind, state, batches, messages, last_active')
) AS contract (name, columns);

SELECT is(
	(SELECT string_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod), ', ' ORDER BY a.attnum)
	 FROM pg_attribute a
	 WHERE a.attrelid = to_regclass('order_ext.' || name) AND a.attnum > 0),
	columns, name)
FROM (VALUES
	('result', 'id bigint, status text, version integer, disposition text, detail jsonb'),
	('message', 'id bigint, topic text, key bigint, payload jsonb, attempt integer, published_at timestamp with time zone')
) AS contract (name, columns);

SELECT is(order_ext.version(), (SELECT extversion FROM pg_extension WHERE extname = 'order_ext'), 'version() is the extension''s');
SELECT is(
	(SELECT count(*) FROM pg_proc WHERE pronamespace = 'order_ext'::regnamespace
		AND prokind = 'f' AND provolatile <> 'v' AND proname IN (
			'put_product', 'put_products', 'retire_product', 'put_freight', 'adjust_stock', 'issue_coupon', 'create_order',
			'pre_pay_order', 'pay_callback', 'cancel_order', 'expire_orders', 'import_orders', 'publish',
			'dispatch', 'verify', 'maintain', 'erase_buyer')),
	0::bigint, 'calls that write are volatile');

SELECT * FROM finish();
ROLLBACK;
