-- Observers do not read what buyers wrote when they applied. An observer is who may read after_sales_view and
-- may not redrive.
DO $$
DECLARE
	observer regrole;
BEGIN
	FOR observer IN
		SELECT DISTINCT a.grantee FROM pg_catalog.pg_class c, pg_catalog.aclexplode(c.relacl) a
		WHERE c.oid = 'order_ext.after_sales_view'::regclass AND a.privilege_type = 'SELECT'
			AND a.grantee NOT IN (0, c.relowner)
			AND NOT EXISTS (SELECT FROM pg_catalog.pg_proc p
				WHERE p.pronamespace = 'order_ext'::regnamespace AND p.proname = 'redrive'
					AND pg_catalog.has_function_privilege(a.grantee, p.oid, 'EXECUTE'))
	LOOP
		EXECUTE pg_catalog.format('REVOKE SELECT ON order_ext.after_sales_view FROM %s', observer);
		EXECUTE pg_catalog.format('GRANT SELECT (after_sale_id, order_id, user_id, type, status, amount, '
			'applied_at, freight, detail_type, source, reason_kind, review_reason, origin, return_status, '
			'carrier, tracking_no, reviewed_at, return_by, goods_sent_at, goods_received_at, settled_at, '
			'version, extra, paid_outside) ON order_ext.after_sales_view TO %s', observer);
	END LOOP;
END
$$;
