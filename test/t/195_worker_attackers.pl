# Who would stop the workers: a role that changes its own settings in a loop, owners that do the
# same with the database, handlers with commands about databases, handlers that take their time.
# Messages of another topic are delivered meanwhile, and a handler of three seconds finishes at
# its first attempt.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use IPC::Run;
use OrderExtTest;
use PostgreSQL::Test::Utils;
use Test::More;

# Far above what is measured where nothing else runs (see the notes), far below a stop.
my $bound = 5;
my $node = start_node('attackers');

$node->safe_psql('postgres', <<'SQL');
CREATE ROLE calm LOGIN;
CREATE ROLE slow LOGIN;
CREATE ROLE bare LOGIN;
CREATE ROLE owner LOGIN CREATEDB;
CREATE DATABASE shop OWNER owner;
CREATE DATABASE other OWNER owner;
\c shop
CREATE EXTENSION order_ext;
CREATE TABLE calm (key bigint, late interval);
CREATE TABLE slow (key bigint, attempt integer);
GRANT INSERT ON calm, slow TO calm, slow, owner;
CREATE FUNCTION calm(m order_ext.message) RETURNS void LANGUAGE sql
	AS $$INSERT INTO public.calm VALUES (m.key, clock_timestamp() - (m.payload->>'at')::timestamptz)$$;
CREATE FUNCTION slow(m order_ext.message) RETURNS void LANGUAGE sql
	AS 'INSERT INTO public.slow SELECT m.key, m.attempt FROM pg_sleep(3)';
CREATE FUNCTION act(m order_ext.message) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE m.payload->>'sql';
END
$$;
SELECT order_ext.create_topic(t), order_ext.subscribe(t, t, h::regprocedure, jsonb_build_object('run_as', r, 'max_attempts', 2))
FROM (VALUES ('calm', 'calm(order_ext.message)', 'calm'), ('same', 'calm(order_ext.message)', 'slow'),
	('slow2', 'slow(order_ext.message)', 'slow'), ('slow3', 'slow(order_ext.message)', 'slow'), ('slow', 'slow(order_ext.message)', 'slow'),
	('act', 'act(order_ext.message)', 'owner')) AS x (t, h, r);
SQL
wait_workers($node, 'shop', 'dispatcher,dispatcher,dispatcher,dispatcher,scheduler', 30, 'a dispatcher for each role');

my $round = 0;

# The statement, again and again for some seconds, as a role.
sub loop
{
	my ($role, $statement, $seconds) = @_;
	my $sql = "DO \$x\$ DECLARE until timestamptz := clock_timestamp() + '$seconds s'; BEGIN WHILE clock_timestamp() < until LOOP"
	  . " EXECUTE \$y\$$statement\$y\$; COMMIT; PERFORM pg_sleep(0.005); END LOOP; END \$x\$";
	my ($out, $err) = ('', '');

	return IPC::Run::start([ 'psql', '-X', '-q', '-d', $node->connstr('shop') . " user=$role", '-c', $sql ], '<', \undef, '>', \$out, '2>', \$err);
}

# Deliveries while something goes on, for six seconds: 100 messages of the topic, and a
# handler of three seconds.
sub delivered_of
{
	my ($topic, $name, @attackers) = @_;
	my $from = 1000 * ++$round;
	my $to = $from + 99;

	$node->safe_psql('shop', "SELECT order_ext.publish('slow', $from)");
	wait_sql($node, 'shop', "SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND usename = 'slow'", 't', 30,
		"$name: a handler is running");
	my @running = map { loop(@$_, 6) } @attackers;
	$node->safe_psql('shop', <<SQL);
DO \$x\$ BEGIN FOR k IN $from .. $to LOOP
	PERFORM order_ext.publish('$topic', k, jsonb_build_object('at', clock_timestamp()));
	COMMIT;
	PERFORM pg_sleep(0.05);
END LOOP; END \$x\$;
SQL
	ok($_->finish, "$name: the loop has run") foreach @running;
	wait_sql($node, 'shop', "SELECT count(*) FROM calm WHERE key BETWEEN $from AND $to", '100', 30, "$name: all messages arrive");
	note("$name: delivery p50 and max, ms: ", $node->safe_psql('shop',
			"SELECT round(1000 * percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM late))) || ' '"
			  . " || round(1000 * max(extract(epoch FROM late))) FROM calm WHERE key BETWEEN $from AND $to"));
	is($node->safe_psql('shop', "SELECT max(late) < interval '$bound s' FROM calm WHERE key BETWEEN $from AND $to"), 't',
		"$name: within $bound seconds");
	wait_sql($node, 'shop', "SELECT string_agg(attempt::text, ',') FROM slow WHERE key = $from", '1', 30,
		"$name: the slow handler ends, at its first attempt");
	return;
}

sub delivered_during
{
	return delivered_of('calm', @_);
}

delivered_during('quiet');

# ---- slow handlers ----

delivered_of('same', 'of the role of the slow handler');
$node->safe_psql('shop', "SELECT order_ext.publish(t, k) FROM unnest('{slow2,slow3}'::text[]) AS t, generate_series(1, 2) AS k");
delivered_of('same', 'of the role of three slow handlers');
wait_sql($node, 'shop', 'SELECT count(*) FROM slow WHERE key < 10', '4', 60, 'all of them end');

# ---- settings ----

wait_sql($node, 'shop', "SELECT count(*) FROM order_ext.worker_stats WHERE role = 'slow'", '1', 30, 'what was there to help has gone');
my $before;

# The workers that are there; an extra one, which a busy machine may have had started, leaves by itself.
sub take_names
{
	wait_workers($node, 'shop', 'dispatcher,dispatcher,dispatcher,dispatcher,scheduler', 60, 'a dispatcher for each role, and no other');
	$before = $node->safe_psql('shop', "SELECT array_agg(pid) FROM order_ext.worker_stats WHERE kind <> 'launcher'");
	return;
}

sub none_has_left
{
	my ($name) = @_;

	return is($node->safe_psql('shop', "SELECT count(*) FROM order_ext.worker_stats WHERE pid = ANY ('$before')"), '5', $name);
}
take_names();
delivered_during('a bare role', [ 'bare', 'ALTER ROLE bare SET geqo = on' ], [ 'bare', 'ALTER ROLE bare IN DATABASE shop SET geqo = on' ]);
none_has_left('no worker has noticed');
delivered_during('the role of the slow handler', [ 'slow', 'ALTER ROLE slow SET geqo = on' ]);
delivered_during('the role of the calm one', [ 'calm', 'ALTER ROLE calm SET geqo = on' ]);
delivered_during("the database's owner", [ 'owner', 'ALTER DATABASE shop SET geqo = on' ], [ 'owner', 'ALTER DATABASE shop ALLOW_CONNECTIONS true' ]);
delivered_during('an administrator', [ $ENV{PGUSER} || 'postgres', 'ALTER ROLE ALL SET geqo = on' ]);

# They do arrive.
$node->safe_psql('shop', "ALTER ROLE owner SET work_mem = '77MB'; ALTER DATABASE shop SET maintenance_work_mem = '78MB'");
$node->safe_psql('shop', 'CREATE TABLE seen (a text, b text); GRANT INSERT, SELECT ON seen TO owner');
foreach my $try (1 .. 60)
{
	$node->safe_psql('shop', qq[SELECT order_ext.publish('act', 1, '{"sql": "INSERT INTO public.seen SELECT current_setting(''work_mem''), current_setting(''maintenance_work_mem'')"}')]);
	last if $node->safe_psql('shop', "SELECT count(*) FROM seen WHERE a = '77MB' AND b = '78MB'") > 0;
	$node->safe_psql('shop', 'SELECT pg_sleep(0.5)');
}
is($node->safe_psql('shop', "SELECT count(*) > 0 FROM seen WHERE a = '77MB' AND b = '78MB'"), 't', 'new settings hold in handlers');

# order_ext.enabled, while a handler is running
$node->safe_psql('shop', "SELECT order_ext.publish('slow', 11)");
wait_sql($node, 'shop', "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND usename = 'slow'", '1', 30, 'a handler is running');
$node->safe_psql('shop', 'ALTER DATABASE shop SET order_ext.enabled = off');
wait_workers($node, 'shop', '', 20, 'off: they leave');
is($node->safe_psql('shop', 'SELECT attempt FROM slow WHERE key = 11'), '1', 'after what they are doing');
$node->safe_psql('shop', 'ALTER DATABASE shop SET order_ext.enabled = on');
wait_workers($node, 'shop', 'dispatcher,dispatcher,dispatcher,dispatcher,scheduler', 20, 'on: they are back');
$node->safe_psql('shop', 'ALTER ROLE slow IN DATABASE shop SET order_ext.enabled = off');
wait_workers($node, 'shop', 'dispatcher,dispatcher,dispatcher,scheduler', 20, 'off for a role: its dispatcher leaves');
$node->safe_psql('shop', 'ALTER ROLE slow IN DATABASE shop RESET ALL');
wait_workers($node, 'shop', 'dispatcher,dispatcher,dispatcher,dispatcher,scheduler', 20, 'and is back');

# ---- a transaction that stays open ----

# It has ordered tea; other orders of tea, and of coffee, run out of time, and one of them is being
# canceled in it.
$node->safe_psql('shop', <<'SQL');
SELECT order_ext.put_product(p, p, 100), order_ext.adjust_stock(p, 1000) FROM unnest('{tea,coffee}'::text[]) AS p;
CREATE TABLE orders (product text, order_id bigint);
CREATE FUNCTION buy(product text, pay_within interval) RETURNS bigint LANGUAGE sql AS $$
	WITH o AS (SELECT (order_ext.create_order(1, jsonb_build_array(jsonb_build_object('sku', product, 'quantity', 1)), 100, NULL, pay_within)).id)
	INSERT INTO public.orders SELECT product, id FROM o RETURNING order_id
$$;
SELECT buy('tea', '6 s') FROM generate_series(1, 300);
SQL
my $paid = $node->safe_psql('shop', "SELECT buy('coffee', '1 hour')");
my $held = $node->safe_psql('shop', "SELECT order_id FROM orders WHERE product = 'tea' ORDER BY 1 LIMIT 1");
my $open = $node->background_psql('shop');
$open->query_safe('BEGIN');
$open->query_safe("SELECT buy('tea', '1 hour')");
$open->query_safe("SELECT order_ext.cancel_order($held)");
wait_sql($node, 'shop', "SELECT count(*) FROM orders JOIN order_ext.orders_view USING (order_id) WHERE product = 'tea' AND status = 'canceled'",
	'299', 30, 'the others are canceled');
delivered_during('an open transaction');
$node->safe_psql('shop', "SELECT count(buy('coffee', '1 s')) FROM generate_series(1, 20)");
$node->safe_psql('shop', "SELECT order_ext.pay_callback($paid, 'one', 'wechat', 100)");
my $reserved = 'SELECT reserved FROM order_ext_internal.stock JOIN order_ext_internal.products USING (product_id) WHERE sku =';
wait_sql($node, 'shop', "$reserved 'coffee'", '1', 30, 'what is canceled of another product comes back');
wait_sql($node, 'shop', "SELECT count(*) FROM order_ext.fulfilments_view WHERE order_id = $paid", '1', 30, 'and what is paid goes its way');
wait_sql($node, 'shop', "$reserved 'tea'", '1', 30, 'and so does the tea');
is($node->safe_psql('shop', "SELECT status FROM order_ext.orders_view WHERE order_id = $held"), 'created', 'but for what is being canceled');
$open->query_safe('COMMIT');
$open->quit;
wait_sql($node, 'shop', "SELECT reservation FROM order_ext.order_items_view WHERE order_id = $held", 'released', 30, 'until the transaction ends');
is($node->safe_psql('shop', "$reserved 'tea'"), '1', 'which has its tea');
is($node->safe_psql('shop', 'SELECT count(*) FROM order_ext.dead_letters'), '0', 'it has cost nobody an attempt');
is($node->safe_psql('shop', 'SELECT count(*) FROM order_ext.attempt_log WHERE attempt > 1 OR error IS NOT NULL'), '0', 'or been noted as one');

# What is waited for besides: rows that nobody but an administrator can lock.
foreach my $lock ('SELECT FROM order_ext_internal.order_items FOR UPDATE', 'SELECT FROM order_ext_internal.orders FOR UPDATE',
	'LOCK TABLE order_ext_internal.stock_ledger, order_ext_internal.transition_log IN SHARE MODE')
{
	my $session = $node->background_psql('shop');

	$node->safe_psql('shop', "SELECT count(buy('coffee', '2 s')) FROM generate_series(1, 5)");
	$session->query_safe('BEGIN');
	$session->query_safe("SELECT count(*) FROM ($lock) AS x") if $lock =~ /^SELECT/;
	$session->query_safe($lock) if $lock !~ /^SELECT/;
	delivered_during($lock);
	is($node->safe_psql('shop', "$reserved 'coffee'"), '6', 'the orders wait');
	$session->query_safe('COMMIT');
	$session->quit;
	wait_sql($node, 'shop', "$reserved 'coffee'", '1', 30, 'until it ends');
}
is($node->safe_psql('shop', 'SELECT count(*) FROM order_ext.dead_letters'), '0', 'no dead letter');

# ---- commands about the database, from a handler in it, and refused ones from elsewhere ----

my $key = 100;
foreach my $sql ('DROP DATABASE shop', 'DROP DATABASE IF EXISTS shop WITH (FORCE)', 'DROP DATABASE other',
	'CREATE DATABASE copy TEMPLATE shop', 'ALTER DATABASE shop RENAME TO shoe', 'ALTER DATABASE shop SET TABLESPACE pg_default',
	'DROP DATABASE IF EXISTS nothing')
{
	$node->safe_psql('shop', "SELECT order_ext.publish('act', " . ++$key . ", '{\"sql\": \"$sql\"}')");
	wait_sql($node, 'shop', "SELECT attempts || ' ' || last_sqlstate FROM order_ext.dead_letters WHERE key = $key",
		$sql =~ /RENAME/ ? '2 0A000' : '2 25001', 60, "$sql in a handler is an error like any other");
}
take_names();
foreach my $case ([ 'bare', 'DROP DATABASE shop' ], [ 'owner', "BEGIN; DROP DATABASE shop" ], [ 'owner', 'DO $$ BEGIN DROP DATABASE shop; END $$' ],
	[ 'bare', 'ALTER DATABASE shop RENAME TO shoe' ], [ 'owner', 'ALTER DATABASE shop RENAME TO other' ],
	[ 'owner', 'ALTER DATABASE shop SET TABLESPACE nowhere' ], [ 'owner', 'CREATE DATABASE other TEMPLATE shop' ],
	[ 'bare', 'CREATE DATABASE copy TEMPLATE shop' ])
{
	my ($role, $sql) = @$case;
	my ($rc, $out, $err) = $node->psql('postgres', $sql, extra_params => [ '-U', $role ]);
	like($err, qr/ERROR/, "$sql by $role is refused");
}
none_has_left('and no worker has noticed');

# ---- rights on the tables themselves ----

$node->safe_psql('shop', <<'SQL');
CREATE ROLE writer LOGIN IN ROLE pg_write_all_data, pg_read_all_data;
GRANT CREATE ON SCHEMA public TO writer;
SET ROLE writer;
CREATE VIEW mine AS SELECT (SELECT count(*) FROM order_ext.orders_view);
CREATE TABLE own (n integer);
SQL
foreach my $relation ('order_ext_internal.message_log', 'order_ext_internal.stock', 'order_ext.orders_view', 'mine', 'own, mine')
{
	my ($rc, $out, $err) = $node->psql('shop', "BEGIN; LOCK TABLE $relation", extra_params => [ '-U', 'writer' ]);
	like($err, qr/permission denied to lock table/, "who may write to all tables does not lock $relation");
}
is($node->psql('shop', 'BEGIN; LOCK TABLE own; LOCK TABLE order_ext_internal.stock, mine IN ACCESS SHARE MODE', extra_params => [ '-U', 'writer' ]),
	0, 'but what keeps nobody from writing');

verify_clean($node, 'shop');
check_log($node, also => 'terminating background worker');
$node->stop('fast');
done_testing();
