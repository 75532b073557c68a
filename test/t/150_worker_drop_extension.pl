# DROP EXTENSION and CREATE EXTENSION in a loop, under load: no deadlock, no long wait, no
# worker left behind, no error in a worker.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use IPC::Run qw(start);
use OrderExtTest;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $rounds = $ENV{DROP_ROUNDS} || 12;
my $node = start_node('dropext');

$node->safe_psql('postgres', 'CREATE DATABASE shop');

foreach my $round (1 .. $rounds)
{
	$node->safe_psql('shop', 'CREATE EXTENSION order_ext');
	$node->safe_psql('shop', 'DROP TABLE IF EXISTS handled; DROP FUNCTION IF EXISTS note');
	create_handled($node, 'shop');

	# Publishes as long as there is something to publish to. It locks tables in another order
	# than DROP EXTENSION does, as any client may, so it is made the victim of deadlocks: only
	# it looks for them. Workers must have none.
	local $ENV{PGOPTIONS} = '-c deadlock_timeout=10ms';
	my ($in, $out, $err) = ('', '', '');
	my $load = start(
		[ 'psql', '-X', '-q', '-d', $node->connstr('shop'), '-v', 'ON_ERROR_STOP=1', '-v', 'VERBOSITY=verbose', '-c',
			"DO \$\$ BEGIN FOR n IN 1..10000000 LOOP"
			  . " PERFORM order_ext.publish('t', n, deliver_at => clock_timestamp() + interval '1 ms' * (n % 3));"
			  . " COMMIT; END LOOP; END \$\$" ],
		\$in, \$out, \$err);
	delete $ENV{PGOPTIONS};
	$node->poll_query_until('shop', 'SELECT count(*) > 20 FROM handled');
	my ($rc, $dropped, $error) = $node->psql('shop', "SET deadlock_timeout = '1min'; DROP EXTENSION order_ext CASCADE");
	is($rc, 0, "DROP EXTENSION under load, round $round") or diag($error);
	$load->finish;
	isnt($err, '', 'the client noticed');
	unlike($err, qr/XX000: could not open/, 'without an internal error');
}
wait_workers($node, 'shop', '', 10, 'the workers have left');
$node->safe_psql('shop', 'DROP TABLE IF EXISTS handled; CREATE EXTENSION order_ext');
wait_workers($node, 'shop', 'dispatcher,scheduler', 10, 'and come back');
verify_clean($node, 'shop');

# Rolled back: nothing has happened.
$node->safe_psql('shop', 'DROP FUNCTION IF EXISTS note');
create_handled($node, 'shop');
$node->safe_psql('shop', "BEGIN; DROP EXTENSION order_ext CASCADE; ROLLBACK; SELECT order_ext.publish('t', 7)");
wait_sql($node, 'shop', 'SELECT count(*) FROM handled', '1', 10, 'after a rolled back DROP EXTENSION work goes on');

my @complaints = grep { /order_ext (scheduler|dispatcher|launcher)/ && /ERROR|FATAL|WARNING/ }
  split /\n/, slurp_file($node->logfile);
is(join("\n", @complaints), '', 'no worker has complained');
check_log($node);
$node->stop('fast');
done_testing();
