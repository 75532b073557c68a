-- What external consumers call. All but wait_for_messages() work in the caller's transaction.
-- Members of the group's role (option run_as of subscribe(), otherwise the role that subscribed
-- it) may call them for the group.

-- receive(): src/message/lease/receive.c
CREATE FUNCTION order_ext.receive(consumer_group text, max_messages integer DEFAULT 10,
		lease interval DEFAULT '30 seconds')
	RETURNS TABLE (message_id bigint, topic text, key bigint, payload jsonb, attempt integer,
		token bigint, published_at timestamptz)
	LANGUAGE C VOLATILE SECURITY INVOKER
	AS 'MODULE_PATHNAME', 'order_ext_receive';

-- ack(): src/message/lease/answer.c
CREATE FUNCTION order_ext.ack(consumer_group text, tokens bigint[])
	RETURNS integer
	LANGUAGE C VOLATILE SECURITY INVOKER
	AS 'MODULE_PATHNAME', 'order_ext_ack';

-- nack(): src/message/lease/answer.c
CREATE FUNCTION order_ext.nack(consumer_group text, tokens bigint[],
		retry_after interval DEFAULT NULL, error text DEFAULT NULL)
	RETURNS integer
	LANGUAGE C VOLATILE SECURITY INVOKER
	AS 'MODULE_PATHNAME', 'order_ext_nack';

-- extend_lease(): src/message/lease/answer.c
CREATE FUNCTION order_ext.extend_lease(consumer_group text, tokens bigint[], lease interval)
	RETURNS integer
	LANGUAGE C VOLATILE SECURITY INVOKER
	AS 'MODULE_PATHNAME', 'order_ext_extend_lease';

-- wait_for_messages(): src/message/lease/wait.c
-- A procedure, because it ends the transaction before it waits.
CREATE PROCEDURE order_ext.wait_for_messages(consumer_group text,
		timeout interval DEFAULT '30 seconds', INOUT ready boolean DEFAULT NULL)
	LANGUAGE C SECURITY INVOKER
	AS 'MODULE_PATHNAME', 'order_ext_wait_for_messages';
