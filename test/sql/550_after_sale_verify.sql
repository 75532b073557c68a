-- verify() sees what is wrong with after-sales and returns: each line breaks one thing behind
-- the engine's back, shows what verify() adds to its report, and takes it back.
SELECT t.after_sale_products('AX');

-- an order that has gone back with its coupon and freight; one whose return was received and
-- is paid; one in transit, one damaged, one applied for
SELECT order_ext.issue_coupon(7600, 4) AS c, order_ext.issue_coupon(7600, 4) AS d \gset
CALL t.to_status('vf', 'AX-1:2', coupon_id => :c, region => 'AS-R');
SELECT t.apply('vf1', 'vf', 'AX-1:1');
SELECT t.apply('vf2', 'vf', 'AX-1:1', 'return_refund');
SELECT t.show(order_ext.review_after_sale(t.id('vf1'), true)), t.show(order_ext.review_after_sale(t.id('vf2'), true)), t.show(order_ext.return_receipt(t.id('vf2'), t.items('AX-1:1'), true));
CALL t.settle();
CALL t.to_status('vp', 'AX-1:5', coupon_id => :d, region => 'AS-R');
SELECT t.apply('vp1', 'vp', 'AX-1:1', 'return_refund');
SELECT t.apply('vp2', 'vp', 'AX-1:1', 'return_refund');
SELECT t.apply('vp3', 'vp', 'AX-1:1', 'return_refund');
SELECT t.apply('vp4', 'vp', 'AX-1:1');
SELECT t.show(order_ext.review_after_sale(t.id('vp1'), true)), t.show(order_ext.review_after_sale(t.id('vp2'), true)), t.show(order_ext.review_after_sale(t.id('vp4'), true)),
	t.show(order_ext.return_shipment(t.id('vp1'), 'SF', '1')), t.show(order_ext.return_receipt(t.id('vp2'), '[{"sku": "AX-1", "quantity": 1, "condition": "damaged"}]', true));
SELECT invariant, severity, entity, expected, actual FROM order_ext.verify() WHERE severity = 'error';

-- So many movements are folded with the next one.
SELECT count(order_ext.adjust_stock('AX-1', 1)) FROM generate_series(1, 20);
SELECT count(order_ext.adjust_stock('AX-1', -20));

SET search_path = order_ext_internal, public;
-- I5 pieces, amounts, shares, freight
SELECT t.detects('UPDATE after_sale_items SET quantity = 2 WHERE after_sale_id = t.id(''vf1'')');
SELECT t.detects('UPDATE after_sale_items SET amount = amount + 1 WHERE after_sale_id = t.id(''vf1'')');
SELECT t.detects('UPDATE after_sale_items SET amount = amount - 1 WHERE after_sale_id = t.id(''vf1'')');
SELECT t.detects('UPDATE after_sale_items SET discount = 100 WHERE after_sale_id = t.id(''vp1'')');
SELECT t.detects('UPDATE after_sale_items SET product_id = 1000000 WHERE after_sale_id = t.id(''vp3'')');
SELECT t.detects('UPDATE after_sales SET freight = 0 WHERE after_sale_id = t.id(''vf2'')');
SELECT t.detects('UPDATE after_sales SET freight = 6, amount = amount + 1 WHERE after_sale_id = t.id(''vf2'')');
-- I6 stock
SELECT t.detects('UPDATE after_sale_items SET restocked = 0 WHERE after_sale_id = t.id(''vf2'')');
SELECT t.detects('UPDATE stock_ledger SET ref = 1000000 WHERE ref = (SELECT - event_id FROM after_sale_events WHERE after_sale_id = t.id(''vf2'')) AND kind = t.code(''ledger_kind'', ''return'')');
SELECT t.detects('UPDATE stock_ledger SET kind = t.code(''ledger_kind'', ''write_off'') WHERE ref = (SELECT - event_id FROM after_sale_events WHERE after_sale_id = t.id(''vf2'')) AND kind = t.code(''ledger_kind'', ''return'')');
SELECT t.detects('DELETE FROM stock_ledger WHERE ref = (SELECT - event_id FROM after_sale_events WHERE after_sale_id = t.id(''vf2'')) AND kind = t.code(''ledger_kind'', ''return'')');
-- I7 coupons: back too early, not back
SELECT t.detects('UPDATE coupons SET order_id = NULL, status = t.code(''coupon_status'', ''unused'') WHERE order_id = t.id(''vp'')');
SELECT t.detects(format('UPDATE coupons SET order_id = t.id(''vf''), status = t.code(''coupon_status'', ''used'') WHERE coupon_id = %s', :c));
-- I8 the log of a return
SELECT t.detects('UPDATE after_sales SET return_status = t.code(''return_status'', ''to_send'') WHERE after_sale_id = t.id(''vp1'')');
-- I13 returns and refunds
SELECT t.detects('UPDATE after_sales SET return_status = NULL, return_version = 0 WHERE after_sale_id = t.id(''vp1'')');
SELECT t.detects('UPDATE after_sales SET return_status = t.code(''return_status'', ''in_transit'') WHERE after_sale_id = t.id(''vf2'')');
SELECT t.detects('UPDATE after_sales SET return_status = t.code(''return_status'', ''inspected'') WHERE after_sale_id = t.id(''vp2'')');
SELECT t.detects('UPDATE after_sale_items SET refunded = 1 WHERE after_sale_id = t.id(''vp2'')');
SELECT t.detects('UPDATE after_sale_items SET refunded = 0 WHERE after_sale_id = t.id(''vf2'')');
SELECT t.detects('UPDATE after_sale_items SET paid = paid - 1 WHERE after_sale_id = t.id(''vf2'')');
SELECT t.detects('UPDATE stock_ledger SET ref = - 1000000 WHERE ref = (SELECT - event_id FROM after_sale_events WHERE after_sale_id = t.id(''vf2''))');
SELECT t.detects('UPDATE after_sales SET return_status = t.code(''return_status'', ''partly_received'') WHERE after_sale_id = t.id(''vp2'')');
SELECT t.detects('UPDATE after_sale_items SET received = 1 WHERE after_sale_id = t.id(''vp1'')');
SELECT t.detects('DELETE FROM refunds WHERE after_sale_id = t.id(''vp4'')');
SELECT t.detects('UPDATE after_sales SET status = t.code(''after_sale_status'', ''refunded'') WHERE after_sale_id = t.id(''vp4'')');
-- I15 what waits
SELECT t.detects('UPDATE after_sales SET applied_at = applied_at - interval ''1 year'' WHERE after_sale_id = t.id(''vp3'')');
SELECT t.detects('INSERT INTO held_facts (at, order_id, entity_id, kind, reason, payload) VALUES (now(), t.id(''vp''), t.id(''vp1''), ''return_shipment'', ''x'', ''{}'')');
RESET search_path;
SELECT invariant, severity, entity, expected, actual FROM order_ext.verify() WHERE severity = 'error';
