-- What money_signatures remembered.
DO $$
BEGIN
	EXECUTE current_setting('order_ext_update.money_grants');
END
$$;
