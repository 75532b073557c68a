-- Topics that are there keep today's rights, as grants. Nobody knows who made them: they belong
-- to order_ext_owner, which nobody can become, so that the update gives rights to nobody; operators
-- manage their grants. Every role that may call publish(), register_asset(), cancel_message() or
-- subscribe() today gets what these need from now on; EXECUTE for PUBLIC was for every role.
INSERT INTO order_ext_internal.topic_grants (topic_id, privilege, role)
SELECT t.topic_id, 'owner', 'order_ext_owner'
FROM order_ext_internal.topics t WHERE NOT t.builtin;

INSERT INTO order_ext_internal.topic_grants (topic_id, privilege, role)
SELECT DISTINCT t.topic_id, needs.privilege, r.rolname::text
FROM (VALUES ('publish', 'publish'), ('register_asset', 'publish'), ('cancel_message', 'cancel'),
		('subscribe', 'subscribe')) AS needs (call, privilege)
JOIN pg_catalog.pg_proc p ON p.proname = needs.call AND p.pronamespace = 'order_ext'::pg_catalog.regnamespace
CROSS JOIN LATERAL pg_catalog.aclexplode(coalesce(p.proacl, pg_catalog.acldefault('f', p.proowner))) a
JOIN pg_catalog.pg_roles r ON r.oid = a.grantee
	OR a.grantee = 0 AND r.rolname !~ '^pg_' AND NOT r.rolsuper
JOIN order_ext_internal.topics t ON NOT t.builtin
WHERE a.privilege_type = 'EXECUTE' AND r.oid <> p.proowner;
