-- Keys that are free before their time.
DO $$
BEGIN
	FOR n IN 0..3 LOOP
		EXECUTE pg_catalog.format(
			'ALTER TABLE order_ext_internal.dedup_%s'
			' ADD COLUMN given_up integer[] NOT NULL DEFAULT ''{}'','
			' ADD COLUMN free boolean NOT NULL DEFAULT false', n);
		EXECUTE pg_catalog.format(
			'CREATE INDEX dedup_%s_message_id ON order_ext_internal.dedup_%s (message_id)', n, n);
	END LOOP;
END
$$;
CREATE OR REPLACE VIEW order_ext_internal.dedup AS
	SELECT * FROM order_ext_internal.dedup_0
	UNION ALL SELECT * FROM order_ext_internal.dedup_1
	UNION ALL SELECT * FROM order_ext_internal.dedup_2
	UNION ALL SELECT * FROM order_ext_internal.dedup_3;
CREATE TABLE order_ext_internal.dedup_taken (
	message_id bigint PRIMARY KEY,
	topic_id integer NOT NULL,
	taken_at timestamptz NOT NULL
);
