-- How documents leave the archive: exported first, and dropped once somebody shows that they
-- have them.

-- droppable_before(): since when orders have to be settled to be dropped, by
-- order_ext.archive_retention. Raises 55000 if archived orders are kept. src/api/drop_archived.c
CREATE FUNCTION order_ext_internal.droppable_before() RETURNS timestamptz
	LANGUAGE C STABLE
	AS 'MODULE_PATHNAME', 'order_ext_droppable_before';
COMMENT ON FUNCTION order_ext_internal.droppable_before() IS
	'Orders that were settled before that can be dropped.';

-- document_digest(): what shows that somebody has a document: SHA-256 of its text in UTF-8.
CREATE FUNCTION order_ext_internal.document_digest(document jsonb) RETURNS bytea
	LANGUAGE sql STABLE
AS $$
	SELECT sha256(convert_to(document::text, 'UTF8'))
$$;
COMMENT ON FUNCTION order_ext_internal.document_digest(jsonb) IS 'The digest of a document.';

-- document_remains(): of a document, what is counted, by which a repeated capture is recognized,
-- and what an import is compared with. A row, so that it becomes part of the statement it is in.
CREATE FUNCTION order_ext_internal.document_remains(document jsonb) RETURNS TABLE (remains jsonb)
	LANGUAGE sql STABLE
AS $$
	SELECT jsonb_strip_nulls(jsonb_build_object(
		'rows', jsonb_build_object(
			'payments', (
				SELECT jsonb_agg(jsonb_build_object('payment_id', p -> 'payment_id',
					'pay_type', p -> 'pay_type', 'out_trade_no', p -> 'out_trade_no',
					'amount', p -> 'amount', 'currency', p -> 'currency', 'status', p -> 'status',
					'purpose', p -> 'purpose', 'told_order_id', p -> 'told_order_id'))
				FROM jsonb_array_elements(document #> '{rows,payments}') AS p
				WHERE (p ->> 'status')::integer
					= order_ext.status_code('payment', 'captured')),
			'stock_ledger', (
				SELECT jsonb_agg(jsonb_build_object('product_id', m.product_id,
					'available_delta', nullif(m.available, 0),
					'reserved_delta', nullif(m.reserved, 0),
					'consumed_delta', nullif(m.consumed, 0)))
				FROM (
					SELECT l.product_id, sum(l.available_delta) AS available,
						sum(l.reserved_delta) AS reserved, sum(l.consumed_delta) AS consumed
					FROM jsonb_to_recordset(document #> '{rows,stock_ledger}') AS l
						(product_id bigint, available_delta bigint, reserved_delta bigint,
							consumed_delta bigint)
					GROUP BY l.product_id) m
				WHERE (m.available, m.reserved, m.consumed) <> (0, 0, 0))),
		-- event 15 is import
		'imported', (
			SELECT l #> '{detail,content}'
			FROM jsonb_array_elements(document #> '{rows,transition_log}') AS l
			WHERE l @> '{"machine": 1, "version": 1, "event": 15}')))
$$;
COMMENT ON FUNCTION order_ext_internal.document_remains(jsonb) IS
	'What stays of the document of a dropped order.';

CREATE FUNCTION order_ext.export_archived(after bigint DEFAULT NULL,
		max_orders integer DEFAULT 1000)
	RETURNS TABLE (order_id bigint, digest text, document jsonb)
	LANGUAGE plpgsql STABLE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	-- without statistics, too, a page is read in the order of the index
	SET enable_seqscan = off
	SET enable_bitmapscan = off
AS $$
DECLARE
	before timestamptz;
BEGIN
	IF max_orders IS NULL THEN
		RAISE EXCEPTION 'argument "max_orders" must not be null'
			USING ERRCODE = '22004', DETAIL = order_ext_internal.error_facts('The value is null.',
				jsonb_build_object('argument', 'max_orders')),
			HINT = 'Pass a value, or omit the argument if it has a default.';
	ELSIF max_orders <= 0 THEN
		RAISE EXCEPTION 'argument "max_orders" must be positive'
			USING ERRCODE = '22023', DETAIL = order_ext_internal.error_facts(
				format('The value is %s.', max_orders),
				jsonb_build_object('argument', 'max_orders', 'value', max_orders)),
			HINT = 'Pass more than zero.';
	END IF;
	before := order_ext_internal.droppable_before();
	RETURN QUERY
	SELECT a.order_id, encode(order_ext_internal.document_digest(a.document), 'hex'), a.document
	FROM order_ext_archive.orders a
	WHERE a.order_id > coalesce(export_archived.after, 0) AND a.settled_at < before
		AND a.order_id < order_ext_internal.archive_top(before)
	ORDER BY a.order_id LIMIT least(max_orders, 10000);
END
$$;

-- drop_documents(): drops those of these orders that are old enough, if their documents have these
-- digests. Nobody else moves orders to the archive, erases or drops meanwhile; one that somebody
-- brings back is left. An order that is given twice is dropped where its digest comes first.
CREATE FUNCTION order_ext_internal.drop_documents(ids bigint[], digests text[], before timestamptz)
	RETURNS TABLE (order_id bigint, disposition text)
	LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
	-- of each of ids, if its document is here and nobody else has it locked
	locked text[];
	settled timestamptz[];
	dispositions text[];
BEGIN
	PERFORM order_ext_internal.check_drop(ids, digests);
	SELECT array_agg(a.digest ORDER BY g.n), array_agg(a.settled_at ORDER BY g.n)
	INTO locked, settled
	FROM unnest(ids) WITH ORDINALITY AS g (id, n)
	LEFT JOIN LATERAL (
		SELECT encode(order_ext_internal.document_digest(x.document), 'hex') AS digest, x.settled_at
		FROM order_ext_archive.orders x WHERE x.order_id = g.id FOR UPDATE SKIP LOCKED) a ON true;

	-- with a snapshot from after the locks: what was being brought back may be gone by now
	SELECT array_agg(CASE
			WHEN g.locked = g.shown THEN CASE WHEN g.settled_at >= before THEN 'too_recent'
				WHEN g.nth = 1 THEN 'applied' ELSE 'replayed' END
			WHEN g.locked IS NOT NULL THEN 'changed'
			WHEN d.digest = g.shown THEN 'replayed'
			WHEN d.digest IS NOT NULL THEN 'changed'
			WHEN a.is_there THEN 'busy'
			ELSE 'not_archived' END ORDER BY g.n)
	INTO dispositions
	FROM (SELECT u.id, lower(u.shown) AS shown, u.locked, u.settled_at, u.n,
			row_number() OVER (PARTITION BY u.id, lower(u.shown) ORDER BY u.n) AS nth
		FROM unnest(ids, digests, locked, settled) WITH ORDINALITY
			AS u (id, shown, locked, settled_at, n)) g
	LEFT JOIN LATERAL (SELECT encode(x.digest, 'hex') AS digest
		FROM order_ext_archive.dropped x WHERE x.order_id = g.id OFFSET 0) d ON true
	LEFT JOIN LATERAL (SELECT true AS is_there
		FROM order_ext_archive.orders x WHERE x.order_id = g.id OFFSET 0) a ON true;

	WITH gone AS (
		DELETE FROM order_ext_archive.orders x
		WHERE x.order_id = ANY (ARRAY(SELECT u.id
			FROM unnest(ids, dispositions) AS u (id, disposition)
			WHERE u.disposition = 'applied'))
		RETURNING x.*)
	INSERT INTO order_ext_archive.dropped (order_id, user_id, coupon_id, pay_amount, created_at,
		settled_at, archived_at, dropped_at, removed_at, version, status, currency, external_id,
		digest, remains)
	SELECT g.order_id, g.user_id, g.coupon_id, g.pay_amount, g.created_at, g.settled_at,
		g.archived_at, clock_timestamp(), g.removed_at,
		(g.document #>> '{shown,version}')::integer, g.status, g.currency, g.external_id,
		order_ext_internal.document_digest(g.document), r.remains
	FROM gone g, order_ext_internal.document_remains(g.document) AS r;

	RETURN QUERY SELECT u.id, u.disposition FROM unnest(ids, dispositions) AS u (id, disposition);
END
$$;
COMMENT ON FUNCTION order_ext_internal.drop_documents(bigint[], text[], timestamptz) IS
	'Drops documents from the archive.';

-- check_drop(): the arguments of drop_archived(). Raises 22004, 22023, 54000.
CREATE FUNCTION order_ext_internal.check_drop(ids bigint[], digests text[]) RETURNS void
	LANGUAGE plpgsql STABLE
AS $$
DECLARE
	n integer := cardinality(ids);
	dimensions integer := greatest(array_ndims(ids), array_ndims(digests));
	wrong integer;
	argument text := 'order_ids';
BEGIN
	IF dimensions > 1 THEN
		RAISE EXCEPTION 'arguments "order_ids" and "digests" must have one dimension'
			USING ERRCODE = '22023', DETAIL = order_ext_internal.error_facts(
				format('There are %s.', dimensions),
				jsonb_build_object('argument', argument, 'dimensions', dimensions)),
			HINT = 'Pass what export_archived gave, order by order.';
	END IF;
	wrong := array_position(ids, NULL);
	IF wrong IS NULL THEN
		argument := 'digests';
		wrong := array_position(digests, NULL);
	END IF;
	IF wrong IS NOT NULL THEN
		RAISE EXCEPTION 'argument "%" must not contain null values', argument
			USING ERRCODE = '22004', DETAIL = order_ext_internal.error_facts(
				format('Element %s is null.', wrong),
				jsonb_build_object('argument', argument, 'element', wrong)),
			HINT = 'Pass what export_archived gave, order by order.';
	ELSIF n <> cardinality(digests) THEN
		RAISE EXCEPTION 'argument "digests" must have an element for each order'
			USING ERRCODE = '22023', DETAIL = order_ext_internal.error_facts(
				format('There are %s orders and %s digests.', n, cardinality(digests)),
				jsonb_build_object('argument', 'digests')),
			HINT = 'Pass what export_archived gave, order by order.';
	ELSIF n > 10000 THEN
		RAISE EXCEPTION 'argument "order_ids" has too many elements'
			USING ERRCODE = '54000', DETAIL = order_ext_internal.error_facts(
				format('It has %s; at most 10000 are allowed.', n),
				jsonb_build_object('argument', 'order_ids', 'elements', n, 'max', 10000)),
			HINT = 'Drop them in several calls.';
	END IF;
END
$$;
COMMENT ON FUNCTION order_ext_internal.check_drop(bigint[], text[]) IS
	'Checks the arguments of drop_archived().';

-- restore_document(): puts the document of a dropped order back; NULL if the order is not dropped,
-- false if the document is another one. Nobody erases, drops or restores meanwhile.
CREATE FUNCTION order_ext_internal.restore_document(id bigint, document jsonb) RETURNS boolean
	LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
	o order_ext_archive.dropped;
BEGIN
	SELECT * INTO o FROM order_ext_archive.dropped d WHERE d.order_id = id FOR UPDATE;
	IF NOT FOUND THEN
		RETURN NULL;
	ELSIF o.digest <> order_ext_internal.document_digest(document) THEN
		RETURN false;
	END IF;
	DELETE FROM order_ext_archive.dropped d WHERE d.order_id = id;
	INSERT INTO order_ext_archive.orders (order_id, user_id, coupon_id, pay_amount, created_at,
		settled_at, archived_at, removed_at, status, currency, external_id, document)
	VALUES (o.order_id, o.user_id, o.coupon_id, o.pay_amount, o.created_at, o.settled_at,
		o.archived_at, o.removed_at, o.status, o.currency, o.external_id,
		CASE WHEN o.erased THEN order_ext_internal.erased_document(document) ELSE document END);
	RETURN true;
END
$$;
COMMENT ON FUNCTION order_ext_internal.restore_document(bigint, jsonb) IS
	'Puts a document back into the archive.';

-- drop_archived(), restore_archived(): src/api/drop_archived.c
CREATE FUNCTION order_ext.drop_archived(order_ids bigint[], digests text[])
	RETURNS TABLE (order_id bigint, disposition text)
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_drop_archived';

CREATE FUNCTION order_ext.restore_archived(order_id bigint, document jsonb)
	RETURNS order_ext.result
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_restore_archived';
