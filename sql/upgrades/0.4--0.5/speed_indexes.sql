-- Indexes for reads by user and by product, and those that no plan takes by mistake.
CREATE INDEX orders_user_id ON order_ext_internal.orders (user_id, order_id);
CREATE INDEX stock_ledger_product_id ON order_ext_internal.stock_ledger (product_id, at);
ALTER TABLE order_ext_internal.payments
	DROP CONSTRAINT payments_pay_type_out_trade_no_key,
	ADD CONSTRAINT payments_trade UNIQUE (out_trade_no, pay_type);
DROP INDEX order_ext_internal.refunds_open;
CREATE INDEX refunds_open ON order_ext_internal.refunds (requested_at)
	WHERE CASE WHEN status IN (10, 15) THEN true ELSE false END;	-- requested, submitted
