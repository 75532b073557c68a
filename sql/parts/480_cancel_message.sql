-- Canceling messages published for later.

-- cancel_message(): src/message/verbs/cancel_message.c
CREATE FUNCTION order_ext.cancel_message(message_id bigint)
	RETURNS boolean
	LANGUAGE C VOLATILE SECURITY INVOKER
	AS 'MODULE_PATHNAME', 'order_ext_cancel_message';
