-- Names of roles come again: whoever takes the name of a dropped or renamed role gets nothing of what
-- was registered for it, be it a handler, a gateway, the risk check or a group of external consumers.
CREATE SCHEMA rn;
GRANT USAGE ON SCHEMA rn, t TO PUBLIC;
CREATE TABLE rn.ran (n serial, what text, as_role text DEFAULT current_user);
GRANT INSERT ON rn.ran TO PUBLIC;
GRANT USAGE ON SEQUENCE rn.ran_n_seq TO PUBLIC;
CREATE FUNCTION rn.note(m order_ext.message) RETURNS void LANGUAGE sql AS $$ INSERT INTO rn.ran (what) VALUES (m.topic) $$;
CREATE FUNCTION rn.pay(r order_ext.refund_request) RETURNS text LANGUAGE sql AS $$ INSERT INTO rn.ran (what) VALUES ('refund'); SELECT 'succeeded' $$;
CREATE FUNCTION rn.check(request jsonb) RETURNS text LANGUAGE sql AS $$ INSERT INTO rn.ran (what) VALUES ('risk'); SELECT NULL::text $$;
CREATE FUNCTION rn.ran() RETURNS text LANGUAGE sql AS $$ WITH gone AS (DELETE FROM rn.ran RETURNING *) SELECT string_agg(what || ' as ' || as_role, '; ' ORDER BY n) FROM gone $$;
-- a role as an application has it; the other calls as that role
CREATE PROCEDURE rn.make(role text) LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('CREATE ROLE %I LOGIN', role);
	PERFORM order_ext.grant_to(role::regrole, 'worker');
	EXECUTE format('GRANT EXECUTE ON FUNCTION order_ext.dispatch TO %I', role);
END
$$;
CREATE PROCEDURE rn.drop(role text) LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('DROP OWNED BY %I; DROP ROLE %1$I', role);
END
$$;
CREATE FUNCTION rn.as_role(role text, expression text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	answer text;
BEGIN
	PERFORM set_config('role', role, true);
	answer := t.go(expression);
	PERFORM set_config('role', 'none', true);
	RETURN answer;
END
$$;
-- a refund for the gateway
CREATE FUNCTION rn.late_refund(name text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM t.new(name, 'RN-1:1');
	PERFORM order_ext.cancel_order(t.id(name));
	RETURN t.show(order_ext.pay_callback(t.id(name), 'T-rn-' || t.id(name), 'rn-pay', 55));
END
$$;
CREATE VIEW rn.warned AS SELECT entity, expected, actual FROM order_ext.verify('I15') WHERE entity ~ 'rn[.-]|risk check|handler of' AND expected ~ '^(role|members|the name)';

SELECT order_ext.put_product('RN-1', 'product', 55), order_ext.adjust_stock('RN-1', 100);
SELECT t.drain();
CALL t.pause_others('^(rn\.|refund\.)');
CALL rn.make('regress_rn_one');
SELECT order_ext.create_topic('rn.t'), order_ext.create_topic('rn.x');
SELECT order_ext.subscribe('rn.g', 'rn.t', 'rn.note(order_ext.message)', '{"run_as": "regress_rn_one"}'),
	order_ext.subscribe('rn.e', 'rn.x', NULL, '{"run_as": "regress_rn_one"}'),
	order_ext.set_gateway('rn-pay', 'rn.pay(order_ext.refund_request)', 'regress_rn_one');
SELECT rn.late_refund('rn-1');
SELECT order_ext.set_risk_check('rn.check(jsonb)', 'regress_rn_one');
SELECT t.drain();

-- ---- dropped, and another one of that name ----
CALL rn.drop('regress_rn_one');
SELECT order_ext.publish('rn.t', 1) > 0, order_ext.publish('rn.x', 1) > 0;
SELECT * FROM rn.warned ORDER BY 1, 2;
CALL rn.make('regress_rn_one');
SELECT rn.as_role('regress_rn_one', 'order_ext.dispatch()'), rn.ran();
SELECT consumer_group, lag, retrying, dead FROM order_ext.consumer_stats WHERE consumer_group IN ('rn.g', 'refund.execute:rn-pay') ORDER BY 1;
SELECT rn.as_role('regress_rn_one', $$(SELECT count(*) FROM order_ext.receive('rn.e', 10))$$);
SET ROLE regress_rn_one;
SELECT * FROM t.error($$(SELECT count(*) FROM order_ext.receive('rn.e', 10))$$);
RESET ROLE;
SELECT * FROM t.error($$order_ext.create_order(7001, t.items('RN-1:1'), 55)$$);
SELECT rn.ran();
SELECT * FROM rn.warned ORDER BY 1, 2;
-- upkeep takes the OID away: a dump knows no more than that it is gone
SELECT order_ext.maintain() IS NOT NULL AS maintained;
SELECT name, run_as, run_as_oid FROM order_ext_internal.consumer_groups WHERE name ~ 'rn[.-]' ORDER BY 1;
SELECT risk_role, risk_role_oid FROM order_ext_internal.instance;
SELECT rn.as_role('regress_rn_one', 'order_ext.dispatch()'), rn.ran();
SELECT * FROM rn.warned ORDER BY 1, 2;

-- registered again, it goes on with what has waited
SELECT order_ext.subscribe('rn.g', 'rn.t', 'rn.note(order_ext.message)', '{"run_as": "regress_rn_one"}'),
	order_ext.subscribe('rn.e', 'rn.x', NULL, '{"run_as": "regress_rn_one"}'),
	order_ext.set_gateway('rn-pay', 'rn.pay(order_ext.refund_request)', 'regress_rn_one'),
	order_ext.set_risk_check('rn.check(jsonb)', 'regress_rn_one');
SELECT rn.as_role('regress_rn_one', 'order_ext.dispatch()') <> '0' AS dispatched;
-- the refund is claimed in one transaction, and executed in the next
SELECT rn.as_role('regress_rn_one', 'order_ext.dispatch()') <> '0' AS dispatched;
SELECT rn.ran();
SELECT rn.as_role('regress_rn_one', $$(SELECT count(*) FROM order_ext.receive('rn.e', 10, interval '0.1 seconds'))$$);
SELECT t.new('rn-2', 'RN-1:1'), rn.ran();
SELECT count(*) AS warned FROM rn.warned;

-- ---- renamed: it keeps all of it, and another one that takes its name gets nothing ----
ALTER ROLE regress_rn_one RENAME TO regress_rn_two;
CALL rn.make('regress_rn_one');
SELECT order_ext.publish('rn.t', 2) > 0, order_ext.publish('rn.x', 2) > 0;
SELECT rn.late_refund('rn-3'), rn.ran();
SELECT t.drain();
SELECT rn.as_role('regress_rn_one', 'order_ext.dispatch()'), rn.ran();
SELECT rn.as_role('regress_rn_one', $$(SELECT count(*) FROM order_ext.receive('rn.e', 10))$$);
SELECT * FROM rn.warned ORDER BY 1, 2;
SELECT rn.as_role('regress_rn_two', 'order_ext.dispatch()') <> '0' AS dispatched;
SELECT rn.as_role('regress_rn_two', 'order_ext.dispatch()') <> '0' AS dispatched;
SELECT rn.ran();
SELECT rn.as_role('regress_rn_two', $$(SELECT count(*) FROM order_ext.receive('rn.e', 10)) > 0$$);
SELECT consumer_group, run_as FROM order_ext.subscriptions_view WHERE consumer_group ~ 'rn[.-]' ORDER BY 1;
SELECT order_ext.maintain() IS NOT NULL AS maintained;
SELECT consumer_group, run_as FROM order_ext.subscriptions_view WHERE consumer_group ~ 'rn[.-]' ORDER BY 1;
SELECT count(*) AS warned FROM rn.warned;

-- ---- the owner of a function: a namesake's function of that name does not run ----
CREATE ROLE regress_rn_owner;
GRANT CREATE, USAGE ON SCHEMA rn TO regress_rn_owner;
SELECT order_ext.grant_to('regress_rn_owner', 'worker');
SET ROLE regress_rn_owner;
CREATE FUNCTION rn.owned(m order_ext.message) RETURNS void LANGUAGE sql AS $$ INSERT INTO rn.ran (what) VALUES ('owned') $$;
CREATE FUNCTION rn.owned_check(request jsonb) RETURNS text LANGUAGE sql AS $$ INSERT INTO rn.ran (what) VALUES ('owned'); SELECT NULL::text $$;
RESET ROLE;
SELECT order_ext.subscribe('rn.g', 'rn.t', 'rn.owned(order_ext.message)', '{"run_as": "regress_rn_two", "max_attempts": 1}');
SELECT order_ext.set_risk_check('rn.owned_check(jsonb)', 'regress_rn_two');
-- renamed, it is still the owner
ALTER ROLE regress_rn_owner RENAME TO regress_rn_maker;
SELECT order_ext.publish('rn.t', 3) > 0;
SELECT rn.as_role('regress_rn_two', 'order_ext.dispatch()'), rn.ran();
SELECT t.new('rn-4', 'RN-1:1'), rn.ran();
ALTER ROLE regress_rn_maker RENAME TO regress_rn_owner;
DROP OWNED BY regress_rn_owner;
DROP ROLE regress_rn_owner;
CREATE ROLE regress_rn_owner;
GRANT CREATE, USAGE ON SCHEMA rn TO regress_rn_owner;
SELECT order_ext.grant_to('regress_rn_owner', 'worker');
SET ROLE regress_rn_owner;
CREATE FUNCTION rn.owned(m order_ext.message) RETURNS void LANGUAGE sql AS $$ INSERT INTO rn.ran (what) VALUES ('hijacked') $$;
CREATE FUNCTION rn.owned_check(request jsonb) RETURNS text LANGUAGE sql AS $$ INSERT INTO rn.ran (what) VALUES ('hijacked'); SELECT NULL::text $$;
RESET ROLE;
SELECT order_ext.publish('rn.t', 4) > 0;
SELECT rn.as_role('regress_rn_two', 'order_ext.dispatch()'), rn.ran();
SELECT last_error FROM order_ext.dead_letters WHERE consumer_group = 'rn.g';
SELECT code, message, detail FROM t.error($$order_ext.create_order(7001, t.items('RN-1:1'), 55)$$);
SELECT * FROM rn.warned ORDER BY 1, 2;

-- ---- a row from elsewhere finds the roles of its names in this server, whatever OIDs it brings ----
BEGIN;
COPY order_ext_internal.consumer_groups (group_id, topic_id, name, handler, run_as, start_at, subscriber, handler_owner, run_as_oid, subscriber_oid, handler_owner_oid) FROM stdin;
990001	1	rn.c1	rn.note(order_ext.message)	regress_rn_two	3:3:	postgres	regress_rn_owner	10	11	12
990002	1	rn.c2	rn.note(order_ext.message)	regress_rn_nobody	3:3:	\N	\N	10	\N	\N
990003	1	rn.c3	rn.note(order_ext.message)	regress_rn_two	3:3:	\N	\N	0	\N	\N
\.
COPY order_ext_internal.consumer_groups (group_id, topic_id, name, handler, run_as, start_at) FROM stdin;
990004	1	rn.c4	rn.note(order_ext.message)	regress_rn_two	3:3:
\.
SELECT name, run_as_oid = coalesce(to_regrole(run_as)::oid, 0) AS run_as, handler_owner_oid = to_regrole(handler_owner)::oid AS owner,
	subscriber_oid IS NOT DISTINCT FROM to_regrole(subscriber)::oid AS subscriber
FROM order_ext_internal.consumer_groups WHERE name LIKE 'rn.c_' ORDER BY 1;
ROLLBACK;
-- pausing is no reason to look again: only whoever registers says who it is
CALL rn.drop('regress_rn_two');
CALL rn.make('regress_rn_two');
SELECT order_ext.pause('rn.g'), order_ext.resume('rn.g');
SELECT run_as_oid = 'regress_rn_two'::regrole AS hijacked FROM order_ext_internal.consumer_groups WHERE name = 'rn.g';

SELECT order_ext.set_risk_check(NULL), order_ext.set_gateway('rn-pay', NULL), order_ext.unsubscribe('rn.g'), order_ext.unsubscribe('rn.e');
SELECT order_ext.drop_topic('rn.t'), order_ext.drop_topic('rn.x');
-- the refunds that have no gateway any more are nothing that later tests should meet
DO $$
BEGIN
	FOR i IN 1 .. 500 LOOP
		PERFORM t.dispatch();
		COMMIT;
		EXIT WHEN NOT EXISTS (SELECT FROM order_ext.consumer_stats WHERE consumer_group LIKE 'refund.%' AND lag + retrying > 0);
		PERFORM pg_sleep(0.02);
	END LOOP;
END $$;
CALL rn.drop('regress_rn_one');
CALL rn.drop('regress_rn_two');
CALL rn.drop('regress_rn_owner');
CALL t.resume_others();
CALL t.drain_all();
SELECT * FROM order_ext.verify() WHERE severity = 'error';
SET client_min_messages = warning;
DROP SCHEMA rn CASCADE;
RESET client_min_messages;
REVOKE USAGE ON SCHEMA t FROM PUBLIC;
