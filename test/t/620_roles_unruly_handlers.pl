# Handlers that do what no handler should. Each harms its own message; the messages of others,
# of the same role and of the same group, are handled meanwhile.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use OrderExtTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = start_node('unruly', "order_ext.handler_timeout = '300ms'");

$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION order_ext;
CREATE ROLE shop LOGIN;
CREATE ROLE eve LOGIN;
SELECT order_ext.grant_to('shop', 'operator'), order_ext.grant_to('eve', 'observer');
CREATE SCHEMA shop AUTHORIZATION shop;
GRANT CREATE, USAGE ON SCHEMA public TO shop, eve;
SET SESSION AUTHORIZATION shop;
CREATE TABLE shop.done (topic text, key bigint, what text DEFAULT '', at timestamptz DEFAULT clock_timestamp());
CREATE FUNCTION shop.act(m order_ext.message) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE coalesce(m.payload->>'sql', 'SELECT 1');
	INSERT INTO shop.done VALUES (m.topic, m.key);
END
$$;
CREATE FUNCTION shop.act_all(m order_ext.message[]) RETURNS void LANGUAGE sql AS 'SELECT shop.act(x) FROM unnest(m) AS x';
GRANT USAGE ON SCHEMA shop TO eve;
GRANT INSERT ON shop.done TO eve;
-- catches whatever can be caught, for ever
CREATE FUNCTION shop.hang() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	LOOP
		BEGIN
			PERFORM pg_sleep(60);
		EXCEPTION WHEN query_canceled THEN
			NULL;
		END;
	END LOOP;
END
$$;
CREATE TABLE shop.later (n integer);
CREATE FUNCTION shop.later() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM shop.hang(); RETURN NULL; END';
CREATE CONSTRAINT TRIGGER later AFTER INSERT ON shop.later INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION shop.later();
SELECT order_ext.create_topic(t), order_ext.subscribe(t, t,
	CASE t WHEN 'set' THEN 'shop.act_all(order_ext.message[])' ELSE 'shop.act(order_ext.message)' END::regprocedure,
	CASE t WHEN 'order' THEN '{"ordered": true, "max_attempts": 1}' ELSE '{"max_attempts": 1}' END::jsonb)
FROM unnest('{one,set,order,calm}'::text[]) AS t;
SQL

sub publish
{
	my ($topic, $key, $sql) = @_;
	$node->safe_psql('postgres', "SELECT order_ext.publish('$topic', $key, "
		  . (defined $sql ? "jsonb_build_object('sql', \$do\$$sql\$do\$)" : "'{}'") . ')');
	return;
}

sub dead
{
	my ($topic, $key) = @_;
	return "SELECT last_sqlstate || ' ' || last_error FROM order_ext.dead_letters WHERE consumer_group = '$topic' AND key = $key";
}

# ---- it does not end, and catches the end of its time ----

my $ended = 'the worker process crashed or had to be terminated while the handler was running';
foreach my $case (['SELECT shop.hang()', 'one', 'set', 'order'], ['INSERT INTO shop.later VALUES (1)', 'one', 'set'])
{
	my ($how, @topics) = @$case;
	foreach my $topic (@topics)
	{
		$node->safe_psql('postgres', 'TRUNCATE shop.done');
		$node->safe_psql('postgres', "SELECT count(order_ext.publish('$topic', k, CASE k WHEN 5 THEN jsonb_build_object('sql', '$how') ELSE '{}' END))"
			  . ' FROM generate_series(1, 9) AS k');
		publish('calm', 1);
		wait_sql($node, 'postgres', dead($topic, 5), "57P02 $ended", 60, "$topic, $how: it is a dead letter");
		wait_sql($node, 'postgres', "SELECT string_agg(key::text, '' ORDER BY key) FROM shop.done WHERE topic = '$topic'",
			'12346789', 30, 'the others of its group are handled, once');
		wait_sql($node, 'postgres', "SELECT count(*) FROM shop.done WHERE topic = 'calm'", '1', 30,
			'and those of other groups of its role');
		$node->safe_psql('postgres', <<SQL);
CREATE OR REPLACE FUNCTION shop.act(m order_ext.message) RETURNS void LANGUAGE sql AS 'INSERT INTO shop.done VALUES (m.topic, m.key)';
SELECT order_ext.redrive('$topic');
SQL
		wait_sql($node, 'postgres', "SELECT count(*) FROM shop.done WHERE topic = '$topic' AND key = 5", '1', 30,
			'redriven to a handler that ends, it is done');
		$node->safe_psql('postgres', <<'SQL');
CREATE OR REPLACE FUNCTION shop.act(m order_ext.message) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE coalesce(m.payload->>'sql', 'SELECT 1');
	INSERT INTO shop.done VALUES (m.topic, m.key);
END
$$;
SQL
	}
}
is($node->safe_psql('postgres', "SELECT DISTINCT sqlstate, error FROM order_ext_internal.attempts WHERE sqlstate = '57P02'"),
	'57P02|the handler continued to run after order_ext.handler_timeout had canceled it', 'the attempts say why');
is($node->safe_psql('postgres', 'SELECT count(*) FROM order_ext_internal.crash_suspects'), '0', 'no suspicion is left');

# Once is forgiven: it cleans up after the cancel.
publish('one', 20, 'DO $x$ BEGIN PERFORM pg_sleep(60); EXCEPTION WHEN query_canceled THEN NULL; END $x$');
wait_sql($node, 'postgres', "SELECT count(*) FROM shop.done WHERE key = 20", '1', 30, 'who catches it and ends has ended');

# ---- what looks like somebody's cancel is a failed attempt ----

publish('one', 30, q{DO $x$ BEGIN RAISE EXCEPTION 'canceled elsewhere' USING ERRCODE = '57014'; END $x$});
wait_sql($node, 'postgres', dead('one', 30), '57014 canceled elsewhere', 30, 'raised by the handler');
publish('one', 31, 'SELECT pg_cancel_backend(pg_backend_pid()), pg_sleep(60)');
wait_sql($node, 'postgres', dead('one', 31), '57014 canceling statement due to user request', 30, 'or done to itself');
$node->safe_psql('postgres', 'ALTER DATABASE postgres SET order_ext.enabled = off');
wait_workers($node, 'postgres', '', 30, 'the workers go');
publish('one', 32, q{DO $x$ BEGIN RAISE EXCEPTION 'canceled elsewhere' USING ERRCODE = '57014'; END $x$});
is($node->safe_psql('postgres', 'SET SESSION AUTHORIZATION shop; SELECT order_ext.dispatch()'), '1', 'dispatch() goes on as well');
is($node->safe_psql('postgres', dead('one', 32)), '57014 canceled elsewhere', 'and keeps the error');
publish('one', 33, 'SELECT pg_sleep(60)');
my ($rc, $out, $err) = $node->psql('postgres', "\\set VERBOSITY verbose\nSET SESSION AUTHORIZATION shop;\nSET statement_timeout = '100ms';\nSELECT order_ext.dispatch()");
like($err, qr/ERROR:  57014: canceling statement due to statement timeout/, 'but who cancels dispatch() cancels it');
$node->safe_psql('postgres', 'ALTER DATABASE postgres RESET order_ext.enabled');
wait_sql($node, 'postgres', dead('one', 33), '57014 handler ran longer than order_ext.handler_timeout (300 ms)', 30, 'the workers go on with it');

# ---- it catches the cancel of who called dispatch() ----

# The caller's session; canceled as soon as the handler says where it is.
sub cancel_at
{
	my ($step, @settings) = @_;
	my $session = $node->background_psql('postgres', on_error_stop => 0);

	$session->query_safe("SET $_") foreach ('SESSION AUTHORIZATION shop', @settings);
	$session->query_until(qr/^called/m, "\\echo called\nSELECT order_ext.dispatch();\n\\echo over\n");
	wait_sql($node, 'postgres', "SELECT count(*) FROM pg_stat_activity WHERE application_name = '$step'", '1', 30, "dispatch() is at $step");
	$node->safe_psql('postgres', "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE application_name = '$step'");
	$session->query_until(qr/^over/m, '');
	my $error = $session->{stderr};
	$session->quit;
	return $error;
}

$node->safe_psql('postgres', 'ALTER DATABASE postgres SET order_ext.enabled = off');
wait_workers($node, 'postgres', '', 30, 'the workers go again');
$node->safe_psql('postgres', "ALTER SYSTEM SET order_ext.handler_timeout = '10min'");
$node->reload;
publish('one', 60, q{DO $x$ BEGIN SET application_name = 'step one'; PERFORM pg_sleep(60); EXCEPTION WHEN query_canceled THEN SET application_name = 'caught'; END $x$});
like(cancel_at('step one'), qr/ERROR:  canceling statement due to user request/, 'a cancel that the handler catches is not lost');
is($node->safe_psql('postgres', 'SELECT count(*) FROM shop.done WHERE key = 60'), '0', 'and nothing of the call remains');

# At the end of its time it is canceled, goes on, and then the caller wants to be back.
$node->safe_psql('postgres', "ALTER SYSTEM SET order_ext.handler_timeout = '4s'");
$node->reload;
publish('one', 61, q{DO $x$ BEGIN PERFORM pg_sleep(60); EXCEPTION WHEN query_canceled THEN SET application_name = 'step two'; PERFORM pg_sleep(60); END $x$});
like(cancel_at('step two'), qr/ERROR:  canceling statement due to user request/, 'nor one that comes after the end of its time');
$node->safe_psql('postgres', 'ALTER SYSTEM RESET order_ext.handler_timeout');
$node->safe_psql('postgres', 'ALTER DATABASE postgres RESET order_ext.enabled');
$node->reload;
wait_sql($node, 'postgres', "SELECT count(*) FROM shop.done WHERE key = 60", '1', 30, 'the workers go on');
# ---- it meddles with its own delivery ----

my %meddling = (
	'SELECT order_ext.dispatch()' => 'dispatch() cannot be called by a handler',
	q{SELECT order_ext.unsubscribe('one')} => 'consumer group "one" cannot be changed by its own handler',
	q{SELECT order_ext.subscribe('one', 'one')} => 'consumer group "one" cannot be changed by its own handler');
my $key = 40;
foreach my $sql (sort keys %meddling)
{
	publish('one', ++$key, $sql);
	wait_sql($node, 'postgres', dead('one', $key), "55000 $meddling{$sql}", 30, "$sql is refused");
}
publish('one', 50, q{SELECT order_ext.pause('one')});
wait_sql($node, 'postgres', "SELECT paused FROM order_ext.subscriptions_view WHERE consumer_group = 'one'", 't', 30,
	'its group it may pause');
$node->safe_psql('postgres', "SELECT order_ext.resume('one')");

# ---- what it says ----

publish('one', 60, q{DO $x$ BEGIN RAISE EXCEPTION '%', repeat('é', 3000000); END $x$});
wait_sql($node, 'postgres', "SELECT length(last_error) BETWEEN 100 AND 1024 FROM order_ext.dead_letters WHERE key = 60", 't', 30,
	'a huge error text is cut');
is($node->safe_psql('postgres', "SELECT max(pg_column_size(payload)) < 4096 FROM order_ext_internal.message_log WHERE topic_id = (SELECT topic_id FROM order_ext_internal.topics WHERE name = 'ops.alert')"),
	't', 'in the alert as well');

# ---- another function of its name ----

$node->safe_psql('postgres', <<'SQL');
SET SESSION AUTHORIZATION shop;
CREATE FUNCTION public.h(m order_ext.message) RETURNS void LANGUAGE sql AS '';
SELECT order_ext.create_topic('h'), order_ext.subscribe('h', 'h', 'public.h(order_ext.message)', '{"max_attempts": 1}');
DROP FUNCTION public.h;
SET SESSION AUTHORIZATION eve;
CREATE FUNCTION public.h(m order_ext.message) RETURNS void LANGUAGE sql AS $$INSERT INTO shop.done VALUES ('eve was here', m.key)$$;
SQL
publish('h', 70);
wait_sql($node, 'postgres', dead('h', 70),
	'42501 cannot run handler public.h(order_ext.message): it belongs to role "eve" but belonged to role "shop" when it was registered',
	30, q{somebody else's function of that name does not run});
$node->safe_psql('postgres', 'ALTER FUNCTION public.h(order_ext.message) OWNER TO shop');
is($node->safe_psql('postgres', "SELECT order_ext.redrive('h')"), '1', 'redriven');
wait_sql($node, 'postgres', "SELECT count(*) FROM shop.done WHERE key = 70", '1', 30, q{the role's own does});
# whatever the session that subscribes prefers
$node->safe_psql('postgres', q{SET SESSION AUTHORIZATION shop; SET quote_all_identifiers = on; SELECT order_ext.subscribe('h', 'h', 'public.h(order_ext.message)')});
publish('h', 71);
wait_sql($node, 'postgres', "SELECT count(*) FROM shop.done WHERE key = 71", '1', 30, 'quoted names are found again');

wait_sql($node, 'postgres', "SELECT sum(lag), sum(retrying), sum(parked) FROM order_ext.consumer_stats WHERE topic <> 'ops.alert'", '0|0|0', 30,
	'nothing is left over');
verify_clean($node, 'postgres');
check_log($node);
$node->stop('fast');
done_testing();
