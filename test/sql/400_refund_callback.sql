-- Refunds: from a canceled order to money that is back. claim_refunds, refund_callback in
-- every status with every outcome, retry_refund, refund_policy hold.
SELECT t.refund_products();
-- what other tests have left is claimed for good
SELECT count(*) < 0 AS others FROM order_ext.claim_refunds(10000, 'nobody', '30 days');

-- ---- the life of a refund, step by step ----
CALL t.canceled('life', items => 'RF-1:2,RF-2:1');
SELECT t.refund('life'), t.order('life');
SELECT type, status, amount, freight, detail_type, source, reason_kind, origin, return_status FROM order_ext.after_sales_view WHERE order_id = t.id('life');
SELECT sku, quantity, amount, discount FROM order_ext.after_sale_items_view WHERE order_id = t.id('life') ORDER BY sku;
SELECT jsonb_array_length(g->'after_sales') AS after_sales, g->'after_sales'->0->>'status' AS status, jsonb_array_length(g->'after_sales'->0->'items') AS items,
	g->'refunds'->0->>'after_sale_id' = g->'after_sales'->0->>'after_sale_id' AS tied
FROM (SELECT order_ext.get_order(t.id('life')) AS g) AS s;
SELECT clock_timestamp() AS before \gset
SELECT r.refund_id = t.id('r-life') AS the_refund, r.order_id = t.id('life') AS the_order, r.payment_id = p.payment_id AS the_payment, r.out_trade_no = p.out_trade_no AS the_number,
	r.pay_type, r.amount, r.currency, r.attempt, r.lease_until BETWEEN :'before'::timestamptz + interval '1 minute' AND clock_timestamp() + interval '1 minute' AS a_minute
FROM order_ext.claim_refunds() r JOIN order_ext.payments_view p USING (payment_id) WHERE r.order_id = t.id('life');
SELECT replace(t.refund('life'), current_user, '(me)');
-- it is claimed: nobody else gets it, until the lease is over
SELECT count(*) FROM order_ext.claim_refunds(max_refunds => 10, worker => 'other', lease => '1 second') WHERE refund_id = t.id('r-life');
SELECT (r).id = t.id('r-life') AS the_refund, t.show(r), (r).detail - 'refund_id' - 'order_id' - 'payment_id' - 'after_sale_id' AS detail,
	(r).detail->>'refund_id' = t.id('r-life')::text AS ids_are_text
FROM (SELECT order_ext.refund_callback(refund_id => t.id('r-life'), outcome => 'succeeded', gateway_refund_no => 'G-life', amount => 240, raw => '{"a": 1}') AS r OFFSET 0) AS s;
SELECT replace(t.refund('life'), current_user, '(me)'), t.order('life');
SELECT event, actor FROM order_ext.order_timeline(t.id('life')) WHERE event ~ 'refund|after_sale' ORDER BY at, event COLLATE "C";
SELECT t.messages('life');
SELECT t.verdict('life');
-- by staff: another detail type and source
CALL t.canceled('staff', cancel_type => 'customer_service');
SELECT detail_type, source, reason_kind, status FROM order_ext.after_sales_view WHERE order_id = t.id('staff');

-- ---- every status with every outcome ----
-- requested, submitted, succeeded, failed, withdrawn x succeeded, failed, pending
DO $$
DECLARE
	state text;
	word text;
	name text;
BEGIN
	-- the claims first: they take whatever is requested
	FOREACH state IN ARRAY ARRAY['submitted', 'succeeded', 'failed', 'retried', 'requested', 'held'] LOOP
		FOREACH word IN ARRAY ARRAY['succeeded', 'failed', 'pending'] LOOP
			name := 'mx-' || state || '-' || word;
			CALL t.canceled(name, policy => CASE state WHEN 'held' THEN 'hold' ELSE 'full' END);
			IF state IN ('submitted', 'succeeded') THEN
				PERFORM t.claim(name);
			END IF;
			IF state = 'succeeded' THEN
				PERFORM order_ext.refund_callback(t.id('r-' || name), 'succeeded', 'G-1');
			ELSIF state IN ('failed', 'retried') THEN
				PERFORM order_ext.refund_callback(t.id('r-' || name), 'failed');
			END IF;
			IF state = 'retried' THEN
				PERFORM order_ext.retry_refund(t.id('r-' || name));
			END IF;
		END LOOP;
	END LOOP;
END
$$;
SELECT state, word, t.refund('mx-' || state || '-' || word) AS before, e.outcome, e.changed
FROM unnest(ARRAY['requested', 'held', 'submitted', 'succeeded', 'failed', 'retried']) WITH ORDINALITY AS s(state, n),
	unnest(ARRAY['succeeded', 'failed', 'pending']) WITH ORDINALITY AS w(word, m),
	LATERAL t.effect(format('order_ext.refund_callback(t.id(%L), %L)', 'r-mx-' || state || '-' || word, word)) AS e
ORDER BY n, m;
SELECT state, word, t.refund('mx-' || state || '-' || word) AS after
FROM unnest(ARRAY['requested', 'held', 'submitted', 'succeeded', 'failed', 'retried']) WITH ORDINALITY AS s(state, n),
	unnest(ARRAY['succeeded', 'failed', 'pending']) WITH ORDINALITY AS w(word, m) ORDER BY n, m;
-- the same fact once more: nothing is written
SELECT state, word, e.outcome, e.changed
FROM unnest(ARRAY['requested', 'held', 'submitted', 'succeeded', 'failed', 'retried']) WITH ORDINALITY AS s(state, n),
	unnest(ARRAY['succeeded', 'failed', 'pending']) WITH ORDINALITY AS w(word, m),
	LATERAL t.effect(format('order_ext.refund_callback(t.id(%L), %L)', 'r-mx-' || state || '-' || word, word)) AS e
ORDER BY n, m;
-- withdrawn: only with an after-sale; the edge is driven by hand here
CALL t.canceled('mx-withdrawn');
SET session_replication_role = replica;
UPDATE order_ext_internal.refunds SET status = t.code('refund_status', 'withdrawn'), version = 2 WHERE refund_id = t.id('r-mx-withdrawn');
UPDATE order_ext_internal.after_sales SET status = t.code('after_sale_status', 'revoked'), version = 2 WHERE order_id = t.id('mx-withdrawn');
INSERT INTO order_ext_internal.transition_log (machine, entity_id, order_id, version, from_status, to_status, event, at, xid, actor)
SELECT t.code('machine', 'refund'), t.id('r-mx-withdrawn'), t.id('mx-withdrawn'), 2, t.code('refund_status', 'requested'), t.code('refund_status', 'withdrawn'), 640 /* withdraw */, now(), pg_current_xact_id(), 'B';
RESET session_replication_role;
SELECT word, e.* FROM unnest(ARRAY['failed', 'pending', 'succeeded', 'succeeded']) AS w(word),
	LATERAL t.effect(format('order_ext.refund_callback(t.id(%L), %L)', 'r-mx-withdrawn', word)) AS e;
SELECT count(*) FROM order_ext.claim_refunds(1000, 'test', '30 days') WHERE refund_id = t.id('r-mx-withdrawn');
SELECT t.show(order_ext.retry_refund(t.id('r-mx-withdrawn')));
-- out of the way of verify()
SET session_replication_role = replica;
DELETE FROM order_ext_internal.refund_events WHERE refund_id = t.id('r-mx-withdrawn');
DELETE FROM order_ext_internal.held_facts WHERE kind = 'refund_callback' AND entity_id = t.id('r-mx-withdrawn');
UPDATE order_ext_internal.refunds SET status = t.code('refund_status', 'requested'), version = 1 WHERE refund_id = t.id('r-mx-withdrawn');
UPDATE order_ext_internal.after_sales SET status = t.code('after_sale_status', 'approved'), version = 1 WHERE order_id = t.id('mx-withdrawn');
DELETE FROM order_ext_internal.transition_log WHERE machine = t.code('machine', 'refund') AND entity_id = t.id('r-mx-withdrawn') AND version = 2;
RESET session_replication_role;

-- ---- held: facts that do not fit ----
CALL t.canceled('odd');
SELECT t.claim('odd') IS NOT NULL AS claimed;
SELECT call, e.* FROM (VALUES
	($$t.id('r-odd'), 'succeeded', 'G-odd', 99$$), ($$t.id('r-odd'), 'succeeded', 'G-odd', 99$$), ($$t.id('r-odd'), 'failed', 'G-odd', 101$$),
	($$t.id('r-odd'), 'pending', 'G-odd', 0$$), ($$t.id('r-odd'), 'succeeded', 'G-odd', 107, '{"n": 1}'$$),
	($$t.id('r-odd'), 'succeeded', 'G-odd', 107$$), ($$t.id('r-odd'), 'succeeded'$$), ($$t.id('r-odd'), 'succeeded', 'G-odd-2'$$),
	($$t.id('r-odd'), 'succeeded', 'G-odd-2'$$), ($$999999999999$$ || ', ''succeeded'', ''G-x'', 5'), ('999999999999, ''succeeded'', ''G-x'', 5'), ('999999999998, ''pending''')
	) AS v(call), LATERAL t.effect('order_ext.refund_callback(' || call || ')') AS e;
SELECT t.refund('odd');
SELECT (r).id, (r).status, (r).version, (r).disposition, (r).detail FROM (SELECT order_ext.refund_callback(999999999999, 'failed') AS r OFFSET 0) AS s;
SELECT (order_ext.refund_callback(t.id('r-odd'), 'failed', amount => 3)).detail->>'reason' AS reason;
SELECT replace(refund_id::text, t.id('r-odd')::text, 'odd') AS refund, outcome, reason, amount, gateway_refund_no FROM order_ext_internal.refund_events
WHERE refund_id IN (t.id('r-odd'), 999999999999, 999999999998) ORDER BY event_id;
SELECT count(*) AS alerts FROM order_ext_internal.message_log WHERE topic_id = t.code('topic', 'ops.alert') AND payload->>'refund_id' IN (t.id('r-odd')::text, '999999999999', '999999999998');
SELECT t.verdict('odd', '999999999999', '999999999998');

-- ---- a success that is taken back, and tried again ----
CALL t.canceled('back');
SELECT t.claim('back') IS NOT NULL AS claimed;
SELECT t.show(order_ext.refund_callback(t.id('r-back'), 'succeeded', 'G-back'));
SELECT t.show(order_ext.refund_callback(t.id('r-back'), 'failed', 'G-back'));
SELECT t.refund('back'), count(*) FILTER (WHERE payload->>'kind' = 'refund_answer_held' AND payload->>'reason' = 'refund_reversed') AS alerts FROM order_ext_internal.message_log WHERE topic_id = t.code('topic', 'ops.alert') AND key = t.id('back');
SELECT t.verdict('back');
SELECT t.show(order_ext.retry_refund(t.id('r-back')));
SELECT t.refund('back');
SELECT t.claim('back');
SELECT t.show(order_ext.refund_callback(t.id('r-back'), 'succeeded', 'G-back'));
SELECT t.refund('back');
SELECT t.verdict('back');

-- ---- claims ----
SELECT t.late_refund('lease');
SELECT t.claim('lease', '20 milliseconds');
SELECT t.wait_lease('lease');
SELECT t.verdict('lease');
SELECT t.claim('lease', '20 milliseconds');
SELECT t.wait_lease('lease');
SELECT t.claim('lease', '1 hour');
SELECT t.claim('lease');
SELECT t.refund('lease');
SELECT from_status, to_status, event, actor FROM order_ext.order_timeline(t.id('lease')) WHERE event ~ '^refund';
-- the answer to an earlier attempt is as good as any
SELECT t.show(order_ext.refund_callback(t.id('r-lease'), 'succeeded'));
-- as many as wanted, the oldest first
SELECT t.late_refund('many' || n) FROM generate_series(1, 5) AS n;
SELECT array_agg(c.refund_id = t.id('r-many' || n) ORDER BY n) AS oldest_first FROM order_ext.claim_refunds(3, 'w', '30 days') WITH ORDINALITY AS c(refund_id, o, p, tn, pt, a, cu, at, lu, pa, pc, re, n)
WHERE c.refund_id >= t.id('r-many1');
SELECT n, t.refund('many' || n) FROM generate_series(1, 5) AS n;
SELECT count(*) > 1 AS rest FROM order_ext.claim_refunds(1000, 'test', '30 days');
SELECT count(*) AS nothing_left FROM order_ext.claim_refunds();

-- ---- refund_policy hold; retry_refund ----
CALL t.canceled('hold', policy => 'hold');
SELECT t.refund('hold'), t.claim('hold');
SELECT t.verdict('hold');
SELECT t.show(r), (r).id = t.id('r-hold') AS the_refund, (r).detail - 'refund_id' - 'order_id' - 'payment_id' - 'after_sale_id' AS detail
FROM (SELECT order_ext.retry_refund(refund_id => t.id('r-hold')) AS r OFFSET 0) AS s;
SELECT outcome, changed FROM t.effect($$order_ext.retry_refund(t.id('r-hold'))$$);
SELECT t.claim('hold');
SELECT outcome, changed FROM t.effect($$order_ext.retry_refund(t.id('r-hold'))$$);
SELECT t.show(order_ext.refund_callback(t.id('r-hold'), 'failed'));
SELECT t.refund('hold');
SELECT t.show(order_ext.retry_refund(t.id('r-hold')));
SELECT t.refund('hold');
SELECT t.claim('hold');
SELECT t.show(order_ext.refund_callback(t.id('r-hold'), 'succeeded'));
SELECT outcome, changed FROM t.effect($$order_ext.retry_refund(t.id('r-hold'))$$);
SELECT event, actor FROM order_ext.order_timeline(t.id('hold')) WHERE event ~ '^refund' ORDER BY at, event;

-- ---- bad input stores nothing ----
SELECT call, e.* FROM (VALUES
	('claim_refunds(0)'), ('claim_refunds(-1)'), ('claim_refunds(NULL)'), ('claim_refunds(1, '''')'), ('claim_refunds(1, repeat(''x'', 129))'),
	('claim_refunds(1, NULL, NULL)'), ('claim_refunds(1, NULL, ''0'')'), ('claim_refunds(1, NULL, ''-1 s'')'), ('claim_refunds(1, NULL, ''1000 years'')'),
	('refund_callback(NULL, ''succeeded'')'), ('refund_callback(0, ''succeeded'')'), ('refund_callback(-1, ''succeeded'')'), ('refund_callback(t.id(''r-hold''), NULL)'),
	('refund_callback(t.id(''r-hold''), ''ok'')'), ('refund_callback(t.id(''r-hold''), '''')'), ('refund_callback(t.id(''r-hold''), ''succeeded'', '''')'),
	('refund_callback(t.id(''r-hold''), ''succeeded'', repeat(''x'', 129))'), ('refund_callback(t.id(''r-hold''), ''succeeded'', NULL, -1)'),
	('retry_refund(NULL)'), ('retry_refund(0)'), ('retry_refund(-5)'), ('retry_refund(999999999999)')) AS v(call),
	LATERAL t.effect('(SELECT count(*) FROM order_ext.' || call || ' AS c)') AS e;
SELECT * FROM t.error('order_ext.retry_refund(999999999999)');
SELECT * FROM t.error('order_ext.refund_callback(1, ''ok'')');
-- an over-long message of the gateway is cut, and the answer says so
SELECT t.late_refund('long');
SELECT t.show(r), (r).detail->'raw_cut' AS raw_cut FROM (SELECT order_ext.refund_callback(t.id('r-long'), 'succeeded', raw => jsonb_build_object('x', repeat('y', 300000))) AS r OFFSET 0) AS s;
SELECT raw ? 'cut' AS cut, length(raw->>'cut') < 262144 AS short FROM order_ext_internal.refunds WHERE refund_id = t.id('r-long');

SELECT t.drain();
SELECT * FROM order_ext.verify() WHERE severity = 'error';
