# A dump of a database with archived orders, some of them dropped: in the copy they answer as before,
# their numbers are taken, they come back when somebody tells something new about them, and the books
# are the same.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use OrderExtTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = start_node('restore_archive', 'fsync = off', 'order_ext.enabled = off', 'order_ext.order_retention = 30d',
	'order_ext.archive_retention = 30d');
my $dump = PostgreSQL::Test::Utils::tempdir() . '/dump';

# All that reads say about each order, the sums, and the levels of the stock.
my %reads = (
	'get_order()' => q{SELECT md5(string_agg(order_ext.get_order(order_id)::text, ' ' ORDER BY order_id)) FROM ids WHERE order_id NOT IN (SELECT order_id FROM elsewhere)},
	'order_timeline()' => q{SELECT md5(string_agg(l::text, ' ' ORDER BY order_id, l.*)) FROM ids, order_ext.order_timeline(order_id) AS l
		WHERE order_id NOT IN (SELECT order_id FROM elsewhere)},
	'list_orders()' => q{SELECT md5(string_agg(l::text, ' ')) FROM order_ext.list_orders(7, max_orders => 100) AS l},
	'search_orders()' => q{SELECT string_agg(s ->> 'external_id', ' ') FROM order_ext.search_orders('{"text": "T-0-4"}') AS s},
	'archived_orders' => q{SELECT md5(string_agg(a::text, ' ' ORDER BY a.order_id)) FROM order_ext.archived_orders AS a},
	'money_report' => q{SELECT md5(string_agg(m::text, ' ' ORDER BY m.*)) FROM order_ext.money_report AS m},
	'stock_level()' => q{SELECT * FROM order_ext.stock_level('OLD')});

$node->safe_psql('postgres', 'CREATE DATABASE shop');
$node->safe_psql('shop', 'CREATE EXTENSION order_ext');
create_old_orders($node, 'shop', 0, 20);
$node->safe_psql('shop', 'SELECT order_ext.maintain()');
is($node->safe_psql('shop', 'SELECT count(*) FROM order_ext.archived_orders'), '20', 'there is an archive');
$node->safe_psql('shop', q{CREATE TABLE elsewhere AS SELECT e.* FROM order_ext.export_archived() AS e JOIN order_ext.archived_orders o USING (order_id)
		WHERE o.external_id IN ('X-0-11', 'X-0-12');
	SELECT order_ext.drop_archived(array_agg(order_id), array_agg(digest)) FROM elsewhere});
create_old_orders($node, 'shop', 1, 4);
$node->safe_psql('shop', q{CREATE TABLE ids AS SELECT order_id, external_id FROM order_ext.orders_view
	UNION SELECT order_id, external_id FROM order_ext.archived_orders});
my %before = map { $_ => $node->safe_psql('shop', $reads{$_}) } keys %reads;
verify_clean($node, 'shop', 'before the dump');
$node->command_ok([ 'pg_dump', '-Fc', '-f', $dump, $node->connstr('shop') ], 'dumped');
$node->safe_psql('postgres', 'CREATE DATABASE copy');
$node->command_ok([ 'pg_restore', '--exit-on-error', '-d', $node->connstr('copy'), $dump ], 'restored');

is($node->safe_psql('copy', $reads{$_}), $before{$_}, "$_ answers as before") foreach sort keys %reads;
my $errors = q{SELECT count(*) FROM order_ext.verify('full') WHERE severity = 'error'};
is($node->safe_psql('copy', $errors), '0', 'nothing is broken in the copy');
$node->safe_psql('copy', 'SELECT order_ext.enable_dispatch()');

# ---- numbers stay taken ----

my ($rc, $out, $err) = $node->psql('copy', q{SELECT order_ext.create_order(7, '[{"sku": "OLD", "quantity": 1}]', 1000, options => '{"external_id": "X-0-1"}')});
like($err, qr/external_id "X-0-1"/, 'an external_id of an archived order');
is($node->safe_psql('copy', q{SELECT (order_ext.pay_callback((SELECT order_id FROM ids WHERE external_id = 'X-0-1'), 'T-0-1', 'oldpay', 2050)).disposition}),
	'replayed', 'a trade number');
is($node->safe_psql('copy', q{SELECT (order_ext.refund_callback((r ->> 'refund_id')::bigint, 'succeeded', r ->> 'gateway_refund_no')).disposition
	FROM ids, jsonb_array_elements(order_ext.get_order(order_id) -> 'refunds') AS r WHERE external_id = 'X-0-4'}), 'replayed', 'a refund');
is($node->safe_psql('copy', q{SELECT (order_ext.pay_callback((SELECT order_id FROM ids WHERE external_id = 'X-0-2'), 'T-0-3', 'oldpay', 2050)).disposition}),
	'unknown_order_held', 'a trade number of another archived order');
is($node->safe_psql('copy', q{SELECT (order_ext.pay_callback((SELECT order_id FROM ids WHERE external_id = 'X-0-11'), 'T-0-11', 'oldpay', 2050)).disposition}),
	'replayed', 'a trade number of a dropped order');
($rc, $out, $err) = $node->psql('copy', q{SELECT order_ext.create_order(7, '[{"sku": "OLD", "quantity": 1}]', 1000, options => '{"external_id": "X-0-12"}')});
like($err, qr/external_id "X-0-12"/, 'its external_id');
is($node->safe_psql('copy', 'SELECT DISTINCT (order_ext.restore_archived(order_id, document)).disposition FROM elsewhere'), 'applied', 'the copy takes its document back');
is($node->safe_psql('copy', q{SELECT bool_and(order_ext.get_order(order_id) = document -> 'shown') FROM elsewhere}), 't', 'and shows it');
delete $reads{archived_orders};
delete $reads{'list_orders()'};    # which shows them with their contents again
is($node->safe_psql('copy', $reads{$_}), $before{$_}, "and $_ is as before") foreach grep { !/order_timeline|get_order/ } sort keys %reads;

# ---- and go on ----

is($node->safe_psql('copy', q{SELECT (order_ext.pay_callback((SELECT order_id FROM ids WHERE external_id = 'X-0-5'), 'T-more', 'oldpay', 2050)).disposition}),
	'surplus_refund_queued', 'new money is money');
$node->safe_psql('copy', 'SELECT order_ext.maintain()');
is($node->safe_psql('copy', 'SELECT count(*) FROM order_ext.archived_orders'), '19', 'four more are archived; the five that were told of wait for the next search');
is($node->safe_psql('copy', $errors), '0', 'nothing is broken');
$node->stop;
check_log($node);
done_testing();
