-- The staff looks at all applications.
SELECT (order_ext.review_after_sale(after_sale_id, accepted,
          CASE WHEN NOT accepted THEN 'worn' END)).status
FROM (SELECT * FROM application ORDER BY after_sale_id) AS application;
