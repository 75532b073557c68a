# A backend, and the server, are killed in the middle of a move to the archive, of an order's way back
# and of a drop: each order is whole in the tables or whole in the archive, or dropped, and counted once.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use OrderExtTest;
use IPC::Run qw(start);
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);

my $node = start_node('archive_kill', 'fsync = off', 'order_ext.enabled = off', 'order_ext.order_retention = 30d',
	'order_ext.archive_retention = 30d', 'order_ext.verify_interval = 0', 'order_ext.lock_timeout = 10min');
my $each = 12;

$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION order_ext;
-- What an order was before anything was moved, and where it is now, whole or not.
CREATE TABLE was (order_id bigint PRIMARY KEY, rows jsonb NOT NULL);
CREATE FUNCTION sorted(rows jsonb) RETURNS jsonb LANGUAGE sql RETURN (
	SELECT jsonb_object_agg(t.key, (SELECT jsonb_agg(r ORDER BY r) FROM jsonb_array_elements(t.value) AS r)) FROM jsonb_each(rows) AS t);
CREATE FUNCTION places() RETURNS text LANGUAGE sql RETURN (
	SELECT string_agg(place || ' ' || n, ', ' ORDER BY place) FROM (
		SELECT concat_ws(' and ', CASE WHEN l.rows = w.rows THEN 'tables' WHEN l.rows IS NOT NULL THEN 'changed in tables' END,
			CASE WHEN sorted(a.document -> 'rows') = w.rows THEN 'archive' WHEN a.order_id IS NOT NULL THEN 'changed in archive' END,
			CASE WHEN d.order_id IS NOT NULL THEN 'dropped' END,
			CASE WHEN (a.order_id IS NOT NULL OR d.order_id IS NOT NULL) <> EXISTS (SELECT FROM order_ext_archive.keys k WHERE k.order_id = w.order_id) THEN 'keys' END) AS place,
			count(*) AS n
		FROM was w
		LEFT JOIN order_ext_archive.orders a USING (order_id)
		LEFT JOIN order_ext_archive.dropped d USING (order_id)
		CROSS JOIN LATERAL (SELECT sorted(order_ext_internal.archive_rows(w.order_id)) AS rows) AS l
		GROUP BY 1) AS p);
CREATE FUNCTION remember() RETURNS void LANGUAGE sql
	BEGIN ATOMIC
		INSERT INTO was SELECT order_id, sorted(order_ext_internal.archive_rows(order_id)) FROM order_ext_internal.orders
		ON CONFLICT DO NOTHING;
	END;
-- The books, which moves do not change.
CREATE FUNCTION books() RETURNS text LANGUAGE sql RETURN (
	SELECT concat_ws(' ', sum(captured), sum(refunded), (SELECT available FROM order_ext.stock_level('OLD'))) FROM order_ext.money_report);
SQL

# Start a call that meets what somebody holds, and kill it there.
sub kill_at
{
	my ($hold, $call, $server) = @_;
	my ($out, $err) = ('', '');
	my $holder = $node->background_psql('postgres');
	my $offset = -s $node->logfile;

	$holder->query_safe("BEGIN; $hold");
	my $mover = start([ 'psql', '-X', '-q', '-d', $node->connstr('postgres'), '-c', $call ], '<', \undef, '>', \$out, '2>', \$err);
	my $waiting = "FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query = \$\$$call\$\$";
	$node->poll_query_until('postgres', "SELECT count(*) = 1 $waiting") or die "nothing waits: $err";
	if ($server)
	{
		$node->stop('immediate');
		$mover->finish;
		$node->start;
	}
	else
	{
		kill 'KILL', $node->safe_psql('postgres', "SELECT pid $waiting");
		$mover->finish;
		sleep 0.02 while slurp_file($node->logfile, $offset) !~ /ready to accept connections/;
	}
	eval { $holder->quit };
	$node->poll_query_until('postgres', 'SELECT true');
	return;
}

# ---- on the way to the archive: after its rows are there, after the first and the last deletion ----

my $moved = 0;
foreach my $point ([ 'stock_ledger', 0 ], [ 'payments', 1 ], [ 'orders', 0 ])
{
	my ($table, $server) = @$point;
	my $before = $moved ? "archive $moved, " : '';

	create_old_orders($node, 'postgres', $moved, $each);
	$node->safe_psql('postgres', 'SELECT remember()');
	my $books = $node->safe_psql('postgres', 'SELECT books()');
	kill_at("SELECT FROM order_ext_internal.$table x JOIN was USING (order_id) FOR UPDATE OF x", 'SELECT order_ext.maintain()', $server);
	is($node->safe_psql('postgres', 'SELECT places()'), "${before}tables $each", "killed at $table: nothing has moved");
	$node->safe_psql('postgres', 'SELECT order_ext.maintain()');
	$moved += $each;
	is($node->safe_psql('postgres', 'SELECT places()'), "archive $moved", 'then all of it has');
	is($node->safe_psql('postgres', 'SELECT books()'), $books, 'and the books are the same');
}
verify_clean($node, 'postgres', 'the archive is whole');

# What was moved is moved, however the server ends.
$node->stop('immediate');
$node->start;
is($node->safe_psql('postgres', 'SELECT places()'), "archive $moved", 'the server is killed after it');

# ---- on the way back ----

my $late = "order_ext.pay_callback((SELECT order_id FROM order_ext.archived_orders WHERE external_id = 'X-0-4'), 'T-late', 'oldpay', 2050)";
my $session = $node->background_psql('postgres');
my $offset = -s $node->logfile;
is($session->query_safe("BEGIN; SELECT ($late).disposition"), 'late_refund_queued', 'an order comes back');
kill 'KILL', $session->query_safe('SELECT pg_backend_pid()');
eval { $session->quit };
sleep 0.02 while slurp_file($node->logfile, $offset) !~ /ready to accept connections/;
$node->poll_query_until('postgres', 'SELECT true');
is($node->safe_psql('postgres', 'SELECT places()'), "archive $moved", 'but who brought it was killed');
$node->safe_psql('postgres', "SELECT $late");
$node->stop('immediate');
$node->start;
is($node->safe_psql('postgres', 'SELECT places()'), 'archive ' . ($moved - 1) . ', changed in tables 1', 'it comes again, and stays');
verify_clean($node, 'postgres');

# ---- out of the archive ----

# What was exported, by somebody who was killed before he dropped anything; the next one begins again.
$session = $node->background_psql('postgres');
$session->query_safe('CREATE TABLE copy (order_id bigint PRIMARY KEY, document jsonb); BEGIN; INSERT INTO copy SELECT order_id, document FROM order_ext.export_archived()');
kill 'TERM', $session->query_safe('SELECT pg_backend_pid()');
eval { $session->quit };
$node->safe_psql('postgres', 'INSERT INTO copy SELECT order_id, document FROM order_ext.export_archived()');
my $drop = "SELECT disposition, count(*) FROM order_ext.drop_archived(ARRAY(SELECT order_id FROM copy ORDER BY 1), "
  . "ARRAY(SELECT encode(sha256(convert_to(document::text, 'UTF8')), 'hex') FROM copy ORDER BY order_id)) GROUP BY 1 ORDER BY 1";
my $books = $node->safe_psql('postgres', 'SELECT books()');
foreach my $server (0, 1)
{
	kill_at(q{SET LOCAL session_replication_role = replica; INSERT INTO order_ext_archive.dropped (order_id, user_id, pay_amount, created_at,
		settled_at, archived_at, dropped_at, version, status, currency, digest, remains)
		SELECT order_id, 1, 1, now(), now(), now(), now(), 1, 1, '', '', '{}' FROM order_ext_archive.orders LIMIT 1}, $drop, $server);
	is($node->safe_psql('postgres', 'SELECT places()'), 'archive ' . ($moved - 1) . ', changed in tables 1', 'killed in the middle: nothing is dropped');
}
is($node->safe_psql('postgres', $drop), 'applied|' . ($moved - 1), 'then everything is');
$node->stop('immediate');
$node->start;
is($node->safe_psql('postgres', 'SELECT places()'), 'changed in tables 1, dropped ' . ($moved - 1), 'and stays so');
is($node->safe_psql('postgres', $drop), 'replayed|' . ($moved - 1), 'once more');
is($node->safe_psql('postgres', 'SELECT books()'), $books, 'the books are the same');
is($node->safe_psql('postgres', 'SELECT DISTINCT (order_ext.restore_archived(order_id, document)).disposition FROM copy'), 'applied', 'it is restored');
is($node->safe_psql('postgres', 'SELECT places()'), 'archive ' . ($moved - 1) . ', changed in tables 1', 'whole');
verify_clean($node, 'postgres');
check_log($node, crashes => 1);
$node->stop('fast');
done_testing();
