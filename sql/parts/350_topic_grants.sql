-- topic_grants: who may do what with a topic of applications. privilege: owner (one row a topic,
-- and all of the others), publish, subscribe, cancel. Built-in topics have no rows.
-- Of roles the OIDs count: 345_find_role.
CREATE TABLE order_ext_internal.topic_grants (
	topic_id integer NOT NULL,
	role_oid oid NOT NULL,
	privilege text NOT NULL CHECK (privilege IN ('owner', 'publish', 'subscribe', 'cancel')),
	role text NOT NULL,
	PRIMARY KEY (topic_id, privilege, role_oid, role)
);

CREATE TRIGGER find_role BEFORE INSERT OR UPDATE ON order_ext_internal.topic_grants
	FOR EACH ROW EXECUTE FUNCTION order_ext_internal.find_role('role');
ALTER TABLE order_ext_internal.topic_grants ENABLE ALWAYS TRIGGER find_role;
