# The sides of the comparison: how each is set up, who does its work, and whether it is there.
package BenchSides;

use strict;
use warnings;

use BenchServer;
use Exporter 'import';
use Time::HiRes qw(sleep);

our @EXPORT = qw(find_sides there set_up work_on skipped versions without_images dispatchers);

my (%there, @skipped, %version);

sub there { my ($side) = @_; return $there{$side}; }
sub skipped { return @skipped; }
sub versions { return %version; }

sub skip
{
	my ($side, $why) = @_;

	push @skipped, { side => $side, why => $why };
	say "skipped: $side ($why)";
	return;
}

# Which of the sides that were asked for there are.
sub find_sides
{
	my %wanted = map { $_ => 1 } split /,/, opt('sides')
		|| 'order_ext,plpgsql,skip_locked,pgq,graphile,pgboss,none,select1,floor';

	$there{$_} = 1 foreach grep { $wanted{$_} } qw(order_ext plpgsql skip_locked none select1);
	$there{floor} = $wanted{floor} && $wanted{order_ext};
	$version{order_ext} = sql('postgres', "SELECT default_version FROM pg_available_extensions WHERE name = 'order_ext'");
	if ($wanted{pgq})
	{
		$version{pgq} = sql('postgres', "SELECT default_version FROM pg_available_extensions WHERE name = 'pgq'");
		if ($version{pgq}) { $there{pgq} = 1; }
		else { skip('pgq', 'the extension pgq is not installed: Debian has it as postgresql-15-pgq3'); }
	}
	open(my $npm, '<', env('NPM')) or die "no list of the queues from npm: $!\n";
	while (<$npm>)
	{
		chomp;
		my ($side, $package, $why) = /^(\S+) (\S+)(?: (.*))?$/ or next;
		next if !$wanted{$side};
		if ($package eq '-') { skip($side, $why =~ s/^- //r); }
		else { $there{$side} = 1; $version{$side} = $package; }
	}
	return;
}

# Makes the databases.
sub set_up
{
	my %made;

	foreach my $side (qw(order_ext plpgsql skip_locked pgq graphile pgboss none))
	{
		next if !$there{$side} && $side ne 'none';
		my $database = database($side);
		sql('postgres', "CREATE DATABASE $database") if !$made{$database}++;
	}
	script($_, 'target.sql') foreach grep { $there{$_} || $_ eq 'none' } qw(order_ext pgq graphile pgboss none);
	script('plpgsql', 'target.sql') if $made{peer};
	if ($there{order_ext})
	{
		sql('order_ext', 'CREATE EXTENSION order_ext');
		script('order_ext', $_) foreach qw(setup.sql order_ext/setup.sql queues/order_ext.sql);
	}
	if ($made{peer})
	{
		script('plpgsql', $_) foreach map { "peer/$_.sql" } qw(schema orders consumers setup);
		script('plpgsql', 'setup.sql');
		script('skip_locked', 'queues/skip_locked.sql');
	}
	script('pgq', 'queues/pgq.sql') if $there{pgq};
	foreach my $side (grep { $there{$_} } qw(graphile pgboss))
	{
		eval {
			poll($side, "$side.mjs", BENCH_SETUP => 1);    # makes its tables
			stop_polls();
			script($side, "queues/$side.sql");
			1;
		} or do {
			stop_polls();
			$there{$side} = 0;
			skip($side, $@ =~ s/\n.*//sr);
		};
	}
	return;
}

# work_on(SIDE, KIND): starts who does the side's work of that kind; stop_polls() ends them. order_ext
# has its workers.
sub work_on
{
	my ($side, $kind, $workers) = @_;

	foreach (1 .. $workers // 1)
	{
		if ($side eq 'plpgsql')
		{
			poll($side, 'peer/worker.pgbench');
			poll($side, 'peer/sweep.pgbench') if $kind eq 'expiry';
		}
		elsif ($side eq 'skip_locked' || $side eq 'pgq') { poll($side, "queues/${side}_$kind.pgbench"); }
		elsif ($side eq 'graphile') { poll($side, 'graphile.mjs', BENCH_LOCAL_QUEUE => $kind eq 'effect' ? 0 : 1); }
		elsif ($side eq 'pgboss') { poll($side, 'pgboss.mjs'); }
	}
	return;
}

# Full-page images depend on when the last checkpoint was; off, WAL is what the work itself takes.
sub without_images
{
	my ($code) = @_;

	sql('postgres', 'ALTER SYSTEM SET full_page_writes = off', 'SELECT pg_reload_conf()');
	sleep 0.2;
	my @result = eval { $code->() };
	my $error = $@;
	sql('postgres', 'ALTER SYSTEM RESET full_page_writes', 'SELECT pg_reload_conf()');
	die $error if $error;
	return @result;
}

# dispatchers(N): so many of order_ext's workers deliver
sub dispatchers
{
	my ($n) = @_;

	return if !$there{order_ext};
	sql('order_ext', "ALTER DATABASE order_ext SET order_ext.workers = $n");
	foreach (1 .. 300)
	{
		return if sql('order_ext', "SELECT count(*) FROM order_ext.worker_stats WHERE database = current_database()
			AND kind = 'dispatcher' AND role = 'bench_handlers'") == $n;
		sleep 0.1;
	}
	die "there are not $n dispatchers\n";
}

1;
