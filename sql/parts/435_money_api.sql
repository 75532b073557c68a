-- The calls about money that the engine does not decide alone, and those of refunds whose
-- signatures have changed. Amounts are bigint minor units. Every writing call may raise OE110.

-- claim_refunds(): src/api/claim_refunds.c
CREATE FUNCTION order_ext.claim_refunds(max_refunds integer DEFAULT 10, worker text DEFAULT NULL,
		lease interval DEFAULT '1 minute', pay_types text[] DEFAULT NULL, OUT refund_id bigint,
		OUT order_id bigint, OUT payment_id bigint, OUT out_trade_no text, OUT pay_type text,
		OUT amount bigint, OUT currency text, OUT attempt integer, OUT lease_until timestamptz,
		OUT payment_amount bigint, OUT payment_currency text, OUT reason text)
	RETURNS SETOF record
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_claim_refunds';

-- refund_order(): src/api/apply_after_sale.c
CREATE FUNCTION order_ext.refund_order(order_id bigint, amount bigint DEFAULT NULL,
		lines jsonb DEFAULT NULL, freight boolean DEFAULT false, reason text DEFAULT NULL,
		request_id text DEFAULT NULL)
	RETURNS order_ext.result
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_refund_order';

-- withdraw_refund(): src/api/withdraw_refund.c
CREATE FUNCTION order_ext.withdraw_refund(refund_id bigint, reason text,
		request_id text DEFAULT NULL)
	RETURNS order_ext.result
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_withdraw_refund';

-- settle_refund(): src/api/withdraw_refund.c
CREATE FUNCTION order_ext.settle_refund(refund_id bigint, amount bigint, reason text)
	RETURNS order_ext.result
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_settle_refund';

-- record_refund(): src/api/money_outside.c
CREATE FUNCTION order_ext.record_refund(order_id bigint, out_trade_no text, pay_type text,
		gateway_refund_no text, amount bigint, refunded_at timestamptz DEFAULT now(),
		raw jsonb DEFAULT NULL)
	RETURNS order_ext.result
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_record_refund';

-- payment_disputed(): src/api/money_outside.c
CREATE FUNCTION order_ext.payment_disputed(order_id bigint, out_trade_no text, pay_type text,
		dispute_no text, outcome text, amount bigint DEFAULT NULL, raw jsonb DEFAULT NULL)
	RETURNS order_ext.result
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_payment_disputed';

-- resolve_held_payment(): src/api/resolve_held.c
CREATE FUNCTION order_ext.resolve_held_payment(payment_id bigint, decision text,
		accept_less boolean DEFAULT false)
	RETURNS order_ext.result
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_resolve_held_payment';

-- assign_payment(): src/api/assign_payment.c
CREATE FUNCTION order_ext.assign_payment(payment_id bigint, order_id bigint,
		request_id text DEFAULT NULL)
	RETURNS order_ext.result
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_assign_payment';

-- set_pay_type(): src/api/set_pay_type.c
CREATE FUNCTION order_ext.set_pay_type(pay_type text, options jsonb)
	RETURNS void
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_set_pay_type';
