-- One row for each thing that must add up at the end; "ok" says whether it does.
-- What the shop and the gateways noted on their own is held against order_ext's books.
CREATE VIEW balance AS
WITH orders AS (
  SELECT order_id, status, pay_amount, coupon_id, status IN ('created', 'paid', 'fulfilling') AS held,
         status IN ('out_stock', 'delivering', 'signed') AS shipped
  FROM order_ext.orders_view
), back AS (    -- pieces that the buyers sent back
  SELECT sku, sum(quantity) AS quantity, coalesce(sum(quantity) FILTER (WHERE NOT restock), 0) AS written_off
  FROM application, jsonb_to_recordset(lines) AS line (sku text, quantity bigint)
  WHERE type = 'return_refund' AND accepted
  GROUP BY sku
), items AS (
  SELECT sku, coalesce(sum(quantity) FILTER (WHERE held), 0) AS held,
         coalesce(sum(quantity) FILTER (WHERE shipped), 0) AS shipped
  FROM order_ext.order_items_view JOIN orders USING (order_id)
  GROUP BY sku
), level AS (
  SELECT sku, i.quantity, available, reserved, consumed,
         coalesce(held, 0) AS held, coalesce(shipped, 0) - coalesce(back.quantity, 0) AS gone,
         coalesce(written_off, 0) AS written_off
  FROM stock_in AS i CROSS JOIN LATERAL order_ext.stock_level(i.sku)
       LEFT JOIN items USING (sku) LEFT JOIN back USING (sku)
), kept AS (    -- what orders keep of their money
  SELECT coalesce(sum(pay_amount), 0)
         - (SELECT coalesce(sum(a.amount), 0)
            FROM order_ext.after_sales_view AS a JOIN orders AS o USING (order_id)
            WHERE (o.held OR o.shipped) AND a.status NOT IN ('rejected', 'closed', 'revoked')) AS amount
  FROM orders WHERE shipped OR (held AND status <> 'created')
), refunds AS (
  SELECT r.refund_id, r.amount, r.status, p.pay_type
  FROM order_ext.refunds_view AS r JOIN order_ext.payments_view AS p USING (payment_id)
  WHERE r.status <> 'withdrawn'
), gateways AS (
  SELECT 'sandbox' AS pay_type, refund_id, amount, outcome FROM order_ext.sandbox_ledger
  UNION ALL
  SELECT 'wechat', refund_id, amount, outcome FROM gateway_book
), checks (what, expected, actual) AS (
  SELECT 'stock: put in = available + reserved + consumed + written off', sum(quantity),
         sum(available + reserved + consumed)
         + (SELECT coalesce(-sum(consumed_delta), 0) FROM order_ext.stock_ledger_view WHERE kind = 'write_off')
  FROM level
  UNION ALL
  SELECT 'stock: reserved = items of the orders not shipped yet', sum(held), sum(reserved) FROM level
  UNION ALL
  SELECT 'stock: consumed = items of the orders shipped - sent back', sum(gone), sum(consumed) FROM level
  UNION ALL
  SELECT 'stock: products that differ', 0, count(*)
  FROM level
  WHERE quantity <> available + reserved + consumed + written_off OR reserved <> held OR consumed <> gone
  UNION ALL
  SELECT 'coupons: out of use = live orders with one, not wholly sent back',
         (SELECT count(*) FROM orders
          WHERE coupon_id IS NOT NULL AND (held OR shipped)
            AND order_id NOT IN (SELECT order_id FROM application WHERE whole AND accepted)),
         (SELECT count(*) FROM order_ext.coupons_view WHERE status IN ('locked', 'used'))
  UNION ALL
  SELECT 'coupons: issued = unused + locked + used', (SELECT count(*) FROM wallet),
         (SELECT count(*) FROM order_ext.coupons_view WHERE status IN ('unused', 'locked', 'used'))
  UNION ALL
  SELECT 'money: captured = kept by live orders + refunds',
         (SELECT sum(amount) FROM order_ext.payments_view WHERE status = 'captured'),
         (SELECT amount FROM kept) + (SELECT coalesce(sum(amount), 0) FROM refunds)
  UNION ALL
  SELECT 'money: money_report captured - refunded = kept by live orders', (SELECT amount FROM kept),
         (SELECT sum(captured - refunded) FROM order_ext.money_report)
  UNION ALL
  SELECT 'money: refunds settled of pay type ' || pay_type || ' = books of its gateway',
         (SELECT coalesce(sum(amount), 0) FROM gateways AS g
          WHERE g.pay_type = types.pay_type AND outcome = 'succeeded'),
         (SELECT coalesce(sum(amount), 0) FROM refunds AS r
          WHERE r.pay_type = types.pay_type AND status = 'succeeded')
  FROM (VALUES ('sandbox'), ('wechat')) AS types (pay_type)
  UNION ALL
  SELECT 'money: refunds that differ from their gateway''s books', 0, count(*)
  FROM refunds AS r FULL JOIN gateways AS g USING (refund_id, pay_type)
  WHERE r.amount IS DISTINCT FROM g.amount OR r.status IS DISTINCT FROM g.outcome
  UNION ALL
  SELECT 'money: refunds not settled', 0, count(*) FROM refunds WHERE status <> 'succeeded'
  UNION ALL
  SELECT 'after-sales: accepted by the staff = refunded',
         (SELECT count(*) FROM application WHERE accepted),
         (SELECT count(*) FROM application JOIN order_ext.after_sales_view AS a USING (after_sale_id)
          WHERE a.status = 'refunded')
  UNION ALL
  SELECT 'orders: unpaid or not handed to the warehouse', 0,
         (SELECT count(*) FROM orders WHERE status IN ('created', 'paid'))
  UNION ALL
  SELECT 'shipment facts: not applied in their turn', 0,
         (SELECT count(*) FROM order_ext.shipment_events_view WHERE state IN ('parked', 'held'))
  UNION ALL
  SELECT 'messages: waiting, in retry or dead', 0,
         (SELECT coalesce(sum(lag + retrying + dead), 0) FROM order_ext.consumer_stats)
  UNION ALL
  SELECT 'messages: heard by the shop = orders created + paid + canceled',
         (SELECT count(*) + count(paid_at) + count(canceled_at) FROM order_ext.orders_view),
         (SELECT count(*) FROM heard)
)
SELECT what, expected, actual, expected IS NOT DISTINCT FROM actual AS ok FROM checks;
