# A storm of orders: clients create, pre-pay, pay, pay twice, pay late or wrong, cancel, sweep and
# dispatch the same few hundred orders at once, most in READ COMMITTED and some above, with the
# workers on, for some seconds. Then, within
# a deadline, everything is delivered, and nothing is lost: every unit, coupon and cent is where
# the orders say it is. What the gateway told us is kept in a ledger of the test's own.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $seconds = $ENV{STORM_SECONDS} || 8;
my $clients = $ENV{STORM_CLIENTS} || 8;

my $node = PostgreSQL::Test::Cluster->new('storm');
$node->init;
$node->append_conf('postgresql.conf', <<'CONF');
shared_preload_libraries = 'order_ext'
max_worker_processes = 16
fsync = off
log_statement = none
log_lock_waits = on
deadlock_timeout = 200ms
log_line_prefix = '%m [%p] %e %q%a '
CONF
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION order_ext');

$node->safe_psql('postgres', <<'SQL');
CREATE SCHEMA t;
CREATE TABLE t.orders (n bigserial PRIMARY KEY, order_id bigint NOT NULL, user_id bigint NOT NULL);
-- every fact that was reported and did not raise an error: the test's own ledger of the gateway
CREATE TABLE t.facts (pay_type text, trade_no text, order_id bigint, amount bigint, currency text, answer text);
-- what no call may answer
CREATE TABLE t.unexpected (call text, sqlstate text, message text);

SELECT order_ext.put_product('S' || n, 'sku ' || n, 7 * n * n), order_ext.put_freight('far', 13, 1000)
FROM generate_series(1, 5) AS n;
SELECT available FROM generate_series(1, 5) AS n, LATERAL order_ext.adjust_stock('S' || n, 400);
SELECT count(order_ext.issue_coupon(1 + n % 20, 1 + n % 60, 0)) FROM generate_series(1, 600) AS n;

CREATE FUNCTION t.create_one() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	buyer bigint := 1 + (random() * 19)::integer;
	cart jsonb := (SELECT jsonb_agg(jsonb_build_object('sku', 'S' || 1 + (random() * 4)::integer,
													   'quantity', 1 + (random() * 2)::integer))
				   FROM generate_series(1, 1 + (random() * 2)::integer));
	coupon bigint := (SELECT coupon_id FROM order_ext.coupons_view
					  WHERE user_id = buyer AND status = 'unused' AND random() < 0.5 ORDER BY coupon_id LIMIT 1);
	options jsonb := CASE WHEN random() < 0.3 THEN '{"region": "far"}' ELSE '{}' END;
	amount bigint := order_ext.quote_order(buyer, cart, coupon, options)->>'pay_amount';
	key text := CASE WHEN random() < 0.3 THEN 'storm-' || random() END;
	first_time order_ext.result;
	again order_ext.result;
BEGIN
	first_time := order_ext.create_order(buyer, cart, amount, coupon, make_interval(secs => 0.2 + 4 * random()), key, options);
	INSERT INTO t.orders (order_id, user_id) VALUES (first_time.id, buyer);
	IF key IS NOT NULL AND random() < 0.2 THEN
		again := order_ext.create_order(buyer, cart, amount, coupon, '3 seconds', 'other' || key, options);
		INSERT INTO t.orders (order_id, user_id) VALUES (again.id, buyer);
	END IF;
END
$$;

CREATE FUNCTION t.tell(id bigint, trade_no text, type text, amount bigint, currency text DEFAULT NULL) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	r order_ext.result := order_ext.pay_callback(id, trade_no, type, amount, currency);
BEGIN
	INSERT INTO t.facts VALUES (type, trade_no, id, amount, coalesce(currency, 'CNY'), r.disposition);
END
$$;

CREATE FUNCTION t.act() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	dice float := random();
	call text;
	detail text;
	last bigint := (SELECT last_value FROM t.orders_n_seq);
	o record;
BEGIN
	-- a recent order, most likely one that others are busy with too
	SELECT v.* INTO o FROM t.orders JOIN order_ext.orders_view v USING (order_id)
	WHERE n <= last - (60 * random() ^ 2)::bigint ORDER BY n DESC LIMIT 1;
	call := CASE WHEN o IS NULL OR dice < 0.30 THEN 'create' WHEN dice < 0.42 THEN 'pre_pay' WHEN dice < 0.58 THEN 'pay'
				 WHEN dice < 0.63 THEN 'pay with its attempt' WHEN dice < 0.66 THEN 'pay by another number'
				 WHEN dice < 0.69 THEN 'pay wrong' WHEN dice < 0.70 THEN 'pay unknown' WHEN dice < 0.82 THEN 'cancel'
				 WHEN dice < 0.86 THEN 'cancel with key' WHEN dice < 0.88 THEN 'cancel as another'
				 WHEN dice < 0.91 THEN 'sweep' WHEN dice < 0.93 THEN 'dispatch' ELSE 'pay and cancel' END;
	CASE call
		WHEN 'create' THEN PERFORM t.create_one();
		WHEN 'pre_pay' THEN PERFORM order_ext.pre_pay_order(o.order_id, 'wechat', o.pay_amount);
		WHEN 'pay' THEN PERFORM t.tell(o.order_id, 'T-' || o.order_id, 'wechat', o.pay_amount);
		WHEN 'pay with its attempt' THEN
			PERFORM t.tell(o.order_id, coalesce((SELECT min(out_trade_no) FROM order_ext.payments_view
				WHERE order_id = o.order_id AND status = 'initiated'), 'T-a' || o.order_id), 'wechat', o.pay_amount);
		WHEN 'pay by another number' THEN PERFORM t.tell(o.order_id, 'T-b' || o.order_id, 'alipay', o.pay_amount);
		WHEN 'pay wrong' THEN PERFORM t.tell(o.order_id, 'T-' || o.order_id, 'wechat', o.pay_amount + 1);
		WHEN 'pay unknown' THEN PERFORM t.tell((dice * 1000000)::bigint, 'T-u' || (dice * 1000000)::bigint, 'wechat', 5);
		WHEN 'cancel' THEN PERFORM order_ext.cancel_order(o.order_id, o.user_id);
		WHEN 'cancel with key' THEN PERFORM order_ext.cancel_order(o.order_id, NULL, 'customer_service', NULL, 'c' || o.order_id);
		WHEN 'cancel as another' THEN PERFORM order_ext.cancel_order(o.order_id, o.user_id + 1);
		WHEN 'sweep' THEN PERFORM order_ext.expire_orders(20);
		WHEN 'dispatch' THEN PERFORM order_ext.dispatch(20);
		WHEN 'pay and cancel' THEN
			PERFORM t.tell(o.order_id, 'T-' || o.order_id, 'wechat', o.pay_amount);
			PERFORM order_ext.cancel_order(o.order_id);
	END CASE;
	IF random() < 0.05 THEN
		RAISE EXCEPTION 'the client changed its mind' USING ERRCODE = 'ZZ000';
	END IF;
EXCEPTION
	WHEN SQLSTATE 'ZZ000' OR SQLSTATE 'OE003' OR SQLSTATE 'OE101' OR SQLSTATE 'OE110' OR SQLSTATE 'OE201'
	  OR SQLSTATE 'OE203' OR SQLSTATE 'OE302' THEN
		IF SQLSTATE = 'OE110' AND call IN ('sweep', 'dispatch') OR SQLSTATE = 'OE003' AND call <> 'cancel as another'
			OR SQLSTATE = 'OE101' AND call <> 'pre_pay' OR SQLSTATE IN ('OE201', 'OE203') AND call <> 'create' THEN
			INSERT INTO t.unexpected VALUES (call, SQLSTATE, SQLERRM);
		END IF;
	WHEN OTHERS THEN
		-- above READ COMMITTED this is the caller's retry
		IF SQLSTATE = '40001' AND current_setting('transaction_isolation') <> 'read committed' THEN
			RETURN;
		END IF;
		GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_CONTEXT;
		INSERT INTO t.unexpected VALUES (call, SQLSTATE, SQLERRM || E'\n' || detail);
END
$$;
SQL

my %scripts = (
	'read_committed.sql' => "SELECT t.act();\n",
	'repeatable_read.sql' => "BEGIN ISOLATION LEVEL REPEATABLE READ;\nSELECT t.act();\nCOMMIT;\n",
	'serializable.sql' => "BEGIN ISOLATION LEVEL SERIALIZABLE;\nSELECT t.act();\nCOMMIT;\n");
append_to_file($node->basedir . "/$_", $scripts{$_}) foreach keys %scripts;
my @mix = map { ('-f', $node->basedir . "/$_") } ('read_committed.sql@8', 'repeatable_read.sql@1', 'serializable.sql@1');
$node->command_ok(
	[ 'pgbench', '-n', @mix, '-c', $clients, '-j', 2, '-T', $seconds, '--max-tries', 10, 'postgres' ],
	"$clients clients for $seconds s");

is($node->safe_psql('postgres', 'SELECT call, sqlstate, message, count(*) FROM t.unexpected GROUP BY 1, 2, 3 LIMIT 20'),
	'', 'every call answered with a disposition or a SQLSTATE of its contract');
my $orders = $node->safe_psql('postgres', 'SELECT count(*) FROM t.orders');
cmp_ok($orders, '>', 100, "the storm made orders ($orders)");

# ---- drain: what is left unpaid runs out by itself, and all is delivered ----
ok($node->poll_query_until('postgres', q(
	SELECT NOT EXISTS (SELECT FROM order_ext.orders_view WHERE status = 'created')
	   AND NOT EXISTS (SELECT FROM order_ext.consumer_stats WHERE lag > 0 OR retrying > 0))),
	'the workers cancel what is overdue and deliver everything');
is($node->safe_psql('postgres', 'SELECT * FROM order_ext.dead_letters'), '', 'no dead letters');
diag($node->safe_psql('postgres', q(SELECT string_agg(format('%s %s %s', n, status, cancel_type), ', ')
	FROM (SELECT status, cancel_type, count(*) AS n FROM order_ext.orders_view GROUP BY 1, 2) AS s)));

# each of these shows what is wrong: no row is right
my %nothing = (
	'verify() finds no error' =>
	  q(SELECT * FROM order_ext.verify() WHERE severity = 'error'),
	'stock: what was there, less what is on its way' => q(
		SELECT n, available, reserved, consumed, sold
		FROM generate_series(1, 5) AS n, LATERAL order_ext.stock_level('S' || n),
			 LATERAL (SELECT coalesce(sum(quantity), 0) AS sold FROM order_ext.order_items_view JOIN order_ext.orders_view USING (order_id)
					  WHERE sku = 'S' || n AND status = 'fulfilling') AS s
		WHERE available <> 400 - sold OR reserved <> sold OR consumed <> 0),
	'stock: the ledger says the same' => q(
		SELECT sku, sum(delta) FROM order_ext.stock_ledger_view
		WHERE order_id IN (SELECT order_id FROM order_ext.orders_view WHERE status = 'canceled') AND kind NOT IN ('reserve', 'release') GROUP BY sku),
	'coupons: used by paid orders, all others free' => q(
		SELECT c.coupon_id, c.status, c.order_id, o.order_id AS paid_order FROM order_ext.coupons_view c
		LEFT JOIN order_ext.orders_view o ON o.coupon_id = c.coupon_id AND o.status = 'fulfilling'
		WHERE (c.status, c.order_id) IS DISTINCT FROM (CASE WHEN o.order_id IS NULL THEN 'unused' ELSE 'used' END, o.order_id)),
	'money: each trade number that was told is one capture, none was made up' => q(
		SELECT f.pay_type, f.trade_no, p.payment_id
		FROM (SELECT DISTINCT pay_type, trade_no FROM t.facts) AS f
		FULL JOIN (SELECT * FROM order_ext.payments_view WHERE status = 'captured' AND pay_type <> 'none') AS p
			ON p.pay_type = f.pay_type AND p.out_trade_no = f.trade_no
		WHERE f.trade_no IS NULL OR p.payment_id IS NULL),
	'money: with the order and an amount that was told' => q(
		SELECT * FROM order_ext.payments_view p WHERE status = 'captured' AND pay_type <> 'none'
		AND NOT EXISTS (SELECT FROM t.facts f WHERE (f.pay_type, f.trade_no, f.order_id, f.amount, f.currency)
												  = (p.pay_type, p.out_trade_no, p.order_id, p.amount, p.currency))),
	'money: one fact of each number was the first, all others replayed or contradicted it' => q(
		SELECT pay_type, trade_no, array_agg(answer) FROM t.facts GROUP BY pay_type, trade_no
		HAVING count(*) FILTER (WHERE answer IN ('applied', 'late_refund_queued', 'surplus_refund_queued')) > 1
		    OR count(*) FILTER (WHERE answer <> 'replayed') < 1),
	'money: of a canceled order everything goes back, to the cent' => q(
		SELECT o.order_id, captured, refunded FROM order_ext.orders_view o,
			LATERAL (SELECT coalesce(sum(amount), 0) AS captured FROM order_ext.payments_view p WHERE p.order_id = o.order_id AND p.status = 'captured') AS c,
			LATERAL (SELECT coalesce(sum(amount), 0) AS refunded FROM order_ext.refunds_view r WHERE r.order_id = o.order_id AND r.status = 'requested') AS r
		WHERE o.status = 'canceled' AND captured <> refunded),
	'money: of a paid order the price stays, the surplus goes back' => q(
		SELECT o.order_id, o.pay_amount, applied, surplus, refunded FROM order_ext.orders_view o,
			LATERAL (SELECT coalesce(sum(amount) FILTER (WHERE purpose = 'applied'), 0) AS applied, count(*) FILTER (WHERE purpose = 'applied') AS n,
							coalesce(sum(amount) FILTER (WHERE purpose IN ('surplus', 'late')), 0) AS surplus
					 FROM order_ext.payments_view p WHERE p.order_id = o.order_id AND p.status = 'captured') AS c,
			LATERAL (SELECT coalesce(sum(amount), 0) AS refunded FROM order_ext.refunds_view r WHERE r.order_id = o.order_id AND r.status = 'requested') AS r
		WHERE o.status = 'fulfilling' AND (n <> 1 OR applied <> o.pay_amount OR surplus <> refunded)),
	'money: captured = applied + held + unmatched + refunded' => q(
		SELECT captured, stays, refunded FROM
			(SELECT sum(p.amount) AS captured, sum(p.amount) FILTER (WHERE (purpose = 'applied' AND o.status = 'fulfilling')
				OR (purpose = 'held' AND o.status = 'fulfilling') OR purpose = 'unmatched') AS stays
			 FROM order_ext.payments_view p LEFT JOIN order_ext.orders_view o USING (order_id) WHERE p.status = 'captured') AS c,
			(SELECT coalesce(sum(amount), 0) AS refunded FROM order_ext.refunds_view WHERE status <> 'failed') AS r
		WHERE captured IS DISTINCT FROM coalesce(stays, 0) + refunded),
	'messages: one of each kind that a cancel publishes' => q(
		SELECT o.order_id, m.topics FROM order_ext.orders_view o,
			LATERAL (SELECT array_agg(t.name ORDER BY t.name) AS topics FROM order_ext_internal.message_log l JOIN order_ext_internal.topics t USING (topic_id)
					 WHERE l.key = o.order_id AND t.name IN ('order.created', 'order.canceled', 'order.release_assets', 'stock.release', 'coupon.release')) AS m
		WHERE o.status = 'canceled' AND m.topics IS DISTINCT FROM
			CASE WHEN o.coupon_id IS NOT NULL THEN '{coupon.release}'::text[] ELSE '{}' END
			|| '{order.canceled,order.created,order.release_assets,stock.release}'::text[]),
	'messages: one order.paid for each order ever paid' => q(
		SELECT o.order_id FROM order_ext.orders_view o WHERE (o.paid_at IS NOT NULL)::integer <>
			(SELECT count(*) FROM order_ext_internal.message_log l JOIN order_ext_internal.topics t USING (topic_id)
			 WHERE l.key = o.order_id AND t.name = 'order.paid')),
	'orders: none is left paid and not on its way' => q(
		SELECT order_id, status FROM order_ext.orders_view WHERE status NOT IN ('fulfilling', 'canceled')),
	'orders: every one that was made is there, and no other' => q(
		SELECT * FROM t.orders t FULL JOIN order_ext.orders_view v USING (order_id) WHERE t.order_id IS NULL OR v.order_id IS NULL),
	'nobody holds a lock of ours' => q(
		SELECT * FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE l.locktype = 'advisory' AND objsubid > 2 AND a.backend_type = 'client backend' AND a.pid <> pg_backend_pid()));
foreach my $name (sort keys %nothing)
{
	is($node->safe_psql('postgres', "SELECT * FROM ($nothing{$name}) AS wrong LIMIT 20"), '', $name);
}
cmp_ok($node->safe_psql('postgres', q(SELECT count(*) FROM order_ext.refunds_view)), '>', 0, 'there was money to go back');
cmp_ok($node->safe_psql('postgres', q(SELECT count(*) FROM order_ext.orders_view WHERE cancel_type = 'timeout')), '>', 0, 'there were timeouts');

$node->stop;
unlike(slurp_file($node->logfile), qr/PANIC|TRAP:|terminated by signal|XX000|deadlock detected/, 'a quiet server log');
done_testing();
