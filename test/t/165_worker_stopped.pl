# A process that is stopped (SIGSTOP) answers nobody. Another dispatcher of its role does a dispatcher's
# work until it goes on, in the middle of a handler or idle; another scheduler fires the timers; another
# launcher starts workers; and nothing is lost or doubled.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use OrderExtTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = start_node('stopped');

$node->safe_psql('postgres', 'CREATE DATABASE shop');
$node->safe_psql('shop', 'CREATE EXTENSION order_ext');
create_handled($node, 'shop');
$node->safe_psql('shop', <<'SQL');
CREATE FUNCTION slow(m order_ext.message) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM pg_advisory_xact_lock(165);
	INSERT INTO public.handled (id, key, attempt) VALUES (m.id, m.key, m.attempt);
END
$$;
SELECT order_ext.create_topic('slow'), order_ext.subscribe('slow', 'slow', 'slow(order_ext.message)', '{"run_as": "handlers"}');
SELECT order_ext.put_product('A', 'A', 1), order_ext.adjust_stock('A', 10);
SQL
wait_workers($node, 'shop', 'dispatcher,scheduler', 30, 'workers are there');
my $stopped;
my $stopped_launcher;
my $handled = q{SELECT string_agg(key::text, ' ' ORDER BY key) FROM handled};
my $of = q{SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'order_ext dispatcher' AND datname = 'shop' AND usename};

sub stop_it
{
	my ($condition) = @_;
	$stopped = $node->safe_psql('postgres', "SELECT pid FROM pg_stat_activity WHERE backend_type = 'order_ext dispatcher' AND $condition");
	kill 'STOP', $stopped;
	return;
}
END { kill 'CONT', grep { defined } $stopped, $stopped_launcher; }

# ---- idle ----
$node->safe_psql('shop', q{SELECT order_ext.publish('t', 1)});
wait_sql($node, 'shop', $handled, '1', 30, 'it works');
stop_it(q{usename = 'handlers'});
$node->safe_psql('shop', q{SELECT order_ext.publish('t', 2)});
wait_sql($node, 'shop', $handled, '1 2', 60, 'stopped: another one does its work');
wait_sql($node, 'postgres', "$of = 'handlers'", '2', 30, 'which is one more');
wait_sql($node, 'shop', q{SELECT state FROM order_ext.worker_stats WHERE state = 'not answering'}, 'not answering', 60, 'worker_stats tells');
$node->safe_psql('shop', q{SELECT order_ext.publish('t', 3, deliver_at => clock_timestamp() + interval '7 s')});
wait_sql($node, 'shop', $handled, '1 2 3', 60, 'it is still there when it has been idle');
is($node->safe_psql('postgres', "$of = 'handlers'"), '2', 'the same');
kill 'CONT', $stopped;
wait_sql($node, 'postgres', "$of = 'handlers'", '1', 60, 'and leaves when the first one answers');
is($node->safe_psql('postgres', "SELECT count(*) FROM pg_stat_activity WHERE pid = $stopped"), '1', 'which stays');
$node->safe_psql('shop', q{SELECT order_ext.publish('t', 4)});
wait_sql($node, 'shop', $handled, '1 2 3 4', 30, 'and works');

# ---- in a handler: its group waits for it, others do not ----
my $gate = $node->background_psql('shop');
$gate->query_safe('SELECT pg_advisory_lock(165)');
$node->safe_psql('shop', q{SELECT order_ext.publish('slow', 5)});
wait_sql($node, 'postgres', q{SELECT count(*) FROM pg_stat_activity WHERE usename = 'handlers' AND wait_event = 'advisory'}, '1', 30, 'a handler is running');
stop_it(q{usename = 'handlers' AND wait_event = 'advisory'});
$node->safe_psql('shop', q{SELECT order_ext.publish('t', 6), order_ext.publish('slow', 7)});
wait_sql($node, 'shop', $handled, '1 2 3 4 6', 60, 'another one does the rest');
kill 'CONT', $stopped;
$gate->quit;
wait_sql($node, 'shop', $handled, '1 2 3 4 5 6 7', 60, 'it ends what it was doing');

# ---- built-in handlers ----
stop_it(q{usename <> 'handlers'});
my $order = $node->safe_psql('shop', q{SELECT id FROM order_ext.create_order(1, '[{"sku": "A", "quantity": 1}]', 1)});
$node->safe_psql('shop', "SELECT order_ext.pay_callback($order, 'T-1', 'wechat', 1)");
wait_sql($node, 'shop', "SELECT count(*) FROM order_ext.fulfilments_view WHERE order_id = $order", '1', 60, 'a paid order goes its way');
kill 'CONT', $stopped;
wait_sql($node, 'postgres', "$of <> 'handlers'", '1', 60, 'one is enough again');

# ---- the scheduler ----
sub processes
{
	my ($kind) = @_;
	return "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'order_ext $kind'";
}

$stopped = worker_pid($node, 'shop', 'scheduler');
kill 'STOP', $stopped;
$node->safe_psql('shop', q{SELECT order_ext.publish('t', 8, deliver_at => clock_timestamp() + interval '1 s')});
wait_sql($node, 'shop', $handled, '1 2 3 4 5 6 7 8', 60, 'stopped: another one fires the timers');
is($node->safe_psql('postgres', processes('scheduler')), '2', 'which is one more');
$node->safe_psql('shop', q{SELECT order_ext.publish('t', 9, deliver_at => clock_timestamp() + interval '7 s')});
wait_sql($node, 'shop', $handled, '1 2 3 4 5 6 7 8 9', 60, 'and is still there later');
kill 'CONT', $stopped;
wait_sql($node, 'postgres', processes('scheduler'), '1', 60, 'it leaves when the first one answers');
is(worker_pid($node, 'shop', 'scheduler'), $stopped, 'which stays');
$node->safe_psql('shop', q{SELECT order_ext.publish('t', 10, deliver_at => clock_timestamp() + interval '1 s')});
wait_sql($node, 'shop', $handled, '1 2 3 4 5 6 7 8 9 10', 60, 'and fires them');

# ---- the launcher ----
$stopped = worker_pid($node, undef, 'launcher');
kill 'STOP', $stopped;
$node->safe_psql('shop', q{SELECT order_ext.publish('t', 11), order_ext.publish('t', 12, deliver_at => clock_timestamp() + interval '1 s')});
wait_sql($node, 'shop', $handled, '1 2 3 4 5 6 7 8 9 10 11 12', 60, 'stopped: workers go on');
$node->safe_psql('postgres', 'CREATE DATABASE branch');
$node->safe_psql('branch', 'CREATE EXTENSION order_ext');
wait_workers($node, 'branch', 'dispatcher,scheduler', 60, 'another one starts workers');
is($node->safe_psql('postgres', processes('launcher')), '2', 'which is one more');
kill 'CONT', $stopped;
wait_sql($node, 'postgres', processes('launcher'), '1', 60, 'it leaves when the first one goes on');
is(worker_pid($node, undef, 'launcher'), $stopped, 'which stays');
$node->safe_psql('postgres', 'DROP DATABASE branch');
$node->safe_psql('postgres', 'CREATE DATABASE branch');
$node->safe_psql('branch', 'CREATE EXTENSION order_ext');
wait_workers($node, 'branch', 'dispatcher,scheduler', 60, 'and starts them');

# ---- both: dispatchers are all that is left ----
$node->safe_psql('postgres', 'DROP DATABASE branch');
wait_sql($node, 'postgres', processes('scheduler'), '1', 60, 'one database is left');
$stopped_launcher = $stopped;
$stopped = worker_pid($node, 'shop', 'scheduler');
kill 'STOP', $stopped, $stopped_launcher;
$node->safe_psql('shop', q{SELECT order_ext.publish('t', 13, deliver_at => clock_timestamp() + interval '1 s')});
wait_sql($node, 'shop', $handled, '1 2 3 4 5 6 7 8 9 10 11 12 13', 60, 'launcher and scheduler stopped: others start, and fire the timers');
kill 'CONT', $stopped, $stopped_launcher;
wait_sql($node, 'postgres', processes('scheduler'), '1', 60, 'they leave when the first ones go on');

is($node->safe_psql('shop', 'SELECT count(*), count(DISTINCT id), max(attempt) FROM handled'), '13|13|1', 'each message once, at its first attempt');
$stopped = $stopped_launcher = undef;
verify_clean($node, 'shop');
$node->stop;
check_log($node);
done_testing();
