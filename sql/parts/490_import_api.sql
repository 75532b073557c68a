-- Open orders of another system: import_orders() and what it is made of. docs/migration.md has the
-- procedure.

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

-- import_items(): the lines of an order, with products and what is paid for each.
CREATE FUNCTION order_ext_internal.import_items(entry jsonb) RETURNS jsonb
	LANGUAGE plpgsql STABLE
AS $$
DECLARE
	read jsonb := '[]';
	item jsonb;
	product record;
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
		SELECT p.product_id, p.sku, p.kind INTO product FROM order_ext_internal.products p
		WHERE p.sku = item ->> 'sku';
		IF NOT FOUND THEN
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
		read := read || jsonb_build_object('line', line, 'product_id', product.product_id,
			'sku', product.sku, 'kind', product.kind, 'quantity', pieces, 'price', price,
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
COMMENT ON FUNCTION order_ext_internal.import_items(jsonb) IS
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
CREATE FUNCTION order_ext_internal.import_shipment(entry jsonb, now timestamptz,
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
	one.external := one.options ? 'channel' AND EXISTS (
		SELECT FROM order_ext_internal.channels c
		WHERE lower(btrim(c.channel, E' \t\n\x0B\f\r')) = one.options ->> 'channel' AND c.external);
END
$$;
COMMENT ON FUNCTION order_ext_internal.import_shipment(jsonb, timestamptz,
	order_ext_internal.import_order) IS 'The parcel of an order to be imported.';

-- import_read(): an order, checked by itself.
CREATE FUNCTION order_ext_internal.import_read(entry jsonb, now timestamptz)
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
	one.items := order_ext_internal.import_items(entry);
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
	RETURN order_ext_internal.import_shipment(entry, now, one);
END
$$;
COMMENT ON FUNCTION order_ext_internal.import_read(jsonb, timestamptz) IS
	'Reads and checks an order to be imported.';

-- import_refuse(): the error about one of the orders, which names it. facts: for programs, unless
-- detail is an object already.
CREATE FUNCTION order_ext_internal.import_refuse(place integer, external_id text, code text,
		message text, detail text DEFAULT NULL, hint text DEFAULT NULL, facts jsonb DEFAULT '{}')
	RETURNS void
	LANGUAGE plpgsql
AS $$
BEGIN
	IF detail LIKE '{%}' AND current_setting('order_ext.error_detail', true) = 'json' THEN
		facts := detail;
	END IF;
	RAISE EXCEPTION 'order % (external_id "%") cannot be imported: %', place,
		coalesce(external_id, ''), message
		USING ERRCODE = code, DETAIL = order_ext_internal.error_facts(
				coalesce(detail, 'Nothing of the call was stored.'),
				jsonb_build_object('order', place, 'external_id', external_id, 'reason', message)
					|| facts),
			HINT = coalesce(hint, 'Correct this order, and repeat the whole call.');
END
$$;
COMMENT ON FUNCTION order_ext_internal.import_refuse(integer, text, text, text, text, text,
	jsonb) IS
	'Raises the error about an order to be imported.';

-- next_order_id(): src/core/ids.c
CREATE FUNCTION order_ext_internal.next_order_id(user_id bigint, created_at timestamptz)
	RETURNS bigint
	LANGUAGE C VOLATILE STRICT
	AS 'MODULE_PATHNAME', 'order_ext_next_order_id';
COMMENT ON FUNCTION order_ext_internal.next_order_id(bigint, timestamptz) IS
	'An id for an order.';

-- import_known(): whether the order is here already; if not, its id. Event 15 is import.
CREATE FUNCTION order_ext_internal.import_known(INOUT one order_ext_internal.import_order)
	LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
	known record;
BEGIN
	SELECT o.order_id, l.event, l.detail ->> 'content' AS content INTO known
	FROM order_ext_internal.orders o
	LEFT JOIN order_ext_internal.transition_log l
		ON l.entity_id = o.order_id AND l.machine = 1 AND l.version = 1	-- order
	WHERE o.external_id = one.external_id
	UNION ALL
	SELECT a.order_id, (l ->> 'event')::smallint, l -> 'detail' ->> 'content'
	FROM order_ext_archive.orders a
	LEFT JOIN LATERAL jsonb_array_elements(a.document -> 'rows' -> 'transition_log') AS l
		ON l @> '{"machine": 1, "version": 1}'
	WHERE a.external_id = one.external_id
	UNION ALL
	SELECT d.order_id, CASE WHEN d.remains ? 'imported' THEN 15 END,	-- import
		d.remains ->> 'imported'
	FROM order_ext_archive.dropped d WHERE d.external_id = one.external_id;
	IF FOUND AND known.event IS DISTINCT FROM 15 THEN	-- import
		RAISE EXCEPTION 'an order with external_id "%" already exists', one.external_id
			USING ERRCODE = '23505', DETAIL = order_ext_internal.error_facts(
				'It was not imported.', jsonb_build_object('external_id', one.external_id));
	ELSIF FOUND AND known.content IS DISTINCT FROM one.content THEN
		RAISE EXCEPTION 'an order of other contents was imported under this external_id'
			USING ERRCODE = 'OE601', DETAIL = order_ext_internal.error_facts(
				format('Order %s has this external_id.', known.order_id),
				jsonb_build_object('order_id', known.order_id::text)),
				HINT = 'Report what has happened since with the calls for it.';
	ELSIF FOUND THEN
		one.order_id := known.order_id;
		one.disposition := 'replayed';
		RETURN;
	END IF;
	one.disposition := 'applied';
	LOOP
		one.order_id := order_ext_internal.next_order_id(one.user_id, one.created_at);
		EXIT WHEN NOT EXISTS (
			SELECT FROM order_ext_internal.orders o WHERE o.order_id = one.order_id);
	END LOOP;
END
$$;
COMMENT ON FUNCTION order_ext_internal.import_known(order_ext_internal.import_order) IS
	'Finds the order of an import that is there, or a new id.';

-- import_read_all(): all orders of a call, each checked by itself.
CREATE FUNCTION order_ext_internal.import_read_all(orders jsonb, now timestamptz)
	RETURNS order_ext_internal.import_order[]
	LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
	entry jsonb;
	n integer;
	one order_ext_internal.import_order;
	whole order_ext_internal.import_order[] := '{}';
	message text;
	detail text;
	hint text;
BEGIN
	FOR entry, n IN SELECT e, o FROM jsonb_array_elements(orders) WITH ORDINALITY AS l (e, o) LOOP
		BEGIN
			one := order_ext_internal.import_known(order_ext_internal.import_read(entry, now));
		EXCEPTION WHEN OTHERS THEN
			GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL,
				hint = PG_EXCEPTION_HINT;
			PERFORM order_ext_internal.import_refuse(n,
				CASE jsonb_typeof(entry) WHEN 'object' THEN left(entry ->> 'external_id', 128) END,
				SQLSTATE, message, nullif(detail, ''), nullif(hint, ''));
		END;
		one.place := n;
		whole := whole || one;
	END LOOP;
	RETURN whole;
END
$$;
COMMENT ON FUNCTION order_ext_internal.import_read_all(jsonb, timestamptz) IS
	'Reads and checks all orders of an import.';

-- import_check(): what orders of a call have in common, or with what is here.
CREATE FUNCTION order_ext_internal.import_check(whole order_ext_internal.import_order[])
	RETURNS void
	LANGUAGE plpgsql VOLATILE
AS $$
BEGIN
	PERFORM order_ext_internal.import_refuse(o.place, o.external_id, '22023',
		format('order %s has the same external_id', o.before))
	FROM (SELECT i.place, i.external_id,
			lag(i.place) OVER (PARTITION BY i.external_id ORDER BY i.place) AS before
		FROM unnest(whole) AS i) o
	WHERE o.before IS NOT NULL;

	PERFORM order_ext_internal.import_refuse(o.place, o.external_id, '23505',
		format('payment %s of %s is there already', o.out_trade_no, o.pay_type), format(
			coalesce('It is payment ' || p.payment_id || '.', 'Order %s names it, too.'), o.before),
		facts => jsonb_strip_nulls(jsonb_build_object('payment_id', p.payment_id::text)))
	FROM (SELECT i.place, i.external_id, t.pay_type, t.out_trade_no,
			lag(i.place) OVER (PARTITION BY t.pay_type, t.out_trade_no ORDER BY i.place) AS before
		FROM unnest(whole) AS i,
			jsonb_to_recordset(i.payments) AS t (pay_type text, out_trade_no text)
		WHERE i.disposition = 'applied' AND t.out_trade_no IS NOT NULL) o
	LEFT JOIN LATERAL (
		SELECT p.payment_id::text FROM order_ext_internal.payments p
		WHERE p.out_trade_no = o.out_trade_no AND p.pay_type = o.pay_type
		UNION ALL
		SELECT 'of archived order ' || k.order_id FROM order_ext_archive.keys k
		JOIN order_ext_archive.known a ON a.order_id = k.order_id
		WHERE k.key = order_ext_internal.archive_key('trade', o.out_trade_no)
			AND a.rows -> 'payments' @> jsonb_build_array(jsonb_build_object(
				'out_trade_no', o.out_trade_no, 'pay_type', o.pay_type))
		LIMIT 1) p ON true
	WHERE o.before IS NOT NULL OR p.payment_id IS NOT NULL;

	PERFORM order_ext_internal.import_refuse(o.place, o.external_id,
		CASE WHEN c.status = order_ext.status_code('coupon', 'unused') AND c.user_id = o.user_id
				AND o.before IS NOT NULL
			OR c.status IN (order_ext.status_code('coupon', 'locked'),
				order_ext.status_code('coupon', 'used')) THEN 'OE203' ELSE 'OE202' END,
		format('coupon %s cannot be used', o.coupon_id),
		CASE WHEN c.coupon_id IS NULL THEN 'There is no such coupon.'
			WHEN c.user_id <> o.user_id THEN 'It belongs to another user.'
			WHEN o.before IS NOT NULL THEN format('Order %s uses it.', o.before)
			WHEN c.status <> order_ext.status_code('coupon', 'unused') THEN 'It is not unused.'
			ELSE 'It has another currency.' END,
		facts => jsonb_build_object('coupon_id', o.coupon_id::text))
	FROM (SELECT i.place, i.external_id, i.coupon_id, i.user_id, i.currency,
			lag(i.place) OVER (PARTITION BY i.coupon_id ORDER BY i.place) AS before
		FROM unnest(whole) AS i
		WHERE i.disposition = 'applied' AND i.coupon_id IS NOT NULL) o
	LEFT JOIN order_ext_internal.coupons c ON c.coupon_id = o.coupon_id
	WHERE c.coupon_id IS NULL OR c.user_id <> o.user_id
		OR c.status <> order_ext.status_code('coupon', 'unused')
		OR c.currency <> o.currency OR o.before IS NOT NULL;
END
$$;
COMMENT ON FUNCTION order_ext_internal.import_check(order_ext_internal.import_order[]) IS
	'Refuses orders of an import that do not go with others.';

-- import_orders_rows(), import_payments_rows(), import_coupons_rows(), import_parcels_rows(): the
-- rows of the orders. Log rows are of event 15, import, which has no state before it.
CREATE FUNCTION order_ext_internal.import_orders_rows(whole order_ext_internal.import_order[],
		operator text, now timestamptz)
	RETURNS void
	LANGUAGE sql VOLATILE
AS $$
	INSERT INTO order_ext_internal.orders (order_id, user_id, origin_amount, discount_amount,
		freight_amount, pay_amount, coupon_id, created_at, expire_at, paid_at, version, status,
		currency, external_id, options)
	SELECT o.order_id, o.user_id, o.origin_amount, o.discount_amount, o.freight_amount,
		o.pay_amount, o.coupon_id, o.created_at, o.expire_at, o.paid_at, 1, o.status, o.currency,
		o.external_id, o.options
	FROM unnest(whole) AS o WHERE o.disposition = 'applied';

	INSERT INTO order_ext_internal.order_items (order_id, product_id, price, discount, pay,
		quantity, kind, reservation, sku, line, attributes)
	SELECT o.order_id, i.product_id, i.price, i.discount, i.pay, i.quantity, i.kind,
		CASE WHEN o.status > order_ext.status_code('order', 'fulfilling') THEN 2	-- consumed
			ELSE 1 END,	-- reserved
		i.sku, i.line, nullif(i.attributes, 'null')
	FROM unnest(whole) AS o, jsonb_to_recordset(o.items) AS i (product_id bigint, price bigint,
		discount bigint, pay bigint, quantity integer, kind smallint, sku text, line integer,
		attributes jsonb)
	WHERE o.disposition = 'applied';

	INSERT INTO order_ext_internal.transition_log (entity_id, order_id, at, xid, version, machine,
		from_status, to_status, event, actor, operator, detail)
	SELECT o.order_id, o.order_id, now, pg_current_xact_id(), 1, 1, -1, o.status, 15, 'S', operator,
		order_ext_internal.with_operator(jsonb_strip_nulls(jsonb_build_object(
			'external_id', o.external_id, 'content', o.content, 'pay_amount', o.pay_amount,
			'signed_at', CASE o.status WHEN order_ext.status_code('order', 'signed')
				THEN o.signed_at END)))
	FROM unnest(whole) AS o WHERE o.disposition = 'applied';
$$;
COMMENT ON FUNCTION order_ext_internal.import_orders_rows(order_ext_internal.import_order[], text,
	timestamptz) IS 'Stores the orders and lines of an import.';

CREATE FUNCTION order_ext_internal.import_payments_rows(whole order_ext_internal.import_order[],
		operator text, now timestamptz)
	RETURNS void
	LANGUAGE sql VOLATILE
AS $$
	WITH payment AS (
		SELECT nextval('order_ext_internal.payment_id_seq') AS payment_id, o.order_id, o.pay_amount,
			o.currency, p.pay_type, p.out_trade_no, p.paid_at, p.raw, p.state = 'captured' AS paid
		FROM unnest(whole) AS o, jsonb_to_recordset(o.payments) AS p (pay_type text,
			out_trade_no text, state text, paid_at timestamptz, raw jsonb)
		WHERE o.disposition = 'applied'
		UNION ALL
		-- nothing to pay: as in create_order()
		SELECT nextval('order_ext_internal.payment_id_seq'), o.order_id, 0, o.currency, 'none',
			o.order_id::text, o.paid_at, NULL, true
		FROM unnest(whole) AS o
		WHERE o.disposition = 'applied' AND o.pay_amount = 0 AND o.payments = '[]'
	), stored AS (
		INSERT INTO order_ext_internal.payments (payment_id, order_id, amount, created_at,
			captured_at, paid_at, version, status, purpose, pay_type, out_trade_no, currency, raw)
		SELECT p.payment_id, p.order_id, p.pay_amount, now, CASE WHEN p.paid THEN p.paid_at END,
			CASE WHEN p.paid THEN p.paid_at END, 1, order_ext.status_code('payment',
				CASE WHEN p.paid THEN 'captured' ELSE 'initiated' END),
			CASE WHEN p.paid THEN 1 END,	-- applied
			p.pay_type, coalesce(p.out_trade_no, p.payment_id::text), p.currency,
			nullif(p.raw, 'null')
		FROM payment p
		RETURNING payment_id, order_id, status
	)
	INSERT INTO order_ext_internal.transition_log (entity_id, order_id, at, xid, version, machine,
		from_status, to_status, event, actor, operator, detail)
	SELECT s.payment_id, s.order_id, now, pg_current_xact_id(), 1, 2, -1, s.status, 15, 'S',
		operator, order_ext_internal.with_operator(NULL)
	FROM stored s;
$$;
COMMENT ON FUNCTION order_ext_internal.import_payments_rows(order_ext_internal.import_order[], text,
	timestamptz) IS 'Stores the payments of an import.';

CREATE FUNCTION order_ext_internal.import_coupons_rows(whole order_ext_internal.import_order[],
		operator text, now timestamptz)
	RETURNS bigint
	LANGUAGE sql VOLATILE
AS $$
	WITH held AS (
		UPDATE order_ext_internal.coupons c SET order_id = o.order_id, version = c.version + 1,
			status = CASE o.status WHEN order_ext.status_code('order', 'created')
				THEN order_ext.status_code('coupon', 'locked')
				ELSE order_ext.status_code('coupon', 'used') END
		FROM unnest(whole) AS o
		WHERE o.disposition = 'applied' AND c.coupon_id = o.coupon_id
			AND c.status = order_ext.status_code('coupon', 'unused')
		RETURNING c.coupon_id, c.order_id, c.version, c.status
	), logged AS (
		INSERT INTO order_ext_internal.transition_log (entity_id, order_id, at, xid, version,
			machine, from_status, to_status, event, actor, operator, detail)
		SELECT h.coupon_id, h.order_id, now, pg_current_xact_id(), h.version, 6,	-- coupon
			order_ext.status_code('coupon', 'unused'), h.status, 15, 'S', operator,
			order_ext_internal.with_operator(NULL)
		FROM held h
		RETURNING entity_id
	)
	SELECT count(*) FROM logged;
$$;
COMMENT ON FUNCTION order_ext_internal.import_coupons_rows(order_ext_internal.import_order[], text,
	timestamptz) IS 'Uses the coupons of an import.';

CREATE FUNCTION order_ext_internal.import_parcels_rows(whole order_ext_internal.import_order[],
		operator text, now timestamptz)
	RETURNS void
	LANGUAGE sql VOLATILE
AS $$
	INSERT INTO order_ext_internal.fulfilments (order_id, created_at, out_at, version, status,
		external)
	SELECT o.order_id, o.paid_at,
		CASE o.fulfilment WHEN order_ext.status_code('fulfilment', 'out') THEN o.out_at END, 1,
		o.fulfilment, o.external
	FROM unnest(whole) AS o WHERE o.disposition = 'applied' AND o.fulfilment IS NOT NULL;

	-- a delivery order; once the parcel is labelled, a logistic order, too
	INSERT INTO order_ext_internal.fulfilment_documents (order_id, document_id, created_at,
		closed_at, kind, status)
	SELECT o.order_id, nextval('order_ext_internal.document_id_seq'), o.paid_at,
		CASE o.fulfilment WHEN order_ext.status_code('fulfilment', 'out') THEN o.out_at END, k.kind,
		-- done, open
		CASE o.fulfilment WHEN order_ext.status_code('fulfilment', 'out') THEN 40 ELSE 10 END
	FROM unnest(whole) AS o, unnest('{1,2}'::smallint[]) AS k (kind)
	-- 1: delivery order
	WHERE o.disposition = 'applied' AND (k.kind = 1 AND o.fulfilment IS NOT NULL
		OR o.fulfilment > order_ext.status_code('fulfilment', 'created'));

	INSERT INTO order_ext_internal.shipment_events (order_id, occurred_at, recorded_at, settled_at,
		source, seq, kind, state, event_id, payload, detail)
	SELECT o.order_id, o.out_at, now, now, 1, 1, 2, 10, 'import',	-- out_stock, applied
		jsonb_strip_nulls(jsonb_build_object('carrier', o.carrier, 'tracking_no', o.tracking_no)),
		'{}'
	FROM unnest(whole) AS o
	WHERE o.disposition = 'applied' AND o.fulfilment = order_ext.status_code('fulfilment', 'out');

	INSERT INTO order_ext_internal.transition_log (entity_id, order_id, at, xid, version, machine,
		from_status, to_status, event, actor, operator, detail)
	SELECT o.order_id, o.order_id, now, pg_current_xact_id(), 1, 7,	-- fulfilment
		-1, o.fulfilment, 15, 'S', operator, order_ext_internal.with_operator(NULL)
	FROM unnest(whole) AS o WHERE o.disposition = 'applied' AND o.fulfilment IS NOT NULL;
$$;
COMMENT ON FUNCTION order_ext_internal.import_parcels_rows(order_ext_internal.import_order[], text,
	timestamptz) IS 'Stores the parcels of an import.';

-- import_store(): everything that rows alone can say; timers, messages and stock are left to
-- src/api/import_orders.c
CREATE FUNCTION order_ext_internal.import_store(orders jsonb, operator text, now timestamptz)
	RETURNS SETOF order_ext_internal.import_order
	LANGUAGE plpgsql VOLATILE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	whole order_ext_internal.import_order[] :=
		order_ext_internal.import_read_all(orders, now);
BEGIN
	PERFORM order_ext_internal.import_check(whole);
	PERFORM order_ext_internal.import_orders_rows(whole, operator, now);
	PERFORM order_ext_internal.import_payments_rows(whole, operator, now);
	PERFORM order_ext_internal.import_parcels_rows(whole, operator, now);
	IF order_ext_internal.import_coupons_rows(whole, operator, now) <> (
		SELECT count(*) FROM unnest(whole) AS o
		WHERE o.disposition = 'applied' AND o.coupon_id IS NOT NULL)
	THEN
		RAISE EXCEPTION 'a coupon of the import has just been used'
			USING ERRCODE = 'OE203',
				DETAIL = order_ext_internal.error_facts('Nothing was stored.', '{}'),
				HINT = 'Repeat the call: it names the order.';
	END IF;
	RETURN QUERY SELECT * FROM unnest(whole);
END
$$;
COMMENT ON FUNCTION order_ext_internal.import_store(jsonb, text, timestamptz) IS
	'Stores the rows of an import.';

-- import_orders(): src/api/import_orders.c
CREATE FUNCTION order_ext.import_orders(orders jsonb, OUT external_id text, OUT order_id bigint,
		OUT disposition text)
	RETURNS SETOF record
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_import_orders';
