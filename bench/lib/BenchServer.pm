# The cluster of a run: SQL, clients, pollers, and what the server used of processor and WAL.
package BenchServer;

use strict;
use warnings;

use Exporter 'import';
use POSIX ();
use Time::HiRes qw(sleep time);

our @EXPORT = qw(opt env database psql sql sql_file script background wait_for pgbench poll stop_polls cpu
	measured waldump wal_of settle say median);

sub env { return $ENV{"BENCH_$_[0]"} // die "BENCH_$_[0] is not set: use bench/run\n"; }
sub opt { return env(uc $_[0]); }

sub say { printf "%s\n", join ' ', @_; return; }

# Each side has a database; search_path leads to its calls, then to its tables.
my %database = (order_ext => 'order_ext', floor => 'order_ext', plpgsql => 'peer', skip_locked => 'peer',
	select1 => 'none');
my %path = (order_ext => 'order_ext,order_ext_internal', peer => 'peer');

sub database { return $database{ $_[0] } // $_[0]; }

sub connection
{
	my ($side) = @_;

	return ('-X', '-h', env('DIR'), '-p', opt('port'), '-U', 'postgres', '-d', database($side));
}

sub with_path
{
	my ($side, %settings) = @_;

	$settings{search_path} = $path{ database($side) } // 'public';
	$settings{client_min_messages} = 'warning';
	return join ' ', map { "-c $_=$settings{$_}" } sort keys %settings;
}

# The output of a command, or an error with it.
sub output
{
	my (@command) = @_;

	open(my $out, '-|', @command) or die "$command[0]: $!\n";
	my $text = do { local $/; <$out> } // '';
	close($out) or die "failed: @command\n$text\n";
	return $text;
}

# psql(SIDE, {SETTING => VALUE}, ARGUMENT...): unaligned output without its last newline
sub psql
{
	my ($side, $settings, @arguments) = @_;

	local $ENV{PGOPTIONS} = with_path($side, %$settings);
	my $text = output(env('BINDIR') . '/psql', connection($side), '-qAt', '-v', 'ON_ERROR_STOP=1', @arguments);
	chomp $text;
	return $text;
}

sub sql
{
	my ($side, @statements) = @_;

	return psql($side, {}, map { ('-c', $_) } @statements);
}

# sql_file(NAME, STATEMENT...): a file of more statements than a command can have arguments
sub sql_file
{
	my ($name, @statements) = @_;
	my $file = env('WORK') . "/$name.sql";

	open(my $out, '>', $file) or die "$file: $!\n";
	print $out map { "$_;\n" } @statements;
	close($out) or die "$file: $!\n";
	return $file;
}

# script(SIDE, FILE, SETTING => VALUE...): a file of bench/
sub script
{
	my ($side, $file, %settings) = @_;

	return psql($side, \%settings, '-f', env('ROOT') . "/bench/$file");
}

# background(CODE): runs it in a process of its own; wait_for() dies if it failed
sub background
{
	my ($code) = @_;

	my $pid = fork() // die "fork: $!\n";
	return $pid if $pid;
	my $ok = eval { $code->(); 1 };
	print STDERR $@ if !$ok;
	POSIX::_exit($ok ? 0 : 1);
}

sub wait_for
{
	my (@pids) = @_;
	my $failed = 0;

	foreach my $pid (@pids)
	{
		waitpid($pid, 0);
		$failed ||= $?;
	}
	die "a client failed\n" if $failed;
	return;
}

sub pgbench_command
{
	my ($side, $file, @arguments) = @_;

	my @connection = connection($side);
	splice @connection, 0, 1;           # pgbench has no -X
	my $database = pop @connection;
	pop @connection;
	return (env('BINDIR') . '/pgbench', '-n', '-M', 'prepared', @connection, '-f', $file, @arguments, $database);
}

# pgbench(SIDE, FILE, {NAME => VALUE}, CLIENTS): runs for the seconds of a round, or the transactions
# of a tiny one; the number of transactions
sub pgbench
{
	my ($side, $file, $variables, $clients, @length) = @_;

	$file = env('ROOT') . "/bench/$file" if $file !~ m{^/};
	@length = opt('transactions') > 0 ? ('-t', opt('transactions')) : ('-T', opt('seconds')) if !@length;
	local $ENV{PGOPTIONS} = with_path($side);
	my $text = output('sh', '-c', 'exec "$@" 2>&1', 'sh',
		pgbench_command($side, $file, '-c', $clients, '-j', $clients < 2 ? 1 : 2, @length,
			map { ('-D', "$_=$variables->{$_}") } sort keys %$variables));
	my ($done) = $text =~ m{actually processed: (\d+)};
	my ($ms) = $text =~ m{latency average = ([\d.]+) ms};
	die "pgbench failed on $side:\n$text\n" if !$done || $text =~ /aborted/;
	return wantarray ? ($done, $ms) : $done;
}

# ---- clients that poll while something is measured

my @polls;

sub spawn
{
	my ($log, @command) = @_;

	my $pid = fork() // die "fork: $!\n";
	if (!$pid)
	{
		open(STDOUT, '>', $log) or POSIX::_exit(1);
		open(STDERR, '>&', \*STDOUT) or POSIX::_exit(1);
		exec { $command[0] } @command or POSIX::_exit(1);
	}
	push @polls, $pid;
	return $pid;
}

# poll(SIDE, FILE): a pgbench that repeats the script until stop_polls(); or, where FILE ends in
# .mjs, that program of Node.js, once it says that it is ready
my $polled = 0;

sub poll
{
	my ($side, $file, %environment) = @_;
	my $log = env('WORK') . '/poll.' . ++$polled;

	if ($file =~ /\.mjs$/)
	{
		local %ENV = (%ENV, %environment);
		$ENV{BENCH_URL} = 'postgres://postgres@localhost/' . database($side) . '?host=' . env('DIR') . '&port=' . opt('port');
		my $pid = spawn($log, 'node', env('NODE_PATH') . "/$side/$file");
		for (my $i = 0;; $i++)
		{
			my $text = '';
			if (open(my $in, '<', $log)) { $text = join('', <$in>) }
			last if $text =~ /^ready/m;
			die "$side does not start:\n$text\n" if $i > 600 || waitpid($pid, POSIX::WNOHANG()) == $pid;
			sleep 0.05;
		}
		return;
	}
	local $ENV{PGOPTIONS} = with_path($side);
	spawn($log, pgbench_command($side, env('ROOT') . "/bench/$file", '-c', 1, '-T', 86400));
	return;
}

sub stop_polls
{
	kill 'TERM', @polls;
	foreach my $pid (@polls)
	{
		for (my $i = 0; waitpid($pid, POSIX::WNOHANG()) == 0; $i++)
		{
			kill 'KILL', $pid if $i == 100;
			sleep 0.02;
		}
	}
	@polls = ();
	return;
}

END { local $?; stop_polls() if @polls; }

# ---- what was used

# Processor seconds that the server's processes have used so far, and those of the pollers.
sub cpu
{
	open(my $in, '<', env('DIR') . '/data/postmaster.pid') or die "no postmaster.pid: $!\n";
	my $postmaster = <$in> + 0;
	my %polls = map { $_ => 1 } @polls;
	my ($ticks, $clients) = (0, 0);

	foreach my $file (glob '/proc/[0-9]*/stat')
	{
		open(my $stat, '<', $file) or next;
		my ($pid, $rest) = (<$stat> // '') =~ /^(\d+) \(.*\) (.*)/s or next;
		my @fields = split ' ', $rest;    # the state comes first, then the parent
		$ticks += $fields[13] + $fields[14] if $pid == $postmaster;    # its finished children
		$ticks += $fields[11] + $fields[12] if $pid == $postmaster || $fields[1] == $postmaster;
		$clients += $fields[11] + $fields[12] if $polls{$pid};
	}
	my $hz = POSIX::sysconf(POSIX::_SC_CLK_TCK());
	return wantarray ? ($ticks / $hz, $clients / $hz) : $ticks / $hz;
}

# measured(SIDE, CODE): what CODE returned (units, seconds and whatever else), with the processor
# time, the WAL and the commits while it ran
sub measured
{
	my ($side, $code) = @_;
	my ($used, $clients) = cpu();
	my $lsn = sql($side, 'SELECT pg_current_wal_insert_lsn()');
	my $started = time;

	my %figures = $code->();
	$figures{seconds} //= time - $started;
	my ($used_now, $clients_now) = cpu();
	$figures{from} = $lsn;
	# A commit of its own writes everything up to there.
	($figures{to}) = split /\n/, sql($side, 'SELECT pg_current_wal_insert_lsn()', "SELECT pg_logical_emit_message(true, 'bench', '')");
	$figures{cpu_us} = ($used_now - $used) / $figures{units} * 1e6 if $figures{units};
	$figures{poller_cpu_us} = ($clients_now - $clients) / $figures{units} * 1e6
		if $figures{units} && $clients_now > $clients;
	return %figures;
}

# waldump(FROM, TO, ARGUMENT...): the command. It is told the first and the last file, or it would look at
# any of them for the size of all, and one that is only prepared does not have it.
sub waldump
{
	my ($from, $to, @arguments) = @_;
	my @files = split /\|/, sql('postgres', "SELECT pg_walfile_name('$from'::pg_lsn + 1), pg_walfile_name('$to')");

	return (env('BINDIR') . '/pg_waldump', '-p', env('DIR') . '/data/pg_wal', '-s', $from, '-e', $to, @arguments, @files);
}

# wal_of(FROM, TO): bytes without full-page images, bytes of these, and the number of commits
sub wal_of
{
	my ($from, $to) = @_;

	return (bytes => 0, images => 0, commits => 0)
		if sql('postgres', "SELECT '$from'::pg_lsn >= '$to'") eq 't';
	my $text = output('sh', '-c', 'exec "$@" 2>&1', 'sh', waldump($from, $to, '--stats=record'));
	my %wal = (commits => 0);
	foreach (split /\n/, $text)
	{
		$wal{commits} += $1 if m{^Transaction/COMMIT\s+(\d+)};
		@wal{qw(bytes images)} = ($1, $2) if m{^Total\s+\d+\s+(\d+) \[.*?\]\s+(\d+)};
	}
	defined $wal{bytes} or die "pg_waldump: $text\n";
	return %wal;
}

# Before a measurement: statistics, no dirty pages.
sub settle
{
	my ($side) = @_;

	sql($side, 'VACUUM ANALYZE', 'CHECKPOINT') if opt('warm');
	return;
}

sub median
{
	my @sorted = sort { $a <=> $b } @_;
	my $half = int(@sorted / 2);

	return if !@sorted;
	return @sorted % 2 ? $sorted[$half] : ($sorted[ $half - 1 ] + $sorted[$half]) / 2;
}

1;
