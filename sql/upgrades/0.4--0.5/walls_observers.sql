-- Observers no longer read what handlers and gateways say, which may quote payloads: SQLSTATEs
-- remain. An observer is who may read attempt_log and may not redrive.
DO $$
DECLARE
	observer regrole;
BEGIN
	FOR observer IN
		SELECT DISTINCT a.grantee FROM pg_catalog.pg_class c, pg_catalog.aclexplode(c.relacl) a
		WHERE c.oid = 'order_ext.attempt_log'::regclass AND a.privilege_type = 'SELECT'
			AND a.grantee NOT IN (0, c.relowner)
			AND NOT EXISTS (SELECT FROM pg_catalog.pg_proc p
				WHERE p.pronamespace = 'order_ext'::regnamespace AND p.proname = 'redrive'
					AND pg_catalog.has_function_privilege(a.grantee, p.oid, 'EXECUTE'))
	LOOP
		EXECUTE pg_catalog.format('REVOKE SELECT ON order_ext.attempt_log,
			order_ext.refunds_view FROM %s', observer);
		EXECUTE pg_catalog.format('GRANT SELECT (message_id, consumer_group, topic, attempt, state,
			sqlstate, worker, started_at, duration) ON order_ext.attempt_log TO %s', observer);
		EXECUTE pg_catalog.format('GRANT SELECT (refund_id, order_id, payment_id, cause, amount,
			currency, status, attempt, requested_at, settled_at, after_sale_id, held, version,
			gateway_refund_no, claimed_by, lease_until) ON order_ext.refunds_view TO %s', observer);
		EXECUTE pg_catalog.format('REVOKE SELECT (last_error) ON order_ext.dead_letters FROM %s',
			observer);
		RAISE WARNING 'role % no longer reads error messages, which may quote payloads', observer
			USING HINT = pg_catalog.format('If it should: GRANT SELECT ON order_ext.attempt_log, '
				'order_ext.refunds_view TO %1$s; '
				'GRANT SELECT (last_error) ON order_ext.dead_letters TO %1$s;', observer);
	END LOOP;
END
$$;
