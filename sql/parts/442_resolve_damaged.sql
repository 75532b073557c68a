-- The decision about damaged goods; see 440_after_sale_api.sql.

-- resolve_damaged(): src/api/resolve_damaged.c
CREATE FUNCTION order_ext.resolve_damaged(after_sale_id bigint, refund boolean,
		request_id text DEFAULT NULL)
	RETURNS order_ext.result
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_resolve_damaged';
