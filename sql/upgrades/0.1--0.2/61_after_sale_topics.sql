-- Topics and groups of the timers of 0.2.
INSERT INTO order_ext_internal.topics (topic_id, builtin, name)
VALUES (24, true, 'order.auto_sign'),
	(25, true, 'after_sale.review_due'),
	(26, true, 'after_sale.auto_close');

INSERT INTO order_ext_internal.consumer_groups (group_id, topic_id, builtin, batch, name, start_at)
SELECT topic_id, topic_id, true, true, name, '1:1:'
FROM order_ext_internal.topics
WHERE name IN ('order.auto_sign', 'after_sale.review_due', 'after_sale.auto_close');
