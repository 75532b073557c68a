-- Taking back what was published for later.

-- cancel_message(message_id): takes back a message that was published with deliver_at and has
-- not fired; with the caller's transaction. true: it will not be delivered. false: there is
-- no such timer (any more). Of two transactions one gets true.
-- Raises 22004, 22023, 42501 a built-in topic's, OE110, 25006. src/message/timer/cancel.c
CREATE FUNCTION order_ext.cancel_message(message_id bigint)
	RETURNS boolean
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_cancel_message';
COMMENT ON FUNCTION order_ext.cancel_message(bigint) IS 'Takes back a message that was published for later.';
