-- An open order of another system, read and checked by itself, for import_orders()
-- (490_import_api.sql).

-- import_order: an order that has been read and checked. content is a digest of what was given;
-- fulfilment is the status of its parcel, NULL if it has none.
CREATE TYPE order_ext_internal.import_order AS (
	order_id bigint,
	user_id bigint,
	origin_amount bigint,
	discount_amount bigint,
	freight_amount bigint,
	pay_amount bigint,
	coupon_id bigint,
	created_at timestamptz,
	expire_at timestamptz,
	paid_at timestamptz,
	out_at timestamptz,
	delivering_at timestamptz,
	signed_at timestamptz,
	place integer,
	status smallint,
	fulfilment smallint,
	external boolean,
	currency text,
	external_id text,
	content text,
	options jsonb,
	items jsonb,
	payments jsonb,
	carrier text,
	tracking_no text,
	disposition text
);
COMMENT ON TYPE order_ext_internal.import_order IS 'An order to be imported, checked.';

-- These functions run within import_store(), which sets the search_path for them: to set it with
-- each of so many calls would take longer than they do.

-- import_keys(): raises 22023 for a key that is not among those known.
CREATE FUNCTION order_ext_internal.import_keys(object jsonb, what text, known text[])
	RETURNS void
	LANGUAGE plpgsql IMMUTABLE
AS $$
DECLARE
	unknown jsonb;
BEGIN
	IF jsonb_typeof(object) IS DISTINCT FROM 'object' THEN
		RAISE EXCEPTION '% is not an object', what USING ERRCODE = '22023';
	END IF;
	unknown := object - known;
	IF unknown <> '{}' THEN
		RAISE EXCEPTION 'unknown key "%" of %',
			(SELECT min(k) FROM jsonb_object_keys(unknown) AS k), what
			USING ERRCODE = '22023',
				HINT = format('Known keys are %s.', array_to_string(known, ', '));
	END IF;
END
$$;
COMMENT ON FUNCTION order_ext_internal.import_keys(jsonb, text, text[]) IS
	'Refuses unknown keys of an object to be imported.';

-- import_text(): the trimmed text of a key, up to so many characters; NULL if there is none.
CREATE FUNCTION order_ext_internal.import_text(object jsonb, key text, longest integer)
	RETURNS text
	LANGUAGE plpgsql IMMUTABLE
AS $$
DECLARE
	given text := btrim(object ->> key, E' \t\n\x0B\f\r');
BEGIN
	IF given IS NULL THEN
		RETURN NULL;
	ELSIF jsonb_typeof(object -> key) NOT IN ('string', 'number') THEN
		RAISE EXCEPTION '"%" is not a string', key USING ERRCODE = '22023';
	ELSIF given = '' THEN
		RAISE EXCEPTION '"%" is empty', key USING ERRCODE = '22023';
	ELSIF length(given) > longest THEN
		RAISE EXCEPTION '"%" is too long', key
			USING ERRCODE = '54000',
				DETAIL = order_ext_internal.error_facts(
					format('At most %s characters are allowed.', longest),
					jsonb_build_object('key', key, 'max_chars', longest));
	END IF;
	RETURN given;
END
$$;
COMMENT ON FUNCTION order_ext_internal.import_text(jsonb, text, integer) IS
	'A text of an object to be imported.';

-- import_number(): the whole number of a key, a number or a text of digits, not below lowest; the
-- fallback if there is none, and if that is NULL, 22023.
CREATE FUNCTION order_ext_internal.import_number(object jsonb, key text, lowest bigint,
		fallback bigint)
	RETURNS bigint
	LANGUAGE plpgsql IMMUTABLE
AS $$
DECLARE
	given text := object ->> key;
BEGIN
	IF given IS NULL AND fallback IS NOT NULL THEN
		RETURN fallback;
	ELSIF given IS NULL THEN
		RAISE EXCEPTION '"%" is missing', key USING ERRCODE = '22023';
	ELSIF given !~ '^-?[0-9]{1,30}$' OR given::numeric < lowest THEN
		RAISE EXCEPTION '"%" is not a whole number of at least %: %', key, lowest,
			left(given, 40) USING ERRCODE = '22023';
	ELSIF given::numeric > 9223372036854775807 THEN
		RAISE EXCEPTION '"%" is too large', key USING ERRCODE = '22003';
	END IF;
	RETURN given::bigint;
END
$$;
COMMENT ON FUNCTION order_ext_internal.import_number(jsonb, text, bigint, bigint) IS
	'A number of an object to be imported.';

-- import_time(): the time of a key, the fallback if there is none.
CREATE FUNCTION order_ext_internal.import_time(object jsonb, key text, fallback timestamptz)
	RETURNS timestamptz
	LANGUAGE plpgsql STABLE
AS $$
DECLARE
	given timestamptz;
BEGIN
	IF object ->> key IS NULL THEN
		RETURN fallback;
	END IF;
	BEGIN
		given := (object ->> key)::timestamptz;
	EXCEPTION WHEN data_exception THEN
		given := NULL;
	END;
	IF jsonb_typeof(object -> key) <> 'string' OR given IS NULL OR NOT isfinite(given) THEN
		RAISE EXCEPTION '"%" is not a time: %', key, left(object ->> key, 40)
			USING ERRCODE = '22023', HINT = 'Write it as in 2026-01-31T12:00:00Z.';
	END IF;
	RETURN given;
END
$$;
COMMENT ON FUNCTION order_ext_internal.import_time(jsonb, text, timestamptz) IS
	'A time of an object to be imported.';

-- import_list(): the array of a key, empty if there is none.
CREATE FUNCTION order_ext_internal.import_list(object jsonb, key text)
	RETURNS jsonb
	LANGUAGE plpgsql IMMUTABLE
AS $$
BEGIN
	IF object ->> key IS NULL THEN
		RETURN '[]';
	ELSIF jsonb_typeof(object -> key) <> 'array' THEN
		RAISE EXCEPTION '"%" is not an array', key USING ERRCODE = '22023';
	ELSIF jsonb_array_length(object -> key) > 1000 THEN
		RAISE EXCEPTION '"%" has too many elements', key
			USING ERRCODE = '54000',
				DETAIL = order_ext_internal.error_facts('At most 1000 are allowed.',
					jsonb_build_object('key', key, 'max', 1000));
	END IF;
	RETURN object -> key;
END
$$;
COMMENT ON FUNCTION order_ext_internal.import_list(jsonb, text) IS
	'An array of an object to be imported.';

-- import_here(): what is here of what all orders of a call name, read once: products by sku, with
-- product_id and kind; orders by external_id, with order_id and, of its first step, event and
-- content; external, the channels whose warehouse is. (#> finds one of them without a copy of all.)
CREATE FUNCTION order_ext_internal.import_here(orders jsonb) RETURNS jsonb
	LANGUAGE sql STABLE
AS $$
	WITH given AS MATERIALIZED (
		SELECT DISTINCT btrim(e ->> 'external_id', E' \t\n\x0B\f\r') AS external_id
		FROM jsonb_array_elements(orders) AS e
	), known AS (
		SELECT g.external_id, o.order_id, l.event, l.detail ->> 'content' AS content
		FROM given g
		CROSS JOIN LATERAL (SELECT x.order_id FROM order_ext_internal.orders x
			WHERE x.external_id = g.external_id OFFSET 0) o
		LEFT JOIN LATERAL (SELECT x.event, x.detail FROM order_ext_internal.transition_log x
			-- order
			WHERE x.entity_id = o.order_id AND x.machine = 1 AND x.version = 1 OFFSET 0) l ON true
		UNION ALL
		SELECT g.external_id, a.order_id, (l ->> 'event')::smallint, l -> 'detail' ->> 'content'
		FROM given g
		CROSS JOIN LATERAL (SELECT x.order_id, x.document FROM order_ext_archive.orders x
			WHERE x.external_id = g.external_id OFFSET 0) a
		LEFT JOIN LATERAL jsonb_array_elements(a.document -> 'rows' -> 'transition_log') AS l
			ON l @> '{"machine": 1, "version": 1}'
		UNION ALL
		SELECT g.external_id, d.order_id, CASE WHEN d.remains ? 'imported' THEN 15 END,	-- import
			d.remains ->> 'imported'
		FROM given g
		CROSS JOIN LATERAL (SELECT x.order_id, x.remains FROM order_ext_archive.dropped x
			WHERE x.external_id = g.external_id OFFSET 0) d
	)
	SELECT jsonb_build_object(
		'products', (
			SELECT coalesce(jsonb_object_agg(p.sku, jsonb_build_object(
				'product_id', p.product_id, 'kind', p.kind)), '{}')
			FROM (SELECT DISTINCT i ->> 'sku' AS sku
				FROM jsonb_array_elements(orders) AS e,
					jsonb_array_elements(CASE jsonb_typeof(e -> 'items')
						WHEN 'array' THEN e -> 'items' ELSE '[]' END) AS i) s
			CROSS JOIN LATERAL (SELECT x.sku, x.product_id, x.kind
				FROM order_ext_internal.products x WHERE x.sku = s.sku OFFSET 0) p),
		'orders', (
			SELECT coalesce(jsonb_object_agg(k.external_id, jsonb_build_object(
				'order_id', k.order_id, 'event', k.event, 'content', k.content)), '{}')
			FROM known k),
		'external', (
			SELECT coalesce(jsonb_agg(lower(btrim(c.channel, E' \t\n\x0B\f\r'))), '[]')
			FROM order_ext_internal.channels c WHERE c.external))
$$;
COMMENT ON FUNCTION order_ext_internal.import_here(jsonb) IS
	'What is here of what orders of an import name.';

-- import_items(): the lines of an order, with products and what is paid for each.
CREATE FUNCTION order_ext_internal.import_items(entry jsonb, here jsonb) RETURNS jsonb
	LANGUAGE plpgsql STABLE
AS $$
DECLARE
	read jsonb := '[]';
	item jsonb;
	product jsonb;
	pieces bigint;
	price bigint;
	discount bigint;
	line integer := 0;
BEGIN
	FOR item IN SELECT e FROM jsonb_array_elements(
		order_ext_internal.import_list(entry, 'items')) AS e
	LOOP
		line := line + 1;
		PERFORM order_ext_internal.import_keys(item, format('line %s', line),
			'{sku,quantity,price,discount,attributes}');
		pieces := order_ext_internal.import_number(item, 'quantity', 1, NULL);
		price := order_ext_internal.import_number(item, 'price', 0, NULL);
		discount := order_ext_internal.import_number(item, 'discount', 0, 0);
		product := here #> ARRAY['products', item ->> 'sku'];
		IF product IS NULL THEN
			RAISE EXCEPTION 'product "%" does not exist', left(item ->> 'sku', 128)
				USING ERRCODE = 'OE001',
					DETAIL = order_ext_internal.error_facts(format('Line %s names it.', line),
						jsonb_build_object('sku', item ->> 'sku', 'line', line)),
					HINT = 'Add it with put_product.';
		ELSIF pieces > 1000000 OR pieces::numeric * price > 9000000000000000000 THEN
			RAISE EXCEPTION 'line % is too large', line USING ERRCODE = '22003';
		ELSIF discount > pieces * price THEN
			RAISE EXCEPTION 'the discount of line % is higher than its price', line
				USING ERRCODE = '22023';
		ELSIF jsonb_typeof(item -> 'attributes') NOT IN ('object', 'null') THEN
			RAISE EXCEPTION '"attributes" of line % is not an object', line
				USING ERRCODE = '22023';
		END IF;
		read := read || jsonb_build_object('line', line, 'product_id', product -> 'product_id',
			'sku', item ->> 'sku', 'kind', product -> 'kind', 'quantity', pieces, 'price', price,
			'discount', discount, 'pay', pieces * price - discount,
			'attributes', CASE jsonb_typeof(item -> 'attributes') WHEN 'object'
				THEN item -> 'attributes' END);
	END LOOP;
	IF line = 0 THEN
		RAISE EXCEPTION '"items" is empty' USING ERRCODE = '22023';
	END IF;
	RETURN read;
END
$$;
COMMENT ON FUNCTION order_ext_internal.import_items(jsonb, jsonb) IS
	'The lines of an order to be imported.';

-- import_payments(): the attempts and the capture of an order.
CREATE FUNCTION order_ext_internal.import_payments(entry jsonb, paid boolean, amount bigint,
		fallback timestamptz)
	RETURNS jsonb
	LANGUAGE plpgsql STABLE
AS $$
DECLARE
	read jsonb := '[]';
	given jsonb;
	state text;
	captures integer := 0;
BEGIN
	FOR given IN SELECT e FROM jsonb_array_elements(
		order_ext_internal.import_list(entry, 'payments')) AS e
	LOOP
		PERFORM order_ext_internal.import_keys(given, 'a payment',
			'{pay_type,out_trade_no,amount,status,paid_at,raw}');
		state := coalesce(given ->> 'status', CASE WHEN paid THEN 'captured' ELSE 'initiated' END);
		IF given ->> 'pay_type' IS NULL OR (state = 'captured' AND given ->> 'out_trade_no' IS NULL)
		THEN
			RAISE EXCEPTION 'a payment has no "%"',
				CASE WHEN given ->> 'pay_type' IS NULL THEN 'pay_type' ELSE 'out_trade_no' END
				USING ERRCODE = '22023';
		ELSIF state <> 'captured' AND (state <> 'initiated' OR paid) THEN
			RAISE EXCEPTION '"status" of a payment is "%"', left(state, 40)
				USING ERRCODE = '22023', HINT = 'An unpaid order has payments that are initiated;'
					' others have one that is captured.';
		ELSIF order_ext_internal.import_number(given, 'amount', 0, amount) <> amount THEN
			RAISE EXCEPTION 'a payment of % does not match the amount of the order, %',
				left(given ->> 'amount', 40), amount
				USING ERRCODE = 'OE301',
				DETAIL = order_ext_internal.error_facts('', jsonb_build_object('expected', amount,
					'pay_amount', order_ext_internal.import_number(given, 'amount', 0, amount))),
				HINT = 'Money that differs is imported as the order costs,'
					' and the rest is told with pay_callback or record_refund afterwards.';
		END IF;
		captures := captures + (state = 'captured')::integer;
		read := read || jsonb_build_object('state', state, 'raw', given -> 'raw',
			'pay_type', lower(order_ext_internal.import_text(given, 'pay_type', 32)),
			'out_trade_no', order_ext_internal.import_text(given, 'out_trade_no', 128),
			'paid_at', order_ext_internal.import_time(given, 'paid_at', fallback));
	END LOOP;
	IF captures <> (paid AND (amount > 0 OR jsonb_array_length(read) > 0))::integer THEN
		RAISE EXCEPTION 'the order has % captured payment(s)', captures
			USING ERRCODE = '22023',
				HINT = 'An unpaid order has none, a paid one has exactly one.';
	END IF;
	RETURN read;
END
$$;
COMMENT ON FUNCTION order_ext_internal.import_payments(jsonb, boolean, bigint, timestamptz) IS
	'The payments of an order to be imported.';

-- import_options(): options as create_order() stores them.
CREATE FUNCTION order_ext_internal.import_options(entry jsonb, external_id text) RETURNS jsonb
	LANGUAGE plpgsql STABLE
AS $$
DECLARE
	options jsonb := coalesce(nullif(entry -> 'options', 'null'), '{}');
	word text;
BEGIN
	IF jsonb_typeof(options) <> 'object' THEN
		RAISE EXCEPTION '"options" is not an object' USING ERRCODE = '22023';
	ELSIF pg_column_size(options) > pg_size_bytes(current_setting('order_ext.max_payload')) THEN
		RAISE EXCEPTION '"options" is too large'
			USING ERRCODE = '54000', HINT = 'order_ext.max_payload sets the limit.';
	ELSIF options ?| '{external_id,currency}' THEN
		RAISE EXCEPTION '"external_id" and "currency" belong next to "options", not in it'
			USING ERRCODE = '22023';
	END IF;
	FOREACH word IN ARRAY '{region,channel}'::text[] LOOP
		IF options ->> word IS NOT NULL THEN
			options := options || jsonb_build_object(word,
				lower(order_ext_internal.import_text(options, word, 128)));
		END IF;
	END LOOP;
	RETURN options || jsonb_build_object('external_id', external_id);
END
$$;
COMMENT ON FUNCTION order_ext_internal.import_options(jsonb, text) IS
	'The options of an order to be imported.';

-- import_shipment(): what the parcel of an order is like, added to it.
CREATE FUNCTION order_ext_internal.import_shipment(entry jsonb, here jsonb, now timestamptz,
		INOUT one order_ext_internal.import_order)
	LANGUAGE plpgsql STABLE
AS $$
DECLARE
	parcel jsonb := coalesce(nullif(entry -> 'shipment', 'null'), '{}');
	stage text := parcel ->> 'stage';
	nothing_to_ship boolean := NOT one.items @> '[{"kind": 1}]';	-- normal
BEGIN
	PERFORM order_ext_internal.import_keys(parcel, '"shipment"',
		'{stage,carrier,tracking_no,out_at,delivering_at,signed_at}');
	IF stage IS NOT NULL AND (stage NOT IN ('created', 'labelled')
		OR one.status <> order_ext.status_code('order', 'fulfilling'))
	THEN
		RAISE EXCEPTION '"stage" of the shipment is "%"', left(stage, 40)
			USING ERRCODE = '22023',
				HINT = 'A parcel of an order in status fulfilling is created or labelled.';
	ELSIF nothing_to_ship AND one.status IN (order_ext.status_code('order', 'fulfilling'),
		order_ext.status_code('order', 'out_stock'), order_ext.status_code('order', 'delivering'))
	THEN
		RAISE EXCEPTION 'an order of virtual goods is not shipped' USING ERRCODE = '22023',
			HINT = 'Its status is created, paid or signed.';
	END IF;
	one.carrier := order_ext_internal.import_text(parcel, 'carrier', 128);
	one.tracking_no := order_ext_internal.import_text(parcel, 'tracking_no', 128);
	one.out_at := least(order_ext_internal.import_time(parcel, 'out_at', one.paid_at), now);
	one.delivering_at := least(order_ext_internal.import_time(parcel, 'delivering_at', one.out_at),
		now);
	one.signed_at := least(order_ext_internal.import_time(parcel, 'signed_at', one.delivering_at),
		now);
	one.fulfilment := CASE
		WHEN nothing_to_ship OR one.status < order_ext.status_code('order', 'fulfilling') THEN NULL
		WHEN one.status > order_ext.status_code('order', 'fulfilling')
			THEN order_ext.status_code('fulfilment', 'out')
		ELSE order_ext.status_code('fulfilment', coalesce(stage, 'created')) END;
	one.external := coalesce(here -> 'external' ? (one.options ->> 'channel'), false);
END
$$;
COMMENT ON FUNCTION order_ext_internal.import_shipment(jsonb, jsonb, timestamptz,
	order_ext_internal.import_order) IS 'The parcel of an order to be imported.';

-- import_read(): an order, checked by itself. here: import_here() of the call.
CREATE FUNCTION order_ext_internal.import_read(entry jsonb, here jsonb, now timestamptz)
	RETURNS order_ext_internal.import_order
	LANGUAGE plpgsql STABLE
AS $$
DECLARE
	one order_ext_internal.import_order;
	goods record;
BEGIN
	PERFORM order_ext_internal.import_keys(entry, 'the order',
		'{external_id,user_id,status,items,freight,pay_amount,currency,coupon_id,created_at,'
		'expire_at,payments,shipment,options}');
	one.external_id := order_ext_internal.import_text(entry, 'external_id', 128);
	IF one.external_id IS NULL THEN
		RAISE EXCEPTION '"external_id" is missing' USING ERRCODE = '22023';
	ELSIF entry ->> 'status' IS NULL THEN
		RAISE EXCEPTION '"status" is missing' USING ERRCODE = '22023';
	ELSIF entry ->> 'status' NOT IN
		('created', 'paid', 'fulfilling', 'out_stock', 'delivering', 'signed')
	THEN
		RAISE EXCEPTION '"status" is not that of an open order: %', left(entry ->> 'status', 40)
			USING ERRCODE = '22023',
				HINT = 'It is created, paid, fulfilling, out_stock, delivering or signed.';
	END IF;
	one.status := order_ext.status_code('order', entry ->> 'status');
	one.content := md5(entry::text);
	one.user_id := order_ext_internal.import_number(entry, 'user_id', 1, NULL);
	one.coupon_id := nullif(order_ext_internal.import_number(entry, 'coupon_id', 1, 0), 0);
	one.currency := order_ext_internal.currency_code(coalesce(
		order_ext_internal.import_text(entry, 'currency', 32),
		current_setting('order_ext.currency')));
	IF one.currency IS NULL THEN
		RAISE EXCEPTION '"currency" is not a currency: %', entry ->> 'currency'
			USING ERRCODE = '22023';
	END IF;
	one.items := order_ext_internal.import_items(entry, here);
	one.freight_amount := order_ext_internal.import_number(entry, 'freight', 0, 0);
	one.pay_amount := order_ext_internal.import_number(entry, 'pay_amount', 0, NULL);
	SELECT sum((i ->> 'discount')::numeric) AS discount, sum((i ->> 'pay')::numeric) AS pay
	INTO goods FROM jsonb_array_elements(one.items) AS i;
	IF goods.pay + one.freight_amount <> one.pay_amount OR goods.pay + goods.discount > 9e18 THEN
		RAISE EXCEPTION 'pay_amount does not match the lines and the freight of the order'
			USING ERRCODE = 'OE002', DETAIL = order_ext_internal.error_facts(
				format('The lines cost %s and the freight %s; the order says %s.', goods.pay,
					one.freight_amount, one.pay_amount),
				jsonb_build_object('expected', goods.pay + one.freight_amount,
					'pay_amount', one.pay_amount, 'freight', one.freight_amount,
					'currency', one.currency));
	END IF;
	one.discount_amount := goods.discount;
	one.origin_amount := goods.pay + goods.discount;
	one.created_at := order_ext_internal.import_time(entry, 'created_at', now);
	one.expire_at := order_ext_internal.import_time(entry, 'expire_at', NULL);
	IF one.created_at > now + interval '1 day' OR one.created_at < '2000-01-01' THEN
		RAISE EXCEPTION '"created_at" is out of range'
			USING ERRCODE = '22023';
	ELSIF one.status = order_ext.status_code('order', 'created')
		AND (one.expire_at IS NULL OR one.pay_amount = 0)
	THEN
		RAISE EXCEPTION 'an unpaid order has a deadline, "expire_at", and something to pay'
			USING ERRCODE = '22023';
	END IF;
	-- what is overdue is due now: the sweep has passed by earlier deadlines
	one.expire_at := greatest(coalesce(one.expire_at, now), now);
	one.payments := order_ext_internal.import_payments(entry,
		one.status > order_ext.status_code('order', 'created'), one.pay_amount, one.created_at);
	IF one.status > order_ext.status_code('order', 'created') THEN
		one.paid_at := coalesce((one.payments -> 0 ->> 'paid_at')::timestamptz, one.created_at);
	END IF;
	one.options := order_ext_internal.import_options(entry, one.external_id);
	RETURN order_ext_internal.import_shipment(entry, here, now, one);
END
$$;
COMMENT ON FUNCTION order_ext_internal.import_read(jsonb, jsonb, timestamptz) IS
	'Reads and checks an order to be imported.';
