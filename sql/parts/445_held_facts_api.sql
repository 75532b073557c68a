-- Facts that wait for staff.

-- resolve_fact(): src/api/resolve_fact.c
CREATE FUNCTION order_ext.resolve_fact(fact_id bigint, note text)
	RETURNS order_ext.result
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_resolve_fact';

CREATE VIEW order_ext.held_facts AS
	SELECT fact_id, kind, at, order_id, entity_id, reason, payload, resolved_at, note, resolved_by,
		operator
	FROM order_ext_internal.held_facts;
