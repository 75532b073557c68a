-- Ownership, privileges, and what pg_dump dumps: for all members of the extension, so that
-- nothing can be forgotten. Runs at the end of CREATE EXTENSION and of every update, where it
-- leaves alone what already belongs to the owner, including privileges granted by grant_to().

-- New objects belong to the owner, and no one else has privileges on them: neither PUBLIC nor
-- roles named by ALTER DEFAULT PRIVILEGES of the installing role.
DO $$
DECLARE
	member record;
	statement text;
BEGIN
	FOR statement IN
		SELECT DISTINCT pg_catalog.format('REVOKE ALL ON %s %s FROM %s', o.kind, o.identity,
			CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END)
		FROM (
			SELECT 'SCHEMA' AS kind, n.oid::regnamespace::text AS identity,
				coalesce(n.nspacl, pg_catalog.acldefault('n', n.nspowner)) AS acl,
				n.nspowner AS owner
			FROM pg_catalog.pg_namespace n
			WHERE n.nspname IN ('order_ext', 'order_ext_internal', 'order_ext_archive')
				AND n.nspowner <> 'order_ext_owner'::regrole
			UNION ALL
			SELECT CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, c.oid::regclass::text,
				coalesce(c.relacl, pg_catalog.acldefault('r', c.relowner)), c.relowner
			FROM pg_catalog.pg_class c
			WHERE c.relnamespace IN ('order_ext'::regnamespace, 'order_ext_internal'::regnamespace,
				'order_ext_archive'::regnamespace)
				AND c.relkind IN ('r', 'v', 'S') AND c.relowner <> 'order_ext_owner'::regrole
			UNION ALL
			SELECT 'ROUTINE', p.oid::regprocedure::text,
				coalesce(p.proacl, pg_catalog.acldefault('f', p.proowner)), p.proowner
			FROM pg_catalog.pg_proc p
			WHERE p.pronamespace IN ('order_ext'::regnamespace, 'order_ext_internal'::regnamespace)
				AND p.proowner <> 'order_ext_owner'::regrole
			UNION ALL
			SELECT 'TYPE', t.oid::regtype::text,
				coalesce(t.typacl, pg_catalog.acldefault('T', t.typowner)), t.typowner
			-- not the row types of tables and views: pg_dump does not know rights of those
			FROM pg_catalog.pg_type t
			JOIN pg_catalog.pg_class c ON c.oid = t.typrelid AND c.relkind = 'c'
			WHERE t.typnamespace IN
				('order_ext'::regnamespace, 'order_ext_internal'::regnamespace)
				AND t.typowner <> 'order_ext_owner'::regrole) o,
			pg_catalog.aclexplode(o.acl) a
		WHERE a.grantee <> o.owner
	LOOP
		EXECUTE statement;
	END LOOP;

	FOR member IN
		SELECT d.classid, d.objid,
			CASE d.classid
				WHEN 'pg_namespace'::regclass THEN 'SCHEMA'
				WHEN 'pg_proc'::regclass THEN 'ROUTINE'
				WHEN 'pg_type'::regclass THEN 'TYPE'
				WHEN 'pg_class'::regclass THEN
					CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END
			END AS kind,
			i.identity
		FROM pg_catalog.pg_depend d
		JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid AND e.extname = 'order_ext'
		LEFT JOIN pg_catalog.pg_class c ON d.classid = 'pg_class'::regclass AND c.oid = d.objid
		LEFT JOIN pg_catalog.pg_type t ON d.classid = 'pg_type'::regclass AND t.oid = d.objid
		LEFT JOIN pg_catalog.pg_class r ON r.oid = t.typrelid
		CROSS JOIN LATERAL pg_catalog.pg_identify_object(d.classid, d.objid, 0) i
		WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
			-- the sequence of an identity column goes with its table
			AND NOT (coalesce(c.relkind = 'S', false) AND EXISTS (
				SELECT FROM pg_catalog.pg_depend own
				WHERE own.classid = 'pg_class'::regclass AND own.objid = d.objid
					AND own.deptype = 'i'))
			-- nor, members themselves since 17, array types and the row types of relations
			AND coalesce(t.typcategory <> 'A', true) AND coalesce(r.relkind = 'c', true)
		ORDER BY d.classid = 'pg_namespace'::regclass DESC, d.objid
	LOOP
		EXECUTE pg_catalog.format('ALTER %s %s OWNER TO order_ext_owner',
			member.kind, member.identity);
	END LOOP;
END
$$;

-- What a dump contains: the rows of every table and the state of every sequence, except rows that
-- CREATE EXTENSION creates itself, grants of topics to roles that have been dropped (a restore
-- finds roles by their names), and folds of stock, which go by transaction ids of this cluster.
DO $$
DECLARE
	relation pg_catalog.regclass;
BEGIN
	FOR relation IN
		SELECT c.oid FROM pg_catalog.pg_class c
		WHERE c.relnamespace IN ('order_ext_internal'::regnamespace,
			'order_ext_archive'::regnamespace) AND c.relkind IN ('r', 'S')
		ORDER BY c.relnamespace::regnamespace::text, c.relname
	LOOP
		PERFORM pg_catalog.pg_extension_config_dump(relation,
			CASE WHEN EXISTS (
				SELECT FROM pg_catalog.pg_attribute a
				WHERE a.attrelid = relation AND a.attname = 'builtin')
			THEN 'WHERE NOT builtin'
			WHEN relation = 'order_ext_internal.topic_grants'::regclass
			THEN 'WHERE EXISTS (SELECT FROM pg_catalog.pg_roles r '
				|| 'WHERE r.oid = role_oid AND r.rolname = role)'
			WHEN relation IN ('order_ext_internal.stock_folds'::regclass,
				'order_ext_internal.verify_marks'::regclass)
			THEN 'WHERE false'
			ELSE '' END);
	END LOOP;
END
$$;
