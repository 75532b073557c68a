-- Every table belongs to the engine: UPDATE, DELETE and TRUNCATE that go round it are
-- refused, whoever asks. INSERT is left to restore and judged by verify(). The triggers
-- stand aside under session_replication_role = replica, as all ordinary triggers do.

-- guard(): trigger function; raises 42501 unless the engine itself is writing.
-- Source: src/core/spi_util.c
CREATE FUNCTION order_ext_internal.guard() RETURNS trigger
	LANGUAGE C AS 'MODULE_PATHNAME', 'order_ext_guard';
COMMENT ON FUNCTION order_ext_internal.guard() IS 'Refuses UPDATE, DELETE and TRUNCATE that do not come from the engine.';

DO $$
DECLARE
	guarded regclass;
BEGIN
	FOR guarded IN
		SELECT c.oid FROM pg_catalog.pg_class c
		WHERE c.relnamespace = 'order_ext_internal'::pg_catalog.regnamespace AND c.relkind = 'r'
		ORDER BY c.relname
	LOOP
		EXECUTE pg_catalog.format(
			'CREATE TRIGGER guard_rows BEFORE UPDATE OR DELETE ON %s FOR EACH STATEMENT
			 EXECUTE FUNCTION order_ext_internal.guard()', guarded);
		EXECUTE pg_catalog.format(
			'CREATE TRIGGER guard_truncate BEFORE TRUNCATE ON %s FOR EACH STATEMENT
			 EXECUTE FUNCTION order_ext_internal.guard()', guarded);
	END LOOP;
END
$$;
