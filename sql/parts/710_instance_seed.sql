-- What a new database starts with.

-- The secret that order ids are permuted with.
INSERT INTO order_ext_internal.instance (id_secret)
SELECT ('x' || pg_catalog.translate(
	pg_catalog.left(pg_catalog.gen_random_uuid()::text, 18), '-', ''))::bit(64)::bigint;
