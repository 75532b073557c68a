-- Time windows: the sign that nobody gave, the return that nobody sent, the review that
-- nobody made. Each is a timer that looks again when it is due.
SELECT t.after_sale_products('AU');
CREATE FUNCTION t.alerts_of(name text) RETURNS text LANGUAGE sql VOLATILE
	RETURN (SELECT string_agg(coalesce(m.payload->>'reason', m.payload->>'kind'), ', ' ORDER BY message_id) FROM order_ext_internal.message_log m JOIN order_ext_internal.topics USING (topic_id)
			WHERE topics.name = 'ops.alert' AND m.payload->>'after_sale_id' = t.id($1)::text);

-- ---- auto-sign: being delivered for order_ext.auto_sign, by the system ----
SET order_ext.auto_sign = '1h';
CALL t.to_status('tm-later', 'AU-1:1', 'delivering');
SET order_ext.auto_sign = 0;
CALL t.to_status('tm-now', 'AU-1:1', 'delivering');
CALL t.to_status('tm-signed', 'AU-1:1', 'signed');
CALL t.to_status('tm-refused', 'AU-1:1', 'refused');
RESET order_ext.auto_sign;
SELECT t.drain();
SELECT t.order('tm-later'), t.way('tm-now'), t.order('tm-signed'), t.order('tm-refused');
SELECT t.messages('tm-now');
-- the carrier is late then
SELECT t.show(order_ext.shipment_event(t.id('tm-now'), 'late', 'signed'));

-- ---- review reminder: an alert, once per application, while it is not reviewed ----
CALL t.to_status('tm', 'AU-1:8');
SET order_ext.review_reminder = 0;
SELECT t.apply('tm1', 'tm', 'AU-1:1');
SELECT t.apply('tm2', 'tm', 'AU-1:1');
SELECT t.apply('tm3', 'tm', 'AU-1:1');
SELECT t.show(order_ext.review_after_sale(t.id('tm2'), false)), t.show(order_ext.review_after_sale(t.id('tm3'), false)), t.show(order_ext.reopen_after_sale(t.id('tm3')));
SELECT t.drain();
SELECT t.alerts_of('tm1'), t.alerts_of('tm2'), t.alerts_of('tm3');
SELECT severity, expected FROM order_ext.verify('I15') WHERE entity = 'after-sale ' || t.id('tm1');
RESET order_ext.review_reminder;
SELECT severity, expected FROM order_ext.verify('I15') WHERE entity = 'after-sale ' || t.id('tm1');
SELECT t.drain();
SELECT t.alerts_of('tm1');

-- ---- auto-close: approved, not sent back within order_ext.return_window ----
SELECT t.apply('tc1', 'tm', 'AU-1:1', 'return_refund');
SELECT t.apply('tc2', 'tm', 'AU-1:1', 'return_refund');
SELECT t.apply('tc3', 'tm', 'AU-1:1', 'return_refund');
SELECT t.apply('tc4', 'tm', 'AU-1:1', 'return_refund');
SET order_ext.return_window = 0;
SELECT t.show(order_ext.review_after_sale(t.id('tc1'), true)), t.show(order_ext.review_after_sale(t.id('tc2'), true)), t.show(order_ext.return_shipment(t.id('tc2'), 'SF', '1')),
	t.show(order_ext.review_after_sale(t.id('tc3'), true)), t.show(order_ext.revoke_after_sale(t.id('tc3'), 7600));
RESET order_ext.return_window;
SELECT t.show(order_ext.review_after_sale(t.id('tc4'), true));
SELECT t.drain();
SELECT t.after_sale('tc1'), t.after_sale('tc2'), t.after_sale('tc3'), t.after_sale('tc4');
SELECT review_reason FROM order_ext.after_sales_view WHERE after_sale_id = t.id('tc1');
SELECT event, actor, detail->>'reason' AS reason FROM order_ext.order_timeline(t.id('tm')) WHERE event = 'after_sale.close';
-- the goods come after all: for staff
SELECT t.show(order_ext.return_receipt(t.id('tc1'), t.items('AU-1:1'), true)), t.alerts_of('tc1');
-- a second delivery finds nothing left to do
SELECT t.drain();
SELECT t.after_sale('tc1');

-- the settings belong to the shop
SELECT name, setting, unit, context FROM pg_settings
WHERE name IN ('order_ext.after_sale_window', 'order_ext.review_reminder', 'order_ext.return_window', 'order_ext.auto_sign', 'order_ext.coupon_return', 'order_ext.coupon_extension') ORDER BY name;
SELECT invariant, severity, entity, expected, actual FROM order_ext.verify() WHERE severity = 'error';
