-- Paid orders are put on their way from now on. Those that are paid already get their
-- fulfilments from their rows: the group begins behind their messages, which may be gone.
-- Orders cannot be written by others here: 21_orders.sql has locked their table.
INSERT INTO order_ext_internal.consumer_groups (group_id, topic_id, builtin, batch, name, start_at)
SELECT topic_id, topic_id, true, true, name, pg_catalog.pg_current_snapshot()
FROM order_ext_internal.topics
WHERE name = 'order.paid';

SELECT order_ext_internal.fulfil_paid_orders();
