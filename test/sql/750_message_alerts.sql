-- What operators are alerted to: one vocabulary, {"kind": ..., ...}, and the keys of each kind. The
-- log's own CHECK (001_helpers) sees to the kinds that take more to provoke.
SELECT order_ext.put_product('OA-1', 'A', 10);
SELECT available FROM order_ext.adjust_stock('OA-1', 100);
SET order_ext.return_window = '10d';
SELECT coalesce(max(message_id), 0) AS before FROM order_ext_internal.message_log \gset

-- money, and words about money
SELECT t.new('oa', 'OA-1:2');
SELECT t.show(order_ext.pay_callback(t.id('oa'), 'T-oa-less', 'card', 19));
SELECT t.show(order_ext.pay_callback(750000001, 'T-oa-unknown', 'card', 20));
SELECT t.show(order_ext.payment_closed(t.id('oa'), 'T-oa-none', 'card', 'closed'));
SELECT t.show(order_ext.refund_callback(750000002, 'succeeded', 'G-oa', 5));

-- parcels, and goods on their way back
SELECT t.show(order_ext.shipment_event(750000003, 'oa', 'picked'));
SELECT t.show(order_ext.return_shipment(750000004, 'carrier', 'number'));
SELECT t.show(order_ext.pay_callback(t.id('oa'), 'T-oa', 'card', 20));
SELECT t.drain();
SELECT t.show(order_ext.shipment_event(t.id('oa'), step, step)) FROM unnest('{out_stock,delivering,signed}'::text[]) AS step;
SET order_ext.review_reminder = 0;
SELECT t.remember('oa-back', (order_ext.apply_after_sale(t.id('oa'), 7001, 'return_refund', t.items('OA-1:1'))).id);
SELECT t.drain();
RESET order_ext.review_reminder;
SELECT t.show(order_ext.review_after_sale(t.id('oa-back'), true));
SELECT t.show(order_ext.return_receipt(t.id('oa-back'), '[{"sku": "OA-1", "quantity": 1, "condition": "damaged"}]', false));

-- a message that nobody can handle
CREATE FUNCTION t.deaf(m order_ext.message) RETURNS void LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$;
SELECT order_ext.create_topic('oa.t');
SELECT t.subscribe('oa.g', 'oa.t', 't.deaf(order_ext.message)', '{"max_attempts": 1}');
SELECT order_ext.publish('oa.t', 7) > 0 AS published;
SELECT t.drain();

SELECT kind, reasons, string_agg(key, ' ' ORDER BY key COLLATE "C") AS keys
FROM (SELECT payload->>'kind' AS kind, string_agg(DISTINCT payload->>'reason', ' ' ORDER BY payload->>'reason') AS reasons, array_agg(DISTINCT k) AS keys
	  FROM order_ext_internal.message_log, jsonb_object_keys(payload) AS k
	  WHERE topic_id = t.code('topic', 'ops.alert') AND message_id > :before GROUP BY 1) AS alerts, unnest(keys) AS key
GROUP BY 1, 2 ORDER BY kind COLLATE "C";
-- only what the check lets pass is an alert
SELECT count(*) AS checked FROM pg_constraint WHERE conname = 'is_alert';

RESET order_ext.return_window;
SELECT order_ext.unsubscribe('oa.g'), order_ext.drop_topic('oa.t');
DROP FUNCTION t.deaf(order_ext.message);
SELECT * FROM order_ext.verify() WHERE severity = 'error';
