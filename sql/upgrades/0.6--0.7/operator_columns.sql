-- Who did it, as order_ext.operator says.
ALTER TABLE order_ext_internal.stock_ledger ADD COLUMN operator text;
ALTER TABLE order_ext_internal.held_facts ADD COLUMN operator text;

