-- bench.count messages of topic effect, numbered from bench.first, bench.rate a second, each a
-- transaction of its own; and when its commit had come back.
DO $$
DECLARE
	first bigint := current_setting('bench.first');
	pause interval := interval '1 second' / current_setting('bench.rate')::float8;
	next timestamptz := clock_timestamp() + pause * random();
	committed timestamptz[];
BEGIN
	FOR i IN 1 .. current_setting('bench.count')::integer LOOP
		PERFORM pg_sleep(extract(epoch FROM next - clock_timestamp()));
		COMMIT;
		PERFORM public.publish_one('effect', first + i);
		COMMIT;
		committed[i] := clock_timestamp();
		next := greatest(next + pause, clock_timestamp() - 10 * pause);
	END LOOP;
	INSERT INTO public.sent SELECT first + i, at FROM unnest(committed) WITH ORDINALITY AS c (at, i);
END
$$;
