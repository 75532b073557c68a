-- The calls about refunds, and about payments that need more than a callback. Amounts are
-- bigint minor units. Every writing call may raise OE110 (busy, try again).

-- refund_request: the argument of a gateway in the database. The refund_id is the same on every
-- attempt: a gateway that already knows it answers for the first one.
CREATE TYPE order_ext.refund_request AS (
	refund_id bigint,
	payment_id bigint,
	order_id bigint,
	out_trade_no text,
	pay_type text,
	amount bigint,
	currency text,
	attempt integer,
	payment_amount bigint
);

-- refund_callback(): src/api/refund_callback.c
CREATE FUNCTION order_ext.refund_callback(refund_id bigint, outcome text,
		gateway_refund_no text DEFAULT NULL, amount bigint DEFAULT NULL, raw jsonb DEFAULT NULL)
	RETURNS order_ext.result
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_refund_callback';

-- retry_refund(): src/api/refund_callback.c
CREATE FUNCTION order_ext.retry_refund(refund_id bigint)
	RETURNS order_ext.result
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_retry_refund';

-- payment_closed(): src/api/payment_closed.c
CREATE FUNCTION order_ext.payment_closed(order_id bigint, out_trade_no text, pay_type text,
		outcome text, raw jsonb DEFAULT NULL)
	RETURNS order_ext.result
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_payment_closed';

-- set_gateway(): src/api/set_gateway.c
CREATE FUNCTION order_ext.set_gateway(pay_type text, handler regprocedure,
		run_as regrole DEFAULT NULL)
	RETURNS void
	LANGUAGE C VOLATILE
	AS 'MODULE_PATHNAME', 'order_ext_set_gateway';

-- sandbox_set(): src/handlers/sandbox.c
CREATE FUNCTION order_ext.sandbox_set(outcome text, times integer)
	RETURNS void
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_sandbox_set';

-- adopt_refunds(): opens the after-sales of refunds that have none, and publishes refund.execute
-- for those that wait; returns the number of after-sales. For updates. src/machine/upgrade.c
CREATE FUNCTION order_ext_internal.adopt_refunds()
	RETURNS integer
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_adopt_refunds';
COMMENT ON FUNCTION order_ext_internal.adopt_refunds() IS
	'Gives refunds of version 0.1 their after-sales and messages; for updates.';
