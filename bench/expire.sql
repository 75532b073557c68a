-- Mass expiry: bench.orders orders, all due at the same moment, bench.margin seconds from
-- now; prints the seconds from that moment until they are canceled and their stock is
-- released. search_path says which side is meant: first its calls, then its tables.
DO $$
DECLARE
	orders integer := current_setting('bench.orders');
	due timestamptz := clock_timestamp()
		+ current_setting('bench.margin')::float8 * interval '1 second';
	before bigint := (SELECT sum(reserved) FROM stock);
	now_reserved bigint;
BEGIN
	FOR chunk IN 1 .. orders / 500 LOOP
		PERFORM create_order(1 + (random() * 99999)::bigint,
			format('[{"sku":"S-%s","quantity":1},{"sku":"S-%s","quantity":1}]', a, b)::jsonb,
			2000 + 10 * (a + b), NULL, due - clock_timestamp())
		FROM (SELECT 1 + floor(random() * 500)::integer AS a, 501 + floor(random() * 500)::integer AS b
			  FROM generate_series(1, 500)) AS r;
		COMMIT;
	END LOOP;
	IF clock_timestamp() > due THEN
		RAISE EXCEPTION 'the orders were due before all of them existed: more margin is needed';
	END IF;
	PERFORM pg_sleep(extract(epoch FROM due - clock_timestamp()));
	LOOP
		COMMIT;
		SELECT sum(reserved) INTO now_reserved FROM stock;
		EXIT WHEN now_reserved = before;
		IF clock_timestamp() > due + interval '2 minutes' THEN
			RAISE EXCEPTION 'stock is not released: % units are left', now_reserved - before;
		END IF;
		COMMIT;
		PERFORM pg_sleep(0.01);
	END LOOP;
	INSERT INTO public.figures VALUES (extract(epoch FROM clock_timestamp() - due));
END
$$;
DELETE FROM public.figures RETURNING seconds;
