-- verify() knows what keeps others out: each line takes a stone out of the wall, shows what
-- verify() adds to its report, and puts it back.
CREATE FUNCTION t.nothing() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE ROLE regress_walls;
SELECT count(*) FROM order_ext.verify() WHERE invariant = 'I17';

SET search_path = order_ext_internal, public;

-- guards
SELECT t.detects('ALTER TABLE orders DISABLE TRIGGER guard_rows');
SELECT t.detects('ALTER TABLE orders ENABLE TRIGGER ALL');
SELECT t.detects('ALTER TABLE orders ENABLE REPLICA TRIGGER guard_truncate');
SELECT t.detects('DROP TRIGGER guard_rows ON instance');
SELECT t.detects('CREATE OR REPLACE TRIGGER guard_rows BEFORE UPDATE OR DELETE ON orders EXECUTE FUNCTION guard(); ALTER TABLE orders ENABLE ALWAYS TRIGGER guard_rows');
SELECT t.detects('CREATE OR REPLACE TRIGGER guard_rows BEFORE INSERT OR UPDATE OR DELETE ON orders EXECUTE FUNCTION t.nothing(); ALTER TABLE orders ENABLE ALWAYS TRIGGER guard_rows');

-- what could be hung on tables and views
SELECT t.detects('CREATE TRIGGER planted BEFORE INSERT ON orders EXECUTE FUNCTION t.nothing()');
SELECT t.detects('CREATE TRIGGER planted INSTEAD OF DELETE ON order_ext.orders_view FOR EACH ROW EXECUTE FUNCTION t.nothing()');
SELECT t.detects('CREATE RULE planted AS ON INSERT TO orders DO ALSO NOTHING');
SELECT t.detects('CREATE TABLE t.child () INHERITS (orders)');
SELECT t.detects('CREATE TABLE t.child (id bigint REFERENCES orders)');
SELECT t.detects('ALTER TABLE orders ENABLE ROW LEVEL SECURITY');

-- the owner
SELECT t.detects('ALTER ROLE order_ext_owner LOGIN CREATEDB');
SELECT t.detects('GRANT order_ext_owner TO regress_walls');
SELECT t.detects('GRANT pg_execute_server_program TO order_ext_owner');
SELECT t.detects('ALTER VIEW order_ext.orders_view OWNER TO regress_walls');
SELECT t.detects('ALTER FUNCTION order_ext.version() OWNER TO regress_walls');

-- rights
SELECT t.detects('GRANT SELECT, INSERT ON orders TO regress_walls');
SELECT t.detects('GRANT UPDATE (status) ON orders TO PUBLIC');
SELECT t.detects('GRANT UPDATE ON message_id_seq TO regress_walls');

-- sequences: taken back by hand, since setval() is not undone by a rollback
SELECT order_ext.create_topic('vw.t');
SELECT count(order_ext.publish('vw.t', n)) AS published FROM generate_series(1, 2) AS n;
SELECT max(message_id) > 1 AS used FROM message_log;
CREATE TEMP TABLE stood AS SELECT last_value FROM message_id_seq;
SELECT t.detects('SELECT setval(''message_id_seq'', 1)');
SELECT setval('message_id_seq', last_value) > 0 AS put_right FROM stood;
SELECT t.detects('SELECT 1');
SELECT t.detects('SELECT setval(''message_id_seq'', 9223372036854775807)');
SELECT order_ext.publish('vw.t', 3);
SELECT setval('message_id_seq', last_value) > 0 AS put_right FROM stood;
SELECT t.detects('SELECT 1');
-- or by upkeep
SELECT setval('message_id_seq', 1), setval('payment_id_seq', 1), setval('products_product_id_seq', 1);
SELECT entity FROM order_ext.verify('I17') WHERE entity = 'sequence message_id_seq';
SELECT order_ext.maintain() IS NOT NULL AS maintained;
SELECT count(*) FROM order_ext.verify('I17');
-- that of adjustments, which only a full check looks at
SELECT order_ext.put_product('VW-1', 'verify walls', 100);
SELECT count(order_ext.adjust_stock('VW-1', 1)) AS adjusted FROM generate_series(1, 3);
SELECT setval('stock_adjustment_seq', 1);
SELECT entity FROM order_ext.verify('I17');
SELECT setval('stock_adjustment_seq', split_part(expected, ' ', 1)::bigint) > 1 AS put_right FROM order_ext.verify('I17');
SELECT count(*) FROM order_ext.verify('I17');
SELECT order_ext.adjust_stock('VW-1', 1) IS NOT NULL AS adjusted;
-- that of order numbers is not checked: one that comes again is passed over, at the same moment and for the same user
BEGIN;
SELECT setval('order_number_seq', 4711) AS set_back;
SELECT (order_ext.create_order(931, '[{"sku": "VW-1", "quantity": 1}]', 100)).id AS first_id \gset
SELECT setval('order_number_seq', 4711) AS set_back;
SELECT (order_ext.create_order(931, '[{"sku": "VW-1", "quantity": 1}]', 100)).id <> :first_id AS another_id;
SELECT order_ext.cancel_order(order_id, 931) IS NOT NULL AS canceled FROM orders WHERE user_id = 931;
COMMIT;

-- functions for roles that run none
SELECT t.detects('UPDATE instance SET risk_handler = ''t.f(jsonb)'', risk_role = ''pg_execute_server_program''');
SELECT t.detects('UPDATE instance SET risk_handler = ''t.f(jsonb)'', risk_role = ''order_ext_owner''');
SELECT t.detects('INSERT INTO gateways (pay_type, handler, run_as) VALUES (''planted'', ''t.f(order_ext.refund_request)'', ''pg_monitor'')');
SELECT t.detects('INSERT INTO consumer_groups (group_id, topic_id, name, handler, run_as, start_at) VALUES (999999, 1, ''planted'', ''t.f(order_ext.message)'', ''order_ext_owner'', ''3:3:'')');

RESET search_path;

-- They cannot be registered either.
CREATE FUNCTION t.pass(request jsonb) RETURNS text LANGUAGE sql RETURN NULL;
GRANT USAGE ON SCHEMA order_ext, t TO pg_monitor;
GRANT EXECUTE ON FUNCTION order_ext.set_risk_check TO pg_monitor;
SET ROLE pg_monitor;
SELECT order_ext.set_risk_check('t.pass(jsonb)');
RESET ROLE;

-- And if a superuser plants one, it is refused when it would run.
BEGIN;
SET LOCAL session_replication_role = replica;
UPDATE order_ext_internal.instance SET risk_handler = 't.pass(pg_catalog.jsonb)', risk_role = 'pg_monitor';
SET LOCAL session_replication_role = origin;
SELECT order_ext.create_order(7001, '[{"sku": "V", "quantity": 1}]', 1000);
ROLLBACK;

REVOKE EXECUTE ON FUNCTION order_ext.set_risk_check FROM pg_monitor;
REVOKE USAGE ON SCHEMA order_ext, t FROM pg_monitor;
DROP ROLE regress_walls;
SELECT count(*) FROM order_ext.verify() WHERE invariant = 'I17';
