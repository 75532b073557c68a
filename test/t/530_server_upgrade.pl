# An updated database is the same as a fresh one: catalogs compared object by object; and
# what it held before the update goes on.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use OrderExtTest;
use POSIX qw(strftime);
use PostgreSQL::Test::Utils;
use Test::More;
use Time::Local qw(timegm_modern);

my $node = start_node('upgrade', 'max_worker_processes = 48');

# All that makes up the extension, as text; one line an object.
my $catalog = <<'SQL';
SET search_path = pg_catalog;
WITH member AS (
	SELECT classid, objid FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
	WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e' AND e.extname = 'order_ext')
SELECT regexp_replace(object, '\s+', ' ', 'g') FROM (
SELECT pg_describe_object(classid, objid, 0) || ': ' || coalesce(obj_description(objid, classid::regclass::name), '') AS object
FROM member
UNION ALL
SELECT pg_describe_object(d.classoid, d.objoid, d.objsubid) || ': ' || d.description
FROM member JOIN pg_description d ON d.classoid = classid AND d.objoid = objid AND d.objsubid > 0
UNION ALL
SELECT 'function ' || CASE WHEN prokind = 'a' THEN (
		SELECT concat_ws(' ', aggfnoid::regprocedure, aggtransfn, aggcombinefn, aggfinalfn, aggtranstype::regtype, agginitval, proparallel)
		FROM pg_aggregate WHERE aggfnoid = objid)
	ELSE pg_get_functiondef(objid) END || ' ' || pg_get_userbyid(proowner) || ' ' || coalesce((
	SELECT string_agg(a::text, ',' ORDER BY a::text) FROM unnest(coalesce(proacl, acldefault('f', proowner))) a), '')
FROM member JOIN pg_proc p ON p.oid = objid WHERE classid = 'pg_proc'::regclass
UNION ALL
SELECT 'relation ' || objid::regclass || ' ' || relkind::text || ' ' || pg_get_userbyid(relowner) || ' ' || coalesce((
	SELECT string_agg(a::text, ',' ORDER BY a::text) FROM unnest(coalesce(relacl, acldefault(CASE relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", relowner))) a), '')
	|| ' ' || coalesce(reloptions::text, '') || CASE relkind WHEN 'v' THEN pg_get_viewdef(objid) ELSE '' END
FROM member JOIN pg_class c ON c.oid = objid WHERE classid = 'pg_class'::regclass
UNION ALL
SELECT 'column ' || attrelid::regclass || ' ' || row_number() OVER (PARTITION BY attrelid ORDER BY attnum) || ' '
	|| attname || ' ' || format_type(atttypid, atttypmod) || ' ' || attnotnull || ' ' || attidentity::text || ' '
	|| coalesce(pg_get_expr(adbin, adrelid), '') || ' ' || attcollation::regcollation
FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
WHERE attrelid IN (SELECT objid FROM member WHERE classid = 'pg_class'::regclass)
	AND attnum > 0 AND NOT attisdropped
UNION ALL
SELECT 'index ' || pg_get_indexdef(indexrelid) FROM pg_index
WHERE indrelid IN (SELECT objid FROM member WHERE classid = 'pg_class'::regclass)
UNION ALL
SELECT 'constraint ' || conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint
WHERE conrelid IN (SELECT objid FROM member WHERE classid = 'pg_class'::regclass)
UNION ALL
SELECT 'trigger ' || pg_get_triggerdef(oid) FROM pg_trigger
WHERE tgrelid IN (SELECT objid FROM member WHERE classid = 'pg_class'::regclass)
UNION ALL
SELECT 'sequence ' || seqrelid::regclass || ' ' || seqstart || ' ' || seqincrement || ' ' || seqmax || ' '
	|| seqmin || ' ' || seqcache || ' ' || seqcycle FROM pg_sequence
WHERE seqrelid IN (SELECT objid FROM member WHERE classid = 'pg_class'::regclass)
UNION ALL
SELECT 'dump ' || c::regclass || ' ' || cond FROM pg_extension, unnest(extconfig, extcondition) AS x (c, cond)
WHERE extname = 'order_ext'
UNION ALL
SELECT 'type ' || objid::regtype || ' ' || pg_get_userbyid(typowner) || ' ' || coalesce(typacl, acldefault('T', typowner))::text
FROM member JOIN pg_type t ON t.oid = objid WHERE classid = 'pg_type'::regclass
UNION ALL
SELECT 'schema ' || nspname || ' ' || pg_get_userbyid(nspowner) || ' ' || coalesce(nspacl, acldefault('n', nspowner))::text
FROM member JOIN pg_namespace n ON n.oid = objid WHERE classid = 'pg_namespace'::regclass
UNION ALL
SELECT 'topic ' || topic_id || ' ' || name || ' ' || builtin || ' ' || options FROM order_ext_internal.topics WHERE builtin
UNION ALL
SELECT 'group ' || name || ' ' || topic_id || ' ' || builtin FROM order_ext_internal.consumer_groups WHERE builtin
UNION ALL
SELECT 'asset ' || kind || ' ' || topic_id || ' ' || builtin FROM order_ext_internal.assets
) AS objects ORDER BY 1
SQL

# The tables of 0.4 are those of 0.3, and so is its past.
my %same_past = ('0.4' => '0.3');

# A past as of an hour or two ago: dates of the fixture are moved by whole turns of the ring of
# timer buckets (32 of two minutes), so that every timer stays in the bucket it belongs to.
sub past_of
{
	my $version = $same_past{$_[0]} // $_[0];
	my $top = $ENV{TESTDIR} || "$FindBin::RealBin/../..";
	my $past = slurp_file("$top/test/fixtures/lives-$version.sql");
	$past =~ s/^CREATE ROLE .*\n//mg if $version ne $_[0];	# they are there
	my $turn = 32 * 120;
	my $moment = qr/\b(20\d\d)-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)/;
	my $epoch = sub { timegm_modern($_[5], $_[4], $_[3], $_[2], $_[1] - 1, $_[0]) };
	my $written = $epoch->($past =~ $moment);
	my $shift = $turn * (int((time() - $written) / $turn) - 1);

	$past =~ s{$moment}{strftime('%F %T', gmtime($epoch->($1, $2, $3, $4, $5, $6) + $shift))}ge;
	my $file = PostgreSQL::Test::Utils::tempdir() . "/lives-$_[0].sql";
	append_to_file($file, $past);
	return $file;
}

# The update to 0.5 pauses what superusers registered, and says what to call; then it goes on. The rest
# does so anyway, with its rights and settings.
sub nothing_stops_unsaid
{
	my ($node, $database, $application, $gateways, $walled) = @_;
	my ($rc, $out, $err);

	$node->safe_psql($database, 'CREATE ROLE keeper; GRANT EXECUTE ON FUNCTION order_ext.set_risk_check, order_ext.put_freight TO keeper WITH GRANT OPTION;
		GRANT EXECUTE ON FUNCTION order_ext.issue_coupon TO keeper');
	$node->safe_psql($database, "ALTER ROLE lives_consumer IN DATABASE $database SET search_path = lives, public") if $gateways && !$walled;
	($rc, $out, $err) = $node->psql($database, 'ALTER EXTENSION order_ext UPDATE');
	is($rc, 0, 'the update works') or diag($err);
	is( join("\n", $err =~ /WARNING:  (.*)/g),
		join("\n",
			$walled ? () :
			$gateways ? 'handler public.lives_take(order_ext.message) of consumer group "lives" runs with search_path "$user", public from now on' : (),
			$application && !$gateways ? ('consumer group "refund.execute:wechat" is named "refund.execute:wechat (0.2)" from now on',
				'consumer group "lives.root" is paused') : (),
			$application && !$walled ? 'consumer group "refund.execute:wechat" is paused' : (),
			$gateways ? () : 'risk check "public.root_risk(pg_catalog.jsonb)" is off: no order is checked'),
		'the update tells what stops');
	is( $node->safe_psql($database, q{SELECT string_agg(consumer_group, ',' ORDER BY consumer_group) FROM order_ext.subscriptions_view WHERE paused}),
		join(',', $application && !$gateways ? 'lives.root' : (), $application && !$walled ? 'refund.execute:wechat' : ()), 'that is paused, and nothing else');

	$node->safe_psql($database, $1) while $err =~ /HINT: .*?: ((?:CREATE ROLE|SELECT|ALTER FUNCTION) .*;)$/mg;
	$node->safe_psql($database, 'GRANT INSERT, SELECT ON public.refunded TO order_handlers') if $application;
	is( $node->safe_psql($database, q{SELECT string_agg(DISTINCT run_as, ',') FROM order_ext.subscriptions_view WHERE handler IS NOT NULL AND NOT paused}),
		$gateways ? 'lives_consumer,lives_staff,order_handlers' : $application ? 'lives_handler,order_handlers' : '', 'the calls that it names have it go on');
	is( $node->safe_psql($database, 'SELECT risk_role FROM order_ext_internal.instance'),
		$gateways ? 'lives_staff' : 'order_handlers', 'and orders are checked');
	is( $node->safe_psql($database, q{SELECT coalesce(proconfig[1], '') FROM pg_proc WHERE proname = 'lives_take'}),
		$walled ? '' : 'search_path=lives, public', 'a handler has the search_path that it had') if $gateways;
	is( $node->safe_psql($database, q{SELECT has_function_privilege('keeper', 'order_ext.set_risk_check(regprocedure, regrole)', 'EXECUTE WITH GRANT OPTION')}),
		't', 'who was granted a call that has a new argument still is');
	return;
}

# One step, or more, from each status in which the old version left something of user 2.
sub every_status_goes_on
{
	my ($node, $database, $version) = @_;

	wait_sql($node, $database,
		q{SELECT string_agg(external_id || ' ' || status, ', ' ORDER BY external_id) FROM order_ext.orders_view
		  WHERE external_id IN ('paid', 'paid virtual', 'expired coupon')},
		'expired coupon canceled, paid fulfilling, paid virtual signed', 60, 'what was not worked off goes on');
	wait_sql($node, $database, q{SELECT string_agg(status, ',' ORDER BY coupon_id) FROM order_ext.coupons_view WHERE user_id = 2},
		'unused,locked,used,expired', 60, 'coupons are what they were, or lapse');
	wait_sql($node, $database,
		q{SELECT string_agg(pay_type || ' ' || r.status || ' ' || coalesce(who, 'built in'), ', ' ORDER BY pay_type)
		  FROM order_ext.refunds_view r JOIN order_ext.payments_view USING (payment_id)
			JOIN order_ext.orders_view o ON o.order_id = r.order_id LEFT JOIN public.refunded USING (refund_id)
		  WHERE user_id = 2 AND pay_type <> 'card'},
		'sandbox succeeded built in, unionpay succeeded lives_staff', 60, 'gateways go on as those who set them');

	$node->safe_psql($database, <<'SQL');
CREATE SCHEMA step;
CREATE FUNCTION step.id(name text) RETURNS bigint LANGUAGE sql
RETURN (SELECT order_id FROM order_ext.orders_view WHERE external_id = $1);
CREATE FUNCTION step.after_sale(name text) RETURNS bigint LANGUAGE sql
RETURN (SELECT after_sale_id FROM order_ext.after_sales_view WHERE reason = $1 AND user_id = 2);
CREATE FUNCTION step.refund(name text) RETURNS bigint LANGUAGE sql
RETURN (SELECT refund_id FROM order_ext.refunds_view WHERE after_sale_id = step.after_sale($1));
CREATE FUNCTION step.payment(trade_no text) RETURNS bigint LANGUAGE sql
RETURN (SELECT payment_id FROM order_ext.payments_view WHERE out_trade_no = $1);
SQL
	my $piece = q{'[{"sku": "B", "quantity": 1}]'};
	my @steps = (
		[q{pre_pay_order(step.id('created'), 'card', 90, 'lives-prepaid')}, 'replayed created'],
		[q{pay_callback(step.id('created'), 'S-1', 'card', 90)}, 'applied paid'],
		[q{pay_callback(step.id('attempts'), 'S-2', 'bank', 100)}, 'applied paid'],
		[q{pay_callback(step.id('paid'), 'B-paid', 'card', 100)}, 'replayed fulfilling'],
		[q{resolve_held_payment(step.payment('B-held'), 'accept')}, 'applied paid'],
		[q{resolve_held_payment(step.payment('B-held less'), 'refund')}, 'applied created'],
		[q{resolve_held_payment(step.payment('B-unmatched'), 'refund')}, 'applied '],
		[q{cancel_order(step.id('fulfilling'), 2)}, 'applied canceled'],
		[q{shipment_event(step.id('fulfilling picked'), 'picked', 'picked')}, 'replayed fulfilling'],
		[q{shipment_event(step.id('fulfilling picked'), 'o', 'out_stock')}, 'applied out_stock'],
		[q{shipment_event(step.id('fulfilling early'), 'o', 'out_stock')}, 'applied out_stock'],
		[q{shipment_event(step.id('fulfilling early'), 'd', 'delivering')}, 'applied signed'],
		[q{fulfilment_cancel_result(step.id('fulfilling asked'), true, 'x')}, 'applied canceled'],
		[q{shipment_event(step.id('out_stock'), 'r', 'refused')}, 'applied refused'],
		[q{confirm_receipt(step.id('delivering'), 2)}, 'applied signed'],
		[q{remove_order(step.id('refused'), 2)}, 'applied refused'],
		[q{remove_order(step.id('removed'), 2)}, 'noop signed'],
		[q{review_after_sale(step.after_sale('applied'), true)}, 'applied approved'],
		[q{review_after_sale(step.after_sale('awaiting'), false)}, 'applied rejected'],
		[q{review_after_sale(step.after_sale('reopened'), true)}, 'applied approved'],
		[q{reopen_after_sale(step.after_sale('rejected'))}, 'applied applied'],
		[q{return_shipment(step.after_sale('to_send'), 'SF', '2')}, 'applied approved'],
		["return_receipt(step.after_sale('in_transit'), $piece, true)", 'applied approved'],
		["return_receipt(step.after_sale('other pieces'), $piece, true)", 'applied approved'],
		# damaged pieces: told again, and each way in which staff decides about them, in one version each
		[q{return_receipt(step.after_sale('damaged'), '[{"sku": "B", "quantity": 1, "condition": "damaged"}]', true)}, 'replayed approved'],
		$version eq '0.3' ? [q{close_after_sale(step.after_sale('damaged'), 'sent back')}, 'applied closed']
		: $version eq '0.5' ? [q{resolve_damaged(step.after_sale('damaged'), false, 'decided')}, 'applied closed']
		: ( [q{resolve_damaged(step.after_sale('damaged'), true, 'decided')}, 'applied approved'],
			[q{resolve_damaged(step.after_sale('damaged'), true, 'decided')}, 'replayed approved'],
			[q{refund_callback(step.refund('damaged'), 'succeeded')}, 'applied succeeded']),
		[q{revoke_after_sale(step.after_sale('requested'), 2)}, 'applied revoked'],
		[q{revoke_after_sale(step.after_sale('withdrawn'), 2)}, 'noop revoked'],
		[q{close_after_sale(step.after_sale('closed'), 'again')}, 'noop closed'],
		[q{refund_callback(step.refund('submitted'), 'succeeded')}, 'applied succeeded'],
		[q{refund_callback(step.refund('refunding'), 'failed')}, 'applied failed'],
		[q{refund_callback(step.refund('refunded'), 'failed')}, 'held failed'],
		[q{retry_refund(step.refund('failed'))}, 'applied requested'],
		[q{refund_callback(step.refund('reversed'), 'succeeded')}, 'applied succeeded'],
		[q{refund_callback(step.refund('inspected'), 'succeeded')}, 'applied succeeded'],
		[q{retry_refund((SELECT refund_id FROM order_ext.refunds_view WHERE order_id = step.id('canceled held')))}, 'applied requested'],
		["apply_after_sale(step.id('removed'), 2, 'refund_only', $piece)", 'applied applied'],
	);
	foreach my $step (@steps)
	{
		my ($call, $expected) = @$step;
		is($node->safe_psql($database, "SELECT disposition || ' ' || coalesce(status, '') FROM order_ext.$call"), $expected, $call);
	}
	is( $node->safe_psql($database, q{SELECT string_agg(event_id, ',') FROM order_ext.shipment_events_view
			WHERE order_id = step.id('fulfilling picked') AND kind = 'picked'}),
		'picked', 'an event id has no surrounding blanks, and its repetition is replayed');
	is( $node->safe_psql($database, q{SELECT string_agg(DISTINCT pay_type, ',') FROM order_ext.claim_refunds(100)}),
		'alipay,card', 'refunds are claimed by those who have no gateway');

	my $refused = sub {
		my ($statement, $sqlstate, $name) = @_;
		my $stderr = '';
		$node->psql($database, "\\set VERBOSITY sqlstate\n$statement", stderr => \$stderr);
		like($stderr, qr/ERROR:  $sqlstate/, $name);
	};
	$refused->(q{SELECT order_ext.create_order(2, '[{"sku": "B", "quantity": 1}]', 100, options => '{"remark": "risky"}')},
		'OE004', 'the risk check is asked');
	$refused->(q{SELECT order_ext.publish('lives.narrow', 3)}, 'OE703', 'a full topic is full');
	is( $node->safe_psql($database, q{SELECT order_ext.ack('lives.narrow', (SELECT array_agg(token) FROM order_ext.receive('lives.narrow')))}),
		'2', 'what fills it is given out');
	$node->safe_psql($database, q{SELECT order_ext.publish('lives.narrow', 3)});
	is( $node->safe_psql($database, q{SELECT string_agg(payload->>'note', ',') FROM order_ext.receive('lives.line', 100)}),
		'waiting,timer due', 'an ordered group goes on where no message is dead');
	is($node->safe_psql($database, q{SELECT order_ext.redrive('lives.line')}), '2', 'its dead letters are sent again');
	is( $node->safe_psql($database, q{SELECT string_agg(payload->>'note', ',' ORDER BY key) FROM order_ext.receive('lives.line', 100)}),
		'dead,retried', 'the first of each key');
	return;
}

# Topics have owners since 0.5: who could publish, subscribe and cancel before the update still can,
# by grants that tell of it, and that can be taken away.
sub topics_keep_their_rights
{
	my ($node, $database, $walled) = @_;
	my $as = sub {
		my ($role, $call, $expected, $name) = @_;
		my ($stdout, $stderr) = ('', '');
		$node->psql($database, "\\set VERBOSITY sqlstate\nSET SESSION AUTHORIZATION $role;\nSELECT order_ext.$call",
			stdout => \$stdout, stderr => \$stderr);
		like("$stdout$stderr", qr/$expected/, $name);
		return $stdout;
	};

	is($node->safe_psql($database, q{SELECT owner, grants - 'lives_consumer' FROM order_ext.topics_view WHERE topic = 'lives.narrow'}),
		'order_ext_owner|{"lives_app": ["cancel", "publish"], "lives_desk": ["cancel", "publish", "subscribe"], "lives_group": ["cancel", "publish"]}',
		'every role that had the calls has the privileges');
	my $timer = $as->('lives_app', q{publish('lives.work', 77, '{}', clock_timestamp() + interval '1 day')}, '^\d+$', 'an application publishes after the update');
	$as->('lives_member', "cancel_message($timer)", '^t$', 'a member of a worker role cancels');
	$as->('lives_desk', q{subscribe('lives.desk', 'lives.work')}, '^$', 'an operator subscribes');
	$as->('lives_desk', q{register_asset('lives', 'lives.work')}, '^$', 'and registers an asset');
	$as->('lives_desk', q{revoke_topic('lives.work', 'lives_app', 'publish')}, '42501', 'new calls come with grant_to') unless $walled;
	$node->safe_psql($database, q{SELECT order_ext.grant_to('lives_desk', 'operator')});
	$as->('lives_desk', q{revoke_topic('lives.work', 'lives_app', 'publish')}, '^$', 'an operator takes the right away');
	$as->('lives_app', q{publish('lives.work', 77)}, 'ERROR:  42501', 'and it is gone');
	$node->safe_psql($database, q{SELECT order_ext.unsubscribe('lives.desk'), order_ext.unregister_asset('lives')});
	return;
}

# Lines have numbers since 0.6.
sub lines_have_numbers
{
	my ($node, $database) = @_;

	is( $node->safe_psql($database, q{SELECT count(*) FROM (SELECT line, row_number() OVER (PARTITION BY order_id ORDER BY sku COLLATE "C") AS n
			FROM order_ext.order_items_view) i WHERE line <> n}),
		'0', 'lines of orders are numbered by sku');
	is( $node->safe_psql($database, q{SELECT count(*) FROM order_ext_internal.after_sale_items s
			LEFT JOIN order_ext_internal.order_items i USING (order_id, line, product_id) WHERE i.order_id IS NULL}),
		'0', 'lines of after-sales have the number of their product');
	return;
}

# Prices, freight and coupons have a currency since 0.6, and codes one spelling.
sub currencies_are_codes
{
	my ($node, $database, $spelled) = @_;

	is( $node->safe_psql($database, q{SELECT string_agg(DISTINCT currency, ',') FROM order_ext.orders_view}),
		'CNY,USD', 'known currencies are in capitals');
	is( $node->safe_psql($database, q{SELECT count(DISTINCT p.sku), string_agg(DISTINCT v.currency, ',')
			FROM order_ext_internal.products p LEFT JOIN order_ext.prices_view v USING (sku) GROUP BY p.sku HAVING count(*) <> 2}),
		'', 'every product has a price in each currency that orders have used');
	return if $spelled;
	is( $node->safe_psql($database, q{SELECT string_agg(concat_ws(' ', quote_literal(region), currency, fee, free_from), ', ' ORDER BY region COLLATE "C", currency)
			FROM order_ext.freight_view WHERE lower(region) IN ('far', 'near')}),
		q{'FAR' CNY 8, 'FAR' USD 8, 'Far' CNY 7 70, 'Far' USD 7 70, 'near' CNY 5, 'near' USD 5}, 'and every template a fee');
	is( $node->safe_psql($database, q{SELECT string_agg(entity, ', ' ORDER BY entity COLLATE "C") FROM order_ext.verify() WHERE expected LIKE 'one spelling%'}),
		q{region 'FAR', region 'FAR', region 'Far', region 'Far'}, 'what would have collided is warned of');
	$node->safe_psql($database, q{SELECT order_ext.put_freight('far', 7), order_ext.remove_freight('Far', 'USD'), order_ext.remove_freight('near', c) FROM unnest('{CNY,USD}'::text[]) c});
	is( $node->safe_psql($database, q{SELECT count(*) FROM order_ext.verify() WHERE expected LIKE 'one spelling%'}), '0', 'until it is settled');
	is( $node->safe_psql($database, q{SELECT count(*) FROM order_ext.coupons_view WHERE currency IS NOT NULL}), '0', 'coupons fit any currency');
	is( $node->safe_psql($database, q{SELECT has_function_privilege('keeper', 'order_ext.put_freight(text, bigint, bigint, text)', 'EXECUTE WITH GRANT OPTION')
			AND has_function_privilege('keeper', 'order_ext.issue_coupon(bigint, bigint, bigint, timestamptz, timestamptz, text)', 'EXECUTE')}), 't', 'who was granted these calls still is');
	return;
}

# Calls that an older library recorded are the same calls after the update, whatever arguments they have now.
sub calls_are_repeated
{
	my ($node, $database) = @_;

	foreach my $recorded (split /\n/, $node->safe_psql($database, q{SELECT concat_ws('|', id, call) FROM public.recorded WHERE id IS NOT NULL}))
	{
		my ($id, $call) = split /\|/, $recorded, 2;
		is($node->safe_psql($database, "SELECT disposition, id FROM order_ext.$call"), "replayed|$id", "repeated: $call");
	}
	is( $node->safe_psql($database, q{SELECT string_agg(function, ',') FROM public.recorded WHERE id IS NULL}), 'adjust_stock', 'one has no disposition');
	is( $node->safe_psql($database, q{SELECT * FROM order_ext.adjust_stock('R', 50, 'delivery', 'before stock')}), '50|0|0', 'and answers as before');
	is( $node->safe_psql($database, q{SELECT count(*) FROM order_ext_internal.products WHERE sku = 'R'}), '0', 'doing nothing');
	my $stderr = '';
	$node->psql($database, "\\set VERBOSITY sqlstate\nSELECT order_ext.adjust_stock('R', -1, 'delivery', 'before stock', 'reserved')", stderr => \$stderr);
	like($stderr, qr/ERROR:  OE601/, 'with another value of a new argument it is another call');
	return;
}

# Facts about money and goods that are told since 0.6.
sub facts_have_effect
{
	my ($node, $database) = @_;

	$node->safe_psql($database, q{CREATE FUNCTION step.told(name text) RETURNS bigint LANGUAGE sql RETURN step.id('0.6 ' || $1)});
	my @steps = (
		[q{create_order(3, '[{"sku": "C", "quantity": 2}]', 200, request_id => 'lives disputed', options => '{"external_id": "0.6 disputed"}')}, 'replayed'],
		[q{payment_disputed(step.told('disputed'), '6-disputed', 'card', 'D-1', 'won')}, 'applied'],
		[q{payment_disputed(step.told('dispute lost'), '6-dispute lost', 'card', 'D-2', 'lost', 50)}, 'replayed'],
		[q{refund_order(step.told('goodwill'), 30, reason => 'goodwill', request_id => 'goodwill')}, 'replayed'],
		[q{refund_order(step.told('recorded'), 160)}, 'applied'],
		[q{record_refund(step.told('recorded'), '6-recorded', 'card', 'GR-1', 40)}, 'replayed'],
		[q{withdraw_refund((SELECT refund_id FROM order_ext.refunds_view WHERE order_id = step.told('withdrawn')), 'again')}, 'noop'],
		[q{refund_order(step.told('settled'), 110)}, 'applied'],
		[q{resolve_fact((SELECT min(fact_id) FROM order_ext.held_facts WHERE kind = 'record_refund'), 'an old shop')}, 'applied'],
		[q{resolve_held_payment(step.payment('6-duplicate-2'), 'refund')}, 'applied'],
		[q{shipment_event(step.id('out_stock short'), '6-lost', 'lost')}, 'replayed'],
	);
	foreach my $step (@steps)
	{
		my ($call, $expected) = @$step;
		is($node->safe_psql($database, "SELECT disposition FROM order_ext.$call"), $expected, $call);
	}
	is( $node->safe_psql($database, q{SELECT string_agg(line || ' ' || (attributes->>'color'), ', ' ORDER BY line) FROM order_ext.order_items_view
		WHERE order_id = step.told('lines')}), '1 red, 2 blue', 'lines keep their attributes');
	is( $node->safe_psql($database, q{SELECT string_agg(pay_type || ' ' || surplus, ',') FROM order_ext.pay_types_view}), 'klarna hold', 'a pay type its option');
	is( $node->safe_psql($database, q{SELECT count(*) FROM (SELECT sum(captured) AS c, sum(refunded + disputed + refund_open + kept) AS gone
		FROM order_ext.money_report GROUP BY pay_type, currency) m WHERE c <> gone}), '0', 'the money report adds up');
	return;
}

my $newest = $node->safe_psql('postgres',
	"SELECT default_version FROM pg_available_extensions WHERE name = 'order_ext'");
my @old = split /\n/, $node->safe_psql('postgres',
	"SELECT version FROM pg_available_extension_versions WHERE name = 'order_ext' AND version <> '$newest' ORDER BY 1");
cmp_ok(scalar @old, '>', 0, 'there are versions to update from');

# On 17, array types are members of an extension, which the scripts of 0.1 and 0.2 trip over.
@old = grep { $_ > 0.2 } @old
	if $node->safe_psql('postgres', 'SHOW server_version_num') >= 170000;

$node->safe_psql('postgres', 'CREATE DATABASE fresh');
$node->safe_psql('fresh', 'CREATE EXTENSION order_ext');
my %fresh = map { $_ => 1 } split /\n/, $node->safe_psql('fresh', $catalog);

foreach my $version (@old)
{
	(my $database = "from_$version") =~ s/\./_/;
	$node->safe_psql('postgres', "CREATE DATABASE $database");
	$node->safe_psql($database, "CREATE EXTENSION order_ext VERSION '$version'");

	# The library is newer than the objects: what to do about it is said.
	if ($version eq '0.1')
	{
		my $stderr = '';
		$node->psql($database, 'SELECT order_ext.dispatch()', stderr => \$stderr);
		like($stderr, qr/ALTER EXTENSION order_ext UPDATE/, 'a call before the update names it');
	}

	# Lives in all statuses that the old version knew, some of them not worked off.
	$node->command_ok(['psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr($database),
			'-f', past_of($version)], "$version has a past");
	# What 0.1 did not have: messages of applications, in all the states they can be in; what 0.2
	# did not have: gateways, and fixtures with orders of user 2, in all statuses.
	my $application = $node->safe_psql($database, q{SELECT to_regclass('public.handled') IS NOT NULL}) eq 't';
	my $gateways = $node->safe_psql($database, q{SELECT to_regclass('public.refunded') IS NOT NULL}) eq 't';
	my $all_statuses = $node->safe_psql($database, q{SELECT count(*) > 20 FROM order_ext.orders_view WHERE user_id = 2}) eq 't';
	if ($application && !$gateways)
	{
		$node->safe_psql($database, <<'SQL');
CREATE TABLE public.refunded (refund_id bigint, who text DEFAULT session_user);
CREATE FUNCTION public.gateway(r order_ext.refund_request) RETURNS text LANGUAGE sql AS $$
	INSERT INTO public.refunded VALUES (r.refund_id) RETURNING 'succeeded' $$;
INSERT INTO order_ext_internal.gateways (pay_type, handler, run_as)
VALUES ('wechat', 'public.gateway(order_ext.refund_request)', 'postgres');
INSERT INTO order_ext_internal.consumer_groups (group_id, topic_id, name, run_as, start_at)
SELECT nextval('order_ext_internal.group_id_seq'), topic_id, 'refund.execute:wechat', 'postgres', pg_current_snapshot()
FROM order_ext_internal.topics WHERE name = 'lives.work';
CREATE FUNCTION public.lives_root(m order_ext.message) RETURNS void LANGUAGE sql AS '';
INSERT INTO order_ext_internal.consumer_groups (group_id, topic_id, name, handler, run_as, start_at, max_attempts)
SELECT nextval('order_ext_internal.group_id_seq'), topic_id, 'lives.root', 'public.lives_root(order_ext.message)',
	'postgres', pg_current_snapshot(), 5
FROM order_ext_internal.topics WHERE name = 'lives.work';
SQL
	}
	# Whatever the version: only what was recorded counts.
	$node->safe_psql($database, "SET session_replication_role = replica;\n"
			. slurp_file(($ENV{TESTDIR} || "$FindBin::RealBin/../..") . '/test/fixtures/requests-0.3.sql'));
	# Surrounding blanks of event ids, which are no part of them since 0.7.
	$node->safe_psql($database, <<'SQL') if $all_statuses;
SET session_replication_role = replica;
UPDATE order_ext_internal.shipment_events SET event_id = E' picked\t'
WHERE event_id = 'picked' AND order_id = (SELECT order_id FROM order_ext.orders_view WHERE external_id = 'fulfilling picked');
SQL
	# A risk check that a superuser set, where the past has none.
	$node->safe_psql($database, <<'SQL');
CREATE FUNCTION public.root_risk(request jsonb) RETURNS text LANGUAGE sql AS $$
	SELECT 'by ' || current_user WHERE request->'options'->>'remark' = 'risky' $$;
SET session_replication_role = replica;
UPDATE order_ext_internal.instance SET risk_handler = 'public.root_risk(pg_catalog.jsonb)', risk_role = 'postgres'
WHERE risk_handler IS NULL;
SQL
	# Spellings that 0.6 has put an end to.
	$node->safe_psql($database, <<'SQL') if $version < 0.6;
SET session_replication_role = replica;
INSERT INTO order_ext_internal.freight_templates (region, fee, free_from) VALUES (' Near', 5, NULL), ('Far', 7, 70), ('FAR', 8, NULL);
UPDATE order_ext_internal.orders SET currency = ' usd' WHERE order_id = (
	SELECT max(order_id) FROM order_ext_internal.orders o WHERE user_id = 1 AND status = order_ext.status_code('order', 'created')
		AND NOT EXISTS (SELECT FROM order_ext_internal.payments p WHERE p.order_id = o.order_id));
SQL

	nothing_stops_unsaid($node, $database, $application, $gateways, $version >= 0.5);
	currencies_are_codes($node, $database, $version >= 0.6);
	$node->safe_psql($database, 'DROP OWNED BY keeper; DROP ROLE keeper');
	lines_have_numbers($node, $database) if $version < 0.6;
	# all but what the roles of the past were granted
	my $updated = $node->safe_psql($database, $catalog);
	$updated =~ s/,lives_\w+=\w+\/order_ext_owner|lives_\w+=\w+\/order_ext_owner,//g;
	my %updated = map { $_ => 1 } split /\n/, $updated;
	my @missing = grep { !$updated{$_} } sort keys %fresh;
	my @surplus = grep { !$fresh{$_} } sort keys %updated;
	is(join("\n", @missing), '', "the update from $version makes all that a fresh installation has");
	is(join("\n", @surplus), '', "and nothing else");

	if ($application)
	{
		$node->safe_psql($database, 'CREATE TABLE public.new_era ()');
		is($node->safe_psql($database, q{SELECT order_ext.redrive('lives')}), '1', 'a dead letter is sent again');
		is( $node->safe_psql($database, q{SELECT string_agg(consumer_group || ' of ' || topic, ', ' ORDER BY consumer_group)
				FROM order_ext.subscriptions_view WHERE consumer_group LIKE 'refund.execute:%'}),
			$gateways ? 'refund.execute:unionpay of refund.execute, refund.execute:wechat of refund.execute'
			: 'refund.execute:wechat of refund.execute, refund.execute:wechat (0.2) of lives.work',
			$gateways ? 'the groups of the gateways are there' : 'a group that has the name of a gateway goes on under another one');
	}

	$node->safe_psql($database, 'SELECT order_ext.enable_dispatch()');
	wait_sql($node, $database,
		q{SELECT string_agg(status, ',' ORDER BY created_at) FROM order_ext.orders_view WHERE user_id = 1},
		'fulfilling,canceled,canceled,canceled,created', 60, "orders of $version go on");
	wait_sql($node, $database,
		q{SELECT count(*), count(*) FILTER (WHERE cause = 'cancel' AND after_sale_id IS NOT NULL)
		  FROM order_ext.refunds_view JOIN order_ext.orders_view USING (order_id) WHERE user_id = 1},
		'3|2', 60, 'their refunds are there, with an after-sale');
	wait_sql($node, $database,
		'SELECT available, reserved, consumed FROM order_ext.stock_level(\'A\')', '95|5|0', 60,
		'and their stock');
	if ($application)
	{
		wait_sql($node, $database,
			q{SELECT string_agg(pay_type || ' ' || r.status || coalesce(' ' || who, ''), ', ' ORDER BY pay_type, r.status, who)
			  FROM order_ext.refunds_view r JOIN order_ext.payments_view USING (payment_id)
				JOIN order_ext.orders_view o ON o.order_id = r.order_id LEFT JOIN public.refunded USING (refund_id)
			  WHERE user_id = 1},
			'alipay requested, wechat succeeded order_handlers, wechat succeeded ' . ($gateways ? 'postgres' : 'order_handlers'), 60, 'gateways go on, and call for each refund once');
		wait_sql($node, $database, 'SELECT string_agg(note, \',\' ORDER BY key, note) FROM public.handled',
			'done,dead,parked,retried,timer due,waiting', 60, 'messages are handled, none of them twice');
		is($node->safe_psql($database, q{
				SELECT string_agg(payload->>'note', ',' ORDER BY key, message_id)
				FROM order_ext.receive('lives.out', 100)}),
			'done,dead,parked,retried,timer due,waiting', 'leases that nobody answered are given out again');
		is($node->safe_psql($database, q{SELECT payload->>'note' FROM order_ext_internal.pending_timers WHERE topic_id = 1000}),
			'timer in years', 'the other timer goes on waiting');
		is($node->safe_psql($database, q{SELECT order_ext.publish('lives.work', 2, '{}', dedup_key => 'once')
			= (SELECT message_id FROM public.handled WHERE note = 'parked')}), 't', 'a dedup_key is still known');
	}
	calls_are_repeated($node, $database);
	every_status_goes_on($node, $database, $version) if $all_statuses;
	topics_keep_their_rights($node, $database, $version >= 0.5) if $all_statuses;
	facts_have_effect($node, $database) if $version >= 0.6;
	wait_sql($node, $database, "SELECT count(*) FROM order_ext.verify() WHERE severity = 'error'",
		'0', 60, 'the books are right');
}

# Where dispatch was enabled all along, the update is all that the workers wait for.
$node->safe_psql('postgres', 'CREATE DATABASE plain');
$node->safe_psql('plain', "CREATE EXTENSION order_ext VERSION '$old[-1]'");
wait_sql($node, 'fresh', q{SELECT state FROM order_ext.worker_stats WHERE database = 'plain'}, 'other version', 30,
	'the workers stay out of objects of another version');
$node->safe_psql('plain', 'ALTER EXTENSION order_ext UPDATE');
wait_workers($node, 'plain', 'dispatcher,scheduler', 30, 'workers come after the update');
wait_sql($node, 'plain', 'SELECT count(*) FROM order_ext_internal.database_stamp WHERE node > 0', '1', 30,
	'and note on which node');

# Pay types and numbers are respelled by the update, except for what would collide; roles that were
# granted a call with a new argument still are; what waited to be refunded goes on. Status 20 is captured,
# 10 requested, purpose and cause 5 are unmatched.
$node->safe_psql('postgres', 'CREATE DATABASE spelled; CREATE ROLE up_cashier');
$node->safe_psql('spelled', <<'SQL');
CREATE EXTENSION order_ext VERSION '0.5';
INSERT INTO order_ext_internal.payments (payment_id, order_id, amount, created_at, captured_at, paid_at, version, status, purpose, pay_type, out_trade_no, currency)
VALUES (9001, 42, 100, now(), now(), now(), 1, 20, 5, 'Stripe', ' T-1 ', 'CNY'),
	(9002, 42, 100, now(), now(), now(), 1, 20, 5, 'Stripe', 'T-2', 'CNY'), (9003, 42, 100, now(), now(), now(), 1, 20, 5, 'stripe', 'T-2', 'CNY');
INSERT INTO order_ext_internal.refunds (refund_id, order_id, payment_id, amount, requested_at, version, status, cause, currency, gateway_refund_no)
VALUES (8001, 42, 9001, 40, now(), 1, 10, 5, 'CNY', ' G-1 ');
GRANT EXECUTE ON FUNCTION order_ext.claim_refunds, order_ext.resolve_held_payment TO up_cashier;
ALTER EXTENSION order_ext UPDATE;
SQL
is( $node->safe_psql('spelled', q{SELECT string_agg(pay_type || ' ' || out_trade_no, ', ' ORDER BY payment_id) FROM order_ext.payments_view}),
	'stripe T-1, Stripe T-2, stripe T-2', 'pay types and numbers are spelled anew, except for what would collide');
is( $node->safe_psql('spelled', q{SELECT string_agg(entity, ', ') FROM order_ext.verify('I15') WHERE expected ~ 'spelling'}),
	'payment 9002', 'which verify() warns of');
is( $node->safe_psql('spelled', q{SELECT has_function_privilege('up_cashier', 'order_ext.claim_refunds(integer, text, interval, text[])', 'EXECUTE'),
		has_function_privilege('up_cashier', 'order_ext.resolve_held_payment(bigint, text, boolean)', 'EXECUTE')}),
	't|t', 'calls with a new argument keep their grants');
is( $node->safe_psql('spelled', q{SELECT amount, payment_amount, gateway_refund_no FROM order_ext.claim_refunds(pay_types => ARRAY['STRIPE']) JOIN order_ext.refunds_view USING (refund_id, amount)}),
	'40|100|G-1', 'a refund that waited is claimed');
is( $node->safe_psql('spelled', q{SELECT disposition FROM order_ext.pay_callback(42, 'T-1', 'STRIPE', 100)}), 'replayed', 'and a callback is known');

check_log($node);
$node->stop('fast');
done_testing();
