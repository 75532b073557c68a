-- extend_deadline: a later deadline for an unpaid order; its timer, the sweep and verify() go by it.
\set VERBOSITY sqlstate
SELECT order_ext.put_product('EXT-1', 'A', 100);
SELECT available FROM order_ext.adjust_stock('EXT-1', 100);

-- due already, and not canceled yet: it can be paid again
SELECT t.new('ext', 'EXT-1:1', pay_timeout => '1 millisecond', user_id => 7235);
SELECT t.wait_due('ext');
SELECT t.go($$order_ext.pre_pay_order(t.id('ext'), 'card', 100)$$) AS too_late;
SELECT now() + interval '1 hour' AS until \gset
SELECT t.show(r), r.detail = jsonb_build_object('expire_at', :'until'::timestamptz) AS detail
FROM order_ext.extend_deadline(t.id('ext'), :'until', 'ext-1') AS r;
SELECT expire_at = :'until' AS moved FROM order_ext.orders_view WHERE order_id = t.id('ext');
SELECT t.show(order_ext.pre_pay_order(t.id('ext'), 'card', 100));
-- the same again, another time, an earlier one, the same one under another key
SELECT t.show(order_ext.extend_deadline(t.id('ext'), :'until', 'ext-1'));
SELECT t.go(format($$order_ext.extend_deadline(t.id('ext'), %L::timestamptz + interval '1 s', 'ext-1')$$, :'until')) AS reused,
	t.go(format($$order_ext.extend_deadline(t.id('ext'), %L)$$, :'until')) AS equal,
	t.go(format($$order_ext.extend_deadline(t.id('ext'), %L::timestamptz - interval '1 us')$$, :'until')) AS earlier,
	t.go($$order_ext.extend_deadline(t.id('ext'), now() - interval '1 day')$$) AS past;
SELECT t.order('ext');
SELECT from_status, to_status, event, actor, detail - 'expire_at' - 'was' AS detail,
	(detail->>'expire_at')::timestamptz = :'until' AS expire_at, (detail->>'was')::timestamptz < :'until' AS was
FROM order_ext.order_timeline(t.id('ext')) WHERE event = 'extend_deadline';
SELECT array_agg(a ORDER BY a) FROM order_ext.allowed_actions(t.id('ext')) AS a;

-- neither the timer of the old deadline nor the sweep ends it; the new one's timer waits
SELECT order_ext.expire_orders() AS swept;
SELECT t.drain();
SELECT t.order('ext');
SELECT topic, state, count(*) FROM order_ext.message_trace(t.id('ext')) WHERE topic = 'order.pay_timeout' GROUP BY 1, 2 ORDER BY 2;
SELECT count(*) AS pay_timeouts_published FROM order_ext_internal.message_log WHERE key = t.id('ext') AND topic_id = t.code('topic', 'order.pay_timeout');
SELECT * FROM order_ext.verify('I10') WHERE severity = 'error';

-- at the new deadline it ends, by the timer or by the sweep
SELECT t.new('ext_timer', 'EXT-1:1', pay_timeout => '1 millisecond', user_id => 7235), t.new('ext_sweep', 'EXT-1:1', pay_timeout => '1 millisecond', user_id => 7235);
SELECT t.show(order_ext.extend_deadline(t.id(name), clock_timestamp() + interval '2 s')) FROM unnest('{ext_timer,ext_sweep}'::text[]) AS name;
SELECT t.dispatch() >= 0 AS dispatched, t.order('ext_timer') = 'created v2 100 CNY' OR clock_timestamp() >= expire_at AS not_before_its_time
FROM order_ext.orders_view WHERE order_id = t.id('ext_timer');
SELECT t.wait_due('ext_timer'), t.wait_due('ext_sweep');
BEGIN;
SELECT order_ext.expire_orders() AS swept;
SELECT t.order('ext_sweep');
ROLLBACK;
SELECT t.drain();
SELECT t.order('ext_timer'), t.order('ext_sweep');
-- rolled back, the old deadline holds
SELECT t.new('ext_back', 'EXT-1:1', pay_timeout => '1 millisecond', user_id => 7235);
BEGIN;
SELECT t.show(order_ext.extend_deadline(t.id('ext_back'), now() + interval '1 h'));
ROLLBACK;
SELECT t.wait_due('ext_back');
SELECT t.drain();
SELECT t.order('ext_back');

-- in any other status, and with arguments that are none
SELECT t.new('ext_paid', 'EXT-1:1', user_id => 7235);
SELECT t.show(order_ext.pay_callback(t.id('ext_paid'), 'T-ext', 'card', 100));
SELECT t.digest() AS before \gset
SELECT t.go($$order_ext.extend_deadline(t.id('ext_paid'), now() + interval '1 d')$$) AS paid, t.go($$order_ext.extend_deadline(t.id('ext_timer'), now() + interval '1 d')$$) AS canceled,
	t.go($$order_ext.extend_deadline(1, now() + interval '1 d')$$) AS unknown, t.go($$order_ext.extend_deadline(NULL, now())$$) AS null_id,
	t.go($$order_ext.extend_deadline(t.id('ext'), NULL)$$) AS null_until, t.go($$order_ext.extend_deadline(t.id('ext'), 'infinity')$$) AS infinity,
	t.go($$order_ext.extend_deadline(t.id('ext'), '-infinity')$$) AS past, t.go($$order_ext.extend_deadline(t.id('ext'), '2300-01-01')$$) AS too_far,
	t.go($$order_ext.extend_deadline(t.id('ext'), now() + interval '1 d', repeat('x', 129))$$) AS long_key;
SELECT replace(message, t.id('ext_paid')::text, '(ext_paid)') AS message, hint FROM t.error($$order_ext.extend_deadline(t.id('ext_paid'), now() + interval '1 d')$$)
UNION ALL SELECT message, hint FROM t.error($$order_ext.extend_deadline(t.id('ext'), now() + interval '1 s')$$);
SELECT t.changed_since(:'before') AS changed;

-- verify() sees an order whose only timer is that of an earlier deadline
BEGIN;
SET LOCAL session_replication_role = replica;
UPDATE order_ext_internal.orders SET expire_at = expire_at + interval '1 h' WHERE order_id = t.id('ext');
SELECT invariant, severity, replace(entity, t.id('ext')::text, '(ext)') AS entity, actual FROM order_ext.verify('full') WHERE invariant = 'I10' AND severity = 'error';
ROLLBACK;
SELECT * FROM order_ext.verify() WHERE severity = 'error';
