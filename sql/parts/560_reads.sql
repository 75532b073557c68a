-- Reads about one order, and the version.

-- check_order_id(order_id): common code of the reads below. Raises 22004 for NULL, 22023 for a
-- number that is not an id, OE001 for an unknown order.
CREATE FUNCTION order_ext_internal.check_order_id(order_id bigint) RETURNS void
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	dropped timestamptz;
BEGIN
	IF check_order_id.order_id IS NULL THEN
		RAISE EXCEPTION 'argument "order_id" must not be null'
			USING ERRCODE = '22004', DETAIL = order_ext_internal.error_facts('The value is null.',
				jsonb_build_object('argument', 'order_id')),
			HINT = 'Pass a value, or omit the argument if it has a default.';
	ELSIF check_order_id.order_id <= 0 THEN
		RAISE EXCEPTION 'argument "order_id" must be positive'
			USING ERRCODE = '22023', DETAIL = order_ext_internal.error_facts(
				format('The value is %s.', check_order_id.order_id),
				jsonb_build_object('argument', 'order_id', 'value', check_order_id.order_id)),
			HINT = 'Use an ID returned by create_order.';
	ELSIF NOT EXISTS (
			SELECT FROM order_ext_internal.orders o WHERE o.order_id = check_order_id.order_id)
		AND NOT EXISTS (
			SELECT FROM order_ext_archive.orders a WHERE a.order_id = check_order_id.order_id)
	THEN
		SELECT d.dropped_at INTO dropped FROM order_ext_archive.dropped d
		WHERE d.order_id = check_order_id.order_id;
		IF FOUND THEN
			RAISE EXCEPTION 'order % was exported and dropped', check_order_id.order_id
				USING ERRCODE = 'OE001',
					DETAIL = order_ext_internal.error_facts(
						format('It was dropped at %s.', to_jsonb(dropped) #>> '{}'),
						jsonb_build_object('order_id', check_order_id.order_id::text,
							'dropped_at', dropped)),
					HINT = 'Its document is where it was exported to; restore_archived brings it '
						'back.';
		END IF;
		RAISE EXCEPTION 'order % does not exist', check_order_id.order_id
			USING ERRCODE = 'OE001',
				DETAIL = order_ext_internal.error_facts('No order in this database has that ID.',
					jsonb_build_object('order_id', check_order_id.order_id::text)),
				HINT = 'Use an ID returned by create_order.';
	END IF;
END
$$;
COMMENT ON FUNCTION order_ext_internal.check_order_id(bigint) IS
	'Refuses what is not the ID of an order.';

-- order_shown(): what get_order() answers about a live order. A row, so that it becomes part of
-- the statement it is in.
CREATE FUNCTION order_ext_internal.order_shown(id bigint) RETURNS TABLE (shown jsonb)
	LANGUAGE sql STABLE
AS $$
	SELECT jsonb_build_object(
			'order_id', o.order_id::text,
			'user_id', o.user_id::text,
			'status', o.status,
			'version', o.version,
			'origin', o.origin_amount,
			'discount', o.discount_amount,
			'freight', o.freight_amount,
			'pay_amount', o.pay_amount,
			'currency', o.currency,
			'external_id', o.external_id,
			'created_at', o.created_at,
			'expire_at', o.expire_at,
			'paid_at', o.paid_at,
			'canceled_at', o.canceled_at,
			'cancel_type', o.cancel_type,
			'removed_at', o.removed_at,
			'options', (SELECT r.options FROM order_ext_internal.orders r
						WHERE r.order_id = o.order_id))
		|| jsonb_build_object(
			'items', (
				SELECT coalesce(jsonb_agg(to_jsonb(i) - 'order_id' ORDER BY i.line), '[]')
				FROM order_ext.order_items_view i
				WHERE i.order_id = o.order_id),
			'payments', (
				SELECT coalesce(jsonb_agg(to_jsonb(p) - 'order_id'
						|| jsonb_build_object('payment_id', p.payment_id::text)
					ORDER BY p.created_at, p.payment_id), '[]')
				FROM order_ext.payments_view p
				WHERE p.order_id = o.order_id),
			'refunds', (
				SELECT coalesce(jsonb_agg(to_jsonb(r) - 'order_id'
						|| jsonb_build_object(
							'refund_id', r.refund_id::text,
							'payment_id', r.payment_id::text,
							'after_sale_id', r.after_sale_id::text)
					ORDER BY r.requested_at, r.refund_id), '[]')
				FROM order_ext.refunds_view r
				WHERE r.order_id = o.order_id),
			'after_sales', (
				SELECT coalesce(jsonb_agg(to_jsonb(a) - 'order_id' - 'user_id'
						|| jsonb_build_object(
							'after_sale_id', a.after_sale_id::text,
							'items', (
								SELECT coalesce(jsonb_agg(to_jsonb(i) - 'after_sale_id' - 'order_id'
									ORDER BY i.line), '[]')
								FROM order_ext.after_sale_items_view i
								WHERE i.after_sale_id = a.after_sale_id))
					ORDER BY a.applied_at, a.after_sale_id), '[]')
				FROM order_ext.after_sales_view a
				WHERE a.order_id = o.order_id),
			'coupon', (
				SELECT jsonb_build_object(
					'coupon_id', c.coupon_id::text,
					'amount', c.amount,
					'threshold', c.threshold,
					'currency', c.currency,
					'status', c.status,
					'held', c.order_id IS NOT DISTINCT FROM o.order_id)
				FROM order_ext.coupons_view c
				WHERE c.coupon_id = o.coupon_id),
			'shipment', (
				SELECT to_jsonb(f) - 'order_id' || jsonb_build_object(
					'delivery_order', f.delivery_order::text,
					'logistic_order', f.logistic_order::text,
					'events', (
						SELECT coalesce(jsonb_agg(to_jsonb(e) - 'order_id'
							ORDER BY e.recorded_at, e.event_id), '[]')
						FROM order_ext.shipment_events_view e
						WHERE e.order_id = o.order_id))
				FROM order_ext.fulfilments_view f
				WHERE f.order_id = o.order_id))
	FROM order_ext.orders_view o
	WHERE o.order_id = order_shown.id
$$;
COMMENT ON FUNCTION order_ext_internal.order_shown(bigint) IS 'What is shown of a live order.';

CREATE FUNCTION order_ext.get_order(order_id bigint) RETURNS jsonb
	LANGUAGE plpgsql STABLE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	-- without statistics, too, rows are looked up by their keys
	SET enable_seqscan = off
	SET enable_hashjoin = off
	SET enable_mergejoin = off
AS $$
DECLARE
	answer jsonb;
BEGIN
	PERFORM order_ext_internal.check_order_id(get_order.order_id);
	SELECT s.shown INTO answer FROM order_ext_internal.order_shown(get_order.order_id) s;
	IF answer IS NULL THEN
		SELECT a.document -> 'shown' INTO answer FROM order_ext_archive.orders a
		WHERE a.order_id = get_order.order_id;
	END IF;
	RETURN answer;
END
$$;

-- sees_words(): whether the caller sees orders as a whole: reasons that people gave are for those.
-- The caller as in message_trace().
CREATE FUNCTION order_ext_internal.sees_words() RETURNS boolean
	LANGUAGE sql STABLE
AS $$
	SELECT has_function_privilege(
		coalesce(nullif(current_setting('role'), 'none'), session_user)::name,
		'order_ext.get_order(bigint)', 'EXECUTE')
$$;
COMMENT ON FUNCTION order_ext_internal.sees_words() IS
	'Whether the caller sees the reasons that people gave.';

-- order_steps(): what order_timeline() answers about a live order, in its order; reasons that
-- people gave only with sees_words. It becomes part of the statement it is in.
CREATE FUNCTION order_ext_internal.order_steps(id bigint, sees_words boolean)
	RETURNS TABLE (at timestamptz, from_status text, to_status text, event text, actor text,
		detail jsonb, operator text, role text)
	LANGUAGE sql STABLE
AS $$
	WITH entity AS (
		SELECT 1 AS machine, order_steps.id AS id, 'order' AS machine_name
		UNION ALL
		SELECT 2, p.payment_id, 'payment'
		FROM order_ext_internal.payments p
		WHERE p.order_id = order_steps.id
		UNION ALL
		SELECT machine, a.after_sale_id, machine_name
		FROM order_ext_internal.after_sales a,
			(VALUES (3, 'after_sale'), (4, 'return')) AS m (machine, machine_name)
		WHERE a.order_id = order_steps.id
		UNION ALL
		SELECT 5, r.refund_id, 'refund'
		FROM order_ext_internal.refunds r
		WHERE r.order_id = order_steps.id
		UNION ALL
		SELECT 7, f.order_id, 'fulfilment'
		FROM order_ext_internal.fulfilments f
		WHERE f.order_id = order_steps.id
		UNION ALL
		SELECT 6, o.coupon_id, 'coupon'
		FROM order_ext_internal.orders o
		WHERE o.order_id = order_steps.id AND o.coupon_id IS NOT NULL
	), step AS (
		SELECT l.machine, l.entity_id, l.version, l.xid, l.at, l.from_status, l.to_status, l.actor,
			l.operator, e.machine_name,
			CASE WHEN order_steps.sees_words THEN l.detail ELSE l.detail - 'reason' END AS detail,
			order_ext_internal.event_name(l.machine, l.event) AS event_name,
			-- an order's rows stay in order even where the clock was set back
			CASE WHEN e.machine_name = 'order'
				THEN max(l.at) OVER (PARTITION BY l.machine, l.entity_id ORDER BY l.version)
				ELSE l.at
			END AS sort_at
		FROM entity e
		-- OFFSET: a lookup for each, where a join would read the whole log without statistics
		CROSS JOIN LATERAL (
			SELECT * FROM order_ext_internal.transition_log t
			WHERE t.machine = e.machine AND t.entity_id = e.id
			OFFSET 0) l
		WHERE e.machine_name <> 'coupon' OR l.order_id = order_steps.id
	)
	SELECT s.at,
		CASE s.machine_name WHEN 'order'
			THEN order_ext_internal.status_name('order', s.from_status) END,
		CASE s.machine_name WHEN 'order'
			THEN order_ext_internal.status_name('order', s.to_status) END,
		concat_ws('.', nullif(s.machine_name, 'order'), s.event_name),
		CASE s.actor
			WHEN 'B' THEN 'buyer'
			WHEN 'S' THEN 'staff'
			WHEN 'G' THEN 'gateway'
			WHEN 'W' THEN 'warehouse'
			WHEN 'X' THEN 'system'
		END,
		CASE s.machine_name WHEN 'order' THEN nullif(s.detail - 'operator', '{}')
			ELSE coalesce(s.detail - 'operator', '{}') || jsonb_build_object(
				s.machine_name || '_id', s.entity_id::text,
				'from', order_ext_internal.status_name(s.machine_name, s.from_status),
				'to', order_ext_internal.status_name(s.machine_name, s.to_status))
		END,
		coalesce(s.detail ->> 'operator', s.operator), s.operator
	FROM step s
	WHERE NOT (s.machine_name = 'payment' AND s.event_name IN ('initiate', 'import'))
		AND NOT (s.machine_name = 'coupon' AND s.event_name IN ('lock', 'use', 'import'))
		AND NOT (s.machine_name = 'fulfilment' AND s.event_name NOT IN ('pick', 'label'))
		AND NOT (s.machine_name = 'payment' AND s.event_name = 'capture' AND EXISTS (
			SELECT FROM step paid
			WHERE paid.machine_name = 'order' AND paid.event_name = 'pay' AND paid.xid = s.xid
				AND EXISTS (SELECT FROM order_ext_internal.payments p
							WHERE p.payment_id = s.entity_id AND p.purpose = 1)))	-- applied
	ORDER BY s.sort_at, s.machine_name <> 'fulfilment', s.machine, s.entity_id, s.version
$$;
COMMENT ON FUNCTION order_ext_internal.order_steps(bigint, boolean) IS
	'The steps of a live order.';

CREATE FUNCTION order_ext.order_timeline(order_id bigint)
	RETURNS TABLE (at timestamptz, from_status text, to_status text, event text, actor text,
		detail jsonb, operator text, role text)
	LANGUAGE plpgsql STABLE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	sees_words boolean := order_ext_internal.sees_words();
BEGIN
	PERFORM order_ext_internal.check_order_id(order_timeline.order_id);
	RETURN QUERY
	SELECT t.at, t.from_status, t.to_status, t.event, t.actor,
		CASE WHEN sees_words THEN t.detail ELSE t.detail - 'reason' END, t.operator, t.role
	FROM order_ext_archive.orders a, jsonb_to_recordset(a.document -> 'timeline') AS t
		(at timestamptz, from_status text, to_status text, event text, actor text, detail jsonb,
			operator text, role text)
	WHERE a.order_id = order_timeline.order_id;
	RETURN QUERY
	SELECT s.* FROM order_ext_internal.order_steps(order_timeline.order_id, sees_words) s;
END
$$;

CREATE FUNCTION order_ext.version() RETURNS text
	LANGUAGE sql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT extversion FROM pg_catalog.pg_extension WHERE extname = 'order_ext'
$$;
