-- Observers do not read attributes of lines, which buyers may have written. An observer is who may
-- read order_items_view and may not redrive.
DO $$
DECLARE
	observer regrole;
BEGIN
	FOR observer IN
		SELECT DISTINCT a.grantee FROM pg_catalog.pg_class c, pg_catalog.aclexplode(c.relacl) a
		WHERE c.oid = 'order_ext.order_items_view'::regclass AND a.privilege_type = 'SELECT'
			AND a.grantee NOT IN (0, c.relowner)
			AND NOT EXISTS (SELECT FROM pg_catalog.pg_proc p
				WHERE p.pronamespace = 'order_ext'::regnamespace AND p.proname = 'redrive'
					AND pg_catalog.has_function_privilege(a.grantee, p.oid, 'EXECUTE'))
	LOOP
		EXECUTE pg_catalog.format('REVOKE SELECT ON order_ext.order_items_view FROM %s', observer);
		EXECUTE pg_catalog.format('GRANT SELECT (order_id, sku, quantity, price, discount, pay, '
			'reservation, line) ON order_ext.order_items_view TO %s', observer);
	END LOOP;
END
$$;
