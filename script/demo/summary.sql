-- What the quickstart did, for people.
\pset footer off
\pset null -
\echo 'Orders by status'
SELECT status, cancel_type, count(*) AS orders, sum(pay_amount) AS amount
FROM order_ext.orders_view GROUP BY 1, 2 ORDER BY 1, 2;

\echo 'Payments by purpose'
SELECT purpose, status, count(*) AS payments, sum(amount) AS amount
FROM order_ext.payments_view GROUP BY 1, 2 ORDER BY 1, 2;

\echo 'Answers to payment notices, to facts about parcels and returns, and to late cancels'
SELECT part, story, disposition, count(*) AS answers
FROM answer GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;

\echo 'Parcels by status of their fulfillment'
SELECT status, count(*) AS parcels FROM order_ext.fulfilments_view GROUP BY 1 ORDER BY 1;

\echo 'After-sales by status'
SELECT source, type, status, return_status, count(*) AS after_sales, sum(amount) AS amount
FROM order_ext.after_sales_view GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4;

\echo 'Refunds by cause and status; more than one attempt: the gateway failed or was slow'
SELECT r.cause, p.pay_type, r.status, count(*) AS refunds, sum(r.amount) AS amount,
       count(*) FILTER (WHERE r.attempt > 1) AS "tried again",
       percentile_disc(0.5) WITHIN GROUP (ORDER BY r.settled_at - r.requested_at)::interval(3) AS "half settled in"
FROM order_ext.refunds_view AS r JOIN order_ext.payments_view AS p USING (payment_id)
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;

\echo 'Books of the sandbox gateway, and of the one outside'
SELECT 'sandbox' AS pay_type, outcome, count(*) AS refunds, sum(calls) AS calls, sum(amount) AS amount
FROM order_ext.sandbox_ledger GROUP BY 2
UNION ALL
SELECT 'wechat', outcome, count(*), sum(calls), sum(amount) FROM gateway_book GROUP BY 2
ORDER BY 1, 2;

\echo 'Money by pay type'
SELECT pay_type, sum(captured) AS captured, sum(applied) AS applied, sum(late) AS late,
       sum(surplus) AS surplus, sum(refunded) AS refunded, sum(refund_open) AS "refund open"
FROM order_ext.money_report GROUP BY 1 ORDER BY 1;

\echo 'Messages by topic'
SELECT topic, consumer_group, consumed, lag, retrying, dead
FROM order_ext.consumer_stats ORDER BY 1, 2;

\echo 'Timers'
SELECT fired, pending, late_p50, late_p99 FROM order_ext.timer_stats;

SELECT order_id FROM order_ext.orders_view
WHERE cancel_type = 'timeout' ORDER BY coupon_id LIMIT 1 \gset
\echo 'History of an order that was not paid in time, number' :order_id
SELECT at::time(3) AS at, coalesce(from_status || ' -> ', '') || to_status AS status, event, actor
FROM order_ext.order_timeline(:order_id);
SELECT published_at::time(3) AS published, topic, consumer_group, state,
       (finished_at - published_at)::interval(3) AS took
FROM order_ext.message_trace(:order_id);

SELECT order_id FROM application
WHERE type = 'return_refund' AND accepted ORDER BY whole DESC, n LIMIT 1 \gset
\echo 'History of an order that was delivered and returned, number' :order_id
SELECT at::time(3) AS at, coalesce(from_status || ' -> ', '') || to_status AS status, event, actor
FROM order_ext.order_timeline(:order_id);

\echo 'Balances'
SELECT what, expected, actual, CASE WHEN ok THEN 'yes' ELSE 'NO' END AS ok FROM balance;

\echo 'verify()'
SELECT severity, invariant, count(*) AS findings, min(actual) AS example
FROM order_ext.verify() GROUP BY 1, 2 ORDER BY 1, 2;
