-- Topics have owners: who may publish, subscribe, cancel, and who may say so.
CREATE SCHEMA mo;
CREATE ROLE regress_mo_boss;
CREATE ROLE regress_mo_one;
CREATE ROLE regress_mo_two;
CREATE ROLE regress_mo_staff;
CREATE ROLE "regress mo member";
SELECT order_ext.grant_to('regress_mo_boss', 'operator'), order_ext.grant_to('regress_mo_staff', 'operator');
SELECT order_ext.grant_to('regress_mo_one', kind), order_ext.grant_to('regress_mo_two', kind) FROM unnest('{app,worker}'::text[]) AS kind;
SELECT order_ext.grant_to('"regress mo member"', 'app');
GRANT regress_mo_two TO "regress mo member";
-- tenants with topics of their own; a test that looks into everything as them
GRANT EXECUTE ON FUNCTION order_ext.create_topic, order_ext.alter_topic, order_ext.drop_topic, order_ext.subscribe,
	order_ext.register_asset, order_ext.unregister_asset TO regress_mo_one, regress_mo_two;
GRANT USAGE ON SCHEMA t TO PUBLIC;
CREATE VIEW mo.topics AS
	SELECT topic, owner, grants FROM order_ext.topics_view WHERE topic LIKE 'mo.%' ORDER BY topic;

SET ROLE regress_mo_one;
SELECT order_ext.create_topic('mo.one'), order_ext.create_topic('mo.free');
SELECT t.go($$order_ext.publish('mo.one', 1) > 0$$) AS publish,
	t.go($$order_ext.publish('mo.one', 2, '{}', clock_timestamp() + interval '1 hour', 'key') > 0$$) AS timer,
	t.go($$order_ext.subscribe('mo.one', 'mo.one')$$) AS subscribe,
	t.go($$order_ext.register_asset('mo.one', 'mo.one')$$) AS register_asset,
	t.go($$order_ext.alter_topic('mo.one', '{"max_depth": 100}')$$) AS alter_topic;
RESET ROLE;
SELECT message_id AS timer FROM order_ext.message_trace(2) WHERE topic = 'mo.one' \gset
SELECT * FROM mo.topics;

-- what another tenant may not do with them, and the error it gets
SET ROLE regress_mo_two;
SELECT code, message, detail, hint FROM t.error($$order_ext.publish('mo.one', 1)$$);
SELECT code, message, hint FROM t.error(format('order_ext.cancel_message(%s)', :timer));
SELECT code, message, hint FROM t.error($$order_ext.subscribe('mo.two', 'mo.one')$$);
SELECT code, message, hint FROM t.error($$order_ext.register_asset('mo.two', 'mo.one')$$);
SELECT code, message, detail, hint FROM t.error($$order_ext.alter_topic('mo.one', '{}')$$);
SELECT code, message FROM t.error($$order_ext.drop_topic('mo.free')$$);
SELECT code, message FROM t.error($$order_ext.grant_topic('mo.one', 'regress_mo_two', 'publish')$$);
SELECT code, message FROM t.error($$order_ext.revoke_topic('mo.one', 'regress_mo_one', 'publish')$$);
SELECT t.go($$order_ext.unregister_asset('mo.one')$$) AS unregister, t.go($$order_ext.subscribe('mo.one', 'mo.one')$$) AS change_group,
	t.go($$order_ext.publish('mo.one', 3, '{}', NULL, 'key')$$) AS dedup_key,
	t.go($$order_ext.publish('mo.one', 3, '{}', 'infinity')$$) AS arguments_first, t.go($$order_ext.publish('mo.none', 3)$$) AS unknown;
-- the key of another's asset is not taken either
SELECT order_ext.create_topic('mo.two');
SELECT t.go($$order_ext.register_asset('mo.one', 'mo.two')$$) AS take_asset, t.go($$order_ext.register_asset('mo.two', 'mo.two')$$) AS own_asset;
-- leases of another's group, as ever
SELECT t.go($$(SELECT count(*) FROM order_ext.receive('mo.one'))$$) AS receive;
RESET ROLE;
-- operators manage topics; the privileges they must grant first, also to themselves
SET ROLE regress_mo_staff;
SELECT t.go($$order_ext.subscribe('mo.staff', 'mo.one')$$) AS subscribe, t.go(format('order_ext.cancel_message(%s)', :timer)) AS cancel,
	t.go($$order_ext.register_asset('mo.staff', 'mo.one')$$) AS register_asset, t.go($$order_ext.unregister_asset('mo.two')$$) AS unregister_asset,
	t.go($$order_ext.alter_topic('mo.one', '{"max_depth": null}')$$) AS alter_topic, t.go($$order_ext.drop_topic('mo.free')$$) AS drop_topic,
	t.go($$order_ext.grant_topic('mo.one', 'regress_mo_staff', 'subscribe')$$) AS grant_topic,
	t.go($$order_ext.subscribe('mo.staff', 'mo.one')$$) AS subscribe_then;
RESET ROLE;
-- built-in topics are everybody's who may subscribe
SET ROLE regress_mo_two;
SELECT t.go($$order_ext.subscribe('mo.paid', 'order.paid')$$) AS subscribe;
SELECT code, message, detail, hint FROM t.error($$order_ext.grant_topic('order.paid', 'regress_mo_two', 'subscribe')$$);
RESET ROLE;
-- but the group is whose it is: another one may not change it, nor have its messages; operators may
SET ROLE regress_mo_one;
SELECT * FROM t.error($$order_ext.subscribe('mo.paid', 'order.paid')$$);
RESET ROLE;
SET ROLE "regress mo member";
SELECT t.go($$order_ext.subscribe('mo.paid', 'order.paid', NULL, '{"run_as": "regress_mo_two"}')$$) AS member;
RESET ROLE;
SET ROLE regress_mo_staff;
SELECT t.go($$order_ext.subscribe('mo.paid', 'order.paid')$$) AS operator;
RESET ROLE;
SET ROLE regress_mo_two;
SELECT code, message, detail FROM t.error($$order_ext.subscribe('mo.paid', 'order.paid')$$);
SELECT t.go($$(SELECT count(*) FROM order_ext.receive('mo.paid'))$$) AS not_its_any_more;
RESET ROLE;
-- a superuser's group
SELECT order_ext.subscribe('mo.super', 'order.paid');
SET ROLE regress_mo_two;
SELECT code, message, detail FROM t.error($$order_ext.subscribe('mo.super', 'order.paid')$$);
RESET ROLE;
SELECT code, message FROM t.error($$order_ext.revoke_topic('order.paid', 'regress_mo_two', 'subscribe')$$);

-- one privilege at a time; repeated grants and revokes change nothing
CREATE FUNCTION mo.try() RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(', ', 'publish ' || t.go($x$order_ext.publish('mo.one', 9) > 0$x$),
		'cancel ' || t.go('order_ext.cancel_message(' || current_setting('mo.timer') || ')'),
		'subscribe ' || t.go($x$order_ext.subscribe('mo.try', 'mo.one')$x$)) $$;
GRANT USAGE ON SCHEMA mo TO PUBLIC;
GRANT CREATE ON SCHEMA mo TO regress_mo_one, regress_mo_two;
SELECT set_config('mo.timer', :'timer', false) IS NOT NULL AS set;
SET ROLE regress_mo_one;
SELECT order_ext.grant_topic('mo.one', 'regress_mo_two', 'publish'), order_ext.grant_topic('mo.one', 'regress_mo_two', 'publish');
SET ROLE regress_mo_two;
SELECT mo.try();
SET ROLE regress_mo_one;
SELECT order_ext.revoke_topic('mo.one', 'regress_mo_two', 'publish'), order_ext.revoke_topic('mo.one', 'regress_mo_two', 'publish');
SELECT order_ext.grant_topic('mo.one', 'regress_mo_two', 'subscribe');
SET ROLE regress_mo_two;
SELECT mo.try();
SET ROLE regress_mo_one;
SELECT order_ext.revoke_topic('mo.one', 'regress_mo_two', 'subscribe'), order_ext.grant_topic('mo.one', 'regress_mo_two', 'cancel');
RESET ROLE;
SELECT * FROM mo.topics WHERE topic = 'mo.one';
-- members have what the role has, others what their role alone has
SET ROLE "regress mo member";
SELECT t.go($$order_ext.publish('mo.one', 9)$$) AS publish;
SELECT code, message, hint FROM t.error($$order_ext.publish('mo.one', 9)$$);
SELECT t.go($$order_ext.publish('mo.two', 9) > 0$$) AS of_the_owner;
BEGIN;
SELECT order_ext.cancel_message(:timer);
ROLLBACK;
RESET ROLE;
ALTER ROLE "regress mo member" NOINHERIT;
-- from 16 on, the grant says whether it is inherited
REVOKE regress_mo_two FROM "regress mo member";
GRANT regress_mo_two TO "regress mo member";
SET ROLE "regress mo member";
SELECT t.go($$order_ext.publish('mo.two', 9) > 0$$) AS without_inherit;
RESET ROLE;
SET ROLE regress_mo_two;
SELECT order_ext.cancel_message(:timer), order_ext.cancel_message(:timer);
RESET ROLE;
-- revoked from the owner: it has everything all the same
SELECT order_ext.revoke_topic('mo.one', 'regress_mo_one', 'publish');
SET ROLE regress_mo_one;
SELECT t.go($$order_ext.publish('mo.one', 1) > 0$$) AS publish;
RESET ROLE;

-- the current user counts: not who is behind a SECURITY DEFINER function, nor the session user
CREATE FUNCTION mo.publish_as_one(topic text) RETURNS boolean LANGUAGE sql SECURITY DEFINER AS $$ SELECT order_ext.publish(topic, 5) > 0 $$;
ALTER FUNCTION mo.publish_as_one(text) OWNER TO regress_mo_one;
SET ROLE regress_mo_two;
SELECT t.go($$mo.publish_as_one('mo.one')$$) AS to_its_owners, t.go($$mo.publish_as_one('mo.two')$$) AS to_its_callers;
RESET ROLE;
-- with the transaction, and in the transaction that makes the topic
BEGIN;
SELECT order_ext.grant_topic('mo.one', 'regress_mo_two', 'publish');
SET LOCAL ROLE regress_mo_two;
SELECT t.go($$order_ext.publish('mo.one', 6) > 0$$) AS granted;
ROLLBACK;
SET ROLE regress_mo_two;
SELECT t.go($$order_ext.publish('mo.one', 6)$$) AS rolled_back;
RESET ROLE;

-- renamed, a role keeps what it has; another one of a dropped one's name gets nothing
SELECT order_ext.grant_topic('mo.two', 'regress_mo_boss', 'publish');
GRANT EXECUTE ON FUNCTION order_ext.publish TO regress_mo_boss;
ALTER ROLE regress_mo_boss RENAME TO regress_mo_chief;
SET ROLE regress_mo_chief;
SELECT t.go($$order_ext.publish('mo.two', 7) > 0$$) AS renamed;
RESET ROLE;
CREATE ROLE regress_mo_boss;
SELECT order_ext.grant_to('regress_mo_boss', 'app');
SET ROLE regress_mo_boss;
SELECT t.go($$order_ext.publish('mo.two', 7)$$) AS namesake;
RESET ROLE;
SELECT role FROM order_ext_internal.topic_grants g JOIN order_ext_internal.topics USING (topic_id) WHERE name = 'mo.two' ORDER BY 1;
SELECT order_ext.maintain() IS NOT NULL AS maintained;
SELECT role FROM order_ext_internal.topic_grants g JOIN order_ext_internal.topics USING (topic_id) WHERE name = 'mo.two' ORDER BY 1;
DROP OWNED BY regress_mo_chief, regress_mo_two;
REVOKE regress_mo_two FROM "regress mo member";
DROP ROLE regress_mo_chief, regress_mo_two;
CREATE ROLE regress_mo_two;
SELECT order_ext.grant_to('regress_mo_two', 'app');
SET ROLE regress_mo_two;
SELECT t.go($$order_ext.publish('mo.two', 8)$$) AS owners_namesake;
SELECT code, detail FROM t.error($$order_ext.publish('mo.two', 8)$$);
RESET ROLE;
SELECT * FROM mo.topics;
SELECT entity, expected, actual FROM order_ext.verify('I15') WHERE entity LIKE '%mo.%' ORDER BY 1, 2;
SELECT order_ext.maintain() IS NOT NULL AS maintained;
SELECT entity, expected, actual FROM order_ext.verify('I15') WHERE entity LIKE '%mo.%' ORDER BY 1, 2;
-- operators give it away, and owners what is theirs; nobody else, and to nobody
SET ROLE regress_mo_two;
SELECT code, message, detail FROM t.error($$order_ext.alter_topic('mo.two', '{"owner": "regress_mo_two"}')$$);
RESET ROLE;
SET ROLE regress_mo_staff;
SELECT t.go($$order_ext.alter_topic('mo.two', '{"owner": "regress_mo_one"}')$$) AS given;
SELECT * FROM t.error($$order_ext.alter_topic('mo.two', '{"owner": "regress_mo_nobody"}')$$);
SELECT t.go($$order_ext.alter_topic('mo.two', '{"owner": 1}')$$) AS no_name, t.go($$order_ext.create_topic('mo.three', '{"owner": "regress_mo_one"}')$$) AS at_creation;
SELECT t.go($$order_ext.alter_topic('order.paid', '{"owner": "regress_mo_one"}')$$) AS built_in;
RESET ROLE;
SELECT * FROM mo.topics WHERE topic = 'mo.two';
SET ROLE regress_mo_one;
SELECT t.go($$order_ext.publish('mo.two', 8) > 0$$) AS owner;
SELECT t.go($$order_ext.alter_topic('mo.two', '{"owner": null, "max_depth": 1000}')$$) AS stays;
SELECT t.go($$order_ext.alter_topic('mo.two', '{"owner": "regress mo member"}')$$) AS given_on;
SELECT t.go($$order_ext.alter_topic('mo.two', '{"max_depth": null}')$$) AS no_more;
RESET ROLE;
SELECT * FROM mo.topics WHERE topic = 'mo.two';
SELECT count(*) AS rows_left FROM order_ext_internal.topic_grants g JOIN order_ext_internal.topics USING (topic_id) WHERE name = 'mo.two';

-- a row from elsewhere finds the role of its name in this server, whatever OID it brings
BEGIN;
COPY order_ext_internal.topic_grants (topic_id, role_oid, privilege, role) FROM stdin;
0	10	publish	regress_mo_one
0	10	publish	regress mo nobody
0	10	publish	public
\.
SELECT role, role_oid = coalesce(to_regrole(quote_ident(role))::oid, 0) AS found FROM order_ext_internal.topic_grants
WHERE topic_id = 0 ORDER BY 1;
ROLLBACK;

-- bad input
SELECT call, (t.effect(call)).* FROM (VALUES
	($$order_ext.grant_topic(NULL, 'regress_mo_one', 'publish')$$),
	($$order_ext.grant_topic('mo.one', NULL, 'publish')$$),
	($$order_ext.grant_topic('mo.one', 'regress_mo_one', NULL)$$),
	($$order_ext.grant_topic('', 'regress_mo_one', 'publish')$$),
	($$order_ext.grant_topic(repeat('x', 129), 'regress_mo_one', 'publish')$$),
	($$order_ext.grant_topic('mo.none', 'regress_mo_one', 'publish')$$),
	($$order_ext.grant_topic('mo.one', 'regress_mo_nobody', 'publish')$$),
	($$order_ext.grant_topic('mo.one', '-', 'publish')$$),
	($$order_ext.grant_topic('mo.one', '4294967295', 'publish')$$),
	($$order_ext.grant_topic('mo.one', 'regress_mo_one', 'owner')$$),
	($$order_ext.grant_topic('mo.one', 'regress_mo_one', 'PUBLISH')$$),
	($$order_ext.revoke_topic(NULL, 'regress_mo_one', 'publish')$$),
	($$order_ext.revoke_topic('mo.one', NULL, 'publish')$$),
	($$order_ext.revoke_topic('mo.one', 'regress_mo_one', NULL)$$),
	($$order_ext.revoke_topic('mo.none', 'regress_mo_one', 'publish')$$),
	($$order_ext.revoke_topic('mo.one', '4294967295', 'publish')$$),
	($$order_ext.revoke_topic('mo.one', 'regress_mo_one', 'all')$$)) AS calls (call);
BEGIN READ ONLY;
SELECT t.go($$order_ext.grant_topic('mo.one', 'regress_mo_staff', 'publish')$$), t.go($$order_ext.revoke_topic('mo.one', 'regress_mo_one', 'publish')$$);
COMMIT;

SELECT order_ext.unregister_asset('mo.one');
SELECT order_ext.unsubscribe(consumer_group) FROM order_ext.subscriptions_view WHERE consumer_group LIKE 'mo.%';
SELECT order_ext.drop_topic(topic) FROM mo.topics;
SELECT count(*) AS grants_left FROM order_ext_internal.topic_grants g WHERE NOT EXISTS (SELECT FROM order_ext_internal.topics t WHERE t.topic_id = g.topic_id);
SELECT * FROM order_ext.verify() WHERE severity = 'error';
SET client_min_messages = warning;
DROP SCHEMA mo CASCADE;
RESET client_min_messages;
REVOKE USAGE ON SCHEMA t FROM PUBLIC;
DROP OWNED BY regress_mo_one, regress_mo_two, regress_mo_boss, regress_mo_staff, "regress mo member";
DROP ROLE regress_mo_one, regress_mo_two, regress_mo_boss, regress_mo_staff, "regress mo member";
