-- What a new database starts with.

-- The secret with which order ids are permuted.
INSERT INTO order_ext_internal.instance (id_secret)
SELECT ('x' || pg_catalog.translate(
	pg_catalog.left(pg_catalog.gen_random_uuid()::text, 18), '-', ''))::bit(64)::bigint;
