-- confirm_receipt, change_address, remove_order: what the buyer may still do, at every status.
\set VERBOSITY sqlstate
SELECT order_ext.put_product('RCP-1', 'A', 100);
SELECT available FROM order_ext.adjust_stock('RCP-1', 200);
-- an order at every status, three of each: rcp_<call>_<status>
CREATE TABLE t.rcp AS
SELECT call, status, format('rcp_%s_%s', call, status) AS name, n
FROM unnest('{confirm,address,remove}'::text[]) AS call,
	 unnest('{created,paid,fulfilling,out_stock,delivering,signed,canceled,refused}'::text[]) WITH ORDINALITY AS s(status, n);
SELECT count(t.new(name, 'RCP-1:1', user_id => 7420, options => '{"address": {"city": "Old Town"}, "remark": "ring twice"}')) FROM t.rcp;
SELECT count(order_ext.pay_callback(t.id(name), 'T-' || name, 'wechat', 100)) FROM t.rcp WHERE status NOT IN ('created', 'paid', 'canceled');
SELECT t.drain();
SELECT count(order_ext.pay_callback(t.id(name), 'T-' || name, 'wechat', 100)) FROM t.rcp WHERE status = 'paid';
SELECT count(order_ext.cancel_order(t.id(name))) FROM t.rcp WHERE status = 'canceled';
SELECT count(order_ext.shipment_event(t.id(name), 'o', 'out_stock')) FROM t.rcp WHERE status IN ('out_stock', 'delivering', 'signed', 'refused');
SELECT count(order_ext.shipment_event(t.id(name), 'd', 'delivering')) FROM t.rcp WHERE status IN ('delivering', 'signed');
SELECT count(order_ext.shipment_event(t.id(name), 's', 'signed')) FROM t.rcp WHERE status = 'signed';
SELECT count(order_ext.shipment_event(t.id(name), 'r', 'refused')) FROM t.rcp WHERE status = 'refused';
SELECT bool_and(split_part(t.order(name), ' ', 1) = status) AS all_there FROM t.rcp;

-- ---- every status: once, and once more ----
SELECT call, status, a.outcome AS first, a.changed, b.outcome AS again, b.changed
FROM (SELECT * FROM t.rcp ORDER BY call, n OFFSET 0) AS r,
	 LATERAL t.effect(format(CASE call WHEN 'confirm' THEN 'order_ext.confirm_receipt(t.id(%L), 7420)'
		 WHEN 'address' THEN $$order_ext.change_address(t.id(%L), 7420, '{"city": "New Town"}')$$
		 ELSE 'order_ext.remove_order(t.id(%L), 7420)' END, name)) AS a,
	 LATERAL t.effect(format(CASE call WHEN 'confirm' THEN 'order_ext.confirm_receipt(t.id(%L), 7420)'
		 WHEN 'address' THEN $$order_ext.change_address(t.id(%L), 7420, '{"city": "Third Town"}')$$
		 ELSE 'order_ext.remove_order(t.id(%L), 7420)' END, name)) AS b
ORDER BY call, n;
-- by name, with the argument names of the contract, and by position
SELECT t.show(order_ext.confirm_receipt(order_id => t.id('rcp_confirm_signed'), user_id => 7420, request_id => 'rcp-1')),
	   t.show(order_ext.remove_order(order_id => t.id('rcp_remove_signed'), user_id => 7420)),
	   t.go($$order_ext.change_address(order_id => t.id('rcp_confirm_paid'), user_id => 7420, address => '{"city": "New Town"}', request_id => 'rcp-2')$$);

-- ---- another's order: OE003 at every status; an unknown one: OE001 ----
SELECT DISTINCT status, t.go(format('order_ext.confirm_receipt(t.id(%L), 7421)', name)) AS confirm, t.go(format($$order_ext.change_address(t.id(%L), 7421, '"x"')$$, name)) AS address,
	   t.go(format('order_ext.remove_order(t.id(%L), 7421)', name)) AS remove FROM t.rcp WHERE call = 'confirm' ORDER BY status;
SELECT t.go('order_ext.confirm_receipt(7420001, 7420)'), t.go($$order_ext.change_address(7420001, 7420, '"x"')$$), t.go('order_ext.remove_order(7420001, 7420)');

-- ---- confirm_receipt: the carrier is late then, and a refusal contradicts it ----
SELECT t.way('rcp_confirm_delivering'), t.messages('rcp_confirm_delivering');
SELECT t.show(order_ext.shipment_event(t.id('rcp_confirm_delivering'), 'late', 'signed')), t.show(order_ext.shipment_event(t.id('rcp_confirm_delivering'), 'no', 'refused'));

-- ---- change_address: the rest of the options stays, the log does not tell it ----
SELECT order_ext.get_order(t.id('rcp_address_fulfilling'))->'options' AS options;
SELECT event, actor, detail FROM order_ext.order_timeline(t.id('rcp_address_fulfilling')) WHERE event = 'change_address';
-- the same address is no change: it does not use up the one there is
SELECT outcome, changed FROM t.effect($$order_ext.change_address(t.id('rcp_confirm_created'), 7420, '{"city": "Old Town"}')$$);
SELECT outcome, changed FROM t.effect($$order_ext.change_address(t.id('rcp_confirm_created'), 7420, '{"city": "New Town"}', 'rcp-3')$$);
SELECT outcome, changed FROM t.effect($$order_ext.change_address(t.id('rcp_confirm_created'), 7420, '{"city": "New Town"}')$$);
SELECT detail FROM t.error($$order_ext.change_address(t.id('rcp_confirm_created'), 7420, '{"city": "Old Town"}')$$);
-- keys: jsonb is compared as jsonb
SELECT t.go($$order_ext.change_address(t.id('rcp_confirm_created'), 7420, '{ "city":"New Town" }', 'rcp-3')$$), t.go($$order_ext.change_address(t.id('rcp_confirm_created'), 7420, '{"city": "Old Town"}', 'rcp-3')$$);
SELECT t.go($$order_ext.confirm_receipt(t.id('rcp_confirm_signed'), 7420, 'rcp-1')$$), t.go($$order_ext.confirm_receipt(t.id('rcp_confirm_delivering'), 7420, 'rcp-1')$$),
	   t.go($$order_ext.confirm_receipt(t.id('rcp_confirm_out_stock'), 7420, 'rcp-4')$$), t.go($$order_ext.confirm_receipt(t.id('rcp_confirm_delivering'), 7420, 'rcp-4')$$);
-- an order without an address gets one; any jsonb but null is one
SELECT t.new('rcp_none', 'RCP-1:1', user_id => 7420);
SELECT t.go($$order_ext.change_address(t.id('rcp_none'), 7420, 'null')$$), t.go($$order_ext.change_address(t.id('rcp_none'), 7420, '"At the old mill"')$$);
SELECT order_ext.get_order(t.id('rcp_none'))->'options' AS options;
-- while a warehouse is asked to cancel, the parcel is still there
SELECT order_ext.set_channel('rcp_partner', true);
SELECT t.new('rcp_ext', 'RCP-1:1', user_id => 7420, options => '{"channel": "rcp_partner"}');
SELECT t.show(order_ext.pay_callback(t.id('rcp_ext'), 'T-rcp_ext', 'wechat', 100));
SELECT t.drain();
SELECT t.show(order_ext.cancel_order(t.id('rcp_ext'))), t.show(order_ext.change_address(t.id('rcp_ext'), 7420, '"x"'));
SELECT t.show(order_ext.fulfilment_cancel_result(t.id('rcp_ext'), true, 'x'));

-- ---- remove_order: hidden from the buyer, there for everybody else ----
SELECT status, removed_at IS NOT NULL AS removed, order_ext.get_order(order_id)->>'removed_at' IS NOT NULL AS told, ARRAY(SELECT order_ext.allowed_actions(order_id)) AS actions
FROM order_ext.orders_view WHERE order_id IN (t.id('rcp_remove_signed'), t.id('rcp_remove_canceled'), t.id('rcp_remove_refused'), t.id('rcp_confirm_signed')) ORDER BY status, removed;

-- ---- allowed_actions at every status: the calls that pass ----
SELECT split_part(t.order(name), ' ', 1) AS status, 'address changed' AS what, ARRAY(SELECT order_ext.allowed_actions(t.id(name)) ORDER BY 1) AS actions FROM t.rcp WHERE call = 'address' ORDER BY n;
SELECT split_part(t.order(name), ' ', 1) AS status, 'removed where possible' AS what, ARRAY(SELECT order_ext.allowed_actions(t.id(name)) ORDER BY 1) AS actions FROM t.rcp WHERE call = 'remove' ORDER BY n;

SELECT t.drain();
SELECT * FROM order_ext.verify() WHERE severity = 'error';
