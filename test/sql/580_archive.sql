-- The archive: settled orders leave the live tables, answer as before, and come back when somebody
-- tells something new about them. Orders of user 7800, imported so that they are from long ago.
SELECT order_ext.put_product('AR-A', 'a', 1000), order_ext.set_stock('AR-A', 1000);
CREATE FUNCTION t.ar(external_id text, status text, more jsonb DEFAULT '{}') RETURNS jsonb LANGUAGE sql
	RETURN jsonb_build_object('external_id', external_id, 'user_id', 7800, 'status', status,
		'items', '[{"sku": "AR-A", "quantity": 2, "price": 1000}]'::jsonb, 'freight', 50, 'pay_amount', 2050,
		'created_at', '2025-01-05T10:00:00Z', 'options', '{"remark": "ring twice", "address": {"street": "Long Lane"}}'::jsonb)
		|| CASE status WHEN 'created' THEN '{"expire_at": "2025-01-05T10:30:00Z"}'::jsonb
			ELSE jsonb_build_object('payments', jsonb_build_array(jsonb_build_object('pay_type', 'arpay',
				'out_trade_no', 'T-' || external_id, 'paid_at', '2025-01-05T10:05:00Z'))) END || more;
SELECT t.remember('AR coupon', order_ext.issue_coupon(7800, 100));
SELECT i.disposition, count(t.remember(i.external_id, i.order_id)) FROM order_ext.import_orders((SELECT jsonb_agg(o) FROM unnest(ARRAY[
	t.ar('AR-signed', 'signed', jsonb_build_object('coupon_id', t.id('AR coupon'))), t.ar('AR-back', 'signed', '{"shipment": {"signed_at": "2100-01-01T00:00:00Z"}}'), t.ar('AR-canceled', 'paid'),
	t.ar('AR-unpaid', 'created'), t.ar('AR-applied', 'signed', '{"shipment": {"signed_at": "2100-01-01T00:00:00Z"}}'), t.ar('AR-failed', 'paid'), t.ar('AR-held', 'signed'), t.ar('AR-disputed', 'signed'),
	t.ar('AR-out', 'out_stock'), t.ar('AR-recent', 'signed'), t.ar('AR-won', 'signed'), t.ar('AR-recorded', 'signed')]) AS o)) AS i GROUP BY 1;
-- What happens to them, and what is decided.
SELECT name, t.show(order_ext.cancel_order(t.id(name), 7800)) FROM unnest('{AR-canceled,AR-failed}'::text[]) AS name;
SELECT t.remember('AR after', (order_ext.apply_after_sale(t.id('AR-back'), 7800, 'refund_only', '[{"line": 1, "quantity": 1}]', 'too small')).id),
	t.remember('AR open', (order_ext.apply_after_sale(t.id('AR-applied'), 7800, 'refund_only', '[{"line": 1, "quantity": 1}]')).id);
SELECT t.show(order_ext.review_after_sale(t.id('AR after'), true));
SELECT t.drain();
SELECT count(*) FROM order_ext.claim_refunds(100, 'test', '1 day', '{arpay}');
SELECT o.external_id, t.show(order_ext.refund_callback(r.refund_id, CASE o.external_id WHEN 'AR-failed' THEN 'failed' ELSE 'succeeded' END, 'AR-R-' || o.external_id))
FROM order_ext.refunds_view r JOIN order_ext.orders_view o USING (order_id) WHERE o.user_id = 7800 ORDER BY 1;
SELECT t.show(order_ext.shipment_event(t.id('AR-held'), 'import', 'delivering', payload => '{"to": "Long Lane"}')) AS reused,
	t.show(order_ext.payment_disputed(t.id('AR-disputed'), 'T-AR-disputed', 'arpay', 'AR-D1', 'opened')) AS disputed,
	t.show(order_ext.payment_disputed(t.id('AR-won'), 'T-AR-won', 'arpay', 'AR-D2', 'opened')) AS opened,
	t.show(order_ext.record_refund(t.id('AR-recorded'), 'T-AR-recorded', 'arpay', 'AR-R-1', 500)) AS recorded;
SELECT t.show(order_ext.payment_disputed(t.id('AR-won'), 'T-AR-won', 'arpay', 'AR-D2', 'won')) AS won;
SELECT t.drain();

-- As if it had been long ago: what happened to all but one, and the messages.
CREATE PROCEDURE t.age(VARIADIC names text[]) LANGUAGE plpgsql AS $$
DECLARE
	ids bigint[] := ARRAY(SELECT t.id(n) FROM unnest(names) AS n);
BEGIN
	SET LOCAL session_replication_role = replica;
	UPDATE order_ext_internal.transition_log SET at = at - interval '90 days' WHERE order_id = ANY (ids);
	UPDATE order_ext_internal.orders SET canceled_at = canceled_at - interval '90 days' WHERE order_id = ANY (ids);
	FOR segment IN 0..3 LOOP
		EXECUTE format('UPDATE order_ext_internal.message_log_%s SET published_at = published_at - interval ''90 days'' WHERE key = ANY ($1)', segment) USING ids;
	END LOOP;
END
$$;
CALL t.age('AR-signed', 'AR-back', 'AR-canceled', 'AR-unpaid', 'AR-applied', 'AR-failed', 'AR-held', 'AR-disputed', 'AR-out', 'AR-won', 'AR-recorded');
-- maintain(), with a search that begins anew, as it does once a day; the orders that it moves.
CREATE FUNCTION t.archive(retention text DEFAULT '30d') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	before bigint[] := ARRAY(SELECT order_id FROM order_ext_archive.orders);
	passed bigint;
BEGIN
	PERFORM set_config('session_replication_role', 'replica', true), set_config('order_ext.order_retention', retention, true);
	-- a pass over the orders of this test
	UPDATE order_ext_archive.progress SET passed = (SELECT min(id) - 1 FROM t.ids WHERE name LIKE 'AR-%');
	PERFORM set_config('session_replication_role', 'origin', true);
	LOOP
		passed := (SELECT p.passed FROM order_ext_archive.progress p);
		PERFORM order_ext.maintain();
		EXIT WHEN passed IS NOT DISTINCT FROM (SELECT p.passed FROM order_ext_archive.progress p);
	END LOOP;
	RETURN (SELECT string_agg(coalesce(i.name, 'another'), ', ' ORDER BY i.name COLLATE "C") FROM order_ext_archive.orders a
		LEFT JOIN t.ids i ON i.id = a.order_id WHERE a.order_id <> ALL (before));
END
$$;
CREATE FUNCTION t.ar_errors() RETURNS bigint LANGUAGE sql RETURN (SELECT count(*) FROM order_ext.verify('full') WHERE severity = 'error');
SELECT t.ar_errors();

-- What they are before.
CREATE TABLE t.ar_before AS SELECT name, order_ext.get_order(t.id(name)) AS shown,
	(SELECT jsonb_agg(l) FROM order_ext.order_timeline(t.id(name)) AS l) AS timeline
FROM unnest('{AR-signed,AR-back,AR-canceled,AR-unpaid,AR-won,AR-recorded}'::text[]) AS name;
CREATE FUNCTION t.ar_money() RETURNS text LANGUAGE sql RETURN (SELECT format('captured %s = applied %s + late %s + surplus %s + held %s, refunded %s, disputed %s, open %s, kept %s',
	sum(captured), sum(applied), sum(late), sum(surplus), sum(held), sum(refunded), sum(disputed), sum(refund_open), sum(kept))
	FROM order_ext.money_report WHERE pay_type = 'arpay');
SELECT t.ar_money(), t.stock('AR-A');

-- For ever, unless it is set.
SELECT t.archive('-1');
SELECT t.archive();
SELECT t.archive();
SELECT t.ar_money(), t.stock('AR-A');
SELECT t.ar_errors();
SELECT name, shown = order_ext.get_order(t.id(name)) AS same, timeline = (SELECT jsonb_agg(l) FROM order_ext.order_timeline(t.id(name)) AS l) AS same_timeline,
	(SELECT count(*) FROM order_ext.allowed_actions(t.id(name))) AS actions, (SELECT count(*) FROM order_ext.orders_view o WHERE o.order_id = t.id(name)) AS live
FROM t.ar_before ORDER BY name COLLATE "C";
-- Observers see no reasons that people gave.
SELECT t.id('AR-back') AS back \gset
CREATE ROLE regress_ar_observer;
SELECT order_ext.grant_to('regress_ar_observer', 'observer');
SELECT count(*) FILTER (WHERE detail->>'reason' = 'too small') AS reasons FROM order_ext.order_timeline(:back);
SET ROLE regress_ar_observer;
SELECT count(*) > 5 AS steps, count(*) FILTER (WHERE detail ? 'reason') AS reasons FROM order_ext.order_timeline(:back);
RESET ROLE;
SELECT order_ext.revoke_from('regress_ar_observer', 'observer');
DROP ROLE regress_ar_observer;
-- Nothing of them is left but the coupon and its log, which are the user's.
SELECT tab, n FROM t.ar_before, (VALUES ('orders'), ('order_items'), ('payments'), ('refunds'), ('after_sales'), ('after_sale_items'), ('fulfilments'),
	('fulfilment_documents'), ('shipment_events'), ('stock_ledger'), ('transition_log'), ('disputes'), ('money_facts'), ('held_facts')) AS tabs (tab),
	LATERAL (SELECT (xpath('//n/text()', query_to_xml(format('SELECT count(*) AS n FROM order_ext_internal.%I WHERE order_id = %s', tab, t.id(name)), true, false, '')))[1]::text::int AS n) c
WHERE n > 0 ORDER BY 1, 2;
SELECT kind, available_delta, reserved_delta, consumed_delta, reason FROM order_ext.stock_ledger_view WHERE sku = 'AR-A' AND order_id IS NULL ORDER BY kind;
SELECT t.coupon(t.id('AR coupon'));
-- Numbers stay taken.
SELECT t.go($$t.new('AR again', 'AR-A:1', options => '{"external_id": "AR-signed"}')$$);
SELECT external_id, disposition FROM order_ext.import_orders(jsonb_build_array(t.ar('AR-unpaid', 'created')));
SELECT t.go($$order_ext.import_orders(jsonb_build_array(t.ar('AR-unpaid', 'paid')))$$);
SELECT t.go($$order_ext.import_orders(jsonb_build_array(t.ar('AR-other', 'paid') || '{"payments": [{"pay_type": "arpay", "out_trade_no": "T-AR-signed"}]}'))$$);

-- Nobody writes to it directly.
DO $$
BEGIN
	DELETE FROM order_ext_archive.orders;
EXCEPTION WHEN insufficient_privilege THEN
	RAISE NOTICE '%', SQLERRM;
END
$$;

-- A repetition is a repetition; the order is back then, until the next pass.
SELECT t.show(order_ext.pay_callback(t.id('AR-signed'), 'T-AR-signed', 'arpay', 2050)), t.order('AR-signed');
SELECT t.ar_errors(), t.stock('AR-A'), t.ar_money();
SELECT t.archive();
-- New money is money: surplus, late, of another order's number.
SELECT t.show(order_ext.pay_callback(t.id('AR-signed'), 'T-AR-more', 'arpay', 2050)) AS surplus,
	t.show(order_ext.pay_callback(t.id('AR-unpaid'), 'T-AR-late', 'arpay', 2050)) AS late,
	t.show(order_ext.pay_callback(t.id('AR-out'), 'T-AR-canceled', 'arpay', 2050)) AS others;
SELECT t.ar_errors(), t.stock('AR-A'), t.ar_money();
-- Refunds by their numbers, after-sales by theirs, disputes by theirs.
SELECT t.archive();
SELECT t.show(order_ext.refund_callback((shown #>> '{refunds,0,refund_id}')::bigint, 'succeeded', 'AR-R-AR-back')) AS refund FROM t.ar_before WHERE name = 'AR-back';
SELECT t.archive();
SELECT t.show(order_ext.return_shipment(t.id('AR after'), 'SF', '1')) AS return, t.go($$order_ext.reopen_after_sale(t.id('AR after'))$$) AS reopen;
SELECT t.show(order_ext.payment_disputed(t.id('AR-won'), 'T-AR-won', 'arpay', 'AR-D2', 'won')) AS repeated;
SELECT t.archive();
SELECT t.show(order_ext.payment_disputed(t.id('AR-won'), 'T-AR-won', 'arpay', 'AR-D2', 'lost')) AS contrary,
	t.show(order_ext.record_refund(t.id('AR-recorded'), 'T-AR-recorded', 'arpay', 'AR-R-1', 500)) AS repeated,
	t.show(order_ext.record_refund(t.id('AR-recorded'), 'T-AR-recorded', 'arpay', 'AR-R-2', 500)) AS another;
SELECT t.ar_errors(), t.stock('AR-A'), t.ar_money();
SELECT t.go($$order_ext.shipment_event(t.id('AR-back'), 'import', 'out_stock')$$) AS shipment, t.go($$order_ext.cancel_order(t.id('AR-unpaid'), 7800)$$) AS canceled,
	t.go($$order_ext.remove_order(t.id('AR-back'), 7800)$$) AS hidden, t.go($$order_ext.refund_order(t.id('AR-signed'), 10)$$) AS goodwill;
SELECT t.ar_errors();
-- What is not there is still not there.
SELECT t.go('order_ext.get_order(1)'), t.go('order_ext.allowed_actions(1)'), t.go('order_ext.cancel_order(1)'), t.go($$order_ext.pay_callback(1, 'T-AR-1', 'arpay', 1)$$);

-- erase_buyer(): what is personal goes, live, archived and in messages; the books stay. Open orders need their address.
SELECT t.show(order_ext.shipment_event(t.id('AR-canceled'), 'late', 'picked', payload => '{"to": "Long Lane"}')) AS late;
SELECT count(order_ext.resolve_fact(fact_id, 'seen')) AS resolved FROM order_ext.held_facts WHERE order_id = t.id('AR-canceled') AND resolved_at IS NULL;
SELECT t.archive();
SELECT r.disposition FROM order_ext.import_orders(jsonb_build_array(t.ar('AR-open', 'paid'))) AS r;
CREATE FUNCTION t.ar_personal() RETURNS TABLE (place text, n bigint) LANGUAGE sql AS $$
	SELECT 'archive', count(*) FROM order_ext_archive.orders a WHERE a.user_id = 7800 AND a.document::text ~ 'Long Lane|ring twice|too small'
	UNION ALL SELECT 'orders', count(*) FROM order_ext_internal.orders o WHERE o.user_id = 7800 AND o.options::text ~ 'Long Lane|ring twice'
	UNION ALL SELECT 'after-sales', count(*) FROM order_ext_internal.after_sales a WHERE a.user_id = 7800 AND a.reason ~ 'too small'
	UNION ALL SELECT 'held facts', count(*) FROM order_ext_internal.held_facts h JOIN order_ext_internal.orders o USING (order_id) WHERE o.user_id = 7800 AND h.payload::text ~ 'Long Lane'
	UNION ALL SELECT 'archived facts', count(*) FROM order_ext_archive.orders a WHERE a.user_id = 7800 AND a.document #>> '{rows,held_facts}' ~ 'Long Lane'
	UNION ALL SELECT 'messages', count(*) FROM order_ext_internal.message_log m WHERE m.payload ? 'address' AND m.key = t.id('AR-unpaid') $$;
BEGIN;
SET LOCAL session_replication_role = replica;
UPDATE order_ext_internal.message_log_0 SET payload = payload || '{"address": 1}' WHERE key = t.id('AR-unpaid');
COMMIT;
SELECT * FROM t.ar_personal() WHERE n > 0;
SELECT orders > 5 AS orders, archived > 0 AS archived, messages > 0 AS messages, left_open FROM order_ext.erase_buyer(7800);
SELECT * FROM t.ar_personal() WHERE n > 0;
SELECT order_ext.get_order(t.id('AR-canceled')) -> 'options' AS options;
SELECT t.show(order_ext.pay_callback(t.id('AR-canceled'), 'T-AR-canceled', 'arpay', 2050)), order_ext.get_order(t.id('AR-canceled')) -> 'options' AS options;
SELECT t.ar_errors(), t.stock('AR-A'), t.ar_money();
SELECT orders, archived FROM order_ext.erase_buyer(7801);
SELECT t.go('order_ext.erase_buyer(NULL)'), t.go('order_ext.erase_buyer(0)');

-- Lists show what is archived.
SELECT t.archive() IS NOT NULL AS archived;
SELECT p.o ->> 'external_id' AS external_id, p.o ->> 'status' AS status, p.o -> 'allowed_actions' = '[]' AS nothing, p.o #>> '{items,0,name}' AS name,
	p.o ? 'options' AS options, EXISTS (SELECT FROM order_ext.archived_orders a WHERE a.order_id = (p.o ->> 'order_id')::bigint) AS archived
FROM order_ext.list_orders(7800) AS p (o) ORDER BY p.o ->> 'external_id' COLLATE "C";
SELECT regexp_replace(what, '^\d+$', 'its id') AS what, s.o ->> 'external_id' AS external_id FROM (VALUES ('T-AR-canceled'), ('AR-R-AR-canceled'), ('AR-canceled'), (t.id('AR-canceled')::text)) AS w (what),
	order_ext.search_orders(jsonb_build_object('text', what)) AS s (o) WHERE s.o ? 'order_id';
SELECT order_ext.find_order('AR-canceled') = t.id('AR-canceled') AS found;
