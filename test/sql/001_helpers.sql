-- What the test files share: orders by name (ids differ from run to run and are never
-- printed), results as one line, digests that show whether a call changed anything.
CREATE SCHEMA t;
CREATE TABLE t.ids (name text PRIMARY KEY, id bigint NOT NULL);

-- The id remembered under a name.
CREATE FUNCTION t.id(name text) RETURNS bigint LANGUAGE sql STABLE
	RETURN (SELECT i.id FROM t.ids i WHERE i.name = $1);

CREATE FUNCTION t.remember(name text, id bigint) RETURNS void LANGUAGE sql
BEGIN ATOMIC
	INSERT INTO t.ids VALUES ($1, $2) ON CONFLICT ON CONSTRAINT ids_pkey DO UPDATE SET id = excluded.id;
END;

-- 'A:2,B:1:red,#3:1' as items: B has the attributes {"color": "red"}, #3 is the line's number.
CREATE FUNCTION t.items(list text) RETURNS jsonb LANGUAGE sql IMMUTABLE
	RETURN (SELECT jsonb_agg(CASE WHEN part[1] LIKE '#%' THEN jsonb_build_object('line', substr(part[1], 2)::integer)
								  ELSE jsonb_build_object('sku', part[1]) END
							 || jsonb_build_object('quantity', part[2]::integer)
							 || CASE WHEN part[3] IS NULL THEN '{}'
									 ELSE jsonb_build_object('attributes', jsonb_build_object('color', part[3])) END ORDER BY n)
			FROM string_to_table(list, ',') WITH ORDINALITY AS l(line, n), string_to_array(line, ':') AS part);

-- A result without its id and detail.
CREATE FUNCTION t.show(r order_ext.result) RETURNS text LANGUAGE sql
	RETURN concat_ws(' ', (r).disposition, (r).status, 'v' || (r).version);

-- Create an order for what the server asks for, and remember it.
CREATE FUNCTION t.new(name text, items text, coupon_id bigint DEFAULT NULL,
					  pay_timeout interval DEFAULT NULL, user_id bigint DEFAULT 7001,
					  options jsonb DEFAULT '{}', request_id text DEFAULT NULL)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	amount bigint := order_ext.quote_order(user_id, t.items(items), coupon_id, options)->>'pay_amount';
	r order_ext.result;
BEGIN
	r := order_ext.create_order(user_id, t.items(items), amount, coupon_id, pay_timeout, request_id, options);
	PERFORM t.remember(name, r.id);
	RETURN t.show(r);
END
$$;

-- What the order pays, for calls that must name it.
CREATE FUNCTION t.due(name text) RETURNS bigint LANGUAGE sql STABLE
	RETURN (SELECT pay_amount FROM order_ext.orders_view WHERE order_id = t.id($1));

-- Wait until the order's deadline is over (the deadline itself is the condition).
CREATE FUNCTION t.wait_due(name text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	deadline timestamptz := (SELECT expire_at FROM order_ext.orders_view WHERE order_id = t.id(name));
BEGIN
	IF deadline IS NULL OR deadline > clock_timestamp() + interval '10 seconds' THEN
		RAISE EXCEPTION '% has no near deadline: %', name, deadline;
	END IF;
	WHILE clock_timestamp() <= deadline LOOP
		PERFORM pg_sleep(0.005);
	END LOOP;
END
$$;

-- Handlers of the tests run as this role; it may use what the test files make.
DO $$
BEGIN
	IF to_regrole('regress_handlers') IS NULL THEN
		CREATE ROLE regress_handlers LOGIN;
	END IF;
END
$$;
SELECT order_ext.grant_to('regress_handlers', kind) FROM unnest(ARRAY['app', 'operator', 'worker']) AS kind;
GRANT USAGE ON SCHEMA t TO regress_handlers;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA t TO regress_handlers;
ALTER DEFAULT PRIVILEGES GRANT USAGE ON SCHEMAS TO regress_handlers;
ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO regress_handlers;
ALTER DEFAULT PRIVILEGES GRANT ALL ON SEQUENCES TO regress_handlers;

-- The code of a name: t.code('refund_status', 'failed'); order_ext_internal.codes() lists them.
CREATE FUNCTION t.code(code_set text, code_name text) RETURNS smallint LANGUAGE plpgsql STABLE AS $$
DECLARE
	found smallint;
BEGIN
	SELECT code INTO STRICT found FROM order_ext_internal.codes() c WHERE c.set = code_set AND c.name = code_name;
	RETURN found;
END
$$;

-- subscribe(), with handlers that run so, and may publish to the topic.
CREATE FUNCTION t.subscribe(consumer_group text, topic text, handler regprocedure DEFAULT NULL, options jsonb DEFAULT '{}')
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	IF handler IS NULL THEN
		PERFORM order_ext.subscribe(consumer_group, topic, handler, options);
	ELSE
		PERFORM order_ext.subscribe(consumer_group, topic, handler, options || '{"run_as": "regress_handlers"}');
		PERFORM order_ext.grant_topic($2, 'regress_handlers', 'publish')
		FROM order_ext.topics_view v WHERE v.topic = $2 AND NOT v.builtin;
	END IF;
END
$$;

-- dispatch(), which runs them.
CREATE FUNCTION t.dispatch(max_messages integer DEFAULT NULL) RETURNS bigint LANGUAGE plpgsql
SET role = regress_handlers AS $$
BEGIN
	RETURN order_ext.dispatch(max_messages);
END
$$;

-- From here to t.resume_others() only groups whose names match, or that are subscribed meanwhile, are
-- delivered to: timers and retries of other files that become due wait for that.
CREATE TABLE t.paused (consumer_group text PRIMARY KEY);
CREATE PROCEDURE t.pause_others(own text DEFAULT NULL) LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO t.paused SELECT consumer_group FROM order_ext.subscriptions_view
	WHERE NOT paused AND (consumer_group ~ own) IS NOT TRUE;
	PERFORM order_ext.pause(consumer_group) FROM t.paused;
END
$$;
CREATE PROCEDURE t.resume_others() LANGUAGE plpgsql AS $$
BEGIN
	PERFORM order_ext.resume(consumer_group) FROM t.paused JOIN order_ext.subscriptions_view USING (consumer_group);
	DELETE FROM t.paused;
END
$$;

-- No unpaid order of another file is due before this one has ended; its messages go to groups that
-- cannot be paused for that.
CREATE PROCEDURE t.postpone_others() LANGUAGE plpgsql AS $$
BEGIN
	PERFORM order_ext.extend_deadline(order_id, clock_timestamp() + interval '1 day') FROM order_ext.orders_view
	WHERE status = 'created' AND expire_at < clock_timestamp() + interval '1 hour';
END
$$;

-- Deliver everything that is due.
CREATE FUNCTION t.drain() RETURNS void LANGUAGE sql AS $$ SELECT t.dispatch() $$;

-- Until dispatch() finds nothing: what it has itself published and delivered is behind its groups
-- only when the next one has passed it.
CREATE PROCEDURE t.drain_all() LANGUAGE plpgsql AS $$
DECLARE
	handled bigint;
BEGIN
	FOR i IN 1..3000 LOOP
		handled := t.dispatch();
		COMMIT;
		EXIT WHEN handled = 0;
	END LOOP;
END
$$;

CREATE FUNCTION t.order(name text) RETURNS text LANGUAGE sql STABLE
	RETURN (SELECT concat_ws(' ', status, 'v' || version, pay_amount, currency, cancel_type,
							 CASE WHEN paid_at IS NOT NULL THEN 'paid_at' END,
							 CASE WHEN canceled_at IS NOT NULL THEN 'canceled_at' END)
			FROM order_ext.orders_view WHERE order_id = t.id($1));

-- Trade numbers that the tests made up begin with T-; others are the server's own.
CREATE FUNCTION t.payments(name text) RETURNS SETOF text LANGUAGE sql STABLE
BEGIN ATOMIC
	SELECT concat_ws(' ', status, purpose, amount, currency, pay_type,
					 CASE WHEN out_trade_no LIKE 'T-%' THEN out_trade_no ELSE '(own number)' END,
					 CASE WHEN captured_at IS NOT NULL THEN 'captured_at' END)
	FROM order_ext.payments_view WHERE order_id = t.id($1) ORDER BY payment_id;
END;

CREATE FUNCTION t.refunds(name text) RETURNS SETOF text LANGUAGE sql STABLE
BEGIN ATOMIC
	SELECT concat_ws(' ', r.cause, r.status, r.amount, r.currency, 'of', p.pay_type, p.out_trade_no)
	FROM order_ext.refunds_view r JOIN order_ext.payments_view p USING (payment_id)
	WHERE r.order_id = t.id($1) ORDER BY p.out_trade_no, r.refund_id;
END;

-- How many messages of each topic carry the order's id.
CREATE FUNCTION t.messages(name text) RETURNS text LANGUAGE sql
	RETURN (SELECT string_agg(topic || CASE WHEN n > 1 THEN ' x' || n ELSE '' END, ', ' ORDER BY topic COLLATE "C")
			FROM (SELECT topic, count(DISTINCT message_id) AS n
				  FROM order_ext.message_trace(t.id($1)) GROUP BY topic) AS m);

CREATE FUNCTION t.stock(sku text) RETURNS text LANGUAGE sql
	RETURN (SELECT format('available %s, reserved %s, consumed %s', available, reserved, consumed)
			FROM order_ext.stock_level($1));

CREATE FUNCTION t.coupon(coupon_id bigint) RETURNS text LANGUAGE sql STABLE
	RETURN (SELECT concat_ws(' ', c.status, 'by ' || coalesce(i.name, c.order_id::text))
			FROM order_ext.coupons_view c LEFT JOIN t.ids i ON i.id = c.order_id
			WHERE c.coupon_id = $1);

-- As if its window were over.
CREATE FUNCTION t.end_coupon(coupon_id bigint) RETURNS void LANGUAGE sql SET session_replication_role = replica
BEGIN ATOMIC
	UPDATE order_ext_internal.coupons SET valid_until = clock_timestamp() - interval '1 ms' WHERE coupons.coupon_id = $1;
END;

-- Every stored row version, table by table: an update to equal values shows too.
-- The sweep's note of how far it has come is not looked at; it moves with the clock.
CREATE FUNCTION t.digest() RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	tab regclass;
	rows text;
	result jsonb := '{}';
BEGIN
	FOR tab IN SELECT oid FROM pg_class
		WHERE relnamespace = 'order_ext_internal'::regnamespace AND relkind = 'r' AND relname <> 'sweep_progress' LOOP
		EXECUTE format('SELECT count(*) || '' '' || coalesce(sum(hashtidextended(ctid, xmin::text::bigint)), 0) FROM %s', tab)
			INTO rows;
		result := result || jsonb_build_object(tab::text, rows);
	END LOOP;
	RETURN result;
END
$$;

-- The tables that differ from an earlier digest; NULL if none does.
CREATE FUNCTION t.changed_since(before jsonb) RETURNS text LANGUAGE sql
	RETURN (SELECT string_agg(replace(key, 'order_ext_internal.', ''), ', ' ORDER BY key COLLATE "C")
			FROM jsonb_each_text(t.digest()) WHERE value IS DISTINCT FROM before->>key);

-- Evaluate an expression: its value as text, or the SQLSTATE it raised, which failed says. A result
-- is shown as t.show does.
CREATE FUNCTION t.attempt(expression text, OUT answer text, OUT failed boolean) LANGUAGE plpgsql AS $$
BEGIN
	IF EXISTS (SELECT FROM pg_proc WHERE pronamespace = 'order_ext'::regnamespace AND prorettype = 'order_ext.result'::regtype
			   AND proname = substring(expression FROM '^order_ext\.(\w+)\(')) THEN
		EXECUTE 'SELECT t.show(' || expression || ')' INTO answer;
	ELSE
		EXECUTE 'SELECT (' || expression || ')::text' INTO answer;
	END IF;
	failed := false;
EXCEPTION WHEN OTHERS THEN
	answer := SQLSTATE;
	failed := true;
END
$$;
CREATE FUNCTION t.go(expression text) RETURNS text LANGUAGE sql VOLATILE
BEGIN ATOMIC
	SELECT answer FROM t.attempt($1);
END;

-- The same; if the call raised, its texts: 'message | detail | hint'.
CREATE FUNCTION t.error(expression text, OUT code text, OUT message text, OUT detail text, OUT hint text)
LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE 'SELECT (' || expression || ')::text';
	code := 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT,
							detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
END
$$;

-- Whether DETAIL is what programs read.
CREATE FUNCTION t.is_object(detail text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	RETURN jsonb_typeof(detail::jsonb) = 'object';
EXCEPTION WHEN OTHERS THEN
	RETURN false;
END
$$;

-- How many rows this transaction has written, and tried to; those that t.digest() looks at.
CREATE FUNCTION t.writes() RETURNS bigint LANGUAGE sql VOLATILE
BEGIN ATOMIC
	SELECT sum(pg_stat_get_xact_tuples_inserted(oid) + pg_stat_get_xact_tuples_updated(oid) + pg_stat_get_xact_tuples_deleted(oid))
	FROM pg_class WHERE relnamespace = 'order_ext_internal'::regnamespace AND relkind = 'r' AND relname <> 'sweep_progress';
END;

-- One line per call: what it gave, and whether it changed anything; an error undoes what it did.
CREATE FUNCTION t.effect(expression text, OUT outcome text, OUT changed boolean) LANGUAGE plpgsql AS $$
DECLARE
	before bigint := t.writes();
	failed boolean;
BEGIN
	SELECT * INTO outcome, failed FROM t.attempt(expression);
	changed := NOT failed AND t.writes() <> before;
END
$$;

-- What warehouse and carrier reported about an order, and what became of it.
CREATE FUNCTION t.shipments(name text) RETURNS SETOF text LANGUAGE sql STABLE
BEGIN ATOMIC
	SELECT concat_ws(' ', event_id, kind, state, reason, CASE WHEN settled_at IS NOT NULL THEN 'settled_at' END)
	FROM order_ext.shipment_events_view WHERE order_id = t.id($1) ORDER BY recorded_at, event_id COLLATE "C";
END;

-- The fulfilment with its documents and their statuses.
CREATE FUNCTION t.fulfilment(name text) RETURNS text LANGUAGE sql STABLE
	RETURN (SELECT concat_ws(' ', status, 'v' || version, CASE WHEN external THEN 'external' END,
							 CASE WHEN intercept_refused THEN 'refused' END,
							 CASE WHEN out_at IS NOT NULL THEN 'out_at' END,
							 CASE WHEN canceled_at IS NOT NULL THEN 'canceled_at' END,
							 (SELECT string_agg(CASE kind WHEN 1 THEN 'delivery ' ELSE 'logistic ' END || d.status, ', ' ORDER BY kind)
							  FROM order_ext_internal.fulfilment_documents d WHERE d.order_id = f.order_id))
			FROM order_ext.fulfilments_view f WHERE order_id = t.id($1));

-- The way of an order through its statuses.
CREATE FUNCTION t.way(name text) RETURNS text LANGUAGE sql STABLE
	RETURN (SELECT string_agg(event || ' (' || actor || ')', ', ' ORDER BY n) FROM order_ext.order_timeline(t.id($1))
			WITH ORDINALITY AS l(at, from_status, to_status, event, actor, detail, operator, role, n) WHERE to_status IS NOT NULL);

-- ---- refunds ----
-- The payment with this trade number.
CREATE FUNCTION t.payment(trade_no text) RETURNS bigint LANGUAGE sql STABLE RETURN (SELECT payment_id FROM order_ext.payments_view WHERE out_trade_no = $1);
-- What the following sell; some of it is there if other tests have run before.
CREATE FUNCTION t.refund_products() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM order_ext.put_product('RF-1', 'A', 100), order_ext.put_product('RF-2', 'B', 33);
	PERFORM order_ext.adjust_stock('RF-1', 1000), order_ext.adjust_stock('RF-2', 1000);
	PERFORM order_ext.put_freight('RF-R', 7);
END
$$;
-- A refund of the external pay type 'card', for a capture of the amount that came too late.
CREATE FUNCTION t.late_refund(name text, amount bigint DEFAULT 100, pay_type text DEFAULT 'card') RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	o bigint;
BEGIN
	PERFORM t.new(name, 'RF-1:1');
	o := t.id(name);
	PERFORM order_ext.cancel_order(o);
	PERFORM order_ext.pay_callback(o, 'T-late-' || o, pay_type, amount);
	PERFORM t.remember('r-' || name, (SELECT refund_id FROM order_ext.refunds_view WHERE order_id = o AND cause = 'late'));
END
$$;
-- A paid and canceled order with its prepared refund.
CREATE PROCEDURE t.canceled(name text, pay_type text DEFAULT 'card', policy text DEFAULT 'full', items text DEFAULT 'RF-1:1', cancel_type text DEFAULT 'user') LANGUAGE plpgsql AS $$
DECLARE
	o bigint;
BEGIN
	PERFORM t.new(name, items, options => '{"region": "RF-R"}');
	o := t.id(name);
	PERFORM order_ext.pay_callback(o, 'T-' || o, pay_type, t.due(name));
	PERFORM order_ext.cancel_order(o, cancel_type => cancel_type, refund_policy => policy);
	COMMIT;
	PERFORM t.dispatch();
	COMMIT;
	PERFORM t.remember('r-' || name, (SELECT refund_id FROM order_ext.refunds_view WHERE order_id = o AND cause = 'cancel'));
END
$$;
-- Claim and remember; for refunds of one test only.
CREATE FUNCTION t.claim(name text, lease interval DEFAULT '1 hour') RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(concat_ws(' ', c.amount, c.currency, c.pay_type, 'attempt ' || c.attempt), ', ')
	FROM order_ext.claim_refunds(1000, 'test', lease) c WHERE c.refund_id = t.id('r-' || name)
$$;
CREATE FUNCTION t.refund(name text) RETURNS text LANGUAGE sql STABLE AS $$
	SELECT concat_ws(' ', r.status, 'v' || r.version, 'attempt ' || r.attempt, CASE WHEN r.held THEN 'held' END,
		CASE WHEN r.settled_at IS NOT NULL THEN 'settled_at' END, CASE WHEN r.lease_until IS NOT NULL THEN 'leased by ' || r.claimed_by END,
		r.gateway_refund_no, r.last_outcome, '| after-sale ' || a.status || ' v' || a.version)
	FROM order_ext.refunds_view r LEFT JOIN order_ext.after_sales_view a USING (after_sale_id) WHERE r.refund_id = t.id('r-' || name)
$$;
CREATE FUNCTION t.wait_lease(name text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
	until timestamptz := (SELECT lease_until FROM order_ext.refunds_view WHERE refund_id = t.id('r-' || name));
BEGIN
	IF until IS NULL OR until > clock_timestamp() + interval '30 seconds' THEN
		RAISE EXCEPTION '% has no near lease: %', name, until;
	END IF;
	WHILE clock_timestamp() <= until LOOP
		PERFORM pg_sleep(0.005);
	END LOOP;
	RETURN true;
END
$$;
-- What verify() says about refunds, by name or id, and every error.
CREATE FUNCTION t.verdict(VARIADIC names text[]) RETURNS SETOF text LANGUAGE sql AS $$
	SELECT DISTINCT invariant || ' ' || severity || ': ' || regexp_replace(expected, '\d{5,}', '#', 'g') FROM order_ext.verify()
	WHERE severity = 'error' OR entity = ANY (SELECT 'refund ' || coalesce(t.id('r-' || n)::text, n) FROM unnest(names) AS n) ORDER BY 1
$$;
-- Deliver until the refund has the status; each round is a transaction.
CREATE PROCEDURE t.drain_until(name text, wanted text) LANGUAGE plpgsql AS $$
DECLARE
	deadline timestamptz := clock_timestamp() + interval '30 seconds';
BEGIN
	LOOP
		PERFORM t.dispatch();
		COMMIT;
		EXIT WHEN (SELECT status FROM order_ext.refunds_view WHERE refund_id = t.id('r-' || name)) = wanted;
		IF clock_timestamp() > deadline THEN
			RAISE EXCEPTION '% is not % but %', name, wanted, t.refund(name);
		END IF;
		PERFORM pg_sleep(0.01);
	END LOOP;
END
$$;

-- ---- verify() ----
-- What it adds to its report after statements of a superuser behind the engine's back, which are
-- taken back. What it reports without them is found out once in a session; of warnings, which come
-- with time, once more.
CREATE FUNCTION t.detects(corruption text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	before text[] := nullif(current_setting('t.reported', true), '');
	found jsonb;
BEGIN
	IF before IS NULL THEN
		before := coalesce((SELECT array_agg(v.invariant || v.severity || v.entity) FROM order_ext.verify('full') v), '{}');
		PERFORM set_config('t.reported', before::text, false);
	END IF;
	BEGIN
		PERFORM set_config('session_replication_role', 'replica', true);
		EXECUTE corruption;
		found := (
			SELECT jsonb_agg(v)
			FROM order_ext.verify('full') v
			WHERE v.invariant || v.severity || v.entity <> ALL (before)
				-- what a slow test leaves due for five minutes, 197_worker_nothing_runs.pl
				AND v.expected NOT LIKE 'a worker, or a dispatch()%');
		RAISE EXCEPTION 'take it back' USING ERRCODE = 'P0099';
	EXCEPTION WHEN SQLSTATE 'P0099' THEN
		NULL;
	END;
	RETURN QUERY
	WITH f AS (
		SELECT invariant, severity, entity FROM jsonb_to_recordset(coalesce(found, '[]')) AS f(invariant text, severity text, entity text)
	), by_now AS MATERIALIZED (
		SELECT v.invariant, v.severity, v.entity
		FROM (SELECT DISTINCT invariant FROM f WHERE severity = 'warning') AS w, LATERAL order_ext.verify(w.invariant) AS v
	), lines AS (
		-- ids differ from run to run
		SELECT DISTINCT format('%s %s: %s', f.invariant, f.severity, regexp_replace(f.entity, '[0-9]+( |$)', '#\1', 'g')) AS line
		FROM f WHERE (f.invariant, f.severity, f.entity) NOT IN (SELECT b.invariant, b.severity, b.entity FROM by_now b)
	)
	SELECT coalesce(l.line, 'nothing') FROM (VALUES (1)) AS one LEFT JOIN lines l ON true ORDER BY l.line COLLATE "C";
END
$$;

-- After forged messages have been handled and taken away again: verify() compares what groups
-- consume with the log from here on.
CREATE FUNCTION t.forget_consumed() RETURNS void LANGUAGE sql SET session_replication_role = replica AS $$
	DELETE FROM order_ext_internal.group_progress p
	WHERE EXISTS (SELECT FROM order_ext_internal.group_progress q
		WHERE q.group_id = p.group_id AND q.part = p.part AND q.seq > p.seq);
$$;

-- Every alert that the tests provoke is of a kind that core/alert.h lists, and the kind decides
-- what is in it.
CREATE FUNCTION t.check_alerts() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	segment regclass;
BEGIN
	FOR segment IN SELECT oid FROM pg_class
		WHERE relnamespace = 'order_ext_internal'::regnamespace AND relname ~ '^message_log_\d+$' LOOP
		EXECUTE format($check$ALTER TABLE %s ADD CONSTRAINT is_alert CHECK (topic_id <> %s OR coalesce(CASE payload->>'kind'
			WHEN 'dead_letter' THEN payload - '{kind,consumer_group,topic,key,message_id,attempts,error,sqlstate}'::text[]
			WHEN 'backlog' THEN payload - '{kind,consumer_group,topic,oldest_at,log_bytes}'::text[]
			ELSE CASE payload->>'kind'
				WHEN 'payment_held' THEN payload - '{reason,payment_id,amount,currency}'::text[]
				WHEN 'payment_notice_held' THEN payload - '{outcome,pay_type,out_trade_no,payment_id}'::text[]
				WHEN 'refund_answer_held' THEN payload - '{reason,refund_id,outcome,amount,gateway_refund_no}'::text[]
				WHEN 'shipment_held' THEN payload - '{reason,event_id,event}'::text[]
				WHEN 'return_held' THEN payload - '{reason,after_sale_id}'::text[]
				WHEN 'money_fact_held' THEN payload - '{reason,fact,pay_type,out_trade_no,number,amount}'::text[]
				WHEN 'payment_disputed' THEN payload - '{outcome,pay_type,dispute_no,payment_id,amount}'::text[]
				WHEN 'damaged_return' THEN payload - '{after_sale_id}'::text[]
				WHEN 'payment_used_up' THEN payload - '{after_sale_id}'::text[]
				WHEN 'review_due' THEN payload - '{after_sale_id}'::text[]
				END - '{kind,order_id,user_id,version}'::text[]
			END = '{}', false))$check$, segment, t.code('topic', 'ops.alert'));
	END LOOP;
END
$$;
SELECT t.check_alerts();

-- ---- after-sales ----
-- Products with these prefixes, of prices 10, 7, 0 and 30, in stock, and freight of 5 to AS-R.
CREATE FUNCTION t.after_sale_products(prefix text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM order_ext.put_product(prefix || '-1', 'A', 10), order_ext.put_product(prefix || '-2', 'B', 7),
		order_ext.put_product(prefix || '-0', 'free', 0), order_ext.put_product(prefix || '-V', 'virtual', 30, 'virtual');
	PERFORM order_ext.adjust_stock(prefix || '-' || kind, 5000) FROM unnest('{1,2,0,V}'::text[]) AS kind;
	PERFORM order_ext.put_freight('AS-R', 5);
END
$$;
-- An order that has come as far as a status; by a pay type whose refunds an external worker executes.
CREATE PROCEDURE t.to_status(name text, items text, status text DEFAULT 'signed', coupon_id bigint DEFAULT NULL,
							 region text DEFAULT NULL, pay_type text DEFAULT 'card') LANGUAGE plpgsql AS $$
DECLARE
	step text;
BEGIN
	PERFORM t.new(name, items, coupon_id, user_id => 7600, options => jsonb_strip_nulls(jsonb_build_object('region', region)));
	IF t.due(name) > 0 THEN
		PERFORM order_ext.pay_callback(t.id(name), 'T-' || t.id(name), pay_type, t.due(name));
	END IF;
	COMMIT;
	PERFORM order_ext.dispatch();
	COMMIT;
	FOREACH step IN ARRAY CASE status WHEN 'out_stock' THEN '{out_stock}' WHEN 'delivering' THEN '{out_stock,delivering}'
		WHEN 'signed' THEN '{out_stock,delivering,signed}' WHEN 'refused' THEN '{out_stock,delivering,refused}' ELSE '{}' END::text[] LOOP
		PERFORM order_ext.shipment_event(t.id(name), step, step);
		COMMIT;
	END LOOP;
END
$$;
-- Apply and remember the after-sale under a name.
CREATE FUNCTION t.apply(name text, order_name text, items text, type text DEFAULT 'refund_only') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	r order_ext.result;
BEGIN
	r := order_ext.apply_after_sale(t.id(order_name), 7600, type, t.items(items));
	PERFORM t.remember(name, r.id);
	RETURN concat_ws(' ', t.show(r), (r.detail->>'amount') || ' with freight ' || (r.detail->>'freight'));
END
$$;
-- The external worker: every refund that is asked for succeeds.
CREATE PROCEDURE t.settle() LANGUAGE plpgsql AS $$
BEGIN
	PERFORM t.dispatch();
	COMMIT;
	PERFORM order_ext.claim_refunds(1000, 'test', '1 day');
	COMMIT;
	PERFORM order_ext.refund_callback(r.refund_id, 'succeeded') FROM order_ext.refunds_view r JOIN order_ext.orders_view o USING (order_id)
	WHERE o.user_id = 7600 AND r.status = 'submitted';
	COMMIT;
	PERFORM t.dispatch();
	COMMIT;
END
$$;
-- An after-sale in one line.
CREATE FUNCTION t.after_sale(name text) RETURNS text LANGUAGE sql VOLATILE
	RETURN (SELECT concat_ws(' ', a.type, a.status, 'v' || a.version, a.amount || CASE WHEN a.freight > 0 THEN ' with freight ' || a.freight ELSE '' END,
		a.detail_type, a.source, a.reason_kind, a.origin, CASE WHEN a.return_status IS NOT NULL THEN 'return ' || a.return_status END,
		(SELECT '| ' || string_agg(concat_ws(' ', i.sku || ':' || i.quantity, i.amount, '(' || i.discount || ')', CASE WHEN i.received > 0 THEN 'received ' || i.received END,
			CASE WHEN i.damaged > 0 THEN 'damaged ' || i.damaged END, CASE WHEN i.restocked > 0 THEN 'restocked ' || i.restocked END), ', ' ORDER BY i.sku)
		 FROM order_ext.after_sale_items_view i WHERE i.after_sale_id = a.after_sale_id),
		(SELECT '| refund ' || string_agg(r.status || ' ' || r.amount, ', ' ORDER BY r.refund_id) FROM order_ext.refunds_view r WHERE r.after_sale_id = a.after_sale_id))
	FROM order_ext.after_sales_view a WHERE a.after_sale_id = t.id($1));
CREATE FUNCTION t.after_sales_of(name text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	a bigint;
BEGIN
	FOR a IN SELECT after_sale_id FROM order_ext.after_sales_view WHERE order_id = t.id(name) ORDER BY applied_at, after_sale_id LOOP
		PERFORM t.remember('(one of them)', a);
		RETURN NEXT t.after_sale('(one of them)');
	END LOOP;
END
$$;

-- ---- verify() ----
-- An unpaid order, a paid one with a coupon, a canceled one that was paid, and a late capture for
-- it; once in a database. Their messages have not been delivered yet.
CREATE PROCEDURE t.verify_orders() LANGUAGE plpgsql AS $$
BEGIN
	IF t.id('V paid') IS NOT NULL THEN
		RETURN;
	END IF;
	PERFORM order_ext.put_product('V', 'verified', 1000);
	PERFORM order_ext.adjust_stock('V', 103);
	-- what groups consume is compared from their second batch on
	FOR i IN 1..3 LOOP
		PERFORM t.new('V before ' || i, 'V:1');
		PERFORM order_ext.pay_callback(t.id('V before ' || i), 'V-before-' || i, 'card', 1000);
		COMMIT;
		PERFORM t.drain();
		COMMIT;
	END LOOP;
	PERFORM t.remember('V coupon', order_ext.issue_coupon(7001, 300));
	PERFORM t.new('V unpaid', 'V:1'), t.new('V paid', 'V:2', t.id('V coupon')), t.new('V canceled', 'V:3');
	PERFORM order_ext.pre_pay_order(t.id('V paid'), 'card', 1700);
	PERFORM order_ext.pay_callback(t.id('V paid'), 'V-1', 'card', 1700);
	PERFORM order_ext.pay_callback(t.id('V canceled'), 'V-2', 'card', 3000);
	PERFORM order_ext.cancel_order(t.id('V canceled'), request_id => 'V cancel');
	PERFORM order_ext.pay_callback(t.id('V canceled'), 'V-3', 'card', 3000);
END
$$;
