-- topic_grants: who may do what with a topic of applications. privilege: owner (one row a topic,
-- and all of the others), publish, subscribe, cancel. Built-in topics have no rows.
-- role_oid is what counts: a role that is renamed keeps its rights, and one that takes the name of
-- a dropped one has none. A dump goes by the name; maintain() and the scheduler keep it true.
CREATE TABLE order_ext_internal.topic_grants (
	topic_id integer NOT NULL,
	role_oid oid NOT NULL,
	privilege text NOT NULL CHECK (privilege IN ('owner', 'publish', 'subscribe', 'cancel')),
	role text NOT NULL,
	PRIMARY KEY (topic_id, privilege, role_oid, role)
);

-- find_role(): row trigger; the OID of the role in this server, wherever the row comes from (a
-- dump, a subscription). A role that does not exist has 0, and no rights, also when it is made.
CREATE FUNCTION order_ext_internal.find_role() RETURNS trigger
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	NEW.role_oid := coalesce(to_regrole(quote_ident(NEW.role))::oid, 0);
	RETURN NEW;
END
$$;
COMMENT ON FUNCTION order_ext_internal.find_role() IS
'Finds the role of a row of topic_grants by its name.';
CREATE TRIGGER find_role BEFORE INSERT OR UPDATE ON order_ext_internal.topic_grants
	FOR EACH ROW EXECUTE FUNCTION order_ext_internal.find_role();
ALTER TABLE order_ext_internal.topic_grants ENABLE ALWAYS TRIGGER find_role;
