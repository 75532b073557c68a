-- What external consumers call. All but wait_for_messages() work in the caller's transaction.
-- Whoever is a member of the group's role (option run_as of subscribe(), else the role that
-- subscribed it) may call them for the group.

-- receive(consumer_group, max_messages 1 to 10000 (more counts as 10000), lease up to 366
-- days): leases messages that are waiting, due again, or whose lease ran out. A lease counts
-- from the commit of this call. Never waits for another receiver: what that one has in its
-- hands is passed over. attempt counts the deliveries, token is what ack() wants. Of an ordered
-- group it parks what must wait for an earlier message of its key, but not more than some 5,000
-- messages or 16 MB a call: nothing returned does not mean that nothing is left.
-- Raises 22004, 22023, 22003 lease too long, OE701 unknown group, 42501 not a member of the
-- group's role, 55000 the group has a handler, or dispatch is not enabled here, 25006, 40001.
-- src/message/lease/receive.c
CREATE FUNCTION order_ext.receive(consumer_group text, max_messages integer DEFAULT 10, lease interval DEFAULT '30 seconds')
	RETURNS TABLE (message_id bigint, topic text, key bigint, payload jsonb, attempt integer, token bigint, published_at timestamptz)
	LANGUAGE C VOLATILE SECURITY INVOKER
	AS 'MODULE_PATHNAME', 'order_ext_receive';
COMMENT ON FUNCTION order_ext.receive(text, integer, interval) IS 'Leases messages of a group without handler to the caller.';

-- ack(consumer_group, tokens): these messages are done; how many. One that was delivered
-- again meanwhile, or answered already: OE702, and nothing of the call is done.
-- Raises 22004, OE701, 42501, OE702, OE110, 25006, 40001. src/message/lease/answer.c
CREATE FUNCTION order_ext.ack(consumer_group text, tokens bigint[])
	RETURNS integer
	LANGUAGE C VOLATILE SECURITY INVOKER
	AS 'MODULE_PATHNAME', 'order_ext_ack';
COMMENT ON FUNCTION order_ext.ack(text, bigint[]) IS 'Ends leases: the messages are done.';

-- nack(consumer_group, tokens, retry_after: NULL = the group's backoff, error: kept with the
-- attempt, cut at 1 kB): these attempts failed; how many. The messages are delivered again
-- later, or are dead letters after max_attempts.
-- Raises 22004, 22023 negative retry_after, OE701, 42501, OE702, OE110, 25006, 40001.
-- src/message/lease/answer.c
CREATE FUNCTION order_ext.nack(consumer_group text, tokens bigint[], retry_after interval DEFAULT NULL, error text DEFAULT NULL)
	RETURNS integer
	LANGUAGE C VOLATILE SECURITY INVOKER
	AS 'MODULE_PATHNAME', 'order_ext_nack';
COMMENT ON FUNCTION order_ext.nack(text, bigint[], interval, text) IS 'Ends leases: the messages failed and are delivered again later.';

-- extend_lease(consumer_group, tokens, lease up to 366 days): these leases end so long after
-- the commit of this call; how many. The tokens stay the same.
-- Raises 22004, 22023, 22003, OE701, 42501, OE702, OE110, 25006, 40001. src/message/lease/answer.c
CREATE FUNCTION order_ext.extend_lease(consumer_group text, tokens bigint[], lease interval)
	RETURNS integer
	LANGUAGE C VOLATILE SECURITY INVOKER
	AS 'MODULE_PATHNAME', 'order_ext_extend_lease';
COMMENT ON FUNCTION order_ext.extend_lease(text, bigint[], interval) IS 'Gives leases a new end.';

-- wait_for_messages(consumer_group, timeout, ready): returns when receive() would find
-- something to hand out or to park (ready = true) or the time is over (false). While it
-- waits it has no snapshot, no lock and no transaction id; it needs its session, so behind a
-- pooler keep the time short.
-- Raises 22004, 22023, 22003, OE701, 42501, 55000, 25001 inside a transaction block or a
-- function. src/message/lease/wait.c
CREATE PROCEDURE order_ext.wait_for_messages(consumer_group text, timeout interval DEFAULT '30 seconds', INOUT ready boolean DEFAULT NULL)
	LANGUAGE C SECURITY INVOKER
	AS 'MODULE_PATHNAME', 'order_ext_wait_for_messages';
COMMENT ON PROCEDURE order_ext.wait_for_messages(text, interval, boolean) IS 'Waits, without a snapshot, until there is something to receive.';
