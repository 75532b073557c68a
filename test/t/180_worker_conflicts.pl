# What fails in a worker not by its own fault, or not before the commit: deadlocks and
# serialization failures are tried again at once and count as nothing; of a batch whose commit
# fails the one to blame is found, and the others are handled once.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use OrderExtTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = start_node('conflicts', 'deadlock_timeout = 20ms');

$node->safe_psql('postgres', 'CREATE EXTENSION order_ext');
create_handlers($node, 'postgres');
$node->safe_psql('postgres', <<'SQL');
CREATE TABLE handled (n serial, key bigint, attempt integer, topic text);
-- gate: the call that waits for the test
CREATE TABLE deferred (key bigint, state text, delay float, gate integer);
CREATE FUNCTION late() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM pg_sleep(NEW.delay);
	IF nextval('public.calls_' || NEW.key) = NEW.gate THEN
		PERFORM pg_advisory_xact_lock(4711);
	END IF;
	RAISE EXCEPTION 'late %', NEW.key USING ERRCODE = NEW.state;
END
$$;
CREATE CONSTRAINT TRIGGER late AFTER INSERT ON deferred INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION late();
-- Does what the payload says; its calls are counted by a sequence, which nothing undoes.
CREATE FUNCTION act(m order_ext.message) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	IF m.payload ? 'conflicts' AND nextval('public.calls_' || m.key) <= (m.payload->>'conflicts')::integer THEN
		RAISE EXCEPTION 'conflict' USING ERRCODE = m.payload->>'state';
	ELSIF m.payload ? 'late' THEN
		INSERT INTO public.deferred
		VALUES (m.key, m.payload->>'late', (m.payload->>'delay')::float, (m.payload->>'gate')::integer);
	END IF;
	INSERT INTO public.handled (key, attempt, topic) VALUES (m.key, m.attempt, m.topic);
END
$$;
CREATE FUNCTION act_all(m order_ext.message[]) RETURNS void LANGUAGE sql
	AS 'SELECT public.act(x) FROM unnest(m) AS x ORDER BY x.id';
SELECT order_ext.create_topic(t) FROM unnest(ARRAY['one', 'set', 'order']) AS t;
SELECT order_ext.subscribe('one', 'one', 'act(order_ext.message)', '{"max_attempts": 1, "run_as": "handlers"}');
SELECT order_ext.subscribe('set', 'set', 'act_all(order_ext.message[])', '{"max_attempts": 1, "run_as": "handlers"}');
SELECT order_ext.subscribe('order', 'order', 'act(order_ext.message)', '{"max_attempts": 1, "ordered": true, "run_as": "handlers"}');
SQL
wait_workers($node, 'postgres', 'dispatcher,scheduler', 10, 'workers are there');

# Publish (key, payload) in a transaction, so that they are one batch.
my $key = 0;
sub say_all
{
	my ($topic, @messages) = @_;
	my $sql = '';

	foreach my $message (@messages)
	{
		$sql .= "CREATE SEQUENCE IF NOT EXISTS calls_$message->[0]; SELECT order_ext.publish('$topic', $message->[0], '$message->[1]');";
	}
	$node->safe_psql('postgres', "BEGIN; $sql COMMIT");
	return;
}

# What became of a topic's messages: each with its attempts that were handled, or its error.
sub became
{
	my ($topic, $keys, $expected, $name) = @_;
	return wait_sql($node, 'postgres',
		"SELECT string_agg(key || ' ' || what, ', ' ORDER BY key, what) FROM ("
		  . " SELECT key, '#' || attempt AS what FROM handled WHERE topic = '$topic'"
		  . " UNION ALL SELECT key, last_sqlstate || ' after ' || attempts FROM order_ext.dead_letters WHERE consumer_group = '$topic') s"
		  . " WHERE key IN ($keys)", $expected, 60, $name);
}

# ---- conflicts in a handler ----
foreach my $topic ('one', 'set', 'order')
{
	my @keys = map { ++$key } 1 .. 4;

	say_all($topic, [ $keys[0], '{}' ], [ $keys[1], '{"conflicts": 5, "state": "40001"}' ],
		[ $keys[2], '{"conflicts": 5, "state": "40P01"}' ], [ $keys[3], '{}' ]);
	became($topic, join(', ', @keys), join(', ', map { "$_ #1" } @keys), "$topic: all on their first attempt, each once");
}
is($node->safe_psql('postgres', q{SELECT count(*) FROM order_ext.attempt_log WHERE state <> 'done'}), '0', 'none of the conflicts counted');

# More of them than anybody's patience: it waits a second at a time, and counts still nothing.
my ($stubborn, $next) = ($key + 1, $key + 2);
$key += 2;
say_all('one', [ $stubborn, '{"conflicts": 25, "state": "40P01"}' ], [ $next, '{}' ]);
became('one', $next, "$next #1", 'the others do not wait for it');
became('one', $stubborn, "$stubborn #1", 'it is handled when the conflicts end');
is($node->safe_psql('postgres', q{SELECT count(*) FROM order_ext.attempt_log WHERE state <> 'done'}), '0', 'without a failed attempt');
cmp_ok($node->safe_psql('postgres', "SELECT last_value FROM calls_$stubborn"), '==', 26, 'in as many calls as it took');

# ---- failures at the commit ----
foreach my $topic ('one', 'set')
{
	my @keys = map { ++$key } 1 .. 5;

	say_all($topic, map { [ $_, $_ == $keys[2] ? '{"late": "XX001", "delay": 0.05}' : '{}' ] } @keys);
	became($topic, join(', ', @keys),
		join(', ', map { $_ == $keys[2] ? "$_ XX001 after 1" : "$_ #1" } @keys), "$topic: the one to blame is dead, the others are done");
	is($node->safe_psql('postgres', "SELECT last_error FROM order_ext.dead_letters WHERE key = $keys[2]"),
		"late $keys[2]", 'with its error');
	is($node->safe_psql('postgres', "SELECT count(*), bool_and(duration >= '50 ms') FROM order_ext.attempt_log"
			  . " JOIN order_ext.dead_letters USING (message_id) WHERE key = $keys[2]"),
		'1|t', 'and the duration of its attempt');
}
my @keys = map { ++$key } 1 .. 2;
say_all('order', [ $keys[0], '{}' ], [ $keys[1], '{"late": "XX001"}' ], [ $keys[1], '{}' ], [ $keys[0], '{}' ]);
became('order', join(', ', @keys), "$keys[0] #1, $keys[0] #1, $keys[1] XX001 after 1", 'order: only its key waits');
is($node->safe_psql('postgres', "SELECT key, waiting FROM order_ext.parked_keys"), "$keys[1]|1", 'parked behind it');

# While the one to blame fails for the last time, alone, a transaction commits that began earlier:
# its message comes first, and is not to blame.
foreach my $topic ('one', 'set')
{
	my ($early, $late) = ($key + 1, $key + 2);
	my $began_earlier = $node->background_psql('postgres');
	my $gate = $node->background_psql('postgres');

	$key += 2;
	$gate->query_safe('SELECT pg_advisory_lock(4711)');
	$began_earlier->query_safe("BEGIN; SELECT order_ext.publish('$topic', $early)");
	say_all($topic, [ $late, '{"late": "XX001", "gate": 2}' ]);
	wait_sql($node, 'postgres', "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 4711 AND NOT granted",
		'1', 60, "$topic: it is tried alone");
	$began_earlier->query_safe('COMMIT');
	$gate->query_safe('SELECT pg_advisory_unlock(4711)');
	became($topic, "$early, $late", "$early #1, $late XX001 after 1", "$topic: the one that came in front of it is handled");
	$_->quit foreach $began_earlier, $gate;
}

# A conflict at the commit counts as little as any other.
my ($late, $other) = ($key + 1, $key + 2);
say_all('one', [ $late, '{"late": "40001"}' ], [ $other, '{}' ]);
became('one', $other, "$other #1", 'the others are done');
wait_sql($node, 'postgres', "SELECT last_value > 30 FROM calls_$late", 't', 60, 'it is tried again and again');
is($node->safe_psql('postgres', "SELECT state, attempt FROM order_ext.message_trace($late)"), 'retry|1', 'on its first attempt still');
$node->safe_psql('postgres', 'ALTER TABLE deferred DISABLE TRIGGER late');
became('one', $late, "$late #1", 'until it goes through');

# ---- a deadlock of two dispatchers ----
$node->safe_psql('postgres', <<'SQL');
CREATE TABLE pair (id integer PRIMARY KEY, n integer NOT NULL);
INSERT INTO pair VALUES (0, 0), (1, 0);
CREATE FUNCTION pair_up(m order_ext.message) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	UPDATE public.pair SET n = n + 1 WHERE id = m.key % 2;
	PERFORM pg_sleep(0.1);
	UPDATE public.pair SET n = n + 1 WHERE id = (m.key + 1) % 2;
END
$$;
CREATE ROLE left_one LOGIN;
CREATE ROLE right_one LOGIN;
GRANT UPDATE, SELECT ON pair TO left_one, right_one;
SELECT order_ext.create_topic('left'), order_ext.create_topic('right');
SELECT order_ext.subscribe(t, t, 'pair_up(order_ext.message)', jsonb_build_object('max_attempts', 1, 'run_as', t || '_one'))
FROM unnest(ARRAY['left', 'right']) AS t;
SELECT count(order_ext.publish(t, n)) FROM generate_series(0, 9) AS i, (VALUES ('left', 0), ('right', 1)) AS v (t, n);
SQL
wait_sql($node, 'postgres', 'SELECT string_agg(n::text, $$ $$) FROM pair', '20 20', 120, 'two that lock each other out both come through, each once');
is($node->safe_psql('postgres', "SELECT count(*) FROM order_ext.attempt_log WHERE consumer_group IN ('left', 'right') AND state <> 'done'"), '0', 'and no attempt is lost to it');

verify_clean($node, 'postgres');
check_log($node);
$node->stop('fast');
done_testing();
