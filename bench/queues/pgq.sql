-- PgQ: a queue for each kind of work, one consumer each. The event's extra1 is the key, as a
-- consumer that routes by key has it. Ticks come from the worker, every few milliseconds and not
-- every second as from pgqd: it would have no chance where latency is measured.
CREATE EXTENSION pgq;
SELECT count(pgq.create_queue(topic)), count(pgq.set_queue_config(topic, 'ticker_max_lag', '1 millisecond')),
	count(pgq.set_queue_config(topic, 'ticker_idle_period', '1 second'))
FROM unnest('{each,set,effect,idle}'::text[]) AS topic;
SELECT count(pgq.register_consumer(topic, 'bench')) FROM unnest('{each,set,effect,idle}'::text[]) AS topic;

CREATE FUNCTION public.publish_many(topic text, n bigint) RETURNS bigint LANGUAGE sql AS $$
	SELECT count(pgq.insert_event(topic, 'bench', jsonb_build_object('n', i)::text,
		(CASE WHEN i < n THEN 1 + i * 7919 % 20000 ELSE 0 END)::text, NULL, NULL, NULL))
	FROM generate_series(1, n) AS i;
$$;

CREATE FUNCTION public.publish_one(topic text, n bigint) RETURNS bigint LANGUAGE sql AS $$
	SELECT pgq.insert_event(topic, 'bench', jsonb_build_object('n', n)::text, n::text, NULL, NULL, NULL);
$$;

-- One batch of the queue: what happened between two ticks.
CREATE FUNCTION public.consume(topic text) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
	v_batch bigint := pgq.next_batch(topic, 'bench');
	v_event record;
BEGIN
	IF v_batch IS NULL THEN
		RETURN 0;
	ELSIF topic = 'set' THEN
		UPDATE public.target AS t SET hits = t.hits + m.hits, last = m.last
		FROM (SELECT ev_extra1::bigint AS key, count(*) AS hits, max((ev_data::jsonb ->> 'n')::bigint) AS last
			  FROM pgq.get_batch_events(v_batch) GROUP BY 1) AS m
		WHERE t.id = m.key;
	ELSE
		FOR v_event IN SELECT ev_extra1::bigint AS key, (ev_data::jsonb ->> 'n')::bigint AS n
			FROM pgq.get_batch_events(v_batch)
		LOOP
			IF topic = 'each' THEN
				UPDATE public.target SET hits = hits + 1, last = v_event.n WHERE id = v_event.key;
			ELSE
				INSERT INTO public.effects VALUES (v_event.n, clock_timestamp());
			END IF;
		END LOOP;
	END IF;
	PERFORM pgq.finish_batch(v_batch);
	RETURN 1;
END
$$;
