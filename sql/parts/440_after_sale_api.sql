-- The calls about after-sales. Amounts are bigint minor units; lines are written [{"sku": "A-1",
-- "quantity": 2}, {"line": 3, "quantity": 1}, ...], the same lines are added up. Every writing call
-- may raise OE110 (busy, try again).

-- calculate_refund(): src/api/apply_after_sale.c, src/machine/after_sale/entitlement.h
CREATE FUNCTION order_ext.calculate_refund(order_id bigint, lines jsonb)
	RETURNS jsonb
	LANGUAGE C STABLE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_calculate_refund';

-- apply_after_sale(): src/api/apply_after_sale.c
CREATE FUNCTION order_ext.apply_after_sale(order_id bigint, user_id bigint, type text, lines jsonb,
		reason text DEFAULT NULL, request_id text DEFAULT NULL)
	RETURNS order_ext.result
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_apply_after_sale';

-- review_after_sale(): src/api/review_after_sale.c
CREATE FUNCTION order_ext.review_after_sale(after_sale_id bigint, accept boolean,
		reason text DEFAULT NULL, request_id text DEFAULT NULL)
	RETURNS order_ext.result
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_review_after_sale';

-- revoke_after_sale(): src/api/review_after_sale.c
CREATE FUNCTION order_ext.revoke_after_sale(after_sale_id bigint, user_id bigint,
		request_id text DEFAULT NULL)
	RETURNS order_ext.result
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_revoke_after_sale';

-- close_after_sale(): src/api/review_after_sale.c
CREATE FUNCTION order_ext.close_after_sale(after_sale_id bigint, reason text,
		request_id text DEFAULT NULL)
	RETURNS order_ext.result
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_close_after_sale';

-- reopen_after_sale(): src/api/review_after_sale.c
CREATE FUNCTION order_ext.reopen_after_sale(after_sale_id bigint, request_id text DEFAULT NULL)
	RETURNS order_ext.result
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_reopen_after_sale';

-- return_shipment(): src/api/return_goods.c
CREATE FUNCTION order_ext.return_shipment(after_sale_id bigint, carrier text, tracking_no text,
		request_id text DEFAULT NULL)
	RETURNS order_ext.result
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_return_shipment';

-- return_receipt(): src/api/return_goods.c
CREATE FUNCTION order_ext.return_receipt(after_sale_id bigint, lines jsonb, restock boolean,
		request_id text DEFAULT NULL)
	RETURNS order_ext.result
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_return_receipt';

-- report_shortage(): src/api/apply_after_sale.c
CREATE FUNCTION order_ext.report_shortage(order_id bigint, lines jsonb,
		request_id text DEFAULT NULL)
	RETURNS order_ext.result
	LANGUAGE C VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'order_ext_report_shortage';
