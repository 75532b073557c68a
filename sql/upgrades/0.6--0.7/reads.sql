-- Products that are no longer for sale, and the indexes that lists are read by: all of columns that
-- do not change with a status.
ALTER TABLE order_ext_internal.products ADD COLUMN retired_at timestamptz;
CREATE INDEX coupons_user_id ON order_ext_internal.coupons (user_id, coupon_id);
CREATE INDEX order_items_product_id ON order_ext_internal.order_items (product_id, order_id);
CREATE INDEX after_sales_user_id ON order_ext_internal.after_sales (user_id);
CREATE INDEX disputes_order_id ON order_ext_internal.disputes (order_id);
DROP INDEX order_ext_internal.refunds_gateway_refund_no;
CREATE INDEX refunds_gateway_refund_no ON order_ext_internal.refunds (gateway_refund_no, order_id)
	WHERE gateway_refund_no IS NOT NULL;
