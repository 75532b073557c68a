-- Timers. See src/message/README.md.

-- timer_bucket_N: a ring of insert-only tables, two minutes of due time each; a message
-- published for later waits here, or in timers_far when it is due beyond the ring.
-- bound: the timer is void unless its order has this status when it fires; that of a deadline also
-- if the deadline has been made later.
DO $$
BEGIN
	FOR n IN 0..31 LOOP
		EXECUTE pg_catalog.format($f$
			CREATE TABLE order_ext_internal.timer_bucket_%s (
				message_id bigint NOT NULL,
				xid xid8 NOT NULL,
				key bigint NOT NULL,
				due_at timestamptz NOT NULL,
				published_at timestamptz NOT NULL,
				topic_id integer NOT NULL,
				bound smallint,
				payload jsonb NOT NULL,
				PRIMARY KEY (xid, message_id)
			)$f$, n);
		EXECUTE pg_catalog.format('CREATE INDEX timer_bucket_%1$s_id'
			' ON order_ext_internal.timer_bucket_%1$s (message_id)', n);
	END LOOP;
END
$$;

CREATE TABLE order_ext_internal.timers_far (
	message_id bigint PRIMARY KEY,
	xid xid8 NOT NULL,
	key bigint NOT NULL,
	due_at timestamptz NOT NULL,
	published_at timestamptz NOT NULL,
	topic_id integer NOT NULL,
	bound smallint,
	payload jsonb NOT NULL
);
CREATE INDEX timers_far_due_at ON order_ext_internal.timers_far (due_at);

DO $$
BEGIN
	EXECUTE 'CREATE VIEW order_ext_internal.timer_ring AS '
		|| (SELECT pg_catalog.string_agg(pg_catalog.format(
				'SELECT %1$s::smallint AS bucket, t.* FROM order_ext_internal.timer_bucket_%1$s t',
				n),
				' UNION ALL ' ORDER BY n)
			FROM pg_catalog.generate_series(0, 31) AS n);
END
$$;

-- timer_progress: append-only, newest seq of a bucket wins. Every timer of the bucket that
-- is visible in seen and due until fired_until has fired (or was void).
CREATE TABLE order_ext_internal.timer_progress (
	seq bigint NOT NULL,
	bucket smallint NOT NULL,
	fired_until timestamptz NOT NULL,
	seen pg_snapshot NOT NULL,
	PRIMARY KEY (bucket, seq)
);

-- timer_ahead: timers of a bucket that have fired (or were void) although its timer_progress has
-- not reached them yet; append-only. A bucket's rows are deleted when it has; due_until: the
-- latest of them.
CREATE TABLE order_ext_internal.timer_ahead (
	seq bigint NOT NULL,
	bucket smallint NOT NULL,
	due_until timestamptz NOT NULL,
	message_ids bigint[] NOT NULL,
	PRIMARY KEY (bucket, seq)
);
-- Compressing them would take a quarter of the time of firing a flood of timers.
ALTER TABLE order_ext_internal.timer_ahead ALTER message_ids SET STORAGE EXTERNAL;

-- timer_firings: append-only running totals for timer_stats, newest seq wins.
-- lateness counts fired timers by floor(2 * log2(microseconds late)).
CREATE TABLE order_ext_internal.timer_firings (
	seq bigint PRIMARY KEY,
	at timestamptz NOT NULL,
	fired bigint NOT NULL,
	lateness bigint[] NOT NULL
);
