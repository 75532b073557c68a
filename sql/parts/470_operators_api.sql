-- More for operators: options of topics, dead letters that nobody wants, messages once more.

-- alter_topic(topic, options: as of create_topic(); those that are not named stay, null is
-- the default again): from the next transactions on. A longer dedup_window knows the keys
-- that are still there. Raises 22004, 22023 unknown or unfit option, OE701, 42501 built in,
-- OE110. src/message/verbs/topics.c
CREATE FUNCTION order_ext.alter_topic(topic text, options jsonb)
	RETURNS void
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_alter_topic';
COMMENT ON FUNCTION order_ext.alter_topic(text, jsonb) IS 'Changes options of a topic.';

-- discard(consumer_group, max_messages: NULL = all, message_ids: only these, dry_run): these
-- dead letters, the oldest first, are done with: nobody delivers them any more. In an ordered
-- group what waits behind them goes on. How many; dry_run only counts.
-- Raises 22004, 22023, 54000, OE701, OE110, 40001. src/message/verbs/replay.c
CREATE FUNCTION order_ext.discard(consumer_group text, max_messages integer DEFAULT NULL, message_ids bigint[] DEFAULT NULL, dry_run boolean DEFAULT false)
	RETURNS integer
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_discard';
COMMENT ON FUNCTION order_ext.discard(text, integer, bigint[], boolean) IS 'Gives up dead letters.';

-- replay(consumer_group, published_since, published_until: before this, NULL = no end,
-- message_ids: only these, dry_run): what the group has finished, or has never had because
-- it began later, is delivered to it once more, in the old order, under the same message ids
-- and from attempt 1; as far as the log still has it (order_ext.log_retention). What was
-- discarded counts as finished; what the group has not finished is left alone. A timer counts
-- by when it was published. How many; each is a copy. dry_run only counts. Raises 22004, 22023, 54000, OE701, 42501 a built-in group,
-- OE110, 40001. src/message/verbs/replay.c
CREATE FUNCTION order_ext.replay(consumer_group text, published_since timestamptz, published_until timestamptz DEFAULT NULL, message_ids bigint[] DEFAULT NULL, dry_run boolean DEFAULT false)
	RETURNS integer
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_replay';
COMMENT ON FUNCTION order_ext.replay(text, timestamptz, timestamptz, bigint[], boolean) IS 'Delivers messages once more that a group has finished.';
