-- Drain: bench.messages messages of topic bench.topic, published in one transaction, which is
-- committed when the file bench.go appears in the data directory (lock 4711 says that it waits for
-- it); prints the seconds from its commit until the handler has seen the last one. The handler
-- counts in public.target, where the messages are spread over the rows 1 to 20000, the last one
-- has row 0 for itself, and at the end the sum must be exact.
DO $$
DECLARE
	messages bigint := current_setting('bench.messages');
	started timestamptz;
	finished timestamptz;
BEGIN
	PERFORM public.publish_many(current_setting('bench.topic'), messages);
	PERFORM pg_advisory_xact_lock(4711);
	WHILE (pg_stat_file('bench.go', true)).size IS NULL LOOP
		PERFORM pg_sleep(0.002);
	END LOOP;
	COMMIT;
	started := clock_timestamp();
	LOOP
		IF (SELECT hits FROM public.target WHERE id = 0) > 0 THEN
			finished := clock_timestamp();
			EXIT WHEN (SELECT sum(hits) FROM public.target) >= messages;
		END IF;
		IF clock_timestamp() > started + interval '5 minutes' THEN
			RAISE EXCEPTION 'only % of % messages were handled',
				(SELECT sum(hits) FROM public.target), messages;
		END IF;
		COMMIT;
		PERFORM pg_sleep(0.005);
		COMMIT;
	END LOOP;
	IF (SELECT sum(hits) FROM public.target) <> messages THEN
		RAISE EXCEPTION '% messages were handled instead of %',
			(SELECT sum(hits) FROM public.target), messages;
	END IF;
	INSERT INTO public.figures VALUES (extract(epoch FROM finished - started));
END
$$;
