# The README says what is true: its diagrams are the output of state_diagram(), its tour
# runs, its tables name every setting, error and call.
use strict;
use warnings;

use File::Basename;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $top = $ENV{TESTDIR} || dirname(__FILE__) . '/../..';
my $readme = slurp_file("$top/README.md");
my $errors = slurp_file("$top/src/core/errors.h");

my $node = PostgreSQL::Test::Cluster->new('readme');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'order_ext'");
$node->start;
# The tour calls dispatch() where it does not want to wait; workers would race with it.
$node->safe_psql('postgres', 'ALTER DATABASE postgres SET order_ext.enabled = off');
$node->safe_psql('postgres', 'CREATE EXTENSION order_ext');

# Diagrams: a marker names the machine, the block after it is its diagram.
my $diagrams = 0;
while ($readme =~ /<!-- state_diagram: (\w+) -->\n```mermaid\n(.*?)```/sg)
{
	my ($machine, $text) = ($1, $2);
	my $now = $node->safe_psql('postgres', "SELECT order_ext.state_diagram('$machine')");
	s/\s+$// for $text, $now;
	is($text, $now, "diagram of $machine");
	$diagrams++;
}
cmp_ok($diagrams, '>=', 4, 'the README has diagrams');

# Every SQL block of the tour runs, in one session, and changes what it says.
my ($tour) = $readme =~ /## Five-minute tour\n(.*?)\n## /s;
my $script = "\\set ON_ERROR_STOP 1\n";
$script .= "$1\n" while $tour =~ /```sql\n(.*?)```/sg;
my ($out, $err);
my $rc = $node->psql('postgres', $script, stdout => \$out, stderr => \$err);
is($rc, 0, 'the tour runs') or diag($err);
like($out, qr/late_refund_queued/, 'the tour meets a late payment');
like($out, qr/canceled\|timeout/, 'the tour sees an order time out');
$node->safe_psql('postgres', 'ALTER DATABASE postgres SET order_ext.enabled = on');
ok($node->poll_query_until('postgres',
		"SELECT count(*) = 0 FROM order_ext.consumer_stats"
		  . " WHERE consumer_group <> 'mailer' AND (lag > 0 OR retrying > 0)"),
	'the workers finish what the tour began');
is($node->safe_psql('postgres', "SELECT count(*) FROM order_ext.verify() WHERE severity = 'error'"),
	'0', 'and the books are right');

# Settings, errors, calls and views: none missing.
my @settings = split /\n/, $node->safe_psql('postgres',
	"SELECT name FROM pg_settings WHERE name LIKE 'order_ext.%' ORDER BY 1");
cmp_ok(scalar @settings, '>', 5, 'settings are there');
my @unnamed = grep { index($readme, "`$_`") < 0 } @settings;
is("@unnamed", '', 'every setting is in the README');

my @codes = map { "OE$_" } map { join '', /'(\d)'/g } grep { /define ERRCODE_OE_/ } split /\n/, $errors;
cmp_ok(scalar @codes, '>', 10, 'error codes are there');
@unnamed = grep { index($readme, $_) < 0 } @codes;
is("@unnamed", '', 'every SQLSTATE is in the README');

my @objects = split /\n/, $node->safe_psql('postgres', q{
	SELECT DISTINCT proname FROM pg_proc WHERE pronamespace = 'order_ext'::regnamespace
	UNION SELECT relname FROM pg_class WHERE relnamespace = 'order_ext'::regnamespace AND relkind = 'v'
	ORDER BY 1});
cmp_ok(scalar @objects, '>', 30, 'calls and views are there');
@unnamed = grep { index($readme, "`$_`") < 0 } @objects;
is("@unnamed", '', 'every call and view is in the README');

done_testing();
