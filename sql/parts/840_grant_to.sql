-- Granting privileges.

CREATE FUNCTION order_ext.grant_to(role regrole, kind text) RETURNS void
	LANGUAGE plpgsql VOLATILE SECURITY INVOKER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	statement text;
BEGIN
	IF grant_to.role IS NULL THEN
		RAISE EXCEPTION 'argument "role" must not be null' USING ERRCODE = '22004';
	ELSIF grant_to.kind IS NULL THEN
		RAISE EXCEPTION 'argument "kind" must not be null' USING ERRCODE = '22004';
	ELSIF NOT EXISTS (SELECT FROM pg_roles r WHERE r.oid = grant_to.role) THEN
		RAISE EXCEPTION 'argument "role" is not an existing role' USING ERRCODE = '22023';
	ELSIF NOT EXISTS (
		SELECT FROM order_ext_internal.grants() g WHERE g.kind = grant_to.kind)
	THEN
		RAISE EXCEPTION 'invalid value for argument "kind": "%"', grant_to.kind
			USING ERRCODE = '22023',
				HINT = 'Valid values are app, callback, operator, observer, worker.';
	END IF;

	FOR statement IN
		WITH RECURSIVE allowed AS (
			SELECT g.object, g.columns FROM order_ext_internal.grants() g
			WHERE g.kind = grant_to.kind
		), allowed_view AS (
			SELECT c.oid, a.columns FROM allowed a
			JOIN pg_class c ON c.relname = a.object
				AND c.relnamespace = 'order_ext'::regnamespace AND c.relkind = 'v'
		), used_view AS (
			-- functions in a view run with the rights of who reads it, at any depth
			SELECT oid FROM allowed_view
			UNION
			SELECT d.refobjid FROM used_view u
			JOIN pg_rewrite w ON w.ev_class = u.oid
			JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid
				AND d.refclassid = 'pg_class'::regclass
			JOIN pg_class c ON c.oid = d.refobjid AND c.relkind = 'v'
		), allowed_function AS (
			SELECT p.oid FROM allowed a
			JOIN pg_proc p ON p.proname = a.object
				AND p.pronamespace = 'order_ext'::regnamespace
			UNION
			SELECT p.oid FROM used_view u
			JOIN pg_rewrite w ON w.ev_class = u.oid
			JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid
				AND d.refclassid = 'pg_proc'::regclass
			JOIN pg_proc p ON p.oid = d.refobjid AND p.pronamespace IN (
				'order_ext'::regnamespace, 'order_ext_internal'::regnamespace)
		)
		SELECT 'GRANT USAGE ON SCHEMA order_ext TO '
		UNION ALL
		SELECT format('GRANT USAGE ON TYPE %s TO ', t.oid::regtype)
		FROM pg_type t
		JOIN pg_class c ON c.oid = t.typrelid AND c.relkind = 'c'
		WHERE t.typnamespace = 'order_ext'::regnamespace
		UNION ALL
		SELECT format('GRANT EXECUTE ON ROUTINE %s TO ', f.oid::regprocedure)
		FROM allowed_function f
		UNION ALL
		SELECT format('GRANT SELECT %sON %s TO ', '(' || v.columns || ') ', v.oid::regclass)
		FROM allowed_view v
	LOOP
		EXECUTE statement || grant_to.role::text;
	END LOOP;
END
$$;
