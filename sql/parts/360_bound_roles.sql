-- The tables besides topic_grants that name roles: see 345_find_role.
CREATE TRIGGER find_role BEFORE INSERT OR UPDATE ON order_ext_internal.consumer_groups
	FOR EACH ROW
	EXECUTE FUNCTION order_ext_internal.find_role('run_as', 'handler_owner', 'subscriber');
ALTER TABLE order_ext_internal.consumer_groups ENABLE ALWAYS TRIGGER find_role;

CREATE TRIGGER find_role BEFORE INSERT OR UPDATE ON order_ext_internal.gateways
	FOR EACH ROW EXECUTE FUNCTION order_ext_internal.find_role('run_as');
ALTER TABLE order_ext_internal.gateways ENABLE ALWAYS TRIGGER find_role;

CREATE TRIGGER find_role BEFORE INSERT OR UPDATE ON order_ext_internal.instance
	FOR EACH ROW
	EXECUTE FUNCTION order_ext_internal.find_role('risk_role', 'risk_owner', 'price_role',
		'price_owner');
ALTER TABLE order_ext_internal.instance ENABLE ALWAYS TRIGGER find_role;
