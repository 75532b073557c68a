-- Every call, view and table, as every kind of role there is: what it may, it may; everything
-- else is refused with 42501. Made from the catalog and from grants(): nothing new is forgotten.
BEGIN;
SELECT * FROM no_plan();

CREATE TEMP TABLE who (role name, kind text);
INSERT INTO who VALUES ('tap_app', 'app'), ('tap_callback', 'callback'), ('tap_operator', 'operator'),
	('tap_observer', 'observer'), ('tap_worker', 'worker'), ('tap_bare', NULL), ('tap_db_owner', NULL),
	('tap_writer', NULL), ('tap_reader', NULL), ('tap_creator', NULL);
DO $$
DECLARE
	r record;
BEGIN
	FOR r IN SELECT * FROM who LOOP
		EXECUTE format('CREATE ROLE %I', r.role);
		IF r.kind IS NOT NULL THEN
			PERFORM order_ext.grant_to(r.role::text::regrole, r.kind);
		END IF;
	END LOOP;
	EXECUTE format('ALTER DATABASE %I OWNER TO tap_db_owner', current_database());
	EXECUTE format('GRANT ALL ON SCHEMA %I TO PUBLIC',
		(SELECT nspname FROM pg_namespace WHERE oid = pg_my_temp_schema()));
END
$$;
GRANT pg_write_all_data TO tap_writer;
GRANT pg_read_all_data TO tap_reader;
ALTER ROLE tap_creator CREATEROLE CREATEDB;
GRANT SELECT ON who TO PUBLIC;

-- What grants() says, with the functions that a view calls for whoever reads it.
CREATE TEMP TABLE may AS
	SELECT w.role, p.oid AS function FROM who w JOIN order_ext_internal.grants() g USING (kind)
	JOIN pg_proc p ON p.pronamespace = 'order_ext'::regnamespace AND p.proname = g.object
	UNION
	SELECT w.role, p.oid FROM who w, pg_proc p
	WHERE p.pronamespace = 'order_ext_internal'::regnamespace
		AND has_function_privilege(w.role, p.oid, 'EXECUTE');
GRANT SELECT ON may TO PUBLIC;
-- the latter are few, and only the two kinds that see views have them
SELECT set_eq($$SELECT DISTINCT m.role FROM may m JOIN pg_proc p ON p.oid = m.function
	WHERE p.pronamespace = 'order_ext_internal'::regnamespace$$,
	ARRAY['tap_operator', 'tap_observer']::name[], 'internal functions: for views only');
SELECT is_empty($$SELECT m.function::regprocedure FROM may m JOIN pg_proc p ON p.oid = m.function
	WHERE p.pronamespace = 'order_ext_internal'::regnamespace AND NOT EXISTS (
		SELECT FROM pg_depend d JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
		WHERE d.refclassid = 'pg_proc'::regclass AND d.refobjid = p.oid)$$,
	'and only those that views call');

-- The SQLSTATE of a statement, 00000 if there was no error; what it did is taken back.
CREATE FUNCTION pg_temp.state_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE statement;
	RAISE EXCEPTION 'take it back' USING ERRCODE = 'P0099';
EXCEPTION WHEN SQLSTATE 'P0099' THEN
	RETURN '00000';
WHEN OTHERS THEN
	RETURN SQLSTATE;
END
$$;

-- Of each call, one with NULLs that the planner cannot look through.
CREATE TEMP TABLE calls AS
	SELECT p.oid, p.oid::regprocedure AS call,
		CASE p.prokind WHEN 'p' THEN format('CALL %s.%I(%s)', p.pronamespace::regnamespace, p.proname,
			coalesce(string_agg('NULL::' || t.type::regtype, ', ' ORDER BY t.n), ''))
		ELSE format('SELECT %s.%I(%s) FROM (SELECT %s OFFSET 0) a', p.pronamespace::regnamespace, p.proname,
			coalesce(string_agg('a' || t.n, ', ' ORDER BY t.n), ''),
			coalesce(string_agg(format('NULL::%s AS a%s',
				CASE t.type WHEN 'anyelement'::regtype THEN 'integer'::regtype ELSE t.type::regtype END, t.n),
				', ' ORDER BY t.n) FILTER (WHERE t.n IS NOT NULL), '1')) END AS statement
	FROM pg_proc p LEFT JOIN LATERAL unnest(p.proargtypes) WITH ORDINALITY t (type, n) ON true
	WHERE p.pronamespace IN ('order_ext'::regnamespace, 'order_ext_internal'::regnamespace)
	GROUP BY p.oid;
GRANT SELECT ON calls TO PUBLIC;
SELECT cmp_ok((SELECT count(*) FROM calls)::int, '>', 60, 'calls are there');

CREATE FUNCTION pg_temp.as_each_role() RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	r record;
	call record;
	state text;
	wrong text[];
	relation regclass;
	allowed boolean;
	privilege text;
BEGIN
	FOR r IN SELECT * FROM who LOOP
		EXECUTE format('SET LOCAL ROLE %I', r.role);
		wrong := '{}';
		FOR call IN SELECT k.*, EXISTS (SELECT FROM may m WHERE m.role = r.role AND m.function = k.oid) AS allowed,
				p.pronamespace = 'order_ext_internal'::regnamespace AS internal
			FROM calls k JOIN pg_proc p USING (oid) LOOP
			state := pg_temp.state_of(call.statement);
			-- where the schema of internals cannot be entered, those of views cannot be called by name
			IF (state = '42501') = (call.allowed AND NOT call.internal) THEN
				wrong := wrong || format('%s: %s', call.call, state);
			END IF;
		END LOOP;
		RETURN NEXT is(array_to_string(wrong, E'\n'), '', r.role || ': calls');

		wrong := '{}';
		FOR relation, allowed IN
			SELECT c.oid, r.role = 'tap_reader' OR EXISTS (SELECT FROM order_ext_internal_grants g
				WHERE g.kind = r.kind AND g.object = c.relname AND c.relnamespace = 'order_ext'::regnamespace)
			FROM pg_class c
			WHERE c.relnamespace IN ('order_ext'::regnamespace, 'order_ext_internal'::regnamespace)
				AND c.relkind IN ('r', 'p', 'v', 'S') LOOP
			-- a view that calls functions is more than its rows
			state := pg_temp.state_of(format('SELECT count(*) FROM %s', relation));
			IF (state = '42501') = allowed AND NOT (r.role = 'tap_reader' AND relation::text LIKE 'order_ext.%') THEN
				wrong := wrong || format('SELECT %s: %s', relation, state);
			END IF;
			FOREACH privilege IN ARRAY ARRAY['INSERT INTO %s DEFAULT VALUES', 'DELETE FROM %s', 'TRUNCATE %s',
				'ALTER TABLE %s OWNER TO CURRENT_USER', 'DROP TABLE %s CASCADE', 'ALTER TABLE %s DISABLE TRIGGER ALL',
				'COMMENT ON TABLE %s IS NULL'] LOOP
				CONTINUE WHEN (SELECT relkind FROM pg_class WHERE oid = relation) NOT IN ('r', 'p');
				state := pg_temp.state_of(format(privilege, relation));
				IF state <> '42501' THEN
					wrong := wrong || format(privilege || ': %s', relation, state);
				END IF;
			END LOOP;
		END LOOP;
		RETURN NEXT is(array_to_string(wrong, E'\n'), '', r.role || ': tables and views');

		wrong := '{}';
		FOREACH privilege IN ARRAY ARRAY['DROP EXTENSION order_ext', 'ALTER EXTENSION order_ext UPDATE',
			'ALTER EXTENSION order_ext ADD FUNCTION pg_temp.state_of(text)',
			'DROP SCHEMA order_ext CASCADE', 'DROP SCHEMA order_ext_internal CASCADE',
			'ALTER SCHEMA order_ext_internal RENAME TO mine', 'CREATE TABLE order_ext.planted (a integer)',
			'CREATE TABLE order_ext_internal.planted (a integer)',
			'CREATE FUNCTION order_ext_internal.planted() RETURNS integer LANGUAGE sql RETURN 1',
			'CREATE OR REPLACE FUNCTION order_ext.version() RETURNS text LANGUAGE sql RETURN ''mine''',
			'ALTER FUNCTION order_ext.publish SET search_path = public',
			'ALTER FUNCTION order_ext.publish SECURITY INVOKER', 'ALTER VIEW order_ext.orders_view OWNER TO CURRENT_USER',
			'CREATE TRIGGER planted BEFORE INSERT ON order_ext_internal.orders EXECUTE FUNCTION order_ext_internal.guard()',
			'CREATE RULE planted AS ON INSERT TO order_ext_internal.orders DO INSTEAD NOTHING',
			'CREATE POLICY planted ON order_ext_internal.orders', 'CREATE INDEX ON order_ext_internal.orders (status)',
			'CREATE PUBLICATION planted FOR TABLE order_ext_internal.orders', 'CREATE PUBLICATION planted FOR ALL TABLES',
			'CREATE EVENT TRIGGER planted ON ddl_command_end EXECUTE FUNCTION order_ext_internal.guard()',
			'GRANT order_ext_owner TO CURRENT_USER', 'DROP OWNED BY order_ext_owner',
			'REASSIGN OWNED BY order_ext_owner TO CURRENT_USER', 'ALTER DEFAULT PRIVILEGES FOR ROLE order_ext_owner GRANT ALL ON TABLES TO PUBLIC',
			'SET session_replication_role = replica'] LOOP
			-- 2BP01 is not asked before the rights; a role with CREATEROLE may grant any role up to 15
			state := pg_temp.state_of(privilege);
			CONTINUE WHEN r.role = 'tap_creator' AND privilege = 'GRANT order_ext_owner TO CURRENT_USER';
			IF state <> '42501' THEN
				wrong := wrong || format('%s: %s', privilege, state);
			END IF;
		END LOOP;
		RETURN NEXT is(array_to_string(wrong, E'\n'), '', r.role || ': what only an owner may');
		RESET ROLE;
	END LOOP;
END
$$;
CREATE TEMP TABLE order_ext_internal_grants AS SELECT * FROM order_ext_internal.grants();
GRANT SELECT ON order_ext_internal_grants TO PUBLIC;
SELECT pg_temp.as_each_role();

SELECT * FROM finish();
ROLLBACK;
