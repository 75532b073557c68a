-- Money that went back outside of the engine: record_refund and payment_disputed.
SELECT order_ext.put_product('OU-1', 'A', 1000), order_ext.put_product('OU-2', 'B', 300);
SELECT count(order_ext.adjust_stock(sku, 1000)) FROM unnest(ARRAY['OU-1', 'OU-2']) AS sku;
SELECT coalesce(sum(disputed), 0) AS disputed_before FROM order_ext.money_report WHERE pay_type = 'card' AND currency = 'CNY' \gset
-- An order of 2 x OU-1 and 1 x OU-2 that was paid with 2300, and signed unless told otherwise.
CREATE PROCEDURE t.outside(name text, status text DEFAULT 'signed') LANGUAGE plpgsql AS $$
DECLARE
	step text;
	o bigint;
BEGIN
	PERFORM t.new(name, 'OU-1:2,OU-2:1');
	o := t.id(name);
	PERFORM order_ext.pay_callback(o, 'T-' || name, 'card', t.due(name));
	COMMIT;
	IF status = 'signed' THEN
		PERFORM t.dispatch();
		COMMIT;
		FOREACH step IN ARRAY '{out_stock,delivering,signed}'::text[] LOOP
			PERFORM order_ext.shipment_event(o, step, step);
		END LOOP;
	END IF;
END
$$;
-- record_refund() of the order's payment, and what it says.
CREATE FUNCTION t.recorded(name text, number text, amount bigint, trade_no text DEFAULT NULL) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	r order_ext.result := order_ext.record_refund(t.id(name), coalesce(trade_no, 'T-' || name), 'card', number, amount);
BEGIN
	RETURN concat_ws(' ', r.disposition, r.status, r.detail->>'amount', r.detail->>'reason');
END
$$;
CREATE FUNCTION t.disputed(name text, number text, outcome text, amount bigint DEFAULT NULL) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	r order_ext.result := order_ext.payment_disputed(t.id(name), 'T-' || name, 'card', number, outcome, amount);
BEGIN
	RETURN concat_ws(' ', r.disposition, r.status, r.detail->>'outcome', r.detail->>'amount', r.detail->>'reason');
END
$$;
CREATE FUNCTION t.outside_view(name text) RETURNS SETOF text LANGUAGE sql STABLE
BEGIN ATOMIC
	SELECT concat_ws(' ', r.cause, r.status, r.amount, CASE WHEN r.attempt > 0 THEN 'attempt ' || r.attempt END, r.gateway_refund_no,
		CASE WHEN a.after_sale_id IS NOT NULL THEN format('| %s %s %s, %s outside', a.type, a.status, a.amount, a.paid_outside) END)
	FROM order_ext.refunds_view r LEFT JOIN order_ext.after_sales_view a USING (after_sale_id)
	WHERE r.order_id = t.id($1) ORDER BY r.refund_id;
END;
CREATE FUNCTION t.outside_left(name text) RETURNS text LANGUAGE sql AS $$
	SELECT coalesce(substring(detail FROM '^(\d+) \w+ is left'), detail) FROM t.error(format('order_ext.refund_order(%s, 999999999)', t.id(name)))
$$;
CREATE FUNCTION t.outside_claim(name text) RETURNS bigint LANGUAGE sql AS $$
	SELECT count(*) FROM order_ext.claim_refunds(1000, 'outside', '1 hour') WHERE order_id = t.id($1)
$$;
CREATE FUNCTION t.outside_warnings(name text) RETURNS SETOF text LANGUAGE sql AS $$
	SELECT regexp_replace(v.actual, 'fact \d+ of (\w+), [^:]*:', '\1:') FROM order_ext.verify('I15') v
	JOIN order_ext.payments_view p ON v.entity = 'payment ' || p.payment_id WHERE p.order_id = t.id($1) ORDER BY 1
$$;

-- ---- record_refund: arguments ----
CALL t.outside('args');
SELECT call, e.* FROM (VALUES
	($$NULL, 'T-args', 'card', 'R', 5$$), ($$t.id('args'), NULL, 'card', 'R', 5$$), ($$t.id('args'), 'T-args', NULL, 'R', 5$$), ($$t.id('args'), 'T-args', 'card', NULL, 5$$),
	($$t.id('args'), 'T-args', 'card', 'R', NULL$$), ($$t.id('args'), 'T-args', 'card', 'R', 0$$), ($$t.id('args'), 'T-args', 'card', 'R', -5$$),
	($$t.id('args'), 'T-args', 'card', ' ', 5$$), ($$t.id('args'), 'T-args', 'card', repeat('x', 129), 5$$), ($$t.id('args'), 'T-args', 'card', 'R', 5, 'infinity'$$)) AS v(call),
	LATERAL t.effect('order_ext.record_refund(' || call || ')') AS e;
-- spelled otherwise, and at no time of its own
SELECT id IS NOT NULL AS a_refund, status, disposition, detail - '{refund_id,order_id,payment_id}'::text[] AS detail
FROM order_ext.record_refund(t.id('args'), E' T-args\n', ' Card', ' R-args ', 5, NULL, '{"from": "dashboard"}');
SELECT id IS NOT NULL AS a_refund, status, disposition FROM order_ext.record_refund(t.id('args'), 'T-args', 'card', 'R-args', 5, '2026-01-01');
SELECT t.outside_view('args'), t.outside_left('args');
SELECT settled_at > clock_timestamp() - interval '1 hour' AS now, requested_at IS NOT NULL AS requested FROM order_ext.refunds_view WHERE order_id = t.id('args');
-- the same number for another amount or payment; unknown payments, other orders, too much
CALL t.outside('other');
SELECT t.recorded('args', 'R-args', 6) AS other_amount, t.recorded('other', 'R-args', 5) AS other_payment, t.recorded('args', 'R-9', 5, 'T-nobody') AS unknown,
	t.recorded('other', 'R-9', 5, 'T-args') AS other_order, t.recorded('args', 'R-9', 2296) AS too_much;
SELECT (order_ext.record_refund(999999999999, 'T-nobody', 'card', 'R-1', 1)).disposition;
SELECT t.outside_warnings('args');
-- a held fact is kept once, and told again when it fits
SELECT t.recorded('args', 'R-9', 2296), count(*) FROM order_ext.held_facts WHERE kind = 'record_refund' AND order_id = t.id('args') AND payload->>'number' = 'R-9' AND reason = 'more_than_left';

-- ---- unclaimed refunds give way ----
CALL t.outside('way');
SELECT (order_ext.refund_order(t.id('way'), lines => '[{"sku": "OU-1", "quantity": 1}]')).id AS r1, (order_ext.refund_order(t.id('way'), lines => '[{"sku": "OU-2", "quantity": 1}]')).id AS r2 \gset
SELECT t.recorded('way', 'W-1', 300) AS the_same_amount;
SELECT t.outside_view('way'), t.outside_left('way');
SELECT t.recorded('way', 'W-2', 400) AS a_part;
SELECT t.outside_view('way'), t.outside_left('way');
SELECT t.recorded('way', 'W-3', 900) AS the_rest_and_more;
SELECT t.outside_view('way'), t.outside_left('way');
SELECT t.recorded('way', 'W-4', 701) AS too_much, t.recorded('way', 'W-4', 700) AS all_of_it;
SELECT t.outside_left('way');
-- a canceled order: the rest is still refunded
CALL t.outside('gone', 'paid');
SELECT t.show(order_ext.cancel_order(t.id('gone')));
SELECT t.recorded('gone', 'G-0', 100) AS before_it_is_prepared;
SELECT t.drain();
SELECT t.recorded('gone', 'GO-1', 1000);
SELECT t.outside_view('gone');
SELECT t.outside_claim('gone'), t.recorded('gone', 'G-2', 1200) AS claimed_by_now, t.recorded('gone', 'G-3', 50) AS nothing_left;
SELECT refund_id AS r FROM order_ext.refunds_view WHERE order_id = t.id('gone') AND cause = 'cancel' \gset
SELECT t.outside_warnings('gone');
-- the echo of our own refund: explained by the answer, and replayed after it
SELECT t.show(order_ext.refund_callback(:r, 'succeeded', 'G-2'));
SELECT t.outside_warnings('gone');
SELECT t.recorded('gone', 'G-2', 1200) AS echo, t.recorded('gone', ' G-2', 7) AS echo_of_another_amount;
SELECT t.outside_view('gone');
SELECT t.order('gone');
-- a failed refund gives way, too; an answer to it under the recorded number is known
CALL t.outside('failed');
SELECT (order_ext.refund_order(t.id('failed'), lines => '[{"sku": "OU-1", "quantity": 2}]')).id AS r \gset
SELECT t.outside_claim('failed'), t.show(order_ext.refund_callback(:r, 'failed', 'F-0'));
SELECT t.recorded('failed', 'F-1', 2000);
SELECT t.outside_view('failed');
SELECT t.show(order_ext.retry_refund(:r)), t.show(order_ext.refund_callback(:r, 'succeeded', 'F-1')) AS known, t.show(order_ext.refund_callback(:r, 'succeeded', 'F-2')) AS news;
-- another refund under way beside it
CALL t.outside('beside');
SELECT (order_ext.refund_order(t.id('beside'), 500)).id AS r \gset
SELECT t.outside_claim('beside'), t.recorded('beside', 'B-1', 500) AS the_same_money, t.recorded('beside', 'B-2', 400) AS other_money, t.recorded('beside', 'B-3', 1401) AS too_much;
SELECT t.show(order_ext.refund_callback(:r, 'succeeded', 'B-2')) AS recorded_already, t.show(order_ext.refund_callback(:r, 'succeeded', 'B-1'));
SELECT t.outside_view('beside'), t.outside_left('beside');

-- ---- disputes ----
CALL t.outside('dispute');
SELECT call, e.* FROM (VALUES
	($$NULL, 'T-dispute', 'card', 'D', 'opened'$$), ($$t.id('dispute'), 'T-dispute', 'card', NULL, 'opened'$$), ($$t.id('dispute'), 'T-dispute', 'card', 'D', NULL$$), ($$t.id('dispute'), 'T-dispute', 'card', 'D', 'closed'$$),
	($$t.id('dispute'), 'T-dispute', 'card', 'D', 'opened', 0$$), ($$t.id('dispute'), 'T-dispute', 'card', 'D', 'opened', -1$$), ($$t.id('dispute'), 'T-dispute', 'card', repeat('d', 129), 'opened'$$),
	($$t.id('dispute'), 'T-none', 'card', 'D', 'opened'$$), ($$t.id('dispute'), 'T-dispute', 'card', 'D', 'opened', 2301$$)) AS v(call),
	LATERAL t.effect('order_ext.payment_disputed(' || call || ')') AS e;
SELECT (order_ext.refund_order(t.id('dispute'), 500)).id AS r \gset
SELECT t.disputed('dispute', 'D-1', 'opened'), t.disputed('dispute', ' D-1', 'opened') AS again;
SELECT t.outside_claim('dispute') AS nothing_is_claimed, t.outside_left('dispute');
SELECT pay_type, dispute_no, status, amount, currency, opened_at IS NOT NULL AS opened, ended_at IS NOT NULL AS ended FROM order_ext.disputes_view WHERE order_id = t.id('dispute');
SELECT t.disputed('dispute', 'D-1', 'won');
SELECT t.disputed('dispute', 'D-1', 'won') AS again, t.disputed('dispute', 'D-1', 'lost') AS contrary, t.disputed('dispute', 'D-1', 'opened') AS too_late;
SELECT t.outside_claim('dispute') AS claimed, t.outside_view('dispute');
SELECT event, actor FROM order_ext.order_timeline(t.id('dispute')) WHERE event ~ 'dispute';
SELECT payload->>'kind' AS kind, payload->>'outcome' AS outcome, payload->>'amount' AS amount FROM order_ext_internal.message_log
WHERE key = t.id('dispute') AND topic_id = t.code('topic', 'ops.alert') ORDER BY published_at, message_id;
-- lost: refunds that no longer fit are withdrawn; claimed ones stay
CALL t.outside('lost');
SELECT (order_ext.refund_order(t.id('lost'), 400)).id AS claimed \gset
SELECT t.outside_claim('lost'), (order_ext.refund_order(t.id('lost'), 1000)).id AS r \gset
SELECT t.disputed('lost', 'L-1', 'lost', 1901) AS more_than_left, t.disputed('lost', 'L-1', 'lost', 1500) AS not_opened_before;
SELECT t.outside_view('lost'), t.outside_left('lost');
SELECT t.disputed('lost', 'L-1', 'opened') AS too_late, t.disputed('lost', 'L-1', 'lost') AS again, t.disputed('lost', 'L-1', 'won') AS contrary;
SELECT t.show(order_ext.refund_callback(:claimed, 'succeeded'));
SELECT status, amount, refund_id IS NOT NULL AS a_refund, opened_at FROM order_ext.disputes_view WHERE dispute_no = 'L-1';
-- of a canceled order: what is left of its refund stays
CALL t.outside('lost cancel', 'paid');
SELECT t.show(order_ext.cancel_order(t.id('lost cancel')));
SELECT t.drain();
SELECT t.disputed('lost cancel', 'L-2', 'opened', 2000), t.disputed('lost cancel', 'L-2', 'lost') AS as_opened;
SELECT t.outside_view('lost cancel');
SELECT t.outside_claim('lost cancel');
CALL t.outside('lost all', 'paid');
SELECT t.show(order_ext.cancel_order(t.id('lost all')));
SELECT t.drain();
SELECT t.disputed('lost all', 'L-3', 'lost');
SELECT t.outside_view('lost all'), t.outside_left('lost all');
-- an after-sale that waits for its goods gets nothing any more
CALL t.outside('lost later');
SELECT (order_ext.apply_after_sale(t.id('lost later'), 7001, 'return_refund', '[{"sku": "OU-1", "quantity": 1}]')).id AS a \gset
SELECT t.show(order_ext.review_after_sale(:a, true)), t.disputed('lost later', 'L-4', 'lost', 1800);
SELECT t.show(order_ext.return_receipt(:a, '[{"sku": "OU-1", "quantity": 1}]', true));
SELECT t.outside_view('lost later');
-- two disputes of a payment: never more than it was
CALL t.outside('twice');
SELECT t.disputed('twice', 'W-1', 'opened'), t.disputed('twice', 'W-2', 'opened', 1000);
SELECT t.disputed('twice', 'W-2', 'lost'), t.disputed('twice', 'W-1', 'lost') AS too_much, t.disputed('twice', 'W-1', 'lost', 1300) AS rest;
SELECT t.outside_view('twice');
-- another payment under the same number
SELECT t.disputed('lost', 'W-1', 'opened') AS another_payment;
-- money that nobody expected is disputed, too
SELECT order_ext.pay_callback(888777, 'T-unmatched', 'card', 70) IS NOT NULL;
SELECT (order_ext.payment_disputed(888777, 'T-unmatched', 'card', 'U-1', 'lost')).disposition;
SELECT (order_ext.record_refund(888777, 'T-unmatched', 'card', 'U-2', 1)).detail->>'reason' AS nothing_left;

-- a gateway that takes back what was made outside: told to staff; the engine has not made it and does not make it again
SELECT refund_id AS r FROM order_ext.refunds_view WHERE order_id = t.id('twice') AND gateway_refund_no = 'W-1' \gset
SELECT t.show(order_ext.refund_callback(:r, 'failed')), t.show(order_ext.refund_callback(:r, 'failed', 'W-1')), t.show(order_ext.retry_refund(:r));
CALL t.outside('bounced');
SELECT t.recorded('bounced', 'B-10', 300);
SELECT refund_id AS r FROM order_ext.refunds_view WHERE order_id = t.id('bounced') \gset
SELECT t.show(order_ext.refund_callback(:r, 'failed', 'B-10')), t.show(order_ext.refund_callback(:r, 'succeeded', 'B-10')) AS known, t.show(order_ext.retry_refund(:r));
SELECT t.outside_view('bounced'), t.outside_left('bounced');
SELECT kind, reason FROM order_ext.held_facts WHERE entity_id = :r AND order_id = t.id('bounced');
-- a refund that money outside stood in for is paid all the same
CALL t.outside('after all');
SELECT (order_ext.refund_order(t.id('after all'), 400)).id AS r \gset
SELECT t.recorded('after all', 'A-1', 400);
SELECT t.outside_view('after all');
SELECT t.show(order_ext.settle_refund(:r, 50, 'paid all the same'));
SELECT t.outside_view('after all'), t.outside_left('after all');

-- a refund that was given up succeeds all the same: what was asked for since gives way, so that not more goes back than was paid
CALL t.outside('given up');
SELECT id AS r FROM order_ext.refund_order(t.id('given up'), 2000) \gset
SELECT t.show(order_ext.refund_callback(:r, 'failed')), t.show(order_ext.close_after_sale((SELECT after_sale_id FROM order_ext.refunds_view WHERE refund_id = :r), 'otherwise'));
SELECT t.show(order_ext.refund_order(t.id('given up'), 200)), t.show(order_ext.refund_order(t.id('given up'), 400));
SELECT t.show(order_ext.refund_callback(:r, 'succeeded'));
SELECT t.outside_claim('given up') AS claimed;
SELECT t.outside_view('given up');
SELECT t.outside_left('given up');

-- a failed one that was given up, whose money went back otherwise, cannot be settled: nothing is left for it
CALL t.outside('given up, gone');
SELECT id AS r FROM order_ext.refund_order(t.id('given up, gone'), 2000) \gset
SELECT t.show(order_ext.refund_callback(:r, 'failed')), t.show(order_ext.close_after_sale((SELECT after_sale_id FROM order_ext.refunds_view WHERE refund_id = :r), 'otherwise')), t.show(order_ext.refund_order(t.id('given up, gone'), 2290));
SELECT code, detail, hint FROM t.error(format('order_ext.settle_refund(%s, 11, ''paid after all'')', :r));
SELECT t.show(order_ext.settle_refund(:r, 10, 'paid after all')), t.outside_left('given up, gone');
-- a refund of which the gateway had paid less is taken back by it, and made outside: what it was asked for stays decided
CALL t.outside('less back');
SELECT (order_ext.pay_callback(t.id('less back'), 'T-less more', 'card', 1300)).detail->>'refund_id' AS s, (order_ext.refund_order(t.id('less back'), 500)).id AS g \gset
SELECT t.show(order_ext.settle_refund(:s, 1200, 'a fee')), t.show(order_ext.settle_refund(:g, 450, 'a fee'));
SELECT t.show(order_ext.refund_callback(:s, 'failed')), t.show(order_ext.refund_callback(:g, 'failed'));
SELECT t.recorded('less back', 'LB-1', 200, 'T-less more') AS a_part, t.recorded('less back', 'LB-2', 100) AS a_part;
SELECT t.outside_view('less back');
SELECT invariant, severity, expected FROM order_ext.verify() WHERE severity = 'error';
SELECT t.recorded('less back', 'LB-3', 1000, 'T-less more') AS the_rest, t.recorded('less back', 'LB-4', 350) AS the_rest;
SELECT t.outside_view('less back');
SELECT count(order_ext.resolve_fact(fact_id, 'seen')) AS held FROM order_ext.held_facts WHERE order_id = t.id('less back');
-- (a fact about a payment that has the number of the order's refund is none about the order)
BEGIN;
INSERT INTO order_ext_internal.held_facts (at, entity_id, kind, payload) VALUES (clock_timestamp(), :s, 'record_refund', '{}');
SELECT count(*) AS settled FROM order_ext_internal.archive_settled(ARRAY[t.id('less back')], clock_timestamp() + interval '1 hour');
ROLLBACK;
SELECT t.outside_left('less back') AS of_the_order, (order_ext.resolve_held_payment(t.payment('T-less more'), 'refund')).disposition AS of_the_surplus;
SELECT t.outside_view('less back');

-- goodwill for a canceled order that staff closes: the money is kept by decision, and can be given after all
CALL t.outside('closed goodwill', 'paid');
SELECT (order_ext.refund_order(t.id('closed goodwill'), 300)).id AS r \gset
SELECT t.show(order_ext.cancel_order(t.id('closed goodwill')));
SELECT t.drain();
SELECT t.show(order_ext.close_after_sale((SELECT after_sale_id FROM order_ext.refunds_view WHERE refund_id = :r), 'not this'));
SELECT t.outside_view('closed goodwill');
SELECT invariant, severity, expected FROM order_ext.verify() WHERE severity = 'error';
SELECT (order_ext.resolve_held_payment(t.payment('T-closed goodwill'), 'refund')).disposition;
SELECT t.outside_view('closed goodwill'), t.outside_left('closed goodwill');
-- one of which the gateway had paid more, as well: that it is taken back leaves nothing undecided
CALL t.outside('more back');
SELECT (order_ext.pay_callback(t.id('more back'), 'T-more more', 'card', 1300)).detail->>'refund_id' AS s \gset
SELECT t.recorded('more back', 'MB-1', 300, 'T-more more') AS a_part, t.show(order_ext.settle_refund(:s, 900, 'less')), t.show(order_ext.refund_callback(:s, 'failed')), t.show(order_ext.settle_refund(:s, 1000, 'all')), t.show(order_ext.refund_callback(:s, 'failed', NULL, NULL)), t.recorded('more back', 'MB-2', 1000, 'T-more more') AS the_rest;
SELECT amount, asked, status FROM order_ext.refunds_view WHERE refund_id = :s;
-- one that a lost dispute took, and staff asks for again: its after-sale is priced by what is left
CALL t.outside('less again');
SELECT id AS r FROM order_ext.refund_order(t.id('less again'), 500) \gset
SELECT t.show(order_ext.settle_refund(:r, 450, 'a fee')), t.show(order_ext.refund_callback(:r, 'failed')), t.disputed('less again', 'LA-1', 'lost', 2200);
SELECT t.outside_view('less again');
SELECT (order_ext.resolve_held_payment(t.payment('T-less again'), 'refund')).disposition;
SELECT t.outside_view('less again');
SELECT t.show(order_ext.refund_callback(:r, 'succeeded'));
SELECT t.outside_view('less again');

-- ---- the report adds up, and everything is in order ----
SELECT pay_type, currency, sum(captured) AS captured, sum(applied + late + surplus + held + unmatched) AS by_purpose, sum(refunded + disputed + refund_open + kept) AS gone_or_kept
FROM order_ext.money_report GROUP BY pay_type, currency
HAVING sum(captured) <> sum(applied + late + surplus + held + unmatched) OR sum(captured) <> sum(refunded + disputed + refund_open + kept);
SELECT sum(disputed) - :disputed_before AS disputed FROM order_ext.money_report WHERE pay_type = 'card' AND currency = 'CNY';
SELECT invariant, severity, entity, expected, actual FROM order_ext.verify() WHERE severity = 'error';
