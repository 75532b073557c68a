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
