-- The locks of the order calls: transaction-level advisory locks of classes of their own, the
-- whole 64-bit id as key, to be seen in pg_locks, gone with the transaction.
\set VERBOSITY sqlstate
SELECT order_ext.put_product('LCK-1', 'A', 100);
SELECT available FROM order_ext.adjust_stock('LCK-1', 50);
SELECT t.new('lck', 'LCK-1:1', user_id => 7350);
-- locks of this session on the order's id
CREATE VIEW t.locks AS
	SELECT objsubid, mode, i.name
	FROM pg_locks l JOIN t.ids i ON i.id = (classid::bigint << 32 | objid::bigint)
	WHERE locktype = 'advisory' AND pid = pg_backend_pid() AND granted AND objsubid NOT IN (1, 2)
	  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database());
CREATE TABLE t.lock_classes (call text, classes smallint[]);

BEGIN;
SELECT t.show(order_ext.pre_pay_order(t.id('lck'), 'wechat', 100));
INSERT INTO t.lock_classes SELECT 'pre_pay', array_agg(objsubid ORDER BY objsubid) FROM t.locks WHERE name = 'lck';
SELECT DISTINCT mode FROM t.locks;
COMMIT;
SELECT count(*) FROM t.locks;
BEGIN;
SELECT t.show(order_ext.pay_callback(t.id('lck'), 'T-lck-1', 'wechat', 99));
INSERT INTO t.lock_classes SELECT 'callback', array_agg(objsubid ORDER BY objsubid) FROM t.locks WHERE name = 'lck';
COMMIT;
BEGIN;
SELECT t.show(order_ext.cancel_order(t.id('lck')));
INSERT INTO t.lock_classes SELECT 'cancel', array_agg(objsubid ORDER BY objsubid) FROM t.locks WHERE name = 'lck';
COMMIT;
BEGIN;
SELECT t.show(order_ext.cancel_order(t.id('lck')));
-- G17: a failing call of the same transaction does not give the lock away
SELECT t.go($$order_ext.pre_pay_order(t.id('lck'), 'wechat', 100)$$);
SELECT count(*) > 0 AS still_held FROM t.locks;
ROLLBACK;
SELECT count(*) FROM t.locks;
SELECT t.new('lck_due', 'LCK-1:1', pay_timeout => '1 millisecond', user_id => 7350);
SELECT t.wait_due('lck_due');
BEGIN;
SELECT order_ext.expire_orders();
INSERT INTO t.lock_classes SELECT 'sweep', array_agg(objsubid ORDER BY objsubid) FROM t.locks WHERE name = 'lck_due';
COMMIT;
SELECT t.new('lck_due', 'LCK-1:1', pay_timeout => '1 millisecond', user_id => 7350);
SELECT t.wait_due('lck_due');
BEGIN;
SELECT order_ext.dispatch() > 0 AS handled;
INSERT INTO t.lock_classes SELECT 'timer', array_agg(objsubid ORDER BY objsubid) FROM t.locks WHERE name = 'lck_due';
COMMIT;

-- pre-pay and callback take pay and cancel; every cancel takes cancel, so that all exclude each other
SELECT c.call, cardinality(c.classes) AS own_classes, c.classes <@ p.classes AS among_those_of_pre_pay, c.classes && k.classes AS with_that_of_cancel
FROM t.lock_classes c, t.lock_classes p, t.lock_classes k WHERE p.call = 'pre_pay' AND k.call = 'cancel' ORDER BY c.call;

-- a refused call gives its locks back with its (sub)transaction
SELECT t.new('lck2', 'LCK-1:1', user_id => 7350);
BEGIN;
SAVEPOINT s;
SELECT t.show(order_ext.pre_pay_order(t.id('lck2'), 'wechat', 1));
ROLLBACK TO s;
SELECT count(*) FROM t.locks WHERE name = 'lck2';
COMMIT;
DROP VIEW t.locks;
DROP TABLE t.lock_classes;

-- the caller's own timeouts and settings are as they were after a call
SET lock_timeout = '77s';
SELECT t.show(order_ext.pre_pay_order(t.id('lck2'), 'wechat', 100));
SHOW lock_timeout;
SELECT t.go($$order_ext.pre_pay_order(t.id('lck2'), 'wechat', 1)$$);
SHOW lock_timeout;
RESET lock_timeout;
SELECT current_user = session_user AS same_user, current_setting('search_path');

SELECT * FROM order_ext.verify() WHERE severity = 'error';
