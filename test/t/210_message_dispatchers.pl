# Several dispatchers for a role, and more and fewer of them while messages flow: every message
# once, the order of each key kept, the work shared.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use IPC::Run qw(start);
use OrderExtTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $keys = 50;
my $node = start_node('dispatchers', 'order_ext.batch_size = 50', 'max_worker_processes = 24');

$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION order_ext;
CREATE ROLE shop LOGIN;
SELECT order_ext.grant_to('shop', 'operator'), order_ext.grant_to('shop', 'worker');
CREATE SCHEMA shop AUTHORIZATION shop;
SET SESSION AUTHORIZATION shop;
CREATE TABLE shop.seen (n bigserial, key bigint, place bigint, pid integer DEFAULT pg_backend_pid());
-- One of 500 fails once or twice: the key waits, and goes on in order.
CREATE FUNCTION shop.note(m order_ext.message) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	IF (m.payload->>'place')::bigint % 500 = m.key AND m.attempt < 3 THEN
		RAISE EXCEPTION 'not yet' USING ERRCODE = 'OE801', DETAIL = '20 ms';
	END IF;
	INSERT INTO shop.seen (key, place) VALUES (m.key, (m.payload->>'place')::bigint);
END
$$;
SELECT order_ext.create_topic('t');
SELECT order_ext.subscribe('g', 't', 'shop.note(order_ext.message)', '{"ordered": true}');
SQL

sub dispatchers
{
	my ($n) = @_;
	$node->append_conf('postgresql.conf', "order_ext.workers = $n");
	$node->reload;
	wait_sql($node, 'postgres', "SELECT count(*) FROM order_ext.worker_stats WHERE kind = 'dispatcher' AND role = 'shop' AND pid IS NOT NULL",
		$n, 60, "$n dispatchers");
	wait_sql($node, 'postgres', "SELECT parts, barrier IS NULL FROM order_ext_internal.consumer_groups WHERE name = 'g'",
		"$n|t", 60, "and as many parts");
	return;
}
dispatchers(1);

my ($in, $out, $err) = ('', '', '');
my $load = start(
	[ 'psql', '-X', '-q', '-d', $node->connstr('postgres'), '-v', 'ON_ERROR_STOP=1', '-c',
		"DO \$\$ BEGIN FOR n IN 1..100000 LOOP"
		  . " PERFORM order_ext.publish('t', n % $keys, jsonb_build_object('place', n)); COMMIT;"
		  . " EXIT WHEN n % 100 = 0 AND EXISTS (SELECT FROM public.stop); END LOOP; END \$\$" ],
	\$in, \$out, \$err)
  if $node->safe_psql('postgres', 'CREATE TABLE public.stop ()') eq '';
foreach my $n (3, 2, 4, 1, 2)
{
	my $before = $node->safe_psql('postgres', 'SELECT max(n) FROM shop.seen') || 0;
	dispatchers($n);
	$node->poll_query_until('postgres', "SELECT max(n) > $before + 300 FROM shop.seen");
}
$node->safe_psql('postgres', 'INSERT INTO public.stop DEFAULT VALUES');
$load->finish;
is($err, '', 'the publisher had no trouble');

my $published = $node->safe_psql('postgres', 'SELECT count(*) FROM order_ext_internal.message_log WHERE topic_id >= 1000');
wait_sql($node, 'postgres', 'SELECT count(*) FROM shop.seen', $published, 120, 'every message is handled');
is($node->safe_psql('postgres', 'SELECT count(DISTINCT place) FROM shop.seen'), $published, 'once');
is($node->safe_psql('postgres', 'SELECT count(*) FROM (SELECT place < lag(place) OVER (PARTITION BY key ORDER BY n) AS late FROM shop.seen) s WHERE late'),
	'0', q{in each key's order});
cmp_ok($node->safe_psql('postgres', 'SELECT count(DISTINCT pid) FROM shop.seen'), '>', 3, 'by several processes');
is($node->safe_psql('postgres', "SELECT lag, retrying, dead, parked, consumed FROM order_ext.consumer_stats WHERE consumer_group = 'g'"),
	"0|0|0|0|$published", 'and counted right');

# One of them gone for good leaves nothing undone: the others look after its parts.
dispatchers(4);
my $pid = $node->safe_psql('postgres', "SELECT pid FROM order_ext.worker_stats WHERE kind = 'dispatcher' AND role = 'shop' ORDER BY pid LIMIT 1");
$node->safe_psql('postgres', "SELECT pg_terminate_backend($pid)");
$node->safe_psql('postgres', "SELECT count(order_ext.publish('t', n, '{\"place\": 1000000}')) FROM generate_series(100, 199) n");
wait_sql($node, 'postgres', "SELECT count(*) FROM shop.seen WHERE place = 1000000", '100', 30, 'all parts are looked after');

# Who calls dispatch() above READ COMMITTED reads the parts as they are.
wait_sql($node, 'postgres', 'SET SESSION AUTHORIZATION shop; BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT order_ext.dispatch(); COMMIT',
	'0', 30, 'dispatch() in REPEATABLE READ');

# What waits behind a message and fails only at the commit fails by itself: not for the one before it.
$node->safe_psql('postgres', <<'SQL');
SET SESSION AUTHORIZATION shop;
CREATE TABLE shop.late (n bigserial, key bigint, word text, code text);
CREATE FUNCTION shop.refuse() RETURNS trigger LANGUAGE plpgsql AS
	$$ BEGIN RAISE EXCEPTION 'refused at the end' USING ERRCODE = NEW.code; END $$;
CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON shop.late DEFERRABLE INITIALLY DEFERRED
	FOR EACH ROW WHEN (NEW.code IS NOT NULL) EXECUTE FUNCTION shop.refuse();
CREATE FUNCTION shop.note_late(m order_ext.message) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	IF m.attempt <= (m.payload->>'fails')::integer THEN
		RAISE EXCEPTION 'not yet' USING ERRCODE = 'OE801', DETAIL = '20 ms';
	END IF;
	INSERT INTO shop.late (key, word, code) VALUES (m.key, m.payload->>'word', m.payload->>'code');
END
$$;
SELECT order_ext.create_topic('late');
SELECT order_ext.subscribe('late', 'late', 'shop.note_late(order_ext.message)', '{"ordered": true, "max_attempts": 2}');
-- of key 1 the second message dies, of key 2 it is discarded
SELECT order_ext.publish('late', key, message || CASE WHEN message ? 'code' THEN jsonb_build_object('code', code) ELSE '{}' END)
FROM (VALUES (1, 'ZZ001'), (2, 'OE802')) AS k (key, code),
	jsonb_array_elements('[{"word": "a", "fails": 1}, {"word": "b", "code": ""}, {"word": "c"}, {"word": "d"}]') AS message;
SQL
wait_sql($node, 'postgres', "SELECT string_agg(key || word, ' ' ORDER BY key, n) FROM shop.late", '1a 2a 2c 2d', 60, 'the others are handled, in order');
wait_sql($node, 'postgres', "SELECT key, payload->>'word', attempts, last_sqlstate FROM order_ext.dead_letters WHERE consumer_group = 'late'",
	'1|b|2|ZZ001', 60, 'the one that fails is dead, of its own error');
is($node->safe_psql('postgres', "SELECT key, waiting FROM order_ext.parked_keys WHERE consumer_group = 'late'"), '1|2', 'its key waits');

verify_clean($node, 'postgres');
check_log($node);
my @complaints = grep { /order_ext dispatcher/ && /(ERROR|FATAL|WARNING):/ && !/terminating/ } split /\n/, slurp_file($node->logfile);
is(join("\n", @complaints), '', 'no worker has complained');
$node->stop('fast');
done_testing();
