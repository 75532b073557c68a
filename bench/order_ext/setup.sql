-- Whether the stock of an order's lines is released (3), by their key.
CREATE FUNCTION public.released(o bigint) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
	RETURN NOT EXISTS (SELECT FROM order_ext_internal.order_items WHERE order_id = o AND reservation <> 3);
END
$$;
