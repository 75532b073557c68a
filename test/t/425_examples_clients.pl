# The shop of examples/clients in each of its languages: all print the same, and each tries again
# while somebody else has the order that it cancels.
use strict;
use warnings;

use File::Basename;
use File::Copy;
use FindBin;
use lib $FindBin::RealBin;

use HTTP::Tiny;
use IPC::Run;
use JSON::PP;
use OrderExtTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $clients = ($ENV{TESTDIR} || dirname(__FILE__) . '/../..') . '/examples/clients';
my $build = PostgreSQL::Test::Utils::tempdir();

# JDBC knows no Unix-domain sockets.
my $node = start_node('clients', "listen_addresses = '127.0.0.1'", 'max_worker_processes = 32');
my $port = $node->port;

# The README's setup, which is the same in each database.
my ($setup) = slurp_file("$clients/README.md") =~ /^```sql\n(.*?)^```$/ms;
my ($role, $rest) = $setup =~ /^(CREATE ROLE .*?\n)(.*)/s;
$node->safe_psql('postgres', $role);

mkdir "$build/$_" or die $! foreach qw(node go);
copy("$clients/node/$_", "$build/node/$_") or die $! foreach qw(shop.js package.json .npmrc);
{
	local $ENV{HOME} = $build;
	delete local $ENV{TEST_CLOCK};    # certificates are of today
	local $ENV{npm_config_cache} = "$build/npm_cache";
	is(system_log('npm', 'install', '--prefix', "$build/node", '--no-audit', '--no-fund', '--no-update-notifier'),
		0, 'npm installs what the shop in Node.js needs');
	local @ENV{qw(GO111MODULE GOPATH GOCACHE GOFLAGS)} = ('off', '/usr/share/gocode', "$build/go/cache", '');
	is(system_log('go', 'build', '-o', "$build/go/shop", "$clients/go/shop.go"), 0, 'the shop in Go compiles');
}

my %command = (
	node => [ 'node', "$build/node/shop.js", "postgresql://shop\@127.0.0.1:$port/node" ],
	python => [ '/usr/bin/python3', "$clients/python/shop.py", "postgresql://shop\@127.0.0.1:$port/python" ],
	go => [ "$build/go/shop", "postgresql://shop\@127.0.0.1:$port/go?sslmode=disable" ],
	java => [ 'java', '-cp', '/usr/share/java/postgresql.jar', "$clients/java/Shop.java", "jdbc:postgresql://127.0.0.1:$port/java?user=shop" ]);

my $expected = <<'END';
quoted 3300
price: 3300, not 1
short: tea 1000 of 99
order: applied created
order: replayed created
payment: applied
payment: replayed
after-sale: applied applied
busy, trying again
cancel: applied canceled
orders: new signed, contended canceled
END

foreach my $language (sort keys %command)
{
	$node->safe_psql('postgres', "CREATE DATABASE $language");
	$node->safe_psql($language, "CREATE EXTENSION order_ext; $rest");
	# Orders are listed by the second of their creation.
	wait_sql($node, $language, q{SELECT max(created_at) < date_trunc('second', clock_timestamp()) FROM order_ext.orders_view},
		't', 10, "$language: the first order is of an earlier second");

	my $holder = $node->background_psql($language);
	$holder->query_safe(q{BEGIN; SELECT disposition FROM order_ext.pre_pay_order(order_ext.find_order('contended'), 'card', 1250)});

	my ($out, $err) = ('', '');
	my $shop = IPC::Run::start($command{$language}, '>', \$out, '2>', \$err, IPC::Run::timeout(300));
	$shop->pump until $out =~ /busy/ || !$shop->pumpable;
	$holder->query_safe('ROLLBACK');
	$holder->quit;
	ok($shop->finish, "$language: the shop runs") or diag($err);
	$out =~ s/(busy, trying again\n)+/$1/;
	is($out, $expected, "$language: and says so");
	verify_clean($node, $language, $language);
}

# ---- the server of docs/tutorial.md: its blocks of JavaScript, one after the other ----

my $tutorial = slurp_file("$clients/../../docs/tutorial.md");
append_to_file("$build/node/server.js", join "\n", $tutorial =~ /^```js\n(.*?)^```$/msg);
$node->safe_psql('postgres', "CREATE DATABASE tutorial");
$node->safe_psql('tutorial', "CREATE EXTENSION order_ext; $rest");

$ENV{SHOP} = "postgresql://shop\@127.0.0.1:$port/tutorial";
my ($where, $complaints) = ('', '');
my $server = IPC::Run::start([ 'node', "$build/node/server.js" ], '>', \$where, '2>', \$complaints, IPC::Run::timeout(300));
$server->pump until $where =~ /\n/ || !$server->pumpable;
chomp $where;

# What a buyer's browser, or the gateway, gets.
sub ask
{
	my ($method, $path, $body) = @_;
	my $answer = HTTP::Tiny->new->request($method, "http://127.0.0.1:$where$path",
		{ headers => { 'x-user' => 7 }, defined $body ? (content => $body) : () });
	return ($answer->{status}, eval { decode_json($answer->{content}) });
}

my ($status, $got) = ask('POST', '/quote', '{"items": [{"sku": "tea", "quantity": 2}]}');
is("$status $got->{pay_amount}", '200 2500', 'a price');
my $cart = '{"items": [{"sku": "tea", "quantity": 2}], "pay_amount": %d, "request_id": "%s"}';
($status, $got) = ask('POST', '/orders', sprintf $cart, 1, 'a');
is("$status $got->{code} $got->{facts}{expected}", '409 OE002 2500', 'another one is refused, with the right one');
($status, $got) = ask('POST', '/orders', sprintf $cart, 2500, 'b');
is("$status $got->{disposition}", '200 applied', 'an order');
my $order = $got->{id};
($status, $got) = ask('POST', '/orders', sprintf $cart, 2500, 'b');
is("$status $got->{disposition} $got->{id}", "200 replayed $order", 'ordered once');
($status, $got) = ask('POST', '/gateway', qq({"order_id": "$order", "trade_no": "T-1", "pay_type": "card", "amount": 2500}));
is("$status $got->{disposition}", '200 applied', 'paid');
($status, $got) = ask('POST', '/return', qq({"order_id": "$order", "lines": [{"sku": "tea", "quantity": 1}], "reason": "x", "request_id": "c"}));
is("$status $got->{code}", '409 OE101', 'it cannot come back before it is there');
($status, $got) = ask('POST', '/cancel', qq({"order_id": "$order", "request_id": "d"}));
is("$status $got->{disposition} $got->{status}", '200 applied canceled', 'canceled');
($status, $got) = ask('POST', '/cancel', '{"order_id": "12", "request_id": "e"}');
is($status, 404, 'no such order');
($status, $got) = ask('POST', '/orders', '{"items": 5, "pay_amount": 1, "request_id": "f"}');
is($status, 400, 'no such cart');
($status, $got) = ask('POST', '/orders', '{');
is($status, 400, 'no JSON');
($status, $got) = ask('GET', '/orders');
is(join(',', $status, sort map { $_->{status} } @$got), '200,canceled,created', 'the orders of the buyer');
$server->kill_kill;
is($complaints, '', 'the server has nothing to say');
verify_clean($node, 'tutorial', 'tutorial');

check_log($node);
$node->stop;
done_testing();
