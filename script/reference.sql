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
  disposition `replayed`. Another request under the same ID is OE601.
- Calls that return [`result`](#result) say in `disposition` what they did.
- "For" names the kinds of role that [`grant_to`](#grant_to) gives a call or view to.
- Errors without an explanation: `22004` an argument is NULL, `22023` invalid value, `22003` out of
  range, `54000` too large (all name the argument), `OE001` not found, `OE110` locked by another
  transaction for longer than `order_ext.lock_timeout`, `OE601` the `request_id` was used for another
  request, `25006` read-only transaction or standby, `40001` serialization failure. Any call can
  also end with `40001`, `40P01` or `57014`. [Errors](errors.md) says what to do.$$;

SELECT pg_temp.sections_text();

SELECT unnest(ARRAY['', '## Types']);
SELECT pg_temp.types_text();

SELECT $$
## Errors

With `order_ext.error_detail = json`, DETAIL is one JSON object with the facts of the error, instead of a
sentence about them: for programs, which find SQLSTATE and DETAIL in fields of their own (`pg` in Node.js:
`error.code` and `JSON.parse(error.detail)`). Errors that have no DETAIL as a text then have one, too, if they
are order_ext's own (`OE...`) or about an argument (`22004`, `22023`). The setting concerns the session, or a transaction with `SET LOCAL`.

Types: an `id` is a string of digits (a 19-digit number loses digits in JavaScript), `number` an integer
without quotes (amounts in minor units; up to 2^63, of which `JSON.parse` keeps 53 bits exactly), `text`
a string, `time` a string in ISO 8601. An object has the keys that the error is about, not all of its
SQLSTATE; a key may be added in a later version. `OE801` to `OE803` are your handlers' errors, and so is
their DETAIL; errors of the server itself (`57014`, `40P01`, ...) keep their text. What `import_orders`
says about an order has `order` (which of the call, from 1), `external_id` and `reason` (a sentence) besides
the keys of its SQLSTATE.

| SQLSTATE | key | type | |
|---|---|---|---|
| `OE001` | `order_id` | id | order of that id |
| `OE001` | `dropped_at` | time | when it was dropped from the archive |
| `OE001` | `payment_id` | id | payment |
| `OE001` | `refund_id` | id | refund |
| `OE001` | `after_sale_id` | id | after-sale |
| `OE001` | `fact_id` | id | held fact |
| `OE001` | `kind` | text | asset kind |
| `OE001` | `sku` | text | the sku of a call about one product |
| `OE001` | `skus` | array | the unknown or retired skus of `items` |
| `OE001` | `reason` | text | a word: `retired`, if they are no longer for sale |
| `OE001` | `external_id` | text | that no order has |
| `OE001` | `line` | number | the line that names the sku |
| `OE002` | `expected` | number | what the order costs, as `quote_order` calculates it |
| `OE002` | `pay_amount` | number | what the call says |
| `OE002` | `origin` | number | its goods |
| `OE002` | `discount` | number | its discount |
| `OE002` | `freight` | number | its freight |
| `OE002` | `currency` | text | of these amounts |
| `OE003` | `order_id` | id | the order |
| `OE003` | `after_sale_id` | id | the after-sale |
| `OE003` | `user_id` | id | the user who is not its owner |
| `OE004` | `reason` | text | what the risk check answered |
| `OE005` | `currency` | text | of the order |
| `OE005` | `skus` | array | the skus without a price in it |
| `OE006` | `region` | text | `options.region` |
| `OE006` | `currency` | text | of the order |
| `OE007` | `reason` | text | what is wrong with the price hook or its answer |
| `OE101` | `reason` | text | a word, if it is not the status alone: `virtual`, `after_sale_window`, `address_changed`, `no_order`, `refund`, `duplicates`, `dispute`, `not_captured`, `applied`, `not_applied_for`, `goods_sent`, `must_refund` |
| `OE101` | `status` | text | of the object of the call (`resolve_held_payment`: of the order) |
| `OE101` | `order_id` | id | the order |
| `OE101` | `payment_id` | id | the payment |
| `OE101` | `purpose` | text | of the payment |
| `OE101` | `refund_id` | id | the refund |
| `OE101` | `attempt` | number | of the refund |
| `OE101` | `after_sale_id` | id | the after-sale |
| `OE101` | `sku` | text | that cannot be returned |
| `OE103` | `order_id` | id | the order |
| `OE103` | `status` | text | its status |
| `OE110` | `lock_timeout` | number | milliseconds waited for |
| `OE110` | `reason` | text | what the server says about the wait |
| `OE110` | `lock` | text | class of a lock for which nobody waits here |
| `OE110` | `key` | id | of that lock |
| `OE201` | `short` | array | for each sku that is short `{sku, wanted, available}`; by `adjust_stock`, `{sku, wanted, available, delta}` or `{sku, wanted, reserved}` |
| `OE201` | `order` | number | by `import_orders`: as below |
| `OE201` | `external_id` | text | of that order |
| `OE202` | `reason` | text | a word: `not_found`, `owner`, `expired`, `not_yet_valid`, `currency`, `threshold` |
| `OE202` | `coupon_id` | id | the coupon |
| `OE202` | `coupon_currency` | text | of the coupon |
| `OE202` | `currency` | text | of the order |
| `OE202` | `threshold` | number | what the goods must be worth |
| `OE202` | `origin` | number | what they are worth |
| `OE203` | `coupon_id` | id | the coupon |
| `OE301` | `order_id` | id | the order |
| `OE301` | `expected` | number | what the order costs |
| `OE301` | `pay_amount` | number | what the call says |
| `OE301` | `currency` | text | of that |
| `OE301` | `payment_id` | id | the payment |
| `OE301` | `amount` | number | of the payment |
| `OE301` | `payment_currency` | text | of the payment |
| `OE302` | `order_id` | id | the order |
| `OE302` | `expire_at` | time | its deadline |
| `OE401` | `order_id` | id | the order |
| `OE401` | `status` | text | its status |
| `OE501` | `order_id` | id | the order |
| `OE501` | `refund_id` | id | the refund |
| `OE501` | `exceeded` | array | for each line `{line, sku, wanted, left, quantity}`: pieces |
| `OE501` | `left` | number | what is left: money, or 0 pieces of what the order does not contain |
| `OE501` | `paid` | number | what was paid |
| `OE501` | `currency` | text | of the money |
| `OE501` | `line` | number | a line that the order does not have |
| `OE501` | `sku` | text | a sku that the order does not have |
| `OE501` | `wanted` | number | pieces of it |
| `OE503` | `after_sale_id` | id | the after-sale |
| `OE503` | `status` | text | its status |
| `OE503` | `return_status` | text | that of its goods, if it has any |
| `OE601` | `request_id` | text | the key |
| `OE601` | `function` | text | the call |
| `OE601` | `order_id` | id | the order that was imported before |
| `OE701` | `topic` | text | its name |
| `OE701` | `consumer_group` | text | its name |
| `OE702` | `consumer_group` | text | its name |
| `OE702` | `lost` | number | of tokens without a lease |
| `OE702` | `count` | number | of tokens in the call |
| `OE702` | `tokens` | array | IDs of the first of the lost |
| `OE703` | `topic` | text | its name |
| `OE703` | `max_depth` | number | of the topic |
| `OE703` | `depth` | number | of messages that are waiting, or more |
| `OE703` | `consumer_group` | text | that has not read them; null if it was dropped |
| `OE901` | `order_id` | id | the order |
| `OE901` | `coupon_id` | id | the coupon |
| `OE901` | `after_sale_id` | id | the after-sale |
| `OE901` | `machine` | text | the state machine |
| `OE901` | `event` | text | its event |
| `OE901` | `status` | text | its status |
| `22003` | `argument` | text | its name |
| `22003` | `key` | text | of the object in it |
| `22003` | `value` | text | that is out of range |
| `22003` | `max_days` | number | allowed |
| `22004` | `argument` | text | its name |
| `22004` | `element` | number | the place of the null value, from 1 |
| `22004` | `count` | number | of elements |
| `22023` | `argument` | text | its name |
| `22023` | `key` | text | of the object in it, where a key is unknown or invalid |
| `22023` | `value` | number | that is invalid |
| `22023` | `value` | text | that is invalid |
| `22023` | `limit` | time | that the value must be later than |
| `22023` | `max_chars` | number | allowed |
| `22023` | `function` | text | the function |
| `22023` | `machine` | text | the state machine |
| `22023` | `sku` | text | that is in several lines |
| `22023` | `lines` | array | their numbers |
| `22023` | `order_id` | id | the order |
| `22023` | `dimensions` | number | of the array |
| `22023` | `oid` | number | of the role |
| `23505` | `external_id` | text | that an order has |
| `2BP01` | `topic` | text | its name |
| `2BP01` | `user` | text | what uses it |
| `40001` | `reason` | text | what the server says |
| `42501` | `role` | text | who would need the right |
| `42501` | `caller` | text | the role that is not a member of it, or may not call the function |
| `42501` | `privilege` | text | that is missing |
| `42501` | `topic` | text | its name |
| `42501` | `owner` | text | of the topic or group; null if there is none, or a superuser |
| `42501` | `consumer_group` | text | its name |
| `42501` | `function` | text | the function |
| `42501` | `reason` | text | a sentence |
| `42501` | `table` | text | its name |
| `42704` | `argument` | text | its name |
| `42704` | `key` | text | of the object in it |
| `42704` | `role` | text | the role |
| `42704` | `oid` | number | of the role |
| `42704` | `reason` | text | a sentence |
| `42710` | `topic` | text | its name |
| `42710` | `consumer_group` | text | its name |
| `42710` | `wanted` | text | the topic of the call |
| `42883` | `argument` | text | its name |
| `42883` | `oid` | number | of the function |
| `54000` | `argument` | text | its name |
| `54000` | `key` | text | of the object in it |
| `54000` | `max_bytes` | number | allowed |
| `54000` | `max_chars` | number | allowed |
| `54000` | `max` | number | allowed |
| `54000` | `elements` | number | that it has |
| `55000` | `reason` | text | a sentence |
| `55000` | `argument` | text | that is not there yet |
| `55000` | `consumer_group` | text | its name |
| `55000` | `handler` | text | the handler |
| `55000` | `database` | text | where pg_cron takes jobs |
| `57014` | `handler_timeout` | number | milliseconds allowed |$$;

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
