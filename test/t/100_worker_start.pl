# Workers start after CREATE EXTENSION, without a restart; stay out of databases that have
# no business with them; and follow order_ext.enabled both ways, from every place it is set.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use OrderExtTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $both = 'dispatcher,scheduler';
my $node = start_node('start');

$node->safe_psql('postgres', $_) foreach (
	'CREATE DATABASE shop', 'CREATE DATABASE plain', 'CREATE DATABASE lookalike',
	'CREATE DATABASE pattern', 'CREATE DATABASE quiet',
	'ALTER DATABASE quiet SET order_ext.enabled = off');
$node->safe_psql('lookalike', 'CREATE SCHEMA order_ext; CREATE SCHEMA order_ext_internal;'
	  . ' CREATE TABLE order_ext_internal.database_stamp (system_identifier bigint, database oid)');

$node->safe_psql('shop', 'CREATE EXTENSION order_ext');
wait_workers($node, 'shop', $both, 5, 'workers start after CREATE EXTENSION');

# A transaction that does not commit announces nothing.
$node->safe_psql('plain', 'BEGIN; CREATE EXTENSION order_ext; ROLLBACK');

$node->safe_psql('quiet', 'CREATE EXTENSION order_ext');
$node->safe_psql('pattern', 'CREATE EXTENSION order_ext');
wait_workers($node, 'pattern', $both, 5, 'workers in a database that is no template yet');
$node->safe_psql('postgres', 'ALTER DATABASE pattern IS_TEMPLATE true');
wait_workers($node, 'pattern', '', 10, 'workers leave a database that becomes a template');
wait_sql($node, 'shop', "SELECT state FROM order_ext.worker_stats WHERE database = 'quiet'",
	'disabled', 5, 'worker_stats says that a database keeps them out');

# The server is started again: each database is looked into once.
my $log_before = -s $node->logfile;
$node->restart;
wait_workers($node, 'shop', $both, 10, 'workers are back after a restart');
wait_sql($node, 'shop', "SELECT state FROM order_ext.worker_stats WHERE database = 'quiet'",
	'disabled', 10, 'the other databases were probed');
wait_sql($node, 'shop', "SELECT count(*) FROM order_ext.worker_stats"
	  . " WHERE database IN ('plain', 'lookalike', 'postgres')", '0', 10,
	'no trace of databases without the extension');
is($node->safe_psql('postgres', "SELECT string_agg(DISTINCT datname, ',') FROM pg_stat_activity"
		  . " WHERE backend_type LIKE 'order_ext %'"), 'shop', 'workers in one database only');
unlike(slurp_file($node->logfile, $log_before), qr/ERROR|FATAL|WARNING/, 'and nothing to complain of');

# From 17 on, pg_stat_activity distinguishes idle processes from those that wait for something else.
my $named = $node->safe_psql('postgres', 'SHOW server_version_num') >= 170000;
wait_sql($node, 'shop', "SELECT string_agg(DISTINCT wait_event, ',' ORDER BY wait_event)"
	  . " FROM pg_stat_activity WHERE backend_type LIKE 'order_ext %'",
	$named ? 'OrderExtDispatcherIdle,OrderExtLauncherIdle,OrderExtSchedulerIdle' : 'Extension', 10,
	'idle processes say that they are');

# order_ext.enabled: of the database.
$node->safe_psql('postgres', 'ALTER DATABASE shop SET order_ext.enabled = off');
wait_workers($node, 'shop', '', 10, 'ALTER DATABASE SET off sends the workers away');
$node->safe_psql('postgres', 'ALTER DATABASE shop RESET order_ext.enabled');
wait_workers($node, 'shop', $both, 10, 'RESET brings them back');

# Of the server; the database's own setting is stronger.
$node->safe_psql('postgres', 'ALTER DATABASE quiet SET order_ext.enabled = on');
wait_workers($node, 'quiet', $both, 10, 'ALTER DATABASE SET on lets them in');
$node->safe_psql('postgres', 'ALTER SYSTEM SET order_ext.enabled = off');
$node->reload;
wait_workers($node, 'shop', '', 10, 'ALTER SYSTEM SET off sends the workers away');
wait_workers($node, 'quiet', $both, 10, 'but not where the database says on');
$node->safe_psql('postgres', 'ALTER SYSTEM RESET order_ext.enabled');
$node->reload;
wait_workers($node, 'shop', $both, 10, 'ALTER SYSTEM RESET brings them back');
$node->append_conf('postgresql.conf', 'order_ext.enabled = off');
$node->reload;
wait_workers($node, 'shop', '', 10, 'off in postgresql.conf, too');
$node->append_conf('postgresql.conf', 'order_ext.enabled = on');
$node->reload;
wait_workers($node, 'shop', $both, 10, 'and on');

# What the workers do is done without them, too.
create_handled($node, 'quiet');
$node->safe_psql('postgres', 'ALTER DATABASE quiet SET order_ext.enabled = off');
wait_workers($node, 'quiet', '', 10, 'off again');
$node->safe_psql('quiet', "SELECT order_ext.publish('t', 1)");
is($node->safe_psql('quiet', 'SET SESSION AUTHORIZATION handlers; SELECT order_ext.dispatch()'), '1', 'dispatch() ignores enabled');

# A worker that is terminated by hand comes back; so does the launcher.
my $pid = worker_pid($node, 'shop', 'dispatcher');
$node->safe_psql('postgres', "SELECT pg_terminate_backend($pid)");
wait_sql($node, 'postgres', "SELECT count(*) FROM pg_stat_activity WHERE pid <> $pid AND datname = 'shop'"
	  . " AND backend_type = 'order_ext dispatcher'", '1', 10, 'a terminated dispatcher is replaced');
$pid = worker_pid($node, 'shop', 'launcher');
$node->safe_psql('postgres', "SELECT pg_terminate_backend($pid)");
wait_sql($node, 'postgres', "SELECT count(*) FROM pg_stat_activity WHERE pid <> $pid"
	  . " AND backend_type = 'order_ext launcher'", '1', 20, 'a terminated launcher comes back');
is($node->safe_psql('postgres', workers('shop')), $both, 'the workers did not mind');
$pid = worker_pid($node, 'shop', 'dispatcher');
$node->safe_psql('postgres', "SELECT pg_cancel_backend($pid)");
$node->safe_psql('shop', "SELECT order_ext.create_topic('other')");
is($node->safe_psql('postgres', "SELECT count(*) FROM pg_stat_activity WHERE pid = $pid"), '1',
	'a cancel does not end an idle worker');

verify_clean($node, 'shop');
check_log($node);
$node->stop('fast');
done_testing();
