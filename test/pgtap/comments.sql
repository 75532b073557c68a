-- Everything that can be seen says what it is.
BEGIN;
SELECT * FROM no_plan();

SELECT isnt(obj_description(n.oid, 'pg_namespace'), NULL, format('schema %s', n.nspname))
FROM pg_namespace n WHERE n.nspname IN ('order_ext', 'order_ext_internal');

SELECT isnt(obj_description(p.oid, 'pg_proc'), NULL, p.oid::regprocedure::text)
FROM pg_proc p
WHERE p.pronamespace IN ('order_ext'::regnamespace, 'order_ext_internal'::regnamespace);

SELECT isnt(obj_description(c.oid, 'pg_class'), NULL, c.oid::regclass::text)
FROM pg_class c
WHERE c.relnamespace = 'order_ext'::regnamespace AND c.relkind IN ('r', 'v', 'm', 'S')
	OR c.relnamespace = 'order_ext_internal'::regnamespace AND c.relkind IN ('r', 'v', 'm');

SELECT isnt(obj_description(t.oid, 'pg_type'), NULL, t.oid::regtype::text)
FROM pg_type t
JOIN pg_class c ON c.oid = t.typrelid AND c.relkind = 'c'
WHERE t.typnamespace = 'order_ext'::regnamespace;

SELECT ok(length(obj_description(p.oid, 'pg_proc')) <= 120 AND obj_description(p.oid, 'pg_proc') ~ '\.$',
	format('the comment of %s is a short sentence', p.proname))
FROM pg_proc p
WHERE p.pronamespace = 'order_ext'::regnamespace;

SELECT * FROM finish();
ROLLBACK;
