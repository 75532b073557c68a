-- The lists that must agree: what the code knows by number, in codes() (src/machine/base/codes.h,
-- codes.c, tables.c, topics.h, handlers/handlers.c), and what the rows, constraints, index
-- predicates and views of sql/parts say.

-- What one side has and the other has not.
CREATE FUNCTION t.disagreements() RETURNS TABLE (list text, what text) LANGUAGE sql
BEGIN ATOMIC
	WITH code AS MATERIALIZED (
		SELECT * FROM order_ext_internal.codes()
	), ambiguous AS (
		SELECT 'codes', format('%s: %s codes, %s numbers, %s names', set, count(*),
			count(DISTINCT code), count(DISTINCT name))
		FROM code GROUP BY set HAVING count(DISTINCT code) <> count(*) OR count(DISTINCT name) <> count(*)
	), topic AS (
		SELECT 'topics', format('in C %s %s, in the table %s %s', c.code, c.name, t.topic_id, t.name)
		FROM (SELECT * FROM code WHERE set = 'topic') c
		FULL JOIN (SELECT * FROM order_ext_internal.topics WHERE builtin) t
			ON t.topic_id = c.code AND t.name = c.name
		WHERE c.code IS NULL OR t.topic_id IS NULL
	), handled AS (
		-- a built-in group has the id and the name of its topic
		SELECT 'groups', format('handler in C %s %s, in the table %s %s', c.code, c.name, g.group_id, g.name)
		FROM (SELECT * FROM code WHERE set = 'handler') c
		FULL JOIN (SELECT * FROM order_ext_internal.consumer_groups WHERE builtin) g
			ON g.group_id = c.code AND g.topic_id = c.code AND g.name = c.name
		WHERE c.code IS NULL OR g.group_id IS NULL
	), asset AS (
		SELECT 'assets', format('%s is released by topic %s, without a handler', a.kind, a.topic_id)
		FROM order_ext_internal.assets a
		WHERE a.builtin AND NOT EXISTS (SELECT FROM code c WHERE c.set = 'handler' AND c.code = a.topic_id)
	), status AS (
		SELECT 'statuses', format('%s %s %s', m.name, s.code, s.name)
		FROM code m JOIN code s ON s.set = m.name || '_status'
		WHERE m.set = 'machine' AND (order_ext.status_code(m.name, s.name) <> s.code
			OR order_ext_internal.status_name(m.name, s.code::smallint) <> s.name)
		UNION ALL
		SELECT 'statuses', format('%s has an edge to %s', m.name, g.to_status)
		FROM code m CROSS JOIN LATERAL order_ext.state_graph(m.name) g
		WHERE m.set = 'machine' AND NOT EXISTS (
			SELECT FROM code s WHERE s.set = m.name || '_status' AND s.name = g.to_status)
		UNION ALL
		SELECT 'events', format('%s has event %s, without a name', m.name, g.event)
		FROM code m CROSS JOIN LATERAL order_ext.state_graph(m.name) g
		WHERE m.set = 'machine' AND g.event ~ '^\d+$'
	), spelled AS (
		-- a view spells a code: CASE p.purpose WHEN 1 THEN 'applied' ... END
		SELECT v.relname::text AS view, spelling[1] AS what, meaning[1]::integer AS code, meaning[2] AS name
		FROM pg_class v,
			regexp_matches(pg_get_viewdef(v.oid),
				'CASE (?:\w+\.)?(\w+)((?:\s+WHEN \d+ THEN ''\w+''::text)+)(?:\s+ELSE NULL::text)?\s+END', 'g') AS spelling,
			regexp_matches(spelling[2], 'WHEN (\d+) THEN ''(\w+)''', 'g') AS meaning
		WHERE v.relkind = 'v' AND v.relnamespace = 'order_ext'::regnamespace
	), to_spell AS (
		SELECT m.view, m.what, c.code, c.name
		FROM (VALUES ('orders_view', 'cancel_type', 'cancel_type'),
				('order_items_view', 'reservation', 'reservation'),
				('payments_view', 'purpose', 'payment_purpose'),
				('refunds_view', 'cause', 'refund_cause'),
				('stock_ledger_view', 'kind', 'ledger_kind'),
				('shipment_events_view', 'kind', 'shipment_kind'),
				('shipment_events_view', 'state', 'shipment_state'),
				('disputes_view', 'status', 'dispute_status'),
				('after_sales_view', 'type', 'after_sale_type'),
				('after_sales_view', 'detail_type', 'after_sale_detail'),
				('after_sales_view', 'source', 'after_sale_source'),
				('after_sales_view', 'reason_code', 'after_sale_reason'),
				('after_sale_events_view', 'kind', 'return_fact'),
				('products_view', 'kind', 'product_kind')) AS m (view, what, set)
		JOIN code c USING (set)
	), viewed AS (
		SELECT 'views', format('%s %s: in C %s %s, in the view %s %s',
			coalesce(s.view, w.view), coalesce(s.what, w.what), w.code, w.name, s.code, s.name)
		FROM spelled s
		FULL JOIN to_spell w ON w.view = s.view AND w.what = s.what AND w.code = s.code AND w.name = s.name
		WHERE s.view IS NULL OR w.view IS NULL
	), condition AS (
		SELECT c.conname::text AS name, pg_get_expr(c.conbin, c.conrelid) AS condition
		FROM pg_constraint c
		WHERE c.contype = 'c' AND c.connamespace = 'order_ext_internal'::regnamespace
		UNION ALL
		SELECT x.relname, pg_get_expr(i.indpred, i.indrelid)
		FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
		WHERE i.indpred IS NOT NULL AND x.relnamespace = 'order_ext_internal'::regnamespace
	), written AS (
		-- kind = ANY (ARRAY[1, 2]), state = 20
		SELECT c.name, comparison[1] AS what,
			(SELECT array_agg(number[1]::integer ORDER BY number[1]::integer)
			 FROM regexp_matches(comparison[2], '\d+', 'g') AS number) AS codes
		FROM condition c,
			regexp_matches(c.condition,
				'\m(\w+) = (?:ANY \(\(?ARRAY\[)?(\d+(?:, \d+)*)', 'g') AS comparison
	), meant AS (
		SELECT m.name, m.what, array_agg(c.code ORDER BY c.code) AS codes
		FROM (VALUES ('products_kind_check', 'kind', 'product_kind', NULL),
				('fulfilment_documents_kind_check', 'kind', 'document_kind', NULL),
				('after_sales_type_check', 'type', 'after_sale_type', NULL),
				('after_sale_events_kind_check', 'kind', 'return_fact', NULL),
				('after_sale_events_fact', 'kind', 'return_fact', ARRAY['return_shipment']),
				('disputes_status_check', 'status', 'dispute_status', NULL),
				('money_facts_kind_check', 'kind', 'money_fact', NULL),
				('coupons_check', 'status', 'coupon_status', ARRAY['locked', 'used']),
				('refunds_open', 'status', 'refund_status', ARRAY['requested', 'submitted']),
				('shipment_events_parked', 'state', 'shipment_state', ARRAY['parked'])) AS m (name, what, set, names)
		JOIN code c ON c.set = m.set AND (m.names IS NULL OR c.name = ANY (m.names))
		GROUP BY m.name, m.what
	), conditions AS (
		SELECT 'conditions', format('%s: %s is %s, should be %s',
			coalesce(w.name, m.name), coalesce(w.what, m.what), w.codes, m.codes)
		FROM written w FULL JOIN meant m ON m.name = w.name AND m.what = w.what
		WHERE w.codes IS DISTINCT FROM m.codes
	)
	TABLE ambiguous UNION ALL TABLE topic UNION ALL TABLE handled UNION ALL TABLE asset
	UNION ALL TABLE status UNION ALL TABLE viewed UNION ALL TABLE conditions
	ORDER BY 1, 2;
END;

SELECT * FROM t.disagreements();

-- It does see what is missing, or too much.
BEGIN;
SET LOCAL session_replication_role = replica;
DELETE FROM order_ext_internal.topics WHERE name = 'order.signed';
UPDATE order_ext_internal.topics SET name = 'order.sent' WHERE name = 'order.shipped_out';
INSERT INTO order_ext_internal.topics (topic_id, builtin, name) VALUES (99, true, 'order.new');
DELETE FROM order_ext_internal.consumer_groups WHERE name = 'coupon.release';
UPDATE order_ext_internal.assets SET topic_id = 1 WHERE kind = 'refund';
ALTER TABLE order_ext_internal.products DROP CONSTRAINT products_kind_check, ADD CHECK (kind IN (1, 2, 3));
DROP INDEX order_ext_internal.refunds_open;
CREATE INDEX refunds_open ON order_ext_internal.refunds (requested_at) WHERE status IN (10, 20);
CREATE INDEX orders_created ON order_ext_internal.orders (created_at) WHERE status = 10;
DO $$
BEGIN
	EXECUTE 'CREATE OR REPLACE VIEW order_ext.payments_view AS '
		|| replace(pg_get_viewdef('order_ext.payments_view'), $s$'late'$s$, $s$'too_late'$s$);
END
$$;
SELECT * FROM t.disagreements();
ROLLBACK;
DROP FUNCTION t.disagreements();
