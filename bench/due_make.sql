-- bench.count timers of topic count, all due at bench.due (seconds of the epoch).
DO $$
DECLARE
	due timestamptz := to_timestamp(current_setting('bench.due')::float8);
BEGIN
	PERFORM public.publish_many('count', current_setting('bench.count')::bigint, due);
	IF clock_timestamp() > due - interval '200 milliseconds' THEN
		RAISE EXCEPTION 'more time is needed until the timers are due';
	END IF;
	COMMIT;
	DELETE FROM public.sent;
	INSERT INTO public.sent VALUES (0, due);
END
$$;
