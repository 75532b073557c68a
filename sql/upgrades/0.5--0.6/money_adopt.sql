-- What the update from 0.1 had to leave to this one.
DO $$
BEGIN
	IF current_setting('order_ext_update.adopt_refunds', true) = 'on' THEN
		PERFORM order_ext_internal.adopt_refunds();
	END IF;
END
$$;
