-- The peer: the calls. Same arguments, answers and effects as those of order_ext, with row
-- locks and guarded UPDATEs; every transition writes its log row and its outbox rows.

SET search_path = peer;

CREATE FUNCTION put_product(p_sku text, p_name text, p_price bigint) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	v_id bigint;
BEGIN
	INSERT INTO products (sku, name, price) VALUES (p_sku, p_name, p_price)
	ON CONFLICT (sku) DO UPDATE SET name = excluded.name, price = excluded.price
	RETURNING product_id INTO v_id;
	INSERT INTO stock (product_id, available) VALUES (v_id, 0) ON CONFLICT DO NOTHING;
END
$$;

CREATE FUNCTION adjust_stock(p_sku text, p_delta bigint) RETURNS void
LANGUAGE sql AS $$
	UPDATE stock SET available = available + p_delta
	WHERE product_id = (SELECT product_id FROM products WHERE sku = p_sku);
$$;

CREATE FUNCTION issue_coupon(p_user_id bigint, p_amount bigint, p_threshold bigint DEFAULT 0)
RETURNS bigint LANGUAGE sql AS $$
	INSERT INTO coupons (user_id, amount, threshold, valid_from, valid_until)
	VALUES (p_user_id, p_amount, p_threshold, now(), 'infinity')
	RETURNING coupon_id;
$$;

CREATE FUNCTION create_order(
	p_user_id bigint, p_items jsonb, p_pay_amount bigint, p_coupon_id bigint DEFAULT NULL,
	p_pay_timeout interval DEFAULT NULL, p_options jsonb DEFAULT '{}'
) RETURNS result LANGUAGE plpgsql AS $$
DECLARE
	v_order_id bigint;
	v_now timestamptz := clock_timestamp();
	v_expire_at timestamptz := v_now + coalesce(p_pay_timeout, interval '30 minutes');
	v_products bigint[];
	v_prices bigint[];
	v_quantities integer[];
	v_skus text[];
	v_discounts bigint[];
	v_origin bigint;
	v_discount bigint := 0;
	v_freight bigint := 0;
	v_left bigint;
	v_pay bigint;
	v_coupon coupons;
BEGIN
	-- The lateral LIMIT keeps the planner at one index lookup per line.
	SELECT array_agg(p.product_id ORDER BY p.product_id), array_agg(p.price ORDER BY p.product_id),
		array_agg(i.quantity ORDER BY p.product_id), array_agg(i.sku ORDER BY p.product_id),
		sum(p.price * i.quantity)
	INTO v_products, v_prices, v_quantities, v_skus, v_origin
	FROM (SELECT e.sku, sum(e.quantity)::integer AS quantity
		  FROM jsonb_to_recordset(p_items) AS e (sku text, quantity integer)
		  GROUP BY e.sku) AS i
	LEFT JOIN LATERAL (SELECT * FROM products WHERE sku = i.sku LIMIT 1) AS p ON true;
	IF v_products IS NULL OR array_position(v_products, NULL) IS NOT NULL THEN
		RAISE EXCEPTION 'unknown sku' USING ERRCODE = 'OE001';
	END IF;

	IF p_coupon_id IS NOT NULL THEN
		SELECT * INTO v_coupon FROM coupons WHERE coupon_id = p_coupon_id;
		IF NOT FOUND OR v_coupon.user_id <> p_user_id OR v_origin < v_coupon.threshold
			OR v_now < v_coupon.valid_from OR v_now >= v_coupon.valid_until THEN
			RAISE EXCEPTION 'coupon cannot be used' USING ERRCODE = 'OE202';
		END IF;
		v_discount := least(v_coupon.amount, v_origin);
	END IF;
	IF p_options ? 'region' THEN
		SELECT CASE WHEN v_origin >= free_from THEN 0 ELSE fee END INTO v_freight
		FROM freight_templates WHERE region = p_options ->> 'region';
		v_freight := coalesce(v_freight, 0);
	END IF;
	v_pay := v_origin - v_discount + v_freight;
	IF v_pay <> p_pay_amount THEN
		RAISE EXCEPTION 'amount differs' USING ERRCODE = 'OE002';
	END IF;

	-- Stock in product order, so that two buyers never deadlock.
	FOR i IN 1 .. cardinality(v_products) LOOP
		UPDATE stock
		SET available = available - v_quantities[i], reserved = reserved + v_quantities[i]
		WHERE product_id = v_products[i] AND available >= v_quantities[i];
		IF NOT FOUND THEN
			RAISE EXCEPTION 'stock of % is short', v_skus[i] USING ERRCODE = 'OE201';
		END IF;
	END LOOP;

	INSERT INTO orders (user_id, origin_amount, discount_amount, freight_amount, pay_amount,
						coupon_id, created_at, expire_at, currency, options)
	VALUES (p_user_id, v_origin, v_discount, v_freight, v_pay,
			p_coupon_id, v_now, v_expire_at, coalesce(p_options ->> 'currency', 'CNY'), p_options)
	RETURNING order_id INTO v_order_id;

	IF p_coupon_id IS NOT NULL THEN
		UPDATE coupons SET status = 1, order_id = v_order_id
		WHERE coupon_id = p_coupon_id AND status = 0;
		IF NOT FOUND THEN
			RAISE EXCEPTION 'coupon taken' USING ERRCODE = 'OE203';
		END IF;
	END IF;

	-- The discount by share, the last line takes the rest.
	v_left := v_discount;
	FOR i IN 1 .. cardinality(v_products) LOOP
		IF i = cardinality(v_products) OR v_discount = 0 THEN
			v_discounts[i] := v_left;
		ELSE
			v_discounts[i] := v_discount * v_prices[i] * v_quantities[i] / v_origin;
			v_left := v_left - v_discounts[i];
		END IF;
	END LOOP;
	INSERT INTO order_items (order_id, product_id, price, discount, pay, quantity, sku)
	SELECT v_order_id, t.product_id, t.price, t.discount, t.price * t.quantity - t.discount,
		t.quantity, t.sku
	FROM unnest(v_products, v_prices, v_discounts, v_quantities, v_skus)
		AS t (product_id, price, discount, quantity, sku);
	INSERT INTO stock_log (order_id, product_id, quantity, at, kind)
	SELECT v_order_id, t.product_id, t.quantity, v_now, 1
	FROM unnest(v_products, v_quantities) AS t (product_id, quantity);

	INSERT INTO order_log (order_id, at, version, from_status, to_status, event, actor)
	VALUES (v_order_id, v_now, 1, 0, 10, 'create', 'buyer');
	INSERT INTO outbox (key, topic, payload)
	VALUES (v_order_id, 'order.created', jsonb_build_object('order_id', v_order_id::text,
			'user_id', p_user_id::text, 'version', 1));

	RETURN (v_order_id, 'created', 1, 'applied', jsonb_build_object('pay_amount', v_pay,
			'expire_at', v_expire_at))::result;
END
$$;

CREATE FUNCTION pre_pay_order(p_order_id bigint, p_pay_type text, p_pay_amount bigint)
RETURNS result LANGUAGE plpgsql AS $$
DECLARE
	v_order orders;
	v_payment_id bigint := nextval('payments_payment_id_seq');
	v_trade_no text;
	v_now timestamptz := clock_timestamp();
BEGIN
	-- The guard is written status < 20, not = 10, which the planner would take for a call to
	-- read all of orders_unpaid; so in pay_callback and expire_orders.
	UPDATE orders SET version = version + 1
	WHERE order_id = p_order_id AND status < 20 AND expire_at > v_now AND pay_amount = p_pay_amount
	RETURNING * INTO v_order;
	IF NOT FOUND THEN
		SELECT * INTO v_order FROM orders WHERE order_id = p_order_id;
		IF NOT FOUND THEN
			RAISE EXCEPTION 'no such order' USING ERRCODE = 'OE001';
		ELSIF v_order.status <> 10 THEN
			RAISE EXCEPTION 'not possible in this status' USING ERRCODE = 'OE101';
		ELSIF v_order.pay_amount <> p_pay_amount THEN
			RAISE EXCEPTION 'amount differs' USING ERRCODE = 'OE301';
		END IF;
		RAISE EXCEPTION 'deadline passed' USING ERRCODE = 'OE302';
	END IF;

	v_trade_no := 'P' || v_payment_id;
	INSERT INTO payments (payment_id, order_id, amount, created_at, status, pay_type, out_trade_no, currency)
	OVERRIDING SYSTEM VALUE
	VALUES (v_payment_id, p_order_id, p_pay_amount, v_now, 10, p_pay_type, v_trade_no, v_order.currency);
	INSERT INTO order_log (order_id, at, version, from_status, to_status, event, actor)
	VALUES (p_order_id, v_now, v_order.version, 10, 10, 'pre_pay', 'buyer');

	RETURN (p_order_id, 'created', v_order.version, 'applied',
			jsonb_build_object('payment_id', v_payment_id::text, 'out_trade_no', v_trade_no))::result;
END
$$;

CREATE FUNCTION pay_callback(
	p_order_id bigint, p_out_trade_no text, p_pay_type text, p_pay_amount bigint,
	p_currency text DEFAULT NULL, p_paid_at timestamptz DEFAULT now(), p_raw jsonb DEFAULT NULL
) RETURNS result LANGUAGE plpgsql AS $$
DECLARE
	v_order orders;
	v_payment payments;
	v_purpose text;
	v_now timestamptz := clock_timestamp();
BEGIN
	SELECT * INTO v_order FROM orders WHERE order_id = p_order_id FOR UPDATE;
	IF NOT FOUND THEN
		INSERT INTO payments (order_id, amount, created_at, captured_at, paid_at, status, pay_type,
							  out_trade_no, currency, purpose, raw)
		VALUES (p_order_id, p_pay_amount, v_now, v_now, p_paid_at, 20, p_pay_type, p_out_trade_no,
				coalesce(p_currency, 'CNY'), 'unmatched', p_raw)
		ON CONFLICT DO NOTHING;
		RETURN (NULL, NULL, NULL, 'unknown_order_held', NULL)::result;
	END IF;

	SELECT * INTO v_payment FROM payments
	WHERE pay_type = p_pay_type AND out_trade_no = p_out_trade_no;
	IF v_payment.status = 20 THEN
		RETURN (p_order_id, status_name(v_order.status), v_order.version, 'replayed',
				jsonb_build_object('payment_id', v_payment.payment_id::text))::result;
	END IF;
	IF v_payment.payment_id IS NULL THEN
		SELECT * INTO v_payment FROM payments
		WHERE order_id = p_order_id AND pay_type = p_pay_type AND status = 10
		ORDER BY payment_id LIMIT 1;
	END IF;

	v_purpose := CASE
		WHEN v_order.status >= 70 THEN 'late'
		WHEN v_order.status > 10 THEN 'surplus'
		WHEN p_pay_amount <> v_order.pay_amount
			OR coalesce(p_currency, v_order.currency) <> v_order.currency THEN 'held'
		ELSE 'applied' END;

	IF v_payment.payment_id IS NOT NULL THEN
		UPDATE payments
		SET status = 20, amount = p_pay_amount, out_trade_no = p_out_trade_no, captured_at = v_now,
			paid_at = p_paid_at, purpose = v_purpose, raw = p_raw
		WHERE payment_id = v_payment.payment_id AND status = 10;
	ELSE
		INSERT INTO payments (order_id, amount, created_at, captured_at, paid_at, status, pay_type,
							  out_trade_no, currency, purpose, raw)
		VALUES (p_order_id, p_pay_amount, v_now, v_now, p_paid_at, 20, p_pay_type, p_out_trade_no,
				coalesce(p_currency, v_order.currency), v_purpose, p_raw)
		RETURNING * INTO v_payment;
	END IF;

	IF v_purpose = 'applied' THEN
		UPDATE orders SET status = 20, version = version + 1, paid_at = p_paid_at
		WHERE order_id = p_order_id AND status < 20
		RETURNING * INTO v_order;
		IF NOT FOUND THEN
			RAISE EXCEPTION 'order changed under its lock';
		END IF;
		IF v_order.coupon_id IS NOT NULL THEN
			UPDATE coupons SET status = 2
			WHERE coupon_id = v_order.coupon_id AND status = 1 AND order_id = p_order_id;
		END IF;
		INSERT INTO order_log (order_id, at, version, from_status, to_status, event, actor)
		VALUES (p_order_id, v_now, v_order.version, 10, 20, 'pay', 'gateway');
		INSERT INTO outbox (key, topic, payload)
		VALUES (p_order_id, 'order.paid', jsonb_build_object('order_id', p_order_id::text,
				'user_id', v_order.user_id::text, 'version', v_order.version));
	ELSIF v_purpose IN ('late', 'surplus') THEN
		INSERT INTO refunds (order_id, payment_id, amount, requested_at, cause, currency)
		VALUES (p_order_id, v_payment.payment_id, p_pay_amount, v_now, v_purpose, v_order.currency)
		ON CONFLICT DO NOTHING;
	END IF;

	RETURN (p_order_id, status_name(v_order.status), v_order.version,
			CASE v_purpose WHEN 'applied' THEN 'applied' WHEN 'late' THEN 'late_refund_queued'
				WHEN 'surplus' THEN 'surplus_refund_queued' ELSE 'amount_mismatch_held' END,
			jsonb_build_object('payment_id', v_payment.payment_id::text))::result;
END
$$;

CREATE FUNCTION status_name(p_status smallint) RETURNS text LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE p_status WHEN 10 THEN 'created' WHEN 20 THEN 'paid' WHEN 70 THEN 'canceled' END;
$$;

CREATE FUNCTION cancel_order(
	p_order_id bigint, p_user_id bigint DEFAULT NULL, p_cancel_type text DEFAULT 'user',
	p_reason text DEFAULT NULL
) RETURNS result LANGUAGE plpgsql AS $$
DECLARE
	v_order orders;
	v_from smallint;
	v_payload jsonb;
	v_now timestamptz := clock_timestamp();
BEGIN
	SELECT * INTO v_order FROM orders WHERE order_id = p_order_id FOR UPDATE;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'no such order' USING ERRCODE = 'OE001';
	ELSIF v_order.user_id <> p_user_id THEN
		RAISE EXCEPTION 'not the owner' USING ERRCODE = 'OE003';
	ELSIF v_order.status = 70 THEN
		RETURN (p_order_id, 'canceled', v_order.version, 'noop', NULL)::result;
	END IF;

	v_from := v_order.status;
	UPDATE orders
	SET status = 70, version = version + 1, canceled_at = v_now,
		cancel_type = CASE p_cancel_type WHEN 'user' THEN 0 ELSE 2 END
	WHERE order_id = p_order_id AND status IN (10, 20)
	RETURNING * INTO v_order;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'can no longer be canceled' USING ERRCODE = 'OE103';
	END IF;

	INSERT INTO order_log (order_id, at, version, from_status, to_status, event, actor)
	VALUES (p_order_id, v_now, v_order.version, v_from, 70, 'cancel', p_cancel_type);
	v_payload := jsonb_build_object('order_id', p_order_id::text, 'user_id', v_order.user_id::text,
			'version', v_order.version);
	INSERT INTO outbox (key, topic, payload)
	VALUES (p_order_id, 'order.canceled', v_payload),
		   (p_order_id, 'order.release_assets', v_payload);

	RETURN (p_order_id, 'canceled', v_order.version, 'applied', NULL)::result;
END
$$;
