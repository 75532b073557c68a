# Names of roles come again: workers run nothing for whoever takes the name of a dropped or renamed
# role, and a dump finds the roles that the rows mean, by names that upkeep keeps true.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use OrderExtTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = start_node('names');
my $dump = PostgreSQL::Test::Utils::tempdir() . '/dump';

$node->safe_psql('postgres', 'CREATE DATABASE shop');
$node->safe_psql('shop', <<'SQL');
CREATE EXTENSION order_ext;
CREATE ROLE clerk LOGIN;
CREATE ROLE boss LOGIN;
SELECT order_ext.grant_to('clerk', 'worker'), order_ext.grant_to('boss', 'worker');
CREATE TABLE ran (key bigint, what text, role name DEFAULT current_user, session name DEFAULT session_user);
GRANT INSERT ON ran TO PUBLIC;
CREATE FUNCTION note(m order_ext.message) RETURNS void LANGUAGE sql AS
	$$ INSERT INTO public.ran (key, what) VALUES (m.key, m.topic) $$;
CREATE FUNCTION check_risk(request jsonb) RETURNS text LANGUAGE sql AS
	$$ INSERT INTO public.ran (what) VALUES ('risk'); SELECT NULL::text $$;
SELECT order_ext.create_topic('t'), order_ext.create_topic('u');
SELECT order_ext.subscribe('g', 't', 'note(order_ext.message)', '{"run_as": "clerk"}');
SELECT order_ext.subscribe('h', 'u', 'note(order_ext.message)', '{"run_as": "boss"}');
SELECT order_ext.set_risk_check('check_risk(jsonb)', 'clerk');
SELECT order_ext.publish('t', 1), order_ext.publish('u', 1);
SQL
my $ran = q{SELECT string_agg(concat_ws(' ', what, key, role, session), ', ' ORDER BY what, key) FROM ran};
wait_sql($node, 'shop', $ran, 't 1 clerk clerk, u 1 boss boss', 30, 'the roles run their handlers');

# ---- dropped while its worker is there ----
$node->safe_psql('shop', q{
	DELETE FROM ran;
	DROP OWNED BY clerk;
	DROP ROLE clerk;
	CREATE ROLE clerk LOGIN;
	SELECT order_ext.grant_to('clerk', 'worker');
	SELECT order_ext.publish('t', 2), order_ext.publish('u', 2)});
wait_sql($node, 'shop', $ran, 'u 2 boss boss', 30, 'the other role goes on');
wait_sql($node, 'postgres', q{SELECT count(*) FROM pg_stat_activity WHERE usename IS NULL AND datname = 'shop'},
	0, 30, 'workers of the role that is gone end');
is($node->safe_psql('shop', $ran), 'u 2 boss boss', 'nothing is run for its namesake');
is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_stat_activity WHERE usename = 'clerk'}), 0,
	'which has no workers');
is($node->safe_psql('shop', q{SELECT role, state FROM order_ext.worker_stats WHERE pid IS NULL}),
	'clerk|role is gone', 'worker_stats says so');
like($node->safe_psql('shop', q{SELECT string_agg(entity || ': ' || actual, E'\n') FROM order_ext.verify('I15')}),
	qr/group g: the role that was registered is gone, and another one has its name/, 'and verify()');

# ---- renamed, a newcomer has the name, and a dump is taken before upkeep has followed ----
$node->safe_psql('shop', q{
	DELETE FROM ran;
	SELECT order_ext.subscribe('g', 't', 'note(order_ext.message)', '{"run_as": "clerk"}')});
wait_sql($node, 'shop', $ran, 't 2 clerk clerk', 30, 'subscribed again, it goes on');
$node->safe_psql('shop', q{
	DELETE FROM ran;
	ALTER ROLE boss RENAME TO chief;
	CREATE ROLE boss LOGIN;
	SELECT order_ext.publish('u', 3)});
wait_sql($node, 'shop', $ran, 'u 3 chief chief', 30, 'a renamed role runs its handlers');
$node->safe_psql('shop', 'SELECT order_ext.maintain()');
is($node->safe_psql('shop', q{SELECT run_as FROM order_ext.subscriptions_view WHERE consumer_group = 'h'}),
	'chief', 'maintain() follows');
unlike($node->safe_psql('shop', q{SELECT string_agg(actual, E'\n') FROM order_ext.verify('I15')}),
	qr/pg_dump/, 'so that a dump is right');

# ---- a dump finds the roles by their names ----
$node->safe_psql('shop', q{
	DELETE FROM ran;
	SELECT order_ext.pause('g'), order_ext.pause('h');
	SELECT order_ext.publish('t', 4), order_ext.publish('u', 4)});
$node->command_ok([ 'pg_dump', '-Fc', '-f', $dump, $node->connstr('shop') ], 'dumped');
$node->safe_psql('postgres', q{CREATE DATABASE copy; CREATE ROLE nobody; ALTER ROLE boss RENAME TO other; ALTER ROLE chief RENAME TO boss2});
# privileges of a role that is not there cannot be restored
run_log([ 'pg_restore', '-d', $node->connstr('copy'), $dump ]);
is($node->safe_psql('copy', q{SELECT name, run_as, run_as_oid = coalesce(to_regrole(run_as)::oid, 0) AS found, run_as_oid <> 0
	FROM order_ext_internal.consumer_groups WHERE NOT builtin ORDER BY 1}),
	"g|clerk|t|t\nh|chief|t|f", 'roles that are there are found, others are not');
$node->safe_psql('copy', q{
	CREATE ROLE chief LOGIN;
	SELECT order_ext.grant_to('chief', 'worker');
	SELECT order_ext.enable_dispatch();
	SELECT order_ext.resume('g'), order_ext.resume('h')});
wait_sql($node, 'copy', $ran, 't 4 clerk clerk', 30, 'what was on its way is handled');
like($node->safe_psql('copy', q{SELECT string_agg(entity || ': ' || actual, E'\n') FROM order_ext.verify('I15')}),
	qr/group h: the role that was registered is gone/, 'a role that is made later is not the one');
is($node->safe_psql('copy', q{SELECT risk_role, risk_role_oid FROM order_ext_internal.instance}), 'clerk|0',
	'nor is one that was gone in the original');
my ($rc, $out, $err) = $node->psql('copy', q{
	SELECT order_ext.put_product('A', 'A', 1), order_ext.adjust_stock('A', 1);
	SELECT order_ext.create_order(1, '[{"sku": "A", "quantity": 1}]', 1)});
like($err, qr/the role of the risk check no longer exists/, 'so orders are refused');
$node->safe_psql('copy', q{
	SELECT order_ext.set_risk_check('check_risk(jsonb)', 'clerk');
	SELECT order_ext.create_order(1, '[{"sku": "A", "quantity": 1}]', 1);
	SELECT order_ext.subscribe('h', 'u', 'note(order_ext.message)', '{"run_as": "chief"}')});
wait_sql($node, 'copy', $ran, 'risk clerk postgres, t 4 clerk clerk, u 4 chief chief', 30, 'until they are registered again');

verify_clean($node, 'copy', 'the copy');
verify_clean($node, 'shop', 'the original');
$node->stop;
check_log($node);
done_testing();
