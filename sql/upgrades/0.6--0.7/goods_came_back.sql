-- Goods come back in several parcels: pieces of an after-sale that are paid for, refused or missing.
-- Of those that 0.6 had inspected, all were paid for; where a piece was damaged, none was.
ALTER TABLE order_ext_internal.after_sale_items
	ADD COLUMN before integer NOT NULL DEFAULT 0,
	ADD COLUMN refunded integer NOT NULL DEFAULT 0,
	ADD COLUMN refused integer NOT NULL DEFAULT 0,
	ADD COLUMN missing integer NOT NULL DEFAULT 0,
	ADD COLUMN paid bigint NOT NULL DEFAULT 0;
ALTER TABLE order_ext_internal.after_sale_items DISABLE TRIGGER guard_rows;
UPDATE order_ext_internal.after_sale_items s SET refunded = s.received, paid = s.amount
FROM order_ext_internal.after_sales a
WHERE a.after_sale_id = s.after_sale_id
	AND a.return_status = order_ext.status_code('return', 'inspected');
ALTER TABLE order_ext_internal.after_sale_items ENABLE ALWAYS TRIGGER guard_rows;
ALTER TABLE order_ext_internal.after_sale_items
	DROP CONSTRAINT after_sale_items_quantity_check,
	ADD CONSTRAINT after_sale_items_quantity_check CHECK (quantity >= 0),
	DROP CONSTRAINT after_sale_items_check,
	ADD CONSTRAINT after_sale_items_pieces CHECK (refused >= 0 AND missing >= 0
		AND quantity + refused + missing > 0
		AND received BETWEEN refused AND quantity + refused AND damaged BETWEEN refused AND received
		AND restocked BETWEEN 0 AND received - refused AND refunded BETWEEN 0 AND received - refused
		AND paid BETWEEN 0 AND amount AND before >= 0);
ALTER TABLE order_ext_internal.after_sale_events
	DROP CONSTRAINT after_sale_events_kind_check,
	ADD CONSTRAINT after_sale_events_kind_check CHECK (kind IN (1, 2, 3));
DROP INDEX order_ext_internal.after_sale_events_fact;
CREATE UNIQUE INDEX after_sale_events_fact ON order_ext_internal.after_sale_events
	(after_sale_id, kind, disposition, coalesce(reason, ''), md5(content::text))
	WHERE kind = 1 OR disposition = 'held';
CREATE INDEX after_sale_events_after_sale_id ON order_ext_internal.after_sale_events
	(after_sale_id);
