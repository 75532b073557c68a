-- Granting the privileges of kinds, and taking them back.

-- kind_privileges(kind): what grant_to() grants for a kind: privileges and what they are on, in the
-- words of GRANT and REVOKE; columns: of a view that is granted in part.
CREATE FUNCTION order_ext_internal.kind_privileges(kind text)
	RETURNS TABLE (privilege text, object_class regclass, object oid, columns text, words text)
	LANGUAGE sql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
	WITH RECURSIVE allowed AS (
		SELECT g.object, g.columns FROM order_ext_internal.grants() g
		WHERE g.kind = kind_privileges.kind
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
	SELECT 'USAGE', 'pg_namespace'::regclass, n.oid, NULL, 'USAGE ON SCHEMA order_ext'
	FROM pg_namespace n WHERE n.nspname = 'order_ext'
	UNION ALL
	SELECT 'USAGE', 'pg_type'::regclass, t.oid, NULL,
		format('USAGE ON TYPE %s', t.oid::regtype)
	FROM pg_type t
	JOIN pg_class c ON c.oid = t.typrelid AND c.relkind = 'c'
	WHERE t.typnamespace = 'order_ext'::regnamespace
	UNION ALL
	SELECT 'EXECUTE', 'pg_proc'::regclass, f.oid, NULL,
		format('EXECUTE ON ROUTINE %s', f.oid::regprocedure)
	FROM allowed_function f
	UNION ALL
	SELECT 'SELECT', 'pg_class'::regclass, v.oid, v.columns,
		format('SELECT %sON %s', '(' || v.columns || ') ', v.oid::regclass)
	FROM allowed_view v
$$;
COMMENT ON FUNCTION order_ext_internal.kind_privileges(text) IS
	'The privileges that a kind consists of.';

-- check_kind(role, kind): common code of the two below.
CREATE FUNCTION order_ext_internal.check_kind(role regrole, kind text) RETURNS void
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF check_kind.role IS NULL THEN
		RAISE EXCEPTION 'argument "role" must not be null'
			USING ERRCODE = '22004', DETAIL = order_ext_internal.error_facts('The value is null.',
				jsonb_build_object('argument', 'role')),
			HINT = 'Pass a value, or omit the argument if it has a default.';
	ELSIF check_kind.kind IS NULL THEN
		RAISE EXCEPTION 'argument "kind" must not be null'
			USING ERRCODE = '22004', DETAIL = order_ext_internal.error_facts('The value is null.',
				jsonb_build_object('argument', 'kind')),
			HINT = 'Pass a value, or omit the argument if it has a default.';
	ELSIF NOT EXISTS (SELECT FROM pg_roles r WHERE r.oid = check_kind.role) THEN
		RAISE EXCEPTION 'argument "role" is not an existing role'
			USING ERRCODE = '22023', DETAIL = order_ext_internal.error_facts(
				format('The value is %s.', check_kind.role::oid),
				jsonb_build_object('argument', 'role', 'value', check_kind.role::oid::bigint)),
			HINT = 'Pass the name of a role.';
	ELSIF NOT EXISTS (
		SELECT FROM order_ext_internal.grants() g WHERE g.kind = check_kind.kind)
	THEN
		RAISE EXCEPTION 'invalid value for argument "kind": "%"', check_kind.kind
			USING ERRCODE = '22023',
				DETAIL = order_ext_internal.error_facts('There is no such kind.',
					jsonb_build_object('argument', 'kind', 'value', check_kind.kind)),
				HINT = 'Valid values are app, callback, operator, observer, worker.';
	END IF;
END
$$;
COMMENT ON FUNCTION order_ext_internal.check_kind(regrole, text) IS
	'Refuses what is neither a role nor a kind.';

CREATE FUNCTION order_ext.grant_to(role regrole, kind text) RETURNS void
	LANGUAGE plpgsql VOLATILE SECURITY INVOKER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	granted text;
BEGIN
	PERFORM order_ext_internal.check_kind(grant_to.role, grant_to.kind);
	FOR granted IN SELECT p.words FROM order_ext_internal.kind_privileges(grant_to.kind) p LOOP
		EXECUTE format('GRANT %s TO %s', granted, grant_to.role);
	END LOOP;
END
$$;

-- kinds_of(role): the kinds that the role itself has, not one that it is a member of: most of what
-- is a kind's alone. Which kinds a role was granted is written nowhere, and the kinds of a version
-- may have more than those of the one whose grant_to() was called.
CREATE FUNCTION order_ext_internal.kinds_of(role regrole) RETURNS SETOF text
	LANGUAGE sql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
	WITH every AS MATERIALIZED (
		SELECT k.kind, p.object_class, p.object, p.columns
		FROM (SELECT DISTINCT g.kind FROM order_ext_internal.grants() g) k,
			order_ext_internal.kind_privileges(k.kind) p
	), own AS (
		SELECT min(e.kind) AS kind, e.object FROM every e
		WHERE e.object_class = 'pg_proc'::regclass
		GROUP BY e.object HAVING count(*) = 1
		UNION ALL
		SELECT e.kind, e.object FROM every e WHERE e.columns IS NOT NULL
	), granted AS (
		SELECT f.oid AS object FROM pg_proc f, aclexplode(f.proacl) a
		WHERE a.grantee = kinds_of.role
		UNION
		SELECT c.attrelid FROM pg_attribute c, aclexplode(c.attacl) a
		WHERE a.grantee = kinds_of.role
	)
	SELECT o.kind FROM own o LEFT JOIN granted g ON g.object = o.object
	GROUP BY o.kind
	HAVING count(g.object) * 2 > count(*)
$$;
COMMENT ON FUNCTION order_ext_internal.kinds_of(regrole) IS
	'The kinds that were granted to a role.';

CREATE FUNCTION order_ext.revoke_from(role regrole, kind text) RETURNS void
	LANGUAGE plpgsql VOLATILE SECURITY INVOKER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	kept text[];	-- in the words of GRANT: what the role has for its other kinds
	revoked text;
BEGIN
	PERFORM order_ext_internal.check_kind(revoke_from.role, revoke_from.kind);
	SELECT coalesce(array_agg(p.words), '{}') INTO kept
	FROM order_ext_internal.kinds_of(revoke_from.role) AS k (kind),
		order_ext_internal.kind_privileges(k.kind) p
	WHERE k.kind <> revoke_from.kind;

	FOR revoked IN
		SELECT p.words FROM order_ext_internal.kind_privileges(revoke_from.kind) p
		WHERE p.object_class IN ('pg_proc'::regclass, 'pg_class'::regclass)
			AND p.words <> ALL (kept)
	LOOP
		EXECUTE format('REVOKE %s FROM %s', revoked, revoke_from.role);
	END LOOP;
	-- a view that went as a whole has taken with it what another kind has of its columns
	FOR revoked IN SELECT k.words FROM unnest(kept) AS k (words) WHERE k.words LIKE 'SELECT (%' LOOP
		EXECUTE format('GRANT %s TO %s', revoked, revoke_from.role);
	END LOOP;
	-- schema and types go with the last of what needs them, whoever granted it
	IF NOT EXISTS (
		SELECT FROM pg_proc f, aclexplode(f.proacl) a
		WHERE f.pronamespace IN ('order_ext'::regnamespace, 'order_ext_internal'::regnamespace)
			AND a.grantee = revoke_from.role
		UNION ALL
		SELECT FROM pg_class c, aclexplode(c.relacl) a
		WHERE c.relnamespace = 'order_ext'::regnamespace AND a.grantee = revoke_from.role
		UNION ALL
		SELECT FROM pg_class c JOIN pg_attribute t ON t.attrelid = c.oid, aclexplode(t.attacl) a
		WHERE c.relnamespace = 'order_ext'::regnamespace AND a.grantee = revoke_from.role)
	THEN
		FOR revoked IN
			SELECT p.words FROM order_ext_internal.kind_privileges(revoke_from.kind) p
			WHERE p.object_class NOT IN ('pg_proc'::regclass, 'pg_class'::regclass)
		LOOP
			EXECUTE format('REVOKE %s FROM %s', revoked, revoke_from.role);
		END LOOP;
	END IF;
END
$$;
