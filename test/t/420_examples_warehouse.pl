# The warehouse of examples/ on a real server: every paid order is shipped or canceled, never
# both, also when the warehouse is killed with parcels in its hands.
use strict;
use warnings;

use File::Basename;
use File::Copy;
use FindBin;
use lib $FindBin::RealBin;

use OrderExtTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $example = ($ENV{TESTDIR} || dirname(__FILE__) . '/../..') . '/examples/warehouse';
my $build = PostgreSQL::Test::Utils::tempdir();

my $node = start_node('warehouse');
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION order_ext;
CREATE ROLE warehouse LOGIN;
SELECT order_ext.grant_to('warehouse', 'callback'), order_ext.grant_to('warehouse', 'worker');
SELECT order_ext.grant_to('warehouse', 'operator');
SET ROLE warehouse;
SELECT order_ext.subscribe('warehouse_requests', 'fulfilment.requested');
SELECT order_ext.subscribe('warehouse_cancels', 'fulfilment.cancel_requested');
SELECT order_ext.subscribe('warehouse_canceled', 'order.canceled');
RESET ROLE;
SELECT order_ext.set_channel('partner', true);
SELECT order_ext.put_product('W', 'goods', 100);
SELECT available FROM order_ext.adjust_stock('W', 1000);
CREATE TABLE orders (n integer PRIMARY KEY, order_id bigint);
CREATE FUNCTION sell(n integer) RETURNS void LANGUAGE sql AS $$
	INSERT INTO orders SELECT n, (order_ext.create_order(1, '[{"sku": "W", "quantity": 1}]', 100,
		options => CASE WHEN n % 2 = 0 THEN '{"channel": "partner"}' ELSE '{}' END::jsonb)).id;
	SELECT order_ext.pay_callback(order_id, 'T-' || n, 'wechat', 100) FROM orders o WHERE o.n = sell.n;
$$;
SQL
my $uri = sprintf 'postgresql://warehouse@localhost:%s/postgres?host=%s', $node->port, $node->host;

copy("$example/$_", "$build/$_") or die $! foreach qw(warehouse.js package.json .npmrc);
{
	local $ENV{HOME} = $build;
	delete local $ENV{TEST_CLOCK};    # certificates are of today
	local $ENV{npm_config_cache} = "$build/npm_cache";
	is(system_log('npm', 'install', '--prefix', $build, '--no-audit', '--no-fund', '--no-update-notifier'),
		0, 'npm installs what the warehouse needs');
}
my ($output, $errors) = ('', '');

# ---- shipped, refused, stopped and too late ----
$ENV{WAREHOUSE_SECONDS} = 2;
$node->safe_psql('postgres', 'SELECT sell(n) FROM generate_series(1, 60) AS n');
my $warehouse = IPC::Run::start([ 'node', "$build/warehouse.js", $uri, 5 ], '>', \$output, '2>', \$errors);
wait_sql($node, 'postgres', "SELECT count(*) FROM order_ext.fulfilments_view WHERE status = 'labelled'", 60, 60, 'the warehouse has all parcels in its hands');
$node->safe_psql('postgres', 'SELECT order_ext.cancel_order(order_id) FROM orders WHERE n <= 10');
wait_sql($node, 'postgres', "SELECT count(*) FROM order_ext.orders_view WHERE status IN ('signed', 'refused', 'canceled')", 60, 60, 'every order came to its end');
my ($code) = $node->psql('postgres', 'SELECT order_ext.cancel_order(order_id) FROM orders WHERE n = 20');
is($code, 3, 'what has arrived is not canceled');
ok(IPC::Run::finish($warehouse), 'the warehouse ends well');
is($errors, '', 'without complaints');
is($node->safe_psql('postgres', "SELECT string_agg(n::text, ' ' ORDER BY n) FROM orders JOIN order_ext.orders_view USING (order_id) WHERE status = 'canceled'"),
	join(' ', 1 .. 10), 'what was canceled in time was stopped, whoever ships it');
is(scalar(() = $output =~ / stopped$/mg), 5, 'the partner was asked, and said yes');
is($node->safe_psql('postgres', "SELECT count(*) FROM orders JOIN order_ext.orders_view USING (order_id) JOIN order_ext.fulfilments_view f USING (order_id) WHERE (orders_view.status = 'refused') <> (f.delivery_order % 7 = 0) AND f.status = 'out'"),
	0, 'the seventh parcel is refused');
is($node->safe_psql('postgres', "SELECT available || ' ' || reserved || ' ' || consumed FROM order_ext.stock_level('W')"), '950 0 50', 'what left is consumed, the rest is there');

# ---- killed with parcels in its hands: the next one ships them ----
$ENV{WAREHOUSE_SECONDS} = 600;
$ENV{WAREHOUSE_LEASE} = 5;
$node->safe_psql('postgres', 'SELECT sell(n) FROM generate_series(101, 120) AS n');
$warehouse = IPC::Run::start([ 'node', "$build/warehouse.js", $uri ], '>', \$output, '2>', \$errors);
wait_sql($node, 'postgres', "SELECT count(*) FROM order_ext.fulfilments_view WHERE status = 'labelled'", 20, 60, 'it has parcels again');
IPC::Run::kill_kill($warehouse, grace => 0);
# it said nothing of its end: its leases run out, and the next one gets the messages
$node->safe_psql('postgres', 'SELECT order_ext.cancel_order(order_id) FROM orders WHERE n BETWEEN 101 AND 104');
$ENV{WAREHOUSE_SECONDS} = 0;
$warehouse = IPC::Run::start([ 'node', "$build/warehouse.js", $uri ], '>', \$output, '2>', \$errors);
wait_sql($node, 'postgres', "SELECT count(*) FROM order_ext.orders_view WHERE status IN ('signed', 'refused', 'canceled')", 80, 120, 'another warehouse finishes what the dead one had');
IPC::Run::signal($warehouse, 'TERM');
ok(IPC::Run::finish($warehouse), 'SIGTERM ends it');
is($node->safe_psql('postgres', "SELECT count(*) FROM order_ext.shipment_events_view WHERE kind = 'picked' AND state = 'applied'"), 80, 'what was told twice happened once');
is($node->safe_psql('postgres', "SELECT count(*) FROM orders JOIN order_ext.orders_view USING (order_id) JOIN order_ext.fulfilments_view f USING (order_id) WHERE (orders_view.status = 'canceled') <> (f.status = 'canceled')"), 0, 'nothing is both shipped and canceled');

verify_clean($node, 'postgres');
check_log($node);
done_testing();
