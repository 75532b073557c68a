-- expire_orders, the sweep: what is due goes, at most what was asked for, nothing is lost.
\set VERBOSITY sqlstate
SELECT order_ext.put_product('EXP-1', 'A', 100);
SELECT available FROM order_ext.adjust_stock('EXP-1', 100);
SELECT order_ext.issue_coupon(7230, 30) AS c \gset
-- nothing of other files is due
SELECT order_ext.expire_orders() >= 0 AS clean;

SELECT n, t.new('exp' || n, 'EXP-1:1', pay_timeout => '1 millisecond', user_id => 7230) FROM generate_series(1, 5) AS n;
SELECT t.new('exp_coupon', 'EXP-1:1', :c, '1 millisecond', 7230), t.new('exp_later', 'EXP-1:1', pay_timeout => '1 hour', user_id => 7230),
	   t.new('exp_paid', 'EXP-1:1', pay_timeout => '1 millisecond', user_id => 7230),
	   t.new('exp_canceled', 'EXP-1:1', pay_timeout => '1 millisecond', user_id => 7230);
SELECT t.wait_due('exp_canceled');
SELECT t.show(order_ext.pay_callback(t.id('exp_paid'), 'T-exp-1', 'wechat', 100));
SELECT t.show(order_ext.pay_callback(t.id('exp1'), 'T-exp-2', 'wechat', 99));
SELECT t.show(order_ext.cancel_order(t.id('exp_canceled')));

-- G8: at most max_orders a call, and the next call takes the next ones
SELECT order_ext.expire_orders(4), order_ext.expire_orders(max_orders => 1);
SELECT count(*) FROM order_ext.orders_view WHERE user_id = 7230 AND status = 'canceled' AND cancel_type = 'timeout';
SELECT order_ext.expire_orders(), order_ext.expire_orders(1000000000);
-- G1, G6, G7: the due ones and only they, with the type of a timeout
SELECT name, t.order(name) FROM unnest('{exp1,exp5,exp_coupon,exp_later,exp_paid,exp_canceled}'::text[]) AS name;
SELECT from_status, to_status, event, actor FROM order_ext.order_timeline(t.id('exp5'));
SELECT t.messages('exp5'), t.messages('exp1');
-- the sweep cancels, the messages release; the timers find nothing left to do
SELECT t.drain();
SELECT t.stock('EXP-1'), t.coupon(:c);
SELECT t.refunds('exp1');
SELECT t.order('exp5'), t.messages('exp5');
SELECT order_ext.expire_orders();

-- an order that is created later with an earlier deadline is not passed over
SELECT t.new('exp_new', 'EXP-1:1', pay_timeout => '1 microsecond', user_id => 7230);
SELECT t.wait_due('exp_new');
SELECT order_ext.expire_orders();
SELECT t.order('exp_new');
-- G21: rolled back, the sweep leaves the order for the next one
SELECT t.new('exp_back', 'EXP-1:1', pay_timeout => '1 millisecond', user_id => 7230);
SELECT t.wait_due('exp_back');
BEGIN;
SELECT order_ext.expire_orders();
ROLLBACK;
SELECT t.order('exp_back');
SELECT order_ext.expire_orders();
SELECT t.order('exp_back');
-- one that was paid in its last moment and is canceled by hand is not the sweep's
SELECT t.show(order_ext.cancel_order(t.id('exp_paid'), 7230));
SELECT order_ext.expire_orders();
SELECT t.order('exp_paid');

SELECT outcome, changed FROM t.effect('order_ext.expire_orders(NULL)');
SELECT outcome, changed FROM t.effect('order_ext.expire_orders(0)');
SELECT outcome, changed FROM t.effect('order_ext.expire_orders(-1)');
SELECT t.drain();
SELECT * FROM order_ext.verify() WHERE severity = 'error';
