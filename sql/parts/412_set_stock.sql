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
