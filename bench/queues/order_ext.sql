-- order_ext: topics, their handlers and how messages get in.

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

CREATE FUNCTION public.effect(m order_ext.message) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO public.effects VALUES ((m.payload ->> 'n')::bigint, clock_timestamp());
END
$$;

CREATE FUNCTION public.count_set(messages order_ext.message[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO public.batches VALUES (cardinality(messages));
END
$$;

CREATE FUNCTION public.publish_many(topic text, n bigint, due timestamptz DEFAULT NULL)
RETURNS bigint LANGUAGE sql AS $$
	SELECT count(order_ext.publish('bench.' || topic, CASE WHEN i < n THEN 1 + i * 7919 % 20000 ELSE 0 END,
								   jsonb_build_object('n', i), due))
	FROM generate_series(1, n) AS i;
$$;

CREATE FUNCTION public.publish_one(topic text, n bigint, due timestamptz DEFAULT NULL)
RETURNS void LANGUAGE sql AS $$
	SELECT order_ext.publish('bench.' || topic, n, jsonb_build_object('n', n), due);
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
GRANT INSERT ON public.effects, public.batches TO bench_handlers;

SELECT count(order_ext.create_topic('bench.' || topic))
FROM unnest('{each,set,effect,count,idle}'::text[]) AS topic;
SELECT count(order_ext.subscribe('bench.' || topic, 'bench.' || topic, handler, '{"run_as": "bench_handlers"}'))
FROM (VALUES ('each', 'public.touch(order_ext.message)'::regprocedure),
			 ('set', 'public.touch_set(order_ext.message[])'),
			 ('effect', 'public.effect(order_ext.message)'),
			 ('count', 'public.count_set(order_ext.message[])')) AS g (topic, handler);
