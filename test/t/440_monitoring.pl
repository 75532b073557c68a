# monitoring/: Debian's exporter asks a database as monitoring/ says, a Prometheus scrapes it, alerts
# are evaluated, and every query of the dashboard has an answer.
use strict;
use warnings;

use File::Basename;
use FindBin;
use lib $FindBin::RealBin;

use HTTP::Tiny;
use IPC::Run;
use JSON::PP;
use OrderExtTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $monitoring = ($ENV{TESTDIR} || dirname(__FILE__) . '/../..') . '/monitoring';
my $build = PostgreSQL::Test::Utils::tempdir();

is(system_log('promtool', 'check', 'rules', "$monitoring/alerts.yml"), 0, 'the alert rules are valid');
is(system_log('promtool', 'check', 'config', "$monitoring/prometheus.yml"), 0, 'and so is the configuration');
is(system_log('promtool', 'test', 'rules', "$monitoring/alerts_test.yml"), 0, 'alerts fire when they should');

my $node = start_node('monitoring');
my ($setup) = slurp_file("$monitoring/README.md") =~ /^```sql\n(.*?)^```$/ms;
$node->safe_psql('postgres', "CREATE EXTENSION order_ext; $setup");
create_handled($node, 'postgres');
$node->safe_psql('postgres', q{SELECT order_ext.put_product('W', 'goods', 100), order_ext.adjust_stock('W', 100);
	SELECT order_ext.pay_callback(id, 'T-' || n, 'wechat', 100)
	FROM generate_series(1, 5) AS n, order_ext.create_order(n, '[{"sku": "W", "quantity": 1}]', 100)});
# money that waits for a decision, a dead letter and a timer that has fired
$node->safe_psql('postgres', q{SELECT order_ext.pay_callback(12345, 'nobody''s', 'wechat', 7);
	CREATE FUNCTION never(m order_ext.message) RETURNS void LANGUAGE plpgsql AS $$ BEGIN RAISE 'never' USING ERRCODE = 'OE803'; END $$;
	SELECT order_ext.subscribe('unlucky', 't', 'never(order_ext.message)', '{"run_as": "handlers"}');
	SELECT order_ext.publish('t', 1, deliver_at => clock_timestamp() + interval '1 ms')});
wait_sql($node, 'postgres', q{SELECT dead FROM order_ext.consumer_stats WHERE consumer_group = 'unlucky'}, 1, 60, 'a message is dead');

append_to_file("$build/metrics", $node->safe_psql('postgres', 'SELECT order_ext.metrics()') . "\n");
my $checked = '';
IPC::Run::run([ 'promtool', 'check', 'metrics' ], '<', "$build/metrics", '>&', \$checked);
is($checked, '', 'metrics() is what Prometheus wants to read');

# ---- an exporter and a Prometheus ----

my ($exporter_port, $prometheus_port) = map { PostgreSQL::Test::Cluster::get_free_port() } 1 .. 2;
$ENV{DATA_SOURCE_NAME} = sprintf 'host=%s port=%s user=shop_monitor dbname=postgres sslmode=disable', $node->host, $node->port;
my ($said, $prometheus_said) = ('', '');
my $exporter = IPC::Run::start([ 'prometheus-postgres-exporter', "--extend.query-path=$monitoring/postgres_exporter.yaml",
		'--disable-default-metrics', '--disable-settings-metrics', "--web.listen-address=127.0.0.1:$exporter_port" ], '>&', \$said);

# An answer, as soon as there is one that fits.
sub get
{
	my ($url, $fits) = @_;
	my $answer;
	foreach (1 .. 600)
	{
		$answer = HTTP::Tiny->new(timeout => 60)->get($url);
		return $answer->{content} if $answer->{success} && $answer->{content} =~ $fits;
		Time::HiRes::sleep(0.1);
	}
	diag("$url: $answer->{status} " . substr($answer->{content}, 0, 2000));
	return '';
}

my $scraped = get("http://127.0.0.1:$exporter_port/metrics", qr/order_ext_verify_errors/);
like($scraped, qr/^order_ext_verify_errors\{.*\} 0$/m, 'the exporter tells that no invariant is broken');
like($scraped, qr/^order_ext_verify_held_payments\{.*\} 1$/m, 'that a capture is held');
like($scraped, qr/^order_ext_group_dead\{consumer_group="unlucky",.*\} 1$/m, 'and that a message is dead');
unlike($said, qr/level=error/, 'no query has failed') or diag($said);

(my $config = slurp_file("$monitoring/prometheus.yml")) =~ s/127\.0\.0\.1:9187/127.0.0.1:$exporter_port/;
$config =~ s/15s/1s/g;
$config =~ s/alerts\.yml/$monitoring\/alerts.yml/;
append_to_file("$build/prometheus.yml", $config);
my $prometheus = IPC::Run::start([ 'prometheus', "--config.file=$build/prometheus.yml", "--storage.tsdb.path=$build/data",
		"--web.listen-address=127.0.0.1:$prometheus_port" ], '>&', \$prometheus_said);

sub query
{
	my ($expr, $fits) = @_;
	(my $escaped = $expr) =~ s/([^A-Za-z0-9_])/sprintf '%%%02X', ord $1/ge;
	return decode_json(get("http://127.0.0.1:$prometheus_port/api/v1/query?query=$escaped", $fits) || '{}');
}
is(query('order_ext_group_dead{consumer_group="unlucky"}', qr/"result":\[\{/)->{data}{result}[0]{value}[1], 1, 'Prometheus knows it, too');

my $dashboard = decode_json(slurp_file("$monitoring/grafana.json"));
my %text = map { $_ => 1 } map { $_->{title} } @{ $dashboard->{panels} };
cmp_ok(scalar keys %text, '>', 15, 'the dashboard has panels, of names of their own');
foreach my $panel (@{ $dashboard->{panels} })
{
	foreach my $target (@{ $panel->{targets} })
	{
		(my $expr = $target->{expr}) =~ s/\$\w+/.*/g;
		# a rate wants two samples
		cmp_ok(scalar @{ query($expr, qr/"result":\[\{/)->{data}{result} // [] }, '>', 0, "$panel->{title}: $expr");
	}
}
like(get("http://127.0.0.1:$prometheus_port/api/v1/alerts", qr/OrderExtDeadLetters/), qr/"consumer_group":"unlucky"/, 'an alert names the group');

$_->kill_kill foreach $prometheus, $exporter;
check_log($node);
$node->stop;
done_testing();
