-- How orders get to the archive and back. All of it runs within plans of src/api/archive.c and
-- src/machine/archive/recall.c, which hold the locks and set the search_path.

-- fold_stock(): covers all rows of ended transactions of these products with folds, and waits for
-- those who are counting. src/machine/stock/upkeep.c
CREATE FUNCTION order_ext_internal.fold_stock(product_ids bigint[]) RETURNS void
	LANGUAGE C VOLATILE STRICT
	AS 'MODULE_PATHNAME', 'order_ext_fold_stock';
COMMENT ON FUNCTION order_ext_internal.fold_stock(bigint[]) IS 'Folds the ledgers of products.';

-- archive_key(): the key of a number of a kind: payment, trade (whatever the pay type), refund,
-- number (of a refund or a dispute at the gateway), after_sale.
CREATE FUNCTION order_ext_internal.archive_key(kind text, number text) RETURNS bigint
	LANGUAGE sql IMMUTABLE
AS $$
	SELECT pg_catalog.hashtextextended(kind || ' ' || number, 0)
$$;
COMMENT ON FUNCTION order_ext_internal.archive_key(text, text) IS
	'The key of a number in the archive.';

-- archive_settled(): those of these orders that are settled, since before a time: nothing is to
-- come of them, as far as anybody knows.
CREATE FUNCTION order_ext_internal.archive_settled(ids bigint[], before timestamptz)
	RETURNS TABLE (order_id bigint, settled_at timestamptz)
	LANGUAGE sql VOLATILE
AS $$
	SELECT o.order_id, last.at
	FROM unnest(ids) AS i (id)
	CROSS JOIN LATERAL (SELECT * FROM order_ext_internal.orders x
		WHERE x.order_id = i.id OFFSET 0) o
	CROSS JOIN LATERAL (SELECT max(l.at) AS at
		FROM order_ext_internal.archive_entities(o.order_id) e
		CROSS JOIN LATERAL (SELECT x.at FROM order_ext_internal.transition_log x
			WHERE x.entity_id = e.entity_id AND x.machine = e.machine OFFSET 0) l) last
	WHERE o.status IN (order_ext.status_code('order', 'signed'),
			order_ext.status_code('order', 'canceled'), order_ext.status_code('order', 'refused'),
			order_ext.status_code('order', 'invalid'))
		AND last.at < before AND greatest(o.created_at, o.paid_at, o.canceled_at) < before
		AND NOT EXISTS (SELECT FROM order_ext_internal.order_items x
			WHERE x.order_id = o.order_id AND x.reservation = 1)	-- reserved
		AND NOT EXISTS (SELECT FROM order_ext_internal.coupons x
			WHERE o.status = order_ext.status_code('order', 'canceled')
				AND x.coupon_id = o.coupon_id AND x.order_id = o.order_id)
		AND NOT EXISTS (SELECT FROM order_ext_internal.refunds x
			WHERE x.order_id = o.order_id
				AND x.status IN (order_ext.status_code('refund', 'requested'),
				order_ext.status_code('refund', 'submitted'),
				order_ext.status_code('refund', 'failed')))
		AND NOT EXISTS (SELECT FROM order_ext_internal.after_sales x
			WHERE x.order_id = o.order_id
				AND x.status IN (order_ext.status_code('after_sale', 'applied'),
				order_ext.status_code('after_sale', 'approved'),
				order_ext.status_code('after_sale', 'refunding'),
				order_ext.status_code('after_sale', 'failed'),
				order_ext.status_code('after_sale', 'reopened')))
		AND NOT EXISTS (SELECT FROM order_ext_internal.fulfilments x
			WHERE x.order_id = o.order_id
				AND x.status = order_ext.status_code('fulfilment', 'cancel_requested'))
		AND NOT EXISTS (SELECT FROM order_ext_internal.shipment_events x
			WHERE x.order_id = o.order_id AND x.state = 20)	-- parked
		-- captured money that is not the shop's, or of canceled orders
		AND NOT EXISTS (SELECT FROM order_ext_internal.payments x
			WHERE x.order_id = o.order_id
				AND x.status = order_ext.status_code('payment', 'captured')
				AND (x.purpose IN (2, 3, 4, 5)	-- late, surplus, held, unmatched
					-- applied
					OR (x.purpose = 1 AND o.status = order_ext.status_code('order', 'canceled')))
				-- of a withdrawn refund, what the gateway had not paid of it before
				AND x.amount > (SELECT coalesce(sum(
						CASE WHEN r.status = order_ext.status_code('refund', 'succeeded') OR r.kept
							THEN greatest(r.amount, r.asked)
							ELSE greatest(r.asked - r.amount, 0) END), 0)
					FROM order_ext_internal.refunds r
					WHERE r.payment_id = x.payment_id))
		AND NOT EXISTS (SELECT FROM order_ext_internal.payments x
			JOIN order_ext_internal.disputes d ON d.payment_id = x.payment_id
			WHERE x.order_id = o.order_id AND d.status = 10)	-- opened
		AND NOT EXISTS (SELECT FROM order_ext_internal.held_facts x
			WHERE x.order_id = o.order_id AND x.resolved_at IS NULL)
		AND NOT EXISTS (SELECT FROM order_ext_internal.refunds r
			JOIN order_ext_internal.refund_events e ON e.refund_id = r.refund_id
			JOIN order_ext_internal.held_facts h
				ON h.entity_id = r.refund_id AND h.kind = 'refund_callback'
			WHERE r.order_id = o.order_id AND h.resolved_at IS NULL)
		AND NOT EXISTS (SELECT FROM order_ext_internal.after_sales a
			JOIN order_ext_internal.after_sale_events e ON e.after_sale_id = a.after_sale_id
			JOIN order_ext_internal.held_facts h ON h.entity_id = a.after_sale_id
				AND h.kind IN ('return_shipment', 'return_receipt')
			WHERE a.order_id = o.order_id AND h.resolved_at IS NULL)
		-- messages that somebody still has to do with
		AND NOT EXISTS (SELECT FROM order_ext_internal.consumer_groups g
			CROSS JOIN LATERAL (
				SELECT FROM order_ext_internal.retries x
				WHERE x.group_id = g.group_id AND x.key = o.order_id
				UNION ALL SELECT FROM order_ext_internal.dead_messages x
				WHERE x.group_id = g.group_id AND x.key = o.order_id
				UNION ALL SELECT FROM order_ext_internal.parked_messages x
				WHERE x.group_id = g.group_id AND x.key = o.order_id) m)
$$;
COMMENT ON FUNCTION order_ext_internal.archive_settled(bigint[], timestamptz) IS
	'Which of these orders are settled.';

-- archive_entities(): what of the machines belongs to an order, except its coupon, which is its
-- owner's. Machines: 1 order, 2 payment, 3 after-sale, 4 return, 5 refund, 7 fulfilment. It becomes
-- part of the statement it is in; OFFSET: before what that joins it with.
CREATE FUNCTION order_ext_internal.archive_entities(id bigint)
	RETURNS TABLE (machine smallint, entity_id bigint)
	LANGUAGE sql STABLE
AS $$
	SELECT m, id FROM unnest('{1,7}'::smallint[]) AS m
	UNION ALL SELECT 2::smallint, p.payment_id FROM order_ext_internal.payments p
	WHERE p.order_id = id
	UNION ALL SELECT 5::smallint, r.refund_id FROM order_ext_internal.refunds r
	WHERE r.order_id = id
	UNION ALL SELECT m, a.after_sale_id FROM order_ext_internal.after_sales a,
		unnest('{3,4}'::smallint[]) AS m
	WHERE a.order_id = id
	OFFSET 0
$$;
COMMENT ON FUNCTION order_ext_internal.archive_entities(bigint) IS
	'The entities of an order that have a log.';

-- archive_top(): orders that were made before a time have numbers below this: a number begins with
-- the time.
CREATE FUNCTION order_ext_internal.archive_top(before timestamptz) RETURNS bigint
	LANGUAGE sql STABLE
AS $$
	SELECT (to_char(before AT TIME ZONE 'UTC', 'YYMMDD')::bigint * 100000
		+ extract(epoch FROM (before AT TIME ZONE 'UTC')::time)::bigint) * 100000000
$$;
COMMENT ON FUNCTION order_ext_internal.archive_top(timestamptz) IS
	'A number that orders from before a time are below.';

-- archive_next(): the settled ones among the next orders. Each is looked at once in a pass, and a
-- pass begins no more than once a day; those that have become old enough since are at its end.
CREATE FUNCTION order_ext_internal.archive_next(how_many integer, before timestamptz)
	RETURNS SETOF bigint
	LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
	at order_ext_archive.progress;
	ids bigint[];
	top bigint := order_ext_internal.archive_top(before);
BEGIN
	INSERT INTO order_ext_archive.progress (passed, began) VALUES (0, clock_timestamp())
	ON CONFLICT DO NOTHING;
	SELECT * INTO at FROM order_ext_archive.progress;
	ids := ARRAY(SELECT o.order_id FROM order_ext_internal.orders o
		WHERE o.order_id > at.passed AND o.order_id < top ORDER BY o.order_id LIMIT how_many);
	IF ids = '{}' AND at.began < clock_timestamp() - interval '1 day' THEN
		UPDATE order_ext_archive.progress SET passed = 0, began = clock_timestamp();
	ELSIF ids <> '{}' THEN
		UPDATE order_ext_archive.progress SET passed = ids[cardinality(ids)];
	END IF;
	RETURN QUERY SELECT s.order_id FROM order_ext_internal.archive_settled(ids, before) s
		ORDER BY s.order_id;
END
$$;
COMMENT ON FUNCTION order_ext_internal.archive_next(integer, timestamptz) IS
	'The next orders for the archive.';

-- archive_rows(): the rows of an order, table by table. A row, so that it becomes part of the
-- statement it is in; OFFSET: a lookup for each, where a join could read the whole table.
CREATE FUNCTION order_ext_internal.archive_rows(id bigint) RETURNS TABLE (rows jsonb)
	LANGUAGE sql STABLE
AS $$
	SELECT jsonb_object_agg(t.name, t.list) FILTER (WHERE t.list IS NOT NULL) FROM (
		SELECT 'orders' AS name, jsonb_agg(x) AS list
			FROM order_ext_internal.orders x WHERE x.order_id = id
		UNION ALL SELECT 'order_items', jsonb_agg(x)
			FROM order_ext_internal.order_items x WHERE x.order_id = id
		UNION ALL SELECT 'payments', jsonb_agg(x)
			FROM order_ext_internal.payments x WHERE x.order_id = id
		UNION ALL SELECT 'payment_events', jsonb_agg(x)
			FROM order_ext_internal.payments p
			CROSS JOIN LATERAL (SELECT * FROM order_ext_internal.payment_events y
				WHERE y.pay_type = p.pay_type AND y.out_trade_no = p.out_trade_no OFFSET 0) x
			WHERE p.order_id = id
		UNION ALL SELECT 'payment_notices', jsonb_agg(x)
			FROM order_ext_internal.payment_notices x WHERE x.order_id = id
		UNION ALL SELECT 'refunds', jsonb_agg(x)
			FROM order_ext_internal.refunds x WHERE x.order_id = id
		UNION ALL SELECT 'refund_events', jsonb_agg(x)
			FROM order_ext_internal.refunds r
			CROSS JOIN LATERAL (SELECT * FROM order_ext_internal.refund_events y
				WHERE y.refund_id = r.refund_id OFFSET 0) x
			WHERE r.order_id = id
		UNION ALL SELECT 'money_facts', jsonb_agg(x)
			FROM order_ext_internal.money_facts x WHERE x.order_id = id
		UNION ALL SELECT 'disputes', jsonb_agg(x)
			FROM order_ext_internal.payments p
			CROSS JOIN LATERAL (SELECT * FROM order_ext_internal.disputes y
				WHERE y.payment_id = p.payment_id OFFSET 0) x
			WHERE p.order_id = id
		UNION ALL SELECT 'after_sales', jsonb_agg(x)
			FROM order_ext_internal.after_sales x WHERE x.order_id = id
		UNION ALL SELECT 'after_sale_items', jsonb_agg(x)
			FROM order_ext_internal.after_sale_items x WHERE x.order_id = id
		UNION ALL SELECT 'after_sale_events', jsonb_agg(x)
			FROM order_ext_internal.after_sales a
			CROSS JOIN LATERAL (SELECT * FROM order_ext_internal.after_sale_events y
				WHERE y.after_sale_id = a.after_sale_id OFFSET 0) x
			WHERE a.order_id = id
		UNION ALL SELECT 'fulfilments', jsonb_agg(x)
			FROM order_ext_internal.fulfilments x WHERE x.order_id = id
		UNION ALL SELECT 'fulfilment_documents', jsonb_agg(x)
			FROM order_ext_internal.fulfilment_documents x WHERE x.order_id = id
		UNION ALL SELECT 'shipment_events', jsonb_agg(x)
			FROM order_ext_internal.shipment_events x WHERE x.order_id = id
		UNION ALL SELECT 'held_facts', jsonb_agg(x)
			FROM order_ext_internal.held_facts x WHERE x.order_id = id
		UNION ALL SELECT 'stock_ledger', jsonb_agg(x)
			FROM order_ext_internal.stock_ledger x WHERE x.order_id = id
		UNION ALL SELECT 'transition_log', jsonb_agg(x)
			FROM order_ext_internal.archive_entities(id) e
			CROSS JOIN LATERAL (SELECT * FROM order_ext_internal.transition_log y
				WHERE y.entity_id = e.entity_id AND y.machine = e.machine OFFSET 0) x) t
$$;
COMMENT ON FUNCTION order_ext_internal.archive_rows(bigint) IS 'All rows of an order.';

-- archive_money(): what orders add to money_report.
CREATE FUNCTION order_ext_internal.archive_money(ids bigint[])
	RETURNS TABLE (day date, what smallint, pay_type text, currency text, amount numeric)
	LANGUAGE sql VOLATILE
AS $$
	SELECT m.day, m.what, m.pay_type, m.currency, sum(m.amount) FROM (
		SELECT (p.captured_at AT TIME ZONE 'UTC')::date AS day, p.purpose AS what, p.pay_type,
			p.currency, p.amount
		FROM order_ext_internal.payments p
		WHERE p.order_id = ANY (ids) AND p.status = order_ext.status_code('payment', 'captured')
			AND p.purpose <> 6	-- duplicate
		UNION ALL
		SELECT (r.settled_at AT TIME ZONE 'UTC')::date,
			CASE r.cause WHEN 8 THEN 13 ELSE 11 END,	-- dispute: disputed; refunded
			p.pay_type, r.currency, r.amount
		FROM order_ext_internal.refunds r
		JOIN order_ext_internal.payments p ON p.payment_id = r.payment_id
		WHERE r.order_id = ANY (ids)
			AND r.status = order_ext.status_code('refund', 'succeeded')) m
	GROUP BY m.day, m.what, m.pay_type, m.currency
$$;
COMMENT ON FUNCTION order_ext_internal.archive_money(bigint[]) IS 'The money of orders.';

-- archive_orders(): moves those of these orders that are still settled. Their locks are held.
CREATE FUNCTION order_ext_internal.archive_orders(given bigint[], before timestamptz)
	RETURNS bigint
	LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
	ids bigint[];
	payments bigint[];
	refunds bigint[];
	after_sales bigint[];
	products bigint[];
BEGIN
	INSERT INTO order_ext_archive.orders (order_id, user_id, coupon_id, pay_amount, created_at,
		settled_at, archived_at, removed_at, status, currency, external_id, document)
	SELECT o.order_id, o.user_id, o.coupon_id, o.pay_amount, o.created_at, s.settled_at,
		clock_timestamp(), o.removed_at, o.status, o.currency, o.external_id,
		jsonb_build_object(
			'rows', (SELECT r.rows FROM order_ext_internal.archive_rows(o.order_id) r),
			'shown', (SELECT d.shown FROM order_ext_internal.order_shown(o.order_id) d),
			'timeline', (SELECT jsonb_agg(t)
				FROM order_ext_internal.order_steps(o.order_id, true) t))
	FROM order_ext_internal.archive_settled(given, before) s
	JOIN order_ext_internal.orders o ON o.order_id = s.order_id;
	ids := ARRAY(SELECT a.order_id FROM order_ext_archive.orders a WHERE a.order_id = ANY (given));
	payments := ARRAY(SELECT p.payment_id FROM order_ext_internal.payments p
		WHERE p.order_id = ANY (ids));
	refunds := ARRAY(SELECT r.refund_id FROM order_ext_internal.refunds r
		WHERE r.order_id = ANY (ids));
	after_sales := ARRAY(SELECT a.after_sale_id FROM order_ext_internal.after_sales a
		WHERE a.order_id = ANY (ids));
	products := ARRAY(SELECT DISTINCT l.product_id FROM order_ext_internal.stock_ledger l
		WHERE l.order_id = ANY (ids) ORDER BY l.product_id);

	INSERT INTO order_ext_archive.keys (key, order_id)
	SELECT k.key, d.order_id
	-- OFFSET: the document is read once
	FROM (SELECT a.order_id, a.document -> 'rows' AS rows FROM order_ext_archive.orders a
		WHERE a.order_id = ANY (ids) OFFSET 0) d
	CROSS JOIN LATERAL order_ext_internal.archive_keys_of(d.rows) k;

	INSERT INTO order_ext_archive.money AS m (day, what, pay_type, currency, amount)
	SELECT * FROM order_ext_internal.archive_money(ids)
	ON CONFLICT (day, pay_type, currency, what) DO UPDATE SET amount = m.amount + excluded.amount;

	-- Their movements become one row per product, which is of old transactions as they are: folds
	-- cover it, and nobody who counts looks at it.
	PERFORM order_ext_internal.fold_stock(products);
	WITH moved AS (
		DELETE FROM order_ext_internal.stock_ledger l WHERE l.order_id = ANY (ids)
		RETURNING l.product_id, l.available_delta, l.reserved_delta, l.consumed_delta, l.xid, l.at)
	INSERT INTO order_ext_internal.stock_ledger AS s (order_id, product_id, ref, kind,
		available_delta, reserved_delta, consumed_delta, at, reason, xid)
	SELECT 0, m.product_id, 0, 7, sum(m.available_delta), sum(m.reserved_delta),	-- archive
		sum(m.consumed_delta), max(m.at), 'archived orders', (array_agg(m.xid))[1]
	FROM moved m GROUP BY m.product_id ORDER BY m.product_id
	ON CONFLICT (order_id, product_id, kind, ref) DO UPDATE
		SET available_delta = s.available_delta + excluded.available_delta,
			reserved_delta = s.reserved_delta + excluded.reserved_delta,
			consumed_delta = s.consumed_delta + excluded.consumed_delta, at = excluded.at;

	PERFORM order_ext_internal.archive_delete(ids, payments, refunds, after_sales);
	RETURN cardinality(ids);
END
$$;
COMMENT ON FUNCTION order_ext_internal.archive_orders(bigint[], timestamptz) IS
	'Moves settled orders to the archive.';

-- archive_delete(): their rows, except those of the ledger.
CREATE FUNCTION order_ext_internal.archive_delete(ids bigint[], payments bigint[],
		refunds bigint[], after_sales bigint[])
	RETURNS void
	LANGUAGE sql VOLATILE
AS $$
	DELETE FROM order_ext_internal.transition_log x
	USING unnest(ids) AS i (id), order_ext_internal.archive_entities(i.id) AS e
	WHERE x.entity_id = e.entity_id AND x.machine = e.machine;
	DELETE FROM order_ext_internal.payment_events x USING order_ext_internal.payments p
	WHERE p.order_id = ANY (ids) AND x.pay_type = p.pay_type AND x.out_trade_no = p.out_trade_no;
	DELETE FROM order_ext_internal.payment_notices x WHERE x.order_id = ANY (ids);
	DELETE FROM order_ext_internal.refund_events x WHERE x.refund_id = ANY (refunds);
	DELETE FROM order_ext_internal.money_facts x WHERE x.order_id = ANY (ids);
	DELETE FROM order_ext_internal.disputes x WHERE x.payment_id = ANY (payments);
	DELETE FROM order_ext_internal.after_sale_events x WHERE x.after_sale_id = ANY (after_sales);
	DELETE FROM order_ext_internal.after_sale_items x WHERE x.after_sale_id = ANY (after_sales);
	DELETE FROM order_ext_internal.after_sales x WHERE x.after_sale_id = ANY (after_sales);
	DELETE FROM order_ext_internal.refunds x WHERE x.refund_id = ANY (refunds);
	DELETE FROM order_ext_internal.payments x WHERE x.payment_id = ANY (payments);
	DELETE FROM order_ext_internal.fulfilment_documents x WHERE x.order_id = ANY (ids);
	DELETE FROM order_ext_internal.fulfilments x WHERE x.order_id = ANY (ids);
	DELETE FROM order_ext_internal.shipment_events x WHERE x.order_id = ANY (ids);
	DELETE FROM order_ext_internal.held_facts x WHERE x.order_id = ANY (ids);
	DELETE FROM order_ext_internal.order_items x WHERE x.order_id = ANY (ids);
	DELETE FROM order_ext_internal.orders x WHERE x.order_id = ANY (ids);
$$;
COMMENT ON FUNCTION order_ext_internal.archive_delete(bigint[], bigint[], bigint[], bigint[]) IS
	'Removes the rows of orders that are in the archive.';

-- archive_count(): adds the money that an order has in the tables to that of the archive, so many
-- times.
CREATE FUNCTION order_ext_internal.archive_count(id bigint, times integer) RETURNS void
	LANGUAGE sql VOLATILE
AS $$
	INSERT INTO order_ext_archive.money AS m (day, what, pay_type, currency, amount)
	SELECT x.day, x.what, x.pay_type, x.currency, x.amount * times
	FROM order_ext_internal.archive_money(ARRAY[id]) x
	ON CONFLICT (day, pay_type, currency, what) DO UPDATE SET amount = m.amount + excluded.amount
$$;
COMMENT ON FUNCTION order_ext_internal.archive_count(bigint, integer) IS
	'Counts the money of an order in the archive.';

-- recall_order(): brings an order back; false if it is not there any more. Its lock is held. If it
-- was dropped for a time, facts about it that were reported meanwhile are here already: one that
-- repeats what the order has stays as it is, shipment events come after those of the order with the
-- same id, and money has been counted.
CREATE FUNCTION order_ext_internal.recall_order(id bigint) RETURNS boolean
	LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
	kept jsonb;
	later_events jsonb;
	tab text;
BEGIN
	DELETE FROM order_ext_archive.orders a WHERE a.order_id = id RETURNING a.document -> 'rows'
	INTO kept;
	IF NOT FOUND THEN
		RETURN false;
	END IF;
	DELETE FROM order_ext_archive.keys k
	USING order_ext_internal.archive_keys_of(kept) e WHERE k.key = e.key AND k.order_id = id;
	WITH later AS (
		DELETE FROM order_ext_internal.shipment_events e WHERE e.order_id = id RETURNING e.*)
	SELECT jsonb_agg(to_jsonb(l) || jsonb_build_object('seq', l.seq + (
			SELECT count(*) FROM jsonb_to_recordset(kept -> 'shipment_events') AS s
				(source smallint, event_id text)
			WHERE s.source = l.source AND s.event_id = l.event_id)))
	INTO later_events FROM later l;
	IF later_events IS NOT NULL THEN
		kept := kept || jsonb_build_object('shipment_events',
			coalesce(kept -> 'shipment_events', '[]') || later_events);
	END IF;
	PERFORM order_ext_internal.archive_count(id, 1);
	FOR tab IN SELECT k FROM jsonb_object_keys(kept) AS k WHERE k <> 'stock_ledger' ORDER BY k LOOP
		EXECUTE format('INSERT INTO order_ext_internal.%1$I OVERRIDING SYSTEM VALUE SELECT *'
			' FROM jsonb_populate_recordset(NULL::order_ext_internal.%1$I, $1) %2$s', tab,
			CASE WHEN tab IN ('payment_events', 'payment_notices', 'refund_events', 'money_facts',
				'after_sale_events') THEN 'ON CONFLICT DO NOTHING' END)
		USING kept -> tab;
	END LOOP;
	PERFORM order_ext_internal.archive_count(id, -1);
	PERFORM order_ext_internal.recall_stock(kept -> 'stock_ledger');
	RETURN true;
END
$$;
COMMENT ON FUNCTION order_ext_internal.recall_order(bigint) IS
	'Brings an order back from the archive.';

-- archive_keys_of(): the keys of the rows of an order. It becomes part of the statement it is in.
CREATE FUNCTION order_ext_internal.archive_keys_of(kept jsonb) RETURNS TABLE (key bigint)
	LANGUAGE sql IMMUTABLE
AS $$
	SELECT k.key FROM (
		SELECT order_ext_internal.archive_key('payment', p ->> 'payment_id') AS key
		FROM jsonb_array_elements(kept -> 'payments') AS p
		UNION SELECT order_ext_internal.archive_key('trade', p ->> 'out_trade_no')
		FROM jsonb_array_elements(kept -> 'payments') AS p
		UNION SELECT order_ext_internal.archive_key('refund', r ->> 'refund_id')
		FROM jsonb_array_elements(kept -> 'refunds') AS r
		UNION SELECT order_ext_internal.archive_key('number', r ->> 'gateway_refund_no')
		FROM jsonb_array_elements(kept -> 'refunds') AS r
		UNION SELECT order_ext_internal.archive_key('number', f ->> 'number')
		FROM jsonb_array_elements(kept -> 'money_facts') AS f
		UNION SELECT order_ext_internal.archive_key('number', d ->> 'dispute_no')
		FROM jsonb_array_elements(kept -> 'disputes') AS d
		UNION SELECT order_ext_internal.archive_key('after_sale', a ->> 'after_sale_id')
		FROM jsonb_array_elements(kept -> 'after_sales') AS a) k
	WHERE k.key IS NOT NULL
$$;
COMMENT ON FUNCTION order_ext_internal.archive_keys_of(jsonb) IS
	'The keys of an archived order.';

-- recall_stock(): movements come out of the rows that they had become part of, with the transaction
-- ids of these, so that folds go on covering them.
CREATE FUNCTION order_ext_internal.recall_stock(moved jsonb) RETURNS void
	LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
	products bigint[] := ARRAY(SELECT DISTINCT (m ->> 'product_id')::bigint
		FROM jsonb_array_elements(moved) AS m ORDER BY 1);
	product bigint;
BEGIN
	PERFORM order_ext_internal.fold_stock(products);
	FOREACH product IN ARRAY products LOOP
		WITH back AS (
			SELECT m.* FROM jsonb_populate_recordset(NULL::order_ext_internal.stock_ledger, moved) m
			WHERE m.product_id = product
		), kept AS (
			UPDATE order_ext_internal.stock_ledger s
			SET available_delta = s.available_delta - b.available,
				reserved_delta = s.reserved_delta - b.reserved,
				consumed_delta = s.consumed_delta - b.consumed
			FROM (SELECT sum(available_delta) AS available, sum(reserved_delta) AS reserved,
				sum(consumed_delta) AS consumed FROM back) b
			-- 7: archive
			WHERE s.order_id = 0 AND s.product_id = product AND s.kind = 7 AND s.ref = 0
			RETURNING s.xid
		)
		INSERT INTO order_ext_internal.stock_ledger (order_id, product_id, ref, available_delta,
			reserved_delta, consumed_delta, at, kind, reason, operator, xid)
		SELECT b.order_id, b.product_id, b.ref, b.available_delta, b.reserved_delta,
			b.consumed_delta, b.at, b.kind, b.reason, b.operator, k.xid
		FROM back b, kept k;
	END LOOP;
END
$$;
COMMENT ON FUNCTION order_ext_internal.recall_stock(jsonb) IS
	'Brings movements of stock back from the archive.';
