-- The guards of every table that has none yet; also at the end of an update.

DO $$
DECLARE
	guarded regclass;
BEGIN
	FOR guarded IN
		SELECT c.oid FROM pg_catalog.pg_class c
		WHERE c.relnamespace = 'order_ext_internal'::pg_catalog.regnamespace AND c.relkind = 'r'
			AND NOT EXISTS (SELECT FROM pg_catalog.pg_trigger t
							WHERE t.tgrelid = c.oid AND t.tgname = 'guard_rows')
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
