-- What timeline_signature remembered.
DO $$
BEGIN
	EXECUTE current_setting('order_ext_update.timeline_grants');
END
$$;

