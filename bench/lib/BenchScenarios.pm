# The scenarios: each yields figures of its metrics for every side that takes part, in rounds that go
# over the sides in turn.
package BenchScenarios;

use strict;
use warnings;

use BenchFloor;
use BenchMetrics;
use BenchServer;
use BenchSides;
use Exporter 'import';
use POSIX qw(:sys_wait_h);
use Time::HiRes qw(sleep time);

our @EXPORT = qw(run_scenarios);

sub rounds { return 1 .. opt('rounds'); }

# in_turn(ROUND, CODE, SIDE...): CODE is called for each side that there is; what it returns are the
# figures of measured(), kept under the metric
sub in_turn
{
	my ($metric, $round, $code, @sides) = @_;

	foreach my $side (grep { there($_) } @sides)
	{
		my %figures = $code->($side);
		stop_polls();
		record($metric, $round, $side, %figures);
	}
	return;
}

# As in_turn; after order_ext comes what its rows cost at least.
sub with_floor
{
	my ($metric, $round, $clients, $code, @sides) = @_;

	foreach my $side ('order_ext', grep { $_ ne 'order_ext' } @sides)
	{
		next if !there($side);
		my $learns = $side eq 'order_ext' && there('floor');
		my $before;
		my %figures = $code->($side, sub { $before = floor_begin() if $learns; });
		stop_polls();
		record($metric, $round, $side, %figures);
		next if !$learns;
		my $floor = floor_learn($before, @figures{qw(from to)}, $clients);
		my %least = floor_run($floor, $figures{units});
		record($metric, $round, 'floor', %least, $figures{value} ? (value => $least{wal_bytes}) : ());
	}
	return;
}

# ---- orders

# lives(SIDE, SCRIPT, CLIENTS): until what the messages ask for is done
sub lives
{
	my ($side, $file, $clients, $begin, @length) = @_;
	my $per_client = opt('seconds') * 100;
	my $first = sql($side, "SELECT min(c) FROM (SELECT issue_coupon(1 + n % 100000, 500) AS c
		FROM generate_series(0, $clients * $per_client - 1) AS n) AS issued");
	settle($side);
	work_on($side, 'lives');
	$begin->();
	return measured($side, sub {
		my $started = time;
		my $done = pgbench($side, $file, { used => 0, coupons => $first, per_client => $per_client }, $clients, @length);
		script($side, (database($side) eq 'peer' ? 'peer' : 'order_ext') . '/drained.sql');
		return (units => $done, seconds => time - $started);
	});
}

sub scenario_lives
{
	my ($suffix) = @_;

	foreach my $round (rounds())
	{
		with_floor("lives$suffix", $round, opt('clients'),
			sub { my ($side, $begin) = @_; return lives($side, 'lives.pgbench', opt('clients'), $begin); }, 'plpgsql');
	}
	return;
}

# Orders of one product and of a thousand, whose ratio counts; then with eight times the clients.
sub flash
{
	my ($side, $products, $clients, $begin) = @_;

	settle($side);
	work_on($side, 'lives');
	$begin->();
	my %figures = measured($side, sub {
		my $started = time;
		return (units => scalar pgbench($side, 'flash.pgbench', { products => $products }, $clients), seconds => time - $started);
	});
	script($side, (database($side) eq 'peer' ? 'peer' : 'order_ext') . '/drained.sql');
	return %figures;
}

sub scenario_flash
{
	foreach my $round (rounds())
	{
		foreach ([ '', opt('clients') ], [ '_crowd', 8 * opt('clients') ])
		{
			my ($suffix, $clients) = @$_;
			with_floor("orders_many$suffix", $round, $clients, sub { return flash($_[0], 1000, $clients, $_[1]); }, 'plpgsql');
			with_floor("orders_one$suffix", $round, $clients, sub { return flash($_[0], 1, $clients, $_[1]); }, 'plpgsql');
			derive("flash$suffix", $round, "orders_one$suffix", "orders_many$suffix");
		}
	}
	return;
}

# make_due(SIDE, FILE, COUNT, SETTING => ...): the script makes so many things that are all due at one
# moment, after they are there, and waits until shortly before it, so that what else happens until then is
# not measured. How long making them takes on this machine, and now, a few of them tell.
sub make_due
{
	my ($side, $file, $count, %settings) = @_;
	my $some = $count < 200 ? $count : 200;
	my $started = time;
	my $make = sub {
		my ($n, $due) = @_;
		return script($side, $file, %settings, synchronous_commit => 'off', 'bench.count' => $n, 'bench.due' => $due);
	};

	$make->($some, time + 7200);
	my $margin = 0.5 + 2 * (time - $started) * $count / $some;
	$margin = 0.5 + (time - $started) * 2 if $count <= $some;
	my $due;
	for (my $try = 1; !eval { $make->($count, $due = time + $margin); 1 }; $try++)
	{
		die $@ if $try == 4;
		$margin *= 2;
		sleep 1;
	}
	sleep $due - time - 0.3 if $due - time > 0.3;
	return;
}

sub scenario_expiry
{
	my ($suffix) = @_;

	foreach my $round (rounds())
	{
		foreach my $side (grep { there($_) } qw(order_ext plpgsql))
		{
			expire($side, "expiry$suffix", $round);
		}
	}
	return;
}

# The orders are made first; what is measured and what the floor writes again is only what comes
# after they are due.
sub expire
{
	my ($side, $metric, $round) = @_;

	settle($side);
	work_on($side, 'expiry');
	make_due($side, 'expire_make.sql', opt('expire'));
	my $learns = $side eq 'order_ext' && there('floor');
	my $before = $learns ? floor_begin() : undef;
	my %figures = measured($side, sub { return (units => opt('expire'), seconds => script($side, 'expire.sql')); });
	stop_polls();
	record($metric, $round, $side, %figures);
	record($metric, $round, 'floor', floor_run(floor_learn($before, @figures{qw(from to)}, 1), $figures{units})) if $learns;
	return;
}

# ---- messages

my @queues = qw(order_ext skip_locked pgq graphile pgboss);

# A transaction with an update of a row, and a message in it.
sub publisher
{
	my ($side, $update) = @_;
	my $file = env('WORK') . "/publish_$side.pgbench";
	my $statement = '';

	if (open(my $in, '<', env('ROOT') . "/bench/publish/$side.pgbench")) { $statement = join '', <$in>; }
	$update = $update ? "UPDATE public.target SET hits = hits + 1 WHERE id = :id;\n" : '';
	open(my $out, '>', $file) or die "$file: $!\n";
	print $out "\\set id random(1, 20000)\nBEGIN;\n$update${statement}COMMIT;\n";
	close($out);
	return $file;
}

sub scenario_publish
{
	foreach my $round (rounds())
	{
		with_floor('publish', $round, 4, sub {
			my ($side, $begin) = @_;
			my $file = publisher($side, 1);
			settle($side);
			$begin->();
			return measured($side, sub {
				my $started = time;
				return (units => scalar pgbench($side, $file, {}, 4), seconds => time - $started);
			});
		}, qw(none select1), @queues);
		derive_from_side('publish_ratio', $round, 'publish', 'none');
	}
	return;
}

# Bytes of WAL: of a transaction with a message and nothing else; of an order's life.
sub scenario_wal
{
	my $n = opt('transactions') || 250 * opt('seconds');
	my $lives = opt('transactions') || 60 * opt('seconds');

	without_images(sub {
		foreach my $round (rounds())
		{
			with_floor('wal_message', $round, 1, sub {
				my ($side, $begin) = @_;
				my $file = publisher($side, 0);
				$begin->();
				my %figures = measured($side, sub { return (units => scalar pgbench($side, $file, {}, 1, '-t', $n)); });
				my %wal = wal_of(@figures{qw(from to)});
				return (%figures, value => $wal{bytes} / $figures{units});
			}, @queues);
			with_floor('wal_life', $round, 1, sub {
				my ($side, $begin) = @_;
				my %figures = lives($side, 'life.pgbench', 1, $begin, '-t', $lives);
				my %wal = wal_of(@figures{qw(from to)});
				return (%figures, value => $wal{bytes} / $figures{units});
			}, 'plpgsql');
		}
	});
	return;
}

sub messages_for { my ($side) = @_; return $side =~ /graphile|pgboss/ ? int(opt('messages') / 10) : opt('messages'); }

# What is measured begins when the messages are there, with their commit.
sub drain
{
	my ($side, $kind, $workers, $begin) = @_;
	my $n = messages_for($side);
	my $go = env('DIR') . '/data/bench.go';

	work_on($side, $kind, $workers);
	sql($side, 'UPDATE public.target SET hits = 0', 'VACUUM public.target', "SELECT public.publish_many('$kind', 50)");
	script($side, 'drained_target.sql', 'bench.messages' => 50);    # everything is awake
	sql($side, 'UPDATE public.target SET hits = 0');
	my $publisher = background(sub { script($side, 'drain.sql', 'bench.messages' => $n, 'bench.topic' => $kind); });
	while (sql($side, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 4711 AND granted") eq '0')
	{
		die "the messages are not published\n" if waitpid($publisher, WNOHANG) != 0;
		sleep 0.02;
	}
	settle($side);
	$begin->();
	my %figures = measured($side, sub {
		open(my $file, '>', $go) or die "$go: $!\n";
		close($file);
		wait_for($publisher);
		return (units => $n, seconds => sql($side, 'DELETE FROM public.figures RETURNING seconds'));
	});
	unlink $go;
	return %figures;
}

sub scenario_drain
{
	foreach my $round (rounds())
	{
		# Changing the number of workers takes seconds: 1 2, 2 1, ...
		foreach my $workers ($round % 2 ? (1, 2) : (2, 1))
		{
			dispatchers($workers);
			foreach my $kind (qw(each set))
			{
				if ($workers == 1)
				{
					with_floor("drain_$kind", $round, 1, sub { return drain($_[0], $kind, 1, $_[1]); },
						$kind eq 'set' ? qw(skip_locked pgq pgboss) : qw(skip_locked pgq graphile pgboss));
				}
				else
				{
					in_turn("drain_two_$kind", $round, sub { return drain($_[0], $kind, 2, sub { }); },
						qw(order_ext skip_locked));
				}
			}
		}
		derive("two_$_", $round, "drain_two_$_", "drain_$_") foreach qw(each set);
	}
	dispatchers(1);
	return;
}

# Time from a commit to the message's effect, 500 a second by four clients.
sub scenario_latency
{
	my $count = opt('transactions') || 125 * opt('seconds');

	foreach my $round (rounds())
	{
		foreach my $side (grep { there($_) } @queues)
		{
			settle($side);
			work_on($side, 'effect');
			sql($side, 'TRUNCATE public.sent, public.effects');
			my ($p50, $p99);
			my %figures = measured($side, sub {
				wait_for(map {
					my $first = $_ * 10_000_000;
					background(sub { script($side, 'latency.sql', 'bench.first' => $first, 'bench.count' => $count, 'bench.rate' => 125); });
				} 0 .. 3);
				(my $n, $p50, $p99) = split /\|/, script($side, 'effects.sql');
				return (units => $n);
			});
			stop_polls();
			record('latency_p50', $round, $side, %figures, value => $p50);
			record('latency_p99', $round, $side, %figures, value => $p99);
		}
	}
	return;
}

# ---- timers

sub scenario_timers
{
	my @timers = qw(order_ext skip_locked graphile pgboss);
	my $count = opt('transactions') || 125 * opt('seconds');

	# Pending ones first: they stay, a day ahead.
	foreach my $side (grep { there($_) } qw(order_ext skip_locked))
	{
		sql($side, "SELECT public.publish_many('count', " . opt('pending') . ", now() + interval '1 day')");
	}
	foreach my $round (rounds())
	{
		with_floor('timers_due', $round, 1, sub {
			my ($side, $begin) = @_;
			my $n = $side =~ /graphile|pgboss/ ? int(opt('timers') / 10) : opt('timers');
			settle($side);
			work_on($side, 'due');
			make_due($side, 'due_make.sql', $n);
			sql($side, 'TRUNCATE public.batches');
			$begin->();
			return measured($side, sub { return (units => $n, seconds => script($side, 'due.sql', 'bench.count' => $n)); });
		}, @timers);
		foreach my $side (grep { there($_) } @timers)
		{
			settle($side);
			work_on($side, $side eq 'skip_locked' ? 'due' : 'effect');
			sql($side, 'TRUNCATE public.sent, public.effects');
			my ($p50, $p99);
			my %figures = measured($side, sub {
				sql($side, "INSERT INTO public.sent SELECT i, clock_timestamp() + interval '1 second' + i * interval '10 milliseconds'
					FROM generate_series(1, $count) AS i", "SELECT count(*) FROM (SELECT public.publish_one('effect', n, at) FROM public.sent) AS p");
				(my $n, $p50, $p99) = split /\|/, script($side, 'effects.sql');
				return (units => $n);
			});
			stop_polls();
			record('late_p50', $round, $side, %figures, value => $p50);
			record('late_p99', $round, $side, %figures, value => $p99);
		}
	}
	return;
}

# ---- what monitors read

# milliseconds(SIDE, STATEMENT): of one call, in a session that has called it before
sub milliseconds
{
	my ($side, $statement) = @_;
	my $file = env('WORK') . '/read.pgbench';

	open(my $out, '>', $file) or die "$file: $!\n";
	print $out "$statement;\n";
	close($out);
	return measured($side, sub {
		my ($done, $ms) = pgbench($side, $file, {}, 1, '-t', opt('transactions') || 20);
		return (units => $done, value => $ms);
	});
}

sub scenario_monitor
{
	my %of = (
		metrics => { order_ext => 'SELECT length(order_ext.metrics())' },
		consumer_stats => {
			order_ext => 'SELECT count(*), sum(lag) FROM order_ext.consumer_stats',
			skip_locked => 'SELECT topic, count(*), min(created_at) FROM peer.outbox GROUP BY topic',
			pgq => 'SELECT queue_name, pending_events, lag FROM pgq.get_consumer_info()',
		});

	sql('order_ext', "SELECT order_ext.subscribe('bench.waiting', 'bench.idle', 'public.count_set(order_ext.message[])',
		'{\"run_as\": \"bench_handlers\"}')", "SELECT order_ext.pause('bench.waiting')") if there('order_ext');
	foreach my $side (grep { there($_) } qw(order_ext skip_locked pgq))
	{
		sql($side, "SELECT public.publish_many('idle', " . opt('backlog') . ')');
		sql($side, "SELECT pgq.ticker('idle')") if $side eq 'pgq';
		settle($side);
	}
	foreach my $round (rounds())
	{
		foreach my $metric (sort keys %of)
		{
			in_turn($metric, $round, sub { return milliseconds($_[0], $of{$metric}{ $_[0] }); }, sort keys %{ $of{$metric} });
		}
	}
	sql('order_ext', "SELECT order_ext.unsubscribe('bench.waiting')") if there('order_ext');
	sql('skip_locked', "DELETE FROM peer.outbox WHERE topic = 'bench.idle'", 'VACUUM peer.outbox') if there('skip_locked');
	return;
}

# verify() of all and of what is new; the floor of the full one is to read every table once.
sub scenario_verify
{
	my ($suffix) = @_;
	return if !there('order_ext');
	my $orders = sql('order_ext', 'SELECT count(*) FROM order_ext.orders_view');
	my $read = sql('order_ext', "SELECT string_agg(format('SELECT count(*) FROM %s AS t WHERE t IS NULL', c.oid::regclass), ' UNION ALL ')
		FROM pg_class AS c WHERE relkind = 'r' AND relnamespace = 'order_ext_internal'::regnamespace");

	foreach my $round (rounds())
	{
		my $check = sub {
			my ($scope) = @_;
			my $started = time;
			my $errors = sql('order_ext', "SELECT * FROM order_ext.verify(scope => '$scope') WHERE severity = 'error' LIMIT 10");
			die "verify() found errors:\n$errors\n" if $errors ne '';
			return (units => $orders, seconds => time - $started);
		};
		settle('order_ext');
		record("verify_full$suffix", $round, 'order_ext', measured('order_ext', sub { return $check->('full'); }));
		record("verify_full$suffix", $round, 'floor', measured('floor', sub {
			my $started = time;
			sql('floor', $read);
			return (units => $orders, seconds => time - $started);
		})) if there('floor');
		sql('order_ext', 'SELECT order_ext.maintain()');
		my %recent = measured('order_ext', sub { return $check->('recent'); });
		record("verify_recent$suffix", $round, 'order_ext', %recent, value => $recent{seconds} * 1000);
	}
	return;
}

# ---- with many orders present

sub scenario_present
{
	my $load = opt('load');

	return if !$load;
	say "loading $load orders";
	wait_for(map {
		my $side = $_;
		background(sub { script($side, (database($side) eq 'peer' ? 'peer' : 'order_ext') . '/load.sql', 'bench.load' => $load); });
	} grep { there($_) } qw(order_ext plpgsql));
	scenario_lives('_present');
	scenario_expiry('_present');
	foreach my $round (rounds())
	{
		derive('lives_growth', $round, 'lives_present', 'lives');
	}
	scenario_verify('_present');
	return;
}

sub run_scenarios
{
	my @all = (
		[ lives => sub { scenario_lives(''); } ],
		[ flash => \&scenario_flash ],
		[ expiry => sub { scenario_expiry(''); } ],
		[ publish => \&scenario_publish ],
		[ wal => \&scenario_wal ],
		[ drain => \&scenario_drain ],
		[ latency => \&scenario_latency ],
		[ timers => \&scenario_timers ],
		[ monitor => \&scenario_monitor ],
		[ verify => sub { scenario_verify(''); } ],
		[ present => \&scenario_present ]);
	my %wanted = map { $_ => 1 } split(/,/, opt('scenarios')), opt('scenarios') ? () : map { $_->[0] } @all;

	foreach (@all)
	{
		my ($name, $code) = @$_;
		my $started = time;
		next if !delete $wanted{$name};
		say "\n== $name";
		$code->();
		say sprintf '(%.0f s)', time - $started;
	}
	die 'there is no scenario ' . join(', ', sort keys %wanted) . "\n" if %wanted;
	return;
}

1;
