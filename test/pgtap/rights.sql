-- PUBLIC has nothing, the owner is nobody one can be, and each kind of role may call and
-- see what api says and nothing else.
BEGIN;
SELECT * FROM no_plan();

-- ---- the owner ----
SELECT is(
	(SELECT concat_ws(' ', rolcanlogin, rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls, rolinherit)
	 FROM pg_roles WHERE rolname = 'order_ext_owner'),
	'f f f f f f f', 'order_ext_owner has no attributes');
SELECT is((SELECT count(*) FROM pg_auth_members WHERE roleid = 'order_ext_owner'::regrole
		OR member = 'order_ext_owner'::regrole), 0::bigint, 'order_ext_owner has no members and is none');

CREATE TEMP VIEW members AS
	SELECT d.classid, d.objid FROM pg_depend d
	JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'order_ext'
	WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e';
SELECT is_empty($$
	SELECT n.nspname FROM pg_namespace n JOIN members m ON m.classid = 'pg_namespace'::regclass AND m.objid = n.oid
	WHERE n.nspowner <> 'order_ext_owner'::regrole
	UNION ALL
	SELECT c.relname FROM pg_class c JOIN members m ON m.classid = 'pg_class'::regclass AND m.objid = c.oid
	WHERE c.relowner <> 'order_ext_owner'::regrole
	UNION ALL
	SELECT t.typname FROM pg_type t JOIN members m ON m.classid = 'pg_type'::regclass AND m.objid = t.oid
	WHERE t.typowner <> 'order_ext_owner'::regrole
	UNION ALL
	SELECT p.proname FROM pg_proc p JOIN members m ON m.classid = 'pg_proc'::regclass AND m.objid = p.oid
	WHERE p.proowner <> 'order_ext_owner'::regrole$$, 'it owns everything');
SELECT is_empty($$
	SELECT oid::regclass FROM pg_class c
	WHERE c.relnamespace IN ('order_ext'::regnamespace, 'order_ext_internal'::regnamespace)
		AND c.relkind IN ('r', 'v', 'S')
		AND NOT EXISTS (SELECT FROM members m WHERE m.classid = 'pg_class'::regclass AND m.objid = c.oid)$$,
	'every relation of the two schemas is a member of the extension');
SELECT is_empty($$
	SELECT c.oid::regclass FROM pg_class c, pg_extension e
	WHERE e.extname = 'order_ext' AND c.relnamespace = 'order_ext_internal'::regnamespace
		AND c.relkind IN ('r', 'S') AND c.oid <> ALL (e.extconfig)$$,
	'pg_dump takes every table and sequence along');

-- ---- PUBLIC ----
SELECT is_empty($$
	SELECT what, privilege_type
	FROM (
		SELECT n.nspname::text AS what, coalesce(n.nspacl, acldefault('n', n.nspowner)) AS acl
		FROM pg_namespace n WHERE n.nspname IN ('order_ext', 'order_ext_internal')
		UNION ALL
		SELECT c.oid::regclass::text, coalesce(c.relacl, acldefault('r', c.relowner))
		FROM pg_class c
		WHERE c.relnamespace IN ('order_ext'::regnamespace, 'order_ext_internal'::regnamespace)
			AND c.relkind IN ('r', 'v', 'S')
		UNION ALL
		SELECT p.oid::regprocedure::text, coalesce(p.proacl, acldefault('f', p.proowner))
		FROM pg_proc p
		WHERE p.pronamespace IN ('order_ext'::regnamespace, 'order_ext_internal'::regnamespace)
		UNION ALL
		SELECT t.oid::regtype::text, coalesce(t.typacl, acldefault('T', t.typowner))
		FROM pg_type t JOIN pg_class c ON c.oid = t.typrelid AND c.relkind = 'c'
		WHERE t.typnamespace IN ('order_ext'::regnamespace, 'order_ext_internal'::regnamespace)) o,
		aclexplode(o.acl) a
	WHERE a.grantee <> 'order_ext_owner'::regrole$$, 'nobody but the owner has any right after CREATE EXTENSION');

-- ---- SECURITY DEFINER ----
SELECT is_empty($$
	SELECT p.oid::regprocedure FROM pg_proc p
	WHERE p.pronamespace IN ('order_ext'::regnamespace, 'order_ext_internal'::regnamespace)
		AND p.prosecdef
		AND NOT coalesce('search_path=pg_catalog, pg_temp' = ANY (p.proconfig), false)$$,
	'every SECURITY DEFINER function has a fixed search_path');
SELECT is(
	(SELECT array_agg(p.proname ORDER BY p.proname COLLATE "C") FROM pg_proc p
	 WHERE p.pronamespace = 'order_ext'::regnamespace AND NOT p.prosecdef
		AND p.proname NOT IN ('status_code', 'currency_exponent', 'state_graph', 'state_diagram', 'version')),
	ARRAY['ack', 'alter_topic', 'cancel_message', 'create_topic', 'dispatch', 'drop_topic', 'extend_lease', 'grant_to',
		'grant_topic', 'nack', 'publish', 'receive', 'register_asset', 'reschedule_message', 'revoke_from', 'revoke_topic', 'schedule_jobs', 'set_gateway',
		'set_price', 'set_risk_check', 'subscribe', 'unregister_asset', 'unschedule_jobs', 'verify', 'wait_for_messages']::name[],
	'only calls that must know their caller, grant_to and revoke_from run as the caller');

-- ---- kinds ----
CREATE ROLE "tap app";
CREATE ROLE tap_callback;
CREATE ROLE tap_operator;
CREATE ROLE tap_observer;
CREATE ROLE tap_worker;
CREATE ROLE tap_nobody;
SELECT lives_ok(format('SELECT order_ext.grant_to(%L, %L)', role, kind), 'grant_to ' || kind)
FROM (VALUES ('"tap app"', 'app'), ('tap_callback', 'callback'), ('tap_operator', 'operator'),
	('tap_observer', 'observer'), ('tap_worker', 'worker')) AS r (role, kind);

CREATE TEMP TABLE allowed (role name, functions text[], views text[]);
INSERT INTO allowed VALUES
	('tap app', '{quote_order,create_order,pre_pay_order,cancel_order,confirm_receipt,change_address,remove_order,calculate_refund,apply_after_sale,revoke_after_sale,get_order,order_timeline,allowed_actions,stock_level,list_orders,find_order,list_coupons,list_products,publish,cancel_message,reschedule_message,grant_topic,revoke_topic}', '{}'),
	('tap_callback', '{pay_callback,payment_closed,refund_callback,claim_refunds,record_refund,payment_disputed,shipment_event,fulfilment_cancel_result,report_shortage,return_shipment,return_receipt}', '{}'),
	('tap_operator', '{put_product,put_products,retire_product,list_orders,search_orders,find_order,list_coupons,list_products,put_price,put_freight,remove_freight,adjust_stock,set_stock,stock_level,issue_coupon,set_risk_check,set_price,set_channel,cancel_order,expire_orders,extend_deadline,import_orders,resolve_held_payment,resolve_fact,assign_payment,refund_order,withdraw_refund,settle_refund,retry_refund,set_pay_type,set_gateway,sandbox_set,calculate_refund,review_after_sale,close_after_sale,reopen_after_sale,resolve_damaged,create_topic,alter_topic,drop_topic,grant_topic,revoke_topic,cancel_message,reschedule_message,subscribe,unsubscribe,pause,resume,redrive,discard,replay,register_asset,unregister_asset,dispatch,schedule_jobs,unschedule_jobs,maintain,erase_buyer,export_archived,drop_archived,restore_archived,metrics,get_order,order_timeline,allowed_actions,message_trace,verify,state_graph,state_diagram}',
		'{orders_view,order_items_view,payments_view,refunds_view,sandbox_ledger,pay_types_view,disputes_view,fulfilments_view,shipment_events_view,held_facts,after_sales_view,after_sale_items_view,after_sale_events_view,coupons_view,products_view,prices_view,freight_view,stock_ledger_view,money_report,archived_orders,topics_view,subscriptions_view,dead_letters,attempt_log,parked_keys,consumer_stats,timer_stats,worker_stats}'),
	('tap_observer', '{list_orders,search_orders,find_order,list_coupons,list_products,order_timeline,allowed_actions,stock_level,message_trace,verify,metrics,state_graph,state_diagram}',
		'{orders_view,order_items_view,payments_view,refunds_view,sandbox_ledger,pay_types_view,disputes_view,fulfilments_view,shipment_events_view,held_facts,after_sales_view,after_sale_items_view,after_sale_events_view,coupons_view,products_view,prices_view,freight_view,stock_ledger_view,money_report,archived_orders,topics_view,subscriptions_view,dead_letters,attempt_log,parked_keys,consumer_stats,timer_stats,worker_stats}'),
	('tap_worker', '{publish,cancel_message,reschedule_message,grant_topic,revoke_topic,receive,ack,nack,extend_lease,wait_for_messages}', '{}'),
	('tap_nobody', '{}', '{}');
UPDATE allowed SET functions = functions || '{status_code,currency_exponent,version}' WHERE role <> 'tap_nobody';

SELECT is(
	(SELECT array_agg(p.proname::text ORDER BY p.proname::text COLLATE "C") FROM pg_proc p
	 WHERE p.pronamespace = 'order_ext'::regnamespace
		AND has_function_privilege(a.role, p.oid, 'EXECUTE')),
	(SELECT array_agg(f ORDER BY f COLLATE "C") FROM unnest(a.functions) AS f),
	a.role || ' may call this and nothing else')
FROM allowed a;
SELECT is(
	(SELECT array_agg(c.relname::text ORDER BY c.relname::text COLLATE "C") FROM pg_class c
	 WHERE c.relnamespace = 'order_ext'::regnamespace AND c.relkind IN ('r', 'v', 'S')
		AND has_any_column_privilege(a.role, c.oid, 'SELECT')),
	(SELECT array_agg(v ORDER BY v COLLATE "C") FROM unnest(a.views) AS v),
	a.role || ' may see this and nothing else')
FROM allowed a;
SELECT is_empty($$
	SELECT a.role, c.oid::regclass, privilege FROM allowed a,
		pg_class c, unnest(ARRAY['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) AS privilege
	WHERE c.relnamespace = 'order_ext'::regnamespace AND c.relkind IN ('r', 'v')
		AND has_table_privilege(a.role, c.oid, privilege)
	UNION ALL
	SELECT a.role, c.oid::regclass, 'SELECT' FROM allowed a, pg_class c
	WHERE c.relnamespace = 'order_ext_internal'::regnamespace AND c.relkind IN ('r', 'v')
		AND has_any_column_privilege(a.role, c.oid, 'SELECT, INSERT, UPDATE')$$,
	'nobody has more than SELECT, and none on tables');
SELECT is(has_schema_privilege(a.role, 'order_ext', 'USAGE'), a.role <> 'tap_nobody', a.role || ': USAGE on order_ext')
FROM allowed a;
SELECT ok(NOT has_schema_privilege(a.role, 'order_ext_internal', 'USAGE'), a.role || ': no USAGE on order_ext_internal')
FROM allowed a;
SELECT is(has_type_privilege(a.role, t.oid, 'USAGE'), a.role <> 'tap_nobody', format('%s: USAGE on %s', a.role, t.oid::regtype))
FROM allowed a, pg_type t
JOIN pg_class c ON c.oid = t.typrelid AND c.relkind = 'c'
WHERE t.typnamespace = 'order_ext'::regnamespace;

-- every name in the list of grants exists
SELECT is_empty($$
	SELECT g.kind, g.object FROM order_ext_internal.grants() g
	WHERE NOT EXISTS (SELECT FROM pg_proc p WHERE p.pronamespace = 'order_ext'::regnamespace AND p.proname = g.object)
		AND to_regclass('order_ext.' || g.object) IS NULL$$, 'grants() names nothing that is not there');

SELECT throws_ok($$SELECT order_ext.grant_to('tap_app', 'app')$$, '42704', NULL, 'grant_to: unknown role');
SELECT throws_ok($$SELECT order_ext.grant_to('-', 'app')$$, '22023', NULL, 'grant_to: no role');
SELECT throws_ok($$SELECT order_ext.grant_to('tap_nobody', 'boss')$$, '22023', NULL, 'grant_to: unknown kind');
SELECT throws_ok($$SELECT order_ext.grant_to('tap_nobody', NULL)$$, '22004', NULL, 'grant_to: NULL kind');
SELECT throws_ok($$SELECT order_ext.grant_to(NULL, 'app')$$, '22004', NULL, 'grant_to: NULL role');

-- ---- it works, as these roles ----
SELECT order_ext.put_product('tap', 'tap', 100);
SELECT available FROM order_ext.adjust_stock('tap', 10);
GRANT USAGE ON SCHEMA public TO PUBLIC;
CREATE TEMP TABLE made (order_id bigint);
GRANT ALL ON made TO PUBLIC;

SET LOCAL ROLE "tap app";
INSERT INTO made SELECT id FROM order_ext.create_order(1, '[{"sku": "tap", "quantity": 1, "attributes": {"text": "secret"}}]', 100, options => '{"address": {"street": "secret"}, "remark": "secret", "external_id": "tap order"}');
SELECT is(order_ext.get_order(order_id)->>'status', 'created', 'app: create_order, get_order') FROM made;
SELECT is(o->>'status', 'created', 'app: list_orders') FROM order_ext.list_orders(1) AS o;
SELECT is(order_ext.find_order('tap order'), order_id, 'app: find_order') FROM made;
SELECT is(p->'available', '9', 'app: list_products') FROM order_ext.list_products(search => 'tap') AS p;
SELECT is((SELECT count(*) FROM order_ext.list_coupons(1)), 0::bigint, 'app: list_coupons');
SELECT throws_ok('SELECT order_ext.search_orders(''{}'')', '42501', NULL, 'app: no search_orders');
SELECT throws_ok('SELECT order_ext.put_products(''[]'')', '42501', NULL, 'app: no put_products');
SELECT throws_ok('SELECT order_ext.retire_product(''tap'')', '42501', NULL, 'app: no retire_product');
SELECT throws_ok('SELECT order_ext.pay_callback(1, ''t'', ''x'', 1)', '42501', NULL, 'app: no pay_callback');
SELECT throws_ok('SELECT * FROM order_ext.orders_view', '42501', NULL, 'app: no views');
SELECT throws_ok('SELECT * FROM order_ext_internal.orders', '42501', NULL, 'app: no tables');
RESET ROLE;

SET LOCAL ROLE tap_callback;
SELECT is((order_ext.pay_callback(order_id, 'tap-1', 'x', 100)).disposition, 'applied', 'callback: pay_callback') FROM made;
SELECT throws_ok('SELECT order_ext.get_order(1)', '42501', NULL, 'callback: no get_order');
SELECT throws_ok('SELECT order_ext.list_orders(1)', '42501', NULL, 'callback: no list_orders');
RESET ROLE;

CREATE FUNCTION pg_temp.see(who text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	seen regclass;
	columns text;
BEGIN
	FOR seen, columns IN
		SELECT c.oid, string_agg(quote_ident(a.attname), ', ')
		FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
		WHERE c.relnamespace = 'order_ext'::regnamespace AND c.relkind = 'v'
			AND has_column_privilege(c.oid, a.attnum, 'SELECT')
		GROUP BY c.oid ORDER BY c.relname
	LOOP
		RETURN NEXT lives_ok(format('SELECT (%s)::text FROM %s', columns, seen), format('%s: %s', who, seen));
	END LOOP;
END
$$;
DO $$BEGIN EXECUTE format('GRANT USAGE ON SCHEMA %I TO PUBLIC',
	(SELECT nspname FROM pg_namespace WHERE oid = pg_my_temp_schema())); END$$;

SET LOCAL ROLE tap_operator;
SELECT pg_temp.see('operator');
SELECT lives_ok('SELECT payload, last_error FROM order_ext.dead_letters', 'operator: payloads');
SELECT lives_ok('SELECT error, last_outcome FROM order_ext.attempt_log, order_ext.refunds_view', 'operator: error messages');
SELECT lives_ok('SELECT * FROM order_ext.verify()', 'operator: verify');
SELECT lives_ok('SELECT order_ext.dispatch()', 'operator: dispatch');
SELECT is((SELECT count(*) FROM order_ext.search_orders('{"external_id": "tap order"}')), 1::bigint, 'operator: search_orders');
SELECT is(order_ext.put_products('[{"sku": "tap 2", "name": "tap", "price": 1}]'), 1, 'operator: put_products');
SELECT lives_ok('SELECT order_ext.retire_product(''tap 2'')', 'operator: retire_product');
SELECT is((order_ext.cancel_order(order_id)).status, 'canceled', 'operator: cancel_order') FROM made;
SELECT lives_ok('SELECT order_ext.dispatch()', 'operator: dispatch again');
SELECT lives_ok('SELECT order_ext.expire_orders(), order_ext.maintain()', 'operator: sweep and maintenance');
SELECT throws_ok('SELECT order_ext.grant_to(''tap_operator'', ''app'')', '42501', NULL, 'operator: no grant_to');
SELECT throws_ok('SELECT order_ext.enable_dispatch()', '42501', NULL, 'operator: no enable_dispatch');
RESET ROLE;

SET LOCAL ROLE tap_observer;
SELECT pg_temp.see('observer');
SELECT throws_ok('SELECT payload FROM order_ext.dead_letters', '42501', NULL, 'observer: no payloads');
SELECT throws_ok('SELECT last_error FROM order_ext.dead_letters', '42501', NULL, 'observer: no error messages');
SELECT throws_ok('SELECT error FROM order_ext.attempt_log', '42501', NULL, 'observer: none of attempts');
SELECT throws_ok('SELECT last_outcome FROM order_ext.refunds_view', '42501', NULL, 'observer: none of gateways');
SELECT throws_ok('SELECT order_ext.get_order(1)', '42501', NULL, 'observer: no get_order, which has the address');
SELECT is(array_agg(to_status) FILTER (WHERE to_status IS NOT NULL), '{created,paid,canceled}'::text[], 'observer: order_timeline')
FROM made, order_ext.order_timeline(order_id);
SELECT is((SELECT count(*) FROM order_ext.list_orders(1) o WHERE o->>'status' = 'canceled' AND o::text !~ 'secret|attributes|options'), 1::bigint, 'observer: list_orders');
SELECT is((SELECT count(*) FROM made, order_ext.search_orders(jsonb_build_object('id', order_id)) o WHERE o::text !~ 'secret|attributes|options'), 1::bigint, 'observer: search_orders');
SELECT is((SELECT count(*) FROM order_ext.list_coupons(1)), 0::bigint, 'observer: list_coupons');
SELECT throws_ok('SELECT order_ext.put_products(''[]'')', '42501', NULL, 'observer: no put_products');
SELECT is((SELECT count(*) FROM made, order_ext.order_timeline(order_id) t WHERE t::text ~ 'secret'), 0::bigint, 'observer: no address');
SELECT is((SELECT count(*) FROM order_ext.verify() WHERE severity = 'error'), 0::bigint, 'observer: verify');
RESET ROLE;

-- ---- topics: the kinds alone give nothing on another's ----
SELECT order_ext.create_topic('tap.boss');
SELECT order_ext.publish('tap.boss', 1, '{}', clock_timestamp() + interval '1 hour') AS timer \gset
SELECT set_config('tap.timer', :'timer', true);
CREATE FUNCTION pg_temp.refused(who text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
	RETURN NEXT throws_ok('SELECT order_ext.publish(''tap.boss'', 1)', '42501', NULL, who || ': no publish');
	RETURN NEXT throws_ok('SELECT order_ext.cancel_message(' || current_setting('tap.timer') || ')', '42501', NULL, who || ': no cancel_message');
	RETURN NEXT throws_ok('SELECT order_ext.reschedule_message(' || current_setting('tap.timer') || ', now())', '42501', NULL, who || ': no reschedule_message');
	RETURN NEXT throws_ok('SELECT order_ext.subscribe(''tap'', ''tap.boss'')', '42501', NULL, who || ': no subscribe');
	RETURN NEXT throws_ok('SELECT order_ext.register_asset(''tap'', ''tap.boss'')', '42501', NULL, who || ': no register_asset');
END
$$;
CREATE FUNCTION pg_temp.refused_rights(who text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
	RETURN NEXT throws_ok('SELECT order_ext.grant_topic(''tap.boss'', ''tap_nobody'', ''publish'')', '42501', NULL, who || ': no grant_topic');
	RETURN NEXT throws_ok('SELECT order_ext.revoke_topic(''tap.boss'', ''tap_nobody'', ''publish'')', '42501', NULL, who || ': no revoke_topic');
	RETURN NEXT throws_ok('SELECT order_ext.drop_topic(''tap.boss'')', '42501', NULL, who || ': no drop_topic');
END
$$;
SET LOCAL ROLE "tap app";
SELECT pg_temp.refused('app');
SELECT pg_temp.refused_rights('app');
SET LOCAL ROLE tap_worker;
SELECT pg_temp.refused('worker');
SELECT pg_temp.refused_rights('worker');
SET LOCAL ROLE tap_callback;
SELECT pg_temp.refused('callback');
SELECT pg_temp.refused_rights('callback');
SET LOCAL ROLE tap_observer;
SELECT pg_temp.refused('observer');
SELECT pg_temp.refused_rights('observer');
SET LOCAL ROLE tap_nobody;
SELECT pg_temp.refused('nobody');
SELECT pg_temp.refused_rights('nobody');
SET LOCAL ROLE tap_operator;
SELECT pg_temp.refused('operator');
SELECT lives_ok('SELECT order_ext.grant_topic(''tap.boss'', ''tap_operator'', privilege) FROM unnest(ARRAY[''publish'', ''subscribe'', ''cancel'']) AS privilege', 'operator: grant_topic');
SELECT lives_ok('SELECT order_ext.subscribe(''tap'', ''tap.boss''), order_ext.register_asset(''tap'', ''tap.boss'')', 'operator: what it has granted itself');
SELECT is(order_ext.reschedule_message(:timer, clock_timestamp() + interval '2 hours'), true, 'operator: reschedule_message');
SELECT is(order_ext.cancel_message(:timer), true, 'operator: cancel_message');
RESET ROLE;

SELECT * FROM finish();
ROLLBACK;
