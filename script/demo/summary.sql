-- What the quickstart did, for people.
\pset footer off
\pset null -
\echo 'Orders by status'
SELECT status, cancel_type, count(*) AS orders, sum(pay_amount) AS amount
FROM order_ext.orders_view GROUP BY 1, 2 ORDER BY 1, 2;

\echo 'Payments by purpose'
SELECT purpose, status, count(*) AS payments, sum(amount) AS amount
FROM order_ext.payments_view GROUP BY 1, 2 ORDER BY 1, 2;

\echo 'Answers to the notices that came again or too late'
SELECT story, disposition, count(*) AS answers FROM answer GROUP BY 1, 2 ORDER BY 1, 2;

\echo 'Refunds that wait for their gateway'
SELECT cause, status, count(*) AS refunds, sum(amount) AS amount
FROM order_ext.refunds_view GROUP BY 1, 2 ORDER BY 1, 2;

\echo 'Messages by topic'
SELECT topic, consumer_group, consumed, lag, retrying, dead
FROM order_ext.consumer_stats ORDER BY 1, 2;

\echo 'Timers'
SELECT fired, pending, late_p50, late_p99 FROM order_ext.timer_stats;

SELECT order_id FROM order_ext.orders_view
WHERE cancel_type = 'timeout' ORDER BY coupon_id LIMIT 1 \gset
\echo 'The way of one order that was not paid in time, number' :order_id
SELECT at::time(3) AS at, coalesce(from_status || ' -> ', '') || to_status AS status, event, actor
FROM order_ext.order_timeline(:order_id);
SELECT published_at::time(3) AS published, topic, consumer_group, state,
       (finished_at - published_at)::interval(3) AS took
FROM order_ext.message_trace(:order_id);

\echo 'Balances'
SELECT what, expected, actual, CASE WHEN ok THEN 'yes' ELSE 'NO' END AS ok FROM balance;

\echo 'verify()'
SELECT severity, invariant, count(*) AS findings, min(actual) AS example
FROM order_ext.verify() GROUP BY 1, 2 ORDER BY 1, 2;
