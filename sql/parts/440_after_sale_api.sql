-- The calls about after-sales. Amounts are bigint minor units; lines are written
-- [{"sku": "A-1", "quantity": 2}, ...], the same sku twice is summed. Every writing call
-- may raise OE110 (busy, try again).

-- calculate_refund(order_id, lines): what an application for the lines would pay back now:
-- {amount, freight, lines: [{sku, quantity, amount}]}, amount with the freight, which goes
-- with the last pieces of the order. Raises 22004, 22023, 22003, 54000, OE001, OE501 more
-- than is left. src/api/apply_after_sale.c, the formula: src/machine/entitlement.h
CREATE FUNCTION order_ext.calculate_refund(order_id bigint, lines jsonb)
	RETURNS jsonb
	LANGUAGE C STABLE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_calculate_refund';
COMMENT ON FUNCTION order_ext.calculate_refund(bigint, jsonb) IS 'What lines of an order would be paid back with.';

-- apply_after_sale(order_id, user_id: the owner, type 'refund_only' or 'return_refund' (the
-- goods come back first), lines, reason up to 1000 characters, request_id): applied,
-- replayed; id and status are the after-sale's. Raises 22004, 22023, 22003, 54000, OE601,
-- OE001, OE003, OE101 (not signed or refused, order_ext.after_sale_window is over, virtual
-- goods), OE501 more than is left. Messages: after_sale.applied, after_sale.review_due.
-- src/api/apply_after_sale.c
CREATE FUNCTION order_ext.apply_after_sale(order_id bigint, user_id bigint, type text, lines jsonb, reason text DEFAULT NULL, request_id text DEFAULT NULL)
	RETURNS order_ext.result
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_apply_after_sale';
COMMENT ON FUNCTION order_ext.apply_after_sale(bigint, bigint, text, jsonb, text, text) IS 'The buyer wants money, or money for goods, back.';

-- review_after_sale(after_sale_id, accept, reason up to 1000 characters, request_id): applied,
-- replayed. Accepted, a refund_only is paid back; the goods of a return_refund may be sent
-- within order_ext.return_window, or it is closed. Raises 22004, 22023, 54000, OE601, OE001,
-- OE503 not applied, OE101 the payment was used up. Messages: after_sale.reviewed,
-- refund.execute, after_sale.refunded (nothing to pay), after_sale.auto_close.
-- src/api/review_after_sale.c
CREATE FUNCTION order_ext.review_after_sale(after_sale_id bigint, accept boolean, reason text DEFAULT NULL, request_id text DEFAULT NULL)
	RETURNS order_ext.result
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_review_after_sale';
COMMENT ON FUNCTION order_ext.review_after_sale(bigint, boolean, text, text) IS 'Accepts or rejects an application.';

-- revoke_after_sale(after_sale_id, user_id: the owner, request_id): applied, replayed, noop
-- (revoked already). Before the goods are sent, and before its refund is claimed, which is
-- withdrawn. Raises 22004, 22023, 54000, OE601, OE001, OE003, OE101.
-- Messages: after_sale.revoked. src/api/review_after_sale.c
CREATE FUNCTION order_ext.revoke_after_sale(after_sale_id bigint, user_id bigint, request_id text DEFAULT NULL)
	RETURNS order_ext.result
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_revoke_after_sale';
COMMENT ON FUNCTION order_ext.revoke_after_sale(bigint, bigint, text) IS 'The buyer takes an application back.';

-- close_after_sale(after_sale_id, reason up to 1000 characters, request_id): applied, replayed,
-- noop (closed already): settled otherwise. From applied, approved (a refund that was never
-- claimed is withdrawn; not where the order is canceled or short of goods) and failed.
-- Raises 22004, 22023, 54000, OE601, OE001, OE101. src/api/review_after_sale.c
CREATE FUNCTION order_ext.close_after_sale(after_sale_id bigint, reason text, request_id text DEFAULT NULL)
	RETURNS order_ext.result
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_close_after_sale';
COMMENT ON FUNCTION order_ext.close_after_sale(bigint, text, text) IS 'Staff ends an after-sale that is settled otherwise.';

-- reopen_after_sale(after_sale_id, request_id): a rejected one is applied again, priced as
-- things are now: applied, replayed, noop (it is applied). Raises 22004, 22023, 54000, OE601,
-- OE001, OE101, OE501 its pieces were taken meanwhile. src/api/review_after_sale.c
CREATE FUNCTION order_ext.reopen_after_sale(after_sale_id bigint, request_id text DEFAULT NULL)
	RETURNS order_ext.result
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_reopen_after_sale';
COMMENT ON FUNCTION order_ext.reopen_after_sale(bigint, text) IS 'Has a rejected application reviewed again.';

-- return_shipment(after_sale_id, carrier up to 64 characters, tracking_no up to 128,
-- request_id): the goods are on their way back; never refuses a fact. applied, replayed, held
-- (unknown, not expected now, or another parcel than the first). Raises 22004, 22023, 54000.
-- Messages: ops.alert. src/api/return_goods.c
CREATE FUNCTION order_ext.return_shipment(after_sale_id bigint, carrier text, tracking_no text, request_id text DEFAULT NULL)
	RETURNS order_ext.result
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_return_shipment';
COMMENT ON FUNCTION order_ext.return_shipment(bigint, text, text, text) IS 'Records that goods are on their way back.';

-- return_receipt(after_sale_id, lines: what has arrived, each with a "condition" "ok" (the
-- default) or "damaged", restock, request_id): never refuses a fact.
--   applied   all pieces are there. All in order: the money goes back, and with restock the
--             pieces are available again, else written off. A damaged one: the return ends
--             at damaged, nothing moves, staff is alerted
--   replayed  the very receipt is on record
--   held      for staff, with an alert: other pieces than applied for, unknown, not expected
--             now, or another receipt than the first; nothing changes
-- Raises 22004, 22023, 22003, 54000. Messages: refund.execute, after_sale.refunded (nothing
-- to pay), ops.alert. src/api/return_goods.c
CREATE FUNCTION order_ext.return_receipt(after_sale_id bigint, lines jsonb, restock boolean, request_id text DEFAULT NULL)
	RETURNS order_ext.result
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_return_receipt';
COMMENT ON FUNCTION order_ext.return_receipt(bigint, jsonb, boolean, text) IS 'Records what has come back, and in which condition.';

-- report_shortage(order_id, lines: the missing pieces, request_id): applied, replayed; an
-- after-sale is opened and paid back at once, the pieces are written off. detail has its
-- after_sale_id and amount. Raises 22004, 22023, 22003, 54000, OE601, OE001, OE101 not at
-- out_stock, OE501 more than is left. Messages: after_sale.applied, refund.execute.
-- src/api/apply_after_sale.c
CREATE FUNCTION order_ext.report_shortage(order_id bigint, lines jsonb, request_id text DEFAULT NULL)
	RETURNS order_ext.result
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_report_shortage';
COMMENT ON FUNCTION order_ext.report_shortage(bigint, jsonb, text) IS 'The warehouse is short of pieces of an order.';
