-- What the calls of messaging refuse: bad input, what is built in, what is not there yet,
-- what needs a superuser.
CREATE SCHEMA mi;
CREATE TABLE mi.calls (line serial, expression text);
CREATE FUNCTION mi.ok(m order_ext.message) RETURNS void LANGUAGE sql AS '';
CREATE FUNCTION mi.all(m order_ext.message[]) RETURNS void LANGUAGE sql AS '';
CREATE FUNCTION mi.returns(m order_ext.message) RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION mi.takes(m jsonb) RETURNS void LANGUAGE sql AS '';
CREATE FUNCTION mi.two(m order_ext.message, n integer) RETURNS void LANGUAGE sql AS '';
CREATE PROCEDURE mi.proc(m order_ext.message) LANGUAGE sql AS '';
CREATE FUNCTION mi.srf(m order_ext.message) RETURNS SETOF void LANGUAGE sql AS '';
SELECT t.drain();
CALL t.pause_others();
SELECT order_ext.create_topic('mi.t'), order_ext.create_topic('mi.other');
SELECT t.subscribe('mi.g', 'mi.t', 'mi.ok(order_ext.message)');
SELECT order_ext.register_asset('mi.points', 'mi.t');

INSERT INTO mi.calls (expression) VALUES
	($$order_ext.create_topic(NULL)$$),
	($$order_ext.create_topic('')$$),
	($$order_ext.create_topic(repeat('x', 129))$$),
	($$order_ext.create_topic('mi.t')$$),
	($$order_ext.create_topic('order.paid')$$),
	($$order_ext.create_topic('mi.u', NULL)$$),
	($$order_ext.create_topic('mi.u', '[]')$$),
	($$order_ext.create_topic('mi.u', '"x"')$$),
	($$order_ext.create_topic('mi.u', '{"depth": 1}')$$),
	($$order_ext.create_topic('mi.u', '{"max_depth": 0}')$$),
	($$order_ext.drop_topic(NULL)$$),
	($$order_ext.drop_topic('mi.none')$$),
	($$order_ext.drop_topic('order.paid')$$),
	($$order_ext.drop_topic('mi.t')$$),
	($$order_ext.publish(NULL, 1)$$),
	($$order_ext.publish('', 1)$$),
	($$order_ext.publish('mi.t', NULL)$$),
	($$order_ext.publish('mi.t', 1, NULL)$$),
	($$order_ext.publish('mi.none', 1)$$),
	($$order_ext.publish(repeat('x', 1000000), 1)$$),
	($$order_ext.publish('order.paid', 1)$$),
	($$order_ext.publish('ops.alert', 1)$$),
	($$order_ext.publish('mi.t', 1, '{}', 'infinity')$$),
	($$order_ext.publish('mi.t', 1, '{}', '-infinity')$$),
	($$order_ext.publish('mi.t', 1, '{}', NULL, '')$$),
	($$order_ext.publish('mi.t', 1, to_jsonb(repeat('x', 300000)))$$),
	($$order_ext.subscribe(NULL, 'mi.t', 'mi.ok(order_ext.message)')$$),
	($$order_ext.subscribe('', 'mi.t', 'mi.ok(order_ext.message)')$$),
	($$order_ext.subscribe(repeat('x', 129), 'mi.t', 'mi.ok(order_ext.message)')$$),
	($$order_ext.subscribe('mi.h', NULL, 'mi.ok(order_ext.message)')$$),
	($$order_ext.subscribe('mi.h', 'mi.none', 'mi.ok(order_ext.message)')$$),
	($$order_ext.subscribe('mi.h', 'mi.t', 4294967295::oid::regprocedure)$$),
	($$order_ext.subscribe('mi.h', 'mi.t', 'mi.returns(order_ext.message)')$$),
	($$order_ext.subscribe('mi.h', 'mi.t', 'mi.takes(jsonb)')$$),
	($$order_ext.subscribe('mi.h', 'mi.t', 'mi.two(order_ext.message, integer)')$$),
	($$order_ext.subscribe('mi.h', 'mi.t', 'mi.proc(order_ext.message)')$$),
	($$order_ext.subscribe('mi.h', 'mi.t', 'mi.srf(order_ext.message)')$$),
	($$order_ext.subscribe('mi.h', 'mi.t', 'pg_catalog.count(anyelement)')$$),
	($$order_ext.subscribe('mi.h', 'mi.t', 'mi.ok(order_ext.message)', NULL)$$),
	($$order_ext.subscribe('mi.h', 'mi.t', 'mi.ok(order_ext.message)', '1')$$),
	($$order_ext.subscribe('mi.h', 'mi.t', 'mi.ok(order_ext.message)', '{"max_attempt": 1}')$$),
	($$order_ext.subscribe('mi.h', 'mi.t', 'mi.ok(order_ext.message)', '{"max_attempts": 0}')$$),
	($$order_ext.subscribe('mi.h', 'mi.t', 'mi.ok(order_ext.message)', '{"max_attempts": -1}')$$),
	($$order_ext.subscribe('mi.h', 'mi.t', 'mi.ok(order_ext.message)', '{"max_attempts": 1.5}')$$),
	($$order_ext.subscribe('mi.h', 'mi.t', 'mi.ok(order_ext.message)', '{"max_attempts": 1e300}')$$),
	($$order_ext.subscribe('mi.h', 'mi.t', 'mi.ok(order_ext.message)', '{"max_attempts": "3"}')$$),
	($$order_ext.subscribe('mi.h', 'mi.t', 'mi.ok(order_ext.message)', '{"handler_timeout": 5}')$$),
	($$order_ext.subscribe('mi.h', 'mi.t', 'mi.ok(order_ext.message)', '{"handler_timeout": "soon"}')$$),
	($$order_ext.subscribe('mi.h', 'mi.t', 'mi.ok(order_ext.message)', '{"handler_timeout": "-1 s"}')$$),
	($$order_ext.subscribe('mi.h', 'mi.t', 'mi.ok(order_ext.message)', '{"handler_timeout": "1 us"}')$$),
	($$order_ext.subscribe('mi.h', 'mi.t', 'mi.ok(order_ext.message)', '{"handler_timeout": "25 days"}')$$),
	($$order_ext.subscribe('mi.h', 'mi.t', 'mi.ok(order_ext.message)', '{"backoff": "linear"}')$$),
	($$order_ext.subscribe('mi.h', 'mi.t', 'mi.ok(order_ext.message)', '{"backoff": 1}')$$),
	($$order_ext.subscribe('mi.h', 'mi.t', 'mi.ok(order_ext.message)', '{"start": "yesterday"}')$$),
	($$order_ext.subscribe('mi.h', 'mi.t', 'mi.ok(order_ext.message)', '{"ordered": 1}')$$),
	($$order_ext.subscribe('mi.h', 'mi.t', 'mi.ok(order_ext.message)', '{"run_as": "pg_monitor"}')$$),
	($$order_ext.subscribe('mi.h', 'mi.t', 'mi.ok(order_ext.message)', '{"run_as": 1}')$$),
	($$order_ext.subscribe('mi.g', 'mi.other', 'mi.ok(order_ext.message)', '{"run_as": "regress_handlers"}')$$),
	($$order_ext.subscribe('stock.release', 'stock.release', 'mi.ok(order_ext.message)')$$),
	($$order_ext.subscribe('order.paid', 'order.paid', 'mi.ok(order_ext.message)')$$),
	($$order_ext.unsubscribe(NULL)$$),
	($$order_ext.unsubscribe('mi.none')$$),
	($$order_ext.unsubscribe('stock.release')$$),
	($$order_ext.register_asset(NULL, 'mi.t')$$),
	($$order_ext.register_asset('', 'mi.t')$$),
	($$order_ext.register_asset('mi.a', NULL)$$),
	($$order_ext.register_asset('mi.a', 'mi.none')$$),
	($$order_ext.register_asset('mi.a', 'order.paid')$$),
	($$order_ext.register_asset('stock', 'mi.t')$$),
	($$order_ext.unregister_asset(NULL)$$),
	($$order_ext.unregister_asset('mi.none')$$),
	($$order_ext.unregister_asset('coupon')$$),
	($$order_ext.pause(NULL)$$),
	($$order_ext.pause('')$$),
	($$order_ext.pause('mi.none')$$),
	($$order_ext.resume(NULL)$$),
	($$order_ext.resume('mi.none')$$),
	($$order_ext.redrive(NULL)$$),
	($$order_ext.redrive('mi.none')$$),
	($$order_ext.redrive('mi.g', 0)$$),
	($$order_ext.redrive('mi.g', -1)$$),
	($$order_ext.redrive('mi.g', NULL, '{1,NULL}')$$),
	($$order_ext.redrive('mi.g', NULL, '{{1},{2}}')$$),
	($$order_ext.redrive('mi.g', NULL, '{}', NULL)$$),
	($$order_ext.dispatch(0)$$),
	($$order_ext.dispatch(-1)$$),
	($$(SELECT count(*) FROM order_ext.message_trace(NULL))$$),
	($$(SELECT count(*) FROM order_ext.message_trace(-5))$$);
-- one line per call, and nothing is stored
SELECT expression, outcome, changed FROM mi.calls, t.effect(expression) ORDER BY line;

-- programs get an object, about an argument always
SET order_ext.error_detail = json;
SELECT expression, e.code, e.detail FROM mi.calls, t.error(expression) AS e
WHERE e.detail <> '' AND NOT t.is_object(e.detail) OR (e.code LIKE 'OE%' OR e.code IN ('22004', '22023')) AND e.detail = '';
RESET order_ext.error_detail;

-- the texts name the argument and the way out
SELECT code, message, hint FROM t.error($$order_ext.publish('mi.none', 1)$$);
SELECT code, message, hint FROM t.error($$order_ext.publish('mi.t', 1, '{}', 'infinity')$$);
SELECT code, message, detail, hint FROM t.error($$order_ext.subscribe('mi.h', 'mi.t', 'mi.takes(jsonb)')$$);
SELECT code, message, detail, hint FROM t.error($$order_ext.drop_topic('mi.t')$$);

-- the defaults may be said
SELECT order_ext.subscribe('mi.g', 'mi.t', 'mi.all(order_ext.message[])',
	jsonb_build_object('max_attempts', 16, 'backoff', 'exponential', 'ordered', false, 'start', 'now', 'run_as', 'regress_handlers'));
-- nothing is delivered in a read-only transaction, and nothing published
BEGIN READ ONLY;
SELECT t.go('order_ext.dispatch()'), t.go($$order_ext.publish('mi.t', 1)$$), t.go($$order_ext.create_topic('mi.ro')$$);
COMMIT;

-- rights: an operator may manage topics, but not run code as somebody else
CREATE ROLE regress_mi_operator;
SELECT order_ext.grant_to('regress_mi_operator', 'operator');
GRANT USAGE, CREATE ON SCHEMA mi TO regress_mi_operator;
GRANT USAGE ON SCHEMA t TO regress_mi_operator;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA t TO regress_mi_operator;
CREATE TABLE mi.who (name text);
GRANT INSERT, SELECT ON mi.who TO regress_mi_operator;
CREATE FUNCTION mi.whoami(m order_ext.message) RETURNS void LANGUAGE sql AS 'INSERT INTO mi.who VALUES (current_user)';
SELECT t.subscribe('mi.g', 'mi.t', 'mi.whoami(order_ext.message)');
SET ROLE regress_mi_operator;
SELECT order_ext.create_topic('mi.op');
CREATE FUNCTION mi.mine(m order_ext.message) RETURNS void LANGUAGE sql AS '';
SELECT t.go($$order_ext.subscribe('mi.op', 'mi.op', 'mi.mine(order_ext.message)')$$),
	t.go($$order_ext.subscribe('mi.op', 'mi.op', 'mi.ok(order_ext.message)')$$),
	t.go($$order_ext.publish('mi.op', 1)$$);
RESET ROLE;
-- nothing runs as a superuser; what the hint says works, and makes the role, too
SELECT code, replace(message, quote_ident(current_user), '(me)') AS message, replace(detail, quote_ident(current_user), '(me)') AS detail, hint
FROM t.error($$order_ext.subscribe('mi.h''s', 'mi.op', 'mi.mine(order_ext.message)', '{"max_attempts": 3}')$$);
SELECT substring(hint FROM 'CREATE ROLE.*') FROM t.error($$order_ext.subscribe('mi.h''s', 'mi.op', 'mi.mine(order_ext.message)', '{"max_attempts": 3}')$$) \gexec
SELECT handler, run_as, max_attempts FROM order_ext.subscriptions_view WHERE consumer_group = 'mi.h''s';
SELECT order_ext.unsubscribe('mi.h''s');
DROP ROLE order_handlers;
SELECT role, code, detail, hint FROM (VALUES ('pg_monitor'), ('order_ext_owner')) AS v(role),
	LATERAL t.error(format($$order_ext.subscribe('mi.h', 'mi.op', 'mi.mine(order_ext.message)', '{"run_as": "%s"}')$$, role));
-- an operator's dispatch() leaves others' handlers alone, and runs what is built in; so does a superuser's
SELECT order_ext.publish('mi.t', 1) > 0 AS published;
SET ROLE regress_mi_operator;
SELECT order_ext.dispatch() AS handled;
RESET ROLE;
SELECT order_ext.dispatch() AS handled;
SELECT t.dispatch() AS handled;
SELECT name FROM mi.who;
-- the search path and the role of a caller do not reach the engine, and come back to him
SET ROLE regress_mi_operator;
CREATE FUNCTION mi.evil(integer, integer) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN INSERT INTO mi.who VALUES ('evil ' || current_user); RETURN true; END $$;
CREATE OPERATOR mi.= (FUNCTION = mi.evil, LEFTARG = integer, RIGHTARG = integer);
SET search_path = mi, pg_catalog;
SELECT pg_catalog.count(*) FROM order_ext.dispatch();
SELECT current_user, current_setting('search_path');
RESET search_path;
RESET ROLE;
SELECT count(*) FROM mi.who WHERE name LIKE 'evil%';

-- nor does anything when its role becomes a superuser: it waits; nor a function that does so
CREATE ROLE regress_mi_hand LOGIN;
SELECT order_ext.grant_to('regress_mi_hand', 'operator');
GRANT USAGE ON SCHEMA mi TO regress_mi_hand;
GRANT INSERT ON mi.who TO regress_mi_hand;
CREATE FUNCTION mi.definer(m order_ext.message) RETURNS void LANGUAGE sql AS 'INSERT INTO mi.who VALUES (''definer'')';
SELECT order_ext.subscribe('mi.as_hand', 'mi.t', 'mi.whoami(order_ext.message)', '{"run_as": "regress_mi_hand"}');
SELECT order_ext.subscribe('mi.definer', 'mi.t', 'mi.definer(order_ext.message)', '{"run_as": "regress_mi_hand"}');
ALTER FUNCTION mi.definer(order_ext.message) SECURITY DEFINER;
SELECT code, detail, hint FROM t.error($$order_ext.subscribe('mi.definer', 'mi.t', 'mi.definer(order_ext.message)', '{"run_as": "regress_mi_hand"}')$$);
ALTER ROLE regress_mi_hand SUPERUSER;
TRUNCATE mi.who;
SELECT order_ext.publish('mi.t', 3) > 0 AS published;
SET ROLE regress_mi_hand;
SELECT order_ext.dispatch() AS handled;
RESET ROLE;
SELECT severity, entity, expected, actual FROM order_ext.verify('I15') WHERE entity IN ('group mi.as_hand', 'group mi.definer') ORDER BY entity;
ALTER ROLE regress_mi_hand NOSUPERUSER;
SET ROLE regress_mi_hand;
SELECT order_ext.dispatch() AS handled;
RESET ROLE;
SELECT name FROM mi.who;
SELECT consumer_group, last_sqlstate, last_error FROM order_ext.dead_letters WHERE consumer_group IN ('mi.as_hand', 'mi.definer') ORDER BY 1;
SELECT order_ext.unsubscribe('mi.as_hand'), order_ext.unsubscribe('mi.definer');

-- handlers have a search_path of their own, not the caller's or the database's
CREATE FUNCTION mi.path(m order_ext.message) RETURNS void LANGUAGE sql AS 'INSERT INTO mi.who VALUES (current_setting(''search_path''))';
CREATE FUNCTION mi.own_path(m order_ext.message) RETURNS void LANGUAGE sql SET search_path = mi AS 'INSERT INTO who VALUES (current_setting(''search_path''))';
SELECT order_ext.subscribe('mi.path', 'mi.t', 'mi.path(order_ext.message)', '{"run_as": "regress_mi_hand"}');
SELECT order_ext.subscribe('mi.own_path', 'mi.t', 'mi.own_path(order_ext.message)', '{"run_as": "regress_mi_hand"}');
TRUNCATE mi.who;
SELECT order_ext.publish('mi.t', 4) > 0 AS published;
SET ROLE regress_mi_hand;
SET search_path = mi, public;
SELECT order_ext.dispatch() AS handled;
SHOW search_path;
RESET search_path;
RESET ROLE;
SELECT name FROM mi.who ORDER BY 1;
SELECT order_ext.unsubscribe('mi.path'), order_ext.unsubscribe('mi.own_path');

-- in a superuser's session a handler postpones nothing until it would run as the superuser
CREATE FUNCTION mi.late() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO mi.who VALUES ('late as ' || current_user); RETURN NEW; END $$;
CREATE TABLE mi.deferring (key bigint);
GRANT INSERT ON mi.deferring TO regress_mi_hand;
CREATE CONSTRAINT TRIGGER late AFTER INSERT ON mi.deferring DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION mi.late();
CREATE FUNCTION mi.defer(m order_ext.message) RETURNS void LANGUAGE sql AS 'INSERT INTO mi.deferring VALUES (m.key)';
SELECT order_ext.subscribe('mi.defer', 'mi.t', 'mi.defer(order_ext.message)', '{"run_as": "regress_mi_hand", "max_attempts": 1}');
TRUNCATE mi.who;
SELECT order_ext.publish('mi.t', 5) > 0 AS published;
BEGIN;
SET LOCAL ROLE regress_mi_hand;
SELECT order_ext.dispatch() AS handled;
RESET ROLE;
COMMIT;
SELECT (SELECT count(*) FROM mi.who) AS late, last_sqlstate, last_error FROM order_ext.dead_letters WHERE consumer_group = 'mi.defer';
SELECT order_ext.unsubscribe('mi.defer');
DROP OWNED BY regress_mi_hand;
DROP ROLE regress_mi_hand;
SELECT t.dispatch() AS handled;
TRUNCATE mi.who;
INSERT INTO mi.who VALUES (current_user);

-- the stamp: a copy does not dispatch until it is told to
SELECT order_ext.publish('mi.t', 2) > 0 AS published;
BEGIN;
INSERT INTO order_ext_internal.database_stamp VALUES (1, 1, now() - interval '1 hour');
SELECT order_ext.publish('mi.t', 3) > 0 AS published;
COMMIT;
\c -
SELECT code, message, hint FROM t.error('order_ext.dispatch()');
SELECT order_ext.enable_dispatch();
SELECT t.dispatch() AS handled;
SELECT count(*) FROM mi.who;
SELECT order_ext.enable_dispatch();
SELECT t.dispatch() AS handled;

SELECT order_ext.unsubscribe('mi.g'), order_ext.unregister_asset('mi.points');
SELECT order_ext.drop_topic('mi.t'), order_ext.drop_topic('mi.other'), order_ext.drop_topic('mi.op');
SET client_min_messages = warning;
DROP SCHEMA mi CASCADE;
RESET client_min_messages;
DROP OWNED BY regress_mi_operator;
DROP ROLE regress_mi_operator;
CALL t.resume_others();
SELECT t.drain();
SELECT * FROM order_ext.verify() WHERE severity = 'error';
