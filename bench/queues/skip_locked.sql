-- A table read with SKIP LOCKED, as most teams have one: peer.outbox, and for what is due later
-- a table with an index by time. See peer/consumers.sql for its consumers by message and by batch.

CREATE TABLE peer.timers (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	due timestamptz NOT NULL,
	topic text NOT NULL,
	key bigint NOT NULL,
	payload jsonb NOT NULL
);
CREATE INDEX timers_due ON peer.timers (due);

CREATE FUNCTION public.publish_many(topic text, n bigint, due timestamptz DEFAULT NULL)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	IF due IS NULL THEN
		INSERT INTO peer.outbox (topic, key, payload)
		SELECT 'bench.' || topic, CASE WHEN i < n THEN 1 + i * 7919 % 20000 ELSE 0 END, jsonb_build_object('n', i)
		FROM generate_series(1, n) AS i;
	ELSE
		INSERT INTO peer.timers (topic, key, payload, due)
		SELECT 'bench.' || topic, i, jsonb_build_object('n', i), due FROM generate_series(1, n) AS i;
	END IF;
END
$$;

CREATE FUNCTION public.publish_one(topic text, n bigint, due timestamptz DEFAULT NULL)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	IF due IS NULL THEN
		INSERT INTO peer.outbox (topic, key, payload) VALUES ('bench.' || topic, n, jsonb_build_object('n', n));
	ELSE
		INSERT INTO peer.timers (topic, key, payload, due)
		VALUES ('bench.' || topic, n, jsonb_build_object('n', n), due);
	END IF;
END
$$;

-- One batch of the topics whose handlers write what a latency is measured by.
CREATE FUNCTION peer.consume_effects(p_max integer) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
	v_places tid[];
	v_ns bigint[];
BEGIN
	SELECT array_agg(place), array_agg((payload ->> 'n')::bigint) INTO v_places, v_ns
	FROM peer.next_batch('bench.effect', p_max);
	FOR i IN 1 .. coalesce(cardinality(v_places), 0) LOOP
		INSERT INTO public.effects VALUES (v_ns[i], clock_timestamp());
	END LOOP;
	PERFORM peer.delete_batch(v_places);
	RETURN coalesce(cardinality(v_places), 0);
END
$$;

-- By the indexes, whatever the statistics are, too.
CREATE FUNCTION peer.consume_due(p_max integer) RETURNS integer LANGUAGE plpgsql
SET enable_sort = off SET enable_seqscan = off AS $$
DECLARE
	v_ids bigint[];
	v_ns bigint[];
	v_topics text[];
	v_counted bigint;
BEGIN
	SELECT array_agg(id), array_agg((payload ->> 'n')::bigint), array_agg(topic),
		count(*) FILTER (WHERE topic = 'bench.count')
	INTO v_ids, v_ns, v_topics, v_counted
	FROM (SELECT id, payload, topic FROM peer.timers WHERE due <= clock_timestamp()
		  ORDER BY due LIMIT p_max FOR UPDATE SKIP LOCKED) AS batch;
	IF v_ids IS NULL THEN
		RETURN 0;
	END IF;
	IF v_counted > 0 THEN
		INSERT INTO public.batches VALUES (v_counted);
	END IF;
	IF v_counted < cardinality(v_ids) THEN
		FOR i IN 1 .. cardinality(v_ids) LOOP
			IF v_topics[i] = 'bench.effect' THEN
				INSERT INTO public.effects VALUES (v_ns[i], clock_timestamp());
			END IF;
		END LOOP;
	END IF;
	DELETE FROM peer.timers WHERE id = ANY (v_ids);
	RETURN cardinality(v_ids);
END
$$;
