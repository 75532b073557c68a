-- One row for each thing that must add up at the end; "ok" says whether it does.
CREATE VIEW balance AS
WITH level AS (
  SELECT i.sku, i.quantity, l.*
  FROM stock_in AS i, LATERAL order_ext.stock_level(i.sku) AS l
), held AS (
  SELECT i.sku, sum(i.quantity) AS quantity
  FROM order_ext.order_items_view AS i JOIN order_ext.orders_view AS o USING (order_id)
  WHERE o.status IN ('created', 'paid')
  GROUP BY i.sku
), checks (what, expected, actual) AS (
  SELECT 'stock: put in = available + reserved + consumed', sum(quantity),
         sum(available + reserved + consumed)
  FROM level
  UNION ALL
  SELECT 'stock: reserved = items of the orders that are paid', (SELECT sum(quantity) FROM held),
         sum(reserved)
  FROM level
  UNION ALL
  SELECT 'stock: products that differ', 0, count(*)
  FROM level LEFT JOIN held USING (sku)
  WHERE level.quantity <> available + reserved + consumed
     OR reserved <> coalesce(held.quantity, 0)
  UNION ALL
  SELECT 'coupons: out of use = orders that are paid with one',
         (SELECT count(*) FROM order_ext.orders_view
          WHERE coupon_id IS NOT NULL AND status IN ('created', 'paid')),
         (SELECT count(*) FROM order_ext.coupons_view WHERE status IN ('locked', 'used'))
  UNION ALL
  SELECT 'coupons: issued = unused + locked + used', (SELECT count(*) FROM wallet),
         (SELECT count(*) FROM order_ext.coupons_view WHERE status IN ('unused', 'locked', 'used'))
  UNION ALL
  SELECT 'money: captured = paid orders + refunds',
         (SELECT sum(amount) FROM order_ext.payments_view WHERE status = 'captured'),
         (SELECT sum(pay_amount) FROM order_ext.orders_view WHERE status = 'paid')
         + (SELECT coalesce(sum(amount), 0) FROM order_ext.refunds_view)
  UNION ALL
  SELECT 'orders: unpaid ones left open', 0,
         (SELECT count(*) FROM order_ext.orders_view WHERE status = 'created')
  UNION ALL
  SELECT 'messages: waiting, in retry or dead', 0,
         (SELECT coalesce(sum(lag + retrying + dead), 0) FROM order_ext.consumer_stats)
  UNION ALL
  SELECT 'messages: heard by the shop = orders created + paid + canceled',
         (SELECT count(*) + count(paid_at) + count(canceled_at) FROM order_ext.orders_view),
         (SELECT count(*) FROM heard)
)
SELECT what, expected, actual, expected IS NOT DISTINCT FROM actual AS ok FROM checks;
