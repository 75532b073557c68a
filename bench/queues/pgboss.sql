-- pg-boss, whose tables its worker has made. Jobs come in by SQL, as it documents for a transaction
-- of the application.
CREATE FUNCTION public.publish_many(topic text, n bigint, due timestamptz DEFAULT NULL)
RETURNS void LANGUAGE sql AS $$
	INSERT INTO pgboss.job (name, data, start_after)
	SELECT topic, jsonb_build_object('n', i, 'key', CASE WHEN i < n THEN 1 + i * 7919 % 20000 ELSE 0 END),
		coalesce(due, now())
	FROM generate_series(1, n) AS i;
$$;

CREATE FUNCTION public.publish_one(topic text, n bigint, due timestamptz DEFAULT NULL)
RETURNS void LANGUAGE sql AS $$
	INSERT INTO pgboss.job (name, data, start_after)
	VALUES (topic, jsonb_build_object('n', n, 'key', n), coalesce(due, now()));
$$;
