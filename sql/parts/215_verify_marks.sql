-- What verify() need not look at again. See src/api/verify/marks.c.

-- verify_marks: append-only, newest seq wins. What is visible in seen has been checked, and rows
-- of transition_log that are not visible in it are not older than since. full_at: when the last
-- full check was. unpaid_since: no unpaid order was due earlier. open_orders: orders that are
-- looked at again although nobody has touched them; found: findings that only a full check would
-- make again. log_blocks: the size of transition_log. Transaction ids mean nothing in another
-- cluster, and the rows are not dumped.
CREATE TABLE order_ext_internal.verify_marks (
	seq bigint PRIMARY KEY,
	at timestamptz NOT NULL,
	full_at timestamptz NOT NULL,
	since timestamptz NOT NULL,
	unpaid_since timestamptz NOT NULL,
	system_identifier bigint NOT NULL,
	log_blocks bigint NOT NULL,
	seen pg_snapshot NOT NULL,
	open_orders bigint[] NOT NULL,
	found jsonb NOT NULL
);

-- A row costs nothing here until its range of pages is full and maintain() summarizes it; the first
-- range is no exception.
CREATE INDEX transition_log_at ON order_ext_internal.transition_log USING brin (at)
	WITH (pages_per_range = 32);
DO $$
BEGIN
	PERFORM pg_catalog.brin_desummarize_range('order_ext_internal.transition_log_at', 0);
END
$$;
