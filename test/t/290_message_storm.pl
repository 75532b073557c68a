# A storm of messages: publishers of every kind, groups of every kind, external consumers,
# dispatch() beside the workers, while processes and servers are killed. Then everything must be
# handled exactly once inside, answered exactly once outside, in order where order was promised,
# no timer early, nothing that was not committed, and nothing left over. The clients keep ledgers.
# STORM_SECONDS and STORM_SEED make it longer, or another one.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use List::Util qw(shuffle);
use MessageStorm;
use OrderExtTest;
use PostgreSQL::Test::Utils;
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

my $seconds = $ENV{STORM_SECONDS} || 20;
my $seed = $ENV{STORM_SEED} || 1;
my $patience = 180;

srand($seed);
my $node = start_node('message_storm', 'max_worker_processes = 32', 'max_prepared_transactions = 300', 'fsync = off',
	'autovacuum = on', 'log_statement = none', "log_line_prefix = '%m [%p] %b %e '", "order_ext.log_retention = 2s", "order_ext.log_segment_size = 256kB",
	"order_ext.handler_timeout = 1s", "order_ext.batch_size = 100");
$node->safe_psql('postgres', storm_schema());
my $dir = $node->basedir;

# ---- the clients ----

my @clients;
my $number = 0;
foreach my $role ((['publisher', 40 * $seconds]) x 5, (['dispatcher']) x 2, (['consumer', 'e_any']) x 2, (['consumer', 'e_ord']) x 2)
{
	$number++;
	my $pid = fork() // die "fork: $!";
	if ($pid == 0)
	{
		$SIG{TERM} = $SIG{INT} = 'DEFAULT';
		eval { storm_client($node, $dir, $seed, $number, @$role) };
		append_to_file("$dir/errors_$number", "died: $@") if $@;
		POSIX::_exit(0);
	}
	push @clients, $pid;
}

# ---- what happens to them ----

my %count;
my $session = connect_to($node);
my $extra = 0;
my @extra;

# Errors of our own calls; a lost connection is none.
sub say_sql
{
	my ($sql, $allowed) = @_;
	my $answer = ask($session, $sql);

	if ($answer->{lost})
	{
		disconnect($session);
		sleep 0.2;
		$session = connect_to($node);
	}
	elsif ($answer->{sqlstate} ne '' && (!$allowed || $answer->{sqlstate} !~ /^(?:$allowed)$/))
	{
		append_to_file("$dir/errors_0", "$sql: $answer->{sqlstate} $answer->{error}\n");
	}
	return $answer;
}

sub backends
{
	my ($type) = @_;
	my $answer = say_sql("SELECT pid FROM pg_stat_activity WHERE backend_type LIKE '$type' AND pid <> pg_backend_pid()");

	return grep { /^\d+$/ } @{ $answer->{rows} };
}

sub signal_one
{
	my ($signal, $type) = @_;
	my @pids = backends($type);

	kill $signal, $pids[ rand @pids ] if @pids;
	return;
}

sub any_group
{
	return ('g_one', 'g_set', 'g_ord', 'g_ords', 'g_alice', 'g_on', 'g_b', 'e_any', 'e_ord')[ rand 9 ];
}

# Dead letters of the group are cured, and sent again.
sub redrive_some
{
	my $group = any_group();

	say_sql("INSERT INTO t.cured SELECT (payload->>'tag')::bigint FROM order_ext.dead_letters WHERE consumer_group = '$group' AND random() < 0.5"
		  . " ON CONFLICT DO NOTHING");
	say_sql("SELECT order_ext.redrive('$group')", '40P01|OE110');
	return;
}

sub subscribe_extra
{
	if (@extra && rand() < 0.6)
	{
		my $gone = shift @extra;

		push @extra, $gone if say_sql("SELECT order_ext.unsubscribe('x$gone')", 'OE110|40P01|OE701')->{sqlstate} =~ /OE110|40P01/;
	}
	elsif ($extra < 30)
	{
		$extra++;
		say_sql("SELECT order_ext.subscribe('x$extra', 'a', 't.x$extra(order_ext.message)', '{\"max_attempts\": 6, \"run_as\": \"handlers\", \"ordered\": "
			  . (rand() < 0.5 ? 'true' : 'false') . "}')");
		push @extra, $extra;
	}
	return;
}

# In the middle of it all the tables never contradict each other.
sub look_for_errors
{
	my $answer = say_sql("SELECT v FROM order_ext.verify() v WHERE severity = 'error'");

	append_to_file("$dir/errors_0", "verify: $_\n") foreach grep { /^\(/ } @{ $answer->{rows} };
	return;
}

sub restart
{
	my ($how) = @_;

	$node->stop($how);
	$node->start;
	return;
}

# What happens, and how often: of a hundred.
my @events = (
	[ 8, 'kill -9 of a dispatcher', sub { signal_one('KILL', 'order_ext dispatcher') } ],
	[ 4, 'kill -9 of the scheduler', sub { signal_one('KILL', 'order_ext scheduler') } ],
	[ 4, 'kill -9 of a client', sub { signal_one('KILL', 'client backend') } ],
	[ 4, 'immediate stop', sub { restart('immediate') } ],
	[ 2, 'fast stop', sub { restart('fast') } ],
	[ 4, 'end of a dispatcher', sub { signal_one('TERM', 'order_ext dispatcher') } ],
	[ 2, 'end of the scheduler', sub { signal_one('TERM', 'order_ext scheduler') } ],
	[ 2, 'end of the launcher', sub { signal_one('TERM', 'order_ext launcher') } ],
	[ 8, 'end of a client', sub { signal_one('TERM', 'client backend') } ],
	[ 6, 'checkpoint', sub { say_sql('CHECKPOINT') } ],
	[ 10, 'workers', sub {
			say_sql('ALTER SYSTEM SET order_ext.workers = ' . (1 + int(rand(3))));
			say_sql('SELECT pg_reload_conf()');
		} ],
	[ 8, 'pause', sub { say_sql("SELECT order_ext.pause('" . any_group() . "')", '40P01|OE110') } ],
	[ 12, 'resume', sub { say_sql("SELECT order_ext.resume(consumer_group) FROM order_ext.subscriptions_view WHERE consumer_group ~ '^[eg]_'", '40P01|OE110') } ],
	[ 10, 'redrive', \&redrive_some ],
	[ 2, 'discard', sub { say_sql("SELECT t.give_up('" . any_group() . "')", '40001|40P01|OE110') } ],
	[ 2, 'verify', \&look_for_errors ],
	[ 8, 'subscribe', \&subscribe_extra ],
	[ 4, 'maintain', sub { say_sql('SELECT order_ext.maintain()', '40P01|OE110') } ]);

# Each once, then as it comes.
my @to_come = shuffle(@events);

sub something_happens
{
	my $event = shift @to_come;
	my $at = rand 100;

	for (my $i = 0; !$event; $i++)
	{
		$at -= $events[$i][0];
		$event = $events[$i] if $at < 0 || $i == $#events;
	}
	$count{ $event->[1] }++;
	$event->[2]->();
	return;
}

my $until = time() + $seconds;
while (time() < $until || @to_come)
{
	something_happens();
	sleep rand 0.8;
}
restart('immediate');
append_to_file("$dir/stop", '');
waitpid $_, 0 foreach @clients;
disconnect($session);
diag("seed $seed: ", join(', ', map { "$count{$_} $_" } sort keys %count));

# ---- everything is finished ----

foreach my $prepared (split /\n/, $node->safe_psql('postgres', 'SELECT gid FROM pg_prepared_xacts'))
{
	$node->safe_psql('postgres', (rand() < 0.5 ? 'COMMIT' : 'ROLLBACK') . " PREPARED '$prepared'");
}
$node->safe_psql('postgres', 'ALTER SYSTEM SET order_ext.workers = 2');
$node->reload;
$node->safe_psql('postgres', "SELECT order_ext.resume(consumer_group) FROM order_ext.subscriptions_view WHERE consumer_group ~ '^[egx]_?'");

sub rows
{
	my ($sql) = @_;
	return $node->safe_psql('postgres', $sql);
}

# Consume what external groups still have; what is poisoned dies.
sub drain_external
{
	my ($group) = @_;
	my $taken = rows(<<"SQL");
CREATE TEMP TABLE taken AS SELECT * FROM t.take('$group', 1000, '1 hour');
SELECT order_ext.nack('$group', coalesce(array_agg(token) FILTER (WHERE bad), '{}'), '0', 'bad'),
	t.done('$group', coalesce(array_agg(token) FILTER (WHERE NOT bad), '{}')) FROM taken;
SQL
	return $taken ne '0|0';
}

# Until nothing is on its way; parked may be what waits behind a dead letter. Timers are counted
# before the groups that get what they fire.
sub drain
{
	my $deadline = time() + $patience;
	my $left = 'nobody looked';

	while ($left ne '' && time() < $deadline)
	{
		my $busy = 0;

		$busy += drain_external($_) foreach 'e_any', 'e_ord';
		$left = $busy ? 'external' : rows(
			"SELECT 'timers', pending, 0 FROM order_ext.timer_stats WHERE pending > 0;"
			  . " SELECT consumer_group, lag, retrying FROM order_ext.consumer_stats WHERE lag + retrying > 0"
			  . " UNION ALL SELECT 'leases', count(*), 0 FROM order_ext_internal.leases HAVING count(*) > 0");
		sleep 0.2 if $left ne '' && !$busy;
	}
	return is($left, '', $_[0]);
}

drain('all is delivered that can be');

my $kills = ($count{'kill -9 of a dispatcher'} || 0);
my $dead = rows(<<"SQL");
SELECT d.* FROM order_ext.dead_letters d LEFT JOIN t.pub p ON p.tag = (d.payload->>'tag')::bigint
WHERE (p.how NOT IN ('poison', 'dead') OR d.consumer_group = 'g_b') AND (d.last_sqlstate IS DISTINCT FROM '57P02' OR $kills < 2)
SQL
is($dead, '', 'dead letters are what must be, or what was running in two crashes');
is(rows(<<'SQL'), '', 'parked is only what waits for a dead letter');
SELECT k.* FROM order_ext.parked_keys k
WHERE NOT EXISTS (SELECT FROM order_ext.dead_letters d WHERE d.consumer_group = k.consumer_group AND d.key = k.key)
SQL
verify_clean($node, 'postgres', 'verify() finds no error with dead letters');

# ---- and then the rest ----

rows("INSERT INTO t.cured SELECT tag FROM t.pub WHERE how IN ('poison', 'dead') ON CONFLICT DO NOTHING;"
	  . " SELECT order_ext.redrive(consumer_group) FROM order_ext.consumer_stats");
drain('what was dead is delivered, too');
is(rows('SELECT * FROM order_ext.parked_keys'), '', 'nothing is parked');
is(rows('SELECT * FROM order_ext.dead_letters'), '', 'nothing is dead');

# ---- the verdict ----

foreach my $file (glob("$dir/ledger_*"))
{
	rows("CREATE TABLE IF NOT EXISTS t.ledger (tag bigint, outcome text); COPY t.ledger FROM '$file'");
}
my $errors = join('', map { slurp_file($_) } glob("$dir/errors_*"));
$errors = substr($errors, 0, 5000);
is($errors, '', 'every call answered as its contract says');

# What each group must handle. Timers, whose message is that of their firing, count only for
# groups that were there from the beginning.
rows(<<'SQL');
CREATE TABLE t.expected AS
	SELECT g.name AS grp, p.tag, p.id, p.key, p.ordered, p.how, p.due
	FROM t.pub p
	JOIN order_ext_internal.consumer_groups g ON g.name ~ '^[egx]' AND g.name <> 'g_b' AND NOT g.builtin
	WHERE NOT EXISTS (SELECT FROM t.canceled c WHERE c.tag = p.tag AND c.canceled)
	  AND (p.how !~ 'discard' OR g.name ~ '^e')
	  AND NOT EXISTS (SELECT FROM t.given_up u WHERE u.grp = g.name AND u.tag = p.tag)
	  AND (g.name !~ '^x' OR (p.due IS NULL AND NOT pg_visible_in_snapshot(p.xid, g.start_at)))
	UNION ALL
	SELECT 'g_b', h.tag, NULL, h.key, false, 'none', NULL FROM t.handled h
	WHERE h.grp = 'g_on' AND NOT EXISTS (SELECT FROM t.given_up u WHERE u.grp = 'g_b' AND u.tag = h.tag);
CREATE INDEX ON t.expected (tag, grp);
CREATE TABLE t.finished AS
	SELECT n, grp, id, tag, key, at FROM t.handled
	UNION ALL
	SELECT a.n, a.grp, g.id, g.tag, g.key, g.at FROM t.acked a JOIN t.got g USING (token);
CREATE INDEX ON t.finished (tag, grp);
ANALYZE t.expected; ANALYZE t.finished; ANALYZE t.got; ANALYZE t.acked; ANALYZE t.pub;
SQL

# each of these shows what is wrong: no row is right
my %nothing = (
	'what was told to be committed is there, what was not is not' => q(
		SELECT l.tag, l.outcome, p.id FROM t.ledger l LEFT JOIN t.pub p USING (tag)
		WHERE (l.outcome = 'committed' AND p.tag IS NULL) OR (l.outcome = 'aborted' AND p.tag IS NOT NULL)),
	'nothing is missing' => q(
		SELECT e.* FROM t.expected e WHERE NOT EXISTS (SELECT FROM t.finished f WHERE f.tag = e.tag AND f.grp = e.grp)),
	'nothing is there that was not published, or not for this group' => q(
		SELECT f.* FROM t.finished f WHERE NOT EXISTS (SELECT FROM t.pub p WHERE p.tag = f.tag AND (p.id = f.id OR f.grp = 'g_b'))
			OR EXISTS (SELECT FROM t.canceled c WHERE c.tag = f.tag AND c.canceled)
			OR (f.grp !~ '^x' AND NOT EXISTS (SELECT FROM t.expected e WHERE e.tag = f.tag AND e.grp = f.grp))),
	'nothing is handled twice' => q(
		SELECT grp, tag, count(*), array_agg(id), array_agg(n) FROM t.finished GROUP BY grp, tag HAVING count(*) > 1),
	'order is kept, by tag of each key' => q(
		SELECT * FROM (SELECT f.grp, f.key, f.tag, f.n, lag(f.tag) OVER w AS before FROM t.finished f JOIN t.pub p USING (tag)
			WHERE p.ordered AND f.grp IN ('g_ord', 'g_ords', 'g_alice', 'e_ord') WINDOW w AS (PARTITION BY f.grp, f.key ORDER BY f.n)) o
		WHERE before > tag),
	'outside, nobody got a message before the one before it was answered' => q(
		SELECT g.tag, g.n, b.tag AS before, b.n FROM t.got g JOIN t.pub p USING (tag)
		JOIN t.finished b ON b.grp = 'e_ord' AND b.key = g.key AND b.tag < g.tag AND b.n > g.n JOIN t.pub q ON q.tag = b.tag
		WHERE g.grp = 'e_ord' AND p.ordered AND q.ordered),
	'outside, only the newest token of a message was good' => q(
		SELECT a.*, later.token FROM t.acked a JOIN t.got g USING (token) JOIN t.got later ON later.grp = g.grp AND later.id = g.id
		WHERE later.token > a.token),
	'no timer is early' => q(
		SELECT f.*, p.due FROM t.finished f JOIN t.pub p USING (tag) WHERE f.at < p.due
		UNION ALL SELECT g.n, g.grp, g.id, g.tag, g.key, g.at, p.due FROM t.got g JOIN t.pub p USING (tag) WHERE g.at < p.due),
	'nobody runs as another' => q(
		SELECT DISTINCT grp, role FROM t.handled WHERE role <> CASE WHEN grp IN ('g_alice', 'g_b') THEN 'alice' ELSE 'handlers' END),
	'keys by which messages are published once' => q(SELECT * FROM t.unexpected
		UNION ALL SELECT format('%s: %s', dedup, array_agg(tag)) FROM t.pub WHERE dedup IS NOT NULL GROUP BY dedup HAVING count(*) > 1),
	'verify() finds no error' => q(SELECT * FROM order_ext.verify() WHERE severity = 'error'),
	'no table keeps anything' => q(
		SELECT 'retries', count(*) FROM order_ext_internal.retries HAVING count(*) > 0
		UNION ALL SELECT 'parked', count(*) FROM order_ext_internal.parked_messages HAVING count(*) > 0
		UNION ALL SELECT 'leases', count(*) FROM order_ext_internal.leases HAVING count(*) > 0
		UNION ALL SELECT 'receipts', count(*) FROM order_ext_internal.lease_receipts r
			WHERE NOT EXISTS (SELECT FROM order_ext_internal.consumer_groups g WHERE g.group_id = r.group_id) HAVING count(*) > 0
		UNION ALL SELECT 'crash_suspects', count(*) FROM order_ext_internal.crash_suspects HAVING count(*) > 0));
foreach my $name (sort keys %nothing)
{
	is(rows("SELECT * FROM ($nothing{$name}) AS wrong LIMIT 20"), '', $name);
}
my $summary = rows(<<'SQL');
SELECT format('%s published, %s handled, %s of them at a later attempt, %s answered, %s got in vain; the log moved %s times',
	(SELECT count(*) FROM t.pub), count(*), count(*) FILTER (WHERE attempt > 1), (SELECT count(*) FROM t.acked),
	(SELECT count(*) FROM t.got) - (SELECT count(*) FROM t.acked),
	(SELECT max(seq) FROM order_ext_internal.ring_moves WHERE ring = 'log')) FROM t.handled
SQL
diag($summary);
cmp_ok(rows('SELECT count(*) FROM t.pub'), '>', 20 * $seconds, 'there was a storm');
cmp_ok(rows("SELECT max(seq) FROM order_ext_internal.ring_moves WHERE ring = 'log'"), '>', 4, 'the log went round');

# Idle: nobody takes a transaction id any more.
my $xid = 'pg_snapshot_xmax(pg_current_snapshot())';
my $last = '';
my $idle = 0;
my $deadline = time() + 60;
while (!$idle && time() < $deadline)
{
	my $now = rows("SELECT $xid");

	$idle = ($now eq $last);
	$last = $now;
	sleep 3 if !$idle;
}
ok($idle, 'and then the workers are idle');

$node->stop;
check_log($node, crashes => 1, also => 'XX000|ERRCODE_INTERNAL|OE901');
done_testing();
