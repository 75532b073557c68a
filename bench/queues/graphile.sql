-- graphile-worker, whose tables its worker has made.
CREATE FUNCTION public.publish_many(topic text, n bigint, due timestamptz DEFAULT NULL)
RETURNS bigint LANGUAGE sql AS $$
	SELECT count(graphile_worker.add_job(topic, json_build_object('n', i,
		'key', CASE WHEN i < n THEN 1 + i * 7919 % 20000 ELSE 0 END), run_at => due))
	FROM generate_series(1, n) AS i;
$$;

CREATE FUNCTION public.publish_one(topic text, n bigint, due timestamptz DEFAULT NULL)
RETURNS bigint LANGUAGE sql AS $$
	SELECT count(graphile_worker.add_job(topic, json_build_object('n', n, 'key', n), run_at => due));
$$;
