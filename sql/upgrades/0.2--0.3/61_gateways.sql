-- A group of the application that has the name of a gateway's goes on under another one.
DO $$
DECLARE
	taken text;
BEGIN
	ALTER TABLE order_ext_internal.consumer_groups DISABLE TRIGGER guard_rows;
	FOR taken IN
		UPDATE order_ext_internal.consumer_groups c SET name = c.name || ' (0.2)'
		FROM order_ext_internal.gateways g
		WHERE NOT g.builtin AND c.name = 'refund.execute:' || g.pay_type
		RETURNING 'refund.execute:' || g.pay_type
	LOOP
		RAISE WARNING 'consumer group "%" is named "% (0.2)" from now on', taken, taken
			USING DETAIL = 'That is the name of the gateway''s own group.';
	END LOOP;
	ALTER TABLE order_ext_internal.consumer_groups ENABLE TRIGGER guard_rows;
END
$$;

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
