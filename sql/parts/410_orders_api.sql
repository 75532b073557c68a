-- The calls about the catalogue, orders and payments. Amounts are bigint minor units of
-- the order's currency. Every writing call may raise OE110 (busy, try again).

-- put_product(sku up to 128 characters, name up to 1000, price in minor units, kind 'normal'
-- or 'virtual'): adds a product or changes it; orders made before keep their price.
-- Raises 22004, 22023, 54000. src/api/catalogue.c
CREATE FUNCTION order_ext.put_product(sku text, name text, price bigint, kind text DEFAULT 'normal')
	RETURNS void
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_put_product';
COMMENT ON FUNCTION order_ext.put_product(text, text, bigint, text) IS 'Adds or changes a product.';

-- put_freight(region, fee in minor units, free_from: goods total before discount from which
-- it is free, NULL never). Raises 22004, 22023, 54000. src/api/catalogue.c
CREATE FUNCTION order_ext.put_freight(region text, fee bigint, free_from bigint DEFAULT NULL)
	RETURNS void
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_put_freight';
COMMENT ON FUNCTION order_ext.put_freight(text, bigint, bigint) IS 'Adds or changes the freight fee of a region.';

-- adjust_stock(sku, delta in units, reason, request_id): the level afterwards.
-- Raises 22004, 22023, 22003, OE601, OE001 unknown sku, OE201 below zero. src/api/catalogue.c
CREATE FUNCTION order_ext.adjust_stock(sku text, delta bigint, reason text DEFAULT NULL, request_id text DEFAULT NULL, OUT available bigint, OUT reserved bigint, OUT consumed bigint)
	RETURNS record
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_adjust_stock';
COMMENT ON FUNCTION order_ext.adjust_stock(text, bigint, text, text) IS 'Adds to or takes from the available stock of a product.';

-- stock_level(sku): in units. Raises 22004, OE001. src/api/catalogue.c
CREATE FUNCTION order_ext.stock_level(sku text, OUT available bigint, OUT reserved bigint, OUT consumed bigint)
	RETURNS record
	LANGUAGE C STABLE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_stock_level';
COMMENT ON FUNCTION order_ext.stock_level(text) IS 'The stock of a product: available, reserved by orders, consumed.';

-- issue_coupon(user_id, amount and threshold in minor units, window): the coupon id. It takes
-- least(amount, goods total) off an order whose goods total reaches the threshold.
-- Raises 22004, 22023. src/api/catalogue.c
CREATE FUNCTION order_ext.issue_coupon(user_id bigint, amount bigint, threshold bigint DEFAULT 0, valid_from timestamptz DEFAULT now(), valid_until timestamptz DEFAULT 'infinity')
	RETURNS bigint
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_issue_coupon';
COMMENT ON FUNCTION order_ext.issue_coupon(bigint, bigint, bigint, timestamptz, timestamptz) IS 'Issues a coupon to a user; returns its id.';

-- quote_order(user_id, items [{"sku","quantity"}], coupon_id, options {region, currency, ...}):
-- {origin, discount, freight, pay_amount, currency, items: [{sku, quantity, price, discount, pay}]}.
-- Raises 22004, 22023, 22003, 54000, OE001, OE202, OE203. src/api/create_order.c
CREATE FUNCTION order_ext.quote_order(user_id bigint, items jsonb, coupon_id bigint DEFAULT NULL, options jsonb DEFAULT '{}')
	RETURNS jsonb
	LANGUAGE C STABLE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_quote_order';
COMMENT ON FUNCTION order_ext.quote_order(bigint, jsonb, bigint, jsonb) IS 'What an order would cost: origin, discount, freight, pay_amount, currency, items.';

-- create_order(user_id, items, pay_amount the client shows, coupon_id, pay_timeout (default
-- order_ext.pay_timeout), request_id, options {region, currency, channel, external_id, address,
-- remark, ...}): applied or replayed. Nothing to pay makes the order paid at once.
-- Raises, in this order: 22004, 22023, 22003, 54000, OE601, 23505 external_id, OE004 risk check,
-- OE001 unknown sku, OE202 coupon unusable, OE002 amount differs, OE201 stock short, OE203
-- coupon taken. Messages: order.created (order.paid). src/api/create_order.c
CREATE FUNCTION order_ext.create_order(user_id bigint, items jsonb, pay_amount bigint, coupon_id bigint DEFAULT NULL, pay_timeout interval DEFAULT NULL, request_id text DEFAULT NULL, options jsonb DEFAULT '{}')
	RETURNS order_ext.result
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_create_order';
COMMENT ON FUNCTION order_ext.create_order(bigint, jsonb, bigint, bigint, interval, text, jsonb) IS 'Creates an order: price agreed, stock reserved, coupon locked, payment deadline armed.';

-- pre_pay_order(order_id, pay_type up to 32 characters, pay_amount, request_id): applied or
-- replayed. Raises 22004, 22023, 54000, OE601, OE001, OE101 not created, OE301 amount differs,
-- OE302 past the deadline. src/api/pre_pay.c
CREATE FUNCTION order_ext.pre_pay_order(order_id bigint, pay_type text, pay_amount bigint, request_id text DEFAULT NULL)
	RETURNS order_ext.result
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_pre_pay_order';
COMMENT ON FUNCTION order_ext.pre_pay_order(bigint, text, bigint, text) IS 'Begins a payment attempt; detail has payment_id and out_trade_no for the gateway.';

-- pay_callback(order_id, out_trade_no up to 128 characters, pay_type, pay_amount, currency
-- (NULL: the order's), paid_at, raw: the gateway's message): never refuses a fact. applied, replayed,
-- late_refund_queued, surplus_refund_queued, amount_mismatch_held, unknown_order_held.
-- Raises 22004, 22023, 54000, OE110. Messages: order.paid, ops.alert. src/api/pay_callback.c
CREATE FUNCTION order_ext.pay_callback(order_id bigint, out_trade_no text, pay_type text, pay_amount bigint, currency text DEFAULT NULL, paid_at timestamptz DEFAULT now(), raw jsonb DEFAULT NULL)
	RETURNS order_ext.result
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_pay_callback';
COMMENT ON FUNCTION order_ext.pay_callback(bigint, text, text, bigint, text, timestamptz, jsonb) IS 'Records that a gateway captured money, and says what became of it.';

-- cancel_order(order_id, user_id checked as the owner where given, cancel_type 'user' or
-- 'customer_service', reason, request_id, refund_policy 'full', or 'hold': refunds wait for
-- retry_refund): applied, replayed, noop (canceled already), intercept_pending (an external
-- warehouse must answer first). Raises 22004, 22023, 54000, OE601, OE001, OE003, OE103, OE401
-- the warehouse has refused. Messages: order.canceled, order.release_assets, payment.close,
-- fulfilment.cancel_requested.
-- src/api/cancel_order.c
CREATE FUNCTION order_ext.cancel_order(order_id bigint, user_id bigint DEFAULT NULL, cancel_type text DEFAULT 'user', reason text DEFAULT NULL, request_id text DEFAULT NULL, refund_policy text DEFAULT 'full')
	RETURNS order_ext.result
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_cancel_order';
COMMENT ON FUNCTION order_ext.cancel_order(bigint, bigint, text, text, text, text) IS 'Cancels an order that has not left the warehouse; stock, coupon and money go back.';

-- expire_orders(max_orders): the number canceled; at most a tenth of the lock table at once,
-- busy orders are skipped. Raises 22004, 22023. src/api/sweep.c
CREATE FUNCTION order_ext.expire_orders(max_orders integer DEFAULT 1000)
	RETURNS integer
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_expire_orders';
COMMENT ON FUNCTION order_ext.expire_orders(integer) IS 'Cancels unpaid orders whose deadline has passed: the safety sweep, without timers or workers.';

-- allowed_actions(order_id): names of calls. Raises 22004, 22023, OE001. src/api/allowed_actions.c
CREATE FUNCTION order_ext.allowed_actions(order_id bigint)
	RETURNS SETOF text
	LANGUAGE C STABLE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_allowed_actions';
COMMENT ON FUNCTION order_ext.allowed_actions(bigint) IS 'The calls that the status of the order allows now.';

-- set_risk_check(handler: f(request jsonb) returns text, NULL = pass, else the reason): it runs as
-- the role that sets it, in a security-restricted operation with search_path pg_catalog, pg_temp
-- unless the function sets its own. Raises 22023 wrong signature, 42501. src/api/risk.c
CREATE FUNCTION order_ext.set_risk_check(handler regprocedure)
	RETURNS void
	LANGUAGE C VOLATILE
	AS 'MODULE_PATHNAME', 'order_ext_set_risk_check';
COMMENT ON FUNCTION order_ext.set_risk_check(regprocedure) IS 'Sets the function that may refuse an order; NULL removes it.';

-- status_code(machine: order, payment, after_sale, return, refund, coupon, fulfilment; name).
-- Raises 22004, 22023. src/machine/graph.c
CREATE FUNCTION order_ext.status_code(machine text, name text)
	RETURNS integer
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'order_ext_status_code';
COMMENT ON FUNCTION order_ext.status_code(text, text) IS 'The number of a status.';

-- state_graph(machine): a row per edge; from_status NULL = creation. Raises 22004, 22023.
-- src/machine/graph.c
CREATE FUNCTION order_ext.state_graph(machine text, OUT from_status text, OUT to_status text, OUT event text, OUT actor text, OUT guard text, OUT messages text[])
	RETURNS SETOF record
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'order_ext_state_graph';
COMMENT ON FUNCTION order_ext.state_graph(text) IS 'The transitions of a machine that this version executes.';

-- state_diagram(machine): Mermaid text. Raises 22004, 22023. src/machine/graph.c
CREATE FUNCTION order_ext.state_diagram(machine text)
	RETURNS text
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'order_ext_state_diagram';
COMMENT ON FUNCTION order_ext.state_diagram(text) IS 'The transitions of a machine as a Mermaid diagram.';
