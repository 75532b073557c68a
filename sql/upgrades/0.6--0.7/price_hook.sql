-- The price hook stands beside the risk check.
ALTER TABLE order_ext_internal.instance
	ADD COLUMN price_handler text,
	ADD COLUMN price_role text,
	ADD COLUMN price_owner text,
	ADD COLUMN price_role_oid oid,
	ADD COLUMN price_owner_oid oid;
DROP TRIGGER find_role ON order_ext_internal.instance;
CREATE TRIGGER find_role BEFORE INSERT OR UPDATE ON order_ext_internal.instance
	FOR EACH ROW
	EXECUTE FUNCTION order_ext_internal.find_role('risk_role', 'risk_owner', 'price_role',
		'price_owner');
ALTER TABLE order_ext_internal.instance ENABLE ALWAYS TRIGGER find_role;
