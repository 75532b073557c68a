-- Lines of orders have numbers, and after-sales name them. Most orders have one line, so that the
-- default is their number; in others, lines are numbered by sku, as they were shown.

ALTER TABLE order_ext_internal.order_items
	ADD COLUMN line integer NOT NULL DEFAULT 1,
	ADD COLUMN attributes jsonb;
ALTER TABLE order_ext_internal.after_sale_items
	ADD COLUMN line integer NOT NULL DEFAULT 1;
ALTER TABLE order_ext_internal.order_items DISABLE TRIGGER guard_rows;
ALTER TABLE order_ext_internal.after_sale_items DISABLE TRIGGER guard_rows;

UPDATE order_ext_internal.order_items i SET line = n.line
FROM (SELECT order_id, product_id,
		row_number() OVER (PARTITION BY order_id ORDER BY sku COLLATE "C", product_id) AS line
	FROM order_ext_internal.order_items) n
WHERE i.order_id = n.order_id AND i.product_id = n.product_id AND n.line <> 1;

UPDATE order_ext_internal.after_sale_items s SET line = i.line
FROM order_ext_internal.order_items i
WHERE i.order_id = s.order_id AND i.product_id = s.product_id AND i.line <> 1;

ALTER TABLE order_ext_internal.order_items
	ALTER COLUMN line DROP DEFAULT,
	DROP CONSTRAINT order_items_pkey,
	ADD PRIMARY KEY (order_id, line);
ALTER TABLE order_ext_internal.after_sale_items
	ALTER COLUMN line DROP DEFAULT,
	DROP CONSTRAINT after_sale_items_pkey,
	ADD PRIMARY KEY (after_sale_id, line);
ALTER TABLE order_ext_internal.order_items ENABLE ALWAYS TRIGGER guard_rows;
ALTER TABLE order_ext_internal.after_sale_items ENABLE ALWAYS TRIGGER guard_rows;
