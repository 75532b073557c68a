-- UPDATE, DELETE and TRUNCATE that go round the engine are refused on every table, to a
-- superuser and to the owner alike.
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
	'%"orders" is changed by order_ext only%', 'the error says why');

-- as the owner, which has every right on the tables, the guard is what refuses
GRANT order_ext_owner TO CURRENT_USER;
DO $$BEGIN EXECUTE format('GRANT ALL ON SCHEMA %I TO order_ext_owner',
	(SELECT nspname FROM pg_namespace WHERE oid = pg_my_temp_schema())); END$$;
SET LOCAL ROLE order_ext_owner;
SELECT is(current_user, 'order_ext_owner'::name, 'as the owner');
SELECT throws_like('DELETE FROM order_ext_internal.orders', '%changed by order_ext only%', 'owner: DELETE');
SELECT throws_like('UPDATE order_ext_internal.orders SET status = 20', '%changed by order_ext only%', 'owner: UPDATE');
SELECT throws_like('TRUNCATE order_ext_internal.orders', '%changed by order_ext only%', 'owner: TRUNCATE');
SELECT throws_like('INSERT INTO order_ext_internal.freight_templates VALUES (''guard'', 1) ON CONFLICT (region) DO UPDATE SET fee = 2',
	'%changed by order_ext only%', 'owner: INSERT ... ON CONFLICT DO UPDATE');
RESET ROLE;

SELECT * FROM finish();
ROLLBACK;
