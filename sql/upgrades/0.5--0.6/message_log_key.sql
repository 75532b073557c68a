-- A filter of each 32 pages takes the place of the index of the log by key: 300_messages. Rows that
-- are there get theirs now, except for the last pages, which may still be written to.

DO $$
DECLARE
	log regclass;
	last_page bigint;
BEGIN
	FOR n IN 0..3 LOOP
		log := pg_catalog.format('order_ext_internal.message_log_%s', n)::regclass;
		EXECUTE pg_catalog.format('DROP INDEX order_ext_internal.message_log_%s_key', n);
		EXECUTE pg_catalog.format(
			'CREATE INDEX message_log_%s_key ON %s'
			' USING brin (key int8_bloom_ops (n_distinct_per_range = 2500))'
			' WITH (pages_per_range = 32)', n, log);
		last_page := greatest(pg_catalog.pg_relation_size(log) / pg_catalog.current_setting('block_size')::bigint - 1, 0);
		PERFORM pg_catalog.brin_desummarize_range(
			pg_catalog.format('order_ext_internal.message_log_%s_key', n)::regclass, last_page);
	END LOOP;
END
$$;
