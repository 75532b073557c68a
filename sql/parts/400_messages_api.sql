-- The calls about topics, messages and consumer groups. All work in the caller's
-- transaction; what they publish is delivered after its commit.

-- create_topic(topic up to 128 characters, options: max_depth, so many messages may wait for
-- the slowest group (default: any number); dedup_window, an interval text, how long a
-- dedup_key is remembered ('1 day', up to a year)).
-- Raises 22004, 22023 unknown or unfit option, 54000, 42710 already exists.
-- src/message/verbs/topics.c
CREATE FUNCTION order_ext.create_topic(topic text, options jsonb DEFAULT '{}')
	RETURNS void
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_create_topic';
COMMENT ON FUNCTION order_ext.create_topic(text, jsonb) IS 'Creates a topic to publish to.';

-- drop_topic(topic): one that nobody uses. Its timers go with it; its messages stay in the
-- log, unread, until the log is past them.
-- Raises 22004, OE701 unknown, 42501 built in, 2BP01 a group or an asset still uses it.
-- src/message/verbs/topics.c
CREATE FUNCTION order_ext.drop_topic(topic text)
	RETURNS void
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_drop_topic';
COMMENT ON FUNCTION order_ext.drop_topic(text) IS 'Drops a topic that nobody uses.';

-- publish(topic, key, payload up to order_ext.max_payload bytes, deliver_at: not before,
-- a past time is at once, dedup_key up to 256 characters): the message id. Within the topic's
-- dedup_window only the first message with a dedup_key is published, and its id returned
-- for the others; a second publisher waits for the first one's transaction.
-- Raises 22004, 22023 infinite deliver_at, 54000 payload or dedup_key too large, OE701
-- unknown topic, OE703 the topic is full (max_depth), 42501 built-in topic, OE110.
-- src/message/verbs/publish.c
CREATE FUNCTION order_ext.publish(topic text, key bigint, payload jsonb DEFAULT '{}', deliver_at timestamptz DEFAULT NULL, dedup_key text DEFAULT NULL)
	RETURNS bigint
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_publish';
COMMENT ON FUNCTION order_ext.publish(text, bigint, jsonb, timestamptz, text) IS 'Publishes a message with the caller''s transaction, now or for later.';

-- subscribe(consumer_group up to 128 characters, topic, handler: f(order_ext.message) or
-- f(order_ext.message[]) returning void, options: max_attempts 1 to 1000 (16), backoff
-- 'exponential' or 'rocketmq', start 'now' or 'earliest', for a new group, run_as: the role
-- that the handler runs as, the caller or one that it is a member of; ordered: while a
-- message failed and is not done with, those of its key wait). The same call again changes
-- all but topic and start. SECURITY INVOKER: it must know its caller.
-- Without a handler the messages wait for receive(), by members of the run_as role.
-- Raises 22004, 22023, 54000, OE701 unknown topic, 42710 the group reads another topic,
-- 42501 not a member of that role, it has no LOGIN, or the function must not run as it, or a
-- built-in group's name, 42704 unknown role, OE110. src/message/verbs/subscribe.c
CREATE FUNCTION order_ext.subscribe(consumer_group text, topic text, handler regprocedure DEFAULT NULL, options jsonb DEFAULT '{}')
	RETURNS void
	LANGUAGE C VOLATILE SECURITY INVOKER
	AS 'MODULE_PATHNAME', 'order_ext_subscribe';
COMMENT ON FUNCTION order_ext.subscribe(text, text, regprocedure, jsonb) IS 'Has a function called for every message of a topic.';

-- unsubscribe(consumer_group): forgets the group with its position, retries, leases, dead
-- letters and attempts. Raises 22004, OE701 unknown, 42501 built in, OE110. src/message/verbs/subscribe.c
CREATE FUNCTION order_ext.unsubscribe(consumer_group text)
	RETURNS void
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_unsubscribe';
COMMENT ON FUNCTION order_ext.unsubscribe(text) IS 'Ends a consumer group.';

-- register_asset(kind up to 128 characters, topic): the release of an order's assets
-- publishes one more message, there; the same kind again changes its topic.
-- Raises 22004, 54000, OE701, 42501 built-in kind or topic. src/message/verbs/topics.c
CREATE FUNCTION order_ext.register_asset(kind text, topic text)
	RETURNS void
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_register_asset';
COMMENT ON FUNCTION order_ext.register_asset(text, text) IS 'Adds a message to the release of a canceled order''s assets.';

-- unregister_asset(kind). Raises 22004, OE001, 42501 built in. src/message/verbs/topics.c
CREATE FUNCTION order_ext.unregister_asset(kind text)
	RETURNS void
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_unregister_asset';
COMMENT ON FUNCTION order_ext.unregister_asset(text) IS 'Takes an asset kind out of the release of assets.';

-- dispatch(max_messages, NULL = no limit): delivers what is due, here and now, and returns
-- how many messages handlers were given, failed ones included. Where built-in handlers have
-- locked as many orders as one transaction may, their groups wait for the next call: call
-- it until it returns 0. SECURITY INVOKER: only built-in handlers and those that run as
-- the caller.
-- Raises 22023, 55000 not enabled here, or called by a handler, 25006, 40001.
-- src/message/verbs/dispatch.c
CREATE FUNCTION order_ext.dispatch(max_messages integer DEFAULT NULL)
	RETURNS bigint
	LANGUAGE C VOLATILE SECURITY INVOKER
	AS 'MODULE_PATHNAME', 'order_ext_dispatch';
COMMENT ON FUNCTION order_ext.dispatch(integer) IS 'Does the workers'' work in this transaction: due timers, retries, messages.';

-- enable_dispatch(): lets this database, restored, copied or upgraded from another, work
-- on its own; does nothing where it does already.
-- Raises OE110. src/message/upkeep/stamp.c
CREATE FUNCTION order_ext.enable_dispatch()
	RETURNS void
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_enable_dispatch';
COMMENT ON FUNCTION order_ext.enable_dispatch() IS 'Lets workers and dispatch() work in a restored or copied database.';

-- stamp_database(): for the installation: this database may dispatch. src/message/upkeep/stamp.c
CREATE FUNCTION order_ext_internal.stamp_database()
	RETURNS void
	LANGUAGE C VOLATILE
	AS 'MODULE_PATHNAME', 'order_ext_stamp_database';
COMMENT ON FUNCTION order_ext_internal.stamp_database() IS 'Marks the database as one to dispatch in.';
