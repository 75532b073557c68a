# The consumers of examples/ on a real server: each message is worked on once, also when two
# of them run side by side and when one is killed; what fails comes back and is buried.
use strict;
use warnings;

use File::Basename;
use File::Copy;
use FindBin;
use lib $FindBin::RealBin;

use OrderExtTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $examples = ($ENV{TESTDIR} || dirname(__FILE__) . '/../..') . '/examples';
my $build = PostgreSQL::Test::Utils::tempdir();

my $node = start_node('examples');
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION order_ext;
CREATE ROLE mail_worker LOGIN;
SELECT order_ext.grant_to('mail_worker', 'worker');
CREATE ROLE admin LOGIN IN ROLE mail_worker;
SELECT order_ext.grant_to('admin', 'operator');
SELECT order_ext.create_topic('mail'), order_ext.grant_topic('mail', 'admin', 'subscribe');
SQL
my $conninfo = sprintf 'host=%s port=%s dbname=postgres user=mail_worker', $node->host, $node->port;
my $uri = sprintf 'postgresql://mail_worker@localhost:%s/postgres?host=%s', $node->port, $node->host;

# Build both; a machine that cannot install pg fails here rather than passing over it.
copy("$examples/consumer_c/$_", "$build/$_") or die $! foreach qw(consumer.c Makefile);
is(system_log('make', '-C', $build, 'consumer'), 0, 'the C consumer compiles');
copy("$examples/consumer_node/$_", "$build/$_") or die $! foreach qw(consumer.js package.json .npmrc);
{
	local $ENV{HOME} = $build;
	delete local $ENV{TEST_CLOCK};    # certificates are of today
	local $ENV{npm_config_cache} = "$build/npm_cache";
	is(system_log('npm', 'install', '--prefix', $build, '--no-audit', '--no-fund', '--no-update-notifier'),
		0, 'npm installs what the Node.js consumer needs');
}

# A group whose messages the worker's role receives.
sub new_group
{
	my ($group) = @_;
	$node->safe_psql('postgres', "SET ROLE admin; SELECT order_ext.subscribe('$group', 'mail', options => '{\"run_as\": \"mail_worker\", \"max_attempts\": 2}')");
	return;
}

# Publish messages with keys from .. to.
sub publish
{
	my ($from, $to) = @_;
	$node->safe_psql('postgres', "SELECT order_ext.publish('mail', k) FROM generate_series($from, $to) AS k");
	return;
}

# The keys in a consumer's output, sorted.
sub keys_of
{
	my ($output) = @_;
	my @keys = sort { $a <=> $b } map { (split / /)[1] } split /\n/, $output;
	return "@keys";
}

sub drained
{
	my ($group) = @_;
	return wait_sql($node, 'postgres',
		"SELECT lag, retrying, dead FROM order_ext.consumer_stats WHERE consumer_group = '$group'",
		'0|0|1', 60, "$group: nothing is left but the dead letter");
}

my %consumers = (
	c => ["$build/consumer", $conninfo],
	node => ['node', "$build/consumer.js", $uri]);

foreach my $kind (sort keys %consumers)
{
	my $group = "mailer_$kind";
	my ($output_1, $output_2, $errors) = ('', '', '');

	new_group($group);
	publish(1, 300);
	$node->safe_psql('postgres', "SELECT order_ext.publish('mail', 1000, '{\"fail\": \"no such address\"}')");

	# two side by side, while more is published
	my @command = (@{ $consumers{$kind} }, $group, '3');
	my $one = IPC::Run::start(\@command, '>', \$output_1, '2>', \$errors);
	my $two = IPC::Run::start(\@command, '>', \$output_2, '2>', \$errors);
	publish(301, 600);
	ok(IPC::Run::finish($one), "$kind: the first consumer ends well");
	ok(IPC::Run::finish($two), "$kind: the second consumer ends well");
	is($errors, '', "$kind: no complaints");
	is(keys_of($output_1 . $output_2), join(' ', 1 .. 600), "$kind: each message was worked on once");
	drained($group);
	is( $node->safe_psql('postgres',
			"SELECT key, attempts, last_error FROM order_ext.dead_letters WHERE consumer_group = '$group'"),
		'1000|2|no such address', "$kind: what fails is buried with its reason");

	# one is killed with messages in its hands: they come back
	publish(701, 720);
	$node->safe_psql('postgres', "SET ROLE mail_worker; SELECT count(*) FROM order_ext.receive('$group', 10, '1 second')");
	($output_1, $errors) = ('', '');
	ok(IPC::Run::run(\@command, '>', \$output_1, '2>', \$errors), "$kind: another one goes on");
	is(keys_of($output_1), join(' ', 701 .. 720), "$kind: also with what the dead one held");
	my @again = grep { / 2$/ } split /\n/, $output_1;
	is(scalar(@again), 10, "$kind: which is its second attempt");
	drained($group);

	# SIGTERM ends it in good order
	my $idle = IPC::Run::start([ @command[0 .. $#command - 1] ], '>', \$output_1, '2>', \$errors);
	wait_sql($node, 'postgres',
		"SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'CALL order_ext.wait%' AND state = 'active' AND backend_xmin IS NULL AND backend_xid IS NULL",
		1, 60, "$kind: a consumer that waits has no snapshot");
	IPC::Run::signal($idle, 'TERM');
	ok(IPC::Run::finish($idle), "$kind: SIGTERM ends it");

	# work that takes longer than the lease keeps it
	$node->safe_psql('postgres', "SELECT order_ext.publish('mail', k, '{\"seconds\": 1}') FROM generate_series(801, 804) AS k");
	@command = (@{ $consumers{$kind} }, $group, '3', '2');
	($output_1, $errors) = ('', '');
	ok(IPC::Run::run(\@command, '>', \$output_1, '2>', \$errors), "$kind: slow work is done");
	is($errors . keys_of($output_1), '801 802 803 804', "$kind: once each, within a lease that it extends");
	drained($group);

	# its connection is cut, twice, and a lease is taken from it: the other messages are done with
	$node->safe_psql('postgres', "SELECT order_ext.publish('mail', k, CASE k WHEN 903 THEN '{\"seconds\": 6}' ELSE '{}' END::jsonb) FROM generate_series(901, 905) AS k");
	@command = (@{ $consumers{$kind} }, $group, '0', '60');
	($output_1, $errors) = ('', '');
	my $cut = IPC::Run::start(\@command, '>', \$output_1, '2>', \$errors);
	wait_sql($node, 'postgres', "SELECT count(*) FROM order_ext_internal.leases", 5, 60, "$kind: it has leased a batch");
	is($node->safe_psql('postgres', "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'mail_worker'"),
		't', "$kind: its connection is cut");
	is($node->safe_psql('postgres', "SELECT order_ext.ack('$group', ARRAY[token]) FROM order_ext_internal.leases WHERE key = 902"),
		1, "$kind: somebody else answers one of its messages");
	drained($group);
	publish(910, 910);
	drained($group);
	is($node->safe_psql('postgres', "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'mail_worker'"),
		't', "$kind: cut once more, while it waits");
	publish(911, 911);
	drained($group);
	IPC::Run::signal($cut, 'TERM');
	ok(IPC::Run::finish($cut), "$kind: SIGTERM ends it");
	like($errors, qr/^lease lost: \d+$/m, "$kind: it has noticed");
	is(keys_of($output_1), '901 902 903 904 905 910 911', "$kind: each message was worked on once");
}

verify_clean($node, 'postgres');
check_log($node);
done_testing();
