-- The ledger of another database, be it restored or replicated, has that one's transaction ids. Its
-- rows get the id of the transaction that brings them here; folds are made again. The triggers
-- always fire, since logical replication would pass by others. See src/core/restore.c

-- stamp_ledger(): trigger function; sets xid.
CREATE FUNCTION order_ext_internal.stamp_ledger() RETURNS trigger
	LANGUAGE C AS 'MODULE_PATHNAME', 'order_ext_stamp_ledger';
COMMENT ON FUNCTION order_ext_internal.stamp_ledger() IS
	'Gives rows of stock_ledger that come from elsewhere the id of this transaction.';
CREATE TRIGGER stamp_ledger BEFORE INSERT ON order_ext_internal.stock_ledger
	FOR EACH ROW EXECUTE FUNCTION order_ext_internal.stamp_ledger();
ALTER TABLE order_ext_internal.stock_ledger ENABLE ALWAYS TRIGGER stamp_ledger;

-- skip_row(): trigger function; inserts nothing.
CREATE FUNCTION order_ext_internal.skip_row() RETURNS trigger
	LANGUAGE C AS 'MODULE_PATHNAME', 'order_ext_skip_row';
COMMENT ON FUNCTION order_ext_internal.skip_row() IS
	'Leaves out rows that mean nothing outside the database that they come from.';
CREATE TRIGGER skip_row BEFORE INSERT ON order_ext_internal.stock_folds
	FOR EACH ROW EXECUTE FUNCTION order_ext_internal.skip_row();
ALTER TABLE order_ext_internal.stock_folds ENABLE ALWAYS TRIGGER skip_row;
