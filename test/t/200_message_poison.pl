# A message whose handler kills the worker's process: the server recovers, the message is not
# run forever, and no other message is lost, duplicated or taken for it.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use OrderExtTest;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

my $node = start_node('poison');

$node->safe_psql('postgres', 'CREATE EXTENSION order_ext');
create_handlers($node, 'postgres');
$node->safe_psql('postgres', 'GRANT pg_execute_server_program TO handlers');
$node->safe_psql('postgres', <<'SQL');
CREATE TABLE handled (key bigint, attempt integer, topic text);
-- A sleep, so that the shell that kills has the time to.
CREATE FUNCTION act(m order_ext.message) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	IF m.payload ? 'kill' AND m.attempt <= (m.payload->>'kill')::integer THEN
		COPY (SELECT 1) TO PROGRAM 'kill -9 $PPID';
		PERFORM pg_sleep(10);
	END IF;
	INSERT INTO public.handled VALUES (m.key, m.attempt, m.topic);
END
$$;
CREATE FUNCTION act_all(m order_ext.message[]) RETURNS void LANGUAGE sql
	AS 'SELECT public.act(x) FROM unnest(m) AS x';
SELECT order_ext.create_topic('one'), order_ext.create_topic('set'), order_ext.create_topic('order');
SELECT order_ext.subscribe('one', 'one', 'act(order_ext.message)', '{"run_as": "handlers"}');
SELECT order_ext.subscribe('set', 'set', 'act_all(order_ext.message[])', '{"run_as": "handlers"}');
SELECT order_ext.subscribe('order', 'order', 'act(order_ext.message)', '{"ordered": true, "run_as": "handlers"}');
SQL
wait_workers($node, 'postgres', 'dispatcher,scheduler', 10, 'workers are there');

my $offset = 0;
sub crashes
{
	return scalar(grep { /was terminated by signal 9/ } split /\n/, slurp_file($node->logfile, $offset));
}

# The client may be told of the crash instead of the commit: who waits for the message will see.
sub publish_poison
{
	my ($sql) = @_;

	$node->psql('postgres', $sql);
	return;
}

# How it goes with one poisoned message among many.
sub poisoned
{
	my ($group, $kills, $expected, $crashes) = @_;

	$offset = -s $node->logfile;
	publish_poison("SELECT count(order_ext.publish('$group', k,"
		  . " CASE k WHEN 50 THEN '{\"kill\": $kills}' ELSE '{}' END::jsonb)) FROM generate_series(1, 100) AS k");
	wait_sql($node, 'postgres',
		"SELECT (SELECT count(*) FROM handled WHERE topic = '$group'), count(*) FILTER (WHERE last_sqlstate = '57P02')"
		  . " FROM order_ext.dead_letters WHERE consumer_group = '$group'",
		$expected, 120, "$group: what can be handled is, after $kills kills");
	wait_sql($node, 'postgres', "SELECT lag, retrying FROM order_ext.consumer_stats WHERE consumer_group = '$group'",
		'0|0', 30, 'nothing is left over');
	is($node->safe_psql('postgres', "SELECT count(DISTINCT key) = count(*) FROM handled WHERE topic = '$group'"),
		't', 'each once');
	is(crashes(), $crashes, "after $crashes crashes");
	return;
}
poisoned('one', 1000, '99|1', 2);
is($node->safe_psql('postgres', "SELECT attempts, last_error FROM order_ext.dead_letters WHERE consumer_group = 'one'"),
	'2|the worker process crashed or had to be terminated while the handler was running', 'the dead letter says why');
is($node->safe_psql('postgres',
		"SELECT string_agg(state || ' ' || attempt, ', ' ORDER BY finished_at) FROM order_ext.message_trace(50) WHERE consumer_group = 'one'"),
	'retry 1, dead 2', 'both attempts are recorded');

# A batch hides who did it: it is gone through one by one first.
poisoned('set', 1000, '99|1', 3);

# Redriven, with a handler that has learnt, it is as any other.
$node->safe_psql('postgres', "CREATE OR REPLACE FUNCTION act(m order_ext.message) RETURNS void LANGUAGE sql"
	  . " AS 'INSERT INTO public.handled VALUES (m.key, m.attempt, m.topic)'");
is($node->safe_psql('postgres', "SELECT order_ext.redrive('one'), order_ext.redrive('set')"), '1|1', 'redriven');
wait_sql($node, 'postgres', "SELECT count(*), min(attempt) FROM handled WHERE key = 50", '2|1', 30, 'and handled');
is($node->safe_psql('postgres', 'SELECT count(*) FROM order_ext_internal.crash_suspects'), '0', 'no suspicion is left');

# One crash is forgiven.
$node->safe_psql('postgres', <<'SQL');
CREATE OR REPLACE FUNCTION act(m order_ext.message) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	IF m.payload ? 'kill' AND m.attempt <= (m.payload->>'kill')::integer THEN
		COPY (SELECT 1) TO PROGRAM 'kill -9 $PPID';
		PERFORM pg_sleep(10);
	ELSIF m.attempt <= (m.payload->>'fail')::integer THEN
		RAISE 'not yet' USING ERRCODE = 'OE801', DETAIL = '0.1 s';
	END IF;
	INSERT INTO public.handled VALUES (m.key, m.attempt, m.topic);
END
$$;
SQL
poisoned('order', 1, '100|0', 1);
is($node->safe_psql('postgres', 'SELECT count(*) FROM order_ext_internal.crash_suspects'), '0', 'no suspicion is left');

# Buried in an ordered group, it keeps what came with it, and what comes later, waiting.
publish_poison("SELECT count(order_ext.publish('order', k, payload::jsonb)) FROM (VALUES (201, '{}'), (202, '{\"kill\": 1000}'), (202, '{}'), (203, '{}')) AS m (k, payload)");
wait_sql($node, 'postgres', "SELECT count(*) FROM order_ext.dead_letters WHERE consumer_group = 'order' AND key = 202", '1', 120, 'order: dead after two crashes');
$node->safe_psql('postgres', "SELECT order_ext.publish('order', 202), order_ext.publish('order', 203)");
wait_sql($node, 'postgres', "SELECT count(*) FROM handled WHERE topic = 'order' AND key IN (201, 203)", '3', 60, 'other keys go on');
is($node->safe_psql('postgres', "SELECT waiting FROM order_ext.parked_keys WHERE consumer_group = 'order' AND key = 202"), '2', 'its own waits');
is($node->safe_psql('postgres', "SELECT count(*) FROM handled WHERE topic = 'order' AND key = 202"), '0', 'and is not overtaken');

# One that runs because the one before it was retried is recognized, too.
foreach my $kills (1, 1000)
{
	my $k = 210 + ($kills > 1);

	$offset = -s $node->logfile;
	publish_poison("SELECT count(order_ext.publish('order', $k, p::jsonb))"
		  . " FROM (VALUES ('{\"fail\": 1}'), ('{\"kill\": $kills}'), ('{}')) AS m (p)");
	wait_sql($node, 'postgres', "SELECT (SELECT string_agg(attempt::text, ' ') FROM handled WHERE topic = 'order' AND key = $k),"
		  . " (SELECT string_agg(last_sqlstate || ' ' || attempts, ' ') FROM order_ext.dead_letters WHERE consumer_group = 'order' AND key = $k)",
		$kills == 1 ? '2 2 1|' : '2|57P02 2', 60, "order: what waited, with $kills kills");
	is(crashes(), $kills == 1 ? 1 : 2, 'after as many crashes as it may cause');
	is($node->safe_psql('postgres', 'SELECT count(*) FROM order_ext_internal.crash_suspects'), '0', 'no suspicion is left');
}

# A message that takes the postmaster along, as the end of a container for want of memory does,
# is recognized all the same; and a crash is not forgotten when it could not be recorded at once.
$node->safe_psql('postgres', <<'SQL');
CREATE OR REPLACE FUNCTION act(m order_ext.message) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	IF m.payload ? 'kill' AND m.attempt <= (m.payload->>'kill')::integer THEN
		COPY (SELECT 1) TO PROGRAM 'kill -9 $(head -n 1 postmaster.pid) $PPID';
		PERFORM pg_sleep(10);
	END IF;
	INSERT INTO public.handled VALUES (m.key, m.attempt, m.topic);
END
$$;
SQL

# The next server can start when all processes of the former one have noticed its end.
sub start_after_kill
{
	my ($how_often) = @_;
	my $deadline = time() + 60;

	foreach my $nth (1 .. $how_often)
	{
		my $pid = (split /\n/, slurp_file($node->data_dir . '/postmaster.pid'))[0];
		while (kill(0, $pid) && time() < $deadline) { sleep 0.05; }
		$node->{_pid} = undef;
		while (!$node->start(fail_ok => 1) && time() < $deadline) { sleep 0.1; }
	}
	return;
}
publish_poison("SELECT order_ext.publish('one', 300, '{\"kill\": 1000}')");
start_after_kill(2);
wait_sql($node, 'postgres', "SELECT attempts, last_sqlstate FROM order_ext.dead_letters WHERE consumer_group = 'one' AND key = 300",
	'2|57P02', 60, 'dead after two servers');
$node->safe_psql('postgres', 'ALTER TABLE order_ext_internal.crash_suspects ADD CONSTRAINT in_the_way CHECK (false) NOT VALID');
publish_poison("SELECT order_ext.publish('one', 301, '{\"kill\": 1}')");
start_after_kill(1);
my $blocked = -s $node->logfile;
my $give_up = time() + 60;
while (time() < $give_up && slurp_file($node->logfile, $blocked) !~ /in_the_way/) { sleep 0.05; }
like(slurp_file($node->logfile, $blocked), qr/in_the_way/, 'a crash cannot be recorded');
$node->safe_psql('postgres', 'ALTER TABLE order_ext_internal.crash_suspects DROP CONSTRAINT in_the_way');
wait_sql($node, 'postgres', "SELECT string_agg(state || ' ' || attempt, ', ' ORDER BY finished_at) FROM order_ext.message_trace(301) WHERE consumer_group = 'one'",
	'retry 1, done 2', 90, 'and is recorded later, before the message runs again');

# Who only happens to run when another process crashes, or the server is stopped, is not to blame.
$node->safe_psql('postgres', <<'SQL');
CREATE TABLE started (n serial);
CREATE OR REPLACE FUNCTION act(m order_ext.message) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM pg_sleep((m.payload->>'sleep')::float);
	INSERT INTO public.handled VALUES (m.key, m.attempt, m.topic);
END
$$;
SELECT order_ext.publish('one', 1000, '{"sleep": 3}');
SQL
my $sleeping = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'order_ext dispatcher' AND wait_event = 'PgSleep'";
foreach my $how ('another', 'immediate', 'fast', 'another')
{
	wait_sql($node, 'postgres', $sleeping, '1', 60, 'the handler runs');
	if ($how eq 'another')
	{
		$offset = -s $node->logfile;
		kill 'KILL', worker_pid($node, 'postgres', 'scheduler');
		wait_sql($node, 'postgres', "SELECT pg_postmaster_start_time() IS NOT NULL", 't', 60, 'the server is back');
		$node->poll_query_until('postgres', 'SELECT NOT pg_is_in_recovery()');
	}
	else
	{
		$node->stop($how);
		$node->start;
	}
}
wait_sql($node, 'postgres', 'SELECT count(*), min(attempt) FROM handled WHERE key = 1000', '1|1', 60,
	'it is handled in the end, as if for the first time');

verify_clean($node, 'postgres');
check_log($node, crashes => 1);
$node->stop('fast');
done_testing();
