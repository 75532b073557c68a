-- Interception: a cancel stops the parcel in its own transaction, or asks an external
-- warehouse (set_channel) and waits for fulfilment_cancel_result, or is refused.
\set VERBOSITY sqlstate
-- what other tests have left
SELECT t.drain();
SELECT order_ext.put_product('INT-1', 'A', 100);
SELECT available FROM order_ext.adjust_stock('INT-1', 100);
SELECT order_ext.set_channel(channel => 'partner', external => true), order_ext.set_channel('shop', false);
SELECT order_ext.issue_coupon(7410, 30) AS c1, order_ext.issue_coupon(7410, 30) AS c2 \gset
CREATE FUNCTION t.sent(name text, channel text DEFAULT NULL, coupon_id bigint DEFAULT NULL) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM t.new(name, 'INT-1:1', coupon_id, user_id => 7410, options => jsonb_strip_nulls(jsonb_build_object('channel', channel)));
	-- a trade number of another test's order would pay nothing
	IF (order_ext.pay_callback(t.id(name), 'T-' || name, 'wechat', t.due(name))).disposition <> 'applied' THEN
		RAISE EXCEPTION '% is not paid', name;
	END IF;
	RETURN name;
END
$$;

-- ---- our own warehouse: at once, with its documents, before and after picking ----
SELECT t.sent('own', 'shop', :c1), t.sent('own_picked'), t.sent('own_out');
SELECT t.drain();
SELECT t.show(order_ext.shipment_event(t.id('own_picked'), 'p', 'picked')), t.show(order_ext.shipment_event(t.id('own_out'), 'o', 'out_stock'));
SELECT t.show(order_ext.shipment_event(t.id('own'), 'early', 'delivering'));
SELECT (r).disposition, (r).status, (r).version, (r).detail FROM (SELECT order_ext.cancel_order(t.id('own'), 7410, reason => 'found it cheaper', request_id => 'int-1') AS r OFFSET 0) AS s;
SELECT t.show(order_ext.cancel_order(t.id('own_picked'), cancel_type => 'customer_service', refund_policy => 'hold'));
SELECT t.order('own'), t.fulfilment('own');
SELECT t.order('own_picked'), t.fulfilment('own_picked');
SELECT t.shipments('own');
SELECT t.show(order_ext.cancel_order(t.id('own'), 7410, reason => 'found it cheaper', request_id => 'int-1')), t.show(order_ext.cancel_order(t.id('own')));
SELECT t.drain();
SELECT t.coupon(:c1), t.stock('INT-1'), t.messages('own');
SELECT t.refunds('own');
SELECT t.refunds('own_picked');
SELECT from_status, to_status, event, actor, detail->>'reason' AS reason FROM order_ext.order_timeline(t.id('own'));
-- what left is not canceled any more
SELECT outcome, changed FROM t.effect($$order_ext.cancel_order(t.id('own_out'))$$);
SELECT hint FROM t.error($$order_ext.cancel_order(t.id('own_out'))$$);
-- facts after the cancel are held, the parcel stays
SELECT t.show(order_ext.shipment_event(t.id('own'), 'late', 'out_stock'));
SELECT t.fulfilment('own'), t.stock('INT-1');

-- ---- G28: canceled while order.paid is in flight: a tombstone, and it never ships ----
SELECT t.sent('tomb'), t.sent('tomb_ext', 'partner');
SELECT t.show(order_ext.cancel_order(t.id('tomb'))), t.show(order_ext.cancel_order(t.id('tomb_ext')));
SELECT t.fulfilment('tomb'), t.fulfilment('tomb_ext');
SELECT t.drain();
SELECT t.order('tomb'), t.fulfilment('tomb'), t.messages('tomb');

-- ---- an external warehouse is asked ----
SELECT t.sent('ask', 'partner', :c2), t.sent('ask_no', 'partner'), t.sent('ask_out', 'partner'), t.sent('ask_hold', 'partner'), t.sent('ask_picked', 'partner');
SELECT t.drain();
SELECT t.fulfilment('ask');
SELECT (r).disposition, (r).status, (r).version, (r).detail FROM (SELECT order_ext.cancel_order(t.id('ask'), 7410, reason => 'changed my mind', request_id => 'int-2') AS r OFFSET 0) AS s;
SELECT t.order('ask'), t.fulfilment('ask'), t.messages('ask');
-- again, meanwhile: still pending, and nothing more happens
SELECT outcome, changed FROM t.effect($$order_ext.cancel_order(t.id('ask'), 7410)$$);
SELECT outcome, changed FROM t.effect($$order_ext.cancel_order(t.id('ask'), cancel_type => 'customer_service', refund_policy => 'hold')$$);
SELECT outcome, changed FROM t.effect($$order_ext.cancel_order(t.id('ask'), 7410, reason => 'changed my mind', request_id => 'int-2')$$);
SELECT outcome, changed FROM t.effect($$order_ext.cancel_order(t.id('ask'), 7411)$$);
SELECT ARRAY(SELECT order_ext.allowed_actions(t.id('ask')) ORDER BY 1);
-- it accepts: canceled as was asked for
SELECT (r).id = t.id('ask') AS the_order, t.show(r), (r).detail FROM (
	SELECT order_ext.fulfilment_cancel_result(order_id => t.id('ask'), accepted => true, event_id => 'a1', raw => '{"stopped": true}') AS r OFFSET 0) AS s;
SELECT t.order('ask'), t.fulfilment('ask');
SELECT t.drain();
SELECT t.coupon(:c2), t.messages('ask');
SELECT t.refunds('ask');
SELECT t.way('ask');
-- the same answer again; another one that says the same; one that says the opposite
SELECT call, outcome, changed FROM (VALUES ($$true, 'a1', '{"stopped": true}'$$), ($$true, 'a2'$$), ($$false, 'a3'$$), ($$true, 'a1'$$), ($$false, 'a1', '{"stopped": true}'$$), ($$false, 'a3'$$)) AS v(call),
	LATERAL t.effect($$order_ext.fulfilment_cancel_result(t.id('ask'), $$ || call || ')');
SELECT t.shipments('ask');
SELECT t.show(order_ext.cancel_order(t.id('ask')));

-- it refuses: the order continues, and can no longer be canceled
SELECT t.show(order_ext.cancel_order(t.id('ask_no')));
SELECT t.show(order_ext.fulfilment_cancel_result(t.id('ask_no'), false, 'n1'));
SELECT t.order('ask_no'), t.fulfilment('ask_no'), t.way('ask_no');
SELECT outcome, changed FROM t.effect($$order_ext.cancel_order(t.id('ask_no'))$$);
SELECT message ~ 'intercepted' AS message, detail, hint FROM t.error($$order_ext.cancel_order(t.id('ask_no'))$$);
SELECT ARRAY(SELECT order_ext.allowed_actions(t.id('ask_no')) ORDER BY 1);
-- an acceptance afterwards is for staff
SELECT t.show(order_ext.fulfilment_cancel_result(t.id('ask_no'), true, 'n2'));
SELECT t.show(order_ext.shipment_event(t.id('ask_no'), 'out', 'out_stock'));
SELECT t.order('ask_no'), t.fulfilment('ask_no');

-- it went out before the answer: the parcel wins, the cancel is refused by itself
SELECT t.show(order_ext.cancel_order(t.id('ask_out'), reason => 'too late'));
SELECT t.show(order_ext.shipment_event(t.id('ask_out'), 'early', 'delivering'));
SELECT t.show(order_ext.shipment_event(t.id('ask_out'), 'out', 'out_stock'));
SELECT t.order('ask_out'), t.fulfilment('ask_out'), t.way('ask_out');
SELECT t.show(order_ext.fulfilment_cancel_result(t.id('ask_out'), false, 'o1')), t.show(order_ext.fulfilment_cancel_result(t.id('ask_out'), true, 'o2'));
SELECT (order_ext.fulfilment_cancel_result(t.id('ask_out'), true, 'o2')).detail;
SELECT payload->>'reason' AS alert FROM order_ext_internal.message_log WHERE key = t.id('ask_out') AND topic_id = t.code('topic', 'ops.alert');
SELECT t.go($$order_ext.cancel_order(t.id('ask_out'))$$), t.stock('INT-1');

-- the pending cancel keeps its refund policy and who asked
SELECT t.show(order_ext.cancel_order(t.id('ask_hold'), cancel_type => 'customer_service', refund_policy => 'hold'));
SELECT t.show(order_ext.fulfilment_cancel_result(t.id('ask_hold'), true, 'h1'));
SELECT t.drain();
SELECT t.order('ask_hold'), (SELECT bool_and(held) FROM order_ext.refunds_view WHERE order_id = t.id('ask_hold')) AS held;

-- picking waits while a cancel is pending, and continues when it is refused
SELECT t.show(order_ext.cancel_order(t.id('ask_picked')));
SELECT t.show(order_ext.shipment_event(t.id('ask_picked'), 'p1', 'picked'));
SELECT t.show(order_ext.fulfilment_cancel_result(t.id('ask_picked'), false, 'x1'));
SELECT t.fulfilment('ask_picked');
SELECT t.shipments('ask_picked');
-- picked before the cancel: it goes back to labelled
SELECT t.sent('ask_label', 'partner'), t.sent('ask_label2', 'partner');
SELECT t.drain();
SELECT t.show(order_ext.shipment_event(t.id(name), 'p', 'picked')), t.show(order_ext.cancel_order(t.id(name))) FROM unnest('{ask_label,ask_label2}'::text[]) AS name;
SELECT t.fulfilment('ask_label');
SELECT t.show(order_ext.fulfilment_cancel_result(t.id('ask_label'), false, 'x')), t.show(order_ext.fulfilment_cancel_result(t.id('ask_label2'), true, 'x'));
SELECT t.fulfilment('ask_label'), t.fulfilment('ask_label2');
SELECT t.go($$order_ext.shipment_event(t.id('ask_label'), 'again', 'picked')$$);

-- ---- answers that nobody asked for ----
SELECT t.new('plain', 'INT-1:1', user_id => 7410), t.sent('unasked', 'partner');
SELECT t.drain();
SELECT name, t.go(format('order_ext.fulfilment_cancel_result(t.id(%L), false, ''r'')', name)) AS rejected, t.go(format('order_ext.fulfilment_cancel_result(t.id(%L), true, ''a'')', name)) AS accepted
FROM unnest('{plain,unasked,own,own_out}'::text[]) AS name;
SELECT (r).id, (r).status, (r).disposition, (r).detail FROM (SELECT order_ext.fulfilment_cancel_result(7410001, true, 'u') AS r OFFSET 0) AS s;

-- a channel that becomes external later does not change fulfilments that are there
SELECT t.sent('before', 'late_channel');
SELECT t.drain();
SELECT order_ext.set_channel('late_channel', true);
SELECT t.sent('after', 'late_channel');
SELECT t.drain();
SELECT t.show(order_ext.cancel_order(t.id('before'))), t.show(order_ext.cancel_order(t.id('after')));
SELECT order_ext.set_channel('late_channel', false);
SELECT t.sent('later', 'late_channel');
SELECT t.drain();
SELECT t.show(order_ext.cancel_order(t.id('later')));

-- an interception that is not answered is a warning after an hour, not before
SELECT count(*) FROM order_ext.verify('I15') WHERE entity = 'order ' || t.id('after');
SELECT t.show(order_ext.fulfilment_cancel_result(t.id('after'), true, 'done'));

SELECT t.drain();
SELECT available + reserved + consumed AS all_units,
	   reserved = (SELECT count(*) FROM order_ext.orders_view WHERE user_id = 7410 AND status IN ('created', 'paid', 'fulfilling')) AS reserved,
	   consumed = (SELECT count(*) FROM order_ext.orders_view WHERE user_id = 7410 AND status IN ('out_stock', 'delivering', 'signed', 'refused')) AS consumed
FROM order_ext.stock_level('INT-1');
SELECT * FROM order_ext.verify() WHERE severity = 'error';
