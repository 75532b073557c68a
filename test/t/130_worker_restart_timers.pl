# Timers survive restarts, clean ones and crashes: those that fell due meanwhile fire at
# once, the others in time, each once, none early.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use OrderExtTest;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $node = start_node('timers');

$node->safe_psql('postgres', 'CREATE EXTENSION order_ext');
create_handled($node, 'postgres');
$node->safe_psql('postgres', 'CREATE TABLE armed (id bigint, due_at timestamptz)');
wait_workers($node, 'postgres', 'dispatcher,scheduler', 5, 'workers are there');

my $count = 0;
foreach my $mode ('fast', 'immediate', 'immediate', 'fast')
{
	# From the past to four seconds ahead; some of the next ring and one far away.
	$node->safe_psql('postgres', <<'SQL');
INSERT INTO armed
SELECT order_ext.publish('t', n, deliver_at => due), due
FROM generate_series(-5, 395) AS n,
	LATERAL (SELECT clock_timestamp() + n * interval '10 ms' AS due OFFSET 0) AS at;
INSERT INTO armed
SELECT order_ext.publish('t', n, deliver_at => due), due
FROM generate_series(1, 10) AS n,
	LATERAL (SELECT clock_timestamp() + n * interval '17 min' AS due OFFSET 0) AS at;
SQL
	$count += 401;
	my $started = time();
	$node->stop($mode);
	cmp_ok(time() - $started, '<', 20, "the server stops ($mode)");
	$node->start;
	wait_sql($node, 'postgres', 'SELECT count(DISTINCT id) FROM handled', $count, 30, "all due have fired ($mode)");
}

# A crash in the middle of very many that are due in one moment, and of some beside them.
$node->safe_psql('postgres', <<'SQL');
SELECT order_ext.create_topic('beside');
SELECT order_ext.subscribe('beside', 'beside', 'public.note(order_ext.message)', '{"run_as": "handlers"}');
CREATE TABLE moment AS SELECT clock_timestamp() + interval '5 s' AS due;
INSERT INTO armed SELECT order_ext.publish('t', n, deliver_at => due), due FROM generate_series(1, 30000) AS n, moment;
INSERT INTO armed SELECT order_ext.publish('beside', n, deliver_at => due + n * interval '1 ms'), due
FROM generate_series(1, 500) AS n, moment;
SQL
foreach my $mode ('immediate', 'fast')
{
	$node->poll_query_until('postgres', "SELECT count(*) > $count FROM handled");
	$node->stop($mode);
	$node->start;
}
$count += 30500;
wait_sql($node, 'postgres', 'SELECT count(DISTINCT id) FROM handled', $count, 60, 'all have fired');

is($node->safe_psql('postgres', 'SELECT count(*) FROM handled'), $count, 'each once');
is($node->safe_psql('postgres', 'SELECT count(*) FROM handled h JOIN armed a USING (id) WHERE h.at < a.due_at'),
	'0', 'none early');
is($node->safe_psql('postgres', 'SELECT pending FROM order_ext.timer_stats'), '40', 'the others wait');
is($node->safe_psql('postgres', 'SELECT next_due = (SELECT min(due_at) FROM armed WHERE due_at > clock_timestamp())'
		  . ' FROM order_ext.timer_stats'), 't', 'the next is known');

# Also without workers, and in the dead time before a bucket is emptied.
$node->safe_psql('postgres', 'ALTER SYSTEM SET order_ext.enabled = off');
$node->reload;
wait_workers($node, 'postgres', '', 10, 'workers are out');
$node->safe_psql('postgres', "INSERT INTO armed SELECT order_ext.publish('t', n, deliver_at => due), due"
	  . " FROM generate_series(1, 20) AS n, LATERAL (SELECT clock_timestamp() + n * interval '5 ms' AS due OFFSET 0) AS at");
$count += 20;
$node->stop('immediate');
$node->start;
wait_sql($node, 'postgres', 'WITH done AS MATERIALIZED (SELECT order_ext.dispatch()) SELECT pending FROM done, order_ext.timer_stats',
	'40', 10, 'dispatch() fires what is due');
wait_sql($node, 'postgres', 'SET SESSION AUTHORIZATION handlers; WITH done AS MATERIALIZED (SELECT order_ext.dispatch()) SELECT count(*) FROM done, handled',
	$count, 10, 'and delivers it');
is($node->safe_psql('postgres', 'SELECT count(DISTINCT id) FROM handled'), $count, 'each once');
is($node->safe_psql('postgres', 'SELECT count(*) FROM handled h JOIN armed a USING (id) WHERE h.at < a.due_at'),
	'0', 'none early');

# The clock is set back by ten seconds: what had fired until then (as the progress tells)
# stays fired, and what is armed now for a time that was fired before fires in its time.
$node->safe_psql('postgres', "INSERT INTO order_ext_internal.timer_progress (seq, bucket, fired_until, seen)"
	  . " SELECT 1000000, n, clock_timestamp() + interval '10 s', pg_current_snapshot() FROM generate_series(0, 31) AS n");
$node->safe_psql('postgres', "INSERT INTO armed SELECT order_ext.publish('t', n, deliver_at => due), due"
	  . " FROM generate_series(1, 20) AS n, LATERAL (SELECT clock_timestamp() + n * interval '100 ms' AS due OFFSET 0) AS at");
$count += 20;
wait_sql($node, 'postgres', 'WITH done AS MATERIALIZED (SELECT order_ext.dispatch())'
	  . ' SELECT count(*) > 0 FROM done, order_ext_internal.timer_ahead', 't', 20, 'what fires is listed beside the progress');
$node->stop('immediate');
$node->start;
wait_sql($node, 'postgres', 'SET SESSION AUTHORIZATION handlers; WITH done AS MATERIALIZED (SELECT order_ext.dispatch()) SELECT count(*) FROM done, handled',
	$count, 20, 'timers armed after the clock was set back fire');
wait_sql($node, 'postgres', 'SELECT count(*) - count(DISTINCT id) FROM handled', '0', 1, 'each once');
is($node->safe_psql('postgres', 'SELECT count(*) FROM handled h JOIN armed a USING (id) WHERE h.at < a.due_at'),
	'0', 'none early');

verify_clean($node, 'postgres');
check_log($node);
$node->stop('fast');
done_testing();
