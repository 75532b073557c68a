-- erase_buyer(): what is personal goes, the books stay.

-- erased(): an object of options without what a buyer has written in it.
CREATE FUNCTION order_ext_internal.erased(options jsonb) RETURNS jsonb
	LANGUAGE sql IMMUTABLE
AS $$
	SELECT coalesce(jsonb_object_agg(o.key, o.value), '{}') FROM jsonb_each(options) AS o
	WHERE o.key IN ('region', 'channel', 'currency', 'external_id')
$$;
COMMENT ON FUNCTION order_ext_internal.erased(jsonb) IS 'Options without personal ones.';

-- erased_list(): rows of a table without these columns, which become NULL.
CREATE FUNCTION order_ext_internal.erased_list(list jsonb, columns text[]) RETURNS jsonb
	LANGUAGE sql IMMUTABLE
AS $$
	SELECT coalesce(jsonb_agg(e - columns ORDER BY n), '[]')
	FROM jsonb_array_elements(list) WITH ORDINALITY AS l (e, n)
$$;
COMMENT ON FUNCTION order_ext_internal.erased_list(jsonb, text[]) IS
	'Archived rows without some of their columns.';

-- erased_log(): steps of a log without what buyers gave as reasons and addresses.
CREATE FUNCTION order_ext_internal.erased_log(list jsonb) RETURNS jsonb
	LANGUAGE sql IMMUTABLE
AS $$
	SELECT coalesce(jsonb_agg(CASE WHEN e ->> 'actor' IN ('B', 'buyer')
			AND jsonb_typeof(e -> 'detail') = 'object'
		THEN e || jsonb_build_object('detail', (e -> 'detail') - '{reason,address}'::text[])
		ELSE e END ORDER BY n), '[]')
	FROM jsonb_array_elements(list) WITH ORDINALITY AS l (e, n)
$$;
COMMENT ON FUNCTION order_ext_internal.erased_log(jsonb) IS
	'Steps of an archived log without what buyers wrote.';

-- erased_facts(): held facts without what warehouse and carrier sent.
CREATE FUNCTION order_ext_internal.erased_facts(list jsonb) RETURNS jsonb
	LANGUAGE sql IMMUTABLE
AS $$
	SELECT coalesce(jsonb_agg(CASE
		WHEN e ->> 'kind' IN ('shipment_event', 'fulfilment_cancel_result')
		THEN e || jsonb_build_object('payload', (e -> 'payload') - 'payload')
		ELSE e END ORDER BY n), '[]')
	FROM jsonb_array_elements(list) WITH ORDINALITY AS l (e, n)
$$;
COMMENT ON FUNCTION order_ext_internal.erased_facts(jsonb) IS
	'Archived held facts without what was sent with them.';

-- erased_document(): the document of an archived order without what is personal.
CREATE FUNCTION order_ext_internal.erased_document(document jsonb) RETURNS jsonb
	LANGUAGE sql IMMUTABLE
AS $$
	SELECT document || jsonb_build_object(
		'rows', document -> 'rows'
			|| jsonb_build_object(
				'orders', jsonb_build_array(document #> '{rows,orders,0}' || jsonb_build_object(
					'options', order_ext_internal.erased(document #> '{rows,orders,0,options}'))),
				'transition_log',
					order_ext_internal.erased_log(document #> '{rows,transition_log}'))
			|| CASE WHEN document -> 'rows' ? 'after_sales' THEN jsonb_build_object('after_sales',
				order_ext_internal.erased_list(document #> '{rows,after_sales}', '{reason}'))
				ELSE '{}' END
			|| CASE WHEN document -> 'rows' ? 'shipment_events' THEN jsonb_build_object(
				'shipment_events', order_ext_internal.erased_list(
					document #> '{rows,shipment_events}', '{payload}')) ELSE '{}' END
			|| CASE WHEN document -> 'rows' ? 'held_facts' THEN jsonb_build_object('held_facts',
				order_ext_internal.erased_facts(document #> '{rows,held_facts}')) ELSE '{}' END,
		'shown', document -> 'shown' || jsonb_build_object(
			'options', order_ext_internal.erased(document #> '{shown,options}'),
			'after_sales', order_ext_internal.erased_list(document #> '{shown,after_sales}',
				'{reason}')),
		'timeline', order_ext_internal.erased_log(document -> 'timeline'))
$$;
COMMENT ON FUNCTION order_ext_internal.erased_document(jsonb) IS
	'An archived order without what is personal.';

-- erase_messages(): addresses and remarks in messages about these orders, wherever they are kept.
CREATE FUNCTION order_ext_internal.erase_messages(ids bigint[]) RETURNS bigint
	LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
	tab text;
	n bigint;
	total bigint := 0;
BEGIN
	FOREACH tab IN ARRAY '{message_log_0,message_log_1,message_log_2,message_log_3,retries,
		dead_messages,parked_messages}'::text[] LOOP
		EXECUTE format('UPDATE order_ext_internal.%I SET payload = payload - $2'
			' WHERE key = ANY ($1) AND payload ?| $2 %s', tab, CASE WHEN tab LIKE 'message%' THEN ''
				ELSE 'AND group_id IN (SELECT g.group_id FROM order_ext_internal.consumer_groups g)'
				END)
		USING ids, '{address,remark}'::text[];
		GET DIAGNOSTICS n = ROW_COUNT;
		total := total + n;
	END LOOP;
	RETURN total;
END
$$;
COMMENT ON FUNCTION order_ext_internal.erase_messages(bigint[]) IS
	'Removes addresses and remarks from messages.';

-- erase_rows(): everything of a user; nobody moves orders to the archive, drops or restores them
-- meanwhile, and what comes back from it while the first statement runs is live for the others.
CREATE FUNCTION order_ext_internal.erase_rows(buyer bigint, OUT orders bigint, OUT archived bigint,
		OUT messages bigint, OUT left_open bigint, OUT dropped bigint)
	LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
	ids bigint[];
BEGIN
	UPDATE order_ext_archive.orders a
	SET document = order_ext_internal.erased_document(a.document) WHERE a.user_id = buyer;
	GET DIAGNOSTICS archived = ROW_COUNT;
	UPDATE order_ext_archive.dropped d SET erased = true WHERE d.user_id = buyer;
	GET DIAGNOSTICS dropped = ROW_COUNT;
	-- ended, and no application of it is under way
	ids := ARRAY(SELECT o.order_id FROM order_ext_internal.orders o
		WHERE o.user_id = buyer
			AND o.status IN (order_ext.status_code('order', 'signed'),
				order_ext.status_code('order', 'canceled'),
				order_ext.status_code('order', 'refused'),
				order_ext.status_code('order', 'invalid'))
			AND NOT EXISTS (SELECT FROM order_ext_internal.after_sales s
				WHERE s.order_id = o.order_id
					AND s.status IN (order_ext.status_code('after_sale', 'applied'),
						order_ext.status_code('after_sale', 'approved'),
						order_ext.status_code('after_sale', 'refunding'),
						order_ext.status_code('after_sale', 'failed'),
						order_ext.status_code('after_sale', 'reopened'))));
	left_open := (SELECT count(*) FROM order_ext_internal.orders o WHERE o.user_id = buyer)
		- cardinality(ids);
	orders := cardinality(ids);
	UPDATE order_ext_internal.orders o SET options = order_ext_internal.erased(o.options)
	WHERE o.order_id = ANY (ids) AND o.options <> order_ext_internal.erased(o.options);
	UPDATE order_ext_internal.after_sales s SET reason = NULL
	WHERE s.order_id = ANY (ids) AND s.reason IS NOT NULL;
	UPDATE order_ext_internal.shipment_events e SET payload = NULL
	WHERE e.order_id = ANY (ids || ARRAY(
			SELECT d.order_id FROM order_ext_archive.dropped d WHERE d.user_id = buyer))
		AND e.payload IS NOT NULL;
	UPDATE order_ext_internal.held_facts h SET payload = h.payload - 'payload'
	WHERE h.order_id = ANY (ids || ARRAY(
			SELECT d.order_id FROM order_ext_archive.dropped d WHERE d.user_id = buyer))
		AND h.kind IN ('shipment_event', 'fulfilment_cancel_result') AND h.payload ? 'payload';
	UPDATE order_ext_internal.transition_log l SET detail = l.detail - '{reason,address}'::text[]
	FROM unnest(ids) AS i (id), order_ext_internal.archive_entities(i.id) AS e
	WHERE l.entity_id = e.entity_id AND l.machine = e.machine AND l.actor = 'B'
		AND l.detail ?| '{reason,address}';
	messages := order_ext_internal.erase_messages(ids || ARRAY(
		SELECT a.order_id FROM order_ext_archive.orders a WHERE a.user_id = buyer
		UNION ALL SELECT d.order_id FROM order_ext_archive.dropped d WHERE d.user_id = buyer));
END
$$;
COMMENT ON FUNCTION order_ext_internal.erase_rows(bigint) IS 'Removes what is personal of a user.';

-- erase_buyer(): src/api/erase_buyer.c
CREATE FUNCTION order_ext.erase_buyer(user_id bigint, OUT orders bigint, OUT archived bigint,
		OUT messages bigint, OUT left_open bigint, OUT dropped bigint)
	RETURNS record
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_erase_buyer';

-- What is, or was, in the archive.
CREATE VIEW order_ext.archived_orders AS
	SELECT a.order_id, a.user_id, order_ext_internal.status_name('order', a.status) AS status,
		a.pay_amount, a.currency, a.coupon_id, a.external_id, a.created_at, a.settled_at,
		a.archived_at, NULL::timestamptz AS dropped_at, NULL::text AS digest
	FROM order_ext_archive.orders a
	UNION ALL
	SELECT d.order_id, d.user_id, order_ext_internal.status_name('order', d.status), d.pay_amount,
		d.currency, d.coupon_id, d.external_id, d.created_at, d.settled_at, d.archived_at,
		d.dropped_at, encode(d.digest, 'hex')
	FROM order_ext_archive.dropped d;
