-- claim_refunds() and resolve_held_payment() get an argument: they are dropped, and made anew by
-- 435_money_api. money_grants gives their grants back.
DO $$
DECLARE
	changed regprocedure;
	regrants text := '';
BEGIN
	FOREACH changed IN ARRAY ARRAY[
		'order_ext.claim_refunds(integer, text, interval)',
		'order_ext.resolve_held_payment(bigint, text)']::regprocedure[]
	LOOP
		SELECT regrants || coalesce(string_agg(format('GRANT EXECUTE ON FUNCTION order_ext.%I TO %I%s;', p.proname,
				pg_get_userbyid(a.grantee), CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END), ''), '')
		INTO regrants
		FROM pg_proc p, aclexplode(p.proacl) a
		WHERE p.oid = changed AND a.grantee NOT IN (0, p.proowner);
		EXECUTE format('DROP FUNCTION %s', changed);
	END LOOP;
	PERFORM set_config('order_ext_update.money_grants', regrants, true);
END
$$;

ALTER TYPE order_ext.refund_request ADD ATTRIBUTE payment_amount bigint;
