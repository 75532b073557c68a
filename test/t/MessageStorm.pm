# The clients of the message storm: what they publish, consume and note, each in a process
# of its own. What a client knows is in its ledger, a file: the server may die at any time.
package MessageStorm;

use strict;
use warnings;

use Exporter 'import';
use IPC::Open2;
use PostgreSQL::Test::Utils;
use Time::HiRes qw(sleep time);

our @EXPORT = qw(storm_schema storm_client connect_to disconnect ask);

# Errors that a dying server, or a client backend that was killed, leaves behind.
my $dying = qr/^(08|57P0)/;

# ---- a session ----

# A psql that is written to and read from; it ends when its connection is lost.
sub connect_to
{
	my ($node, $user) = @_;
	my $connstr = $node->connstr('postgres') . ' user=' . ($user || 'postgres');
	my $pid = open2(my $out, my $in, "exec psql -XAt -v VERBOSITY=verbose -d \"$connstr\" 2>&1");

	return { pid => $pid, in => $in, out => $out, n => 0 };
}

sub disconnect
{
	my ($session) = @_;

	close $session->{in};
	close $session->{out};
	waitpid $session->{pid}, 0;
	return;
}

# Run the lines. Returns what came back: {rows => [...], sqlstate, error, lost}; an error of the
# kind that a dying server raises counts as a lost connection.
sub ask
{
	my ($session, $sql) = @_;
	my $mark = 'end of answer ' . ++$session->{n};
	my %answer = (rows => [], sqlstate => '', error => '', lost => 1);

	local $SIG{PIPE} = 'IGNORE';
	print { $session->{in} } "$sql\n;\n\\echo $mark\n";
	$session->{in}->flush;
	while (defined(my $line = readline $session->{out}))
	{
		chomp $line;
		if ($line eq $mark)
		{
			$answer{lost} = 0;
			last;
		}
		if ($line =~ /(?:ERROR|FATAL|PANIC):  (\w{5}): (.*)/)
		{
			@answer{qw(sqlstate error)} = ($1, $2) if $answer{sqlstate} eq '';
		}
		elsif ($line =~ /^(?:DETAIL|CONTEXT|LOCATION|HINT|STATEMENT):/)
		{
			$answer{error} .= " / $line" if length $answer{error} < 600;
		}
		elsif ($line =~ /could not connect|connection to server|server closed/)
		{
			$answer{error} ||= $line;
		}
		else
		{
			push @{ $answer{rows} }, $line;
		}
	}
	$answer{lost} = 1 if $answer{sqlstate} =~ $dying;
	return \%answer;
}

# ---- the database ----

# Topics a and b. Groups of a: one by one, in batches, ordered, ordered in batches, of role
# alice, one that publishes onward to b, two of external consumers, and functions for some that
# come and go. All note what they handle, in the order in which they do.
sub storm_schema
{
	return <<'SQL';
CREATE EXTENSION order_ext;
CREATE ROLE alice LOGIN;
CREATE ROLE handlers LOGIN;
SELECT order_ext.grant_to('handlers', 'operator'), order_ext.grant_to('handlers', 'worker');
ALTER DEFAULT PRIVILEGES GRANT USAGE ON SCHEMAS TO handlers;
ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO handlers;
ALTER DEFAULT PRIVILEGES GRANT ALL ON SEQUENCES TO handlers;
CREATE SCHEMA t;
GRANT USAGE ON SCHEMA t TO alice;
CREATE SEQUENCE t.n_seq;
-- what was published, written by its transaction
CREATE TABLE t.pub (tag bigint PRIMARY KEY, id bigint NOT NULL, ordered boolean NOT NULL, key bigint NOT NULL,
	how text NOT NULL, due timestamptz, dedup text, xid xid8 NOT NULL DEFAULT pg_current_xact_id());
CREATE TABLE t.canceled (tag bigint NOT NULL, canceled boolean NOT NULL);
CREATE TABLE t.cured (tag bigint PRIMARY KEY);
CREATE TABLE t.given_up (grp text NOT NULL, tag bigint NOT NULL);
CREATE TABLE t.things (tag bigint PRIMARY KEY, ordered boolean, key bigint, payload jsonb, due timestamptz, dedup text);
-- what was handled inside; taken and answered outside
CREATE TABLE t.handled (n bigint DEFAULT nextval('t.n_seq'), grp text NOT NULL, id bigint NOT NULL, tag bigint NOT NULL,
	key bigint NOT NULL, attempt integer, role text DEFAULT current_user, at timestamptz DEFAULT clock_timestamp());
CREATE TABLE t.got (n bigint DEFAULT nextval('t.n_seq'), grp text NOT NULL, id bigint NOT NULL, tag bigint NOT NULL,
	key bigint NOT NULL, attempt integer, token bigint PRIMARY KEY, at timestamptz DEFAULT clock_timestamp());
CREATE TABLE t.acked (n bigint DEFAULT nextval('t.n_seq'), grp text NOT NULL, token bigint NOT NULL);
CREATE TABLE t.unexpected (what text NOT NULL);
CREATE TABLE t.late_check (code text);
CREATE FUNCTION t.refuse_late() RETURNS trigger LANGUAGE plpgsql AS
	$$ BEGIN RAISE 'refused at the end' USING ERRCODE = NEW.code; END $$;
CREATE CONSTRAINT TRIGGER refuse_late AFTER INSERT ON t.late_check DEFERRABLE INITIALLY DEFERRED
	FOR EACH ROW EXECUTE FUNCTION t.refuse_late();

CREATE FUNCTION t.pub(tag bigint, ordered boolean, key bigint, payload jsonb, due timestamptz, dedup text) RETURNS bigint LANGUAGE plpgsql AS $$
#variable_conflict use_variable
DECLARE
	id bigint := order_ext.publish('a', key, payload, due, dedup);
BEGIN
	INSERT INTO t.pub AS p (tag, id, ordered, key, how, due, dedup) VALUES (tag, id, ordered, key, payload->>'how', due, dedup)
		ON CONFLICT ON CONSTRAINT pub_pkey DO NOTHING;
	IF NOT FOUND AND id IS DISTINCT FROM (SELECT p.id FROM t.pub p WHERE p.tag = pub.tag) THEN
		INSERT INTO t.unexpected VALUES (format('tag %s has a second id: %s', tag, id));
	END IF;
	RETURN id;
END
$$;
CREATE FUNCTION t.publish_thing() RETURNS trigger LANGUAGE plpgsql AS
	$$ BEGIN PERFORM t.pub(NEW.tag, NEW.ordered, NEW.key, NEW.payload, NEW.due, NEW.dedup); RETURN NEW; END $$;
CREATE TRIGGER publish_thing AFTER INSERT ON t.things FOR EACH ROW EXECUTE FUNCTION t.publish_thing();

-- what a handler does with a message: fail as the message says, or note it
CREATE FUNCTION t.act(grp text, m order_ext.message) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	how text := m.payload->>'how';
	cured boolean := how IN ('poison', 'dead') AND EXISTS (SELECT FROM t.cured c WHERE c.tag = (m.payload->>'tag')::bigint);
	fails boolean := m.attempt <= (m.payload->>'fail')::integer;
BEGIN
	IF m.payload ? 'nap' THEN PERFORM pg_sleep((m.payload->>'nap')::float); END IF;
	IF how = 'discard' THEN RAISE 'no use' USING ERRCODE = 'OE802'; END IF;
	IF how = 'dead' AND NOT cured THEN RAISE 'dead' USING ERRCODE = 'OE803'; END IF;
	IF how = 'poison' AND NOT cured THEN RAISE 'poison' USING ERRCODE = 'OE801', DETAIL = '0.1 s'; END IF;
	IF how = 'conflict' AND random() < 0.5 THEN RAISE 'conflict' USING ERRCODE = '40001'; END IF;
	IF how = 'delay' AND fails THEN RAISE 'later' USING ERRCODE = 'OE801', DETAIL = random() || ' s'; END IF;
	IF how = 'error' AND fails THEN RAISE 'failed'; END IF;
	IF how = 'slow' AND fails THEN PERFORM pg_sleep(60); END IF;
	IF how = 'deferred' AND fails THEN INSERT INTO t.late_check VALUES ('ZD001'); END IF;
	IF how = 'late discard' THEN INSERT INTO t.late_check VALUES ('OE802'); END IF;
	INSERT INTO t.handled (grp, id, tag, key, attempt) VALUES (grp, m.id, (m.payload->>'tag')::bigint, m.key, m.attempt);
	IF grp = 'g_on' THEN
		PERFORM order_ext.publish('b', m.key, jsonb_build_object('tag', m.payload->>'tag',
			'how', CASE WHEN m.id % 20 = 0 THEN 'error' ELSE 'none' END, 'fail', 1));
	END IF;
END
$$;
DO $do$
DECLARE
	grp text;
BEGIN
	FOR grp IN SELECT unnest('{g_one,g_set,g_ord,g_ords,g_alice,g_on,g_b}'::text[]) UNION ALL SELECT 'x' || i FROM generate_series(1, 30) AS i LOOP
		IF grp IN ('g_set', 'g_ords', 'g_b') THEN
			EXECUTE format('CREATE FUNCTION t.%s(m order_ext.message[]) RETURNS void LANGUAGE plpgsql AS'
				' $$ DECLARE x order_ext.message; BEGIN FOREACH x IN ARRAY m LOOP PERFORM t.act(%L, x); END LOOP; END $$', grp, grp);
		ELSE
			EXECUTE format('CREATE FUNCTION t.%s(m order_ext.message) RETURNS void LANGUAGE sql AS $$ SELECT t.act(%L, m) $$', grp, grp);
		END IF;
	END LOOP;
END
$do$;
ALTER FUNCTION t.g_alice(order_ext.message) OWNER TO alice;
ALTER FUNCTION t.g_b(order_ext.message[]) OWNER TO alice;
GRANT INSERT ON t.handled, t.late_check TO alice;
GRANT SELECT ON t.cured TO alice;
GRANT USAGE ON SEQUENCE t.n_seq TO alice;
SELECT order_ext.grant_to('alice', 'operator');

SELECT order_ext.create_topic('a'), order_ext.create_topic('b');
SELECT order_ext.grant_topic('b', 'handlers', 'publish');
SELECT order_ext.subscribe('g_one', 'a', 't.g_one(order_ext.message)', '{"max_attempts": 6, "run_as": "handlers"}');
SELECT order_ext.subscribe('g_set', 'a', 't.g_set(order_ext.message[])', '{"max_attempts": 6, "run_as": "handlers"}');
SELECT order_ext.subscribe('g_ord', 'a', 't.g_ord(order_ext.message)', '{"max_attempts": 6, "ordered": true, "run_as": "handlers"}');
SELECT order_ext.subscribe('g_ords', 'a', 't.g_ords(order_ext.message[])', '{"max_attempts": 6, "ordered": true, "run_as": "handlers"}');
SELECT order_ext.subscribe('g_alice', 'a', 't.g_alice(order_ext.message)', '{"max_attempts": 6, "ordered": true, "run_as": "alice"}');
SELECT order_ext.subscribe('g_on', 'a', 't.g_on(order_ext.message)', '{"max_attempts": 6, "run_as": "handlers"}');
SELECT order_ext.subscribe('g_b', 'b', 't.g_b(order_ext.message[])', '{"max_attempts": 6, "run_as": "alice"}');
SELECT order_ext.subscribe('e_any', 'a', NULL, '{"max_attempts": 30}');
SELECT order_ext.subscribe('e_ord', 'a', NULL, '{"max_attempts": 30, "ordered": true}');

-- dead letters that an operator gives up
CREATE FUNCTION t.give_up(g text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	ids bigint[];
	tags bigint[];
BEGIN
	SELECT array_agg(message_id), array_agg((payload->>'tag')::bigint) INTO ids, tags
		FROM order_ext.dead_letters WHERE consumer_group = g AND random() < 0.3;
	IF order_ext.discard(g, message_ids => coalesce(ids, '{}')) <> coalesce(cardinality(ids), 0) THEN
		RAISE 'somebody else was faster' USING ERRCODE = '40001';
	END IF;
	INSERT INTO t.given_up SELECT g, tag FROM unnest(tags) AS tag;
END
$$;

-- external consumers: take, and say that it is done
CREATE FUNCTION t.take(grp text, n integer, lease interval, OUT token bigint, OUT bad boolean) RETURNS SETOF record LANGUAGE sql AS $$
	WITH r AS MATERIALIZED (SELECT * FROM order_ext.receive(grp, n, lease)),
	noted AS (INSERT INTO t.got (grp, id, tag, key, attempt, token)
		SELECT grp, message_id, (payload->>'tag')::bigint, key, attempt, r.token FROM r)
	SELECT r.token, payload->>'how' IN ('poison', 'dead') AND NOT EXISTS (SELECT FROM t.cured c WHERE c.tag = (payload->>'tag')::bigint)
	FROM r
$$;
CREATE FUNCTION t.done(grp text, tokens bigint[]) RETURNS integer LANGUAGE sql AS $$
	INSERT INTO t.acked (grp, token) SELECT grp, token FROM unnest(tokens) AS token;
	SELECT order_ext.ack(grp, tokens)
$$;
SQL
}

# ---- a client ----

# {node, seed, number, dir}: its session, its ledger, and what went wrong.
sub start_client
{
	my ($node, $dir, $seed, $number) = @_;

	srand($seed * 1000 + $number);
	open(my $ledger, '>>', "$dir/ledger_$number") or die "ledger: $!";
	open(my $errors, '>>', "$dir/errors_$number") or die "errors: $!";
	$ledger->autoflush;
	$errors->autoflush;
	return { node => $node, number => $number, dir => $dir, ledger => $ledger, errors => $errors,
		parent => getppid(), session => connect_to($node), tag => 0, canceled => [], prepared => [] };
}

# Ask; a new session follows a lost one. Errors that are not of the allowed kind are written down.
sub run_sql
{
	my ($client, $what, $sql, $allowed) = @_;
	my $answer = ask($client->{session}, $sql);

	if ($answer->{lost})
	{
		disconnect($client->{session});
		sleep 0.2;
		$client->{session} = connect_to($client->{node});
	}
	elsif ($answer->{sqlstate} ne '' && (!$allowed || $answer->{sqlstate} !~ /^(?:$allowed)$/))
	{
		print { $client->{errors} } "$what: $answer->{sqlstate} $answer->{error}\n";
	}
	return $answer;
}

sub stopped
{
	my ($client) = @_;
	return -e "$client->{dir}/stop" || getppid() != $client->{parent};
}

sub pick
{
	return $_[ int(rand(@_)) ];
}

# ---- publishers ----

# What the message asks of its handlers; most ask nothing.
sub mood
{
	my $chance = rand();

	return '"how": "poison"' if $chance < 0.004;
	return '"how": "dead"' if $chance < 0.006;
	return '"how": "discard"' if $chance < 0.012;
	return '"how": "slow", "fail": 1' if $chance < 0.0135;
	return '"how": "deferred", "fail": 1' if $chance < 0.02;
	return '"how": "late discard"' if $chance < 0.023;
	return '"how": "conflict"' if $chance < 0.03;
	return '"how": "delay", "fail": ' . pick(1, 2, 3) if $chance < 0.06;
	return '"how": "error", "fail": ' . pick(1, 2) if $chance < 0.08;
	return '"how": "none", "nap": ' . rand(0.02) if $chance < 0.15;
	return '"how": "none"';
}

# A message with a tag of its own, as a call of t.pub(). Only keys below 500 promise order.
sub message
{
	my ($client, %about) = @_;
	my $tag = $about{tag} || $client->{number} * 10_000_000 + ++$client->{tag};
	my $ordered = $about{ordered} ? 1 : 0;
	my $key = $client->{number} * 1000 + ($ordered ? int(rand(12)) : 500 + int(rand(200)));
	my $due = defined $about{after} ? "clock_timestamp() + interval '$about{after} s'" : 'NULL';
	my $dedup = $about{dedup} ? "'$about{dedup}'" : 'NULL';
	my $payload = sprintf('{"tag": %d, "pad": "%s", %s}', $tag, 'x' x rand(rand() < 0.05 ? 4000 : 100), $about{mood} || mood());

	$client->{last} = $tag;
	return "t.pub($tag, " . ($ordered ? 'true' : 'false') . ", $key, '$payload', $due, $dedup)";
}

# The ledger knows tag and outcome: committed, aborted, unknown.
sub note
{
	my ($client, $outcome, @tags) = @_;

	print { $client->{ledger} } "$_\t$outcome\n" foreach @tags;
	return;
}

sub outcome
{
	my ($answer) = @_;

	return 'committed' if grep { $_ eq 'COMMIT' } @{ $answer->{rows} };
	return $answer->{lost} ? 'unknown' : 'aborted';
}

# One transaction: messages, some of them in subtransactions that are rolled back.
sub publish_some
{
	my ($client) = @_;
	my @kept;
	my @dropped;
	my $sql = "BEGIN;\n";
	my $commit = rand() < 0.9;

	foreach (0 .. rand(rand() < 0.1 ? 60 : 6))
	{
		my $savepoint = rand();

		$sql .= "SAVEPOINT s;\n" if $savepoint < 0.4;
		$sql .= 'SELECT ' . message($client, ordered => 1) . ";\n";
		$sql .= "SELECT pg_sleep(" . rand(0.05) . ");\n" if rand() < 0.05;
		if ($savepoint < 0.2)
		{
			$sql .= "ROLLBACK TO s;\n";
			push @dropped, $client->{last};
		}
		else
		{
			$sql .= "RELEASE s;\n" if $savepoint < 0.4;
			push @kept, $client->{last};
		}
	}
	my $answer = run_sql($client, 'publish', $sql . ($commit ? 'COMMIT' : 'ROLLBACK'), '40P01');
	note($client, outcome($answer), @kept);
	note($client, 'aborted', @dropped);
	return;
}

# A statement by itself, a trigger's, a DO block's or a timer's.
sub publish_one
{
	my ($client) = @_;
	my $how = pick('plain', 'plain', 'trigger', 'timer', 'timer', 'do');
	my %about = $how eq 'timer' ? (after => rand() < 0.3 ? 0.01 * int(rand(20)) : rand(5)) : (ordered => 1);
	my $call = message($client, %about);
	my $tag = $client->{last};
	my $sql = "SELECT $call";

	if ($how eq 'trigger')
	{
		$call =~ s/^t\.pub\(//;
		$sql = "INSERT INTO t.things (tag, ordered, key, payload, due, dedup) VALUES ($call";
	}
	$sql = "DO \$do\$ BEGIN PERFORM $call; END \$do\$" if $how eq 'do';
	my $answer = run_sql($client, $how, "BEGIN;\n$sql;\nCOMMIT");
	note($client, outcome($answer), $tag);
	push @{ $client->{canceled} }, $tag if $how eq 'timer' && rand() < 0.3;
	return;
}

# Take back a timer; what it answered is noted with it.
sub cancel_one
{
	my ($client) = @_;
	my $tag = shift @{ $client->{canceled} };

	return publish_one($client) if !defined $tag;
	run_sql($client, 'cancel', "BEGIN;\nINSERT INTO t.canceled SELECT tag, order_ext.cancel_message(id) FROM t.pub WHERE tag = $tag;\n"
		. (rand() < 0.9 ? 'COMMIT' : 'ROLLBACK'), 'OE110|40P01');
	return;
}

# A dedup_key is published again until the answer is known, by others at the same time perhaps.
sub publish_dedup
{
	my ($client) = @_;
	my $shared = rand() < 0.3;
	my $tag = $shared ? 9_000_000_000 + int(time() / 2) : undef;
	my $call = message($client, tag => $tag, dedup => 'k' . ($tag || "$client->{number}/" . ($client->{tag} + 1)),
		mood => '"how": "none"', $shared || rand() < 0.5 ? (after => $shared ? 1 : rand(2)) : ());
	my $answer;

	$tag = $client->{last};
	do
	{
		$answer = run_sql($client, 'dedup', "BEGIN;\nSELECT $call;\nSELECT pg_sleep(" . rand(0.03) . ");\nCOMMIT", 'OE110');
	} while ($answer->{lost} && !stopped($client));
	note($client, outcome($answer), $tag) if !$shared;
	return;
}

# Prepared, and decided some time later, perhaps by a later session, perhaps at the end.
sub publish_prepared
{
	my ($client) = @_;
	my @tags;
	my $sql = "BEGIN;\n";

	foreach (0 .. rand(4))
	{
		$sql .= 'SELECT ' . message($client, rand() < 0.3 ? (after => rand(3)) : ()) . ";\n";
		push @tags, $client->{last};
	}
	run_sql($client, 'prepare', $sql . "PREPARE TRANSACTION 'p$tags[0]'", '53400|55000');
	note($client, 'unknown', @tags);
	push @{ $client->{prepared} }, "p$tags[0]";
	return decide_prepared($client);
}

sub decide_prepared
{
	my ($client) = @_;

	return if rand() < 0.5;
	my $name = shift @{ $client->{prepared} };
	run_sql($client, 'decide', pick('COMMIT', 'COMMIT', 'ROLLBACK') . " PREPARED '$name'", '42704') if defined $name;
	return;
}

# As fast as it goes, for so many messages at most, which then have to be delivered.
sub publisher
{
	my ($client, $most) = @_;

	while (!stopped($client))
	{
		my $chance = $client->{tag} < $most ? rand() : 1;

		if ($chance < 0.5) { publish_some($client) }
		elsif ($chance < 0.8) { publish_one($client) }
		elsif ($chance < 0.88) { cancel_one($client) }
		elsif ($chance < 0.95) { publish_dedup($client) }
		elsif ($chance < 1) { publish_prepared($client) }
		else { decide_prepared($client) }
		sleep(0.005 + rand(0.05));
	}
	return;
}

# ---- dispatch() beside the workers ----

# Deferred constraints of handlers fail in the caller's transaction (ZD001, OE802); in REPEATABLE
# READ there are conflicts.
sub dispatch_caller
{
	my ($client) = @_;

	while (!stopped($client))
	{
		my $level = pick('READ COMMITTED', 'REPEATABLE READ');

		run_sql($client, "dispatch $level", "BEGIN ISOLATION LEVEL $level;\n" . "SET LOCAL SESSION AUTHORIZATION " . pick('postgres', 'handlers', 'alice') . ";\n"
			. 'SELECT order_ext.dispatch(' . pick('NULL', 1, 10, 100) . ");\nCOMMIT",
			$level eq 'READ COMMITTED' ? 'ZD001|OE802|40P01' : 'ZD001|OE802|40P01|40001');
		sleep(rand(0.3));
	}
	return;
}

# ---- external consumers ----

# Receives, and answers in one of many ways, or not at all. What is poisoned is never acknowledged.
sub consume
{
	my ($client, $group) = @_;
	my $lease = pick('0.3', '1', '2', '5');
	my $answer = run_sql($client, "receive $group", "BEGIN;\nSELECT token, bad FROM t.take('$group', " . pick(1, 3, 20, 100) . ", '$lease s');\nCOMMIT");
	my @taken = map { [ split /\|/ ] } grep { /\|/ } @{ $answer->{rows} };
	my $tokens = join(',', map { $_->[0] } grep { $_->[1] eq 'f' } @taken);
	my $bad = join(',', map { $_->[0] } grep { $_->[1] eq 't' } @taken);
	my $late = 'OE702';
	my $chance = rand();

	return 0 if outcome($answer) ne 'committed' || !@taken;
	run_sql($client, "nack $group", "SELECT order_ext.nack('$group', '{$bad}', '0.05 s', 'bad')", $late) if $bad ne '';
	return 1 if $tokens eq '';
	if ($chance < 0.06)
	{
		return 1;    # forgotten
	}
	elsif ($chance < 0.15)
	{
		run_sql($client, "nack $group", "SELECT order_ext.nack('$group', '{$tokens}', " . pick("'0'", "'0.2 s'") . ", 'not now')", $late);
		return 1;
	}
	elsif ($chance < 0.22)
	{
		sleep($lease < 1 ? 0.5 : $lease < 2 ? 1.2 : 0.1);    # late
	}
	elsif ($chance < 0.3)
	{
		run_sql($client, "extend $group", "SELECT order_ext.extend_lease('$group', '{$tokens}', '" . pick('0.2 s', '2 s') . "')", $late);
	}
	$answer = run_sql($client, "ack $group", "BEGIN;\nSELECT t.done('$group', '{$tokens}');\n" . (rand() < 0.95 ? 'COMMIT' : 'ROLLBACK'), $late);
	return 1;
}

sub consumer
{
	my ($client, $group) = @_;

	while (!stopped($client))
	{
		consume($client, $group) ? sleep(rand(0.02)) : sleep(0.1);
	}
	return;
}

# ---- all of them ----

# Run a client of this role until the file "stop" is there.
sub storm_client
{
	my ($node, $dir, $seed, $number, $role, @arguments) = @_;
	my $client = start_client($node, $dir, $seed, $number);
	my %roles = (publisher => \&publisher, dispatcher => \&dispatch_caller, consumer => \&consumer);

	$roles{$role}->($client, @arguments);
	disconnect($client->{session});
	return;
}

1;
