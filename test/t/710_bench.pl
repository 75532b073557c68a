# The benchmark runs: every metric yields a figure of order_ext and of whatever else is there, and the
# result is well formed. The figures themselves say nothing at this size.
use strict;
use warnings;

use File::Basename;
use FindBin;
use JSON::PP;
use PostgreSQL::Test::Utils;
use Test::More;

my $top = $ENV{TESTDIR} || dirname(__FILE__) . '/../..';
my $out = PostgreSQL::Test::Utils::tempdir('bench');
$ENV{PG_CONFIG} ||= 'pg_config';

my ($stdout, $stderr) = run_command([ "$top/bench/run", '--tiny', '--no-build', '--no-npm', '--out', $out ]);
my ($file) = glob("$out/*.json");
ok($file, 'a run of the benchmark leaves its figures') or do {
	diag($stdout, $stderr);
	done_testing();
	exit;
};

my $run = eval { decode_json(slurp_file($file)) } || {};
is($@, '', 'they are JSON');
is(join(' ', grep { !$run->{$_} } qw(started finished machine commit options settings versions skipped metrics)),
	'', 'with what is to be known of the run');
ok(exists $run->{settings}{full_page_writes}, 'its settings are among that');
is(join(' ', sort map { $_->{side} } @{ $run->{skipped} }), $run->{versions}{pgq} ? 'graphile pgboss' : 'graphile pgboss pgq',
	'what was left out is said');

# Every metric of which the driver knows: order_ext has a figure, and each side one per round.
my $code = slurp_file("$top/bench/lib/BenchMetrics.pm");
my @metrics = $code =~ /^\t\[ (\w+) => '/mg;
cmp_ok(scalar @metrics, '>', 25, 'there are metrics');
my %of = map { $_->{id} => $_ } @{ $run->{metrics} };
my (@without, @odd);
foreach my $id (@metrics)
{
	my $sides = ($of{$id} // {})->{sides} // {};
	push @without, $id if !$sides->{order_ext};
	foreach my $side (sort keys %$sides)
	{
		my $value = $sides->{$side}{value};
		push @odd, "$id of $side"
			if @{ $sides->{$side}{rounds} } != 1 || !($value->{median} > 0) || $value->{least} > $value->{greatest}
			|| ($side ne 'order_ext' && !($sides->{$side}{order_ext_is}{median} > 0));
	}
}
is("@without", '', 'each has a figure of order_ext');
is("@odd", '', 'and every figure is one');
is(join(' ', grep { !$_->{unfair} || !$_->{unit} || $_->{better} !~ /^(?:more|less)$/ } @{ $run->{metrics} }),
	'', 'what they mean is said');
is(join(' ', grep { !$of{$_}{sides}{floor} } qw(lives orders_many orders_one expiry publish wal_life drain_each drain_set timers_due verify_full)),
	'', 'workloads have a floor');
is(join(' ', grep { !$of{$_}{sides}{plpgsql} && !$of{$_}{sides}{skip_locked} } qw(lives flash expiry publish wal_message drain_each latency_p50 timers_due)),
	'', 'and peers');

my ($table) = glob("$out/*.md");
like(slurp_file($table), qr/^\| order lives .*\| plpgsql \|/m, 'there is a table');
SKIP: {
	skip 'no gnuplot here', 1 if system('command -v gnuplot >/dev/null 2>&1') != 0;
	is(join(' ', map { slurp_file($_) =~ m{<svg.*</svg>}s ? 'svg' : $_ } glob("$out/*.svg")), 'svg svg', 'and plots');
}

done_testing();
