-- Nobody's code runs as a superuser any more: what did is paused or off, and a warning names the
-- call that has it go on. set_risk_check() gets run_as; its grants stay.

DO $$
DECLARE
	regranted text;
BEGIN
	SELECT string_agg(format('GRANT EXECUTE ON FUNCTION order_ext.set_risk_check(regprocedure, regrole) TO %I%s;',
			pg_get_userbyid(a.grantee), CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END), ' ')
	INTO regranted
	FROM pg_proc p, aclexplode(p.proacl) a
	WHERE p.oid = 'order_ext.set_risk_check(regprocedure)'::regprocedure AND a.grantee NOT IN (0, p.proowner);

	DROP FUNCTION order_ext.set_risk_check(regprocedure);
	CREATE FUNCTION order_ext.set_risk_check(handler regprocedure, run_as regrole DEFAULT NULL)
		RETURNS void
		LANGUAGE C VOLATILE
		AS 'MODULE_PATHNAME', 'order_ext_set_risk_check';
	-- as 850_ownership does it, which leaves alone what is the owner's
	REVOKE ALL ON FUNCTION order_ext.set_risk_check(regprocedure, regrole) FROM PUBLIC;
	ALTER FUNCTION order_ext.set_risk_check(regprocedure, regrole) OWNER TO order_ext_owner;
	IF regranted IS NOT NULL THEN
		EXECUTE regranted;
	END IF;
END
$$;

DO $$
DECLARE
	found record;
	new_role text := CASE WHEN to_regrole('order_handlers') IS NULL THEN 'CREATE ROLE order_handlers LOGIN; ' ELSE '' END;
BEGIN
	ALTER TABLE order_ext_internal.consumer_groups DISABLE TRIGGER guard_rows;
	ALTER TABLE order_ext_internal.instance DISABLE TRIGGER guard_rows;

	FOR found IN
		SELECT f.what, f.name, f.call, f.handler, r.rolname AS run_as,
			CASE WHEN r.rolsuper THEN format('Role %I is a superuser.', r.rolname)
				WHEN r.rolname LIKE 'pg\_%' OR r.rolname = 'order_ext_owner'
					THEN format('Functions do not run as role %I.', r.rolname)
				WHEN p.prosecdef AND o.rolsuper
					THEN format('Function %s is SECURITY DEFINER, and belongs to superuser %I: make it SECURITY INVOKER, or another role''s.',
								f.handler, o.rolname)
			END AS refusal,
			-- as a session of the role would have set it
			(SELECT substring(c.setting FROM '=(.*)') FROM pg_db_role_setting s, unnest(s.setconfig) AS c (setting)
			 WHERE c.setting LIKE 'search_path=%' AND s.setrole IN (0, r.oid)
				AND s.setdatabase IN (0, (SELECT d.oid FROM pg_database d WHERE d.datname = current_database()))
			 ORDER BY s.setrole = 0, s.setdatabase = 0 LIMIT 1) AS path,
			EXISTS (SELECT FROM unnest(p.proconfig) AS c (setting) WHERE c.setting LIKE 'search_path=%') AS has_path
		FROM (
			SELECT 'consumer group' AS what, g.name, g.handler, g.run_as,
				CASE WHEN g.adapted THEN format('SELECT order_ext.set_gateway(%L, %L, ''order_handlers'')',
						substring(g.name FROM '^refund\.execute:(.*)'), g.handler)
					ELSE format('SELECT order_ext.subscribe(%L, %L, %L, %L)', g.name, t.name, g.handler, jsonb_build_object(
						'max_attempts', g.max_attempts, 'backoff', CASE g.backoff WHEN 2 THEN 'rocketmq' ELSE 'exponential' END,
						'ordered', g.ordered, 'run_as', 'order_handlers'))
				END || format('; SELECT order_ext.resume(%L);', g.name) AS call
			FROM order_ext_internal.consumer_groups g
			JOIN order_ext_internal.topics t USING (topic_id)
			WHERE g.handler IS NOT NULL AND NOT g.builtin
			UNION ALL
			SELECT 'risk check', i.risk_handler, i.risk_handler, i.risk_role,
				format('SELECT order_ext.set_risk_check(%L, ''order_handlers'');', i.risk_handler)
			FROM order_ext_internal.instance i
			WHERE i.risk_handler IS NOT NULL) f
		LEFT JOIN pg_roles r ON r.rolname = f.run_as
		LEFT JOIN pg_proc p ON p.oid = to_regprocedure(f.handler)::oid
		LEFT JOIN pg_roles o ON o.oid = p.proowner
		ORDER BY f.what, f.name
	LOOP
		IF found.refusal IS NOT NULL THEN
			IF found.what = 'consumer group' THEN
				UPDATE order_ext_internal.consumer_groups SET paused = true WHERE name = found.name;
			ELSE
				UPDATE order_ext_internal.instance SET risk_handler = NULL, risk_role = NULL, risk_owner = NULL;
			END IF;
			RAISE WARNING '% "%" is %', found.what, found.name,
					CASE found.what WHEN 'consumer group' THEN 'paused' ELSE 'off: no order is checked' END
				USING DETAIL = found.refusal,
					HINT = format('Have %s run as a role that has no more rights than it needs: %s%s',
								  found.handler, new_role, found.call);
			new_role := '';
		END IF;
		-- Until now, handlers had the search_path of their role in this database.
		IF found.what = 'consumer group' AND NOT found.has_path AND found.path <> '"$user", public' THEN
			RAISE WARNING 'handler % of consumer group "%" runs with search_path "$user", public from now on',
					found.handler, found.name
				USING DETAIL = format('Until now it was %s, as set for its role or database.', found.path),
					HINT = format('Give the function its own: ALTER FUNCTION %s SET search_path = %s;', found.handler, found.path);
		END IF;
	END LOOP;

	ALTER TABLE order_ext_internal.consumer_groups ENABLE TRIGGER guard_rows;
	ALTER TABLE order_ext_internal.instance ENABLE TRIGGER guard_rows;
END
$$;
