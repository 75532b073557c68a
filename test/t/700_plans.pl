# Without statistics, as in a database that was just restored, no statement of the engine reads
# more than a constant, and the views are read by indexes.
use strict;
use warnings;

use File::Basename;
use FindBin;
use lib $FindBin::RealBin;

use OrderExtTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $top = $ENV{TESTDIR} || dirname(__FILE__) . '/../..';
my $node = start_node('plans');
my $psql = sub { return $node->safe_psql('postgres', $_[0]); };

$psql->("ALTER DATABASE postgres SET order_ext.enabled = off");
$psql->('CREATE EXTENSION order_ext');
$psql->("BEGIN;\n" . slurp_file("$top/test/fixtures/many_rows.sql") . 'COMMIT');
is( $psql->(
		"SELECT max(reltuples) FROM pg_class WHERE relname IN ('orders', 'payments', 'refunds')"),
	'-1', 'there are no statistics');

# What a session reads of the tables with many rows: entries of indexes and rows of scans.
my $reads = <<'SQL';
CREATE FUNCTION reads() RETURNS TABLE (what text, n bigint) LANGUAGE sql AS $$
	SELECT 'scan of ' || c.relname, pg_stat_get_xact_tuples_returned(c.oid)
	FROM pg_class c
	WHERE c.relnamespace = 'order_ext_internal'::regnamespace AND c.relkind IN ('r', 'i')
		AND c.relname ~ '^(orders|order_items|product|freight_templates|stock_ledger|transition_log|requests|coupons'
			'|payments|after_sale|refunds|fulfilment|shipment_events)'
$$;
SQL
$psql->($reads);

# Calls, each in a transaction of its own, that read too much.
sub reads_little
{
	my ($name, $call) = @_;
	my $out = $psql->(<<"SQL");
BEGIN;
CREATE TEMP TABLE answers (answer text) ON COMMIT DROP;
INSERT INTO answers $call;
SELECT what || ': ' || n FROM reads() WHERE n > 100 ORDER BY 1;
SELECT 'no answer' WHERE NOT EXISTS (SELECT FROM answers);
COMMIT;
SQL
	is($out, '', "$name reads a constant");
	return;
}

# An order of a user, and its amount and id as psql variables cannot be kept between sessions.
$psql->(<<'SQL');
SELECT order_ext.put_product('plan', 'a product', 100);
SELECT order_ext.adjust_stock('plan', 100, 'for the test');
CREATE TABLE made AS SELECT (order_ext.create_order(7, '[{"sku": "plan", "quantity": 1}]', 100,
	options => '{"channel": "none"}')).id FROM generate_series(1, 4);
SQL
my @orders = split /\n/, $psql->('SELECT id FROM made ORDER BY 1');

reads_little('create_order', <<'SQL');
SELECT order_ext.create_order(7, '[{"sku": "plan", "quantity": 1}]', 200, request_id => 'r',
	options => '{"region": "many-7"}')::text
SQL
reads_little('pre_pay_order', "SELECT order_ext.pre_pay_order($orders[0], 'alipay', 100)::text");
reads_little('pay_callback of an attempt',
	"SELECT order_ext.pay_callback($orders[0], 'T-1', 'alipay', 100, 'CNY', now())::text");
reads_little('pay_callback without one',
	"SELECT order_ext.pay_callback($orders[1], 'T-2', 'sandbox', 100, 'CNY', now())::text");
reads_little('dispatch of paid orders', 'SELECT order_ext.dispatch()::text');
reads_little('cancel_order of a paid one',
	"SELECT order_ext.cancel_order($orders[1])::text");
reads_little('cancel_order of an unpaid one',
	"SELECT order_ext.cancel_order($orders[2])::text");
reads_little('refund.execute', 'SELECT order_ext.dispatch()::text') foreach 1 .. 4;
is( $psql->("SELECT status FROM order_ext.refunds_view WHERE order_id = $orders[1]"),
	'succeeded', 'the sandbox refunded');
reads_little('cancel_order that waits for claim_refunds',
	"SELECT order_ext.cancel_order($orders[0])::text");
reads_little('dispatch of it', 'SELECT order_ext.dispatch()::text') foreach 1 .. 2;
my $refund = $psql->("SELECT refund_id FROM order_ext.refunds_view WHERE order_id = $orders[0]");
reads_little('refund_callback',
	"SELECT order_ext.refund_callback($refund, 'succeeded', 'G-1')::text");

reads_little('order_timeline',
	"SELECT event FROM order_ext.order_timeline($orders[0]) UNION ALL"
	  . " SELECT event FROM order_ext.order_timeline($orders[1])");
reads_little('get_order', "SELECT order_ext.get_order($orders[0])::text");
reads_little('allowed_actions', "SELECT order_ext.allowed_actions($orders[0])");

# The recent check reads what was written after the mark, whatever there was before it.
$psql->(<<'SQL');
INSERT INTO order_ext_internal.verify_marks (seq, at, full_at, since, unpaid_since, system_identifier,
	log_blocks, seen, open_orders, found)
SELECT 1, clock_timestamp(), clock_timestamp(), clock_timestamp(), clock_timestamp(),
	system_identifier, 0, pg_current_snapshot(), '{}', '[]'
FROM pg_control_system();
SELECT brin_summarize_new_values('order_ext_internal.transition_log_at'),
	brin_summarize_new_values('order_ext_internal.requests_created_at');
SELECT order_ext.create_order(7, '[{"sku": "plan", "quantity": 1}]', 100);
SQL
my $recent = $psql->(<<'SQL');
BEGIN;
SELECT count(*) FROM order_ext.verify();
-- open refunds are all looked at, there are warnings among them; templates are few in real life
SELECT what || ': ' || n FROM reads() WHERE n > 100
	AND what !~ 'refunds|freight_templates|transition_log_at' ORDER BY 1;
COMMIT;
SQL
like($recent, qr/^\d+$/, 'verify() reads a constant');

# ---- what the views show is found by indexes ----

sub no_scan
{
	my ($query) = @_;
	my $plan = $psql->("EXPLAIN $query");

	unlike($plan, qr/Seq Scan on (orders|stock_ledger|payments|refunds)/, $query)
		or diag($plan);
	return;
}

no_scan('SELECT * FROM order_ext.orders_view WHERE user_id = 7 ORDER BY order_id DESC LIMIT 20');
no_scan("SELECT * FROM order_ext.stock_ledger_view WHERE sku = 'many-7'");
no_scan('SELECT * FROM order_ext.stock_ledger_view WHERE order_id = 7');
no_scan("SELECT * FROM order_ext.payments_view WHERE out_trade_no = 'many-7'");
no_scan("SELECT * FROM order_ext.payments_view WHERE $_ = 7") foreach qw(payment_id order_id);
no_scan("SELECT * FROM order_ext.refunds_view WHERE $_ = 7")
  foreach qw(refund_id payment_id order_id);
is($psql->("SELECT count(*) FROM order_ext.stock_ledger_view WHERE sku = 'many-8'"),
	'40', 'all movements of a product');
is( $psql->("SELECT count(*) FROM order_ext.stock_ledger_view WHERE order_id IS NULL"),
	'1', 'and those of no order');

done_testing();
