# Commands that need a database for themselves work on one with workers, without FORCE; the
# workers are back after a command that leaves the database there, failed ones included.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use OrderExtTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $both = 'dispatcher,scheduler';
my $node = start_node('dropdb');
my $space = PostgreSQL::Test::Utils::tempdir();

sub shop
{
	my ($name) = @_;
	$node->safe_psql('postgres', "CREATE DATABASE $name");
	$node->safe_psql($name, 'CREATE EXTENSION order_ext');
	create_handled($node, $name);
	wait_workers($node, $name, $both, 10, "workers in $name");
	return;
}

sub works
{
	my ($name, $what) = @_;
	my $before = $node->safe_psql($name, 'SELECT count(*) FROM handled');
	$node->safe_psql($name, "SELECT order_ext.publish('t', 1)");
	wait_sql($node, $name, 'SELECT count(*) FROM handled', $before + 1, 15, $what);
	return;
}

# A command that must succeed.
sub succeeds
{
	my ($command, $name) = @_;
	my ($rc, $out, $err) = $node->psql('postgres', $command);
	is($err, '', $name);
	return;
}

shop('a');
succeeds('ALTER DATABASE a RENAME TO b', 'RENAME');
wait_workers($node, 'b', $both, 10, 'workers follow the renamed database');
works('b', 'and work there');

$node->safe_psql('postgres', "CREATE TABLESPACE elsewhere LOCATION '$space'");
succeeds('ALTER DATABASE b SET TABLESPACE elsewhere', 'SET TABLESPACE');
wait_workers($node, 'b', $both, 10, 'workers are back after the move');
works('b', 'and work');

succeeds('CREATE DATABASE c TEMPLATE b', 'CREATE DATABASE ... TEMPLATE');
succeeds('CREATE DATABASE d TEMPLATE b STRATEGY file_copy', 'TEMPLATE with STRATEGY');
wait_workers($node, 'b', $both, 10, 'workers are back in the template');
works('b', 'and work');
is($node->safe_psql('postgres', workers('c')), '', 'a copy has no workers');
my ($rc, $out, $err) = $node->psql('c', 'SELECT order_ext.dispatch()', on_error_stop => 0,
	extra_params => [ '-v', 'VERBOSITY=verbose' ]);
like($err, qr/55000/, 'nor dispatch()');
$node->safe_psql('c', 'SELECT order_ext.enable_dispatch()');
wait_workers($node, 'c', $both, 10, 'until enable_dispatch()');
works('c', 'then it works');

# In mid-batch: a handler that takes its time in the database of this name.
$node->safe_psql('c', <<'SQL');
CREATE OR REPLACE FUNCTION note(m order_ext.message) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO public.handled (id, key, attempt) VALUES (m.id, m.key, m.attempt);
	IF m.key = 2 AND pg_catalog.current_database() = 'c' THEN
		PERFORM pg_catalog.pg_sleep(20);
	END IF;
END
$$;
SQL
$node->safe_psql('c', "SELECT order_ext.publish('t', 2)");
wait_sql($node, 'postgres', "SELECT count(*) FROM pg_stat_activity WHERE datname = 'c' AND wait_event = 'PgSleep'",
	'1', 10, 'a handler is running');
succeeds('ALTER DATABASE c RENAME TO e', 'RENAME with a handler running');
wait_sql($node, 'e', 'SELECT count(*) FROM handled WHERE key = 2', '1', 20, 'its message is handled afterwards, once');

# Failures: the command is refused, the workers come back.
$node->psql('postgres', 'ALTER DATABASE e RENAME TO b');
wait_workers($node, 'e', $both, 10, 'workers are back after a RENAME that failed');
$node->psql('postgres', 'BEGIN; ALTER DATABASE e RENAME TO f; ROLLBACK');
wait_workers($node, 'e', $both, 10, 'and after one that was rolled back');
$node->safe_psql('postgres', 'CREATE ROLE nobody LOGIN');
my $before_refused;
my $pid = worker_pid($node, 'e', 'scheduler');
$node->psql('postgres', 'SET ROLE nobody; DROP DATABASE e');
is(worker_pid($node, 'e', 'scheduler'), $pid, 'who may not drop it does not disturb them');

# Nor does one that a client keeps from being executed, who stays.
my $client = $node->background_psql('e');
$client->query_safe('SELECT 1');
$before_refused = worker_pid($node, 'e', 'dispatcher');
($rc, $out, $err) = $node->psql('postgres', 'DROP DATABASE e');
like($err, qr/is being accessed by other users/, 'a client is there');
is(worker_pid($node, 'e', 'dispatcher'), $before_refused, 'no worker has noticed');
$client->quit;

# Clients that have left, several at a time, are not in the way.
my @clients = map { $node->background_psql('e') } 1 .. 5;
$_->query_safe('SELECT 1') foreach @clients;
$_->quit foreach @clients;

# DROP DATABASE, with the handler at work and with the server busy.
succeeds('DROP DATABASE e', 'DROP DATABASE');
succeeds('DROP DATABASE b', 'DROP DATABASE in another tablespace');
foreach my $round (1 .. 5)
{
	$node->safe_psql('postgres', 'CREATE DATABASE loop');
	$node->safe_psql('loop', 'CREATE EXTENSION order_ext');
	# whatever the workers are doing by now
	succeeds('DROP DATABASE loop', "DROP DATABASE right after CREATE EXTENSION, round $round");
}
wait_sql($node, 'postgres', "SELECT count(*) FROM pg_stat_activity WHERE backend_type LIKE 'order_ext %'",
	'1', 10, 'only the launcher is left');

# A DROP DATABASE of another database never waits for idle workers.
shop('a');
succeeds('DROP DATABASE d', 'DROP DATABASE of another database');
verify_clean($node, 'a');
check_log($node);
$node->stop('fast');
done_testing();
