-- LOCK TABLE on the engine's tables, by who may write to all tables; with workers or without, since this session
-- has loaded the library.
CREATE ROLE regress_locker IN ROLE pg_write_all_data;
CREATE TABLE t.own (n integer);
ALTER TABLE t.own OWNER TO regress_locker;
GRANT USAGE ON SCHEMA t TO regress_locker;
LOAD 'order_ext';
SET ROLE regress_locker;
BEGIN;
LOCK TABLE order_ext_internal.orders IN ROW EXCLUSIVE MODE;
LOCK TABLE t.own;
LOCK TABLE t.own, order_ext_internal.orders IN SHARE MODE;
ROLLBACK;
DO $$ BEGIN EXECUTE 'LOCK TABLE ONLY order_ext_internal.stock_folds NOWAIT'; END $$;
RESET ROLE;
DROP TABLE t.own;
REVOKE USAGE ON SCHEMA t FROM regress_locker;
DROP ROLE regress_locker;
