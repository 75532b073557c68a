-- Roles that rows name, in columns x and x_oid. The OID is what counts: a role that is renamed
-- keeps what it has, and one that takes the name of a dropped one has nothing. Dumps and replicas
-- go by the name, which maintain() and the scheduler keep true. See src/message/base/bound_roles.h

-- find_role(x, ...): row trigger; finds the OIDs of the roles in this server, wherever the row
-- comes from (a dump, a subscription), for each column x. A role that does not exist has 0, also
-- when it is made later; and 0 stays 0, since dropped roles stay so. The engine knows the OIDs.
CREATE FUNCTION order_ext_internal.find_role() RETURNS trigger
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	row_read jsonb := to_jsonb(NEW);
	name text;
BEGIN
	IF current_user = 'order_ext_owner' THEN
		RETURN NEW;
	END IF;
	FOREACH name IN ARRAY TG_ARGV LOOP
		IF row_read ->> name IS NOT NULL AND row_read ->> (name || '_oid') IS DISTINCT FROM '0' THEN
			NEW := jsonb_populate_record(NEW, jsonb_build_object(name || '_oid',
				coalesce(to_regrole(quote_ident(row_read ->> name))::oid, 0)));
		END IF;
	END LOOP;
	RETURN NEW;
END
$$;
COMMENT ON FUNCTION order_ext_internal.find_role() IS
'Finds the roles of a row by their names.';
