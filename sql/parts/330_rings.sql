-- What changes over time: which table of a ring is written to, canceled timers, and the keys by
-- which messages are published once. See src/message/README.md.

-- ring_moves: append-only, newest seq of a ring wins; without a row a ring is in its first
-- segment. ring: log (with attempts) or dedup; log_gone: a segment of the log was truncated,
-- which had been closed at moved_at. xid: the transaction that moved it.
CREATE TABLE order_ext_internal.ring_moves (
	seq bigint NOT NULL,
	ring text NOT NULL,
	segment smallint NOT NULL,
	moved_at timestamptz NOT NULL,
	xid xid8 NOT NULL,
	PRIMARY KEY (ring, seq)
);

-- timer_cancels: timers that must not fire, or not from where they are; a row is deleted when its
-- timer becomes due. Those of timers_far and timers_moved are deleted there instead.
CREATE TABLE order_ext_internal.timer_cancels (
	message_id bigint PRIMARY KEY,
	canceled_at timestamptz NOT NULL
);

-- dedup_N: a ring of keys that were published, with the id of the message. given_up: the groups
-- that will not run it again; free: those are all groups of the topic, so the key may be
-- published again.
DO $$
BEGIN
	FOR n IN 0..3 LOOP
		EXECUTE pg_catalog.format($f$
			CREATE TABLE order_ext_internal.dedup_%s (
				message_id bigint NOT NULL,
				topic_id integer NOT NULL,
				published_at timestamptz NOT NULL,
				dedup_key text COLLATE "C" NOT NULL,
				given_up integer[] NOT NULL DEFAULT '{}',
				free boolean NOT NULL DEFAULT false,
				PRIMARY KEY (topic_id, dedup_key)
			)$f$, n);
		EXECUTE pg_catalog.format(
			'CREATE INDEX dedup_%s_message_id ON order_ext_internal.dedup_%s (message_id)', n, n);
	END LOOP;
END
$$;

CREATE VIEW order_ext_internal.dedup AS
	SELECT * FROM order_ext_internal.dedup_0
	UNION ALL SELECT * FROM order_ext_internal.dedup_1
	UNION ALL SELECT * FROM order_ext_internal.dedup_2
	UNION ALL SELECT * FROM order_ext_internal.dedup_3;

-- dedup_taken: messages whose key another one has: they were given up, and must not come back.
CREATE TABLE order_ext_internal.dedup_taken (
	message_id bigint PRIMARY KEY,
	topic_id integer NOT NULL,
	taken_at timestamptz NOT NULL
);

-- backlog_alerts: groups that operators were alerted to because they hold back the log.
CREATE TABLE order_ext_internal.backlog_alerts (
	group_id integer PRIMARY KEY,
	alerted_at timestamptz NOT NULL
);
