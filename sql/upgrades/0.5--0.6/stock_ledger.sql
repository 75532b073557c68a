-- The level of a product is what its ledger adds up to (docs/stock.md): rows know their transaction.
-- Those that are there have one that every snapshot sees.
LOCK TABLE order_ext_internal.stock, order_ext_internal.stock_ledger, order_ext_internal.order_items
	IN ACCESS EXCLUSIVE MODE;
ALTER TABLE order_ext_internal.stock_ledger
	DROP COLUMN stripe,
	ADD COLUMN xid xid8 NOT NULL DEFAULT '2';	-- without a rewrite
ALTER TABLE order_ext_internal.stock_ledger ALTER COLUMN xid DROP DEFAULT;
DROP INDEX order_ext_internal.stock_ledger_product_id;
CREATE INDEX stock_ledger_product_id ON order_ext_internal.stock_ledger (product_id, xid);
ALTER TABLE order_ext_internal.order_items DROP COLUMN stripe;
