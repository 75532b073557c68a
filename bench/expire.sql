-- Mass expiry: prints the seconds from the moment at which the orders of expire_make.sql are due
-- until they are canceled and their stock is released. A twentieth of the orders is watched, one after
-- the other, by a key; all of them are looked at when those are done. So watching costs next to
-- nothing, and the end is exact: what the last look finds done was done when it began.
DO $$
DECLARE
	due timestamptz := (SELECT min(o.due) FROM public.due_orders AS o);
	ids bigint[] := array(SELECT id FROM public.due_orders);
	watched bigint[] := array(SELECT id FROM unnest(ids) WITH ORDINALITY AS o (id, n) WHERE n % 20 = 0);
	done integer := 0;
	looked timestamptz;
BEGIN
	PERFORM pg_sleep(extract(epoch FROM due - clock_timestamp()));
	LOOP
		COMMIT;
		looked := clock_timestamp();
		IF looked > due + interval '2 minutes' THEN
			RAISE EXCEPTION 'stock is not released';
		ELSIF done < cardinality(watched) THEN
			IF public.released(watched[done + 1]) THEN
				done := done + 1;
				CONTINUE;
			END IF;
		ELSE
			ids := array(SELECT id FROM unnest(ids) AS id WHERE NOT public.released(id));
			EXIT WHEN cardinality(ids) = 0;
		END IF;
		PERFORM pg_sleep(0.01);
	END LOOP;
	INSERT INTO public.figures VALUES (extract(epoch FROM looked - due));
END
$$;
DELETE FROM public.figures RETURNING seconds;
