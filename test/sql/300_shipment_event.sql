-- shipment_event: order.paid puts an order on its way, warehouse and carrier move it. Every
-- disposition, early, late, doubled and contradicting facts, stock, documents, virtual goods.
\set VERBOSITY sqlstate
-- what other tests have left
CALL t.postpone_others();
SELECT t.drain();
SELECT order_ext.put_product('SHP-1', 'A', 100), order_ext.put_product('SHP-2', 'B', 50), order_ext.put_product('SHP-V', 'V', 30, 'virtual');
SELECT available FROM order_ext.adjust_stock('SHP-1', 100);
SELECT available FROM order_ext.adjust_stock('SHP-2', 100);
SELECT available FROM order_ext.adjust_stock('SHP-V', 100);
-- an order that is paid, and on its way if delivered
CREATE FUNCTION t.paid(name text, items text DEFAULT 'SHP-1:1', options jsonb DEFAULT '{}', user_id bigint DEFAULT 7400) RETURNS text LANGUAGE sql AS $$
	SELECT t.new(name, items, user_id => user_id, options => options);
	SELECT t.show(order_ext.pay_callback(t.id(name), 'T-' || name, 'wechat', t.due(name)));
$$;

-- ---- step by step ----
SELECT t.paid('step', 'SHP-1:2,SHP-2:1');
SELECT t.fulfilment('step'), t.order('step');
SELECT order_ext.dispatch() AS handled;
SELECT t.order('step'), t.fulfilment('step'), t.messages('step');
SELECT payload - '{order_id,user_id,document_id}'::text[] AS requested, payload->>'document_id' = (SELECT delivery_order::text FROM order_ext.fulfilments_view WHERE order_id = t.id('step')) AS document
FROM order_ext_internal.message_log WHERE key = t.id('step') AND topic_id = t.code('topic', 'fulfilment.requested');
SELECT (r).id = t.id('step') AS the_order, t.show(r), (r).detail FROM (
	SELECT order_ext.shipment_event(order_id => t.id('step'), event_id => 'w1', kind => 'picked', occurred_at => '2026-01-02 03:04:05+00', payload => '{"by": "robot 7"}') AS r OFFSET 0) AS s;
SELECT t.fulfilment('step'), t.stock('SHP-1');
SELECT t.show(order_ext.shipment_event(t.id('step'), 'w2', 'out_stock'));
SELECT t.fulfilment('step'), t.stock('SHP-1'), t.stock('SHP-2');
SELECT sku, kind, delta, reserved_delta, consumed_delta FROM order_ext.stock_ledger_view WHERE order_id = t.id('step') ORDER BY at, sku;
SELECT t.show(order_ext.shipment_event(t.id('step'), 'c1', 'delivering'));
SELECT t.show(order_ext.shipment_event(t.id('step'), 'c2', 'signed'));
SELECT t.order('step'), t.messages('step');
SELECT from_status, to_status, event, actor, detail ? 'event_id' AS event_id FROM order_ext.order_timeline(t.id('step'));
SELECT t.shipments('step');
-- the shipment of get_order: documents as strings, no payload
SELECT s - '{created_at,out_at,delivery_order,logistic_order,events}'::text[] AS shipment, jsonb_typeof(s->'delivery_order') AS delivery, jsonb_typeof(s->'logistic_order') AS logistic,
	   (s->'events'->0) - '{recorded_at,settled_at,occurred_at}'::text[] AS event, s::text LIKE '%robot%' AS payload
FROM (SELECT order_ext.get_order(t.id('step'))->'shipment' AS s) AS o;

-- ---- doubled: the same fact replays, whatever the order's status by then, and changes nothing ----
SELECT call, outcome, changed FROM (VALUES
	($$'w1', 'picked', now(), '{"by": "robot 7"}'$$), ($$'w2', 'out_stock'$$), ($$'c1', 'delivering'$$), ($$'c2', 'signed', '2020-01-01'$$)) AS v(call),
	LATERAL t.effect($$order_ext.shipment_event(t.id('step'), $$ || call || ')');
SELECT (order_ext.shipment_event(t.id('step'), 'w1', 'picked', payload => '{"by": "robot 7"}')).detail;
-- late, with an event id of its own: the order is past it; recorded once
SELECT t.show(order_ext.shipment_event(t.id('step'), 'late1', 'picked')), t.show(order_ext.shipment_event(t.id('step'), 'late2', 'out_stock')),
	   t.show(order_ext.shipment_event(t.id('step'), 'late3', 'delivering')), t.show(order_ext.shipment_event(t.id('step'), 'late4', 'signed'));
SELECT outcome, changed FROM t.effect($$order_ext.shipment_event(t.id('step'), 'late2', 'out_stock')$$);
-- an event id used again for another kind is recorded and held, once; another payload says nothing new
SELECT call, outcome, changed FROM (VALUES
	($$'w1', 'picked'$$), ($$'w1', 'picked', now(), '{"by": "robot 8"}'$$), ($$'w1', 'out_stock', now(), '{"by": "robot 7"}'$$), ($$'w1', 'picked'$$)) AS v(call),
	LATERAL t.effect($$order_ext.shipment_event(t.id('step'), $$ || call || ')');
SELECT (order_ext.shipment_event(t.id('step'), 'w1', 'picked')).detail;
SELECT t.shipments('step');
-- surrounding blanks are no part of an event id; NULL as its time means now
SELECT t.show(r), (r).detail FROM (SELECT order_ext.shipment_event(t.id('step'), E' w1\t', 'picked', NULL) AS r OFFSET 0) AS s;
-- of another order it is another event
SELECT t.paid('other');
SELECT t.drain();
SELECT t.show(r), (r).detail FROM (SELECT order_ext.shipment_event(t.id('other'), ' w1 ', 'out_stock', NULL) AS r OFFSET 0) AS s;
SELECT event_id, occurred_at BETWEEN recorded_at - interval '1 minute' AND recorded_at AS now FROM order_ext.shipment_events_view WHERE order_id = t.id('other');

-- ---- early: parked, and applied in turn by the call that brings the turn ----
SELECT t.new('early', 'SHP-1:1', user_id => 7400);
SELECT t.show(order_ext.shipment_event(t.id('early'), 'e5', 'signed')), t.show(order_ext.shipment_event(t.id('early'), 'e1', 'picked'));
SELECT t.show(order_ext.pay_callback(t.id('early'), 'T-early', 'wechat', 100));
SELECT t.show(order_ext.shipment_event(t.id('early'), 'e4', 'delivering'));
SELECT t.shipments('early');
SELECT outcome, changed FROM t.effect($$order_ext.shipment_event(t.id('early'), 'e4', 'delivering')$$);
SELECT order_ext.dispatch() AS handled;
SELECT t.order('early'), t.fulfilment('early');
SELECT t.shipments('early');
SELECT t.show(order_ext.shipment_event(t.id('early'), 'e2', 'out_stock'));
SELECT t.order('early'), t.way('early');
SELECT t.shipments('early');
-- all of it before the message of the payment is handled: one dispatch brings it home
SELECT t.paid('whole');
SELECT t.show(order_ext.shipment_event(t.id('whole'), kind, kind)) FROM unnest('{signed,delivering,out_stock,picked}'::text[]) AS kind;
SELECT t.order('whole');
SELECT order_ext.dispatch() AS handled;
SELECT t.order('whole'), t.fulfilment('whole'), t.way('whole');
SELECT t.messages('whole');
-- out_stock needs no picked; a second parked fact of a kind ends up behind
SELECT t.paid('skip');
SELECT t.drain();
SELECT t.show(order_ext.shipment_event(t.id('skip'), 's1', 'delivering')), t.show(order_ext.shipment_event(t.id('skip'), 's2', 'delivering'));
SELECT t.show(order_ext.shipment_event(t.id('skip'), 's3', 'out_stock'));
SELECT t.order('skip'), t.fulfilment('skip');
SELECT t.shipments('skip');

-- ---- refused by its receiver ----
SELECT t.paid('ref40'), t.paid('ref50'), t.paid('ref60'), t.paid('refsign');
SELECT t.drain();
SELECT t.show(order_ext.shipment_event(t.id('ref40'), 'r0', 'out_stock')), t.show(order_ext.shipment_event(t.id('ref40'), 'r1', 'refused'));
SELECT t.show(order_ext.shipment_event(t.id('ref50'), 'r0', 'out_stock')), t.show(order_ext.shipment_event(t.id('ref50'), 'r1', 'delivering')), t.show(order_ext.shipment_event(t.id('ref50'), 'r2', 'refused'));
SELECT t.order('ref40'), t.messages('ref40');
-- once more it is late; signed as well contradicts it, and so the other way round
SELECT t.show(order_ext.shipment_event(t.id('ref40'), 'r2', 'refused')), t.show(order_ext.shipment_event(t.id('ref40'), 'r3', 'delivering')), t.show(order_ext.shipment_event(t.id('ref40'), 'r4', 'signed'));
SELECT t.show(order_ext.shipment_event(t.id('ref60'), kind, kind)) FROM unnest('{out_stock,delivering,signed,refused}'::text[]) AS kind;
SELECT (order_ext.shipment_event(t.id('ref60'), 'refused', 'refused')).detail;
SELECT t.order('ref60'), t.stock('SHP-1');
-- both parked: the one that the carrier's way puts first wins, the other is held
SELECT t.show(order_ext.shipment_event(t.id('refsign'), kind, kind)) FROM unnest('{refused,signed,delivering}'::text[]) AS kind;
SELECT t.show(order_ext.shipment_event(t.id('refsign'), 'out', 'out_stock'));
SELECT t.order('refsign');
SELECT t.shipments('refsign');

-- ---- held: unknown order, canceled order; each alerts once ----
SELECT (r).id, (r).status, (r).version, (r).disposition, (r).detail FROM (SELECT order_ext.shipment_event(7400001, 'u1', 'out_stock') AS r OFFSET 0) AS s;
SELECT (r).id, (r).disposition FROM (SELECT order_ext.shipment_event(7400001, 'u1', 'out_stock') AS r OFFSET 0) AS s;
SELECT payload FROM order_ext_internal.message_log WHERE key = 7400001;
SELECT t.new('gone', 'SHP-1:1', user_id => 7400);
SELECT t.show(order_ext.shipment_event(t.id('gone'), 'g0', 'picked')), t.show(order_ext.shipment_event(t.id('gone'), 'g1', 'out_stock'));
SELECT t.show(order_ext.cancel_order(t.id('gone')));
SELECT t.shipments('gone');
SELECT t.show(order_ext.shipment_event(t.id('gone'), 'g2', 'delivering'));
SELECT t.order('gone'), t.messages('gone');
SELECT payload->>'kind' AS kind, payload->>'reason' AS reason, payload->>'event_id' AS event_id, payload->>'event' AS event FROM order_ext_internal.message_log m WHERE key = t.id('gone') AND topic_id = t.code('topic', 'ops.alert') ORDER BY message_id;
SELECT invariant, severity, expected, regexp_replace(regexp_replace(actual, '[0-9:]+ old', '... old'), 'fact \d+', 'fact #') AS actual FROM order_ext.verify('I15') WHERE entity LIKE 'order ' || t.id('gone') || ' event%' ORDER BY entity;

-- ---- what is canceled never ships: no unit is consumed, all come back ----
SELECT t.drain();
SELECT t.stock('SHP-1');

-- ---- virtual goods: signed when paid, their stock consumed; a mixed order is shipped ----
SELECT t.paid('virtual', 'SHP-V:2'), t.paid('mixed', 'SHP-V:1,SHP-2:1');
SELECT t.show(order_ext.shipment_event(t.id('virtual'), 'v1', 'out_stock'));
SELECT t.drain();
SELECT t.order('virtual'), t.fulfilment('virtual'), t.way('virtual'), t.messages('virtual');
SELECT t.order('mixed'), t.fulfilment('mixed');
SELECT t.stock('SHP-V');
SELECT t.shipments('virtual');
SELECT order_ext.get_order(t.id('virtual'))->'shipment' AS shipment;
-- nothing to pay is paid at once and goes the same way
SELECT order_ext.put_product('SHP-0', 'free', 0);
SELECT available FROM order_ext.adjust_stock('SHP-0', 5);
SELECT t.new('free', 'SHP-0:1', user_id => 7400);
SELECT t.drain();
SELECT t.order('free'), t.fulfilment('free');

-- many at once, in one pass
SELECT count(t.paid('many' || n, CASE WHEN n % 3 = 0 THEN 'SHP-V:1' WHEN n % 3 = 1 THEN 'SHP-1:1' ELSE 'SHP-2:1,SHP-1:1' END, user_id => 7401)) FROM generate_series(1, 30) AS n;
SELECT t.show(order_ext.shipment_event(t.id('many4'), 'm4', 'out_stock'));
SELECT order_ext.dispatch() AS handled;
SELECT status, count(*) FROM order_ext.orders_view WHERE user_id = 7401 GROUP BY status ORDER BY status;

-- a payload that is too long is cut, and the detail says so
SELECT (order_ext.shipment_event(t.id('mixed'), 'long', 'picked', payload => jsonb_build_object('x', repeat('x', 300000)))).detail;
SELECT (order_ext.shipment_event(t.id('mixed'), 'long', 'picked', payload => jsonb_build_object('x', repeat('x', 300000)))).disposition;
-- one transaction may do it all
BEGIN;
SELECT t.show(order_ext.shipment_event(t.id('mixed'), kind, kind)) FROM unnest('{delivering,out_stock,signed}'::text[]) AS kind;
COMMIT;
SELECT t.order('mixed');

SELECT * FROM order_ext.verify() WHERE severity = 'error';

-- ---- a fulfillment that is gone is reported as such, and nothing is made of it ----
SELECT t.paid('gone'), t.paid('gone_parked');
SELECT t.drain();
SELECT t.show(order_ext.shipment_event(t.id('gone_parked'), 'd', 'delivering'));
BEGIN;
SET LOCAL session_replication_role = replica;
DELETE FROM order_ext_internal.fulfilments WHERE order_id IN (t.id('gone'), t.id('gone_parked'));
SET LOCAL session_replication_role = origin;
SELECT kind, outcome, changed FROM unnest('{picked,out_stock}'::text[]) AS kind, LATERAL t.effect(format('order_ext.shipment_event(t.id(''gone''), %L, %1$L)', kind));
SELECT outcome, changed FROM t.effect($$order_ext.shipment_event(t.id('gone_parked'), 'o', 'out_stock')$$);
ROLLBACK;
