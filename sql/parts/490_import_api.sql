-- Open orders of another system: import_orders() and what it is made of; what reads an order is in
-- 488_import_read.sql. docs/migration.md has the procedure.

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
	'An ID for an order.';

-- import_known(): whether the order is here already; if not, an ID. Event 15 is import.
CREATE FUNCTION order_ext_internal.import_known(here jsonb,
		INOUT one order_ext_internal.import_order)
	LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
	known jsonb := here #> ARRAY['orders', one.external_id];
BEGIN
	IF known IS NULL THEN
		one.disposition := 'applied';
		one.order_id := order_ext_internal.next_order_id(one.user_id, one.created_at);
		RETURN;
	END IF;
	IF known ->> 'event' IS DISTINCT FROM '15' THEN	-- import
		RAISE EXCEPTION 'an order with external_id "%" already exists', one.external_id
			USING ERRCODE = '23505', DETAIL = order_ext_internal.error_facts(
				'It was not imported.', jsonb_build_object('external_id', one.external_id));
	ELSIF known ->> 'content' IS DISTINCT FROM one.content THEN
		RAISE EXCEPTION 'an order of other contents was imported under this external_id'
			USING ERRCODE = 'OE601', DETAIL = order_ext_internal.error_facts(
				format('Order %s has this external_id.', known ->> 'order_id'),
				jsonb_build_object('order_id', known ->> 'order_id')),
				HINT = 'Report what has happened since with the calls for it.';
	END IF;
	one.order_id := (known ->> 'order_id')::bigint;
	one.disposition := 'replayed';
END
$$;
COMMENT ON FUNCTION order_ext_internal.import_known(jsonb, order_ext_internal.import_order) IS
	'Finds the order of an import that is there, or a new ID.';

-- import_read_all(): all orders of a call, each checked by itself.
CREATE FUNCTION order_ext_internal.import_read_all(orders jsonb, now timestamptz)
	RETURNS order_ext_internal.import_order[]
	LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
	here jsonb := order_ext_internal.import_here(orders);
	entry jsonb;
	n integer;
	one order_ext_internal.import_order;
	whole order_ext_internal.import_order[] := '{}';
	taken integer[];
	message text;
	detail text;
	hint text;
BEGIN
	FOR entry, n IN SELECT e, o FROM jsonb_array_elements(orders) WITH ORDINALITY AS l (e, o) LOOP
		BEGIN
			one := order_ext_internal.import_known(here,
				order_ext_internal.import_read(entry, here, now));
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
	-- an ID that is another order's of the same second
	LOOP
		taken := ARRAY(SELECT i.place FROM unnest(whole) AS i
			CROSS JOIN LATERAL (SELECT FROM order_ext_internal.orders o
				WHERE o.order_id = i.order_id OFFSET 0) o
			WHERE i.disposition = 'applied');
		EXIT WHEN taken = '{}';
		FOREACH n IN ARRAY taken LOOP
			one := whole[n];
			one.order_id := order_ext_internal.next_order_id(one.user_id, one.created_at);
			whole[n] := one;
		END LOOP;
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
