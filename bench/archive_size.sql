-- What an order takes in the live tables, in the archive, and when its document was dropped: bytes
-- an order with toast and indexes. In a database of its own, by a superuser; workers stay out of it:
--	createdb size && psql -d size -c 'ALTER DATABASE size SET order_ext.enabled = off'
--	psql -d size -v orders=10000 -f bench/archive_size.sql
-- Of ten orders of two lines with an address, seven are paid, shipped and signed, one is paid and
-- canceled, two are canceled unpaid; of every twentieth a piece is paid back.
\set ON_ERROR_STOP 1
\set QUIET 1
\if :{?orders}
\else
	\set orders 10000
\endif
\o /dev/null
CREATE EXTENSION IF NOT EXISTS order_ext;
SELECT order_ext.put_product(sku, 'A product of ' || sku, 1000), order_ext.set_stock(sku, 100000000)
FROM unnest('{tea,cup}'::text[]) AS sku;
CREATE SCHEMA size;
CREATE TABLE size.ids (n integer PRIMARY KEY, order_id bigint, after_sale_id bigint);
CREATE PROCEDURE size.deliver() LANGUAGE plpgsql AS $$
BEGIN
	LOOP
		PERFORM order_ext.dispatch();
		COMMIT;
		EXIT WHEN NOT EXISTS (SELECT FROM order_ext.consumer_stats WHERE lag > 0 OR retrying > 0);
	END LOOP;
END
$$;
SET size.orders = :orders;
DO $$
DECLARE
	id bigint;
BEGIN
	FOR i IN 1 .. current_setting('size.orders')::integer LOOP
		id := (order_ext.create_order(i, '[{"sku": "tea", "quantity": 2}, {"sku": "cup", "quantity": 1}]', 3000,
			options => '{"channel": "app", "address": {"name": "Li Lei", "phone": "+86 13800138000", "street": "88 Long Lane, Building 3, Room 502", "city": "Hangzhou", "zip": "310000"}}')).id;
		INSERT INTO size.ids VALUES (i, id);
		IF i % 10 < 8 THEN
			PERFORM order_ext.pay_callback(id, '42000' || id, 'bank', 3000);
		ELSE
			PERFORM order_ext.cancel_order(id);
		END IF;
		IF i % 500 = 0 THEN
			COMMIT;
		END IF;
	END LOOP;
END
$$;
CALL size.deliver();
DO $$
DECLARE
	o size.ids;
BEGIN
	FOR o IN SELECT * FROM size.ids WHERE n % 10 < 8 ORDER BY n LOOP
		IF o.n % 10 = 7 THEN
			PERFORM order_ext.cancel_order(o.order_id);
		ELSE
			PERFORM order_ext.shipment_event(o.order_id, kind || ' ' || o.order_id, kind)
			FROM unnest('{picked,out_stock,delivering,signed}'::text[]) WITH ORDINALITY AS k (kind, n) ORDER BY k.n;
		END IF;
		IF o.n % 20 = 0 THEN
			o.after_sale_id := (order_ext.apply_after_sale(o.order_id, o.n, 'refund_only', '[{"line": 1, "quantity": 1}]', 'too small')).id;
			PERFORM order_ext.review_after_sale(o.after_sale_id, true);
		END IF;
	END LOOP;
END
$$;
CALL size.deliver();
DO $$
BEGIN
	LOOP
		PERFORM order_ext.refund_callback(refund_id, 'succeeded', '50000' || refund_id)
		FROM order_ext.claim_refunds(100, 'size', '1 day', '{bank}');
		COMMIT;
		EXIT WHEN NOT EXISTS (SELECT FROM order_ext.refunds_view WHERE status = 'requested');
	END LOOP;
END
$$;
CALL size.deliver();

-- The tables whose rows move.
CREATE FUNCTION size.bytes(VARIADIC tables regclass[]) RETURNS bigint LANGUAGE sql
	RETURN (SELECT sum(pg_total_relation_size(t)) FROM unnest(tables) AS t);
CREATE TABLE size.moved AS SELECT ('order_ext_internal.' || name)::regclass AS tab
FROM unnest('{orders,order_items,payments,payment_events,payment_notices,refunds,refund_events,money_facts,disputes,after_sales,
	after_sale_items,after_sale_events,fulfilments,fulfilment_documents,shipment_events,held_facts,stock_ledger,transition_log}'::text[]) AS name;
VACUUM;
CREATE TABLE size.result (place text, bytes bigint, of_it text);
INSERT INTO size.result SELECT 'live tables', sum(pg_total_relation_size(tab)),
	format('%s in tables, %s in indexes', sum(pg_table_size(tab))::bigint / :orders, sum(pg_indexes_size(tab))::bigint / :orders) FROM size.moved;

-- As if it had been long ago.
BEGIN;
SET LOCAL session_replication_role = replica;
UPDATE order_ext_internal.transition_log SET at = at - interval '90 days';
UPDATE order_ext_internal.orders SET created_at = created_at - interval '90 days', paid_at = paid_at - interval '90 days',
	canceled_at = canceled_at - interval '90 days';
UPDATE order_ext_internal.message_log_0 SET published_at = published_at - interval '90 days';
UPDATE order_ext_internal.message_log_1 SET published_at = published_at - interval '90 days';
COMMIT;
SET order_ext.archive_retention = '30d';
SET order_ext.verify_interval = 0;

-- As maintain() does it, which goes by the time in the numbers of orders, and that is today's. Around the
-- engine: the levels of the stock are wrong afterwards.
CREATE PROCEDURE size.archive() LANGUAGE plpgsql AS $$
DECLARE
	ids bigint[];
BEGIN
	FOR i IN 0 .. current_setting('size.orders')::integer / 500 LOOP
		SET LOCAL session_replication_role = replica;
		ids := ARRAY(SELECT order_id FROM size.ids WHERE n / 500 = i ORDER BY order_id);
		PERFORM order_ext_internal.archive_orders(ids, now() - interval '30 days');
		COMMIT;
	END LOOP;
END
$$;
CALL size.archive();
VACUUM;
INSERT INTO size.result SELECT 'archive', size.bytes('order_ext_archive.orders', 'order_ext_archive.keys'),
	format('%s document, %s row, %s in indexes, %s keys', (pg_table_size('order_ext_archive.orders') - pg_relation_size('order_ext_archive.orders')) / :orders,
		pg_relation_size('order_ext_archive.orders') / :orders, pg_indexes_size('order_ext_archive.orders') / :orders,
		pg_total_relation_size('order_ext_archive.keys') / :orders);
SELECT count(*) FROM order_ext.drop_archived(
	ARRAY(SELECT order_id FROM order_ext_archive.orders ORDER BY order_id),
	ARRAY(SELECT encode(order_ext_internal.document_digest(document), 'hex') FROM order_ext_archive.orders ORDER BY order_id));
VACUUM;
INSERT INTO size.result SELECT 'dropped', size.bytes('order_ext_archive.dropped', 'order_ext_archive.keys'),
	format('%s row, %s in indexes, %s keys', pg_table_size('order_ext_archive.dropped') / :orders,
		pg_indexes_size('order_ext_archive.dropped') / :orders, pg_total_relation_size('order_ext_archive.keys') / :orders);
\o
SELECT place, bytes / :orders AS bytes_an_order, of_it FROM size.result;
SELECT count(*) AS dropped, (SELECT count(*) FROM order_ext.orders_view) AS live FROM order_ext_archive.dropped;
