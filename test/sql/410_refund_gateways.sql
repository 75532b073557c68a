-- Gateways in the database: the sandbox with its switch, set_gateway, unknown outcomes, and
-- that nothing is called before its claim is committed.
SELECT t.refund_products();
SELECT order_ext.put_product('GW-1', 'A', 100);
SELECT available FROM order_ext.adjust_stock('GW-1', 1000);
CREATE FUNCTION t.ledger(name text) RETURNS text LANGUAGE sql STABLE AS $$
	SELECT concat_ws(' ', amount, outcome, 'calls ' || calls, CASE WHEN at IS NOT NULL THEN 'at' END) FROM order_ext.sandbox_ledger WHERE refund_id = t.id('r-' || name)
$$;

-- ---- claimed in one dispatch(), called by a later one ----
CALL t.postpone_others();
SELECT t.late_refund('sb', pay_type => 'sandbox');
SELECT t.dispatch() > 0 AS worked;
SELECT t.refund('sb'), t.ledger('sb');
SELECT t.dispatch() > 0 AS worked;
SELECT t.refund('sb'), t.ledger('sb');
SELECT t.show(order_ext.refund_callback(t.id('r-sb'), 'succeeded'));
-- in one transaction, too: nothing of its own claims is called
SELECT t.late_refund('sb-tx', pay_type => 'sandbox');
BEGIN;
SELECT t.dispatch() > 0 AS worked;
SELECT order_ext.dispatch() AS worked;
SELECT t.refund('sb-tx'), t.ledger('sb-tx');
COMMIT;
SELECT t.dispatch() > 0 AS worked;
SELECT t.refund('sb-tx'), t.ledger('sb-tx');
-- a cancel: the after-sale comes along
CALL t.canceled('sb-cancel', 'sandbox');
SELECT t.refund('sb-cancel');
CALL t.drain_until('sb-cancel', 'succeeded');
SELECT t.refund('sb-cancel'), t.ledger('sb-cancel');
-- external workers do not get what the workers execute
SELECT t.late_refund('sb-claim', pay_type => 'sandbox');
SELECT count(*) FROM order_ext.claim_refunds(1000, 'test', '30 days') WHERE pay_type = 'sandbox';
CALL t.drain_until('sb-claim', 'succeeded');
-- held back: not executed until retry_refund
CALL t.canceled('sb-hold', 'sandbox', 'hold');
SELECT t.dispatch() >= 0 AS worked;
SELECT t.refund('sb-hold'), t.ledger('sb-hold');
SELECT t.show(order_ext.retry_refund(t.id('r-sb-hold')));
CALL t.drain_until('sb-hold', 'succeeded');
SELECT t.refund('sb-hold'), t.ledger('sb-hold');

-- ---- the switch ----
-- failed, then retried under the same number
SELECT order_ext.sandbox_set(outcome => 'failed', times => 1);
CALL t.canceled('sb-failed', 'sandbox');
CALL t.drain_until('sb-failed', 'failed');
SELECT t.refund('sb-failed'), t.ledger('sb-failed');
SELECT t.verdict('sb-failed');
SELECT t.show(order_ext.retry_refund(t.id('r-sb-failed')));
CALL t.drain_until('sb-failed', 'succeeded');
SELECT t.refund('sb-failed'), t.ledger('sb-failed');
-- pending and vanished are neither success nor failure: asked again when the lease is over
SELECT order_ext.sandbox_set('pending', 1);
SELECT t.late_refund('sb-pending', pay_type => 'sandbox');
CALL t.drain_until('sb-pending', 'submitted');
SELECT t.dispatch() > 0 AS called;
SELECT t.refund('sb-pending'), t.ledger('sb-pending');
SELECT order_ext.sandbox_set('vanish', 2);
SELECT t.late_refund('sb-vanish', pay_type => 'sandbox');
CALL t.drain_until('sb-vanish', 'submitted');
SELECT t.dispatch() > 0 AS called;
-- the money has moved, but nobody knows
SELECT t.refund('sb-vanish'), t.ledger('sb-vanish');
SELECT t.dispatch() >= 0 AS worked;
SELECT t.refund('sb-vanish'), t.ledger('sb-vanish');
CALL t.drain_until('sb-pending', 'succeeded');
CALL t.drain_until('sb-vanish', 'succeeded');
-- one of the two used up the second vanished answer
SELECT sum(calls) AS calls, sum(amount) AS moved FROM order_ext.sandbox_ledger WHERE refund_id IN (t.id('r-sb-pending'), t.id('r-sb-vanish')) AND outcome = 'succeeded';
SELECT event, count(*) FROM order_ext.order_timeline(t.id('sb-pending')) WHERE event ~ '^refund\.(claim|succeed)' GROUP BY event ORDER BY event;
-- money that has moved stays: failed is not used up on it
SELECT order_ext.sandbox_set('failed', 1);
SELECT t.late_refund('sb-next', pay_type => 'sandbox');
CALL t.drain_until('sb-next', 'failed');
SELECT order_ext.sandbox_set('succeeded', 0);
SELECT t.show(order_ext.retry_refund(t.id('r-sb-next')));
CALL t.drain_until('sb-next', 'succeeded');
SELECT t.ledger('sb-next');
SELECT call, e.* FROM (VALUES ('sandbox_set(NULL, 1)'), ('sandbox_set(''gone'', 1)'), ('sandbox_set('''', 1)'), ('sandbox_set(''failed'', NULL)'), ('sandbox_set(''failed'', -1)')) AS v(call),
	LATERAL t.effect('(SELECT order_ext.' || call || ')') AS e;

-- ---- gateways of the application ----
CREATE TABLE t.gw_calls (refund_id bigint, request order_ext.refund_request);
CREATE FUNCTION t.gateway(r order_ext.refund_request) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO t.gw_calls VALUES (r.refund_id, r);
	PERFORM set_config('search_path', 'nonsense', false);
	RETURN 'succeeded';
END
$$;
CREATE FUNCTION t.raising(r order_ext.refund_request) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO t.gw_calls VALUES (r.refund_id, r);
	RAISE EXCEPTION 'the line is dead' USING ERRCODE = '08006';
END
$$;
CREATE FUNCTION t.odd_word(r order_ext.refund_request) RETURNS text LANGUAGE sql RETURN 'SUCCESS';
CREATE FUNCTION t.no_word(r order_ext.refund_request) RETURNS text LANGUAGE sql RETURN NULL::text;
CREATE FUNCTION t.failing(r order_ext.refund_request) RETURNS text LANGUAGE sql RETURN 'failed';
CREATE FUNCTION t.wrong_argument(r bigint) RETURNS text LANGUAGE sql RETURN 'succeeded';
CREATE FUNCTION t.wrong_result(r order_ext.refund_request) RETURNS integer LANGUAGE sql RETURN 1;
SELECT call, e.* FROM (VALUES ('set_gateway(NULL, ''t.gateway'')'), ('set_gateway('''', ''t.gateway(order_ext.refund_request)'')'),
	('set_gateway(repeat(''x'', 33), ''t.gateway(order_ext.refund_request)'')'), ('set_gateway(''own'', ''t.wrong_argument(bigint)'')'),
	('set_gateway(''own'', ''t.wrong_result(order_ext.refund_request)'')'), ('set_gateway(''own'', 0)'), ('set_gateway(''sandbox'', ''t.gateway(order_ext.refund_request)'')'),
	('set_gateway(''sandbox'', NULL)'), ('set_gateway(''own'', ''t.gateway(order_ext.refund_request)'', 0)'), ('set_gateway(''own'', NULL)')) AS v(call),
	LATERAL t.effect('(SELECT order_ext.' || call || ')') AS e;
SELECT * FROM t.error('(SELECT order_ext.set_gateway(''own'', ''t.wrong_argument(bigint)''))');
-- what has been waiting for an external worker becomes the workers'
SELECT t.late_refund('own', 77, 'own');
SELECT t.dispatch() >= 0 AS worked;
SELECT t.refund('own');
SELECT order_ext.set_gateway(pay_type => 'own', handler => 't.gateway(order_ext.refund_request)', run_as => 'regress_handlers');
CALL t.drain_until('own', 'succeeded');
SELECT t.refund('own'), c.refund_id = t.id('r-own') AS the_refund, (c.request).refund_id = c.refund_id AS same, (c.request).order_id = t.id('own') AS the_order,
	(c.request).payment_id = p.payment_id AS the_payment, (c.request).out_trade_no = p.out_trade_no AS the_number, (c.request).pay_type, (c.request).amount, (c.request).currency, (c.request).attempt
FROM t.gw_calls c, order_ext.payments_view p WHERE p.order_id = t.id('own') AND p.pay_type = 'own';
SHOW search_path;
-- unknown outcomes: an error, an unknown word, no word. What a failing call has done is undone.
TRUNCATE t.gw_calls;
SELECT order_ext.set_gateway('own-raise', 't.raising(order_ext.refund_request)', 'regress_handlers'), order_ext.set_gateway('own-odd', 't.odd_word(order_ext.refund_request)', 'regress_handlers'),
	order_ext.set_gateway('own-null', 't.no_word(order_ext.refund_request)', 'regress_handlers'), order_ext.set_gateway('own-fail', 't.failing(order_ext.refund_request)', 'regress_handlers');
SELECT t.late_refund(n, pay_type => n) FROM unnest(ARRAY['own-raise', 'own-odd', 'own-null', 'own-fail']) AS n;
CALL t.drain_until('own-fail', 'failed');
SELECT n, t.refund(n) FROM unnest(ARRAY['own-raise', 'own-odd', 'own-null', 'own-fail']) AS n;
SELECT count(*) FROM t.gw_calls;
SELECT count(*) AS dead FROM order_ext.dead_letters WHERE topic = 'refund.execute';
-- replaced by one that answers: the next attempt, under the same number, goes through
SELECT order_ext.set_gateway(n, 't.gateway(order_ext.refund_request)', 'regress_handlers') FROM unnest(ARRAY['own-raise', 'own-odd', 'own-null']) AS n;
CALL t.drain_until('own-raise', 'succeeded');
CALL t.drain_until('own-odd', 'succeeded');
CALL t.drain_until('own-null', 'succeeded');
SELECT n, t.refund(n), (SELECT count(*) FROM t.gw_calls WHERE refund_id = t.id('r-' || n)) AS calls FROM unnest(ARRAY['own-raise', 'own-odd', 'own-null']) AS n;
-- removed: external again
SELECT order_ext.set_gateway('own', NULL);
SELECT t.late_refund('own-again', 77, 'own');
SELECT t.dispatch() > 0 AS worked;
SELECT t.refund('own-again');
SELECT t.claim('own-again');
SELECT t.show(order_ext.refund_callback(t.id('r-own-again'), 'succeeded'));
-- claimed outside when the gateway came, and never heard of again: the workers' when the lease is over
SELECT t.late_refund('own-switch', 77, 'own-switch');
SELECT count(*) FROM order_ext.claim_refunds(1000, 'order_ext', '2 seconds') WHERE refund_id = t.id('r-own-switch');
SELECT order_ext.set_gateway('own-switch', 't.gateway(order_ext.refund_request)', 'regress_handlers');
SELECT t.dispatch() > 0 AS worked;
SELECT t.refund('own-switch');
CALL t.drain_until('own-switch', 'succeeded');
SELECT event, count(*) FROM order_ext.order_timeline(t.id('own-switch')) WHERE event ~ '^refund\.' GROUP BY event ORDER BY event;
-- gone: the refund waits with its reason
SELECT order_ext.set_gateway('own-gone', 't.odd_word(order_ext.refund_request)', 'regress_handlers');
DROP FUNCTION t.odd_word;
SELECT t.late_refund('own-gone', 77, 'own-gone');
CALL t.drain_until('own-gone', 'submitted');
SELECT t.dispatch() > 0 AS called;
SELECT t.refund('own-gone');
SELECT order_ext.set_gateway('own-gone', 't.gateway(order_ext.refund_request)', 'regress_handlers');
CALL t.drain_until('own-gone', 'succeeded');

-- ---- roles ----
CREATE ROLE regress_gw_operator LOGIN;
CREATE ROLE regress_gw_other LOGIN;
CREATE ROLE regress_gw_group;
SELECT order_ext.grant_to('regress_gw_operator', 'operator');
GRANT USAGE ON SCHEMA t TO regress_gw_operator, regress_gw_other;
GRANT regress_gw_group TO regress_gw_operator;
CREATE TABLE t.gw_log (said text);
GRANT INSERT ON t.gw_log TO regress_gw_operator;
CREATE FUNCTION t.gw_of_operator(r order_ext.refund_request) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO t.gw_log VALUES ('ran as ' || current_user);
	BEGIN
		EXECUTE 'SET ROLE ' || quote_ident(session_user);
		INSERT INTO t.gw_log VALUES ('became ' || current_user);
	EXCEPTION WHEN OTHERS THEN
		INSERT INTO t.gw_log VALUES ('SET ROLE: ' || SQLSTATE);
	END;
	BEGIN
		RESET ROLE;
		INSERT INTO t.gw_log VALUES ('became ' || current_user);
	EXCEPTION WHEN OTHERS THEN
		INSERT INTO t.gw_log VALUES ('RESET ROLE: ' || SQLSTATE);
	END;
	BEGIN
		CREATE TEMPORARY TABLE left_behind ();
		INSERT INTO t.gw_log VALUES ('a temporary table');
	EXCEPTION WHEN OTHERS THEN
		INSERT INTO t.gw_log VALUES ('temporary table: ' || SQLSTATE);
	END;
	RETURN 'succeeded';
END
$$;
ALTER FUNCTION t.gw_of_operator OWNER TO regress_gw_operator;
SET ROLE regress_gw_operator;
\set VERBOSITY sqlstate
SELECT order_ext.set_gateway('gw-role', 't.gw_of_operator(order_ext.refund_request)', 'regress_gw_other');
SELECT order_ext.set_gateway('gw-role', 't.gw_of_operator(order_ext.refund_request)', 'regress_gw_group');
SELECT order_ext.set_gateway('gw-role', 't.gw_of_operator(order_ext.refund_request)', 'order_ext_owner');
SELECT order_ext.set_gateway('gw-role', 't.gw_of_operator(order_ext.refund_request)');
RESET ROLE;
-- it never runs as a superuser
SELECT order_ext.set_gateway('gw-super', 't.gateway(order_ext.refund_request)');
-- others may not
SET ROLE regress_gw_other;
SELECT order_ext.set_gateway('gw-other', 't.gw_of_operator(order_ext.refund_request)');
SELECT order_ext.claim_refunds(1);
SELECT order_ext.refund_callback(1, 'succeeded');
SELECT order_ext.retry_refund(1);
SELECT order_ext.resolve_held_payment(1, 'refund');
SELECT order_ext.payment_closed(1, 'x', 'y', 'closed');
SELECT order_ext.sandbox_set('failed', 1);
SELECT * FROM order_ext.sandbox_ledger;
SELECT * FROM order_ext.after_sales_view;
\set VERBOSITY default
RESET ROLE;
-- somebody else's dispatch() does not run it, a superuser's neither; the role's own does
SELECT t.late_refund('gw-role', 55, 'gw-role');
SELECT t.drain();
SELECT t.refund('gw-role'), count(*) AS said FROM t.gw_log;
SET ROLE regress_gw_operator;
SELECT order_ext.dispatch() > 0 AS claimed;
SELECT order_ext.dispatch() > 0 AS called;
RESET ROLE;
SELECT t.refund('gw-role');
SELECT said FROM t.gw_log;
SELECT current_user = session_user AS still_me;
-- what each kind may call
CREATE FUNCTION t.may(role text) RETURNS SETOF text LANGUAGE sql AS $$
	SELECT p.proname FROM pg_proc p WHERE p.pronamespace = 'order_ext'::regnamespace AND has_function_privilege(role, p.oid, 'execute')
		AND p.proname IN ('claim_refunds', 'refund_callback', 'retry_refund', 'resolve_held_payment', 'payment_closed', 'set_gateway', 'sandbox_set')
	UNION ALL
	SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'order_ext'::regnamespace AND c.relkind = 'v' AND has_table_privilege(role, c.oid, 'select')
		AND c.relname IN ('after_sales_view', 'after_sale_items_view', 'sandbox_ledger', 'refunds_view', 'money_report')
	ORDER BY 1
$$;
SELECT order_ext.grant_to('regress_gw_other', 'callback');
SELECT 'callback' AS kind, array_agg(m) FROM t.may('regress_gw_other') AS m UNION ALL SELECT 'operator', array_agg(m) FROM t.may('regress_gw_operator') AS m;
-- the queue of a callback role, by itself
SET ROLE regress_gw_other;
SELECT count(*) FROM order_ext.claim_refunds(1000, 'me', '30 days');
RESET ROLE;

-- ---- a gateway is a consumer group ----
SELECT handler, run_as, subscriber, builtin FROM order_ext.subscriptions_view WHERE consumer_group = 'refund.execute:gw-role';
\set VERBOSITY sqlstate
SELECT order_ext.unsubscribe('refund.execute:gw-role');
SELECT order_ext.subscribe('refund.execute:gw-role', 'refund.execute');
SELECT order_ext.subscribe('refund.execute:gw-taken', 'refund.execute');
SELECT order_ext.set_gateway('gw-taken', 't.gateway(order_ext.refund_request)', 'regress_handlers');
\set VERBOSITY default
SELECT order_ext.unsubscribe('refund.execute:gw-taken');
SELECT order_ext.set_gateway('gw-taken', NULL);
-- a function that makes its caller a superuser, and one that its role may not execute
CREATE FUNCTION t.gw_definer(r order_ext.refund_request) RETURNS text LANGUAGE sql SECURITY DEFINER RETURN 'succeeded';
CREATE FUNCTION t.gw_secret(r order_ext.refund_request) RETURNS text LANGUAGE sql RETURN 'succeeded';
REVOKE EXECUTE ON FUNCTION t.gw_secret FROM PUBLIC;
SET ROLE regress_gw_operator;
SELECT order_ext.set_gateway('gw-definer', 't.gw_definer(order_ext.refund_request)');
SELECT order_ext.set_gateway('gw-definer', 't.gw_secret(order_ext.refund_request)');
RESET ROLE;
-- paused, it waits; another function and role take over where it stood, and nothing is called twice
SELECT order_ext.pause('refund.execute:gw-role');
TRUNCATE t.gw_calls, t.gw_log;
SELECT t.late_refund('gw-paused', 55, 'gw-role');
SET ROLE regress_gw_operator;
SELECT order_ext.dispatch() >= 0 AS worked;
RESET ROLE;
SELECT t.refund('gw-paused');
SELECT order_ext.set_gateway('gw-role', 't.gateway(order_ext.refund_request)', 'regress_handlers');
SELECT order_ext.resume('refund.execute:gw-role');
SET ROLE regress_gw_operator;
SELECT order_ext.dispatch() >= 0 AS worked;
RESET ROLE;
CALL t.drain_until('gw-paused', 'succeeded');
SELECT t.refund('gw-paused'), (SELECT count(*) FROM t.gw_calls WHERE refund_id = t.id('r-gw-paused')) AS calls, (SELECT count(*) FROM t.gw_log) AS said;
-- its role does not exist: verify() says which messages wait
CREATE ROLE regress_gw_gone LOGIN;
SELECT order_ext.set_gateway('gw-role', 't.gateway(order_ext.refund_request)', 'regress_gw_gone');
ALTER ROLE regress_gw_gone NOLOGIN;
SELECT t.late_refund('gw-gone', 55, 'gw-role');
SELECT t.drain();
SELECT severity, expected, actual FROM order_ext.verify('I15') WHERE entity = 'group refund.execute:gw-role';
DROP ROLE regress_gw_gone;
SELECT t.drain();
SELECT severity, expected, actual FROM order_ext.verify('I15') WHERE entity = 'group refund.execute:gw-role';
SELECT t.refund('gw-gone');
SELECT order_ext.set_gateway('gw-role', 't.gateway(order_ext.refund_request)', 'regress_handlers');
CALL t.drain_until('gw-gone', 'succeeded');
SELECT t.refund('gw-gone');
-- removed, its group goes; what it was about is for external workers again
SELECT order_ext.set_gateway('gw-role', NULL);
SELECT count(*) FROM order_ext.subscriptions_view WHERE consumer_group = 'refund.execute:gw-role';
-- set in REPEATABLE READ: what its snapshot does not show is read by the new group, the rest published again
SELECT t.late_refund('gw-rr', 55, 'gw-rr');
SELECT t.drain();
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT order_ext.set_gateway('gw-rr', 't.gateway(order_ext.refund_request)', 'regress_handlers');
COMMIT;
CALL t.drain_until('gw-rr', 'succeeded');
SELECT count(order_ext.set_gateway(g.pay_type, NULL)) FROM order_ext_internal.gateways g WHERE NOT g.builtin;
SELECT count(*) FROM order_ext.subscriptions_view WHERE consumer_group LIKE 'refund.execute:%';
DROP OWNED BY regress_gw_operator, regress_gw_other, regress_gw_group CASCADE;
DROP ROLE regress_gw_operator, regress_gw_other, regress_gw_group;

SELECT t.drain();
SELECT * FROM order_ext.verify() WHERE severity = 'error';

-- ---- a gateway of an old spelling, which the update to 0.6 kept beside another one, can be removed ----
CREATE FUNCTION t.gateways_like(word text) RETURNS text LANGUAGE sql VOLATILE
	RETURN (SELECT string_agg(pay_type, ', ' ORDER BY pay_type COLLATE "C") FROM order_ext_internal.gateways WHERE lower(btrim(pay_type)) = $1);
CREATE FUNCTION t.old_gateways() RETURNS void LANGUAGE sql SET session_replication_role = replica
	AS $$ INSERT INTO order_ext_internal.gateways (pay_type, handler) VALUES ('OldPay', 'x'), ('oldpay', 'x'), (' oldPAY', 'x') $$;
SELECT t.old_gateways(), t.gateways_like('oldpay');
SELECT order_ext.set_gateway('OldPay', NULL), t.gateways_like('oldpay');
SELECT order_ext.set_gateway('OLDPAY', NULL), t.gateways_like('oldpay');
SELECT order_ext.set_gateway('OLDPAY', NULL), t.gateways_like('oldpay');
