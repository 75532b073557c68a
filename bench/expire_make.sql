-- Mass expiry, before it: bench.count orders of two lines that are all due at bench.due (seconds
-- of the epoch), kept in public.due_orders. search_path says which side is meant.
DROP TABLE IF EXISTS public.due_orders;
CREATE TABLE public.due_orders (id bigint NOT NULL, due timestamptz NOT NULL);
DO $$
DECLARE
	orders integer := current_setting('bench.count');
	due timestamptz := to_timestamp(current_setting('bench.due')::float8);
BEGIN
	FOR chunk IN 0 .. (orders - 1) / 50 LOOP
		IF clock_timestamp() > due - interval '50 milliseconds' THEN
			RAISE EXCEPTION 'more time is needed until the orders are due';
		END IF;
		INSERT INTO public.due_orders
		SELECT (create_order(1 + (random() * 99999)::bigint,
				format('[{"sku":"S-%s","quantity":1},{"sku":"S-%s","quantity":1}]', a, b)::jsonb,
				2000 + 10 * (a + b), NULL, due - clock_timestamp())).id, due
		FROM (SELECT 1 + floor(random() * 500)::integer AS a, 501 + floor(random() * 500)::integer AS b
			  FROM generate_series(1, least(50, orders - 50 * chunk))) AS r;
		COMMIT;
	END LOOP;
	IF clock_timestamp() > due - interval '50 milliseconds' THEN
		RAISE EXCEPTION 'more time is needed until the orders are due';
	END IF;
END
$$;
