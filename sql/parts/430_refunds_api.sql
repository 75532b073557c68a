-- The calls about refunds, and about payments that need more than a callback. Amounts are
-- bigint minor units. Every writing call may raise OE110 (busy, try again).

-- refund_request: what a gateway in the database is given. The refund_id is the same on
-- every attempt: a gateway that knows it already answers for the first one.
CREATE TYPE order_ext.refund_request AS (
	refund_id bigint,
	payment_id bigint,
	order_id bigint,
	out_trade_no text,
	pay_type text,
	amount bigint,
	currency text,
	attempt integer
);
COMMENT ON TYPE order_ext.refund_request IS 'What a gateway function sees of a refund.';

-- claim_refunds(max_refunds, worker: a name for people, lease): refunds for an external
-- worker, oldest first: requested and not held back, or submitted with their lease over,
-- of pay types without a gateway in the database. Commit, then call the gateway under
-- refund_id, then report by refund_callback. At most a tenth of the lock table at once;
-- refunds in work elsewhere are skipped. Raises 22004, 22023, 22003, 54000.
-- src/api/claim_refunds.c
CREATE FUNCTION order_ext.claim_refunds(max_refunds integer DEFAULT 10, worker text DEFAULT NULL, lease interval DEFAULT '1 minute', OUT refund_id bigint, OUT order_id bigint, OUT payment_id bigint, OUT out_trade_no text, OUT pay_type text, OUT amount bigint, OUT currency text, OUT attempt integer, OUT lease_until timestamptz)
	RETURNS SETOF record
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_claim_refunds';
COMMENT ON FUNCTION order_ext.claim_refunds(integer, text, interval) IS 'Claims refunds for an external worker, which commits and only then calls the gateway.';

-- refund_callback(refund_id, outcome 'succeeded', 'failed' or 'pending', gateway_refund_no up
-- to 128 characters, amount compared with the refund's where given, raw: the gateway's
-- message): never refuses a fact. applied, replayed, noop, held (another amount or number,
-- a success taken back, an unknown refund). Raises 22004, 22023, 54000.
-- Messages: refund.succeeded, refund.failed, after_sale.refunded, ops.alert.
-- src/api/refund_callback.c
CREATE FUNCTION order_ext.refund_callback(refund_id bigint, outcome text, gateway_refund_no text DEFAULT NULL, amount bigint DEFAULT NULL, raw jsonb DEFAULT NULL)
	RETURNS order_ext.result
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_refund_callback';
COMMENT ON FUNCTION order_ext.refund_callback(bigint, text, text, bigint, jsonb) IS 'Records what a gateway says about a refund.';

-- retry_refund(refund_id): a failed refund is requested again under its number, one that is
-- held back may be claimed: applied; else noop. Raises 22004, 22023, OE001.
-- Messages: refund.execute. src/api/refund_callback.c
CREATE FUNCTION order_ext.retry_refund(refund_id bigint)
	RETURNS order_ext.result
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_retry_refund';
COMMENT ON FUNCTION order_ext.retry_refund(bigint) IS 'Has a failed or held back refund executed.';

-- payment_closed(order_id, out_trade_no, pay_type, outcome 'closed' or 'failed', raw): the
-- attempt with this number, else the only open one of the pay type, came to nothing.
-- applied, replayed, noop (it was captured), held (no such attempt, or it ended otherwise).
-- Raises 22004, 22023, 54000. Messages: ops.alert. src/api/payment_closed.c
CREATE FUNCTION order_ext.payment_closed(order_id bigint, out_trade_no text, pay_type text, outcome text, raw jsonb DEFAULT NULL)
	RETURNS order_ext.result
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_payment_closed';
COMMENT ON FUNCTION order_ext.payment_closed(bigint, text, text, text, jsonb) IS 'Records that a payment attempt was closed or failed.';

-- resolve_held_payment(payment_id, decision 'accept': it pays its order, what is too much goes
-- back; 'refund'): applied, noop (nothing to decide any more). Raises 22004, 22023, OE001,
-- OE101 the order is not created, OE301 another currency or too little.
-- Messages: order.paid, refund.execute. src/api/resolve_held.c
CREATE FUNCTION order_ext.resolve_held_payment(payment_id bigint, decision text)
	RETURNS order_ext.result
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_resolve_held_payment';
COMMENT ON FUNCTION order_ext.resolve_held_payment(bigint, text) IS 'Decides about held or unmatched money: accept or refund.';

-- set_gateway(pay_type, handler: f(order_ext.refund_request) returns text, an outcome of
-- refund_callback; anything else, NULL or an error leaves the outcome unknown, and it is
-- asked again; run_as: default the caller, must have LOGIN and the caller be a member): refunds
-- of the pay type are executed in workers of that role, by the consumer group
-- refund.execute:PAY_TYPE. A NULL handler removes the gateway. Raises 22004, 22023 wrong
-- signature, 42501, 42710 another group has that name. src/api/set_gateway.c
CREATE FUNCTION order_ext.set_gateway(pay_type text, handler regprocedure, run_as regrole DEFAULT NULL)
	RETURNS void
	LANGUAGE C VOLATILE
	AS 'MODULE_PATHNAME', 'order_ext_set_gateway';
COMMENT ON FUNCTION order_ext.set_gateway(text, regprocedure, regrole) IS 'Sets the function that executes refunds of a pay type; NULL removes it.';

-- sandbox_set(outcome 'succeeded', 'failed', 'pending' or 'vanish' (the money moves, the answer
-- is lost), times): how the pay type sandbox answers its next calls; then truthfully again.
-- Raises 22004, 22023. src/handlers/sandbox.c
CREATE FUNCTION order_ext.sandbox_set(outcome text, times integer)
	RETURNS void
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_sandbox_set';
COMMENT ON FUNCTION order_ext.sandbox_set(text, integer) IS 'Tells the sandbox gateway how to answer its next calls.';

-- adopt_refunds(): opens the after-sales of refunds that have none, and publishes refund.execute
-- for those that wait; the number of after-sales. For updates. src/api/adopt_refunds.c
CREATE FUNCTION order_ext_internal.adopt_refunds()
	RETURNS integer
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_adopt_refunds';
COMMENT ON FUNCTION order_ext_internal.adopt_refunds() IS 'Gives refunds of version 0.1 their after-sales and messages; for updates.';
