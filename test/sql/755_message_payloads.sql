-- What messages say: enough for their consumers, never more than order_ext.max_payload, and no address
-- to observers. docs/topics.md says each field; test/t/405_topics.pl compares it with real messages.
SELECT order_ext.put_product('PAY-1', 'Tea', 100), order_ext.put_product('PAY-2', 'Code', 50, 'virtual');
SELECT available FROM order_ext.adjust_stock('PAY-1', 100000) UNION ALL SELECT available FROM order_ext.adjust_stock('PAY-2', 100);
CREATE FUNCTION t.payload(order_id bigint, topic text) RETURNS jsonb LANGUAGE sql STABLE
	RETURN (SELECT m.payload - '{order_id,user_id,document_id,payment_id,after_sale_id,refund_id,coupon_id}'::text[]
			FROM order_ext_internal.message_log m JOIN order_ext_internal.topics p USING (topic_id)
			WHERE m.key = order_id AND p.name = topic ORDER BY m.message_id DESC LIMIT 1);

-- the title is today's, the amounts are those of the order
SELECT t.new('pay', 'PAY-1:2:red,PAY-2:1', user_id => 7755, options => '{"external_id": "PAY-1", "address": {"street": "Geheimgasse 7"}, "remark": "zur Geheimgasse"}');
SELECT order_ext.put_product('PAY-1', 'Green tea', 120);
SELECT t.show(order_ext.pay_callback(t.id('pay'), 'T-pay-1', 'pay', 250));
SELECT jsonb_pretty(t.payload(t.id('pay'), 'order.paid'));

-- ---- who does not see addresses ----
CREATE ROLE regress_seer;
SELECT order_ext.grant_to('regress_seer', 'observer');
CREATE FUNCTION t.tell(m order_ext.message) RETURNS void LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'cannot ship %', m.payload USING ERRCODE = 'OE803'; END $$;
SELECT t.subscribe('pay.ship', 'fulfilment.requested', 't.tell(order_ext.message)'), t.subscribe('pay.move', 'order.address_changed', 't.tell(order_ext.message)'),
	t.subscribe('pay.lease', 'order.address_changed');
SELECT t.drain();
SELECT t.show(order_ext.change_address(t.id('pay'), 7755, '{"street": "Geheimgasse 8"}'));
SELECT t.drain();
SELECT payload->'address' AS address, payload ? 'remark' AS remark FROM order_ext.receive('pay.lease');
SELECT t.payload(t.id('pay'), 'order.address_changed');
-- all that the current role can read: views, and reads of the order and of everything
CREATE FUNCTION t.seen(word text) RETURNS TABLE (where_ text, rows bigint) LANGUAGE plpgsql AS $$
DECLARE
	query text;
BEGIN
	FOR where_, query IN
		SELECT c.relname, format('SELECT (%s)::text FROM order_ext.%I', string_agg(format('%I', a.attname), ', '), c.relname)
		FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
		WHERE c.relnamespace = 'order_ext'::regnamespace AND c.relkind = 'v' AND has_column_privilege(c.oid, a.attnum, 'SELECT')
		GROUP BY c.relname
		UNION ALL
		SELECT reads.name, reads.query FROM (VALUES
			('order_timeline', 'SELECT l::text FROM order_ext.order_timeline(t.id(''pay'')) l'),
			('message_trace', 'SELECT m::text FROM order_ext.message_trace(t.id(''pay'')) m'),
			('verify', 'SELECT v::text FROM order_ext.verify(''full'') v'),
			('metrics', 'SELECT order_ext.metrics()')) AS reads (name, query)
		ORDER BY 1
	LOOP
		EXECUTE format('SELECT count(*) FROM (%s) s (line) WHERE line ~ %L', query, word) INTO rows;
		RETURN NEXT;
	END LOOP;
END
$$;
GRANT USAGE ON SCHEMA t TO regress_seer;
GRANT SELECT ON t.ids TO regress_seer;
SELECT * FROM t.seen('Geheimgasse') WHERE rows > 0;
SET ROLE regress_seer;
SELECT count(*) > 20 AS much, sum(rows) AS addresses FROM t.seen('Geheimgasse');
SELECT consumer_group, topic, last_sqlstate FROM order_ext.dead_letters WHERE consumer_group LIKE 'pay.%' ORDER BY 1;
SELECT order_ext.get_order(t.id('pay'));
SELECT payload FROM order_ext.dead_letters;
RESET ROLE;
SELECT order_ext.unsubscribe(g) FROM unnest('{pay.ship,pay.move,pay.lease}'::text[]) AS g;

-- ---- orders that do not fit ----
-- of a thousand lines with attributes, some are left out, and nothing else happens to the order
SELECT o.id AS id FROM order_ext.create_order(7755, (
		SELECT jsonb_agg(jsonb_build_object('sku', 'PAY-1', 'quantity', 1, 'attributes', jsonb_build_object('engraving', repeat('e', 100) || n))) FROM generate_series(1, 1000) AS n),
	120000, options => jsonb_build_object('address', jsonb_build_object('street', repeat('s', 50000)), 'remark', 'short')) o \gset
SELECT t.remember('pay large', :id);
SELECT t.show(order_ext.pay_callback(:id, 'T-pay-2', 'pay', 120000));
SELECT t.drain();
SELECT topic, pg_column_size(payload::text::jsonb) <= 262144 AS fits, pg_column_size(payload::text::jsonb) > 240000 AS used,
	jsonb_array_length(payload->'lines') + coalesce((payload->>'lines_omitted')::integer, 0) AS lines,
	payload ? 'lines_omitted' AS omitted, jsonb_array_length(payload->'items') = jsonb_array_length(payload->'lines') AS items, payload->'lines'->0->>'line' AS first, length(payload->'address'->>'street') AS street, payload->>'remark' AS remark
FROM unnest('{order.paid,fulfilment.requested}'::text[]) AS topic, t.payload(:id, topic) AS payload;
-- a small limit, as small as it can be
SET order_ext.max_payload = 1024;
SELECT t.show(order_ext.cancel_order(:id, reason => repeat('r', 1000)));
SELECT t.drain();
SELECT topic, jsonb_array_length(payload->'lines') + (payload->>'lines_omitted')::integer AS lines, jsonb_array_length(payload->'lines') AS told
FROM unnest('{order.canceled,after_sale.applied}'::text[]) AS topic, t.payload(:id, topic) AS payload;
RESET order_ext.max_payload;
SELECT t.order('pay large');
SELECT jsonb_pretty(t.payload(:id, 'refund.execute'));
SELECT * FROM order_ext.verify() WHERE severity = 'error';
DROP FUNCTION t.seen(text), t.payload(bigint, text), t.tell(order_ext.message);
REVOKE ALL ON t.ids FROM regress_seer;
REVOKE ALL ON SCHEMA t FROM regress_seer;
SELECT order_ext.revoke_from('regress_seer', 'observer');
DROP ROLE regress_seer;
