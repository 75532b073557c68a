-- No observer reads what is in a payload: a canary that went through everything that can fail is
-- in nothing that an observer may read, though operators find it.
SELECT t.drain();
CREATE ROLE regress_canary_observer;
CREATE ROLE regress_canary_operator;
CREATE ROLE regress_canary_runner LOGIN;
SELECT order_ext.grant_to('regress_canary_observer', 'observer');
SELECT order_ext.grant_to('regress_canary_operator', 'operator');
SELECT order_ext.grant_to('regress_canary_runner', 'operator');

-- handlers and a gateway that quote what they were given
CREATE SCHEMA canary;
GRANT USAGE ON SCHEMA canary TO PUBLIC;
CREATE FUNCTION canary.dies(m order_ext.message) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION 'cannot do %', m.payload USING ERRCODE = 'OE803', DETAIL = m.payload::text;
END $$;
CREATE FUNCTION canary.fails(m order_ext.message) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM (m.payload->>'word')::integer;
END $$;
CREATE FUNCTION canary.pays(r order_ext.refund_request) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION 'yellow canary, refund %', r;
END $$;
CALL t.pause_others();
SELECT order_ext.create_topic('canary.t');
SELECT order_ext.subscribe('canary.dies', 'canary.t', 'canary.dies(order_ext.message)',
	'{"run_as": "regress_canary_runner"}');
SELECT order_ext.subscribe('canary.fails', 'canary.t', 'canary.fails(order_ext.message)',
	'{"run_as": "regress_canary_runner", "ordered": true}');
SELECT order_ext.subscribe('canary.nacks', 'canary.t');
SELECT order_ext.set_gateway('canary', 'canary.pays(order_ext.refund_request)', 'regress_canary_runner');

-- messages that fail, and one that waits behind them
SELECT order_ext.publish('canary.t', 76001, '{"word": "yellow canary"}') > 0 AS published;
SELECT order_ext.publish('canary.t', 76001, '{"word": "yellow canary"}') > 0 AS published;
SET ROLE regress_canary_runner;
SELECT order_ext.dispatch() AS succeeded;
RESET ROLE;
CALL t.resume_others();
SELECT order_ext.nack('canary.nacks', array_agg(r.token), '1 hour', 'yellow canary')
FROM order_ext.receive('canary.nacks') r;

-- an order with the canary in its address, and a refund of it that the gateway fails to make
SELECT order_ext.put_product('canary', 'canary', 100);
SELECT available FROM order_ext.adjust_stock('canary', 10);
SELECT t.new('canary', 'canary:1', options => '{"address": {"street": "yellow canary"}}');
SELECT (order_ext.pay_callback(t.id('canary'), 'T-canary', 'canary', 100)).disposition;
SELECT (order_ext.cancel_order(t.id('canary'))).disposition;
SET ROLE regress_canary_runner;
SELECT order_ext.dispatch() > 0 AS worked;
SELECT order_ext.dispatch() > 0 AS worked;
SELECT order_ext.dispatch() > 0 AS worked;
RESET ROLE;
SELECT order_ext.publish('canary.t', 76001, '{"word": "yellow canary"}', deliver_at => now() + interval '1 hour') > 0 AS armed;

-- Where the current role finds it; columns that it may not read are left out.
CREATE FUNCTION canary.found() RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	seen record;
	n bigint;
BEGIN
	FOR seen IN SELECT c.oid::regclass AS name, string_agg(quote_ident(a.attname), ', ') AS columns
		FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
		WHERE c.relnamespace = 'order_ext'::regnamespace AND c.relkind = 'v'
			AND has_column_privilege(c.oid, a.attnum, 'SELECT')
		GROUP BY c.oid ORDER BY c.relname COLLATE "C"
	LOOP
		EXECUTE format('SELECT count(*) FROM (SELECT %s FROM %s) v WHERE v::text ~ ''yellow canary''',
			seen.columns, seen.name) INTO n;
		IF n > 0 THEN
			RETURN NEXT seen.name;
		END IF;
	END LOOP;
	RETURN QUERY SELECT 'message_trace' WHERE EXISTS (
		SELECT FROM order_ext.message_trace(76001) r WHERE r::text ~ 'yellow canary');
	RETURN QUERY SELECT 'message_trace of the order' WHERE EXISTS (
		SELECT FROM order_ext.message_trace(t.id('canary')) r WHERE r::text ~ 'yellow canary');
	RETURN QUERY SELECT 'order_timeline' WHERE EXISTS (
		SELECT FROM order_ext.order_timeline(t.id('canary')) r WHERE r::text ~ 'yellow canary'
		UNION ALL
		SELECT FROM order_ext.order_timeline(t.id('canary2')) r WHERE r::text ~ 'yellow canary');
	RETURN QUERY SELECT 'verify' WHERE EXISTS (
		SELECT FROM order_ext.verify() r WHERE r::text ~ 'yellow canary');
	RETURN QUERY SELECT 'metrics' WHERE order_ext.metrics() ~ 'yellow canary';
END
$$;
GRANT USAGE ON SCHEMA t TO regress_canary_observer, regress_canary_operator;
GRANT SELECT ON t.ids TO regress_canary_observer, regress_canary_operator;
-- what buyers and staff wrote, and what came from outside
SELECT t.new('canary2', 'canary:1', options => '{"remark": "yellow canary"}');
SELECT (order_ext.pay_callback(t.id('canary2'), 'T-canary2', 'canary', 100)).disposition;
SELECT (order_ext.payment_disputed(t.id('canary2'), 'T-canary2', 'canary', 'D-canary', 'opened', raw => '{"why": "yellow canary"}')).disposition;
SELECT (order_ext.record_refund(t.id('canary2'), 'T-none', 'canary', 'R-canary', 100, raw => '{"why": "yellow canary"}')).disposition;
SELECT (order_ext.cancel_order(t.id('canary2'), 7001, reason => 'yellow canary')).disposition;
SELECT (order_ext.refund_order(t.id('canary2'), 1, reason => 'yellow canary')).disposition;

SET ROLE regress_canary_operator;
SELECT canary.found();
SET ROLE regress_canary_observer;
SELECT canary.found();
SELECT consumer_group, state, min(error) FROM order_ext.message_trace(76001) WHERE error IS NOT NULL
GROUP BY consumer_group, state ORDER BY consumer_group COLLATE "C";
SELECT consumer_group, last_sqlstate FROM order_ext.dead_letters WHERE consumer_group LIKE 'canary.%' LIMIT 1;
SELECT last_error FROM order_ext.dead_letters;
SELECT error FROM order_ext.attempt_log;
RESET ROLE;

SELECT count(order_ext.withdraw_refund(refund_id, 'over')) AS withdrawn FROM order_ext.refunds_view WHERE order_id = t.id('canary2');
SELECT (order_ext.payment_disputed(t.id('canary2'), 'T-canary2', 'canary', 'D-canary', 'won')).disposition;
REVOKE USAGE ON SCHEMA t FROM regress_canary_observer, regress_canary_operator;
SELECT order_ext.set_gateway('canary', NULL);
SELECT order_ext.unsubscribe('canary.dies'), order_ext.unsubscribe('canary.fails'), order_ext.unsubscribe('canary.nacks');
SELECT order_ext.drop_topic('canary.t');
SET client_min_messages = warning;
DROP OWNED BY regress_canary_observer, regress_canary_operator, regress_canary_runner;
DROP ROLE regress_canary_observer, regress_canary_operator, regress_canary_runner;
DROP SCHEMA canary CASCADE;
