-- Every table belongs to the engine: changes that bypass it are rejected, even a superuser's.
-- Only superusers may INSERT, to restore a dump, and change rows where they have set
-- session_replication_role = replica; so may the apply worker of a superuser's subscription. The
-- triggers are always enabled, and only a superuser can bypass them.

-- guard(): trigger function; raises 42501 unless the engine or a restore is writing.
-- Source: src/core/spi_util.c
CREATE FUNCTION order_ext_internal.guard() RETURNS trigger
	LANGUAGE C AS 'MODULE_PATHNAME', 'order_ext_guard';
COMMENT ON FUNCTION order_ext_internal.guard() IS
	'Refuses changes of rows that come neither from the engine nor from a superuser''s restore.';


-- A dump contains its own rows for tables that CREATE EXTENSION fills: the dumped instance
-- replaces the new one, and a stamp that already exists is not inserted again (a foreign one is,
-- and keeps dispatch quiet until enable_dispatch()). See src/core/restore.c
CREATE FUNCTION order_ext_internal.replace_instance() RETURNS trigger
	LANGUAGE C AS 'MODULE_PATHNAME', 'order_ext_replace_instance';
COMMENT ON FUNCTION order_ext_internal.replace_instance() IS
	'Lets a restored instance row replace the one that is there.';
CREATE TRIGGER replace_instance BEFORE INSERT ON order_ext_internal.instance
	FOR EACH ROW EXECUTE FUNCTION order_ext_internal.replace_instance();

CREATE FUNCTION order_ext_internal.skip_known_stamp() RETURNS trigger
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF EXISTS (
		SELECT FROM order_ext_internal.database_stamp s
		WHERE s.system_identifier = NEW.system_identifier AND s.database = NEW.database)
	THEN
		RETURN NULL;
	END IF;
	RETURN NEW;
END
$$;
COMMENT ON FUNCTION order_ext_internal.skip_known_stamp() IS
	'Lets a stamp that is there already be restored.';
CREATE TRIGGER skip_known_stamp BEFORE INSERT ON order_ext_internal.database_stamp
	FOR EACH ROW EXECUTE FUNCTION order_ext_internal.skip_known_stamp();
