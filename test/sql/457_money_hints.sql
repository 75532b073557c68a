-- Random lives of orders; along them, every call is tried about everything of the order, and not
-- done. Where one is refused, what its hint names works in that very state, no DETAIL tells of less
-- than nothing, allowed_actions lists what works, and money that is left of a capture can go back by
-- a call of staff.
-- To play a seed again: PGOPTIONS='-c order_test.seed=0.123' script/test regress.
SELECT coalesce(nullif(current_setting('order_test.seed', true), ''), (random() * 2 - 1)::numeric(6, 4)::text) AS seed \gset
SET client_min_messages = log;
\set QUIET on
SELECT count(order_ext.put_product('MH-' || i, 'hints', (ARRAY[0, 7, 99, 1000, 300])[i], CASE WHEN i = 5 THEN 'virtual' ELSE 'normal' END)), count(order_ext.adjust_stock('MH-' || i, 100000)) FROM generate_series(1, 5) AS i;
SELECT order_ext.put_freight('MH', 13), order_ext.set_channel('mh-external', true);
CREATE TABLE t.mh_lives (life integer PRIMARY KEY, order_id bigint, steps text[] DEFAULT '{}');
CREATE TABLE t.mh_wrong (life integer, step integer, what text);
CREATE TABLE t.mh_seen (code text, hint text, n bigint, PRIMARY KEY (code, hint));
CREATE FUNCTION t.mh_int(low bigint, high bigint) RETURNS bigint LANGUAGE sql VOLATILE RETURN low + floor(random() * (high - low + 1))::bigint;
CREATE FUNCTION t.mh_pick(VARIADIC a text[]) RETURNS text LANGUAGE sql VOLATILE RETURN a[t.mh_int(1, array_length(a, 1))];
CREATE SEQUENCE t.mh_no;
-- What an expression would give, without doing it.
CREATE FUNCTION t.mh_try(expression text, OUT said text, OUT code text, OUT hint text, OUT detail text) LANGUAGE plpgsql AS $$
BEGIN
	BEGIN
		IF expression ~ '^order_ext\.(claim_refunds|calculate_refund|allowed_actions)' THEN
			EXECUTE 'SELECT coalesce(max(''applied''), ''none'') FROM ' || expression INTO said;
		ELSE
			EXECUTE 'SELECT (' || expression || ').disposition' INTO said;
		END IF;
		RAISE EXCEPTION 'undo' USING ERRCODE = 'P0099';
	EXCEPTION WHEN SQLSTATE 'P0099' THEN
		NULL;
	WHEN OTHERS THEN
		GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
		said := code;
		IF code NOT LIKE 'OE%' THEN hint := hint || ' ' || SQLERRM; END IF;
	END;
END
$$;
CREATE FUNCTION t.mh_line(o bigint) RETURNS jsonb LANGUAGE sql VOLATILE RETURN
	(SELECT jsonb_build_array(jsonb_build_object('line', line, 'quantity', t.mh_int(1, quantity))) FROM order_ext.order_items_view WHERE order_id = o ORDER BY random() LIMIT 1);
-- The calls with this name that could be meant, about an order or the after-sale, payment or refund of the error.
CREATE FUNCTION t.mh_calls(name text, o bigint, a bigint, p bigint, r bigint) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
	CASE name
	WHEN 'cancel_order' THEN RETURN NEXT format('order_ext.cancel_order(%s)', o);
	WHEN 'refund_order' THEN RETURN NEXT format('order_ext.refund_order(%s)', o);
	WHEN 'apply_after_sale' THEN RETURN QUERY SELECT format('order_ext.apply_after_sale(%s, 7001, ''refund_only'', %L)', o, jsonb_build_array(jsonb_build_object('line', line, 'quantity', 1))) FROM order_ext.order_items_view WHERE order_id = o;
	WHEN 'calculate_refund' THEN RETURN QUERY SELECT format('order_ext.calculate_refund(%s, %L)', o, jsonb_build_array(jsonb_build_object('line', line, 'quantity', 1))) FROM order_ext.order_items_view WHERE order_id = o;
	WHEN 'shipment_event' THEN RETURN QUERY SELECT format('order_ext.shipment_event(%s, ''x'', %L)', o, k) FROM unnest('{picked,out_stock,delivering,signed,refused,lost,returned}'::text[]) k;
	WHEN 'resolve_held_payment' THEN RETURN QUERY SELECT format('order_ext.resolve_held_payment(%s, %L)', payment_id, d) FROM order_ext.payments_view, unnest('{refund,accept,duplicate}'::text[]) d WHERE CASE WHEN p IS NULL THEN order_id = o ELSE payment_id = p END;
	WHEN 'assign_payment' THEN RETURN QUERY SELECT format('order_ext.assign_payment(%s, %s)', p, t.id('mh spare'));
	WHEN 'retry_refund' THEN RETURN QUERY SELECT format('order_ext.retry_refund(%s)', refund_id) FROM order_ext.refunds_view WHERE CASE WHEN r IS NOT NULL THEN refund_id = r WHEN a IS NOT NULL THEN after_sale_id = a ELSE order_id = o END;
	WHEN 'withdraw_refund' THEN RETURN QUERY SELECT format('order_ext.withdraw_refund(%s, ''x'')', refund_id) FROM order_ext.refunds_view WHERE CASE WHEN a IS NOT NULL THEN after_sale_id = a ELSE order_id = o END;
	WHEN 'settle_refund' THEN RETURN QUERY SELECT format('order_ext.settle_refund(%s, %s, ''x'')', refund_id, amount) FROM order_ext.refunds_view WHERE CASE WHEN r IS NOT NULL THEN refund_id = r WHEN a IS NOT NULL THEN after_sale_id = a ELSE order_id = o END;
	WHEN 'refund_callback' THEN RETURN QUERY SELECT format('order_ext.refund_callback(%s, ''succeeded'')', refund_id) FROM order_ext.refunds_view WHERE CASE WHEN r IS NOT NULL THEN refund_id = r WHEN a IS NOT NULL THEN after_sale_id = a ELSE order_id = o END;
	WHEN 'review_after_sale' THEN RETURN QUERY SELECT format('order_ext.review_after_sale(%s, true)', after_sale_id) FROM order_ext.after_sales_view WHERE CASE WHEN a IS NOT NULL THEN after_sale_id = a ELSE order_id = o END;
	WHEN 'reopen_after_sale' THEN RETURN QUERY SELECT format('order_ext.reopen_after_sale(%s)', after_sale_id) FROM order_ext.after_sales_view WHERE CASE WHEN a IS NOT NULL THEN after_sale_id = a ELSE order_id = o END;
	WHEN 'close_after_sale' THEN RETURN QUERY SELECT format('order_ext.close_after_sale(%s, ''x'')', after_sale_id) FROM order_ext.after_sales_view WHERE CASE WHEN a IS NOT NULL THEN after_sale_id = a ELSE order_id = o END;
	WHEN 'revoke_after_sale' THEN RETURN QUERY SELECT format('order_ext.revoke_after_sale(%s, 7001)', after_sale_id) FROM order_ext.after_sales_view WHERE CASE WHEN a IS NOT NULL THEN after_sale_id = a ELSE order_id = o END;
	WHEN 'resolve_damaged' THEN RETURN QUERY SELECT format('order_ext.resolve_damaged(%s, true)', after_sale_id) FROM order_ext.after_sales_view WHERE CASE WHEN a IS NOT NULL THEN after_sale_id = a ELSE order_id = o END;
	WHEN 'return_receipt' THEN RETURN QUERY SELECT format('order_ext.return_receipt(%s, %L, true, ''x'')', after_sale_id, jsonb_build_array(jsonb_build_object('line', line, 'quantity', 1))) FROM order_ext.after_sale_items_view i JOIN order_ext.after_sales_view v USING (after_sale_id) WHERE CASE WHEN a IS NOT NULL THEN after_sale_id = a ELSE v.order_id = o END;
	WHEN 'return_shipment' THEN RETURN QUERY SELECT format('order_ext.return_shipment(%s, ''c'', ''t'')', after_sale_id) FROM order_ext.after_sales_view v WHERE v.order_id = o;
	WHEN 'fulfilment_cancel_result' THEN RETURN NEXT format('order_ext.fulfilment_cancel_result(%s, true, ''x'')', o);
	WHEN 'pre_pay_order' THEN RETURN NEXT format('order_ext.pre_pay_order(%s, ''mh'', (SELECT pay_amount FROM order_ext.orders_view WHERE order_id = %s))', o, o);
	WHEN 'pay_callback' THEN RETURN NEXT format('order_ext.pay_callback(%s, ''T-x'', ''mh'', (SELECT pay_amount FROM order_ext.orders_view WHERE order_id = %s))', o, o);
	WHEN 'change_address' THEN RETURN NEXT format('order_ext.change_address(%s, 7001, ''{"a": "%s"}'')', o, nextval('t.mh_no'));
	WHEN 'extend_deadline' THEN RETURN NEXT format('order_ext.extend_deadline(%s, now() + interval ''1 day'')', o);
	WHEN 'remove_order' THEN RETURN NEXT format('order_ext.remove_order(%s, 7001)', o);
	WHEN 'confirm_receipt' THEN RETURN NEXT format('order_ext.confirm_receipt(%s, 7001)', o);
	WHEN 'report_shortage' THEN RETURN QUERY SELECT format('order_ext.report_shortage(%s, %L)', o, jsonb_build_array(jsonb_build_object('line', line, 'quantity', 1))) FROM order_ext.order_items_view WHERE order_id = o;
	ELSE NULL;
	END CASE;
END
$$;
CREATE FUNCTION t.mh_works(name text, o bigint, a bigint, p bigint, r bigint) RETURNS boolean LANGUAGE sql VOLATILE AS $$
	SELECT coalesce(bool_or((SELECT said ~ '^(applied|intercept_pending|late_refund_queued|surplus_refund_queued|amount_mismatch_held)$' FROM t.mh_try(c))), false) FROM t.mh_calls(name, o, a, p, r) AS c
$$;
-- Every call about everything of the order: if it is refused, does what the hint names work?
CREATE FUNCTION t.mh_check(l integer, s integer, o bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	c record;
	x record;
	n text;
	calls text[] := '{cancel_order,refund_order,apply_after_sale,calculate_refund,shipment_event,resolve_held_payment,assign_payment,retry_refund,withdraw_refund,settle_refund,refund_callback,review_after_sale,reopen_after_sale,close_after_sale,revoke_after_sale,resolve_damaged,return_receipt,return_shipment,fulfilment_cancel_result,pre_pay_order,pay_callback,change_address,extend_deadline,remove_order,confirm_receipt,report_shortage}';
	allowed text[] := (SELECT coalesce(array_agg(a), '{}') FROM order_ext.allowed_actions(o) a);
	works boolean;
BEGIN
	-- what is said to be allowed works, and the rest does not
	FOREACH n IN ARRAY calls LOOP
		CONTINUE WHEN n IN ('withdraw_refund', 'settle_refund', 'refund_callback', 'retry_refund', 'assign_payment', 'calculate_refund', 'shipment_event', 'pay_callback', 'return_shipment');
		works := t.mh_works(n, o, NULL, NULL, NULL);
		IF n = 'resolve_held_payment' THEN
			works := EXISTS (SELECT FROM t.mh_calls(n, o, NULL, NULL, NULL) AS e WHERE e ~ 'refund''' AND (SELECT said = 'applied' FROM t.mh_try(e)));
		END IF;
		IF works <> (n = ANY (allowed)) AND NOT (n = 'cancel_order' AND works) AND NOT (n = 'resolve_held_payment' AND works) THEN
			INSERT INTO t.mh_wrong VALUES (l, s, format('%s is %s allowed, but %s', n, CASE WHEN n = ANY (allowed) THEN '' ELSE 'not' END, CASE WHEN works THEN 'works' ELSE 'does not work' END));
		END IF;
	END LOOP;
	FOR c IN
		SELECT e, a AS after_sale, p AS payment, r AS refund FROM (
			SELECT e, NULL::bigint AS a, NULL::bigint AS p, NULL::bigint AS r FROM unnest(calls) AS f, t.mh_calls(f, o, NULL, NULL, NULL) e WHERE f IN ('cancel_order', 'refund_order', 'apply_after_sale', 'calculate_refund', 'pre_pay_order', 'change_address', 'extend_deadline', 'remove_order', 'confirm_receipt', 'report_shortage')
			UNION ALL SELECT format('order_ext.refund_order(%s, 100000)', o), NULL, NULL, NULL
			UNION ALL SELECT format('order_ext.refund_order(%s, 1)', o), NULL, NULL, NULL
			UNION ALL SELECT format('order_ext.refund_order(%s, freight => true)', o), NULL, NULL, NULL
			UNION ALL SELECT e, v.after_sale_id, NULL, NULL FROM order_ext.after_sales_view v, unnest('{review_after_sale,reopen_after_sale,close_after_sale,revoke_after_sale,resolve_damaged,return_receipt}'::text[]) AS f, t.mh_calls(f, o, v.after_sale_id, NULL, NULL) e WHERE v.order_id = o
			UNION ALL SELECT e, NULL, v.payment_id, NULL FROM order_ext.payments_view v, unnest('{resolve_held_payment,assign_payment}'::text[]) AS f, t.mh_calls(f, o, NULL, v.payment_id, NULL) e WHERE v.order_id = o
			UNION ALL SELECT e, NULL, NULL, v.refund_id FROM order_ext.refunds_view v, LATERAL (VALUES (format('order_ext.withdraw_refund(%s, ''x'')', refund_id)), (format('order_ext.settle_refund(%s, %s, ''x'')', refund_id, amount + 1)), (format('order_ext.settle_refund(%s, 100000, ''x'')', refund_id)), (format('order_ext.retry_refund(%s)', refund_id))) w(e) WHERE v.order_id = o) q
	LOOP
		SELECT * INTO x FROM t.mh_try(c.e);
		CONTINUE WHEN x.code IS NULL;
		IF x.code !~ '^OE(101|103|301|401|501|503|302)$' THEN
			INSERT INTO t.mh_wrong VALUES (l, s, format('%s: %s %s', c.e, x.code, x.hint));
		END IF;
		IF x.detail ~ '(^| )-\d' THEN
			INSERT INTO t.mh_wrong VALUES (l, s, format('%s: %s', c.e, x.detail));
		END IF;
		INSERT INTO t.mh_seen VALUES (x.code, coalesce(x.hint, 'none, of ' || substring(c.e from 'order_ext.(\w+)')), 1) ON CONFLICT (code, hint) DO UPDATE SET n = mh_seen.n + 1;
		IF x.hint IS NULL OR x.hint = '' THEN
			INSERT INTO t.mh_wrong VALUES (l, s, format('%s: %s %s without hint', c.e, x.code, x.detail));
		END IF;
		FOREACH n IN ARRAY calls LOOP
			IF x.hint ~ ('\m' || n || '\M') AND NOT t.mh_works(n, o, c.after_sale, c.payment, c.refund) AND NOT (t.mh_works(n, o, NULL, NULL, NULL)) THEN
				INSERT INTO t.mh_wrong VALUES (l, s, format('%s: %s %s hint %s', c.e, x.code, x.detail, x.hint));
			END IF;
		END LOOP;
	END LOOP;
	-- money has a way
	FOR x IN SELECT p.payment_id, p.purpose, p.amount - coalesce((SELECT sum(r.amount) FROM order_ext.refunds_view r LEFT JOIN order_ext.after_sales_view a USING (after_sale_id) WHERE r.payment_id = p.payment_id
		AND (r.status IN ('requested', 'submitted', 'succeeded') OR (r.status = 'failed' AND (a.status IS NULL OR a.status NOT IN ('rejected', 'closed', 'revoked'))))), 0) AS rest
		FROM order_ext.payments_view p WHERE p.order_id = o AND p.status = 'captured' AND p.purpose <> 'duplicate' LOOP
		IF x.rest > 0 AND (SELECT said FROM t.mh_try(CASE WHEN x.purpose = 'applied' THEN format('order_ext.refund_order(%s)', o) ELSE format('order_ext.resolve_held_payment(%s, ''refund'')', x.payment_id) END)) <> 'applied' THEN
			INSERT INTO t.mh_wrong VALUES (l, s, format('money of payment %s (%s) has no way back: %s', x.payment_id, x.purpose, x.rest));
		END IF;
	END LOOP;
	FOR x IN SELECT r.* FROM order_ext.refunds_view r LEFT JOIN order_ext.after_sales_view a USING (after_sale_id) WHERE r.order_id = o AND r.status = 'failed' AND (a.status IS NULL OR a.status NOT IN ('rejected', 'closed', 'revoked')) LOOP
		IF (SELECT said FROM t.mh_try(format('order_ext.retry_refund(%s)', x.refund_id))) <> 'applied' THEN
			INSERT INTO t.mh_wrong VALUES (l, s, format('failed refund %s cannot be retried', x.refund_id));
		END IF;
	END LOOP;
END
$$;
CREATE FUNCTION t.mh_go(l integer, expression text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	said text := t.go(expression);
BEGIN
	UPDATE t.mh_lives SET steps = steps || (expression || ' -> ' || coalesce(said, 'NULL')) WHERE life = l;
	IF said !~ '^(OE|[a-z]|\d{1,2}$)' THEN INSERT INTO t.mh_wrong VALUES (l, NULL, expression || ': ' || said); END IF;
	RETURN said;
END
$$;
CREATE PROCEDURE t.mh_step(l integer, o bigint) LANGUAGE plpgsql AS $$
DECLARE
	p record; r record; a record;
	no text := 'MH-' || nextval('t.mh_no');
	st text := (SELECT status FROM order_ext.orders_view WHERE order_id = o);
	due bigint := (SELECT pay_amount FROM order_ext.orders_view WHERE order_id = o);
	kind text;
BEGIN
	SELECT v.* INTO p FROM order_ext.payments_view v WHERE v.order_id = o AND v.purpose IS NOT NULL AND v.amount > 0 ORDER BY random() LIMIT 1;
	SELECT v.* INTO r FROM order_ext.refunds_view v WHERE v.order_id = o AND v.cause NOT IN ('recorded', 'dispute') ORDER BY random() LIMIT 1;
	SELECT v.* INTO a FROM order_ext.after_sales_view v WHERE v.order_id = o ORDER BY random() LIMIT 1;
	CASE t.mh_int(1, 27)
	WHEN 1 THEN PERFORM t.mh_go(l, format('order_ext.pay_callback(%s, %L, ''mh'', %s)', o, 'T-' || no, t.mh_pick(due::text, t.mh_int(0, due + 20)::text)));
	WHEN 2 THEN IF random() < 0.5 AND due > 0 THEN PERFORM t.mh_go(l, format('order_ext.pay_callback(%s, %L, ''mh'', %s)', o, 'T-' || no, due)); END IF;
	WHEN 3 THEN IF random() < 0.3 THEN PERFORM t.mh_go(l, format('order_ext.cancel_order(%s, refund_policy => %L)', o, t.mh_pick('full', 'hold'))); END IF;
	WHEN 4, 5, 6 THEN
		IF random() < 0.7 THEN kind := (CASE st WHEN 'paid' THEN NULL WHEN 'fulfilling' THEN 'out_stock' WHEN 'out_stock' THEN 'delivering' WHEN 'delivering' THEN t.mh_pick('signed', 'signed', 'refused', 'lost', 'returned') END);
		ELSE kind := t.mh_pick('picked', 'out_stock', 'delivering', 'signed', 'refused', 'lost', 'returned'); END IF;
		IF kind IS NOT NULL THEN PERFORM t.mh_go(l, format('order_ext.shipment_event(%s, %L, %L)', o, no, kind)); END IF;
	WHEN 7 THEN PERFORM t.mh_go(l, format('order_ext.apply_after_sale(%s, 7001, %L, %L)', o, t.mh_pick('refund_only', 'return_refund'), t.mh_line(o)));
	WHEN 8 THEN PERFORM t.mh_go(l, format('order_ext.refund_order(%s, %s)', o, t.mh_int(1, due)));
	WHEN 9 THEN IF random() < 0.3 THEN PERFORM t.mh_go(l, format('order_ext.refund_order(%s)', o)); END IF;
	WHEN 10 THEN PERFORM t.mh_go(l, format('order_ext.refund_order(%s, lines => %L, freight => %L)', o, t.mh_line(o), random() < 0.3));
	WHEN 11, 12 THEN PERFORM t.mh_go(l, format('(SELECT count(*) FROM order_ext.claim_refunds(%s, ''mh'', ''1 hour''))', t.mh_int(1, 3)));
	WHEN 13, 14 THEN IF r.refund_id IS NOT NULL THEN PERFORM t.mh_go(l, format('order_ext.refund_callback(%s, %L)', r.refund_id, t.mh_pick('succeeded', 'succeeded', 'failed'))); END IF;
	WHEN 15 THEN IF r.refund_id IS NOT NULL THEN PERFORM t.mh_go(l, format('order_ext.settle_refund(%s, %s, ''fee'')', r.refund_id, t.mh_int(1, r.amount))); END IF;
	WHEN 16 THEN IF r.refund_id IS NOT NULL THEN PERFORM t.mh_go(l, format('order_ext.withdraw_refund(%s, ''why'')', r.refund_id)); END IF;
	WHEN 17 THEN IF r.refund_id IS NOT NULL THEN PERFORM t.mh_go(l, format('order_ext.retry_refund(%s)', r.refund_id)); END IF;
	WHEN 18 THEN IF p.payment_id IS NOT NULL THEN PERFORM t.mh_go(l, format('order_ext.resolve_held_payment(%s, %L, %L)', p.payment_id, t.mh_pick('refund', 'refund', 'accept', 'duplicate'), random() < 0.5)); END IF;
	WHEN 19 THEN IF p.payment_id IS NOT NULL THEN PERFORM t.mh_go(l, format('order_ext.record_refund(%s, %L, ''mh'', %L, %s)', o, p.out_trade_no, no, t.mh_int(1, p.amount))); END IF;
	WHEN 20 THEN IF p.payment_id IS NOT NULL THEN
		SELECT d.* INTO r FROM order_ext.disputes_view d WHERE d.payment_id = p.payment_id AND d.status = 'opened' LIMIT 1;
		PERFORM t.mh_go(l, format('order_ext.payment_disputed(%s, %L, ''mh'', %L, %L, %s)', o, p.out_trade_no, coalesce(r.dispute_no, no), CASE WHEN r.dispute_no IS NULL THEN 'opened' ELSE t.mh_pick('won', 'lost') END, t.mh_int(1, p.amount))); END IF;
	WHEN 21 THEN IF a.after_sale_id IS NOT NULL THEN PERFORM t.mh_go(l, format('order_ext.review_after_sale(%s, %L)', a.after_sale_id, random() < 0.8)); END IF;
	WHEN 22 THEN IF a.after_sale_id IS NOT NULL THEN PERFORM t.mh_go(l, CASE t.mh_int(1, 3) WHEN 1 THEN format('order_ext.revoke_after_sale(%s, 7001)', a.after_sale_id) WHEN 2 THEN format('order_ext.close_after_sale(%s, ''x'')', a.after_sale_id) ELSE format('order_ext.reopen_after_sale(%s)', a.after_sale_id) END); END IF;
	WHEN 23, 24 THEN IF a.after_sale_id IS NOT NULL THEN PERFORM t.mh_go(l, format('order_ext.return_receipt(%s, %L, %L, %L)', a.after_sale_id, jsonb_build_array((SELECT t.mh_line(o)->0) || jsonb_build_object('condition', t.mh_pick('ok', 'ok', 'damaged'))), random() < 0.5, no)); END IF;
	WHEN 25 THEN IF a.after_sale_id IS NOT NULL THEN PERFORM t.mh_go(l, format('order_ext.resolve_damaged(%s, %L)', a.after_sale_id, random() < 0.5)); END IF;
	WHEN 26 THEN IF st = 'out_stock' THEN PERFORM t.mh_go(l, format('order_ext.report_shortage(%s, %L)', o, t.mh_line(o))); ELSIF random() < 0.3 THEN PERFORM t.mh_go(l, format('order_ext.fulfilment_cancel_result(%s, %L, %L)', o, random() < 0.3, no)); END IF;
	WHEN 27 THEN IF random() < 0.2 THEN PERFORM set_config('order_ext.after_sale_window', '0', false); ELSE PERFORM set_config('order_ext.after_sale_window', '7d', false); PERFORM t.mh_go(l, format('order_ext.change_address(%s, 7001, %L)', o, jsonb_build_object('a', no))); END IF;
	END CASE;
	COMMIT;
	IF random() < 0.7 THEN PERFORM t.dispatch(); COMMIT; END IF;
END
$$;
CREATE PROCEDURE t.mh_life(l integer, n integer) LANGUAGE plpgsql AS $$
DECLARE
	items text := CASE WHEN random() < 0.1 THEN 'MH-5:2' WHEN random() < 0.07 THEN 'MH-1:2' ELSE (SELECT string_agg('MH-' || i || ':' || t.mh_int(1, 4), ',') FROM (SELECT i FROM generate_series(1, 5) AS i ORDER BY random() LIMIT t.mh_int(1, 3)) AS picked) END;
	o bigint;
BEGIN
	PERFORM set_config('order_ext.after_sale_window', '7d', false);
	PERFORM t.new('mh', items, CASE WHEN random() < 0.3 THEN order_ext.issue_coupon(7001, t.mh_int(1, 500)) END,
		options => (CASE WHEN random() < 0.7 THEN '{"region": "MH"}' ELSE '{}' END::jsonb) || (CASE WHEN random() < 0.3 THEN '{"channel": "mh-external"}' ELSE '{}' END::jsonb));
	o := t.id('mh');
	INSERT INTO t.mh_lives (life, order_id) VALUES (l, o);
	IF t.due('mh') > 0 AND random() < 0.8 THEN
		PERFORM order_ext.pay_callback(o, 'T-mh-' || o, 'mh', t.due('mh'));
	END IF;
	COMMIT;
	IF random() < 0.8 THEN PERFORM t.dispatch(); COMMIT; END IF;
	FOR i IN 1..n LOOP
		CALL t.mh_step(l, o);
		IF random() < 0.4 THEN PERFORM t.mh_check(l, i, o); END IF;
		COMMIT;
		EXIT WHEN EXISTS (SELECT FROM t.mh_wrong WHERE life = l);
	END LOOP;
END
$$;
CREATE PROCEDURE t.mh_run(n integer, steps integer) LANGUAGE plpgsql AS $$
BEGIN
	FOR l IN 1..n LOOP
		CALL t.mh_life(l, steps);
	END LOOP;
END
$$;
SELECT t.new('mh spare', 'MH-4:1');
SELECT setseed(:seed) IS NULL AS seeded;
CALL t.mh_run(8, 15);
RESET order_ext.after_sale_window;
SELECT count(*) >= 15 AS hints FROM t.mh_seen;
-- Wrong: nothing; else the seed, and the life's steps.
SELECT w.life, w.step, w.what, :'seed' AS seed FROM t.mh_wrong w ORDER BY 1, 2 LIMIT 20;
SELECT life, unnest(steps) AS step FROM t.mh_lives WHERE life = (SELECT min(life) FROM t.mh_wrong);
SELECT t.dispatch() IS NOT NULL AS handled;
SELECT invariant, severity, entity, expected, actual, :'seed' AS seed FROM order_ext.verify() WHERE severity = 'error';
