-- Guards for every table that has none yet, or an older one; also run at the end of an update.

DO $$
DECLARE
	guarded regclass;
BEGIN
	FOR guarded IN
		SELECT c.oid FROM pg_catalog.pg_class c
		WHERE c.relnamespace IN ('order_ext_internal'::pg_catalog.regnamespace,
				'order_ext_archive'::pg_catalog.regnamespace) AND c.relkind = 'r'
			-- 30: BEFORE INSERT OR UPDATE OR DELETE FOR EACH STATEMENT
			AND NOT EXISTS (SELECT FROM pg_catalog.pg_trigger t
							WHERE t.tgrelid = c.oid AND t.tgname = 'guard_rows'
								AND t.tgtype = 30 AND t.tgenabled = 'A')
		ORDER BY c.relnamespace::pg_catalog.regnamespace::text, c.relname
	LOOP
		EXECUTE pg_catalog.format(
			'CREATE OR REPLACE TRIGGER guard_rows BEFORE INSERT OR UPDATE OR DELETE ON %s
			 FOR EACH STATEMENT EXECUTE FUNCTION order_ext_internal.guard()', guarded);
		EXECUTE pg_catalog.format(
			'CREATE OR REPLACE TRIGGER guard_truncate BEFORE TRUNCATE ON %s
			 FOR EACH STATEMENT EXECUTE FUNCTION order_ext_internal.guard()', guarded);
		EXECUTE pg_catalog.format('ALTER TABLE %s ENABLE ALWAYS TRIGGER guard_rows,
			ENABLE ALWAYS TRIGGER guard_truncate', guarded);
	END LOOP;
END
$$;
