-- Waits until everything that the messages ask for has been done.
DO $$
BEGIN
	FOR i IN 1 .. 60000 LOOP
		IF (SELECT sum(lag + retrying) FROM order_ext.consumer_stats) = 0 THEN
			RETURN;
		END IF;
		COMMIT;
		PERFORM pg_sleep(0.02);
		COMMIT;
	END LOOP;
	RAISE EXCEPTION 'the messages are not drained after ten minutes';
END
$$;
