-- Views of orders, money, coupons and stock. Amounts are in minor units of the currency; statuses
-- are shown by name. They run with the owner's privileges: reading a view does not require
-- privileges on the tables behind it. No view shows addresses or what the gateway sent.

CREATE VIEW order_ext.orders_view AS
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

-- The sku is the product's, so that conditions on it get to the index.
CREATE VIEW order_ext.order_items_view AS
	SELECT i.order_id, p.sku, i.quantity, i.price, i.discount, i.pay,
		CASE i.reservation
			WHEN 0 THEN 'none'
			WHEN 1 THEN 'reserved'
			WHEN 2 THEN 'consumed'
			WHEN 3 THEN 'released'
		END AS reservation,
		i.line, i.attributes
	FROM order_ext_internal.order_items i
	JOIN order_ext_internal.products p ON p.product_id = i.product_id;

CREATE VIEW order_ext.payments_view AS
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

CREATE VIEW order_ext.refunds_view AS
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

-- Coupons that an order holds are found by the order, which names its coupon: their own order_id
-- changes with their status, so that no index has it.
CREATE VIEW order_ext.coupons_view AS
	SELECT c.coupon_id, c.user_id,
		order_ext_internal.status_name('coupon', c.status) AS status,
		c.order_id, c.amount, c.threshold, c.valid_from, c.valid_until, c.version, c.currency
	FROM (
		SELECT f.coupon_id, f.user_id, f.status, NULL::bigint AS order_id, f.amount, f.threshold,
			f.valid_from, f.valid_until, f.version, f.currency
		FROM order_ext_internal.coupons f
		WHERE f.order_id IS NULL
		UNION ALL
		SELECT h.coupon_id, h.user_id, h.status, o.order_id, h.amount, h.threshold,
			h.valid_from, h.valid_until, h.version, h.currency
		FROM order_ext_internal.orders o
		JOIN order_ext_internal.coupons h
			ON h.coupon_id = o.coupon_id AND h.order_id = o.order_id) c;

CREATE VIEW order_ext.products_view AS
	SELECT p.sku, p.name, CASE p.kind WHEN 1 THEN 'normal' WHEN 2 THEN 'virtual' END AS kind,
		p.retired_at, p.updated_at
	FROM order_ext_internal.products p;

CREATE VIEW order_ext.prices_view AS
	SELECT p.sku, v.currency, v.price, v.updated_at
	FROM order_ext_internal.products p
	JOIN order_ext_internal.product_prices v ON v.product_id = p.product_id;

CREATE VIEW order_ext.freight_view AS
	SELECT f.region, f.currency, f.fee, f.free_from
	FROM order_ext_internal.freight_templates f;

-- Movements of orders and the others apart, so that the order's id is the column itself; both
-- with their products, so that conditions on the sku get to the index, too.
CREATE VIEW order_ext.stock_ledger_view AS
	SELECT l.sku, l.at, l.order_id,
		CASE l.kind
			WHEN 1 THEN 'reserve'
			WHEN 2 THEN 'release'
			WHEN 3 THEN 'consume'
			WHEN 4 THEN 'adjust'
			WHEN 5 THEN 'return'
			WHEN 6 THEN 'write_off'
			WHEN 7 THEN 'archive'
		END AS kind,
		l.available_delta + l.reserved_delta AS delta, l.reason,
		l.available_delta, l.reserved_delta, l.consumed_delta, l.operator
	FROM (
		SELECT p.sku, m.order_id, m.at, m.kind, m.available_delta, m.reserved_delta,
			m.consumed_delta, m.reason, m.operator
		FROM order_ext_internal.stock_ledger m
		JOIN order_ext_internal.products p ON p.product_id = m.product_id
		WHERE m.order_id <> 0
		UNION ALL
		SELECT p.sku, NULL, m.at, m.kind, m.available_delta, m.reserved_delta,
			m.consumed_delta, m.reason, m.operator
		FROM order_ext_internal.stock_ledger m
		JOIN order_ext_internal.products p ON p.product_id = m.product_id
		WHERE m.order_id = 0) l;

-- The level of every product: its newest fold, and the rows that this does not cover, found by
-- the index. See docs/stock.md
CREATE VIEW order_ext_internal.stock AS
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
-- that another capture tells of: they count nowhere. Of archived orders
-- there are sums, by days in UTC.
CREATE VIEW order_ext.money_report AS
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
			CASE WHEN r.status <> order_ext.status_code('refund', 'succeeded') THEN 12	-- open
				WHEN r.cause = 8 THEN 13	-- dispute: disputed
				ELSE 11 END	-- refunded
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
						order_ext.status_code('after_sale', 'revoked'))))
		UNION ALL
		SELECT m.day, m.pay_type, m.currency, m.amount, m.what
		FROM order_ext_archive.money m WHERE m.amount <> 0) f
	GROUP BY f.day, f.pay_type, f.currency;
