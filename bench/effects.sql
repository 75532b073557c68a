-- Waits until every message has had its effect; prints the median and the 99th percentile of the
-- time in between, in milliseconds, and their number.
DO $$
BEGIN
	FOR i IN 1 .. 2400 LOOP
		COMMIT;
		EXIT WHEN (SELECT count(*) FROM public.effects) >= (SELECT count(*) FROM public.sent);
		IF i = 2400 THEN
			RAISE EXCEPTION 'only % of % messages had their effect', (SELECT count(*) FROM public.effects),
				(SELECT count(*) FROM public.sent);
		END IF;
		PERFORM pg_sleep(0.05);
	END LOOP;
END
$$;
SELECT count(*), percentile_cont(0.5) WITHIN GROUP (ORDER BY ms), percentile_cont(0.99) WITHIN GROUP (ORDER BY ms)
FROM (SELECT extract(epoch FROM e.at - s.at) * 1000 AS ms FROM public.sent AS s JOIN public.effects AS e USING (n)) AS l;
