# Too few background worker slots: the launcher waits and tries again, says so in a view and
# at most once a minute in the log, and goes on when there is room.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use OrderExtTest;
use PostgreSQL::Test::Utils;
use Test::More;

# The launcher and the logical replication launcher take one each: one is left.
my $node = start_node('slots', 'max_worker_processes = 4');

foreach my $name ('a', 'b')
{
	$node->safe_psql('postgres', "CREATE DATABASE $name");
	$node->safe_psql($name, 'CREATE EXTENSION order_ext');
}
wait_sql($node, 'a', "SELECT count(*) > 0 FROM order_ext.worker_stats WHERE state = 'no worker slot'",
	't', 15, 'worker_stats tells of the missing slot');
wait_sql($node, 'a', "SELECT count(*) FROM order_ext.worker_stats WHERE pid IS NOT NULL AND kind <> 'launcher'",
	'2', 15, 'what there is room for runs');
is(scalar(() = slurp_file($node->logfile) =~ /no free background worker slot/g), 1, 'one warning');

$node->safe_psql('postgres', 'DROP DATABASE a');
wait_workers($node, 'b', 'dispatcher,scheduler', 60, 'the next one gets the room');
is(scalar(() = slurp_file($node->logfile) =~ /no free background worker slot/g), 1, 'still one warning');
check_log($node);
$node->stop('fast');
done_testing();
