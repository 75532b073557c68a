# Logical replication of a database with the extension, as docs/copies.md describes it: five tables
# that CREATE EXTENSION fills are emptied in the replica, database_stamp is left out; the replica is
# quiet, follows, and goes on by enable_dispatch() when the original is gone.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use OrderExtTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $original = start_node('original', 'wal_level = logical', 'max_wal_senders = 10', 'max_replication_slots = 10');
my $replica = start_node('replica', 'max_worker_processes = 24', 'max_replication_slots = 10');

$_->safe_psql('postgres', 'CREATE DATABASE shop') foreach $original, $replica;
# roles have other OIDs there
$replica->safe_psql('postgres', 'CREATE ROLE spare; CREATE ROLE handlers LOGIN');
$original->safe_psql('shop', 'CREATE EXTENSION order_ext');
create_handled($original, 'shop');
$original->safe_psql('shop', <<'SQL');
SELECT order_ext.put_product('A', 'A', 100), order_ext.adjust_stock('A', 100);
SELECT count(order_ext.publish('t', i)) FROM generate_series(1, 50) AS i;
SQL
wait_sql($original, 'shop', 'SELECT count(*) FROM handled', 50, 30, 'the original works');
my $old = $original->safe_psql('shop', q{SELECT id FROM order_ext.create_order(1, '[{"sku": "A", "quantity": 1}]', 100)});

# What the page says, statement by statement.
my $page = slurp_file(($ENV{TESTDIR} || "$FindBin::RealBin/../..") . '/docs/copies.md');
my %said = $page =~ /<!-- not run: replica, (\w+) -->\n```sql\n(.*?)```/gs;
is(join(' ', sort keys %said), 'original replica subscribe', 'the page has the statements');
(my $connection = $original->connstr('shop')) =~ s/'/''/g;
$said{subscribe} =~ s/CONNECTION '.*?'/CONNECTION '$connection'/;
$original->safe_psql('shop', $said{original});
$replica->safe_psql('shop', $said{replica});
# what belongs to the application, and comes with its own dump
$replica->safe_psql('shop', <<'SQL');
CREATE TABLE handled (id bigint, key bigint, attempt integer, at timestamptz DEFAULT clock_timestamp(), pid integer DEFAULT pg_backend_pid());
CREATE FUNCTION note(m order_ext.message) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO public.handled (id, key, attempt) VALUES (m.id, m.key, m.attempt);
END
$$;
GRANT INSERT ON handled TO handlers;
SQL
$replica->safe_psql('shop', $said{subscribe});
wait_sql($replica, 'shop', "SELECT count(*) FROM pg_subscription_rel WHERE srsubstate <> 'r'", 0, 60, 'all tables are copied');

# It follows: rows that are new, that change, and that go.
$original->safe_psql('shop', <<SQL);
SELECT order_ext.pay_callback($old, 'T-1', 'card', 100);
SELECT order_ext.create_topic('later'), order_ext.subscribe('later', 'later', 'note(order_ext.message)', '{"run_as": "handlers"}');
SELECT order_ext.publish('t', 51);
SELECT order_ext.publish('later', 52, deliver_at => clock_timestamp() + interval '5 s') FROM order_ext.pause('later');
SQL
wait_sql($original, 'shop', 'SELECT count(*) FROM handled', 51, 30, 'the original goes on');
wait_sql($original, 'shop', "SELECT status FROM order_ext.orders_view WHERE order_id = $old", 'fulfilling', 30, 'also with the order');
$original->wait_for_catchup('replica');
is($replica->safe_psql('shop', "SELECT status FROM order_ext.orders_view WHERE order_id = $old"), 'fulfilling', 'the replica follows');
is($replica->safe_psql('shop', q{SELECT string_agg(consumer_group, ',' ORDER BY consumer_group) FROM order_ext.subscriptions_view WHERE NOT builtin}),
	'g,later', 'its groups, too');
is($replica->safe_psql('shop', q{SELECT string_agg(DISTINCT (run_as_oid = 'handlers'::regrole)::text, ',')
	FROM order_ext_internal.consumer_groups WHERE handler IS NOT NULL}), 'true', 'with the roles of these names here');
is($replica->safe_psql('postgres', workers('shop')), '', 'it is quiet');
is($replica->safe_psql('shop', 'SELECT count(*) FROM handled'), 0, 'and delivers nothing');
unlike(slurp_file($replica->logfile), qr/ERROR:.*(duplicate key|cannot change table)/, 'nothing has collided');

# The original is gone.
my $waits = $original->safe_psql('shop', q{SELECT count(*) FROM order_ext_internal.pending_timers});
$original->wait_for_catchup('replica');
$original->stop('fast');
$replica->safe_psql('shop', 'ALTER SUBSCRIPTION replica DISABLE; ALTER SUBSCRIPTION replica SET (slot_name = NONE); DROP SUBSCRIPTION replica');
$replica->safe_psql('shop', q{SELECT order_ext.enable_dispatch(); SELECT order_ext.resume('later')});
wait_sql($replica, 'shop', q{SELECT string_agg(key::text, ',' ORDER BY key) FROM handled}, '52', 60, 'what had not been delivered is');
is($replica->safe_psql('shop', q{SELECT disposition FROM order_ext.create_order(2, '[{"sku": "A", "quantity": 2}]', 200)}), 'applied', 'orders go on');
$replica->safe_psql('shop', "SELECT order_ext.publish('t', 53)");
wait_sql($replica, 'shop', q{SELECT string_agg(key::text, ',' ORDER BY key) FROM handled}, '52,53', 30, 'messages as well, with ids of their own');
verify_clean($replica, 'shop');
$replica->stop;
check_log($replica);
done_testing();
