-- Who owns what, who may call what, and what pg_dump takes along. Everything here goes
-- over all members of the extension, so that nothing new can be forgotten; only
-- order_ext_internal.grants() names functions.

-- grants(): what each kind of role may call (functions of schema order_ext, by name) and
-- see (views, where columns are given: only those).
CREATE FUNCTION order_ext_internal.grants()
	RETURNS TABLE (kind text, object text, columns text)
	LANGUAGE sql IMMUTABLE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT kind, object, NULL
	FROM (VALUES
		('app', ARRAY['quote_order', 'create_order', 'pre_pay_order', 'cancel_order',
			'get_order', 'order_timeline', 'allowed_actions', 'stock_level', 'publish']),
		('callback', ARRAY['pay_callback']),
		('operator', ARRAY['put_product', 'put_freight', 'adjust_stock', 'stock_level',
			'issue_coupon', 'set_risk_check', 'cancel_order', 'expire_orders',
			'create_topic', 'drop_topic', 'subscribe', 'unsubscribe', 'register_asset',
			'unregister_asset', 'dispatch', 'schedule_jobs', 'unschedule_jobs', 'maintain',
			'get_order', 'order_timeline', 'allowed_actions', 'message_trace',
			'verify', 'state_graph', 'state_diagram',
			'orders_view', 'order_items_view', 'payments_view', 'refunds_view',
			'coupons_view', 'stock_ledger_view', 'money_report', 'topics_view',
			'subscriptions_view', 'dead_letters', 'consumer_stats', 'timer_stats',
			'worker_stats']),
		('observer', ARRAY['order_timeline', 'allowed_actions', 'stock_level',
			'message_trace', 'verify', 'state_graph', 'state_diagram',
			'orders_view', 'order_items_view', 'payments_view', 'refunds_view',
			'coupons_view', 'stock_ledger_view', 'money_report', 'topics_view',
			'subscriptions_view', 'consumer_stats', 'timer_stats', 'worker_stats']),
		('worker', ARRAY['publish'])
	) AS allowed (kind, objects), unnest(allowed.objects) AS object
	UNION ALL
	SELECT kind, object, NULL
	FROM unnest(ARRAY['app', 'callback', 'operator', 'observer', 'worker']) AS kind,
		unnest(ARRAY['status_code', 'version']) AS object
	UNION ALL
	-- all but the payload
	SELECT 'observer', 'dead_letters',
		'message_id, consumer_group, topic, key, attempts, last_error, last_sqlstate, died_at'
$$;
COMMENT ON FUNCTION order_ext_internal.grants() IS 'Which kind of role may call and see what.';

-- grant_to(role, kind): gives a role what its kind may call and see; it may have several
-- kinds. Superusers only, after CREATE EXTENSION and again after an update.
--   kind  app, callback, operator, observer or worker
-- Raises 22004, 22023 unknown kind.
CREATE FUNCTION order_ext.grant_to(role regrole, kind text) RETURNS void
	LANGUAGE plpgsql VOLATILE SECURITY INVOKER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	statement text;
BEGIN
	IF grant_to.role IS NULL THEN
		RAISE EXCEPTION 'argument "role" must not be NULL' USING ERRCODE = '22004';
	ELSIF grant_to.kind IS NULL THEN
		RAISE EXCEPTION 'argument "kind" must not be NULL' USING ERRCODE = '22004';
	ELSIF NOT EXISTS (SELECT FROM pg_roles r WHERE r.oid = grant_to.role) THEN
		RAISE EXCEPTION 'argument "role" is not a role' USING ERRCODE = '22023';
	ELSIF NOT EXISTS (
		SELECT FROM order_ext_internal.grants() g WHERE g.kind = grant_to.kind)
	THEN
		RAISE EXCEPTION 'argument "kind" does not know the word "%"', grant_to.kind
			USING ERRCODE = '22023',
				HINT = 'It takes one of app, callback, operator, observer, worker.';
	END IF;

	FOR statement IN
		WITH RECURSIVE allowed AS (
			SELECT g.object, g.columns FROM order_ext_internal.grants() g
			WHERE g.kind = grant_to.kind
		), allowed_view AS (
			SELECT c.oid, a.columns FROM allowed a
			JOIN pg_class c ON c.relname = a.object
				AND c.relnamespace = 'order_ext'::regnamespace AND c.relkind = 'v'
		), used_view AS (
			-- functions in a view run with the rights of who reads it, at any depth
			SELECT oid FROM allowed_view
			UNION
			SELECT d.refobjid FROM used_view u
			JOIN pg_rewrite w ON w.ev_class = u.oid
			JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid
				AND d.refclassid = 'pg_class'::regclass
			JOIN pg_class c ON c.oid = d.refobjid AND c.relkind = 'v'
		), allowed_function AS (
			SELECT p.oid FROM allowed a
			JOIN pg_proc p ON p.proname = a.object
				AND p.pronamespace = 'order_ext'::regnamespace
			UNION
			SELECT p.oid FROM used_view u
			JOIN pg_rewrite w ON w.ev_class = u.oid
			JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid
				AND d.refclassid = 'pg_proc'::regclass
			JOIN pg_proc p ON p.oid = d.refobjid AND p.pronamespace IN (
				'order_ext'::regnamespace, 'order_ext_internal'::regnamespace)
		)
		SELECT 'GRANT USAGE ON SCHEMA order_ext TO '
		UNION ALL
		SELECT format('GRANT USAGE ON TYPE %s TO ', t.oid::regtype)
		FROM pg_type t
		JOIN pg_class c ON c.oid = t.typrelid AND c.relkind = 'c'
		WHERE t.typnamespace = 'order_ext'::regnamespace
		UNION ALL
		SELECT format('GRANT EXECUTE ON FUNCTION %s TO ', f.oid::regprocedure)
		FROM allowed_function f
		UNION ALL
		SELECT format('GRANT SELECT %sON %s TO ', '(' || v.columns || ') ', v.oid::regclass)
		FROM allowed_view v
	LOOP
		EXECUTE statement || grant_to.role::text;
	END LOOP;
END
$$;
COMMENT ON FUNCTION order_ext.grant_to(regrole, text) IS 'Gives a role what its kind may call and see: app, callback, operator, observer, worker.';

-- Owner, and no rights for anybody else: what ALTER DEFAULT PRIVILEGES of the installing
-- role may have given away is taken back, too.
DO $$
DECLARE
	member record;
	statement text;
BEGIN
	FOR member IN
		SELECT d.classid, d.objid,
			CASE d.classid
				WHEN 'pg_namespace'::regclass THEN 'SCHEMA'
				WHEN 'pg_proc'::regclass THEN 'ROUTINE'
				WHEN 'pg_type'::regclass THEN 'TYPE'
				WHEN 'pg_class'::regclass THEN
					CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END
			END AS kind,
			i.identity
		FROM pg_catalog.pg_depend d
		JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid AND e.extname = 'order_ext'
		LEFT JOIN pg_catalog.pg_class c ON d.classid = 'pg_class'::regclass AND c.oid = d.objid
		CROSS JOIN LATERAL pg_catalog.pg_identify_object(d.classid, d.objid, 0) i
		WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
			-- the sequence of an identity column goes with its table
			AND NOT (coalesce(c.relkind = 'S', false) AND EXISTS (
				SELECT FROM pg_catalog.pg_depend own
				WHERE own.classid = 'pg_class'::regclass AND own.objid = d.objid
					AND own.deptype = 'i'))
		ORDER BY d.classid = 'pg_namespace'::regclass DESC, d.objid
	LOOP
		EXECUTE pg_catalog.format('ALTER %s %s OWNER TO order_ext_owner', member.kind, member.identity);
	END LOOP;

	FOR statement IN
		SELECT DISTINCT pg_catalog.format('REVOKE ALL ON %s %s FROM %s', o.kind, o.identity,
			CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END)
		FROM (
			SELECT 'SCHEMA' AS kind, n.oid::regnamespace::text AS identity,
				coalesce(n.nspacl, pg_catalog.acldefault('n', n.nspowner)) AS acl
			FROM pg_catalog.pg_namespace n
			WHERE n.nspname IN ('order_ext', 'order_ext_internal')
			UNION ALL
			SELECT CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, c.oid::regclass::text,
				coalesce(c.relacl, pg_catalog.acldefault('r', c.relowner))
			FROM pg_catalog.pg_class c
			WHERE c.relnamespace IN ('order_ext'::regnamespace, 'order_ext_internal'::regnamespace)
				AND c.relkind IN ('r', 'v', 'S')
			UNION ALL
			SELECT 'ROUTINE', p.oid::regprocedure::text,
				coalesce(p.proacl, pg_catalog.acldefault('f', p.proowner))
			FROM pg_catalog.pg_proc p
			WHERE p.pronamespace IN ('order_ext'::regnamespace, 'order_ext_internal'::regnamespace)
			UNION ALL
			SELECT 'TYPE', t.oid::regtype::text,
				coalesce(t.typacl, pg_catalog.acldefault('T', t.typowner))
			-- not the row types of tables and views: pg_dump does not know rights of those
			FROM pg_catalog.pg_type t
			JOIN pg_catalog.pg_class c ON c.oid = t.typrelid AND c.relkind = 'c'
			WHERE t.typnamespace IN ('order_ext'::regnamespace, 'order_ext_internal'::regnamespace)) o,
			pg_catalog.aclexplode(o.acl) a
		WHERE a.grantee <> 'order_ext_owner'::regrole
	LOOP
		EXECUTE statement;
	END LOOP;
END
$$;

-- What a dump takes along: the rows of every table and the state of every sequence. Rows
-- that CREATE EXTENSION makes itself are left out.
DO $$
DECLARE
	relation pg_catalog.regclass;
BEGIN
	FOR relation IN
		SELECT c.oid FROM pg_catalog.pg_class c
		WHERE c.relnamespace = 'order_ext_internal'::regnamespace AND c.relkind IN ('r', 'S')
		ORDER BY c.relname
	LOOP
		PERFORM pg_catalog.pg_extension_config_dump(relation,
			CASE WHEN EXISTS (
				SELECT FROM pg_catalog.pg_attribute a
				WHERE a.attrelid = relation AND a.attname = 'builtin')
			THEN 'WHERE NOT builtin' ELSE '' END);
	END LOOP;
END
$$;
