# verify() tells when what should run does not: dispatch, the sweep, the jobs of pg_cron; and
# schedule_jobs() when pg_cron cannot run them.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;

use OrderExtTest;
use Test::More;

# The server has no address, and pg_cron is told to connect to one. That fails when a minute begins; what the
# test is about are the runs that it makes up itself.
my $node = start_node(
	'nobody',
	"shared_preload_libraries = 'order_ext,pg_cron'",
	"cron.database_name = 'postgres'",
	'cron.use_background_workers = off',
	'cron.log_run = off',
	"cron.host = 'localhost'");
my $psql = sub { return $node->safe_psql('postgres', $_[0]); };

sub forge
{
	return $psql->("SET session_replication_role = replica; $_[0]");
}

# What verify() shows a role about an entity.
sub warned
{
	my ($entity, $role) = @_;

	return $node->safe_psql(
		'postgres',
		"SELECT actual FROM order_ext.verify() WHERE severity = 'warning' AND entity = '$entity'",
		extra_params => [ '-U', $role || 'postgres_user' ]);
}

$psql->('ALTER DATABASE postgres SET order_ext.enabled = off');
$psql->(<<'SQL');
CREATE EXTENSION pg_cron;
CREATE EXTENSION order_ext;
CREATE ROLE postgres_user LOGIN SUPERUSER;
CREATE ROLE watcher LOGIN;
CREATE ROLE clerk LOGIN;
GRANT USAGE ON SCHEMA cron TO clerk;
SELECT order_ext.grant_to('clerk', 'operator'), order_ext.grant_to('watcher', 'observer');
SQL

# ---- the jobs ----

my ($ret, $out, $err) = $node->psql('postgres', 'SELECT order_ext.schedule_jobs()',
	extra_params => [ '-U', 'clerk' ]);
is($ret, 0, 'schedule_jobs()');
like($err, qr/WARNING:  pg_cron cannot run the jobs/, 'it warns of the settings');
like($err, qr/HINT:  Set cron\.use_background_workers = on/, 'and tells which');
is($psql->("SELECT string_agg(username, ' ') FROM cron.job"), 'clerk clerk',
	'the jobs belong to the caller');
is(warned('sweep'), '', 'a sweep is not missed at once');
forge("UPDATE order_ext_internal.instance SET jobs_since = now() - interval '11 minutes'");
like(warned('sweep', 'watcher'), qr/^none yet, for 00:11/, 'but after ten minutes');
$psql->('SELECT order_ext.expire_orders()');
is(warned('sweep'), '', 'a sweep ends that');
forge("UPDATE order_ext_internal.sweep_progress SET swept_at = now() - interval '9 minutes'");
is(warned('sweep'), '', 'nine minutes are few');
forge("UPDATE order_ext_internal.sweep_progress SET swept_at = now() - interval '11 minutes'");
like(warned('sweep'), qr/^none for 00:11/, 'eleven are not');
$psql->('SELECT order_ext.expire_orders()');
is(warned('sweep'), '', 'one that has nothing to do counts');

# ---- what pg_cron says ----

my $job = 'job order_ext sweep of pg_cron';
my $run = sub {
	my ($status, $message) = @_;
	$psql->(<<"SQL");
INSERT INTO cron.job_run_details (jobid, runid, database, username, command, status, return_message,
	start_time, end_time)
SELECT jobid, (SELECT coalesce(max(runid), 0) + 100000 FROM cron.job_run_details), database, username,
	command, '$status', '$message', now(), now()
FROM cron.job WHERE jobname = 'order_ext sweep'
SQL
	return;
};
is(warned($job), '', 'no run');
$run->('failed', 'connection failed');
like(warned($job), qr/^failed [0-9:]+ ago: connection failed/, 'a failed one, to a superuser');
like(warned($job, 'clerk'), qr/connection failed/, 'and to its owner');
is(warned($job, 'watcher'), '', 'others see nothing of pg_cron');
$run->('succeeded', '1 row');
is(warned($job), '', 'the next run went well');

($ret, $out, $err) = $node->psql('postgres', 'SELECT order_ext.unschedule_jobs()',
	extra_params => [ '-U', 'clerk' ]);
is("$ret $err", '0 ', 'unschedule_jobs()');
is($psql->('SELECT count(*) FROM cron.job'), '0', 'the jobs are gone');
forge("UPDATE order_ext_internal.sweep_progress SET swept_at = now() - interval '1 day'");
is(warned('sweep'), '', 'and no sweep is missed');

# ---- dispatch ----

create_handlers($node, 'postgres');
$psql->(<<'SQL');
CREATE FUNCTION handle(m order_ext.message) RETURNS void LANGUAGE plpgsql AS $$ BEGIN END $$;
SELECT order_ext.create_topic('some');
SELECT order_ext.subscribe('some', 'some', 'handle(order_ext.message)', '{"run_as": "handlers"}');
SELECT order_ext.create_topic('outside');
SELECT order_ext.subscribe('outside', 'outside');
SQL
my $here = 'database postgres';
my $old = "UPDATE order_ext_internal.message_log_0 SET published_at = now() - interval '6 minutes'";
$psql->("SELECT order_ext.publish('outside', 1)");
forge($old);
is(warned($here), '', 'external consumers are another matter');
$psql->("SELECT order_ext.publish('some', 1)");
is(warned($here), '', 'a message that is young');
forge($old);
like(warned($here, 'watcher'), qr/^neither, for 00:06/, 'nobody dispatches');
$node->safe_psql('postgres', 'SELECT order_ext.dispatch()', extra_params => [ '-U', 'handlers' ]);
is(warned($here), '', 'until somebody does');
$psql->("SELECT order_ext.publish('some', 2, deliver_at => now() + interval '1 day')");
is(warned($here), '', 'a timer for tomorrow');
forge("UPDATE order_ext_internal.timers_far SET due_at = now() - interval '6 minutes'");
forge("UPDATE order_ext_internal.group_progress SET at = now() - interval '6 minutes'");
like(warned($here), qr/^neither, for 00:06/, 'a timer that does not fire');
$psql->('ALTER DATABASE postgres SET order_ext.enabled = on');
ok( $node->poll_query_until(
		'postgres', "SELECT NOT EXISTS (SELECT FROM order_ext.verify() WHERE entity = '$here')"),
	'workers end that');

# ---- settings ----

is( $psql->("SELECT count(*) FROM order_ext.verify() WHERE entity = 'extension order_ext'"),
	'0', 'library and SQL objects are of one version');

$node->stop;
done_testing();
