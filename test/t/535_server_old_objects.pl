# A library that is newer than the SQL objects, as after the server's packages were updated: calls
# that need objects which are not there yet name the update (55000), those that do not go on, among
# them publish, facts from outside, reads and verify(). Then the update has everything go on.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use OrderExtTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = start_node('old_objects', 'max_worker_processes = 30');
my $top = $ENV{TESTDIR} || "$FindBin::RealBin/../..";
my $roles = slurp_file("$top/test/fixtures/lives-0.3.sql");
$node->safe_psql('postgres', join("\n", $roles =~ /^((?:CREATE ROLE|GRANT lives_).*;)$/mg));
my $shop;

# An earlier version, in a database of its own, with its past. Roles are those of the first one.
sub create_shop
{
	my ($version) = @_;
	$shop = "shop_$version" =~ tr/./_/r;
	$node->safe_psql('postgres', "CREATE DATABASE $shop");
	$node->safe_psql($shop, "CREATE EXTENSION order_ext VERSION '$version'");
	$node->command_ok(['psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr($shop), '-f', "$top/test/fixtures/lives-$version.sql"],
		"$version has a past");
	$node->safe_psql($shop, 'SELECT order_ext.enable_dispatch()');
	return;
}

# What a call answers: what expr makes of its result, or the SQLSTATE and, for 55000, the hint.
sub answer
{
	my ($call) = @_;
	my ($rc, $out, $err) = $node->psql($shop, "SELECT $call", extra_params => [ '-v', 'VERBOSITY=verbose' ]);
	return $out if $rc == 0;
	my ($sqlstate) = $err =~ /ERROR:  (\w{5}):/;
	return $err unless defined $sqlstate;
	return $sqlstate . ($err =~ /HINT:.*ALTER EXTENSION order_ext UPDATE/ ? ' update' : '');
}
my $order = sub { "(SELECT order_id FROM order_ext.orders_view WHERE external_id = '$_[0]')" };
my $after_sale = sub { "(SELECT after_sale_id FROM order_ext.after_sales_view WHERE reason = '$_[0]' AND user_id = 2)" };
my $refund = sub { "(SELECT refund_id FROM order_ext.refunds_view WHERE after_sale_id = " . $after_sale->($_[0]) . ')' };
my $fact = sub { "disposition || ' ' || coalesce(status, '') FROM order_ext.$_[0]" };

# Facts from outside, and what objects of 0.5 and of 0.6 make of them. Those of 0.5 know neither lines nor
# the stock of now: what moves goods, or lists them, waits for the update.
my $wait = '55000 update';
my $piece = q{'[{"sku": "B", "quantity": 1}]'};
my @facts = (
	[ "pay_callback(" . $order->('created') . ", 'S-1', 'card', 90)", 'applied paid' ],
	[ "pay_callback(" . $order->('created') . ", 'S-1', 'card', 90)", 'replayed paid' ],
	[ "pay_callback(" . $order->('created') . ", 'S-3', 'card', 90)", 'surplus_refund_queued paid' ],
	[ "pay_callback(" . $order->('expired coupon') . ", 'S-4', 'card', 90)", 'late_refund_queued canceled' ],
	[ "pay_callback(" . $order->('held') . ", 'S-5', 'card', 5)", 'amount_mismatch_held created' ],
	[ "pay_callback(1, 'S-none', 'card', 90)", 'unknown_order_held ' ],
	[ "pay_callback(" . $order->('paid') . ", 'B-paid', 'card', 100)", 'replayed paid' ],
	[ "payment_closed(" . $order->('attempts') . ", 'S-2', 'bank', 'closed')", 'held created' ],
	[ "shipment_event(" . $order->('fulfilling early') . ", 'x', 'signed')", 'parked fulfilling' ],
	[ "shipment_event(" . $order->('surplus') . ", 'p', 'picked')", 'applied fulfilling' ],
	[ "shipment_event(" . $order->('delivering') . ", 's', 'signed')", 'applied signed' ],
	[ "shipment_event(" . $order->('fulfilling picked') . ", 'o', 'out_stock')", $wait, 'applied out_stock' ],
	[ "shipment_event(" . $order->('out_stock') . ", 'r', 'refused')", $wait, 'applied refused' ],
	[ "fulfilment_cancel_result(" . $order->('fulfilling asked') . ", true, 'x')", 'applied canceled' ],
	[ "refund_callback(" . $refund->('submitted') . ", 'succeeded')", 'applied succeeded' ],
	[ "refund_callback(" . $refund->('submitted') . ", 'succeeded')", 'replayed succeeded' ],
	[ "refund_callback(" . $refund->('refunding') . ", 'failed')", 'applied failed' ],
	[ "refund_callback(" . $refund->('refunded') . ", 'failed')", 'held failed' ],
	[ "refund_callback(" . $refund->('failed') . ", 'succeeded', 'G-1')", 'applied succeeded' ],
	[ "refund_callback(" . $refund->('inspected') . ", 'succeeded')", 'applied succeeded' ],
	[ "refund_callback(" . $refund->('reversed') . ", 'succeeded')", 'applied succeeded' ],
	[ "refund_callback(999999, 'succeeded')", 'held ' ],
	[ "return_shipment(" . $after_sale->('to_send') . ", 'SF', '2')", $wait ],    # pieces have more columns since 0.7
	[ "return_receipt(" . $after_sale->('in_transit') . ", $piece, false)", $wait ],
	[ "record_refund(" . $order->('paid') . ", 'B-paid', 'card', 'g1', 1)", undef, 'applied succeeded' ],
	[ "payment_disputed(" . $order->('paid') . ", 'B-paid', 'card', 'd1', 'opened', 1)", undef, 'applied paid' ]);

sub goes_on
{
	my ($version) = @_;
	is(answer('order_ext.version()'), $version, 'version() goes on');
	foreach my $case (@facts)
	{
		my ($call, $old, $new) = @$case;
		my $expected = $version eq '0.5' ? $old : $new // $old;
		is(answer($fact->($call)), $expected, "$version: a fact: $call") if defined $expected;
	}
	like(answer("order_ext.publish('lives.work', 7)"), qr/^\d+$/, 'publish goes on');
	my $first = answer("order_ext.publish('lives.work', 7, '{}', clock_timestamp() + interval '1 h', 'key')");
	like($first, qr/^\d+$/, 'with a dedup_key, for later');
	is(answer("order_ext.publish('lives.work', 7, '{}', NULL, 'key')"), $first, 'once');
	foreach my $read ('order_ext.get_order(' . $order->('created') . q{)->>'status'}, 'count(*) > 0 FROM order_ext.order_timeline(' . $order->('created') . ')',
		'count(*) >= 0 FROM order_ext.allowed_actions(' . $order->('created') . ')', 'count(*) > 0 FROM order_ext.message_trace(7)',
		"length(order_ext.metrics()) > 0", map { "count(*) >= 0 FROM order_ext.$_" } split /\n/, $node->safe_psql($shop,
			q{SELECT relname FROM pg_class WHERE relnamespace = 'order_ext'::regnamespace AND relkind = 'v'}))
	{
		like(answer($read), qr/^(t|paid)$/, "a read goes on: $read");
	}
	like($node->safe_psql($shop, q{SELECT string_agg(actual, E'\n') FROM order_ext.verify() WHERE entity = 'extension order_ext'}),
		qr/ALTER EXTENSION order_ext UPDATE/, 'verify() warns');
	is($node->safe_psql($shop, q{SELECT count(*) FROM order_ext.verify() WHERE severity = 'error'}), '0', 'and goes on');

	# Nobody's code runs as a superuser.
	my $risky = q{order_ext.create_order(77, '[{"sku": "B", "quantity": 1}]', 100, options => '{"remark": "risky"}')};
	is(answer($risky), 'OE004', 'the risk check goes on');
	$node->safe_psql($shop, 'ALTER ROLE lives_staff SUPERUSER');
	is(answer($risky), '42501', 'but not as a superuser');
	$node->safe_psql($shop, 'ALTER ROLE lives_staff NOSUPERUSER');
	is(answer(q{order_ext.set_risk_check('public.risk(jsonb)')}), '42501', 'nor does a new one');

	every_call_answers();
	# Handlers wait for the update, and go on.
	is($node->safe_psql('postgres', workers($shop)), '', 'no workers run');
	$node->safe_psql($shop, 'ALTER EXTENSION order_ext UPDATE');
	wait_sql($node, $shop, 'SELECT status FROM order_ext.orders_view WHERE order_id = ' . $order->('created'), 'fulfilling', 60,
		'the update has them run');
	is($node->safe_psql($shop, q{SELECT count(*) FROM order_ext.verify() WHERE entity = 'extension order_ext'}), '0', 'verify() is content');
	foreach my $case (@facts)
	{
		my ($call, $old, $new) = @$case;
		like(answer($fact->($call)), qr/^(?:replayed|applied|held|noop) /, "updated: $call") if ($old // $wait) eq $wait;
	}
	verify_clean($node, $shop);
	return;
}

# Everything else: an answer, or the update, and never a crash. Arguments are NULL, or the first of their type.
sub every_call_answers
{
	my @calls = split /\n/, $node->safe_psql($shop, q{
		SELECT format('order_ext.%I(%s)', proname, (SELECT string_agg(CASE
				WHEN values = 'null' THEN format('NULL::%s', t::regtype)
				WHEN t = 'bigint'::regtype THEN '1' WHEN t = 'integer'::regtype THEN '1' WHEN t = 'boolean'::regtype THEN 'true'
				WHEN t = 'jsonb'::regtype THEN '''[]''' WHEN t = 'timestamptz'::regtype THEN 'now()' WHEN t = 'interval'::regtype THEN '''1 s'''
				WHEN t = 'text'::regtype THEN '''lives.work''' WHEN t = 'regrole'::regtype THEN '''lives_app''' ELSE format('NULL::%s', t::regtype) END, ', ' ORDER BY n)
			FROM unnest(proargtypes) WITH ORDINALITY AS a (t, n)))
		FROM pg_proc, unnest('{null,some}'::text[]) AS values
		WHERE pronamespace = 'order_ext'::regnamespace AND proname NOT IN ('wait_for_messages', 'schedule_jobs', 'drop_topic', 'unsubscribe') ORDER BY 1});
	cmp_ok(scalar @calls, '>', 100, 'there are calls');
	my @odd = grep { $_->[1] =~ /^(XX|42P01|42703|23502)|connection|server closed/ } map { [ $_, answer($_) ] } @calls;
	is(join("\n", map { "$_->[0]: $_->[1]" } @odd), '', 'each answers, or names the update');
	return;
}

foreach my $version ('0.5', '0.6')
{
	create_shop($version);
	goes_on($version);
}
$node->stop;
check_log($node);
done_testing();
