-- Roles that groups, gateways and the risk check name are bound by their OIDs: a role that takes the
-- name of a dropped one gets nothing of it. What is there is bound to the roles of those names; what
-- names a role that does not exist waits until it is registered again, as verify() says.
CREATE OR REPLACE TRIGGER find_role BEFORE INSERT OR UPDATE ON order_ext_internal.topic_grants
	FOR EACH ROW EXECUTE FUNCTION order_ext_internal.find_role('role');
ALTER TABLE order_ext_internal.topic_grants ENABLE ALWAYS TRIGGER find_role;

ALTER TABLE order_ext_internal.consumer_groups
	ADD COLUMN run_as_oid oid,
	ADD COLUMN handler_owner_oid oid,
	ADD COLUMN subscriber_oid oid;
ALTER TABLE order_ext_internal.gateways ADD COLUMN run_as_oid oid;
ALTER TABLE order_ext_internal.instance
	ADD COLUMN risk_role_oid oid,
	ADD COLUMN risk_owner_oid oid;

ALTER TABLE order_ext_internal.consumer_groups DISABLE TRIGGER guard_rows;
UPDATE order_ext_internal.consumer_groups SET
	run_as_oid = CASE WHEN run_as IS NOT NULL THEN coalesce(to_regrole(quote_ident(run_as))::oid, 0) END,
	handler_owner_oid = CASE WHEN handler_owner IS NOT NULL THEN coalesce(to_regrole(quote_ident(handler_owner))::oid, 0) END,
	subscriber_oid = CASE WHEN subscriber IS NOT NULL THEN coalesce(to_regrole(quote_ident(subscriber))::oid, 0) END
WHERE NOT builtin;
ALTER TABLE order_ext_internal.consumer_groups ENABLE ALWAYS TRIGGER guard_rows;

ALTER TABLE order_ext_internal.gateways DISABLE TRIGGER guard_rows;
UPDATE order_ext_internal.gateways SET run_as_oid = coalesce(to_regrole(quote_ident(run_as))::oid, 0)
WHERE run_as IS NOT NULL;
ALTER TABLE order_ext_internal.gateways ENABLE ALWAYS TRIGGER guard_rows;

ALTER TABLE order_ext_internal.instance DISABLE TRIGGER guard_rows;
UPDATE order_ext_internal.instance SET
	risk_role_oid = coalesce(to_regrole(quote_ident(risk_role))::oid, 0),
	risk_owner_oid = CASE WHEN risk_owner IS NOT NULL THEN coalesce(to_regrole(quote_ident(risk_owner))::oid, 0) END
WHERE risk_handler IS NOT NULL;
ALTER TABLE order_ext_internal.instance ENABLE ALWAYS TRIGGER guard_rows;
