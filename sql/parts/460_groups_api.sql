-- Operating consumer groups.

-- pause(): src/message/verbs/operate.c
CREATE FUNCTION order_ext.pause(consumer_group text)
	RETURNS void
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_pause';

-- resume(): src/message/verbs/operate.c
CREATE FUNCTION order_ext.resume(consumer_group text)
	RETURNS void
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_resume';

-- redrive(): src/message/verbs/operate.c
CREATE FUNCTION order_ext.redrive(consumer_group text, max_messages integer DEFAULT NULL,
		message_ids bigint[] DEFAULT NULL, dry_run boolean DEFAULT false)
	RETURNS integer
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_redrive';
