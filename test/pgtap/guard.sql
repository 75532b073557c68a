-- What goes round the engine is refused on every table: to a superuser all but the INSERT of a
-- restore; to the owner and to pg_write_all_data everything, whatever session_replication_role is.
BEGIN;
SELECT * FROM no_plan();

CREATE FUNCTION pg_temp.guarded(who text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	guarded regclass;
	col name;
BEGIN
	FOR guarded, col IN
		SELECT c.oid, (SELECT a.attname FROM pg_attribute a
			WHERE a.attrelid = c.oid AND a.attnum > 0 AND a.attidentity = '' ORDER BY a.attnum LIMIT 1)
		FROM pg_class c
		WHERE c.relnamespace = 'order_ext_internal'::regnamespace AND c.relkind IN ('r', 'p')
		ORDER BY c.relname
	LOOP
		RETURN NEXT throws_ok(format('UPDATE %s SET %I = %I', guarded, col, col), '42501', NULL,
			format('%s: UPDATE %s', who, guarded));
		RETURN NEXT throws_ok(format('DELETE FROM %s', guarded), '42501', NULL,
			format('%s: DELETE FROM %s', who, guarded));
		RETURN NEXT throws_ok(format('TRUNCATE %s', guarded), '42501', NULL,
			format('%s: TRUNCATE %s', who, guarded));
	END LOOP;
END
$$;

SELECT pg_temp.guarded('superuser');
-- what the engine does passes, before and after a refusal
SELECT lives_ok($$SELECT order_ext.put_product('guard', 'g', 1), order_ext.put_product('guard', 'g', 2)$$,
	'the engine may');
SELECT throws_like('DELETE FROM order_ext_internal.orders',
	'%cannot change table "orders" directly%', 'the error says why');

-- as the owner, which has every right on the tables, the guard is what refuses
GRANT order_ext_owner TO CURRENT_USER;
DO $$BEGIN EXECUTE format('GRANT ALL ON SCHEMA %I TO order_ext_owner',
	(SELECT nspname FROM pg_namespace WHERE oid = pg_my_temp_schema())); END$$;
SET LOCAL ROLE order_ext_owner;
SELECT is(current_user, 'order_ext_owner'::name, 'as the owner');
SELECT throws_like('DELETE FROM order_ext_internal.orders', 'cannot change table%', 'owner: DELETE');
SELECT throws_like('UPDATE order_ext_internal.orders SET status = 20', 'cannot change table%', 'owner: UPDATE');
SELECT throws_like('TRUNCATE order_ext_internal.orders', 'cannot change table%', 'owner: TRUNCATE');
SELECT throws_like('INSERT INTO order_ext_internal.freight_templates VALUES (''guard'', 1, NULL, ''CNY'')',
	'cannot change table%', 'owner: INSERT');
SELECT throws_like('INSERT INTO order_ext_internal.freight_templates VALUES (''guard'', 1, NULL, ''CNY'') ON CONFLICT (region, currency) DO UPDATE SET fee = 2',
	'cannot change table%', 'owner: INSERT ... ON CONFLICT DO UPDATE');
RESET ROLE;

-- ---- a role that may write everything ----
CREATE ROLE tap_writer;
GRANT pg_write_all_data, pg_read_all_data, pg_read_server_files TO tap_writer;
GRANT CREATE ON SCHEMA public TO tap_writer;
DO $$
BEGIN
	EXECUTE format('GRANT ALL ON SCHEMA %I TO tap_writer',
		(SELECT nspname FROM pg_namespace WHERE oid = pg_my_temp_schema()));
	IF current_setting('server_version_num')::int >= 150000 THEN
		EXECUTE 'GRANT SET ON PARAMETER session_replication_role TO tap_writer';
	END IF;
END$$;

CREATE FUNCTION pg_temp.refused(who text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	guarded regclass;
	col name;
	statement text;
BEGIN
	FOR guarded, col, statement IN
		SELECT c.oid, a.attname, s
		FROM pg_class c
		CROSS JOIN LATERAL (SELECT a.attname FROM pg_attribute a
			WHERE a.attrelid = c.oid AND a.attnum > 0 AND a.attidentity = '' ORDER BY a.attnum LIMIT 1) a
		CROSS JOIN unnest(ARRAY['INSERT INTO %1$s OVERRIDING SYSTEM VALUE VALUES (NULL)',
			'INSERT INTO %1$s OVERRIDING SYSTEM VALUE SELECT * FROM %1$s',
			'INSERT INTO %1$s DEFAULT VALUES',
			'INSERT INTO %1$s DEFAULT VALUES ON CONFLICT DO NOTHING',
			'WITH w AS (INSERT INTO %1$s DEFAULT VALUES RETURNING 1) SELECT * FROM w',
			'COPY %1$s FROM ''/dev/null''',
			'UPDATE %1$s SET %2$I = %2$I', 'DELETE FROM %1$s',
			'MERGE INTO %1$s USING (SELECT 1) m ON false WHEN NOT MATCHED THEN INSERT DEFAULT VALUES',
			'MERGE INTO %1$s USING (SELECT 1) m ON true WHEN MATCHED THEN DELETE']) AS s
		WHERE c.relnamespace = 'order_ext_internal'::regnamespace AND c.relkind IN ('r', 'p')
			AND (s NOT LIKE 'MERGE %' OR current_setting('server_version_num')::int >= 150000)
		ORDER BY c.relname
	LOOP
		statement := format(statement, guarded, col);
		RETURN NEXT throws_like(statement, 'cannot change table%', who || ': ' || statement);
	END LOOP;
	FOR guarded IN SELECT c.oid FROM pg_class c
		WHERE c.relnamespace = 'order_ext_internal'::regnamespace AND c.relkind IN ('r', 'p')
	LOOP
		RETURN NEXT throws_ok('TRUNCATE ' || guarded, '42501', NULL, format('%s: TRUNCATE %s', who, guarded));
	END LOOP;
	-- through views that can be written through
	FOR guarded IN SELECT c.oid FROM pg_class c
		WHERE c.relnamespace IN ('order_ext_internal'::regnamespace, 'order_ext'::regnamespace)
			AND c.relkind = 'v' AND pg_relation_is_updatable(c.oid, true) <> 0
	LOOP
		RETURN NEXT throws_ok('DELETE FROM ' || guarded, '42501', NULL, format('%s: DELETE FROM %s', who, guarded));
		RETURN NEXT throws_ok(format('INSERT INTO %s DEFAULT VALUES', guarded), '42501', NULL,
			format('%s: INSERT INTO %s', who, guarded));
	END LOOP;
	-- around the triggers
	FOREACH statement IN ARRAY ARRAY['ALTER TABLE order_ext_internal.orders DISABLE TRIGGER USER',
		'DROP TRIGGER guard_rows ON order_ext_internal.orders',
		'CREATE TRIGGER t BEFORE INSERT ON order_ext_internal.orders EXECUTE FUNCTION suppress_redundant_updates_trigger()',
		'CREATE RULE r AS ON INSERT TO order_ext_internal.orders DO INSTEAD NOTHING',
		'CREATE TEMP TABLE child () INHERITS (order_ext_internal.orders)',
		'CREATE TABLE child (id bigint REFERENCES order_ext_internal.orders)']
	LOOP
		RETURN NEXT throws_ok(statement, '42501', NULL, who || ': ' || statement);
	END LOOP;
END
$$;
SET LOCAL ROLE tap_writer;
SELECT pg_temp.refused('writer');
RESET ROLE;
-- a superuser's session that runs as somebody else is somebody else
SET LOCAL session_replication_role = replica;
SET LOCAL ROLE tap_writer;
SELECT pg_temp.refused('writer as replica');
RESET ROLE;
SELECT lives_ok('UPDATE order_ext_internal.freight_templates SET fee = fee', 'superuser as replica: UPDATE');
SET LOCAL session_replication_role = origin;
SELECT lives_ok('INSERT INTO order_ext_internal.freight_templates VALUES (''guard'', 1, NULL, ''CNY'')', 'superuser: INSERT');
SELECT is_empty($$
	SELECT c.oid::regclass, t.name FROM pg_class c CROSS JOIN (VALUES ('guard_rows', 30), ('guard_truncate', 34)) t (name, type)
	WHERE c.relnamespace = 'order_ext_internal'::regnamespace AND c.relkind IN ('r', 'p')
		AND NOT EXISTS (SELECT FROM pg_trigger g WHERE g.tgrelid = c.oid AND g.tgname = t.name AND g.tgtype = t.type
			AND g.tgenabled = 'A' AND g.tgfoid = 'order_ext_internal.guard()'::regprocedure)$$,
	'every table has its guards, enabled always');

SELECT * FROM finish();
ROLLBACK;
