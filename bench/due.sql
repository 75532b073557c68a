-- Prints the seconds from the moment at which the timers of due_make.sql are due until the last
-- one's handler has committed.
DO $$
DECLARE
	due timestamptz := (SELECT at FROM public.sent);
	timers bigint := current_setting('bench.count');
BEGIN
	PERFORM pg_sleep(extract(epoch FROM due - clock_timestamp()));
	LOOP
		COMMIT;
		EXIT WHEN (SELECT sum(messages) FROM public.batches) >= timers;
		IF clock_timestamp() > due + interval '2 minutes' THEN
			RAISE EXCEPTION 'only % of % timers fired', (SELECT sum(messages) FROM public.batches), timers;
		END IF;
		PERFORM pg_sleep(0.005);
	END LOOP;
	INSERT INTO public.figures VALUES (extract(epoch FROM clock_timestamp() - due));
END
$$;
DELETE FROM public.figures RETURNING seconds;
