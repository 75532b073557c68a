# Gateways run in sessions of their roles: what one tries in order to become somebody else or
# to disturb the books, what happens when its role is not there, and that a server that is
# killed while it works loses and doubles nothing.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use OrderExtTest;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

my $kills = $ENV{REFUND_KILLS} || 4;
my $node = start_node('gateway_roles', 'fsync = off');
my $calls = $node->basedir . '/gateway_calls';

$node->safe_psql('postgres', <<"SQL");
CREATE EXTENSION order_ext;
SELECT order_ext.put_product('A', 'a', 100);
SELECT order_ext.adjust_stock('A', 100000);
CREATE ROLE shop LOGIN;
CREATE ROLE clerk LOGIN;
CREATE ROLE boss LOGIN;
GRANT clerk, pg_execute_server_program TO shop;
SELECT order_ext.grant_to('shop', 'operator');
CREATE SCHEMA shop AUTHORIZATION shop;
GRANT USAGE ON SCHEMA shop TO clerk, boss;
SET SESSION AUTHORIZATION shop;
CREATE TABLE shop.tries (order_id bigint PRIMARY KEY, sql text);
CREATE TABLE shop.told (
	n serial, order_id bigint, refund_id bigint, attempt integer, what text, who text DEFAULT current_user,
	session_who text DEFAULT session_user, pid integer DEFAULT pg_backend_pid());
GRANT SELECT ON shop.tries TO clerk;
GRANT INSERT, SELECT ON shop.told TO clerk, boss;
GRANT USAGE ON SEQUENCE shop.told_n_seq TO clerk, boss;
-- tries what the order's row says
CREATE FUNCTION shop.gateway(r order_ext.refund_request) RETURNS text LANGUAGE plpgsql AS \$\$
BEGIN
	PERFORM set_config('shop.order', r.order_id::text, true);
	EXECUTE coalesce((SELECT sql FROM shop.tries t WHERE t.order_id = r.order_id), 'SELECT 1');
	INSERT INTO shop.told (order_id, refund_id, attempt, what)
	VALUES (r.order_id, r.refund_id, r.attempt, coalesce(nullif(current_setting('shop.what', true), ''), 'done'));
	RETURN 'succeeded';
END
\$\$;
-- a call leaves the database, before its transaction ends
CREATE FUNCTION shop.outside(r order_ext.refund_request) RETURNS text LANGUAGE plpgsql AS \$\$
BEGIN
	EXECUTE format('COPY (SELECT %s, %s) TO PROGRAM %L', r.refund_id, r.attempt, 'cat >> $calls');
	INSERT INTO shop.told (order_id, refund_id, attempt, what) VALUES (r.order_id, r.refund_id, r.attempt, 'outside');
	PERFORM pg_sleep(0.1);
	RETURN 'succeeded';
END
\$\$;
-- the sleep gives the shell the time to kill
CREATE FUNCTION shop.crashing(r order_ext.refund_request) RETURNS text LANGUAGE plpgsql AS \$\$
BEGIN
	COPY (SELECT 1) TO PROGRAM 'kill -9 \$PPID';
	PERFORM pg_sleep(60);
	RETURN 'succeeded';
END
\$\$;
SELECT order_ext.set_gateway('shop', 'shop.gateway(order_ext.refund_request)');
SELECT order_ext.set_gateway('clerk', 'shop.gateway(order_ext.refund_request)', 'clerk');
RESET SESSION AUTHORIZATION;
CREATE FUNCTION public.of_boss(r order_ext.refund_request) RETURNS text LANGUAGE sql AS \$\$
	INSERT INTO shop.told (order_id, what) VALUES (r.order_id, 'done') RETURNING 'succeeded' \$\$;
SELECT order_ext.set_gateway('boss', 'public.of_boss(order_ext.refund_request)', 'boss');
SQL

# A refund whose gateway has that to execute; the order. The order is canceled before it is
# paid, so that its money goes back.
sub refund
{
	my ($pay_type, $sql) = @_;

	return $node->safe_psql('postgres', <<"SQL");
SELECT (order_ext.create_order(7, '[{"sku": "A", "quantity": 1}]', 100)).id AS o \\gset
SELECT order_ext.cancel_order(:o) \\g /dev/null
INSERT INTO shop.tries VALUES (:o, \$do\$$sql\$do\$);
SELECT order_ext.pay_callback(:o, 'T-' || :o, '$pay_type', 100) \\g /dev/null
SELECT :o
SQL
}

# What became of it: what was reported, or the gateway's last words.
sub became
{
	my ($order, $expected, $name, $seconds) = @_;
	return wait_sql($node, 'postgres', <<"SQL", $expected, $seconds || 30, $name);
SELECT CASE status WHEN 'succeeded' THEN (SELECT string_agg(concat_ws(' ', what, who, session_who), ', ' ORDER BY n) FROM shop.told WHERE order_id = $order)
	ELSE last_outcome END FROM order_ext.refunds_view WHERE order_id = $order
SQL
}

# From now on it does nothing special: the refund goes through with its next attempt.
sub behave
{
	my ($order, $name) = @_;
	$node->safe_psql('postgres', "UPDATE shop.tries SET sql = 'SELECT 1' WHERE order_id = $order");
	return became($order, 'done shop shop', $name);
}

# ---- who it runs as ----

became(refund('shop', 'SELECT 1'), 'done shop shop', 'a gateway runs as its role, in a session of it');
became(refund('clerk', 'SELECT 1'), 'done clerk clerk', 'the one with run_as in a session of that role');
became(refund('boss', 'SELECT 1'), 'done boss boss', q{that of a superuser, too});
is($node->safe_psql('postgres', 'SELECT count(DISTINCT pid) FROM shop.told'), '3', 'a process each');
is($node->safe_psql('postgres', "SELECT string_agg(role, ' ' ORDER BY role) FROM order_ext.worker_stats WHERE kind = 'dispatcher' AND pid IS NOT NULL"),
	'boss clerk postgres shop', 'worker_stats shows them');
is($node->safe_psql('postgres', 'SELECT count(*) FROM shop.told JOIN pg_roles ON rolname = session_who WHERE rolsuper'),
	'0', q{nothing ran in a superuser's session});

# ---- escapes ----

foreach my $try ('RESET ROLE', 'SET ROLE clerk', 'SET ROLE postgres', 'SET LOCAL ROLE NONE', q{SELECT set_config('role', 'postgres', false)})
{
	my $order = refund('shop', $try);
	became($order, '42501: cannot set parameter "role" within security-definer function', "$try is refused");
	behave($order, "and it is asked again") if $try eq 'RESET ROLE';
}
foreach my $try ('RESET SESSION AUTHORIZATION', 'SET SESSION AUTHORIZATION postgres')
{
	became(refund('shop', $try), '42501: cannot set parameter "session_authorization" within security-definer function', "$try is refused");
}
became(refund('shop', 'UPDATE order_ext_internal.refunds SET status = 20'), '42501: permission denied for schema order_ext_internal', 'the books are not its own');
foreach my $try ('COMMIT', 'ROLLBACK')
{
	became(refund('shop', $try), '0A000: EXECUTE of transaction commands is not implemented', "$try is refused");
}

# A deferred trigger runs as the role, within the call; one that defers itself until the commit
# as well, and the next call finds the session as it should be.
$node->safe_psql('postgres', <<'SQL');
SET SESSION AUTHORIZATION shop;
CREATE TABLE shop.deferred (order_id bigint, sql text, times integer DEFAULT 1);
CREATE FUNCTION shop.deferred() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF NEW.times > 1 THEN
		SET CONSTRAINTS ALL DEFERRED;
		INSERT INTO shop.deferred VALUES (NEW.order_id, NEW.sql, NEW.times - 1);
		RETURN NULL;
	END IF;
	BEGIN
		EXECUTE NEW.sql;
		INSERT INTO shop.told (order_id, what) VALUES (NEW.order_id, 'trigger');
	EXCEPTION WHEN insufficient_privilege OR invalid_parameter_value THEN
		INSERT INTO shop.told (order_id, what) VALUES (NEW.order_id, 'trigger refused');
	END;
	RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER deferred AFTER INSERT ON shop.deferred INITIALLY DEFERRED
	FOR EACH ROW EXECUTE FUNCTION shop.deferred();
SQL
my $defer = q{INSERT INTO shop.deferred VALUES (current_setting('shop.order')::bigint, %s, %d)};
foreach my $times (1, 2)
{
	became(refund('shop', sprintf($defer, q{'SELECT 1'}, $times)), 'done shop shop, trigger shop shop', "a deferred trigger runs as the role ($times)");
	became(refund('shop', sprintf($defer, q{'SET ROLE postgres'}, $times)), 'done shop shop, trigger refused shop shop', "and cannot become the superuser ($times)");
}
became(refund('shop', sprintf($defer, q{'SET ROLE clerk'}, 2)), 'done shop shop, trigger clerk shop', 'at commit it may become what the role may');
became(refund('shop', 'SELECT 1'), 'done shop shop', 'that is gone with the next call');
my $order = refund('shop', sprintf($defer, q{'SELECT 1/0'}, 1));
became($order, '22012: division by zero', 'a failing deferred trigger is an error of the gateway');
behave($order, 'and nothing of that call remains');

# Planted objects, and what is left behind.
$node->safe_psql('postgres', 'CREATE SCHEMA evil AUTHORIZATION shop');
became(refund('shop', <<'SQL'), 'done shop shop', 'a gateway may plant what it likes');
DROP TABLE IF EXISTS pg_temp.refunds, pg_temp.payments;
CREATE TEMP TABLE refunds (x integer);
CREATE TEMP TABLE payments (x integer);
CREATE FUNCTION evil.eq(bigint, bigint) RETURNS boolean LANGUAGE plpgsql AS $f$
BEGIN INSERT INTO shop.told (what) VALUES ('planted'); RETURN true; END $f$;
CREATE FUNCTION evil.clock_timestamp() RETURNS timestamptz LANGUAGE plpgsql AS $f$
BEGIN INSERT INTO shop.told (what) VALUES ('planted'); RETURN now(); END $f$;
CREATE OPERATOR evil.= (FUNCTION = evil.eq, LEFTARG = bigint, RIGHTARG = bigint);
SET search_path = evil, pg_temp, pg_catalog;
SET shop.what = 'left behind';
SET statement_timeout = '1h';
SELECT pg_advisory_lock(4711);
PREPARE left_behind AS SELECT 1;
DECLARE left_behind CURSOR WITH HOLD FOR SELECT 1;
SET shop.what = ''
SQL
$order = refund('shop', <<'SQL');
INSERT INTO shop.told (what) SELECT concat_ws(' ', 'found:',
	current_setting('search_path'), current_setting('statement_timeout'), current_setting('shop.what', true),
	(SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 4711 AND pid = pg_backend_pid()),
	(SELECT count(*) FROM pg_prepared_statements WHERE name = 'left_behind'),
	(SELECT count(*) FROM pg_cursors WHERE name = 'left_behind'),
	to_regclass('pg_temp.refunds'))
SQL
became($order, 'done shop shop', 'the next one looks around');
is($node->safe_psql('postgres', q{SELECT what FROM shop.told WHERE what LIKE 'found:%'}), 'found: "$user", public, pg_temp 0  0 0 0', 'and finds a session as new');
is($node->safe_psql('postgres', q{SELECT count(*) FROM shop.told WHERE what = 'planted'}), '0', 'nobody ran what was planted');

# A call that takes too long has no answer; it is not repeated before its lease is over.
$node->safe_psql('postgres', q{ALTER DATABASE postgres SET order_ext.handler_timeout = '500ms'});
wait_sql($node, 'postgres', q{SELECT count(*) FROM order_ext.worker_stats WHERE role = 'shop' AND state = 'idle'}, '1', 30, 'workers start anew');
$order = refund('shop', 'SELECT pg_sleep(60)');
became($order, '57014: handler ran longer than order_ext.handler_timeout (500 ms)', 'a call that takes too long has no answer');
is($node->safe_psql('postgres', "SELECT count(*) FROM order_ext.message_trace($order) WHERE state IN ('retry', 'dead')"), '0', 'its message is done all the same');
behave($order, 'and it is asked again when the lease is over');
$node->safe_psql('postgres', 'ALTER DATABASE postgres RESET order_ext.handler_timeout');

# ---- what changes after set_gateway ----

$node->safe_psql('postgres', 'ALTER ROLE clerk NOLOGIN');
wait_sql($node, 'postgres', q{SELECT string_agg(state, ',') FROM order_ext.worker_stats WHERE role = 'clerk'}, 'role may not log in', 30,
	'without LOGIN its process leaves, and worker_stats says why');
$order = refund('clerk', 'SELECT 1');
is($node->safe_psql('postgres', q{SELECT actual FROM order_ext.verify('I15') WHERE entity = 'group refund.execute:clerk'}),
	'the role may not log in: its messages wait', 'verify() tells who waits');
is($node->safe_psql('postgres', "SELECT status, attempt FROM order_ext.refunds_view WHERE order_id = $order"), 'requested|0', 'the refund does');
$node->safe_psql('postgres', 'ALTER ROLE clerk LOGIN');
became($order, 'done clerk clerk', 'until the role may log in again');
is($node->safe_psql('postgres', "SELECT attempt FROM order_ext.refunds_view WHERE order_id = $order"), '1', 'with its first attempt');

$node->safe_psql('postgres', 'ALTER FUNCTION shop.gateway OWNER TO postgres; ALTER FUNCTION shop.gateway SECURITY DEFINER');
$order = refund('shop', 'SELECT 1');
became($order, q{42501: cannot run shop.gateway(order_ext.refund_request): it is a superuser's SECURITY DEFINER function},
	'a function that has become a way to the superuser is not called');
$node->safe_psql('postgres', 'ALTER FUNCTION shop.gateway SECURITY INVOKER; REVOKE EXECUTE ON FUNCTION shop.gateway FROM PUBLIC');
became($order, '42501: cannot run shop.gateway(order_ext.refund_request): role "shop" has no EXECUTE privilege on it', 'nor one without EXECUTE');
$node->safe_psql('postgres', 'ALTER FUNCTION shop.gateway OWNER TO shop');
became($order, 'done shop shop', 'until it may be again', 60);

# A role that becomes a superuser runs nothing any more.
$node->safe_psql('postgres', 'ALTER ROLE boss SUPERUSER');
wait_sql($node, 'postgres', q{SELECT string_agg(state, ',') FROM order_ext.worker_stats WHERE role = 'boss'}, 'role is a superuser', 30,
	'the process of a role that becomes a superuser leaves');
$order = refund('boss', 'SELECT 1');
is($node->safe_psql('postgres', q{SELECT actual FROM order_ext.verify('I15') WHERE entity = 'group refund.execute:boss'}),
	'the role is a superuser: its messages wait', 'verify() tells who waits');
is($node->safe_psql('postgres', 'SET SESSION AUTHORIZATION boss; SELECT count(*) FROM order_ext.dispatch(); SELECT count(*) FROM shop.told WHERE order_id = ' . $order), "1\n0",
	'nor does its dispatch() run it');
$node->safe_psql('postgres', 'ALTER ROLE boss NOSUPERUSER');
became($order, 'done boss boss', 'until it is none any more');
$node->safe_psql('postgres', q{SELECT order_ext.set_gateway('boss', NULL); DROP OWNED BY boss; DROP ROLE boss});

# ---- the server is killed while it works ----

$node->safe_psql('postgres', q{SET SESSION AUTHORIZATION shop; SELECT order_ext.set_gateway('outside', 'shop.outside(order_ext.refund_request)')});
my $killed = 0;
foreach my $round (1 .. $kills)
{
	my $deadline = time() + 60;
	my $pid = '';

	$node->safe_psql('postgres', <<'SQL');
DO $$
DECLARE
	o bigint;
BEGIN
	FOR i IN 1..10 LOOP
		o := (order_ext.create_order(7, '[{"sku": "A", "quantity": 1}]', 100)).id;
		PERFORM order_ext.cancel_order(o);
		PERFORM order_ext.pay_callback(o, 'T-' || o, 'outside', 100);
	END LOOP;
END
$$
SQL
	while (time() < $deadline)
	{
		my ($rc, $out) = $node->psql('postgres', <<'SQL');
SELECT pid FROM pg_stat_activity WHERE backend_type = 'order_ext dispatcher' AND usename = 'shop' AND backend_xid IS NOT NULL
	AND EXISTS (SELECT FROM order_ext.refunds_view WHERE status = 'submitted')
SQL
		$pid = $out // '';
		last if $rc == 0 && $pid =~ /^\d+$/;
		sleep 0.002;
	}
	next if $pid !~ /^\d+$/;
	sleep rand 0.05;
	my $offset = -s $node->logfile;
	next if !kill 'KILL', $pid;
	$killed++;
	$deadline = time() + 60;
	sleep 0.02 while time() < $deadline && slurp_file($node->logfile, $offset) !~ /ready to accept connections/;
	$node->poll_query_until('postgres', 'SELECT true');
}
is($killed, $kills, 'the server was killed while refunds were under way');
my $outside = "order_ext.refunds_view r JOIN order_ext.payments_view p USING (payment_id) WHERE p.pay_type = 'outside'";
# What was under way at two kills is taken for their cause, and redriven by staff.
wait_sql($node, 'postgres', "SELECT count(*), count(*) FILTER (WHERE r.status = 'succeeded') FROM $outside AND order_ext.redrive('refund.execute:outside') >= 0", 10 * $kills . '|' . 10 * $kills, 180, 'every refund is settled');
is($node->safe_psql('postgres', q{SELECT count(*), count(DISTINCT refund_id) FROM shop.told WHERE what = 'outside'}), 10 * $kills . '|' . 10 * $kills,
	'what the gateway did in the database is there once');
is($node->safe_psql('postgres', <<"SQL"), 't|t|t', 'called was what had been claimed, and twice under one claim only what was under way at a kill');
CREATE TEMP TABLE called (refund_id bigint, attempt integer);
COPY called FROM '$calls';
SELECT NOT EXISTS (SELECT FROM called c LEFT JOIN order_ext.refunds_view r USING (refund_id) WHERE r.refund_id IS NULL OR r.attempt < c.attempt),
	(SELECT count(DISTINCT refund_id) = 10 * $kills FROM called),
	(SELECT count(*) - count(DISTINCT (refund_id, attempt)) <= $killed FROM called)
SQL

# A gateway that kills the server does so twice; then its refund waits for people, and only its.
$node->safe_psql('postgres', q{SET SESSION AUTHORIZATION shop; SELECT order_ext.set_gateway('crash', 'shop.crashing(order_ext.refund_request)')});
$node->safe_psql('postgres', q{SELECT order_ext.pause('refund.execute:crash')});
$order = refund('crash', 'SELECT 1');
$node->psql('postgres', q{SELECT order_ext.resume('refund.execute:crash')});	# perhaps its last words
wait_sql($node, 'postgres', "SELECT consumer_group, attempts, last_sqlstate FROM order_ext.dead_letters WHERE key = $order", 'refund.execute:crash|2|57P02', 120,
	'a gateway that kills the server is given up after the second time');
became(refund('shop', 'SELECT 1'), 'done shop shop', 'others go on');
wait_sql($node, 'postgres', "SELECT waiting FROM order_ext.parked_keys WHERE key = $order", '1', 60, 'the next attempt waits for a redrive');
is($node->safe_psql('postgres', "SELECT status, attempt FROM order_ext.refunds_view WHERE order_id = $order"), 'submitted|1', 'so that the refund stays as it is');
$node->safe_psql('postgres', q{SET SESSION AUTHORIZATION shop; SELECT order_ext.set_gateway('crash', 'shop.gateway(order_ext.refund_request)'), order_ext.redrive('refund.execute:crash')});
became($order, 'done shop shop', 'and goes through when the gateway is mended');

wait_sql($node, 'postgres', q{SELECT count(*) FROM order_ext.refunds_view WHERE attempt > 0 AND status NOT IN ('succeeded', 'submitted')}, '0', 10, 'no refund has failed');
verify_clean($node, 'postgres');
check_log($node, crashes => 1);
$node->stop('fast');
done_testing();
