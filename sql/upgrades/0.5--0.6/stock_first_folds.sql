-- The counters become the first folds, of exactly the rows that were there.
INSERT INTO order_ext_internal.stock_folds
	(product_id, fold_id, available, reserved, consumed, covered)
SELECT product_id, 1, sum(available), sum(reserved), sum(consumed), '3:3:'
FROM order_ext_internal.stock
GROUP BY product_id;
ALTER EXTENSION order_ext DROP TABLE order_ext_internal.stock;
DROP TABLE order_ext_internal.stock;
