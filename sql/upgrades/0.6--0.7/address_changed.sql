-- A new built-in topic. Its name may be taken.
DO $$
BEGIN
	IF EXISTS (SELECT FROM order_ext_internal.topics WHERE name = 'order.address_changed') THEN
		RAISE EXCEPTION 'topic "order.address_changed" exists, which is built in from 0.7 on'
			USING ERRCODE = '42710',
				HINT = 'Publish to a topic of another name, drop this one with drop_topic, and update again.';
	END IF;
END
$$;
INSERT INTO order_ext_internal.topics (topic_id, builtin, name)
VALUES (27, true, 'order.address_changed');
