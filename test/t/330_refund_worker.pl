# External refund workers, examples/refund_worker: they and the server under them are killed again
# and again, and every third call of the gateway goes wrong. Its books, a file, then hold every
# refund once, with the amount that the database says.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use OrderExtTest;
use IPC::Run qw(start);
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

my $kills = $ENV{REFUND_KILLS} || 12;
my $top = $ENV{TESTDIR} || "$FindBin::RealBin/../..";
my $source = "$top/examples/refund_worker";
my $program = PostgreSQL::Test::Utils::tempdir() . '/refund_worker';
my $node = start_node('refund_worker', 'fsync = off');
my $books = $node->basedir . '/books';

chomp(my $includedir = `pg_config --includedir`);
chomp(my $libdir = `pg_config --libdir`);
command_ok([ 'cc', '-O1', '-Wall', '-Wextra', '-Werror', "-I$includedir", '-o', $program,
		"$source/refund_worker.c", "$source/fake_gateway.c", "-L$libdir", '-lpq' ], 'the example compiles');

$node->safe_psql('postgres', 'CREATE EXTENSION order_ext');
$node->safe_psql('postgres', <<'SQL');
CREATE ROLE cashier LOGIN;
SELECT order_ext.grant_to('cashier', 'callback');
SELECT order_ext.put_product('A', 'a', 100);
SELECT order_ext.adjust_stock('A', 100000);
CREATE FUNCTION canceled_orders(n integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	o bigint;
BEGIN
	FOR i IN 1..n LOOP
		o := (order_ext.create_order(7, '[{"sku": "A", "quantity": 1}]', 100)).id;
		PERFORM order_ext.pay_callback(o, 'T-' || o, 'card', 100);
		PERFORM order_ext.pay_callback(o, 'T-more-' || o, 'card', 10 + i);
		PERFORM order_ext.cancel_order(o);
	END LOOP;
END
$$;
SQL

my @workers;
my $output = '';

# A short lease, so that what a dead worker had is soon another's.
sub start_worker
{
	push @workers, start([ $program, $node->connstr('postgres') . ' user=cashier', $books, '0', '30', '300 milliseconds', 'Card' ],
		'>', \$output, '2>', \my $errors);
	return;
}

# A refund of another gateway is left to its own worker.
$node->safe_psql('postgres', <<'SQL');
DO $$
DECLARE
	o bigint := (order_ext.create_order(7, '[{"sku": "A", "quantity": 1}]', 100)).id;
BEGIN
	PERFORM order_ext.pay_callback(o, 'W-' || o, 'wechat', 100);
	PERFORM order_ext.refund_order(o, 30, reason => 'a scratch');
END
$$
SQL
start_worker() for 1 .. 2;
my $orders = 0;
foreach my $round (1 .. $kills)
{
	my $offset = -s $node->logfile;

	$node->safe_psql('postgres', 'SELECT canceled_orders(15)');
	$orders += 15;
	$node->poll_query_until('postgres', "SELECT count(*) > 0 FROM order_ext.refunds_view WHERE status = 'submitted'");
	sleep rand 0.1;
	if ($round % 4 == 0)
	{
		$node->stop('immediate');
		$node->start;
	}
	else
	{
		my $worker = shift @workers;

		$worker->kill_kill(grace => 0);
		start_worker();
	}
	$node->safe_psql('postgres', "SELECT order_ext.retry_refund(refund_id) FROM order_ext.refunds_view WHERE status = 'failed'");
}

my $deadline = time() + 180;
my $left = '';
while (time() < $deadline)
{
	$node->safe_psql('postgres', "SELECT order_ext.retry_refund(refund_id) FROM order_ext.refunds_view WHERE status = 'failed'");
	$left = $node->safe_psql('postgres', "SELECT count(*) FILTER (WHERE r.status <> 'succeeded') || ' of ' || count(*) FROM order_ext.refunds_view r JOIN order_ext.payments_view USING (payment_id) WHERE pay_type = 'card'");
	last if $left eq '0 of ' . 2 * $orders;
	sleep 0.2;
}
is($left, '0 of ' . 2 * $orders, 'every refund is settled');
is($node->safe_psql('postgres', 'SET ROLE cashier; SELECT amount, payment_amount, payment_currency, reason, attempt FROM order_ext.claim_refunds(pay_types => ARRAY[\'wechat\'])'),
	'30|100|CNY|a scratch|1', 'those of another pay type wait for its worker, who is told all that a gateway wants to know');
$node->safe_psql('postgres', "SELECT order_ext.refund_callback(refund_id, 'succeeded') FROM order_ext.refunds_view WHERE status = 'submitted'");
$_->signal('TERM') foreach @workers;
$_->finish foreach @workers;

is($node->safe_psql('postgres', <<"SQL"), 't|t|t', 'the books hold every refund once, to the cent');
CREATE TEMP TABLE books (line text);
COPY books FROM '$books';
CREATE TEMP TABLE booked AS SELECT split_part(line, ' ', 1)::bigint AS refund_id, split_part(line, ' ', 2)::bigint AS amount, split_part(line, ' ', 3) AS trade_no FROM books;
SELECT (SELECT count(*) = count(DISTINCT refund_id) FROM booked),
	NOT EXISTS (SELECT FROM booked b FULL JOIN order_ext.refunds_view r USING (refund_id) LEFT JOIN order_ext.payments_view p USING (payment_id)
		WHERE p.pay_type IS DISTINCT FROM 'wechat' AND (b.amount IS DISTINCT FROM r.amount OR b.trade_no IS DISTINCT FROM p.out_trade_no)),
	(SELECT sum(amount) FROM booked) = (SELECT sum(refunded) FROM order_ext.money_report WHERE pay_type = 'card')
SQL
cmp_ok($node->safe_psql('postgres', 'SELECT max(attempt) FROM order_ext.refunds_view'), '>', 1, 'some took more than one attempt');
is($node->safe_psql('postgres', "SELECT count(*) FROM order_ext.after_sales_view WHERE status <> 'refunded'"), '0', 'every after-sale is refunded');
verify_clean($node, 'postgres');
check_log($node, crashes => 1);
$node->stop('fast');
done_testing();
