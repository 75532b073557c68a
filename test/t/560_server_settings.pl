# Settings of a database that change what SQL means: the extension is created under them, some at a
# time, and an order lives its life, with the same answers as without.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use OrderExtTest;
use Test::More;

my $node = start_node('settings');

# What is asked, so that the answers are the same every time: no ids, no times.
my $life = <<'SQL';
SELECT order_ext.put_product('tea', E'back\\slash', 500), order_ext.adjust_stock('tea', 10);
CREATE FUNCTION public.handle(m order_ext.message) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	IF m.key = 13 THEN RAISE EXCEPTION 'not yet' USING ERRCODE = 'OE801', DETAIL = '1 h'; END IF;
END $$;
SELECT order_ext.create_topic('s.t');
SELECT order_ext.subscribe(E'a"b\\c', 's.t', 'public.handle(order_ext.message)', '{"ordered": true, "run_as": "runner"}');
SELECT order_ext.subscribe('x', 's.t');
CREATE TABLE public.made AS SELECT id FROM order_ext.create_order(1, '[{"sku": "tea", "quantity": 2}]', 1000, options => '{"address": {"a": "b"}}');
CREATE TABLE public.late AS SELECT detail FROM order_ext.create_order(2, '[{"sku": "tea", "quantity": 1}]', 500, pay_timeout => '1 second');
SELECT pg_sleep_until((detail->>'expire_at')::timestamptz) FROM public.late;
SELECT (order_ext.pre_pay_order(id, 'sandbox', 1000)).disposition FROM public.made;
SELECT (order_ext.pay_callback(id, 'no-1', 'sandbox', 1000)).disposition FROM public.made;
SELECT order_ext.publish('s.t', 13) > 0, order_ext.publish('s.t', 14, '{"a": null}', deliver_at => now() + interval '1 day') > 0;
GRANT USAGE ON SCHEMA order_ext, public TO runner;
SELECT order_ext.grant_to('runner', 'operator');
SET SESSION AUTHORIZATION runner;
SELECT order_ext.dispatch() > 0;
SELECT order_ext.dispatch() >= 0;
RESET SESSION AUTHORIZATION;
SELECT (order_ext.cancel_order(id)).status FROM public.made;
SELECT order_ext.get_order(id)->>'status' FROM public.made;
SELECT string_agg(event, ' ' ORDER BY n) FROM public.made, order_ext.order_timeline(id) WITH ORDINALITY t (at, from_status, to_status, event, actor, detail, operator, role, n);
SELECT count(*) FROM order_ext.message_trace(13);
SELECT count(*) FROM order_ext.receive('x', 5);
SELECT order_ext.maintain() IS NOT NULL, order_ext.expire_orders() >= 0;
SELECT count(*) FROM order_ext.verify() WHERE severity = 'error';
SELECT regexp_replace(l, ' [0-9.eNa-]+$', '') FROM string_to_table(order_ext.metrics(), chr(10)) l WHERE l ~ 'group=' OR l ~ '^#';
SELECT length(order_ext.state_diagram('order')) > 100, order_ext.status_code('order', 'paid');
DO $$
DECLARE
	view regclass;
	n bigint;
BEGIN
	FOR view IN SELECT c.oid FROM pg_class c WHERE c.relnamespace = 'order_ext'::regnamespace AND c.relkind = 'v' LOOP
		EXECUTE format('SELECT count(v::text) FROM %s v', view) INTO n;
	END LOOP;
END $$;
SQL

$node->safe_psql('postgres', 'CREATE ROLE runner LOGIN');

sub live
{
	my (@settings) = @_;
	$node->safe_psql('postgres', 'DROP DATABASE IF EXISTS shop');
	$node->safe_psql('postgres', 'CREATE DATABASE shop');
	$node->safe_psql('postgres', 'ALTER DATABASE shop SET order_ext.enabled = off');
	$node->safe_psql('postgres', join ';', map { "ALTER DATABASE shop SET $_" } @settings) if @settings;
	my ($out, $err);
	my $rc = $node->psql('shop', "\\set ON_ERROR_STOP 1\nCREATE EXTENSION order_ext;\n$life",
		stdout => \$out, stderr => \$err);
	return ($rc, $out, $err);
}

my ($rc, $expected, $err) = live();
is($rc, 0, 'without a setting') or diag($err);
like($expected, qr/canceled/, 'the order lives');

my @sets = (
	[
		'standard_conforming_strings = off', "search_path = ''", "DateStyle = 'SQL, DMY'",
		'IntervalStyle = sql_standard', 'bytea_output = escape', 'array_nulls = off',
		'check_function_bodies = off', 'plpgsql.variable_conflict = use_variable'
	],
	[
		'quote_all_identifiers = on', 'search_path = pg_temp, pg_catalog', 'IntervalStyle = iso_8601',
		"TimeZone = 'Pacific/Chatham'", 'transform_null_equals = on', 'extra_float_digits = -15',
		'xmloption = document', 'backslash_quote = off', 'plpgsql.variable_conflict = use_column',
		"plpgsql.extra_errors = 'all'"
	],
	[
		'default_transaction_isolation = serializable', 'default_transaction_deferrable = on',
		'plan_cache_mode = force_custom_plan', 'jit_above_cost = 0', 'enable_indexscan = off',
		'client_min_messages = error', 'lock_timeout = 5000'
	],
	['session_replication_role = replica']);
foreach my $set (@sets)
{
	my ($got_rc, $got, $got_err) = live(@$set);
	is($got_rc, 0, "no error: @$set") or diag($got_err);
	is($got, $expected, "the same answers: @$set");
}

# Nothing is enabled in a session as dumps have it; it says so.
($rc, my $quiet, $err) = live('row_security = off');
isnt($rc, 0, 'row_security = off: dispatch() does not run');
like($err, qr/enable_dispatch/, 'and says what to do');

$node->stop('fast');
done_testing();
