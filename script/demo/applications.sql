-- Some who got their parcel want money back: for a piece or for everything, with the
-- goods going back or not.
INSERT INTO application (n, order_id, user_id, type, lines, whole, accepted, restock)
SELECT nr - 1, order_id, user_id,
       CASE WHEN nr % 3 = 0 THEN 'return_refund' ELSE 'refund_only' END,
       (SELECT CASE WHEN nr % 4 = 0 THEN jsonb_agg(jsonb_build_object('sku', sku, 'quantity', quantity))
                    ELSE jsonb_build_array(jsonb_build_object('sku', min(sku), 'quantity', 1)) END
        FROM order_ext.order_items_view AS i WHERE i.order_id = o.order_id),
       nr % 4 = 0, nr % 10 <> 0, nr % 5 <> 1
FROM (SELECT row_number() OVER (ORDER BY coupon_id, order_id) AS nr, order_id, user_id
      FROM order_ext.orders_view WHERE status = 'signed'
      ORDER BY nr LIMIT 90) AS o;
