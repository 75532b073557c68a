-- The calls about fulfilment: what warehouse and carrier tell, and what the buyer may still
-- do. Every writing call may raise OE110 (busy, try again).

-- shipment_event(order_id, event_id up to 128 characters and unique per order, kind
-- 'picked', 'out_stock', 'delivering', 'signed' or 'refused', occurred_at, payload: the
-- warehouse's or carrier's message): never refuses a fact.
--   applied   the order moved (picked: its fulfilment did); facts parked before may follow
--   parked    it came early and is applied when its turn comes
--   replayed  the very fact is on record, or the order is past it already
--   held      for staff, with an alert: unknown order, shipped after its cancel, signed
--             and refused, or an event_id used again for another fact; detail has the reason
-- picked may be left out. out_stock wins over a cancel that the warehouse has not answered.
-- Raises 22004, 22023, 54000, OE110. Messages: order.shipped_out, order.delivering,
-- order.signed, order.refused, ops.alert. src/api/shipment_event.c
CREATE FUNCTION order_ext.shipment_event(order_id bigint, event_id text, kind text, occurred_at timestamptz DEFAULT now(), payload jsonb DEFAULT NULL)
	RETURNS order_ext.result
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_shipment_event';
COMMENT ON FUNCTION order_ext.shipment_event(bigint, text, text, timestamptz, jsonb) IS 'Records what warehouse or carrier tell about an order, and moves it.';

-- fulfilment_cancel_result(order_id, accepted, event_id up to 128 characters and unique per
-- order, raw: the warehouse's message): the answer to fulfilment.cancel_requested.
--   applied   accepted: the order is canceled; rejected: it goes on, and cannot be canceled
--   replayed  the very answer is on record
--   noop      rejected after it went out, or nothing was asked; accepted after the cancel
--   held      for staff, with an alert: accepted after it went out or unasked, rejected
--             after the cancel, unknown order, or an event_id used again
-- Raises 22004, 22023, 54000, OE110. Messages: order.canceled, order.release_assets,
-- payment.close, ops.alert. src/api/shipment_event.c
CREATE FUNCTION order_ext.fulfilment_cancel_result(order_id bigint, accepted boolean, event_id text, raw jsonb DEFAULT NULL)
	RETURNS order_ext.result
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_fulfilment_cancel_result';
COMMENT ON FUNCTION order_ext.fulfilment_cancel_result(bigint, boolean, text, jsonb) IS 'Records whether an external warehouse could stop a parcel.';

-- confirm_receipt(order_id, user_id: the owner, request_id): applied, replayed, noop (signed
-- already). Raises 22004, 22023, 54000, OE601, OE001, OE003, OE101 not delivering.
-- Messages: order.signed. src/api/receipt.c
CREATE FUNCTION order_ext.confirm_receipt(order_id bigint, user_id bigint, request_id text DEFAULT NULL)
	RETURNS order_ext.result
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_confirm_receipt';
COMMENT ON FUNCTION order_ext.confirm_receipt(bigint, bigint, text) IS 'The buyer says that the parcel has arrived.';

-- change_address(order_id, user_id: the owner, address: takes the place of options.address,
-- request_id): applied, replayed, noop (that is its address). Raises 22004, 22023, 54000,
-- OE601, OE001, OE003, OE101 out of the warehouse, over, or changed before.
-- src/api/receipt.c
CREATE FUNCTION order_ext.change_address(order_id bigint, user_id bigint, address jsonb, request_id text DEFAULT NULL)
	RETURNS order_ext.result
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_change_address';
COMMENT ON FUNCTION order_ext.change_address(bigint, bigint, jsonb, text) IS 'Sends an order elsewhere: once, before it leaves the warehouse.';

-- remove_order(order_id, user_id: the owner): applied, noop (removed already). The order
-- stays, with removed_at, for everybody but its buyer. Raises 22004, 22023, OE001, OE003,
-- OE101 not signed, canceled, refused or invalid. src/api/receipt.c
CREATE FUNCTION order_ext.remove_order(order_id bigint, user_id bigint)
	RETURNS order_ext.result
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_remove_order';
COMMENT ON FUNCTION order_ext.remove_order(bigint, bigint) IS 'Hides a finished order from its buyer.';

-- set_channel(channel up to 128 characters, external): the orders with options.channel of an
-- external channel that are paid from now on are shipped by a warehouse that must be asked
-- before a cancel. Raises 22004, 22023, 54000. src/api/set_channel.c
CREATE FUNCTION order_ext.set_channel(channel text, external boolean)
	RETURNS void
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_set_channel';
COMMENT ON FUNCTION order_ext.set_channel(text, boolean) IS 'Says whether the orders of a channel are shipped by an external warehouse.';

-- fulfil_paid_orders(): puts every paid order on its way, as order.paid does; the number of
-- orders. For updates from a version that did not. src/handlers/order_paid.c
CREATE FUNCTION order_ext_internal.fulfil_paid_orders()
	RETURNS bigint
	LANGUAGE C VOLATILE
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_fulfil_paid_orders';
COMMENT ON FUNCTION order_ext_internal.fulfil_paid_orders() IS 'Puts every paid order on its way; for updates.';
