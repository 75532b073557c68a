# External consumers through a pooler in transaction mode: twenty of them over three server
# connections, none of which keeps anything of a client; waiting, too.
use strict;
use warnings;

use File::Basename;
use File::Copy;
use FindBin;
use lib $FindBin::RealBin;

use OrderExtTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

my $clients = 20;
my $examples = ($ENV{TESTDIR} || dirname(__FILE__) . '/../..') . '/examples';
my $dir = PostgreSQL::Test::Utils::tempdir_short();
my $port = PostgreSQL::Test::Cluster::get_free_port();

my $node = start_node('pooled');
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION order_ext;
CREATE ROLE worker LOGIN;
SELECT order_ext.grant_to('worker', 'operator'), order_ext.grant_to('worker', 'worker');
SELECT order_ext.create_topic('t'), order_ext.grant_topic('t', 'worker', 'publish'),
	order_ext.grant_topic('t', 'worker', 'subscribe');
SET ROLE worker;
SELECT order_ext.subscribe('g', 't');
SQL

copy("$examples/consumer_c/$_", "$dir/$_") or die $! foreach qw(consumer.c Makefile);
is(system_log('make', '-C', $dir, 'consumer'), 0, 'the consumer compiles');

append_to_file("$dir/pgbouncer.ini", <<"INI");
[databases]
* = host=@{[$node->host]} port=@{[$node->port]}
[pgbouncer]
listen_addr =
listen_port = $port
unix_socket_dir = $dir
auth_type = any
pool_mode = transaction
default_pool_size = 3
max_client_conn = 100
logfile = $dir/pgbouncer.log
pidfile = $dir/pgbouncer.pid
ignore_startup_parameters = extra_float_digits
INI
# auth_type any logs everybody in as the user that the database line names
my $ini = slurp_file("$dir/pgbouncer.ini");
$ini =~ s/^(\* = .*)$/$1 user=worker/m;
unlink "$dir/pgbouncer.ini";
append_to_file("$dir/pgbouncer.ini", $ini);

my ($program) = grep { -x } map { "$_/pgbouncer" } split(/:/, $ENV{PATH}), '/usr/sbin';
ok($program, 'pgbouncer is installed') or die 'no pgbouncer';
my $pooler = IPC::Run::start([ $program, "$dir/pgbouncer.ini" ], '>', "$dir/out", '2>', "$dir/err");
my $pooled = "host=$dir port=$port dbname=postgres user=worker";
my $deadline = time() + 60;
my $up;
until (($up = system_log('psql', '-Xqc', 'SELECT 1', $pooled) == 0) || time() > $deadline) { sleep 0.1; }
ok($up, 'the pooler works');

# What is stated with SET LOCAL is of that transaction, whoever uses the connection next.
my $adjust = q{SELECT available FROM order_ext.adjust_stock('tea', 1)};
is((run_command([ 'psql', '-XAtq', '-c', q{SELECT order_ext.put_product('tea', 'Tea', 1)}, '-c', 'BEGIN', '-c', q{SET LOCAL order_ext.operator = 'alice'},
		'-c', $adjust, '-c', 'COMMIT', '-c', $adjust, $pooled ]))[0], "\n1\n2", 'stock is adjusted over the pool');
is((run_command([ 'psql', '-XAtqc', $adjust, $pooled ]))[0], '3', 'and by the next');
is($node->safe_psql('postgres', 'SELECT string_agg(operator, $$ $$ ORDER BY at) FROM order_ext.stock_ledger_view'), 'alice worker worker', 'one of them was alice');

# Twenty consumers, while messages are published through the pooler.
my @outputs = ('') x $clients;
my @consumers = map {
	IPC::Run::start([ "$dir/consumer", $pooled, 'g', '0.2' ], '>', \$outputs[$_], '2>>', "$dir/errors")
} 0 .. $clients - 1;
foreach my $n (0 .. 9)
{
	is(system_log('psql', '-Xqc', "SELECT count(order_ext.publish('t', k)) FROM generate_series($n * 100 + 1, $n * 100 + 100) AS k", $pooled),
		0, "published $n");
}
my $well = grep { IPC::Run::finish($_) } @consumers;
is($well, $clients, 'all consumers end well');
is(-s "$dir/errors", 0, 'without complaints');

# one may have stopped just before the last messages came: the rest is worked on by another
my $rest = '';
ok(IPC::Run::run([ "$dir/consumer", $pooled, 'g', '1' ], '>', \$rest, '2>>', "$dir/errors"), 'a last one');
my @keys = sort { $a <=> $b } map { (split / /)[1] } map { split /\n/ } @outputs, $rest;
is("@keys", join(' ', 1 .. 1000), 'each message was worked on once');
is( $node->safe_psql('postgres', "SELECT lag, retrying, dead FROM order_ext.consumer_stats WHERE consumer_group = 'g'"),
	'0|0|0', 'nothing is left');
cmp_ok($node->safe_psql('postgres', "SELECT count(*) FROM pg_stat_activity WHERE usename = 'worker'"),
	'<=', 3, 'over three connections');

# The connections keep nothing of their clients.
is( $node->safe_psql('postgres',
		"SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE usename = 'worker' AND state = 'idle'"),
	0, 'idle connections hold no lock');

# A lease of one connection is answered over another: the token is all there is to it.
my $token;
$node->safe_psql('postgres', "SELECT order_ext.publish('t', 2001)");
foreach my $connection (1 .. 4)
{
	($token) = split /\n/, (run_command([ 'psql', '-XAtc', "SELECT token FROM order_ext.receive('g')", $pooled ]))[0] unless $token;
}
is((run_command([ 'psql', '-XAtc', "SELECT order_ext.ack('g', '{$token}')", $pooled ]))[0], '1', 'answered over the pool');

verify_clean($node, 'postgres');
check_log($node);
IPC::Run::signal($pooler, 'TERM');
IPC::Run::finish($pooler);
done_testing();
