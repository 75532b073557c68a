# Rotation under load: the log goes round many times while clients publish, some of them
# slowly, and while the server crashes: everything arrives once, and the log stays small. A
# group that has stopped keeps the log, operators hear of it, and it misses nothing.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use OrderExtTest;
use IPC::Run qw(start finish);
use PostgreSQL::Test::Utils;
use Test::More;

# The log may go at once, so that it goes round every second.
my $node = start_node('rotation', 'order_ext.log_retention = 0', "order_ext.backlog_alert_age = '2s'");

$node->safe_psql('postgres', 'CREATE EXTENSION order_ext');
create_handled($node, 'postgres');
$node->safe_psql('postgres', <<'SQL');
CREATE SEQUENCE n;
CREATE TABLE published (id bigint, key bigint);
CREATE TABLE alerts (payload jsonb);
CREATE FUNCTION alert(m order_ext.message) RETURNS void LANGUAGE sql AS 'INSERT INTO public.alerts VALUES (m.payload)';
SELECT order_ext.subscribe('alert', 'ops.alert', 'public.alert(order_ext.message)', '{"run_as": "handlers"}');
SQL
wait_workers($node, 'postgres', 'dispatcher,scheduler', 5, 'workers are there');

my $fast = PostgreSQL::Test::Utils::tempdir . '/fast.sql';
my $slow = PostgreSQL::Test::Utils::tempdir . '/slow.sql';
append_to_file($fast, <<'SQL');
INSERT INTO published SELECT order_ext.publish('t', k, jsonb_build_object('x', repeat('x', 200)),
	CASE WHEN k % 5 = 0 THEN clock_timestamp() + (k % 700) * interval '1 ms' END,
	CASE WHEN k % 7 = 0 THEN 'key ' || k END), k FROM nextval('n') AS k;
SQL
append_to_file($slow, <<'SQL');
BEGIN;
INSERT INTO published SELECT order_ext.publish('t', k), k FROM nextval('n') AS k;
SELECT pg_sleep(1.5);
INSERT INTO published SELECT order_ext.publish('t', k), k FROM nextval('n') AS k;
COMMIT;
SQL

# Clients for so many seconds; what they cannot do while the server is down is no matter.
sub publish_for
{
	my ($seconds, $during) = @_;
	my @runs = map {
		start(['pgbench', '-n', '-h', $node->host, '-p', $node->port, '-c', $_->[1], '-T', $seconds,
				'--rate', $_->[2], '-f', $_->[0], 'postgres'], '>', \my $out, '2>', \my $err)
	} ([$fast, 2, 400], [$slow, 2, 1000]);

	$during->() if $during;
	finish($_) foreach @runs;
	return;
}

my $moves = "SELECT coalesce(max(seq), 0) FROM order_ext_internal.ring_moves WHERE ring = 'log'";
my $all_once = 'SELECT (SELECT count(*) FROM published) = count(DISTINCT h.id) AND count(DISTINCT h.id) = count(h.id)'
  . ' AND NOT EXISTS (SELECT FROM handled WHERE id NOT IN (SELECT id FROM published)) FROM handled h';
my $log_rows = 'SELECT count(*) < 2000 FROM order_ext_internal.message_log';

# Publish until the log has moved so often; how long that takes depends on the machine.
sub publish_until_moved
{
	my ($wanted, $name) = @_;
	my $deadline = time() + 120;
	my $moved;

	while (($moved = $node->safe_psql('postgres', $moves)) < $wanted && time() < $deadline)
	{
		publish_for(2);
	}
	cmp_ok($moved, '>=', $wanted, $name);
	return $moved;
}

publish_for(4);
my $moved = publish_until_moved(5, 'the log went all round');
wait_sql($node, 'postgres', $all_once, 't', 30, 'all arrive once');
wait_sql($node, 'postgres', $log_rows, 't', 30, 'what is behind is gone');
verify_clean($node, 'postgres');

# Crashes in between: of a worker, and of all.
publish_for(6, sub {
	kill 'KILL', worker_pid($node, 'postgres', 'scheduler');
	wait_sql($node, 'postgres', 'SELECT 1', '1', 30, 'the server is back');
});
wait_workers($node, 'postgres', 'dispatcher,scheduler', 20, 'workers are back');
publish_for(3, sub { $node->stop('immediate'); $node->start; });
wait_sql($node, 'postgres', $all_once, 't', 60, 'all that was committed arrives once');
publish_until_moved($moved + 4, 'the log goes round after it');
wait_sql($node, 'postgres', $all_once, 't', 60, 'and so it goes on');
verify_clean($node, 'postgres');

# A group that has stopped.
$node->safe_psql('postgres', <<'SQL');
CREATE TABLE late (id bigint, key bigint);
CREATE FUNCTION late(m order_ext.message[]) RETURNS void LANGUAGE sql AS 'INSERT INTO public.late SELECT id, key FROM unnest(m)';
SELECT order_ext.subscribe('late', 't', 'public.late(order_ext.message[])', '{"run_as": "handlers"}');
SELECT order_ext.pause('late');
CREATE TABLE first_id AS SELECT nextval('order_ext_internal.message_id_seq') + 1000 AS id, (SELECT count(*) FROM published) AS n;
SQL
publish_for(6);
wait_sql($node, 'postgres', $all_once, 't', 30, 'the other group goes on');
wait_sql($node, 'postgres', "SELECT count(*) > 0 FROM alerts WHERE payload->>'consumer_group' = 'late'"
	  . " AND payload->>'kind' = 'backlog'", 't', 30, 'operators are told');
is($node->safe_psql('postgres', "SELECT count(*) FROM alerts WHERE payload->>'consumer_group' = 'late'"), '1', 'once');
is($node->safe_psql('postgres', "SELECT severity FROM order_ext.verify() WHERE invariant = 'I15' AND entity = 'group late'"),
	'warning', 'verify() warns');
is($node->safe_psql('postgres', 'SELECT count(*) >= (SELECT count(*) FROM published) - (SELECT n FROM first_id)'
		  . ' FROM order_ext_internal.message_log'), 't', 'all that it needs is there');
$node->safe_psql('postgres', "SELECT order_ext.resume('late')");
wait_sql($node, 'postgres', 'SELECT count(DISTINCT id) = (SELECT count(*) FROM published) - (SELECT n FROM first_id)'
	  . ' AND count(*) = count(DISTINCT id) FROM late', 't', 30, 'it misses nothing');
wait_sql($node, 'postgres', 'SELECT count(*) FROM order_ext_internal.backlog_alerts', '0', 30, 'the alert is over');
publish_for(2);
wait_sql($node, 'postgres', $log_rows, 't', 30, 'and the log is small again');
verify_clean($node, 'postgres');

$node->stop;
check_log($node, crashes => 1, also => 'message log cannot|is not where it was');
done_testing();
