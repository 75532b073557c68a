\echo Use "ALTER EXTENSION order_ext UPDATE" to load this file. \quit

-- The role of the caller takes the room of its name, not 64 bytes, and an index entry 16 bytes, not
-- 24. The table is rewritten once.
ALTER TABLE order_ext_internal.transition_log
	DROP CONSTRAINT transition_log_pkey,
	ALTER COLUMN operator TYPE text COLLATE "C",
	ADD PRIMARY KEY (entity_id, machine, version);
-- Keys that are free before their time.
DO $$
BEGIN
	FOR n IN 0..3 LOOP
		EXECUTE pg_catalog.format(
			'ALTER TABLE order_ext_internal.dedup_%s'
			' ADD COLUMN given_up integer[] NOT NULL DEFAULT ''{}'','
			' ADD COLUMN free boolean NOT NULL DEFAULT false', n);
		EXECUTE pg_catalog.format(
			'CREATE INDEX dedup_%s_message_id ON order_ext_internal.dedup_%s (message_id)', n, n);
	END LOOP;
END
$$;
CREATE OR REPLACE VIEW order_ext_internal.dedup AS
	SELECT * FROM order_ext_internal.dedup_0
	UNION ALL SELECT * FROM order_ext_internal.dedup_1
	UNION ALL SELECT * FROM order_ext_internal.dedup_2
	UNION ALL SELECT * FROM order_ext_internal.dedup_3;
CREATE TABLE order_ext_internal.dedup_taken (
	message_id bigint PRIMARY KEY,
	topic_id integer NOT NULL,
	taken_at timestamptz NOT NULL
);
-- What money that the engine does not decide alone needs to have on record.
ALTER TABLE order_ext_internal.payments
	ADD COLUMN told_order_id bigint,
	ADD COLUMN duplicate_of bigint,
	ADD COLUMN purpose_was smallint,
	ADD COLUMN currency_told boolean NOT NULL DEFAULT true;
ALTER TABLE order_ext_internal.refunds
	ADD COLUMN fact_id bigint NOT NULL DEFAULT 0,
	ADD COLUMN asked bigint,
	ADD COLUMN claim_after timestamptz,
	ADD COLUMN kept boolean NOT NULL DEFAULT false,
	ADD COLUMN reason text,
	DROP CONSTRAINT refunds_payment_id_cause_after_sale_id_key,
	ADD CONSTRAINT refunds_once UNIQUE (payment_id, cause, after_sale_id, fact_id);
CREATE INDEX refunds_gateway_refund_no ON order_ext_internal.refunds (gateway_refund_no)
	WHERE gateway_refund_no IS NOT NULL;
CREATE INDEX refund_events_gateway_refund_no ON order_ext_internal.refund_events
	(gateway_refund_no) WHERE gateway_refund_no IS NOT NULL;
ALTER TABLE order_ext_internal.after_sales
	ADD COLUMN extra bigint NOT NULL DEFAULT 0,
	ADD COLUMN paid_outside bigint NOT NULL DEFAULT 0,
	DROP CONSTRAINT after_sales_type_check,
	ADD CHECK (type IN (1, 2, 3)),	-- refund_only, return_refund, goodwill
	ADD CONSTRAINT after_sales_parts CHECK (extra >= 0 AND freight + extra <= amount
		AND paid_outside BETWEEN 0 AND amount);
-- What pay types are like, and facts from outside about money that went back.

-- pay_types: what is special about a pay type. hold_surplus: surplus refunds, and late ones of
-- orders with another capture, wait for retry_refund; surplus_delay: how long surplus and late
-- refunds wait at least, in microseconds.
CREATE TABLE order_ext_internal.pay_types (
	surplus_delay bigint NOT NULL,
	hold_surplus boolean NOT NULL,
	pay_type text PRIMARY KEY
);

-- disputes: payments that banks take back, or want to. status 10 opened, 20 won, 30 lost; amount is
-- what is in dispute, or was lost.
CREATE TABLE order_ext_internal.disputes (
	payment_id bigint NOT NULL,
	order_id bigint NOT NULL,
	amount bigint NOT NULL CHECK (amount > 0),
	opened_at timestamptz,
	ended_at timestamptz,
	refund_id bigint,
	status smallint NOT NULL CHECK (status IN (10, 20, 30)),	-- opened, won, lost
	pay_type text NOT NULL,
	dispute_no text NOT NULL,
	PRIMARY KEY (dispute_no, pay_type)
);
CREATE INDEX disputes_payment_id ON order_ext_internal.disputes (payment_id);

-- money_facts: what gateways told of money that went back outside: kind 1 record_refund; 2
-- dispute_opened, 3 dispute_won, 4 dispute_lost. disposition applied, or held for staff, for a
-- reason; number is the gateway's, of the refund or the dispute. Each fact is kept once.
CREATE TABLE order_ext_internal.money_facts (
	fact_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	order_id bigint NOT NULL,
	payment_id bigint,
	refund_id bigint,
	amount bigint,
	recorded_at timestamptz NOT NULL,
	occurred_at timestamptz,
	kind smallint NOT NULL CHECK (kind IN (1, 2, 3, 4)),
	disposition text NOT NULL,
	reason text,
	pay_type text NOT NULL,
	out_trade_no text NOT NULL,
	number text NOT NULL,
	raw jsonb
);
CREATE UNIQUE INDEX money_facts_applied ON order_ext_internal.money_facts (number, pay_type, kind)
	WHERE disposition = 'applied';
CREATE UNIQUE INDEX money_facts_held ON order_ext_internal.money_facts
	(number, pay_type, kind, order_id, out_trade_no, reason, coalesce(amount, -1))
	WHERE disposition = 'held';
-- put_product(), put_freight() and issue_coupon() get a currency, adjust_stock() a bucket: they are
-- dropped, and made anew by 410_orders_api. lines_grants gives their grants back.
DO $$
DECLARE
	changed regprocedure;
	regrants text := '';
BEGIN
	FOREACH changed IN ARRAY ARRAY[
		'order_ext.put_product(text, text, bigint, text)', 'order_ext.put_freight(text, bigint, bigint)',
		'order_ext.issue_coupon(bigint, bigint, bigint, timestamptz, timestamptz)',
		'order_ext.adjust_stock(text, bigint, text, text)']::regprocedure[]
	LOOP
		SELECT regrants || coalesce(string_agg(format('GRANT EXECUTE ON FUNCTION order_ext.%I TO %I%s;', p.proname,
				pg_get_userbyid(a.grantee), CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END), ''), '')
		INTO regrants
		FROM pg_proc p, aclexplode(p.proacl) a
		WHERE p.oid = changed AND a.grantee NOT IN (0, p.proowner);
		EXECUTE format('DROP FUNCTION %s', changed);
	END LOOP;
	PERFORM set_config('order_ext_update.lines_grants', regrants, true);
END
$$;
-- The calls about the catalog, orders and payments. Amounts are bigint minor units of the order's
-- currency. Every writing call may raise OE110 (busy, try again).

-- put_product(): src/api/catalog.c
CREATE OR REPLACE FUNCTION order_ext.put_product(sku text, name text, price bigint,
		kind text DEFAULT 'normal', currency text DEFAULT NULL)
	RETURNS void
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_put_product';

-- put_price(): src/api/catalog.c
CREATE OR REPLACE FUNCTION order_ext.put_price(sku text, currency text, price bigint)
	RETURNS void
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_put_price';

-- put_freight(): src/api/freight.c
CREATE OR REPLACE FUNCTION order_ext.put_freight(region text, fee bigint, free_from bigint DEFAULT NULL,
		currency text DEFAULT NULL)
	RETURNS void
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_put_freight';

-- remove_freight(): src/api/freight.c
CREATE OR REPLACE FUNCTION order_ext.remove_freight(region text, currency text DEFAULT NULL)
	RETURNS boolean
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_remove_freight';

-- adjust_stock(): src/api/adjust_stock.c
CREATE OR REPLACE FUNCTION order_ext.adjust_stock(sku text, delta bigint, reason text DEFAULT NULL,
		request_id text DEFAULT NULL, bucket text DEFAULT 'available', OUT available bigint,
		OUT reserved bigint, OUT consumed bigint)
	RETURNS record
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_adjust_stock';

-- stock_level(): src/api/adjust_stock.c
CREATE OR REPLACE FUNCTION order_ext.stock_level(sku text, OUT available bigint, OUT reserved bigint,
		OUT consumed bigint)
	RETURNS record
	LANGUAGE C STABLE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_stock_level';

-- issue_coupon(): src/api/catalog.c
CREATE OR REPLACE FUNCTION order_ext.issue_coupon(user_id bigint, amount bigint, threshold bigint DEFAULT 0,
		valid_from timestamptz DEFAULT now(), valid_until timestamptz DEFAULT 'infinity',
		currency text DEFAULT NULL)
	RETURNS bigint
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_issue_coupon';

-- quote_order(): src/api/create_order.c
CREATE OR REPLACE FUNCTION order_ext.quote_order(user_id bigint, items jsonb, coupon_id bigint DEFAULT NULL,
		options jsonb DEFAULT '{}')
	RETURNS jsonb
	LANGUAGE C STABLE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_quote_order';

-- create_order(): src/api/create_order.c
CREATE OR REPLACE FUNCTION order_ext.create_order(user_id bigint, items jsonb, pay_amount bigint,
		coupon_id bigint DEFAULT NULL, pay_timeout interval DEFAULT NULL,
		request_id text DEFAULT NULL, options jsonb DEFAULT '{}')
	RETURNS order_ext.result
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_create_order';

-- pre_pay_order(): src/api/pre_pay.c
CREATE OR REPLACE FUNCTION order_ext.pre_pay_order(order_id bigint, pay_type text, pay_amount bigint,
		request_id text DEFAULT NULL)
	RETURNS order_ext.result
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_pre_pay_order';

-- pay_callback(): src/api/pay_callback.c
CREATE OR REPLACE FUNCTION order_ext.pay_callback(order_id bigint, out_trade_no text, pay_type text,
		pay_amount bigint, currency text DEFAULT NULL, paid_at timestamptz DEFAULT now(),
		raw jsonb DEFAULT NULL)
	RETURNS order_ext.result
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_pay_callback';

-- cancel_order(): src/api/cancel_order.c
CREATE OR REPLACE FUNCTION order_ext.cancel_order(order_id bigint, user_id bigint DEFAULT NULL,
		cancel_type text DEFAULT 'user', reason text DEFAULT NULL, request_id text DEFAULT NULL,
		refund_policy text DEFAULT 'full')
	RETURNS order_ext.result
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_cancel_order';

-- expire_orders(): src/api/sweep.c
CREATE OR REPLACE FUNCTION order_ext.expire_orders(max_orders integer DEFAULT 1000)
	RETURNS integer
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_expire_orders';

-- allowed_actions(): src/api/allowed_actions.c
CREATE OR REPLACE FUNCTION order_ext.allowed_actions(order_id bigint)
	RETURNS SETOF text
	LANGUAGE C STABLE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_allowed_actions';

-- set_risk_check(): src/api/risk.c
CREATE OR REPLACE FUNCTION order_ext.set_risk_check(handler regprocedure, run_as regrole DEFAULT NULL)
	RETURNS void
	LANGUAGE C VOLATILE
	AS 'MODULE_PATHNAME', 'order_ext_set_risk_check';

-- status_code(): src/machine/graph.c
CREATE OR REPLACE FUNCTION order_ext.status_code(machine text, name text)
	RETURNS integer
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'order_ext_status_code';

-- currency_exponent(): src/api/currencies.c
CREATE OR REPLACE FUNCTION order_ext.currency_exponent(currency text)
	RETURNS integer
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'order_ext_currency_exponent';

-- currency_code(text): the ISO 4217 code that a text means, regardless of case and surrounding
-- blanks; NULL if it is none. src/api/currencies.c
CREATE OR REPLACE FUNCTION order_ext_internal.currency_code(currency text)
	RETURNS text
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'order_ext_currency_code';
COMMENT ON FUNCTION order_ext_internal.currency_code(text) IS
	'The ISO 4217 code that a text means; NULL if it is none.';

-- state_graph(): src/machine/graph.c
CREATE OR REPLACE FUNCTION order_ext.state_graph(machine text, OUT from_status text, OUT to_status text,
		OUT event text, OUT actor text, OUT guard text, OUT messages text[])
	RETURNS SETOF record
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'order_ext_state_graph';

-- state_diagram(): src/machine/graph.c
CREATE OR REPLACE FUNCTION order_ext.state_diagram(machine text)
	RETURNS text
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'order_ext_state_diagram';
-- stock_units: a level of stock. adjust_stock() and stock_level() have its columns; an argument of
-- set_stock() has the name of one.
CREATE TYPE order_ext.stock_units AS (
	available bigint,
	reserved bigint,
	consumed bigint
);

-- set_stock(): src/api/adjust_stock.c
CREATE FUNCTION order_ext.set_stock(sku text, available bigint, reason text DEFAULT NULL,
		request_id text DEFAULT NULL)
	RETURNS order_ext.stock_units
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_set_stock';
-- Currencies are codes in capitals; prices, freight and coupons have one; regions and channels are
-- in lower case.

ALTER TABLE order_ext_internal.orders DISABLE TRIGGER guard_rows;
ALTER TABLE order_ext_internal.payments DISABLE TRIGGER guard_rows;
ALTER TABLE order_ext_internal.refunds DISABLE TRIGGER guard_rows;
UPDATE order_ext_internal.orders SET currency = order_ext_internal.currency_code(currency)
WHERE currency <> order_ext_internal.currency_code(currency);
UPDATE order_ext_internal.payments SET currency = order_ext_internal.currency_code(currency)
WHERE currency <> order_ext_internal.currency_code(currency);
UPDATE order_ext_internal.refunds SET currency = order_ext_internal.currency_code(currency)
WHERE currency <> order_ext_internal.currency_code(currency);
ALTER TABLE order_ext_internal.orders ENABLE ALWAYS TRIGGER guard_rows;
ALTER TABLE order_ext_internal.payments ENABLE ALWAYS TRIGGER guard_rows;
ALTER TABLE order_ext_internal.refunds ENABLE ALWAYS TRIGGER guard_rows;

CREATE TABLE order_ext_internal.product_prices (
	product_id bigint NOT NULL,
	currency text NOT NULL,
	price bigint NOT NULL CHECK (price >= 0),
	updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	PRIMARY KEY (product_id, currency)
);
ALTER TABLE order_ext_internal.coupons ADD COLUMN currency text;
ALTER TABLE order_ext_internal.freight_templates
	DROP CONSTRAINT freight_templates_pkey,
	ADD COLUMN currency text;
ALTER TABLE order_ext_internal.freight_templates DISABLE TRIGGER guard_rows;
ALTER TABLE order_ext_internal.channels DISABLE TRIGGER guard_rows;

DO $$
DECLARE
	used text[];
	unknown text;
BEGIN
	-- those of orders, and every setting of order_ext.currency for this database
	SELECT array_agg(DISTINCT order_ext_internal.currency_code(c.currency))
			FILTER (WHERE order_ext_internal.currency_code(c.currency) IS NOT NULL),
		string_agg(DISTINCT quote_literal(c.currency), ', ')
			FILTER (WHERE order_ext_internal.currency_code(c.currency) IS NULL)
	INTO used, unknown
	FROM (SELECT DISTINCT o.currency FROM order_ext_internal.orders o
		UNION ALL
		SELECT current_setting('order_ext.currency')
		UNION ALL
		SELECT substring(s.setting FROM '=(.*)')
		FROM pg_db_role_setting r, unnest(r.setconfig) AS s (setting)
		WHERE s.setting LIKE 'order_ext.currency=%'
			AND r.setdatabase IN (0, (SELECT d.oid FROM pg_database d WHERE d.datname = current_database()))) c;
	IF unknown IS NOT NULL THEN
		RAISE WARNING 'orders or settings use currencies that ISO 4217 does not have: %', unknown
			USING DETAIL = 'Their orders go on; new ones need an alphabetic code of ISO 4217.',
				HINT = 'Set order_ext.currency, and options.currency of new orders, to such a code.';
	END IF;

	INSERT INTO order_ext_internal.product_prices (product_id, currency, price, updated_at)
	SELECT p.product_id, c.currency, p.price, p.updated_at
	FROM order_ext_internal.products p, unnest(used) AS c (currency);

	INSERT INTO order_ext_internal.freight_templates (region, fee, free_from, currency)
	SELECT f.region, f.fee, f.free_from, c.currency
	FROM order_ext_internal.freight_templates f, unnest(used) AS c (currency);
	DELETE FROM order_ext_internal.freight_templates
	WHERE currency IS NULL OR btrim(region, E' \t\n\x0B\f\r') = '';
	DELETE FROM order_ext_internal.channels WHERE btrim(channel, E' \t\n\x0B\f\r') = '';

	-- what would collide keeps its spelling, and verify() warns
	UPDATE order_ext_internal.freight_templates f
	SET region = lower(btrim(f.region, E' \t\n\x0B\f\r'))
	WHERE f.region <> lower(btrim(f.region, E' \t\n\x0B\f\r'))
		AND NOT EXISTS (SELECT FROM order_ext_internal.freight_templates other
			WHERE other.region <> f.region
				AND lower(btrim(other.region, E' \t\n\x0B\f\r')) = lower(btrim(f.region, E' \t\n\x0B\f\r')));
	UPDATE order_ext_internal.channels c
	SET channel = lower(btrim(c.channel, E' \t\n\x0B\f\r'))
	WHERE c.channel <> lower(btrim(c.channel, E' \t\n\x0B\f\r'))
		AND NOT EXISTS (SELECT FROM order_ext_internal.channels other
			WHERE other.channel <> c.channel
				AND lower(btrim(other.channel, E' \t\n\x0B\f\r')) = lower(btrim(c.channel, E' \t\n\x0B\f\r')));
END
$$;

ALTER TABLE order_ext_internal.products DROP COLUMN price;
ALTER TABLE order_ext_internal.freight_templates
	ALTER COLUMN currency SET NOT NULL,
	ADD PRIMARY KEY (region, currency);
CREATE INDEX freight_templates_code ON order_ext_internal.freight_templates
	(lower(btrim(region, E' \t\n\x0B\f\r')), currency);
CREATE INDEX channels_code ON order_ext_internal.channels
	(lower(btrim(channel, E' \t\n\x0B\f\r')));
ALTER TABLE order_ext_internal.freight_templates ENABLE ALWAYS TRIGGER guard_rows;
ALTER TABLE order_ext_internal.channels ENABLE ALWAYS TRIGGER guard_rows;
-- The level of a product is what its ledger adds up to (docs/stock.md): rows know their transaction.
-- Those that are there have one that every snapshot sees.
LOCK TABLE order_ext_internal.stock, order_ext_internal.stock_ledger, order_ext_internal.order_items
	IN ACCESS EXCLUSIVE MODE;
ALTER TABLE order_ext_internal.stock_ledger
	DROP COLUMN stripe,
	ADD COLUMN xid xid8 NOT NULL DEFAULT '2';	-- without a rewrite
ALTER TABLE order_ext_internal.stock_ledger ALTER COLUMN xid DROP DEFAULT;
DROP INDEX order_ext_internal.stock_ledger_product_id;
CREATE INDEX stock_ledger_product_id ON order_ext_internal.stock_ledger (product_id, xid);
ALTER TABLE order_ext_internal.order_items DROP COLUMN stripe;
-- stock_folds: sums of the ledger, append-only. A fold adds up the rows of a product whose
-- transactions its snapshot sees; the newest one that a reader sees counts, and a newer one
-- replaces it. They are made when they are needed, and no dump contains them.
CREATE TABLE order_ext_internal.stock_folds (
	product_id bigint NOT NULL,
	fold_id bigint NOT NULL,
	available bigint NOT NULL,
	reserved bigint NOT NULL,
	consumed bigint NOT NULL,
	covered pg_snapshot NOT NULL,
	PRIMARY KEY (product_id, fold_id),
	CHECK (least(available, reserved, consumed) >= 0)
);
-- The counters become the first folds, of exactly the rows that were there.
INSERT INTO order_ext_internal.stock_folds
	(product_id, fold_id, available, reserved, consumed, covered)
SELECT product_id, 1, sum(available), sum(reserved), sum(consumed), '3:3:'
FROM order_ext_internal.stock
GROUP BY product_id;
ALTER EXTENSION order_ext DROP TABLE order_ext_internal.stock;
DROP TABLE order_ext_internal.stock;
-- The ledger of another database, be it restored or replicated, has that one's transaction ids. Its
-- rows get the id of the transaction that brings them here; folds are made anew. The triggers
-- always fire, since logical replication would pass by others. See src/core/restore.c

-- stamp_ledger(): trigger function; sets xid.
CREATE FUNCTION order_ext_internal.stamp_ledger() RETURNS trigger
	LANGUAGE C AS 'MODULE_PATHNAME', 'order_ext_stamp_ledger';
COMMENT ON FUNCTION order_ext_internal.stamp_ledger() IS
	'Gives rows of stock_ledger that come from elsewhere the id of this transaction.';
CREATE TRIGGER stamp_ledger BEFORE INSERT ON order_ext_internal.stock_ledger
	FOR EACH ROW EXECUTE FUNCTION order_ext_internal.stamp_ledger();
ALTER TABLE order_ext_internal.stock_ledger ENABLE ALWAYS TRIGGER stamp_ledger;

-- skip_row(): trigger function; inserts nothing.
CREATE FUNCTION order_ext_internal.skip_row() RETURNS trigger
	LANGUAGE C AS 'MODULE_PATHNAME', 'order_ext_skip_row';
COMMENT ON FUNCTION order_ext_internal.skip_row() IS
	'Leaves out rows that mean nothing outside the database that they come from.';
CREATE TRIGGER skip_row BEFORE INSERT ON order_ext_internal.stock_folds
	FOR EACH ROW EXECUTE FUNCTION order_ext_internal.skip_row();
ALTER TABLE order_ext_internal.stock_folds ENABLE ALWAYS TRIGGER skip_row;
-- Lines of orders have numbers, and after-sales name them. Most orders have one line, so that the
-- default is their number; in others, lines are numbered by sku, as they were shown.

ALTER TABLE order_ext_internal.order_items
	ADD COLUMN line integer NOT NULL DEFAULT 1,
	ADD COLUMN attributes jsonb;
ALTER TABLE order_ext_internal.after_sale_items
	ADD COLUMN line integer NOT NULL DEFAULT 1;
ALTER TABLE order_ext_internal.order_items DISABLE TRIGGER guard_rows;
ALTER TABLE order_ext_internal.after_sale_items DISABLE TRIGGER guard_rows;

UPDATE order_ext_internal.order_items i SET line = n.line
FROM (SELECT order_id, product_id,
		row_number() OVER (PARTITION BY order_id ORDER BY sku COLLATE "C", product_id) AS line
	FROM order_ext_internal.order_items) n
WHERE i.order_id = n.order_id AND i.product_id = n.product_id AND n.line <> 1;

UPDATE order_ext_internal.after_sale_items s SET line = i.line
FROM order_ext_internal.order_items i
WHERE i.order_id = s.order_id AND i.product_id = s.product_id AND i.line <> 1;

ALTER TABLE order_ext_internal.order_items
	ALTER COLUMN line DROP DEFAULT,
	DROP CONSTRAINT order_items_pkey,
	ADD PRIMARY KEY (order_id, line);
ALTER TABLE order_ext_internal.after_sale_items
	ALTER COLUMN line DROP DEFAULT,
	DROP CONSTRAINT after_sale_items_pkey,
	ADD PRIMARY KEY (after_sale_id, line);
ALTER TABLE order_ext_internal.order_items ENABLE ALWAYS TRIGGER guard_rows;
ALTER TABLE order_ext_internal.after_sale_items ENABLE ALWAYS TRIGGER guard_rows;
-- Views of fulfillment. They show neither addresses nor what warehouse and carrier sent.

CREATE OR REPLACE VIEW order_ext.fulfilments_view AS
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

CREATE OR REPLACE VIEW order_ext.shipment_events_view AS
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
-- Views of orders, money, coupons and stock. Amounts are in minor units of the currency; statuses
-- are shown by name. They run with the owner's privileges: reading a view does not require
-- privileges on the tables behind it. No view shows addresses or what the gateway sent.

CREATE OR REPLACE VIEW order_ext.orders_view AS
	SELECT o.order_id, o.user_id,
		order_ext_internal.status_name('order', o.status) AS status,
		o.pay_amount, o.currency, o.coupon_id, o.external_id, o.version,
		o.created_at, o.expire_at, o.paid_at, o.canceled_at,
		CASE o.cancel_type
			WHEN 0 THEN 'user'
			WHEN 1 THEN 'timeout'
			WHEN 2 THEN 'customer_service'
		END AS cancel_type,
		o.origin_amount, o.discount_amount, o.freight_amount,
		o.removed_at
	FROM order_ext_internal.orders o;

CREATE OR REPLACE VIEW order_ext.order_items_view AS
	SELECT i.order_id, i.sku, i.quantity, i.price, i.discount, i.pay,
		CASE i.reservation
			WHEN 0 THEN 'none'
			WHEN 1 THEN 'reserved'
			WHEN 2 THEN 'consumed'
			WHEN 3 THEN 'released'
		END AS reservation,
		i.line, i.attributes
	FROM order_ext_internal.order_items i;

CREATE OR REPLACE VIEW order_ext.payments_view AS
	SELECT p.payment_id, p.order_id, p.pay_type, p.out_trade_no, p.amount, p.currency,
		order_ext_internal.status_name('payment', p.status) AS status,
		CASE p.purpose
			WHEN 1 THEN 'applied'
			WHEN 2 THEN 'late'
			WHEN 3 THEN 'surplus'
			WHEN 4 THEN 'held'
			WHEN 5 THEN 'unmatched'
			WHEN 6 THEN 'duplicate'
		END AS purpose,
		p.captured_at, p.paid_at, p.created_at, p.version,
		p.told_order_id, p.duplicate_of
	FROM order_ext_internal.payments p;

CREATE OR REPLACE VIEW order_ext.refunds_view AS
	SELECT r.refund_id, r.order_id, r.payment_id,
		CASE r.cause
			WHEN 1 THEN 'cancel'
			WHEN 2 THEN 'late'
			WHEN 3 THEN 'surplus'
			WHEN 4 THEN 'held'
			WHEN 5 THEN 'unmatched'
			WHEN 6 THEN 'after_sale'
			WHEN 7 THEN 'recorded'
			WHEN 8 THEN 'dispute'
		END AS cause,
		r.amount, r.currency,
		order_ext_internal.status_name('refund', r.status) AS status,
		r.attempt, r.requested_at, r.settled_at,
		nullif(r.after_sale_id, 0) AS after_sale_id, r.held, r.version,
		r.gateway_refund_no, r.last_outcome, r.claimed_by, r.lease_until,
		r.claim_after, r.asked, r.kept, r.reason
	FROM order_ext_internal.refunds r;

CREATE OR REPLACE VIEW order_ext.coupons_view AS
	SELECT c.coupon_id, c.user_id,
		order_ext_internal.status_name('coupon', c.status) AS status,
		c.order_id, c.amount, c.threshold, c.valid_from, c.valid_until, c.version, c.currency
	FROM order_ext_internal.coupons c;

CREATE OR REPLACE VIEW order_ext.prices_view AS
	SELECT p.sku, v.currency, v.price, v.updated_at
	FROM order_ext_internal.products p
	JOIN order_ext_internal.product_prices v ON v.product_id = p.product_id;

CREATE OR REPLACE VIEW order_ext.freight_view AS
	SELECT f.region, f.currency, f.fee, f.free_from
	FROM order_ext_internal.freight_templates f;

-- Movements of orders and the others apart, so that the order's id is the column itself; both
-- with their products, so that conditions on the sku get to the index, too.
CREATE OR REPLACE VIEW order_ext.stock_ledger_view AS
	SELECT l.sku, l.at, l.order_id,
		CASE l.kind
			WHEN 1 THEN 'reserve'
			WHEN 2 THEN 'release'
			WHEN 3 THEN 'consume'
			WHEN 4 THEN 'adjust'
			WHEN 5 THEN 'return'
			WHEN 6 THEN 'write_off'
		END AS kind,
		l.available_delta + l.reserved_delta AS delta, l.reason,
		l.available_delta, l.reserved_delta, l.consumed_delta
	FROM (
		SELECT p.sku, m.order_id, m.at, m.kind, m.available_delta, m.reserved_delta,
			m.consumed_delta, m.reason
		FROM order_ext_internal.stock_ledger m
		JOIN order_ext_internal.products p ON p.product_id = m.product_id
		WHERE m.order_id <> 0
		UNION ALL
		SELECT p.sku, NULL, m.at, m.kind, m.available_delta, m.reserved_delta,
			m.consumed_delta, m.reason
		FROM order_ext_internal.stock_ledger m
		JOIN order_ext_internal.products p ON p.product_id = m.product_id
		WHERE m.order_id = 0) l;

-- The level of every product: its newest fold, and the rows that this does not cover, found by
-- the index. See docs/stock.md
CREATE OR REPLACE VIEW order_ext_internal.stock AS
	SELECT p.product_id,
		coalesce(f.available, 0) + l.available AS available,
		coalesce(f.reserved, 0) + l.reserved AS reserved,
		coalesce(f.consumed, 0) + l.consumed AS consumed
	FROM order_ext_internal.products p
	LEFT JOIN LATERAL (
		SELECT s.available, s.reserved, s.consumed, s.covered
		FROM order_ext_internal.stock_folds s
		WHERE s.product_id = p.product_id
		ORDER BY s.fold_id DESC LIMIT 1) f ON true
	CROSS JOIN LATERAL (
		SELECT coalesce(sum(m.available_delta), 0)::bigint AS available,
			coalesce(sum(m.reserved_delta), 0)::bigint AS reserved,
			coalesce(sum(m.consumed_delta), 0)::bigint AS consumed
		FROM (
			SELECT n.available_delta, n.reserved_delta, n.consumed_delta
			FROM order_ext_internal.stock_ledger n
			WHERE n.product_id = p.product_id
				AND n.xid >= coalesce(pg_catalog.pg_snapshot_xmax(f.covered), '0')
			UNION ALL
			SELECT o.available_delta, o.reserved_delta, o.consumed_delta
			FROM pg_catalog.pg_snapshot_xip(f.covered) AS x (xid)
			JOIN order_ext_internal.stock_ledger o
				ON o.product_id = p.product_id AND o.xid = x.xid) m) l;

-- Sums are numeric, since wrong notices can add up to more than a bigint. Duplicates tell of money
-- that another capture tells of: they count nowhere.
CREATE OR REPLACE VIEW order_ext.money_report AS
	SELECT f.day, f.pay_type, f.currency,
		-- 1 to 5 are the purposes of a capture, as in payments_view
		coalesce(sum(f.amount) FILTER (WHERE f.what BETWEEN 1 AND 5), 0) AS captured,
		coalesce(sum(f.amount) FILTER (WHERE f.what = 1), 0) AS applied,
		coalesce(sum(f.amount) FILTER (WHERE f.what = 2), 0) AS late,
		coalesce(sum(f.amount) FILTER (WHERE f.what = 3), 0) AS surplus,
		coalesce(sum(f.amount) FILTER (WHERE f.what = 4), 0) AS held,
		coalesce(sum(f.amount) FILTER (WHERE f.what = 11), 0) AS refunded,
		coalesce(sum(f.amount) FILTER (WHERE f.what = 12), 0) AS refund_open,
		coalesce(sum(f.amount) FILTER (WHERE f.what = 5), 0) AS unmatched,
		coalesce(sum(f.amount) FILTER (WHERE f.what = 13), 0) AS disputed,
		coalesce(sum(CASE WHEN f.what BETWEEN 1 AND 5 THEN f.amount ELSE - f.amount END), 0) AS kept
	FROM (
		SELECT p.captured_at::date AS day, p.pay_type, p.currency, p.amount, p.purpose AS what
		FROM order_ext_internal.payments p
		WHERE p.status = order_ext.status_code('payment', 'captured')
			AND p.purpose <> 6	-- duplicate
		UNION ALL
		SELECT CASE r.status WHEN order_ext.status_code('refund', 'succeeded') THEN r.settled_at
				ELSE r.requested_at END::date,
			p.pay_type, r.currency, r.amount,
			CASE WHEN r.status <> order_ext.status_code('refund', 'succeeded') THEN 12
				WHEN r.cause = 8 THEN 13	-- dispute
				ELSE 11 END
		FROM order_ext_internal.refunds r
		JOIN order_ext_internal.payments p ON p.payment_id = r.payment_id
		LEFT JOIN order_ext_internal.after_sales a ON a.after_sale_id = r.after_sale_id
		WHERE r.status IN (order_ext.status_code('refund', 'requested'),
				order_ext.status_code('refund', 'submitted'),
				order_ext.status_code('refund', 'succeeded'))
			OR (r.status = order_ext.status_code('refund', 'failed')
				AND (a.status IS NULL
					OR a.status NOT IN (order_ext.status_code('after_sale', 'rejected'),
						order_ext.status_code('after_sale', 'closed'),
						order_ext.status_code('after_sale', 'revoked'))))) f
	GROUP BY f.day, f.pay_type, f.currency;
-- Observers do not read attributes of lines, which buyers may have written. An observer is who may
-- read order_items_view and may not redrive.
DO $$
DECLARE
	observer regrole;
BEGIN
	FOR observer IN
		SELECT DISTINCT a.grantee FROM pg_catalog.pg_class c, pg_catalog.aclexplode(c.relacl) a
		WHERE c.oid = 'order_ext.order_items_view'::regclass AND a.privilege_type = 'SELECT'
			AND a.grantee NOT IN (0, c.relowner)
			AND NOT EXISTS (SELECT FROM pg_catalog.pg_proc p
				WHERE p.pronamespace = 'order_ext'::regnamespace AND p.proname = 'redrive'
					AND pg_catalog.has_function_privilege(a.grantee, p.oid, 'EXECUTE'))
	LOOP
		EXECUTE pg_catalog.format('REVOKE SELECT ON order_ext.order_items_view FROM %s', observer);
		EXECUTE pg_catalog.format('GRANT SELECT (order_id, sku, quantity, price, discount, pay, '
			'reservation, line) ON order_ext.order_items_view TO %s', observer);
	END LOOP;
END
$$;
-- Reads about one order, and the version.

-- check_order_id(order_id): common code of the reads below. Raises 22004 for NULL, 22023 for a
-- number that is not an id, OE001 for an unknown order.
CREATE OR REPLACE FUNCTION order_ext_internal.check_order_id(order_id bigint) RETURNS void
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF check_order_id.order_id IS NULL THEN
		RAISE EXCEPTION 'argument "order_id" must not be null' USING ERRCODE = '22004';
	ELSIF check_order_id.order_id <= 0 THEN
		RAISE EXCEPTION 'argument "order_id" must be positive' USING ERRCODE = '22023';
	ELSIF NOT EXISTS (
		SELECT FROM order_ext_internal.orders o WHERE o.order_id = check_order_id.order_id)
	THEN
		RAISE EXCEPTION 'order % does not exist', check_order_id.order_id
			USING ERRCODE = 'OE001', DETAIL = 'No order in this database has that ID.',
				  HINT = 'Use an ID returned by create_order.';
	END IF;
END
$$;
COMMENT ON FUNCTION order_ext_internal.check_order_id(bigint) IS
	'Refuses what is not the id of an order.';

CREATE OR REPLACE FUNCTION order_ext.get_order(order_id bigint) RETURNS jsonb
	LANGUAGE plpgsql STABLE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	answer jsonb;
BEGIN
	PERFORM order_ext_internal.check_order_id(get_order.order_id);
	SELECT jsonb_build_object(
			'order_id', o.order_id::text,
			'user_id', o.user_id::text,
			'status', o.status,
			'version', o.version,
			'origin', o.origin_amount,
			'discount', o.discount_amount,
			'freight', o.freight_amount,
			'pay_amount', o.pay_amount,
			'currency', o.currency,
			'external_id', o.external_id,
			'created_at', o.created_at,
			'expire_at', o.expire_at,
			'paid_at', o.paid_at,
			'canceled_at', o.canceled_at,
			'cancel_type', o.cancel_type,
			'removed_at', o.removed_at,
			'options', (SELECT r.options FROM order_ext_internal.orders r
						WHERE r.order_id = o.order_id))
		|| jsonb_build_object(
			'items', (
				SELECT coalesce(jsonb_agg(to_jsonb(i) - 'order_id' ORDER BY i.line), '[]')
				FROM order_ext.order_items_view i
				WHERE i.order_id = o.order_id),
			'payments', (
				SELECT coalesce(jsonb_agg(to_jsonb(p) - 'order_id'
						|| jsonb_build_object('payment_id', p.payment_id::text)
					ORDER BY p.created_at, p.payment_id), '[]')
				FROM order_ext.payments_view p
				WHERE p.order_id = o.order_id),
			'refunds', (
				SELECT coalesce(jsonb_agg(to_jsonb(r) - 'order_id'
						|| jsonb_build_object(
							'refund_id', r.refund_id::text,
							'payment_id', r.payment_id::text,
							'after_sale_id', r.after_sale_id::text)
					ORDER BY r.requested_at, r.refund_id), '[]')
				FROM order_ext.refunds_view r
				WHERE r.order_id = o.order_id),
			'after_sales', (
				SELECT coalesce(jsonb_agg(to_jsonb(a) - 'order_id' - 'user_id'
						|| jsonb_build_object(
							'after_sale_id', a.after_sale_id::text,
							'items', (
								SELECT coalesce(jsonb_agg(to_jsonb(i) - 'after_sale_id' - 'order_id'
									ORDER BY i.line), '[]')
								FROM order_ext.after_sale_items_view i
								WHERE i.after_sale_id = a.after_sale_id))
					ORDER BY a.applied_at, a.after_sale_id), '[]')
				FROM order_ext.after_sales_view a
				WHERE a.order_id = o.order_id),
			'coupon', (
				SELECT jsonb_build_object(
					'coupon_id', c.coupon_id::text,
					'amount', c.amount,
					'threshold', c.threshold,
					'currency', c.currency,
					'status', c.status,
					'held', c.order_id IS NOT DISTINCT FROM o.order_id)
				FROM order_ext.coupons_view c
				WHERE c.coupon_id = o.coupon_id),
			'shipment', (
				SELECT to_jsonb(f) - 'order_id' || jsonb_build_object(
					'delivery_order', f.delivery_order::text,
					'logistic_order', f.logistic_order::text,
					'events', (
						SELECT coalesce(jsonb_agg(to_jsonb(e) - 'order_id'
							ORDER BY e.recorded_at, e.event_id), '[]')
						FROM order_ext.shipment_events_view e
						WHERE e.order_id = o.order_id))
				FROM order_ext.fulfilments_view f
				WHERE f.order_id = o.order_id))
	INTO answer
	FROM order_ext.orders_view o
	WHERE o.order_id = get_order.order_id;
	RETURN answer;
END
$$;

CREATE OR REPLACE FUNCTION order_ext.order_timeline(order_id bigint)
	RETURNS TABLE (at timestamptz, from_status text, to_status text, event text, actor text,
		detail jsonb)
	LANGUAGE plpgsql STABLE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM order_ext_internal.check_order_id(order_timeline.order_id);
	RETURN QUERY
	WITH entity AS (
		SELECT 1 AS machine, order_timeline.order_id AS id, 'order' AS machine_name
		UNION ALL
		SELECT 2, p.payment_id, 'payment'
		FROM order_ext_internal.payments p
		WHERE p.order_id = order_timeline.order_id
		UNION ALL
		SELECT machine, a.after_sale_id, machine_name
		FROM order_ext_internal.after_sales a,
			(VALUES (3, 'after_sale'), (4, 'return')) AS m (machine, machine_name)
		WHERE a.order_id = order_timeline.order_id
		UNION ALL
		SELECT 5, r.refund_id, 'refund'
		FROM order_ext_internal.refunds r
		WHERE r.order_id = order_timeline.order_id
		UNION ALL
		SELECT 7, f.order_id, 'fulfilment'
		FROM order_ext_internal.fulfilments f
		WHERE f.order_id = order_timeline.order_id
		UNION ALL
		SELECT 6, o.coupon_id, 'coupon'
		FROM order_ext_internal.orders o
		WHERE o.order_id = order_timeline.order_id AND o.coupon_id IS NOT NULL
	), step AS (
		SELECT l.*, e.machine_name,
			order_ext_internal.event_name(l.machine, l.event) AS event_name,
			-- an order's rows stay in order even where the clock was set back
			CASE WHEN e.machine_name = 'order'
				THEN max(l.at) OVER (PARTITION BY l.machine, l.entity_id ORDER BY l.version)
				ELSE l.at
			END AS sort_at
		FROM entity e
		-- OFFSET: a lookup for each, where a join would read the whole log without statistics
		CROSS JOIN LATERAL (
			SELECT * FROM order_ext_internal.transition_log t
			WHERE t.machine = e.machine AND t.entity_id = e.id
			OFFSET 0) l
		WHERE e.machine_name <> 'coupon' OR l.order_id = order_timeline.order_id
	)
	SELECT s.at,
		CASE s.machine_name WHEN 'order'
			THEN order_ext_internal.status_name('order', s.from_status) END,
		CASE s.machine_name WHEN 'order'
			THEN order_ext_internal.status_name('order', s.to_status) END,
		concat_ws('.', nullif(s.machine_name, 'order'), s.event_name),
		CASE s.actor
			WHEN 'B' THEN 'buyer'
			WHEN 'S' THEN 'staff'
			WHEN 'G' THEN 'gateway'
			WHEN 'W' THEN 'warehouse'
			WHEN 'X' THEN 'system'
		END,
		CASE s.machine_name WHEN 'order' THEN s.detail
			ELSE coalesce(s.detail, '{}') || jsonb_build_object(
				s.machine_name || '_id', s.entity_id::text,
				'from', order_ext_internal.status_name(s.machine_name, s.from_status),
				'to', order_ext_internal.status_name(s.machine_name, s.to_status))
		END
	FROM step s
	WHERE NOT (s.machine_name = 'payment' AND s.event_name = 'initiate')
		AND NOT (s.machine_name = 'coupon' AND s.event_name IN ('lock', 'use'))
		AND NOT (s.machine_name = 'fulfilment' AND s.event_name NOT IN ('pick', 'label'))
		AND NOT (s.machine_name = 'payment' AND s.event_name = 'capture' AND EXISTS (
			SELECT FROM step paid
			WHERE paid.machine_name = 'order' AND paid.event_name = 'pay' AND paid.xid = s.xid
				AND EXISTS (SELECT FROM order_ext_internal.payments p
							WHERE p.payment_id = s.entity_id AND p.purpose = 1)))	-- applied
	ORDER BY s.sort_at, s.machine_name <> 'fulfilment', s.machine, s.entity_id, s.version;
END
$$;

CREATE OR REPLACE FUNCTION order_ext.version() RETURNS text
	LANGUAGE sql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT extversion FROM pg_catalog.pg_extension WHERE extname = 'order_ext'
$$;
-- A filter of each 32 pages takes the place of the index of the log by key: 300_messages. Rows that
-- are there get theirs now, except for the last pages, which may still be written to.

DO $$
DECLARE
	log regclass;
	last_page bigint;
BEGIN
	FOR n IN 0..3 LOOP
		log := pg_catalog.format('order_ext_internal.message_log_%s', n)::regclass;
		EXECUTE pg_catalog.format('DROP INDEX order_ext_internal.message_log_%s_key', n);
		EXECUTE pg_catalog.format(
			'CREATE INDEX message_log_%s_key ON %s'
			' USING brin (key int8_bloom_ops (n_distinct_per_range = 2500))'
			' WITH (pages_per_range = 32)', n, log);
		last_page := greatest(pg_catalog.pg_relation_size(log) / pg_catalog.current_setting('block_size')::bigint - 1, 0);
		PERFORM pg_catalog.brin_desummarize_range(
			pg_catalog.format('order_ext_internal.message_log_%s_key', n)::regclass, last_page);
	END LOOP;
END
$$;
-- Roles that rows name, in columns x and x_oid. The OID is what counts: a role that is renamed
-- keeps what it has, and one that takes the name of a dropped one has nothing. Dumps and replicas
-- go by the name, which maintain() and the scheduler keep true. See src/message/base/bound_roles.h

-- find_role(x, ...): row trigger; finds the OIDs of the roles in this server, wherever the row
-- comes from (a dump, a subscription), for each column x. A role that does not exist has 0, also
-- when it is made later; and 0 stays 0, since dropped roles stay so. The engine knows the OIDs.
CREATE OR REPLACE FUNCTION order_ext_internal.find_role() RETURNS trigger
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	row_read jsonb := to_jsonb(NEW);
	name text;
BEGIN
	IF current_user = 'order_ext_owner' THEN
		RETURN NEW;
	END IF;
	FOREACH name IN ARRAY TG_ARGV LOOP
		IF row_read ->> name IS NOT NULL AND row_read ->> (name || '_oid') IS DISTINCT FROM '0' THEN
			NEW := jsonb_populate_record(NEW, jsonb_build_object(name || '_oid',
				coalesce(to_regrole(quote_ident(row_read ->> name))::oid, 0)));
		END IF;
	END LOOP;
	RETURN NEW;
END
$$;
COMMENT ON FUNCTION order_ext_internal.find_role() IS
'Finds the roles of a row by their names.';
-- Roles that groups, gateways and the risk check name are bound by their OIDs: a role that takes the
-- name of a dropped one gets nothing of it. What is there is bound to the roles of those names; what
-- names a role that does not exist waits until it is registered again, as verify() says.
CREATE OR REPLACE TRIGGER find_role BEFORE INSERT OR UPDATE ON order_ext_internal.topic_grants
	FOR EACH ROW EXECUTE FUNCTION order_ext_internal.find_role('role');
ALTER TABLE order_ext_internal.topic_grants ENABLE ALWAYS TRIGGER find_role;

ALTER TABLE order_ext_internal.consumer_groups
	ADD COLUMN run_as_oid oid,
	ADD COLUMN handler_owner_oid oid,
	ADD COLUMN subscriber_oid oid;
ALTER TABLE order_ext_internal.gateways ADD COLUMN run_as_oid oid;
ALTER TABLE order_ext_internal.instance
	ADD COLUMN risk_role_oid oid,
	ADD COLUMN risk_owner_oid oid;

ALTER TABLE order_ext_internal.consumer_groups DISABLE TRIGGER guard_rows;
UPDATE order_ext_internal.consumer_groups SET
	run_as_oid = CASE WHEN run_as IS NOT NULL THEN coalesce(to_regrole(quote_ident(run_as))::oid, 0) END,
	handler_owner_oid = CASE WHEN handler_owner IS NOT NULL THEN coalesce(to_regrole(quote_ident(handler_owner))::oid, 0) END,
	subscriber_oid = CASE WHEN subscriber IS NOT NULL THEN coalesce(to_regrole(quote_ident(subscriber))::oid, 0) END
WHERE NOT builtin;
ALTER TABLE order_ext_internal.consumer_groups ENABLE ALWAYS TRIGGER guard_rows;

ALTER TABLE order_ext_internal.gateways DISABLE TRIGGER guard_rows;
UPDATE order_ext_internal.gateways SET run_as_oid = coalesce(to_regrole(quote_ident(run_as))::oid, 0)
WHERE run_as IS NOT NULL;
ALTER TABLE order_ext_internal.gateways ENABLE ALWAYS TRIGGER guard_rows;

ALTER TABLE order_ext_internal.instance DISABLE TRIGGER guard_rows;
UPDATE order_ext_internal.instance SET
	risk_role_oid = coalesce(to_regrole(quote_ident(risk_role))::oid, 0),
	risk_owner_oid = CASE WHEN risk_owner IS NOT NULL THEN coalesce(to_regrole(quote_ident(risk_owner))::oid, 0) END
WHERE risk_handler IS NOT NULL;
ALTER TABLE order_ext_internal.instance ENABLE ALWAYS TRIGGER guard_rows;
-- A time limit of a group's own.
ALTER TABLE order_ext_internal.consumer_groups ADD COLUMN handler_timeout integer;
-- The tables besides topic_grants that name roles: see 345_find_role.
CREATE TRIGGER find_role BEFORE INSERT OR UPDATE ON order_ext_internal.consumer_groups
	FOR EACH ROW
	EXECUTE FUNCTION order_ext_internal.find_role('run_as', 'handler_owner', 'subscriber');
ALTER TABLE order_ext_internal.consumer_groups ENABLE ALWAYS TRIGGER find_role;

CREATE TRIGGER find_role BEFORE INSERT OR UPDATE ON order_ext_internal.gateways
	FOR EACH ROW EXECUTE FUNCTION order_ext_internal.find_role('run_as');
ALTER TABLE order_ext_internal.gateways ENABLE ALWAYS TRIGGER find_role;

CREATE TRIGGER find_role BEFORE INSERT OR UPDATE ON order_ext_internal.instance
	FOR EACH ROW EXECUTE FUNCTION order_ext_internal.find_role('risk_role', 'risk_owner');
ALTER TABLE order_ext_internal.instance ENABLE ALWAYS TRIGGER find_role;
-- timers_moved: timers that reschedule_message() has given another time; they wait here until
-- they are due. What the ring still has of one is noted in timer_cancels. src/message/timer/moved.c
CREATE TABLE order_ext_internal.timers_moved (
	message_id bigint PRIMARY KEY,
	key bigint NOT NULL,
	due_at timestamptz NOT NULL,
	published_at timestamptz NOT NULL,
	topic_id integer NOT NULL,
	payload jsonb NOT NULL
);
CREATE INDEX timers_moved_due_at ON order_ext_internal.timers_moved (due_at);
-- Giving messages published for later another time.

-- reschedule_message(): src/message/verbs/cancel_message.c
CREATE FUNCTION order_ext.reschedule_message(message_id bigint, deliver_at timestamptz)
	RETURNS boolean
	LANGUAGE C VOLATILE SECURITY INVOKER
	AS 'MODULE_PATHNAME', 'order_ext_reschedule_message';
-- The life of messages, by key.

-- is_behind(p, xid, message_id): whether a message lies behind a row of group_progress.
CREATE OR REPLACE FUNCTION order_ext_internal.is_behind(p order_ext_internal.group_progress, xid xid8,
		message_id bigint)
	RETURNS boolean
	LANGUAGE sql STABLE
	RETURN pg_catalog.pg_visible_in_snapshot($2, ($1).done)
		OR (pg_catalog.pg_visible_in_snapshot($2, ($1).reading)
			AND ($2, $3) <= (($1).pos_xid, ($1).pos_id)) IS TRUE;
COMMENT ON FUNCTION order_ext_internal.is_behind(order_ext_internal.group_progress, xid8, bigint) IS
	'Whether a message lies behind a group''s progress.';

-- finished_at(group_id, xid, message_id, shard): when the group got past a message of the log;
-- NULL if it has not, or too long ago for the progress that is kept.
CREATE OR REPLACE FUNCTION order_ext_internal.finished_at(group_id integer, xid xid8, message_id bigint,
		shard smallint)
	RETURNS timestamptz
	LANGUAGE sql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT coalesce(
		(SELECT r.at FROM order_ext_internal.inline_ranges r
		 WHERE r.group_id = $1 AND r.xid = $2 AND $3 BETWEEN r.first_id AND r.last_id),
		(SELECT CASE WHEN p.seq = 1 OR EXISTS (
				SELECT FROM order_ext_internal.group_progress q
				WHERE q.group_id = $1 AND q.part = p.part AND q.seq < p.seq) THEN p.at END
		 FROM order_ext_internal.group_progress p
		 WHERE p.group_id = $1 AND p.part = $4 % p.parts AND order_ext_internal.is_behind(p, $2, $3)
		 ORDER BY p.at, p.seq LIMIT 1))
$$;
COMMENT ON FUNCTION order_ext_internal.finished_at(integer, xid8, bigint, smallint) IS
	'When a group got past a message.';

CREATE OR REPLACE FUNCTION order_ext.message_trace(key bigint)
	RETURNS TABLE (message_id bigint, topic text, consumer_group text, state text,
		attempt integer, published_at timestamptz, finished_at timestamptz, error text)
	LANGUAGE plpgsql STABLE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	SET jit = off
	-- the planner does not know how few pages a bloom filter of the log leaves
	SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
	-- the owner here is not who called: that is the role of SET ROLE, else the session's
	caller name := coalesce(nullif(current_setting('role'), 'none'), session_user);
	sees_errors boolean := has_column_privilege(caller, 'order_ext.attempt_log', 'error', 'SELECT');
BEGIN
	IF message_trace.key IS NULL THEN
		RAISE EXCEPTION 'argument "key" must not be null' USING ERRCODE = '22004';
	END IF;
	RETURN QUERY
	WITH timers AS (
		SELECT t.message_id, t.topic_id, t.published_at, t.bound,
			(p.bucket IS NOT NULL AND t.due_at <= p.fired_until
				AND pg_visible_in_snapshot(t.xid, p.seen))
			OR EXISTS (SELECT FROM order_ext_internal.timer_ahead a
				WHERE a.bucket = t.bucket AND t.message_id = ANY (a.message_ids))
			OR EXISTS (SELECT FROM order_ext_internal.timer_cancels c
				WHERE c.message_id = t.message_id) AS handled
		FROM order_ext_internal.timer_ring t
		LEFT JOIN LATERAL (
			SELECT * FROM order_ext_internal.timer_progress p
			WHERE p.bucket = t.bucket ORDER BY p.seq DESC LIMIT 1) p ON true
		WHERE t.key = message_trace.key
			AND NOT EXISTS (SELECT FROM order_ext_internal.timers_moved m
				WHERE m.message_id = t.message_id)
		UNION ALL
		SELECT t.message_id, t.topic_id, t.published_at, t.bound,
			EXISTS (SELECT FROM order_ext_internal.timer_cancels c
				WHERE c.message_id = t.message_id)
		FROM order_ext_internal.timers_far t
		WHERE t.key = message_trace.key
			AND NOT EXISTS (SELECT FROM order_ext_internal.timers_moved m
				WHERE m.message_id = t.message_id)
		UNION ALL
		SELECT t.message_id, t.topic_id, t.published_at, NULL::smallint, false
		FROM order_ext_internal.timers_moved t
		WHERE t.key = message_trace.key
	), log AS MATERIALIZED (
		SELECT m.message_id, m.topic_id, m.xid, m.published_at, m.shard
		FROM order_ext_internal.message_log m
		WHERE m.key = message_trace.key
	), pending AS MATERIALIZED (
		SELECT p.* FROM order_ext_internal.pending_messages p
		WHERE p.key = message_trace.key
	), known AS (
		-- beyond the log's retention, what is still pending is known from its copy
		SELECT l.message_id, l.topic_id, l.published_at, l.xid, l.shard FROM log l
		UNION ALL
		SELECT DISTINCT p.message_id, p.topic_id, p.published_at, NULL::xid8, NULL::smallint
		FROM pending p
		WHERE p.message_id NOT IN (SELECT l.message_id FROM log l)
	), reader AS (
		-- each message with the groups that it is for
		SELECT k.*, g.group_id, g.name
		FROM known k
		JOIN order_ext_internal.consumer_groups g ON g.topic_id = k.topic_id
		WHERE NOT coalesce(pg_visible_in_snapshot(k.xid, g.start_at), false)
			OR EXISTS (SELECT FROM order_ext_internal.attempts a
				WHERE a.message_id = k.message_id AND a.group_id = g.group_id)
			OR EXISTS (SELECT FROM pending p
				WHERE p.message_id = k.message_id AND p.group_id = g.group_id)
	), life AS (
		SELECT r.message_id, r.topic_id, r.name, a.state, a.attempt, r.published_at,
			a.finished_at, CASE WHEN sees_errors THEN a.error ELSE a.sqlstate END AS error,
			a.started_at
		FROM reader r
		JOIN order_ext_internal.attempts a USING (message_id, group_id)
		UNION ALL
		SELECT r.message_id, r.topic_id, r.name,
			coalesce(p.state, 'done'),
			greatest(p.attempts, 1), r.published_at,
			CASE WHEN p.message_id IS NULL
				THEN order_ext_internal.finished_at(r.group_id, r.xid, r.message_id, r.shard) END,
			NULL, NULL
		FROM reader r
		LEFT JOIN pending p USING (message_id, group_id)
		WHERE NOT EXISTS (SELECT FROM order_ext_internal.attempts a
			WHERE a.message_id = r.message_id AND a.group_id = r.group_id)
		UNION ALL
		SELECT r.message_id, r.topic_id, r.name, p.state, p.attempts, r.published_at, NULL, NULL,
			p.since
		FROM reader r
		JOIN pending p USING (message_id, group_id)
		WHERE p.state = 'leased' AND EXISTS (SELECT FROM order_ext_internal.attempts a
			WHERE a.message_id = r.message_id AND a.group_id = r.group_id)
		UNION ALL
		SELECT k.message_id, k.topic_id, NULL, 'done', NULL, k.published_at, k.published_at,
			NULL, NULL
		FROM known k
		WHERE k.message_id NOT IN (SELECT r.message_id FROM reader r)
		UNION ALL
		SELECT t.message_id, t.topic_id, NULL,
			CASE WHEN t.handled OR (t.bound IS NOT NULL AND NOT EXISTS (
					SELECT FROM order_ext_internal.orders o
					WHERE o.order_id = message_trace.key AND o.status = t.bound))
				THEN 'void' ELSE 'timer' END,
			NULL, t.published_at, NULL, NULL, NULL
		FROM timers t
		WHERE t.message_id NOT IN (SELECT k.message_id FROM known k)
	)
	SELECT l.message_id, t.name, l.name, l.state, l.attempt, l.published_at, l.finished_at, l.error
	FROM life l
	LEFT JOIN order_ext_internal.topics t USING (topic_id)
	ORDER BY l.message_id, l.name, l.started_at, l.attempt;
END
$$;
-- What verify() need not look at again. See src/api/verify_marks.c.

-- verify_marks: append-only, newest seq wins. What is visible in seen has been checked, and rows
-- of transition_log that are not visible in it are not older than since. full_at: when the last
-- full check was. unpaid_since: no unpaid order was due earlier. open_orders: orders that are
-- looked at again although nobody has touched them; found: findings that only a full check would
-- make again. log_blocks: the size of transition_log. Transaction ids mean nothing in another
-- cluster, and the rows are not dumped.
CREATE TABLE order_ext_internal.verify_marks (
	seq bigint PRIMARY KEY,
	at timestamptz NOT NULL,
	full_at timestamptz NOT NULL,
	since timestamptz NOT NULL,
	unpaid_since timestamptz NOT NULL,
	system_identifier bigint NOT NULL,
	log_blocks bigint NOT NULL,
	seen pg_snapshot NOT NULL,
	open_orders bigint[] NOT NULL,
	found jsonb NOT NULL
);

-- A row costs nothing here until its range of pages is full and maintain() summarizes it; the first
-- range is no exception.
CREATE INDEX transition_log_at ON order_ext_internal.transition_log USING brin (at)
	WITH (pages_per_range = 32);
DO $$
BEGIN
	PERFORM pg_catalog.brin_desummarize_range('order_ext_internal.transition_log_at', 0);
END
$$;
-- The sweep notes when it ran, and schedule_jobs() that it should.
ALTER TABLE order_ext_internal.sweep_progress ADD COLUMN swept_at timestamptz;
ALTER TABLE order_ext_internal.instance ADD COLUMN jobs_since timestamptz;
-- Jobs of pg_cron: a second way to cancel orders that are due, independent of the workers, and
-- maintenance.

-- maintain(): src/api/maintain.c
CREATE OR REPLACE FUNCTION order_ext.maintain() RETURNS bigint
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_maintain';

-- register_jobs(), unregister_jobs(): what the calls below do in pg_cron, as their caller.
CREATE OR REPLACE FUNCTION order_ext_internal.register_jobs() RETURNS void
	LANGUAGE plpgsql VOLATILE SECURITY INVOKER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	cron_database text;
BEGIN
	IF NOT EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_cron') THEN
		BEGIN
			cron_database := current_setting('cron.database_name', true);
		EXCEPTION WHEN insufficient_privilege THEN
			cron_database := '(cron.database_name)';
		END;
		IF cron_database IS NULL THEN
			RAISE EXCEPTION 'pg_cron is not loaded on this server'
				USING ERRCODE = '55000',
					HINT = format('Add pg_cron to shared_preload_libraries, set'
						' cron.database_name = %L, restart, and run CREATE EXTENSION pg_cron in'
						' that database.', current_database());
		ELSIF cron_database = current_database() THEN
			RAISE EXCEPTION 'pg_cron is not installed in this database'
				USING ERRCODE = '55000', HINT = 'Run CREATE EXTENSION pg_cron.';
		END IF;
		RAISE EXCEPTION 'pg_cron is not installed in this database'
			USING ERRCODE = '55000',
				DETAIL = format('It takes jobs in database %s.', cron_database),
				HINT = format('There, run SELECT'
					' cron.schedule_in_database(''order_ext sweep'', ''* * * * *'','
					' ''SELECT order_ext.expire_orders()'', %1$L),'
					' cron.schedule_in_database(''order_ext maintenance'', ''*/5 * * * *'','
					' ''SELECT order_ext.maintain()'', %1$L);', current_database());
	ELSIF NOT has_schema_privilege('cron', 'USAGE') THEN
		RAISE EXCEPTION 'permission denied to use pg_cron as role "%"', current_user
			USING ERRCODE = '42501',
				HINT = format('Run GRANT USAGE ON SCHEMA cron TO %I.', current_user);
	ELSIF NOT (SELECT rolcanlogin FROM pg_roles WHERE rolname = current_user) THEN
		RAISE EXCEPTION 'role "%" cannot log in, so pg_cron could not run its jobs', current_user
			USING ERRCODE = '42501',
				HINT = 'Call this as a role with LOGIN; the jobs will belong to it.';
	END IF;
	PERFORM cron.schedule('order_ext sweep', '* * * * *', 'SELECT order_ext.expire_orders()');
	PERFORM cron.schedule('order_ext maintenance', '*/5 * * * *', 'SELECT order_ext.maintain()');
END
$$;

COMMENT ON FUNCTION order_ext_internal.register_jobs() IS 'Registers the jobs of pg_cron.';

CREATE OR REPLACE FUNCTION order_ext_internal.unregister_jobs() RETURNS void
	LANGUAGE plpgsql VOLATILE SECURITY INVOKER
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF NOT EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_cron') THEN
		RAISE EXCEPTION 'pg_cron is not installed in this database'
			USING ERRCODE = '55000',
				HINT = 'Jobs can exist only in the database specified by cron.database_name.';
	END IF;
	PERFORM cron.unschedule(j.jobid)
	FROM cron.job j
	WHERE j.jobname IN ('order_ext sweep', 'order_ext maintenance')
		AND j.username = current_user AND j.database = current_database();
END
$$;
COMMENT ON FUNCTION order_ext_internal.unregister_jobs() IS 'Removes the jobs of pg_cron.';

-- schedule_jobs(), unschedule_jobs(): src/api/jobs.c
CREATE OR REPLACE FUNCTION order_ext.schedule_jobs() RETURNS void
	LANGUAGE C VOLATILE SECURITY INVOKER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_schedule_jobs';

CREATE OR REPLACE FUNCTION order_ext.unschedule_jobs() RETURNS void
	LANGUAGE C VOLATILE SECURITY INVOKER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_unschedule_jobs';
-- Checking that the tables are consistent.

-- verify(): reads as the owner, except what pg_cron shows to its caller only. src/api/verify.c
CREATE OR REPLACE FUNCTION order_ext.verify(scope text DEFAULT 'recent')
	RETURNS TABLE (invariant text, severity text, entity text, expected text, actual text)
	LANGUAGE C VOLATILE SECURITY INVOKER
	SET search_path = pg_catalog, pg_temp
	SET jit = off
	AS 'MODULE_PATHNAME', 'order_ext_verify';
-- How much is waiting, counted up to a number and estimated beyond it: for monitoring systems,
-- which ask most often when there is much.

-- group_load(group_id, most): what a group has not finished. A number up to `most` is exact; a
-- higher one is an estimate from a few pages of an index, in which rows of transactions that were
-- rolled back count, too. lag_exact: whether waiting + leased is exact. oldest: when the oldest of
-- the rows counted was published, dead letters excepted (NULL: none); beyond `most` those in
-- front. retry_at: when the first retry is due. All NULL if there is no such group. Sees what was
-- committed when it runs, not what the snapshot of its caller sees. src/message/upkeep/load.c
CREATE FUNCTION order_ext_internal.group_load(group_id integer, most integer,
		OUT waiting bigint, OUT leased bigint, OUT lag_exact boolean, OUT retrying bigint,
		OUT parked bigint, OUT dead bigint, OUT oldest timestamptz, OUT consumed bigint,
		OUT retry_at timestamptz)
	RETURNS record
	LANGUAGE C VOLATILE STRICT AS 'MODULE_PATHNAME', 'order_ext_group_load';
COMMENT ON FUNCTION order_ext_internal.group_load(integer, integer) IS
	'What a group has not finished: counted up to a number, beyond that estimated.';

-- index_count(index, most): how many rows a B-tree leads to, in the same way. For a partial index
-- that is the number of rows of its condition. Source: src/message/upkeep/load.c
CREATE FUNCTION order_ext_internal.index_count(index regclass, most integer) RETURNS bigint
	LANGUAGE C VOLATILE STRICT AS 'MODULE_PATHNAME', 'order_ext_index_count';
COMMENT ON FUNCTION order_ext_internal.index_count(regclass, integer) IS
	'How many rows an index leads to: counted up to a number, beyond that estimated.';
-- What operators see of topics and groups.

CREATE OR REPLACE VIEW order_ext.topics_view AS
	SELECT t.name AS topic, t.builtin,
		(SELECT count(*) FROM order_ext_internal.consumer_groups g
		 WHERE g.topic_id = t.topic_id) AS consumer_groups,
		t.max_depth,
		CASE WHEN NOT t.builtin THEN t.dedup_window * interval '1 second' END AS dedup_window,
		CASE WHEN t.builtin THEN 'order_ext_owner'
			ELSE (SELECT r.rolname::text FROM order_ext_internal.topic_grants g
				  JOIN pg_catalog.pg_roles r ON r.oid = g.role_oid
				  WHERE g.topic_id = t.topic_id AND g.privilege = 'owner') END AS owner,
		(SELECT coalesce(pg_catalog.jsonb_object_agg(have.rolname, have.privileges), '{}')
		 FROM (SELECT r.rolname,
				pg_catalog.jsonb_agg(DISTINCT g.privilege ORDER BY g.privilege) AS privileges
			   FROM order_ext_internal.topic_grants g
			   JOIN pg_catalog.pg_roles r ON r.oid = g.role_oid
			   WHERE g.topic_id = t.topic_id AND g.privilege <> 'owner'
			   GROUP BY r.rolname) have) AS grants
	FROM order_ext_internal.topics t;

CREATE OR REPLACE VIEW order_ext.subscriptions_view AS
	SELECT g.name AS consumer_group, t.name AS topic, g.handler, g.run_as, g.batch,
		g.max_attempts,
		CASE g.backoff WHEN 1 THEN 'exponential' ELSE 'rocketmq' END AS backoff,
		g.builtin, g.created_at, g.ordered, g.paused, g.subscriber,
		g.handler_timeout * interval '1 millisecond' AS handler_timeout
	FROM order_ext_internal.consumer_groups g
	JOIN order_ext_internal.topics t USING (topic_id);

CREATE OR REPLACE VIEW order_ext.dead_letters AS
	SELECT d.message_id, g.name AS consumer_group, t.name AS topic, d.key, d.payload,
		d.attempts, d.last_error, d.last_sqlstate, d.died_at
	FROM order_ext_internal.dead_messages d
	JOIN order_ext_internal.consumer_groups g USING (group_id)
	LEFT JOIN order_ext_internal.topics t ON t.topic_id = d.topic_id;

-- See group_load(): each number is exact to 10,000.
CREATE OR REPLACE VIEW order_ext.consumer_stats AS
	SELECT g.name AS consumer_group, t.name AS topic,
		l.waiting + l.leased AS lag,
		l.retrying, l.dead,
		greatest(pg_catalog.clock_timestamp() - l.oldest, '0'::interval) AS oldest_age,
		l.consumed, l.parked, l.lag_exact
	FROM order_ext_internal.consumer_groups g
	JOIN order_ext_internal.topics t USING (topic_id)
	CROSS JOIN LATERAL order_ext_internal.group_load(g.group_id, 10000) l;
-- What a monitoring system reads.

-- group_backlog(group_id, most): how many messages wait for a group, counted up to `most`, and
-- when the oldest was published (NULL if none waits); the caller's uncommitted ones count, too.
-- src/message/upkeep/backlog.c
CREATE OR REPLACE FUNCTION order_ext_internal.group_backlog(group_id integer, most integer, OUT waiting bigint,
		OUT oldest timestamptz)
	RETURNS record
	LANGUAGE C VOLATILE STRICT AS 'MODULE_PATHNAME', 'order_ext_group_backlog';
COMMENT ON FUNCTION order_ext_internal.group_backlog(integer, integer) IS
	'How many messages wait for a group, up to a number, and since when.';

-- metric_label(value): the value of a label. Its body is bound when it is created, and inlined.
CREATE OR REPLACE FUNCTION order_ext_internal.metric_label(value text) RETURNS text
	LANGUAGE sql IMMUTABLE
	RETURN '"' || replace(replace(replace(value, E'\\', E'\\\\'), '"', E'\\"'), E'\n', E'\\n')
		|| '"';
COMMENT ON FUNCTION order_ext_internal.metric_label(text) IS
	'The value of a label in the Prometheus text format.';

-- metrics(): numbers that grow with what is waiting are counted up to 1000 and estimated beyond
-- that, see group_load(). plpgsql keeps the plan, which takes longer to make than to run.
CREATE OR REPLACE FUNCTION order_ext.metrics()
	RETURNS text
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	SET jit = off
AS $$
BEGIN
	RETURN (
	WITH consumer AS MATERIALIZED (
		SELECT g.group_id, g.paused, l.*,
			format('{consumer_group=%s,topic=%s}', order_ext_internal.metric_label(g.name),
				order_ext_internal.metric_label(t.name)) AS labels,
			EXISTS (SELECT FROM order_ext_internal.backlog_alerts a
				WHERE a.group_id = g.group_id) AS holds_back
		FROM order_ext_internal.consumer_groups g
		JOIN order_ext_internal.topics t USING (topic_id)
		CROSS JOIN LATERAL order_ext_internal.group_load(g.group_id, 1000) l
	), firing AS MATERIALIZED (
		SELECT fired, lateness FROM order_ext_internal.timer_firings ORDER BY seq DESC LIMIT 1
	), bucket AS (
		-- element n (from 1) counts lateness below 2^(n/2) microseconds; every 4th will do
		SELECT h.position, sum(h.timers) OVER (ORDER BY h.position) AS until_here
		FROM firing, unnest(firing.lateness) WITH ORDINALITY AS h (timers, position)
	), worker AS MATERIALIZED (
		SELECT format('{kind="%s",role=%s,pid="%s"}', w.kind,
				order_ext_internal.metric_label(coalesce(w.role, '')), w.pid) AS labels,
			w.kind, w.pid, w.batches, w.messages
		FROM order_ext.worker_stats w
		WHERE w.database = current_database()
	), small AS MATERIALIZED (
		SELECT format('{table="%s"}', c.relname) AS labels, pg_total_relation_size(c.oid) AS bytes
		FROM pg_class c
		WHERE c.relnamespace = 'order_ext_internal'::regnamespace AND c.relkind = 'r'
			AND c.relname IN ('retries', 'dead_messages', 'parked_messages', 'leases',
				'lease_receipts', 'group_progress', 'inline_ranges', 'timers_far', 'timers_moved',
				'timer_progress', 'timer_cancels')
	), segment AS MATERIALIZED (
		SELECT format('{segment="%s"}', right(c.relname, 1)) AS labels,
			pg_table_size(c.oid) AS bytes
		FROM pg_class c
		WHERE c.relnamespace = 'order_ext_internal'::regnamespace
			AND c.relname ~ '^message_log_[0-9]$' AND c.relkind = 'r'
	), metric (rank, name, kind, help) AS (VALUES
		(1, 'order_ext_info', 'gauge', 'Version of the extension.'),
		(2, 'order_ext_message_ids_total', 'counter',
			'Message ids given out, to within what sessions keep in reserve.'),
		(3, 'order_ext_consumed_total', 'counter',
			'Messages that a group has finished or moved to its retries.'),
		(4, 'order_ext_waiting', 'gauge',
			'Messages in the log that wait for a group, estimated beyond 1000.'),
		(5, 'order_ext_oldest_waiting_seconds', 'gauge', 'Age of the oldest of them.'),
		(6, 'order_ext_retrying', 'gauge',
			'Messages that failed and will be run again, estimated beyond 1000.'),
		(7, 'order_ext_leased', 'gauge',
			'Messages that external consumers hold, estimated beyond 1000.'),
		(8, 'order_ext_dead', 'gauge', 'Dead letters, estimated beyond 1000.'),
		(9, 'order_ext_paused', 'gauge', '1 if the group is paused.'),
		(10, 'order_ext_timer_lateness_seconds', 'histogram', 'How late timers fired.'),
		(11, 'order_ext_log_bytes', 'gauge', 'Size of the segments of the message log.'),
		(12, 'order_ext_log_moves_total', 'counter',
			'How often the log went on to its next segment.'),
		(13, 'order_ext_worker_batches_total', 'counter',
			'Batches of a background worker since it started.'),
		(14, 'order_ext_worker_messages_total', 'counter',
			'Messages, or timers, of a background worker since it started.'),
		(15, 'order_ext_parked', 'gauge',
			'Messages of ordered groups that wait for an earlier one of their key, estimated '
			'beyond 1000.'),
		(16, 'order_ext_retry_overdue_seconds', 'gauge',
			'How long the first retry that is due has been so.'),
		(17, 'order_ext_holds_back_log', 'gauge',
			'1 if the log is kept for the group and operators were alerted.'),
		(18, 'order_ext_workers', 'gauge', 'Background workers of this database that are running.'),
		(19, 'order_ext_log_truncations_total', 'counter',
			'How often a segment of the log was truncated.'),
		(20, 'order_ext_table_bytes', 'gauge',
			'Size of tables whose rows come and go, indexes included.'),
		(21, 'order_ext_refunds_open', 'gauge',
			'Refunds that are requested or submitted, estimated beyond 1000.')
	), sample (rank, place, labels, value) AS (
		SELECT 1, 0::bigint, format('{version="%s"}', order_ext.version()), 1::text
		UNION ALL
		SELECT 2, 0, '', last_value::text
		FROM order_ext_internal.message_id_seq
		UNION ALL
		SELECT v.rank, c.group_id, c.labels, v.value::text
		FROM consumer c
		CROSS JOIN LATERAL (VALUES (3, c.consumed::numeric), (4, c.waiting),
			(5, coalesce(extract(epoch FROM clock_timestamp() - c.oldest), 0)), (6, c.retrying),
			(7, c.leased), (8, c.dead), (9, c.paused::integer), (15, c.parked),
			(16, greatest(0, extract(epoch FROM clock_timestamp() - c.retry_at))),
			(17, c.holds_back::integer)) AS v (rank, value)
		UNION ALL
		SELECT 10, position, format('_bucket{le="%s"}',
			(power(2, position / 2.0) / 1000000)::numeric(20, 6)), until_here::text
		FROM bucket WHERE position % 4 = 0 AND position <= 80
		UNION ALL
		SELECT 10, v.place, v.labels, fired::text
		FROM firing, (VALUES (1000, '_bucket{le="+Inf"}'), (1001, '_count')) AS v (place, labels)
		UNION ALL
		SELECT 11, row_number() OVER (ORDER BY labels), labels, bytes::text
		FROM segment
		UNION ALL
		SELECT 12, 0, '', coalesce(max(seq), 0)::text
		FROM order_ext_internal.ring_moves WHERE ring = 'log'
		UNION ALL
		SELECT 13, row_number() OVER (ORDER BY labels), labels, batches::text
		FROM worker
		UNION ALL
		SELECT 14, row_number() OVER (ORDER BY labels), labels, messages::text
		FROM worker
		UNION ALL
		SELECT 18, row_number() OVER (ORDER BY k.kind), format('{kind="%s"}', k.kind),
			(SELECT count(w.pid) FROM worker w WHERE w.kind = k.kind)::text
		FROM (VALUES ('dispatcher'), ('scheduler')) AS k (kind)
		UNION ALL
		SELECT 19, 0, '', coalesce(max(seq), 0)::text
		FROM order_ext_internal.ring_moves WHERE ring = 'log_gone'
		UNION ALL
		SELECT 20, row_number() OVER (ORDER BY labels), labels, bytes::text
		FROM small
		UNION ALL
		SELECT 21, 0, '', order_ext_internal.index_count('order_ext_internal.refunds_open',
			1000)::text
	)
	SELECT string_agg(CASE WHEN s.first
			THEN format(E'# HELP %1$s %2$s\n# TYPE %1$s %3$s\n', m.name, m.help, m.kind)
			ELSE '' END || m.name || s.labels || ' ' || s.value || chr(10), ''
		ORDER BY s.rank, s.place)
	FROM (SELECT rank, place, labels, value,
			row_number() OVER (PARTITION BY rank ORDER BY place) = 1 AS first
		  FROM sample) s
	JOIN metric m USING (rank));
END
$$;
-- metrics() writes its lines itself.
DROP FUNCTION order_ext_internal.metric_line(text, text[], anyelement);
-- held_facts: facts from outside that contradict what is recorded, as they were told; append-only
-- but for what staff says was done about them. kind: the call that reported it. order_id as told,
-- NULL if the fact names none. entity_id: the payment, refund or after-sale that it is about.
CREATE TABLE order_ext_internal.held_facts (
	fact_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	at timestamptz NOT NULL,
	order_id bigint,
	entity_id bigint,
	resolved_at timestamptz,
	kind text NOT NULL,
	reason text,
	payload jsonb NOT NULL,
	note text,
	resolved_by text
);
-- The few that wait for staff.
CREATE INDEX held_facts_open ON order_ext_internal.held_facts (fact_id) WHERE resolved_at IS NULL;
CREATE INDEX held_facts_order_id ON order_ext_internal.held_facts (order_id);
-- Facts that wait for staff.

-- resolve_fact(): src/api/resolve_fact.c
CREATE FUNCTION order_ext.resolve_fact(fact_id bigint, note text)
	RETURNS order_ext.result
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_resolve_fact';

CREATE VIEW order_ext.held_facts AS
	SELECT fact_id, kind, at, order_id, entity_id, reason, payload, resolved_at, note, resolved_by
	FROM order_ext_internal.held_facts;
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
-- As in 310_timers.

ALTER TABLE order_ext_internal.timer_ahead ALTER message_ids SET STORAGE EXTERNAL;
-- Pay types are in lower case; surrounding blanks are not part of them, nor of trade numbers and
-- gateway refund numbers. What would collide, or be empty, keeps its spelling, and verify() warns.

ALTER TABLE order_ext_internal.payments DISABLE TRIGGER guard_rows;
ALTER TABLE order_ext_internal.payment_events DISABLE TRIGGER guard_rows;
ALTER TABLE order_ext_internal.payment_notices DISABLE TRIGGER guard_rows;
ALTER TABLE order_ext_internal.refunds DISABLE TRIGGER guard_rows;
ALTER TABLE order_ext_internal.refund_events DISABLE TRIGGER guard_rows;
ALTER TABLE order_ext_internal.gateways DISABLE TRIGGER guard_rows;
ALTER TABLE order_ext_internal.consumer_groups DISABLE TRIGGER guard_rows;

UPDATE order_ext_internal.payments p
SET pay_type = lower(btrim(p.pay_type, E' \t\n\x0B\f\r')), out_trade_no = btrim(p.out_trade_no, E' \t\n\x0B\f\r')
WHERE (p.pay_type <> lower(btrim(p.pay_type, E' \t\n\x0B\f\r')) OR p.out_trade_no <> btrim(p.out_trade_no, E' \t\n\x0B\f\r'))
	AND btrim(p.pay_type, E' \t\n\x0B\f\r') <> '' AND btrim(p.out_trade_no, E' \t\n\x0B\f\r') <> ''
	AND NOT EXISTS (SELECT FROM order_ext_internal.payments other
		WHERE other.payment_id <> p.payment_id
			AND btrim(other.out_trade_no, E' \t\n\x0B\f\r') = btrim(p.out_trade_no, E' \t\n\x0B\f\r')
			AND lower(btrim(other.pay_type, E' \t\n\x0B\f\r')) = lower(btrim(p.pay_type, E' \t\n\x0B\f\r')));

-- Facts kept for staff are told again under the new spelling, if at all.
UPDATE order_ext_internal.payment_events e
SET pay_type = lower(btrim(e.pay_type, E' \t\n\x0B\f\r')), out_trade_no = btrim(e.out_trade_no, E' \t\n\x0B\f\r')
WHERE (e.pay_type <> lower(btrim(e.pay_type, E' \t\n\x0B\f\r')) OR e.out_trade_no <> btrim(e.out_trade_no, E' \t\n\x0B\f\r'))
	AND NOT EXISTS (SELECT FROM order_ext_internal.payment_events other
		WHERE other.event_id <> e.event_id
			AND btrim(other.out_trade_no, E' \t\n\x0B\f\r') = btrim(e.out_trade_no, E' \t\n\x0B\f\r')
			AND lower(btrim(other.pay_type, E' \t\n\x0B\f\r')) = lower(btrim(e.pay_type, E' \t\n\x0B\f\r'))
			AND (other.order_id, other.amount, other.currency) = (e.order_id, e.amount, e.currency));
UPDATE order_ext_internal.payment_notices n
SET pay_type = lower(btrim(n.pay_type, E' \t\n\x0B\f\r')), out_trade_no = btrim(n.out_trade_no, E' \t\n\x0B\f\r')
WHERE (n.pay_type <> lower(btrim(n.pay_type, E' \t\n\x0B\f\r')) OR n.out_trade_no <> btrim(n.out_trade_no, E' \t\n\x0B\f\r'))
	AND NOT EXISTS (SELECT FROM order_ext_internal.payment_notices other
		WHERE other.notice_id <> n.notice_id
			AND btrim(other.out_trade_no, E' \t\n\x0B\f\r') = btrim(n.out_trade_no, E' \t\n\x0B\f\r')
			AND lower(btrim(other.pay_type, E' \t\n\x0B\f\r')) = lower(btrim(n.pay_type, E' \t\n\x0B\f\r'))
			AND (other.order_id, other.outcome) = (n.order_id, n.outcome));
UPDATE order_ext_internal.refunds SET gateway_refund_no = nullif(btrim(gateway_refund_no, E' \t\n\x0B\f\r'), '')
WHERE gateway_refund_no <> btrim(gateway_refund_no, E' \t\n\x0B\f\r');
UPDATE order_ext_internal.refund_events e SET gateway_refund_no = btrim(e.gateway_refund_no, E' \t\n\x0B\f\r')
WHERE e.gateway_refund_no <> btrim(e.gateway_refund_no, E' \t\n\x0B\f\r')
	AND NOT EXISTS (SELECT FROM order_ext_internal.refund_events other
		WHERE other.event_id <> e.event_id AND other.refund_id = e.refund_id
			AND btrim(other.gateway_refund_no, E' \t\n\x0B\f\r') = btrim(e.gateway_refund_no, E' \t\n\x0B\f\r')
			AND (other.outcome, other.reason, coalesce(other.amount, -1)) = (e.outcome, e.reason, coalesce(e.amount, -1)));

-- A gateway is also a consumer group that is named after it.
WITH renamed AS (
	UPDATE order_ext_internal.gateways g
	SET pay_type = lower(btrim(g.pay_type, E' \t\n\x0B\f\r'))
	WHERE g.pay_type <> lower(btrim(g.pay_type, E' \t\n\x0B\f\r')) AND btrim(g.pay_type, E' \t\n\x0B\f\r') <> ''
		AND NOT EXISTS (SELECT FROM order_ext_internal.gateways other
			WHERE other.pay_type <> g.pay_type
				AND lower(btrim(other.pay_type, E' \t\n\x0B\f\r')) = lower(btrim(g.pay_type, E' \t\n\x0B\f\r')))
		AND NOT EXISTS (SELECT FROM order_ext_internal.consumer_groups c
			WHERE c.name = 'refund.execute:' || lower(btrim(g.pay_type, E' \t\n\x0B\f\r')))
	RETURNING g.pay_type)
UPDATE order_ext_internal.consumer_groups c
SET name = 'refund.execute:' || r.pay_type
FROM renamed r
WHERE c.adapted AND lower(btrim(substring(c.name FROM '^refund\.execute:(.*)'), E' \t\n\x0B\f\r')) = r.pay_type;

ALTER TABLE order_ext_internal.payments ENABLE ALWAYS TRIGGER guard_rows;
ALTER TABLE order_ext_internal.payment_events ENABLE ALWAYS TRIGGER guard_rows;
ALTER TABLE order_ext_internal.payment_notices ENABLE ALWAYS TRIGGER guard_rows;
ALTER TABLE order_ext_internal.refunds ENABLE ALWAYS TRIGGER guard_rows;
ALTER TABLE order_ext_internal.refund_events ENABLE ALWAYS TRIGGER guard_rows;
ALTER TABLE order_ext_internal.gateways ENABLE ALWAYS TRIGGER guard_rows;
ALTER TABLE order_ext_internal.consumer_groups ENABLE ALWAYS TRIGGER guard_rows;
-- claim_refunds() and resolve_held_payment() get an argument: they are dropped, and made anew by
-- 435_money_api. money_grants gives their grants back.
DO $$
DECLARE
	changed regprocedure;
	regrants text := '';
BEGIN
	FOREACH changed IN ARRAY ARRAY[
		'order_ext.claim_refunds(integer, text, interval)',
		'order_ext.resolve_held_payment(bigint, text)']::regprocedure[]
	LOOP
		SELECT regrants || coalesce(string_agg(format('GRANT EXECUTE ON FUNCTION order_ext.%I TO %I%s;', p.proname,
				pg_get_userbyid(a.grantee), CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END), ''), '')
		INTO regrants
		FROM pg_proc p, aclexplode(p.proacl) a
		WHERE p.oid = changed AND a.grantee NOT IN (0, p.proowner);
		EXECUTE format('DROP FUNCTION %s', changed);
	END LOOP;
	PERFORM set_config('order_ext_update.money_grants', regrants, true);
END
$$;

ALTER TYPE order_ext.refund_request ADD ATTRIBUTE payment_amount bigint;
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
-- Views of after-sales and of the sandbox gateway's books. Amounts are in minor units.

CREATE OR REPLACE VIEW order_ext.after_sales_view AS
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

CREATE OR REPLACE VIEW order_ext.after_sale_items_view AS
	SELECT i.after_sale_id, i.order_id, o.sku, i.quantity, i.amount, i.discount,
		i.received, i.damaged, i.restocked, i.line
	FROM order_ext_internal.after_sale_items i
	JOIN order_ext_internal.order_items o
		ON o.order_id = i.order_id AND o.line = i.line;

CREATE OR REPLACE VIEW order_ext.after_sale_events_view AS
	SELECT e.after_sale_id,
		CASE e.kind WHEN 1 THEN 'return_shipment' WHEN 2 THEN 'return_receipt' END AS kind,
		e.disposition, e.reason, e.recorded_at
	FROM order_ext_internal.after_sale_events e;

CREATE OR REPLACE VIEW order_ext.sandbox_ledger AS
	SELECT s.refund_id, s.amount, s.calls, s.outcome, s.at
	FROM order_ext_internal.sandbox_refunds s;
-- Views of pay types and disputes. Amounts are in minor units.

CREATE VIEW order_ext.pay_types_view AS
	SELECT t.pay_type, CASE WHEN t.hold_surplus THEN 'hold' ELSE 'refund' END AS surplus,
		t.surplus_delay * interval '1 microsecond' AS surplus_delay
	FROM order_ext_internal.pay_types t;

CREATE VIEW order_ext.disputes_view AS
	SELECT d.pay_type, d.dispute_no,
		CASE d.status WHEN 10 THEN 'opened' WHEN 20 THEN 'won' WHEN 30 THEN 'lost' END AS status,
		d.order_id, d.payment_id, d.amount, p.currency, d.refund_id, d.opened_at, d.ended_at
	FROM order_ext_internal.disputes d
	JOIN order_ext_internal.payments p ON p.payment_id = d.payment_id;
-- Background workers and timers: their views, and notifying them.

-- announce(): makes the workers of this database start, or restart, when the transaction commits:
-- called by this script, by enable_dispatch(), and by every update script. Without
-- shared_preload_libraries it does nothing. Source: src/worker/hooks.c
CREATE OR REPLACE FUNCTION order_ext_internal.announce() RETURNS void
	LANGUAGE C VOLATILE STRICT AS 'MODULE_PATHNAME', 'order_ext_announce';
COMMENT ON FUNCTION order_ext_internal.announce() IS
	'Tells the launcher at commit to look at this database again.';

-- worker_list(): one row for each background process of order_ext in the server, and one
-- without pid for each database that wants workers and lacks them. No rows without preload.
-- Source: src/worker/stats.c
CREATE OR REPLACE FUNCTION order_ext_internal.worker_list(
		OUT pid integer, OUT database oid, OUT role oid, OUT kind text, OUT state text,
		OUT batches bigint, OUT messages bigint, OUT last_active timestamptz)
	RETURNS SETOF record
	LANGUAGE C VOLATILE STRICT ROWS 10 AS 'MODULE_PATHNAME', 'order_ext_worker_list';
COMMENT ON FUNCTION order_ext_internal.worker_list() IS
	'The background processes of order_ext; see order_ext.worker_stats.';

-- role_absence(role): why workers cannot be sessions of the role, NULL if they can. The role is
-- given by name and need not exist. Raises no error.
CREATE OR REPLACE FUNCTION order_ext_internal.role_absence(role text) RETURNS text
	LANGUAGE sql STABLE STRICT
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT CASE WHEN r.oid IS NULL THEN 'role is gone'
		WHEN r.rolsuper THEN 'role is a superuser'
		WHEN NOT r.rolcanlogin THEN 'role may not log in'
		WHEN NOT has_database_privilege(r.oid, current_database(), 'CONNECT')
			THEN 'role may not connect' END
	FROM (VALUES (role)) AS wanted (name)
	LEFT JOIN pg_roles r ON r.rolname = wanted.name
$$;
COMMENT ON FUNCTION order_ext_internal.role_absence(text) IS 'Why workers cannot run as a role.';

CREATE OR REPLACE VIEW order_ext.worker_stats AS
	WITH process AS MATERIALIZED (
		SELECT w.pid, d.datname AS database, r.rolname AS role, w.kind, w.state,
			w.batches, w.messages, w.last_active
		FROM order_ext_internal.worker_list() w
		LEFT JOIN pg_catalog.pg_database d ON d.oid = w.database
		LEFT JOIN pg_catalog.pg_roles r ON r.oid = w.role
	)
	SELECT * FROM process
	UNION ALL
	SELECT NULL, pg_catalog.current_database(), run_as.name::name, 'dispatcher', absence.reason,
		0, 0, NULL
	FROM (SELECT DISTINCT coalesce(r.rolname::text COLLATE "default", g.run_as),
			r.oid IS NULL
		  FROM order_ext_internal.consumer_groups g
		  LEFT JOIN pg_catalog.pg_roles r ON r.oid = g.run_as_oid
		  WHERE g.handler IS NOT NULL) AS run_as (name, is_gone),
		LATERAL (SELECT coalesce(CASE WHEN run_as.is_gone THEN 'role is gone'
				ELSE order_ext_internal.role_absence(run_as.name) END,
			CASE WHEN NOT EXISTS (SELECT FROM process p
					WHERE p.database = pg_catalog.current_database() AND p.role = run_as.name)
				AND (SELECT count(DISTINCT p.role) FROM process p
					WHERE p.database = pg_catalog.current_database()
						AND p.kind = 'dispatcher') >= 64
				THEN 'too many roles' END)) AS absence (reason)
	WHERE absence.reason IS NOT NULL AND EXISTS (SELECT FROM process p
		WHERE p.database = pg_catalog.current_database() AND p.kind = 'dispatcher'
			AND p.pid IS NOT NULL);

-- pending_timers: timers that have neither fired nor been found void, nor canceled. A row of a
-- bucket is behind if it is visible in the bucket's newest progress and due until its
-- fired_until, or listed in timer_ahead.
CREATE OR REPLACE VIEW order_ext_internal.pending_timers AS
	SELECT t.message_id, t.key, t.due_at, t.published_at, t.topic_id, t.bound, t.payload
	FROM order_ext_internal.timer_ring t
	LEFT JOIN (
		SELECT DISTINCT ON (bucket) bucket, fired_until, seen
		FROM order_ext_internal.timer_progress
		ORDER BY bucket, seq DESC) p ON p.bucket = t.bucket
	WHERE (p.bucket IS NULL
			OR t.due_at > p.fired_until
			OR NOT pg_catalog.pg_visible_in_snapshot(t.xid, p.seen))
		AND NOT EXISTS (SELECT FROM order_ext_internal.timer_ahead a,
				pg_catalog.unnest(a.message_ids) AS ahead (message_id)
			WHERE a.bucket = t.bucket AND ahead.message_id = t.message_id)
		AND NOT EXISTS (SELECT FROM order_ext_internal.timer_cancels c
			WHERE c.message_id = t.message_id)
		AND EXISTS (SELECT FROM order_ext_internal.topics k WHERE k.topic_id = t.topic_id)
	UNION ALL
	SELECT f.message_id, f.key, f.due_at, f.published_at, f.topic_id, f.bound, f.payload
	FROM order_ext_internal.timers_far f
	WHERE NOT EXISTS (SELECT FROM order_ext_internal.timer_cancels c
		WHERE c.message_id = f.message_id)
	UNION ALL
	SELECT m.message_id, m.key, m.due_at, m.published_at, m.topic_id, NULL::smallint, m.payload
	FROM order_ext_internal.timers_moved m;
COMMENT ON VIEW order_ext_internal.pending_timers IS 'Timers that have not fired.';

CREATE OR REPLACE VIEW order_ext.timer_stats AS
	WITH newest AS (
		SELECT fired, lateness FROM order_ext_internal.timer_firings ORDER BY seq DESC LIMIT 1
	), histogram AS (
		SELECT h.position, pg_catalog.sum(h.timers) OVER (ORDER BY h.position) AS until_here,
			pg_catalog.sum(h.timers) OVER () AS total
		FROM newest, pg_catalog.unnest(newest.lateness) WITH ORDINALITY AS h (timers, position)
	), late AS (
		-- element n (from 1) counts lateness below 2^(n/2) microseconds
		SELECT pg_catalog.min(position) FILTER (WHERE until_here >= total * 0.50) AS p50,
			pg_catalog.min(position) FILTER (WHERE until_here >= total * 0.99) AS p99
		FROM histogram
		WHERE total > 0
	)
	SELECT pending.timers AS pending, pending.next_due,
		coalesce((SELECT fired FROM newest), 0) AS fired,
		pg_catalog.power(2::double precision, late.p50 / 2.0::double precision)
			* interval '1 microsecond' AS late_p50,
		pg_catalog.power(2::double precision, late.p99 / 2.0::double precision)
			* interval '1 microsecond' AS late_p99
	FROM (SELECT pg_catalog.count(*) AS timers, pg_catalog.min(due_at) AS next_due
		  FROM order_ext_internal.pending_timers) pending, late;

DO $$
BEGIN
	PERFORM order_ext_internal.announce();
END
$$;
-- Guards for every table that has none yet, or an older one; also run at the end of an update.

DO $$
DECLARE
	guarded regclass;
BEGIN
	FOR guarded IN
		SELECT c.oid FROM pg_catalog.pg_class c
		WHERE c.relnamespace = 'order_ext_internal'::pg_catalog.regnamespace AND c.relkind = 'r'
			-- 30: BEFORE INSERT OR UPDATE OR DELETE FOR EACH STATEMENT
			AND NOT EXISTS (SELECT FROM pg_catalog.pg_trigger t
							WHERE t.tgrelid = c.oid AND t.tgname = 'guard_rows'
								AND t.tgtype = 30 AND t.tgenabled = 'A')
		ORDER BY c.relname
	LOOP
		EXECUTE pg_catalog.format(
			'CREATE OR REPLACE TRIGGER guard_rows BEFORE INSERT OR UPDATE OR DELETE ON %s
			 FOR EACH STATEMENT EXECUTE FUNCTION order_ext_internal.guard()', guarded);
		EXECUTE pg_catalog.format(
			'CREATE OR REPLACE TRIGGER guard_truncate BEFORE TRUNCATE ON %s
			 FOR EACH STATEMENT EXECUTE FUNCTION order_ext_internal.guard()', guarded);
		EXECUTE pg_catalog.format('ALTER TABLE %s ENABLE ALWAYS TRIGGER guard_rows,
			ENABLE ALWAYS TRIGGER guard_truncate', guarded);
	END LOOP;
END
$$;
-- What the internal tables and views are for, as shown by \d+. The columns are explained where
-- the tables are created. All segments of a ring share a comment.

DO $$
DECLARE
	said record;
BEGIN
	FOR said IN
		SELECT c.relname, c.relkind, s.what
		FROM pg_catalog.pg_class c
		JOIN (VALUES
			('products', 'What can be ordered.'),
			('product_prices', 'The prices of products, one per currency, in minor units.'),
			('freight_templates', 'The freight of a region, one per currency.'),
			('stock',
				'Pieces available, reserved and consumed, per product: the sum of its ledger.'),
			('stock_ledger', 'Every movement of stock; append-only.'),
			('stock_folds', 'Sums of stock_ledger up to a snapshot; the newest one counts.'),
			('coupons', 'Coupons of users, and the order that holds them.'),
			('orders', 'One row per order: where it is now.'),
			('order_items', 'The lines of the orders.'),
			('transition_log', 'Every transition of every entity of the machines; append-only.'),
			('verify_marks', 'Until when everything has been checked by verify().'),
			('sweep_progress',
				'How far the sweep has come: no unpaid order before it; newest row wins.'),
			('requests', 'Idempotency keys and the results that are replayed.'),
			('payments', 'Payment attempts and captures.'),
			('payment_events',
				'Facts from gateways that contradict what is on record; kept for staff.'),
			('held_facts',
				'Facts that contradict what is on record, and what staff did about them.'),
			('payment_notices',
				'Notices of closed or failed attempts that fit none; kept for staff.'),
			('refunds', 'Money to be paid back, and how far that is.'),
			('refund_events',
				'Facts about refunds that could not be taken as they are; kept for staff.'),
			('pay_types', 'What is special about the surplus of a pay type.'),
			('disputes', 'Payments that banks take back, or want to.'),
			('money_facts',
				'Facts from gateways about money that went back outside; some kept for staff.'),
			('channels', 'Who ships the orders of a channel.'),
			('fulfilments',
				'What becomes of the goods of paid orders; a tombstone for canceled ones.'),
			('fulfilment_documents',
				'Delivery orders of warehouses and logistic orders of carriers.'),
			('shipment_events',
				'Facts reported by warehouses and carriers, including those that match nothing.'),
			('after_sales', 'Applications for refunds and returns.'),
			('after_sale_items', 'What is returned of an order''s lines.'),
			('after_sale_events', 'Facts reported about goods that are sent back.'),
			('gateways', 'Pay types whose refunds the workers execute, and their handlers.'),
			('sandbox_refunds', 'The books of the sandbox gateway.'),
			('sandbox_switch', 'How the sandbox gateway answers the next calls.'),
			('topics', 'Topics; those with ids below 1000 are built in.'),
			('topic_grants', 'Who owns the topics of applications, and who may do what with them.'),
			('consumer_groups', 'Readers of topics: options, handler and role, number of parts.'),
			('message_log', 'The messages; insert-only segments that are truncated by turns.'),
			('group_progress',
				'How far each part of each group has read; append-only, newest row wins.'),
			('inline_ranges',
				'Messages that dispatch() delivered in the transaction that published them.'),
			('retries', 'Failed messages that wait for their next attempt; copies.'),
			('dead_messages',
				'Messages that were given up, until they are redriven or discarded; copies.'),
			('parked_messages',
				'Messages that wait for an earlier one of their key, of ordered groups; copies.'),
			('crash_suspects',
				'Messages whose handler was running when its worker process crashed or had to be'
				' ended.'),
			('attempts',
				'Attempts that did not simply succeed the first time; segments move with the'
				' log''s.'),
			('leases', 'Messages that external consumers hold; copies.'),
			('lease_receipts',
				'When leases end, counted from the commit of their receive() or extend_lease().'),
			('timers_far', 'Timers that are due later than the ring of buckets reaches.'),
			('timers_moved', 'Timers that were given another time.'),
			('timer_bucket', 'Timers by due time, two minutes each; insert-only segments.'),
			('timer_ring', 'All timer buckets.'),
			('timer_progress', 'How far each bucket has fired; append-only, newest row wins.'),
			('timer_ahead',
				'Timers that have fired though the progress of their bucket does not say so yet.'),
			('timer_firings',
				'Running totals of fired timers and their lateness; append-only, newest row wins.'),
			('timer_cancels', 'Timers that must not fire from where they are.'),
			('dedup_taken', 'Messages whose dedup_key was published again: they do not come back.'),
			('dedup',
				'dedup_keys and the messages that claimed them; segments are truncated by turns.'),
			('ring_moves', 'Which segment of a ring is written to; append-only, newest row wins.'),
			('backlog_alerts',
				'Groups that operators were alerted to because they hold back the log.'),
			('assets', 'Kinds of assets that the release of a canceled order is published for.'),
			('database_stamp', 'The database that dispatch is enabled in.'),
			('instance', 'The secret that order ids are permuted with, and the risk check.')
		) AS s (name, what) ON s.name = pg_catalog.regexp_replace(c.relname, '_[0-9]+$', '')
		WHERE c.relnamespace = 'order_ext_internal'::pg_catalog.regnamespace
			AND c.relkind IN ('r', 'v')
	LOOP
		EXECUTE pg_catalog.format('COMMENT ON %s order_ext_internal.%I IS %L',
			CASE said.relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END, said.relname, said.what);
	END LOOP;
END
$$;
-- The kinds know the new functions.
DROP FUNCTION order_ext_internal.grants();

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
			'get_order', 'order_timeline', 'allowed_actions', 'stock_level', 'publish',
			'cancel_message', 'reschedule_message', 'grant_topic', 'revoke_topic']),
		('callback', ARRAY['pay_callback', 'payment_closed', 'refund_callback', 'claim_refunds',
			'record_refund', 'payment_disputed',
			'shipment_event', 'fulfilment_cancel_result', 'report_shortage',
			'return_shipment', 'return_receipt']),
		('operator', ARRAY['put_product', 'put_price', 'put_freight', 'remove_freight',
			'adjust_stock', 'set_stock', 'stock_level',
			'issue_coupon', 'set_risk_check', 'set_channel', 'cancel_order', 'expire_orders',
			'review_after_sale', 'close_after_sale', 'reopen_after_sale', 'calculate_refund',
			'resolve_held_payment', 'resolve_fact', 'assign_payment', 'refund_order',
			'withdraw_refund', 'settle_refund', 'retry_refund', 'set_pay_type', 'set_gateway',
			'sandbox_set',
			'create_topic', 'alter_topic', 'drop_topic', 'grant_topic', 'revoke_topic',
			'cancel_message', 'reschedule_message', 'subscribe', 'unsubscribe', 'register_asset',
			'unregister_asset', 'pause', 'resume', 'redrive', 'discard', 'replay', 'dispatch',
			'schedule_jobs', 'unschedule_jobs', 'maintain',
			'get_order', 'order_timeline', 'allowed_actions', 'message_trace',
			'verify', 'metrics', 'state_graph', 'state_diagram',
			'orders_view', 'order_items_view', 'payments_view', 'refunds_view',
			'after_sales_view', 'after_sale_items_view', 'after_sale_events_view', 'sandbox_ledger',
			'pay_types_view', 'disputes_view', 'fulfilments_view', 'shipment_events_view',
			'held_facts',
			'coupons_view', 'prices_view', 'freight_view', 'stock_ledger_view', 'money_report',
			'topics_view',
			'subscriptions_view', 'dead_letters', 'attempt_log', 'parked_keys', 'consumer_stats',
			'timer_stats', 'worker_stats']),
		('observer', ARRAY['order_timeline', 'allowed_actions', 'stock_level',
			'message_trace', 'verify', 'metrics', 'state_graph', 'state_diagram',
			'orders_view', 'payments_view',
			'after_sales_view', 'after_sale_items_view', 'after_sale_events_view', 'sandbox_ledger',
			'pay_types_view', 'disputes_view', 'fulfilments_view', 'shipment_events_view',
			'coupons_view', 'prices_view', 'freight_view', 'stock_ledger_view', 'money_report',
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
			'fact_id, kind, at, order_id, entity_id, reason, resolved_at, resolved_by'),
		('observer', 'dead_letters',
			'message_id, consumer_group, topic, key, attempts, last_sqlstate, died_at'),
		('observer', 'attempt_log',
			'message_id, consumer_group, topic, attempt, state, sqlstate, worker, started_at, '
			'duration'),
		('observer', 'order_items_view',
			'order_id, sku, quantity, price, discount, pay, reservation, line'),
		('observer', 'refunds_view',
			'refund_id, order_id, payment_id, cause, amount, currency, status, attempt, '
			'requested_at, settled_at, after_sale_id, held, version, gateway_refund_no, '
			'claimed_by, lease_until, claim_after, asked, kept')
$$;
COMMENT ON FUNCTION order_ext_internal.grants() IS 'Which kind of role may call and see what.';
-- What the calls about the catalog, orders, fulfillment and reads do, for \df+ and for
-- docs/reference.md, which script/reference makes from these comments.
--
-- The first line is a sentence.  Then come lines "name: ..." for the arguments, in their order,
-- "Returns: ...", again "name: ..." for the columns of a result, "Dispositions: ..." of
-- order_ext.result, "Raises: ..." and "Publishes: ...", the items of the last three separated
-- by semicolons.  Lines between the first one and the arguments explain further.
-- test/pgtap/comments.sql checks this form.

COMMENT ON FUNCTION order_ext.put_product(text, text, bigint, text, text) IS
'Adds a product, or changes one, with its price in a currency.
Orders that exist keep the price that they were made with. Prices in other currencies stay; put_price adds them.
sku: the product''s own key, up to 128 characters
name: up to 1000 characters
price: of one piece, in minor units of the currency
kind: normal, or virtual (nothing is shipped)
currency: an ISO 4217 code; NULL: order_ext.currency as it is now
Raises: 22004; 22023; 54000';

COMMENT ON FUNCTION order_ext.put_price(text, text, bigint) IS
'Adds the price of a product in a currency, or changes it.
An order in a currency in which a product of it has no price is OE005.
sku: the product
currency: an ISO 4217 code
price: of one piece, in minor units of the currency
Raises: 22004; 22023; 54000; OE001 unknown sku';

COMMENT ON FUNCTION order_ext.put_freight(text, bigint, bigint, text) IS
'Adds the freight fee of a region in a currency, or changes it.
An order takes the template of its region and currency, else the one of region *, which is also that of orders without a region; without that, freight is 0 where options.region is not given, or has templates in other currencies only, or where there are no templates at all, and OE006 where no template has that region.
region: as in options.region of an order, up to 128 characters, stored trimmed and in lower case; * for every region without a template of its own
fee: in minor units of the currency
free_from: goods total before discount, in minor units, from which freight is free; NULL: never
currency: an ISO 4217 code; NULL: order_ext.currency as it is now
Raises: 22004; 22023; 54000';

COMMENT ON FUNCTION order_ext.remove_freight(text, text) IS
'Removes the freight fee of a region in a currency.
region: as of put_freight, in any spelling
currency: an ISO 4217 code; NULL: order_ext.currency as it is now
Returns: whether there was one
Raises: 22004; 22023; 54000';

COMMENT ON FUNCTION order_ext.adjust_stock(text, bigint, text, text, text) IS
'Adds to the available stock of a product, or takes from it; or writes off units that orders have reserved.
sku: the product
delta: pieces; negative to take away
reason: kept in the ledger, up to 1000 characters
request_id: idempotency key, up to 128 characters
bucket: available; or reserved: -delta units are written off, and the newest unpaid orders that hold them are canceled
Returns: the stock level afterwards; a repetition of the request_id gets the first answer
available: pieces that can be sold
reserved: pieces that unshipped orders hold
consumed: pieces that have left
Raises: 22004; 22023; 22003; 54000; OE601; OE001 unknown sku; OE201 the available stock would become negative, or unpaid orders hold fewer reserved units; OE110';

COMMENT ON FUNCTION order_ext.set_stock(text, bigint, text, text) IS
'Sets the available stock of a product, by a row of the ledger for the difference.
What open transactions have taken counts as taken.
sku: the product
available: pieces that can be sold from now on
reason: kept in the ledger, up to 1000 characters
request_id: idempotency key, up to 128 characters
Returns: the stock level afterwards; a repetition of the request_id gets the first answer
Raises: 22004; 22023; 22003; 54000; OE601; OE001 unknown sku; OE110';

COMMENT ON TYPE order_ext.stock_units IS 'A level of stock.';
COMMENT ON COLUMN order_ext.stock_units.available IS 'Pieces that can be sold.';
COMMENT ON COLUMN order_ext.stock_units.reserved IS 'Pieces that unshipped orders hold.';
COMMENT ON COLUMN order_ext.stock_units.consumed IS 'Pieces that have left.';

COMMENT ON FUNCTION order_ext.stock_level(text) IS
'Shows the stock of a product.
sku: the product
Returns: its stock level
available: pieces that can be sold
reserved: pieces that unshipped orders hold
consumed: pieces that have left
Raises: 22004; 22023; 54000; OE001 unknown sku';

COMMENT ON FUNCTION order_ext.issue_coupon(bigint, bigint, bigint, timestamptz, timestamptz, text) IS
'Issues a coupon to a user.
It takes amount off an order, but no more than the order''s goods total.
user_id: the only user who can use it
amount: in minor units
threshold: the least goods total of an order that it can be used for, in minor units
valid_from: beginning of its validity
valid_until: end of its validity
currency: of the orders that it can be used for, an ISO 4217 code; NULL: order_ext.currency as it is now
Returns: the id of the coupon
Raises: 22004; 22023';

COMMENT ON FUNCTION order_ext.quote_order(bigint, jsonb, bigint, jsonb) IS
'Prices an order without creating it.
user_id: the buyer
items: [{"sku": "A-1", "quantity": 2, "attributes": {...}}, ...], up to 1000 lines; attributes are optional and kept with the line; the quantities of a repeated sku with the same attributes are summed, with others it is a line of its own
coupon_id: a coupon of the buyer
options: as of create_order; region and currency matter here
Returns: {origin, discount, freight, pay_amount, currency, items: [{line, sku, quantity, price, discount, pay, attributes}]}, amounts in minor units; lines are numbered from 1 in the order given
Raises: 22004; 22023; 22003; 54000; OE001 unknown sku; OE005 no price in the currency; OE202 coupon cannot be used for this order; OE006 no freight for the region; OE203 coupon used by another order';

COMMENT ON FUNCTION order_ext.create_order(bigint, jsonb, bigint, bigint, interval, text, jsonb) IS
'Creates an order: reserves stock, locks the coupon, and sets the payment deadline.
An order with nothing to pay is paid at once. Errors are checked in the order listed.
user_id: the buyer
items: [{"sku": "A-1", "quantity": 2, "attributes": {...}}, ...], up to 1000 lines; attributes are optional and kept with the line; the quantities of a repeated sku with the same attributes are summed, with others it is a line of its own
pay_amount: what the client shows to the buyer, in minor units; must equal the server''s price
coupon_id: a coupon of the buyer
pay_timeout: time to pay; NULL: order_ext.pay_timeout
request_id: idempotency key, up to 128 characters
options: {region, currency, channel, external_id, address, remark, ...}; region and channel are stored in lower case, currency is an ISO 4217 code; external_id is your own order number and unique; other keys are kept, except misspelled ones of these
Returns: the order; detail has order_id, pay_amount, origin, discount, freight, currency and expire_at
Dispositions: applied; replayed
Raises: 22004; 22023; 22003; 54000; OE601; 23505 external_id exists; OE004 refused by the risk check; OE001 unknown sku; OE005 no price in the currency; OE202 coupon cannot be used for this order; OE006 no freight for the region; OE002 pay_amount differs from the price; OE201 not enough stock; OE203 coupon used by another order; OE110
Publishes: order.created; order.pay_timeout at the deadline; order.paid if there is nothing to pay';

COMMENT ON FUNCTION order_ext.pre_pay_order(bigint, text, bigint, text) IS
'Begins a payment attempt.
order_id: an unpaid order
pay_type: name of the gateway or method, up to 32 characters
pay_amount: must equal the order''s, in minor units
request_id: idempotency key, up to 128 characters
Returns: the order; detail has payment_id, pay_type, and out_trade_no, which the gateway may echo or replace
Dispositions: applied; replayed
Raises: 22004; 22023; 54000; OE601; OE001; OE101 the order is not unpaid; OE301 the amount differs; OE302 the deadline has passed; OE110';

COMMENT ON FUNCTION order_ext.pay_callback(bigint, text, text, bigint, text, timestamptz, jsonb) IS
'Records a capture that a gateway reports, and decides what it means for the order.
The capture is recorded whatever the state of the order.
order_id: as the gateway reports it
out_trade_no: the gateway''s trade number, up to 128 characters; unique per pay_type
pay_type: name of the gateway or method, up to 32 characters
pay_amount: captured, in minor units
currency: NULL: the order''s
paid_at: the gateway''s time
raw: the gateway''s message, kept as evidence; truncated beyond order_ext.max_payload
Returns: the order, if there is one; detail has payment_id, purpose, amount, currency, and refund_id where one was created
Dispositions: applied the order is paid; replayed this capture is on record; late_refund_queued the order is canceled, refused or invalid, a refund was created; surplus_refund_queued the order was paid already, a refund was created; amount_mismatch_held amount or currency differs, waits for staff; unknown_order_held no such order, or the trade number belongs to another one, waits for staff
Raises: 22004; 22023; 54000; OE110
Publishes: order.paid; refund.execute; ops.alert';

COMMENT ON FUNCTION order_ext.cancel_order(bigint, bigint, text, text, text, text) IS
'Cancels an order that has not left the warehouse; stock, coupon and money go back.
order_id: the order
user_id: checked as the owner; NULL: not checked
cancel_type: user or customer_service
reason: up to 1000 characters
request_id: idempotency key, up to 128 characters
refund_policy: full, or hold (refunds wait for retry_refund)
Returns: the order; detail has refund_amount and refund_policy
Dispositions: applied; replayed; noop already canceled; intercept_pending an external warehouse has been asked and must answer first
Raises: 22004; 22023; 54000; OE601; OE001; OE003 user_id is not the owner; OE103 the order has left the warehouse or is over; OE401 the warehouse has refused; OE110
Publishes: order.canceled; order.release_assets; payment.close for each open payment attempt; fulfilment.cancel_requested for an external warehouse';

COMMENT ON FUNCTION order_ext.expire_orders(integer) IS
'Cancels unpaid orders whose deadline has passed, without timers or workers.
Orders that another transaction has locked are skipped.
max_orders: the most to cancel; a tenth of the lock table is the limit in any case
Returns: the number of orders canceled
Raises: 22004; 22023; OE110
Publishes: order.canceled; order.release_assets; payment.close';

COMMENT ON FUNCTION order_ext.allowed_actions(bigint) IS
'Lists the calls that are possible in the order''s present status.
order_id: the order
Returns: names of calls
Raises: 22004; 22023; OE001';

COMMENT ON FUNCTION order_ext.set_risk_check(regprocedure, regrole) IS
'Sets the function that can refuse an order; NULL removes it.
The function is f(request jsonb) returns text: NULL to pass, or the reason to refuse. The request is {user_id, items, pay_amount, coupon_id, options}.
It runs in a security-restricted operation, with search_path "$user", public unless it sets its own; it is canceled after order_ext.handler_timeout (57014), and cannot use advisory locks of the session, which is somebody else''s.
handler: the function
run_as: a role that the caller is a member of, and no superuser; NULL: the caller
Raises: 22023 wrong signature; 42501 the role may not use this function, or is a superuser';

COMMENT ON FUNCTION order_ext.currency_exponent(text) IS
'Tells how many decimals the minor units of a currency are.
currency: an ISO 4217 code, in any case
Returns: 2 for CNY, 0 for JPY, 3 for KWD: amounts are in units of 10 to the power of minus that
Raises: 22004; 22023';

COMMENT ON FUNCTION order_ext.status_code(text, text) IS
'Translates the name of a status into its number.
machine: order, payment, after_sale, return, refund, coupon or fulfilment
name: as views show it
Returns: the number
Raises: 22004; 22023';

COMMENT ON FUNCTION order_ext.state_graph(text) IS
'Lists the transitions of a state machine that this version executes.
machine: order, payment, after_sale, return, refund, coupon or fulfilment
Returns: one row per transition
from_status: NULL for creation
to_status: status after the transition
event: its name
actor: who can cause it: buyer, staff, gateway, warehouse, system
guard: the condition, in words
messages: topics that it publishes to
Raises: 22004; 22023';

COMMENT ON FUNCTION order_ext.state_diagram(text) IS
'Draws the transitions of a state machine as a Mermaid diagram.
machine: order, payment, after_sale, return, refund, coupon or fulfilment
Returns: Mermaid text
Raises: 22004; 22023';

-- ---- fulfillment ----

COMMENT ON FUNCTION order_ext.shipment_event(bigint, text, text, timestamptz, jsonb) IS
'Records what a warehouse or carrier reports about an order, and moves the order.
Events can come in any order and repeatedly; picked can be omitted. out_stock wins over a cancel request that the warehouse has not answered.
order_id: the order
event_id: the sender''s id of the event, up to 128 characters; unique per order
kind: picked, out_stock, delivering, signed; or what ends the way of a parcel that was not delivered: refused, returned (it is back), lost. The order becomes refused, with an after-sale of all that is left of it: a lost parcel is refunded at once, the others after return_receipt
occurred_at: the sender''s time
payload: the sender''s message, kept as evidence; truncated beyond order_ext.max_payload
Returns: the order, if there is one; detail has event_id, kind, and reason where held
Dispositions: applied the order has moved (picked: its fulfillment), and parked events may have followed; parked came early, applied when its turn comes; replayed on record already with this event_id and kind, whatever else it says, or the order is past it; held waits for staff: unknown order, shipped after its cancel, both signed and not delivered, both lost and not lost, or an event_id reused for another kind
Raises: 22004; 22023; 54000; OE110
Publishes: order.shipped_out; order.delivering; order.signed; order.refused; after_sale.applied if it was not delivered, refund.execute if it was lost; ops.alert';

COMMENT ON FUNCTION order_ext.fulfilment_cancel_result(bigint, boolean, text, jsonb) IS
'Records an external warehouse''s answer to fulfilment.cancel_requested.
order_id: the order
accepted: whether the parcel was stopped
event_id: the sender''s id of the answer, up to 128 characters; unique per order
raw: the sender''s message, kept as evidence; truncated beyond order_ext.max_payload
Returns: the order, if there is one; detail has event_id, kind, and reason where held
Dispositions: applied accepted: the order is canceled, rejected: it goes on and can no longer be canceled; replayed on record already; noop rejected after it was shipped or unasked, or accepted after the cancel; held waits for staff: accepted after it was shipped or unasked, rejected after the cancel, unknown order, or an event_id reused
Raises: 22004; 22023; 54000; OE110
Publishes: order.canceled; order.release_assets; payment.close; ops.alert';

COMMENT ON FUNCTION order_ext.confirm_receipt(bigint, bigint, text) IS
'Records that the buyer has received the parcel.
order_id: the order
user_id: its owner
request_id: idempotency key, up to 128 characters
Returns: the order
Dispositions: applied; replayed; noop already signed
Raises: 22004; 22023; 54000; OE601; OE001; OE003 user_id is not the owner; OE101 not in status delivering; OE110
Publishes: order.signed';

COMMENT ON FUNCTION order_ext.change_address(bigint, bigint, jsonb, text) IS
'Changes the address of an order, once, before it leaves the warehouse.
order_id: the order
user_id: its owner
address: an object, replaces options.address
request_id: idempotency key, up to 128 characters
Returns: the order
Dispositions: applied; replayed; noop that is its address already
Raises: 22004; 22023; 54000; OE601; OE001; OE003 user_id is not the owner; OE101 it has left the warehouse, is over, or was changed before; OE110';

COMMENT ON FUNCTION order_ext.remove_order(bigint, bigint) IS
'Hides a finished order from its buyer.
The order itself remains, marked with removed_at.
order_id: an order that is signed, canceled, refused or invalid
user_id: its owner
Returns: the order
Dispositions: applied; noop removed before
Raises: 22004; 22023; OE001; OE003 user_id is not the owner; OE101 the order is not finished; OE110';

COMMENT ON FUNCTION order_ext.report_shortage(bigint, jsonb, text) IS
'Records that the warehouse lacks pieces of an order, and refunds them.
An after-sale is opened and approved at once; the pieces are written off.
order_id: an order in status out_stock
lines: the missing pieces, as of calculate_refund
request_id: idempotency key, up to 128 characters
Returns: the order; detail has after_sale_id, order_id, type, amount, freight and lines
Dispositions: applied; replayed
Raises: 22004; 22023; 22003; 54000; OE601; OE001; OE101 not in status out_stock; OE501 more pieces than are left; OE110
Publishes: after_sale.applied; refund.execute';

COMMENT ON FUNCTION order_ext.set_channel(text, boolean) IS
'Sets whether orders of a channel are shipped by an external warehouse.
Such a warehouse must be asked before a cancel. Applies to orders that are paid from now on.
channel: as in options.channel of an order, up to 128 characters
external: true: shipped by an external warehouse
Raises: 22004; 22023; 54000';

-- ---- reads ----

COMMENT ON FUNCTION order_ext.get_order(bigint) IS
'Shows an order with its items, payments, refunds, after-sales, coupon and shipment.
It includes the address, so observers cannot call it.
order_id: the order
Returns: an object; ids are strings, amounts are numbers in minor units, statuses are names
Raises: 22004; 22023; OE001';

COMMENT ON FUNCTION order_ext.order_timeline(bigint) IS
'Shows what happened to an order, oldest first.
Rows of the order itself have statuses and form a chain. Rows of its payments, after-sales, refunds, coupon and fulfillment have none; those that only repeat a row of the order are left out.
order_id: the order
Returns: one row per event
at: when
from_status: of the order; NULL for its creation
to_status: of the order
event: such as pay, or payment.capture for what is not about the order itself
actor: buyer, staff, gateway, warehouse or system
detail: what changed
Raises: 22004; 22023; OE001';

COMMENT ON FUNCTION order_ext.message_trace(bigint) IS
'Shows what happened to the messages of a key, oldest first.
One row per message, consumer group and attempt; one per message without a group; one per timer that has not fired. It reaches back as far as the log; retries and dead letters are shown beyond it.
key: for built-in topics the order id
Returns: one row per attempt
message_id: same through timer, retries and redrive
topic: topic of the message
consumer_group: NULL if no group reads the topic
state: timer, void (its order has moved on, or it was canceled), waiting, leased, retry, parked (waits for an earlier message of its key), done, dead or discarded
attempt: from 1
published_at: when it was published
finished_at: when this attempt ended
error: message of a failed attempt; for roles that may not read attempt_log.error (observers), its SQLSTATE
Raises: 22004';

COMMENT ON FUNCTION order_ext.version() IS
'Shows the version of the extension in this database.
Returns: such as 0.4';
-- What the calls about after-sales, refunds and held money do; see 841_comments_orders.sql.

COMMENT ON FUNCTION order_ext.calculate_refund(bigint, jsonb) IS
'Calculates what an application for these lines would refund now.
Freight is refunded with the last pieces of an order. The result changes nothing.
order_id: the order
lines: [{"sku": "A-1", "quantity": 2}, {"line": 3, "quantity": 1}, ...]; a sku that stands in several lines of the order needs its line''s number
Returns: {amount, freight, lines: [{line, sku, quantity, amount}]}, in minor units; amount includes the freight
Raises: 22004; 22023; 22003; 54000; OE001; OE501 more pieces than are left';

COMMENT ON FUNCTION order_ext.apply_after_sale(bigint, bigint, text, jsonb, text, text) IS
'Files a buyer''s application for a refund, or for a refund against returned goods.
order_id: an order that is signed or refused
user_id: its owner
type: refund_only, or return_refund (the goods come back first)
lines: as of calculate_refund
reason: up to 1000 characters
request_id: idempotency key, up to 128 characters
Returns: the after-sale; detail has after_sale_id, order_id, type, amount, freight and lines
Dispositions: applied; replayed
Raises: 22004; 22023; 22003; 54000; OE601; OE001; OE003 user_id is not the owner; OE101 not signed or refused, order_ext.after_sale_window is over, or virtual goods; OE501 more pieces than are left; OE110
Publishes: after_sale.applied; after_sale.review_due after order_ext.review_reminder';

COMMENT ON FUNCTION order_ext.review_after_sale(bigint, boolean, text, text) IS
'Accepts or rejects an application.
An accepted refund_only is refunded; the goods of an accepted return_refund must be sent within order_ext.return_window.
after_sale_id: an after-sale in status applied
accept: the decision
reason: up to 1000 characters
request_id: idempotency key, up to 128 characters
Returns: the after-sale; detail has after_sale_id, order_id, type, amount, freight and return_status
Dispositions: applied; replayed
Raises: 22004; 22023; 54000; OE601; OE001; OE503 not in status applied; OE101 nothing is left of the payment; OE110
Publishes: after_sale.reviewed; refund.execute; after_sale.refunded if there is nothing to pay; after_sale.auto_close at the end of order_ext.return_window';

COMMENT ON FUNCTION order_ext.revoke_after_sale(bigint, bigint, text) IS
'Withdraws the buyer''s application.
Possible before the goods are sent and before the refund is claimed; an unclaimed refund is withdrawn with it.
after_sale_id: the after-sale
user_id: its owner
request_id: idempotency key, up to 128 characters
Returns: the after-sale; detail as of review_after_sale
Dispositions: applied; replayed; noop already revoked
Raises: 22004; 22023; 54000; OE601; OE001; OE003 user_id is not the owner; OE101 too late, or over; OE110
Publishes: after_sale.revoked';

COMMENT ON FUNCTION order_ext.close_after_sale(bigint, text, text) IS
'Ends an after-sale that was settled in another way.
Possible from applied, failed, and approved; an unclaimed refund is withdrawn with it. Not possible where the order is canceled or short of goods.
after_sale_id: the after-sale
reason: up to 1000 characters
request_id: idempotency key, up to 128 characters
Returns: the after-sale; detail as of review_after_sale
Dispositions: applied; replayed; noop already closed
Raises: 22004; 22023; 54000; OE601; OE001; OE101 not possible in its status; OE110';

COMMENT ON FUNCTION order_ext.reopen_after_sale(bigint, text) IS
'Puts a rejected application up for review again, at what it is worth now.
after_sale_id: an after-sale in status rejected
request_id: idempotency key, up to 128 characters
Returns: the after-sale, in status applied; detail as of review_after_sale
Dispositions: applied; replayed; noop already in status applied
Raises: 22004; 22023; 54000; OE601; OE001; OE101 not rejected; OE501 its pieces have been refunded meanwhile; OE110
Publishes: after_sale.review_due after order_ext.review_reminder';

COMMENT ON FUNCTION order_ext.return_shipment(bigint, text, text, text) IS
'Records that goods are on their way back.
The fact is recorded whatever the state of the after-sale.
after_sale_id: the after-sale
carrier: up to 64 characters
tracking_no: up to 128 characters
request_id: idempotency key, up to 128 characters
Returns: the after-sale, if there is one; detail as of review_after_sale, with carrier and tracking_no, and reason where held
Dispositions: applied; replayed; held waits for staff: unknown after-sale, not expected now, or another parcel than the first
Raises: 22004; 22023; 54000; OE110
Publishes: ops.alert';

COMMENT ON FUNCTION order_ext.return_receipt(bigint, jsonb, boolean, text) IS
'Records which goods have come back, and in what condition.
The fact is recorded whatever the state of the after-sale.
after_sale_id: the after-sale
lines: what arrived, [{"sku": "A-1", "quantity": 2, "condition": "ok"}, ...], or by line as of calculate_refund; condition is ok (default) or damaged
restock: true: pieces in order become available again; false: they are written off
request_id: idempotency key, up to 128 characters
Returns: the after-sale, if there is one; detail as of review_after_sale, and reason where held
Dispositions: applied everything is there and in order: it is refunded; with a damaged piece the return ends as damaged, nothing is refunded, and staff is alerted; replayed this receipt is on record; held waits for staff: other pieces than announced, unknown after-sale, not expected now, or another receipt than the first
Raises: 22004; 22023; 22003; 54000; OE110
Publishes: refund.execute; after_sale.refunded if there is nothing to pay; ops.alert';

COMMENT ON TYPE order_ext.refund_request IS 'What a gateway function sees of a refund.';
COMMENT ON COLUMN order_ext.refund_request.refund_id IS 'Idempotency key for the gateway: same on every attempt.';
COMMENT ON COLUMN order_ext.refund_request.payment_id IS 'The captured payment.';
COMMENT ON COLUMN order_ext.refund_request.order_id IS 'The order that the payment named.';
COMMENT ON COLUMN order_ext.refund_request.out_trade_no IS 'The gateway''s number of the payment.';
COMMENT ON COLUMN order_ext.refund_request.pay_type IS 'Name of the gateway or method.';
COMMENT ON COLUMN order_ext.refund_request.amount IS 'To refund, in minor units.';
COMMENT ON COLUMN order_ext.refund_request.currency IS 'Currency of the payment.';
COMMENT ON COLUMN order_ext.refund_request.attempt IS 'Number of the attempt, from 1.';
COMMENT ON COLUMN order_ext.refund_request.payment_amount IS 'What was captured in all, in minor units.';

COMMENT ON FUNCTION order_ext.claim_refunds(integer, text, interval, text[]) IS
'Claims refunds for a worker outside of the database, oldest first.
Commit, then call the gateway under refund_id, then report with refund_callback. Pay types with a gateway function are left out, and so are refunds that are held back, that have to wait, whose payment is in dispute, or that are locked by another transaction. A refund whose lease has expired is claimed again.
max_refunds: the most to claim; a tenth of the lock table is the limit in any case
worker: name for people, up to 128 characters
lease: time until the refund can be claimed again, up to 366 days
pay_types: only refunds of these; NULL: of all
Returns: one row per refund
refund_id: idempotency key for the gateway: same on every attempt
order_id: the order that the payment named
payment_id: the captured payment
out_trade_no: the gateway''s number of the payment
pay_type: name of the gateway or method
amount: to refund, in minor units
currency: currency of the payment
attempt: number of the attempt, from 1
lease_until: end of the lease
payment_amount: what was captured in all, in minor units
payment_currency: currency of payment_amount
reason: why, as given for the refund, its after-sale or the cancellation; may be NULL
Raises: 22004; 22023; 22003; 54000; OE110';

COMMENT ON FUNCTION order_ext.refund_callback(bigint, text, text, bigint, jsonb) IS
'Records what a gateway reports about a refund.
The report is recorded whatever the state of the refund.
refund_id: the refund
outcome: succeeded, failed or pending
gateway_refund_no: the gateway''s number, up to 128 characters
amount: refunded, in minor units; compared with the refund''s; NULL: not compared
raw: the gateway''s message, kept as evidence; truncated beyond order_ext.max_payload
Returns: the refund, if there is one; detail has refund_id, order_id, payment_id, after_sale_id, amount, currency, and reason where held
Dispositions: applied; replayed; noop nothing to change; held waits for staff: another amount or number, a success that is reversed, or an unknown refund
Raises: 22004; 22023; 54000; OE110
Publishes: refund.succeeded; refund.failed; after_sale.refunded; ops.alert';

COMMENT ON FUNCTION order_ext.retry_refund(bigint) IS
'Requests a failed refund again under its id, or releases one that is held back.
refund_id: the refund
Returns: the refund
Dispositions: applied; noop neither failed nor held back
Raises: 22004; 22023; OE001; OE110
Publishes: refund.execute';

COMMENT ON FUNCTION order_ext.payment_closed(bigint, text, text, text, jsonb) IS
'Records that a payment attempt was closed or has failed.
The attempt is found by its trade number, otherwise as the only open one of the pay type.
order_id: the order
out_trade_no: up to 128 characters
pay_type: name of the gateway or method, up to 32 characters
outcome: closed or failed
raw: the gateway''s message, kept as evidence; truncated beyond order_ext.max_payload
Returns: the order, if there is one; detail has outcome, payment_id and payment_status
Dispositions: applied; replayed; noop it was captured; held waits for staff: no such attempt, or it ended in another way
Raises: 22004; 22023; 54000; OE110
Publishes: ops.alert';

COMMENT ON FUNCTION order_ext.resolve_held_payment(bigint, text, boolean) IS
'Decides about captured money that is held, that matches no order, or that may be told of twice.
With accept it pays its order, and what exceeds the amount is refunded. With refund it goes back; a refund that withdraw_refund had taken back is requested again, and a duplicate is one no more. A duplicate tells of money that another capture of the order, of the same amount and currency, already tells of; it counts nowhere as captured, and a refund of it that nobody has claimed is withdrawn.
payment_id: the payment
decision: accept, refund or duplicate
accept_less: accept a capture that is lower than the order costs: the rest becomes a discount, spread over the lines as a coupon''s is; what exceeds the goods comes off the freight
Returns: the order, if there is one; detail has payment_id, purpose, amount, currency, and refund_id where one was requested
Dispositions: applied; noop nothing to decide
Raises: 22004; 22023; OE001; OE101 the order is not unpaid, or the record paid its order, or a refund of it was claimed; OE301 another currency, or too little, or no other capture tells of the same money; OE110
Publishes: order.paid; refund.execute';

COMMENT ON FUNCTION order_ext.resolve_fact(bigint, text) IS
'Says what was done about a held fact, which stays on record; verify() stops warning of it.
fact_id: as in held_facts
note: what was done, up to 1000 characters
Returns: the fact
Dispositions: applied; noop that was said before
Raises: 22004; 22023; 54000; OE001; OE110';

COMMENT ON FUNCTION order_ext.assign_payment(bigint, bigint, text) IS
'Assigns a held or unmatched capture to the order it is for.
It is decided as pay_callback for that order would be now, in its own currency or, if none was told, the order''s. A repetition of the original callback is replayed then.
payment_id: a capture with purpose held or unmatched, without a refund
order_id: the order
request_id: idempotency key, up to 128 characters
Returns: the order; detail as of pay_callback
Dispositions: applied; amount_mismatch_held; late_refund_queued; surplus_refund_queued; replayed
Raises: 22004; 22023; 54000; OE601; OE001 no such payment or order; OE101 neither held nor unmatched, or it has a refund; OE110
Publishes: order.paid; refund.execute; ops.alert';

COMMENT ON FUNCTION order_ext.refund_order(bigint, bigint, jsonb, boolean, text, text) IS
'Refunds by a decision of staff: goodwill, a lost parcel, virtual goods, after the window.
From any status of the order, as long as something is left of what was paid. The money goes out from the capture that paid the order. Lines count as gone back; nothing comes back to stock. An after-sale of type goodwill shows it. What goes back later is never more than what is left then: the excess is cut from the freight first, then from the last line up.
order_id: the order
amount: to refund, in minor units; not together with lines or freight
lines: what to refund for, as of calculate_refund; worth what is left of their share, without the freight
freight: refund what is left of the freight, too
reason: up to 1000 characters
request_id: idempotency key, up to 128 characters
Returns: the refund; detail has refund_id, after_sale_id, order_id, payment_id, type, amount, freight, currency, left and lines. Without amount, lines and freight all that is left is refunded
Dispositions: applied; replayed
Raises: 22004; 22023; 22003; 54000; OE601; OE001; OE101 the order was not paid; OE501 more than is left; OE110
Publishes: after_sale.applied; refund.execute';

COMMENT ON FUNCTION order_ext.withdraw_refund(bigint, text, text) IS
'Withdraws a refund that nobody has ever claimed; the shop keeps the money.
Its after-sale is closed. resolve_held_payment(payment_id, ''refund'') requests it again.
refund_id: a refund in status requested, attempt 0
reason: up to 1000 characters
request_id: idempotency key, up to 128 characters
Returns: the refund
Dispositions: applied; replayed; noop already withdrawn
Raises: 22004; 22023; 54000; OE601; OE001; OE101 it was claimed, or is over; OE110';

COMMENT ON FUNCTION order_ext.settle_refund(bigint, bigint, text) IS
'Records that the gateway has paid another amount than it was asked for, such as less a fee.
The refund has succeeded with that amount; the rest is left, to be refunded again (refund_order) or not.
refund_id: a refund that has not succeeded yet
amount: what was paid, in minor units
reason: up to 1000 characters
Returns: the refund
Dispositions: applied; noop it has succeeded with this amount
Raises: 22004; 22023; 54000; OE001; OE101 it has succeeded with another amount; OE501 more than is left; OE110
Publishes: refund.succeeded; after_sale.refunded';

COMMENT ON FUNCTION order_ext.record_refund(bigint, text, text, text, bigint, timestamptz, jsonb) IS
'Records a refund that was made outside, in the gateway''s dashboard.
It counts against what is left of the payment. Refunds of the payment that nobody has claimed are reduced or withdrawn by as much, so that nothing is paid twice, and their after-sales count as paid. A number that refund_callback has told is one of ours.
order_id: the order that the payment named
out_trade_no: the gateway''s number of the payment, up to 128 characters
pay_type: name of the gateway or method, up to 32 characters
gateway_refund_no: the gateway''s number of the refund, up to 128 characters; unique per pay type
amount: refunded, in minor units
refunded_at: the gateway''s own time of the refund; NULL: now
raw: the gateway''s message, kept as evidence; truncated beyond order_ext.max_payload
Returns: the refund; detail has refund_id, order_id, payment_id, amount, currency and gateway_refund_no, or reason where held
Dispositions: applied; replayed; held waits for staff: unknown payment, more than is left, a number that was used for another refund, or a claimed refund under way for the same money (tell it again when that is over)
Raises: 22004; 22023; 54000; OE110
Publishes: refund.succeeded; after_sale.refunded; ops.alert';

COMMENT ON FUNCTION order_ext.payment_disputed(bigint, text, text, text, text, bigint, jsonb) IS
'Records that a bank wants a payment back (a chargeback), and how that ended.
While a dispute is open, no refund of its payment is claimed. A lost one counts as gone back; refunds that nobody has claimed and that no longer fit are withdrawn. The first of won and lost ends it.
order_id: the order that the payment named
out_trade_no: the gateway''s number of the payment, up to 128 characters
pay_type: name of the gateway or method, up to 32 characters
dispute_no: the gateway''s number of the dispute, up to 128 characters
outcome: opened, won or lost
amount: in dispute, or lost, in minor units; NULL: as opened, otherwise all of the payment
raw: the gateway''s message, kept as evidence; truncated beyond order_ext.max_payload
Returns: the order, if there is one; detail has payment_id, dispute_no, outcome, amount, and refund_id of a lost one, or reason where held
Dispositions: applied; replayed; noop opened after its end; held waits for staff: unknown payment, another payment than before, the contrary outcome, or more than is left
Raises: 22004; 22023; 54000; OE110
Publishes: ops.alert; refund.execute';

COMMENT ON FUNCTION order_ext.set_pay_type(text, jsonb) IS
'Sets what becomes of money that a pay type captures too often.
Options are surplus: refund (default), or hold: surplus refunds, and late ones of orders that have another capture, wait for retry_refund (a gateway may tell one capture under two ids); surplus_delay: interval before a surplus or late refund may be claimed, up to 366 days (default 0). Keys that are left out keep their value.
pay_type: name of the gateway or method, up to 32 characters
options: an object
Raises: 22004; 22023; 22003; 54000; OE110';

COMMENT ON FUNCTION order_ext.set_gateway(text, regprocedure, regrole) IS
'Sets the function that executes refunds of a pay type; NULL removes it.
The function is f(order_ext.refund_request) returns text: an outcome as of refund_callback. Anything else, NULL or an error leaves the outcome unknown, and the gateway is asked again.
It runs in worker processes, for the consumer group refund.execute:PAY_TYPE, with search_path "$user", public unless it sets its own.
pay_type: name of the gateway or method, up to 32 characters
handler: the function
run_as: a role with LOGIN that the caller is a member of, and no superuser; NULL: the caller
Raises: 22004; 22023 wrong signature; 42501 the role may not use this function, or is a superuser; 42710 another group has that name; OE110';

COMMENT ON FUNCTION order_ext.sandbox_set(text, integer) IS
'Tells the built-in gateway sandbox how to answer its next calls.
outcome: succeeded, failed, pending, or vanish (the money moves, the answer is lost)
times: for how many calls
Raises: 22004; 22023';
-- What the calls about messages, consumer groups and running do; see 841_comments_orders.sql.

COMMENT ON TYPE order_ext.result IS 'Answer of a call that writes.';
COMMENT ON COLUMN order_ext.result.id IS 'What the call was about: an order, else an after-sale or a refund; NULL if there is none.';
COMMENT ON COLUMN order_ext.result.status IS 'Its status after the call, by name.';
COMMENT ON COLUMN order_ext.result.version IS 'Its version: 1 after creation, one more with every transition.';
COMMENT ON COLUMN order_ext.result.disposition IS 'What the call did.';
COMMENT ON COLUMN order_ext.result.detail IS 'Facts; ids are strings, amounts are numbers in minor units.';

COMMENT ON TYPE order_ext.message IS 'What a handler sees of a message.';
COMMENT ON COLUMN order_ext.message.id IS 'Same through timer, retries and redrive.';
COMMENT ON COLUMN order_ext.message.topic IS 'Topic of the message.';
COMMENT ON COLUMN order_ext.message.key IS 'Key given by the publisher.';
COMMENT ON COLUMN order_ext.message.payload IS 'Payload given by the publisher.';
COMMENT ON COLUMN order_ext.message.attempt IS 'Number of the attempt, from 1.';
COMMENT ON COLUMN order_ext.message.published_at IS 'When it was published.';

COMMENT ON FUNCTION order_ext.create_topic(text, jsonb) IS
'Creates a topic, which belongs to its caller.
The owner may publish and subscribe to it, cancel its messages, and grant_topic these to others.
topic: its name, up to 128 characters
options: max_depth, the most messages that can wait for the slowest group (default unlimited); dedup_window, an interval for which a dedup_key is remembered (default 1 day, up to a year)
Raises: 22004; 22023 unknown or invalid option; 54000; 42710 the topic exists';

COMMENT ON FUNCTION order_ext.alter_topic(text, jsonb) IS
'Changes options of a topic, from the next transactions on.
A longer dedup_window applies to the keys that are still remembered.
topic: a topic of your own, or any for operators
options: as of create_topic, and owner, a role that the topic is given to (its grants stay); options not named stay as they are, null resets to the default, and leaves the owner
Raises: 22004; 22023 unknown or invalid option; 54000; OE701 unknown topic; 42501 built-in topic, or another role''s; 42704 owner is not a role; OE110';

COMMENT ON FUNCTION order_ext.grant_topic(text, regrole, text) IS
'Grants a role a privilege on a topic.
For its owner and for operators. Members of the role have it, too; a role that is made later under the name of a dropped one does not.
topic: a topic of your own, or any for operators
role: who gets it
privilege: publish (register_asset needs it, too), subscribe, or cancel (cancel_message, reschedule_message)
Raises: 22004; 22023 unknown privilege; 54000; 42704 unknown role; OE701 unknown topic; 42501 built-in topic, or another role''s; OE110';

COMMENT ON FUNCTION order_ext.revoke_topic(text, regrole, text) IS
'Takes back what grant_topic gave; nothing happens if it was not granted.
Groups that the role has subscribed go on. The owner has every privilege for good.
topic: a topic of your own, or any for operators
role: who loses it
privilege: as of grant_topic
Raises: 22004; 22023 unknown privilege; 54000; 42704 unknown role; OE701 unknown topic; 42501 built-in topic, or another role''s; OE110';

COMMENT ON FUNCTION order_ext.drop_topic(text) IS
'Drops a topic that no group and no asset uses.
Its timers and grants are removed with it.
topic: a topic of your own, or any for operators
Raises: 22004; 54000; OE701 unknown topic; 42501 built-in topic, or another role''s; 2BP01 a group or an asset uses it';

COMMENT ON FUNCTION order_ext.publish(text, bigint, jsonb, timestamptz, text) IS
'Publishes a message, now or for later, as part of the caller''s transaction.
topic: a topic of your own, or one that you were granted publish on
key: groups messages that belong together; a handler sees it, and ordered groups keep the order of each key
payload: up to order_ext.max_payload bytes
deliver_at: not before this time; a past time, or NULL: now
dedup_key: up to 256 characters; within the topic''s dedup_window only the first message with it is published, and a second publisher waits for the transaction of the first. It is free again once the message was canceled, or every group of the topic has given it up: dead, or discarded
Returns: the id of the message, or of the first one with this dedup_key
Raises: 22004; 22023 infinite deliver_at; 54000; OE701 unknown topic; OE703 the topic is full (its max_depth); 42501 built-in topic, or no right to publish to it; OE110';

COMMENT ON FUNCTION order_ext.cancel_message(bigint) IS
'Cancels a message that was published for later and has not fired. Its dedup_key is free again.
message_id: as returned by publish
Returns: true if the message will not be delivered; false if there is no such timer any more
Raises: 22004; 22023; 42501 built-in topic, or no right to cancel messages of it; OE110; 25006';

COMMENT ON FUNCTION order_ext.reschedule_message(bigint, timestamptz) IS
'Gives a message that was published for later, and has not fired, another time.
It keeps its id and its dedup_key, and may be rescheduled again, or canceled.
message_id: as returned by publish
deliver_at: sooner or later than before; a past time delivers it now
Returns: true if the message will be delivered at that time; false if there is no such timer any more
Raises: 22004; 22023 infinite deliver_at; 42501 built-in topic, or no right to cancel messages of it; 40001; OE110; 25006';

COMMENT ON FUNCTION order_ext.subscribe(text, text, regprocedure, jsonb) IS
'Creates a consumer group of a topic, or changes one.
With a handler, workers call it for every message; without, the messages wait for receive(). Topic and start of a group cannot be changed.
The handler is f(order_ext.message) returns void, or f(order_ext.message[]) returns void for batches. It runs with search_path "$user", public unless it sets its own.
consumer_group: its name, up to 128 characters
topic: a built-in topic, one of your own, or one that you were granted subscribe on
handler: the function; NULL: for external consumers
options: max_attempts 1 to 1000 (default 16); backoff exponential (default) or rocketmq; ordered (default false): while a message has failed, those of its key wait; start now (default) or earliest; handler_timeout: an interval of up to 24 days, 0 for no limit (default: as order_ext.handler_timeout says); run_as: a role with LOGIN that the caller is a member of, and no superuser if there is a handler (default the caller)
Raises: 22004; 22023; 54000; OE701 unknown topic; 42710 the group reads another topic; 42501 no right to subscribe to the topic, the role may not run this function, or is a superuser, or the name is a built-in group''s; 42704 unknown role; 55000 called by a handler; OE110';

COMMENT ON FUNCTION order_ext.unsubscribe(text) IS
'Drops a consumer group with its position, retries, leases, dead letters and attempts.
consumer_group: a group of your own
Raises: 22004; 54000; OE701 unknown group; 42501 built-in group; 55000 called by a handler; OE110';

COMMENT ON FUNCTION order_ext.register_asset(text, text) IS
'Adds a kind of asset that is released when an order is canceled.
order.release_assets then publishes one more message, to this topic: key the order id, payload {order_id, user_id, kind}. The same kind again changes its topic.
kind: its name, up to 128 characters
topic: a topic of your own, or one that you were granted publish on
Raises: 22004; 54000; OE701 unknown topic; 42501 built-in kind or topic, or no right to publish to it';

COMMENT ON FUNCTION order_ext.unregister_asset(text) IS
'Removes a kind of asset.
kind: its name
Raises: 22004; 54000; OE001 unknown kind; 42501 built-in kind, or no right to publish to its topic (operators need none)';

COMMENT ON FUNCTION order_ext.pause(text) IS
'Stops the delivery of a consumer group''s messages; a batch in progress is finished.
consumer_group: any group, built-in ones included
Raises: 22004; 54000; OE701 unknown group; OE110';

COMMENT ON FUNCTION order_ext.resume(text) IS
'Continues the delivery of a paused consumer group''s messages.
consumer_group: any group
Raises: 22004; 54000; OE701 unknown group; OE110';

COMMENT ON FUNCTION order_ext.redrive(text, integer, bigint[], boolean) IS
'Delivers dead letters again, oldest first, under the same message ids.
Today''s options of the group apply; the attempts start over. Those whose dedup_key was published again meanwhile are left out: discard them.
consumer_group: any group
max_messages: NULL: all
message_ids: only these; NULL: all
dry_run: only count
Returns: the number of messages
Raises: 22004; 22023; 54000; OE701 unknown group; OE110; 40001';

COMMENT ON FUNCTION order_ext.discard(text, integer, bigint[], boolean) IS
'Gives up dead letters, oldest first: they are not delivered any more.
In an ordered group, messages that wait behind them continue.
consumer_group: any group
max_messages: NULL: all
message_ids: only these; NULL: all
dry_run: only count
Returns: the number of messages
Raises: 22004; 22023; 54000; OE701 unknown group; OE110; 40001';

COMMENT ON FUNCTION order_ext.replay(text, timestamptz, timestamptz, bigint[], boolean) IS
'Delivers messages of the log once more that a group has finished, or never had.
They are delivered in the old order, under the same message ids, from attempt 1, as far as the log reaches back (order_ext.log_retention). Discarded messages count as finished, unless their dedup_key was published again; messages that the group has not finished are left alone. Each replayed message is copied.
consumer_group: a group of your own
published_since: publishing time to start at; of a timer, when it was published
published_until: publishing time to stop before; NULL: no end
message_ids: only these; NULL: all
dry_run: only count
Returns: the number of messages
Raises: 22004; 22023; 54000; OE701 unknown group; 42501 built-in group; OE110; 40001';

COMMENT ON FUNCTION order_ext.dispatch(integer) IS
'Does the work of the background workers in this transaction: due timers, retries, messages.
Delivers what was committed before, and what its own handlers publish. Runs built-in handlers and, unless the caller is a superuser, those that run as the caller. Call it until it returns 0.
max_messages: NULL: unlimited
Returns: the number of messages given to handlers, failed ones included
Raises: 22023; 55000 not enabled in this database, or called by a handler; 25006; 40001';

COMMENT ON FUNCTION order_ext.enable_dispatch() IS
'Enables workers and dispatch() in a restored or copied database, or in a copy of the server.
No effect where they are enabled already. What counts as a copy: docs/copies.md.
Raises: OE110; 25006 on a standby';

-- ---- external consumers ----

COMMENT ON FUNCTION order_ext.receive(text, integer, interval) IS
'Leases messages of a group without handler to the caller.
Never waits for another receiver: messages that it holds are passed over. In an ordered group, a call parks up to about 5,000 messages or 16 MB that wait for an earlier one of their key. For members of the group''s role.
consumer_group: a group without handler
max_messages: 1 to 10000; more counts as 10000
lease: counted from the commit of this call, up to 366 days; a message not acknowledged by then is delivered again
Returns: one row per message; fewer than asked for is no sign that none is left
message_id: same on every delivery
topic: topic of the message
key: key of the message
payload: payload of the message
attempt: number of the delivery, from 1
token: proof of the lease, for ack, nack and extend_lease
published_at: when it was published
Raises: 22004; 22023; 22003; 54000; OE701 unknown group; 42501 not a member of the group''s role; 55000 the group has a handler, or dispatch is not enabled in this database; 25006; 40001';

COMMENT ON FUNCTION order_ext.ack(text, bigint[]) IS
'Acknowledges messages: they are done.
If one of the leases was lost, the whole call fails.
consumer_group: a group without handler
tokens: from receive
Returns: the number of messages
Raises: 22004; 54000; OE701 unknown group; 42501 not a member of the group''s role; OE702 a lease was lost; OE110; 25006; 40001';

COMMENT ON FUNCTION order_ext.nack(text, bigint[], interval, text) IS
'Reports that the processing of messages failed: they are delivered again later.
After max_attempts they become dead letters. If one of the leases was lost, the whole call fails.
consumer_group: a group without handler
tokens: from receive
retry_after: up to 366 days; NULL: the group''s backoff
error: kept with the attempt, truncated to 1 kB
Returns: the number of messages
Raises: 22004; 22023; 22003; 54000; OE701 unknown group; 42501 not a member of the group''s role; OE702 a lease was lost; OE110; 25006; 40001';

COMMENT ON FUNCTION order_ext.extend_lease(text, bigint[], interval) IS
'Extends leases; the tokens stay valid.
If one of the leases was lost, the whole call fails.
consumer_group: a group without handler
tokens: from receive
lease: counted from the commit of this call, up to 366 days
Returns: the number of messages
Raises: 22004; 22023; 22003; 54000; OE701 unknown group; 42501 not a member of the group''s role; OE702 a lease was lost; OE110; 25006; 40001';

COMMENT ON PROCEDURE order_ext.wait_for_messages(text, interval, boolean) IS
'Waits until receive() has something to return or to park, without a snapshot, lock or transaction id.
It occupies its session; behind a connection pooler keep the time short.
consumer_group: a group without handler
timeout: the longest wait, up to 366 days
ready: output: true if there is something to receive, false after the timeout
Raises: 22004; 22023; 22003; 54000; OE701 unknown group; 42501 not a member of the group''s role; 55000 the group has a handler, or dispatch is not enabled in this database; 25001 inside a transaction block or a function';

-- ---- running ----

COMMENT ON FUNCTION order_ext.verify(text) IS
'Checks the invariants of orders, money, stock, coupons and messages under one snapshot.
Reads only, safe in production. No row means that everything is in order. See docs/invariants.md.
recent looks at what no full check has covered, which maintain() keeps small, and at all warnings.
scope: recent, full (or all), or one invariant in full, such as I6
Returns: one row per finding
invariant: I1 to I17
severity: error: an invariant is broken; warning: something waits for a person or a worker
entity: what it is about, such as order 123 or sku A-1
expected: what should be
actual: what is
Raises: 22004; 22023; 54000';

COMMENT ON FUNCTION order_ext.metrics() IS
'Shows messages and workers of this database in the Prometheus text format.
Quick whatever is waiting: beyond 1,000 of a kind, per group, numbers are estimates.
Returns: the text';

COMMENT ON FUNCTION order_ext.maintain() IS
'Removes old rows: expired idempotency keys, superseded progress, messages past retention.
Works in batches up to a bound; call it regularly. Without preloaded workers it also truncates the log.
It first checks what was written since its last call, and everything once in order_ext.verify_interval, so
that verify() need not look at it again.
Returns: the number of rows removed
Raises: OE110; 25006';

COMMENT ON FUNCTION order_ext.schedule_jobs() IS
'Registers expire_orders() every minute and maintain() every five minutes with pg_cron.
The jobs belong to the caller, who needs LOGIN and USAGE on schema cron. Calling it again replaces them.
Raises: 42501; 55000 pg_cron is not installed in this database';

COMMENT ON FUNCTION order_ext.unschedule_jobs() IS
'Removes the caller''s jobs that schedule_jobs() registered.
Raises: 42501; 55000 pg_cron is not installed in this database';

COMMENT ON FUNCTION order_ext.grant_to(regrole, text) IS
'Grants a role the calls and views of a kind.
For superusers, after CREATE EXTENSION and again after an update. A role can have several kinds.
role: the role
kind: app, callback, operator, observer or worker
Raises: 22004; 22023 unknown kind';
-- What the views show, column by column; see 841_comments_orders.sql.  Amounts are in minor
-- units, statuses are names; no view but held_facts, which only
-- operators see whole, shows what gateways and carriers sent.

COMMENT ON VIEW order_ext.orders_view IS 'Orders with their amounts.';
COMMENT ON COLUMN order_ext.orders_view.order_id IS 'Id returned by create_order.';
COMMENT ON COLUMN order_ext.orders_view.user_id IS 'The buyer.';
COMMENT ON COLUMN order_ext.orders_view.status IS 'Status by name.';
COMMENT ON COLUMN order_ext.orders_view.pay_amount IS 'To pay, in minor units.';
COMMENT ON COLUMN order_ext.orders_view.currency IS 'Currency of all amounts of the order.';
COMMENT ON COLUMN order_ext.orders_view.coupon_id IS 'Coupon it was created with.';
COMMENT ON COLUMN order_ext.orders_view.external_id IS 'The application''s own number, unique.';
COMMENT ON COLUMN order_ext.orders_view.version IS '1 after creation, one more with every transition.';
COMMENT ON COLUMN order_ext.orders_view.created_at IS 'When it was created.';
COMMENT ON COLUMN order_ext.orders_view.expire_at IS 'Payment deadline.';
COMMENT ON COLUMN order_ext.orders_view.paid_at IS 'When it was paid.';
COMMENT ON COLUMN order_ext.orders_view.canceled_at IS 'When it was canceled.';
COMMENT ON COLUMN order_ext.orders_view.cancel_type IS 'user, timeout or customer_service; NULL unless canceled.';
COMMENT ON COLUMN order_ext.orders_view.origin_amount IS 'Goods total before discount, in minor units.';
COMMENT ON COLUMN order_ext.orders_view.discount_amount IS 'Discount by the coupon, in minor units.';
COMMENT ON COLUMN order_ext.orders_view.freight_amount IS 'Freight, in minor units.';
COMMENT ON COLUMN order_ext.orders_view.removed_at IS 'When its buyer hid it.';

COMMENT ON VIEW order_ext.order_items_view IS 'Lines of orders.';
COMMENT ON COLUMN order_ext.order_items_view.order_id IS 'The order.';
COMMENT ON COLUMN order_ext.order_items_view.sku IS 'The product.';
COMMENT ON COLUMN order_ext.order_items_view.quantity IS 'Pieces.';
COMMENT ON COLUMN order_ext.order_items_view.price IS 'Of one piece when the order was created, in minor units.';
COMMENT ON COLUMN order_ext.order_items_view.discount IS 'This line''s share of the coupon, in minor units.';
COMMENT ON COLUMN order_ext.order_items_view.pay IS 'price * quantity - discount.';
COMMENT ON COLUMN order_ext.order_items_view.reservation IS 'none, reserved, consumed or released.';
COMMENT ON COLUMN order_ext.order_items_view.line IS 'Its number in the order, from 1.';
COMMENT ON COLUMN order_ext.order_items_view.attributes IS 'As given with the item; NULL: none.';

COMMENT ON VIEW order_ext.payments_view IS 'Payment attempts and captures.';
COMMENT ON COLUMN order_ext.payments_view.payment_id IS 'Id of the attempt or capture.';
COMMENT ON COLUMN order_ext.payments_view.order_id IS 'As the gateway named it, unless staff has assigned it; if purpose is unmatched there may be no such order.';
COMMENT ON COLUMN order_ext.payments_view.pay_type IS 'Name of the gateway or method.';
COMMENT ON COLUMN order_ext.payments_view.out_trade_no IS 'The gateway''s trade number, unique per pay_type.';
COMMENT ON COLUMN order_ext.payments_view.amount IS 'In minor units.';
COMMENT ON COLUMN order_ext.payments_view.currency IS 'Currency of the amount.';
COMMENT ON COLUMN order_ext.payments_view.status IS 'Status by name.';
COMMENT ON COLUMN order_ext.payments_view.purpose IS 'Of a capture: applied (it paid the order), late, surplus, held, unmatched, or duplicate (its money is another capture''s).';
COMMENT ON COLUMN order_ext.payments_view.captured_at IS 'When the capture was recorded.';
COMMENT ON COLUMN order_ext.payments_view.paid_at IS 'The gateway''s own time of the capture.';
COMMENT ON COLUMN order_ext.payments_view.created_at IS 'When the attempt began, or the capture was recorded.';
COMMENT ON COLUMN order_ext.payments_view.version IS '1 after creation, one more with every transition.';
COMMENT ON COLUMN order_ext.payments_view.told_order_id IS 'The order that the gateway named, if staff has assigned the capture to another one.';
COMMENT ON COLUMN order_ext.payments_view.duplicate_of IS 'The capture whose money a duplicate tells of.';

COMMENT ON VIEW order_ext.refunds_view IS 'Refunds, from requested to settled.';
COMMENT ON COLUMN order_ext.refunds_view.refund_id IS 'Idempotency key for the gateway: same on every attempt.';
COMMENT ON COLUMN order_ext.refunds_view.order_id IS 'The order that the payment named.';
COMMENT ON COLUMN order_ext.refunds_view.payment_id IS 'The captured payment.';
COMMENT ON COLUMN order_ext.refunds_view.cause IS 'cancel, late, surplus, held, unmatched, after_sale (and decisions of staff), recorded (made outside) or dispute (lost).';
COMMENT ON COLUMN order_ext.refunds_view.amount IS 'In minor units.';
COMMENT ON COLUMN order_ext.refunds_view.currency IS 'Currency of the payment.';
COMMENT ON COLUMN order_ext.refunds_view.status IS 'Status by name.';
COMMENT ON COLUMN order_ext.refunds_view.attempt IS 'How often the gateway was asked.';
COMMENT ON COLUMN order_ext.refunds_view.requested_at IS 'When it was requested.';
COMMENT ON COLUMN order_ext.refunds_view.settled_at IS 'When its outcome became known.';
COMMENT ON COLUMN order_ext.refunds_view.after_sale_id IS 'The after-sale that it belongs to.';
COMMENT ON COLUMN order_ext.refunds_view.held IS 'Waits for retry_refund, or for the inspection of returned goods.';
COMMENT ON COLUMN order_ext.refunds_view.version IS '1 after creation, one more with every transition.';
COMMENT ON COLUMN order_ext.refunds_view.gateway_refund_no IS 'The gateway''s number.';
COMMENT ON COLUMN order_ext.refunds_view.last_outcome IS 'What the gateway reported last, or its error. Not for observers: it may quote the request.';
COMMENT ON COLUMN order_ext.refunds_view.claimed_by IS 'The worker that claimed it.';
COMMENT ON COLUMN order_ext.refunds_view.lease_until IS 'End of the claim.';
COMMENT ON COLUMN order_ext.refunds_view.claim_after IS 'It may not be claimed before, see set_pay_type.';
COMMENT ON COLUMN order_ext.refunds_view.asked IS 'What was asked for, if the gateway has paid another amount (settle_refund).';
COMMENT ON COLUMN order_ext.refunds_view.kept IS 'Withdrawn by staff, who keeps the money, or because a dispute took it; resolve_held_payment requests it again, if something is left.';
COMMENT ON COLUMN order_ext.refunds_view.reason IS 'Why staff withdrew or settled it. Not for observers.';

COMMENT ON VIEW order_ext.after_sales_view IS 'After-sales: what of an order goes back, why, and how far it is.';
COMMENT ON COLUMN order_ext.after_sales_view.after_sale_id IS 'Id of the after-sale.';
COMMENT ON COLUMN order_ext.after_sales_view.order_id IS 'The order.';
COMMENT ON COLUMN order_ext.after_sales_view.user_id IS 'The buyer.';
COMMENT ON COLUMN order_ext.after_sales_view.type IS 'refund_only, return_refund (the goods come back first), or goodwill (decided by staff).';
COMMENT ON COLUMN order_ext.after_sales_view.status IS 'Status by name.';
COMMENT ON COLUMN order_ext.after_sales_view.amount IS 'Refunded, freight and extra included, in minor units.';
COMMENT ON COLUMN order_ext.after_sales_view.applied_at IS 'When it was applied for, or opened.';
COMMENT ON COLUMN order_ext.after_sales_view.freight IS 'The freight in amount.';
COMMENT ON COLUMN order_ext.after_sales_view.detail_type IS 'all, timeout, user_cancel, customer_service_cancel, part or shortage.';
COMMENT ON COLUMN order_ext.after_sales_view.source IS 'user_refund, system, customer_service, user_return or fulfilment.';
COMMENT ON COLUMN order_ext.after_sales_view.reason_kind IS 'number, quality, package, logistics, courier, user, price, canceled, forced, refused or other.';
COMMENT ON COLUMN order_ext.after_sales_view.reason IS 'Reason given by the applicant.';
COMMENT ON COLUMN order_ext.after_sales_view.review_reason IS 'Reason given by the reviewer.';
COMMENT ON COLUMN order_ext.after_sales_view.origin IS 'What opened it, if nobody applied: cancel, refused, shortage:N or goodwill:N.';
COMMENT ON COLUMN order_ext.after_sales_view.return_status IS 'Of the goods of a return_refund, by name.';
COMMENT ON COLUMN order_ext.after_sales_view.carrier IS 'Carrier of the returned goods.';
COMMENT ON COLUMN order_ext.after_sales_view.tracking_no IS 'Its tracking number.';
COMMENT ON COLUMN order_ext.after_sales_view.reviewed_at IS 'When it was reviewed.';
COMMENT ON COLUMN order_ext.after_sales_view.return_by IS 'Time by which the goods must be sent.';
COMMENT ON COLUMN order_ext.after_sales_view.goods_sent_at IS 'When they were sent.';
COMMENT ON COLUMN order_ext.after_sales_view.goods_received_at IS 'When they were received.';
COMMENT ON COLUMN order_ext.after_sales_view.settled_at IS 'When it ended.';
COMMENT ON COLUMN order_ext.after_sales_view.version IS '1 after creation, one more with every transition.';
COMMENT ON COLUMN order_ext.after_sales_view.extra IS 'What in amount is for neither lines nor freight.';
COMMENT ON COLUMN order_ext.after_sales_view.paid_outside IS 'What of amount went back outside of its refunds.';

COMMENT ON VIEW order_ext.after_sale_items_view IS 'Lines of after-sales.';
COMMENT ON COLUMN order_ext.after_sale_items_view.after_sale_id IS 'The after-sale.';
COMMENT ON COLUMN order_ext.after_sale_items_view.order_id IS 'The order.';
COMMENT ON COLUMN order_ext.after_sale_items_view.sku IS 'The product.';
COMMENT ON COLUMN order_ext.after_sale_items_view.quantity IS 'Pieces that go back.';
COMMENT ON COLUMN order_ext.after_sale_items_view.amount IS 'Refunded for them, in minor units.';
COMMENT ON COLUMN order_ext.after_sale_items_view.discount IS 'Their part of the line''s share of the coupon, in minor units.';
COMMENT ON COLUMN order_ext.after_sale_items_view.received IS 'Pieces that were received.';
COMMENT ON COLUMN order_ext.after_sale_items_view.damaged IS 'Pieces of those that are damaged.';
COMMENT ON COLUMN order_ext.after_sale_items_view.restocked IS 'Pieces of those that are available again.';
COMMENT ON COLUMN order_ext.after_sale_items_view.line IS 'The line of the order.';

COMMENT ON VIEW order_ext.after_sale_events_view IS 'What warehouses and carriers reported about returned goods.';
COMMENT ON COLUMN order_ext.after_sale_events_view.after_sale_id IS 'As reported.';
COMMENT ON COLUMN order_ext.after_sale_events_view.kind IS 'return_shipment or return_receipt.';
COMMENT ON COLUMN order_ext.after_sale_events_view.disposition IS 'applied, or held (waits for staff).';
COMMENT ON COLUMN order_ext.after_sale_events_view.reason IS 'Why it is held.';
COMMENT ON COLUMN order_ext.after_sale_events_view.recorded_at IS 'When it was recorded.';

COMMENT ON VIEW order_ext.pay_types_view IS 'What was set with set_pay_type.';
COMMENT ON COLUMN order_ext.pay_types_view.pay_type IS 'Name of the gateway or method.';
COMMENT ON COLUMN order_ext.pay_types_view.surplus IS 'refund, or hold: surplus refunds wait for retry_refund.';
COMMENT ON COLUMN order_ext.pay_types_view.surplus_delay IS 'Time before a surplus or late refund may be claimed.';

COMMENT ON VIEW order_ext.disputes_view IS 'Disputes about payments, see payment_disputed.';
COMMENT ON COLUMN order_ext.disputes_view.pay_type IS 'Name of the gateway or method.';
COMMENT ON COLUMN order_ext.disputes_view.dispute_no IS 'The gateway''s number, unique per pay_type.';
COMMENT ON COLUMN order_ext.disputes_view.status IS 'opened, won or lost.';
COMMENT ON COLUMN order_ext.disputes_view.order_id IS 'The order.';
COMMENT ON COLUMN order_ext.disputes_view.payment_id IS 'The payment.';
COMMENT ON COLUMN order_ext.disputes_view.amount IS 'In dispute, or lost, in minor units.';
COMMENT ON COLUMN order_ext.disputes_view.currency IS 'Currency of the payment.';
COMMENT ON COLUMN order_ext.disputes_view.refund_id IS 'The refund that stands for a lost one.';
COMMENT ON COLUMN order_ext.disputes_view.opened_at IS 'When it was told of; NULL if only its end was.';
COMMENT ON COLUMN order_ext.disputes_view.ended_at IS 'When its end was told of.';

COMMENT ON VIEW order_ext.sandbox_ledger IS 'The books of the built-in gateway sandbox, kept as an outside gateway would.';
COMMENT ON COLUMN order_ext.sandbox_ledger.refund_id IS 'The refund.';
COMMENT ON COLUMN order_ext.sandbox_ledger.amount IS 'In minor units.';
COMMENT ON COLUMN order_ext.sandbox_ledger.calls IS 'How often it was asked for.';
COMMENT ON COLUMN order_ext.sandbox_ledger.outcome IS 'succeeded (the money has moved, once), failed or pending.';
COMMENT ON COLUMN order_ext.sandbox_ledger.at IS 'When it was asked for last.';

COMMENT ON VIEW order_ext.fulfilments_view IS 'Fulfillments: what warehouse and carrier do for orders.';
COMMENT ON COLUMN order_ext.fulfilments_view.order_id IS 'The order.';
COMMENT ON COLUMN order_ext.fulfilments_view.status IS 'Status by name; canceled without documents is a tombstone.';
COMMENT ON COLUMN order_ext.fulfilments_view.external IS 'Shipped by a warehouse that must be asked before a cancel.';
COMMENT ON COLUMN order_ext.fulfilments_view.intercept_refused IS 'It was asked and has refused.';
COMMENT ON COLUMN order_ext.fulfilments_view.delivery_order IS 'Document of the warehouse.';
COMMENT ON COLUMN order_ext.fulfilments_view.logistic_order IS 'Document of the carrier.';
COMMENT ON COLUMN order_ext.fulfilments_view.created_at IS 'When it was created.';
COMMENT ON COLUMN order_ext.fulfilments_view.out_at IS 'When the goods left the warehouse.';
COMMENT ON COLUMN order_ext.fulfilments_view.cancel_requested_at IS 'When the warehouse was asked.';
COMMENT ON COLUMN order_ext.fulfilments_view.canceled_at IS 'When it was canceled.';
COMMENT ON COLUMN order_ext.fulfilments_view.version IS '1 after creation, one more with every transition.';

COMMENT ON VIEW order_ext.held_facts IS 'Facts from outside that contradict what is recorded: they are kept for staff.';
COMMENT ON COLUMN order_ext.held_facts.fact_id IS 'For resolve_fact.';
COMMENT ON COLUMN order_ext.held_facts.kind IS 'The call that reported it.';
COMMENT ON COLUMN order_ext.held_facts.at IS 'When it was held.';
COMMENT ON COLUMN order_ext.held_facts.order_id IS 'The order, as reported; NULL where the fact names none that is known.';
COMMENT ON COLUMN order_ext.held_facts.entity_id IS 'The payment, refund or after-sale that it is about.';
COMMENT ON COLUMN order_ext.held_facts.reason IS 'Why it is held; a word that the call returned, too.';
COMMENT ON COLUMN order_ext.held_facts.payload IS 'What was reported.';
COMMENT ON COLUMN order_ext.held_facts.resolved_at IS 'When staff said what was done about it.';
COMMENT ON COLUMN order_ext.held_facts.note IS 'What was done.';
COMMENT ON COLUMN order_ext.held_facts.resolved_by IS 'The role that said so.';

COMMENT ON VIEW order_ext.shipment_events_view IS 'Events that warehouses and carriers reported.';
COMMENT ON COLUMN order_ext.shipment_events_view.order_id IS 'As reported.';
COMMENT ON COLUMN order_ext.shipment_events_view.event_id IS 'The sender''s id of the event.';
COMMENT ON COLUMN order_ext.shipment_events_view.kind IS 'picked, out_stock, delivering, signed, refused, lost, returned, cancel_accepted or cancel_rejected.';
COMMENT ON COLUMN order_ext.shipment_events_view.state IS 'applied, parked (came early), held (waits for staff), behind (the order was past it) or no_effect.';
COMMENT ON COLUMN order_ext.shipment_events_view.reason IS 'Why it is held.';
COMMENT ON COLUMN order_ext.shipment_events_view.occurred_at IS 'The sender''s time.';
COMMENT ON COLUMN order_ext.shipment_events_view.recorded_at IS 'When it was recorded.';
COMMENT ON COLUMN order_ext.shipment_events_view.settled_at IS 'When it was recorded, or left state parked.';

COMMENT ON VIEW order_ext.coupons_view IS 'Coupons and the orders that hold them.';
COMMENT ON COLUMN order_ext.coupons_view.coupon_id IS 'Id of the coupon.';
COMMENT ON COLUMN order_ext.coupons_view.user_id IS 'The only user who can use it.';
COMMENT ON COLUMN order_ext.coupons_view.status IS 'Status by name.';
COMMENT ON COLUMN order_ext.coupons_view.order_id IS 'The order that holds it while it is locked or used.';
COMMENT ON COLUMN order_ext.coupons_view.amount IS 'In minor units.';
COMMENT ON COLUMN order_ext.coupons_view.threshold IS 'The least goods total that it can be used for, in minor units.';
COMMENT ON COLUMN order_ext.coupons_view.valid_from IS 'Beginning of its validity.';
COMMENT ON COLUMN order_ext.coupons_view.valid_until IS 'End of its validity.';
COMMENT ON COLUMN order_ext.coupons_view.version IS '1 after creation, one more with every transition.';
COMMENT ON COLUMN order_ext.coupons_view.currency IS 'Of the orders that it can be used for; NULL: any (from before 0.6).';

COMMENT ON VIEW order_ext.prices_view IS 'Prices of products, one per currency.';
COMMENT ON COLUMN order_ext.prices_view.sku IS 'The product.';
COMMENT ON COLUMN order_ext.prices_view.currency IS 'An ISO 4217 code.';
COMMENT ON COLUMN order_ext.prices_view.price IS 'Of one piece, in minor units of the currency.';
COMMENT ON COLUMN order_ext.prices_view.updated_at IS 'When it was last put.';

COMMENT ON VIEW order_ext.freight_view IS 'Freight templates, one per region and currency.';
COMMENT ON COLUMN order_ext.freight_view.region IS 'As in options.region of an order; * for every region without a template of its own.';
COMMENT ON COLUMN order_ext.freight_view.currency IS 'Of the orders that it is for, an ISO 4217 code.';
COMMENT ON COLUMN order_ext.freight_view.fee IS 'In minor units of the currency.';
COMMENT ON COLUMN order_ext.freight_view.free_from IS 'Goods total from which freight is free; NULL: never.';

COMMENT ON VIEW order_ext.stock_ledger_view IS 'Movements of stock.';
COMMENT ON COLUMN order_ext.stock_ledger_view.sku IS 'The product.';
COMMENT ON COLUMN order_ext.stock_ledger_view.at IS 'When.';
COMMENT ON COLUMN order_ext.stock_ledger_view.order_id IS 'NULL for adjustments.';
COMMENT ON COLUMN order_ext.stock_ledger_view.kind IS 'reserve, release, consume, adjust, return or write_off.';
COMMENT ON COLUMN order_ext.stock_ledger_view.delta IS 'Change of the quantity on hand: the sum over a product is available + reserved.';
COMMENT ON COLUMN order_ext.stock_ledger_view.reason IS 'Reason given for an adjustment.';
COMMENT ON COLUMN order_ext.stock_ledger_view.available_delta IS 'Change of the available pieces.';
COMMENT ON COLUMN order_ext.stock_ledger_view.reserved_delta IS 'Change of the reserved pieces.';
COMMENT ON COLUMN order_ext.stock_ledger_view.consumed_delta IS 'Change of the consumed pieces.';

COMMENT ON VIEW order_ext.money_report IS 'Money captured and refunded per day, pay type and currency, in minor units; duplicates count nowhere.';
COMMENT ON COLUMN order_ext.money_report.day IS 'Day of the capture, settlement or request, in the session''s time zone.';
COMMENT ON COLUMN order_ext.money_report.pay_type IS 'Name of the gateway or method.';
COMMENT ON COLUMN order_ext.money_report.currency IS 'Currency of the sums.';
COMMENT ON COLUMN order_ext.money_report.captured IS 'applied + late + surplus + held + unmatched; over all days also refunded + disputed + refund_open + kept.';
COMMENT ON COLUMN order_ext.money_report.applied IS 'Captures that paid their order.';
COMMENT ON COLUMN order_ext.money_report.late IS 'Captures of orders that were canceled, refused or invalid.';
COMMENT ON COLUMN order_ext.money_report.surplus IS 'Captures of orders that were paid already.';
COMMENT ON COLUMN order_ext.money_report.held IS 'Captures that wait for staff, or waited.';
COMMENT ON COLUMN order_ext.money_report.refunded IS 'Refunds that succeeded, by the day they were settled.';
COMMENT ON COLUMN order_ext.money_report.refund_open IS 'Refunds still to be paid: requested, submitted, or failed and not settled in another way; by the day of the request.';
COMMENT ON COLUMN order_ext.money_report.unmatched IS 'Captures that match no order.';
COMMENT ON COLUMN order_ext.money_report.disputed IS 'Lost in disputes, by the day they were lost.';
COMMENT ON COLUMN order_ext.money_report.kept IS 'captured - refunded - disputed - refund_open; of a day it may be negative.';

COMMENT ON VIEW order_ext.topics_view IS 'Topics, how many groups read each, their options, owners and grants.';
COMMENT ON COLUMN order_ext.topics_view.topic IS 'Its name.';
COMMENT ON COLUMN order_ext.topics_view.builtin IS 'Belongs to order_ext: only order_ext publishes to it.';
COMMENT ON COLUMN order_ext.topics_view.consumer_groups IS 'Number of groups that read it.';
COMMENT ON COLUMN order_ext.topics_view.max_depth IS 'The most messages that can wait for the slowest group; NULL: unlimited.';
COMMENT ON COLUMN order_ext.topics_view.dedup_window IS 'How long a dedup_key is remembered; NULL for built-in topics.';
COMMENT ON COLUMN order_ext.topics_view.owner IS 'Role that may do everything with it; NULL if that role does not exist any more.';
COMMENT ON COLUMN order_ext.topics_view.grants IS 'What other roles were granted: {role: [privilege, ...]}.';

COMMENT ON VIEW order_ext.subscriptions_view IS 'Consumer groups with their handlers and options.';
COMMENT ON COLUMN order_ext.subscriptions_view.consumer_group IS 'Its name.';
COMMENT ON COLUMN order_ext.subscriptions_view.topic IS 'The topic that it reads.';
COMMENT ON COLUMN order_ext.subscriptions_view.handler IS 'Its function; NULL for external consumers and built-in handlers.';
COMMENT ON COLUMN order_ext.subscriptions_view.run_as IS 'The role that the handler runs as, or whose members can receive.';
COMMENT ON COLUMN order_ext.subscriptions_view.batch IS 'The handler takes an array of messages.';
COMMENT ON COLUMN order_ext.subscriptions_view.max_attempts IS 'Attempts after which a message is a dead letter.';
COMMENT ON COLUMN order_ext.subscriptions_view.backoff IS 'exponential or rocketmq.';
COMMENT ON COLUMN order_ext.subscriptions_view.builtin IS 'Belongs to order_ext.';
COMMENT ON COLUMN order_ext.subscriptions_view.created_at IS 'When it was created.';
COMMENT ON COLUMN order_ext.subscriptions_view.ordered IS 'While a message has failed, those of its key wait.';
COMMENT ON COLUMN order_ext.subscriptions_view.paused IS 'See pause.';
COMMENT ON COLUMN order_ext.subscriptions_view.handler_timeout IS 'How long its handler may take; NULL: as order_ext.handler_timeout says.';
COMMENT ON COLUMN order_ext.subscriptions_view.subscriber IS 'The role that subscribed it last; NULL for a superuser.';

COMMENT ON VIEW order_ext.dead_letters IS 'Messages that a group gave up on, until they are redriven or discarded.';
COMMENT ON COLUMN order_ext.dead_letters.message_id IS 'The message.';
COMMENT ON COLUMN order_ext.dead_letters.consumer_group IS 'The group that gave it up.';
COMMENT ON COLUMN order_ext.dead_letters.topic IS 'Topic of the message.';
COMMENT ON COLUMN order_ext.dead_letters.key IS 'Key of the message.';
COMMENT ON COLUMN order_ext.dead_letters.payload IS 'Payload of the message. Not for observers.';
COMMENT ON COLUMN order_ext.dead_letters.attempts IS 'How often it was delivered.';
COMMENT ON COLUMN order_ext.dead_letters.last_error IS 'Error message of the last attempt. Not for observers: it may quote the payload.';
COMMENT ON COLUMN order_ext.dead_letters.last_sqlstate IS 'SQLSTATE of the last attempt.';
COMMENT ON COLUMN order_ext.dead_letters.died_at IS 'When it was given up.';

COMMENT ON VIEW order_ext.attempt_log IS 'Deliveries that did not simply succeed at the first attempt, within the log''s retention.';
COMMENT ON COLUMN order_ext.attempt_log.message_id IS 'The message.';
COMMENT ON COLUMN order_ext.attempt_log.consumer_group IS 'The group.';
COMMENT ON COLUMN order_ext.attempt_log.topic IS 'Topic of the message.';
COMMENT ON COLUMN order_ext.attempt_log.attempt IS 'From 1; starts over after redrive.';
COMMENT ON COLUMN order_ext.attempt_log.state IS 'done, retry, dead or discarded.';
COMMENT ON COLUMN order_ext.attempt_log.error IS 'Error message. Not for observers: it may quote the payload.';
COMMENT ON COLUMN order_ext.attempt_log.sqlstate IS 'SQLSTATE of the error.';
COMMENT ON COLUMN order_ext.attempt_log.worker IS 'The process that ran it.';
COMMENT ON COLUMN order_ext.attempt_log.started_at IS 'When it began.';
COMMENT ON COLUMN order_ext.attempt_log.duration IS 'How long it took.';

COMMENT ON VIEW order_ext.parked_keys IS 'Keys of ordered groups whose messages wait for an earlier one that has failed.';
COMMENT ON COLUMN order_ext.parked_keys.consumer_group IS 'The group.';
COMMENT ON COLUMN order_ext.parked_keys.key IS 'The key.';
COMMENT ON COLUMN order_ext.parked_keys.waiting IS 'Number of messages that wait.';
COMMENT ON COLUMN order_ext.parked_keys.since IS 'When the first of them was parked.';

COMMENT ON VIEW order_ext.consumer_stats IS 'How far each consumer group is. The counts of what is waiting are exact to 10,000, and estimates beyond, in which rows of transactions that were rolled back count, too.';
COMMENT ON COLUMN order_ext.consumer_stats.consumer_group IS 'The group.';
COMMENT ON COLUMN order_ext.consumer_stats.topic IS 'The topic that it reads.';
COMMENT ON COLUMN order_ext.consumer_stats.lag IS 'Messages that are committed and neither finished nor moved to the retries, leased ones included; 0 exactly if there are none.';
COMMENT ON COLUMN order_ext.consumer_stats.retrying IS 'Messages that have failed and are due again.';
COMMENT ON COLUMN order_ext.consumer_stats.dead IS 'Dead letters.';
COMMENT ON COLUMN order_ext.consumer_stats.oldest_age IS 'Age of the oldest unfinished message, dead letters excepted; where there are more than 10,000, of the first 10,000 in the order in which they are read.';
COMMENT ON COLUMN order_ext.consumer_stats.consumed IS 'Messages that were finished or moved to the retries, ever.';
COMMENT ON COLUMN order_ext.consumer_stats.parked IS 'Messages that wait for an earlier one of their key.';
COMMENT ON COLUMN order_ext.consumer_stats.lag_exact IS 'Whether lag is exact, not an estimate.';

COMMENT ON VIEW order_ext.timer_stats IS 'One row about the timers.';
COMMENT ON COLUMN order_ext.timer_stats.pending IS 'Timers that have not fired, void ones included; counting reads them all.';
COMMENT ON COLUMN order_ext.timer_stats.next_due IS 'When the next one is due.';
COMMENT ON COLUMN order_ext.timer_stats.fired IS 'Timers that have fired, ever.';
COMMENT ON COLUMN order_ext.timer_stats.late_p50 IS 'Median lateness, to within a factor of 1.42.';
COMMENT ON COLUMN order_ext.timer_stats.late_p99 IS '99th percentile of the lateness.';

COMMENT ON VIEW order_ext.worker_stats IS 'Background processes of all databases of the server, and why one is missing.';
COMMENT ON COLUMN order_ext.worker_stats.pid IS 'Process id; NULL: it is missing.';
COMMENT ON COLUMN order_ext.worker_stats.database IS 'NULL for the launcher.';
COMMENT ON COLUMN order_ext.worker_stats.role IS 'The role that it runs handlers as.';
COMMENT ON COLUMN order_ext.worker_stats.kind IS 'launcher (one per server), scheduler (timers) or dispatcher (messages).';
COMMENT ON COLUMN order_ext.worker_stats.state IS 'starting, idle, busy, failing, or not answering: stopped or stuck, no sign of life for 15 seconds, or a minute longer than a handler may take; without pid: disabled, not enabled (see enable_dispatch), other version, no worker slot, backing off, sent away, role is gone, role is a superuser, role may not log in, role may not connect, or too many roles (64 others have handlers here).';
COMMENT ON COLUMN order_ext.worker_stats.batches IS 'Since the process started.';
COMMENT ON COLUMN order_ext.worker_stats.messages IS 'Since the process started; of a scheduler, timers fired.';
COMMENT ON COLUMN order_ext.worker_stats.last_active IS 'When it last did something.';
-- Ownership, privileges, and what pg_dump dumps: for all members of the extension, so that
-- nothing can be forgotten. Runs at the end of CREATE EXTENSION and of every update, where it
-- leaves alone what already belongs to the owner, including privileges granted by grant_to().

-- New objects belong to the owner, and no one else has privileges on them: neither PUBLIC nor
-- roles named by ALTER DEFAULT PRIVILEGES of the installing role.
DO $$
DECLARE
	member record;
	statement text;
BEGIN
	FOR statement IN
		SELECT DISTINCT pg_catalog.format('REVOKE ALL ON %s %s FROM %s', o.kind, o.identity,
			CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END)
		FROM (
			SELECT 'SCHEMA' AS kind, n.oid::regnamespace::text AS identity,
				coalesce(n.nspacl, pg_catalog.acldefault('n', n.nspowner)) AS acl,
				n.nspowner AS owner
			FROM pg_catalog.pg_namespace n
			WHERE n.nspname IN ('order_ext', 'order_ext_internal')
				AND n.nspowner <> 'order_ext_owner'::regrole
			UNION ALL
			SELECT CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, c.oid::regclass::text,
				coalesce(c.relacl, pg_catalog.acldefault('r', c.relowner)), c.relowner
			FROM pg_catalog.pg_class c
			WHERE c.relnamespace IN ('order_ext'::regnamespace, 'order_ext_internal'::regnamespace)
				AND c.relkind IN ('r', 'v', 'S') AND c.relowner <> 'order_ext_owner'::regrole
			UNION ALL
			SELECT 'ROUTINE', p.oid::regprocedure::text,
				coalesce(p.proacl, pg_catalog.acldefault('f', p.proowner)), p.proowner
			FROM pg_catalog.pg_proc p
			WHERE p.pronamespace IN ('order_ext'::regnamespace, 'order_ext_internal'::regnamespace)
				AND p.proowner <> 'order_ext_owner'::regrole
			UNION ALL
			SELECT 'TYPE', t.oid::regtype::text,
				coalesce(t.typacl, pg_catalog.acldefault('T', t.typowner)), t.typowner
			-- not the row types of tables and views: pg_dump does not know rights of those
			FROM pg_catalog.pg_type t
			JOIN pg_catalog.pg_class c ON c.oid = t.typrelid AND c.relkind = 'c'
			WHERE t.typnamespace IN
				('order_ext'::regnamespace, 'order_ext_internal'::regnamespace)
				AND t.typowner <> 'order_ext_owner'::regrole) o,
			pg_catalog.aclexplode(o.acl) a
		WHERE a.grantee <> o.owner
	LOOP
		EXECUTE statement;
	END LOOP;

	FOR member IN
		SELECT d.classid, d.objid,
			CASE d.classid
				WHEN 'pg_namespace'::regclass THEN 'SCHEMA'
				WHEN 'pg_proc'::regclass THEN 'ROUTINE'
				WHEN 'pg_type'::regclass THEN 'TYPE'
				WHEN 'pg_class'::regclass THEN
					CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END
			END AS kind,
			i.identity
		FROM pg_catalog.pg_depend d
		JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid AND e.extname = 'order_ext'
		LEFT JOIN pg_catalog.pg_class c ON d.classid = 'pg_class'::regclass AND c.oid = d.objid
		LEFT JOIN pg_catalog.pg_type t ON d.classid = 'pg_type'::regclass AND t.oid = d.objid
		LEFT JOIN pg_catalog.pg_class r ON r.oid = t.typrelid
		CROSS JOIN LATERAL pg_catalog.pg_identify_object(d.classid, d.objid, 0) i
		WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
			-- the sequence of an identity column goes with its table
			AND NOT (coalesce(c.relkind = 'S', false) AND EXISTS (
				SELECT FROM pg_catalog.pg_depend own
				WHERE own.classid = 'pg_class'::regclass AND own.objid = d.objid
					AND own.deptype = 'i'))
			-- nor, members themselves since 17, array types and the row types of relations
			AND coalesce(t.typcategory <> 'A', true) AND coalesce(r.relkind = 'c', true)
		ORDER BY d.classid = 'pg_namespace'::regclass DESC, d.objid
	LOOP
		EXECUTE pg_catalog.format('ALTER %s %s OWNER TO order_ext_owner',
			member.kind, member.identity);
	END LOOP;
END
$$;

-- What a dump contains: the rows of every table and the state of every sequence, except rows that
-- CREATE EXTENSION creates itself, grants of topics to roles that have been dropped (a restore
-- finds roles by their names), and folds of stock, which go by transaction ids of this cluster.
DO $$
DECLARE
	relation pg_catalog.regclass;
BEGIN
	FOR relation IN
		SELECT c.oid FROM pg_catalog.pg_class c
		WHERE c.relnamespace = 'order_ext_internal'::regnamespace AND c.relkind IN ('r', 'S')
		ORDER BY c.relname
	LOOP
		PERFORM pg_catalog.pg_extension_config_dump(relation,
			CASE WHEN EXISTS (
				SELECT FROM pg_catalog.pg_attribute a
				WHERE a.attrelid = relation AND a.attname = 'builtin')
			THEN 'WHERE NOT builtin'
			WHEN relation = 'order_ext_internal.topic_grants'::regclass
			THEN 'WHERE EXISTS (SELECT FROM pg_catalog.pg_roles r '
				|| 'WHERE r.oid = role_oid AND r.rolname = role)'
			WHEN relation IN ('order_ext_internal.stock_folds'::regclass,
				'order_ext_internal.verify_marks'::regclass)
			THEN 'WHERE false'
			ELSE '' END);
	END LOOP;
END
$$;
-- What lines_signatures remembered.
DO $$
BEGIN
	EXECUTE current_setting('order_ext_update.lines_grants');
END
$$;
-- What money_signatures remembered.
DO $$
BEGIN
	EXECUTE current_setting('order_ext_update.money_grants');
END
$$;
-- What the update from 0.1 had to leave to this one.
DO $$
BEGIN
	IF current_setting('order_ext_update.adopt_refunds', true) = 'on' THEN
		PERFORM order_ext_internal.adopt_refunds();
	END IF;
END
$$;
