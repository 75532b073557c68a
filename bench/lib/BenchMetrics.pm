# What is measured, what is unfair about each comparison, and the figures of this run.
package BenchMetrics;

use strict;
use warnings;

use BenchServer;
use Exporter 'import';

our @EXPORT = qw(record derive derive_from_side results metrics);

my $rate = { unit => '1/s', better => 'more' };
my $ms = { unit => 'ms', better => 'less' };
my $ratio = { unit => 'ratio', better => 'more' };
my $bytes = { unit => 'bytes', better => 'less' };

my $less_to_do = 'The hand-written flow has no request keys, roles, timers (it sweeps), message history, attempt log, '
	. 'consumer groups, reservations by line, logs of payments and coupons, and nobody who puts orders on their way.';
my $queues = 'Handlers of graphile-worker and pg-boss are in another process (Node.js), as they are meant to be; what that '
	. 'takes is not in the server\'s processor time. PgQ\'s ticker runs in its worker, every few milliseconds; pgqd would tick '
	. 'each second. SKIP LOCKED polls every 5 ms, pg-boss every 500, the least that it accepts.';
my $tenth = 'graphile-worker and pg-boss get a tenth of the messages: their rates do not depend on that, but the run would.';
my $floor = 'The floor has neither constraints nor unique indexes, and begins with empty tables.';

my @metrics = (
	[ lives => 'order lives (create, pre-pay, callback, for 30 % cancel; until the last consumer is done)', $rate, "$less_to_do $floor" ],
	[ lives_present => '... with the loaded orders present', $rate, "$less_to_do $floor" ],
	[ lives_growth => '... against lives without them', $ratio, 'Nothing: each side is compared with itself.' ],
	[ orders_many => 'create_order, of 1000 products', $rate, $less_to_do ],
	[ orders_one => 'create_order, of one product', $rate, $less_to_do ],
	[ flash => 'flash sale: one product against 1000', $ratio, 'Nothing: each side is compared with itself.' ],
	[ orders_many_crowd => 'create_order, of 1000 products, 8 times the clients', $rate, $less_to_do ],
	[ orders_one_crowd => 'create_order, of one product, 8 times the clients', $rate, $less_to_do ],
	[ flash_crowd => 'flash sale, 8 times the clients', $ratio, 'Nothing: each side is compared with itself.' ],
	[ expiry => 'mass expiry, from the due moment until all stock is released', $rate, "$less_to_do $floor" ],
	[ expiry_present => '... with the loaded orders present', $rate, "$less_to_do $floor" ],
	[ publish => 'transaction of one UPDATE with a message in it', $rate,
		'none: without a message; select1: with SELECT 1 in its place, as a message is one more statement.' ],
	[ publish_ratio => '... against the same without', $ratio, 'As above.' ],
	[ wal_message => 'WAL of a transaction with a message only, full_page_writes off', $bytes,
		'PgQ has one index, by transaction only, and the key as extra1; the floor has the same commits.' ],
	[ wal_life => 'WAL of a life (two lines, paid, put on its way), full_page_writes off', $bytes, "$less_to_do $floor" ],
	[ drain_each => 'drain, handler per message', $rate, "$queues $tenth" ],
	[ drain_set => 'drain, handler per batch', $rate, "$queues $tenth graphile-worker has no batches. PgQ gets the whole transaction as one batch, and "
		. 'so updates each row once; the others get 500 messages at a time.' ],
	[ drain_two_each => 'drain, handler per message, two workers', $rate, 'Two workers, the session that waits and two processors.' ],
	[ two_each => '... against one worker', $ratio, 'As above.' ],
	[ drain_two_set => 'drain, handler per batch, two workers', $rate, 'Two workers, the session that waits and two processors.' ],
	[ two_set => '... against one worker', $ratio, 'As above.' ],
	[ latency_p50 => 'commit to effect at 500/s, median', $ms, $queues ],
	[ latency_p99 => 'commit to effect at 500/s, 99th percentile', $ms, $queues ],
	[ timers_due => 'timers due at one moment, until the last one\'s handler has committed', $rate,
		"$tenth The handler notes how many it got. PgQ has no timers. The SKIP LOCKED table is read by an index on the time." ],
	[ late_p50 => 'lateness of 100 timers a second, others pending, median', $ms,
		'graphile-worker and pg-boss have none pending. As above.' ],
	[ late_p99 => 'lateness of 100 timers a second, others pending, 99th percentile', $ms, 'As above.' ],
	[ metrics => 'metrics() with a backlog', $ms, 'Peers have nothing like it.' ],
	[ consumer_stats => 'consumer_stats with a backlog', $ms,
		'SKIP LOCKED: a count by topic. PgQ: get_consumer_info(), which knows what ticks say. Beyond 10,000 order_ext estimates.' ],
	[ verify_full => 'verify() of everything, orders per second', $rate, 'The floor reads each table once, and compares nothing.' ],
	[ verify_recent => 'verify() of what is new', $ms, 'Peers have nothing like it.' ],
	[ verify_full_present => '... of everything, with the loaded orders present', $rate, 'As above.' ],
	[ verify_recent_present => '... of what is new, with the loaded orders present', $ms, 'As above.' ]);
my %metric = map { my ($id, $title, $kind, $unfair) = @$_; $id => { id => $id, title => $title, %$kind, unfair => $unfair } } @metrics;

my (%figures, %order);    # {metric}{side}[round]

sub metrics { return @metric{ map { $_->[0] } @metrics }; }

# record(METRIC, ROUND, SIDE, FIGURE => ...): value is units per second where nothing else is given
sub record
{
	my ($id, $round, $side, %figures_of) = @_;

	die "there is no metric $id\n" if !$metric{$id};
	$figures_of{value} //= $figures_of{units} / $figures_of{seconds} if $figures_of{seconds};
	die "no figure of $id for $side\n" if !$figures_of{value} || $figures_of{value} !~ /\d/;
	delete @figures_of{qw(from to)};
	$_ += 0 foreach values %figures_of;
	$figures{$id}{$side}[ $round - 1 ] = \%figures_of;
	my $cpu = $figures_of{cpu_us} ? sprintf(', %.0f us of processor each', $figures_of{cpu_us}) : '';
	say sprintf 'round %d  %-22s %-12s %s%s', $round, $id, $side, number($figures_of{value}) . ' ' . $metric{$id}{unit}, $cpu;
	return;
}

sub number
{
	my ($n) = @_;

	return sprintf('%.0f', $n) if abs($n) >= 100;
	return sprintf(abs($n) >= 10 ? '%.1f' : '%.2f', $n);
}

# derive(METRIC, ROUND, OVER, UNDER): the ratio of two metrics, by side
sub derive
{
	my ($id, $round, $over, $under) = @_;

	foreach my $side (sort keys %{ $figures{$over} // {} })
	{
		my ($a, $b) = map { $figures{$_}{$side}[ $round - 1 ] } $over, $under;
		record($id, $round, $side, value => $a->{value} / $b->{value}) if $a && $b && $side ne 'floor';
	}
	return;
}

# derive_from_side(METRIC, ROUND, OF, SIDE): the ratio of every side to one of them
sub derive_from_side
{
	my ($id, $round, $of, $base) = @_;
	my $under = $figures{$of}{$base}[ $round - 1 ];

	foreach my $side (sort keys %{ $figures{$of} // {} })
	{
		my $over = $figures{$of}{$side}[ $round - 1 ];
		record($id, $round, $side, value => $over->{value} / $under->{value}) if $over && $under && $side !~ /^(?:\Q$base\E|floor)$/;
	}
	return;
}

sub summary
{
	my @values = grep { defined } @_;

	return { median => median(@values), least => (sort { $a <=> $b } @values)[0], greatest => (sort { $b <=> $a } @values)[0] };
}

# results(): for each metric that has figures: title, unit, better, unfair; for each side the rounds and
# their summary; how many times as good order_ext is as each other side, by rounds
sub results
{
	my @results;

	foreach my $m (metrics())
	{
		my $of = $figures{ $m->{id} } or next;
		my %sides;
		foreach my $side (keys %$of)
		{
			$sides{$side} = { rounds => $of->{$side}, value => summary(map { $_->{value} } grep { $_ } @{ $of->{$side} }) };
			my @cpu = grep { defined } map { $_->{cpu_us} } grep { $_ } @{ $of->{$side} };
			$sides{$side}{cpu_us} = summary(@cpu) if @cpu;
			next if $side eq 'order_ext' || !$of->{order_ext};
			my @ratios;
			foreach my $round (0 .. $#{ $of->{$side} })
			{
				my ($ours, $theirs) = map { $_->[$round] ? $_->[$round]{value} : undef } $of->{order_ext}, $of->{$side};
				push @ratios, $m->{better} eq 'more' ? $ours / $theirs : $theirs / $ours if $ours && $theirs;
			}
			$sides{$side}{order_ext_is} = summary(@ratios) if @ratios;
		}
		push @results, { %$m, sides => \%sides };
	}
	return @results;
}

1;
