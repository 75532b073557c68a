-- verify() in two: the recent check, the marks that maintain() makes, and what only the full check finds.
CREATE SCHEMA vr;
-- Findings of a scope that are not there now, after statements of a superuser behind the engine's back; they stay.
CREATE TABLE vr.known AS SELECT invariant || entity AS finding FROM order_ext.verify('full');
CREATE FUNCTION vr.forge(statement text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM set_config('session_replication_role', 'replica', true);
	EXECUTE statement;
	PERFORM set_config('session_replication_role', 'origin', true);
END $$;
CREATE FUNCTION vr.finds(scope text) RETURNS SETOF text LANGUAGE sql AS $$
	SELECT coalesce(string_agg(format('%s %s: %s', invariant, severity, regexp_replace(entity, '[0-9]+( |$)', '#\1', 'g')) || CASE WHEN actual ~ ' \(found at ' THEN ', kept' ELSE '' END, '; ' ORDER BY invariant, entity COLLATE "C"), 'nothing')
	FROM order_ext.verify(scope) WHERE invariant || entity <> ALL (SELECT finding FROM vr.known) $$;

SELECT t.drain();
SELECT order_ext.put_product('VR-1', 'recent', 100) IS NULL AS put;
SELECT available FROM order_ext.adjust_stock('VR-1', 100);
SELECT t.new('old', 'VR-1:1');
SELECT t.new('next', 'VR-1:1');

-- without a mark, everything is looked at
SELECT vr.forge('DELETE FROM order_ext_internal.verify_marks');
SELECT vr.forge(format('UPDATE order_ext_internal.orders SET origin_amount = 101, pay_amount = 101 WHERE order_id = %s', t.id('old')));
SELECT vr.finds('recent'), vr.finds('full'), vr.finds('all') = vr.finds('full') AS synonym;
-- a mark covers what has been found up
SELECT vr.forge(format('UPDATE order_ext_internal.orders SET origin_amount = 100, pay_amount = 100 WHERE order_id = %s', t.id('old')));
SELECT order_ext.maintain() >= 0 AS maintained;
SELECT full_at = at AS is_full FROM order_ext_internal.verify_marks;
SELECT vr.finds('recent');
-- what a superuser does to old rows is for the full check; verify('I1') is one, too
SELECT vr.forge(format('UPDATE order_ext_internal.orders SET origin_amount = 101, pay_amount = 101 WHERE order_id = %s', t.id('old')));
SELECT vr.finds('recent') AS recent, vr.finds('full') AS "full", vr.finds('I1') AS "I1";
-- as soon as the order is touched, the recent one sees it
SELECT disposition FROM order_ext.pre_pay_order(t.id('old'), 'wechat', 101);
SELECT vr.finds('recent');
-- and for as long as it is so, whatever marks are made
SELECT order_ext.maintain() >= 0 AS maintained;
SELECT at > full_at AS moved, open_orders @> ARRAY[t.id('old')] AS listed FROM order_ext_internal.verify_marks ORDER BY seq DESC LIMIT 1;
SELECT vr.finds('recent');
SELECT order_ext.maintain() >= 0 AS maintained;
SELECT vr.finds('recent');
SELECT vr.forge(format('UPDATE order_ext_internal.orders SET origin_amount = 100, pay_amount = 100 WHERE order_id = %s', t.id('old')));
SELECT vr.finds('recent');
SELECT order_ext.maintain() >= 0 AS maintained;
SELECT open_orders @> ARRAY[t.id('old')] AS listed FROM order_ext_internal.verify_marks ORDER BY seq DESC LIMIT 1;
-- warnings stay, too: money that is held
SELECT disposition FROM order_ext.pay_callback(t.id('next'), 'VR-T1', 'wechat', 99);
SELECT vr.finds('recent');
SELECT order_ext.maintain() >= 0 AS maintained;
SELECT vr.finds('recent');
SELECT disposition FROM order_ext.resolve_held_payment((SELECT payment_id FROM order_ext.payments_view WHERE out_trade_no = 'VR-T1'), 'refund');
SELECT vr.finds('recent');
-- an unpaid order whose deadline passes while nobody touches it
SELECT order_ext.maintain() >= 0 AS maintained;
SELECT vr.forge(format($$UPDATE order_ext_internal.orders SET expire_at = clock_timestamp() - interval '61 s' WHERE order_id = %s$$, t.id('old')));
SELECT vr.forge($$UPDATE order_ext_internal.verify_marks SET unpaid_since = clock_timestamp() - interval '1 hour'$$);
SELECT vr.finds('recent');
SELECT disposition FROM order_ext.cancel_order(t.id('old'));
SELECT t.drain();
SELECT vr.finds('recent');

-- what only the full check finds is kept until the next one
SELECT vr.forge($$UPDATE order_ext_internal.stock_ledger SET reserved_delta = reserved_delta + 5 WHERE kind = t.code('ledger_kind', 'adjust') AND product_id = (SELECT product_id FROM order_ext_internal.products WHERE sku = 'VR-1')$$);
SELECT order_ext.stock_level('VR-1') IS NOT NULL AS level;
SELECT vr.finds('recent');
SELECT vr.forge($$UPDATE order_ext_internal.verify_marks SET full_at = full_at - interval '2 days'$$);
SELECT order_ext.maintain() >= 0 AS maintained;
SELECT full_at = at AS is_full FROM order_ext_internal.verify_marks ORDER BY seq DESC LIMIT 1;
SELECT vr.finds('recent') = vr.finds('full') || ', kept' AS kept, vr.finds('full') <> 'nothing' AS found;
SELECT order_ext.maintain() >= 0 AS maintained;
SELECT vr.finds('recent') ~ ', kept$' AS kept;
SELECT vr.forge($$UPDATE order_ext_internal.stock_ledger SET reserved_delta = reserved_delta - 5 WHERE kind = t.code('ledger_kind', 'adjust') AND product_id = (SELECT product_id FROM order_ext_internal.products WHERE sku = 'VR-1')$$);
SELECT vr.forge($$UPDATE order_ext_internal.verify_marks SET full_at = full_at - interval '2 days'$$);
SELECT order_ext.maintain() >= 0 AS maintained;
SELECT vr.finds('recent');

-- an order that is canceled is listed until its refund is requested, whatever went back before; while the refund waits for
-- its gateway, only a step of its own makes a difference
SELECT t.new('back', 'VR-1:1');
SELECT disposition FROM order_ext.pay_callback(t.id('back'), 'VR-T2', 'vr-pay', 100);
SELECT t.drain();
SELECT disposition FROM order_ext.refund_order(t.id('back'), 10, reason => 'VR');
SELECT disposition FROM order_ext.cancel_order(t.id('back'));
SELECT order_ext.maintain() >= 0 AS maintained;
SELECT open_orders @> ARRAY[t.id('back')] AS listed FROM order_ext_internal.verify_marks ORDER BY seq DESC LIMIT 1;
SELECT t.drain();
SELECT vr.forge($$UPDATE order_ext_internal.verify_marks SET full_at = full_at - interval '2 days'$$);
SELECT order_ext.maintain() >= 0 AS maintained;
SELECT at = full_at AS is_full, open_orders @> ARRAY[t.id('back')] AS listed FROM order_ext_internal.verify_marks ORDER BY seq DESC LIMIT 1;
SELECT order_ext.maintain() >= 0 AS maintained;
SELECT at > full_at AS moved, open_orders @> ARRAY[t.id('back')] AS listed FROM order_ext_internal.verify_marks ORDER BY seq DESC LIMIT 1;
SELECT vr.forge(format('UPDATE order_ext_internal.refunds SET amount = amount + 1 WHERE order_id = %s AND cause = t.code(''refund_cause'', ''cancel'')', t.id('back')));
SELECT vr.finds('recent') AS recent, vr.finds('full') AS "full";
SELECT count(*) > 0 AS claimed FROM order_ext.claim_refunds(1000, 'vr', '30 days', '{vr-pay}');
SELECT vr.finds('recent') AS recent;
SELECT vr.forge(format('UPDATE order_ext_internal.refunds SET amount = amount - 1 WHERE order_id = %s AND cause = t.code(''refund_cause'', ''cancel'')', t.id('back')));
SELECT vr.finds('recent') AS recent, vr.finds('full') AS "full";

-- it writes nothing
BEGIN TRANSACTION READ ONLY;
SELECT vr.finds('recent');
SELECT pg_current_xact_id_if_assigned() IS NULL AS nothing_written;
COMMIT;
-- a mark of another cluster is none, nor is one of the future
SELECT vr.forge(format('UPDATE order_ext_internal.orders SET origin_amount = 101, pay_amount = 101 WHERE order_id = %s', t.id('next')));
SELECT vr.finds('recent') = vr.finds('full') AS is_full;
BEGIN;
SELECT vr.forge('UPDATE order_ext_internal.verify_marks SET system_identifier = system_identifier + 1');
SELECT vr.finds('recent') = vr.finds('full') AS is_full;
ROLLBACK;
BEGIN;
SELECT vr.forge($$UPDATE order_ext_internal.verify_marks SET seen = '1000000000000000:1000000000000000:'$$);
SELECT vr.finds('recent') = vr.finds('full') AS is_full;
ROLLBACK;
BEGIN;
SELECT vr.forge($$UPDATE order_ext_internal.verify_marks SET at = at + interval '1 day'$$);
SELECT vr.finds('recent') = vr.finds('full') AS is_full;
ROLLBACK;
SELECT vr.forge(format('UPDATE order_ext_internal.orders SET origin_amount = 100, pay_amount = 100 WHERE order_id = %s', t.id('next')));
-- none are made while they are switched off, nor in a snapshot that may be old
SELECT max(seq) AS mark FROM order_ext_internal.verify_marks \gset
SET order_ext.verify_interval = 0;
SELECT order_ext.maintain() >= 0 AS maintained;
RESET order_ext.verify_interval;
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT order_ext.maintain() >= 0 AS maintained;
COMMIT;
SELECT max(seq) = :mark AS same_mark FROM order_ext_internal.verify_marks;
DROP TABLE vr.known;
SET client_min_messages = warning;
DROP SCHEMA vr CASCADE;
RESET client_min_messages;
SELECT * FROM order_ext.verify('full') WHERE severity = 'error';
