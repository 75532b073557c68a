-- Waits until everything that the outbox asks for has been done.
DO $$
BEGIN
	FOR i IN 1 .. 60000 LOOP
		IF NOT EXISTS (SELECT FROM outbox
					   WHERE topic IN ('order.release_assets', 'stock.release', 'coupon.release',
									 'refund.prepare')) THEN
			RETURN;
		END IF;
		COMMIT;
		PERFORM pg_sleep(0.02);
		COMMIT;
	END LOOP;
	RAISE EXCEPTION 'the outbox is not drained after ten minutes';
END
$$;
