-- The settings: defaults, units, who may set them, what they do.
\set VERBOSITY sqlstate
-- a server without preload knows them once the library is loaded
LOAD 'order_ext';
SELECT name, setting, unit, context FROM pg_settings WHERE name LIKE 'order\_ext.%' AND name <> 'order_ext.enabled' ORDER BY name COLLATE "C";
SELECT boot_val, context FROM pg_settings WHERE name = 'order_ext.enabled';
SET order_ext.pay_timeout = '2h';
SHOW order_ext.pay_timeout;
SET order_ext.pay_timeout = '90s';
SHOW order_ext.pay_timeout;
SELECT order_ext.put_product('SET-1', 'A', 100);
SELECT available FROM order_ext.adjust_stock('SET-1', 10);
SELECT t.new('set', 'SET-1:1', user_id => 7150);
SELECT expire_at - created_at FROM order_ext.orders_view WHERE order_id = t.id('set');
-- an argument beats the setting
SELECT t.new('set2', 'SET-1:1', pay_timeout => '1 day 1 second', user_id => 7150);
SELECT expire_at = created_at + interval '1 day 1 second' AS by_the_calendar FROM order_ext.orders_view WHERE order_id = t.id('set2');
RESET order_ext.pay_timeout;

-- nonsense is refused
SET order_ext.pay_timeout = 0;
SET order_ext.pay_timeout = '-1s';
SET order_ext.lock_timeout = -1;
SET order_ext.currency = '';
SET order_ext.batch_size = 0;
SET order_ext.no_such = 1;
SET order_ext.error_detail = xml;

-- DETAIL for people or for programs (all errors: test/t/406_error_facts.pl)
SELECT detail FROM t.error($$order_ext.cancel_order(1)$$);
SET order_ext.error_detail = json;
SELECT detail FROM t.error($$order_ext.cancel_order(1)$$);
SELECT detail FROM t.error($$order_ext.get_order(1)$$);
RESET order_ext.error_detail;

-- plain users set what concerns their own calls
CREATE ROLE t_plain;
SET ROLE t_plain;
SET order_ext.lock_timeout = 0;
SET order_ext.pay_timeout = '1min';
SET order_ext.enabled = off;
SET order_ext.workers = 4;
SET order_ext.max_payload = 2048;
RESET ROLE;
DROP ROLE t_plain;
RESET order_ext.lock_timeout;
RESET order_ext.pay_timeout;

-- calls ignore "enabled", which is off in this database
SHOW order_ext.enabled;
SELECT t.show(order_ext.cancel_order(t.id('set')));
SELECT order_ext.dispatch() > 0 AS dispatched;
SELECT t.stock('SET-1');

SELECT * FROM order_ext.verify() WHERE severity = 'error';
