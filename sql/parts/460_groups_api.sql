-- Operating consumer groups.

-- pause(consumer_group): its messages wait; a batch in flight is finished. Any group, built-in
-- ones too. Raises 22004, OE701 unknown group, OE110. src/message/verbs/operate.c
CREATE FUNCTION order_ext.pause(consumer_group text)
	RETURNS void
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_pause';
COMMENT ON FUNCTION order_ext.pause(text) IS 'Lets the messages of a consumer group wait.';

-- resume(consumer_group): delivers what has waited. Raises 22004, OE701, OE110.
-- src/message/verbs/operate.c
CREATE FUNCTION order_ext.resume(consumer_group text)
	RETURNS void
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_resume';
COMMENT ON FUNCTION order_ext.resume(text) IS 'Delivers the messages of a paused consumer group again.';

-- redrive(consumer_group, max_messages: NULL = all, message_ids: only these, dry_run): dead
-- letters, the oldest first, are delivered again, under the same message ids and today's
-- options; their attempts start over. How many; dry_run only counts.
-- Raises 22004, 22023, OE701, OE110, 40001. src/message/verbs/operate.c
CREATE FUNCTION order_ext.redrive(consumer_group text, max_messages integer DEFAULT NULL, message_ids bigint[] DEFAULT NULL, dry_run boolean DEFAULT false)
	RETURNS integer
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_redrive';
COMMENT ON FUNCTION order_ext.redrive(text, integer, bigint[], boolean) IS 'Delivers dead letters again.';
