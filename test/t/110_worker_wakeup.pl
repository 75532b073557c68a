# Workers sleep without asking the database anything, hold nothing open meanwhile, and wake
# at the commit that published.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use OrderExtTest;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

my $node = start_node('wakeup', 'max_prepared_transactions = 5');

$node->safe_psql('postgres', 'CREATE DATABASE shop');
$node->safe_psql('shop', 'CREATE EXTENSION order_ext');
create_handled($node, 'shop');
wait_workers($node, 'shop', 'dispatcher,scheduler', 5, 'workers are there');
$node->safe_psql('shop', "SELECT order_ext.publish('t', 0)");
wait_sql($node, 'shop', 'SELECT count(*) FROM handled', '1', 5, 'and work');

# Idle: asked from another database, so that only the workers could count here. Their
# first safety poll after our own work may look once more; from then on nothing moves.
my $counters = "SELECT xact_commit, xact_rollback, tup_returned, tup_fetched, blks_hit + blks_read"
  . " FROM pg_stat_database WHERE datname = 'shop'";
sub quiet_for
{
	my ($seconds, $name) = @_;
	my ($quiet_since, $before) = (time(), '');
	my $deadline = time() + 60;
	while (time() - $quiet_since < $seconds && time() < $deadline)
	{
		my $now = $node->safe_psql('postgres', $counters);
		($quiet_since, $before) = (time(), $now) if $now ne $before;
		sleep 0.25;
	}
	cmp_ok(time() - $quiet_since, '>=', $seconds, $name) or diag("counters: $before");
	return;
}
quiet_for(7, 'seven seconds pass in which idle workers ask nothing');
is($node->safe_psql('postgres', "SELECT count(*) FROM pg_stat_activity WHERE backend_type LIKE 'order_ext %'"
		  . " AND (xact_start IS NOT NULL OR backend_xmin IS NOT NULL OR backend_xid IS NOT NULL)"),
	'0', 'no transaction and no snapshot open');
is($node->safe_psql('postgres', "SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid)"
		  . " WHERE a.backend_type LIKE 'order_ext %'"),
	'0', 'no lock held');

# Wake-up: from each of many sleeps, soon after the commit. Were it the safety poll, which
# comes every two seconds, half of them would take more than one.
foreach my $round (1 .. 20)
{
	$node->safe_psql('shop', "SELECT order_ext.publish('t', $round)");
	$node->poll_query_until('shop', "SELECT count(*) = $round + 1 FROM handled");
}
is($node->safe_psql('shop', 'SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY h.at - l.published_at)'
		  . " < interval '500 ms' FROM handled h JOIN order_ext_internal.message_log l"
		  . ' ON l.message_id = h.id WHERE h.key > 0'), 't', 'it is the commit that wakes, not the poll');

# Timers, too, and none early.
$node->safe_psql('shop', "SELECT order_ext.publish('t', 100 + n, deliver_at =>"
	  . " clock_timestamp() + n * interval '20 ms') FROM generate_series(1, 50) n");
wait_sql($node, 'shop', 'SELECT count(*) FROM handled WHERE key > 100', '50', 20, 'timers fire');
is($node->safe_psql('shop', 'SELECT pending, fired FROM order_ext.timer_stats'), '0|50', 'timer_stats counts them');

# What the commit callback does not tell: the safety poll finds it.
$node->safe_psql('shop', "BEGIN; SELECT order_ext.publish('t', 200);"
	  . " SELECT order_ext.publish('t', 201, deliver_at => clock_timestamp() + interval '1 ms');"
	  . " PREPARE TRANSACTION 'two'");
is($node->safe_psql('shop', 'SELECT count(*) FROM handled WHERE key >= 200'), '0', 'prepared is not committed');

# Its transaction id is old news by the time it commits.
quiet_for(5, 'the workers have looked, and seen nothing');
$node->safe_psql('shop', "COMMIT PREPARED 'two'");
wait_sql($node, 'shop', 'SELECT count(*) FROM handled WHERE key >= 200', '2', 20, 'COMMIT PREPARED is found');

# An abort wakes nobody and delivers nothing.
$node->safe_psql('shop', "BEGIN; SELECT order_ext.publish('t', 300); ROLLBACK; SELECT order_ext.publish('t', 301)");
wait_sql($node, 'shop', 'SELECT min(key) FROM handled WHERE key >= 300', '301', 10, 'rolled back is gone');

verify_clean($node, 'shop');
check_log($node);
$node->stop('fast');
done_testing();
