-- More for operators: options of topics, discarding dead letters, replaying messages.

-- alter_topic(): src/message/verbs/topics.c
CREATE FUNCTION order_ext.alter_topic(topic text, options jsonb)
	RETURNS void
	LANGUAGE C VOLATILE SECURITY INVOKER
	AS 'MODULE_PATHNAME', 'order_ext_alter_topic';

-- discard(): src/message/verbs/replay.c
CREATE FUNCTION order_ext.discard(consumer_group text, max_messages integer DEFAULT NULL,
		message_ids bigint[] DEFAULT NULL, dry_run boolean DEFAULT false)
	RETURNS integer
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_discard';

-- replay(): src/message/verbs/replay.c
CREATE FUNCTION order_ext.replay(consumer_group text, published_since timestamptz,
		published_until timestamptz DEFAULT NULL, message_ids bigint[] DEFAULT NULL,
		dry_run boolean DEFAULT false)
	RETURNS integer
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_replay';
