-- The text of docs/reference.md, a line a row; run by script/reference, which fills the
-- temporary table section (title, place, name).
SET search_path = pg_catalog, pg_temp;

-- Markdown: JSON is code, and bars do not end a cell.
CREATE FUNCTION pg_temp.cell(said text) RETURNS text LANGUAGE sql AS $$
	SELECT coalesce(regexp_replace(replace(said, '|', '\|'), '(\[\{"[^]]*\])', '`\1`', 'g'), '')
$$;

CREATE FUNCTION pg_temp.type_name(type oid) RETURNS text LANGUAGE sql AS $$
	SELECT replace(format_type(type, NULL), 'timestamp with time zone', 'timestamptz')
$$;

-- A default without the casts that the catalog adds.
CREATE FUNCTION pg_temp.plain(expression text) RETURNS text LANGUAGE sql AS $$
	SELECT regexp_replace(expression, '::[a-z ]+(\[\])?', '', 'g')
$$;

-- A value of a setting with the largest unit that divides it.
CREATE FUNCTION pg_temp.pretty(value text, unit text) RETURNS text LANGUAGE sql AS $$
	SELECT CASE WHEN unit IS NULL OR value = '0' THEN value
		ELSE (SELECT value::bigint / u.size || u.name
			  FROM (VALUES ('ms', 'ms', 1), ('ms', 's', 1000), ('ms', 'min', 60000),
					('s', 's', 1), ('s', 'min', 60), ('s', 'h', 3600), ('s', 'd', 86400),
					('kB', 'kB', 1), ('kB', 'MB', 1024), ('kB', 'GB', 1048576),
					('B', 'B', 1), ('B', 'kB', 1024), ('B', 'MB', 1048576)) AS u (of, name, size)
			  WHERE u.of = unit AND value::bigint % u.size = 0 ORDER BY u.size DESC LIMIT 1)
		END
$$;

CREATE TEMP VIEW object AS
	SELECT p.proname AS name, p.oid, 'pg_proc'::regclass AS class, obj_description(p.oid, 'pg_proc') AS said
	FROM pg_proc p WHERE p.pronamespace = 'order_ext'::regnamespace
	UNION ALL
	SELECT c.relname, c.oid, 'pg_class', obj_description(c.oid, 'pg_class')
	FROM pg_class c WHERE c.relnamespace = 'order_ext'::regnamespace AND c.relkind = 'v';

-- The lines of a call's comment: its first words and what follows them.
CREATE TEMP VIEW comment_line AS
	SELECT o.oid, l.place, substring(l.line FROM '^(\w+): ') AS word,
		regexp_replace(l.line, '^\w+: ', '') AS said
	FROM object o, regexp_split_to_table(o.said, '\n') WITH ORDINALITY AS l (line, place);

CREATE TEMP VIEW argument AS
	SELECT p.oid, a.place, a.name, a.mode, pg_temp.type_name(coalesce(p.proallargtypes[a.place], p.proargtypes[a.place - 1])) AS type,
		pg_temp.plain(CASE WHEN a.mode IN ('i', 'b') THEN pg_get_function_arg_default(p.oid, a.place::integer) END) AS otherwise,
		l.said
	FROM pg_proc p
	CROSS JOIN LATERAL (
		SELECT n.place, n.name, coalesce(p.proargmodes[n.place], 'i') AS mode
		FROM unnest(p.proargnames) WITH ORDINALITY AS n (name, place)) a
	LEFT JOIN comment_line l ON l.oid = p.oid AND l.word = a.name
	WHERE p.pronamespace = 'order_ext'::regnamespace;

CREATE FUNCTION pg_temp.signature(call oid) RETURNS text LANGUAGE sql AS $$
	SELECT CASE p.prokind WHEN 'p' THEN 'CALL ' ELSE '' END || p.proname || '('
		|| coalesce((SELECT string_agg(a.name || coalesce(' => ' || a.otherwise, ''), ', ' ORDER BY a.place)
				FROM argument a WHERE a.oid = call AND a.mode IN ('i', 'b')), '') || ')'
		|| CASE WHEN p.prokind = 'p' OR p.prorettype = 'void'::regtype THEN ''
			WHEN EXISTS (SELECT FROM argument a WHERE a.oid = call AND a.mode IN ('o', 't'))
			THEN CASE WHEN p.proretset THEN ' → rows' ELSE ' → row' END
			ELSE ' → ' || CASE WHEN p.proretset THEN 'setof ' ELSE '' END || pg_temp.type_name(p.prorettype) END
	FROM pg_proc p WHERE p.oid = call
$$;

-- The part of a table that has the arguments (modes i and b) or the columns (o and t).
CREATE FUNCTION pg_temp.argument_table(call oid, modes text, VARIADIC head text[]) RETURNS SETOF text
	LANGUAGE plpgsql AS $$
BEGIN
	PERFORM FROM argument a WHERE a.oid = call AND modes ~ a.mode::text;
	IF NOT FOUND THEN
		RETURN;
	END IF;
	RETURN QUERY SELECT unnest(ARRAY['', '| ' || array_to_string(head, ' | ') || ' | |',
		'|' || repeat('---|', array_length(head, 1) + 1)]);
	RETURN QUERY
		SELECT format('| `%s` | %s | ', a.name, a.type)
			|| CASE WHEN array_length(head, 1) = 3 THEN coalesce('`' || a.otherwise || '`', '') || ' | ' ELSE '' END
			|| pg_temp.cell(a.said) || ' |'
		FROM argument a WHERE a.oid = call AND modes ~ a.mode::text ORDER BY a.place;
END
$$;

CREATE FUNCTION pg_temp.call_text(call oid) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	raises constant text := (SELECT said FROM comment_line WHERE oid = call AND word = 'Raises');
	publishes constant text := (SELECT said FROM comment_line WHERE oid = call AND word = 'Publishes');
BEGIN
	RETURN QUERY SELECT unnest(ARRAY['`' || pg_temp.signature(call) || '`', '',
		(SELECT string_agg(said, ' ' ORDER BY place) FROM comment_line WHERE oid = call AND word IS NULL)]);
	RETURN QUERY SELECT pg_temp.argument_table(call, '[ib]', 'argument', 'type', 'default');
	RETURN QUERY SELECT unnest(ARRAY['', 'Returns ' || said || '.'])
		FROM comment_line WHERE oid = call AND word = 'Returns';
	RETURN QUERY SELECT pg_temp.argument_table(call, '[ot]', 'column', 'type');
	RETURN QUERY SELECT unnest(ARRAY['', 'Dispositions:', ''] || ARRAY(
			SELECT '- ' || regexp_replace(item, '^(\w+) ?', '`\1` ')
			FROM regexp_split_to_table(said, '; ') WITH ORDINALITY AS i (item, place) ORDER BY place))
		FROM comment_line WHERE oid = call AND word = 'Dispositions';
	IF raises IS NOT NULL THEN
		RETURN QUERY SELECT unnest(ARRAY['', 'Errors: ' || regexp_replace(regexp_replace(raises,
			'([0-9A-Z]{5}) ([^;]+)', '\1 (\2)', 'g'),
			'(^|; )([0-9A-Z]{5})', '\1`\2`', 'g') || '.']);
	END IF;
	IF publishes IS NOT NULL THEN
		RETURN QUERY SELECT unnest(ARRAY['', 'Publishes: '
			|| regexp_replace(publishes, '(^|; )([a-z_.]+)', '\1`\2`', 'g') || '.']);
	END IF;
END
$$;

CREATE FUNCTION pg_temp.columns_text(relation oid) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY SELECT unnest(ARRAY[coalesce(obj_description(relation, 'pg_class'),
			(SELECT obj_description(reltype, 'pg_type') FROM pg_class WHERE oid = relation)), '', '| column | type | |', '|---|---|---|']);
	RETURN QUERY
		SELECT format('| `%s` | %s | %s |', a.attname, pg_temp.type_name(a.atttypid),
			pg_temp.cell(col_description(relation, a.attnum)))
		FROM pg_attribute a
		WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped
		ORDER BY a.attnum;
END
$$;

-- Who may call or see it: the kinds of grant_to().
CREATE FUNCTION pg_temp.kinds(object text) RETURNS text LANGUAGE sql AS $$
	SELECT 'For: ' || coalesce(string_agg(
			g.kind || CASE WHEN g.columns IS NOT NULL THEN ' (not all columns)' ELSE '' END, ', '
			ORDER BY g.kind), 'superusers') || '.'
	FROM order_ext_internal.grants() g WHERE g.object = kinds.object
$$;

CREATE FUNCTION pg_temp.sections_text() RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	last_title text := '';
	o record;
BEGIN
	FOR o IN SELECT s.title, s.name, object.oid, object.class FROM section s JOIN object USING (name) ORDER BY s.place LOOP
		IF o.title <> last_title THEN
			RETURN QUERY SELECT unnest(ARRAY['', '## ' || o.title]);
			last_title := o.title;
		END IF;
		RETURN QUERY SELECT unnest(ARRAY['', '### ' || o.name, '']);
		IF o.class = 'pg_proc'::regclass THEN
			RETURN QUERY SELECT pg_temp.call_text(o.oid);
		ELSE
			RETURN QUERY SELECT pg_temp.columns_text(o.oid);
		END IF;
		RETURN QUERY SELECT unnest(ARRAY['', pg_temp.kinds(o.name)]);
	END LOOP;
END
$$;

CREATE FUNCTION pg_temp.types_text() RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	type record;
BEGIN
	FOR type IN
		SELECT c.oid, c.relname FROM pg_class c
		WHERE c.relnamespace = 'order_ext'::regnamespace AND c.relkind = 'c' ORDER BY c.relname
	LOOP
		RETURN QUERY SELECT unnest(ARRAY['', '### ' || type.relname, '']);
		RETURN QUERY SELECT pg_temp.columns_text(type.oid);
	END LOOP;
END
$$;

-- Nothing is left out.
DO $$
DECLARE
	missing text;
BEGIN
	SELECT string_agg(name, ', ') INTO missing
	FROM (SELECT name::text FROM object EXCEPT SELECT name FROM section) o;
	IF missing IS NOT NULL THEN
		RAISE EXCEPTION 'not in the table of calls of README.md: %', missing;
	END IF;
END
$$;

SELECT $$# Reference

Every call, view, type and setting of schema `order_ext`. This page is made by `script/reference` from
the comments in the catalog, the ones that `\df+` and `\d+` show; a test compares it.

- Amounts are `bigint` minor units of the order's currency (cents).
- Calls work in the caller's transaction and never commit it.
- A call with a `request_id` answers a repetition of the same request with the first result and
  disposition `replayed`. Another request under the same id is OE601.
- Calls that return [`result`](#result) say in `disposition` what they did.
- "For" names the kinds of role that [`grant_to`](#grant_to) gives a call or view to.
- Errors without an explanation: `22004` an argument is NULL, `22023` invalid value, `22003` out of
  range, `54000` too large (all name the argument), `OE001` not found, `OE110` locked by another
  transaction for longer than `order_ext.lock_timeout`, `OE601` the `request_id` was used for another
  request, `25006` read-only transaction or standby, `40001` serialization failure. Any call can
  also end with `40001`, `40P01` or `57014`. The [README](../README.md#errors) lists what to do.$$;

SELECT pg_temp.sections_text();

SELECT unnest(ARRAY['', '## Types']);
SELECT pg_temp.types_text();

SELECT $$
## Settings

"Set by": `user`, anyone in a session; `superuser`, a superuser (or whoever was granted `SET`), for
workers with `ALTER DATABASE` or `ALTER ROLE` or in `postgresql.conf`.

| setting | default | set by | values | |
|---|---|---|---|---|$$;
SELECT format('| `%s` | %s | %s | %s | %s |', name, pg_temp.pretty(boot_val, unit), context,
	CASE vartype WHEN 'enum' THEN array_to_string(enumvals, ', ')
		WHEN 'integer' THEN format('%s to %s', pg_temp.pretty(min_val, unit),
			CASE max_val WHEN '2147483647' THEN 'no limit' ELSE pg_temp.pretty(max_val, unit) END)
		WHEN 'bool' THEN 'on, off' ELSE '' END,
	concat_ws(' ', short_desc, extra_desc))
FROM pg_settings WHERE name LIKE 'order\_ext.%' ORDER BY name COLLATE "C";
