# A volume that runs full: clients get 53100, the server goes on, and what was published is
# handled once there is room again. A server also starts where there is hardly any room. On
# file systems that write in place and on such that copy on write, as far as this machine can
# mount them (script/volumes.sh).
use strict;
use warnings;

use Errno qw(ENOSPC);
use FindBin;
use lib $FindBin::RealBin;
use OrderExtTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

my $volumes = $ENV{ORDER_EXT_VOLUMES} || '';
my @kinds = grep { $volumes ne '' && -d "$volumes/$_" } qw(tmpfs ext4 btrfs);

plan skip_all => 'no volumes: only root can mount them, for script/test tap' unless @kinds;

# Take all the room, but for so many kB. What is written is on the disk afterwards, as file
# systems that compress or put off what they do find more room otherwise.
sub fill
{
	my ($volume, $but_kb) = @_;
	my $reserve = "$volume/reserve";
	my $noise = join '', map { chr(int(rand(256))) } 1 .. 65536;

	append_to_file($reserve, substr($noise x 64, 0, $but_kb * 1024)) if $but_kb > 0;
	open my $filler, '>>', "$volume/filler" or die "$volume/filler: $!";
	foreach my $size (65536, 4096)
	{
		while (1)
		{
			my $written = syswrite $filler, $noise, $size;
			last if !defined $written || $written < $size;
		}
		system 'sync', '-f', $volume;
	}
	close $filler;
	unlink $reserve;
	return;
}

# Messages in a transaction until there is no room for more; the SQLSTATE that says so.
sub publish_until_refused
{
	my ($node) = @_;
	my ($rc, $out, $err);

	foreach my $try (1 .. 200)
	{
		($rc, $out, $err) = $node->psql('postgres',
			"SELECT count(order_ext.publish('t', k, jsonb_build_object('text', repeat(md5(k::text), 1000)))) FROM generate_series(1, 20) AS k",
			extra_params => [ '-v', 'VERBOSITY=verbose' ]);
		last if $rc != 0;
	}
	return $err =~ /ERROR:\s+(\w{5}):/ ? $1 : "no error: $err";
}

# Until a dispatcher has done something since the volume is full.
sub wait_dispatcher
{
	my ($node) = @_;
	my $deadline = time() + 30;

	while (time() < $deadline)
	{
		return 1 if slurp_file($node->logfile) =~ /order_ext dispatcher.*No space left/;
		return 1 if $node->safe_psql('postgres', 'SELECT count(*) > 100 FROM handled') eq 't';
		sleep 0.1;
	}
	return 0;
}

my $handled_all = "SELECT lag + retrying + dead FROM order_ext.consumer_stats WHERE consumer_group = 'g'";

foreach my $kind (@kinds)
{
	my $volume = "$volumes/$kind";
	my $node = PostgreSQL::Test::Cluster->new("full_$kind");

	# The log of transactions is elsewhere: without room for that, no server goes on.
	$node->{_basedir} = "$volume/node";
	mkdir $node->{_basedir};
	$node->init(extra => [ '--waldir', PostgreSQL::Test::Utils::tempdir() . '/wal' ]);
	configure($node, 'order_ext.max_payload = 65536');
	$node->start;
	$node->safe_psql('postgres', 'CREATE EXTENSION order_ext');
	create_handled($node, 'postgres');
	$node->safe_psql('postgres', "SELECT count(order_ext.publish('t', k)) FROM generate_series(1, 100) AS k");
	wait_sql($node, 'postgres', $handled_all, 0, 30, "$kind: messages are handled");
	my $started = $node->safe_psql('postgres', 'SELECT pg_postmaster_start_time()');

	# (No checkpoint: one that finds no room is the end of any server.)
	fill($volume, 0);
	$node->psql('postgres', "SELECT order_ext.publish('t', 1)");
	ok(wait_dispatcher($node), "$kind: a dispatcher handles a message, or is told that the disk is full");
	is(publish_until_refused($node), '53100', "$kind: and so is a client");
	is($node->safe_psql('postgres', 'SELECT pg_postmaster_start_time()'), $started, "$kind: the server goes on");
	unlink "$volume/filler";
	$node->safe_psql('postgres', "SELECT count(order_ext.publish('t', k)) FROM generate_series(1, 100) AS k");
	wait_sql($node, 'postgres', $handled_all, 0, 90, "$kind: with room again, messages are handled");
	is($node->safe_psql('postgres', 'SELECT count(*) - count(DISTINCT id) FROM handled'), '0', "$kind: each once");
	is($node->safe_psql('postgres', 'SELECT pg_postmaster_start_time()'), $started, "$kind: by the same server");

	# So many processes that what they run does not fit into the room that is left.
	$node->append_conf('postgresql.conf', 'max_connections = 3000');
	$node->stop;
	fill($volume, 68);
	is($node->start(fail_ok => 1), 1, "$kind: a server starts where there is hardly any room");
	is($node->safe_psql('postgres', 'SELECT 1'), '1', "$kind: and answers");
	unlink "$volume/filler";
	$node->safe_psql('postgres', "SELECT count(order_ext.publish('t', k)) FROM generate_series(1, 100) AS k");
	wait_sql($node, 'postgres', $handled_all, 0, 90, "$kind: with room again, messages are handled");
	verify_clean($node, 'postgres', "$kind: verify() finds no error");
	check_log($node, name => "$kind: nothing bad in the log");
	$node->stop;
}
done_testing();
