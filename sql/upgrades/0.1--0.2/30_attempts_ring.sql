-- The log of attempts becomes a ring; what it holds is the first segment.
ALTER TABLE order_ext_internal.attempts RENAME TO attempts_0;
ALTER TABLE order_ext_internal.attempts_0 DROP CONSTRAINT attempts_pkey;
ALTER TABLE order_ext_internal.attempts_0 ADD PRIMARY KEY (message_id, group_id, attempt, started_at);
DO $$
BEGIN
	FOR n IN 1..3 LOOP
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

-- Limits of topics.
ALTER TABLE order_ext_internal.topics ADD COLUMN max_depth integer;
ALTER TABLE order_ext_internal.topics ADD COLUMN dedup_window integer NOT NULL DEFAULT 86400;

-- Timers are found by their ids.
DO $$
BEGIN
	FOR n IN 0..31 LOOP
		EXECUTE pg_catalog.format('CREATE INDEX timer_bucket_%s_id ON order_ext_internal.timer_bucket_%s (message_id)', n, n);
	END LOOP;
END
$$;
