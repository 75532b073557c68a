-- The calls about the catalog, orders and payments. Amounts are bigint minor units of the order's
-- currency. Every writing call may raise OE110 (busy, try again).

-- put_product(): src/api/catalog.c
CREATE FUNCTION order_ext.put_product(sku text, name text, price bigint,
		kind text DEFAULT 'normal', currency text DEFAULT NULL)
	RETURNS void
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_put_product';

-- put_price(): src/api/catalog.c
CREATE FUNCTION order_ext.put_price(sku text, currency text, price bigint)
	RETURNS void
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_put_price';

-- put_freight(): src/api/freight.c
CREATE FUNCTION order_ext.put_freight(region text, fee bigint, free_from bigint DEFAULT NULL,
		currency text DEFAULT NULL)
	RETURNS void
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_put_freight';

-- remove_freight(): src/api/freight.c
CREATE FUNCTION order_ext.remove_freight(region text, currency text DEFAULT NULL)
	RETURNS boolean
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_remove_freight';

-- adjust_stock(): src/api/adjust_stock.c
CREATE FUNCTION order_ext.adjust_stock(sku text, delta bigint, reason text DEFAULT NULL,
		request_id text DEFAULT NULL, bucket text DEFAULT 'available', OUT available bigint,
		OUT reserved bigint, OUT consumed bigint)
	RETURNS record
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_adjust_stock';

-- stock_level(): src/api/adjust_stock.c
CREATE FUNCTION order_ext.stock_level(sku text, OUT available bigint, OUT reserved bigint,
		OUT consumed bigint)
	RETURNS record
	LANGUAGE C STABLE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_stock_level';

-- issue_coupon(): src/api/catalog.c
CREATE FUNCTION order_ext.issue_coupon(user_id bigint, amount bigint, threshold bigint DEFAULT 0,
		valid_from timestamptz DEFAULT now(), valid_until timestamptz DEFAULT 'infinity',
		currency text DEFAULT NULL)
	RETURNS bigint
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_issue_coupon';

-- quote_order(): src/api/create_order.c
CREATE FUNCTION order_ext.quote_order(user_id bigint, items jsonb, coupon_id bigint DEFAULT NULL,
		options jsonb DEFAULT '{}')
	RETURNS jsonb
	LANGUAGE C STABLE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_quote_order';

-- create_order(): src/api/create_order.c
CREATE FUNCTION order_ext.create_order(user_id bigint, items jsonb, pay_amount bigint,
		coupon_id bigint DEFAULT NULL, pay_timeout interval DEFAULT NULL,
		request_id text DEFAULT NULL, options jsonb DEFAULT '{}')
	RETURNS order_ext.result
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_create_order';

-- pre_pay_order(): src/api/pre_pay.c
CREATE FUNCTION order_ext.pre_pay_order(order_id bigint, pay_type text, pay_amount bigint,
		request_id text DEFAULT NULL)
	RETURNS order_ext.result
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_pre_pay_order';

-- pay_callback(): src/api/pay_callback.c
CREATE FUNCTION order_ext.pay_callback(order_id bigint, out_trade_no text, pay_type text,
		pay_amount bigint, currency text DEFAULT NULL, paid_at timestamptz DEFAULT now(),
		raw jsonb DEFAULT NULL)
	RETURNS order_ext.result
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_pay_callback';

-- cancel_order(): src/api/cancel_order.c
CREATE FUNCTION order_ext.cancel_order(order_id bigint, user_id bigint DEFAULT NULL,
		cancel_type text DEFAULT 'user', reason text DEFAULT NULL, request_id text DEFAULT NULL,
		refund_policy text DEFAULT 'full')
	RETURNS order_ext.result
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_cancel_order';

-- expire_orders(): src/api/sweep.c
CREATE FUNCTION order_ext.expire_orders(max_orders integer DEFAULT 1000)
	RETURNS integer
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_expire_orders';

-- allowed_actions(): src/api/allowed_actions.c
CREATE FUNCTION order_ext.allowed_actions(order_id bigint)
	RETURNS SETOF text
	LANGUAGE C STABLE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_allowed_actions';

-- set_risk_check(): src/api/risk.c
CREATE FUNCTION order_ext.set_risk_check(handler regprocedure, run_as regrole DEFAULT NULL)
	RETURNS void
	LANGUAGE C VOLATILE
	AS 'MODULE_PATHNAME', 'order_ext_set_risk_check';

-- set_price(): src/api/price_hook.c
CREATE FUNCTION order_ext.set_price(handler regprocedure, run_as regrole DEFAULT NULL)
	RETURNS void
	LANGUAGE C VOLATILE
	AS 'MODULE_PATHNAME', 'order_ext_set_price';

-- extend_deadline(): src/api/extend_deadline.c
CREATE FUNCTION order_ext.extend_deadline(order_id bigint, until timestamptz,
		request_id text DEFAULT NULL)
	RETURNS order_ext.result
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_extend_deadline';

-- status_code(): src/machine/base/graph.c
CREATE FUNCTION order_ext.status_code(machine text, name text)
	RETURNS integer
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'order_ext_status_code';

-- currency_exponent(): src/api/currencies.c
CREATE FUNCTION order_ext.currency_exponent(currency text)
	RETURNS integer
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'order_ext_currency_exponent';

-- currency_code(text): the ISO 4217 code that a text means, regardless of case and surrounding
-- blanks; NULL if it is none. src/api/currencies.c
CREATE FUNCTION order_ext_internal.currency_code(currency text)
	RETURNS text
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'order_ext_currency_code';
COMMENT ON FUNCTION order_ext_internal.currency_code(text) IS
	'The ISO 4217 code that a text means; NULL if it is none.';

-- state_graph(): src/machine/base/graph.c
CREATE FUNCTION order_ext.state_graph(machine text, OUT from_status text, OUT to_status text,
		OUT event text, OUT actor text, OUT guard text, OUT messages text[])
	RETURNS SETOF record
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'order_ext_state_graph';

-- state_diagram(): src/machine/base/graph.c
CREATE FUNCTION order_ext.state_diagram(machine text)
	RETURNS text
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'order_ext_state_diagram';
