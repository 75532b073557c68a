-- revoke_from() takes back what grant_to() gave, and nothing else: a role that was granted one, some or
-- all kinds, and lost one, has what a role has that was granted the others.
BEGIN;
SELECT * FROM no_plan();

-- all that a role was granted itself, anywhere in the two schemas
CREATE FUNCTION pg_temp.granted(role name) RETURNS SETOF text LANGUAGE sql AS $$
	SELECT format('%s %s%s', a.privilege_type, o.object, CASE WHEN a.is_grantable THEN ' with grant option' END)
	FROM (
		SELECT 'schema ' || nspname AS object, nspacl AS acl FROM pg_namespace
		UNION ALL SELECT oid::regprocedure::text, proacl FROM pg_proc
		UNION ALL SELECT 'type ' || oid::regtype, typacl FROM pg_type
		UNION ALL SELECT oid::regclass::text, relacl FROM pg_class
		UNION ALL SELECT attrelid::regclass || '.' || attname, attacl FROM pg_attribute) o,
		aclexplode(o.acl) a
	WHERE a.grantee = role::text::regrole
$$;

CREATE TEMP TABLE kinds AS
	SELECT kind, row_number() OVER (ORDER BY kind) - 1 AS n FROM (SELECT DISTINCT kind FROM order_ext_internal.grants()) k;
SELECT is(count(*), 5::bigint, 'five kinds') FROM kinds;
CREATE TEMP TABLE tried AS
	SELECT s AS set, k.kind AS lost, format('rv_%s_%s', s, k.n) AS role, format('rv_%s', s - (1 << k.n::integer)) AS other
	FROM generate_series(1, 31) AS s, kinds k
	WHERE s & (1 << k.n::integer) <> 0 AND s IN (1, 2, 4, 8, 16, 9, 12, 17, 31);
DO $$
DECLARE
	r record;
BEGIN
	FOR r IN SELECT s, format('rv_%s', s) AS role FROM generate_series(0, 31) AS s
		WHERE s = 31 OR EXISTS (SELECT FROM tried t WHERE t.other = format('rv_%s', s)) LOOP
		EXECUTE format('CREATE ROLE %I', r.role);
		PERFORM order_ext.grant_to(r.role::regrole, k.kind) FROM kinds k WHERE r.s & (1 << k.n::integer) <> 0;
	END LOOP;
	FOR r IN SELECT * FROM tried LOOP
		EXECUTE format('CREATE ROLE %I', r.role);
		PERFORM order_ext.grant_to(r.role::regrole, k.kind) FROM kinds k WHERE r.set & (1 << k.n::integer) <> 0;
		PERFORM order_ext.revoke_from(r.role::regrole, r.lost);
	END LOOP;
END
$$;
SELECT cmp_ok((SELECT count(*) FROM pg_temp.granted('rv_31')), '>', 100::bigint, 'all kinds have much');
SELECT is((SELECT array_agg(g ORDER BY g) FROM pg_temp.granted(t.role::name) g),
	(SELECT array_agg(g ORDER BY g) FROM pg_temp.granted(t.other::name) g),
	format('%s: lost %s, has the rest', t.role, t.lost))
FROM tried t;
SELECT is_empty($$SELECT pg_temp.granted('rv_0')$$, 'nothing is nothing');

-- what it does not have, it does not lose; nor what it has by itself or as a member
CREATE ROLE rv_app;
CREATE ROLE rv_member;
GRANT rv_app TO rv_member;
SELECT order_ext.grant_to('rv_app', 'app');
CREATE TEMP TABLE before AS SELECT * FROM pg_temp.granted('rv_app');
SELECT lives_ok($$SELECT order_ext.revoke_from('rv_app', kind) FROM unnest(ARRAY['operator', 'callback', 'observer', 'worker']) AS kind$$, 'kinds that it does not have');
SELECT set_eq($$SELECT pg_temp.granted('rv_app')$$, 'SELECT * FROM before', 'it has its own as before');
SELECT lives_ok($$SELECT order_ext.revoke_from('rv_member', 'app')$$, 'from a member');
SELECT ok(has_function_privilege('rv_member', 'order_ext.get_order(bigint)', 'EXECUTE'), 'which has it from its group');
GRANT EXECUTE ON FUNCTION order_ext.expire_orders TO rv_app;
SELECT order_ext.revoke_from('rv_app', 'app');
SELECT is((SELECT array_agg(g ORDER BY g) FROM pg_temp.granted('rv_app') g WHERE g NOT LIKE '%type %'),
	'{EXECUTE order_ext.expire_orders(integer),USAGE schema order_ext}'::text[], 'what was granted otherwise stays, and the schema with it');
REVOKE EXECUTE ON FUNCTION order_ext.expire_orders FROM rv_app;
SELECT order_ext.revoke_from('rv_app', 'app');
SELECT is_empty($$SELECT pg_temp.granted('rv_app')$$, 'and goes with the last of it');
-- a kind of an earlier version, which had fewer calls, is one
SELECT order_ext.grant_to('rv_app', kind) FROM unnest(ARRAY['app', 'operator']) AS kind;
REVOKE EXECUTE ON FUNCTION order_ext.quote_order, order_ext.remove_order FROM rv_app;
SELECT order_ext.revoke_from('rv_app', 'operator');
SELECT ok(has_function_privilege('rv_app', 'order_ext.get_order(bigint)', 'EXECUTE') AND NOT has_function_privilege('rv_app', 'order_ext.quote_order(bigint, jsonb, bigint, jsonb)', 'EXECUTE'),
	'the rest of the other kind stays as it was');
-- passed on
SELECT order_ext.grant_to('rv_app', 'callback');
GRANT EXECUTE ON FUNCTION order_ext.pay_callback TO rv_app WITH GRANT OPTION;
SET LOCAL ROLE rv_app;
GRANT EXECUTE ON FUNCTION order_ext.pay_callback TO rv_member;
RESET ROLE;
SELECT throws_ok($$SELECT order_ext.revoke_from('rv_app', 'callback')$$, '2BP01', NULL, 'what it has passed on is not taken from others');
-- names that need quotes
CREATE ROLE "rv ""odd";
SELECT order_ext.grant_to('"rv ""odd"', 'worker');
SELECT order_ext.revoke_from('"rv ""odd"', 'worker');
SELECT is_empty($$SELECT pg_temp.granted('"rv ""odd"')$$, 'a name with quotes');

SELECT throws_ok($$SELECT order_ext.revoke_from('rv_unknown', 'app')$$, '42704', NULL, 'unknown role');
SELECT throws_ok($$SELECT order_ext.revoke_from('-', 'app')$$, '22023', NULL, 'no role');
SELECT throws_ok($$SELECT order_ext.revoke_from('rv_app', 'boss')$$, '22023', 'invalid value for argument "kind": "boss"', 'unknown kind');
SELECT throws_ok($$SELECT order_ext.revoke_from('rv_app', NULL)$$, '22004', NULL, 'NULL kind');
SELECT throws_ok($$SELECT order_ext.revoke_from(NULL, 'app')$$, '22004', NULL, 'NULL role');
SET LOCAL ROLE rv_31;
SELECT throws_ok($$SELECT order_ext.revoke_from('rv_app', 'app')$$, '42501', NULL, 'for superusers');
RESET ROLE;

SELECT * FROM finish();
ROLLBACK;
