-- Giving messages published for later another time.

-- reschedule_message(): src/message/verbs/cancel_message.c
CREATE FUNCTION order_ext.reschedule_message(message_id bigint, deliver_at timestamptz)
	RETURNS boolean
	LANGUAGE C VOLATILE SECURITY INVOKER
	AS 'MODULE_PATHNAME', 'order_ext_reschedule_message';
