-- Checking that the tables are consistent.

-- verify(): src/api/verify.c, src/api/verify_queries.c
CREATE FUNCTION order_ext.verify(scope text DEFAULT 'all')
	RETURNS TABLE (invariant text, severity text, entity text, expected text, actual text)
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	SET jit = off
	AS 'MODULE_PATHNAME', 'order_ext_verify';
