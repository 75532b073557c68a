-- What the delivery to handlers keeps in addition to the log: parked messages, and messages that
-- were being handled when a worker crashed. See src/message/README.md.

-- parked_messages: messages of an ordered group whose key waits for an earlier one that is
-- in retries or dead_messages; a copy each. n is their order within the key.
CREATE TABLE order_ext_internal.parked_messages (
	n bigint NOT NULL,
	group_id integer NOT NULL,
	topic_id integer NOT NULL,
	key bigint NOT NULL,
	message_id bigint NOT NULL,
	published_at timestamptz NOT NULL,
	parked_at timestamptz NOT NULL,
	payload jsonb NOT NULL,
	PRIMARY KEY (group_id, key, n)
);
CREATE SEQUENCE order_ext_internal.parked_seq;

-- crash_suspects: messages whose handler was running when the worker process crashed, and how
-- often. messages > 1: a batch that began with this one; that many of the group's next messages
-- are run one by one.
CREATE TABLE order_ext_internal.crash_suspects (
	group_id integer NOT NULL,
	message_id bigint NOT NULL,
	crashes integer NOT NULL,
	messages integer NOT NULL,
	noted_at timestamptz NOT NULL,
	PRIMARY KEY (group_id, message_id)
);
