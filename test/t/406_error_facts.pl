# Facts of errors: every SQLSTATE of order_ext is raised in both modes of order_ext.error_detail. DETAIL
# is a sentence, or an object with the keys and types that docs/reference.md documents.
use strict;
use warnings;

use File::Basename;
use FindBin;
use lib $FindBin::RealBin;

use Encode qw(decode);
use JSON::PP;
use OrderExtTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $top = $ENV{TESTDIR} || dirname(__FILE__) . '/../..';
my $page = slurp_file("$top/docs/reference.md");
my %documented;
$documented{$1}{$2}{$3} = 1 while $page =~ /^\| `(\w{5})` \| `(\w+)` \| (\w+) \|/mg;
my @codes = slurp_file("$top/docs/errors.md") =~ /^\| (OE\d\d\d) \|/mg;

# A prepared transaction is what another session holds locks with.
my $node = start_node('facts', 'max_prepared_transactions = 2');
$node->safe_psql('postgres', 'ALTER DATABASE postgres SET order_ext.enabled = off');
$node->safe_psql('postgres', 'CREATE EXTENSION order_ext');
create_handlers($node, 'postgres');
$node->safe_psql('postgres', <<'SQL');
CREATE TABLE ids (name text PRIMARY KEY, id bigint);
CREATE FUNCTION id(name text) RETURNS bigint LANGUAGE sql STABLE RETURN (SELECT i.id FROM public.ids i WHERE i.name = $1);
CREATE FUNCTION payment(trade_no text) RETURNS bigint LANGUAGE sql STABLE
	RETURN (SELECT payment_id FROM order_ext.payments_view WHERE out_trade_no = $1);

-- What a call raises after some others; nothing of it stays.
CREATE FUNCTION raised(before text[], call text, mode text, OUT code text, OUT message text, OUT detail text) LANGUAGE plpgsql AS $$
DECLARE
	b text;
BEGIN
	PERFORM set_config('order_ext.error_detail', mode, false);
	FOREACH b IN ARRAY before LOOP
		EXECUTE b;
	END LOOP;
	EXECUTE 'SELECT order_ext.' || call;
	code := 'none';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
END
$$;
CREATE FUNCTION risk(request jsonb) RETURNS text LANGUAGE sql AS $$ SELECT E'too "risky"\n\\ \x01 ☃' $$;
CREATE FUNCTION price(request jsonb) RETURNS jsonb LANGUAGE sql AS $$ SELECT NULL::jsonb $$;
CREATE FUNCTION note(m order_ext.message) RETURNS void LANGUAGE sql AS $$ $$;

SELECT order_ext.put_product('tea', 'Tea', 100), order_ext.put_product('a"\', 'A', 10), order_ext.put_product('code', 'C', 50, 'virtual');
SELECT order_ext.adjust_stock('tea', 100), order_ext.adjust_stock('a"\', 1), order_ext.adjust_stock('code', 9);
SELECT order_ext.put_freight('north', 0), order_ext.put_freight('*', 0), order_ext.set_channel('partner', true);
SELECT order_ext.create_topic('full', '{"max_depth": 1}');
SELECT order_ext.subscribe('slow', 'full'), order_ext.publish('full', 1);
CREATE PROCEDURE make(name text, user_id bigint, paid boolean, sku text DEFAULT 'tea', options jsonb DEFAULT '{}', pay_timeout interval DEFAULT NULL)
LANGUAGE plpgsql AS $$
DECLARE
	price constant bigint := CASE sku WHEN 'tea' THEN 200 ELSE 100 END;
	o bigint := (order_ext.create_order(user_id, jsonb_build_array(jsonb_build_object('sku', sku, 'quantity', 2)), price,
		options => options, pay_timeout => pay_timeout)).id;
BEGIN
	INSERT INTO public.ids VALUES (name, o);
	IF paid THEN
		PERFORM order_ext.pay_callback(o, 'T-' || name, 'card', price);
	END IF;
END
$$;
CALL make('new', 1, false);
CALL make('late', 1, false, pay_timeout => '1 second');
CALL make('gone', 1, false);
CALL make('busy', 1, false);
CALL make('signed', 1, true);
CALL make('sent', 1, true);
CALL make('partner', 1, true, options => '{"channel": "partner"}');
CALL make('virtual', 1, true, sku => 'code');
INSERT INTO ids SELECT 'coupon', order_ext.issue_coupon(1, 10);
INSERT INTO ids SELECT 'dear', order_ext.issue_coupon(3, 10, 500);
INSERT INTO ids SELECT 'taken', order_ext.issue_coupon(1, 10);
INSERT INTO ids SELECT 'holder', (order_ext.create_order(1, '[{"sku": "tea", "quantity": 1}]', 90, id('taken'))).id;
SELECT FROM order_ext.cancel_order(id('gone'));
SELECT FROM order_ext.pay_callback(id('new'), 'T-less', 'card', 150);
SELECT FROM order_ext.pay_callback(424242, 'T-nobody', 'card', 150);
SELECT 'SELECT order_ext.dispatch()' FROM generate_series(1, 5) \gexec
SELECT (order_ext.shipment_event(id(name), kind, kind)).status FROM unnest('{signed,sent}'::text[]) AS name, unnest('{picked,out_stock,delivering,signed}'::text[]) AS kind;
INSERT INTO ids SELECT 'return', (order_ext.apply_after_sale(id('sent'), 1, 'return_refund', '[{"sku": "tea", "quantity": 1}]')).id;
SELECT FROM order_ext.cancel_order(id('partner'));
SELECT FROM order_ext.fulfilment_cancel_result(id('partner'), false, 'n1');
INSERT INTO ids SELECT 'after_sale', (order_ext.apply_after_sale(id('signed'), 1, 'refund_only', '[{"sku": "tea", "quantity": 1}]', request_id => 'once')).id;
SELECT FROM order_ext.review_after_sale(id('after_sale'), false);
INSERT INTO ids SELECT 'refund', (order_ext.refund_order(id('signed'), 20)).id;
SELECT pg_sleep(1.1);
BEGIN;
SELECT FROM order_ext.pre_pay_order(id('busy'), 'card', 200);
PREPARE TRANSACTION 'busy';
SQL

my $long = "repeat('x', 1000)";
my $items = sub { "'[{\"sku\": \"$_[0]\", \"quantity\": $_[1]}]'" };
my $risky = q{SELECT order_ext.set_risk_check('public.risk(jsonb)', 'handlers')};
my $priceless = q{SELECT order_ext.set_price('public.price(jsonb)', 'handlers')};
my $as_replica = q{SELECT set_config('session_replication_role', 'replica', true)};
my $claim = q{SELECT order_ext.claim_refunds()};

# An order of another system, unpaid or, with an amount, paid.
my $import = 'order external_id reason';
my $imported = sub {
	my ($price, %of) = @_;
	my %order = (external_id => 'i"1', user_id => 1, pay_amount => $price, expire_at => '2999-01-01', status => 'created',
		items => [ { sku => $of{sku} // 'tea', quantity => $of{quantity} // 1, price => 100 } ], %of);
	@order{qw(status payments)} = ('paid', [ { pay_type => 'card', out_trade_no => 'I-1', amount => $of{amount} } ]) if $of{amount};
	delete @order{qw(sku quantity amount)};
	return 'import_orders(' . quoted(JSON::PP->new->canonical->encode([ \%order ])) . ')';
};

my $at_once = q{SET LOCAL order_ext.archive_retention = 0};
my @dropped = (q{SET LOCAL session_replication_role = replica},
	q{INSERT INTO order_ext_archive.dropped (order_id, user_id, pay_amount, created_at, settled_at, archived_at, dropped_at, version, status, currency, digest, remains)
		VALUES (77, 1, 1, now(), now(), now(), now(), 1, 60, 'CNY', '', '{}')},
	q{SET LOCAL session_replication_role = origin});

# SQLSTATE, the keys of its object in their order, the call (of schema order_ext), and calls before it.
# "-": there is no DETAIL as a text.
my @cases = (
	[ 'OE001', 'order_id', 'get_order(1)' ],
	[ 'OE001', 'order_id', 'cancel_order(1)' ],
	[ 'OE001', 'payment_id', q{resolve_held_payment(424242, 'refund')} ],
	[ 'OE001', 'payment_id', q{assign_payment(424242, public.id('new'))} ],
	[ 'OE001', 'refund_id', 'retry_refund(424242)' ],
	[ 'OE001', 'after_sale_id', 'review_after_sale(424242, true)' ],
	[ 'OE001', 'fact_id', q{resolve_fact(424242, 'n')} ],
	[ 'OE001', 'kind', q{unregister_asset('none"\\')} ],
	[ 'OE001', 'sku', q{adjust_stock(E'no\n"\\\\ \u2603', 1)} ],
	[ 'OE001', 'skus', q{quote_order(1, '[{"sku": "x\"\n", "quantity": 1}, {"sku": "y", "quantity": 1}]')} ],
	[ 'OE001', 'external_id', q{find_order('none"')} ],
	[ 'OE001', 'reason skus', 'quote_order(1, ' . $items->('tea', 1) . ')', q{SELECT order_ext.retire_product('tea')} ],
	[ 'OE001', "$import sku line", $imported->(100, sku => 'none"') ],
	[ 'OE002', "$import expected pay_amount freight currency", $imported->(99) ],
	[ 'OE201', 'order external_id short', $imported->(100000, quantity => 1000) ],
	[ 'OE202', "$import coupon_id", $imported->(100, coupon_id => 424242) ],
	[ 'OE301', "$import expected pay_amount", $imported->(100, amount => 99) ],
	[ 'OE601', "$import order_id", $imported->(100, user_id => 2), 'SELECT order_ext.' . $imported->(100) ],
	[ '22023', $import, $imported->(100, status => 'lost') ],
	[ '54000', "$import key max_chars", $imported->(100, external_id => 'x' x 1000) ],
	[ 'OE002', 'expected pay_amount origin discount freight currency', 'create_order(1, ' . $items->('tea', 1) . ', 99)' ],
	[ 'OE003', 'order_id user_id', q{cancel_order(public.id('new'), 2)} ],
	[ 'OE003', 'order_id user_id', q{change_address(public.id('new'), 2, '{}')} ],
	[ 'OE003', 'order_id user_id', q{apply_after_sale(public.id('signed'), 2, 'refund_only', } . $items->('tea', 1) . ')' ],
	[ 'OE003', 'after_sale_id user_id', q{revoke_after_sale(public.id('after_sale'), 2)} ],
	[ 'OE004', 'reason', 'create_order(1, ' . $items->('tea', 1) . ', 100)', $risky ],
	[ 'OE005', 'currency skus', 'quote_order(1, ' . $items->('tea', 1) . q{, options => '{"currency": "USD"}')} ],
	[ 'OE006', 'region currency', 'quote_order(1, ' . $items->('tea', 1) . q{, options => '{"region": "south"}')}, q{SELECT order_ext.remove_freight('*')} ],
	[ 'OE007', 'reason', 'quote_order(1, ' . $items->('tea', 1) . ')', $priceless ],
	[ 'OE101', 'order_id status', q{pre_pay_order(public.id('gone'), 'card', 200)} ],
	[ 'OE101', 'order_id status', q{extend_deadline(public.id('gone'), now() + interval '1 hour')} ],
	[ '22023', 'argument limit', q{extend_deadline(public.id('new'), now() - interval '1 hour')} ],
	[ 'OE101', 'order_id status', q{confirm_receipt(public.id('new'), 1)} ],
	[ 'OE101', 'order_id status', q{apply_after_sale(public.id('new'), 1, 'refund_only', } . $items->('tea', 1) . ')' ],
	[ 'OE101', 'order_id status', q{report_shortage(public.id('new'), } . $items->('tea', 1) . ')' ],
	[ 'OE101', 'order_id status', q{refund_order(public.id('gone'))} ],
	[ 'OE101', 'reason order_id status', q{apply_after_sale(public.id('signed'), 1, 'refund_only', } . $items->('tea', 1) . ')', q{SET LOCAL order_ext.after_sale_window = 0} ],
	[ 'OE101', 'reason order_id status', q{change_address(public.id('new'), 1, '{"a": 2}')}, q{SELECT order_ext.change_address(public.id('new'), 1, '{"a": 1}')} ],
	[ 'OE101', 'reason sku', q{apply_after_sale(public.id('virtual'), 1, 'return_refund', } . $items->('code', 1) . ')' ],
	[ 'OE101', 'payment_id order_id status', q{resolve_held_payment(public.payment('T-less'), 'accept')}, q{SELECT order_ext.cancel_order(public.id('new'))} ],
	[ 'OE101', 'reason payment_id order_id', q{resolve_held_payment(public.payment('T-nobody'), 'accept')} ],
	[ 'OE101', 'reason payment_id refund_id', q{resolve_held_payment(public.payment('T-less'), 'accept')}, q{SELECT order_ext.resolve_held_payment(public.payment('T-less'), 'refund')} ],
	[ 'OE101', 'reason payment_id', q{resolve_held_payment(public.payment('T-signed'), 'duplicate')} ],
	[ 'OE101', 'payment_id status purpose', q{assign_payment(public.payment('T-signed'), public.id('new'))} ],
	[ 'OE101', 'reason payment_id refund_id', q{assign_payment(public.payment('T-less'), public.id('virtual'))}, q{SELECT order_ext.resolve_held_payment(public.payment('T-less'), 'refund')} ],
	[ 'OE101', 'after_sale_id status', q{revoke_after_sale(public.id('after_sale'), 1)} ],
	[ 'OE101', 'refund_id status attempt', q{withdraw_refund(public.id('refund'), 'r')}, $claim ],
	[ 'OE103', 'order_id status', q{cancel_order(public.id('signed'))} ],
	[ 'OE110', 'lock_timeout reason', q{cancel_order(public.id('busy'))}, q{SET LOCAL order_ext.lock_timeout = 50} ],
	[ 'OE110', 'lock key', q{cancel_order(public.id('busy'))}, q{SET LOCAL order_ext.lock_timeout = 0} ],
	[ 'OE201', 'short', 'create_order(1, \'[{"sku": "tea", "quantity": 900}, {"sku": "a\"\\\\", "quantity": 2}]\', 90020)' ],
	[ 'OE201', 'short', q{adjust_stock('tea', -100000)} ],
	[ 'OE201', 'short', q{adjust_stock('tea', -100000, bucket => 'reserved')} ],
	[ 'OE202', 'reason coupon_id', 'quote_order(1, ' . $items->('tea', 1) . ', 424242)' ],
	[ 'OE202', 'reason coupon_id', 'quote_order(2, ' . $items->('tea', 1) . q{, public.id('coupon'))} ],
	[ 'OE202', 'reason coupon_id coupon_currency currency', 'quote_order(1, ' . $items->('tea', 1) . q{, public.id('coupon'), '{"currency": "USD"}')}, q{SELECT order_ext.put_price('tea', 'USD', 1)} ],
	[ 'OE202', 'reason coupon_id threshold origin currency', 'quote_order(3, ' . $items->('tea', 1) . q{, public.id('dear'))} ],
	[ 'OE203', 'coupon_id', 'create_order(1, ' . $items->('tea', 1) . q{, 90, public.id('taken'))} ],
	[ 'OE203', 'coupon_id', 'quote_order(1, ' . $items->('tea', 1) . q{, public.id('taken'))} ],
	[ 'OE301', 'order_id expected pay_amount currency', q{pre_pay_order(public.id('new'), 'card', 1)} ],
	[ 'OE301', 'payment_id order_id expected currency amount payment_currency', q{resolve_held_payment(public.payment('T-less'), 'accept')} ],
	[ 'OE301', 'payment_id order_id amount currency', q{resolve_held_payment(public.payment('T-less'), 'duplicate')} ],
	[ 'OE302', 'order_id expire_at', q{pre_pay_order(public.id('late'), 'card', 200)} ],
	[ 'OE401', 'order_id status', q{cancel_order(public.id('partner'))} ],
	[ 'OE501', 'order_id exceeded', q{apply_after_sale(public.id('signed'), 1, 'refund_only', } . $items->('tea', 9) . ')' ],
	[ 'OE501', 'order_id sku wanted left', q{calculate_refund(public.id('signed'), } . $items->('other', 9) . ')' ],
	[ 'OE501', 'order_id line wanted left', q{calculate_refund(public.id('signed'), '[{"line": 7, "quantity": 1}]')} ],
	[ 'OE501', 'order_id left paid currency', q{refund_order(public.id('signed'), 10000)} ],
	[ 'OE501', 'refund_id left paid currency', q{settle_refund(public.id('refund'), 10000, 'r')} ],
	[ 'OE503', 'after_sale_id status', q{review_after_sale(public.id('after_sale'), true)} ],
	[ 'OE503', 'after_sale_id status return_status', q{resolve_damaged(public.id('return'), true)} ],
	[ '22004', 'argument', 'get_order(NULL)' ],
	[ '22004', 'argument', 'list_orders(NULL)' ],
	[ '22023', 'argument value machine', q{list_orders(1, '{nope}')} ],
	[ '22023', 'argument value', 'get_order(-1)' ],
	[ '22023 -', 'argument key', q{search_orders('{"nope": 1}')} ],
	[ '22023 -', 'argument key', q{set_pay_type('card', '{"nope": 1}')} ],
	[ '22023 -', 'argument', q{create_order(1, '{}', 1)} ],
	[ '22023', 'argument value', q{grant_to(current_user::regrole, 'nope')} ],
	[ 'OE601', 'request_id function', q{apply_after_sale(public.id('signed'), 1, 'refund_only', } . $items->('tea', 2) . q{, request_id => 'once')} ],
	[ 'OE701', 'topic', q{publish(E'no\t"', 1)} ],
	[ 'OE701', 'consumer_group', q{pause('none')} ],
	[ 'OE702', 'consumer_group lost count tokens', q{ack('slow', ARRAY(SELECT n FROM generate_series(1, 30) AS n))} ],
	[ 'OE703', 'topic max_depth depth consumer_group', q{publish('full', 1)} ],
	[ 'OE901', 'order_id', q{shipment_event(public.id('partner'), 's1', 'picked')}, $as_replica,
		q{DELETE FROM order_ext_internal.fulfilments WHERE order_id = public.id('partner')} ],
	[ 'OE901', 'coupon_id order_id', q{pay_callback(public.id('holder'), 'T-holder', 'card', 90)}, $as_replica,
		q{UPDATE order_ext_internal.coupons SET status = order_ext.status_code('coupon', 'unused'), order_id = NULL WHERE coupon_id = public.id('taken')} ],

	[ '22003', 'argument max_days', 'create_order(1, ' . $items->('tea', 1) . q{, 100, pay_timeout => '1000 years')} ],
	[ '22003', 'argument', 'quote_order(1, ' . $items->('big', 2147483647) . ')', q{SELECT order_ext.put_product('big', 'B', 9000000000000000)} ],
	[ '22003', 'argument key value', q{search_orders('{"id": "99999999999999999999"}')} ],
	[ '22004', 'argument element count', q{ack('slow', '{1,NULL}')} ],
	[ '22004', 'argument element count', q{redrive('slow', message_ids => '{1,NULL}')} ],
	[ '22004', 'argument element count', q{list_orders(1, '{signed,NULL}')} ],
	[ '22004', 'argument element count', q{claim_refunds(pay_types => '{card,NULL}')} ],
	[ '22023', 'argument value', 'cancel_order(-1)' ],
	[ '22023', 'argument value', q{receive('slow', lease => '0')} ],
	[ '22023', 'argument value', 'create_order(1, ' . $items->('tea', 1) . q{, 100, pay_timeout => '-1 minute')} ],
	[ '22023', 'argument limit', q{issue_coupon(1, 10, valid_until => now() - interval '1 day')} ],
	[ '22023', 'argument key value', q{create_topic('new', '{"max_depth": "many"}')} ],
	[ '22023', 'argument key value', q{create_topic('new', '{"max_depth": [-1, 2]}')} ],
	[ '22023', 'argument oid', q{set_price('public.price(jsonb)', 424242)} ],
	[ '22023', 'argument', q{import_orders('{}')} ],
	[ '22023 -', 'argument value', q{verify('I99')} ],
	[ '22023 -', 'argument value', q{put_price('tea', 'yen', 1)} ],
	[ '22023', 'argument value', q{publish('full', 1, deliver_at => 'infinity')} ],
	[ '22023', 'argument max_chars', q{put_product('', 'x', 1)} ],
	[ '22023', 'argument value machine', q{status_code('order', E'no\u2603')} ],
	[ '22023', 'argument sku lines order_id', 'calculate_refund((SELECT max(order_id) FROM order_ext.order_items_view WHERE line = 2), ' . $items->('tea', 1) . ')',
		q{SELECT order_ext.create_order(1, '[{"sku": "tea", "quantity": 1, "attributes": {"c": 1}}, {"sku": "tea", "quantity": 1, "attributes": {"c": 2}}]', 200)} ],
	[ '23505', 'external_id', 'create_order(1, ' . $items->('tea', 1) . q{, 100, options => '{"external_id": "e\"1"}')},
		'SELECT order_ext.create_order(1, ' . $items->('tea', 1) . q{, 100, options => '{"external_id": "e\"1"}')} ],
	[ '2BP01', 'topic user', q{drop_topic('full')} ],
	[ '42501', 'topic', q{grant_topic('order.paid', 'handlers', 'publish')} ],
	[ '42501', 'topic role privilege owner', q{publish('full', 1)}, 'SET LOCAL ROLE handlers' ],
	[ '42501', 'consumer_group topic', q{subscribe('order.paid', 'full')} ],
	[ '42883', 'argument oid', q{set_price(424242, 'handlers')} ],
	[ '42883', 'argument oid', q{set_gateway('card', 424242)} ],
	[ '42883', 'argument oid', q{subscribe('new', 'full', 424242)} ],
	[ '42704', 'argument key role', q{alter_topic('full', '{"owner": "nobody\"s"}')} ],
	[ '42710', 'topic', q{create_topic('full')} ],
	[ '42710', 'consumer_group topic wanted', q{subscribe('slow', 'other')}, q{SELECT order_ext.create_topic('other')} ],
	[ '54000', 'argument max_chars', "put_product($long, 'x', 1)" ],
	[ '54000', 'argument max_bytes', q{publish('full', 1, to_jsonb(repeat('x', 1000000)))} ],
	[ '55000', 'consumer_group handler', q{receive('handled')}, q{SELECT order_ext.subscribe('handled', 'full', 'public.note(order_ext.message)', '{"run_as": "handlers"}')} ],
	[ '55000', 'reason', 'export_archived()' ],
	[ 'OE001', 'dropped_at order_id', 'get_order(77)', @dropped ],
	[ 'OE001', 'dropped_at order_id', 'cancel_order(77)', @dropped ],
	[ '22004', 'argument element', q{drop_archived('{1,NULL}', '{a,b}')}, $at_once ],
	[ '22023', 'argument', q{drop_archived('{1}', '{a,b}')}, $at_once ],
	[ '22023', 'argument dimensions', q{drop_archived('{{1}}', '{{a}}')}, $at_once ],
	[ '54000', 'argument elements max', q{drop_archived(array_fill(1::bigint, '{10001}'), array_fill('a'::text, '{10001}'))}, $at_once ]);

sub quoted { my ($text) = @_; $text =~ s/'/''/g; return "'$text'"; }

# the row is in UTF-8, what is in it no longer
my $json = JSON::PP->new;
my %type_of = (
	id => sub { !ref $_[0] && $_[1] =~ /^"\d+"$/ },
	number => sub { $_[1] =~ /^-?\d+$/ },
	text => sub { $_[1] =~ /^("|null$)/ },
	time => sub { $_[1] =~ /^"\d{4}-\d\d-\d\dT[\d:.+-]+"$/ },
	array => sub { ref $_[0] eq 'ARRAY' && @{ $_[0] } > 0 });

# One session for each: prepared plans and settings of others are none of a case's concern.
my (%raised, %seen);
foreach my $case (@cases)
{
	my ($state, $keys, $call, @before) = @$case;
	my $code = substr($state, 0, 5);
	my $row = join(', ', 'ARRAY[' . join(', ', map { quoted($_) } @before) . ']::text[]', quoted($call));
	my $answer = $node->safe_psql('postgres',
		"SELECT json_build_array(t.code, t.message, t.detail), json_build_array(j.code, j.message, j.detail)"
		  . " FROM public.raised($row, 'text') AS t, public.raised($row, 'json') AS j",
		extra_params => [ '-F', "\t" ]);
	my ($text, $facts) = map { $json->decode(decode('UTF-8', $_)) } split /\t/, $answer;
	my $object = eval { $json->decode($facts->[2]) };
	my $what = "$code $call";

	is("$text->[0] $facts->[0]", "$code $code", "$what: raised") or diag("$text->[1] / $facts->[1]");
	is($text->[1], $facts->[1], "$what: the same message in both");
	if ($state =~ / -$/) { is($text->[2], '', "$what: no DETAIL as text"); }
	else { like($text->[2], qr/^[^{].*[^{}]$/s, "$what: DETAIL is a text"); }
	is(ref $object, 'HASH', "$what: DETAIL is an object") or next;
	is(join(' ', sort keys %$object), join(' ', sort split / /, $keys), "$what: its keys");
	foreach my $key (sort keys %$object)
	{
		next if $call =~ /^import_orders/ && $import =~ /\b$key\b/ && !$documented{$code}{$key};
		my $plain = JSON::PP->new->allow_nonref->canonical->encode($object->{$key});
		my @types = sort keys %{ $documented{$code}{$key} // {} };
		ok(scalar(grep { $type_of{$_}->($object->{$key}, $plain) } @types), "$what: $key is @types") or diag($plain);
		$seen{"$code $key"} = 1;
	}
	$raised{$code} = $object;
	if ($code eq 'OE201')
	{
		ok(!(grep { !/^(sku|wanted|available|reserved|delta)$/ } map { keys %$_ } @{ $object->{short} }), "$what: keys of what is short");
		is(scalar(grep { defined $_->{sku} && $_->{wanted} =~ /^\d+$/ } @{ $object->{short} }), scalar @{ $object->{short} }, "$what: what is wanted");
	}
}

# The values, with whatever is in them.
is($raised{OE004}{reason}, "too \"risky\"\n\\ \x01 \x{2603}", 'any text comes through');
is_deeply($raised{OE002}, { expected => 100, pay_amount => 99, origin => 100, discount => 0, freight => 0, currency => 'CNY' },
	'amounts are exact');
is(join(' ', grep { !$raised{$_} } grep { !/^OE80/ } @codes), '', "every code of the table in docs/errors.md was raised");
is(join(' ', grep { !$raised{$_} } grep { !/^(40001|57014)$/ } sort keys %documented), '', 'and of the reference');
my @unseen = grep { !$seen{$_} } map { my $c = $_; map { "$c $_" } sort keys %{ $documented{$c} } } grep { /^OE/ && $_ ne 'OE901' } sort keys %documented;
is(join(', ', @unseen), '', 'so was every key of its own codes');

$node->safe_psql('postgres', q{ROLLBACK PREPARED 'busy'});
check_log($node);
$node->stop('fast');
done_testing();
