# What built-in consumers publish is handed on to the next ones in the same transaction, and what
# timers publish by the scheduler. Whatever is in the way, nothing is lost or done twice, and the log
# tells the same story.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use OrderExtTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = start_node('handed_on', 'order_ext.batch_size = 50', 'max_worker_processes = 24');

$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION order_ext;
SELECT order_ext.put_product('S-' || i, 'Product ' || i, 100) FROM generate_series(1, 20) AS i;
SELECT order_ext.adjust_stock('S-' || i, 1000) FROM generate_series(1, 20) AS i;
-- Orders of two products, a third of them with a coupon, all of them due at one moment.
CREATE TABLE public.due (round integer, id bigint);
CREATE PROCEDURE public.make_due(round integer, n integer, due timestamptz) LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO public.due
	SELECT make_due.round, (order_ext.create_order(7,
		format('[{"sku": "S-%s", "quantity": 1}, {"sku": "S-%s", "quantity": 2}]', 1 + i % 10, 11 + i % 10)::jsonb,
		CASE WHEN i % 3 = 0 THEN 290 ELSE 300 END,
		CASE WHEN i % 3 = 0 THEN order_ext.issue_coupon(7, 10) END,
		due - clock_timestamp())).id
	FROM generate_series(1, n) AS i;
END
$$;
-- In which transaction things were done about an order: what the timer published and the cancellation,
-- the fan-out and the release of stock.
CREATE VIEW public.transactions AS
SELECT d.round, d.id,
	(SELECT xid FROM order_ext_internal.message_log AS m WHERE m.key = d.id AND m.topic_id = t.timeout) AS fired,
	(SELECT xid FROM order_ext_internal.message_log AS m WHERE m.key = d.id AND m.topic_id = t.assets) AS canceled,
	(SELECT xid FROM order_ext_internal.message_log AS m WHERE m.key = d.id AND m.topic_id = t.stock) AS fanned_out,
	(SELECT min(xid) FROM order_ext_internal.stock_ledger AS l WHERE l.order_id = d.id AND l.kind = t.release) AS released
FROM public.due AS d,
	(SELECT max(topic_id) FILTER (WHERE name = 'order.pay_timeout') AS timeout,
		max(topic_id) FILTER (WHERE name = 'order.release_assets') AS assets,
		max(topic_id) FILTER (WHERE name = 'stock.release') AS stock,
		(SELECT code FROM order_ext_internal.codes() WHERE set = 'ledger_kind' AND name = 'release') AS release
	 FROM order_ext_internal.topics) AS t;
SQL
wait_workers($node, 'postgres', 'dispatcher,scheduler', 5, 'workers are there');
$node->safe_psql('postgres', "SELECT order_ext.subscribe('watch', 'stock.release')");

my $codes = codes($node, 'postgres');
my $released = $codes->{reservation}{released};

my $round = 0;
sub make_due
{
	my ($n, $seconds) = @_;
	$round++;
	$node->safe_psql('postgres', "CALL public.make_due($round, $n, clock_timestamp() + interval '$seconds seconds')");
	return;
}

# All of them are canceled, and what they held is free again, once.
sub released
{
	my ($what) = @_;
	wait_sql($node, 'postgres', "SELECT count(*) FROM public.due AS d JOIN order_ext_internal.order_items AS i ON i.order_id = d.id
		WHERE i.reservation <> $released", '0', 60, "$what: released");
	wait_sql($node, 'postgres', 'SELECT count(*) FROM public.due AS d JOIN order_ext_internal.coupons AS c ON c.order_id = d.id',
		'0', 60, '... coupons, too');
	wait_sql($node, 'postgres', "SELECT sum(lag), sum(retrying), sum(dead) FROM order_ext.consumer_stats WHERE consumer_group <> 'watch'", '0|0|0', 60,
		'... nothing is left to be read');
	is($node->safe_psql('postgres', "SELECT count(*) FROM (SELECT FROM order_ext_internal.stock_ledger AS l
			WHERE l.kind = $codes->{ledger_kind}{release} GROUP BY l.order_id, l.product_id HAVING count(*) > 1) AS twice"), '0', '... and none twice');
	is($node->safe_psql('postgres', "SELECT DISTINCT s.available, s.reserved FROM generate_series(1, 20) AS i, order_ext.stock_level('S-' || i) AS s"),
		'1000|0', '... with the right levels');
	return;
}

# ---- handed on

make_due(120, 5);
released('nothing in the way');
# All that came in batches of twenty or more.
is($node->safe_psql('postgres', "SELECT count(*) >= 20 FROM public.transactions
		WHERE round = $round AND fired = canceled AND fanned_out = released"), 't',
	'the scheduler cancels in the transaction that fires, the dispatcher releases in the one that fans out');
is($node->safe_psql('postgres', "SELECT count(*) FROM public.transactions WHERE round = $round AND canceled = fanned_out"), '0',
	'... and these are different ones, so that both work');
is($node->safe_psql('postgres', "SELECT string_agg(DISTINCT t.topic || ' ' || t.state, ', ' ORDER BY t.topic || ' ' || t.state)
	FROM public.due AS d, order_ext.message_trace(d.id) AS t WHERE t.consumer_group <> 'watch'"),
	'coupon.release done, order.pay_timeout done, order.release_assets done, stock.release done', 'each message is traced');
is($node->safe_psql('postgres', "SELECT count(*) FROM public.due AS d, order_ext.message_trace(d.id) AS t
	WHERE t.consumer_group <> 'watch' AND t.finished_at IS NULL"), '0', '... with its end');
is($node->safe_psql('postgres', "SELECT consumer_group, consumed FROM order_ext.consumer_stats
		WHERE consumer_group IN ('order.pay_timeout', 'order.release_assets', 'stock.release', 'coupon.release') ORDER BY 1"),
	"coupon.release|40\norder.pay_timeout|120\norder.release_assets|120\nstock.release|120", '... and counted once');

is($node->safe_psql('postgres', "SELECT count(*), count(DISTINCT key) FROM order_ext.receive('watch', 1000)"), '120|120',
	'another group reads them in the log');
is($node->safe_psql('postgres', "SELECT order_ext.unsubscribe('watch') IS NOT NULL"), 't', '... which is gone from here on');

# ---- with something in the way

# A group that is paused: its messages wait in the log.
$node->safe_psql('postgres', "SELECT order_ext.pause('stock.release'), order_ext.pause('order.pay_timeout')");
make_due(60, 3);
wait_sql($node, 'postgres', "SELECT lag FROM order_ext.consumer_stats WHERE consumer_group = 'order.pay_timeout'", '60', 60,
	'what is paused is not handed on');
$node->safe_psql('postgres', "SELECT order_ext.resume('order.pay_timeout')");
wait_sql($node, 'postgres', "SELECT lag FROM order_ext.consumer_stats WHERE consumer_group = 'stock.release'", '60', 60,
	'... nor further on');
# More of them, behind those: their turn comes later.
make_due(60, 3);
wait_sql($node, 'postgres', "SELECT lag FROM order_ext.consumer_stats WHERE consumer_group = 'stock.release'", '120', 60,
	'... and what comes then waits behind it');
$node->safe_psql('postgres', "SELECT order_ext.resume('stock.release')");
released('paused groups');

# Lines that are locked: releasing them fails where it is handed on, and so does the set that is read
# from the log.
my $holder = $node->background_psql('postgres');
make_due(40, 6);
my $one = $node->safe_psql('postgres', "SELECT max(id) FROM public.due WHERE round = $round");
$holder->query_safe('BEGIN');
$holder->query_safe("SELECT count(*) FROM (SELECT FROM order_ext_internal.order_items WHERE order_id = $one FOR UPDATE) AS l");
wait_sql($node, 'postgres', "SELECT count(*) FROM public.due AS d WHERE d.round = $round AND NOT EXISTS
	(SELECT FROM order_ext_internal.order_items AS i WHERE i.order_id = d.id AND i.reservation <> $released)", '39', 60,
	'an order whose lines are locked keeps no other');
is($node->safe_psql('postgres', "SELECT count(*) FROM public.transactions WHERE round = $round AND fanned_out = released"), '0',
	'... what failed was read from the log');
$holder->query_safe('COMMIT');
released('locked lines');

# An order that somebody is working on: it is busy, and the only one that comes later.
make_due(40, 6);
$one = $node->safe_psql('postgres', "SELECT max(id) FROM public.due WHERE round = $round");
$holder->query_safe('BEGIN');
$holder->query_safe("SELECT order_ext.pre_pay_order(order_id, 'gateway', pay_amount) FROM order_ext_internal.orders WHERE order_id = $one");
wait_sql($node, 'postgres', "SELECT count(*) FROM public.due AS d JOIN order_ext_internal.orders AS o ON o.order_id = d.id
	WHERE d.round = $round AND o.status = $codes->{order_status}{canceled}", '39', 60, 'an order that is busy keeps no other');
$holder->query_safe('ROLLBACK');
released('a busy order');
$holder->quit;

# ---- parts, kills

$node->append_conf('postgresql.conf', 'order_ext.workers = 3');
$node->reload;
wait_sql($node, 'postgres', "SELECT min(parts), bool_and(barrier IS NULL) FROM order_ext_internal.consumer_groups WHERE builtin", '3|t', 60,
	'groups are read in three parts');
make_due(150, 5);
released('three dispatchers');
is($node->safe_psql('postgres', "SELECT count(*) > 0 FROM public.transactions WHERE round = $round AND fanned_out = released"), 't',
	'... handed on, too');

# The number of parts changes while the scheduler is kept from publishing what it fires: its list of parts
# is old by then.
make_due(60, 5);
$holder = $node->background_psql('postgres');
$holder->query_safe('BEGIN');
$holder->query_safe("LOCK TABLE order_ext_internal.message_log_$_ IN SHARE MODE") foreach 0 .. 3;
wait_sql($node, 'postgres', "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'order_ext scheduler' AND wait_event_type = 'Lock'",
	'1', 60, 'the scheduler is about to publish');
$node->append_conf('postgresql.conf', 'order_ext.workers = 2');
$node->reload;
wait_sql($node, 'postgres', "SELECT parts, barrier IS NULL FROM order_ext_internal.consumer_groups WHERE name = 'order.pay_timeout'", '2|t', 60,
	'... and its group is read in two parts now');
$holder->query_safe('COMMIT');
$holder->quit;
released('other parts');

# Killed between two batches, or in one: those that have committed are done, all others follow.
foreach my $kind ('scheduler', 'dispatcher')
{
	make_due(600, 15);
	my $pid = worker_pid($node, 'postgres', $kind);
	my $begun = $kind eq 'scheduler' ? "order_ext_internal.orders AS o USING (order_id) WHERE o.status = $codes->{order_status}{canceled}"
		: "order_ext_internal.order_items AS i USING (order_id) WHERE i.reservation = $released";
	$node->safe_psql('postgres', "DO \$\$ BEGIN FOR i IN 1..60000 LOOP
		EXIT WHEN EXISTS (SELECT FROM (SELECT id AS order_id FROM public.due WHERE round = $round) AS d JOIN $begun);
		PERFORM pg_sleep(0.001); END LOOP; END \$\$");
	kill 'KILL', $pid;
	$node->poll_query_until('postgres', 'SELECT true') or die 'the server does not come back';
	released("a $kind killed");
}

verify_clean($node, 'postgres');
check_log($node, crashes => 1);
done_testing();
