-- The calls about fulfillment: facts from warehouse and carrier, and what the buyer may still do.
-- Every writing call may raise OE110 (busy, try again).

-- shipment_event(): src/api/shipment_event.c
CREATE FUNCTION order_ext.shipment_event(order_id bigint, event_id text, kind text,
		occurred_at timestamptz DEFAULT now(), payload jsonb DEFAULT NULL)
	RETURNS order_ext.result
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_shipment_event';

-- fulfilment_cancel_result(): src/api/shipment_event.c
CREATE FUNCTION order_ext.fulfilment_cancel_result(order_id bigint, accepted boolean, event_id text,
		raw jsonb DEFAULT NULL)
	RETURNS order_ext.result
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_fulfilment_cancel_result';

-- confirm_receipt(): src/api/buyer.c
CREATE FUNCTION order_ext.confirm_receipt(order_id bigint, user_id bigint,
		request_id text DEFAULT NULL)
	RETURNS order_ext.result
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_confirm_receipt';

-- change_address(): src/api/buyer.c
CREATE FUNCTION order_ext.change_address(order_id bigint, user_id bigint, address jsonb,
		request_id text DEFAULT NULL)
	RETURNS order_ext.result
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_change_address';

-- remove_order(): src/api/buyer.c
CREATE FUNCTION order_ext.remove_order(order_id bigint, user_id bigint)
	RETURNS order_ext.result
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_remove_order';

-- set_channel(): src/api/set_channel.c
CREATE FUNCTION order_ext.set_channel(channel text, external boolean)
	RETURNS void
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_set_channel';

-- fulfil_paid_orders(): starts the fulfillment of every paid order, as order.paid does; returns
-- the number of orders. For updates from a version that did not. src/machine/upgrade.c
CREATE FUNCTION order_ext_internal.fulfil_paid_orders()
	RETURNS bigint
	LANGUAGE C VOLATILE
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_fulfil_paid_orders';
COMMENT ON FUNCTION order_ext_internal.fulfil_paid_orders() IS
	'Puts every paid order on its way; for updates.';
