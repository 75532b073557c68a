# Who publishes without a commit of his own that the workers could hear of: prepared
# transactions, and logical apply. Each message is delivered exactly if it was committed.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use OrderExtTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = start_node('publishers', 'max_prepared_transactions = 10', 'wal_level = logical');
my $keys = "SELECT coalesce(string_agg(key::text, ' ' ORDER BY key), '') FROM handled";

$node->safe_psql('postgres', 'CREATE EXTENSION order_ext');
create_handled($node, 'postgres');
wait_workers($node, 'postgres', 'dispatcher,scheduler', 5, 'workers are there');

# ---- prepared transactions ----

$node->safe_psql('postgres', <<'SQL');
BEGIN;
SELECT order_ext.publish('t', 1), order_ext.publish('t', 2, deliver_at => clock_timestamp() + interval '10 ms'),
	order_ext.publish('t', 3, dedup_key => 'k');
SAVEPOINT s;
SELECT order_ext.publish('t', 4);
ROLLBACK TO s;
SAVEPOINT s;
SELECT order_ext.publish('t', 5);
RELEASE s;
PREPARE TRANSACTION 'a';
BEGIN;
SELECT order_ext.publish('t', 6);
PREPARE TRANSACTION 'b';
BEGIN;
SELECT order_ext.publish('t', 7);
PREPARE TRANSACTION 'c';
SELECT order_ext.publish('t', 8);
SQL
wait_sql($node, 'postgres', $keys, '8', 10, 'what is prepared waits, what is committed does not');
is($node->psql('postgres', "SET order_ext.lock_timeout = '100ms'; SELECT order_ext.publish('t', 9, dedup_key => 'k')"),
	3, 'a key that a prepared transaction has claimed is busy');
$node->safe_psql('postgres', "ROLLBACK PREPARED 'b'");
$node->stop('immediate');
$node->start;
$node->safe_psql('postgres', "SELECT order_ext.publish('t', 10)");
wait_sql($node, 'postgres', $keys, '8 10', 20, 'still after a crash');
$node->safe_psql('postgres', "COMMIT PREPARED 'a'");
wait_sql($node, 'postgres', $keys, '1 2 3 5 8 10', 20, 'its commit delivers, timer and all');
is($node->safe_psql('postgres', "SELECT order_ext.publish('t', 9, dedup_key => 'k') = (SELECT id FROM handled WHERE key = 3)"),
	't', 'a duplicate of a prepared message');

# A cancel that is prepared: the timer waits for it, others do not.
$node->safe_psql('postgres', <<'SQL');
CREATE TABLE timer AS
SELECT key, order_ext.publish('t', key, deliver_at => clock_timestamp() + interval '3 s') AS id FROM generate_series(20, 22) AS key;
BEGIN;
SELECT order_ext.cancel_message(id) FROM timer WHERE key = 20;
PREPARE TRANSACTION 'd';
BEGIN;
SELECT order_ext.cancel_message(id) FROM timer WHERE key = 21;
PREPARE TRANSACTION 'e';
SQL
wait_sql($node, 'postgres', $keys, '1 2 3 5 8 10 22', 20, 'the timer that nobody cancels fires');
$node->safe_psql('postgres', "COMMIT PREPARED 'd'");
$node->safe_psql('postgres', "ROLLBACK PREPARED 'e'");
wait_sql($node, 'postgres', $keys, '1 2 3 5 8 10 21 22', 20, 'the one whose cancel was rolled back fires then');
wait_sql($node, 'postgres', 'SELECT pending FROM order_ext.timer_stats', '0', 20, 'the other one never does');
# Meanwhile the log cannot have lost what 'c' has written.
$node->safe_psql('postgres', "ALTER SYSTEM SET order_ext.log_retention = 0");
$node->reload;
foreach my $n (1 .. 5)
{
	$node->safe_psql('postgres', "SELECT order_ext.publish('t', 100)");
	wait_sql($node, 'postgres', 'SELECT clock_timestamp() > max(moved_at) + interval \'1 s\' FROM order_ext_internal.ring_moves', 't', 10,
		"the log may go on ($n)");
	$node->safe_psql('postgres', 'SELECT order_ext.maintain()');
}
$node->safe_psql('postgres', "COMMIT PREPARED 'c'");
wait_sql($node, 'postgres', 'SELECT count(*) FROM handled WHERE key = 7', '1', 20, 'a segment waits for prepared transactions');
verify_clean($node, 'postgres');

# ---- logical apply ----

my $source = PostgreSQL::Test::Cluster->new('source');
$source->init(allows_streaming => 'logical');
$source->start;
$source->safe_psql('postgres', 'CREATE TABLE thing (id bigint PRIMARY KEY, x integer); INSERT INTO thing VALUES (1, 1);'
	  . ' CREATE PUBLICATION p FOR TABLE thing');
$node->safe_psql('postgres', <<'SQL');
DELETE FROM handled;
CREATE TABLE thing (id bigint PRIMARY KEY, x integer);
CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM order_ext.publish('t', NEW.id * 10 + NEW.x);
	PERFORM order_ext.publish('t', NEW.id * 10 + NEW.x, deliver_at => clock_timestamp() + interval '50 ms');
	RETURN NEW;
END
$$;
CREATE TRIGGER tell AFTER INSERT OR UPDATE ON thing FOR EACH ROW EXECUTE FUNCTION tell();
ALTER TABLE thing ENABLE ALWAYS TRIGGER tell;
SQL
$node->safe_psql('postgres', "CREATE SUBSCRIPTION s CONNECTION 'host=" . $source->host . " port=" . $source->port . " dbname=postgres' PUBLICATION p");
wait_sql($node, 'postgres', $keys, '11 11', 60, 'the first copy publishes');
$source->safe_psql('postgres', 'INSERT INTO thing VALUES (2, 1), (3, 1); UPDATE thing SET x = 2 WHERE id = 1;');
$source->safe_psql('postgres', 'BEGIN; INSERT INTO thing VALUES (4, 1); ROLLBACK;');
$source->safe_psql('postgres', 'BEGIN; INSERT INTO thing VALUES (5, 1); SAVEPOINT s; INSERT INTO thing VALUES (6, 1);'
	  . ' ROLLBACK TO s; INSERT INTO thing VALUES (7, 1); COMMIT;');
wait_sql($node, 'postgres', $keys, '11 11 12 12 21 21 31 31 51 51 71 71', 60, 'what is applied publishes, what was rolled back does not');

# A conflict: the apply worker fails after its trigger has published, again and again.
$node->safe_psql('postgres', 'ALTER TABLE thing DISABLE TRIGGER tell; INSERT INTO thing VALUES (9, 0); ALTER TABLE thing ENABLE ALWAYS TRIGGER tell');
$source->safe_psql('postgres', 'BEGIN; INSERT INTO thing VALUES (8, 1); INSERT INTO thing VALUES (9, 1); COMMIT;');
wait_sql($node, 'postgres', 'SELECT apply_error_count > 0 FROM pg_stat_subscription_stats', 't', 60, 'the apply worker fails');
$node->safe_psql('postgres', "SELECT order_ext.publish('t', 1000)");
wait_sql($node, 'postgres', 'SELECT count(*) FROM handled WHERE key = 1000', '1', 10, 'others publish meanwhile');
is($node->safe_psql('postgres', 'SELECT count(*) FROM handled WHERE key IN (81, 91)'), '0', 'what it could not commit is not delivered');
$node->safe_psql('postgres', 'DELETE FROM thing WHERE id = 9');
wait_sql($node, 'postgres', "SELECT string_agg(key::text, ' ' ORDER BY key) FROM handled WHERE key IN (81, 91)", '81 81 91 91', 60, 'and then, once');
verify_clean($node, 'postgres');

$node->safe_psql('postgres', 'DROP SUBSCRIPTION s');
$source->stop;
$node->stop;
check_log($node);
done_testing();
