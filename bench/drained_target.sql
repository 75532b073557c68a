-- Waits until the handlers of the drain have seen bench.messages messages.
DO $$
BEGIN
	FOR i IN 1 .. 6000 LOOP
		EXIT WHEN (SELECT sum(hits) FROM public.target) >= current_setting('bench.messages')::bigint;
		IF i = 6000 THEN
			RAISE EXCEPTION 'only % messages were handled', (SELECT sum(hits) FROM public.target);
		END IF;
		COMMIT;
		PERFORM pg_sleep(0.01);
		COMMIT;
	END LOOP;
END
$$;
