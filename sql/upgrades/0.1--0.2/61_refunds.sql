-- Refunds are executed from now on; those of canceled orders get their after-sales.
INSERT INTO order_ext_internal.consumer_groups (group_id, topic_id, builtin, batch, name, start_at)
SELECT topic_id, topic_id, true, true, name, '1:1:'
FROM order_ext_internal.topics
WHERE name = 'refund.execute';

SELECT order_ext_internal.adopt_refunds();
