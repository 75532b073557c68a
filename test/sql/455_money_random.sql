-- Random lives of money, against a ledger of its own: t.mr_books is what the gateway did, written
-- by the test when it lets a refund succeed, tells of one that was made outside, or of a lost
-- dispute. Goodwill, lines, freight, withdrawals, failures, other amounts, echoes, disputes,
-- surplus captures and their duplicates, transfers with a wrong order number, lost and returned
-- parcels, applications, receipts of a part, damaged goods and cancellations, in random order. After
-- every step the books are what the views say, never more than was captured, and what each call
-- must say follows from the books and the views. At the end the report adds up to the cent.
-- To play a seed again: PGOPTIONS='-c order_test.seed=0.123' script/test regress.
SELECT coalesce(nullif(current_setting('order_test.seed', true), ''), (random() * 2 - 1)::numeric(6, 4)::text) AS seed \gset
SET client_min_messages = log;
\set QUIET on
CREATE TABLE t.mr_books (payment_id bigint, amount bigint, what text, number text);
CREATE TABLE t.mr_lives (life integer PRIMARY KEY, order_id bigint, steps text[] DEFAULT '{}');
CREATE TABLE t.mr_wrong (life integer, what text);
SELECT count(order_ext.put_product('MR-' || i, 'random', (ARRAY[0, 1, 7, 99, 1000])[i])), count(order_ext.adjust_stock('MR-' || i, 100000)) FROM generate_series(1, 5) AS i;
SELECT order_ext.put_freight('MR', 13);
CREATE FUNCTION t.mr_int(low bigint, high bigint) RETURNS bigint LANGUAGE sql VOLATILE RETURN low + floor(random() * (high - low + 1))::bigint;
CREATE FUNCTION t.mr_call(l integer, expression text, expected text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	said text := t.go(expression);
BEGIN
	UPDATE t.mr_lives SET steps = steps || (expression || ' -> ' || coalesce(said, 'NULL')) WHERE life = l;
	IF said IS NULL OR said !~ expected THEN
		INSERT INTO t.mr_wrong VALUES (l, format('%s gave %s, expected %s', expression, said, expected));
	END IF;
	RETURN said;
END
$$;
-- refunds that take from what is left, as the contract has it: open, done, or failed and retryable
CREATE VIEW t.mr_live AS
	SELECT r.*, CASE WHEN r.status IN ('submitted', 'succeeded') THEN r.amount ELSE 0 END AS fixed FROM order_ext.refunds_view r
	LEFT JOIN order_ext.after_sales_view a USING (after_sale_id)
	WHERE r.status IN ('requested', 'submitted', 'succeeded') OR (r.status = 'failed' AND (a.status IS NULL OR a.status NOT IN ('rejected', 'closed', 'revoked')));
CREATE FUNCTION t.mr_left(p bigint) RETURNS bigint LANGUAGE sql STABLE
	RETURN (SELECT v.amount - coalesce((SELECT sum(amount) FROM t.mr_live WHERE payment_id = p), 0) FROM order_ext.payments_view v WHERE v.payment_id = p);
CREATE FUNCTION t.mr_left_for_facts(p bigint) RETURNS bigint LANGUAGE sql STABLE
	RETURN (SELECT v.amount - coalesce((SELECT sum(fixed) FROM t.mr_live WHERE payment_id = p), 0) FROM order_ext.payments_view v WHERE v.payment_id = p);
CREATE FUNCTION t.mr_check(l integer, o bigint) RETURNS void LANGUAGE sql AS $$
	INSERT INTO t.mr_wrong
	SELECT l, format('payment %s: books %s, views %s, captured %s', p.payment_id, coalesce(b.amount, 0), coalesce(r.amount, 0), p.amount)
	FROM order_ext.payments_view p
	LEFT JOIN (SELECT payment_id, sum(amount) AS amount FROM t.mr_books GROUP BY payment_id) b USING (payment_id)
	LEFT JOIN (SELECT payment_id, sum(amount) AS amount FROM order_ext.refunds_view WHERE status = 'succeeded' GROUP BY payment_id) r USING (payment_id)
	WHERE p.order_id = o AND p.purpose IS NOT NULL AND (coalesce(b.amount, 0) <> coalesce(r.amount, 0) OR t.mr_left(p.payment_id) < 0
		OR coalesce(b.amount, 0) > CASE WHEN p.purpose = 'duplicate' THEN 0 ELSE p.amount END)
	UNION ALL
	SELECT l, format('after-sale %s: %s refunded of %s, %s outside', a.after_sale_id, sum(coalesce(r.asked, r.amount)), a.amount, a.paid_outside)
	FROM order_ext.after_sales_view a LEFT JOIN order_ext.refunds_view r ON r.after_sale_id = a.after_sale_id AND (r.status <> 'withdrawn' OR r.kept)
	WHERE a.order_id = o AND a.status = 'refunded' GROUP BY a.after_sale_id, a.amount, a.paid_outside HAVING coalesce(sum(coalesce(r.asked, r.amount)), 0) + a.paid_outside <> a.amount
$$;
CREATE FUNCTION t.mr_no() RETURNS text LANGUAGE sql VOLATILE RETURN 'MR-' || (SELECT count(*) FROM t.mr_books) || '-' || t.mr_int(1, 1000000000);

CREATE PROCEDURE t.mr_step(l integer, o bigint) LANGUAGE plpgsql AS $$
DECLARE
	what integer := t.mr_int(1, 22);
	p record;
	r record;
	n bigint;
	no text := t.mr_no();
	said text;
	fits bigint;
BEGIN
	-- the capture that paid the order, or any other
	SELECT v.* INTO p FROM order_ext.payments_view v WHERE v.order_id = o AND v.purpose IS NOT NULL AND v.amount > 0 ORDER BY CASE WHEN what <= 6 THEN v.purpose = 'applied' END DESC NULLS LAST, random() LIMIT 1;
	SELECT v.* INTO r FROM order_ext.refunds_view v WHERE v.order_id = o AND v.cause NOT IN ('recorded', 'dispute') ORDER BY v.status IN ('requested', 'submitted') DESC, random() LIMIT 1;
	CASE
	WHEN what = 1 AND p.purpose = 'applied' THEN
		n := t.mr_int(1, p.amount);
		PERFORM t.mr_call(l, format('order_ext.refund_order(%s, %s)', o, n), CASE WHEN n <= t.mr_left(p.payment_id) THEN '^applied requested' ELSE '^OE501$' END);
	WHEN what = 2 AND p.purpose = 'applied' THEN
		PERFORM t.mr_call(l, format('order_ext.refund_order(%s)', o), CASE WHEN t.mr_left(p.payment_id) > 0 THEN '^applied requested' ELSE '^OE501$' END);
	WHEN what = 3 AND p.purpose = 'applied' THEN
		PERFORM t.mr_call(l, format('order_ext.refund_order(%s, lines => %L, freight => %L)', o,
			(SELECT jsonb_build_array(jsonb_build_object('sku', sku, 'quantity', t.mr_int(1, quantity))) FROM order_ext.order_items_view WHERE order_id = o ORDER BY random() LIMIT 1), random() < 0.3), '^(applied requested|OE501$)');
	WHEN what = 4 THEN
		PERFORM t.mr_call(l, format('order_ext.apply_after_sale(%s, 7001, %L, %L)', o, CASE WHEN random() < 0.4 THEN 'refund_only' ELSE 'return_refund' END,
			(SELECT jsonb_build_array(jsonb_build_object('sku', sku, 'quantity', t.mr_int(1, quantity))) FROM order_ext.order_items_view WHERE order_id = o ORDER BY random() LIMIT 1)), '^(applied applied|OE501$|OE101$)');
	WHEN what = 5 THEN
		SELECT after_sale_id INTO n FROM order_ext.after_sales_view WHERE order_id = o AND status = 'applied' ORDER BY random() LIMIT 1;
		IF FOUND THEN
			PERFORM t.mr_call(l, format('order_ext.review_after_sale(%s, %L)', n, random() < 0.8), '^applied ');
		END IF;
	WHEN what = 6 AND random() < 0.3 THEN
		PERFORM t.mr_call(l, format('order_ext.cancel_order(%s)', o), '^(applied|noop|OE103)');
		COMMIT;
		PERFORM t.dispatch();
	WHEN what IN (7, 8) THEN
		PERFORM t.mr_call(l, format('(SELECT count(*) FROM order_ext.claim_refunds(%s, ''mr'', ''1 hour'', ''{mr}''))', t.mr_int(1, 3)), '^\d$');
		IF EXISTS (SELECT FROM order_ext.refunds_view f JOIN order_ext.disputes_view d USING (payment_id) JOIN t.mr_lives m ON m.order_id = f.order_id
			WHERE m.life = l AND d.status = 'opened' AND f.status = 'submitted' AND f.lease_until - interval '1 hour' > d.opened_at) THEN
			INSERT INTO t.mr_wrong VALUES (l, 'a refund was claimed while its payment is in dispute');
		END IF;
	WHEN what IN (9, 10) AND r.status = 'submitted' THEN
		IF random() < 0.25 THEN
			PERFORM t.mr_call(l, format('order_ext.refund_callback(%s, ''failed'')', r.refund_id), '^applied failed');
		ELSIF random() < 0.3 THEN
			n := t.mr_int(1, r.amount + 5);
			fits := r.amount + t.mr_left(r.payment_id);
			PERFORM t.mr_call(l, format('order_ext.refund_callback(%s, ''succeeded'', %L, %s)', r.refund_id, no, n), CASE WHEN n = r.amount THEN '^applied' ELSE '^held' END);
			IF n = r.amount THEN
				INSERT INTO t.mr_books VALUES (r.payment_id, n, 'refund', no);
			ELSIF (t.mr_call(l, format('order_ext.settle_refund(%s, %s, ''another amount'')', r.refund_id, n), CASE WHEN n <= fits THEN '^applied succeeded' ELSE '^OE501$' END)) ~ '^applied' THEN
				INSERT INTO t.mr_books VALUES (r.payment_id, n, 'settled', no);
			END IF;
		ELSE
			IF random() < 0.3 THEN
				PERFORM t.mr_call(l, format('order_ext.record_refund(%s, %L, ''MR'', %L, %s)', o, (SELECT out_trade_no FROM order_ext.payments_view WHERE payment_id = r.payment_id), no, r.amount), '^held');
			END IF;
			IF (t.mr_call(l, format('order_ext.refund_callback(%s, ''succeeded'', %L)', r.refund_id, no), '^applied succeeded')) ~ '^applied' THEN
				INSERT INTO t.mr_books VALUES (r.payment_id, r.amount, 'refund', no);
			END IF;
			PERFORM t.mr_call(l, format('order_ext.record_refund(%s, %L, ''mr'', %L, %s)', o, (SELECT out_trade_no FROM order_ext.payments_view WHERE payment_id = r.payment_id), no, r.amount), '^replayed succeeded');
		END IF;
	WHEN what = 11 AND r.status = 'requested' THEN
		PERFORM t.mr_call(l, format('order_ext.withdraw_refund(%s, ''why'')', r.refund_id), CASE WHEN r.attempt = 0 THEN '^applied withdrawn' ELSE '^OE101$' END);
	WHEN what = 11 AND r.status = 'failed' THEN
		PERFORM t.mr_call(l, format('order_ext.retry_refund(%s)', r.refund_id), '^(applied requested|noop)');
	WHEN what = 12 AND p.purpose <> 'duplicate' THEN
		n := t.mr_int(1, p.amount);
		fits := t.mr_left_for_facts(p.payment_id);
		said := t.mr_call(l, format('order_ext.record_refund(%s, %L, ''mr'', %L, %s)', o, p.out_trade_no, no, n),
			CASE WHEN n > fits OR EXISTS (SELECT FROM t.mr_live WHERE payment_id = p.payment_id AND status = 'submitted' AND amount = n) THEN '^held' ELSE '^applied succeeded' END);
		IF said ~ '^applied' THEN
			INSERT INTO t.mr_books VALUES (p.payment_id, n, 'recorded', no);
		END IF;
	WHEN what = 13 AND p.purpose <> 'duplicate' THEN
		SELECT d.* INTO r FROM order_ext.disputes_view d WHERE d.payment_id = p.payment_id AND d.status = 'opened' LIMIT 1;
		fits := t.mr_left_for_facts(p.payment_id);
		IF NOT FOUND THEN
			PERFORM t.mr_call(l, format('order_ext.payment_disputed(%s, %L, ''mr'', %L, ''opened'', %s)', o, p.out_trade_no, no, t.mr_int(1, p.amount)), '^(applied|held)');
		ELSIF random() < 0.5 THEN
			PERFORM t.mr_call(l, format('order_ext.payment_disputed(%s, %L, ''mr'', %L, ''won'')', o, p.out_trade_no, r.dispute_no), '^applied');
		ELSE
			n := CASE WHEN random() < 0.5 THEN t.mr_int(1, p.amount) END;
			said := t.mr_call(l, format('order_ext.payment_disputed(%s, %L, ''mr'', %L, ''lost'', %s)', o, p.out_trade_no, r.dispute_no, coalesce(n::text, 'NULL')),
				CASE WHEN coalesce(n, r.amount) <= fits THEN '^applied' ELSE '^held' END);
			IF said ~ '^applied' THEN
				INSERT INTO t.mr_books VALUES (p.payment_id, coalesce(n, r.amount), 'dispute', r.dispute_no);
			END IF;
		END IF;
	WHEN what = 14 AND p.payment_id IS NOT NULL AND random() < 0.4 THEN
		PERFORM t.mr_call(l, format('order_ext.pay_callback(%s, %L, ''mr'', %s)', o, 'T-' || no, p.amount), '^(late_refund_queued|surplus_refund_queued)');
	WHEN what = 15 AND p.purpose IN ('late', 'surplus', 'duplicate') THEN
		PERFORM t.mr_call(l, format('order_ext.resolve_held_payment(%s, ''duplicate'')', p.payment_id), CASE WHEN p.purpose = 'duplicate' THEN '^noop'
			WHEN EXISTS (SELECT FROM order_ext.refunds_view f WHERE f.payment_id = p.payment_id AND (f.attempt > 0 OR f.status NOT IN ('requested', 'withdrawn')))
				OR EXISTS (SELECT FROM order_ext.disputes_view d WHERE d.payment_id = p.payment_id AND d.status = 'opened') THEN '^(OE101|OE301)$' ELSE '^(applied|OE301)' END);
	WHEN what = 16 AND p.payment_id IS NOT NULL THEN
		-- a capture that did not pay the order goes back as far as it is left
		PERFORM t.mr_call(l, format('order_ext.resolve_held_payment(%s, ''refund'')', p.payment_id), CASE WHEN p.purpose = 'applied' THEN '^(applied|noop)' WHEN p.purpose = 'duplicate' OR t.mr_left(p.payment_id) > 0 THEN '^applied' ELSE '^noop' END);
		IF p.purpose <> 'applied' AND t.mr_left(p.payment_id) <> 0 THEN
			INSERT INTO t.mr_wrong VALUES (l, format('of payment %s, %s is left', p.payment_id, t.mr_left(p.payment_id)));
		END IF;
	WHEN what = 17 AND random() < 0.3 THEN
		-- money that names an order which is not there, and is this one's
		PERFORM order_ext.pay_callback(o + 1, 'T-' || no, 'mr', t.mr_int(1, 50));
		PERFORM t.mr_call(l, format('order_ext.assign_payment(%s, %s)', (SELECT payment_id FROM order_ext.payments_view WHERE out_trade_no = 'T-' || no), o), '^(late_refund_queued|surplus_refund_queued)');
	WHEN what IN (18, 19) THEN
		SELECT v.*, i.sku, i.quantity + i.refused - i.received AS awaited INTO r FROM order_ext.after_sales_view v JOIN order_ext.after_sale_items_view i USING (after_sale_id)
		WHERE v.order_id = o AND v.status IN ('approved', 'refunding', 'failed') AND v.return_status IN ('to_send', 'in_transit', 'partly_received', 'damaged') ORDER BY random() LIMIT 1;
		IF FOUND THEN
			n := t.mr_int(1, r.awaited + 1);
			PERFORM t.mr_call(l, format('order_ext.return_receipt(%s, %L, true, %L)', r.after_sale_id,
				jsonb_build_array(jsonb_build_object('sku', r.sku, 'quantity', n, 'condition', CASE WHEN random() < 0.3 THEN 'damaged' ELSE 'ok' END)), no), CASE WHEN n > r.awaited THEN '^held' ELSE '^applied' END);
		END IF;
	WHEN what = 21 AND r.status IN ('requested', 'failed') AND random() < 0.5 THEN
		-- the gateway has paid less without being asked
		n := t.mr_int(1, r.amount);
		IF (t.mr_call(l, format('order_ext.settle_refund(%s, %s, ''less'')', r.refund_id, n), '^(applied succeeded|OE501$)')) ~ '^applied' THEN
			INSERT INTO t.mr_books VALUES (r.payment_id, n, 'settled', no);
		END IF;
	WHEN what = 22 AND r.status = 'succeeded' AND random() < 0.5 THEN
		-- and takes back that it has paid
		IF (t.mr_call(l, format('order_ext.refund_callback(%s, ''failed'')', r.refund_id), '^held failed')) ~ '^held' THEN
			INSERT INTO t.mr_books VALUES (r.payment_id, - r.amount, 'reversed', no);
		END IF;
	WHEN what = 20 THEN
		SELECT * INTO r FROM order_ext.after_sales_view WHERE order_id = o AND return_status IS NOT NULL ORDER BY return_status = 'damaged' DESC, random() LIMIT 1;
		IF FOUND THEN
			PERFORM t.mr_call(l, format('order_ext.resolve_damaged(%s, %L)', r.after_sale_id, random() < 0.6), CASE WHEN r.return_status = 'damaged' AND r.status IN ('approved', 'refunding', 'failed') THEN '^applied' ELSE '^OE503$' END);
		END IF;
	ELSE
		NULL;
	END CASE;
	PERFORM t.mr_check(l, o);
	COMMIT;
END
$$;
CREATE PROCEDURE t.mr_life(l integer) LANGUAGE plpgsql AS $$
DECLARE
	items text := (SELECT string_agg('MR-' || n || ':' || t.mr_int(1, 4), ',') FROM (SELECT n FROM generate_series(1, 5) AS n ORDER BY random() LIMIT t.mr_int(1, 3)) AS picked);
	coupon bigint := CASE WHEN random() < 0.4 THEN order_ext.issue_coupon(7001, (ARRAY[1, 5, 500])[t.mr_int(1, 3)]) END;
	step text;
	o bigint;
BEGIN
	PERFORM t.new('mr', items || ',MR-4:1', coupon, options => CASE WHEN random() < 0.7 THEN '{"region": "MR"}' ELSE '{}' END::jsonb);
	o := t.id('mr');
	INSERT INTO t.mr_lives (life, order_id) VALUES (l, o);
	IF t.due('mr') > 0 THEN
		IF random() < 0.2 AND t.due('mr') > 1 THEN
			PERFORM order_ext.pay_callback(o, 'T-mr-' || o, 'mr', t.mr_int(1, t.due('mr') - 1));
			PERFORM order_ext.resolve_held_payment((SELECT payment_id FROM order_ext.payments_view WHERE order_id = o), 'accept', true);
		ELSE
			PERFORM order_ext.pay_callback(o, 'T-mr-' || o, 'mr', t.due('mr'));
		END IF;
	END IF;
	COMMIT;
	IF random() < 0.6 THEN
		PERFORM t.dispatch();
		COMMIT;
		FOREACH step IN ARRAY '{out_stock,delivering,signed}'::text[] LOOP
			EXIT WHEN random() < 0.15;
			IF step <> 'out_stock' AND random() < 0.15 THEN
				step := (ARRAY['lost', 'returned', 'refused'])[t.mr_int(1, 3)];
				PERFORM order_ext.shipment_event(o, step, step);
				EXIT;
			END IF;
			PERFORM order_ext.shipment_event(o, step, step);
		END LOOP;
		COMMIT;
	END IF;
	FOR i IN 1..50 LOOP
		CALL t.mr_step(l, o);
	END LOOP;
END
$$;
CREATE PROCEDURE t.mr_run(n integer) LANGUAGE plpgsql AS $$
BEGIN
	FOR l IN 1..n LOOP
		CALL t.mr_life(l);
	END LOOP;
END
$$;
SELECT setseed(:seed) IS NULL AS seeded;
CALL t.mr_run(40);
SELECT t.dispatch() IS NOT NULL AS handled;
SELECT t.dispatch() IS NOT NULL AS handled;
-- (Nearly) every kind of step has been taken.
SELECT count(DISTINCT substring(s FROM '^\(?(?:SELECT count\(\*\) FROM )?order_ext\.(\w+)')) >= 14 AS calls FROM t.mr_lives, unnest(steps) AS s;
SELECT count(DISTINCT what) >= 3 AS books FROM t.mr_books;
-- Wrong: nothing; else the seed, and the life's steps.
SELECT w.life, w.what, :'seed' AS seed FROM t.mr_wrong w ORDER BY 1 LIMIT 20;
SELECT life, unnest(steps) AS step FROM t.mr_lives WHERE life = (SELECT min(life) FROM t.mr_wrong);
-- The report is the books, to the cent, and adds up.
SELECT refunded - (SELECT coalesce(sum(amount), 0) FROM t.mr_books WHERE what <> 'dispute') AS refunded, disputed - (SELECT coalesce(sum(amount), 0) FROM t.mr_books WHERE what = 'dispute') AS disputed,
	captured - by_purpose AS by_purpose, captured - gone_or_kept AS gone_or_kept
FROM (SELECT sum(captured) AS captured, sum(applied + late + surplus + held + unmatched) AS by_purpose, sum(refunded + disputed + refund_open + kept) AS gone_or_kept, sum(refunded) AS refunded, sum(disputed) AS disputed
	FROM order_ext.money_report WHERE pay_type = 'mr') s;
SELECT invariant, severity, entity, expected, actual, :'seed' AS seed FROM order_ext.verify() WHERE severity = 'error';
