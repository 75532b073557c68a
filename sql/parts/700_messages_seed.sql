-- Topics, groups and asset kinds that are built in. Ids as in src/machine/base/topics.h; a built-in
-- group has the id and the name of its topic, and reads from the beginning.
-- test/sql/160_codes.sql compares them with the code.

INSERT INTO order_ext_internal.topics (topic_id, builtin, name)
VALUES (1, true, 'order.created'),
	(2, true, 'order.pay_timeout'),
	(3, true, 'order.paid'),
	(4, true, 'order.canceled'),
	(5, true, 'order.release_assets'),
	(6, true, 'order.shipped_out'),
	(7, true, 'order.delivering'),
	(8, true, 'order.signed'),
	(9, true, 'order.refused'),
	(10, true, 'payment.close'),
	(11, true, 'stock.release'),
	(12, true, 'coupon.release'),
	(13, true, 'refund.prepare'),
	(14, true, 'refund.execute'),
	(15, true, 'refund.succeeded'),
	(16, true, 'refund.failed'),
	(17, true, 'fulfilment.requested'),
	(18, true, 'fulfilment.cancel_requested'),
	(19, true, 'after_sale.applied'),
	(20, true, 'after_sale.reviewed'),
	(21, true, 'after_sale.revoked'),
	(22, true, 'after_sale.refunded'),
	(23, true, 'ops.alert'),
	(24, true, 'order.auto_sign'),
	(25, true, 'after_sale.review_due'),
	(26, true, 'after_sale.auto_close'),
	(27, true, 'order.address_changed');

-- Only topics that this version has handlers for.
INSERT INTO order_ext_internal.consumer_groups (group_id, topic_id, builtin, batch, name, start_at)
SELECT topic_id, topic_id, true, true, name, '1:1:'
FROM order_ext_internal.topics
WHERE name IN ('order.pay_timeout', 'order.paid', 'order.release_assets', 'stock.release',
	'coupon.release', 'refund.prepare', 'refund.execute', 'order.auto_sign',
	'after_sale.review_due', 'after_sale.auto_close');

INSERT INTO order_ext_internal.assets (kind, topic_id, builtin)
SELECT a.kind, t.topic_id, true
FROM (VALUES ('stock', 'stock.release'), ('coupon', 'coupon.release'), ('refund', 'refund.prepare'))
	AS a (kind, topic)
JOIN order_ext_internal.topics t ON t.name = a.topic;

SELECT order_ext_internal.stamp_database();
