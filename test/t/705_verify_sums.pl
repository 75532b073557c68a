# verify('full') compares sums of whole tables before it joins them: in a shop where all is well no
# rows are compared, and two errors that make up for each other in plain sums are found.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;

use OrderExtTest;
use Test::More;

my $node = start_node('verify_sums');
my $psql = sub { return $node->safe_psql('postgres', $_[0]); };

$psql->('ALTER DATABASE postgres SET order_ext.enabled = off');
$psql->('CREATE EXTENSION order_ext');

# Orders of two lines by their names: two on their way, two out, two that cost euros, two canceled.
$psql->(<<'SQL');
SELECT order_ext.put_product(sku, sku, 100, currency => 'CNY'), order_ext.put_price(sku, 'EUR', 100),
	order_ext.adjust_stock(sku, 100)
FROM unnest('{A,B}'::text[]) AS sku;
-- so many movements are folded; those of C are not
SELECT order_ext.adjust_stock(sku, 1) FROM unnest('{A,B}'::text[]) AS sku, generate_series(1, 50);
SELECT order_ext.put_product('C', 'C', 100), order_ext.adjust_stock('C', 1);
CREATE TABLE made (name text, id bigint, coupon bigint, user_id bigint);
SQL
my $n = 0;
foreach my $name (qw(going leaving out gone euro cent canceled void))
{
	my $currency = $name =~ /euro|cent/ ? 'EUR' : 'CNY';
	my $coupon = $name =~ /out|gone/ ? "order_ext.issue_coupon($n + 1, 10)" : 'NULL';
	$n++;
	$psql->(<<"SQL");
INSERT INTO made SELECT '$name', NULL, $coupon, $n;
UPDATE made SET id = (order_ext.create_order(user_id, '[{"sku": "A", "quantity": 1}, {"sku": "B", "quantity": 1}]',
	CASE WHEN coupon IS NULL THEN 200 ELSE 190 END, coupon,
	options => '{"currency": "$currency"}')).id WHERE name = '$name';
SELECT order_ext.pay_callback(id, 'T-' || name, 'card', CASE WHEN coupon IS NULL THEN 200 ELSE 190 END, '$currency')
FROM made WHERE name = '$name';
SQL
}
$psql->("SELECT order_ext.cancel_order(id, user_id) FROM made WHERE name IN ('canceled', 'void')");
$psql->('SELECT order_ext.dispatch()') foreach 1 .. 5;
$psql->(<<'SQL');
SELECT order_ext.shipment_event(id, name || kind, kind) FROM made, unnest('{picked,out_stock}'::text[]) AS kind
WHERE name IN ('out', 'gone');
SELECT order_ext.dispatch();
SELECT order_ext.maintain();
SQL

my ($rc, $out, $err) = $node->psql('postgres', "SET client_min_messages = debug1; SELECT * FROM order_ext.verify('full') WHERE severity = 'error'");
is($out, '', 'all is well');
is(join("\n", $err =~ /check of (.*): rows are compared/g), '', 'and no rows are compared');

my $codes = codes($node, 'postgres');
my $status = $codes->{order_status};

# What verify() finds when something is changed behind the engine's back.
sub finds
{
	my ($name, $change, @expected) = @_;
	my $found = $psql->(<<"SQL");
BEGIN;
SET LOCAL session_replication_role = replica;
SET LOCAL search_path = order_ext_internal, public;
$change;
SELECT DISTINCT v.invariant || ' ' || coalesce(m.name, v.entity)
FROM order_ext.verify('full') AS v
LEFT JOIN payments AS p ON v.entity = 'payment ' || p.payment_id
LEFT JOIN coupons AS c ON v.entity = 'coupon ' || c.coupon_id
LEFT JOIN refunds AS r ON v.entity = 'refund ' || r.refund_id
LEFT JOIN after_sales AS a ON v.entity = 'after-sale ' || a.after_sale_id
LEFT JOIN made AS m ON m.id = coalesce(p.order_id, c.order_id, r.order_id, a.order_id, substring(v.entity, '^(?:order|fulfilment) (\\d+)')::bigint)
WHERE v.severity = 'error' ORDER BY 1;
ROLLBACK;
SQL
	return is($found, join("\n", @expected), $name);
}

my %id = map { split /\|/ } split /\n/, $psql->('SELECT name, id FROM made');
my %product = map { split /\|/ } split /\n/, $psql->('SELECT sku, product_id FROM order_ext_internal.products');

finds('a cent more for one order, a cent less for another',
	"UPDATE order_items SET price = price + x.d, pay = pay + x.d
	 FROM (VALUES ($id{going}, 1), ($id{leaving}, -1)) AS x (id, d) WHERE order_id = x.id AND line = 1",
	'I1 going', 'I1 leaving');
finds('a reservation of what is out, and goods out of what is not',
	"UPDATE order_items SET reservation = CASE order_id WHEN $id{going} THEN 2 ELSE 1 END
	 WHERE order_id IN ($id{going}, $id{gone}) AND line = 1",
	'I6 going', 'I6 gone');
finds('two pieces reserved for one order, none for another',
	"UPDATE stock_ledger SET reserved_delta = reserved_delta + x.d, available_delta = available_delta - x.d
	 FROM (VALUES ($id{going}, 1), ($id{leaving}, -1)) AS x (id, d)
	 WHERE order_id = x.id AND product_id = $product{A}",
	'I6 going', 'I6 leaving');
finds('a fold of one product has a piece of another',
	"UPDATE stock_folds SET available = available + CASE product_id WHEN $product{A} THEN 1 ELSE -1 END",
	'I6 sku A', 'I6 sku B');
finds('less than nothing of a product without a fold',
	"UPDATE stock_ledger SET available_delta = -1 WHERE product_id = $product{C}",
	'I6 sku C');
finds('a cent more captured of one order, a cent less of another',
	"UPDATE payments SET amount = amount + x.d
	 FROM (VALUES ($id{going}, 1), ($id{leaving}, -1)) AS x (id, d) WHERE order_id = x.id",
	'I12 leaving', 'I4 going');
finds('two captures of one order, none of another',
	"UPDATE payments SET order_id = $id{going} WHERE order_id = $id{leaving}",
	'I12 going', 'I12 leaving');
finds('captures of two orders have changed their currencies',
	"UPDATE payments SET currency = CASE currency WHEN 'EUR' THEN 'CNY' ELSE 'EUR' END
	 WHERE order_id IN ($id{going}, $id{euro})",
	'I12 euro', 'I12 going');
finds('coupons of two orders have changed places',
	"UPDATE coupons SET order_id = CASE order_id WHEN $id{out} THEN $id{gone} ELSE $id{out} END WHERE order_id IN ($id{out}, $id{gone})",
	'I7 gone', 'I7 out');
finds('a step of one order is a second one of another',
	"UPDATE transition_log SET entity_id = $id{leaving}, version = 5
	 WHERE machine = $codes->{machine}{order} AND entity_id = $id{going} AND version = 3",
	'I8 going', 'I8 leaving');
finds('two orders have changed their status',
	"UPDATE transition_log SET to_status = CASE entity_id WHEN $id{going} THEN $status->{out_stock} ELSE $status->{fulfilling} END
	 WHERE machine = $codes->{machine}{order} AND entity_id IN ($id{going}, $id{gone}) 
	  AND to_status = CASE entity_id WHEN $id{going} THEN $status->{fulfilling} ELSE $status->{out_stock} END",
	'I8 going', 'I8 gone', 'I9 going', 'I9 gone');
finds('two messages have changed their keys',
	"UPDATE message_log_0 SET key = CASE key WHEN $id{going} THEN $id{leaving} ELSE $id{going} END
	 WHERE key IN ($id{going}, $id{leaving}) AND topic_id = (SELECT topic_id FROM topics WHERE name = 'order.paid')",
	'I9 going', 'I9 leaving');
finds('two messages of an order have changed their topics',
	"UPDATE message_log_0 AS m SET topic_id = CASE t.name WHEN 'order.paid' THEN (SELECT topic_id FROM topics WHERE name = 'order.created')
	  ELSE (SELECT topic_id FROM topics WHERE name = 'order.paid') END
	 FROM topics AS t WHERE t.topic_id = m.topic_id AND m.key = $id{going} AND t.name IN ('order.created', 'order.paid')",
	'I9 going');
finds('two fulfillments have changed their status',
	"UPDATE fulfilments SET status = CASE order_id
	  WHEN $id{going} THEN $codes->{fulfilment_status}{out} ELSE $codes->{fulfilment_status}{created} END
	 WHERE order_id IN ($id{going}, $id{gone})",
	'I11 going', 'I11 gone', 'I8 going', 'I8 gone');
finds('two documents have changed their status',
	"UPDATE fulfilment_documents SET status = CASE order_id WHEN $id{going} THEN 40 /* done */ ELSE 10 /* open */ END
	 WHERE order_id IN ($id{going}, $id{gone}) AND kind = $codes->{document_kind}{delivery_order}",
	'I11 going', 'I11 gone');

finds('a cent more goes back of one payment, a cent less of another',
	"UPDATE refunds SET amount = amount + x.d FROM (VALUES ($id{canceled}, 1), ($id{void}, -1)) AS x (id, d) WHERE order_id = x.id",
	'I3 canceled', 'I4 void');
finds('one refund more of one payment, none of another',
	"UPDATE refunds SET payment_id = (SELECT payment_id FROM payments WHERE order_id = $id{canceled}) WHERE order_id = $id{void}",
	'I3 canceled', 'I3 void', 'I4 void');
finds('two refunds have changed their payments',
	"UPDATE refunds SET payment_id = (SELECT payment_id FROM payments AS p WHERE p.order_id = CASE refunds.order_id
	  WHEN $id{canceled} THEN $id{void} ELSE $id{canceled} END)",
	'I3 canceled', 'I3 void');
finds('two refunds have changed their after-sales',
	"UPDATE refunds SET after_sale_id = (SELECT after_sale_id FROM after_sales AS a WHERE a.order_id = CASE refunds.order_id
	  WHEN $id{canceled} THEN $id{void} ELSE $id{canceled} END)",
	'I3 canceled', 'I3 void');
finds('a refund of a payment that is not there',
	"UPDATE refunds SET payment_id = -1 WHERE order_id = $id{void}",
	'I3 payment -1', 'I4 void');
finds('a refund of a payment that was not captured, though its order went on',
	"UPDATE refunds SET order_id = $id{going}, after_sale_id = 0, cause = $codes->{refund_cause}{late},
	  payment_id = (SELECT payment_id FROM payments WHERE order_id = $id{going}) WHERE order_id = $id{void};
	 UPDATE payments SET status = 10 /* pending */, purpose = NULL, captured_at = NULL WHERE order_id = $id{going}",
	'I12 going', 'I3 going', 'I4 void', 'I8 going');
finds('more has gone back than came, since what was captured has no purpose',
	"UPDATE refunds SET status = $codes->{refund_status}{succeeded}, settled_at = now() WHERE order_id = $id{void};
	 UPDATE payments SET purpose = NULL WHERE order_id = $id{void}",
	'I12 void', 'I13 void', 'I2 void', 'I3 void', 'I8 void');
finds('refunds of the wrong currency, and settled although they are open',
	"UPDATE refunds SET currency = 'EUR' WHERE order_id = $id{void}; UPDATE refunds SET settled_at = now() WHERE order_id = $id{canceled}",
	'I3 canceled', 'I3 void');
finds('a late capture has no refund',
	"UPDATE payments SET purpose = $codes->{payment_purpose}{late} WHERE order_id = $id{void};
	 UPDATE refunds SET status = $codes->{refund_status}{withdrawn} WHERE order_id = $id{void}",
	'I12 void', 'I4 void', 'I8 void');

# With statistics of many refunds, they are not compared with each payment.
my ($failed, undef, $plans) = $node->psql('postgres', <<"SQL");
BEGIN;
SET LOCAL session_replication_role = replica;
SET LOCAL search_path = order_ext_internal, public;
INSERT INTO orders SELECT (jsonb_populate_record(o, jsonb_build_object('order_id', order_id + i))).*
FROM orders AS o, generate_series(1, 3000) AS i WHERE order_id = $id{canceled};
INSERT INTO payments SELECT (jsonb_populate_record(p, jsonb_build_object('order_id', order_id + i,
	'payment_id', payment_id + 1000 + i, 'out_trade_no', out_trade_no || i))).*
FROM payments AS p, generate_series(1, 3000) AS i WHERE order_id = $id{canceled};
INSERT INTO refunds SELECT (jsonb_populate_record(r, jsonb_build_object('order_id', order_id + i,
	'payment_id', payment_id + 1000 + i, 'refund_id', refund_id + 1000 + i))).*
FROM refunds AS r, generate_series(1, 3000) AS i WHERE order_id = $id{canceled};
ANALYZE orders, payments, refunds;
LOAD 'auto_explain';
SET LOCAL auto_explain.log_min_duration = 0;
SET LOCAL auto_explain.log_nested_statements = on;
SET LOCAL client_min_messages = log;
SELECT FROM order_ext.verify('full');
ROLLBACK;
SQL
is($failed, 0, 'refunds are made and verified') or diag(substr($plans, -600));
my ($plan) = $plans =~ /Query Text: SELECT [^\n]*purpose IN[^\n]*\n(.*?)(?=\n[^\n]*LOG: |\z)/s;
like($plan, qr/refunds/, 'the plan of what captures ask for');
unlike($plan, qr/Nested Loop/, 'joins refunds at once');

# The recent check joins the rows that it has copied at once: none are read again for each order.
(undef, undef, $plans) = $node->psql('postgres', <<"SQL");
BEGIN;
SET LOCAL session_replication_role = replica;
SET LOCAL search_path = order_ext_internal, public;
CREATE FUNCTION pg_temp.copy(name text, ids text) RETURNS void LANGUAGE plpgsql AS \$\$
BEGIN
	EXECUTE format('INSERT INTO %1\$I SELECT (jsonb_populate_record(x, (SELECT jsonb_object_agg(key, -(value::bigint %% 1000000000) * 10000 - i)
		FROM jsonb_each_text(to_jsonb(x)) WHERE key = ANY (%2\$L)) || jsonb_build_object(\$q\$xid\$q\$, pg_current_xact_id(),
		\$q\$at\$q\$, now(), \$q\$out_trade_no\$q\$, \$q\$T\$q\$ || order_id || i))).*
		FROM %1\$I AS x, generate_series(1000, 2000) AS i WHERE order_id IN ($id{out}, $id{canceled}, $id{void})', name, ids);
END
\$\$;
SELECT pg_temp.copy(name, '{order_id,payment_id,refund_id,after_sale_id,entity_id,document_id}') FROM unnest('{orders,order_items,payments,
	refunds,after_sales,after_sale_items,fulfilments,fulfilment_documents,transition_log,shipment_events,stock_ledger}'::text[]) AS name;
UPDATE after_sales SET status = $codes->{after_sale_status}{refunded} WHERE order_id < 0 AND order_id % 2 = 0;
UPDATE orders SET status = $status->{signed}, freight_amount = 1, pay_amount = pay_amount + 1 WHERE order_id < 0;
LOAD 'auto_explain';
SET LOCAL auto_explain.log_min_duration = 0;
SET LOCAL auto_explain.log_analyze = on;
SET LOCAL auto_explain.log_timing = off;
SET LOCAL auto_explain.log_nested_statements = on;
SET LOCAL client_min_messages = log;
SELECT count(*) > 2000 AS finds FROM order_ext.verify();
ROLLBACK;
SQL
like($plans, qr/Named Tuplestore Scan.*rows=3003 /, 'orders are copied');
is(join("\n", $plans =~ /^[^\n]*Tuplestore Scan[^\n]* loops=\d{2,}\)$/gm), '', 'and read once by each check');
my @again = grep { !/on (?:g|newest|lately|armed)/ } $plans =~ /^[^\n]*CTE Scan[^\n]* loops=\d{3,}\)$/gm;
is(join("\n", @again), '', 'and so is what checks make of them');

$node->stop;
check_log($node);
done_testing();
