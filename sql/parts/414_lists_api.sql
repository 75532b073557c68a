-- Pages of orders, coupons and products, and products many at once. Keys are ids and skus; a page
-- that could not look at everything ends with where to go on.

-- list_orders(): src/api/list_orders.c
CREATE FUNCTION order_ext.list_orders(user_id bigint, statuses text[] DEFAULT NULL,
		before bigint DEFAULT NULL, max_orders integer DEFAULT 20)
	RETURNS SETOF jsonb
	LANGUAGE C STABLE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_list_orders';

-- search_orders(): src/api/list_orders.c
CREATE FUNCTION order_ext.search_orders(filter jsonb, before bigint DEFAULT NULL,
		max_orders integer DEFAULT 50)
	RETURNS SETOF jsonb
	LANGUAGE C STABLE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_search_orders';

-- find_order(): src/api/list_orders.c
CREATE FUNCTION order_ext.find_order(external_id text)
	RETURNS bigint
	LANGUAGE C STABLE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_find_order';

-- list_coupons(): src/api/list_catalog.c
CREATE FUNCTION order_ext.list_coupons(user_id bigint, usable boolean DEFAULT NULL,
		before bigint DEFAULT NULL, max_coupons integer DEFAULT 1000)
	RETURNS SETOF jsonb
	LANGUAGE C STABLE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_list_coupons';

-- list_products(): src/api/list_catalog.c
CREATE FUNCTION order_ext.list_products(after text DEFAULT NULL, max_products integer DEFAULT 50,
		search text DEFAULT NULL)
	RETURNS SETOF jsonb
	LANGUAGE C STABLE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_list_products';

-- put_products(): src/api/put_products.c
CREATE FUNCTION order_ext.put_products(products jsonb)
	RETURNS integer
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_put_products';

-- retire_product(): src/api/put_products.c
CREATE FUNCTION order_ext.retire_product(sku text, retired boolean DEFAULT true)
	RETURNS void
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_retire_product';
