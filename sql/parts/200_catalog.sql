-- Products, freight, stock and coupons.

-- products: what can be ordered. kind 1 normal, 2 virtual. retired_at: since when it is not for
-- sale.
CREATE TABLE order_ext_internal.products (
	product_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	sku text NOT NULL UNIQUE,
	name text NOT NULL,
	kind smallint NOT NULL CHECK (kind IN (1, 2)),	-- normal, virtual
	updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	retired_at timestamptz
);

-- product_prices: of one piece, in minor units of the currency, an ISO 4217 code.
CREATE TABLE order_ext_internal.product_prices (
	product_id bigint NOT NULL,
	currency text NOT NULL,
	price bigint NOT NULL CHECK (price >= 0),
	updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	PRIMARY KEY (product_id, currency)
);

-- freight_templates: the fee of a region, dropped where the goods total reaches free_from. Region
-- * stands for every region without a template of its own. Regions are in lower case, except those
-- from before 0.6 that would have collided.
CREATE TABLE order_ext_internal.freight_templates (
	region text NOT NULL,
	fee bigint NOT NULL CHECK (fee >= 0),
	free_from bigint CHECK (free_from >= 0),
	currency text NOT NULL,
	PRIMARY KEY (region, currency)
);
CREATE INDEX freight_templates_code ON order_ext_internal.freight_templates
	(lower(btrim(region, E' \t\n\x0B\f\r')), currency);

-- stock_ledger: append-only double entry of every stock movement. The key makes a second
-- reserve, release or consume of the same order and product impossible.
-- kind: 1 reserve, 2 release, 3 consume, 4 adjust, 5 return, 6 write_off, 7 archive: the
-- sum of the movements of archived orders, one row a product.
-- order_id 0 and ref = a running number for adjustments; ref for 5 and 6 = the after-sale, or the
-- negative number of the receipt (after_sale_events).
-- xid: the transaction that wrote the row, as the folds go by it (docs/stock.md). operator: who
-- adjusted, as order_ext.operator says, else the role.
CREATE TABLE order_ext_internal.stock_ledger (
	order_id bigint NOT NULL,
	product_id bigint NOT NULL,
	ref bigint NOT NULL DEFAULT 0,
	available_delta bigint NOT NULL,
	reserved_delta bigint NOT NULL,
	consumed_delta bigint NOT NULL,
	at timestamptz NOT NULL,
	kind smallint NOT NULL,
	reason text,
	xid xid8 NOT NULL,
	operator text,
	PRIMARY KEY (order_id, product_id, kind, ref)
);
CREATE INDEX stock_ledger_product_id ON order_ext_internal.stock_ledger (product_id, xid);
CREATE SEQUENCE order_ext_internal.stock_adjustment_seq;

-- coupons: status 0 unused, 1 locked, 2 used (both by order_id), 3 expired. currency NULL: any, of
-- coupons from before 0.6.
CREATE TABLE order_ext_internal.coupons (
	coupon_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	user_id bigint NOT NULL,
	amount bigint NOT NULL CHECK (amount > 0),
	threshold bigint NOT NULL CHECK (threshold >= 0),
	valid_from timestamptz NOT NULL,
	valid_until timestamptz NOT NULL,
	order_id bigint,
	version integer NOT NULL DEFAULT 1,
	status smallint NOT NULL DEFAULT 0,
	currency text,
	CHECK ((status IN (1, 2)) = (order_id IS NOT NULL))	-- locked, used
) WITH (fillfactor = 80);
CREATE INDEX coupons_user_id ON order_ext_internal.coupons (user_id, coupon_id);
