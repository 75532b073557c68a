# External consumers and servers that die: nothing is lost, what was answered is not delivered
# again, and a lease outlives the server.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;

use OrderExtTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = start_node('consumer_crash', 'max_prepared_transactions = 2');
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION order_ext;
SELECT order_ext.create_topic('t'), order_ext.subscribe('g', 't');
SELECT order_ext.publish('t', k) FROM generate_series(1, 10) AS k;
SQL

my $stats = "SELECT lag, retrying, dead FROM order_ext.consumer_stats WHERE consumer_group = 'g'";

# What a receive() gives, as "key#attempt", and its tokens in a table.
sub receive
{
	my ($max_messages, $lease) = @_;
	return "CREATE TABLE IF NOT EXISTS got (key bigint, attempt integer, token bigint);"
	  . " TRUNCATE got; INSERT INTO got SELECT key, attempt, token FROM order_ext.receive('g', $max_messages, '$lease');"
	  . " SELECT string_agg(key || '#' || attempt, ' ' ORDER BY key) FROM got;";
}

# Terminate the backend that has run this in an open transaction.
sub die_after
{
	my ($sql, $name) = @_;
	my ($in, $out, $err) = ("BEGIN; $sql\nSELECT 'pid ' || pg_backend_pid();\n", '', '');
	my $timer = IPC::Run::timeout(60);
	my $session = IPC::Run::start([ 'psql', '-XAtq', '-f', '-', '-d', $node->connstr('postgres') ],
		'<', \$in, '>', \$out, '2>', \$err, $timer);

	IPC::Run::pump($session) until $out =~ /^pid (\d+)$/m;
	my ($pid) = $out =~ /^pid (\d+)$/m;
	is($node->safe_psql('postgres', "SELECT pg_terminate_backend($pid, 60000)"), 't', $name);
	$in .= "SELECT 1;\n";
	eval { IPC::Run::finish($session); };
	return $out;
}

# It dies before its receive() is committed: nothing was handed out, the next one gets it all.
die_after("SELECT count(*) FROM order_ext.receive('g', 10, '1 hour');", 'a consumer dies before its commit');
is($node->safe_psql('postgres', receive(10, '1 second')), join(' ', map { "$_#1" } 1 .. 10), 'the next one gets everything');

# It dies with an ack that is not committed: all of it comes back when the lease is over.
die_after("SELECT order_ext.ack('g', (SELECT array_agg(token) FROM got WHERE key <= 5));", 'a consumer dies before the commit of its ack');
is($node->safe_psql('postgres', "CALL order_ext.wait_for_messages('g', '1 minute')"), 't', 'waited for the end of the lease');
is($node->safe_psql('postgres', receive(10, '1 hour')), join(' ', map { "$_#2" } 1 .. 10), 'everything comes back');

# The server dies: the leases are there afterwards, answers too.
is($node->safe_psql('postgres', "SELECT order_ext.ack('g', (SELECT array_agg(token) FROM got WHERE key <= 4))"), '4', 'four are answered');
is($node->safe_psql('postgres', "SELECT order_ext.nack('g', (SELECT array_agg(token) FROM got WHERE key = 5), '0', 'not yet')"), '1', 'one is given back');
is($node->safe_psql('postgres', "SELECT order_ext.extend_lease('g', (SELECT array_agg(token) FROM got WHERE key = 6), '2 hours')"), '1', 'one is extended');
$node->stop('immediate');
$node->start;
is($node->safe_psql('postgres', $stats), '5|1|0', 'all that is known after a crash');
is($node->safe_psql('postgres', "SELECT string_agg(key || '#' || attempt, ' ') FROM order_ext.receive('g')"), '5#3', 'the one given back is delivered again');
is($node->safe_psql('postgres', "SELECT order_ext.ack('g', (SELECT array_agg(token) FROM got WHERE key BETWEEN 6 AND 9))"), '4', 'leases outlive the server');
my ($rc, $out, $err) = $node->psql('postgres', "SELECT order_ext.ack('g', (SELECT array_agg(token) FROM got WHERE key = 4))");
like($err, qr/lease lost/, 'and so do answers');
is($node->safe_psql('postgres', "SELECT order_ext.extend_lease('g', array_agg(token), '1 millisecond') FROM order_ext_internal.leases"), '2', 'the rest is shortened');
is($node->safe_psql('postgres', "CALL order_ext.wait_for_messages('g', '1 minute')"), 't', 'waited for their end');
is($node->safe_psql('postgres', receive(10, '1 hour')), '5#4 10#3', 'they come back');
is($node->safe_psql('postgres', "SELECT order_ext.ack('g', (SELECT array_agg(token) FROM got))"), '2', 'and are answered');
is($node->safe_psql('postgres', $stats), '0|0|0', 'nothing is left');
is($node->safe_psql('postgres', "SELECT count(*) FROM order_ext_internal.leases"), '0', 'no lease either');

# A prepared receive() hands out nothing before COMMIT PREPARED, and nothing at all without.
$node->append_conf('postgresql.conf', 'max_prepared_transactions = 2');
$node->restart;
$node->safe_psql('postgres', "SELECT order_ext.publish('t', 20)");
$node->safe_psql('postgres', "BEGIN; SELECT count(*) FROM order_ext.receive('g', 1, '1 hour'); PREPARE TRANSACTION 'p'");
is($node->safe_psql('postgres', "SELECT count(*) FROM order_ext.receive('g')"), '0', 'a prepared receive() keeps others out');
$node->safe_psql('postgres', "ROLLBACK PREPARED 'p'");
$node->safe_psql('postgres', "BEGIN; SELECT count(*) FROM order_ext.receive('g', 1, '1 hour'); PREPARE TRANSACTION 'p'");
$node->stop('immediate');
$node->start;
$node->safe_psql('postgres', "COMMIT PREPARED 'p'");
is($node->safe_psql('postgres', "SELECT order_ext.ack('g', array_agg(token)) FROM order_ext_internal.leases"), '1', 'what it leased is answered');

# Waiting is ended by the wake-up of a commit, a cancel, and the end of the server's life.
my ($in, $waited, $waiting_err) = ("CALL order_ext.wait_for_messages('g', '1 hour');\n", '', '');
my $session = IPC::Run::start([ 'psql', '-XAtq', '-f', '-', '-d', $node->connstr('postgres') ],
	'<', \$in, '>', \$waited, '2>', \$waiting_err, IPC::Run::timeout(60));
IPC::Run::pump_nb($session);
wait_sql($node, 'postgres', "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'CALL%' AND wait_event_type = 'Extension'", 1, 60, 'it waits');
is( $node->safe_psql('postgres',
		"SELECT backend_xmin IS NULL, backend_xid IS NULL, (SELECT count(*) FROM pg_locks l WHERE l.pid = a.pid AND locktype <> 'virtualxid')"
		  . " FROM pg_stat_activity a WHERE query LIKE 'CALL%' AND wait_event_type = 'Extension'"),
	't|t|0', 'without snapshot, transaction id and lock');
$node->safe_psql('postgres', "SELECT order_ext.publish('t', 30)");
IPC::Run::pump($session) until $waited =~ /\n/;
is($waited, "t\n", 'a commit ends it');
$in .= "\\q\n";
IPC::Run::finish($session);

# A nack that commits long after its retry was due: a consumer that has looked meanwhile finds it at
# once. (After its look at eleven seconds, it begins later than at that row the next time.)
$node->safe_psql('postgres', "SELECT order_ext.create_topic('late'), order_ext.subscribe('late', 'late');"
	  . " SELECT order_ext.publish('late', 1);"
	  . " CREATE TABLE late AS SELECT token FROM order_ext.receive('late');"
	  . " BEGIN; SELECT order_ext.nack('late', array_agg(token), '0') FROM late; PREPARE TRANSACTION 'late'");
my $received = "SELECT 'got ' || coalesce(string_agg(key || '#' || attempt, ' '), 'nothing') FROM order_ext.receive('late');\n";
($in, $waited, $waiting_err) = ("SELECT pg_sleep(11);\n$received", '', '');
$session = IPC::Run::start([ 'psql', '-XAtq', '-f', '-', '-d', $node->connstr('postgres') ],
	'<', \$in, '>', \$waited, '2>', \$waiting_err, IPC::Run::timeout(60));
IPC::Run::pump($session) until $waited =~ /got .*\n/;
like($waited, qr/got nothing/, 'nothing as long as the nack is only prepared');
$node->safe_psql('postgres', "COMMIT PREPARED 'late'");
$waited = '';
$in .= "$received\\q\n";
IPC::Run::finish($session);
is($waited, "got 1#2\n", 'the same session gets it as soon as it is committed');

verify_clean($node, 'postgres');
check_log($node);
done_testing();
