-- The message log: topics, consumer groups, the ring of log segments, progress,
-- and the edges (retries, dead letters, attempts). See src/message/README.md.

-- topics: built-in ones have ids below 1000, known to the C code. max_depth: how many messages
-- may wait for the slowest group (NULL: any number); dedup_window: in seconds.
CREATE TABLE order_ext_internal.topics (
	topic_id integer PRIMARY KEY,
	builtin boolean NOT NULL DEFAULT false,
	name text NOT NULL UNIQUE,
	options jsonb NOT NULL DEFAULT '{}',
	max_depth integer,
	dedup_window integer NOT NULL DEFAULT 86400
);
CREATE SEQUENCE order_ext_internal.topic_id_seq MINVALUE 1000;

-- consumer_groups: a reader of one topic. handler: schema-qualified signature, resolved at run
-- time; NULL for built-in ones, whose handlers are C functions of the library. backoff 1
-- exponential, 2 rocketmq. start_at: the snapshot whose messages it skips. subscriber: the role
-- that last subscribed it; a superuser if NULL. parts: the number of cursors that read it; part p
-- reads the messages with shard % parts = p. barrier: the number of parts is about to change;
-- until it has, no part reads beyond this snapshot. handler_owner: the owner of the handler at
-- that time; another owner's function of that name is not run. adapted: the handler has another
-- signature, and a C function of the library calls it: a gateway. Of roles the OIDs count, not
-- the names: 345_find_role. handler_timeout: in milliseconds; NULL: as order_ext.handler_timeout.
CREATE TABLE order_ext_internal.consumer_groups (
	group_id integer PRIMARY KEY,
	topic_id integer NOT NULL,
	max_attempts integer NOT NULL DEFAULT 16,
	backoff smallint NOT NULL DEFAULT 1,
	builtin boolean NOT NULL DEFAULT false,
	batch boolean NOT NULL DEFAULT false,
	paused boolean NOT NULL DEFAULT false,
	name text NOT NULL UNIQUE,
	handler text,
	run_as text,
	start_at pg_snapshot NOT NULL,
	created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	ordered boolean NOT NULL DEFAULT false,
	subscriber text,
	parts smallint NOT NULL DEFAULT 1,
	barrier pg_snapshot,
	handler_owner text,
	adapted boolean NOT NULL DEFAULT false,
	run_as_oid oid,
	handler_owner_oid oid,
	subscriber_oid oid,
	handler_timeout integer
);
CREATE SEQUENCE order_ext_internal.group_id_seq MINVALUE 1000;

-- message_log_N: insert-only ring. xid is the publisher's top-level transaction.
-- The primary key is the reading order of a group: by topic, then (xid, message_id). What people
-- look for by key is found by a bloom filter of each 32 pages: an entry for each message would be
-- the dearest part of publishing it. Pages that are still written to have no filter yet; the
-- scheduler makes them (src/message/upkeep/summarize.c).
DO $$
BEGIN
	FOR n IN 0..3 LOOP
		EXECUTE pg_catalog.format($f$
			CREATE TABLE order_ext_internal.message_log_%s (
				message_id bigint NOT NULL,
				xid xid8 NOT NULL,
				key bigint NOT NULL,
				published_at timestamptz NOT NULL,
				topic_id integer NOT NULL,
				shard smallint NOT NULL,
				payload jsonb NOT NULL,
				PRIMARY KEY (topic_id, xid, message_id)
			)$f$, n);
		EXECUTE pg_catalog.format(
			'CREATE INDEX message_log_%1$s_key ON order_ext_internal.message_log_%1$s'
			' USING brin (key int8_bloom_ops (n_distinct_per_range = 2500))'
			' WITH (pages_per_range = 32)', n);
		PERFORM pg_catalog.brin_desummarize_range(
			pg_catalog.format('order_ext_internal.message_log_%s_key', n)::regclass, 0);
	END LOOP;
END
$$;
CREATE SEQUENCE order_ext_internal.message_id_seq CACHE 32;

CREATE VIEW order_ext_internal.message_log AS
	SELECT * FROM order_ext_internal.message_log_0
	UNION ALL SELECT * FROM order_ext_internal.message_log_1
	UNION ALL SELECT * FROM order_ext_internal.message_log_2
	UNION ALL SELECT * FROM order_ext_internal.message_log_3;

-- group_progress: append-only, newest seq wins. All messages visible in done are behind the
-- group; if reading is not NULL, the group is inside the window (done, reading] and past
-- (pos_xid, pos_id). consumed is a running total. parts: how many parts the group had then, that
-- is, to which messages the row applies.
CREATE TABLE order_ext_internal.group_progress (
	seq bigint NOT NULL,
	group_id integer NOT NULL,
	part smallint NOT NULL,
	pos_id bigint,
	pos_xid xid8,
	consumed bigint NOT NULL,
	at timestamptz NOT NULL,
	done pg_snapshot NOT NULL,
	reading pg_snapshot,
	parts smallint NOT NULL DEFAULT 1,
	PRIMARY KEY (group_id, part, seq)
);

-- inline_ranges: messages that dispatch() delivered in the very transaction that published them;
-- a snapshot cannot show that, and they must not be delivered again.
CREATE TABLE order_ext_internal.inline_ranges (
	group_id integer NOT NULL,
	xid xid8 NOT NULL,
	first_id bigint NOT NULL,
	last_id bigint NOT NULL,
	at timestamptz NOT NULL,
	PRIMARY KEY (group_id, xid, first_id)
);

-- retries: failed messages waiting for their next attempt; a copy each. busy counts how often the
-- message was busy since its last attempt.
CREATE TABLE order_ext_internal.retries (
	message_id bigint NOT NULL,
	group_id integer NOT NULL,
	topic_id integer NOT NULL,
	key bigint NOT NULL,
	published_at timestamptz NOT NULL,
	due_at timestamptz NOT NULL,
	attempts integer NOT NULL,
	busy smallint NOT NULL,
	payload jsonb NOT NULL,
	last_error text,
	last_sqlstate text,
	PRIMARY KEY (group_id, message_id)
);
CREATE INDEX retries_due ON order_ext_internal.retries (group_id, due_at);
CREATE INDEX retries_key ON order_ext_internal.retries (group_id, key);

-- dead_messages: messages given up after max_attempts or at the handler's request.
CREATE TABLE order_ext_internal.dead_messages (
	message_id bigint NOT NULL,
	group_id integer NOT NULL,
	topic_id integer NOT NULL,
	key bigint NOT NULL,
	published_at timestamptz NOT NULL,
	died_at timestamptz NOT NULL,
	attempts integer NOT NULL,
	payload jsonb NOT NULL,
	last_error text,
	last_sqlstate text,
	PRIMARY KEY (group_id, message_id)
);
CREATE INDEX dead_messages_key ON order_ext_internal.dead_messages (group_id, key);

-- attempts_N: every attempt that did not simply succeed the first time; a ring that moves
-- with the log's. Attempts of a message start over when it is redriven. state: done, retry, dead,
-- discarded.
DO $$
BEGIN
	FOR n IN 0..3 LOOP
		EXECUTE pg_catalog.format($f$
			CREATE TABLE order_ext_internal.attempts_%s (
				message_id bigint NOT NULL,
				group_id integer NOT NULL,
				attempt integer NOT NULL,
				worker integer NOT NULL,
				started_at timestamptz NOT NULL,
				finished_at timestamptz NOT NULL,
				state text NOT NULL,
				error text,
				sqlstate text,
				PRIMARY KEY (message_id, group_id, attempt, started_at)
			)$f$, n);
	END LOOP;
END
$$;

CREATE VIEW order_ext_internal.attempts AS
	SELECT * FROM order_ext_internal.attempts_0
	UNION ALL SELECT * FROM order_ext_internal.attempts_1
	UNION ALL SELECT * FROM order_ext_internal.attempts_2
	UNION ALL SELECT * FROM order_ext_internal.attempts_3;

-- assets: kinds that the release fan-out publishes one message for.
CREATE TABLE order_ext_internal.assets (
	kind text PRIMARY KEY,
	topic_id integer NOT NULL,
	builtin boolean NOT NULL DEFAULT false
);

-- database_stamp: which database dispatch was enabled in. A restored or copied database
-- has a foreign stamp and stays quiet until enable_dispatch(). node: on which node, as in
-- src/core/node.h: 0 = on any, -1 = on none, being in a copy of the data directory.
CREATE TABLE order_ext_internal.database_stamp (
	system_identifier bigint NOT NULL,
	database oid NOT NULL,
	stamped_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	node bigint NOT NULL DEFAULT 0,
	PRIMARY KEY (system_identifier, database)
);

-- instance: the secret that order ids are permuted with, and the risk check and the price hook: the
-- function, the role that runs it, and the owner of the function when it was set. Of roles the OIDs
-- count, not the names: 345_find_role. jobs_since: since when jobs of pg_cron are registered.
CREATE TABLE order_ext_internal.instance (
	singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
	id_secret bigint NOT NULL,
	risk_handler text,
	risk_role text,
	risk_owner text,
	risk_role_oid oid,
	risk_owner_oid oid,
	jobs_since timestamptz,
	price_handler text,
	price_role text,
	price_owner text,
	price_role_oid oid,
	price_owner_oid oid
);
