-- error_facts(sentence, facts): DETAIL of an error that an SQL function raises, for people or, with
-- order_ext.error_detail = json, for programs: what core/error_facts.h is for C.
CREATE FUNCTION order_ext_internal.error_facts(sentence text, facts jsonb) RETURNS text
	LANGUAGE sql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT CASE current_setting('order_ext.error_detail', true) WHEN 'json' THEN facts::text
		ELSE sentence END
$$;
COMMENT ON FUNCTION order_ext_internal.error_facts(text, jsonb) IS
	'Makes DETAIL of an error, for people or for programs.';
