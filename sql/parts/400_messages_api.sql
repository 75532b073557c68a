-- The calls about topics, messages and consumer groups. All work in the caller's
-- transaction; what they publish is delivered after its commit. Those that ask what their caller
-- may do with a topic are SECURITY INVOKER and go on as the owner by themselves.

-- create_topic(): src/message/verbs/topics.c
CREATE FUNCTION order_ext.create_topic(topic text, options jsonb DEFAULT '{}')
	RETURNS void
	LANGUAGE C VOLATILE SECURITY INVOKER
	AS 'MODULE_PATHNAME', 'order_ext_create_topic';

-- drop_topic(): src/message/verbs/topics.c
CREATE FUNCTION order_ext.drop_topic(topic text)
	RETURNS void
	LANGUAGE C VOLATILE SECURITY INVOKER
	AS 'MODULE_PATHNAME', 'order_ext_drop_topic';

-- publish(): src/message/verbs/publish.c
CREATE FUNCTION order_ext.publish(topic text, key bigint, payload jsonb DEFAULT '{}',
		deliver_at timestamptz DEFAULT NULL, dedup_key text DEFAULT NULL)
	RETURNS bigint
	LANGUAGE C VOLATILE SECURITY INVOKER
	AS 'MODULE_PATHNAME', 'order_ext_publish';

-- subscribe(): src/message/verbs/subscribe.c
CREATE FUNCTION order_ext.subscribe(consumer_group text, topic text,
		handler regprocedure DEFAULT NULL, options jsonb DEFAULT '{}')
	RETURNS void
	LANGUAGE C VOLATILE SECURITY INVOKER
	AS 'MODULE_PATHNAME', 'order_ext_subscribe';

-- unsubscribe(): src/message/verbs/subscribe.c
CREATE FUNCTION order_ext.unsubscribe(consumer_group text)
	RETURNS void
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_unsubscribe';

-- register_asset(): src/api/assets.c
CREATE FUNCTION order_ext.register_asset(kind text, topic text)
	RETURNS void
	LANGUAGE C VOLATILE SECURITY INVOKER
	AS 'MODULE_PATHNAME', 'order_ext_register_asset';

-- unregister_asset(): src/api/assets.c
CREATE FUNCTION order_ext.unregister_asset(kind text)
	RETURNS void
	LANGUAGE C VOLATILE SECURITY INVOKER
	AS 'MODULE_PATHNAME', 'order_ext_unregister_asset';

-- dispatch(): src/message/verbs/dispatch.c
CREATE FUNCTION order_ext.dispatch(max_messages integer DEFAULT NULL)
	RETURNS bigint
	LANGUAGE C VOLATILE SECURITY INVOKER
	AS 'MODULE_PATHNAME', 'order_ext_dispatch';

-- enable_dispatch(): src/message/upkeep/enable.c
CREATE FUNCTION order_ext.enable_dispatch()
	RETURNS void
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_enable_dispatch';

-- dispatch_absence(): why dispatch is not enabled in this database, as a sentence; NULL if it is.
-- Raises no error. src/message/upkeep/enable.c
CREATE FUNCTION order_ext_internal.dispatch_absence()
	RETURNS text
	LANGUAGE C STABLE
	AS 'MODULE_PATHNAME', 'order_ext_dispatch_absence';
COMMENT ON FUNCTION order_ext_internal.dispatch_absence() IS
	'Why dispatch is not enabled in this database.';

-- stamp_database(): for the installation: this database may dispatch. src/message/upkeep/enable.c
CREATE FUNCTION order_ext_internal.stamp_database()
	RETURNS void
	LANGUAGE C VOLATILE
	AS 'MODULE_PATHNAME', 'order_ext_stamp_database';
COMMENT ON FUNCTION order_ext_internal.stamp_database() IS
	'Marks the database as one to dispatch in.';
