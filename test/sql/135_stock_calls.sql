-- set_stock, and adjust_stock of reserved units: what is not there is written off, and the newest
-- unpaid orders that hold it are canceled.
SELECT order_ext.put_product('SC-1', 'A', 10), order_ext.put_product('SC-2', 'B', 10);

-- ---- set_stock ----
SELECT * FROM order_ext.set_stock('SC-1', 10, 'counted');
SELECT * FROM order_ext.set_stock('SC-1', 10);
SELECT * FROM order_ext.set_stock('SC-1', 4, request_id => 'sc-set');
SELECT * FROM order_ext.adjust_stock('SC-1', 2, request_id => 'sc-set');
SELECT * FROM order_ext.set_stock('SC-1', 4, request_id => 'sc-set');
SELECT * FROM order_ext.stock_level('SC-1');
SELECT kind, delta, reason FROM order_ext.stock_ledger_view WHERE sku = 'SC-1' ORDER BY at;
SELECT call, e.* FROM (VALUES ($$'SC-1', -1$$), ($$'SC-1', NULL$$), ($$NULL, 1$$), ($$'none', 1$$), ($$'SC-1', 1, repeat('x', 1001)$$), ($$'SC-1', 5, request_id => 'sc-set'$$)) AS v (call),
	LATERAL t.effect($$(SELECT s.available FROM order_ext.set_stock($$ || call || $$) AS s)::text$$) AS e;
-- what is reserved stays
SELECT t.new('held', 'SC-1:3');
SELECT * FROM order_ext.set_stock('SC-1', 100);
SELECT * FROM order_ext.set_stock('SC-1', 0);
SELECT t.show(order_ext.cancel_order(t.id('held')));
SELECT t.drain();
SELECT * FROM order_ext.stock_level('SC-1');

-- ---- reserved units ----
SELECT available FROM order_ext.adjust_stock('SC-2', 20);
SELECT t.new('old', 'SC-2:2');
SELECT t.new('paid', 'SC-2:3');
SELECT t.new('middle', 'SC-2:2,SC-1:1');
SELECT t.new('new', 'SC-2:1');
SELECT t.show(order_ext.pay_callback(t.id('paid'), 'SC-paid', 'card', 30));
SELECT * FROM order_ext.stock_level('SC-2');
-- one unit: the newest unpaid order
SELECT * FROM order_ext.adjust_stock('SC-2', -1, 'broken', 'sc-1', 'reserved');
SELECT t.order('new'), t.order('middle'), t.order('old'), t.order('paid');
SELECT * FROM order_ext.adjust_stock('SC-2', -1, 'broken', 'sc-1', 'reserved');
-- it is released once
SELECT t.drain();
SELECT * FROM order_ext.stock_level('SC-2');
-- one unit of two: the order goes, the other unit is available
SELECT * FROM order_ext.adjust_stock('SC-2', -1, bucket => 'reserved');
SELECT t.order('middle');
SELECT t.drain();
SELECT * FROM order_ext.stock_level('SC-2');
SELECT * FROM order_ext.stock_level('SC-1');
-- more than unpaid orders hold: nothing happens
SELECT code, message, detail, hint FROM t.error($$order_ext.adjust_stock('SC-2', -3, bucket => 'reserved')$$);
SELECT t.order('old');
SELECT call, e.* FROM (VALUES ($$'SC-2', 1, bucket => 'reserved'$$), ($$'SC-2', -1, bucket => 'consumed'$$), ($$'SC-2', -1, bucket => NULL$$), ($$'SC-2', 0, bucket => 'reserved'$$),
	($$'SC-2', -9223372036854775808, bucket => 'reserved'$$), ($$'SC-2', -1, 'broken', 'sc-1'$$), ($$'none', -1, bucket => 'reserved'$$)) AS v (call),
	LATERAL t.effect($$(SELECT s.available FROM order_ext.adjust_stock($$ || call || $$) AS s)::text$$) AS e;
SELECT * FROM order_ext.adjust_stock('SC-2', -2, bucket => 'reserved');
SELECT t.order('old');
SELECT t.drain();
SELECT * FROM order_ext.stock_level('SC-2');
SELECT kind, delta, reason FROM order_ext.stock_ledger_view WHERE sku = 'SC-2' AND kind = 'adjust' ORDER BY at;
-- a request from before there were buckets has the same hash
SELECT available FROM order_ext.adjust_stock('SC-2', 1, request_id => 'sc-2');
SELECT available FROM order_ext.adjust_stock('SC-2', 1, request_id => 'sc-2', bucket => 'available');
SELECT invariant, entity, actual FROM order_ext.verify() WHERE severity = 'error';
