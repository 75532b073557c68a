-- Random lives of orders after they were signed, against the rules and not against the code:
-- carts with coupons, freight and several lines of a sku, paid through the sandbox, then applications of random pieces
-- and kinds, accepted, rejected, reopened, revoked, closed, received in order, damaged and in
-- wrong quantities, in parts, decided about and never, in random order; at last everything that is
-- left goes back. Every step: what is paid back stays within what was paid, line by line, and each
-- receipt and decision pays what a model of its own says (t.random_model). At the end: equal to the
-- cent, the freight once, the coupon back, every piece accounted for, verify() clean.
-- To play a seed again: PGOPTIONS='-c order_test.seed=0.123' script/test regress.
SELECT coalesce(nullif(current_setting('order_test.seed', true), ''), (random() * 2 - 1)::numeric(6, 4)::text) AS seed \gset
SET client_min_messages = log;
\set QUIET on
CREATE TABLE t.random_lives (life integer PRIMARY KEY, order_id bigint, steps text[] DEFAULT '{}');
CREATE TABLE t.random_wrong (life integer, what text);
-- the stock rows of their own: nobody else moves them
SELECT count(order_ext.put_product('RND-' || i, 'random', (ARRAY[0, 1, 3, 7, 10, 99, 1000, 123457])[i])) FROM generate_series(1, 8) AS i;
SELECT count(order_ext.adjust_stock('RND-' || i, 100000)) FROM generate_series(1, 8) AS i;
SELECT order_ext.put_freight('RND', 13), order_ext.sandbox_set('succeeded', 1);

CREATE FUNCTION t.random_int(low integer, high integer) RETURNS integer LANGUAGE sql VOLATILE
	RETURN low + floor(random() * (high - low + 1))::integer;
-- pieces of the order that are in no live after-sale
CREATE FUNCTION t.random_left(o bigint) RETURNS TABLE (line integer, n integer) LANGUAGE sql VOLATILE AS $$
	SELECT i.line, i.quantity - coalesce(sum(s.quantity) FILTER (WHERE a.status NOT IN ('rejected', 'closed', 'revoked')), 0)::integer
	FROM order_ext.order_items_view i
	LEFT JOIN order_ext.after_sale_items_view s ON s.order_id = i.order_id AND s.line = i.line
	LEFT JOIN order_ext.after_sales_view a ON a.after_sale_id = s.after_sale_id
	WHERE i.order_id = o GROUP BY i.line, i.quantity
$$;
-- a line of the order, by its number or, where that tells which one is meant, by its sku
CREATE FUNCTION t.random_line(o bigint, l integer) RETURNS jsonb LANGUAGE sql VOLATILE
	RETURN (SELECT CASE WHEN random() < 0.5 OR EXISTS (SELECT FROM order_ext.order_items_view other
			WHERE other.order_id = o AND other.sku = i.sku AND other.line <> l)
		THEN jsonb_build_object('line', l) ELSE jsonb_build_object('sku', i.sku) END
		FROM order_ext.order_items_view i WHERE i.order_id = o AND i.line = l);
-- a call, and what it must say; what else it says is noted
CREATE FUNCTION t.random_call(l integer, expression text, expected text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	said text := t.go(expression);
BEGIN
	UPDATE t.random_lives SET steps = steps || (expression || ' -> ' || coalesce(said, 'NULL')) WHERE life = l;
	IF said IS NULL OR said !~ expected THEN
		INSERT INTO t.random_wrong VALUES (l, format('%s gave %s, expected %s', expression, said, expected));
	END IF;
	RETURN said;
END
$$;
CREATE FUNCTION t.random_lines(a bigint, more integer) RETURNS jsonb LANGUAGE sql VOLATILE
	RETURN (SELECT jsonb_agg(t.random_line(order_id, line) || jsonb_build_object('quantity', quantity + $2)) FROM order_ext.after_sale_items_view WHERE after_sale_id = $1);
-- within bounds, line by line: live and paid back
CREATE FUNCTION t.random_check(l integer, o bigint) RETURNS void LANGUAGE sql AS $$
	INSERT INTO t.random_wrong
	SELECT l, format('line %s: %s pieces, %s of %s', i.line, sum(s.quantity), sum(s.amount), i.pay)
	FROM order_ext.order_items_view i
	JOIN order_ext.after_sale_items_view s ON s.order_id = i.order_id AND s.line = i.line
	JOIN order_ext.after_sales_view a ON a.after_sale_id = s.after_sale_id
	WHERE i.order_id = o AND a.status NOT IN ('rejected', 'closed', 'revoked')
	GROUP BY i.line, i.quantity, i.pay
	HAVING sum(s.quantity) > i.quantity OR sum(s.amount) > i.pay OR (sum(s.quantity) = i.quantity AND sum(s.amount) <> i.pay) OR min(s.amount) < 0
	UNION ALL
	SELECT l, format('refunds of %s, paid %s', sum(r.amount), o.pay_amount) FROM order_ext.orders_view o JOIN order_ext.refunds_view r USING (order_id)
	WHERE o.order_id = random_check.o AND r.status <> 'withdrawn' GROUP BY o.pay_amount HAVING sum(r.amount) > o.pay_amount
	UNION ALL
	SELECT l, format('freight %s of %s, %s times', sum(a.freight), o.freight_amount, count(*)) FROM order_ext.orders_view o JOIN order_ext.after_sales_view a USING (order_id)
	WHERE o.order_id = random_check.o AND a.freight > 0 AND a.status NOT IN ('rejected', 'closed', 'revoked') GROUP BY o.freight_amount HAVING sum(a.freight) > o.freight_amount OR count(*) > 1
$$;

-- The model of returns: of a line of n pieces for pay, of which others had before when it was
-- priced, the first k pieces are worth floor(pay * (before + k) / n) - floor(pay * before / n), and
-- all of its quantity pieces its amount. got: paid for, came: received and not refused, hurt: damaged
-- pieces that nobody has decided about.
CREATE TABLE t.random_model (after_sale_id bigint, line integer, pay bigint, n integer, before integer, quantity integer, amount bigint,
	got integer DEFAULT 0, came integer DEFAULT 0, hurt integer DEFAULT 0, paid bigint DEFAULT 0, PRIMARY KEY (after_sale_id, line));
CREATE FUNCTION t.random_worth(m t.random_model, k integer) RETURNS bigint LANGUAGE sql IMMUTABLE
	RETURN CASE WHEN k >= m.quantity THEN m.amount ELSE least(m.amount, div(m.pay::numeric * (m.before + k), m.n) - div(m.pay::numeric * m.before, m.n)) END;
-- priced now, as told; what it takes itself is not before it
CREATE FUNCTION t.random_priced(a bigint) RETURNS void LANGUAGE sql AS $$
	DELETE FROM t.random_model WHERE after_sale_id = a;
	INSERT INTO t.random_model SELECT a, i.line, i.pay, i.quantity, i.quantity - f.n - s.quantity, s.quantity, s.amount
	FROM order_ext.after_sale_items_view s JOIN order_ext.order_items_view i ON i.order_id = s.order_id AND i.line = s.line
	JOIN LATERAL t.random_left(s.order_id) f ON f.line = i.line WHERE s.after_sale_id = a
$$;
-- pieces leave the after-sale
CREATE FUNCTION t.random_shrink(m t.random_model, pieces integer) RETURNS void LANGUAGE sql AS $$
	UPDATE t.random_model r SET quantity = r.quantity - pieces,
		amount = CASE WHEN pieces = 0 THEN r.amount WHEN r.quantity - pieces = r.got THEN r.paid ELSE greatest(t.random_worth(m, m.quantity - pieces), r.paid) END
	WHERE r.after_sale_id = m.after_sale_id AND r.line = m.line
$$;
-- What is due for pieces that are counted as got from now on, with the freight if nothing is waited for.
CREATE FUNCTION t.random_due(a bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	due bigint := 0;
	m t.random_model;
BEGIN
	FOR m IN SELECT * FROM t.random_model WHERE after_sale_id = a LOOP
		due := due + t.random_worth(m, m.got) - m.paid;
		UPDATE t.random_model SET paid = t.random_worth(m, m.got) WHERE after_sale_id = a AND line = m.line;
	END LOOP;
	RETURN due + CASE WHEN EXISTS (SELECT FROM t.random_model r WHERE r.after_sale_id = a AND (r.came < r.quantity OR r.hurt > 0)) THEN 0
		WHEN EXISTS (SELECT FROM t.random_model r JOIN order_ext.after_sale_items_view s USING (after_sale_id, line) WHERE r.after_sale_id = a AND s.refused + s.missing > 0) THEN 0
		ELSE (SELECT freight FROM order_ext.after_sales_view v WHERE v.after_sale_id = a) END;
END
$$;
CREATE FUNCTION t.random_paid(l integer, a bigint, what text, r order_ext.result) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	due bigint := t.random_due(a);
BEGIN
	UPDATE t.random_lives SET steps = steps || format('%s -> %s %s', what, t.show(r), r.detail) WHERE life = l;
	IF (r).disposition <> 'applied' OR coalesce(((r).detail->>'refund_amount')::bigint, 0) <> due THEN
		INSERT INTO t.random_wrong VALUES (l, format('%s gave %s %s, expected %s', what, t.show(r), r.detail, due));
	END IF;
	INSERT INTO t.random_wrong SELECT l, format('%s: line %s is %s, expected %s', what, line, to_jsonb(s), to_jsonb(m)) FROM t.random_model m JOIN order_ext.after_sale_items_view s USING (after_sale_id, line)
	WHERE after_sale_id = a AND (m.quantity, m.amount, m.got, m.came) IS DISTINCT FROM (s.quantity, s.amount, s.refunded, s.received - s.refused);
END
$$;
-- a receipt of pieces that are awaited: some of them, or all; some of those damaged, or none
CREATE FUNCTION t.random_receipt(l integer, a bigint, everything boolean) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	m t.random_model;
	o bigint := (SELECT order_id FROM order_ext.after_sales_view WHERE after_sale_id = a);
	ok integer;
	broken integer;
	lines jsonb := '[]';
	restock boolean := random() < 0.5;
BEGIN
	FOR m IN SELECT * FROM t.random_model WHERE after_sale_id = a AND came < quantity ORDER BY random() LOOP
		ok := CASE WHEN everything THEN m.quantity - m.came ELSE t.random_int(0, m.quantity - m.came) END;
		broken := CASE WHEN everything OR random() < 0.7 THEN 0 ELSE t.random_int(0, m.quantity - m.came - ok) END;
		CONTINUE WHEN ok + broken = 0;
		IF ok > 0 THEN
			lines := lines || jsonb_build_array(t.random_line(o, m.line) || jsonb_build_object('quantity', ok));
		END IF;
		IF broken > 0 THEN
			lines := lines || jsonb_build_array(t.random_line(o, m.line) || jsonb_build_object('quantity', broken, 'condition', 'damaged'));
		END IF;
		UPDATE t.random_model r SET got = r.got + ok, came = r.came + ok + broken, hurt = r.hurt + broken WHERE r.after_sale_id = a AND r.line = m.line;
	END LOOP;
	IF lines <> '[]' THEN
		PERFORM t.random_paid(l, a, format('return_receipt(%s, %L, %L)', a, lines, restock), order_ext.return_receipt(a, lines, restock, 'r-' || a || '-' || random()));
	END IF;
END
$$;
CREATE FUNCTION t.random_decision(l integer, a bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	m t.random_model;
	pay boolean := random() < 0.5;
	r order_ext.result := order_ext.resolve_damaged(a, pay);
BEGIN
	FOR m IN SELECT * FROM t.random_model WHERE after_sale_id = a AND hurt > 0 LOOP
		IF pay THEN
			UPDATE t.random_model SET got = got + hurt, hurt = 0 WHERE after_sale_id = a AND line = m.line;
		ELSE
			PERFORM t.random_shrink(m, m.hurt);
			UPDATE t.random_model SET came = came - hurt, hurt = 0 WHERE after_sale_id = a AND line = m.line;
		END IF;
	END LOOP;
	PERFORM t.random_paid(l, a, format('resolve_damaged(%s, %L)', a, pay), r);
END
$$;
-- what a timer has done meanwhile
CREATE FUNCTION t.random_lapsed(l integer, o bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	m t.random_model;
BEGIN
	FOR m IN SELECT r.* FROM t.random_model r JOIN order_ext.after_sale_items_view s USING (after_sale_id, line) WHERE s.order_id = o AND s.missing > 0 AND r.came < r.quantity LOOP
		PERFORM t.random_shrink(m, m.quantity - m.came);
		UPDATE t.random_lives SET steps = steps || format('lapsed %s', m) WHERE life = l;
	END LOOP;
	INSERT INTO t.random_wrong SELECT l, format('lapsed: line %s is %s, expected %s', line, to_jsonb(s), to_jsonb(w)) FROM t.random_model w JOIN order_ext.after_sale_items_view s USING (after_sale_id, line)
	WHERE s.order_id = o AND (w.quantity, w.amount) IS DISTINCT FROM (s.quantity, s.amount);
END
$$;

CREATE PROCEDURE t.random_order(l integer) LANGUAGE plpgsql AS $$
DECLARE
	items text := (SELECT string_agg('RND-' || n || ':' || t.random_int(1, CASE WHEN random() < 0.2 THEN 40 ELSE 5 END) || color, ',')
				   FROM (SELECT n, color FROM generate_series(1, t.random_int(1, 8)) AS n, unnest(ARRAY['', ':red', ':blue']) AS color
						 ORDER BY random() LIMIT t.random_int(1, 6)) AS picked);
	coupon bigint := CASE WHEN random() < 0.6 THEN order_ext.issue_coupon(7600, (ARRAY[1, 2, 5, 50, 5000])[t.random_int(1, 5)]) END;
BEGIN
	CALL t.to_status('random', items, 'signed', coupon, CASE WHEN random() < 0.7 THEN 'RND' END, 'sandbox');
	INSERT INTO t.random_lives (life, order_id) VALUES (l, t.id('random'));
END
$$;

CREATE PROCEDURE t.random_step(l integer, o bigint, last boolean) LANGUAGE plpgsql AS $$
DECLARE
	a record;
	lines jsonb;
	kind text := CASE WHEN random() < 0.3 THEN 'refund_only' ELSE 'return_refund' END;
	dice double precision := random();
BEGIN
	PERFORM t.random_lapsed(l, o);
	PERFORM set_config('order_ext.return_window', CASE WHEN random() < CASE WHEN l % 3 = 0 THEN 0.8 ELSE 0.1 END THEN '0' ELSE '7d' END, false);
	SELECT v.*, EXISTS (SELECT FROM order_ext.refunds_view r WHERE r.after_sale_id = v.after_sale_id AND r.attempt > 0) AS claimed INTO a
	FROM order_ext.after_sales_view v WHERE v.order_id = o AND (v.status IN ('applied', 'approved') OR v.status = 'refunding' OR (NOT last AND v.status = 'rejected')) ORDER BY random() LIMIT 1;
	IF a IS NULL OR (NOT last AND dice < 0.3) THEN
		SELECT jsonb_agg(t.random_line(o, line) || jsonb_build_object('quantity', CASE WHEN last THEN n ELSE t.random_int(1, n) END)) INTO lines
		FROM (SELECT * FROM t.random_left(o) WHERE n > 0 ORDER BY random() LIMIT CASE WHEN last THEN 100 ELSE t.random_int(1, 2) END) AS picked;
		IF lines IS NULL THEN
			PERFORM t.random_call(l, format('order_ext.apply_after_sale(%s, 7600, %L, %L)', o, kind, jsonb_build_array(t.random_line(o, 1) || '{"quantity": 1}')), '^OE501$');
		ELSIF dice < 0.05 THEN
			-- a sku tells which line is meant only if it stands in one
			PERFORM t.random_call(l, format('order_ext.apply_after_sale(%s, 7600, %L, %L)', o, kind, jsonb_build_array(jsonb_build_object('sku', sku, 'quantity', 1))), '^22023$')
			FROM order_ext.order_items_view WHERE order_id = o GROUP BY sku HAVING count(*) > 1;
		ELSE
			PERFORM t.random_call(l, format('order_ext.apply_after_sale(%s, 7600, %L, %L)', o, kind, lines), '^applied applied v1$');
			PERFORM t.random_priced(max(after_sale_id)) FROM order_ext.after_sales_view WHERE order_id = o;
		END IF;
	ELSIF a.status = 'rejected' THEN
		PERFORM t.random_call(l, format('order_ext.reopen_after_sale(%s)', a.after_sale_id), CASE WHEN EXISTS (
			SELECT FROM order_ext.after_sale_items_view s JOIN t.random_left(o) f USING (line) WHERE s.after_sale_id = a.after_sale_id AND s.quantity > f.n) THEN '^OE501$' ELSE '^applied applied' END);
		PERFORM t.random_priced(after_sale_id) FROM order_ext.after_sales_view WHERE after_sale_id = a.after_sale_id AND status = 'applied';
	ELSIF a.status = 'applied' THEN
		IF last OR dice < 0.6 THEN
			PERFORM t.random_call(l, format('order_ext.review_after_sale(%s, true)', a.after_sale_id), '^applied (approved|refunded) ');
		ELSIF dice < 0.8 THEN
			PERFORM t.random_call(l, format('order_ext.review_after_sale(%s, false, ''no'')', a.after_sale_id), '^applied rejected');
		ELSE
			PERFORM t.random_call(l, format('order_ext.revoke_after_sale(%s, 7600)', a.after_sale_id), '^applied revoked');
		END IF;
	ELSIF a.return_status = 'damaged' AND (last OR dice < 0.7) THEN
		PERFORM t.random_decision(l, a.after_sale_id);
	ELSIF a.return_status IN ('partly_received', 'damaged') THEN
		IF NOT last AND dice > 0.9 THEN
			PERFORM t.random_call(l, format('order_ext.close_after_sale(%s, ''damaged'')', a.after_sale_id), CASE WHEN a.status = 'approved' AND NOT a.claimed THEN '^applied closed' ELSE '^OE101$' END);
		ELSIF dice > 0.8 THEN
			CALL t.sandbox_settle();
		ELSE
			PERFORM t.random_receipt(l, a.after_sale_id, last AND dice < 0.5);
		END IF;
	ELSIF a.return_status IN ('to_send', 'in_transit') THEN
		IF NOT last AND dice < 0.4 THEN
			PERFORM t.random_call(l, format('order_ext.return_shipment(%s, ''SF'', %L)', a.after_sale_id, a.after_sale_id), CASE a.return_status WHEN 'to_send' THEN '^applied approved' ELSE '^replayed approved' END);
		ELSIF NOT last AND dice < 0.45 THEN
			PERFORM t.random_call(l, format('order_ext.return_receipt(%s, %L, true)', a.after_sale_id, jsonb_build_array(jsonb_build_object('sku', s.sku, 'quantity', s.quantity))), '^held approved')
			FROM order_ext.after_sale_items_view s WHERE s.after_sale_id = a.after_sale_id
				AND (SELECT count(*) FROM order_ext.order_items_view i WHERE i.order_id = o AND i.sku = s.sku) > 1;
		ELSIF NOT last AND dice < 0.5 THEN
			PERFORM t.random_call(l, format('order_ext.return_receipt(%s, %L, true)', a.after_sale_id, t.random_lines(a.after_sale_id, 1)), '^held approved');
		ELSIF NOT last AND dice < 0.75 THEN
			PERFORM t.random_call(l, format('order_ext.revoke_after_sale(%s, 7600)', a.after_sale_id), CASE a.return_status WHEN 'to_send' THEN '^applied revoked' ELSE '^OE101$' END);
		ELSE
			PERFORM t.random_receipt(l, a.after_sale_id, dice > 0.9);
		END IF;
	ELSIF last OR dice < 0.7 OR a.status = 'refunding' THEN
		CALL t.sandbox_settle();
	ELSE
		PERFORM t.random_call(l, format('order_ext.%s(%s, %s)', CASE WHEN a.return_status IS NULL AND dice < 0.85 THEN 'revoke_after_sale' ELSE 'close_after_sale' END, a.after_sale_id,
			CASE WHEN a.return_status IS NULL AND dice < 0.85 THEN '7600' ELSE '''x''' END), '^applied (closed|revoked)');
	END IF;
	PERFORM t.random_check(l, o);
END
$$;
-- claim, call the sandbox, record: two transactions
CREATE PROCEDURE t.sandbox_settle() LANGUAGE plpgsql AS $$
BEGIN
	COMMIT;
	PERFORM order_ext.dispatch();
	COMMIT;
	PERFORM order_ext.dispatch();
	COMMIT;
END
$$;
CREATE PROCEDURE t.random_life(l integer) LANGUAGE plpgsql AS $$
DECLARE
	o bigint;
	tries integer := 0;
BEGIN
	CALL t.random_order(l);
	o := (SELECT order_id FROM t.random_lives WHERE life = l);
	FOR i IN 1..t.random_int(3, 14) LOOP
		CALL t.random_step(l, o, false);
		COMMIT;
	END LOOP;
	-- everything goes back
	LOOP
		EXIT WHEN NOT EXISTS (SELECT FROM t.random_left(o) WHERE n > 0) AND NOT EXISTS (
			SELECT FROM order_ext.after_sales_view WHERE order_id = o AND status IN ('applied', 'approved', 'refunding'));
		tries := tries + 1;
		IF tries > 200 THEN
			INSERT INTO t.random_wrong VALUES (l, 'comes to no end');
			EXIT;
		END IF;
		CALL t.random_step(l, o, true);
		COMMIT;
	END LOOP;
	INSERT INTO t.random_wrong
	SELECT l, format('paid back %s of %s', coalesce(sum(r.amount), 0), v.pay_amount) FROM order_ext.orders_view v
	LEFT JOIN order_ext.refunds_view r ON r.order_id = v.order_id AND r.status = 'succeeded'
	WHERE v.order_id = o GROUP BY v.pay_amount HAVING coalesce(sum(r.amount), 0) <> v.pay_amount;
	INSERT INTO t.random_wrong
	SELECT l, format('coupon %s by %s', c.status, c.order_id) FROM order_ext.orders_view v JOIN order_ext.coupons_view c ON c.coupon_id = v.coupon_id
	WHERE v.order_id = o AND (c.status <> 'unused' OR c.order_id IS NOT NULL);
	COMMIT;
END
$$;

SELECT setseed(:seed) IS NULL AS seeded;
CREATE PROCEDURE t.random_lives(n integer) LANGUAGE plpgsql AS $$
BEGIN
	FOR l IN 1..n LOOP
		CALL t.random_life(l);
	END LOOP;
END
$$;
CALL t.random_lives(30);
RESET order_ext.return_window;
SELECT count(*) AS lives FROM t.random_lives;
-- what went wrong, with the seed and the steps to see it again: nothing
SELECT w.*, :'seed' AS seed, l.steps FROM t.random_wrong w JOIN t.random_lives l USING (life);
-- the sandbox paid what the refunds say, once each
SELECT count(*) AS differing FROM order_ext.refunds_view r JOIN t.random_lives USING (order_id) FULL JOIN order_ext.sandbox_ledger s USING (refund_id)
WHERE EXISTS (SELECT FROM t.random_lives l WHERE l.order_id = r.order_id) AND ((r.status = 'succeeded') <> (coalesce(s.outcome, '') = 'succeeded') OR (s.amount <> r.amount));
-- every piece is available, sold for good or written off
SELECT count(*) AS wrong_stock FROM generate_series(1, 8) AS i, order_ext.stock_level('RND-' || i) AS s,
	LATERAL (SELECT coalesce(sum(l.consumed_delta + l.available_delta), 0) AS lost FROM order_ext.stock_ledger_view l WHERE l.sku = 'RND-' || i AND l.kind = 'write_off') AS w
WHERE s.available + s.reserved + s.consumed - w.lost <> 100000 OR s.reserved <> 0;
SELECT invariant, severity, entity, expected, actual FROM order_ext.verify() WHERE severity = 'error';
