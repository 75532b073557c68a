-- Whether the tables still say the same thing.

-- verify(scope): checks the invariants of orders, money, stock, coupons and messages
-- under one snapshot of the present; no row = healthy. Reads only, safe in production.
--   scope      all, or one invariant (I1, I2 ...)
--   invariant  which one a row is about
--   severity   error: it is broken; warning: something waits for a person or a worker
--   entity     what it is about, such as order 123 or sku A-1
-- Raises 22004, 22023. Source: src/api/verify.c, the checks: src/api/verify_queries.c
CREATE FUNCTION order_ext.verify(scope text DEFAULT 'all')
	RETURNS TABLE (invariant text, severity text, entity text, expected text, actual text)
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	SET jit = off
	AS 'MODULE_PATHNAME', 'order_ext_verify';
COMMENT ON FUNCTION order_ext.verify(text) IS 'Checks the invariants; no row means that all is well.';
