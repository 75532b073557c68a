-- What can be read about orders: get_order, order_timeline, the views and the money report.
-- It is noon here, so that no day ends in the middle.
SELECT set_config('TimeZone', 'UTC' || to_char(extract(hour FROM now() AT TIME ZONE 'UTC') - 12, 'FMSG00'), false)
	IS NOT NULL AS noon;
SELECT order_ext.put_product('R', 'read', 1000), order_ext.put_product('R2', 'read too', 250);
SELECT available FROM order_ext.adjust_stock('R', 50, 'first delivery');
SELECT available FROM order_ext.adjust_stock('R2', 50);
SELECT t.remember('R coupon', order_ext.issue_coupon(7002, 300, 1000));

-- a life with everything: coupon, attempt, a wrong capture, the right one, one too many,
-- a cancel, a late one
SELECT t.new('R', 'R:2,R2:1', t.id('R coupon'), user_id => 7002,
	options => '{"address": {"street": "Main Street"}, "external_id": "R-ext"}');
SELECT t.show(order_ext.pre_pay_order(t.id('R'), 'readpay', 1950));
SELECT t.show(order_ext.pay_callback(t.id('R'), 'R-wrong', 'readpay', 1));
SELECT t.show(order_ext.pay_callback(t.id('R'), 'R-right', 'readpay', 1950));
SELECT t.show(order_ext.pay_callback(t.id('R'), 'R-double', 'readpay', 1950));
SELECT t.show(order_ext.cancel_order(t.id('R'), 7002));
SELECT t.drain();
SELECT t.show(order_ext.pay_callback(t.id('R'), 'R-late', 'readpay', 1950));
SELECT disposition FROM order_ext.pay_callback(999999999, 'R-unknown', 'readpay', 7);

-- ids and times differ from run to run
CREATE FUNCTION t.masked(j jsonb) RETURNS text LANGUAGE sql
	RETURN regexp_replace(regexp_replace(jsonb_pretty(j), '"[0-9]+(-[0-9]+)?"', '"#"', 'g'),
		'"[0-9]{4}-[^"]*"', '"(time)"', 'g');

SELECT t.masked(order_ext.get_order(t.id('R')));
SELECT order_ext.get_order(t.id('R'))->>'order_id' = t.id('R')::text AS id_is_a_string;
SELECT from_status, to_status, event, actor, regexp_replace(detail::text, '"[0-9]+(-[0-9]+)?"', '"#"', 'g') AS detail
FROM order_ext.order_timeline(t.id('R'));
-- the order's own rows are a chain as long as its version
SELECT count(*) = max(o.version) AS complete,
	bool_and(from_status IS NOT DISTINCT FROM previous) AS chain
FROM (SELECT from_status, lag(to_status) OVER (ORDER BY n) AS previous
	FROM order_ext.order_timeline(t.id('R')) WITH ORDINALITY AS l (at, from_status, to_status, event, actor, detail, operator, role, n)
	WHERE to_status IS NOT NULL) l, order_ext.orders_view o
WHERE o.order_id = t.id('R');

SELECT t.go('order_ext.get_order(NULL)'), t.go('order_ext.get_order(0)'), t.go('order_ext.get_order(-1)'), t.go('order_ext.get_order(1)');
SELECT t.go('order_ext.order_timeline(NULL)'), t.go('order_ext.order_timeline(0)'), t.go('order_ext.order_timeline(-1)'), t.go('order_ext.order_timeline(1)');
SELECT * FROM t.error('order_ext.get_order(1)');

SELECT user_id, status, pay_amount, currency, coupon_id = t.id('R coupon') AS coupon, external_id, version,
	expire_at > created_at AS expires, paid_at IS NOT NULL AS paid, canceled_at IS NOT NULL AS canceled, cancel_type,
	origin_amount, discount_amount, freight_amount
FROM order_ext.orders_view WHERE order_id = t.id('R');
SELECT sku, quantity, price, discount, pay, reservation FROM order_ext.order_items_view WHERE order_id = t.id('R') ORDER BY sku;
SELECT out_trade_no, amount, currency, status, purpose, captured_at IS NOT NULL AS captured
FROM order_ext.payments_view WHERE pay_type = 'readpay' ORDER BY payment_id;
SELECT p.out_trade_no, r.cause, r.amount, r.currency, r.status, r.attempt, r.settled_at
FROM order_ext.refunds_view r JOIN order_ext.payments_view p USING (payment_id)
WHERE r.order_id = t.id('R') ORDER BY p.payment_id;
SELECT user_id, status, order_id, amount, threshold, valid_until FROM order_ext.coupons_view WHERE coupon_id = t.id('R coupon');
SELECT sku, kind, delta, reason, order_id IS NULL AS no_order FROM order_ext.stock_ledger_view WHERE sku IN ('R', 'R2')
ORDER BY sku, at, kind;
SELECT l.available + l.reserved = sum(v.delta) AS on_hand_is_the_sum
FROM order_ext.stock_ledger_view v, order_ext.stock_level('R') l WHERE v.sku = 'R' GROUP BY l.available, l.reserved;
SELECT pay_type, currency, captured, applied, late, surplus, held, refunded, refund_open, unmatched
FROM order_ext.money_report WHERE pay_type = 'readpay';
-- to the cent, for all that this database has seen
SELECT captured = applied + late + surplus + held + unmatched AS adds_up FROM order_ext.money_report GROUP BY 1;

-- A refund that went through moves to the day it was settled. (Refunds are settled by the
-- next version; here by hand.)
BEGIN;
SET LOCAL session_replication_role = replica;
UPDATE order_ext_internal.refunds SET status = t.code('refund_status', 'succeeded'), settled_at = requested_at + interval '3 days'
WHERE payment_id = (SELECT payment_id FROM order_ext.payments_view WHERE out_trade_no = 'R-late');
UPDATE order_ext_internal.refunds SET status = t.code('refund_status', 'withdrawn')
WHERE payment_id = (SELECT payment_id FROM order_ext.payments_view WHERE out_trade_no = 'R-wrong');
SELECT day - min(day) OVER () AS day, captured, refunded, refund_open FROM order_ext.money_report WHERE pay_type = 'readpay' ORDER BY day;
ROLLBACK;

-- Maintenance: keys past their retention go, younger ones and the newest progress stay.
SELECT t.show(order_ext.cancel_order(t.id('R'), request_id => 'R key'));
SELECT order_ext.maintain() >= 0 AS maintained;
SELECT t.show(order_ext.cancel_order(t.id('R'), request_id => 'R key'));
BEGIN;
SET LOCAL session_replication_role = replica;
UPDATE order_ext_internal.requests SET created_at = now() - interval '31 days' WHERE request_id = 'R key';
SET LOCAL session_replication_role = origin;
SELECT order_ext.maintain() AS removed;
SELECT t.show(order_ext.cancel_order(t.id('R'), request_id => 'R key'));
INSERT INTO order_ext_internal.sweep_progress SELECT seq, now() FROM generate_series(1000000, 1002000) seq;
SELECT order_ext.maintain() > 0 AS removed;
SELECT max(seq), count(*) FROM order_ext_internal.sweep_progress WHERE seq >= 1000000;
ROLLBACK;

-- pg_cron is not in this database.
SELECT code, hint IS NOT NULL AS hint FROM t.error('order_ext.schedule_jobs()');
SELECT code, hint IS NOT NULL AS hint FROM t.error('order_ext.unschedule_jobs()');
