-- Checking that the tables are consistent.

-- verify(): reads as the owner, except what pg_cron shows to its caller only.
-- src/api/verify/verify.c
CREATE FUNCTION order_ext.verify(scope text DEFAULT 'recent')
	RETURNS TABLE (invariant text, severity text, entity text, expected text, actual text)
	LANGUAGE C VOLATILE SECURITY INVOKER
	SET search_path = pg_catalog, pg_temp
	SET jit = off
	AS 'MODULE_PATHNAME', 'order_ext_verify';
