-- order_timeline() shows the operator: it is dropped, and made anew by 560_reads. timeline_grants gives
-- its grants back.
DO $$
DECLARE
	changed constant regprocedure := 'order_ext.order_timeline(bigint)';
BEGIN
	PERFORM set_config('order_ext_update.timeline_grants', (
		SELECT coalesce(string_agg(format('GRANT EXECUTE ON FUNCTION %s TO %I%s;', changed,
				pg_get_userbyid(a.grantee), CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END), ''), '')
		FROM pg_proc p, aclexplode(p.proacl) a
		WHERE p.oid = changed AND a.grantee NOT IN (0, p.proowner)), true);
	DROP FUNCTION order_ext.order_timeline(bigint);
END
$$;

