-- verify() can fail: every check finds what it is there for. Each line breaks one thing
-- behind the engine's back (as a superuser for whom the guard triggers are disabled), shows what
-- verify() adds to its report, and takes it back.
CALL t.verify_orders();
SELECT name, t.order(name) FROM unnest('{V unpaid,V paid,V canceled}'::text[]) AS name;
-- on its way is not broken
SELECT count(*) FROM order_ext.verify() WHERE entity ~ t.id('V canceled')::text OR entity ~ 'sku V';
SELECT t.drain();
SELECT count(*) FROM order_ext.verify() WHERE severity = 'error';

-- A refund's lease that an earlier test left, and that ends in between, is no finding of ours.
BEGIN;
SET LOCAL session_replication_role = replica;
UPDATE order_ext_internal.refunds SET lease_until = lease_until + interval '1 day' WHERE status = t.code('refund_status', 'submitted');
COMMIT;
-- So many movements are folded with the next one.
SELECT count(order_ext.adjust_stock('V', 1)) FROM generate_series(1, 20);
SELECT count(order_ext.adjust_stock('V', -20));
SET search_path = order_ext_internal, public;

-- I1 amounts
SELECT t.detects('UPDATE order_items SET pay = pay + 1 WHERE order_id = t.id(''V paid'')');
SELECT t.detects('UPDATE order_items SET pay = pay + 1, discount = discount - 1 WHERE order_id = t.id(''V paid'')');
SELECT t.detects('UPDATE orders SET origin_amount = origin_amount + 1, pay_amount = pay_amount + 1 WHERE order_id = t.id(''V unpaid'')');
SELECT t.detects('UPDATE order_items SET order_id = 1 WHERE order_id = t.id(''V unpaid'')');
-- I2 purposes
SELECT t.detects('UPDATE payments SET purpose = NULL WHERE out_trade_no = ''V-1''');
SELECT t.detects('UPDATE payments SET captured_at = NULL WHERE out_trade_no = ''V-1''');
SELECT t.detects('UPDATE payments SET purpose = t.code(''payment_purpose'', ''late'') WHERE out_trade_no = ''V-1''');
SELECT t.detects('UPDATE payments SET order_id = 1 WHERE out_trade_no = ''V-3''');
-- I3 refunds within captures
SELECT t.detects('UPDATE refunds SET amount = amount + 1 WHERE payment_id = (SELECT payment_id FROM payments WHERE out_trade_no = ''V-2'')');
SELECT t.detects('UPDATE refunds SET currency = ''XXX'' WHERE payment_id = (SELECT payment_id FROM payments WHERE out_trade_no = ''V-2'')');
-- I4 every refund that is due
SELECT t.detects('UPDATE refunds SET amount = amount - 1 WHERE payment_id = (SELECT payment_id FROM payments WHERE out_trade_no = ''V-2'')');
SELECT t.detects('DELETE FROM refunds WHERE payment_id = (SELECT payment_id FROM payments WHERE out_trade_no = ''V-3'')');
SELECT t.detects('UPDATE refunds SET status = t.code(''refund_status'', ''failed'') WHERE payment_id = (SELECT payment_id FROM payments WHERE out_trade_no = ''V-3'')');
-- I6 stock
SELECT t.detects('UPDATE stock_folds SET available = available + 1 WHERE product_id = (SELECT product_id FROM products WHERE sku = ''V'')');
SELECT t.detects('UPDATE stock_folds SET consumed = consumed + 1 WHERE product_id = (SELECT product_id FROM products WHERE sku = ''V'')');
SELECT t.detects('UPDATE stock_folds SET covered = ''3:3:'' WHERE product_id = (SELECT product_id FROM products WHERE sku = ''V'')');
SELECT t.detects('DELETE FROM stock_ledger WHERE order_id = t.id(''V paid'')');
SELECT t.detects('DELETE FROM stock_ledger WHERE product_id = (SELECT product_id FROM products WHERE sku = ''V'') AND kind = t.code(''ledger_kind'', ''adjust'')');
SELECT t.detects('UPDATE stock_ledger SET order_id = t.id(''V unpaid''), kind = t.code(''ledger_kind'', ''release''), reserved_delta = -1, available_delta = 1 WHERE order_id = t.id(''V unpaid'')');
SELECT t.detects('UPDATE order_items SET reservation = t.code(''reservation'', ''released'') WHERE order_id = t.id(''V paid'')');
SELECT t.detects('UPDATE order_items SET reservation = t.code(''reservation'', ''reserved'') WHERE order_id = t.id(''V canceled'')');
-- I7 coupons
SELECT t.detects('UPDATE coupons SET order_id = t.id(''V unpaid'') WHERE coupon_id = t.id(''V coupon'')');
SELECT t.detects('UPDATE coupons SET order_id = t.id(''V canceled'') WHERE coupon_id = t.id(''V coupon'')');
SELECT t.detects('UPDATE orders SET coupon_id = NULL WHERE coupon_id = t.id(''V coupon'')');
-- I8 the log
SELECT t.detects('DELETE FROM transition_log WHERE machine = t.code(''machine'', ''order'') AND entity_id = t.id(''V paid'') AND version = 2');
SELECT t.detects('DELETE FROM transition_log WHERE machine = t.code(''machine'', ''order'') AND entity_id = t.id(''V unpaid'')');
SELECT t.detects('UPDATE transition_log SET from_status = t.code(''order_status'', ''paid'') WHERE machine = t.code(''machine'', ''order'') AND entity_id = t.id(''V paid'') AND version = 3');
SELECT t.detects('UPDATE transition_log SET event = 20 /* cancel */ WHERE machine = t.code(''machine'', ''order'') AND entity_id = t.id(''V paid'') AND version = 2');
SELECT t.detects('UPDATE coupons SET version = version + 1 WHERE coupon_id = t.id(''V coupon'')');
SELECT t.detects('INSERT INTO transition_log (entity_id, order_id, at, xid, version, machine, from_status, to_status, event, actor) VALUES (1000000000, 0, now(), ''1'', 1, 6, -1, 0, 710, ''S'')');
SELECT t.detects('UPDATE refunds SET status = t.code(''refund_status'', ''succeeded''), settled_at = now() WHERE payment_id = (SELECT payment_id FROM payments WHERE out_trade_no = ''V-3'')');
-- I9 messages of transitions
SELECT t.detects('DELETE FROM message_log_0 WHERE key = t.id(''V paid'') AND topic_id = t.code(''topic'', ''order.paid'')');
SELECT t.detects('INSERT INTO message_log_0 SELECT 1, xid, key, published_at, topic_id, shard, payload FROM message_log_0 WHERE key = t.id(''V paid'') AND topic_id = t.code(''topic'', ''order.paid'')');
SELECT t.detects('UPDATE message_log_0 SET xid = ''9000000000000000'' WHERE key = t.id(''V paid'') AND topic_id = t.code(''topic'', ''order.paid'')');
SELECT t.detects('UPDATE message_log_0 SET topic_id = t.code(''topic'', ''order.canceled'') WHERE key = t.id(''V paid'') AND topic_id = t.code(''topic'', ''order.paid'')');
-- I10 timers
SELECT t.detects('DO $d$BEGIN FOR n IN 0..31 LOOP EXECUTE format(''DELETE FROM timer_bucket_%s WHERE key = t.id(''''V unpaid'''')'', n); END LOOP; DELETE FROM timers_far WHERE key = t.id(''V unpaid''); END$d$');
SELECT t.detects('INSERT INTO timer_progress SELECT 1 + coalesce(max(p.seq), 0), b, ''infinity'', pg_current_snapshot() FROM generate_series(0, 31) b LEFT JOIN timer_progress p ON p.bucket = b GROUP BY b');
SELECT t.detects('UPDATE orders SET expire_at = now() - interval ''2 minutes'' WHERE order_id = t.id(''V unpaid'')');
-- I11 fulfilments
SELECT t.detects('UPDATE fulfilments SET status = t.code(''fulfilment_status'', ''out'') WHERE order_id = t.id(''V paid'')');
SELECT t.detects('DELETE FROM fulfilments WHERE order_id = t.id(''V paid'')');
SELECT t.detects('UPDATE fulfilments SET status = t.code(''fulfilment_status'', ''created'') WHERE order_id = t.id(''V canceled'')');
SELECT t.detects('INSERT INTO fulfilments (order_id, created_at, version, status, external) VALUES (t.id(''V unpaid''), now(), 1, t.code(''fulfilment_status'', ''created''), false)');
SELECT t.detects('UPDATE fulfilment_documents SET status = t.code(''fulfilment_status'', ''canceled'') WHERE order_id = t.id(''V paid'')');
SELECT t.detects('DELETE FROM fulfilment_documents WHERE order_id = t.id(''V paid'')');
-- parked: only what comes early (signed does here, out_stock does not)
SELECT t.detects('INSERT INTO shipment_events (order_id, occurred_at, recorded_at, source, seq, kind, state, event_id, detail) VALUES (t.id(''V paid''), now(), now(), 1, 1, t.code(''shipment_kind'', ''signed''), t.code(''shipment_state'', ''parked''), ''V'', ''{}'')');
SELECT t.detects('INSERT INTO shipment_events (order_id, occurred_at, recorded_at, source, seq, kind, state, event_id, detail) VALUES (t.id(''V paid''), now(), now(), 1, 1, t.code(''shipment_kind'', ''out_stock''), t.code(''shipment_state'', ''parked''), ''V'', ''{}'')');
SELECT t.detects('INSERT INTO shipment_events (order_id, occurred_at, recorded_at, source, seq, kind, state, event_id, detail) VALUES (t.id(''V canceled''), now(), now(), 1, 1, t.code(''shipment_kind'', ''signed''), t.code(''shipment_state'', ''parked''), ''V'', ''{}'')');
-- a paid order is on its way, or its message is
SELECT t.new('V in flight', 'V:1');
SELECT t.show(order_ext.pay_callback(t.id('V in flight'), 'V-4', 'card', 1000));
SELECT t.detects('DELETE FROM message_log_0 WHERE key = t.id(''V in flight'') AND topic_id = t.code(''topic'', ''order.paid'')');
-- I12 applied captures
SELECT t.detects('UPDATE payments SET order_id = t.id(''V unpaid'') WHERE out_trade_no = ''V-1''');
SELECT t.detects('UPDATE payments SET purpose = t.code(''payment_purpose'', ''applied'') WHERE out_trade_no = ''V-3''');
SELECT t.detects('UPDATE payments SET amount = amount - 1 WHERE out_trade_no = ''V-1''');
SELECT t.detects('UPDATE orders SET paid_at = NULL WHERE order_id = t.id(''V paid'')');
-- I15 what waits for a person
SELECT t.detects('INSERT INTO dead_messages (message_id, group_id, topic_id, key, published_at, died_at, attempts, payload) VALUES (1, t.code(''topic'', ''stock.release''), t.code(''topic'', ''stock.release''), t.id(''V paid''), now(), now(), 16, ''{}'')');
SELECT t.detects('UPDATE payments SET purpose = t.code(''payment_purpose'', ''held'') WHERE out_trade_no = ''V-1''');
SELECT t.detects('INSERT INTO held_facts (at, order_id, entity_id, kind, reason, payload) SELECT now(), order_id, payment_id, ''pay_callback'', ''amount_mismatch_held'', ''{}'' FROM payments WHERE out_trade_no = ''V-1''');
SELECT t.detects('INSERT INTO held_facts (at, order_id, entity_id, kind, reason, payload) VALUES (now(), 1, NULL, ''shipment_event'', ''unknown_order_held'', ''{"event_id": "V"}'')');
SELECT t.detects('INSERT INTO shipment_events (order_id, occurred_at, recorded_at, source, seq, kind, state, event_id, detail) VALUES (t.id(''V paid''), now(), now() - interval ''2 days'', 1, 1, t.code(''shipment_kind'', ''signed''), t.code(''shipment_state'', ''parked''), ''V'', ''{}'')');
SELECT t.detects('UPDATE fulfilments SET status = t.code(''fulfilment_status'', ''cancel_requested''), prior_status = t.code(''fulfilment_status'', ''created''), cancel_requested_at = now() - interval ''2 hours'' WHERE order_id = t.id(''V paid'')');
-- I16 requests
SELECT t.detects('UPDATE requests SET request_hash = '''' WHERE request_id = ''V cancel''');
SELECT t.detects('UPDATE requests SET id = NULL, detail = NULL WHERE request_id = ''V cancel''');

-- A release on its way, or among the dead letters, is no error: the dead letter warns.
SELECT t.detects('DELETE FROM refunds WHERE payment_id = (SELECT payment_id FROM payments WHERE out_trade_no = ''V-2'');
	DELETE FROM after_sales WHERE order_id = t.id(''V canceled''); DELETE FROM after_sale_items WHERE order_id = t.id(''V canceled'');
	DELETE FROM transition_log WHERE machine = t.code(''machine'', ''refund'') AND entity_id NOT IN (SELECT refund_id FROM refunds) OR machine = t.code(''machine'', ''after_sale'') AND entity_id NOT IN (SELECT after_sale_id FROM after_sales);
	DELETE FROM message_log_0 WHERE topic_id = t.code(''topic'', ''after_sale.applied'') AND key = t.id(''V canceled'');
	INSERT INTO dead_messages (message_id, group_id, topic_id, key, published_at, died_at, attempts, payload) VALUES (1, t.code(''topic'', ''refund.prepare''), t.code(''topic'', ''refund.prepare''), t.id(''V canceled''), now(), now(), 16, ''{}'')');
SELECT t.detects('DELETE FROM refunds WHERE payment_id = (SELECT payment_id FROM payments WHERE out_trade_no = ''V-2'');
	DELETE FROM after_sales WHERE order_id = t.id(''V canceled''); DELETE FROM after_sale_items WHERE order_id = t.id(''V canceled'');
	DELETE FROM transition_log WHERE machine = t.code(''machine'', ''refund'') AND entity_id NOT IN (SELECT refund_id FROM refunds) OR machine = t.code(''machine'', ''after_sale'') AND entity_id NOT IN (SELECT after_sale_id FROM after_sales);
	DELETE FROM message_log_0 WHERE topic_id = t.code(''topic'', ''after_sale.applied'') AND key = t.id(''V canceled'');
	INSERT INTO retries (message_id, group_id, topic_id, key, published_at, due_at, attempts, busy, payload) VALUES (1, t.code(''topic'', ''refund.prepare''), t.code(''topic'', ''refund.prepare''), t.id(''V canceled''), now(), now(), 1, 0, ''{}'')');

RESET search_path;

-- One invariant at a time, and only those that there are.
SELECT count(*) FROM order_ext.verify('I6');
SELECT * FROM t.error('order_ext.verify(''I99'')');
SELECT t.go('order_ext.verify(NULL)');

-- Nothing of this stayed.
SELECT count(*) FROM order_ext.verify() WHERE severity = 'error';
