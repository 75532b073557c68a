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

-- Views and composite types: every column, too.
SELECT isnt(col_description(c.oid, a.attnum), NULL, format('column %s.%s', c.relname, a.attname))
FROM pg_class c
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relnamespace = 'order_ext'::regnamespace AND c.relkind IN ('v', 'c');

-- Calls: the form that sql/parts/841_comments_orders.sql describes.
CREATE TEMP VIEW said AS
	SELECT p.oid, p.proname, p.prokind, p.prorettype, p.proargnames, l.place, l.line,
		substring(l.line FROM '^(\w+): ') AS word
	FROM pg_proc p,
		regexp_split_to_table(obj_description(p.oid, 'pg_proc'), '\n') WITH ORDINALITY AS l (line, place)
	WHERE p.pronamespace = 'order_ext'::regnamespace;

SELECT ok(length(line) <= 120 AND line ~ '\.$', format('the comment of %s begins with a short sentence', proname))
FROM said WHERE place = 1;

SELECT is(array_agg(word ORDER BY place) FILTER (WHERE word ~ '^[a-z]'), proargnames,
	format('the comment of %s tells of its arguments and columns', proname))
FROM said GROUP BY oid, proname, proargnames;

SELECT is(count(*) FILTER (WHERE word = 'Returns'),
	(prokind = 'f' AND prorettype <> 'void'::regtype)::integer::bigint,
	format('the comment of %s says what it returns', proname))
FROM said GROUP BY oid, proname, prokind, prorettype;

SELECT is(count(*) FILTER (WHERE word = 'Dispositions'),
	(prorettype = 'order_ext.result'::regtype)::integer::bigint,
	format('the comment of %s has its dispositions', proname))
FROM said GROUP BY oid, proname, prorettype;

SELECT is(array_agg(DISTINCT word) FILTER (WHERE word ~ '^[A-Z]' AND word NOT IN
		('Returns', 'Dispositions', 'Raises', 'Publishes')), NULL,
	format('the comment of %s has no other lines', proname))
FROM said GROUP BY oid, proname;

SELECT is(string_agg(item, '; ' ORDER BY item), NULL, 'every item of Raises begins with a SQLSTATE')
FROM said, regexp_split_to_table(substring(line FROM '^Raises: (.*)'), '; ') AS item
WHERE item !~ '^[0-9A-Z]{5}( |$)';

SELECT is(string_agg(proname || ' ' || item, '; ' ORDER BY item), NULL, 'every item of Publishes begins with a built-in topic')
FROM said, regexp_split_to_table(substring(line FROM '^Publishes: (.*)'), '; ') AS item
WHERE substring(item FROM '^[a-z_.]+') NOT IN (SELECT topic FROM order_ext.topics_view WHERE builtin);

SELECT * FROM finish();
ROLLBACK;
