# A dump with messages in every state goes into a database of a server whose workers are
# there: they stay away from the first moment until enable_dispatch(), and nothing is lost.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use OrderExtTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = start_node('restore', 'order_ext.workers = 3');
my $dump = PostgreSQL::Test::Utils::tempdir() . '/dump';
my $pending = q{SELECT g.name, p.state, count(*) FROM order_ext_internal.pending_messages p
	JOIN order_ext_internal.consumer_groups g USING (group_id) GROUP BY 1, 2
	UNION ALL SELECT '', 'timer', count(*) FROM order_ext_internal.pending_timers ORDER BY 1, 2};

$node->safe_psql('postgres', 'CREATE DATABASE shop');
$node->safe_psql('shop', 'CREATE EXTENSION order_ext');
create_handled($node, 'shop');
$node->safe_psql('shop', q{
	SELECT order_ext.create_topic('u');
	CREATE FUNCTION fails(m order_ext.message) RETURNS void LANGUAGE plpgsql AS $$
	BEGIN
		IF m.key % 3 = 0 THEN
			RAISE EXCEPTION 'later' USING ERRCODE = 'OE801', DETAIL = '1 day';
		ELSIF m.key % 3 = 1 THEN
			RAISE EXCEPTION 'never' USING ERRCODE = 'OE803';
		END IF;
	END $$;
	SELECT order_ext.subscribe('u', 'u', 'fails(order_ext.message)', '{"ordered": true, "run_as": "handlers"}');
	SELECT order_ext.subscribe('outside', 'u');
	SELECT count(order_ext.publish('u', i % 9)) FROM generate_series(1, 90) AS i;
	SELECT count(order_ext.publish('t', i)) FROM generate_series(1, 100) AS i;
	SELECT order_ext.publish('t', 1, deliver_at => clock_timestamp() + interval '1 day')});
wait_sql($node, 'shop', 'SELECT count(*) FROM handled', 100, 30, 'messages are handled');
wait_sql($node, 'shop', q{SELECT lag + retrying + dead + parked FROM order_ext.consumer_stats
	WHERE consumer_group = 'u'}, 60, 30, 'and fail');
$node->safe_psql('shop', q{SELECT order_ext.pause(name) FROM order_ext_internal.consumer_groups
		WHERE name IN ('u', (SELECT consumer_group FROM order_ext.consumer_stats WHERE topic = 't'));
	SELECT count(*) FROM order_ext.receive('outside', 7);
	SELECT count(order_ext.publish('t', i)) FROM generate_series(1, 50) AS i});
my $before = $node->safe_psql('shop', $pending);
like($before, qr/retry.*\n?/, 'there are retries');
$node->command_ok([ 'pg_dump', '-Fc', '-f', $dump, $node->connstr('shop') ], 'dumped');

$node->safe_psql('postgres', 'CREATE DATABASE copy');
$node->command_ok([ 'pg_restore', '--section=pre-data', '-d', $node->connstr('copy'), $dump ],
	'the extension is there, its rows are not');
my ($rc, $out, $err) = $node->psql('copy', 'SELECT order_ext.dispatch()',
	extra_params => [ '-v', 'VERBOSITY=verbose' ]);
like($err, qr/55000/, 'and nothing is dispatched already');
$node->command_ok([ 'pg_restore', '--section=data', '-j2', '-d', $node->connstr('copy'), $dump ],
	'every row is restored');
is($node->safe_psql('copy', $pending), $before, 'what was on its way is so in the copy');
is($node->safe_psql('postgres', workers('copy')), '', 'where there are no workers');

$node->safe_psql('copy', 'SELECT order_ext.enable_dispatch()');
is($node->safe_psql('copy', $pending), $before, 'it is still when dispatch is enabled');
$node->safe_psql('copy', q{SELECT order_ext.resume(consumer_group) FROM order_ext.consumer_stats
	WHERE topic IN ('t', 'u')});
wait_sql($node, 'copy', 'SELECT count(*) FROM handled', 150, 30, 'the rest is handled, once');
verify_clean($node, 'copy', 'the copy');
verify_clean($node, 'shop', 'the original');
$node->stop;
check_log($node);
done_testing();
