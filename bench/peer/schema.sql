-- The peer: what a good team would write by hand for the same shop. Tables. Statuses and
-- amounts as in order_ext, so that both sides store the same facts.

CREATE SCHEMA peer;
SET search_path = peer;

CREATE TABLE products (
	product_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	sku text NOT NULL UNIQUE,
	name text NOT NULL,
	price bigint NOT NULL CHECK (price >= 0)
);

CREATE TABLE freight_templates (
	region text PRIMARY KEY,
	fee bigint NOT NULL CHECK (fee >= 0),
	free_from bigint
);

CREATE TABLE stock (
	product_id bigint PRIMARY KEY,
	available bigint NOT NULL CHECK (available >= 0),
	reserved bigint NOT NULL DEFAULT 0 CHECK (reserved >= 0)
) WITH (fillfactor = 50);

-- Every movement of stock; its key makes a second release of an order a no-op.
-- kind: 1 reserve, 2 release.
CREATE TABLE stock_log (
	order_id bigint NOT NULL,
	product_id bigint NOT NULL,
	quantity bigint NOT NULL,
	at timestamptz NOT NULL,
	kind smallint NOT NULL,
	PRIMARY KEY (order_id, product_id, kind)
);

-- status: 0 unused, 1 locked, 2 used.
CREATE TABLE coupons (
	coupon_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	user_id bigint NOT NULL,
	amount bigint NOT NULL CHECK (amount > 0),
	threshold bigint NOT NULL DEFAULT 0,
	valid_from timestamptz NOT NULL,
	valid_until timestamptz NOT NULL,
	order_id bigint,
	status smallint NOT NULL DEFAULT 0
) WITH (fillfactor = 80);

CREATE TABLE orders (
	order_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	user_id bigint NOT NULL,
	origin_amount bigint NOT NULL,
	discount_amount bigint NOT NULL,
	freight_amount bigint NOT NULL,
	pay_amount bigint NOT NULL CHECK (pay_amount >= 0),
	coupon_id bigint,
	created_at timestamptz NOT NULL,
	expire_at timestamptz NOT NULL,
	paid_at timestamptz,
	canceled_at timestamptz,
	version integer NOT NULL DEFAULT 1,
	status smallint NOT NULL DEFAULT 10,
	cancel_type smallint,
	currency text NOT NULL,
	options jsonb NOT NULL
) WITH (fillfactor = 80);
-- What the sweep reads: unpaid orders only, so it stays small.
CREATE INDEX orders_unpaid ON orders (expire_at) WHERE status = 10;

CREATE TABLE order_items (
	order_id bigint NOT NULL,
	product_id bigint NOT NULL,
	price bigint NOT NULL,
	discount bigint NOT NULL CHECK (discount >= 0),
	pay bigint NOT NULL CHECK (pay >= 0),
	quantity integer NOT NULL CHECK (quantity > 0),
	sku text NOT NULL,
	PRIMARY KEY (order_id, product_id)
);

-- One row per transition.
CREATE TABLE order_log (
	order_id bigint NOT NULL,
	at timestamptz NOT NULL,
	version integer NOT NULL,
	from_status smallint NOT NULL,
	to_status smallint NOT NULL,
	event text NOT NULL,
	actor text NOT NULL,
	PRIMARY KEY (order_id, version)
);

-- status: 10 initiated, 20 captured. purpose: applied, late, surplus, held.
CREATE TABLE payments (
	payment_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	order_id bigint NOT NULL,
	amount bigint NOT NULL CHECK (amount >= 0),
	created_at timestamptz NOT NULL,
	captured_at timestamptz,
	paid_at timestamptz,
	status smallint NOT NULL,
	pay_type text NOT NULL,
	out_trade_no text NOT NULL,
	currency text NOT NULL,
	purpose text,
	raw jsonb,
	UNIQUE (pay_type, out_trade_no)
) WITH (fillfactor = 80);
CREATE INDEX payments_order_id ON payments (order_id);

CREATE TABLE refunds (
	refund_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	order_id bigint NOT NULL,
	payment_id bigint NOT NULL,
	amount bigint NOT NULL CHECK (amount > 0),
	requested_at timestamptz NOT NULL,
	status smallint NOT NULL DEFAULT 10,
	cause text NOT NULL,
	currency text NOT NULL,
	UNIQUE (payment_id, cause)
);
CREATE INDEX refunds_order_id ON refunds (order_id);

-- The outbox. A consumed row is deleted; a failed one waits for run_at.
CREATE TABLE outbox (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	key bigint NOT NULL,
	created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	run_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	attempts integer NOT NULL DEFAULT 0,
	topic text NOT NULL,
	payload jsonb NOT NULL,
	last_error text
);
CREATE INDEX outbox_topic ON outbox (topic, id);

CREATE TYPE result AS (id bigint, status text, version integer, disposition text, detail jsonb);
