# Copies of a server are quiet until enable_dispatch(), however they were made; a standby that is
# promoted goes on without a call; the original does not notice any of it.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use OrderExtTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::RecursiveCopy;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);

my $original = PostgreSQL::Test::Cluster->new('original');
$original->init(allows_streaming => 1, has_archiving => 1);
configure($original);
$original->start;

foreach my $database ('postgres', 'other')
{
	$original->safe_psql('postgres', 'CREATE DATABASE other') if $database eq 'other';
	$original->safe_psql($database, 'CREATE EXTENSION order_ext');
	create_handled($original, $database);
	wait_sql($original, $database, 'SELECT count(*) FROM order_ext_internal.database_stamp WHERE node > 0',
		'1', 30, "the stamp of $database names the node");
}
$original->safe_psql('postgres', q{CREATE TABLE go ();
	CREATE OR REPLACE FUNCTION note(m order_ext.message) RETURNS void LANGUAGE plpgsql AS $$
	BEGIN
		WHILE m.payload ? 'wait' AND NOT EXISTS (SELECT FROM public.go) LOOP
			PERFORM pg_sleep(0.05);
		END LOOP;
		INSERT INTO public.handled (id, key, attempt) VALUES (m.id, m.key, m.attempt);
	END $$});

my $handled = q{SELECT string_agg(key || '#' || attempt, ' ' ORDER BY key, id) FROM handled};
my $state = q{SELECT kind || ' ' || state FROM order_ext.worker_stats WHERE database = current_database()};

# A node made from a backup of the original.
sub from_backup
{
	my ($name, $of, $backup, %params) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);

	$node->init_from_backup($of, $backup, %params);
	$node->start;
	return $node;
}

# It is there and does nothing, and says so; messages and timers wait.
sub is_quiet
{
	my ($node, $database, $what) = @_;

	$node->poll_query_until($database, 'SELECT NOT pg_is_in_recovery()');
	wait_sql($node, $database, $state, 'scheduler not enabled', 30, "$what: worker_stats says so");
	is($node->safe_psql($database, workers($database)), '', "$what: no worker is there");
	is($node->safe_psql($database, q{SELECT entity, severity FROM order_ext.verify() WHERE actual LIKE '%copy of the data directory%'}),
		"database $database|warning", "$what: verify() warns");
	my ($rc, $out, $err) = $node->psql($database, 'SELECT order_ext.dispatch()',
		extra_params => [ '-v', 'VERBOSITY=verbose' ]);
	like($err, qr/55000.*copy of the data directory/s, "$what: dispatch() does not");
	like(slurp_file($node->logfile), qr/does nothing in database "$database" because dispatch is not enabled/,
		"$what: the log says so");
	return;
}

# A base backup while a handler runs, with a timer and messages on their way.
$original->safe_psql('postgres', q{SELECT order_ext.publish('t', 1, '{"wait": true}')});
wait_sql($original, 'postgres', q{SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'}, '1', 30, 'a handler runs');
$original->safe_psql('postgres', q{SELECT order_ext.publish('t', 2);
	SELECT order_ext.publish('t', 3, '{}', clock_timestamp() + interval '1 second')});
$original->safe_psql('other', q{SELECT order_ext.publish('t', 4, '{}', clock_timestamp() + interval '1 day')});
$original->backup('base');
$original->safe_psql('postgres', 'INSERT INTO go DEFAULT VALUES');
is(join(',', grep { -e $original->backup_dir . "/base/pg_replslot/$_" } qw(order_ext.node order_ext.running)),
	'', 'a backup takes neither the id of the node nor what runs on it');
ok(-e $original->data_dir . "/pg_replslot/$_", "both are there: $_") foreach qw(order_ext.node order_ext.running);

# Started as a second server.
my $second = from_backup('second', $original, 'base');
is_quiet($second, 'postgres', 'second server');
is_quiet($second, 'other', 'second server, the other database');
is($second->safe_psql('postgres', 'SELECT count(*) FROM order_ext_internal.crash_suspects'), '0',
	'nobody crashed there');
wait_sql($original, 'postgres', $handled, '1#1 2#1 3#1', 30, 'the original goes on');
is($second->safe_psql('postgres', $handled), '', 'the second server has done nothing');
is($second->safe_psql('postgres', q{SELECT (SELECT count(*) FROM order_ext_internal.pending_messages)
		+ (SELECT count(*) FROM order_ext_internal.pending_timers WHERE due_at < clock_timestamp())}),
	'3', 'what was on its way waits there');

# A standby of the quiet copy does not do, once promoted, what that did not.
$second->append_conf('pg_hba.conf', 'local replication all trust');
$second->reload;
$second->backup('second');
my $third = from_backup('third', $second, 'second', has_streaming => 1);
$second->wait_for_catchup($third);
$third->promote;
is_quiet($third, 'postgres', 'promoted standby of a quiet copy');
$third->stop;

# It works once it is told to: what waited is handled there, too; only there.
$second->safe_psql('postgres', 'INSERT INTO go DEFAULT VALUES; SELECT order_ext.enable_dispatch()');
wait_sql($second, 'postgres', $handled, '1#1 2#1 3#1', 30, 'enabled, it does what was left to do');
wait_workers($second, 'postgres', 'dispatcher,scheduler', 30, 'its workers are there');
is($second->safe_psql('other', $state), 'scheduler not enabled', 'the other database is still quiet');
$second->stop('immediate');
$second->start;
$second->safe_psql('postgres', q{SELECT order_ext.publish('t', 5)});
wait_sql($second, 'postgres', $handled, '1#1 2#1 3#1 5#1', 30, 'it goes on after a crash');
is_quiet($second, 'other', 'and the other database is quiet');
verify_clean($second, 'postgres', 'second server: verify() finds no error');
check_log($second, name => 'second server: nothing bad in the log');
$second->stop;

# A standby takes over without a call, and goes on after a restart.
my $standby = from_backup('standby', $original, 'base', has_streaming => 1);
$original->safe_psql('postgres', q{SELECT order_ext.publish('t', 6)});
wait_sql($original, 'postgres', $handled, '1#1 2#1 3#1 6#1', 30, 'the original works');
$original->wait_for_catchup($standby);

# Before, it refuses what would write, also what would find nothing to do; reads go on.
foreach my $call (q{enable_dispatch()}, q{dispatch()}, q{cancel_message(1)}, q{expire_orders()}, q{redrive('g')},
	q{pause('g')}, q{discard('g')}, q{unsubscribe('nobody')})
{
	my ($rc, $out, $err) = $standby->psql('postgres', "SELECT order_ext.$call", extra_params => [ '-v', 'VERBOSITY=sqlstate' ]);
	like($err, qr/ERROR:  25006/, "on a standby $call is refused");
}
is($standby->safe_psql('postgres', q{SELECT count(*) FROM order_ext.verify() WHERE entity LIKE 'database%'}), '0',
	'verify() does not warn there, as nothing is amiss');
$standby->promote;
foreach my $how ('promoted', 'restarted', 'crashed')
{
	my $key = { promoted => 7, restarted => 8, crashed => 9 }->{$how};
	$standby->poll_query_until('postgres', 'SELECT NOT pg_is_in_recovery()');
	$standby->safe_psql('postgres', "SELECT order_ext.publish('t', $key)");
	wait_sql($standby, 'postgres', "SELECT count(*) FROM handled WHERE key = $key", '1', 30, "a standby that was $how goes on");
	wait_workers($standby, 'other', 'dispatcher,scheduler', 30, 'in all databases');
	$standby->stop($how eq 'restarted' ? 'immediate' : 'fast');
	$standby->start unless $how eq 'crashed';
}

# Promoted between two starts: the server was stopped in that very moment.
is($standby->start, 1, 'started again');
wait_workers($standby, 'postgres', 'dispatcher,scheduler', 30, 'it goes on');

# A copy of what was promoted is a copy.
$standby->backup('standby');
my $fourth = from_backup('fourth', $standby, 'standby');
is_quiet($fourth, 'postgres', 'copy of a promoted standby');
$fourth->stop;
verify_clean($standby, 'postgres', 'standby: verify() finds no error');
check_log($standby, name => 'standby: nothing bad in the log');
$standby->stop;

# Restored by recovery from the archive: a new timeline, as after a promotion, but quiet.
$original->safe_psql('postgres', 'SELECT pg_switch_wal()');
my $restored = PostgreSQL::Test::Cluster->new('restored');
$restored->init_from_backup($original, 'base', has_restoring => 1, standby => 0);
$restored->start;
is_quiet($restored, 'postgres', 'restored server');
is($restored->safe_psql('postgres', 'SELECT count(*) FROM order_ext_internal.crash_suspects'), '0', 'nobody crashed there');
$restored->safe_psql('postgres', 'SELECT order_ext.enable_dispatch()');
wait_workers($restored, 'postgres', 'dispatcher,scheduler', 30, 'until it is told to work');
$restored->stop;

# Copied file by file while it was stopped: the file with the id came along, but it is a copy.
my $files = PostgreSQL::Test::Utils::tempdir();
$original->stop;
PostgreSQL::Test::RecursiveCopy::copypath($original->data_dir, "$files/cold");
mkdir $original->backup_dir;
PostgreSQL::Test::RecursiveCopy::copypath("$files/cold", $original->backup_dir . '/cold');
$original->start;
ok(-e $original->backup_dir . '/cold/pg_replslot/order_ext.node', 'a copy of the files has the id');
my $cold = from_backup('cold', $original, 'cold');
is_quiet($cold, 'postgres', 'copy of the files');
$cold->stop;

# The same, if the clock was set back between the creation of the file and the copy.
my $node_file = $original->backup_dir . '/cold/pg_replslot/order_ext.node';
my $late = slurp_file($node_file);
ok($late =~ s/ (\d+)\n\z/' ' . ($1 + 365 * 24 * 60 * 60) . "\n"/e, 'the file has its time');
open(my $file, '>', $node_file) or die "$node_file: $!";
print $file $late;
close($file);
my $earlier = from_backup('earlier', $original, 'cold');
is_quiet($earlier, 'postgres', 'copy from before the original');
$earlier->stop;

# The original has been at work all along, and is after a restart.
wait_workers($original, 'postgres', 'dispatcher,scheduler', 30, 'the original has its workers');
$original->safe_psql('postgres', q{SELECT order_ext.publish('t', 10)});
wait_sql($original, 'postgres', $handled, '1#1 2#1 3#1 6#1 10#1', 30, 'and works');
verify_clean($original, 'postgres', 'original: verify() finds no error');
check_log($original, name => 'original: nothing bad in the log');
$original->stop;
done_testing();
