-- Whether the stock of an order's lines is released, by their keys.
CREATE FUNCTION public.released(o bigint) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
	RETURN (SELECT count(*) FROM peer.stock_log WHERE order_id = o AND kind = 2)
		= (SELECT count(*) FROM peer.order_items WHERE order_id = o);
END
$$;
