-- The step of the update from 0.1 that gives the refunds of canceled orders their after-sales, and
-- publishes all that wait: however many there are, in little memory.
SELECT order_ext.put_product('RM-1', 'Many', 1000), order_ext.adjust_stock('RM-1', 10, 'rm-1');
SELECT t.new('rm_first', 'RM-1:1', user_id => 7340);
SELECT t.show(order_ext.pay_callback(t.id('rm_first'), 'T-rm_first', 'wechat', t.due('rm_first')));
SELECT t.show(order_ext.cancel_order(t.id('rm_first')));
SELECT t.drain();
SELECT r.status, r.cause FROM order_ext_internal.refunds r WHERE r.order_id = t.id('rm_first');

BEGIN;
SET LOCAL session_replication_role = replica;
DELETE FROM order_ext_internal.after_sale_items WHERE order_id = t.id('rm_first');
DELETE FROM order_ext_internal.after_sales WHERE order_id = t.id('rm_first');
UPDATE order_ext_internal.refunds SET after_sale_id = 0 WHERE order_id = t.id('rm_first');
-- 20000 copies, with ids of their own
DO $$
DECLARE
	copied text;
	ids text[] := '{order_id,payment_id,refund_id,out_trade_no}';
	columns text;
	shifted text;
BEGIN
	FOREACH copied IN ARRAY '{orders,order_items,payments,refunds}'::text[] LOOP
		SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum),
			string_agg(CASE WHEN attname = 'out_trade_no' THEN 'out_trade_no || n'
				WHEN attname = ANY (ids) THEN attname || ' + 1000000000 + n' ELSE quote_ident(attname) END, ', ' ORDER BY attnum)
		INTO columns, shifted
		FROM pg_attribute
		WHERE attrelid = ('order_ext_internal.' || copied)::regclass AND attnum > 0 AND NOT attisdropped;
		EXECUTE format('INSERT INTO order_ext_internal.%1$I (%2$s) SELECT %3$s'
			' FROM order_ext_internal.%1$I, generate_series(1, 20000) AS n WHERE order_id = %4$s', copied, columns, shifted, t.id('rm_first'));
	END LOOP;
END
$$;
SET LOCAL session_replication_role = origin;
-- the most memory of this process, kB, without the server's buffers that it has used; 0 where that is not known
CREATE FUNCTION t.peak() RETURNS bigint LANGUAGE sql
RETURN (SELECT coalesce(substring(s FROM 'VmHWM:\s+(\d+)')::bigint - substring(s FROM 'RssShmem:\s+(\d+)')::bigint, 0)
	FROM pg_read_file('/proc/self/status', 0, 10000, true) AS s);
CREATE TABLE t.peaks AS SELECT t.peak() AS kb;
SELECT order_ext_internal.adopt_refunds() AS opened;
SELECT CASE WHEN t.peak() - kb < 30000 THEN 'little memory' ELSE (t.peak() - kb)::text END FROM t.peaks;
SELECT count(*) AS untied FROM order_ext_internal.refunds WHERE after_sale_id = 0 AND cause = t.code('refund_cause', 'cancel');
SELECT count(*) AS lines FROM order_ext_internal.after_sale_items WHERE order_id > t.id('rm_first') + 1000000000;
SELECT count(*) AS published FROM order_ext_internal.message_log
WHERE xid = pg_current_xact_id() AND topic_id = (SELECT topic_id FROM order_ext_internal.topics WHERE name = 'refund.execute') AND key > t.id('rm_first') + 1000000000;
SELECT order_ext_internal.adopt_refunds() AS opened_again;
ROLLBACK;
