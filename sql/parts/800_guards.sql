-- Every table belongs to the engine: UPDATE, DELETE and TRUNCATE that go round it are
-- refused, whoever asks. INSERT is left to restore and judged by verify(). The triggers
-- stand aside under session_replication_role = replica, as all ordinary triggers do.

-- guard(): trigger function; raises 42501 unless the engine itself is writing.
-- Source: src/core/spi_util.c
CREATE FUNCTION order_ext_internal.guard() RETURNS trigger
	LANGUAGE C AS 'MODULE_PATHNAME', 'order_ext_guard';
COMMENT ON FUNCTION order_ext_internal.guard() IS
	'Refuses UPDATE, DELETE and TRUNCATE that do not come from the engine.';


-- A dump brings rows of its own for what CREATE EXTENSION fills in: the dumped instance
-- replaces the new one, and a stamp that is there already is not inserted again (a foreign
-- one is, and keeps dispatch quiet until enable_dispatch()). See src/core/restore.c
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
