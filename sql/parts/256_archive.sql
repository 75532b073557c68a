-- The archive: orders that are settled and older than order_ext.order_retention. docs/archive.md
-- has what that means, and what happens when somebody tells something new about one.

CREATE SCHEMA order_ext_archive;
COMMENT ON SCHEMA order_ext_archive IS
	'Settled orders that maintain() has moved out of the way; nobody but the engine writes here.';

-- orders: one row per order: what it is looked up and counted by, and the document: rows, those
-- that it had in each table; shown and timeline, what get_order() and order_timeline() answer.
-- settled_at is when the last thing happened to it.
CREATE TABLE order_ext_archive.orders (
	order_id bigint PRIMARY KEY,
	user_id bigint NOT NULL,
	coupon_id bigint,
	pay_amount bigint NOT NULL,
	created_at timestamptz NOT NULL,
	settled_at timestamptz NOT NULL,
	archived_at timestamptz NOT NULL,
	removed_at timestamptz,
	status smallint NOT NULL,
	currency text NOT NULL,
	external_id text,
	document jsonb NOT NULL
);
COMMENT ON TABLE order_ext_archive.orders IS 'Settled orders, one row each.';
CREATE UNIQUE INDEX orders_external_id ON order_ext_archive.orders (external_id)
	WHERE external_id IS NOT NULL;
CREATE INDEX orders_user_id ON order_ext_archive.orders (user_id, order_id);

-- dropped: archived orders whose documents were dropped after they had been exported: what their
-- numbers still are, the digest of the document, and what remains of it: captures and movements,
-- as far as they are counted. erased: erase_buyer() has met it, so that it comes back without what
-- is personal.
CREATE TABLE order_ext_archive.dropped (
	order_id bigint PRIMARY KEY,
	user_id bigint NOT NULL,
	coupon_id bigint,
	pay_amount bigint NOT NULL,
	created_at timestamptz NOT NULL,
	settled_at timestamptz NOT NULL,
	archived_at timestamptz NOT NULL,
	dropped_at timestamptz NOT NULL,
	removed_at timestamptz,
	version integer NOT NULL,
	status smallint NOT NULL,
	erased boolean NOT NULL DEFAULT false,
	currency text NOT NULL,
	external_id text,
	digest bytea NOT NULL,
	remains jsonb NOT NULL
);
COMMENT ON TABLE order_ext_archive.dropped IS 'What stays of archived orders that were dropped.';
CREATE UNIQUE INDEX dropped_external_id ON order_ext_archive.dropped (external_id)
	WHERE external_id IS NOT NULL;
CREATE INDEX dropped_user_id ON order_ext_archive.dropped (user_id);

-- known: all orders that are not live, with those rows of theirs that are counted.
CREATE VIEW order_ext_archive.known AS
	SELECT a.order_id, a.coupon_id, a.status, a.external_id, a.document -> 'rows' AS rows
	FROM order_ext_archive.orders a
	UNION ALL
	SELECT d.order_id, d.coupon_id, d.status, d.external_id, d.remains -> 'rows'
	FROM order_ext_archive.dropped d;
COMMENT ON VIEW order_ext_archive.known IS 'Archived orders, dropped ones included.';

-- keys: the other numbers by which an archived order can be named: hashes of archive_key(). A
-- collision brings back an order that nobody has asked for, which does no harm. They stay when it
-- is dropped.
CREATE TABLE order_ext_archive.keys (
	key bigint NOT NULL,
	order_id bigint NOT NULL,
	PRIMARY KEY (key, order_id)
);
COMMENT ON TABLE order_ext_archive.keys IS
	'Numbers of payments, refunds and after-sales of archived orders.';

-- money: what the archived orders add to money_report, by days in UTC. what as there.
CREATE TABLE order_ext_archive.money (
	day date NOT NULL,
	what smallint NOT NULL,
	pay_type text NOT NULL,
	currency text NOT NULL,
	amount numeric NOT NULL,
	PRIMARY KEY (day, pay_type, currency, what)
);
COMMENT ON TABLE order_ext_archive.money IS 'The sums of the money of archived orders.';

-- progress: orders up to passed have been looked at since began; then it starts over, once a day.
CREATE TABLE order_ext_archive.progress (
	only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
	passed bigint NOT NULL,
	began timestamptz NOT NULL
);
COMMENT ON TABLE order_ext_archive.progress IS 'How far the search for settled orders has come.';

-- Facts are few, and are moved with their order.
CREATE INDEX money_facts_order_id ON order_ext_internal.money_facts (order_id);
