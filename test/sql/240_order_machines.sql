-- status_code, state_graph, state_diagram, allowed_actions, order_timeline, get_order;
-- and that nobody changes a row round the engine.
\set VERBOSITY sqlstate

-- the numbers of every status of every machine
SELECT machine, string_agg(name || ' ' || order_ext.status_code(machine, name), ', ' ORDER BY n) FROM (VALUES
	('order', '{created,paid,fulfilling,out_stock,delivering,signed,canceled,refused,invalid}'),
	('payment', '{initiated,captured,closed,failed}'),
	('after_sale', '{applied,approved,rejected,refunding,refunded,failed,closed,reopened,revoked}'),
	('return', '{awaiting,to_send,in_transit,received,inspected,damaged}'),
	('refund', '{requested,submitted,succeeded,failed,withdrawn}'),
	('coupon', '{unused,locked,used,expired}'),
	('fulfilment', '{created,picking,labelled,out,cancel_requested,canceled}')) AS m(machine, names),
	unnest(names::text[]) WITH ORDINALITY AS s(name, n)
GROUP BY machine ORDER BY machine COLLATE "C";
SELECT t.go($$order_ext.status_code('order', 'lost')$$), t.go($$order_ext.status_code('parcel', 'created')$$),
	   t.go($$order_ext.status_code(NULL, 'created')$$), t.go($$order_ext.status_code('order', NULL)$$),
	   t.go($$order_ext.status_code('order', 'CREATED')$$), t.go($$order_ext.status_code('', '')$$);

-- the edges that this version executes
SELECT machine, g.* FROM unnest('{order,payment,after_sale,return,refund,coupon,fulfilment}'::text[]) AS machine,
	LATERAL order_ext.state_graph(machine) AS g;
SELECT t.go($$(SELECT count(*) FROM order_ext.state_graph('parcel'))$$), t.go($$(SELECT count(*) FROM order_ext.state_graph(NULL))$$),
	   t.go($$order_ext.state_diagram('parcel')$$), t.go($$order_ext.state_diagram(NULL)$$);
SELECT order_ext.state_diagram('order');
SELECT order_ext.state_diagram('fulfilment');

-- every status of the graph is one that status_code knows
SELECT count(*) > 0 AS all_known FROM unnest('{order,payment,refund,coupon,fulfilment}'::text[]) AS machine, LATERAL order_ext.state_graph(machine) AS g
WHERE order_ext.status_code(machine, to_status) IS NOT NULL AND (from_status IS NULL OR order_ext.status_code(machine, from_status) IS NOT NULL);

-- allowed_actions name calls that then pass
SELECT order_ext.put_product('MAC-1', 'A', 100);
SELECT available FROM order_ext.adjust_stock('MAC-1', 50);
SELECT order_ext.issue_coupon(7300, 10) AS c \gset
SELECT t.new('mac', 'MAC-1:1', :c, user_id => 7300), t.new('mac_paid', 'MAC-1:1', user_id => 7300), t.new('mac_canceled', 'MAC-1:1', user_id => 7300),
	   t.new('mac_due', 'MAC-1:1', pay_timeout => '1 millisecond', user_id => 7300);
SELECT t.show(order_ext.pay_callback(t.id('mac_paid'), 'T-mac-1', 'wechat', 100));
SELECT t.show(order_ext.cancel_order(t.id('mac_canceled')));
SELECT t.wait_due('mac_due');
SELECT name, ARRAY(SELECT order_ext.allowed_actions(t.id(name)) ORDER BY 1) FROM unnest('{mac,mac_due,mac_paid,mac_canceled}'::text[]) AS name;
SELECT count(*) AS not_a_call FROM unnest('{mac,mac_due,mac_paid,mac_canceled}'::text[]) AS name, LATERAL order_ext.allowed_actions(t.id(name)) AS a
WHERE NOT EXISTS (SELECT FROM pg_proc WHERE pronamespace = 'order_ext'::regnamespace AND proname = a);
SELECT t.go('(SELECT count(*) FROM order_ext.allowed_actions(1))'), t.go('(SELECT count(*) FROM order_ext.allowed_actions(NULL))'),
	   t.go('(SELECT count(*) FROM order_ext.order_timeline(1))'), t.go('(SELECT count(*) FROM order_ext.order_timeline(NULL))'),
	   t.go('order_ext.get_order(1)'), t.go('order_ext.get_order(NULL)');

-- the timeline is the chain: each from is the status before, the last to is the status
SELECT name, bool_and(from_status IS NOT DISTINCT FROM before) AS chained, max(n) = max(version) AS as_long_as_the_version,
	   (array_agg(to_status ORDER BY n DESC))[1] = max(status) AS ends_in_the_status
FROM unnest('{mac,mac_paid,mac_canceled}'::text[]) AS name,
	 LATERAL (SELECT l.*, lag(to_status) OVER (ORDER BY n) AS before
			  FROM order_ext.order_timeline(t.id(name)) WITH ORDINALITY AS l(at, from_status, to_status, event, actor, detail, operator, role, n)) AS l,
	 LATERAL (SELECT version, status FROM order_ext.orders_view WHERE order_id = t.id(name)) AS o
GROUP BY name ORDER BY name;

-- get_order: the whole order in one jsonb
SELECT string_agg(k, ', ' ORDER BY k COLLATE "C") FROM jsonb_object_keys(order_ext.get_order(t.id('mac_paid'))) AS k;

-- ---- UPDATE, DELETE, TRUNCATE round the engine are refused, to the owner and a superuser too ----
CREATE FUNCTION t.tamper(role text) RETURNS TABLE (tab text, "update" text, "delete" text, "truncate" text) LANGUAGE plpgsql AS $$
DECLARE
	col text;
BEGIN
	FOR tab IN SELECT relname FROM pg_class WHERE relnamespace = 'order_ext_internal'::regnamespace AND relkind = 'r'
		AND relname IN ('orders', 'order_items', 'payments', 'payment_events', 'refunds', 'coupons', 'stock_folds', 'stock_ledger', 'transition_log', 'requests',
						'fulfilments', 'fulfilment_documents', 'shipment_events', 'channels')
		ORDER BY relname COLLATE "C" LOOP
		SELECT attname INTO col FROM pg_attribute WHERE attrelid = ('order_ext_internal.' || tab)::regclass AND attnum > 0
			AND attidentity = '' ORDER BY attnum DESC LIMIT 1;
		FOR n IN 1..3 LOOP
			BEGIN
				IF role <> '' THEN EXECUTE format('SET LOCAL ROLE %I', role); END IF;
				EXECUTE format(CASE n WHEN 1 THEN 'UPDATE order_ext_internal.%1$I SET %2$I = %2$I'
									  WHEN 2 THEN 'DELETE FROM order_ext_internal.%1$I'
									  ELSE 'TRUNCATE order_ext_internal.%1$I' END, tab, col);
				RAISE EXCEPTION USING ERRCODE = 'ZZ000';
			EXCEPTION WHEN OTHERS THEN
				CASE n WHEN 1 THEN "update" := SQLSTATE; WHEN 2 THEN "delete" := SQLSTATE; ELSE "truncate" := SQLSTATE; END CASE;
			END;
		END LOOP;
		RETURN NEXT;
	END LOOP;
END
$$;
SELECT * FROM t.tamper('');
SELECT * FROM t.tamper('order_ext_owner');

SELECT * FROM order_ext.verify() WHERE severity = 'error';
