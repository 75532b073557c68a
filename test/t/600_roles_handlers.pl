# Handlers run in sessions of their roles: who may subscribe what, what a handler tries in
# order to become somebody else, and what it leaves behind for the next one.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use OrderExtTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = start_node('roles');

$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION order_ext;
CREATE ROLE shop LOGIN;
CREATE ROLE clerk LOGIN;
CREATE ROLE team NOLOGIN;
CREATE ROLE nobody LOGIN;
GRANT clerk, team TO shop;
SELECT order_ext.grant_to('shop', 'operator'), order_ext.grant_to('shop', 'worker');
CREATE SCHEMA shop AUTHORIZATION shop;
GRANT USAGE ON SCHEMA shop TO clerk;
CREATE SCHEMA boss;
-- what a superuser left lying about
CREATE FUNCTION boss.definer(m order_ext.message) RETURNS void LANGUAGE sql SECURITY DEFINER AS '';
CREATE FUNCTION boss.plain(m order_ext.message) RETURNS void LANGUAGE sql AS '';
CREATE FUNCTION boss.secret(m order_ext.message) RETURNS void LANGUAGE sql AS '';
REVOKE EXECUTE ON FUNCTION boss.secret FROM PUBLIC;
GRANT USAGE ON SCHEMA boss TO shop;
SET SESSION AUTHORIZATION shop;
CREATE TABLE shop.told (
	n serial, key bigint, what text, who text DEFAULT current_user,
	session_who text DEFAULT session_user, pid integer DEFAULT pg_backend_pid());
GRANT INSERT, SELECT ON shop.told TO clerk;
GRANT USAGE ON SEQUENCE shop.told_n_seq TO clerk;
-- does what the message says
CREATE FUNCTION shop.act(m order_ext.message) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE m.payload->>'sql';
	INSERT INTO shop.told (key, what) VALUES (m.key, coalesce(nullif(current_setting('shop.what', true), ''), 'done'));
END
$$;
SELECT order_ext.create_topic('shop');
SQL

# ---- who may subscribe what ----

sub refused
{
	my ($as, $call, $sqlstate, $text, $name) = @_;
	my ($rc, $out, $err) = $node->psql('postgres',
		"SET SESSION AUTHORIZATION $as;\n\\set VERBOSITY verbose\nSELECT order_ext.subscribe($call)");
	like($err, qr/ERROR:\s+$sqlstate: .*$text/s, $name);
	return;
}
refused('shop', q{'x', 'shop', 'shop.act(order_ext.message)', '{"run_as": "nobody"}'}, '42501',
	'not a member', 'a role that one is no member of is refused');
refused('shop', q{'x', 'shop', 'shop.act(order_ext.message)', '{"run_as": "team"}'}, '42501',
	'not permitted to log in', 'a role without LOGIN is refused');
refused('shop', q{'x', 'shop', 'shop.act(order_ext.message)', '{"run_as": "ghost"}'}, '42704',
	'does not exist', 'a role that is not there is refused');
refused('shop', q{'x', 'shop', 'shop.act(order_ext.message)', '{"run_as": "postgres"}'}, '42501',
	'not a member', 'the superuser is refused');
refused($_, q{'x', 'shop', 'boss.definer(order_ext.message)', '{"run_as": "shop"}'}, '42501',
	'SECURITY DEFINER', qq{a superuser's SECURITY DEFINER function is refused to $_}) foreach 'shop', 'postgres';
refused('shop', q{'x', 'shop', 'boss.secret(order_ext.message)'}, '42501',
	'permission denied', 'a function that one may not execute is refused');
refused('postgres', q{'x', 'shop', 'shop.act(order_ext.message)'}, '42501',
	'role "postgres" is a superuser', q{nothing runs as a superuser});
refused('postgres', q{'x', 'shop', 'boss.secret(order_ext.message)', '{"run_as": "shop"}'}, '42501',
	'no EXECUTE privilege', 'the role must be allowed to execute it');
is($node->safe_psql('postgres', 'SELECT count(*) FROM order_ext.subscriptions_view WHERE NOT builtin'),
	'0', 'nothing of that is stored');

# ---- who it runs as ----

$node->safe_psql('postgres', <<'SQL');
SET SESSION AUTHORIZATION shop;
SELECT order_ext.subscribe('shop', 'shop', 'shop.act(order_ext.message)', '{"max_attempts": 1}');
SELECT order_ext.create_topic('clerk');
SELECT order_ext.subscribe('clerk', 'clerk', 'shop.act(order_ext.message)', '{"run_as": "clerk", "max_attempts": 1}');
SELECT order_ext.create_topic('boss');
RESET SESSION AUTHORIZATION;
SELECT order_ext.subscribe('boss', 'boss', 'boss.plain(order_ext.message)', '{"run_as": "clerk"}');
SQL
my $key = 0;

# Have a handler execute it; the key of its message.
sub act
{
	my ($topic, $sql) = @_;
	$key++;
	$node->safe_psql('postgres', "SELECT order_ext.publish('$topic', $key, jsonb_build_object('sql', \$do\$$sql\$do\$))");
	return $key;
}

# It was done, or failed, as (outcome, who).
sub became
{
	my ($n, $expected, $name) = @_;
	return wait_sql($node, 'postgres',
		"SELECT what || ' ' || who || ' ' || session_who FROM shop.told WHERE key = $n"
		  . " UNION ALL SELECT last_sqlstate || ' ' || last_error FROM order_ext.dead_letters WHERE key = $n"
		  . " ORDER BY 1", $expected, 30, $name);
}
became(act('shop', 'SELECT 1'), 'done shop shop', 'the handler runs as its role, in a session of it');
became(act('clerk', 'SELECT 1'), 'done clerk clerk', 'and the one with run_as in another process');
is($node->safe_psql('postgres', "SELECT count(DISTINCT pid) FROM shop.told"), '2', 'a process each');
is($node->safe_psql('postgres', "SELECT string_agg(role, ' ' ORDER BY role) FROM order_ext.worker_stats WHERE kind = 'dispatcher'"),
	'clerk postgres shop', 'worker_stats shows them');

# ---- escapes ----

foreach my $try ('RESET ROLE', 'SET ROLE clerk', 'SET ROLE postgres', 'SET LOCAL ROLE NONE')
{
	became(act('shop', $try), '42501 cannot set parameter "role" within security-definer function',
		"$try is refused");
}
foreach my $try ('RESET SESSION AUTHORIZATION', 'SET SESSION AUTHORIZATION postgres')
{
	became(act('shop', $try),
		'42501 cannot set parameter "session_authorization" within security-definer function',
		"$try is refused");
}
became(act('shop', q{SELECT set_config('role', 'postgres', false)}),
	'42501 cannot set parameter "role" within security-definer function', 'set_config() is refused');

# A deferred trigger runs as the role, and cannot change it either; nor one that defers
# itself until the commit.
$node->safe_psql('postgres', <<'SQL');
SET SESSION AUTHORIZATION shop;
CREATE TABLE shop.deferred (key bigint, sql text, times integer DEFAULT 1);
CREATE FUNCTION shop.deferred() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF NEW.times > 1 THEN
		SET CONSTRAINTS ALL DEFERRED;
		INSERT INTO shop.deferred VALUES (NEW.key, NEW.sql, NEW.times - 1);
		RETURN NULL;
	END IF;
	BEGIN
		EXECUTE NEW.sql;
		INSERT INTO shop.told (key, what) VALUES (NEW.key, 'trigger did it');
	EXCEPTION WHEN insufficient_privilege OR invalid_parameter_value THEN
		INSERT INTO shop.told (key, what) VALUES (NEW.key, 'trigger refused');
	END;
	RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER deferred AFTER INSERT ON shop.deferred INITIALLY DEFERRED
	FOR EACH ROW EXECUTE FUNCTION shop.deferred();
SQL
foreach my $times (1, 2)
{
	became(act('shop', "INSERT INTO shop.deferred VALUES ($key + 1, 'SELECT 1', $times)"),
		"done shop shop\ntrigger did it shop shop", "a deferred trigger runs as the role ($times)");
	became(act('shop', "INSERT INTO shop.deferred VALUES ($key + 1, 'SET ROLE postgres', $times)"),
		"done shop shop\ntrigger refused shop shop", "and cannot become the superuser ($times)");
}
# It may become a role that its own may become, as any session of it; the next handler is
# back in its own.
act('shop', "INSERT INTO shop.deferred VALUES ($key + 1, 'SET ROLE clerk', 2)");
became(act('shop', 'SELECT 1'), 'done shop shop', 'a role that a trigger set at commit is gone');
# A trigger that fails at commit is the message's failure.
became(act('shop', "INSERT INTO shop.deferred VALUES ($key + 1, 'SELECT 1/0')"),
	'22012 division by zero', 'a failing deferred trigger makes a dead letter');

# Planted objects: nothing of ours runs what a handler left in its search path.
$node->safe_psql('postgres', 'CREATE SCHEMA evil AUTHORIZATION shop');
my $plant = <<'SQL';
DROP TABLE IF EXISTS pg_temp.retries, pg_temp.group_progress;
CREATE TEMP TABLE retries (x integer);
CREATE TEMP TABLE group_progress (x integer);
CREATE OR REPLACE FUNCTION evil.eq(integer, integer) RETURNS boolean LANGUAGE plpgsql AS $f$
BEGIN INSERT INTO shop.told (key, what) VALUES (-1, 'planted'); RETURN true; END $f$;
CREATE OR REPLACE FUNCTION evil.clock_timestamp() RETURNS timestamptz LANGUAGE plpgsql AS $f$
BEGIN INSERT INTO shop.told (key, what) VALUES (-1, 'planted'); RETURN now(); END $f$;
DROP OPERATOR IF EXISTS evil.= (integer, integer);
CREATE OPERATOR evil.= (FUNCTION = evil.eq, LEFTARG = integer, RIGHTARG = integer);
SET search_path = evil, pg_temp, pg_catalog
SQL
became(act('shop', $plant), 'done shop shop', 'a handler may plant what it likes');
my $failing = act('shop', 'SELECT 1/0');
became($failing, '22012 division by zero', 'failures are recorded all the same');
became(act('shop', 'SELECT 1'), 'done shop shop', 'and successes');
is($node->safe_psql('postgres', 'SELECT count(*) FROM shop.told WHERE key = -1'), '0', 'nobody ran what was planted');

# ---- what a handler leaves behind ----

my $leave = <<'SQL';
SET shop.what = 'left behind';
SET search_path = evil;
SET statement_timeout = '1h';
SELECT pg_advisory_lock(4711);
PREPARE left_behind AS SELECT 1;
CREATE TEMP TABLE left_behind (x integer);
DECLARE left_behind CURSOR WITH HOLD FOR SELECT 1
SQL
act('shop', $leave);
my $found = act('shop', <<'SQL');
INSERT INTO shop.told (key, what) SELECT 0, concat_ws(' ',
	current_setting('search_path'), current_setting('statement_timeout'), current_setting('shop.what', true),
	(SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 4711),
	(SELECT count(*) FROM pg_prepared_statements WHERE name = 'left_behind'),
	(SELECT count(*) FROM pg_cursors WHERE name = 'left_behind'),
	to_regclass('pg_temp.left_behind'))
SQL
became($found, 'done shop shop', 'the next handler looks around');
is($node->safe_psql('postgres', 'SELECT what FROM shop.told WHERE key = 0'), '"$user", public, pg_temp 0  0 0 0',
	'and finds a session as new');

# ---- what changes after registration ----

$node->safe_psql('postgres', 'ALTER ROLE clerk NOLOGIN');
wait_sql($node, 'postgres', "SELECT state FROM order_ext.worker_stats WHERE role = 'clerk'", 'role may not log in', 30,
	'without LOGIN its process leaves');
my $waits = act('clerk', 'SELECT 1');
wait_sql($node, 'postgres', "SELECT state FROM order_ext.message_trace($waits)", 'waiting', 10, 'and its messages wait');
my $waiting = "SELECT actual FROM order_ext.verify('I15') WHERE entity = 'group clerk'";
is($node->safe_psql('postgres', $waiting), 'the role may not log in: its messages wait', 'verify() tells of it');
is($node->safe_psql('postgres', "BEGIN; ALTER ROLE clerk RENAME TO clerk2; $waiting; ROLLBACK"),
	"the role may not log in: its messages wait\nclerk: call maintain() before pg_dump, which goes by it",
	'a role that was renamed is the same one');
is($node->safe_psql('postgres', "BEGIN; ALTER ROLE clerk LOGIN; REVOKE CONNECT ON DATABASE postgres FROM PUBLIC; $waiting; ROLLBACK"),
	'the role may not connect to the database: its messages wait', 'or may not connect');
$node->safe_psql('postgres', 'ALTER ROLE clerk LOGIN');
is($node->safe_psql('postgres', $waiting), '', 'and no more when it may again');
became($waits, 'done clerk clerk', 'until it may log in again');
is(scalar(grep { /WARNING:.*run as role "clerk" are waiting/ } split /\n/, slurp_file($node->logfile)), 1, 'one warning tells of it');

$node->safe_psql('postgres', 'REVOKE EXECUTE ON FUNCTION shop.act FROM PUBLIC');
became(act('clerk', 'SELECT 1'),
	'42501 cannot run handler shop.act(order_ext.message): role "clerk" has no EXECUTE privilege on it',
	'without EXECUTE a message is dead');

# ---- dispatch() ----

$node->safe_psql('postgres', "SELECT order_ext.pause('shop')");
my $paused = act('shop', 'SELECT 1');
is($node->safe_psql('postgres', 'SELECT order_ext.dispatch()'), '0', 'dispatch() leaves a paused group alone');
$node->safe_psql('postgres', "ALTER ROLE shop NOLOGIN; SELECT order_ext.resume('shop')");
is($node->safe_psql('postgres', 'SELECT order_ext.dispatch()'), '0', q{a superuser's dispatch() runs nothing of others});
# The role's worker may still be there and be faster; either way it is the role that acts, once.
$node->safe_psql('postgres', 'SET ROLE shop; SELECT order_ext.dispatch()');
wait_sql($node, 'postgres', "SELECT string_agg(what || ' ' || who, ',') FROM shop.told WHERE key = $paused",
	'done shop', 30, q{the role's own does});
# dispatch() gives the caller its session back as it was.
act('shop', 'SET search_path = evil');
is($node->safe_psql('postgres', "SET ROLE shop; SELECT count(*) FROM order_ext.dispatch(); SELECT current_setting('search_path'), current_user"),
	"1\n\"\$user\", public|shop", 'with its settings and role');

# ---- the search_path is nobody else's ----

$node->safe_psql('postgres', <<'SQL');
ALTER DATABASE postgres SET search_path = evil;
ALTER ROLE shop SET search_path = evil;
ALTER ROLE shop LOGIN;
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'order_ext dispatcher' AND usename = 'shop';
SQL
became(act('shop', q{SELECT set_config('shop.what', current_setting('search_path'), true)}), '"$user", public, pg_temp shop shop',
	'handlers have theirs, whatever the database or the role has');

verify_clean($node, 'postgres');
check_log($node);
$node->stop('fast');
done_testing();
