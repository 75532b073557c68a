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

# Fewer slots than roles: they take turns, and no role's messages wait forever.
$node->safe_psql('b', <<'SQL');
CREATE TABLE handled (key bigint PRIMARY KEY, who text DEFAULT current_user);
GRANT INSERT ON handled TO PUBLIC;
CREATE FUNCTION note(m order_ext.message) RETURNS void LANGUAGE sql AS 'INSERT INTO public.handled VALUES (m.key)';
SQL
$node->adjust_conf('postgresql.conf', 'max_worker_processes', '5');
$node->restart;
wait_workers($node, 'b', 'dispatcher,scheduler', 60, 'started again, with a slot for a role');
$node->safe_psql('b', "CREATE ROLE r$_ LOGIN; SELECT order_ext.create_topic('t$_'), order_ext.subscribe('g$_', 't$_', 'note(order_ext.message)', '{\"run_as\": \"r$_\"}')")
  foreach (1 .. 3);
foreach my $round (1, 2)
{
	$node->safe_psql('b', "SELECT order_ext.publish('t' || r, 10 * $round + r) FROM generate_series(1, 3) AS r");
	wait_sql($node, 'b', "SELECT string_agg(who, ' ' ORDER BY key) FROM handled WHERE key / 10 = $round", 'r1 r2 r3', 120,
		"round $round: each role's message is handled");
}
wait_sql($node, 'b', "SELECT count(*) FROM order_ext.worker_stats WHERE kind = 'dispatcher' AND role LIKE 'r_' AND (pid IS NULL) = (state = 'no worker slot')",
	'3', 30, 'worker_stats says who waits for a slot');
# Nor is there one for a role whose only dispatcher is held up: its other messages wait for that.
$node->safe_psql('b', <<'SQL');
CREATE FUNCTION slow(m order_ext.message) RETURNS void LANGUAGE sql AS 'SELECT pg_sleep(3)';
SELECT order_ext.create_topic('slow'), order_ext.subscribe('slow', 'slow', 'slow(order_ext.message)', '{"run_as": "r1"}');
SELECT order_ext.publish('slow', 1);
SQL
wait_sql($node, 'b', "SELECT count(*) FROM pg_stat_activity WHERE usename = 'r1' AND wait_event = 'PgSleep'", '1', 120, 'a handler is running');
$node->safe_psql('b', "SELECT order_ext.publish('t1', 31)");
wait_sql($node, 'b', 'SELECT who FROM handled WHERE key = 31', 'r1', 120, 'the other message of its role is handled, later');

# A database that lacks a dispatcher and is disabled then does not wait for a slot any longer.
my $of_c = q{SELECT state FROM order_ext.worker_stats WHERE database = 'c' AND pid IS NULL};
$node->safe_psql('postgres', 'CREATE DATABASE c');
$node->safe_psql('c', 'CREATE EXTENSION order_ext');
wait_sql($node, 'b', $of_c, 'no worker slot', 60, 'there is no slot for another dispatcher');
$node->safe_psql('postgres', 'ALTER DATABASE c SET order_ext.enabled = off');
wait_sql($node, 'b', $of_c, 'disabled', 60, 'worker_stats says why there is none now');
check_log($node);
$node->stop('fast');
done_testing();
