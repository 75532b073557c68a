-- set_risk_check: asked after the arguments and the key, before everything else.
\set VERBOSITY sqlstate
SELECT order_ext.put_product('RSK-1', 'A', 100);
SELECT available FROM order_ext.adjust_stock('RSK-1', 10);

-- the reason becomes OE004's, and the request is the whole of it
CREATE TABLE t.risk_requests (request jsonb);
CREATE FUNCTION t.risk(request jsonb) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO t.risk_requests VALUES (request);
	RETURN CASE request->'options'->>'remark' WHEN 'bad' THEN 'smells of fish' WHEN 'empty' THEN ''
		   WHEN 'broken' THEN (1 / (length(request->'options'->>'remark') - 6))::text END;
END
$$;
SELECT order_ext.set_risk_check('t.risk(jsonb)', 'regress_handlers');
SELECT t.new('rsk', 'RSK-1:1', user_id => 7130, request_id => 'rsk-1', options => '{"remark": "good"}');
SELECT request - 'items', jsonb_array_length(request->'items') AS items FROM t.risk_requests;
SELECT array_agg(k ORDER BY k COLLATE "C") FROM t.risk_requests, jsonb_object_keys(request) AS k;
SELECT code, message || coalesce(detail, '') LIKE '%smells of fish%' AS reason, hint IS NOT NULL AS has_hint
FROM t.error($$order_ext.create_order(7130, t.items('RSK-1:1'), 100, options => '{"remark": "bad"}')$$);
-- not asked for a replay, for bad arguments, or by a quote
SELECT t.go($$order_ext.create_order(7130, t.items('RSK-1:1'), 100, request_id => 'rsk-1', options => '{"remark": "good"}')$$),
	   t.go($$order_ext.create_order(7130, '[]', 100)$$),
	   t.go($$order_ext.quote_order(7130, t.items('RSK-1:1'))->'pay_amount'$$);
SELECT count(*) FROM t.risk_requests;
-- G24: what the function raises passes through as it is, and nothing is created
SELECT t.go($$order_ext.create_order(7130, t.items('RSK-1:1'), 100, options => '{"remark": "broken"}')$$);
-- also where it is what a call of ours means with OE110: it comes from a lock of the check's own
CREATE FUNCTION t.risk_busy(request jsonb) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE lock_not_available USING MESSAGE = 'blacklist is locked'; END $$;
SELECT order_ext.set_risk_check('t.risk_busy(jsonb)', 'regress_handlers');
SELECT t.go($$order_ext.create_order(7130, t.items('RSK-1:1'), 100)$$);
SELECT order_ext.set_risk_check('t.risk(jsonb)', 'regress_handlers');
-- only NULL passes
SELECT t.go($$order_ext.create_order(7130, t.items('RSK-1:1'), 100, options => '{"remark": "empty"}')$$);
SELECT count(*), t.stock('RSK-1') FROM order_ext.orders_view WHERE user_id = 7130;

-- NULL removes it
SELECT order_ext.set_risk_check(NULL);
SELECT t.go($$order_ext.create_order(7130, t.items('RSK-1:1'), 100, options => '{"remark": "bad"}')$$);

-- what it sets for the session is undone: the session is another role's
CREATE FUNCTION t.risk_settings(request jsonb) RETURNS text LANGUAGE sql
BEGIN ATOMIC
	SELECT set_config('order_ext.lock_timeout', '77ms', false);
	SELECT set_config('application_name', 'left behind', false);
	SELECT NULL::text;
END;
SELECT order_ext.set_risk_check('t.risk_settings(jsonb)', 'regress_handlers');
SELECT t.go($$order_ext.create_order(7130, t.items('RSK-1:1'), 100)$$);
SHOW order_ext.lock_timeout;
SELECT current_setting('application_name') = 'left behind' AS left_behind;
SELECT order_ext.set_risk_check(NULL);

-- a function that cannot be one is refused
CREATE FUNCTION t.risk_void(request jsonb) RETURNS void LANGUAGE sql AS '';
CREATE FUNCTION t.risk_int(request integer) RETURNS text LANGUAGE sql AS 'SELECT NULL';
SELECT t.go($$order_ext.set_risk_check('t.risk_void(jsonb)')$$), t.go($$order_ext.set_risk_check('t.risk_int(integer)')$$),
	   t.go($$order_ext.set_risk_check('t.no_such(jsonb)')$$);
SELECT t.go($$order_ext.create_order(7130, t.items('RSK-1:1'), 100)$$);

-- one that is dropped meanwhile is not silently a pass
SELECT order_ext.set_risk_check('t.risk(jsonb)', 'regress_handlers');
DROP FUNCTION t.risk(jsonb);
SELECT t.go($$order_ext.create_order(7130, t.items('RSK-1:1'), 100)$$) NOT LIKE 'applied%' AS refused;
SELECT order_ext.set_risk_check(NULL);
DROP TABLE t.risk_requests;

SELECT * FROM order_ext.verify() WHERE severity = 'error';

-- nor one of its name that belongs to somebody else
CREATE ROLE rsk_shop;
CREATE ROLE rsk_eve;
SELECT order_ext.grant_to('rsk_shop', 'operator');
GRANT USAGE, CREATE ON SCHEMA t TO rsk_shop, rsk_eve;
SET ROLE rsk_shop;
CREATE FUNCTION t.risk_own(request jsonb) RETURNS text LANGUAGE sql AS 'SELECT NULL::text';
SELECT order_ext.set_risk_check('t.risk_own(jsonb)');
RESET ROLE;
SELECT t.go($$order_ext.create_order(7130, t.items('RSK-1:1'), 100)$$) LIKE 'applied%' AS passed;
DROP FUNCTION t.risk_own(jsonb);
SET ROLE rsk_eve;
CREATE FUNCTION t.risk_own(request jsonb) RETURNS text LANGUAGE sql AS 'SELECT NULL::text';
RESET ROLE;
SELECT code, message, detail FROM t.error($$order_ext.create_order(7130, t.items('RSK-1:1'), 100)$$);
SELECT order_ext.set_risk_check(NULL);

-- the rights are those of handlers: nobody sets a function that makes its caller a superuser, nor
-- does it run when it became that afterwards; and none runs as a superuser
CREATE FUNCTION t.risk_root(request jsonb) RETURNS text LANGUAGE sql SECURITY DEFINER AS 'SELECT current_user::text';
SET ROLE rsk_shop;
SELECT code, message, detail, hint FROM t.error($$order_ext.set_risk_check('t.risk_root(jsonb)')$$);
CREATE FUNCTION t.risk_shop(request jsonb) RETURNS text LANGUAGE sql AS 'SELECT current_user::text';
SELECT order_ext.set_risk_check('t.risk_shop(jsonb)');
RESET ROLE;
SELECT code, detail FROM t.error($$order_ext.create_order(7130, t.items('RSK-1:1'), 100)$$);
ALTER FUNCTION t.risk_shop(jsonb) SECURITY DEFINER;
DO $$ BEGIN EXECUTE format('ALTER FUNCTION t.risk_shop(jsonb) OWNER TO %I', session_user); END $$;
SELECT code, message, detail, hint FROM t.error($$order_ext.create_order(7130, t.items('RSK-1:1'), 100)$$);
ALTER FUNCTION t.risk_shop(jsonb) SECURITY INVOKER;
REVOKE EXECUTE ON FUNCTION t.risk_shop(jsonb) FROM PUBLIC, rsk_shop;
SELECT code, message, detail FROM t.error($$order_ext.create_order(7130, t.items('RSK-1:1'), 100)$$);
SELECT order_ext.set_risk_check(NULL);
SET ROLE rsk_eve;
CREATE FUNCTION t.risk_eve(request jsonb) RETURNS text LANGUAGE sql AS 'SELECT current_user::text';
RESET ROLE;
SELECT code, replace(message, quote_ident(current_user), '(me)') AS message, replace(detail, quote_ident(current_user), '(me)') AS detail, hint
FROM t.error($$order_ext.set_risk_check('t.risk_eve(jsonb)')$$);
-- what the hint says works: it makes the role, too
SELECT substring(hint FROM 'CREATE ROLE.*') FROM t.error($$order_ext.set_risk_check('t.risk_eve(jsonb)')$$) \gexec
SELECT code, detail FROM t.error($$order_ext.create_order(7130, t.items('RSK-1:1'), 100)$$);
-- a role that becomes a superuser runs it no more; no order passes unchecked
ALTER ROLE order_handlers SUPERUSER;
SELECT code, message, detail FROM t.error($$order_ext.create_order(7130, t.items('RSK-1:1'), 100)$$);
SELECT severity, entity, expected, actual FROM order_ext.verify('I15') WHERE entity LIKE 'risk check%';
ALTER ROLE order_handlers NOSUPERUSER;
SELECT code, detail FROM t.error($$order_ext.create_order(7130, t.items('RSK-1:1'), 100)$$);
-- its search_path is its own: not the caller's, whose temporary tables come last
CREATE FUNCTION t.risk_path(request jsonb) RETURNS text LANGUAGE sql AS $$ SELECT current_setting('search_path') $$;
SELECT order_ext.set_risk_check('t.risk_path(jsonb)', 'order_handlers');
SET search_path = t;
SELECT code, detail FROM t.error($$order_ext.create_order(7130, t.items('RSK-1:1'), 100)$$);
SHOW search_path;
RESET search_path;
SELECT order_ext.set_risk_check(NULL);
DROP FUNCTION t.risk_root(jsonb), t.risk_shop(jsonb), t.risk_path(jsonb);
DROP OWNED BY order_handlers;
DROP ROLE order_handlers;

-- It is somebody else's session: no advisory lock of it is taken or released, and the time is limited.
CREATE FUNCTION t.risk_locks(request jsonb) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM pg_advisory_xact_lock(7130);
	EXECUTE request->'options'->>'do';
	RETURN NULL;
EXCEPTION WHEN insufficient_privilege THEN
	RETURN SQLERRM;
END $$;
CREATE FUNCTION t.risk_go(statement text, OUT code text, OUT detail text) LANGUAGE sql AS $$
	SELECT e.code, e.detail FROM t.error(format(
		$s$order_ext.create_order(7130, t.items('RSK-1:1'), 100, options => jsonb_build_object('do', %L::text))$s$, statement)) e;
$$;
GRANT EXECUTE ON FUNCTION t.risk_locks(jsonb) TO PUBLIC;
SET ROLE rsk_shop;
SELECT order_ext.set_risk_check('t.risk_locks(jsonb)');
RESET ROLE;
SELECT pg_advisory_lock(7131);
SELECT * FROM t.risk_go('SELECT 1');
SELECT * FROM t.risk_go('SELECT pg_advisory_lock(7132)');
SELECT * FROM t.risk_go('SELECT pg_try_advisory_lock_shared(7, 132)');
SELECT * FROM t.risk_go('SELECT pg_advisory_unlock_all()');
SELECT objid FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid();
SELECT pg_advisory_unlock(7131);
SET order_ext.handler_timeout = '50ms';
SELECT * FROM t.risk_go('SELECT pg_sleep(60)');
RESET order_ext.handler_timeout;
SELECT * FROM t.risk_go('SELECT 1');
SELECT order_ext.set_risk_check(NULL);
DROP FUNCTION t.risk_go;
DROP FUNCTION t.risk_locks(jsonb);

-- what set_risk_check writes, it writes with a search path that the caller cannot steer
CREATE FUNCTION t.note_path() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.risk_path VALUES (current_user, current_setting('search_path')); RETURN NEW; END $$;
CREATE TABLE public.risk_path (role text, path text);
GRANT INSERT ON public.risk_path TO order_ext_owner;
CREATE TRIGGER note_path BEFORE UPDATE ON order_ext_internal.instance FOR EACH ROW EXECUTE FUNCTION t.note_path();
SET ROLE rsk_shop;
SET search_path = t, public;
SELECT order_ext.set_risk_check(NULL);
SHOW search_path;
RESET search_path;
RESET ROLE;
SELECT * FROM public.risk_path;
DROP TRIGGER note_path ON order_ext_internal.instance;
DROP TABLE public.risk_path;
DROP FUNCTION t.note_path();
DROP OWNED BY rsk_shop, rsk_eve;
DROP ROLE rsk_shop;
DROP ROLE rsk_eve;
