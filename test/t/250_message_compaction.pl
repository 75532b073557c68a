# Small tables are rewritten under load, under old snapshots, while readers wait for their
# lock, and while the server crashes: nothing is lost, nothing is delivered twice.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use OrderExtTest;
use IPC::Run qw(start finish);
use PostgreSQL::Test::Utils;
use Test::More;

my $node = start_node('compaction', 'order_ext.workers = 2', 'max_connections = 40');
$node->safe_psql('postgres', 'CREATE EXTENSION order_ext');
create_handled($node, 'postgres');
$node->safe_psql('postgres', <<'SQL');
CREATE SEQUENCE n;
CREATE TABLE published (id bigint, topic text);
CREATE TABLE acked (id bigint);
-- Fails once for each third message; ordered, so that others of its key are parked.
CREATE TABLE ordered (id bigint, key bigint, n bigserial);
CREATE FUNCTION ordered(m order_ext.message) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	IF m.attempt = 1 AND m.id % 3 = 0 THEN
		RAISE EXCEPTION 'again' USING ERRCODE = 'OE801', DETAIL = '20 ms';
	END IF;
	INSERT INTO public.ordered (id, key) VALUES (m.id, m.key);
END
$$;
SELECT order_ext.create_topic(topic) FROM unnest('{o,x}'::text[]) AS topic;
SELECT order_ext.subscribe('o', 'o', 'public.ordered(order_ext.message)', '{"ordered": true, "run_as": "handlers"}');
SELECT order_ext.subscribe('x', 'x');

CREATE TABLE small (name text, of bigint);
INSERT INTO small (name) SELECT unnest('{retries,parked_messages,leases,lease_receipts,inline_ranges,
	timer_cancels,timer_progress,timer_firings,group_progress}'::text[]);
CREATE FUNCTION filenode(name text) RETURNS bigint LANGUAGE sql AS
	$$ SELECT pg_relation_filenode(format('order_ext_internal.%I', name)::regclass) $$;
-- More dead rows than a small table may have; group_progress has to be large.
CREATE PROCEDURE grow() LANGUAGE plpgsql AS $$
DECLARE
	x text := repeat('x', 400);
BEGIN
	PERFORM set_config('session_replication_role', 'replica', true);
	UPDATE public.small SET of = filenode(name);
	SET LOCAL search_path = order_ext_internal;
	INSERT INTO retries (message_id, group_id, topic_id, key, published_at, due_at, attempts, busy, payload)
		SELECT -i, -1, -1, 1, now(), now(), 1, 0, to_jsonb(x) FROM generate_series(1, 2000) AS i;
	INSERT INTO parked_messages SELECT i, -1, -1, i, i, now(), now(), to_jsonb(x) FROM generate_series(1, 2000) AS i;
	INSERT INTO leases SELECT -i, -i, 1, now(), now(), 0, -1, -1, 1, to_jsonb(x) FROM generate_series(1, 2000) AS i;
	INSERT INTO lease_receipts SELECT -i, now(), -1, NULL FROM generate_series(1, 20000) AS i;
	INSERT INTO inline_ranges SELECT -1, '3', i, i, now() FROM generate_series(1, 20000) AS i;
	INSERT INTO timer_cancels SELECT -i, now() FROM generate_series(1, 30000) AS i;
	INSERT INTO timer_progress SELECT -i, 0, now(), '1:1:' FROM generate_series(1, 60000) AS i;
	INSERT INTO timer_firings SELECT -i, now(), 0, array_fill(0::bigint, ARRAY[80]) FROM generate_series(1, 6000) AS i;
	INSERT INTO group_progress SELECT -i, 1, 63, NULL, NULL, 0, now(), '1:1:', NULL, 1 FROM generate_series(1, 240000) AS i;
	DELETE FROM retries WHERE group_id = -1;
	DELETE FROM parked_messages WHERE group_id = -1;
	DELETE FROM leases WHERE group_id = -1;
	DELETE FROM lease_receipts WHERE group_id = -1;
	DELETE FROM inline_ranges WHERE group_id = -1;
	DELETE FROM timer_cancels WHERE message_id < 0;
	DELETE FROM timer_progress WHERE seq < 0;
	DELETE FROM timer_firings WHERE seq < 0;
	DELETE FROM group_progress WHERE seq < 0;
END
$$;
-- Receive and answer what there is.
CREATE FUNCTION drain_x() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	m record;
BEGIN
	FOR m IN SELECT * FROM order_ext.receive('x', 10000) LOOP
		INSERT INTO public.acked VALUES (m.message_id);
		PERFORM order_ext.ack('x', ARRAY[m.token]);
	END LOOP;
END
$$;
-- While a table is empty, everyone who needs it waits that long, snapshot in hand. A
-- crash makes an end of that.
CREATE UNLOGGED TABLE lingering (name text, seconds float8);
GRANT SELECT ON lingering TO PUBLIC;
CREATE FUNCTION linger() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM pg_sleep((SELECT min(seconds) FROM public.lingering WHERE name = TG_TABLE_NAME));
	RETURN NULL;
END
$$;
SQL
wait_workers($node, 'postgres', 'dispatcher,dispatcher,scheduler', 10, 'workers are there');

my $dir = PostgreSQL::Test::Utils::tempdir;
append_to_file("$dir/publish.sql", <<'SQL');
\set k random(1, 20)
INSERT INTO published
	SELECT order_ext.publish('t', :k, '{}', CASE WHEN :k < 5 THEN clock_timestamp() + :k * interval '50 ms' END), 't'
	UNION ALL SELECT order_ext.publish('x', :k), 'x';
SQL
append_to_file("$dir/ordered.sql", <<'SQL');
\set k random(1, 20)
INSERT INTO published SELECT order_ext.publish('o', :k), 'o';
SQL
# Its own messages are delivered in its own transaction, if no worker is at it.
append_to_file("$dir/dispatch.sql", <<'SQL');
BEGIN;
INSERT INTO published SELECT order_ext.publish('t', 30), 't';
SELECT order_ext.dispatch(20);
COMMIT;
SQL
append_to_file("$dir/consume.sql", <<'SQL');
SELECT coalesce(array_agg(token), '{}') AS tokens, coalesce(array_agg(message_id), '{}') AS ids
	FROM order_ext.receive('x', 20, '20 seconds') \gset
BEGIN;
SELECT order_ext.ack('x', ':tokens');
INSERT INTO acked SELECT unnest(':ids'::bigint[]);
COMMIT;
SQL

# Clients for so many seconds.
sub load_for
{
	my ($seconds, $during) = @_;
	my @out;
	my @runs = map {
		start(['pgbench', '-n', '-h', $node->host, '-p', $node->port, '-c', $_->[2], '-T', $seconds,
				'--rate', $_->[1], '-f', "$dir/$_->[0].sql", 'postgres'], '>', \my $out, '2>', \my $err)
	} (['publish', 80, 2], ['ordered', 80, 1], ['dispatch', 10, 2], ['consume', 100, 2]);

	$during->();
	finish($_) foreach @runs;
	return;
}

# All tables grow, and are rewritten.
sub written_anew
{
	my ($name) = @_;
	$node->safe_psql('postgres', 'CALL grow()');
	return wait_sql($node, 'postgres', "SELECT coalesce(string_agg(name, ' '), 'all') FROM small WHERE of = filenode(name)",
		'all', 60, $name);
}

# The rest of the external messages is received here.
sub all_once
{
	my ($name) = @_;
	my $there = join(' UNION ALL ', map {
		"SELECT '$_->[0]', (SELECT count(*) FROM published WHERE topic = '$_->[0]'), count(DISTINCT id), count(id) FROM $_->[1]"
	} (['t', 'handled'], ['o', 'ordered'], ['x', 'acked']));

	wait_sql($node, 'postgres', "SELECT drain_x(); SELECT count(*) FROM ($there) AS n (topic, published, ids, rows)"
		  . ' WHERE published <> ids', "\n0", 90, "$name: everything arrives");
	is($node->safe_psql('postgres', "SELECT * FROM ($there) AS n (topic, published, ids, rows) WHERE published <> rows OR published <> ids"),
		'', "$name: once");
	is($node->safe_psql('postgres', 'SELECT count(*) FROM (SELECT id, lag(id) OVER (PARTITION BY key ORDER BY n) AS before FROM ordered) AS o WHERE id < before'),
		'0', "$name: in order");
	is($node->safe_psql('postgres', "SELECT * FROM order_ext.verify() WHERE severity = 'error' AND actual <> 'trigger linger'"),
		'', 'verify() finds nothing but our own triggers');
	return;
}

my $old = $node->background_psql('postgres');
$old->query('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1');

# Under load, with an old snapshot.
load_for(8, sub { written_anew('tables are written anew under load'); written_anew('and again'); });
all_once('under load');

# Readers wait while a table is empty, and then see it as it is, not as it was.
my @tables = split /\n/, $node->safe_psql('postgres', 'SELECT name FROM small');
$node->safe_psql('postgres', join(';', map {
	"CREATE TRIGGER linger AFTER TRUNCATE ON order_ext_internal.$_ FOR EACH STATEMENT EXECUTE FUNCTION linger();"
		. "INSERT INTO lingering VALUES ('$_', 0.5)" } @tables));
load_for(15, sub { written_anew('slowly') });
all_once('while others wait');

# One snapshot for all: what would see empty tables is refused, and works when it begins again.
$node->safe_psql('postgres', "INSERT INTO published VALUES (order_ext.publish('x', 1), 'x')");
my $tokens = $node->safe_psql('postgres', "SELECT array_agg(token) FROM order_ext.receive('x', 10)");
my $late = $node->background_psql('postgres', on_error_stop => 0);
$late->query('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1');
written_anew('behind a snapshot');
foreach my $call ('dispatch()', "receive('x')", "ack('x', '$tokens')", "nack('x', '$tokens')", "extend_lease('x', '$tokens', '1 hour')")
{
	$late->{stderr} = '';
	$late->query("SAVEPOINT s; SELECT order_ext.$call;");
	like($late->{stderr}, qr/could not serialize access/, "$call with an old snapshot");
	$late->query('ROLLBACK TO s');
}
$late->query('ROLLBACK');
is($late->query("BEGIN ISOLATION LEVEL REPEATABLE READ; INSERT INTO acked SELECT message_id FROM order_ext_internal.leases WHERE token = ANY ('$tokens'); SELECT order_ext.ack('x', '$tokens'); COMMIT;"),
	'1', 'a new one is no matter');
$late->quit;

# The server crashes while the tables are empty.
foreach my $table ('leases', 'group_progress')
{
	load_for(4, sub {
		my $progress = "SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE l.relation = 'order_ext_internal.$table'::regclass"
		  . " AND l.mode = 'AccessExclusiveLock' AND l.granted AND a.wait_event = 'PgSleep'";

		$node->safe_psql('postgres', "TRUNCATE lingering; INSERT INTO lingering VALUES ('$table', 120); CALL grow()");
		wait_sql($node, 'postgres', $progress, '1', 30, "$table is being written anew");
		$node->stop('immediate');
		$node->start;
	});
	all_once("after a crash with $table");
}

$node->stop;
check_log($node, crashes => 1);
done_testing();
