-- order_ext: the topics of the drain, their publisher and their handlers.

CREATE FUNCTION public.touch(m order_ext.message) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	UPDATE public.target SET hits = hits + 1, last = (m.payload ->> 'n')::bigint WHERE id = m.key;
END
$$;

CREATE FUNCTION public.touch_set(messages order_ext.message[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	UPDATE public.target AS t SET hits = t.hits + m.hits, last = m.last
	FROM (SELECT key, count(*) AS hits, max((payload ->> 'n')::bigint) AS last
		  FROM unnest(messages) GROUP BY key) AS m
	WHERE t.id = m.key;
END
$$;

CREATE FUNCTION public.publish_many(topic text, n bigint) RETURNS bigint LANGUAGE sql AS $$
	SELECT count(order_ext.publish(topic, CASE WHEN i < n THEN 1 + i * 7919 % 20000 ELSE 0 END,
								   jsonb_build_object('n', i)))
	FROM generate_series(1, n) AS i;
$$;

-- Handlers run as a role that is no superuser.
DO $$
BEGIN
	IF to_regrole('bench_handlers') IS NULL THEN
		CREATE ROLE bench_handlers LOGIN;
	END IF;
END
$$;
GRANT SELECT, UPDATE ON public.target TO bench_handlers;

SELECT order_ext.create_topic('bench.each');
SELECT order_ext.create_topic('bench.set');
SELECT order_ext.subscribe('bench.each', 'bench.each', 'public.touch(order_ext.message)', '{"run_as": "bench_handlers"}');
SELECT order_ext.subscribe('bench.set', 'bench.set', 'public.touch_set(order_ext.message[])', '{"run_as": "bench_handlers"}');
