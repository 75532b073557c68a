-- order_ext.operator: who makes the calls, as the session says. It is recorded and shown, and nothing else.
SELECT order_ext.put_product('OP-1', 'A', 100), order_ext.adjust_stock('OP-1', 1000);
-- The events of an order, with who did them. The role is that of the session, or of handlers.
CREATE FUNCTION t.who(name text) RETURNS SETOF text LANGUAGE sql STABLE
BEGIN ATOMIC
	SELECT format('%s by %s: %s%s', event, actor, CASE WHEN operator = current_user THEN '(the role)' ELSE operator END,
		CASE WHEN role <> current_user THEN ' as ' || role END)
	FROM order_ext.order_timeline(t.id($1)) WITH ORDINALITY AS l(at, from_status, to_status, event, actor, detail, operator, role, n)
	ORDER BY n;
END;
CREATE FUNCTION t.op_paid(name text) RETURNS text LANGUAGE sql AS $$
	SELECT t.new(name, 'OP-1:2', user_id => 7570);
	SELECT (order_ext.pay_callback(t.id(name), 'T-op-' || name, 'card', 200)).disposition;
$$;

-- nobody is stated: the role, and not a byte more in the log
SELECT t.op_paid('none');
SELECT t.show(order_ext.cancel_order(t.id('none')));
SELECT t.who('none');
SELECT count(*) FILTER (WHERE detail ? 'operator') AS stated, count(*) > 0 AS logged FROM order_ext_internal.transition_log WHERE order_id = t.id('none');

-- staff, one transaction each
SELECT t.op_paid('staff'), t.op_paid('back');
BEGIN;
SET LOCAL order_ext.operator = E'Ann O''Hara "\\" 王';
SELECT t.show(order_ext.cancel_order(t.id('staff'), cancel_type => 'customer_service', reason => 'asked'));
COMMIT;
SHOW order_ext.operator;
SELECT t.drain();
SELECT t.who('staff');
-- of what was recorded, detail does not show it again
SELECT detail FROM order_ext.order_timeline(t.id('staff')) WHERE event = 'cancel';
SELECT count(*) AS in_messages FROM order_ext_internal.message_log WHERE payload::text ~ 'Hara';

-- the calls of a session: money, after-sales, stock, facts, shipping
SET order_ext.operator = 'Bo';
SELECT t.show(order_ext.refund_order(t.id('back'), 10));
SELECT order_ext.dispatch() >= 0 AS dispatched;
SELECT t.show(order_ext.shipment_event(t.id('back'), kind, kind)) FROM unnest('{picked,out_stock,delivering,signed}'::text[]) AS kind;
RESET order_ext.operator;
SELECT t.remember('op_as', (order_ext.apply_after_sale(t.id('back'), 7570, 'refund_only', t.items('OP-1:1'))).id);
SET order_ext.operator = 'Cy';
SELECT t.show(order_ext.review_after_sale(t.id('op_as'), true));
SELECT available FROM order_ext.adjust_stock('OP-1', -1, 'broken');
SELECT t.show(order_ext.pay_callback(424257, 'T-op-nobody', 'card', 5));
SELECT t.show(order_ext.resolve_held_payment(t.payment('T-op-nobody'), 'refund'));
SELECT t.show(order_ext.refund_callback(424257, 'succeeded', 'OP-G', 5));
SELECT t.show(order_ext.resolve_fact(fact_id, 'looked at')) FROM order_ext.held_facts WHERE kind = 'refund_callback' AND entity_id = 424257;
RESET order_ext.operator;
SELECT order_ext.set_stock('OP-1', 990) IS NOT NULL AS counted;
SELECT t.who('back');
SELECT order_ext_internal.event_name(machine, event) AS event, operator = current_user AS role, detail - 'payment_id' AS detail FROM order_ext_internal.transition_log
WHERE order_id = 424257 ORDER BY machine, version;
SELECT delta, reason, CASE WHEN operator = current_user THEN '(the role)' ELSE operator END AS operator
FROM order_ext.stock_ledger_view WHERE sku = 'OP-1' AND kind = 'adjust' ORDER BY at;
SELECT count(*) FROM order_ext.stock_ledger_view WHERE sku = 'OP-1' AND kind <> 'adjust' AND operator IS NOT NULL;
SELECT resolved_by = current_user AS role, operator FROM order_ext.held_facts WHERE kind = 'refund_callback' AND entity_id = 424257;

-- orders that are taken over
BEGIN;
SET LOCAL order_ext.operator = 'Ed';
SELECT disposition FROM order_ext.import_orders('[{"external_id": "op-1", "status": "paid", "user_id": 7570, "pay_amount": 100,
	"items": [{"sku": "OP-1", "quantity": 1, "price": 100}], "payments": [{"pay_type": "card", "out_trade_no": "T-op-import", "amount": 100}]}]');
COMMIT;
SELECT t.remember('op-1', order_ext.find_order('op-1'));
SELECT t.who('op-1');

-- Neither handlers nor the risk check have it; they can state their own.
SELECT order_ext.create_topic('op.t');
CREATE TABLE t.op_seen (what text, operator text);
CREATE FUNCTION t.op_handler(m order_ext.message) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO t.op_seen VALUES ('handler', current_setting('order_ext.operator'));
	IF m.payload ? 'as' THEN
		PERFORM set_config('order_ext.operator', m.payload->>'as', true);
	END IF;
	PERFORM order_ext.cancel_order(m.key, cancel_type => 'customer_service');
END
$$;
CREATE FUNCTION t.op_risk(request jsonb) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO t.op_seen VALUES ('risk check', current_setting('order_ext.operator'));
	RETURN NULL;
END
$$;
GRANT ALL ON t.op_seen TO regress_handlers;
SELECT t.subscribe('op.g', 'op.t', 't.op_handler(order_ext.message)');
SELECT order_ext.set_risk_check('t.op_risk(jsonb)', 'regress_handlers');
SET order_ext.operator = 'Di';
SELECT t.new('handled', 'OP-1:1'), t.new('own', 'OP-1:1');
SELECT order_ext.publish('op.t', t.id('handled')) > 0, order_ext.publish('op.t', t.id('own'), '{"as": "robot"}') > 0;
SELECT t.drain();
SHOW order_ext.operator;
SELECT * FROM t.op_seen;
SELECT t.who('handled');
SELECT t.who('own');
-- an error in between takes nothing away
SELECT t.go($$order_ext.cancel_order(1)$$), t.go($$order_ext.subscribe('op.x', 'none')$$);
SHOW order_ext.operator;
SELECT order_ext.set_risk_check(NULL), order_ext.unsubscribe('op.g');

-- It gives no right.
CREATE ROLE regress_operator;
SELECT order_ext.grant_to('regress_operator', 'app');
SET ROLE regress_operator;
SET order_ext.operator = 'order_ext_owner';
SELECT order_ext.refund_order(1);
RESET ROLE;
DROP OWNED BY regress_operator;
DROP ROLE regress_operator;

-- 128 characters, whatever they are
SELECT set_config('order_ext.operator', repeat('王', 128), false) = repeat('王', 128) AS longest;
SELECT t.show(order_ext.refund_order(t.id('back'), 1));
SELECT count(*) FROM order_ext.order_timeline(t.id('back')) WHERE operator = repeat('王', 128);
\set VERBOSITY default
SELECT set_config('order_ext.operator', repeat('x', 129), false);
SELECT length(current_setting('order_ext.operator'));
SET order_ext.operator = '';
SELECT t.show(order_ext.refund_order(t.id('back'), 1));
SELECT DISTINCT operator = role AS the_role FROM order_ext.order_timeline(t.id('back')) WHERE event ~ 'refund.request' AND operator !~ '王|Bo|Cy';
SELECT * FROM order_ext.verify() WHERE severity = 'error';
