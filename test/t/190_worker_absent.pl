# Workers that are not there, or do not answer: worker_stats and verify() say so.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use OrderExtTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = start_node('absent');
$node->safe_psql('postgres', 'CREATE EXTENSION order_ext');
create_handled($node, 'postgres');
wait_workers($node, 'postgres', 'dispatcher,scheduler', 30, 'workers are there');

my $warnings = q{SELECT string_agg(entity, ',' ORDER BY entity) FROM order_ext.verify('I15') WHERE severity = 'warning'};
is($node->safe_psql('postgres', $warnings), '', 'nothing to warn of');

sub state_of
{
	my ($database) = @_;
	return "SELECT string_agg(kind || ' ' || state, ',' ORDER BY kind, state) FROM order_ext.worker_stats WHERE database = '$database'";
}

# Databases that dispatch was not enabled in: made from a template, or with row_security off, as
# pg_restore does. They are seen at once, also from elsewhere.
$node->safe_psql('postgres', 'CREATE DATABASE shop');
$node->safe_psql('shop', 'CREATE EXTENSION order_ext');
create_handled($node, 'shop');
$node->safe_psql('shop', q{SELECT order_ext.publish('t', 1, '{}', clock_timestamp() + interval '1 day')});
$node->safe_psql('postgres', 'CREATE DATABASE template_copy TEMPLATE shop');
$node->safe_psql('postgres', 'CREATE DATABASE careful');
$node->safe_psql('careful', 'SET row_security = off; CREATE EXTENSION order_ext');
foreach my $database ('template_copy', 'careful')
{
	wait_sql($node, 'postgres', state_of($database), 'scheduler not enabled', 30, "worker_stats tells of $database");
	is($node->safe_psql($database, $warnings), "database $database", 'and so does verify()');
	$node->safe_psql($database, 'SELECT order_ext.enable_dispatch()');
	wait_workers($node, $database, 'dispatcher,scheduler', 30, 'until dispatch is enabled');
	is($node->safe_psql($database, $warnings), '', 'then there is nothing to warn of');
}
wait_workers($node, 'shop', 'dispatcher,scheduler', 30, 'the template has its workers again');

# A database without the extension is none of our business.
$node->safe_psql('postgres', 'CREATE DATABASE plain');
wait_sql($node, 'postgres', state_of('plain'), '', 30, 'a plain database has no row');
$node->safe_psql('postgres', 'DROP DATABASE plain');

# Stopped processes.
my %pid = map { $_ => worker_pid($node, 'postgres', $_) } qw(dispatcher scheduler launcher);
my $all_idle = q{SELECT string_agg(kind || ' ' || state, ',' ORDER BY kind) FROM order_ext.worker_stats
	WHERE coalesce(database, 'postgres') = 'postgres' AND NOT (kind = 'dispatcher' AND role = 'postgres')};
is(kill('STOP', values %pid), 3, 'three are stopped');
END { kill 'CONT', values %pid if %pid; }
$node->safe_psql('postgres', q{SELECT order_ext.publish('t', 2)});
# schedulers of other databases have put another launcher in the place of the one that is stopped
my $stopped = join ',', values %pid;
wait_sql($node, 'postgres', "SELECT string_agg(kind || ' ' || state, ',' ORDER BY kind) FROM order_ext.worker_stats WHERE pid IN ($stopped)",
	'dispatcher not answering,scheduler not answering', 60, 'worker_stats shows that they do not answer');
is($node->safe_psql('postgres', q{SELECT state FROM order_ext.worker_stats WHERE kind = 'launcher'}), 'idle', 'another launcher stands in');
is( $node->safe_psql('postgres', $warnings),
	"dispatcher, process $pid{dispatcher},scheduler, process $pid{scheduler}",
	'verify() warns of them');
kill 'CONT', values %pid;
wait_sql($node, 'postgres', $all_idle, 'dispatcher idle,launcher idle,scheduler idle', 30, 'they go on');
wait_sql($node, 'postgres', 'SELECT count(*) FROM handled', '1', 30, 'the message is handled');
is($node->safe_psql('postgres', $warnings), '', 'nothing to warn of');

check_log($node);
$node->stop;
done_testing();
