# The server is killed again and again between the claim of a refund and the record of its
# outcome. Two gateways in the database: the sandbox, told to fail, to answer pending and to let
# answers vanish; and one whose calls leave the database, into a file that no rollback undoes.
# Whatever happens, every refund is settled, under one number and amount, and nothing was called
# that had not been claimed before.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use OrderExtTest;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

my $kills = $ENV{REFUND_KILLS} || 12;
my $node = start_node('refund_kill', 'fsync = off');
my $calls = $node->basedir . '/gateway_calls';

$node->safe_psql('postgres', 'CREATE EXTENSION order_ext');
create_handlers($node, 'postgres');
$node->safe_psql('postgres', 'GRANT pg_execute_server_program TO handlers');
$node->safe_psql('postgres', <<"SQL");
SELECT order_ext.put_product('A', 'a', 100);
SELECT order_ext.adjust_stock('A', 100000);
-- Slow, so that it is hit while it works; what it does, it does before its transaction ends.
CREATE FUNCTION outside(r order_ext.refund_request) RETURNS text LANGUAGE plpgsql AS \$\$
BEGIN
	EXECUTE pg_catalog.format('COPY (SELECT %s, %s, %s) TO PROGRAM %L', r.refund_id, r.amount, r.attempt, 'cat >> $calls');
	PERFORM pg_catalog.pg_sleep(0.02);
	RETURN 'succeeded';
END
\$\$;
SELECT order_ext.set_gateway('outside', 'public.outside(order_ext.refund_request)', 'handlers');
CREATE FUNCTION canceled_orders(n integer, pay_type text) RETURNS void LANGUAGE plpgsql AS \$\$
DECLARE
	o bigint;
BEGIN
	FOR i IN 1..n LOOP
		o := (order_ext.create_order(7, '[{"sku": "A", "quantity": 1}]', 100)).id;
		PERFORM order_ext.pay_callback(o, 'T-' || o, pay_type, 100);
		PERFORM order_ext.pay_callback(o, 'T-more-' || o, pay_type, 10 + i);
		PERFORM order_ext.cancel_order(o);
	END LOOP;
END
\$\$;
SQL

# Every call in the file was claimed, and committed, before it was made.
my $unclaimed = <<"SQL";
CREATE TEMP TABLE called (refund_id bigint, amount bigint, attempt integer);
COPY called FROM '$calls';
SELECT count(*) FROM called c LEFT JOIN order_ext.refunds_view r USING (refund_id)
WHERE r.refund_id IS NULL OR r.attempt < c.attempt OR r.amount <> c.amount;
SQL

sub wait_ready
{
	my ($offset) = @_;
	my $deadline = time() + 60;

	while (time() < $deadline && slurp_file($node->logfile, $offset) !~ /ready to accept connections/)
	{
		sleep 0.02;
	}
	return;
}

my $killed_in_work = 0;
my $orders = 0;
foreach my $round (1 .. $kills)
{
	my ($rc, $out);
	my $deadline = time() + 60;
	my $pid = '';

	$node->safe_psql('postgres', "SELECT order_ext.sandbox_set('"
		  . ('vanish', 'failed', 'pending', 'vanish')[$round % 4] . "', 6)");
	$node->safe_psql('postgres', "SELECT canceled_orders(10, 'outside'), canceled_orders(10, 'sandbox')");
	$orders += 20;
	# wait for refunds that are claimed and not settled, and for a dispatcher at work
	while (time() < $deadline)
	{
		($rc, $out) = $node->psql('postgres', <<'SQL');
SELECT pid FROM pg_stat_activity WHERE backend_type = 'order_ext dispatcher' AND backend_xid IS NOT NULL
	AND EXISTS (SELECT FROM order_ext.refunds_view WHERE status = 'submitted')
SQL
		$pid = $out // '';
		last if $rc == 0 && $pid =~ /^\d+$/;
		sleep 0.002;
	}
	next if $pid !~ /^\d+$/;
	sleep rand 0.1;
	my $offset = -s $node->logfile;
	if ($round % 3 == 0)
	{
		$node->stop('immediate');
		$node->start;
	}
	elsif (kill 'KILL', $pid)
	{
		wait_ready($offset);
	}
	$killed_in_work++;
	$node->poll_query_until('postgres', 'SELECT true');
	is($node->safe_psql('postgres', $unclaimed), '0', "kill $round: nothing was called that was not claimed")
	  if -e $calls;
}
cmp_ok($killed_in_work, '>=', $kills - 2, 'the server was killed while refunds were under way');

# Staff has failed ones tried again until all is settled, and what was under way at two kills, and
# so is taken for their cause.
$node->safe_psql('postgres', "SELECT order_ext.sandbox_set('succeeded', 0)");
my $deadline = time() + 120;
my $left = '';
while (time() < $deadline)
{
	$node->safe_psql('postgres', "SELECT order_ext.retry_refund(refund_id) FROM order_ext.refunds_view WHERE status = 'failed'");
	$node->safe_psql('postgres', "SELECT order_ext.redrive('refund.execute:outside')");
	$left = $node->safe_psql('postgres', "SELECT count(*) FROM order_ext.refunds_view WHERE status <> 'succeeded'");
	last if $left eq '0'
	  && $node->safe_psql('postgres', 'SELECT count(*) FROM order_ext.refunds_view') eq 2 * $orders;
	sleep 0.2;
}
is($left, '0', 'every refund is settled');
is($node->safe_psql('postgres', 'SELECT count(*), count(*) FILTER (WHERE cause = \'cancel\') FROM order_ext.refunds_view'),
	2 * $orders . "|$orders", 'one refund per capture');
is($node->safe_psql('postgres', "SELECT count(*) FROM order_ext.after_sales_view WHERE status <> 'refunded'"), '0', 'every after-sale is refunded');

# The books of the outside world: one effect per refund id, to the cent.
is($node->safe_psql('postgres', <<'SQL'), 't', 'the sandbox books are the refunds, to the cent');
SELECT count(*) = 0 FROM order_ext.sandbox_ledger s FULL JOIN (
	SELECT r.* FROM order_ext.refunds_view r JOIN order_ext.payments_view p USING (payment_id) WHERE p.pay_type = 'sandbox') r USING (refund_id)
WHERE s.amount IS DISTINCT FROM r.amount OR s.outcome IS DISTINCT FROM 'succeeded' OR s.calls > r.attempt
SQL
is($node->safe_psql('postgres', <<"SQL"), 't', 'the file has the same refunds, each with one amount');
CREATE TEMP TABLE called (refund_id bigint, amount bigint, attempt integer);
COPY called FROM '$calls';
SELECT count(*) = 0 FROM (SELECT refund_id, min(amount) AS amount, max(amount) AS most FROM called GROUP BY refund_id) c FULL JOIN (
	SELECT r.* FROM order_ext.refunds_view r JOIN order_ext.payments_view p USING (payment_id) WHERE p.pay_type = 'outside') r USING (refund_id)
WHERE c.amount IS DISTINCT FROM r.amount OR c.most IS DISTINCT FROM r.amount
SQL
is($node->safe_psql('postgres', <<'SQL'), 't', 'money_report says the same');
SELECT (SELECT sum(refunded) FROM order_ext.money_report WHERE pay_type = 'sandbox') = (SELECT sum(amount) FROM order_ext.sandbox_ledger)
	AND (SELECT sum(refund_open) FROM order_ext.money_report) = 0
	AND (SELECT sum(captured) FROM order_ext.money_report) = (SELECT sum(refunded) FROM order_ext.money_report)
SQL
is($node->safe_psql('postgres', <<'SQL'), '0', 'no refund was claimed and settled in one transaction');
SELECT count(*) FROM order_ext_internal.transition_log c JOIN order_ext_internal.transition_log s USING (machine, entity_id, xid)
WHERE machine = (SELECT code FROM order_ext_internal.codes() WHERE set = 'machine' AND name = 'refund')
	AND c.to_status = order_ext.status_code('refund', 'submitted')
	AND s.to_status IN (order_ext.status_code('refund', 'succeeded'), order_ext.status_code('refund', 'failed'))
SQL
verify_clean($node, 'postgres');
check_log($node, crashes => 1);
$node->stop('fast');
done_testing();
