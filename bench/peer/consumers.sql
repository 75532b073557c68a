-- The peer: the sweep of expired orders and the SKIP LOCKED consumer of the outbox, called
-- in a loop by a polling client. All of them work on sets.

SET search_path = peer;

-- Cancels up to p_max expired orders; returns how many.
CREATE FUNCTION expire_orders(p_max integer) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
	v_now timestamptz := clock_timestamp();
	v_ids bigint[];
BEGIN
	SELECT array_agg(order_id) INTO v_ids
	FROM (SELECT order_id FROM orders
		  WHERE status = 10 AND expire_at <= v_now
		  ORDER BY expire_at LIMIT p_max FOR UPDATE SKIP LOCKED) AS due;
	IF v_ids IS NULL THEN
		RETURN 0;
	END IF;

	WITH canceled AS (
		UPDATE orders
		SET status = 70, version = version + 1, canceled_at = v_now, cancel_type = 1
		WHERE order_id = ANY (v_ids) AND status < 20
		RETURNING order_id, user_id, coupon_id, version
	), logged AS (
		INSERT INTO order_log (order_id, at, version, from_status, to_status, event, actor)
		SELECT order_id, v_now, version, 10, 70, 'timeout', 'system' FROM canceled
	)
	INSERT INTO outbox (key, topic, payload)
	SELECT c.order_id, t.topic, jsonb_build_object('order_id', c.order_id::text,
			'user_id', c.user_id::text, 'version', c.version)
	FROM canceled AS c, (VALUES ('order.canceled'), ('order.release_assets')) AS t (topic);
	RETURN cardinality(v_ids);
END
$$;

-- The fan-out: a message for each kind of asset that the order holds.
CREATE FUNCTION release_assets(p_orders bigint[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO outbox (key, topic, payload)
	SELECT o.order_id, t.topic, jsonb_build_object('order_id', o.order_id::text,
			'user_id', o.user_id::text, 'version', o.version)
	FROM orders AS o
	CROSS JOIN LATERAL (VALUES
		('stock.release', true),
		('coupon.release', o.coupon_id IS NOT NULL),
		('refund.prepare', EXISTS (SELECT FROM payments AS p
								   WHERE p.order_id = o.order_id AND p.status = 20
									 AND p.purpose = 'applied' AND p.amount > 0)))
		AS t (topic, applies)
	WHERE o.order_id = ANY (p_orders) AND o.status = 70 AND t.applies;
END
$$;

CREATE FUNCTION release_stock(p_orders bigint[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	v_products bigint[];
	v_quantities bigint[];
BEGIN
	-- The log's key lets every order release once.
	WITH released AS (
		INSERT INTO stock_log (order_id, product_id, quantity, at, kind)
		SELECT order_id, product_id, quantity, clock_timestamp(), 2
		FROM order_items WHERE order_id = ANY (p_orders)
		ON CONFLICT DO NOTHING
		RETURNING product_id, quantity
	), per_product AS (
		SELECT product_id, sum(quantity)::bigint AS quantity FROM released GROUP BY product_id
	)
	SELECT array_agg(product_id), array_agg(quantity) INTO v_products, v_quantities FROM per_product;

	-- In product order, as create_order.
	PERFORM FROM stock WHERE product_id = ANY (v_products) ORDER BY product_id FOR UPDATE;
	UPDATE stock AS s
	SET available = s.available + t.quantity, reserved = s.reserved - t.quantity
	FROM unnest(v_products, v_quantities) AS t (product_id, quantity)
	WHERE s.product_id = t.product_id;
END
$$;

CREATE FUNCTION release_coupons(p_orders bigint[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	UPDATE coupons AS c SET status = 0, order_id = NULL
	FROM orders AS o
	WHERE o.order_id = ANY (p_orders) AND c.coupon_id = o.coupon_id
		AND c.order_id = o.order_id AND c.status IN (1, 2);
END
$$;

CREATE FUNCTION prepare_refunds(p_orders bigint[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO refunds (order_id, payment_id, amount, requested_at, cause, currency)
	SELECT order_id, payment_id, amount, clock_timestamp(), 'cancel', currency
	FROM payments
	WHERE order_id = ANY (p_orders) AND status = 20 AND purpose = 'applied' AND amount > 0
	ON CONFLICT DO NOTHING;
END
$$;

CREATE FUNCTION handle(p_topic text, p_keys bigint[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	CASE p_topic
		WHEN 'order.release_assets' THEN PERFORM release_assets(p_keys);
		WHEN 'stock.release' THEN PERFORM release_stock(p_keys);
		WHEN 'coupon.release' THEN PERFORM release_coupons(p_keys);
		WHEN 'refund.prepare' THEN PERFORM prepare_refunds(p_keys);
	END CASE;
END
$$;

-- Up to p_max messages of a topic, locked, and where they are. Read in the order of the index, and
-- deleted by their places, whatever the statistics are: of a backlog that was published a moment ago
-- they know nothing, and for each batch all of it would be sorted, and an index read for each row.
CREATE FUNCTION next_batch(p_topic text, p_max integer)
RETURNS TABLE (id bigint, place tid, key bigint, payload jsonb) LANGUAGE plpgsql
SET enable_sort = off AS $$
BEGIN
	RETURN QUERY SELECT o.id, o.ctid, o.key, o.payload FROM outbox AS o
		WHERE o.topic = p_topic AND o.run_at <= clock_timestamp()
		ORDER BY o.id LIMIT p_max FOR UPDATE SKIP LOCKED;
END
$$;

CREATE FUNCTION delete_batch(p_places tid[]) RETURNS void LANGUAGE plpgsql
SET enable_seqscan = off AS $$
BEGIN
	DELETE FROM outbox WHERE ctid = ANY (p_places);
END
$$;

-- One batch of a topic; where the set fails, its messages are tried one by one and the
-- failing ones wait for their next attempt.
CREATE FUNCTION consume(p_topic text, p_max integer) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
	v_ids bigint[];
	v_places tid[];
	v_keys bigint[];
	v_done tid[];
BEGIN
	SELECT array_agg(id), array_agg(place), array_agg(key) INTO v_ids, v_places, v_keys
	FROM next_batch(p_topic, p_max);
	IF v_ids IS NULL THEN
		RETURN 0;
	END IF;

	BEGIN
		PERFORM handle(p_topic, v_keys);
		v_done := v_places;
	EXCEPTION WHEN OTHERS THEN
		v_done := '{}';
		FOR i IN 1 .. cardinality(v_ids) LOOP
			BEGIN
				PERFORM handle(p_topic, ARRAY[v_keys[i]]);
				v_done := v_done || v_places[i];
			EXCEPTION WHEN OTHERS THEN
				UPDATE outbox
				SET attempts = attempts + 1, last_error = SQLERRM,
					run_at = clock_timestamp() + interval '1 second' * power(2, least(attempts, 12))
				WHERE id = v_ids[i];
			END;
		END LOOP;
	END;
	PERFORM delete_batch(v_done);
	RETURN cardinality(v_ids);
END
$$;

-- The drain workload: a handler that updates a row, called for each message ...
CREATE FUNCTION touch(p_key bigint, p_payload jsonb) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	UPDATE public.target SET hits = hits + 1, last = (p_payload ->> 'n')::bigint WHERE id = p_key;
END
$$;

CREATE FUNCTION consume_each(p_max integer) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
	v_ids bigint[];
	v_places tid[];
	v_keys bigint[];
	v_payloads jsonb[];
	v_done tid[];
BEGIN
	SELECT array_agg(id), array_agg(place), array_agg(key), array_agg(payload)
	INTO v_ids, v_places, v_keys, v_payloads
	FROM next_batch('bench.each', p_max);
	IF v_ids IS NULL THEN
		RETURN 0;
	END IF;

	BEGIN
		FOR i IN 1 .. cardinality(v_ids) LOOP
			PERFORM touch(v_keys[i], v_payloads[i]);
		END LOOP;
		v_done := v_places;
	EXCEPTION WHEN OTHERS THEN
		v_done := '{}';
		FOR i IN 1 .. cardinality(v_ids) LOOP
			BEGIN
				PERFORM touch(v_keys[i], v_payloads[i]);
				v_done := v_done || v_places[i];
			EXCEPTION WHEN OTHERS THEN
				UPDATE outbox
				SET attempts = attempts + 1, last_error = SQLERRM,
					run_at = clock_timestamp() + interval '1 second' * power(2, least(attempts, 12))
				WHERE id = v_ids[i];
			END;
		END LOOP;
	END;
	PERFORM delete_batch(v_done);
	RETURN cardinality(v_ids);
END
$$;

-- ... or once for the set.
CREATE FUNCTION consume_set(p_max integer) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
	v_places tid[];
	v_keys bigint[];
	v_payloads jsonb[];
BEGIN
	SELECT array_agg(place), array_agg(key), array_agg(payload) INTO v_places, v_keys, v_payloads
	FROM next_batch('bench.set', p_max);
	IF v_places IS NULL THEN
		RETURN 0;
	END IF;
	UPDATE public.target AS t SET hits = t.hits + m.hits, last = m.last
	FROM (SELECT key, count(*) AS hits, max((payload ->> 'n')::bigint) AS last
		  FROM unnest(v_keys, v_payloads) AS u (key, payload) GROUP BY key) AS m
	WHERE t.id = m.key;
	PERFORM delete_batch(v_places);
	RETURN cardinality(v_places);
END
$$;

