-- Orders, their items, and the log of every transition of every machine.

-- orders: one narrow row, updated in place (HOT): no index covers a column that changes.
-- expire_at: only extend_deadline changes it; the sweep reads it through orders_expire_at.
-- cancel_type: 0 user, 1 timeout, 2 customer service; refund_hold: refunds of the cancellation wait
-- for retry_refund. address_changes: how often the buyer changed it; removed_at: when the buyer hid
-- the order. Half of each page stays free: when all orders of a page expire at once, each needs
-- room for its next version.
CREATE TABLE order_ext_internal.orders (
	order_id bigint PRIMARY KEY,
	user_id bigint NOT NULL,
	origin_amount bigint NOT NULL,
	discount_amount bigint NOT NULL,
	freight_amount bigint NOT NULL,
	pay_amount bigint NOT NULL,
	coupon_id bigint,
	created_at timestamptz NOT NULL,
	expire_at timestamptz NOT NULL,
	paid_at timestamptz,
	canceled_at timestamptz,
	version integer NOT NULL,
	status smallint NOT NULL,
	cancel_type smallint,
	refund_hold boolean NOT NULL DEFAULT false,
	currency text NOT NULL,
	external_id text,
	options jsonb NOT NULL,
	address_changes smallint NOT NULL DEFAULT 0,
	removed_at timestamptz,
	-- One check per table that is written all the time: each check is prepared for each statement.
	CHECK (pay_amount = origin_amount - discount_amount + freight_amount
		AND least(origin_amount, discount_amount, freight_amount, pay_amount) >= 0)
) WITH (fillfactor = 50);
CREATE SEQUENCE order_ext_internal.order_number_seq MAXVALUE 9223372036854775807 CYCLE;
CREATE UNIQUE INDEX orders_external_id ON order_ext_internal.orders (external_id)
	WHERE external_id IS NOT NULL;
CREATE INDEX orders_user_id ON order_ext_internal.orders (user_id, order_id);
CREATE INDEX orders_expire_at ON order_ext_internal.orders (expire_at);

-- order_items: a line per sku and attributes, numbered from 1 in the order given; attributes are
-- the application's, NULL if it gave none. pay = price * quantity - discount.
-- reservation: 0 none, 1 reserved, 2 consumed, 3 released; it ends with one update of
-- every line, for which half of each page stays free.
CREATE TABLE order_ext_internal.order_items (
	order_id bigint NOT NULL,
	product_id bigint NOT NULL,
	price bigint NOT NULL,
	discount bigint NOT NULL,
	pay bigint NOT NULL,
	quantity integer NOT NULL,
	kind smallint NOT NULL,
	reservation smallint NOT NULL,
	sku text NOT NULL,
	line integer NOT NULL,
	attributes jsonb,
	PRIMARY KEY (order_id, line),
	CHECK (least(discount, pay, quantity - 1) >= 0)
) WITH (fillfactor = 50);
CREATE INDEX order_items_product_id ON order_ext_internal.order_items (product_id, order_id);

-- transition_log: append-only; one row per transition of an entity of a machine, the
-- order's own included. version counts them per entity from 1; xid is the transaction
-- that also published the messages of the transition. actor: B buyer, S staff,
-- G gateway, W warehouse, X system. operator: the role of the caller; who it said that it was
-- (order_ext.operator), if it did, is in detail, under the same name.
CREATE TABLE order_ext_internal.transition_log (
	entity_id bigint NOT NULL,
	order_id bigint NOT NULL,
	at timestamptz NOT NULL,
	xid xid8 NOT NULL,
	version integer NOT NULL,
	machine smallint NOT NULL,
	from_status smallint NOT NULL,
	to_status smallint NOT NULL,
	event smallint NOT NULL,
	actor "char" NOT NULL,
	operator text COLLATE "C",
	detail jsonb,
	PRIMARY KEY (entity_id, machine, version)	-- in this order it has no padding
);

-- sweep_progress: no unpaid order older than swept_until exists; append-only, newest wins.
-- swept_at: when that was found.
CREATE TABLE order_ext_internal.sweep_progress (
	seq bigint PRIMARY KEY,
	swept_until timestamptz NOT NULL,
	swept_at timestamptz
);

-- requests: idempotency keys. request_hash covers the arguments; the result is replayed.
-- Kept for order_ext.request_retention.
CREATE TABLE order_ext_internal.requests (
	created_at timestamptz NOT NULL,
	id bigint,
	version integer,
	function text NOT NULL,
	request_id text NOT NULL,
	request_hash bytea NOT NULL,
	status text,
	detail jsonb,
	PRIMARY KEY (function, request_id)
);
CREATE INDEX requests_created_at ON order_ext_internal.requests USING brin (created_at);
DO $$
BEGIN
	PERFORM pg_catalog.brin_desummarize_range('order_ext_internal.requests_created_at', 0);
END
$$;
