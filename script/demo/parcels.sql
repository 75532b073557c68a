-- What becomes of the parcels in the warehouse: most are delivered, some are on their way
-- at the end, some are still picked, and some buyers cancel in time.  Every tenth parcel's
-- events come backwards, every seventh's twice.
INSERT INTO parcel_event
SELECT row_number() OVER (ORDER BY parcel / 256, turn, random()) - 1, order_id, user_id, kind || '-1', kind
FROM (
  SELECT parcel, order_id, user_id, kind,
         CASE WHEN parcel % 10 = 3 THEN 5 - step ELSE step END AS turn
  FROM (SELECT row_number() OVER (ORDER BY order_id) AS parcel, order_id, user_id
        FROM order_ext.orders_view WHERE status = 'fulfilling') AS parcels,
       (VALUES (1, 'picked'), (2, 'out_stock'), (3, 'delivering'), (4, 'signed')) AS steps (step, kind),
       LATERAL generate_series(1, CASE WHEN parcel % 7 = 0 THEN 2 ELSE 1 END) AS copy
  WHERE step <= CASE parcel % 20 WHEN 12 THEN 3 WHEN 13 THEN 2 WHEN 14 THEN 1 WHEN 15 THEN 0
                                 WHEN 16 THEN 0 ELSE 4 END
  UNION ALL
  SELECT parcel, order_id, user_id, 'cancel', 2
  FROM (SELECT row_number() OVER (ORDER BY order_id) AS parcel, order_id, user_id
        FROM order_ext.orders_view WHERE status = 'fulfilling') AS parcels
  WHERE parcel % 20 = 15
) AS events;
