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

# Those that the call does not return: of a gateway in the database, or of another pay type, and that
# nobody can claim, being leased to a worker, held, or postponed.
$psql->(<<'SQL');
SET session_replication_role = replica;
UPDATE order_ext_internal.refunds r SET pay_type = t.pay_type, status = order_ext.status_code('refund', t.status),
	lease_until = CASE t.status WHEN 'submitted' THEN r.lease_until END, held = t.held, claim_after = t.claim_after
FROM (VALUES (0, 'sandbox', 'requested', false, NULL), (1, 'card', 'requested', false, NULL),
		(2, 'alipay', 'submitted', false, NULL), (3, 'alipay', 'requested', true, NULL),
		(4, 'alipay', 'requested', false, now() + interval '1 day')) AS t (n, pay_type, status, held, claim_after)
WHERE r.status = order_ext.status_code('refund', 'submitted') AND r.refund_id >= 1000000000 AND r.refund_id / 4 % 5 = t.n;
UPDATE order_ext_internal.payments p SET pay_type = r.pay_type
FROM order_ext_internal.refunds r WHERE r.payment_id = p.payment_id AND p.pay_type <> r.pay_type;
SQL
my $refund = $psql->("SELECT refund_id FROM order_ext.refunds_view WHERE order_id = $orders[0]");
reads_little('claim_refunds', "SELECT order_ext.claim_refunds(pay_types => '{alipay}')::text");
is( $psql->("SELECT attempt || ' ' || status FROM order_ext.refunds_view WHERE refund_id = $refund"),
	'1 submitted', 'claim_refunds found the only one');
$psql->(<<'SQL');
SET session_replication_role = replica;
UPDATE order_ext_internal.refunds SET pay_type = 'sandbox', status = order_ext.status_code('refund', 'submitted'),
	held = false, claim_after = NULL, lease_until = now() + interval '1 day'
WHERE refund_id >= 1000000000
	AND status IN (order_ext.status_code('refund', 'requested'), order_ext.status_code('refund', 'submitted'));
UPDATE order_ext_internal.payments SET pay_type = 'sandbox'
WHERE payment_id >= 1000000000 AND payment_id % 4 = 0;
SQL
reads_little('refund_callback',
	"SELECT order_ext.refund_callback($refund, 'succeeded', 'G-1')::text");

reads_little('order_timeline',
	"SELECT event FROM order_ext.order_timeline($orders[0]) UNION ALL"
	  . " SELECT event FROM order_ext.order_timeline($orders[1])");
reads_little('get_order', "SELECT order_ext.get_order($orders[0])::text");
reads_little('allowed_actions', "SELECT order_ext.allowed_actions($orders[0])");

# Lists read what a page shows, or the rows that one may look at, and nothing else: of a buyer with very
# many orders, too.
$psql->(<<'SQL');
INSERT INTO order_ext_internal.orders (order_id, user_id, origin_amount, discount_amount, freight_amount, pay_amount,
		created_at, expire_at, version, status, currency, options)
	SELECT 20000 + n, 777777, 100, 0, 0, 100, now(), now() + interval '1 year', 1, order_ext.status_code('order', CASE n WHEN 1 THEN 'paid' ELSE 'signed' END), 'CNY', '{}'
	FROM generate_series(1, 10050) AS n;
INSERT INTO order_ext_internal.order_items (order_id, product_id, price, discount, pay, quantity, kind, reservation, sku, line)
	SELECT 20000 + n, 100001, 100, 0, 100, 1, 1, 2, 'many-1', 1 FROM generate_series(1, 10050) AS n;
SET session_replication_role = replica;
UPDATE order_ext_internal.refunds SET gateway_refund_no = 'many-' || order_id % 1000;
SQL

# What a call reads more than 100 rows of, and where it goes on.
sub reads_more
{
	my ($call) = @_;

	return $psql->(<<"SQL");
BEGIN;
CREATE TEMP TABLE answers (answer jsonb) ON COMMIT DROP;
INSERT INTO answers SELECT answer FROM $call AS answer;
SELECT what || ': ' || n FROM reads() WHERE n > 100 AND what ~ '_(pkey|user_id|product_id)\$' ORDER BY 1;
SELECT count(*) FILTER (WHERE answer ? 'order_id') || ' orders' FROM answers;
SELECT 'before ' || (answer->>'next_before') FROM answers WHERE answer ? 'next_before';
COMMIT;
SQL
}

# ---- maintain() archives many orders by as many statements as few, and reads these only ----

# The statements that move three of four orders of n; the fourth has an open refund.
sub archiving
{
	my ($n, $statistics) = @_;
	my ($rc, $out, $err) = $node->psql('postgres', <<"SQL");
LOAD 'auto_explain';
BEGIN;
SET LOCAL session_replication_role = replica;
-- as plans of the engine are made
SET LOCAL enable_seqscan = off;
SET LOCAL enable_bitmapscan = off;
SET LOCAL enable_hashjoin = off;
SET LOCAL enable_mergejoin = off;
SET LOCAL auto_explain.log_level = notice;
SET LOCAL auto_explain.log_nested_statements = on;
SET LOCAL auto_explain.log_min_duration = 0;
SELECT order_ext_internal.archive_orders(ARRAY(SELECT generate_series(5001, 5000 + $n)), now() + interval '1 day');
SET LOCAL auto_explain.log_min_duration = -1;
-- the first fold counts all movements of their products
SELECT what || ': ' || n FROM reads() WHERE n > 30 * $n AND what !~ 'stock_ledger' ORDER BY 1;
ROLLBACK;
SQL
	is($out, 3 * $n / 4, "archiving $n orders, nothing else is read, $statistics");
	return scalar(() = $err =~ /^Query Text: /mg);
}

foreach my $statistics ('without statistics', 'with statistics')
{
	if ($statistics eq 'with statistics')
	{
		$psql->('ANALYZE');
	}
	reads_little("$_, $statistics,", "SELECT answer::text FROM order_ext.$_ AS answer")
	  foreach 'list_orders(8)', 'list_orders(777777)', 'list_orders(777777, before => 20500)',
	  "list_orders(777777, '{signed}')",
	  "search_orders('{}', max_orders => 20)",
	  "search_orders('{\"user_id\": 777777}', max_orders => 20)",
	  "search_orders('{\"sku\": \"many-1\"}', max_orders => 20)",
	  "search_orders('{\"sku\": \"many-8\", \"user_id\": 7}')",
	  "search_orders('{\"sku\": \"many-1\", \"user_id\": 777777, \"status\": \"signed\"}', max_orders => 20)",
	  "search_orders('{\"external_id\": \"many-8\", \"sku\": \"many-9\"}')",
	  "search_orders('{\"out_trade_no\": \"many-8\"}')",
	  "search_orders('{\"gateway_refund_no\": \"many-8\"}')",
	  "search_orders('{\"gateway_refund_no\": \"many-8\", \"user_id\": 8}')",
	  "search_orders('{\"id\": 1000000008}')",
	  "search_orders('{\"text\": \"many-8\"}')",
	  "search_orders('{\"created_from\": \"today\"}', max_orders => 20)",
	  "list_products(max_products => 2)",
	  "list_products('many-46', 2, 'many-49')",
	  'list_coupons(8)', 'list_coupons(8, true)';
	reads_little("find_order, $statistics,", q{SELECT order_ext.find_order('many-8')::text});
	is(reads_more("order_ext.list_orders(777777, '{paid}')"),
		"scan of orders_user_id: 10000\n0 orders\nbefore 20051",
		"list_orders looks at 10000 orders at most, $statistics");
	is(reads_more("order_ext.list_orders(777777, '{paid}', 20051)"),
		'1 orders', "and goes on, $statistics");
	like(reads_more(q{order_ext.search_orders('{"status": "invalid"}')}),
		qr/^scan of orders_pkey: 10000\n0 orders\nbefore \d+$/,
		"search_orders, too, $statistics");
	is(reads_more(q{order_ext.search_orders('{"status": "paid", "sku": "many-1"}')}),
		"scan of order_items_product_id: 10000\nscan of orders_pkey: 10000\n0 orders\nbefore 20051",
		"of a product, $statistics");

	my $few = archiving(4, $statistics);
	cmp_ok($few, '>', 0, "statements are counted, $statistics");
	is(archiving(400, $statistics), $few, "four hundred orders are archived by as many statements as four, $statistics");
}

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

# ---- drop_archived: of many orders it takes as many statements as of few, and reads these only ----

$psql->(<<'SQL');
SET session_replication_role = replica;
INSERT INTO order_ext_archive.orders (order_id, user_id, pay_amount, created_at, settled_at, archived_at, status, currency,
		external_id, document)
	SELECT n, n, 100, '2025-01-01', '2025-01-01', '2025-07-01', order_ext.status_code('order', 'signed'), 'CNY', 'old-' || n,
		jsonb_build_object('rows', jsonb_build_object(), 'shown', jsonb_build_object('version', n))
	FROM generate_series(1, 10000) AS n;
INSERT INTO order_ext_archive.dropped (order_id, user_id, pay_amount, created_at, settled_at, archived_at, dropped_at, version,
		status, currency, external_id, digest, remains)
	SELECT n, n, 100, '2025-01-01', '2025-01-01', '2025-07-01', '2025-08-01', 1, order_ext.status_code('order', 'signed'), 'CNY',
		'old-' || n, sha256('old'), '{}'
	FROM generate_series(10001, 20000) AS n;
CREATE TABLE given AS
	SELECT a.order_id % 10000 AS n, a.order_id, coalesce(a.digest, encode(sha256(convert_to(o.document::text, 'UTF8')), 'hex')) AS digest
	FROM order_ext.archived_orders a LEFT JOIN order_ext_archive.orders o USING (order_id);
CREATE INDEX ON given (n);
SQL

# The statements that a call which drops n orders, and n more again, runs on the archive.
sub dropping
{
	my ($n) = @_;
	my ($rc, $out, $err) = $node->psql('postgres', <<"SQL");
SET order_ext.archive_retention = '60d';
LOAD 'auto_explain';
BEGIN;
SELECT order_id FROM order_ext.drop_archived('{1}', '{}'::text[] || repeat('0', 64)); -- what is looked up once is known then
SET LOCAL auto_explain.log_level = notice;
SET LOCAL auto_explain.log_nested_statements = on;
SET LOCAL auto_explain.log_min_duration = 0;
CREATE TEMP TABLE answers AS SELECT disposition FROM order_ext.drop_archived(
	(SELECT array_agg(order_id ORDER BY order_id) FROM given WHERE n BETWEEN 5001 AND 5000 + $n),
	(SELECT array_agg(digest ORDER BY order_id) FROM given WHERE n BETWEEN 5001 AND 5000 + $n));
SET LOCAL auto_explain.log_min_duration = -1;
SELECT disposition || ' ' || count(*) FROM answers GROUP BY disposition ORDER BY 1;
SELECT 'scan of ' || relname || ': ' || pg_stat_get_xact_tuples_returned(oid) FROM pg_class
WHERE relnamespace = 'order_ext_archive'::regnamespace AND pg_stat_get_xact_tuples_returned(oid) > 5 * $n + 10 ORDER BY 1;
ROLLBACK;
SQL
	is($out, "1\napplied $n\nreplayed $n", "$n orders, and $n that were dropped: nothing else is read");
	return scalar(() = $err =~ /^Query Text: /mg);
}

foreach my $statistics ('without statistics', 'with statistics')
{
	$psql->('ANALYZE order_ext_archive.orders, order_ext_archive.dropped') if $statistics eq 'with statistics';
	my $few = dropping(2);
	cmp_ok($few, '>', 0, "statements are counted, $statistics");
	is(dropping(200), $few, "two hundred orders are dropped by as many statements as two, $statistics");
}

# ---- what the views show is found by indexes ----

sub no_scan
{
	my ($query) = @_;
	my $plan = $psql->("EXPLAIN $query");

	unlike($plan, qr/Seq Scan on (orders|order_items|stock_ledger|payments|refunds|coupons|after_sale|fulfilment|shipment_events)/,
		$query)
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
no_scan("SELECT * FROM order_ext.order_items_view WHERE $_")
  foreach 'order_id = 7', "sku = 'many-7'";
no_scan("SELECT * FROM order_ext.coupons_view WHERE $_ = 7") foreach qw(coupon_id user_id order_id);
no_scan("SELECT * FROM order_ext.after_sales_view WHERE $_ = 7")
  foreach qw(after_sale_id user_id order_id);
no_scan("SELECT * FROM order_ext.after_sale_items_view WHERE $_ = 7")
  foreach qw(after_sale_id order_id);
no_scan("SELECT * FROM order_ext.$_ WHERE order_id = 7")
  foreach qw(fulfilments_view shipment_events_view held_facts disputes_view);
no_scan("SELECT p.* FROM order_ext.order_items_view JOIN order_ext.payments_view p USING (order_id) WHERE sku = 'many-7'");
is($psql->("SELECT count(*) FROM order_ext.stock_ledger_view WHERE sku = 'many-8'"),
	'40', 'all movements of a product');
is( $psql->("SELECT count(*) FROM order_ext.stock_ledger_view WHERE order_id IS NULL"),
	'1', 'and those of no order');

# ---- import_orders: of many orders as many statements read tables as of few ----

$psql->('CREATE SEQUENCE imported');

# The statements that read tables, of a call that imports n orders, and of its repetition.
sub importing
{
	my ($n) = @_;
	my $first = $psql->("SELECT nextval('imported') * 1000");
	my $call = <<"SQL";
SELECT disposition || ' ' || count(*) FROM order_ext.import_orders((SELECT jsonb_agg(jsonb_build_object('external_id', 'I-' || n,
	'user_id', 7, 'status', 'paid', 'items', '[{"sku": "plan", "quantity": 1, "price": 100}]'::jsonb, 'pay_amount', 100,
	'payments', jsonb_build_array(jsonb_build_object('pay_type', 'card', 'out_trade_no', 'I-' || n))))
	FROM generate_series($first, $first + $n - 1) AS n)) GROUP BY disposition;
SQL
	my ($rc, $out, $err) = $node->psql('postgres', <<"SQL");
SELECT FROM order_ext.adjust_stock('plan', $n);
LOAD 'auto_explain';
SET auto_explain.log_level = notice;
SET auto_explain.log_nested_statements = on;
SET auto_explain.log_min_duration = 0;
$call$call
SQL
	is($out, "applied $n\nreplayed $n", "$n orders are imported");
	return scalar(grep { /(?:Seq|Index|Index Only|Bitmap Heap) Scan/ } split /^NOTICE: /m, $err);
}

my $import = importing(2);
cmp_ok($import, '>', 0, 'statements of import_orders are counted');
is(importing(200), $import, 'two hundred orders are imported by as many statements as two');

done_testing();
