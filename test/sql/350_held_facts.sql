-- Facts that contradict what is on record: held_facts, resolve_fact, and warnings that end.
SELECT order_ext.put_product('HF-1', 'A', 100);
SELECT available FROM order_ext.adjust_stock('HF-1', 1000);
-- The facts of an order or of an entity, in order.
CREATE FUNCTION t.held_facts_of(name text) RETURNS SETOF text LANGUAGE sql STABLE AS $$
	SELECT concat_ws(' ', kind, reason, CASE WHEN resolved_at IS NOT NULL THEN 'resolved: ' || note END)
	FROM order_ext.held_facts WHERE order_id = t.id(name) ORDER BY fact_id
$$;
CREATE FUNCTION t.fact(name text, n integer DEFAULT 1) RETURNS bigint LANGUAGE sql STABLE AS $$
	SELECT fact_id FROM order_ext.held_facts WHERE order_id = t.id(name) ORDER BY fact_id OFFSET n - 1 LIMIT 1
$$;
CREATE FUNCTION t.warnings(name text) RETURNS bigint LANGUAGE sql AS $$
	SELECT count(*) FROM order_ext.verify('I15') WHERE expected = 'settled: resolve_fact'
		AND actual ~ ANY (SELECT '^fact ' || fact_id || ' ' FROM order_ext.held_facts WHERE order_id = t.id(name))
$$;

-- ---- each kind is there, once, with what was reported ----
SELECT t.new('goods', 'HF-1:1');
SELECT t.show(order_ext.pay_callback(t.id('goods'), 'HF-goods', 'card', 100));
SELECT t.drain();
SELECT t.show(order_ext.shipment_event(t.id('goods'), 's1', 'out_stock')), t.show(order_ext.shipment_event(t.id('goods'), 's2', 'delivering', '2026-01-01', '{"by": "van"}'));
SELECT t.show(order_ext.shipment_event(t.id('goods'), 's2', 'signed', '2026-01-02', '{"by": "hand"}')) FROM generate_series(1, 2);
SELECT t.show(order_ext.fulfilment_cancel_result(t.id('goods'), true, 'c1')) FROM generate_series(1, 2);
SELECT t.show(order_ext.pay_callback(t.id('goods'), 'HF-goods', 'card', 1)) FROM generate_series(1, 2);
SELECT t.show(order_ext.payment_closed(t.id('goods'), 'HF-none', 'card', 'closed')) FROM generate_series(1, 2);
SELECT t.held_facts_of('goods');
SELECT kind, payload - 'occurred_at' - 'paid_at' - 'out_trade_no' - 'order_id' - 'user_id' AS payload, entity_id = t.payment('HF-goods') AS payment
FROM order_ext.held_facts WHERE order_id = t.id('goods') ORDER BY fact_id;
SELECT (r).id, (r).disposition FROM (SELECT order_ext.refund_callback(777777777777, 'succeeded') AS r OFFSET 0) AS s;
SELECT kind, order_id, entity_id, reason FROM order_ext.held_facts WHERE entity_id = 777777777777;
SELECT (r).id, (r).disposition FROM (SELECT order_ext.return_shipment(777777777777, 'SF', '1') AS r OFFSET 0) AS s;
SELECT kind, order_id, entity_id, reason, payload FROM order_ext.held_facts WHERE entity_id = 777777777777 AND kind LIKE 'return%';
-- an id that nothing can have is not known either
SELECT call, t.go('order_ext.' || call) AS outcome FROM (VALUES
	($$record_refund(0, 'HF-0', 'card', 'HF-0', 1)$$), ($$payment_disputed(-1, 'HF-0', 'card', 'HF-0', 'opened')$$)) AS v (call);
-- a warning is about something all the same
SELECT regexp_replace(entity, '^(fact) \d+$', '\1 #') AS entity, count(*) FROM order_ext.verify('I15')
WHERE expected = 'settled: resolve_fact' AND (entity IS NULL OR entity ~ ' -1|^fact ') GROUP BY 1 ORDER BY 1;

-- ---- what decides is what a fact says, not its envelope ----
SELECT call, e.* FROM (VALUES
	($$'s1', 'out_stock'$$), ($$'s1', 'out_stock', '2020-01-01', '{"again": true}'$$), ($$'s1', 'picked'$$), ($$'s1', 'picked', payload => '{"more": 1}'$$)) AS v (call),
	LATERAL t.effect($$order_ext.shipment_event(t.id('goods'), $$ || call || ')') AS e;

-- ---- resolve_fact ----
SELECT t.warnings('goods');
SELECT call, e.* FROM (VALUES ($$t.fact('goods', 3), 'asked the gateway'$$), ($$t.fact('goods', 3), 'again'$$), ($$999999999999, 'x'$$), ($$NULL, 'x'$$), ($$1, NULL$$), ($$0, 'x'$$),
	($$1, repeat('x', 1001)$$)) AS v (call), LATERAL t.effect('order_ext.resolve_fact(' || call || ')') AS e;
SELECT code, message, hint FROM t.error('order_ext.resolve_fact(999999999999, ''x'')');
SELECT t.held_facts_of('goods');
SELECT resolved_by = current_user AS by_me FROM order_ext.held_facts WHERE fact_id = t.fact('goods', 3);
SELECT t.warnings('goods');

-- ---- warnings end with their matter ----
-- a second kind of an event_id: the order comes to where it says
SELECT t.show(order_ext.shipment_event(t.id('goods'), 's3', 'signed'));
SELECT t.warnings('goods');
-- an attempt that was closed does not matter once the order is paid
SELECT t.new('closed', 'HF-1:1');
SELECT t.show(order_ext.payment_closed(t.id('closed'), 'HF-other', 'card', 'failed'));
SELECT t.warnings('closed');
SELECT t.show(order_ext.pay_callback(t.id('closed'), 'HF-paid', 'card', 100));
SELECT t.warnings('closed');
-- an acceptance that nobody asked for, once the order is canceled
SELECT t.new('unasked', 'HF-1:1');
SELECT t.show(order_ext.fulfilment_cancel_result(t.id('unasked'), true, 'u1'));
SELECT t.warnings('unasked');
SELECT t.show(order_ext.cancel_order(t.id('unasked')));
SELECT t.warnings('unasked');
