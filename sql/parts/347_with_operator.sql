-- with_operator(detail): detail of a transition_log row that SQL writes, with who the session says
-- that it is (order_ext.operator): what src/machine/base/journal.c does with its rows.
CREATE FUNCTION order_ext_internal.with_operator(detail jsonb) RETURNS jsonb
	LANGUAGE sql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT CASE coalesce(current_setting('order_ext.operator', true), '') WHEN '' THEN detail
		ELSE coalesce(detail, '{}')
			|| jsonb_build_object('operator', current_setting('order_ext.operator')) END
$$;
COMMENT ON FUNCTION order_ext_internal.with_operator(jsonb) IS
	'Adds who the session says that it is to detail of a transition.';
