# A storm on the way out: clients pay, ship, deliver, sign, refuse, cancel and answer cancels of
# the same few orders at once, with facts doubled, early, late and contradicting, half of them in
# REPEATABLE READ, and with the workers on. Then nothing is canceled and shipped, no unit is
# consumed twice or lost, no fact is lost, and none waits beyond its turn.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $seconds = $ENV{STORM_SECONDS} || 12;
my $clients = $ENV{STORM_CLIENTS} || 8;

my $node = PostgreSQL::Test::Cluster->new('shipments');
$node->init;
$node->append_conf('postgresql.conf', <<'CONF');
shared_preload_libraries = 'order_ext'
max_worker_processes = 16
fsync = off
log_line_prefix = '%m [%p] %e %q%a '
CONF
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION order_ext');

$node->safe_psql('postgres', <<'SQL');
CREATE SCHEMA t;
CREATE TABLE t.orders (n bigserial PRIMARY KEY, order_id bigint NOT NULL);
-- every fact that was reported and did not raise an error: the test's own ledger of warehouse and carrier
CREATE TABLE t.facts (order_id bigint, source integer, event_id text, kind text, answer text);
-- what no call may answer
CREATE TABLE t.unexpected (call text, sqlstate text, message text);

SELECT order_ext.put_product('S1', 'parcel', 70), order_ext.put_product('S2', 'parcel', 30), order_ext.put_product('V1', 'virtual', 50, 'virtual');
SELECT available FROM unnest('{S1,S2,V1}'::text[]) AS sku, LATERAL order_ext.adjust_stock(sku, 100000);
SELECT order_ext.set_channel('partner', true);

CREATE FUNCTION t.create_one() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	cart jsonb := CASE WHEN random() < 0.1 THEN '[{"sku": "V1", "quantity": 1}]'
		ELSE jsonb_build_array(jsonb_build_object('sku', 'S1', 'quantity', 1 + (random() * 2)::integer), jsonb_build_object('sku', 'S2', 'quantity', 1)) END;
	options jsonb := CASE WHEN random() < 0.5 THEN '{"channel": "partner"}' ELSE '{}' END;
	amount bigint := order_ext.quote_order(1, cart, NULL, options)->>'pay_amount';
	r order_ext.result;
BEGIN
	r := order_ext.create_order(1, cart, amount, options => options);
	INSERT INTO t.orders (order_id) VALUES (r.id);
	IF random() < 0.9 THEN
		PERFORM order_ext.pay_callback(r.id, 'T-' || r.id, 'wechat', amount);
	END IF;
END
$$;

-- Event ids come from a small set, so that facts repeat and contradict each other.
CREATE FUNCTION t.tell(id bigint, kind text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	event text := CASE WHEN random() < 0.02 THEN 'reused' ELSE kind || (random() * 1.2)::integer END;
	r order_ext.result;
BEGIN
	r := order_ext.shipment_event(id, event, kind);
	INSERT INTO t.facts VALUES (id, 1, event, kind, r.disposition);
END
$$;
CREATE FUNCTION t.answer(id bigint, accepted boolean) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	event text := 'answer' || (random() * 3)::integer;
	r order_ext.result;
BEGIN
	r := order_ext.fulfilment_cancel_result(id, accepted, event);
	INSERT INTO t.facts VALUES (id, 2, event, CASE WHEN accepted THEN 'cancel_accepted' ELSE 'cancel_rejected' END, r.disposition);
END
$$;

CREATE FUNCTION t.act() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	dice float := random();
	call text;
	last bigint := (SELECT last_value FROM t.orders_n_seq);
	o record;
	kind text := (ARRAY['picked', 'out_stock', 'out_stock', 'delivering', 'delivering', 'signed', 'refused'])[1 + (random() * 6.98)::integer % 7];
BEGIN
	SELECT v.* INTO o FROM t.orders JOIN order_ext.orders_view v USING (order_id)
	WHERE n <= last - (25 * random() ^ 2)::bigint ORDER BY n DESC LIMIT 1;
	call := CASE WHEN o IS NULL OR dice < 0.12 THEN 'create' WHEN dice < 0.60 THEN 'tell' WHEN dice < 0.66 THEN 'tell it all'
				 WHEN dice < 0.75 THEN 'cancel' WHEN dice < 0.85 THEN 'answer' WHEN dice < 0.89 THEN 'confirm'
				 WHEN dice < 0.92 THEN 'address' WHEN dice < 0.94 THEN 'remove' WHEN dice < 0.96 THEN 'tell unknown'
				 WHEN dice < 0.98 THEN 'dispatch' ELSE 'pay' END;
	CASE call
		WHEN 'create' THEN PERFORM t.create_one();
		WHEN 'tell' THEN PERFORM t.tell(o.order_id, kind);
		WHEN 'tell it all' THEN
			PERFORM t.tell(o.order_id, k) FROM unnest('{out_stock,delivering,signed}'::text[]) AS k ORDER BY random();
		WHEN 'cancel' THEN PERFORM order_ext.cancel_order(o.order_id, 1, request_id => CASE WHEN random() < 0.5 THEN 'c' || o.order_id END);
		WHEN 'answer' THEN PERFORM t.answer(o.order_id, random() < 0.5);
		WHEN 'confirm' THEN PERFORM order_ext.confirm_receipt(o.order_id, 1);
		WHEN 'address' THEN PERFORM order_ext.change_address(o.order_id, 1, to_jsonb('street ' || random()::text));
		WHEN 'remove' THEN PERFORM order_ext.remove_order(o.order_id, 1);
		WHEN 'tell unknown' THEN PERFORM t.tell((dice * 1000000)::bigint, kind);
		WHEN 'dispatch' THEN
			IF current_setting('transaction_isolation') = 'read committed' THEN
				PERFORM order_ext.dispatch(20);
			END IF;
		WHEN 'pay' THEN PERFORM order_ext.pay_callback(o.order_id, 'T-' || o.order_id, 'wechat', o.pay_amount);
	END CASE;
	IF random() < 0.05 THEN
		RAISE EXCEPTION 'the client changed its mind' USING ERRCODE = 'ZZ000';
	END IF;
EXCEPTION
	WHEN SQLSTATE 'ZZ000' OR SQLSTATE 'OE101' OR SQLSTATE 'OE103' OR SQLSTATE 'OE110' OR SQLSTATE 'OE401' OR SQLSTATE '40001' THEN
		IF SQLSTATE = 'OE101' AND call NOT IN ('confirm', 'address', 'remove') OR SQLSTATE IN ('OE103', 'OE401') AND call <> 'cancel'
			OR SQLSTATE = 'OE110' AND call = 'dispatch' OR SQLSTATE = '40001' AND current_setting('transaction_isolation') = 'read committed' THEN
			INSERT INTO t.unexpected VALUES (call, SQLSTATE, SQLERRM);
		END IF;
	WHEN OTHERS THEN
		INSERT INTO t.unexpected VALUES (call, SQLSTATE, SQLERRM);
END
$$;
SQL

my $script = $node->basedir . '/act.sql';
append_to_file($script, "SELECT t.act();\n");
my $script_rr = $node->basedir . '/act_rr.sql';
append_to_file($script_rr, "BEGIN ISOLATION LEVEL REPEATABLE READ;\nSELECT t.act();\nCOMMIT;\n");
$node->command_ok(
	[ 'pgbench', '-n', '-f', $script, '-f', $script_rr, '-c', $clients, '-j', 2, '-T', $seconds, 'postgres' ],
	"$clients clients for $seconds s");

is($node->safe_psql('postgres', 'SELECT call, sqlstate, message, count(*) FROM t.unexpected GROUP BY 1, 2, 3 LIMIT 20'),
	'', 'every call answered with a disposition or a SQLSTATE of its contract');

# ---- the warehouse answers what it was asked, the unpaid are canceled, all is delivered ----
$node->safe_psql('postgres', q(
	SELECT order_ext.cancel_order(order_id) FROM order_ext.orders_view WHERE status = 'created';
	SELECT order_ext.fulfilment_cancel_result(order_id, order_id % 2 = 0, 'final') FROM order_ext.fulfilments_view WHERE status = 'cancel_requested';));
ok($node->poll_query_until('postgres', q(
	SELECT NOT EXISTS (SELECT FROM order_ext.orders_view WHERE status = 'paid')
	   AND NOT EXISTS (SELECT FROM order_ext.consumer_stats WHERE lag > 0 OR retrying > 0))),
	'the workers put everything on its way');
is($node->safe_psql('postgres', 'SELECT * FROM order_ext.dead_letters'), '', 'no dead letters');
diag($node->safe_psql('postgres', q(SELECT string_agg(format('%s %s', n, status), ', ')
	FROM (SELECT status, count(*) AS n FROM order_ext.orders_view GROUP BY 1) AS s)));
diag($node->safe_psql('postgres', q(SELECT string_agg(format('%s %s', n, answer), ', ') FROM (SELECT answer, count(*) AS n FROM t.facts GROUP BY 1) AS s)));

# each of these shows what is wrong: no row is right
my %nothing = (
	'verify() finds no error' =>
	  q(SELECT * FROM order_ext.verify() WHERE severity = 'error'),
	'stock: every unit is available, reserved by a living order, or left with one' => q(
		SELECT sku, l.*, o.*
		FROM unnest('{S1,S2,V1}'::text[]) AS sku, LATERAL order_ext.stock_level(sku) AS l,
			 LATERAL (SELECT coalesce(sum(quantity) FILTER (WHERE status IN ('created', 'paid', 'fulfilling')), 0) AS living,
							 coalesce(sum(quantity) FILTER (WHERE status IN ('out_stock', 'delivering', 'signed', 'refused')), 0) AS gone
					  FROM order_ext.order_items_view i JOIN order_ext.orders_view USING (order_id) WHERE i.sku = sku.sku) AS o
		WHERE reserved <> living OR consumed <> gone OR available + reserved + consumed <> 100000),
	'stock: consumed once for each order that left, released once for each that was canceled' => q(
		SELECT o.order_id, o.status, i.sku, l.kinds FROM order_ext.orders_view o JOIN order_ext.order_items_view i USING (order_id),
			LATERAL (SELECT array_agg(kind ORDER BY at) AS kinds FROM order_ext.stock_ledger_view l WHERE l.order_id = o.order_id AND l.sku = i.sku) AS l
		WHERE l.kinds <> CASE WHEN o.status = 'canceled' THEN '{reserve,release}'::text[]
							  WHEN o.status IN ('out_stock', 'delivering', 'signed', 'refused') THEN '{reserve,consume}' ELSE '{reserve}' END),
	'facts: every one that was told is on record, once' => q(
		SELECT f.*, e.* FROM (SELECT DISTINCT order_id, event_id, kind FROM t.facts) AS f
		FULL JOIN (SELECT order_id, event_id, kind, count(*) AS n FROM order_ext.shipment_events_view WHERE event_id <> 'final' GROUP BY 1, 2, 3) AS e USING (order_id, event_id, kind)
		WHERE f IS NULL OR e IS NULL OR e.n <> 1),
	'facts: one of a kind is applied' => q(
		SELECT order_id, kind, count(*) FROM order_ext.shipment_events_view WHERE state = 'applied' AND kind NOT LIKE 'cancel%'
		GROUP BY 1, 2 HAVING count(*) > 1),
	'facts: the order is where the last one of them brought it' => q(
		SELECT o.order_id, o.status, e.kinds FROM order_ext.orders_view o,
			LATERAL (SELECT coalesce(array_agg(DISTINCT kind) FILTER (WHERE kind NOT LIKE 'cancel%' AND kind <> 'picked'), '{}') AS kinds
					 FROM order_ext.shipment_events_view e WHERE e.order_id = o.order_id AND e.state = 'applied') AS e
		WHERE NOT CASE o.status
			WHEN 'out_stock' THEN e.kinds = '{out_stock}'
			WHEN 'delivering' THEN e.kinds = '{delivering,out_stock}'
			WHEN 'signed' THEN e.kinds IN ('{delivering,out_stock,signed}', '{delivering,out_stock}')
				OR EXISTS (SELECT FROM order_ext.order_items_view i WHERE i.order_id = o.order_id AND sku = 'V1') AND e.kinds = '{}'
			WHEN 'refused' THEN e.kinds IN ('{out_stock,refused}', '{delivering,out_stock,refused}')
			ELSE e.kinds = '{}' END),
	'facts: what was held has its alert' => q(
		SELECT e.order_id, held, alerts FROM (SELECT order_id, count(*) AS held FROM order_ext.shipment_events_view WHERE state = 'held' GROUP BY 1) AS e
		FULL JOIN (SELECT key AS order_id, count(*) AS alerts FROM order_ext_internal.message_log JOIN order_ext_internal.topics USING (topic_id) WHERE name = 'ops.alert' GROUP BY 1) AS a USING (order_id)
		WHERE held IS DISTINCT FROM alerts),
	'canceled and shipped: no order is both' => q(
		SELECT o.order_id, f.status FROM order_ext.orders_view o JOIN order_ext.fulfilments_view f USING (order_id)
		WHERE (o.status = 'canceled') <> (f.status = 'canceled') OR (o.status = 'canceled' AND f.out_at IS NOT NULL)),
	'money: of a canceled order everything goes back' => q(
		SELECT o.order_id, captured, refunded FROM order_ext.orders_view o,
			LATERAL (SELECT coalesce(sum(amount), 0) AS captured FROM order_ext.payments_view p WHERE p.order_id = o.order_id AND p.status = 'captured') AS c,
			LATERAL (SELECT coalesce(sum(amount), 0) AS refunded FROM order_ext.refunds_view r WHERE r.order_id = o.order_id) AS r
		WHERE o.status = 'canceled' AND captured <> refunded),
	'messages: one of each step' => q(
		SELECT l.key, t.name, count(*) FROM order_ext_internal.message_log l JOIN order_ext_internal.topics t USING (topic_id)
		WHERE t.name IN ('fulfilment.requested', 'fulfilment.cancel_requested', 'order.shipped_out', 'order.delivering', 'order.signed', 'order.refused', 'order.canceled')
		GROUP BY 1, 2 HAVING count(*) > 1),
	'orders: every one that was made is there' => q(
		SELECT * FROM t.orders t FULL JOIN order_ext.orders_view v USING (order_id) WHERE t.order_id IS NULL OR v.order_id IS NULL));
foreach my $name (sort keys %nothing)
{
	is($node->safe_psql('postgres', "SELECT * FROM ($nothing{$name}) AS wrong LIMIT 20"), '', $name);
}
foreach my $status ('signed', 'refused', 'canceled')
{
	cmp_ok($node->safe_psql('postgres', "SELECT count(*) FROM order_ext.orders_view WHERE status = '$status'"), '>', 0, "some were $status");
}
cmp_ok($node->safe_psql('postgres', q(SELECT count(*) FROM order_ext.fulfilments_view WHERE intercept_refused)), '>', 0, 'cancels were refused');

$node->stop;
unlike(slurp_file($node->logfile), qr/PANIC|TRAP:|terminated by signal|XX000|deadlock detected/, 'a quiet server log');
done_testing();
