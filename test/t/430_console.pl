# The console on a real server, started as make console does, in a real browser: signing in,
# finding, deciding, what attackers try, the keyboard, a telephone; console/test/browser.js. And what
# it says when the server is gone.
use strict;
use warnings;

use File::Basename;
use FindBin;
use HTTP::Tiny;
use JSON::PP;
use lib $FindBin::RealBin;

use OrderExtTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $top = $ENV{TESTDIR} || dirname(__FILE__) . '/../..';
my $console = "$top/console";
my $place = PostgreSQL::Test::Utils::tempdir();
my $password = 'correct horse';

# A machine that cannot install what the console and its test need fails here.
{
	local $ENV{HOME} = $place;
	delete local $ENV{TEST_CLOCK};    # certificates are of today
	local $ENV{npm_config_cache} = "$place/npm_cache";
	is(system_log('npm', 'ci', '--prefix', $console, '--no-audit', '--no-fund', '--no-update-notifier'),
		0, 'npm installs what the console needs');
}

# ---- a shop in which something has gone wrong everywhere ----

my $node = start_node('console');
$node->safe_psql('postgres', 'CREATE DATABASE quickstart');
$node->safe_psql('quickstart', 'CREATE EXTENSION order_ext');
create_handlers($node, 'quickstart');
$node->safe_psql('quickstart', <<SQL);
CREATE ROLE alice LOGIN PASSWORD '$password';
CREATE ROLE bob LOGIN PASSWORD '$password';
CREATE ROLE carol LOGIN PASSWORD '$password';
CREATE ROLE shop LOGIN PASSWORD '$password';
CREATE ROLE boss SUPERUSER LOGIN PASSWORD '$password';
CREATE ROLE trusted LOGIN;
SELECT order_ext.grant_to(role::regrole, 'operator') FROM unnest(ARRAY['alice', 'carol', 'trusted']) AS role;
SELECT order_ext.grant_to('bob', 'observer'), order_ext.grant_to('shop', 'app');
SQL
my $hba = $node->data_dir . '/pg_hba.conf';
my $trusting = slurp_file($hba);
unlink $hba;
append_to_file($hba, "local all alice,bob,carol,shop,boss scram-sha-256\n$trusting");
$node->reload;

my $script = '<script>window.pwned = %d</script>';
$node->safe_psql('quickstart', sprintf(<<'SQL', sprintf($script, 1), sprintf($script, 4)));
SELECT order_ext.put_product('cup', 'Cup', 800), order_ext.put_freight('north', 500);
SELECT FROM order_ext.adjust_stock('cup', 100);
CREATE TABLE facts (name text PRIMARY KEY, value text);
CREATE FUNCTION sell(name text, user_id bigint, pieces integer, amount bigint, options jsonb, trade text)
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE id bigint := (order_ext.create_order(sell.user_id, jsonb_build_array(jsonb_build_object('sku', 'cup', 'quantity', pieces)),
	amount, options => sell.options)).id;
BEGIN
	IF trade IS NOT NULL THEN
		PERFORM order_ext.pay_callback(id, trade, 'wechat', amount);
	END IF;
	INSERT INTO facts VALUES (sell.name, id);
	RETURN id;
END
$$;
SELECT sell('order', 9, 2, 2100, '{"region": "north", "external_id": "shop-1", "remark": "%s"}', 'trade-1');
SELECT sell('returned', 10, 1, 800, '{}', 'trade-2');
SELECT sell('other', 11, 1, 800, '{}', 'trade-3');
SELECT sell('mismatch', 12, 1, 800, '{}', NULL);
SELECT sell('sent_back', 13, 1, 800, '{}', 'trade-4'), sell('sent_back_too', 14, 1, 800, '{}', 'trade-5');

CREATE FUNCTION break(m order_ext.message) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION USING ERRCODE = 'OE803', MESSAGE = '%s';
END
$$;
SELECT order_ext.create_topic('jobs');
SELECT order_ext.subscribe('broken', 'jobs', 'break(order_ext.message)', '{"run_as": "handlers"}');
SELECT order_ext.publish('jobs', n) FROM generate_series(1, 5) AS n;
SELECT order_ext.publish('jobs', 77, deliver_at => now() + '1 day');
SELECT order_ext.grant_topic('jobs', 'alice', 'cancel');
SQL
wait_sql($node, 'quickstart',
	"SELECT (SELECT count(*) FROM order_ext.orders_view WHERE status = 'fulfilling') || ' ' || (SELECT count(*) FROM order_ext.dead_letters)",
	'5 5', 30, 'the workers take over, and bury what nobody can handle');
$node->safe_psql('quickstart', <<'SQL');
SELECT order_ext.shipment_event(value::bigint, kind, kind)
FROM facts, unnest(ARRAY['out_stock', 'delivering', 'signed']) WITH ORDINALITY AS k (kind, n)
WHERE name IN ('order', 'returned') ORDER BY name, n;
INSERT INTO facts SELECT 'sale', (order_ext.apply_after_sale(value::bigint, 10, 'refund_only', '[{"sku": "cup", "quantity": 1}]', 'chipped')).id
FROM facts WHERE name = 'returned';
DO $$
DECLARE
	order_of bigint;
	answer order_ext.result;
	refund record;
BEGIN
	SELECT value INTO order_of FROM facts WHERE name = 'mismatch';
	answer := order_ext.pay_callback(order_of, 'trade-6', 'wechat', 700);
	INSERT INTO facts VALUES ('held', answer.detail->>'payment_id');
	PERFORM order_ext.pay_callback(2611270000000000007, 'trade-7', 'wechat', 500);
	INSERT INTO facts VALUES ('unknown', '2611270000000000007');
	PERFORM order_ext.payment_closed(order_of, 'no such attempt', 'alipay', 'closed');
	INSERT INTO facts SELECT 'fact', max(fact_id) FROM order_ext.held_facts WHERE kind = 'payment_closed';
	PERFORM order_ext.cancel_order(value::bigint) FROM facts WHERE name LIKE 'sent_back%';
END
$$;
SQL
wait_sql($node, 'quickstart', "SELECT count(*) FROM order_ext.refunds_view WHERE cause = 'cancel'", 2, 30, 'two refunds are requested');
$node->safe_psql('quickstart', <<'SQL');
CREATE TABLE claimed AS SELECT refund_id, row_number() OVER (ORDER BY refund_id) AS n FROM order_ext.claim_refunds(2);
SELECT order_ext.refund_callback(refund_id, CASE n WHEN 1 THEN 'failed' ELSE 'succeeded' END, 'gateway-' || n, raw => '{}') FROM claimed;
INSERT INTO facts SELECT 'failed', refund_id FROM claimed WHERE n = 1;
INSERT INTO facts VALUES ('external', 'shop-1'), ('trade', 'trade-1'), ('gatewayNo', 'gateway-2');
INSERT INTO facts SELECT 'dead', min(message_id) FROM order_ext.dead_letters;
INSERT INTO facts SELECT 'lastDead', max(message_id) FROM order_ext.dead_letters;
SQL
my $facts = decode_json($node->safe_psql('quickstart', 'SELECT jsonb_object_agg(name, value) FROM facts'));
$facts->{password} = $password;
$facts->{orders} = 0 + $node->safe_psql('quickstart', 'SELECT count(*) FROM order_ext.orders_view');
$facts->{fulfilling} = 0 + $node->safe_psql('quickstart', "SELECT count(*) FROM order_ext.orders_view WHERE status = 'fulfilling'");
append_to_file("$place/facts.json", encode_json($facts));

# ---- started as make console does ----

my $cluster = "$place/cluster";
mkdir $cluster;
symlink($node->data_dir, "$cluster/data") or die $!;
mkdir "$top/tmp_cluster";
append_to_file("$top/tmp_cluster/where", "$cluster\n" . $node->config_data('--bindir') . "\n");
my ($said, $errors) = ('', '');
my $running;
{
	local $ENV{CONSOLE_PORT} = 0;
	$running = IPC::Run::start(["$top/script/console"], '<', \undef, '>', \$said, '2>', \$errors, IPC::Run::timeout(3000));
}
eval { $running->pump until $said =~ /the console is at (http\S+)/ };
my ($url) = $said =~ /the console is at (http:\S+)\n/;
ok($url, 'make console says where the console is') or BAIL_OUT("$said$errors");
my ($name, $secret) = $said =~ /sign in as (\w+) with the password (\S+)/;

# Signing in with what was said: returns the answer.
sub sign_in
{
	my $http = HTTP::Tiny->new(max_redirect => 0, timeout => 30);
	my $form = $http->get("$url/login");
	my ($token) = $form->{content} =~ /name="token" value="([^"]+)"/;
	my ($cookie) = ($form->{headers}{'set-cookie'} // '') =~ /^([^;]+)/;
	return $http->post_form("$url/login", { user => $_[0], password => $_[1], token => $token, next => '/orders' },
		{ headers => { cookie => $cookie } });
}
is(sign_in($name, $secret)->{headers}{location}, '/orders', 'and how to sign in');

# ---- in the browser ----

my $browser;
{
	local $ENV{HOME} = $place;    # Chromium's files
	delete local $ENV{TEST_CLOCK};
	IPC::Run::run(['node', "$console/test/browser.js", $url, "$place/facts.json"], '<', \undef, '>', \$browser, '2>&1', IPC::Run::timeout(1200));
}
my $seen = 0;
foreach my $line (split /\n/, $browser)
{
	if ($line =~ /^(not )?ok \d+ - (.*)/) { ok(!$1, $2); $seen++; }
	elsif ($line =~ /^1\.\.(\d+)/) { is($seen, $1, 'all of the browser\'s tests'); $seen = 'all'; }
	else { diag($line); }
}
is($seen, 'all', 'the browser went to the end') or diag($browser);

# ---- what the decisions did ----

my %state = (
	'a held payment is refunded' => ["SELECT cause || ' ' || amount FROM order_ext.refunds_view WHERE payment_id = $facts->{held}", 'held 700'],
	'the failed refund is requested again' => ["SELECT status || ' ' || attempt FROM order_ext.refunds_view WHERE refund_id = $facts->{failed}", 'requested 1'],
	'two refunds by decision' => ["SELECT string_agg(amount::text, ' ' ORDER BY refund_id) FROM order_ext.refunds_view WHERE order_id = $facts->{order}", '150 800'],
	'the application waits again' => ["SELECT status FROM order_ext.after_sales_view WHERE after_sale_id = $facts->{sale}", 'applied'],
	'the fact is resolved by alice' => ["SELECT note || ', ' || resolved_by FROM order_ext.held_facts WHERE fact_id = $facts->{fact}", 'called the bank, alice'],
	'the order is canceled by staff' => ["SELECT cancel_type FROM order_ext.orders_view WHERE order_id = $facts->{other}", 'customer_service'],
	'its log says who that was' => ["SELECT DISTINCT detail->>'operator' FROM order_ext_internal.transition_log WHERE order_id = $facts->{other} AND actor = 'S'", 'alice'],
	'the group goes on' => ["SELECT paused FROM order_ext.subscriptions_view WHERE consumer_group = 'broken'", 'f'],
);
is($node->safe_psql('quickstart', $state{$_}[0]), $state{$_}[1], $_) foreach sort keys %state;
# The one that was delivered again fails again.
wait_sql($node, 'quickstart', 'SELECT count(*) FROM order_ext.dead_letters', 4, 30, 'one dead letter is gone') if $seen eq 'all';
is($node->safe_psql('postgres', "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'order\\_ext console: alice%'"),
	'0', 'no connection of those who decided is left');

# ---- behind a proxy, and what it does not start with ----

my %as_reader = (PGHOST => $node->host, PGPORT => $node->port, PGDATABASE => 'quickstart', PGUSER => 'console_reader', CONSOLE_PORT => 0);

# Starts it otherwise; returns how it ended, and what it said.
sub refused_start
{
	local %ENV = (%ENV, %as_reader, @_);
	my $output;
	IPC::Run::run(['node', "$console/server.js"], '<', \undef, '>', \$output, '2>&1', IPC::Run::timeout(300));
	return $output;
}
like(refused_start(PGUSER => $node->safe_psql('postgres', 'SELECT current_user')), qr/does not read as a superuser/, 'it does not read as a superuser');
like(refused_start(PGUSER => 'trusted'), qr/the console's role is an operator/, 'nor as an operator');
like(refused_start(CONSOLE_ORIGIN => 'http://console.example.com'), qr/must begin with https/, 'it takes no passwords without TLS');
like(refused_start(CONSOLE_PORT => 'x'), qr/CONSOLE_PORT must be a whole number/, 'a setting that is none is named');

my $port = PostgreSQL::Test::Cluster::get_free_port();
my ($proxied, $log) = (undef, '');
{
	local %ENV = (%ENV, %as_reader, CONSOLE_PORT => $port, CONSOLE_ORIGIN => "https://console.example.com:$port");
	$proxied = IPC::Run::start(['node', "$console/server.js"], '<', \undef, '>', \$log, '2>&1', IPC::Run::timeout(600));
}
$proxied->pump until $log =~ /the console is at/;
my $form = HTTP::Tiny->new->get("http://console.example.com:$port/login", { peer => '127.0.0.1' });
like($form->{headers}{'set-cookie'} // $form->{content}, qr/^__Host-order_ext_console_login=.*; Path=\/.*; HttpOnly; Secure; SameSite=Strict/, 'with TLS in front, cookies are for TLS only');
like($form->{headers}{'strict-transport-security'}, qr/max-age=\d{8}/, 'and so is the console');
is(HTTP::Tiny->new->get("http://127.0.0.1:$port/login")->{status}, 421, 'which has one name');
$proxied->signal('TERM');
ok($proxied->finish, 'it ends when it is told to');

# ---- a role that may no more ----

my $answer;
# A session: its cookie, and the token of its forms.
$answer = sign_in('alice', $password);
my ($cookie) = map { /^(order_ext_console=[^;]+)/ } map { ref ? @$_ : $_ } $answer->{headers}{'set-cookie'};
my $http = HTTP::Tiny->new(max_redirect => 0, timeout => 30);
my ($token) = $http->get("$url/orders", { headers => { cookie => $cookie } })->{content} =~ /name="token" value="([^"]+)"/;
my $pause = sub { $http->post_form("$url/do/pause", { token => $token, consumer_group => 'broken', back => '/' }, { headers => { cookie => $cookie } }) };
$node->safe_psql('quickstart', 'ALTER ROLE alice NOLOGIN');
$answer = $pause->();
is($answer->{status}, 403, 'a role that may not sign in any more decides nothing');
like($answer->{content}, qr/does not let you in any more/, 'and is told so');
$node->safe_psql('quickstart', 'ALTER ROLE alice LOGIN');
is($pause->()->{status}, 303, 'the session goes on when it may again');

# ---- the server is away ----

verify_clean($node, 'quickstart');
$node->stop;
$answer = sign_in('alice', $password);
is($answer->{status}, 503, 'without a server nobody signs in');
like($answer->{content}, qr/The console cannot reach the database/, 'the console says why');
unlike($answer->{content}, qr/ECONN|ENOENT|node_modules|\.js:/, 'and not more');
$node->start;
is(sign_in('alice', $password)->{status}, 303, 'when it is back, one signs in');

IPC::Run::signal($running, 'TERM');
IPC::Run::finish($running);
is(HTTP::Tiny->new(timeout => 5)->get("$url/healthz")->{status}, 599, 'the console ends with its script');
unlike($said, qr/\Q$password\E|window\.pwned/, 'its log has no passwords');
is($errors, '', 'and no complaints');
unlink "$top/tmp_cluster/where";
rmdir "$top/tmp_cluster";
check_log($node);
done_testing();
