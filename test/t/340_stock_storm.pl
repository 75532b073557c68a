# Stock that nobody waits for: buyers of the same few products whose transactions stay open, roll
# back, are prepared or die with the server. Nobody waits for another's transaction, nothing is
# sold twice, and what is there can be sold to the last unit. Then the ledger moves: to a standby,
# which is promoted, into a dump, and to a subscriber.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use OrderExtTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

my $seconds = $ENV{STORM_SECONDS} || 5;
my $clients = $ENV{STORM_CLIENTS} || 8;
my $crashes = $ENV{STORM_CRASHES} || 3;

my $node = PostgreSQL::Test::Cluster->new('stock');
$node->init(allows_streaming => 'logical');
configure($node, 'autovacuum = on', 'autovacuum_naptime = 1s', 'max_prepared_transactions = 40', 'order_ext.workers = 2', q{log_line_prefix = '%m [%p] %e %q%a '});
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION order_ext');
$node->safe_psql('postgres', <<'SQL');
CREATE TABLE put (sku text, delta bigint);
CREATE TABLE unexpected (what text, sqlstate text, message text);
CREATE FUNCTION put(sku text, delta bigint) RETURNS void LANGUAGE sql AS $$
	SELECT order_ext.put_product(sku, sku, 100) WHERE NOT EXISTS (SELECT FROM order_ext_internal.products p WHERE p.sku = $1);
	INSERT INTO public.put SELECT $1, $2 FROM order_ext.adjust_stock($1, $2);
$$;
SELECT put('S' || n, 300) FROM generate_series(1, 3) AS n;
CREATE FUNCTION cart(n integer) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_agg(jsonb_build_object('sku', sku, 'quantity', q)) FROM (
		SELECT 'S' || s AS sku, 1 + floor(random() * 3)::integer AS q FROM generate_series(1, 3) AS s ORDER BY random() LIMIT n) AS c
$$;
CREATE FUNCTION buy(cart jsonb) RETURNS bigint LANGUAGE sql AS $$
	SELECT (order_ext.create_order(1 + floor(random() * 100)::integer, cart,
		(SELECT sum(100 * (line ->> 'quantity')::integer) FROM jsonb_array_elements(cart) AS line)::bigint,
		pay_timeout => make_interval(secs => 0.3 + 2 * random()))).id
$$;
-- What a client does in one transaction. OE201 is an answer; to wait, and so be busy, is none.
CREATE FUNCTION act() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	dice float := random();
	sku text := 'S' || 1 + floor(random() * 3);
	delta bigint := 1 + floor(random() * 6);
	id bigint;
BEGIN
	IF dice < 0.70 THEN
		PERFORM buy(cart(1 + floor(random() * 3)::integer));
	ELSIF dice < 0.80 THEN
		PERFORM put(sku, CASE WHEN random() < 0.6 THEN -delta ELSE delta END);
	ELSIF dice < 0.90 THEN
		SELECT order_id INTO id FROM order_ext.orders_view WHERE status = 'created' ORDER BY random() LIMIT 1;
		IF FOUND THEN PERFORM order_ext.cancel_order(id); END IF;
	ELSE
		-- a savepoint that is rolled back, and another attempt
		BEGIN
			PERFORM buy(cart(2));
			RAISE EXCEPTION USING ERRCODE = 'ZZ000';
		EXCEPTION WHEN SQLSTATE 'ZZ000' THEN
			PERFORM buy(cart(1));
		END;
	END IF;
	IF random() < 0.2 THEN PERFORM pg_sleep(0.03 * random()); END IF;
EXCEPTION
	WHEN SQLSTATE 'OE201' THEN NULL;
	WHEN SQLSTATE 'OE110' OR SQLSTATE 'OE101' THEN
		-- an order that a prepared transaction cancels
		IF dice NOT BETWEEN 0.80 AND 0.90 THEN INSERT INTO unexpected VALUES ('act', SQLSTATE, SQLERRM); END IF;
	WHEN OTHERS THEN
		IF SQLSTATE <> '40001' OR current_setting('transaction_isolation') = 'read committed' THEN
			INSERT INTO unexpected VALUES ('act', SQLSTATE, SQLERRM);
		END IF;
END
$$;
-- Under one snapshot: units are neither made nor lost, and never less than none. The view and the
-- sum of all of the ledger are read by different ways.
CREATE FUNCTION check_levels() RETURNS void LANGUAGE sql AS $$
	INSERT INTO unexpected
	SELECT 'level of ' || sku, NULL, format('%s/%s/%s, put in %s, ledger %s/%s', s.available, s.reserved, s.consumed, put, a, r)
	FROM (SELECT sku, sum(delta) AS put FROM put GROUP BY 1) AS p JOIN order_ext_internal.products USING (sku)
	JOIN order_ext_internal.stock s USING (product_id)
	JOIN (SELECT product_id, sum(available_delta) AS a, sum(reserved_delta) AS r FROM order_ext_internal.stock_ledger GROUP BY 1) AS l
		USING (product_id)
	WHERE s.available + s.reserved + s.consumed <> put OR s.available <> a OR s.reserved <> r
		OR least(s.available, s.reserved, s.consumed) < 0
$$;
SQL

my %scripts = (
	'commit.sql' => "SELECT act();\n",
	'two.sql' => "BEGIN;\nSELECT act();\nSELECT act();\nCOMMIT;\n",
	'rollback.sql' => "BEGIN;\nSELECT act();\nSELECT act();\nROLLBACK;\n",
	'repeatable_read.sql' => "BEGIN ISOLATION LEVEL REPEATABLE READ;\nSELECT act();\nSELECT act();\nCOMMIT;\n",
	# a variable is put in even into a literal
	'prepared.sql' => "\\set id random(1, 1000000000)\nBEGIN;\nSELECT act();\nPREPARE TRANSACTION 'p:id';\n"
	  . "\\if random(1, 2) = 1\nCOMMIT PREPARED 'p:id';\n\\else\nROLLBACK PREPARED 'p:id';\n\\endif\n",
	'check.sql' => "SELECT check_levels();\n");
append_to_file($node->basedir . "/$_", $scripts{$_}) foreach keys %scripts;
my @mix = map { ('-f', $node->basedir . "/$_") } ('commit.sql@10', 'two.sql@4', 'rollback.sql@4', 'repeatable_read.sql@2', 'prepared.sql@2', 'check.sql@2');
my @storm = ('pgbench', '-n', @mix, '-c', $clients, '-j', 2, '-T', $seconds, '--max-tries', 10);

sub nothing_unexpected
{
	my ($name) = @_;
	return is($node->safe_psql('postgres', 'SELECT what, sqlstate, message, count(*) FROM unexpected GROUP BY 1, 2, 3 LIMIT 20'), '', $name);
}

# ---- the storm, beside transactions that stay open with some of everything, one of them prepared ----

my $open = $node->background_psql('postgres');
$open->query_safe('BEGIN');
$open->query_safe("SELECT buy('[{\"sku\": \"S1\", \"quantity\": 7}, {\"sku\": \"S2\", \"quantity\": 7}, {\"sku\": \"S3\", \"quantity\": 7}]')");
$node->safe_psql('postgres', q{BEGIN; SELECT buy('[{"sku": "S2", "quantity": 5}, {"sku": "S1", "quantity": 5}]'); PREPARE TRANSACTION 'shop'});
my $old = $node->background_psql('postgres');    # a snapshot that is kept
$old->query_safe('BEGIN ISOLATION LEVEL REPEATABLE READ');
my $then = $old->query_safe('SELECT product_id, available, reserved FROM order_ext_internal.stock ORDER BY 1');

$node->command_ok([ @storm, 'postgres' ], "$clients clients for $seconds s");
nothing_unexpected('nobody waits, and levels add up at every moment');
cmp_ok($node->safe_psql('postgres', 'SELECT count(*) FROM order_ext.orders_view'), '>', 100, 'orders were made');
is($old->query_safe('SELECT product_id, available, reserved FROM order_ext_internal.stock ORDER BY 1'), $then,
	'an old snapshot has its levels');
$old->query_safe('COMMIT');
$old->quit;
unlike(slurp_file($node->logfile), qr/deadlock detected/, 'no deadlock');
my $folds = $node->safe_psql('postgres', 'SELECT max(n) FROM (SELECT count(*) AS n FROM order_ext_internal.stock_folds GROUP BY product_id) AS f');
cmp_ok($folds, '<', 40, "replaced folds are removed ($folds are left of a product)");

# ---- the server dies in the middle of it ----

foreach my $crash (1 .. $crashes)
{
	my $pgbench = IPC::Run::start([ @storm, '-h', $node->host, '-p', $node->port, 'postgres' ], '>', '/dev/null', '2>', '/dev/null');

	sleep 0.5 + rand 1.5;
	$node->stop('immediate');
	$pgbench->finish;
	$node->start;
	$node->safe_psql('postgres', 'SELECT check_levels()');
	nothing_unexpected("crash $crash: levels add up");
	is($node->safe_psql('postgres', q{SELECT gid FROM pg_prepared_xacts WHERE gid = 'shop'}), 'shop', 'what was prepared is still open');
	$node->safe_psql('postgres', $_)
	  foreach split /\n/, $node->safe_psql('postgres', q{SELECT CASE WHEN random() < 0.5 THEN 'COMMIT' ELSE 'ROLLBACK' END || ' PREPARED ' || quote_literal(gid)
		FROM pg_prepared_xacts WHERE gid <> 'shop'});
}
eval { $open->quit };
wait_sql($node, 'postgres', 'SELECT (SELECT count(*) FROM order_ext.orders_view WHERE status = \'created\')'
	  . ' + (SELECT sum(lag + retrying) FROM order_ext.consumer_stats)', '0', 60, 'what was not paid is canceled and released');
is($node->safe_psql('postgres', 'SELECT sum(reserved) FROM order_ext_internal.stock'), '0', 'all of it');
is( $node->safe_psql('postgres', q{SELECT string_agg(sku || ' ' || put - s.available, ', ' ORDER BY sku) FROM (SELECT sku, sum(delta) AS put FROM put GROUP BY 1) AS p
	JOIN order_ext_internal.products USING (sku) JOIN order_ext_internal.stock s USING (product_id)}), 'S1 0, S2 0, S3 0', 'what was put in is there');
verify_clean($node, 'postgres', 'verify() after the storm');

# ---- the last unit ----

# Sold while buyers roll back: whoever asks last gets what is left, and it is exactly what was there.
$node->safe_psql('postgres', q{SELECT put('L' || n, 1) FROM generate_series(1, 20) AS n; SELECT put('few', 150);
	CREATE FUNCTION try(sku text) RETURNS boolean LANGUAGE plpgsql AS $$
	BEGIN
		PERFORM order_ext.create_order(1, jsonb_build_array(jsonb_build_object('sku', sku, 'quantity', 1)), 100, pay_timeout => '1 day');
		RETURN true;
	EXCEPTION WHEN SQLSTATE 'OE201' THEN
		RETURN false;
	END $$});
append_to_file($node->basedir . '/last.sql', "\\set n random(1, 20)\nBEGIN;\nSELECT try('L' || :n), try('few');\n\\if random(1, 3) = 1\nCOMMIT;\n\\else\nROLLBACK;\n\\endif\n");
$node->command_ok([ 'pgbench', '-n', '-f', $node->basedir . '/last.sql', '-c', $clients, '-j', 2, '-t', 60, 'postgres' ], 'buyers of the last units');
is($node->safe_psql('postgres', q{SELECT min(available) >= 0 FROM order_ext_internal.stock}), 't', 'nothing is sold twice');
$node->safe_psql('postgres', q{DO $$ BEGIN WHILE try('few') LOOP COMMIT; END LOOP; END $$; SELECT try('L' || n) FROM generate_series(1, 20) AS n});
is($node->safe_psql('postgres', q{SELECT count(DISTINCT order_id) || ' ' || sum(quantity) FROM order_ext.order_items_view WHERE sku = 'few'}), '150 150', 'every unit is sold');
is($node->safe_psql('postgres', q{SELECT string_agg(DISTINCT n::text, ',') FROM (SELECT sum(quantity) AS n FROM order_ext.order_items_view WHERE sku LIKE 'L%' GROUP BY sku) AS s}),
	'1', 'the last one, too, once');

# What is prepared has it, also after a crash, until it is decided.
$node->safe_psql('postgres', q{SELECT put('last', 1); BEGIN; SELECT try('last'); PREPARE TRANSACTION 'last'});
is($node->safe_psql('postgres', q{SELECT try('last')}), 'f', 'a prepared transaction has the last unit');
$node->stop('immediate');
$node->start;
is($node->safe_psql('postgres', q{SELECT try('last')}), 'f', 'after a crash as well');
is($node->safe_psql('postgres', q{SELECT available FROM order_ext.stock_level('last')}), '1', 'though it is not committed');
$node->safe_psql('postgres', q{ROLLBACK PREPARED 'last'});
is($node->safe_psql('postgres', q{SELECT try('last')}), 't', 'rolled back, it has not');
$node->safe_psql('postgres', q{COMMIT PREPARED 'shop'});
wait_sql($node, 'postgres', q{SELECT sum(reserved) FROM order_ext_internal.stock JOIN order_ext_internal.products USING (product_id) WHERE sku LIKE 'S_'},
	'0', 30, 'what was prepared in the storm runs out of time, too');

# ---- an open transaction does not make orders read more ----

$node->safe_psql('postgres', q{SELECT put('many', 100000)});
$open = $node->background_psql('postgres');
$open->query_safe('BEGIN');
$open->query_safe(q{SELECT try('many')});
$node->safe_psql('postgres', q{DO $$ BEGIN FOR n IN 1 .. 500 LOOP PERFORM try('many'); COMMIT; END LOOP; END $$});
my $reads = $node->safe_psql('postgres', q{BEGIN; SELECT try('many');
	SELECT sum(pg_stat_get_xact_tuples_returned(oid)) FROM pg_class WHERE relname IN ('stock_ledger', 'stock_ledger_product_id', 'stock_folds', 'stock_folds_pkey'); COMMIT});
$reads =~ s/^t\n//;
cmp_ok($reads, '<', 60, "an order reads a constant ($reads entries)");
$open->query_safe('ROLLBACK');
$open->quit;

# ---- the same ledger elsewhere ----

my $levels = 'SELECT sku, l.* FROM order_ext_internal.products, LATERAL order_ext.stock_level(sku) l ORDER BY sku COLLATE "C"';
my $view = 'SELECT sku, available, reserved, consumed FROM order_ext_internal.stock JOIN order_ext_internal.products USING (product_id) ORDER BY sku COLLATE "C"';

# What has to stay as it is for the comparison; nothing is due for a day.
my $before = $node->safe_psql('postgres', $levels);
is($node->safe_psql('postgres', $view), $before, 'the view says what stock_level() says');

# A dump: rows get the id of the transaction that restores them, folds are made anew.
$node->safe_psql('postgres', 'CREATE DATABASE copy');
$node->command_ok([ 'pg_dump', '-Fc', '-f', $node->basedir . '/dump', $node->connstr('postgres') ], 'dumped');
$node->command_ok([ 'pg_restore', '-d', $node->connstr('copy'), $node->basedir . '/dump' ], 'restored');
is($node->safe_psql('copy', $levels), $before, 'levels of the copy');
is($node->safe_psql('copy', 'SELECT count(DISTINCT xid), (SELECT count(*) FROM order_ext_internal.stock_folds) FROM order_ext_internal.stock_ledger'), '1|0',
	'its ledger came in one transaction, without folds');
is($node->safe_psql('copy', q{SELECT try('last'), try('few'), try('many')}), 'f|f|t', 'it sells what is there');
is($node->safe_psql('copy', $view), $before =~ s/many\|(\d+)\|(\d+)/'many|' . ($1 - 1) . '|' . ($2 + 1)/er, 'and its levels are right');
cmp_ok($node->safe_psql('copy', 'SELECT count(*) FROM order_ext_internal.stock_folds'), '>', 0, 'by way of folds');
verify_clean($node, 'copy', 'verify() in the copy');

# A subscriber: the same.
$node->safe_psql('postgres', q{CREATE DATABASE subscriber; SELECT pg_create_logical_replication_slot('ledger', 'pgoutput');
	CREATE PUBLICATION ledger FOR TABLE order_ext_internal.products, order_ext_internal.stock_ledger, order_ext_internal.stock_folds});
$node->safe_psql('subscriber', 'CREATE EXTENSION order_ext');
$node->safe_psql('subscriber', q{CREATE SUBSCRIPTION ledger CONNECTION $$} . $node->connstr('postgres') . q{$$ PUBLICATION ledger WITH (create_slot = false, slot_name = 'ledger')});
wait_sql($node, 'subscriber', $levels, $before, 60, 'levels of a subscriber');
$node->safe_psql('postgres', q{DO $$ BEGIN FOR n IN 1 .. 40 LOOP PERFORM try('many'); COMMIT; END LOOP; END $$});
$before = $node->safe_psql('postgres', $levels);
wait_sql($node, 'subscriber', $levels, $before, 60, 'that follow');
is($node->safe_psql('subscriber', 'SELECT count(*) FROM order_ext_internal.stock_folds'), '0', 'without the folds of the publisher');
$node->safe_psql('subscriber', 'DROP SUBSCRIPTION ledger');

# A standby, promoted.
$node->backup('stock');
my $standby = PostgreSQL::Test::Cluster->new('stock_standby');
$standby->init_from_backup($node, 'stock', has_streaming => 1);
$standby->start;
$node->safe_psql('postgres', q{DO $$ BEGIN FOR n IN 1 .. 40 LOOP PERFORM try('many'); COMMIT; END LOOP; END $$});
$node->wait_for_catchup($standby);
$before = $node->safe_psql('postgres', $levels);
is($standby->safe_psql('postgres', $levels), $before, 'levels of a standby');
is($standby->safe_psql('postgres', $view), $before, 'its view');
$node->stop;
$standby->promote;
$standby->poll_query_until('postgres', 'SELECT NOT pg_is_in_recovery()');
is($standby->safe_psql('postgres', $levels), $before, 'levels of the promoted standby');
is($standby->safe_psql('postgres', q{SELECT try('last'), try('few'), try('many')}), 'f|f|t', 'it sells what is there');
verify_clean($standby, 'postgres', 'verify() there');
check_log($standby);
$standby->stop;
check_log($node);
done_testing();
