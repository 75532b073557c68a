# Slots are short, so that dispatchers make room for each other: one that has is back as soon as there is
# a message for its role, or a retry of one; others that work without a pause make room for it, too; and
# whoever makes, renames and drops databases all the time takes nobody's turn.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use IPC::Run;
use OrderExtTest;
use PostgreSQL::Test::Utils;
use Test::More;

# The launcher and the logical replication launcher, the scheduler and the built-in handlers: one is
# left for the handlers of three roles.
my $node = start_node('away', 'max_worker_processes = 5');

$node->safe_psql('postgres', <<'SQL');
CREATE ROLE owner LOGIN CREATEDB;
CREATE DATABASE shop;
CREATE DATABASE other OWNER owner;
CREATE DATABASE one OWNER owner;
\c other
CREATE EXTENSION order_ext;
\c postgres
ALTER DATABASE other SET order_ext.enabled = off;
\c shop
CREATE EXTENSION order_ext;
CREATE TABLE handled (key bigint, attempt integer, who text DEFAULT current_user, at timestamptz DEFAULT clock_timestamp(), sent timestamptz);
CREATE FUNCTION note(m order_ext.message) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM pg_catalog.pg_sleep((m.payload->>'takes')::float8);
	IF m.payload ? 'fails' AND m.attempt = 1 THEN
		RAISE EXCEPTION USING ERRCODE = 'OE801', MESSAGE = 'not yet', DETAIL = '5 s';
	END IF;
	INSERT INTO public.handled (key, attempt, sent) VALUES (m.key, m.attempt, (m.payload->>'sent')::timestamptz);
END
$$;
SQL
wait_workers($node, 'shop', 'dispatcher,scheduler', 60, 'workers are there');
$node->safe_psql('shop', "CREATE ROLE r$_ LOGIN; GRANT INSERT ON handled TO r$_; SELECT order_ext.create_topic('t$_'), order_ext.subscribe('g$_', 't$_', 'note(order_ext.message)', '{\"run_as\": \"r$_\"}')")
  foreach (1 .. 3);

sub handled
{
	my ($from, $to, $expected, $name) = @_;
	return wait_sql($node, 'shop', "SELECT count(*) FROM handled WHERE key BETWEEN $from AND $to", $expected, 60, $name);
}

# ---- one after the other ----
foreach my $round (1 .. 5)
{
	foreach my $role (1 .. 3)
	{
		my $key = 10 * $round + $role;
		$node->safe_psql('shop', "SELECT order_ext.publish('t$role', $key)");
		handled($key, $key, 1, "round $round: role $role has its message");
	}
}
# By now each has made room so often that its turn without work would come a minute later.
wait_sql($node, 'shop', q{SELECT count(*) FROM order_ext.worker_stats WHERE state = 'no worker slot'}, '2', 30, 'worker_stats tells who is away');

# ---- one that works without a pause ----
$node->safe_psql('shop', q{SELECT order_ext.publish('t2', k, '{"takes": 0.01}') FROM generate_series(1001, 1500) AS k});
wait_sql($node, 'shop', 'SELECT count(*) > 0 FROM handled WHERE key > 1000', 't', 60, 'one role works');
$node->safe_psql('shop', q{SELECT order_ext.publish('t1', 2001), order_ext.publish('t3', 2003)});
handled(2001, 2003, 2, 'the others have their messages');
handled(1001, 1500, 500, 'and it has its own');
is($node->safe_psql('shop', 'SELECT count(*) FROM handled WHERE key > 2000 AND at < (SELECT max(at) FROM handled WHERE key <= 1500)'), '2',
	'which they did not have to wait for');

# ---- a retry that is due while its role is away ----
$node->safe_psql('shop', q{SELECT order_ext.publish('t1', 3001, '{"fails": 1}')});
wait_sql($node, 'shop', q{SELECT count(*) FROM order_ext.attempt_log WHERE state = 'retry'}, '1', 60, 'an attempt fails');
$node->safe_psql('shop', q{SELECT order_ext.publish('t2', 3002)});
handled(3002, 3002, 1, 'another role comes in between');
handled(3001, 3001, 1, 'the retry is made');
is($node->safe_psql('shop', 'SELECT attempt FROM handled WHERE key = 3001'), '2', 'at its time');

# ---- paused, resumed, subscribed to more ----
$node->safe_psql('shop', q{SELECT order_ext.pause('g1'), order_ext.publish('t1', 4001)});
$node->safe_psql('shop', q{SELECT order_ext.publish('t2', 4002)});
handled(4002, 4002, 1, 'another role is at work');
$node->safe_psql('shop', q{SELECT order_ext.resume('g1')});
handled(4001, 4001, 1, 'what waited is handled');
$node->safe_psql('shop', q{SELECT order_ext.publish('t2', 4003)});
handled(4003, 4003, 1, 'another role again');
$node->safe_psql('shop', q{SELECT order_ext.create_topic('more'), order_ext.subscribe('more', 'more', 'note(order_ext.message)', '{"run_as": "r1"}')});
$node->safe_psql('shop', q{SELECT order_ext.publish('more', 4004)});
handled(4004, 4004, 1, 'a new topic is read');

# ---- databases that come and go ----
sub loop
{
	my (@statements) = @_;
	my @command = ('psql', '-X', '-q', '-d', $node->connstr('postgres') . ' user=owner', map { ('-c', $_) } (@statements) x 1000);
	return IPC::Run::start(\@command, '<', \undef, '>', '/dev/null', '2>', '/dev/null');
}
my @loops = (loop('CREATE DATABASE copy TEMPLATE other', 'DROP DATABASE copy'), loop('ALTER DATABASE one RENAME TO two', 'ALTER DATABASE two RENAME TO one'),
	loop('CREATE DATABASE empty', 'DROP DATABASE empty'));
wait_sql($node, 'postgres', q{SELECT count(DISTINCT query) > 1 FROM pg_stat_activity WHERE usename = 'owner' AND state = 'active'}, 't', 60, 'databases come and go');
$node->safe_psql('shop', <<'SQL');
DO $x$ BEGIN FOR k IN 5001 .. 5040 LOOP
	PERFORM order_ext.publish('t' || 1 + k % 3, k, jsonb_build_object('sent', clock_timestamp()));
	COMMIT;
	PERFORM pg_sleep(0.2);
END LOOP; END $x$;
SQL
is(scalar(grep { $_->pumpable } @loops), 3, 'and still do');
$_->kill_kill(grace => 10) foreach @loops;
handled(5001, 5040, 40, 'all messages arrive');
my ($median, $max) = split / /, $node->safe_psql('shop', q{SELECT round(1000 * percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM at - sent))) || ' '
	|| round(1000 * max(extract(epoch FROM at - sent))) FROM handled WHERE key > 5000});
note("delivery p50 and max, ms: $median $max");
# Far above what is measured where nothing else runs, far below a turn's wait.
cmp_ok($max, '<', 10_000, 'none had to wait for its turn');

is($node->safe_psql('shop', 'SELECT count(*) - count(DISTINCT key) FROM handled'), '0', 'each once');
verify_clean($node, 'shop');
check_log($node);
$node->stop('fast');
done_testing();
