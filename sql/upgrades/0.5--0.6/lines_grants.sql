-- What lines_signatures remembered.
DO $$
BEGIN
	EXECUTE current_setting('order_ext_update.lines_grants');
END
$$;
