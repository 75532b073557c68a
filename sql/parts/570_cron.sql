-- Jobs of pg_cron: a second way to cancel orders that are due, independent of the workers, and
-- maintenance.

-- maintain(): src/api/maintain.c
CREATE FUNCTION order_ext.maintain() RETURNS bigint
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_maintain';

-- register_jobs(), unregister_jobs(): what the calls below do in pg_cron, as their caller.
CREATE FUNCTION order_ext_internal.register_jobs() RETURNS void
	LANGUAGE plpgsql VOLATILE SECURITY INVOKER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	cron_database text;
BEGIN
	IF NOT EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_cron') THEN
		BEGIN
			cron_database := current_setting('cron.database_name', true);
		EXCEPTION WHEN insufficient_privilege THEN
			cron_database := '(cron.database_name)';
		END;
		IF cron_database IS NULL THEN
			RAISE EXCEPTION 'pg_cron is not loaded on this server'
				USING ERRCODE = '55000',
					HINT = format('Add pg_cron to shared_preload_libraries, set'
						' cron.database_name = %L, restart, and run CREATE EXTENSION pg_cron in'
						' that database.', current_database());
		ELSIF cron_database = current_database() THEN
			RAISE EXCEPTION 'pg_cron is not installed in this database'
				USING ERRCODE = '55000', HINT = 'Run CREATE EXTENSION pg_cron.';
		END IF;
		RAISE EXCEPTION 'pg_cron is not installed in this database'
			USING ERRCODE = '55000',
				-- (as the caller, who may not call error_facts())
				DETAIL = CASE current_setting('order_ext.error_detail', true)
					WHEN 'json' THEN jsonb_build_object('database', cron_database)::text
					ELSE format('It takes jobs in database %s.', cron_database) END,
				HINT = format('There, run SELECT'
					' cron.schedule_in_database(''order_ext sweep'', ''* * * * *'','
					' ''SELECT order_ext.expire_orders()'', %1$L),'
					' cron.schedule_in_database(''order_ext maintenance'', ''*/5 * * * *'','
					' ''SELECT order_ext.maintain()'', %1$L);', current_database());
	ELSIF NOT has_schema_privilege('cron', 'USAGE') THEN
		RAISE EXCEPTION 'permission denied to use pg_cron as role "%"', current_user
			USING ERRCODE = '42501',
				HINT = format('Run GRANT USAGE ON SCHEMA cron TO %I.', current_user);
	ELSIF NOT (SELECT rolcanlogin FROM pg_roles WHERE rolname = current_user) THEN
		RAISE EXCEPTION 'role "%" cannot log in, so pg_cron could not run its jobs', current_user
			USING ERRCODE = '42501',
				HINT = 'Call this as a role with LOGIN; the jobs will belong to it.';
	END IF;
	PERFORM cron.schedule('order_ext sweep', '* * * * *', 'SELECT order_ext.expire_orders()');
	PERFORM cron.schedule('order_ext maintenance', '*/5 * * * *', 'SELECT order_ext.maintain()');
END
$$;

COMMENT ON FUNCTION order_ext_internal.register_jobs() IS 'Registers the jobs of pg_cron.';

CREATE FUNCTION order_ext_internal.unregister_jobs() RETURNS void
	LANGUAGE plpgsql VOLATILE SECURITY INVOKER
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF NOT EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_cron') THEN
		RAISE EXCEPTION 'pg_cron is not installed in this database'
			USING ERRCODE = '55000',
				HINT = 'Jobs can exist only in the database specified by cron.database_name.';
	END IF;
	PERFORM cron.unschedule(j.jobid)
	FROM cron.job j
	WHERE j.jobname IN ('order_ext sweep', 'order_ext maintenance')
		AND j.username = current_user AND j.database = current_database();
END
$$;
COMMENT ON FUNCTION order_ext_internal.unregister_jobs() IS 'Removes the jobs of pg_cron.';

-- schedule_jobs(), unschedule_jobs(): src/api/jobs.c
CREATE FUNCTION order_ext.schedule_jobs() RETURNS void
	LANGUAGE C VOLATILE SECURITY INVOKER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_schedule_jobs';

CREATE FUNCTION order_ext.unschedule_jobs() RETURNS void
	LANGUAGE C VOLATILE SECURITY INVOKER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_unschedule_jobs';
