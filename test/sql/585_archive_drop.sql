-- Documents leave the archive: exported, dropped against their digests, restored. Orders of user 7850, imported so that
-- they are from long ago, all settled.
SELECT order_ext.put_product('AD-A', 'a', 1000), order_ext.set_stock('AD-A', 1000);
CREATE FUNCTION t.ad_order(n int, more jsonb DEFAULT '{}') RETURNS jsonb LANGUAGE sql RETURN jsonb_build_object('external_id', 'AD-' || n, 'user_id', 7850,
	'status', CASE n WHEN 2 THEN 'paid' ELSE 'signed' END, 'items', '[{"sku": "AD-A", "quantity": 2, "price": 1000}]'::jsonb, 'freight', 50, 'pay_amount', 2050,
	'created_at', timestamptz '2025-02-05 10:00Z' + interval '1 minute' * n, 'options', '{"remark": "ring twice", "address": {"street": "Long Lane"}}'::jsonb,
	'shipment', CASE WHEN n <> 2 THEN '{"signed_at": "2100-01-01T00:00:00Z"}'::jsonb END,
	'payments', jsonb_build_array(jsonb_build_object('pay_type', 'adpay', 'out_trade_no', 'T-AD-' || n, 'paid_at', '2025-02-05T10:05:00Z'))) || more;
SELECT i.disposition, count(t.remember(i.external_id, i.order_id)) FROM order_ext.import_orders((SELECT jsonb_agg(t.ad_order(n)) FROM generate_series(1, 6) AS n)) AS i GROUP BY 1;
SELECT t.show(order_ext.cancel_order(t.id('AD-2'), 7850));
SELECT t.remember('AD after', (order_ext.apply_after_sale(t.id('AD-1'), 7850, 'refund_only', '[{"line": 1, "quantity": 1}]', 'too small')).id);
SELECT t.show(order_ext.review_after_sale(t.id('AD after'), true));
SELECT t.drain();
SELECT count(*) FROM order_ext.claim_refunds(100, 'test', '1 day', '{adpay}');
SELECT o.external_id, t.remember('r-' || o.external_id, r.refund_id), t.show(order_ext.refund_callback(r.refund_id, 'succeeded', 'AD-R-' || o.external_id))
FROM order_ext.refunds_view r JOIN order_ext.orders_view o USING (order_id) WHERE o.user_id = 7850 ORDER BY 1;
SELECT t.show(order_ext.payment_disputed(t.id('AD-3'), 'T-AD-3', 'adpay', 'AD-D', 'opened')), t.show(order_ext.payment_disputed(t.id('AD-3'), 'T-AD-3', 'adpay', 'AD-D', 'won'));
SELECT t.drain();
BEGIN;
SET LOCAL session_replication_role = replica;
UPDATE order_ext_internal.transition_log SET at = at - interval '90 days' WHERE order_id IN (SELECT id FROM t.ids WHERE name LIKE 'AD-%');
UPDATE order_ext_internal.orders SET canceled_at = canceled_at - interval '90 days' WHERE user_id = 7850;
DO $$
BEGIN
	FOR segment IN 0..3 LOOP
		EXECUTE format('UPDATE order_ext_internal.message_log_%s SET published_at = published_at - interval ''90 days''
			WHERE key IN (SELECT id FROM t.ids WHERE name LIKE ''AD-%%'')', segment);
	END LOOP;
END
$$;
COMMIT;
-- What maintain() moves of them in a search that begins with them.
CREATE FUNCTION t.ad_archive() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	before bigint[] := ARRAY(SELECT order_id FROM order_ext_archive.orders);
BEGIN
	PERFORM set_config('session_replication_role', 'replica', true), set_config('order_ext.order_retention', '30d', true);
	INSERT INTO order_ext_archive.progress (passed, began) VALUES (t.id('AD-1') - 1, now())
	ON CONFLICT (only_row) DO UPDATE SET passed = excluded.passed;
	PERFORM set_config('session_replication_role', 'origin', true), order_ext.maintain();
	RETURN (SELECT string_agg(a.external_id, ', ' ORDER BY a.order_id) FROM order_ext_archive.orders a WHERE a.order_id <> ALL (before));
END
$$;
CREATE FUNCTION t.ad_errors() RETURNS text LANGUAGE sql RETURN (
	SELECT string_agg(concat_ws(' ', invariant, entity, expected, actual), '; ') FROM order_ext.verify('full') WHERE severity = 'error');
CREATE FUNCTION t.ad_books() RETURNS text LANGUAGE sql RETURN (SELECT format('captured %s = applied %s + late %s + unmatched %s, refunded %s, stock %s',
	sum(captured), sum(applied), sum(late), sum(unmatched), sum(refunded), t.stock('AD-A')) FROM order_ext.money_report WHERE pay_type = 'adpay');
-- What is stored elsewhere, and what drop_archived makes of that.
CREATE TABLE t.ad_copy (order_id bigint PRIMARY KEY, digest text, document jsonb);
CREATE FUNCTION t.ad_export() RETURNS text LANGUAGE sql
BEGIN ATOMIC
	INSERT INTO t.ad_copy SELECT e.* FROM order_ext.export_archived() AS e JOIN t.ids i ON i.id = e.order_id WHERE i.name LIKE 'AD-%'
	ON CONFLICT (order_id) DO UPDATE SET digest = excluded.digest, document = excluded.document;
	SELECT string_agg(i.name, ', ' ORDER BY i.id) FROM order_ext.export_archived() AS e JOIN t.ids i ON i.id = e.order_id WHERE i.name LIKE 'AD-%';
END;
CREATE FUNCTION t.ad_drop(VARIADIC names text[]) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	ids bigint[] := ARRAY(SELECT t.id(n) FROM unnest(names) AS n);
	digests text[] := ARRAY(SELECT encode(sha256(convert_to(c.document::text, 'UTF8')), 'hex') FROM unnest(ids) WITH ORDINALITY AS i (id, n) JOIN t.ad_copy c ON c.order_id = i.id ORDER BY i.n);
BEGIN
	RETURN (SELECT string_agg(i.name || ' ' || d.disposition, ', ' ORDER BY d.n)
		FROM order_ext.drop_archived(ids, digests) WITH ORDINALITY AS d (order_id, disposition, n) JOIN t.ids i ON i.id = d.order_id);
END
$$;
SELECT t.ad_books(), t.ad_archive();

-- By policy: archived orders are kept, unless it is set how long.
SELECT t.go('order_ext.export_archived()'), t.go($$order_ext.drop_archived('{}', '{}')$$);
SET order_ext.archive_retention = '20000d';
SELECT t.ad_export();
SET order_ext.archive_retention = '60d';
SELECT t.ad_export();
-- Bad arguments.
SELECT t.go('order_ext.export_archived(max_orders => NULL)'), t.go('order_ext.export_archived(max_orders => 0)'), t.go($$order_ext.drop_archived(NULL, '{}')$$),
	t.go($$order_ext.drop_archived('{1}', NULL)$$), t.go($$order_ext.drop_archived('{1}', '{}')$$), t.go($$order_ext.drop_archived('{1,NULL}', '{a,b}')$$),
	t.go($$order_ext.drop_archived('{1,2}', '{a,NULL}')$$), t.go($$order_ext.drop_archived('{{1}}', '{{a}}')$$),
	t.go($$order_ext.drop_archived(array_fill(1::bigint, '{10001}'), array_fill('a'::text, '{10001}'))$$), t.go($$order_ext.restore_archived(1, '{}')$$);
-- Pages.
SELECT i.name FROM order_ext.export_archived(t.id('AD-2'), 2) AS e JOIN t.ids i ON i.id = e.order_id;
-- The digest is of the document, and a document is all of the order.
SELECT bool_and(digest = encode(sha256(convert_to(document::text, 'UTF8')), 'hex')) AS digest, bool_and(document -> 'shown' = order_ext.get_order(order_id)) AS shown,
	string_agg(DISTINCT k, ' ' ORDER BY k) AS rows FROM t.ad_copy, jsonb_object_keys(document -> 'rows') AS k;

-- Nobody drops what he has not read, nor what has changed since, nor twice.
SELECT d.disposition FROM order_ext.drop_archived(ARRAY[t.id('AD-1'), 1], '{"", ""}') AS d;
SELECT t.show(order_ext.pay_callback(t.id('AD-1'), 'T-AD-1', 'adpay', 2050)) AS back, t.ad_drop('AD-1') AS live, t.ad_archive() AS again;
SELECT t.ad_drop('AD-1') AS exported_before;
SELECT t.ad_export() IS NOT NULL AS exported, t.ad_books();
-- Each element of a call has its own answer, in the order in which they were given; of two for one order, the first right digest drops it.
BEGIN;
CREATE TEMP TABLE given ON COMMIT DROP AS
	SELECT g.n, g.name, g.shown, coalesce(t.id(g.name), 1) AS id, CASE g.shown WHEN 'right' THEN c.digest WHEN 'upper' THEN upper(c.digest) ELSE 'abc' END AS digest
	FROM unnest('{AD-4,AD-4,AD-1,AD-4,AD-2,AD-4,AD-1,none}'::text[], '{wrong,upper,right,right,wrong,wrong,upper,wrong}'::text[]) WITH ORDINALITY AS g (name, shown, n)
	LEFT JOIN t.ad_copy c ON c.order_id = t.id(g.name);
SELECT g.name, g.shown, d.order_id = g.id AS its_own, d.disposition
FROM order_ext.drop_archived((SELECT array_agg(id ORDER BY n) FROM given), (SELECT array_agg(digest ORDER BY n) FROM given)) WITH ORDINALITY AS d (order_id, disposition, n)
JOIN given g USING (n) ORDER BY n;
SELECT t.show(order_ext.restore_archived(t.id('AD-4'), document)) AS restored FROM t.ad_copy WHERE order_id = t.id('AD-4');
SET LOCAL order_ext.archive_retention = '20000d';
SELECT t.ad_drop('AD-4', 'AD-1', 'AD-4') AS too_recent, t.ad_errors();
ROLLBACK;
SELECT t.ad_drop('AD-1', 'AD-2', 'AD-3', 'AD-1'), t.ad_drop('AD-1');
SELECT t.ad_books(), t.ad_errors();
SELECT t.ad_export();
SELECT o.external_id, o.status, o.dropped_at > o.archived_at AS dropped, o.digest = c.digest AS digest, o.coupon_id FROM order_ext.archived_orders o JOIN t.ad_copy c USING (order_id)
WHERE o.user_id = 7850 ORDER BY 1;

-- Reads and calls say what has become of it.
DO $$
DECLARE
	call text;
	message text;
	detail text;
BEGIN
	FOREACH call IN ARRAY '{get_order,order_timeline,allowed_actions,cancel_order}'::text[] LOOP
		BEGIN
			EXECUTE format('SELECT order_ext.%I(%s)', call, t.id('AD-1'));
		EXCEPTION WHEN SQLSTATE 'OE001' THEN
			GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
			RAISE NOTICE '%: % %', call, replace(message, t.id('AD-1')::text, 'N'), regexp_replace(detail, '\d\d\d\d.*\.', 'T.');
		END;
	END LOOP;
END
$$;
SELECT p.o ->> 'external_id' AS listed FROM order_ext.list_orders(7850) AS p (o) ORDER BY 1;
SELECT count(*) AS found FROM order_ext.search_orders('{"text": "T-AD-1"}') AS s (o) WHERE s.o ? 'order_id';
SELECT order_ext.find_order('AD-1') = t.id('AD-1') AS found;
-- Numbers stay taken.
SELECT t.go($$t.new('AD again', 'AD-A:1', options => '{"external_id": "AD-1"}')$$);
CREATE FUNCTION t.ad_import(o jsonb) RETURNS text LANGUAGE sql RETURN (SELECT i.disposition FROM order_ext.import_orders(jsonb_build_array(o)) AS i);
SELECT t.ad_import(t.ad_order(3)) AS same, t.go($$t.ad_import(t.ad_order(3, '{"freight": 60, "pay_amount": 2060}'))$$) AS another,
	t.go($$t.ad_import(t.ad_order(3, '{"external_id": "AD-new"}'))$$) AS trade_no;

-- Facts: a repeated capture is one, and everything else is held.
SELECT t.show(order_ext.pay_callback(t.id('AD-1'), 'T-AD-1', 'adpay', 2050)) AS repeated, t.show(order_ext.pay_callback(t.id('AD-1'), 'T-AD-1', 'adpay', 2051)) AS amount,
	t.show(order_ext.pay_callback(t.id('AD-4'), 'T-AD-1', 'adpay', 2050)) AS others, t.show(order_ext.payment_closed(t.id('AD-1'), 'T-AD-1', 'adpay', 'closed')) AS closed,
	t.show(order_ext.payment_closed(t.id('AD-1'), 'T-AD-none', 'adpay', 'closed')) AS none;
SELECT t.ad_books();
SELECT t.show(order_ext.pay_callback(t.id('AD-1'), 'T-AD-late', 'adpay', 50)) AS new_money;
SELECT t.ad_books();
CREATE FUNCTION t.ad_reason(r order_ext.result) RETURNS text LANGUAGE sql RETURN concat_ws(' ', t.show(r), (r).detail ->> 'reason');
SELECT t.ad_reason(order_ext.refund_callback(t.id('r-AD-2'), 'succeeded', 'AD-R-AD-2')) AS refund, t.ad_reason(order_ext.refund_callback(t.id('r-AD-2'), 'failed')) AS failed,
	t.ad_reason(order_ext.record_refund(t.id('AD-2'), 'T-AD-2', 'adpay', 'AD-R-9', 100)) AS recorded, t.ad_reason(order_ext.payment_disputed(t.id('AD-3'), 'T-AD-3', 'adpay', 'AD-D', 'lost')) AS dispute,
	t.ad_reason(order_ext.record_refund(t.id('AD-4'), 'T-AD-4', 'adpay', 'AD-R-AD-2', 100)) AS number, t.ad_reason(order_ext.payment_disputed(t.id('AD-4'), 'T-AD-4', 'adpay', 'AD-D', 'opened')) AS dispute_no;
SELECT t.ad_reason(order_ext.shipment_event(t.id('AD-1'), 'ad 1', 'lost')) AS lost, t.ad_reason(order_ext.shipment_event(t.id('AD-1'), 'ad 1', 'lost')) AS again,
	t.ad_reason(order_ext.fulfilment_cancel_result(t.id('AD-1'), true, 'ad 2')) AS cancel, t.ad_reason(order_ext.shipment_event(t.id('AD-1'), 'import', 'delivering')) AS of_before, t.ad_reason(order_ext.return_shipment(t.id('AD after'), 'SF', '1')) AS return;
SELECT kind, reason, count(*) FROM order_ext.held_facts WHERE order_id IN (SELECT id FROM t.ids WHERE name LIKE 'AD-%') OR entity_id IN (t.id('AD after'), t.id('r-AD-2')) GROUP BY 1, 2 ORDER BY 1, 2;
SELECT t.ad_errors();

-- Erased between export and drop: what is exported anew has nothing personal. Erased after the drop: so has what comes back.
SELECT t.ad_drop('AD-5');
SELECT t.show(order_ext.restore_archived(t.id('AD-5'), document)) FROM t.ad_copy WHERE order_id = t.id('AD-5');
SELECT t.ad_drop('AD-5'), t.go(format('order_ext.restore_archived(%s, %L)', t.id('AD-5'), document || '{"more": 1}')) AS another FROM t.ad_copy WHERE order_id = t.id('AD-5');
SELECT archived > 0 AS archived, dropped FROM order_ext.erase_buyer(7850);
SELECT t.ad_drop('AD-6') AS of_before;
SELECT t.ad_export();
SELECT document::text ~ 'Long Lane|ring twice' AS personal, t.ad_drop('AD-6') FROM t.ad_copy WHERE order_id = t.id('AD-6');
SELECT t.show(order_ext.restore_archived(t.id('AD-1'), document)), document::text ~ 'Long Lane|ring twice' AS was_personal FROM t.ad_copy WHERE order_id = t.id('AD-1');
SELECT t.show(order_ext.restore_archived(t.id('AD-1'), '{}')) AS again, t.show(order_ext.restore_archived(t.id('AD-4'), '{}')) AS never, order_ext.get_order(t.id('AD-1'))::text ~ 'Long Lane|ring twice|too small' AS personal;
SELECT t.ad_errors(), t.ad_books();
-- What is back in the archive comes back, whole.
SELECT t.show(order_ext.pay_callback(t.id('AD-1'), 'T-AD-1', 'adpay', 2050)) AS repeated, t.show(order_ext.refund_callback(t.id('r-AD-1'), 'succeeded', 'AD-R-AD-1')) AS refund;
SELECT t.order('AD-1');
SELECT t.ad_errors(), t.ad_books();
SELECT source, seq, kind, state, event_id, reason FROM order_ext_internal.shipment_events WHERE order_id = t.id('AD-1') ORDER BY event_id, seq;
