-- Every check of verify() about refunds and after-sales finds what it is there for, with
-- the orders of 900_verify_orders.
CALL t.verify_orders();
SELECT t.drain();
SELECT t.show(order_ext.pay_callback(t.id('V unpaid'), 'V-more', 'card', 1500));
SELECT t.go($$order_ext.resolve_held_payment((SELECT payment_id FROM order_ext.payments_view WHERE out_trade_no = 'V-more'), 'accept')$$);
SELECT t.drain();
SET search_path = order_ext_internal, public;
CREATE FUNCTION t.cancel_refund() RETURNS bigint LANGUAGE sql STABLE SET search_path = order_ext_internal
	AS $$ SELECT refund_id FROM order_ext_internal.refunds WHERE order_id = t.id('V canceled') AND cause = t.code('refund_cause', 'cancel') $$;

-- I3 a refund fits its payment, after-sale and status
SELECT t.detects('UPDATE refunds SET order_id = 1 WHERE refund_id = t.cancel_refund()');
SELECT t.detects('UPDATE refunds SET after_sale_id = 0 WHERE refund_id = t.cancel_refund()');
SELECT t.detects('UPDATE refunds SET cause = t.code(''refund_cause'', ''late'') WHERE refund_id = t.cancel_refund()');
SELECT t.detects('UPDATE refunds SET settled_at = now() WHERE refund_id = t.cancel_refund()');
SELECT t.detects('UPDATE refunds SET status = t.code(''refund_status'', ''submitted'') WHERE refund_id = t.cancel_refund()');
SELECT t.detects('UPDATE refunds SET lease_until = now() WHERE refund_id = t.cancel_refund()');
-- I4 what was paid too much goes back
SELECT t.detects('UPDATE refunds SET amount = amount - 1 WHERE order_id = t.id(''V unpaid'')');
SELECT t.detects('UPDATE refunds SET status = t.code(''refund_status'', ''withdrawn'') WHERE order_id = t.id(''V unpaid'')');
-- I13 after-sales and their refunds, lines, goods
SELECT t.detects(format('UPDATE after_sales SET status = t.code(''after_sale_status'', %L) WHERE order_id = t.id(''V canceled'')', s)) FROM unnest('{applied,rejected,refunded,failed,closed,revoked}'::text[]) AS s;
SELECT t.detects('UPDATE refunds SET status = t.code(''refund_status'', ''succeeded''), settled_at = now() WHERE refund_id = t.cancel_refund()');
SELECT t.detects('UPDATE after_sale_items SET amount = amount - 1 WHERE order_id = t.id(''V canceled'')');
SELECT t.detects('UPDATE after_sale_items SET order_id = 1 WHERE order_id = t.id(''V canceled'')');
SELECT t.detects('DELETE FROM after_sale_items WHERE order_id = t.id(''V canceled'')');
SELECT t.detects('DELETE FROM after_sales WHERE order_id = t.id(''V canceled'')');
SELECT t.detects('UPDATE after_sales SET type = t.code(''after_sale_type'', ''return_refund'') WHERE order_id = t.id(''V canceled''); UPDATE refunds SET attempt = 1 WHERE refund_id = t.cancel_refund()');
-- I8 the log of after-sales
SELECT t.detects('UPDATE after_sales SET version = 2 WHERE order_id = t.id(''V canceled'')');
SELECT t.detects('DELETE FROM transition_log WHERE machine = t.code(''machine'', ''after_sale'') AND order_id = t.id(''V canceled'')');
-- I9 their messages
SELECT t.detects('DELETE FROM message_log_0 WHERE topic_id = t.code(''topic'', ''after_sale.applied'') AND key = t.id(''V canceled'')');
-- I15 what waits
SELECT t.detects('UPDATE refunds SET status = t.code(''refund_status'', ''submitted''), attempt = 1, claim_xid = ''5'', claimed_by = ''x'', lease_until = now() - interval ''1 hour'' WHERE payment_id = (SELECT payment_id FROM payments WHERE out_trade_no = ''V-3'')');
SELECT t.detects('UPDATE refunds SET held = true WHERE refund_id = t.cancel_refund()');
SELECT t.detects('UPDATE refunds SET requested_at = now() - interval ''2 hours'' WHERE refund_id = t.cancel_refund()');
SELECT t.detects('INSERT INTO held_facts (at, order_id, entity_id, kind, reason, payload) VALUES (now(), NULL, 424242, ''refund_callback'', ''unknown_refund'', ''{}'')');
SELECT t.detects('INSERT INTO held_facts (at, order_id, entity_id, kind, reason, payload) VALUES (now(), 424242, NULL, ''payment_closed'', NULL, ''{}'')');
RESET search_path;
SELECT count(*) FROM order_ext.verify() WHERE severity = 'error';
