-- put_product(), put_freight() and issue_coupon() get a currency, adjust_stock() a bucket: they are
-- dropped, and made anew by 410_orders_api. lines_grants gives their grants back.
DO $$
DECLARE
	changed regprocedure;
	regrants text := '';
BEGIN
	FOREACH changed IN ARRAY ARRAY[
		'order_ext.put_product(text, text, bigint, text)', 'order_ext.put_freight(text, bigint, bigint)',
		'order_ext.issue_coupon(bigint, bigint, bigint, timestamptz, timestamptz)',
		'order_ext.adjust_stock(text, bigint, text, text)']::regprocedure[]
	LOOP
		SELECT regrants || coalesce(string_agg(format('GRANT EXECUTE ON FUNCTION order_ext.%I TO %I%s;', p.proname,
				pg_get_userbyid(a.grantee), CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END), ''), '')
		INTO regrants
		FROM pg_proc p, aclexplode(p.proacl) a
		WHERE p.oid = changed AND a.grantee NOT IN (0, p.proowner);
		EXECUTE format('DROP FUNCTION %s', changed);
	END LOOP;
	PERFORM set_config('order_ext_update.lines_grants', regrants, true);
END
$$;
