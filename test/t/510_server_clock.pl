# The clock is set, ahead and back, under timers, retries and leases: what falls due fires,
# once and never early by the clock as it is, and nothing waits for a time that was taken back.
# And timers that are committed long after their bucket was drained, by transactions that were
# prepared, some of them before a crash. The server has a clock of its own (fixtures/clock.c).
use strict;
use warnings;

use File::Basename;
use FindBin;
use lib $FindBin::RealBin;
use OrderExtTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $dir = PostgreSQL::Test::Utils::tempdir();
my $fixtures = ($ENV{TESTDIR} || dirname(__FILE__) . '/../..') . '/test/fixtures';

is(system_log($ENV{CC} || 'cc', '-shared', '-fPIC', '-o', "$dir/clock.so", "$fixtures/clock.c"), 0, 'the clock compiles');

# As far ahead as we are ourselves (script/test-clock).
my $offset = $ENV{TEST_CLOCK} ? unpack('q', slurp_file($ENV{TEST_CLOCK})) / 1_000_000 : 0;
my $preloaded = $ENV{LD_PRELOAD};
$ENV{TEST_CLOCK} = "$dir/clock";

# Set the clock so many seconds ahead (back, where less than 0).
sub set_clock
{
	my ($seconds) = @_;
	$offset += $seconds;
	open(my $file, -e $ENV{TEST_CLOCK} ? '+<' : '>', $ENV{TEST_CLOCK}) or die $!;
	syswrite($file, pack('q', $offset * 1_000_000)) == 8 or die $!;
	close($file);
	return;
}
set_clock(0);
$ENV{LD_PRELOAD} = "$dir/clock.so";
my $node = start_node('clock', 'max_prepared_transactions = 60', "order_ext.log_retention = '10min'");
$preloaded ? $ENV{LD_PRELOAD} = $preloaded : delete $ENV{LD_PRELOAD};

# A crash or a stop, and the same clock again.
sub restart
{
	my ($mode) = @_;
	$node->stop($mode);
	local $ENV{LD_PRELOAD} = "$dir/clock.so";
	$node->start;
	return;
}

my $armed = 0;
my $fired = 0;

# Arm timers: count of them, the n-th due after n * step + first seconds.
sub arm
{
	my ($count, $first, $step) = @_;
	$node->safe_psql('postgres', "INSERT INTO armed SELECT order_ext.publish('t', n, deliver_at => due), due"
		  . " FROM generate_series(1, $count) AS n,"
		  . " LATERAL (SELECT clock_timestamp() + ($first + n * $step) * interval '1 s' AS due OFFSET 0) AS at");
	$armed += $count;
	return;
}

# So many more have fired, all once and none early.
sub fires
{
	my ($more, $name) = @_;
	$fired += $more;
	wait_sql($node, 'postgres', 'SELECT count(*) FROM handled', $fired, 60, $name);
	is($node->safe_psql('postgres', 'SELECT count(*) - count(DISTINCT id), count(*) FILTER (WHERE h.at < a.due_at)'
			  . ' FROM handled h JOIN armed a USING (id)'), '0|0', 'each once, none early');
	return;
}

my $drained = q(SELECT count(*) FROM pg_class WHERE relname ~ '^timer_bucket_[0-9]+$' AND pg_relation_size(oid) > 0);

$node->safe_psql('postgres', 'CREATE EXTENSION order_ext; CREATE TABLE armed (id bigint, due_at timestamptz)');
create_handled($node, 'postgres');
wait_workers($node, 'postgres', 'dispatcher,scheduler', 10, 'workers are there');

# ---- ahead ----

arm(50, 0, 60);             # one a minute, in each bucket of the ring
arm(10, 3600, 3600);        # one an hour, beyond
fires(0, 'nothing is due');
set_clock(20 * 60);
fires(20, 'what the clock has jumped over fires');
set_clock(31 * 60);
fires(30, 'and again');
set_clock(200);
wait_sql($node, 'postgres', $drained, 0, 60, 'the buckets are emptied');
set_clock(3600 * 1.9);
fires(1, 'from beyond the ring');
set_clock(86400);
fires(9, 'a day ahead');

# ---- transactions that commit when their buckets were drained ----

$node->safe_psql('postgres', join(";\n", map {
	"BEGIN; INSERT INTO armed SELECT order_ext.publish('t', n, deliver_at => due), due"
	  . " FROM generate_series(1, 200) AS n,"
	  . " LATERAL (SELECT clock_timestamp() + n * interval '1 s' AS due OFFSET 0) AS at;"
	  . " PREPARE TRANSACTION 'p$_'"
} 1 .. 50));
arm(100, 1, 3);
set_clock(600);
fires(100, 'others of these buckets fire');
restart('immediate');
arm(20, 1, 0.05);
fires(20, 'after a crash, too');
$node->safe_psql('postgres', join(";\n", map { "COMMIT PREPARED 'p$_'" } 1 .. 25));
fires(25 * 200, 'late commits');
set_clock(3600);
arm(20, 1, 0.05);
fires(20, 'others fire in the same tables');
restart('fast');
$node->safe_psql('postgres', join(";\n", map { "COMMIT PREPARED 'p$_'" } 26 .. 49));
$node->safe_psql('postgres', "ROLLBACK PREPARED 'p50'");
fires(24 * 200, 'later commits');
set_clock(200);
wait_sql($node, 'postgres', $drained, 0, 60, 'the buckets are emptied');

$node->safe_psql('postgres', "BEGIN; INSERT INTO armed SELECT order_ext.publish('t', n, deliver_at => due), due"
	  . " FROM generate_series(1, 20) AS n,"
	  . " LATERAL (SELECT clock_timestamp() + (4200 + n) * interval '1 s' AS due OFFSET 0) AS at;"
	  . " PREPARE TRANSACTION 'far'");
arm(1, 4201, 0);
set_clock(4190);
$node->safe_psql('postgres', "COMMIT PREPARED 'far'");
set_clock(60);
fires(21, 'beyond the ring, committed when it is nearly time');

# ---- back ----

arm(30, 0, 60);
set_clock(150);
fires(2, 'some have fired');
set_clock(-5 * 3600);
arm(40, 0, 0.1);            # in a time that may have been handled
fires(40, 'set back by hours, timers fire in their time');
restart('immediate');
fires(0, 'nothing fires again');
arm(40, 0, 0.1);
fires(40, 'nor is anything stuck');
arm(32, 0, 120);            # in all buckets
for my $minutes (1 .. 5)
{
	set_clock(13 * 60);
}
fires(32, 'an hour goes by');
set_clock(4.5 * 3600);
fires(28, 'and the hours that were taken back');
set_clock(-130);
arm(500, 0, 0.001);
fires(500, 'set back by two minutes');
set_clock(-90);
arm(500, -1, 0.004);
restart('immediate');
fires(500, 'and by less, with a crash');

# ---- rotation, retries, leases ----

$node->safe_psql('postgres', <<'SQL');
CREATE FUNCTION stumble(m order_ext.message) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	IF m.attempt = 1 THEN
		RAISE EXCEPTION 'again' USING ERRCODE = 'OE801', DETAIL = '10 min';
	END IF;
	INSERT INTO public.handled (id, key, attempt) VALUES (m.id, m.key, m.attempt);
END
$$;
SELECT order_ext.create_topic('retried');
SELECT order_ext.subscribe('retried', 'retried', 'public.stumble(order_ext.message)', '{"run_as": "handlers"}');
SELECT order_ext.publish('retried', 1);
SELECT order_ext.create_topic('leased');
SELECT order_ext.subscribe('leased', 'leased');
SELECT order_ext.publish('leased', 1);
SQL
my $receive = "SELECT count(*) FROM order_ext.receive('leased', lease => '10 min')";
wait_sql($node, 'postgres', "SELECT retrying FROM order_ext.consumer_stats WHERE consumer_group = 'retried'", 1, 20, 'a retry waits');
is($node->safe_psql('postgres', $receive), '1', 'a message is leased');
set_clock(-3600);
is($node->safe_psql('postgres', $receive), '0', 'the clock set back, it stays so');
set_clock(3660);
is($node->safe_psql('postgres', $receive), '0', 'until its time is over');
set_clock(600);
is($node->safe_psql('postgres', $receive), '1', 'then it is another receiver\'s');
fires(1, 'and the retry is run');

# The log goes round meanwhile; what nobody has read yet stays.
$node->safe_psql('postgres', "SELECT order_ext.publish('leased', 2)");
for my $minutes (20, -180, 20, 20, 200, 20, 20, 20)
{
	set_clock($minutes * 60);
	arm(1, 0, 0.1);
	fires(1, "after $minutes min");
}
is($node->safe_psql('postgres', "SELECT count(*) FROM order_ext.receive('leased') WHERE key = 2"), '1', 'unread messages are kept');
wait_sql($node, 'postgres', 'SELECT pending FROM order_ext.timer_stats', 0, 10, 'no timer is left');
is($node->safe_psql('postgres', 'SELECT count(*) FROM armed'), $armed + 49 * 200 + 20, 'all were counted');

verify_clean($node, 'postgres');
check_log($node);
$node->stop('fast');
done_testing();
