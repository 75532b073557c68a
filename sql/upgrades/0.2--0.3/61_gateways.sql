-- Gateways of the application get the consumer groups that set_gateway() would make. What the
-- built-in group has not worked off for them, they find again. Who set a gateway had to be a
-- member of its role.
INSERT INTO order_ext_internal.consumer_groups
	(group_id, topic_id, batch, name, handler, run_as, start_at, subscriber, ordered,
	 handler_owner, adapted)
SELECT pg_catalog.nextval('order_ext_internal.group_id_seq'), 14, true,
	'refund.execute:' || pay_type, handler, run_as, pg_catalog.pg_current_snapshot(), run_as, true,
	(SELECT pg_catalog.pg_get_userbyid(p.proowner) FROM pg_catalog.pg_proc p
	 WHERE p.oid OPERATOR(pg_catalog.=) pg_catalog.to_regprocedure(handler)::pg_catalog.oid), true
FROM order_ext_internal.gateways
WHERE NOT builtin;

DO $$
BEGIN
	IF EXISTS (SELECT FROM order_ext_internal.consumer_groups WHERE adapted) THEN
		PERFORM order_ext_internal.adopt_refunds();
	END IF;
END
$$;
