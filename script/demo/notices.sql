-- What a payment gateway sends after the fact: notices it has sent before,
-- payments that arrive after the order was canceled, second payments of an
-- order, and payments of a wrong amount.
INSERT INTO notice
SELECT row_number() OVER (ORDER BY order_id), story, order_id, trade_no, pay_type, amount
FROM (
  (SELECT 'duplicate' AS story, p.order_id, p.out_trade_no AS trade_no, p.pay_type, p.amount
   FROM order_ext.payments_view AS p JOIN order_ext.orders_view AS o USING (order_id)
   WHERE p.purpose = 'applied' AND o.status = 'fulfilling' LIMIT 200)
  UNION ALL
  (SELECT 'late', order_id, 'late-' || order_id,
          (ARRAY['wechat', 'sandbox'])[1 + user_id % 2], pay_amount
   FROM order_ext.orders_view
   WHERE status = 'canceled' AND paid_at IS NULL LIMIT 100)
  UNION ALL
  (SELECT 'second payment', order_id, 'again-' || order_id, 'wechat', pay_amount
   FROM order_ext.orders_view WHERE status = 'fulfilling' LIMIT 50)
) AS notices;
